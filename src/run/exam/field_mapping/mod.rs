//! Which exam fields the mapping means, and which of them is the login field.

mod check;
mod error;
mod login;
mod memory;
mod passwords;
mod refresh;
mod uncompared;

use std::collections::BTreeSet;

pub use check::{ExamCheck, check_exam_fields};
pub use error::ResolveError;
pub(super) use memory::account_fields as remembered_fields;
pub use memory::login_column;
pub(super) use memory::{FieldMemory, are_another_accounts, forget_another_accounts, remembered_login_field};
pub use passwords::{PasswordColumns, password_columns};
pub(super) use refresh::{after_refusal, list};
pub use uncompared::{UncomparedColumn, uncompared_columns, uncompared_columns_of};

use super::{ExamSide, ExamSyncError};
use crate::remote::exam::ExamField;
use crate::settings::{FieldRef, LoginField};
use crate::store::{StateStore, StoreError};
use rosterd_core::exam_plan::{AccountFields, MappedField, Mapping, Observed};
use rosterd_core::roster::FieldId;

/// The mapped fields by number, and the login field where it was named.
pub(super) struct ResolvedFields {
    pub(super) mapped: Vec<MappedField>,
    login: Option<FieldId>,
    account: AccountFields,
}

impl ResolvedFields {
    /// For a reading in which only the login values count.
    pub(super) fn none() -> Self {
        Self { mapped: Vec::new(), login: None, account: AccountFields::default() }
    }

    pub(super) fn ids(&self) -> Vec<FieldId> {
        self.mapped.iter().map(|field| field.id).collect()
    }

    /// A field as a person knows it.
    fn name(&self, field: FieldId) -> String {
        match self.account.label(field) {
            Some(label) => format!("field {field} ({label:?})"),
            None => format!("field {field}"),
        }
    }
}

/// Resolves the mapping with the account's own fields: asked for once and remembered, and asked for again where what is
/// remembered lacks a field that is meant.
async fn fields(side: &ExamSide, memory: FieldMemory<'_>) -> Result<ResolvedFields, ExamSyncError> {
    if let Some(account) = memory.account_fields().await?
        && let Ok(resolved) = resolve(side, &account)
    {
        return Ok(resolved);
    }
    // The cheapest call that proves credentials, plan, clock and base URL; and fields may have changed.
    let account = account_fields(side.reader.fields().await?);
    let resolved = resolve(side, &account)?;
    memory.remember_account_fields(&account).await?;
    Ok(resolved)
}

fn account_fields(fields: Vec<ExamField>) -> AccountFields {
    AccountFields::new(fields.into_iter().map(|field| (field.id, field.label)))
}

/// The labels by which the configuration means fields.
fn labels_meant(side: &ExamSide) -> BTreeSet<String> {
    let mapped = side.settings.fields.iter().map(|mapping| &mapping.field);
    let login = match &side.settings.login_field {
        LoginField::Auto => None,
        LoginField::Named(field) => Some(field),
    };
    let label = |field: &FieldRef| match field {
        FieldRef::Id(_) => None,
        FieldRef::Label(label) => Some(label.clone()),
    };
    mapped.chain(login).filter_map(label).collect()
}

fn resolve(side: &ExamSide, account: &AccountFields) -> Result<ResolvedFields, ResolveError> {
    let mut problems = Vec::new();
    let mut number = |field: &FieldRef, key: String| match number(field, account) {
        Ok(id) => Some(id),
        Err(problem) => {
            problems.push(format!("{key}: {problem}"));
            None
        }
    };
    let mapped: Vec<MappedField> = side
        .settings
        .fields
        .iter()
        .filter_map(|mapping| {
            let key = format!("exam.fields.{}", mapping.column);
            Some(MappedField { column: mapping.column.clone(), id: number(&mapping.field, key)? })
        })
        .collect();
    let login = match &side.settings.login_field {
        LoginField::Auto => None,
        LoginField::Named(field) => number(field, "exam.login_field".to_owned()),
    };
    if !problems.is_empty() {
        return Err(ResolveError::Unknown { problems });
    }
    if let Some(field) = login
        && !mapped.iter().any(|mapped| mapped.id == field)
    {
        return Err(ResolveError::NotMapped { field });
    }
    Ok(ResolvedFields { mapped, login, account: account.clone() })
}

/// The field that is meant, or why there is no such one.
fn number(field: &FieldRef, account: &AccountFields) -> Result<FieldId, String> {
    let known = || {
        let known: Vec<String> = account.iter().map(|(id, label)| format!("{label:?} ({id})")).collect();
        known.join(", ")
    };
    match field {
        // An account without a single field does not tell which it has.
        FieldRef::Id(id) if account.label(FieldId(*id)).is_none() && account.iter().next().is_some() => {
            Err(format!("the account has no field with the number {id}; it has {}", known()))
        }
        FieldRef::Id(id) => Ok(FieldId(*id)),
        FieldRef::Label(label) => match account.labelled(label).as_slice() {
            [only] => Ok(*only),
            [] => Err(format!("the account has no field labelled {label:?}; it has {}", known())),
            several => {
                let several: Vec<String> = several.iter().map(ToString::to_string).collect();
                let several = several.join(" and ");
                Err(format!(
                    "the account has several fields labelled {label:?}, numbers {several}: name the right one by its number"
                ))
            }
        },
    }
}

/// The mapping with its login field: named, or found out from the listing and remembered. With it comes what a
/// person is told about the login field where it could not be proven.
pub(super) async fn mapping(
    side: &ExamSide,
    memory: FieldMemory<'_>,
    fields: &ResolvedFields,
    observed: &Observed,
) -> Result<(Mapping, Option<String>), ExamSyncError> {
    let (login, warning) = login::login_field(fields, memory, observed).await?;
    let mapping = with_login(fields, login)?;
    if side.settings.login_field == LoginField::Auto {
        memory.remember_login_field(login).await?;
    }
    Ok((mapping, warning))
}

/// The mapping, as far as it is known without asking.
///
/// # Errors
/// When our own database cannot be read.
pub async fn remembered_mapping(side: &ExamSide, state: &StateStore) -> Result<Option<Mapping>, StoreError> {
    let Some(account) = memory::account_fields(state).await? else { return Ok(None) };
    let Ok(resolved) = resolve(side, &account) else { return Ok(None) };
    let login = remembered_login_field(side, state).await?;
    Ok(login.and_then(|login| with_login(&resolved, login).ok()))
}

fn with_login(fields: &ResolvedFields, login: FieldId) -> Result<Mapping, ResolveError> {
    Mapping::new(fields.mapped.clone(), login).ok_or(ResolveError::NotMapped { field: login })
}
