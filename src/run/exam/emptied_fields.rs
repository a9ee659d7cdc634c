//! What a service that empties unnamed fields may have emptied, as nothing shows it and the roster does not have it.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::field_mapping;
use crate::run::report::moment;
use crate::store::{StateStore, StoreError};
use rosterd_core::roster::{FieldId, Sid};

const EMPTIED_FACT: &str = "exam.emptied_fields";

/// So long after the last change it is told: a week has a day for whoever looks after the account.
const TOLD_FOR_MS: i64 = 7 * 24 * 60 * 60 * 1000;

/// Candidates that are told apart when they are counted; of more only how many are known.
const MOST_COUNTED: usize = 10_000;

/// As it is stored.
#[derive(Default, Serialize, Deserialize)]
struct Emptied {
    fields: BTreeSet<i64>,
    sids: BTreeSet<i64>,
    since_ms: i64,
    last_ms: i64,
}

/// Fields that may be empty now, as a person knows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EmptiedFields {
    /// Each with its label, where that is known.
    pub fields: Vec<String>,
    /// Of how many students.
    pub students: usize,
    /// Since when, RFC 3339.
    pub since: String,
}

impl fmt::Display for EmptiedFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fields, students, since } = self;
        let word = if *students == 1 { "student" } else { "students" };
        write!(
            f,
            "the exam side empties what a change does not name and does not show all of it: {} of {students} {word} \
             changed since {since} may be empty. Enter the values there again, and map these fields in [exam.fields] \
             so that every change sends them",
            fields.join(", ")
        )
    }
}

/// Notes fields of changed candidates that no change could name.
///
/// # Errors
/// When our own database cannot be used.
pub(super) async fn note(
    state: &StateStore,
    changed: impl Iterator<Item = (Sid, Vec<FieldId>)>,
    now_ms: i64,
) -> Result<(), StoreError> {
    let lost: Vec<(Sid, Vec<FieldId>)> = changed.filter(|(_, fields)| !fields.is_empty()).collect();
    if lost.is_empty() {
        return Ok(());
    }
    let known = emptied(state, now_ms).await?;
    let mut emptied = known.unwrap_or_else(|| Emptied { since_ms: now_ms, ..Emptied::default() });
    emptied.last_ms = now_ms;
    for (sid, fields) in lost {
        emptied.fields.extend(fields.into_iter().map(|field| field.0));
        if emptied.sids.len() < MOST_COUNTED {
            emptied.sids.insert(sid.0);
        }
    }
    state.remember(EMPTIED_FACT, Some(&serde_json::json!(emptied).to_string())).await
}

/// What is to be told, as long as it may matter.
///
/// # Errors
/// When our own database cannot be read.
pub async fn emptied_fields(state: &StateStore, now_ms: i64) -> Result<Option<EmptiedFields>, StoreError> {
    let Some(Emptied { fields, sids, since_ms, .. }) = emptied(state, now_ms).await? else { return Ok(None) };
    let account = field_mapping::remembered_fields(state).await?.unwrap_or_default();
    let named = |field: i64| match account.label(FieldId(field)) {
        Some(label) => format!("field {field} ({label})"),
        None => format!("field {field}"),
    };
    let fields = fields.into_iter().map(named).collect();
    Ok(Some(EmptiedFields { fields, students: sids.len(), since: moment(since_ms) }))
}

async fn emptied(state: &StateStore, now_ms: i64) -> Result<Option<Emptied>, StoreError> {
    let stored = state.fact(EMPTIED_FACT).await?;
    let stored = stored.and_then(|json| serde_json::from_str::<Emptied>(&json).ok());
    Ok(stored.filter(|it| now_ms.saturating_sub(it.last_ms) <= TOLD_FOR_MS))
}
