//! What is held: each reason once, since when, and under which digests it was shown.

use rosterd_core::exam_plan::HoldWord;
use rosterd_core::exam_plan::{HeldOperation, Hold};
use rosterd_core::failure::Service;
use rosterd_core::roster::StudentId;
use sqlx::{Sqlite, Transaction};

use super::error::{Doing, Written};
use super::keys::stored;
use super::{StateStore, StoreError, held_masses};

/// In milliseconds. What has not been held for so long is forgotten, with the digests that named it.
const HOLDS_KEPT_MS: i64 = 30 * 24 * 60 * 60 * 1000;

const DOING: &str = "remembering what is held";

/// A service that a run or a plan was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlannedService {
    pub service: Service,
    /// Whether both sides were read completely: only then is what is not held wanted no more.
    pub is_complete: bool,
}

/// One hold that stands, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingHold {
    pub service: Service,
    /// The word of the reason.
    pub reason: String,
    /// For a hold about single people: what an approval has to name.
    pub word: Option<HoldWord>,
    pub message: String,
    pub count: Option<i64>,
    pub limit: Option<i64>,
    /// How many operations are held for it.
    pub operations: i64,
    pub since_ms: i64,
    pub digest: String,
    /// Until when all of it may go ahead, because somebody approved it since.
    pub approved_until_ms: Option<i64>,
    /// How many of the operations may go ahead so.
    pub approved_operations: i64,
}

#[derive(sqlx::FromRow)]
struct HoldRow {
    hold_digest: String,
    service: String,
    reason: String,
    is_named: bool,
    message: String,
    count: Option<i64>,
    limit_count: Option<i64>,
    operations: i64,
    since_ms: i64,
    approved_until_ms: Option<i64>,
    approved_operations: i64,
}

impl TryFrom<HoldRow> for StandingHold {
    type Error = StoreError;

    fn try_from(row: HoldRow) -> Result<Self, StoreError> {
        let HoldRow { hold_digest, reason, message, count, limit_count, operations, since_ms, .. } = row;
        let (approved_until_ms, approved_operations) = (row.approved_until_ms, row.approved_operations);
        let what = "has an unknown service";
        let bad = || StoreError::Row { table: "holds", key: hold_digest.clone(), what };
        Ok(Self {
            service: Service::parse(&row.service).ok_or_else(bad)?,
            word: if row.is_named { HoldWord::parse(&reason) } else { None },
            reason,
            message,
            count,
            limit: limit_count,
            operations,
            since_ms,
            digest: hold_digest,
            approved_until_ms,
            approved_operations,
        })
    }
}

impl StateStore {
    /// Remembers what the newest run or plan holds of these services, and that a report shows it under these digests.
    /// What it no longer holds stands no longer. Says since when each is held.
    pub async fn remember_holds(
        &self,
        services: &[PlannedService],
        holds: &[Hold],
        shown_under: &[&str],
        now_ms: i64,
    ) -> Result<Vec<i64>, StoreError> {
        let mut transaction = self.begin().await?;
        let mut since = Vec::new();
        for hold in holds {
            since.push(held_since(&mut transaction, hold).await?.unwrap_or(now_ms));
        }
        let names: Vec<&str> = services.iter().map(|planned| planned.service.as_str()).collect();
        sqlx::query("UPDATE holds SET is_standing = 0 WHERE service IN (SELECT value FROM json_each(?))")
            .bind(serde_json::json!(names).to_string())
            .execute(&mut *transaction)
            .await
            .done(DOING)?;
        for (hold, since_ms) in holds.iter().zip(&since) {
            write(&mut transaction, hold, (*since_ms, now_ms)).await?;
            let digest = hold.digest();
            for shown in shown_under.iter().copied().chain([digest.as_str()]) {
                show(&mut transaction, (shown, &digest), now_ms).await?;
            }
        }
        forget(&mut transaction, now_ms.saturating_sub(HOLDS_KEPT_MS)).await?;
        held_masses::remember(&mut transaction, holds, now_ms).await?;
        for planned in services.iter().filter(|planned| planned.is_complete) {
            held_masses::forget(&mut transaction, planned.service, now_ms).await?;
        }
        transaction.commit().await.doing(DOING)?;
        Ok(since)
    }

    /// What the newest run or plan holds of one student.
    pub async fn holds_of(&self, student: &StudentId, now_ms: i64) -> Result<Vec<StudentHold>, StoreError> {
        sqlx::query_as(
            "SELECT o.service, o.kind, o.class_code, h.message, h.since_ms, h.hold_digest, \
             a.until_ms AS approved_until_ms \
             FROM held_operations AS o JOIN holds AS h ON h.hold_digest = o.hold_digest \
             LEFT JOIN approvals AS a ON a.service = o.service AND a.kind = o.kind AND a.student_id = o.student_id \
             AND a.class_code = o.class_code AND a.want = o.want AND a.until_ms > ?2 \
             AND a.word = CASE WHEN h.is_named THEN h.reason ELSE '' END AND a.about = o.about \
             WHERE h.is_standing = 1 AND o.student_id = ?1 ORDER BY h.since_ms, o.service DESC, o.kind, o.class_code",
        )
        .bind(student.as_str())
        .bind(now_ms)
        .fetch_all(&self.reader)
        .await
        .doing("reading what is held of a student")
    }

    /// What stands, the oldest first, with what was approved of it since.
    pub async fn standing_holds(&self, now_ms: i64) -> Result<Vec<StandingHold>, StoreError> {
        let rows: Vec<HoldRow> = sqlx::query_as(
            "SELECT h.hold_digest, h.service, h.reason, h.is_named, h.message, h.count, h.limit_count, h.since_ms, \
             count(o.hold_digest) AS operations, count(a.until_ms) AS approved_operations, \
             CASE WHEN count(a.until_ms) = count(*) THEN min(a.until_ms) END AS approved_until_ms \
             FROM holds AS h LEFT JOIN held_operations AS o ON o.hold_digest = h.hold_digest \
             LEFT JOIN approvals AS a ON a.service = o.service AND a.kind = o.kind AND a.student_id = o.student_id \
             AND a.class_code = o.class_code AND a.want = o.want AND a.until_ms > ?1 \
             AND a.word = CASE WHEN h.is_named THEN h.reason ELSE '' END AND a.about = o.about \
             WHERE h.is_standing = 1 GROUP BY h.hold_digest \
             ORDER BY h.since_ms, h.service DESC, h.reason, h.hold_digest",
        )
        .bind(now_ms)
        .fetch_all(&self.reader)
        .await
        .doing("reading what is held")?;
        rows.into_iter().map(TryInto::try_into).collect()
    }
}

/// One operation of a student that is held.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct StudentHold {
    pub service: String,
    pub kind: String,
    /// For ClassIn the class, otherwise empty.
    pub class_code: String,
    pub message: String,
    pub since_ms: i64,
    #[sqlx(rename = "hold_digest")]
    pub digest: String,
    /// Until when it may go ahead, because somebody approved it since.
    pub approved_until_ms: Option<i64>,
}

/// Since when the same is held: by the digest, or for the same reason any of the same operations.
async fn held_since(
    transaction: &mut Transaction<'_, Sqlite>,
    hold: &Hold,
) -> Result<Option<i64>, StoreError> {
    let operations: Vec<(&str, &str, &str, i64)> = hold.operations.iter().map(row).collect();
    sqlx::query_scalar(
        "SELECT min(h.since_ms) FROM holds AS h WHERE h.is_standing = 1 AND h.service = ?1 AND h.reason = ?2 \
         AND (h.hold_digest = ?3 OR EXISTS (SELECT 1 FROM json_each(?4) AS it JOIN held_operations AS o \
         ON o.hold_digest = h.hold_digest AND o.service = ?1 AND o.kind = it.value ->> 0 \
         AND o.student_id = it.value ->> 1 AND o.class_code = it.value ->> 2 AND o.want = it.value ->> 3))",
    )
    .bind(hold.service.as_str())
    .bind(hold.reason)
    .bind(hold.digest())
    .bind(serde_json::json!(operations).to_string())
    .fetch_one(&mut **transaction)
    .await
    .doing(DOING)
}

fn row(operation: &HeldOperation) -> (&str, &str, &str, i64) {
    let HeldOperation { key, desired_hash, of_leaver: _, named: _ } = operation;
    (key.kind.as_str(), key.student.as_str(), &key.class_key, stored(*desired_hash))
}

/// Its operations are written once: a digest stands for the same ones for ever.
async fn write(
    transaction: &mut Transaction<'_, Sqlite>,
    hold: &Hold,
    (since_ms, now_ms): (i64, i64),
) -> Result<(), StoreError> {
    let digest = hold.digest();
    let number = |figure: Option<u64>| figure.and_then(|figure| i64::try_from(figure).ok());
    sqlx::query(
        "INSERT INTO holds (hold_digest, service, reason, is_named, message, count, limit_count, since_ms, \
         held_at_ms, is_standing) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1) \
         ON CONFLICT (hold_digest) DO UPDATE SET message = excluded.message, count = excluded.count, \
         limit_count = excluded.limit_count, since_ms = excluded.since_ms, held_at_ms = excluded.held_at_ms, \
         is_standing = 1",
    )
    .bind(&digest)
    .bind(hold.service.as_str())
    .bind(hold.reason)
    .bind(hold.word.is_some())
    .bind(&hold.message)
    .bind(number(hold.count))
    .bind(number(hold.limit))
    .bind(since_ms)
    .bind(now_ms)
    .execute(&mut **transaction)
    .await
    .done(DOING)?;
    let operations: Vec<(&str, &str, &str, i64, bool, i64)> = hold
        .operations
        .iter()
        .map(|operation| {
            let (kind, student, class, want) = row(operation);
            let about = operation.named.map_or(0, |named| stored(named.about));
            (kind, student, class, want, operation.of_leaver, about)
        })
        .collect();
    sqlx::query(
        "INSERT OR IGNORE INTO held_operations \
         (hold_digest, service, kind, student_id, class_code, want, of_leaver, about) \
         SELECT ?, ?, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 FROM json_each(?)",
    )
    .bind(&digest)
    .bind(hold.service.as_str())
    .bind(serde_json::json!(operations).to_string())
    .execute(&mut **transaction)
    .await
    .done(DOING)
}

async fn show(
    transaction: &mut Transaction<'_, Sqlite>,
    (shown, hold): (&str, &str),
    now_ms: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO hold_digests (digest, hold_digest, shown_at_ms) VALUES (?, ?, ?) \
         ON CONFLICT DO UPDATE SET shown_at_ms = excluded.shown_at_ms",
    )
    .bind(shown)
    .bind(hold)
    .bind(now_ms)
    .execute(&mut **transaction)
    .await
    .done(DOING)
}

async fn forget(transaction: &mut Transaction<'_, Sqlite>, before_ms: i64) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM hold_digests WHERE shown_at_ms < ?")
        .bind(before_ms)
        .execute(&mut **transaction)
        .await
        .done(DOING)?;
    sqlx::query("DELETE FROM holds WHERE held_at_ms < ? AND is_standing = 0")
        .bind(before_ms)
        .execute(&mut **transaction)
        .await
        .done(DOING)?;
    sqlx::query("DELETE FROM held_operations WHERE hold_digest NOT IN (SELECT hold_digest FROM holds)")
        .execute(&mut **transaction)
        .await
        .done(DOING)
}
