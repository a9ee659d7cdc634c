//! Candidates that were deleted after their students had left: exam results stay with the old sid.

use std::collections::{HashMap, HashSet};

use futures_util::stream::TryStreamExt;
use sqlx::{Sqlite, Transaction};

use super::error::{Doing, Written};
use super::{StateStore, StoreError};
use rosterd_core::roster::{Sid, StudentId};

/// Keeps the sid of a link that is about to go, inside the caller's transaction.
pub(super) async fn keep(
    transaction: &mut Transaction<'_, Sqlite>,
    student: &StudentId,
    now_ms: i64,
) -> Result<(), StoreError> {
    let doing = "remembering a former candidate";
    sqlx::query(
        "INSERT OR REPLACE INTO former_candidates (student_id, sid, gone_at_ms) \
         SELECT student_id, sid, ? FROM links WHERE student_id = ?",
    )
    .bind(now_ms)
    .bind(student.as_str())
    .execute(&mut **transaction)
    .await
    .done(doing)
}

impl StateStore {
    /// The former candidates of these students, by sid; students without one are left out.
    pub async fn former_candidates(
        &self,
        students: &HashSet<&StudentId>,
    ) -> Result<HashMap<StudentId, Sid>, StoreError> {
        let doing = "reading former candidates";
        let mut found = HashMap::new();
        if students.is_empty() {
            return Ok(found);
        }
        let mut rows = sqlx::query_as::<_, (String, i64)>(
            "SELECT student_id, sid FROM former_candidates ORDER BY student_id",
        )
        .fetch(&self.reader);
        while let Some((student, sid)) = rows.try_next().await.doing(doing)? {
            let student = StudentId::new(student);
            if students.contains(&student) {
                found.insert(student, Sid(sid));
            }
        }
        Ok(found)
    }
}
