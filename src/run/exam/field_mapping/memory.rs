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

async fn remembered_labels(state: &StateStore) -> Result<Option<BTreeMap<String, i64>>, StoreError> {
    let json = state.fact(FIELDS_FACT).await?;
    Ok(json.and_then(|json| serde_json::from_str(&json).ok()))
}
