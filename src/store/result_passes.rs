//! The progress of passes over the service's results.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use sqlx::{Sqlite, Transaction};

use super::{StateStore, StoreError};
use rosterd_core::roster::{AttemptKey, ExamId, Sid};

/// The number of finished passes kept.
const KEPT_PASSES: i64 = 1000;

/// A pass over the service's results that is under way, from the head of the list down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultsPass {
    /// Its number.
    pub id: i64,
    /// Whether it reads to the end, or only up to known results.
    pub is_full: bool,
    /// The start of the next page.
    pub next_start: u64,
    /// The last attempts that were read, the deepest last; none before the first page.
    pub anchors: Vec<AttemptKey>,
    /// The number of results according to the first page.
    pub first_total: Option<u64>,
    /// The number according to the last page.
    pub last_total: u64,
    /// The number of results passed.
    pub seen: u64,
    /// The number of new ones among them.
    pub fresh: u64,
}

/// The newest pass that was finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FinishedPass {
    /// When, in milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// Whether what it read adds up.
    pub is_certain: bool,
    /// By how many our results were more than the service's; negative where two of its attempts are one to us.
    pub surplus: i64,
}

fn pass(row: &SqliteRow) -> Result<ResultsPass, StoreError> {
    let read = || -> Result<_, sqlx::Error> {
        let count = |number: i64| u64::try_from(number).unwrap_or(0);
        let anchors: String = row.try_get("anchors")?;
        Ok((
            ResultsPass {
                id: row.try_get("pass_id")?,
                is_full: row.try_get("is_full")?,
                next_start: count(row.try_get("next_start")?),
                anchors: Vec::new(),
                first_total: row.try_get::<Option<i64>, _>("first_total")?.map(count),
                last_total: count(row.try_get("last_total")?),
                seen: count(row.try_get("seen")?),
                fresh: count(row.try_get("fresh")?),
            },
            anchors,
        ))
    };
    let (mut pass, anchors) = read().map_err(StoreError::query("reading how far a pull is"))?;
    let anchors: Vec<(i64, i64, i64, String)> = serde_json::from_str(&anchors).map_err(|_| {
        StoreError::Row { table: "result_passes", key: pass.id.to_string(), what: "has unreadable anchors" }
    })?;
    pass.anchors = anchors
        .into_iter()
        .map(|(exam, sid, started_at_ms, untimed)| AttemptKey {
            exam: ExamId(exam),
            sid: Sid(sid),
            started_at_ms,
            untimed,
        })
        .collect();
    Ok(pass)
}

/// Writes down how far a pass is, inside the caller's transaction.
pub(super) async fn update(
    transaction: &mut Transaction<'_, Sqlite>,
    pass: &ResultsPass,
) -> Result<(), StoreError> {
    let ResultsPass { id, is_full: _, next_start, anchors, first_total, last_total, seen, fresh } = pass;
    let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let anchors: Vec<(i64, i64, i64, &str)> =
        anchors.iter().map(|key| (key.exam.0, key.sid.0, key.started_at_ms, key.untimed.as_str())).collect();
    sqlx::query(
        "UPDATE result_passes SET next_start = ?, anchors = ?, first_total = ?, last_total = ?, seen = ?, \
         fresh = ? WHERE pass_id = ?",
    )
    .bind(count(*next_start))
    .bind(serde_json::json!(anchors).to_string())
    .bind(first_total.map(count))
    .bind(count(*last_total))
    .bind(count(*seen))
    .bind(count(*fresh))
    .bind(*id)
    .execute(&mut **transaction)
    .await
    .map(drop)
    .map_err(StoreError::query("writing down how far a pull is"))
}

impl StateStore {
    /// The pass that was cut off, where there is one.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn open_results_pass(&self) -> Result<Option<ResultsPass>, StoreError> {
        let row = sqlx::query(
            "SELECT pass_id, is_full, next_start, anchors, first_total, last_total, seen, fresh \
             FROM result_passes WHERE finished_at_ms IS NULL",
        )
        .fetch_optional(&self.writer)
        .await
        .map_err(StoreError::query("reading how far a pull is"))?;
        row.as_ref().map(pass).transpose()
    }

    /// The newest finished pass.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn last_results_pass(&self) -> Result<Option<FinishedPass>, StoreError> {
        let row: Option<(i64, bool, Option<i64>)> = sqlx::query_as(
            "SELECT finished_at_ms, coalesce(is_certain, 0), surplus FROM result_passes \
             WHERE finished_at_ms IS NOT NULL ORDER BY pass_id DESC LIMIT 1",
        )
        .fetch_optional(&self.writer)
        .await
        .map_err(StoreError::query("reading how the last pull ended"))?;
        let finished = |(at_ms, is_certain, surplus): (i64, bool, Option<i64>)| FinishedPass {
            at_ms,
            is_certain,
            surplus: surplus.unwrap_or(0),
        };
        Ok(row.map(finished))
    }

    /// When the newest full pass ended that adds up, in milliseconds since 1970 UTC.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn last_full_results_pass_ms(&self) -> Result<Option<i64>, StoreError> {
        sqlx::query_scalar(
            "SELECT max(finished_at_ms) FROM result_passes WHERE is_full = 1 AND is_certain = 1",
        )
        .fetch_one(&self.writer)
        .await
        .map_err(StoreError::query("finding the last full pull"))
    }

    /// Begins a pass at the head of the list.
    ///
    /// # Errors
    /// When the database cannot be written, or a pass is open.
    pub async fn begin_results_pass(&self, is_full: bool, now_ms: i64) -> Result<ResultsPass, StoreError> {
        let id = sqlx::query_scalar(
            "INSERT INTO result_passes (is_full, started_at_ms) VALUES (?, ?) RETURNING pass_id",
        )
        .bind(is_full)
        .bind(now_ms)
        .fetch_one(&self.writer)
        .await
        .map_err(StoreError::query("beginning a pull"))?;
        Ok(ResultsPass {
            id,
            is_full,
            next_start: 0,
            anchors: Vec::new(),
            first_total: None,
            last_total: 0,
            seen: 0,
            fresh: 0,
        })
    }

    /// Closes a pass: `Some(surplus)` where what it read adds up. Old ones are forgotten, but never the newest
    /// full one that adds up.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn finish_results_pass(
        &self,
        pass: &ResultsPass,
        surplus: Option<i64>,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(
            "UPDATE result_passes SET finished_at_ms = ?, is_certain = ?, surplus = ? WHERE pass_id = ?",
        )
        .bind(now_ms)
        .bind(surplus.is_some())
        .bind(surplus)
        .bind(pass.id)
        .execute(&mut *transaction)
        .await
        .map_err(StoreError::query("closing a pull"))?;
        sqlx::query(
            "DELETE FROM result_passes WHERE pass_id <= ?1 - ?2 AND pass_id <> \
             (SELECT coalesce(max(pass_id), 0) FROM result_passes WHERE is_full = 1 AND is_certain = 1)",
        )
        .bind(pass.id)
        .bind(KEPT_PASSES)
        .execute(&mut *transaction)
        .await
        .map_err(StoreError::query("trimming the history of pulls"))?;
        transaction.commit().await.map_err(StoreError::query("closing a pull"))
    }
}
