//! The progress of passes over the service's results.

use sqlx::{Sqlite, Transaction};

use super::error::{Doing, Written, counted};
use super::keys::stored;
use super::{StateStore, StoreError};
use rosterd_core::exam_plan::Fingerprint;
use rosterd_core::roster::{Attempt, AttemptKey, ExamId, Sid};

/// The number of finished passes kept.
const KEPT_PASSES: i64 = 1000;

/// An attempt that was read last: the next page must show one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    pub key: AttemptKey,
    /// The id in its link, which tells attempts of one second apart.
    pub tid: Option<String>,
}

impl Anchor {
    #[must_use]
    pub fn of(attempt: &Attempt) -> Self {
        Self { key: attempt.key.clone(), tid: attempt.tid.clone() }
    }
}

/// As it is stored; the tid is absent in those of earlier versions.
#[derive(serde::Serialize, serde::Deserialize)]
struct StoredAnchor(i64, i64, i64, String, #[serde(default)] Option<String>);

/// A pass over the service's results that is under way, from the head of the list down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultsPass {
    pub id: i64,
    /// Whether it reads to the end, or only up to known results.
    pub is_full: bool,
    /// The start of the next page.
    pub next_start: u64,
    /// The last attempts that were read, the deepest last; none before the first page.
    pub anchors: Vec<Anchor>,
    /// The number of results according to the first page.
    pub first_total: Option<u64>,
    /// The number according to the last page.
    pub last_total: u64,
    /// The number of results passed.
    pub seen: u64,
    /// The number of new ones among them.
    pub fresh: u64,
}

/// A row of the service's list that is told of once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OddRow {
    /// It cannot be read.
    Unreadable,
    /// It shows an attempt that another row of its page shows too.
    Twin,
}

impl OddRow {
    fn is_twin(self) -> bool {
        match self {
            Self::Unreadable => false,
            Self::Twin => true,
        }
    }
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

#[derive(sqlx::FromRow)]
struct PassRow {
    pass_id: i64,
    is_full: bool,
    next_start: i64,
    anchors: String,
    first_total: Option<i64>,
    last_total: i64,
    seen: i64,
    fresh: i64,
}

impl TryFrom<PassRow> for ResultsPass {
    type Error = StoreError;

    fn try_from(row: PassRow) -> Result<Self, StoreError> {
        let anchors: Vec<StoredAnchor> = serde_json::from_str(&row.anchors).map_err(|_| {
            let what = "has unreadable anchors";
            StoreError::Row { table: "result_passes", key: row.pass_id.to_string(), what }
        })?;
        let anchor = |StoredAnchor(exam, sid, started_at_ms, untimed, tid)| {
            let (exam, sid) = (ExamId(exam), Sid(sid));
            Anchor { key: AttemptKey { exam, sid, started_at_ms, untimed }, tid }
        };
        Ok(Self {
            id: row.pass_id,
            is_full: row.is_full,
            next_start: counted(row.next_start),
            anchors: anchors.into_iter().map(anchor).collect(),
            first_total: row.first_total.map(counted),
            last_total: counted(row.last_total),
            seen: counted(row.seen),
            fresh: counted(row.fresh),
        })
    }
}

/// Writes down how far a pass is, inside the caller's transaction.
pub(super) async fn update(
    transaction: &mut Transaction<'_, Sqlite>,
    pass: &ResultsPass,
) -> Result<(), StoreError> {
    let ResultsPass { id, is_full: _, next_start, anchors, first_total, last_total, seen, fresh } = pass;
    let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let anchor = |Anchor { key, tid }: &Anchor| {
        let AttemptKey { exam, sid, started_at_ms, untimed } = key;
        StoredAnchor(exam.0, sid.0, *started_at_ms, untimed.clone(), tid.clone())
    };
    let anchors: Vec<StoredAnchor> = anchors.iter().map(anchor).collect();
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
    .done("writing down how far a pull is")
}

impl StateStore {
    /// The pass that was cut off, where there is one.
    pub async fn open_results_pass(&self) -> Result<Option<ResultsPass>, StoreError> {
        let row: Option<PassRow> = sqlx::query_as(
            "SELECT pass_id, is_full, next_start, anchors, first_total, last_total, seen, fresh \
             FROM result_passes WHERE finished_at_ms IS NULL",
        )
        .fetch_optional(self.writer()?)
        .await
        .doing("reading how far a pull is")?;
        row.map(TryInto::try_into).transpose()
    }

    /// The newest finished pass.
    pub async fn last_results_pass(&self) -> Result<Option<FinishedPass>, StoreError> {
        let row: Option<(i64, bool, Option<i64>)> = sqlx::query_as(
            "SELECT finished_at_ms, coalesce(is_certain, 0), surplus FROM result_passes \
             WHERE finished_at_ms IS NOT NULL ORDER BY pass_id DESC LIMIT 1",
        )
        .fetch_optional(self.writer()?)
        .await
        .doing("reading how the last pull ended")?;
        let finished = |(at_ms, is_certain, surplus): (i64, bool, Option<i64>)| FinishedPass {
            at_ms,
            is_certain,
            surplus: surplus.unwrap_or(0),
        };
        Ok(row.map(finished))
    }

    /// When the newest full pass ended that adds up, in milliseconds since 1970 UTC.
    pub async fn last_full_results_pass_ms(&self) -> Result<Option<i64>, StoreError> {
        sqlx::query_scalar(
            "SELECT max(finished_at_ms) FROM result_passes WHERE is_full = 1 AND is_certain = 1",
        )
        .fetch_one(self.writer()?)
        .await
        .doing("finding the last full pull")
    }

    /// Begins a pass at the head of the list.
    ///
    /// # Errors
    /// When the database cannot be written, or a pass is open.
    pub async fn begin_results_pass(&self, is_full: bool, now_ms: i64) -> Result<ResultsPass, StoreError> {
        let mut transaction = self.begin().await?;
        let id = sqlx::query_scalar(
            "INSERT INTO result_passes (is_full, started_at_ms) VALUES (?, ?) RETURNING pass_id",
        )
        .bind(is_full)
        .bind(now_ms)
        .fetch_one(&mut *transaction)
        .await
        .doing("beginning a pull")?;
        transaction.commit().await.doing("beginning a pull")?;
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

    /// The pass failed at its next page; says how often it has by now.
    pub async fn note_failed_page(&self, pass: &ResultsPass) -> Result<i64, StoreError> {
        let doing = "noting that a page failed";
        let mut transaction = self.begin().await?;
        let failures = sqlx::query_scalar(
            "UPDATE result_passes SET failures = iif(failed_at IS next_start, failures + 1, 1), failed_at = next_start \
             WHERE pass_id = ? RETURNING failures",
        )
        .bind(pass.id)
        .fetch_one(&mut *transaction)
        .await
        .doing(doing)?;
        transaction.commit().await.doing(doing)?;
        Ok(failures)
    }

    /// Takes in odd rows of one kind, by their hashes and where they were met; says of each whether it has been met before.
    pub async fn take_odd_rows(
        &self,
        pass: &ResultsPass,
        kind: OddRow,
        rows: &[(Fingerprint, u64)],
        now_ms: i64,
    ) -> Result<Vec<bool>, StoreError> {
        let doing = "noting results that are odd";
        let mut known = Vec::with_capacity(rows.len());
        if rows.is_empty() {
            return Ok(known);
        }
        let mut transaction = self.begin().await?;
        for (row, position) in rows {
            let again = sqlx::query("UPDATE unreadable_results SET last_pass = ? WHERE row_hash = ?")
                .bind(pass.id)
                .bind(stored(*row))
                .execute(&mut *transaction)
                .await
                .doing(doing)?;
            let is_known = again.rows_affected() > 0;
            if !is_known {
                sqlx::query(
                    "INSERT INTO unreadable_results (row_hash, first_seen_at_ms, last_pass, is_twin, is_told, met_at) \
                     VALUES (?, ?, ?, ?, 0, ?)",
                )
                .bind(stored(*row))
                .bind(now_ms)
                .bind(pass.id)
                .bind(kind.is_twin())
                .bind(i64::try_from(*position).unwrap_or(i64::MAX))
                .execute(&mut *transaction)
                .await
                .doing(doing)?;
            }
            known.push(is_known);
        }
        transaction.commit().await.doing(doing)?;
        Ok(known)
    }

    /// Where odd rows of one kind were met of which no pull has told: one that met them was killed.
    pub async fn untold_odd_rows(&self, kind: OddRow) -> Result<Vec<u64>, StoreError> {
        let rows: Vec<i64> = sqlx::query_scalar(
            "SELECT coalesce(met_at, 0) FROM unreadable_results WHERE is_told = 0 AND is_twin = ? ORDER BY met_at, row_hash",
        )
        .bind(kind.is_twin())
        .fetch_all(self.writer()?)
        .await
        .doing("reading which odd results nobody was told of")?;
        Ok(rows.into_iter().map(counted).collect())
    }

    /// A pull has come to its end, and its report tells of every odd row.
    pub async fn odd_rows_are_told(&self) -> Result<(), StoreError> {
        sqlx::query("UPDATE unreadable_results SET is_told = 1 WHERE is_told = 0")
            .execute(self.writer()?)
            .await
            .done("noting that odd results were told")
    }

    /// Whether all of these odd rows have been met before.
    pub async fn knows_odd_rows(&self, rows: &[Fingerprint]) -> Result<bool, StoreError> {
        let hashes: Vec<i64> = rows.iter().map(|row| stored(*row)).collect();
        sqlx::query_scalar(
            "SELECT NOT EXISTS (SELECT 1 FROM json_each(?) WHERE value NOT IN (SELECT row_hash FROM unreadable_results))",
        )
        .bind(serde_json::json!(hashes).to_string())
        .fetch_one(&self.reader)
        .await
        .doing("reading which results are odd")
    }

    /// How many rows of the service's list are odd in this way, and since when the first of them.
    pub async fn odd_rows(&self, kind: OddRow) -> Result<(u64, Option<i64>), StoreError> {
        let (count, since_ms): (i64, Option<i64>) = sqlx::query_as(
            "SELECT count(*), min(first_seen_at_ms) FROM unreadable_results WHERE is_twin = ?",
        )
        .bind(kind.is_twin())
        .fetch_one(&self.reader)
        .await
        .doing("counting results that are odd")?;
        Ok((counted(count), since_ms))
    }

    /// Closes a pass: `Some(surplus)` where what it read adds up. Old ones are forgotten, but never the newest
    /// full one that adds up.
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
        .doing("closing a pull")?;
        if pass.is_full && surplus.is_some() {
            sqlx::query("DELETE FROM unreadable_results WHERE last_pass < ?")
                .bind(pass.id)
                .execute(&mut *transaction)
                .await
                .doing("closing a pull")?;
        }
        sqlx::query(
            "DELETE FROM result_passes WHERE pass_id <= ?1 - ?2 AND pass_id <> \
             (SELECT coalesce(max(pass_id), 0) FROM result_passes WHERE is_full = 1 AND is_certain = 1)",
        )
        .bind(pass.id)
        .bind(KEPT_PASSES)
        .execute(&mut *transaction)
        .await
        .doing("trimming the history of pulls")?;
        transaction.commit().await.doing("closing a pull")
    }
}
