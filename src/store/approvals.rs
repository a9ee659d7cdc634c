//! Held operations, a person's approvals of them, and the number of recent removals of leavers.

use std::collections::HashSet;

use super::intents::{fingerprint, stored};
use super::outcomes::{OperationKey, keys};
use super::{Service, StateStore, StoreError};
use rosterd_core::exam_plan::{Approved, Fingerprint, OperationKind};
use rosterd_core::roster::StudentId;

/// In milliseconds. An older held operation was approved, changed or forgotten since, so its row is deleted.
const HELD_ROWS_KEPT_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// An operation that the guard held.
#[derive(Clone, Debug)]
pub struct HeldOperation {
    /// The service.
    pub service: Service,
    /// The kind.
    pub kind: &'static str,
    /// The student.
    pub student: StudentId,
    /// For ClassIn: the class; otherwise empty.
    pub class_code: String,
    /// The hash of the desired change.
    pub desired_hash: Fingerprint,
}

impl StateStore {
    /// Deletes (and moves of leavers) since a moment, approved ones not counted.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn recent_departures(&self, service: Service, since_ms: i64) -> Result<u64, StoreError> {
        let count: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM departures WHERE service = ? AND at_ms > ? AND approved = 0",
        )
        .bind(service.as_str())
        .bind(since_ms)
        .fetch_one(&self.reader)
        .await
        .map_err(StoreError::query("counting recent deletes"))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// Remembers what was held under a digest, so that an approval covers just that.
    ///
    /// # Errors
    /// When the database cannot be written.
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
            .map_err(StoreError::query(doing))?;
        for operation in held {
            sqlx::query(
                "INSERT INTO held_operations (digest, service, kind, student_id, class_code, want, held_at_ms) \
                 VALUES (?, ?, ?, ?, ?, ?, ?) \
                 ON CONFLICT DO UPDATE SET want = excluded.want, held_at_ms = excluded.held_at_ms",
            )
            .bind(digest)
            .bind(operation.service.as_str())
            .bind(operation.kind)
            .bind(operation.student.as_str())
            .bind(&operation.class_code)
            .bind(stored(operation.desired_hash))
            .bind(now_ms)
            .execute(&mut *transaction)
            .await
            .map_err(StoreError::query(doing))?;
        }
        transaction.commit().await.map_err(StoreError::query(doing))
    }

    /// Lets what was held under this digest go ahead until a moment. Says how many operations that are.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn approve(&self, digest: &str, until_ms: i64) -> Result<u64, StoreError> {
        sqlx::query("UPDATE held_operations SET approved_until_ms = ? WHERE digest = ?")
            .bind(until_ms)
            .bind(digest)
            .execute(&self.writer)
            .await
            .map(|done| done.rows_affected())
            .map_err(StoreError::query("approving a plan"))
    }

    /// Approvals of exam-side operations that are valid now.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn approved(&self, now_ms: i64) -> Result<Approved, StoreError> {
        let rows: Vec<(String, String, i64)> = sqlx::query_as(
            "SELECT kind, student_id, want FROM held_operations \
             WHERE service = 'exam' AND approved_until_ms > ? ORDER BY kind, student_id",
        )
        .bind(now_ms)
        .fetch_all(&self.reader)
        .await
        .map_err(StoreError::query("reading approvals"))?;
        let mut approved = Approved::default();
        for (kind, student, desired_hash) in rows {
            if let Some(kind) = OperationKind::parse(&kind) {
                approved.insert(StudentId::new(student), kind, fingerprint(desired_hash));
            }
        }
        Ok(approved)
    }

    /// Approvals of ClassIn operations that are valid now: kind, student, class and desired hash.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn approved_in_classin(
        &self,
        now_ms: i64,
    ) -> Result<HashSet<(String, String, String, u64)>, StoreError> {
        let rows: Vec<(String, String, String, i64)> = sqlx::query_as(
            "SELECT kind, student_id, class_code, want FROM held_operations \
             WHERE service = 'classin' AND approved_until_ms > ? ORDER BY kind, student_id, class_code",
        )
        .bind(now_ms)
        .fetch_all(&self.reader)
        .await
        .map_err(StoreError::query("reading approvals"))?;
        Ok(rows
            .into_iter()
            .map(|(kind, student, class, desired_hash)| (kind, student, class, fingerprint(desired_hash).0))
            .collect())
    }

    /// An approved operation that has ended needs a new approval next time.
    ///
    /// # Errors
    /// When the database cannot be written.
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
        .map(drop)
        .map_err(StoreError::query("using up approvals"))
    }
}
