//! The history of runs.

use std::sync::atomic::Ordering;

use super::error::{Doing, Written, counted};
use super::{StateStore, StoreError, run_holder};
use rosterd_core::roster::RunId;

/// The word for a plan in tables and reports, where a run has its trigger.
pub const PLAN: &str = "plan";

/// A run's data at its start.
#[derive(Clone, Copy, Debug)]
pub struct RunStart<'a> {
    pub trigger: &'a str,
    pub mode: &'a str,
    /// When, in milliseconds since 1970 UTC.
    pub at_ms: i64,
}

/// One run of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRow {
    pub run: RunId,
    pub trigger: String,
    pub mode: String,
    /// When it started, in milliseconds since 1970 UTC.
    pub started_at_ms: i64,
    /// When it finished; absent while it runs, or when it was cut off.
    pub finished_at_ms: Option<i64>,
    pub outcome: Option<String>,
    /// With which exit code.
    pub exit_code: Option<i64>,
    /// Whether it read both sides completely and no service was stopped.
    pub is_good: bool,
    /// Its report as JSON.
    pub report: Option<String>,
}

#[derive(sqlx::FromRow)]
struct StoredRun {
    run_id: i64,
    trigger: String,
    mode: String,
    started_at_ms: i64,
    finished_at_ms: Option<i64>,
    outcome: Option<String>,
    exit_code: Option<i64>,
    is_good: bool,
    report: Option<String>,
}

impl From<StoredRun> for RunRow {
    fn from(row: StoredRun) -> Self {
        let StoredRun {
            run_id,
            trigger,
            mode,
            started_at_ms,
            finished_at_ms,
            outcome,
            exit_code,
            is_good,
            report,
        } = row;
        let run = RunId(run_id);
        Self { run, trigger, mode, started_at_ms, finished_at_ms, outcome, exit_code, is_good, report }
    }
}

impl StateStore {
    /// Opens a run.
    ///
    /// # Errors
    /// [`StoreError::RunElsewhere`] while another process is in the middle of one; a plan may be made beside it.
    pub async fn begin_run(&self, start: RunStart<'_>) -> Result<RunId, StoreError> {
        let mut transaction = self.begin().await?;
        if start.trigger != PLAN {
            run_holder::take(&mut transaction).await?;
        }
        let run = sqlx::query_scalar(
            "INSERT INTO runs (trigger, mode, started_at_ms) VALUES (?, ?, ?) RETURNING run_id",
        )
        .bind(start.trigger)
        .bind(start.mode)
        .bind(start.at_ms)
        .fetch_one(&mut *transaction)
        .await
        .doing("opening a run")?;
        transaction.commit().await.doing("opening a run")?;
        if start.trigger != PLAN {
            self.open_run.store(run, Ordering::Relaxed);
        }
        Ok(RunId(run))
    }

    /// Closes a run.
    pub async fn finish_run(&self, row: &RunRow, listing_complete: bool) -> Result<(), StoreError> {
        if row.trigger != PLAN {
            self.open_run.store(0, Ordering::Relaxed);
            self.release_run().await?;
        }
        sqlx::query(
            "UPDATE runs SET finished_at_ms = ?, outcome = ?, exit_code = ?, listing_complete = ?, is_good = ?, \
             report = ? \
             WHERE run_id = ?",
        )
        .bind(row.finished_at_ms)
        .bind(&row.outcome)
        .bind(row.exit_code)
        .bind(listing_complete)
        .bind(row.is_good)
        .bind(&row.report)
        .bind(row.run.0)
        .execute(self.writer()?)
        .await
        .done("closing a run")
    }

    /// Closes the run of this process that is cut short, where one is under way. What it intended is written down, and the next
    /// one settles it.
    pub async fn interrupt_open_run(&self, exit_code: u8, now_ms: i64) -> Result<(), StoreError> {
        let run = self.open_run.swap(0, Ordering::Relaxed);
        if run == 0 {
            return Ok(());
        }
        self.release_run().await?;
        sqlx::query(
            "UPDATE runs SET finished_at_ms = ?, outcome = 'interrupted', exit_code = ?, listing_complete = 0, \
             is_good = 0 WHERE run_id = ? AND finished_at_ms IS NULL",
        )
        .bind(now_ms)
        .bind(exit_code)
        .bind(run)
        .execute(self.writer()?)
        .await
        .done("closing a run that is cut short")
    }

    /// The last run, other than a plan, with a complete listing; 0 before the first.
    pub async fn last_complete_run(&self) -> Result<RunId, StoreError> {
        sqlx::query_scalar(
            "SELECT coalesce(max(run_id), 0) FROM runs WHERE listing_complete = 1 AND trigger <> 'plan'",
        )
        .fetch_one(&self.reader)
        .await
        .map(RunId)
        .doing("finding the last complete run")
    }

    /// The last good run, other than a plan; 0 before the first.
    pub async fn last_good_run(&self) -> Result<RunId, StoreError> {
        sqlx::query_scalar(
            "SELECT coalesce(max(run_id), 0) FROM runs WHERE is_good = 1 AND trigger <> 'plan'",
        )
        .fetch_one(&self.reader)
        .await
        .map(RunId)
        .doing("finding the last good run")
    }

    /// The newest runs, newest first.
    pub async fn runs(&self, most: u32) -> Result<Vec<RunRow>, StoreError> {
        let rows: Vec<StoredRun> = sqlx::query_as(
            "SELECT run_id, trigger, mode, started_at_ms, finished_at_ms, outcome, exit_code, is_good, report \
             FROM runs ORDER BY run_id DESC LIMIT ?",
        )
        .bind(most)
        .fetch_all(&self.reader)
        .await
        .doing("reading runs")?;
        Ok(rows.into_iter().map(RunRow::from).collect())
    }

    /// One run.
    pub async fn run(&self, run: RunId) -> Result<Option<RunRow>, StoreError> {
        let row: Option<StoredRun> = sqlx::query_as(
            "SELECT run_id, trigger, mode, started_at_ms, finished_at_ms, outcome, exit_code, is_good, report \
             FROM runs WHERE run_id = ?",
        )
        .bind(run.0)
        .fetch_optional(&self.reader)
        .await
        .doing("reading a run")?;
        Ok(row.map(RunRow::from))
    }

    /// The newest run other than a plan.
    pub async fn newest_run(&self) -> Result<Option<RunRow>, StoreError> {
        let row: Option<StoredRun> = sqlx::query_as(
            "SELECT run_id, trigger, mode, started_at_ms, finished_at_ms, outcome, exit_code, is_good, report \
             FROM runs WHERE trigger <> 'plan' ORDER BY run_id DESC LIMIT 1",
        )
        .fetch_optional(&self.reader)
        .await
        .doing("reading the newest run")?;
        Ok(row.map(RunRow::from))
    }

    /// The newest run other than a plan that ended by itself: one that was killed, cut short or told to stop says nothing of
    /// what the runs before it met, and neither does one under way.
    pub async fn newest_ended_run(&self) -> Result<Option<RunRow>, StoreError> {
        let row: Option<StoredRun> = sqlx::query_as(
            "SELECT run_id, trigger, mode, started_at_ms, finished_at_ms, outcome, exit_code, is_good, report \
             FROM runs WHERE trigger <> 'plan' AND finished_at_ms IS NOT NULL AND outcome <> 'interrupted' \
             ORDER BY run_id DESC LIMIT 1",
        )
        .fetch_optional(&self.reader)
        .await
        .doing("reading the newest run that ended")?;
        Ok(row.map(RunRow::from))
    }

    /// When the last good run, other than a plan, finished, in milliseconds since 1970 UTC; one that a clock which was
    /// ahead has dated after `latest_ms` is none.
    pub async fn last_good_run_ms(&self, latest_ms: i64) -> Result<Option<i64>, StoreError> {
        sqlx::query_scalar(
            "SELECT max(finished_at_ms) FROM runs WHERE is_good = 1 AND trigger <> 'plan' AND finished_at_ms <= ?",
        )
        .bind(latest_ms)
        .fetch_one(&self.reader)
        .await
        .doing("finding the last good run")
    }

    /// How many runs, other than plans, ended after this moment and were not good, and when the first of them ended. A run
    /// that was told to stop is none of them, nor is one that a clock which was ahead has dated after `latest_ms`: it would
    /// count for years.
    pub async fn failed_runs_since(
        &self,
        since_ms: Option<i64>,
        latest_ms: i64,
    ) -> Result<(u64, Option<i64>), StoreError> {
        let (count, first_ms): (i64, Option<i64>) = sqlx::query_as(
            "SELECT count(*), min(finished_at_ms) FROM runs \
             WHERE trigger <> 'plan' AND is_good = 0 AND outcome <> 'interrupted' AND finished_at_ms > ? \
             AND finished_at_ms <= ?",
        )
        .bind(since_ms.unwrap_or(i64::MIN))
        .bind(latest_ms)
        .fetch_one(&self.reader)
        .await
        .doing("counting runs that were not good")?;
        Ok((counted(count), first_ms))
    }

    /// Forgets the reports of all but the newest runs, so that the history does not grow for ever.
    pub async fn trim_runs(&self, keep: u32) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE runs SET report = NULL WHERE report IS NOT NULL AND run_id <= \
             (SELECT max(run_id) FROM runs) - ?",
        )
        .bind(keep)
        .execute(self.writer()?)
        .await
        .done("trimming the run history")
    }
}
