//! Contacts and accounts that a person said to be right for a student, although too many share them.

use std::collections::HashSet;

use rosterd_core::exam_plan::Fingerprint;
use rosterd_core::roster::StudentId;

use super::error::{Doing, Written};
use super::keys::{fingerprint, stored};
use super::{StateStore, StoreError};

impl StateStore {
    /// By which student, and what the hold was about.
    pub async fn accepted_contacts(&self) -> Result<HashSet<(StudentId, Fingerprint)>, StoreError> {
        let rows: Vec<(String, i64)> =
            sqlx::query_as("SELECT student_id, about FROM accepted_contacts ORDER BY student_id, about")
                .fetch_all(&self.reader)
                .await
                .doing("reading accepted contacts")?;
        Ok(rows.into_iter().map(|(student, about)| (StudentId::new(student), fingerprint(about))).collect())
    }

    /// Remembers these: an approval ends, and what it said of a contact stays true.
    pub async fn accept_contacts(
        &self,
        accepted: &[(StudentId, Fingerprint)],
        now_ms: i64,
    ) -> Result<(), StoreError> {
        if accepted.is_empty() {
            return Ok(());
        }
        let rows: Vec<(&str, i64)> =
            accepted.iter().map(|(student, about)| (student.as_str(), stored(*about))).collect();
        sqlx::query(
            "INSERT OR IGNORE INTO accepted_contacts (student_id, about, at_ms) \
             SELECT value ->> 0, value ->> 1, ? FROM json_each(?)",
        )
        .bind(now_ms)
        .bind(serde_json::json!(rows).to_string())
        .execute(self.writer()?)
        .await
        .done("remembering accepted contacts")
    }
}
