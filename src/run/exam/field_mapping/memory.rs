//! What is remembered of an account's fields, and where it was learnt: their numbers mean something in one account only.

use std::collections::BTreeMap;

use super::login::LOGIN_FACT;
use super::{ExamSide, FIELDS_FACT};
use crate::settings::{FieldRef, LoginField};
use crate::store::{StateStore, StoreError};
use rosterd_core::exam_plan::Fingerprint;
use rosterd_core::roster::FieldId;

/// Which account the facts about fields were learnt in.
const LEARNT_IN_FACT: &str = "exam.fields_of";

/// Forgets what was learnt about fields in another account than this one.
pub(in crate::run::exam) async fn forget_another_accounts(
    state: &StateStore,
    account: Fingerprint,
) -> Result<(), StoreError> {
    let account = format!("{:016x}", account.0);
    if state.fact(LEARNT_IN_FACT).await?.as_ref() == Some(&account) {
        return Ok(());
    }
    for fact in [FIELDS_FACT, LOGIN_FACT] {
        state.remember(fact, None).await?;
    }
    state.remember(LEARNT_IN_FACT, Some(&account)).await
}

/// The login field, as far as it is known without asking.
pub(in crate::run::exam) async fn remembered_login_field(
    side: &ExamSide,
    state: &StateStore,
) -> Result<Option<FieldId>, StoreError> {
    match &side.settings.login_field {
        LoginField::Named(FieldRef::Id(id)) => Ok(Some(FieldId(*id))),
        LoginField::Named(FieldRef::Label(label)) => {
            let labels = remembered_labels(state).await?.unwrap_or_default();
            Ok(labels.get(label.trim()).map(|id| FieldId(*id)))
        }
        LoginField::Auto => {
            Ok(state.fact(LOGIN_FACT).await?.and_then(|text| text.parse::<i64>().ok()).map(FieldId))
        }
    }
}

/// The roster's column that holds the login value, as far as it is known without asking.
///
/// # Errors
/// When our own database cannot be read.
pub async fn login_column(side: &ExamSide, state: &StateStore) -> Result<Option<String>, StoreError> {
    let labels = remembered_labels(state).await?.unwrap_or_default();
    let number = |field: &FieldRef| match field {
        FieldRef::Id(id) => Some(FieldId(*id)),
        FieldRef::Label(label) => labels.get(label.trim()).map(|id| FieldId(*id)),
    };
    let login_field = remembered_login_field(side, state).await?;
    let is_login = |field: &FieldRef| match &side.settings.login_field {
        LoginField::Named(named) if named == field => true,
        LoginField::Named(_) | LoginField::Auto => login_field.is_some() && number(field) == login_field,
    };
    let mapping = side.settings.fields.iter().find(|mapping| is_login(&mapping.field));
    Ok(mapping.map(|mapping| mapping.column.clone()))
}

async fn remembered_labels(state: &StateStore) -> Result<Option<BTreeMap<String, i64>>, StoreError> {
    let json = state.fact(FIELDS_FACT).await?;
    Ok(json.and_then(|json| serde_json::from_str(&json).ok()))
}
