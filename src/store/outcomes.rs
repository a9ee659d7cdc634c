//! The changes of one answered call, written in one transaction.

use sqlx::{Sqlite, Transaction};

use super::intents::stored;
use super::link_writes;
use super::{AccountChange, FailureRecord, LinkWrite, Service, StateStore, StoreError, accounts};
use rosterd_core::roster::{RunId, StudentId};

/// One thing that was wanted of one student: service, kind, student, and for ClassIn the class.
pub type OperationKey = (Service, &'static str, StudentId, String);

/// Everything that one answered call changes, written at once.
#[derive(Clone, Debug, Default)]
pub struct CallRecord {
    /// Changes to links.
    pub links: Vec<LinkWrite>,
    /// Changes to what is remembered of accounts.
    pub accounts: Vec<AccountChange>,
    /// Operations that failed or are unknown.
    pub failures: Vec<FailureRecord>,
    /// Operations that succeeded: open failures of theirs are resolved.
    pub applied: Vec<OperationKey>,
    /// Intents to delete, whatever their outcome.
    pub settled: Vec<OperationKey>,
    /// Leavers from whom something was removed, with whether a person approved it.
    pub departures: Vec<(Service, StudentId, bool)>,
}

impl StateStore {
    /// Records one call, in one transaction.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn record_call(&self, record: &CallRecord, run: RunId, now_ms: i64) -> Result<(), StoreError> {
        let doing = "recording outcomes";
        let mut transaction = self.begin().await?;
        for write in &record.links {
            link_writes::write(&mut transaction, write, run, now_ms).await?;
        }
        accounts::write(&mut transaction, &record.accounts, run, now_ms).await?;
        for failure in &record.failures {
            record_failure(&mut transaction, failure, run, now_ms).await?;
        }
        resolve(&mut transaction, &record.applied, now_ms).await?;
        clear_intents(&mut transaction, &record.settled).await?;
        for (service, student, approved) in &record.departures {
            sqlx::query(
                "INSERT OR REPLACE INTO departures (student_id, service, at_ms, approved) VALUES (?, ?, ?, ?)",
            )
            .bind(student.as_str())
            .bind(service.as_str())
            .bind(now_ms)
            .bind(approved)
            .execute(&mut *transaction)
            .await
            .map_err(StoreError::query(doing))?;
        }
        transaction.commit().await.map_err(StoreError::query(doing))
    }
}

async fn record_failure(
    transaction: &mut Transaction<'_, Sqlite>,
    failure: &FailureRecord,
    run: RunId,
    now_ms: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO failures (service, kind, student_id, class_code, state, call, code, message, \
         service_text, batch, item_index, attempts, first_failed_at_ms, last_failed_at_ms, due_at_ms, want, \
         run_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
         ON CONFLICT (service, kind, student_id, class_code) WHERE state IN ('waiting', 'dead', 'ignored') \
         DO UPDATE SET state = excluded.state, call = excluded.call, code = excluded.code, \
         message = excluded.message, service_text = excluded.service_text, batch = excluded.batch, \
         item_index = excluded.item_index, attempts = excluded.attempts, \
         last_failed_at_ms = excluded.last_failed_at_ms, due_at_ms = excluded.due_at_ms, \
         want = excluded.want, run_id = excluded.run_id",
    )
    .bind(failure.service.as_str())
    .bind(failure.kind)
    .bind(failure.student.as_str())
    .bind(&failure.class_code)
    .bind(failure.state.as_str())
    .bind(&failure.call)
    .bind(&failure.code)
    .bind(&failure.message)
    .bind(&failure.service_text)
    .bind(failure.batch.and_then(|batch| i64::try_from(batch).ok()))
    .bind(failure.index.and_then(|index| i64::try_from(index).ok()))
    .bind(failure.attempts)
    .bind(now_ms)
    .bind(now_ms)
    .bind(failure.due_at_ms)
    .bind(stored(failure.desired_hash))
    .bind(run.0)
    .execute(&mut **transaction)
    .await
    .map(drop)
    .map_err(StoreError::query("recording a failure"))
}

/// Closes the open failures of what has succeeded.
async fn resolve(
    transaction: &mut Transaction<'_, Sqlite>,
    applied: &[OperationKey],
    now_ms: i64,
) -> Result<(), StoreError> {
    if applied.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE failures SET state = 'resolved', closed_at_ms = ? WHERE failure_id IN \
         (SELECT f.failure_id FROM json_each(?) AS done CROSS JOIN failures AS f \
          ON f.service = done.value ->> 0 AND f.kind = done.value ->> 1 \
          AND f.student_id = done.value ->> 2 AND f.class_code = done.value ->> 3 \
          WHERE f.state IN ('waiting', 'dead', 'ignored'))",
    )
    .bind(now_ms)
    .bind(keys(applied))
    .execute(&mut **transaction)
    .await
    .map(drop)
    .map_err(StoreError::query("closing failures"))
}

/// Forgets the intents of what is settled.
async fn clear_intents(
    transaction: &mut Transaction<'_, Sqlite>,
    settled: &[OperationKey],
) -> Result<(), StoreError> {
    if settled.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "DELETE FROM intents WHERE (service, kind, student_id, class_key) IN \
         (SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?))",
    )
    .bind(keys(settled))
    .execute(&mut **transaction)
    .await
    .map(drop)
    .map_err(StoreError::query("settling intents"))
}

/// Keys for `json_each`: one statement for any number of them.
pub(super) fn keys(operations: &[OperationKey]) -> String {
    let rows: Vec<[&str; 4]> = operations
        .iter()
        .map(|(service, kind, student, class)| [service.as_str(), kind, student.as_str(), class])
        .collect();
    serde_json::json!(rows).to_string()
}
