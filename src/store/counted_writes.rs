//! Writes that the guard's limits count: noted with their intent, taken back when they are known not to have happened.

use std::collections::HashSet;

use sqlx::{AssertSqlSafe, Sqlite, Transaction};

use super::enrolments::{stored_class, target};
use super::error::{Doing, Written};
use super::keys::keys;
use super::{StateStore, StoreError};
use rosterd_core::exam_plan::{CountedWrite, Origin, RecentContacts, RecentWrites};
use rosterd_core::failure::{OperationKey, Service};
use rosterd_core::roster::{ClassTarget, ClassinUid, Gid, RunId, StudentId};

/// In milliseconds. Limits look back a day; what is older is kept for a while, for a person to look at.
const KEPT_MS: i64 = 30 * 24 * 60 * 60 * 1000;

const DOING: &str = "counting a write";

/// Of these operations; of one in ClassIn, in that class.
const OF_THESE: &str = "(service, operation, student_id) IN \
     (SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?1)) \
     AND (service <> 'classin' OR (operation, student_id, place) IN \
     (SELECT value ->> 1, value ->> 2, value ->> 3 FROM json_each(?1)))";

/// One write that a limit counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotedWrite {
    pub key: OperationKey,
    /// What it counts as.
    pub kind: &'static str,
    /// The group that is left, or ClassIn's class; empty where no limit asks which.
    pub place: String,
    /// Whether a person approved it: then no limit counts it.
    pub is_approved: bool,
}

/// What somebody counts as who leaves a group, beside what the operation counts as. Its place is the group.
pub const LEFT: &str = "left";

/// What somebody counts as who is put into a group. Its place is the group.
pub const JOINED: &str = "joined";

/// What somebody counts as who is entered because a person said so.
pub const ENTERED: &str = "entered";

/// What a removal from a class of ClassIn counts as. Its place is the class.
pub const REMOVAL: &str = "removal";

/// What a name that is written in ClassIn counts as.
pub const NAME: &str = "name";

/// What asking for an account by another contact than before counts as.
pub const CONTACT: &str = "contact";

/// Somebody who was written for since a moment.
#[derive(sqlx::FromRow)]
struct RecentRow {
    kind: String,
    student_id: String,
    place: String,
    approved: bool,
}

impl StateStore {
    /// Who was written for on the exam side since a moment, for the guard to look back on: whom nobody approved, and
    /// every leaver whose delete was sent.
    pub async fn recent_exam_writes(&self, since_ms: i64) -> Result<RecentWrites, StoreError> {
        let mut recent = RecentWrites::default();
        for student in self.lost_deletes().await? {
            recent.record_sent_dismissal(student);
        }
        for row in self.recent(Service::Exam, since_ms).await? {
            let RecentRow { kind, student_id, place, approved } = row;
            let student = StudentId::new(student_id);
            let write = CountedWrite::parse(&kind);
            if write == Some(CountedWrite::Dismissal) {
                recent.record_sent_dismissal(student.clone());
            }
            if let (true, Ok(gid)) = (kind == JOINED, place.parse()) {
                recent.record_joined(Gid(gid), student);
                continue;
            }
            match (write, place.parse()) {
                _ if approved => {}
                (Some(write), _) => recent.record(write, student),
                (None, Ok(gid)) if kind == LEFT => recent.record_left(Gid(gid), student),
                (None, _) => {}
            }
        }
        Ok(recent)
    }

    /// How many candidates were entered since a moment, by the groups that they are in.
    pub async fn added_to_groups(&self, since_ms: i64) -> Result<Vec<(Gid, u64)>, StoreError> {
        let rows: Vec<(i64, i64)> = sqlx::query_as(
            "SELECT value, count(*) FROM links, json_each(links.gids) \
             WHERE linked_at_ms > ? AND origin = 'added' AND gids IS NOT NULL GROUP BY value ORDER BY value",
        )
        .bind(since_ms)
        .fetch_all(&self.reader)
        .await
        .doing("reading who was added lately")?;
        Ok(rows.into_iter().map(|(gid, people)| (Gid(gid), people.unsigned_abs())).collect())
    }

    /// Which of these people were entered since a moment.
    pub async fn entered_since(
        &self,
        people: &[&StudentId],
        since_ms: i64,
    ) -> Result<Vec<StudentId>, StoreError> {
        let ids: serde_json::Value = people.iter().map(|student| student.as_str()).collect();
        let students: Vec<String> = sqlx::query_scalar(
            "SELECT student_id FROM links WHERE linked_at_ms > ? AND origin = 'added' \
             AND student_id IN (SELECT value FROM json_each(?)) ORDER BY student_id",
        )
        .bind(since_ms)
        .bind(ids.to_string())
        .fetch_all(&self.reader)
        .await
        .doing("reading who was entered lately")?;
        Ok(students.into_iter().map(StudentId::new).collect())
    }

    /// Which of these accounts came into their classes since a moment. What changed once nobody wanted them there is a removal
    /// that failed, and no coming.
    pub async fn entered_classes_since(
        &self,
        places: &[(ClassTarget, ClassinUid)],
        since_ms: i64,
    ) -> Result<HashSet<(ClassTarget, ClassinUid)>, StoreError> {
        let places: Vec<(i64, i64, i64)> =
            places.iter().map(|(target, uid)| (target.course.0, stored_class(*target), uid.0)).collect();
        let rows: Vec<(i64, i64, i64)> = sqlx::query_as(
            "SELECT course_id, class_id, uid FROM enrolments WHERE changed_at_ms > ? \
             AND (unwanted_since_ms IS NULL OR changed_at_ms < unwanted_since_ms) \
             AND (course_id, class_id, uid) IN (SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?)) \
             ORDER BY course_id, class_id, uid",
        )
        .bind(since_ms)
        .bind(serde_json::json!(places).to_string())
        .fetch_all(&self.reader)
        .await
        .doing("reading who came into classes lately")?;
        Ok(rows.into_iter().map(|(course, class, uid)| (target(course, class), ClassinUid(uid))).collect())
    }

    /// How many students came to candidates since a moment, those left out who were entered with an approval.
    pub async fn recent_contacts_there(&self, since_ms: i64) -> Result<RecentContacts, StoreError> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT origin, count(*) FROM links WHERE linked_at_ms > ?1 AND NOT EXISTS \
             (SELECT 1 FROM counted_writes AS entered WHERE entered.service = 'exam' AND entered.operation = 'add' \
             AND entered.student_id = links.student_id AND entered.kind = 'entered' AND entered.at_ms > ?1) \
             GROUP BY origin ORDER BY origin",
        )
        .bind(since_ms)
        .fetch_all(&self.reader)
        .await
        .doing("reading who came lately")?;
        let count = |origin: Origin| {
            let of_origin = rows.iter().filter(|(word, _)| Origin::parse(word) == Some(origin));
            of_origin.map(|(_, people)| people.unsigned_abs()).sum()
        };
        Ok(RecentContacts { entered: count(Origin::Added), taken_over: count(Origin::Adopted) })
    }

    /// Who was removed from which class of ClassIn since a moment without an approval.
    pub async fn recent_removals(&self, since_ms: i64) -> Result<HashSet<(StudentId, String)>, StoreError> {
        let rows = self.recent(Service::Classin, since_ms).await?.into_iter();
        let removals = rows.filter(|row| row.kind == REMOVAL && !row.approved);
        Ok(removals.map(|row| (StudentId::new(row.student_id), row.place)).collect())
    }

    /// Whose name was written in ClassIn since a moment without an approval.
    pub async fn recent_names(&self, since_ms: i64) -> Result<HashSet<StudentId>, StoreError> {
        self.recent_in_classin(NAME, since_ms).await
    }

    /// Who was asked for by another contact than before since a moment without an approval.
    pub async fn recent_contacts(&self, since_ms: i64) -> Result<HashSet<StudentId>, StoreError> {
        self.recent_in_classin(CONTACT, since_ms).await
    }

    async fn recent_in_classin(&self, kind: &str, since_ms: i64) -> Result<HashSet<StudentId>, StoreError> {
        let rows = self.recent(Service::Classin, since_ms).await?.into_iter();
        let students = rows.filter(|row| row.kind == kind && !row.approved);
        Ok(students.map(|row| StudentId::new(row.student_id)).collect())
    }

    async fn recent(&self, service: Service, since_ms: i64) -> Result<Vec<RecentRow>, StoreError> {
        sqlx::query_as(
            "SELECT DISTINCT kind, student_id, place, approved FROM counted_writes \
             WHERE service = ? AND at_ms > ? ORDER BY kind, student_id, place, approved",
        )
        .bind(service.as_str())
        .bind(since_ms)
        .fetch_all(&self.reader)
        .await
        .doing("reading recent writes")
    }

    /// Notes writes that need no call, or whose call has no intent of its own.
    pub async fn count_writes(
        &self,
        counted: &[NotedWrite],
        run: RunId,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        if counted.is_empty() {
            return Ok(());
        }
        let mut transaction = self.begin().await?;
        note(&mut transaction, counted, run, now_ms).await?;
        transaction.commit().await.doing(DOING)
    }

    /// Leavers whose delete was sent by an earlier run and never answered.
    pub async fn lost_deletes(&self) -> Result<Vec<StudentId>, StoreError> {
        let students: Vec<String> = sqlx::query_scalar(
            "SELECT student_id FROM intents WHERE service = 'exam' AND kind = 'delete' ORDER BY student_id",
        )
        .fetch_all(&self.reader)
        .await
        .doing("reading unanswered deletes")?;
        Ok(students.into_iter().map(StudentId::new).collect())
    }

    /// Leavers whose delete was sent since a moment and who are not known to have been deleted, nor not to.
    pub async fn unsettled_deletes(&self, since_ms: i64) -> Result<Vec<StudentId>, StoreError> {
        let students: Vec<String> = sqlx::query_scalar(
            "SELECT DISTINCT student_id FROM counted_writes WHERE service = 'exam' AND operation = 'delete' \
             AND kind = 'dismissal' AND is_settled = 0 AND at_ms > ? ORDER BY student_id",
        )
        .bind(since_ms)
        .fetch_all(&self.reader)
        .await
        .doing("reading deletes that are not settled")?;
        Ok(students.into_iter().map(StudentId::new).collect())
    }

    /// The newest reading shows that these did not happen: what was sent of them by a moment counts nowhere. What was sent
    /// later may not be shown yet.
    pub async fn take_back_writes(&self, undone: &[OperationKey], by_ms: i64) -> Result<(), StoreError> {
        if undone.is_empty() {
            return Ok(());
        }
        let mut transaction = self.begin().await?;
        take_back(&mut transaction, undone, SentBy::Moment(by_ms)).await?;
        transaction.commit().await.doing(DOING)
    }
}

/// Which sendings of an operation are known not to have happened.
#[derive(Clone, Copy)]
pub(super) enum SentBy {
    /// Those of one run.
    Run(RunId),
    /// Those until this moment.
    Moment(i64),
}

/// Notes what is about to be written, inside the caller's transaction.
pub(super) async fn note(
    transaction: &mut Transaction<'_, Sqlite>,
    counted: &[NotedWrite],
    run: RunId,
    now_ms: i64,
) -> Result<(), StoreError> {
    if counted.is_empty() {
        return Ok(());
    }
    let row = |it: &NotedWrite| {
        let NotedWrite { key, kind, place, is_approved } = it;
        let (service, operation) = (key.service().as_str(), key.kind.as_str());
        serde_json::json!([service, operation, key.student.as_str(), kind, place, is_approved])
    };
    let rows: serde_json::Value = counted.iter().map(row).collect();
    sqlx::query(
        "INSERT INTO counted_writes (service, operation, student_id, kind, place, at_ms, approved, run_id, \
         is_settled) SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, ?, value ->> 5, ?, 0 \
         FROM json_each(?) WHERE true \
         ON CONFLICT DO UPDATE SET approved = excluded.approved, run_id = excluded.run_id, is_settled = 0",
    )
    .bind(now_ms)
    .bind(run.0)
    .bind(rows.to_string())
    .execute(&mut **transaction)
    .await
    .done(DOING)?;
    sqlx::query("DELETE FROM counted_writes WHERE at_ms < ?")
        .bind(now_ms.saturating_sub(KEPT_MS))
        .execute(&mut **transaction)
        .await
        .done(DOING)
}

/// These have happened, inside the caller's transaction.
pub(super) async fn settle(
    transaction: &mut Transaction<'_, Sqlite>,
    applied: &[OperationKey],
) -> Result<(), StoreError> {
    if applied.is_empty() {
        return Ok(());
    }
    let statement = format!("UPDATE counted_writes SET is_settled = 1 WHERE is_settled = 0 AND {OF_THESE}");
    sqlx::query(AssertSqlSafe(statement)).bind(keys(applied)).execute(&mut **transaction).await.done(DOING)
}

/// These people have been taken out of these groups, whatever becomes of the other calls that their operations need, inside
/// the caller's transaction.
pub(super) async fn settle_left(
    transaction: &mut Transaction<'_, Sqlite>,
    left: &[(OperationKey, Vec<Gid>)],
) -> Result<(), StoreError> {
    if left.is_empty() {
        return Ok(());
    }
    let row = |key: &OperationKey, gid: &Gid| {
        serde_json::json!([key.service().as_str(), key.kind.as_str(), key.student.as_str(), gid.to_string()])
    };
    let rows: serde_json::Value =
        left.iter().flat_map(|(key, gids)| gids.iter().map(move |gid| row(key, gid))).collect();
    sqlx::query(
        "UPDATE counted_writes SET is_settled = 1 WHERE is_settled = 0 AND (service, operation, student_id) IN \
         (SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?1)) AND (kind <> 'left' \
         OR (student_id, place) IN (SELECT value ->> 2, value ->> 3 FROM json_each(?1)))",
    )
    .bind(rows.to_string())
    .execute(&mut **transaction)
    .await
    .done(DOING)
}

/// These sendings are known not to have happened, inside the caller's transaction.
pub(super) async fn take_back(
    transaction: &mut Transaction<'_, Sqlite>,
    undone: &[OperationKey],
    sent: SentBy,
) -> Result<(), StoreError> {
    if undone.is_empty() {
        return Ok(());
    }
    let (run, by_ms) = match sent {
        SentBy::Run(run) => (Some(run.0), None),
        SentBy::Moment(by_ms) => (None, Some(by_ms)),
    };
    let statement = format!(
        "DELETE FROM counted_writes WHERE is_settled = 0 AND {OF_THESE} AND (?2 IS NULL OR run_id = ?2) \
         AND (?3 IS NULL OR at_ms <= ?3)"
    );
    sqlx::query(AssertSqlSafe(statement))
        .bind(keys(undone))
        .bind(run)
        .bind(by_ms)
        .execute(&mut **transaction)
        .await
        .done(DOING)
}
