//! Which exam fields the mapping means, and which of them is the login field.

use std::collections::BTreeMap;

use super::{ExamSide, ExamSyncError};
use crate::remote::exam::ExamField;
use crate::settings::{FieldRef, LoginField};
use crate::store::StateStore;
use rosterd_core::exam_plan::{MappedField, Mapping, Observed};
use rosterd_core::roster::FieldId;

/// Why the mapping cannot be used with this account.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// A label that the account does not have.
    #[error("{key}: the account has no field labelled {label:?}; it has {known}")]
    UnknownLabel { key: String, label: String, known: String },
    /// The login field is not mapped.
    #[error(
        "exam.login_field: field {field} holds the login value, but no column in exam.fields is mapped to it"
    )]
    NotMapped { field: FieldId },
    /// Nothing, or too much, is known about the login field.
    #[error("exam.login_field = \"auto\": {cause}; set exam.login_field to the field's label or number")]
    Undetected { cause: String },
}

/// The mapped fields by number, and the login field where it was named.
pub(super) struct ResolvedFields {
    pub(super) mapped: Vec<MappedField>,
    login: Option<FieldId>,
}

impl ResolvedFields {
    pub(super) fn ids(&self) -> Vec<FieldId> {
        self.mapped.iter().map(|field| field.id).collect()
    }
}

const FIELDS_FACT: &str = "exam.fields";
const LOGIN_FACT: &str = "exam.login_field";

/// Resolves labels with the account's own fields: asked for once and remembered.
pub(super) async fn fields(side: &ExamSide, state: &StateStore) -> Result<ResolvedFields, ExamSyncError> {
    let remembered = state
        .fact(FIELDS_FACT)
        .await?
        .and_then(|json| serde_json::from_str::<BTreeMap<String, i64>>(&json).ok());
    if let Some(labels) = &remembered
        && let Ok(resolved) = resolve(side, labels)
    {
        return Ok(resolved);
    }
    // The cheapest call that proves credentials, plan, clock and base URL; and labels may have changed.
    let fields = side.reader.fields().await?;
    let labels = by_label(&fields);
    let resolved = resolve(side, &labels)?;
    if let Ok(json) = serde_json::to_string(&labels) {
        state.remember(FIELDS_FACT, Some(&json)).await?;
    }
    Ok(resolved)
}

fn by_label(fields: &[ExamField]) -> BTreeMap<String, i64> {
    fields.iter().map(|field| (field.label.trim().to_owned(), field.id.0)).collect()
}

fn resolve(side: &ExamSide, labels: &BTreeMap<String, i64>) -> Result<ResolvedFields, ResolveError> {
    let mapped = side
        .settings
        .fields
        .iter()
        .map(|mapping| {
            let key = format!("exam.fields.{}", mapping.column);
            Ok(MappedField { column: mapping.column.clone(), id: number(&mapping.field, key, labels)? })
        })
        .collect::<Result<Vec<_>, ResolveError>>()?;
    let login = match &side.settings.login_field {
        LoginField::Auto => None,
        LoginField::Named(field) => Some(number(field, "exam.login_field".to_owned(), labels)?),
    };
    if let Some(field) = login
        && !mapped.iter().any(|mapped| mapped.id == field)
    {
        return Err(ResolveError::NotMapped { field });
    }
    Ok(ResolvedFields { mapped, login })
}

fn number(field: &FieldRef, key: String, labels: &BTreeMap<String, i64>) -> Result<FieldId, ResolveError> {
    match field {
        FieldRef::Id(id) => Ok(FieldId(*id)),
        FieldRef::Label(label) => labels.get(label.trim()).map(|id| FieldId(*id)).ok_or_else(|| {
            let known: Vec<String> = labels.iter().map(|(label, id)| format!("{label:?} ({id})")).collect();
            ResolveError::UnknownLabel { key, label: label.clone(), known: known.join(", ") }
        }),
    }
}

/// The mapping with its login field: named, or the one field that equals the login value in every listed
/// row; a field found once is kept, so that a coincidence later on does not stop the runs.
pub(super) async fn mapping(
    side: &ExamSide,
    state: &StateStore,
    fields: &ResolvedFields,
    observed: &Observed,
) -> Result<Mapping, ExamSyncError> {
    let login = match fields.login {
        Some(login) => login,
        None => detect(state, observed).await?,
    };
    let mapping =
        Mapping::new(fields.mapped.clone(), login).ok_or(ResolveError::NotMapped { field: login })?;
    if side.settings.login_field == LoginField::Auto {
        let found = login.0.to_string();
        if state.fact(LOGIN_FACT).await?.as_ref() != Some(&found) {
            state.remember(LOGIN_FACT, Some(&found)).await?;
        }
    }
    Ok(mapping)
}

async fn detect(state: &StateStore, observed: &Observed) -> Result<FieldId, ExamSyncError> {
    let found: Vec<FieldId> = observed.login_fields().iter().copied().collect();
    if let [only] = found.as_slice() {
        return Ok(*only);
    }
    let remembered = state.fact(LOGIN_FACT).await?.and_then(|text| text.parse::<i64>().ok()).map(FieldId);
    if let Some(field) = remembered
        && (observed.is_empty() || found.contains(&field))
    {
        return Ok(field);
    }
    let cause = if observed.is_empty() {
        "the account lists no candidates to tell it by".to_owned()
    } else if found.is_empty() {
        "no field equals the login value in every listed row".to_owned()
    } else {
        let fields: Vec<String> = found.iter().map(ToString::to_string).collect();
        format!("the fields {} all equal the login value in every listed row", fields.join(", "))
    };
    Err(ResolveError::Undetected { cause }.into())
}

/// Whether credentials and mapping fit the account, for `check`.
pub(super) async fn check(side: &ExamSide) -> Result<String, ExamSyncError> {
    let (fields, clock) = side.reader.fields_and_clock().await?;
    let resolved = resolve(side, &by_label(&fields))?;
    let login = match resolved.login {
        Some(field) => format!("the login field is {field}"),
        None => "the login field is found out from the listing".to_owned(),
    };
    Ok(format!(
        "credentials accepted, {} fields, {} of them mapped; {login}; {clock}",
        fields.len(),
        resolved.mapped.len()
    ))
}
