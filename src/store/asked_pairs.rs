//! Pairs of a leaver and a newcomer of whom a person was asked whether the two are one.

use std::collections::BTreeSet;

use super::error::{Doing, Written};
use super::{StateStore, StoreError};
use rosterd_core::roster::StudentId;

impl StateStore {
    /// The pairs whose leaver has not been carried over, dismissed or seen again.
    pub async fn asked_pairs(&self) -> Result<Vec<(StudentId, StudentId)>, StoreError> {
        let pairs: Vec<(String, String)> = sqlx::query_as(
            "SELECT leaver_id, newcomer_id FROM asked_pairs JOIN links ON student_id = leaver_id \
             WHERE gone_since_ms IS NOT NULL ORDER BY leaver_id, newcomer_id",
        )
        .fetch_all(&self.reader)
        .await
        .doing("reading who was asked about")?;
        let read = |(leaver, newcomer)| (StudentId::new(leaver), StudentId::new(newcomer));
        Ok(pairs.into_iter().map(read).collect())
    }

    /// Remembers these pairs, and forgets those whose leaver is none any more.
    pub async fn remember_asked_pairs(
        &self,
        pairs: &BTreeSet<(StudentId, StudentId)>,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let doing = "remembering who was asked about";
        let stored: Vec<(String, String)> = sqlx::query_as("SELECT leaver_id, newcomer_id FROM asked_pairs")
            .fetch_all(&self.reader)
            .await
            .doing(doing)?;
        if stored.is_empty() && pairs.is_empty() {
            return Ok(());
        }
        let rows: Vec<(&str, &str)> =
            pairs.iter().map(|(leaver, newcomer)| (leaver.as_str(), newcomer.as_str())).collect();
        let mut transaction = self.begin().await?;
        sqlx::query(
            "DELETE FROM asked_pairs WHERE leaver_id NOT IN (SELECT student_id FROM links WHERE gone_since_ms IS NOT NULL)",
        )
        .execute(&mut *transaction)
        .await
        .doing(doing)?;
        sqlx::query(
            "INSERT INTO asked_pairs (leaver_id, newcomer_id, asked_at_ms) \
             SELECT value ->> 0, value ->> 1, ? FROM json_each(?) WHERE true ON CONFLICT DO NOTHING",
        )
        .bind(now_ms)
        .bind(serde_json::json!(rows).to_string())
        .execute(&mut *transaction)
        .await
        .done(doing)?;
        transaction.commit().await.doing(doing)
    }
}
