//! The changes of one answered call, written in one transaction.

use sqlx::{Sqlite, Transaction};

use super::error::{Doing, Written};
use super::keys::keys;
use super::{
    FailureRecord, LinkWrite, NewLink, NotedWrite, StateStore, StoreError, accounts, approvals,
    counted_writes, failure_changes, link_writes, student_changes,
};
use rosterd_core::classin_plan::AccountChange;
use rosterd_core::failure::OperationKey;
use rosterd_core::roster::{Gid, RunId};

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
    /// Of operations that succeeded: names of the fields that were written, and groups that were left.
    pub details: Vec<(OperationKey, String)>,
    /// Intents to delete, whatever their outcome.
    pub settled: Vec<OperationKey>,
    /// Approved operations that have ended: next time they need a new approval.
    pub ended: Vec<OperationKey>,
    /// Writes that count and needed no call of their own.
    pub counted: Vec<NotedWrite>,
    /// Operations of which one call of several has been done: who was taken out of which group by it.
    pub left: Vec<(OperationKey, Vec<Gid>)>,
    /// Operations that are known not to have happened: what was counted of them is taken back.
    pub undone: Vec<OperationKey>,
}

impl StateStore {
    /// Records one call, in one transaction.
    pub async fn record_call(&self, record: &CallRecord, run: RunId, now_ms: i64) -> Result<(), StoreError> {
        let doing = "recording outcomes";
        let mut transaction = self.begin().await?;
        write_links(&mut transaction, &record.links, run, now_ms).await?;
        accounts::write(&mut transaction, &record.accounts, run, now_ms).await?;
        for failure in &record.failures {
            failure_changes::record(&mut transaction, failure, run, now_ms).await?;
        }
        failure_changes::resolve(&mut transaction, &record.applied, now_ms).await?;
        student_changes::note(&mut transaction, &record.applied, &record.details, run, now_ms).await?;
        clear_intents(&mut transaction, &record.settled).await?;
        approvals::use_up(&mut transaction, &record.ended).await?;
        counted_writes::note(&mut transaction, &record.counted, run, now_ms).await?;
        counted_writes::settle(&mut transaction, &record.applied).await?;
        counted_writes::settle_left(&mut transaction, &record.left).await?;
        counted_writes::take_back(&mut transaction, &record.undone, counted_writes::SentBy::Run(run)).await?;
        transaction.commit().await.doing(doing)
    }
}

/// Writes links in their order; those to be made that follow one another are made together.
async fn write_links(
    transaction: &mut Transaction<'_, Sqlite>,
    links: &[LinkWrite],
    run: RunId,
    now_ms: i64,
) -> Result<(), StoreError> {
    let mut made: Vec<&NewLink> = Vec::new();
    for write in links {
        if let LinkWrite::Make(new) = write {
            made.push(new);
            continue;
        }
        link_writes::make(transaction, &std::mem::take(&mut made), run, now_ms).await?;
        link_writes::write(transaction, write, run, now_ms).await?;
    }
    link_writes::make(transaction, &made, run, now_ms).await
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
