//! Held operations, a person's approvals of them, and the number of recent removals of leavers.

use std::collections::HashSet;

use super::error::{Doing, Written, counted};
use super::keys::{fingerprint, keys, read_key, stored};
use super::{StateStore, StoreError};
use rosterd_core::exam_plan::{Approved, CountedWrite, Fingerprint, OperationKind, RecentWrites};
use rosterd_core::failure::{OperationKey, RecordedKind, Service};
use rosterd_core::roster::StudentId;

/// In milliseconds. An older held operation was approved, changed or forgotten since, so its row is deleted.
const HELD_ROWS_KEPT_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// An operation that the guard held.
#[derive(Clone, Debug)]
pub struct HeldOperation {
    pub key: OperationKey,
    /// What it wants: an approval covers nothing else.
    pub desired_hash: Fingerprint,
}

impl StateStore {
    /// Deletes (and moves of leavers) since a moment, approved ones not counted.
    pub async fn recent_departures(&self, service: Service, since_ms: i64) -> Result<u64, StoreError> {
        let count: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM departures WHERE service = ? AND at_ms > ? AND approved = 0",
        )
        .bind(service.as_str())
        .bind(since_ms)
        .fetch_one(&self.reader)
        .await
        .doing("counting recent deletes")?;
        Ok(counted(count))
    }

    /// Who was written for on the exam side since a moment, for the guard to look back on.
    pub async fn recent_exam_writes(&self, since_ms: i64) -> Result<RecentWrites, StoreError> {
        let doing = "reading recent deletes";
        let departures: Vec<(String, bool)> = sqlx::query_as(
            "SELECT student_id, approved FROM departures WHERE service = ? AND at_ms > ? ORDER BY student_id",
        )
        .bind(Service::Exam.as_str())
        .bind(since_ms)
        .fetch_all(&self.reader)
        .await
        .doing(doing)?;
        let sent: Vec<String> = sqlx::query_scalar(
            "SELECT student_id FROM intents WHERE service = ? AND kind = ? ORDER BY student_id",
        )
        .bind(Service::Exam.as_str())
        .bind(OperationKind::Delete.as_str())
        .fetch_all(&self.reader)
        .await
        .doing(doing)?;
        let mut recent = RecentWrites::default();
        for (student, is_approved) in departures {
            recent.record_sent_dismissal(StudentId::new(student.as_str()));
            if !is_approved {
                recent.record(CountedWrite::Dismissal, StudentId::new(student));
            }
        }
        sent.into_iter().for_each(|student| recent.record_sent_dismissal(StudentId::new(student)));
        Ok(recent)
    }

    /// Remembers what was held under a digest, so that an approval covers just that.
    pub async fn remember_held(
        &self,
        digest: &str,
        held: &[HeldOperation],
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let doing = "remembering what is held";
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM held_operations WHERE held_at_ms < ?")
            .bind(now_ms.saturating_sub(HELD_ROWS_KEPT_MS))
            .execute(&mut *transaction)
            .await
            .doing(doing)?;
        for operation in held {
            sqlx::query(
                "INSERT INTO held_operations (digest, service, kind, student_id, class_code, want, held_at_ms) \
                 VALUES (?, ?, ?, ?, ?, ?, ?) \
                 ON CONFLICT DO UPDATE SET want = excluded.want, held_at_ms = excluded.held_at_ms",
            )
            .bind(digest)
            .bind(operation.key.service().as_str())
            .bind(operation.key.kind.as_str())
            .bind(operation.key.student.as_str())
            .bind(&operation.key.class_key)
            .bind(stored(operation.desired_hash))
            .bind(now_ms)
            .execute(&mut *transaction)
            .await
            .doing(doing)?;
        }
        transaction.commit().await.doing(doing)
    }

    /// Lets what was held under this digest go ahead until a moment. Says how many operations that are.
    pub async fn approve(&self, digest: &str, until_ms: i64) -> Result<u64, StoreError> {
        sqlx::query("UPDATE held_operations SET approved_until_ms = ? WHERE digest = ?")
            .bind(until_ms)
            .bind(digest)
            .execute(&self.writer)
            .await
            .rows("approving a plan")
    }

    /// Approvals of exam-side operations that are valid now.
    pub async fn approved(&self, now_ms: i64) -> Result<Approved, StoreError> {
        let mut approved = Approved::default();
        for (key, desired_hash) in self.approvals(Service::Exam, now_ms).await? {
            match key.kind {
                RecordedKind::Exam(OperationKind::CreateGroup) => approved.insert_group(desired_hash),
                RecordedKind::Exam(kind) => approved.insert(key.student, kind, desired_hash),
                RecordedKind::Classin(_) => {}
            }
        }
        Ok(approved)
    }

    /// What may go ahead now on ClassIn because a person approved it, with what it wants.
    pub async fn approved_in_classin(
        &self,
        now_ms: i64,
    ) -> Result<HashSet<(OperationKey, Fingerprint)>, StoreError> {
        Ok(self.approvals(Service::Classin, now_ms).await?.into_iter().collect())
    }

    async fn approvals(
        &self,
        service: Service,
        now_ms: i64,
    ) -> Result<Vec<(OperationKey, Fingerprint)>, StoreError> {
        let rows: Vec<(String, String, String, String, i64)> = sqlx::query_as(
            "SELECT digest, kind, student_id, class_code, want FROM held_operations \
             WHERE service = ? AND approved_until_ms > ? ORDER BY kind, student_id, class_code, digest",
        )
        .bind(service.as_str())
        .bind(now_ms)
        .fetch_all(&self.reader)
        .await
        .doing("reading approvals")?;
        let approval = |(digest, kind, student, class, hash): (String, String, _, _, _)| {
            let place = ("held_operations", &digest as &dyn std::fmt::Display);
            Ok((read_key(place, (service.as_str(), &kind), student, class)?, fingerprint(hash)))
        };
        rows.into_iter().map(approval).collect()
    }

    /// An approved operation that has ended needs a new approval next time.
    pub async fn use_up_approvals(&self, ended: &[OperationKey]) -> Result<(), StoreError> {
        if ended.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "DELETE FROM held_operations WHERE (service, kind, student_id, class_code) IN \
             (SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?))",
        )
        .bind(keys(ended))
        .execute(&self.writer)
        .await
        .done("using up approvals")
    }
}
