//! The changes of one answered call, written in one transaction.

use sqlx::{Sqlite, Transaction};

use super::error::{Doing, Written};
use super::keys::keys;
use super::{FailureRecord, LinkWrite, StateStore, StoreError, accounts, failure_changes, link_writes};
use rosterd_core::classin_plan::AccountChange;
use rosterd_core::failure::{OperationKey, Service};
use rosterd_core::roster::{RunId, StudentId};

/// Something that was taken from a student because they left.
#[derive(Clone, Debug)]
pub struct Departure {
    pub service: Service,
    pub student: StudentId,
    /// Whether a person approved it: then it does not count against the limit.
    pub is_approved: bool,
}

/// Everything that one answered call changes, written at once.
#[derive(Clone, Debug, Default)]
pub struct CallRecord {
    pub links: Vec<LinkWrite>,
    /// Changes to what is remembered of accounts.
    pub accounts: Vec<AccountChange>,
    /// Operations that failed or are unknown.
    pub failures: Vec<FailureRecord>,
    /// Operations that succeeded: open failures of theirs are resolved.
    pub applied: Vec<OperationKey>,
    /// Intents to delete, whatever their outcome.
    pub settled: Vec<OperationKey>,
    /// What was taken from leavers.
    pub departures: Vec<Departure>,
}

impl StateStore {
    /// Records one call, in one transaction.
    pub async fn record_call(&self, record: &CallRecord, run: RunId, now_ms: i64) -> Result<(), StoreError> {
        let doing = "recording outcomes";
        let mut transaction = self.begin().await?;
        for write in &record.links {
            link_writes::write(&mut transaction, write, run, now_ms).await?;
        }
        accounts::write(&mut transaction, &record.accounts, run, now_ms).await?;
        for failure in &record.failures {
            failure_changes::record(&mut transaction, failure, run, now_ms).await?;
        }
        failure_changes::resolve(&mut transaction, &record.applied, now_ms).await?;
        clear_intents(&mut transaction, &record.settled).await?;
        for Departure { service, student, is_approved } in &record.departures {
            sqlx::query(
                "INSERT OR REPLACE INTO departures (student_id, service, at_ms, approved) VALUES (?, ?, ?, ?)",
            )
            .bind(student.as_str())
            .bind(service.as_str())
            .bind(now_ms)
            .bind(is_approved)
            .execute(&mut *transaction)
            .await
            .doing(doing)?;
        }
        transaction.commit().await.doing(doing)
    }
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
    .done("settling intents")
}
