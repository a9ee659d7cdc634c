//! Which exam fields the mapping means, and which of them is the login field.

mod check;
mod error;
mod login;
mod memory;

use std::collections::BTreeMap;

pub use check::check_exam_fields;
pub use error::ResolveError;
pub use memory::login_column;
pub(super) use memory::{forget_another_accounts, remembered_login_field};

use super::{ExamSide, ExamSyncError};
use crate::remote::exam::ExamField;
use crate::settings::{FieldRef, LoginField};
use crate::store::StateStore;
use rosterd_core::exam_plan::{MappedField, Mapping, Observed};
use rosterd_core::roster::FieldId;

/// The mapped fields by number, and the login field where it was named.
pub(super) struct ResolvedFields {
    pub(super) mapped: Vec<MappedField>,
    login: Option<FieldId>,
    labels: BTreeMap<String, i64>,
}

impl ResolvedFields {
    pub(super) fn ids(&self) -> Vec<FieldId> {
        self.mapped.iter().map(|field| field.id).collect()
    }

    /// A field as a person knows it.
    fn name(&self, field: FieldId) -> String {
        match self.labels.iter().find(|(_, id)| **id == field.0) {
            Some((label, _)) => format!("field {field} ({label:?})"),
            None => format!("field {field}"),
        }
    }
}

const FIELDS_FACT: &str = "exam.fields";

/// Resolves labels with the account's own fields: asked for once and remembered.
pub(super) async fn fields(side: &ExamSide, state: &StateStore) -> Result<ResolvedFields, ExamSyncError> {
    let remembered = state
        .fact(FIELDS_FACT)
        .await?
        .and_then(|json| serde_json::from_str::<BTreeMap<String, i64>>(&json).ok());
    if let Some(labels) = &remembered
        && let Ok(resolved) = resolve(side, labels, None)
    {
        return Ok(resolved);
    }
    // The cheapest call that proves credentials, plan, clock and base URL; and labels may have changed.
    let fields = side.reader.fields().await?;
    let labels = by_label(&fields);
    let resolved = resolve(side, &labels, None)?;
    if let Ok(json) = serde_json::to_string(&labels) {
        state.remember(FIELDS_FACT, Some(&json)).await?;
    }
    Ok(resolved)
}

fn by_label(fields: &[ExamField]) -> BTreeMap<String, i64> {
    fields.iter().map(|field| (field.label.trim().to_owned(), field.id.0)).collect()
}

/// Fields that are named by number are looked for too where the account's `fields` are given.
fn resolve(
    side: &ExamSide,
    labels: &BTreeMap<String, i64>,
    fields: Option<&[ExamField]>,
) -> Result<ResolvedFields, ResolveError> {
    let mut problems = Vec::new();
    let mut number = |field: &FieldRef, key: String| {
        let found = number(field, labels, fields);
        if found.is_none() {
            problems.push(unknown(field, &key, labels));
        }
        found
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
    Ok(ResolvedFields { mapped, login, labels: labels.clone() })
}

fn number(field: &FieldRef, labels: &BTreeMap<String, i64>, fields: Option<&[ExamField]>) -> Option<FieldId> {
    let is_there = |id: &FieldId| fields.is_none_or(|fields| fields.iter().any(|field| field.id == *id));
    match field {
        FieldRef::Id(id) => Some(FieldId(*id)).filter(is_there),
        FieldRef::Label(label) => labels.get(label.trim()).map(|id| FieldId(*id)),
    }
}

fn unknown(field: &FieldRef, key: &str, labels: &BTreeMap<String, i64>) -> String {
    let known: Vec<String> = labels.iter().map(|(label, id)| format!("{label:?} ({id})")).collect();
    let known = known.join(", ");
    match field {
        FieldRef::Id(id) => format!("{key}: the account has no field with the number {id}; it has {known}"),
        FieldRef::Label(label) => {
            format!("{key}: the account has no field labelled {label:?}; it has {known}")
        }
    }
}

/// The mapping with its login field: named, or found out from the listing and remembered. With it comes what a
/// person is told about the login field where it could not be proven.
pub(super) async fn mapping(
    side: &ExamSide,
    state: &StateStore,
    fields: &ResolvedFields,
    observed: &Observed,
) -> Result<(Mapping, Option<String>), ExamSyncError> {
    let (login, warning) = login::login_field(fields, state, observed).await?;
    let mapping = with_login(fields, login)?;
    if side.settings.login_field == LoginField::Auto {
        let found = login.0.to_string();
        if state.fact(login::LOGIN_FACT).await?.as_ref() != Some(&found) {
            state.remember(login::LOGIN_FACT, Some(&found)).await?;
        }
    }
    Ok((mapping, warning))
}

fn with_login(fields: &ResolvedFields, login: FieldId) -> Result<Mapping, ResolveError> {
    Mapping::new(fields.mapped.clone(), login).ok_or(ResolveError::NotMapped { field: login })
}
