//! What is remembered of an account's fields, and where it was learnt: their numbers mean something in one account only.

use std::collections::BTreeMap;

use super::ExamSide;
use crate::settings::{FieldRef, LoginField};
use crate::store::{StateStore, StoreError};
use rosterd_core::exam_plan::{AccountFields, Fingerprint, ListedLabels};
use rosterd_core::roster::FieldId;

/// The account's fields as `getFields` named them last: labels by number.
const FIELDS_FACT: &str = "exam.fields";

/// The login field that was found out.
const LOGIN_FACT: &str = "exam.login_field";

/// Labels in listings that were asked about: they differ, and mean nothing new.
const LISTED_FACT: &str = "exam.listed_labels";

/// Which account the facts about fields were learnt in.
const LEARNT_IN_FACT: &str = "exam.fields_of";

/// What is remembered of an account's fields while it is read, and whether anything new may be remembered.
#[derive(Clone, Copy)]
pub(in crate::run::exam) struct FieldMemory<'a> {
    pub(in crate::run::exam) state: &'a StateStore,
    /// A plan remembers nothing.
    pub(in crate::run::exam) keeps: bool,
    /// What is remembered was learnt in another account, and says nothing about this one.
    pub(in crate::run::exam) is_anothers: bool,
}

impl FieldMemory<'_> {
    /// The account's fields, where they were asked for before.
    pub(in crate::run::exam) async fn account_fields(self) -> Result<Option<AccountFields>, StoreError> {
        if self.is_anothers { Ok(None) } else { account_fields(self.state).await }
    }

    pub(super) async fn remember_account_fields(self, account: &AccountFields) -> Result<(), StoreError> {
        if self.keeps { remember_account_fields(self.state, account).await } else { Ok(()) }
    }

    /// Labels of listings that were asked about before.
    pub(super) async fn listed_labels(self) -> Result<ListedLabels, StoreError> {
        if self.is_anothers { Ok(ListedLabels::default()) } else { listed_labels(self.state).await }
    }

    pub(super) async fn remember_listed_labels(self, labels: &ListedLabels) -> Result<(), StoreError> {
        if self.keeps { remember_listed_labels(self.state, labels).await } else { Ok(()) }
    }

    /// The login field that was found out before.
    pub(super) async fn login_field(self) -> Result<Option<FieldId>, StoreError> {
        if self.is_anothers { Ok(None) } else { found_login_field(self.state).await }
    }

    pub(super) async fn remember_login_field(self, found: FieldId) -> Result<(), StoreError> {
        if !self.keeps || self.login_field().await? == Some(found) {
            return Ok(());
        }
        self.state.remember(LOGIN_FACT, Some(&found.0.to_string())).await
    }
}

async fn found_login_field(state: &StateStore) -> Result<Option<FieldId>, StoreError> {
    Ok(state.fact(LOGIN_FACT).await?.and_then(|text| text.parse::<i64>().ok()).map(FieldId))
}

/// Whether what is remembered about fields was learnt in another account than this one.
pub(in crate::run::exam) async fn are_another_accounts(
    state: &StateStore,
    account: Fingerprint,
) -> Result<bool, StoreError> {
    let account = format!("{:016x}", account.0);
    Ok(state.fact(LEARNT_IN_FACT).await?.as_ref() != Some(&account))
}

/// Forgets what was learnt about fields in another account than this one.
pub(in crate::run::exam) async fn forget_another_accounts(
    state: &StateStore,
    account: Fingerprint,
) -> Result<(), StoreError> {
    if !are_another_accounts(state, account).await? {
        return Ok(());
    }
    let account = format!("{:016x}", account.0);
    for fact in [FIELDS_FACT, LISTED_FACT, LOGIN_FACT] {
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
            let account = account_fields(state).await?.unwrap_or_default();
            Ok(account.labelled(label).first().copied())
        }
        LoginField::Auto => found_login_field(state).await,
    }
}

/// The roster's column that holds the login value, as far as it is known without asking.
///
/// # Errors
/// When our own database cannot be read.
pub async fn login_column(side: &ExamSide, state: &StateStore) -> Result<Option<String>, StoreError> {
    let account = account_fields(state).await?.unwrap_or_default();
    let number = |field: &FieldRef| match field {
        FieldRef::Id(id) => Some(FieldId(*id)),
        FieldRef::Label(label) => account.labelled(label).first().copied(),
    };
    let login_field = remembered_login_field(side, state).await?;
    let is_login = |field: &FieldRef| match &side.settings.login_field {
        LoginField::Named(named) if named == field => true,
        LoginField::Named(_) | LoginField::Auto => login_field.is_some() && number(field) == login_field,
    };
    let mapping = side.settings.fields.iter().find(|mapping| is_login(&mapping.field));
    Ok(mapping.map(|mapping| mapping.column.clone()))
}

/// The account's fields, where they were asked for before.
pub(in crate::run::exam) async fn account_fields(
    state: &StateStore,
) -> Result<Option<AccountFields>, StoreError> {
    let json = state.fact(FIELDS_FACT).await?;
    let labels = json.and_then(|json| serde_json::from_str::<BTreeMap<i64, String>>(&json).ok());
    Ok(labels.map(|labels| AccountFields::new(labels.into_iter().map(|(id, label)| (FieldId(id), label)))))
}

pub(super) async fn remember_account_fields(
    state: &StateStore,
    account: &AccountFields,
) -> Result<(), StoreError> {
    let labels: BTreeMap<String, &str> =
        account.iter().map(|(id, label)| (id.0.to_string(), label)).collect();
    state.remember(FIELDS_FACT, Some(&serde_json::json!(labels).to_string())).await
}

async fn listed_labels(state: &StateStore) -> Result<ListedLabels, StoreError> {
    let json = state.fact(LISTED_FACT).await?;
    let pairs = json.and_then(|json| serde_json::from_str::<Vec<(i64, String)>>(&json).ok());
    let mut labels = ListedLabels::default();
    labels.extend(pairs.unwrap_or_default().into_iter().map(|(id, label)| (FieldId(id), label)));
    Ok(labels)
}

async fn remember_listed_labels(state: &StateStore, labels: &ListedLabels) -> Result<(), StoreError> {
    let pairs: Vec<(i64, &str)> = labels.iter().map(|(id, label)| (id.0, label)).collect();
    state.remember(LISTED_FACT, Some(&serde_json::json!(pairs).to_string())).await
}
