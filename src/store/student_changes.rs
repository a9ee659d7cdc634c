//! What was done for a student, and by which run: kinds of changes and names of fields, never a value.

use std::collections::HashMap;

use rosterd_core::failure::OperationKey;
use rosterd_core::roster::{RunId, StudentId};
use sqlx::{Sqlite, Transaction};

use super::error::{Doing, Written};
use super::{StateStore, StoreError};

/// One change that was made for a student.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct StudentChange {
    pub changed_at_ms: i64,
    pub service: String,
    pub kind: String,
    /// For ClassIn: the class; otherwise empty.
    pub class_key: String,
    pub run_id: i64,
    /// Names of roster columns, and groups that were left; empty where the kind says it all.
    pub detail: String,
}

/// Notes what was done, in the transaction that records it. What belongs to no student has no history.
pub(super) async fn note(
    transaction: &mut Transaction<'_, Sqlite>,
    applied: &[OperationKey],
    details: &[(OperationKey, String)],
    run: RunId,
    now_ms: i64,
) -> Result<(), StoreError> {
    let details: HashMap<&OperationKey, &str> =
        details.iter().map(|(key, detail)| (key, detail.as_str())).collect();
    let rows: Vec<[&str; 5]> = applied
        .iter()
        .filter(|key| !key.student.as_str().is_empty())
        .map(|key| {
            let detail = details.get(key).copied().unwrap_or_default();
            [key.service().as_str(), key.kind.as_str(), key.student.as_str(), &key.class_key, detail]
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT OR REPLACE INTO student_changes \
         (student_id, changed_at_ms, service, kind, class_key, run_id, detail) \
         SELECT value ->> 2, ?, value ->> 0, value ->> 1, value ->> 3, ?, value ->> 4 FROM json_each(?)",
    )
    .bind(now_ms)
    .bind(run.0)
    .bind(serde_json::json!(rows).to_string())
    .execute(&mut **transaction)
    .await
    .done("noting what was changed")?;
    Ok(())
}

impl StateStore {
    /// The last changes made for a student, the newest first.
    pub async fn changes_of(&self, student: &StudentId, most: u32) -> Result<Vec<StudentChange>, StoreError> {
        sqlx::query_as(
            "SELECT changed_at_ms, service, kind, class_key, run_id, detail FROM student_changes \
             WHERE student_id = ? ORDER BY changed_at_ms DESC, service, kind, class_key LIMIT ?",
        )
        .bind(student.as_str())
        .bind(most)
        .fetch_all(&self.reader)
        .await
        .doing("reading what was changed for a student")
    }
}
