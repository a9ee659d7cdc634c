//! Pairs of a leaver and a newcomer who may be one: of whom a person was asked, and who went missing with many others.

use std::collections::BTreeSet;

use super::error::{Doing, Written};
use super::{StateStore, StoreError};
use rosterd_core::roster::StudentId;

const DOING: &str = "remembering who was asked about";

impl StateStore {
    /// The pairs that a person was asked about, one by one, and whose leaver has not been carried over, dismissed or seen
    /// again.
    pub async fn asked_pairs(&self) -> Result<Vec<(StudentId, StudentId)>, StoreError> {
        self.open_pairs(false).await
    }

    /// The same with those who went missing together.
    pub async fn pairs_found_before(&self) -> Result<Vec<(StudentId, StudentId)>, StoreError> {
        self.open_pairs(true).await
    }

    async fn open_pairs(&self, of_mass_too: bool) -> Result<Vec<(StudentId, StudentId)>, StoreError> {
        let pairs: Vec<(String, String)> = sqlx::query_as(
            "SELECT leaver_id, newcomer_id FROM asked_pairs JOIN links ON student_id = leaver_id \
             WHERE gone_since_ms IS NOT NULL AND of_mass <= ? ORDER BY leaver_id, newcomer_id",
        )
        .bind(of_mass_too)
        .fetch_all(&self.reader)
        .await
        .doing("reading who was asked about")?;
        let read = |(leaver, newcomer)| (StudentId::new(leaver), StudentId::new(newcomer));
        Ok(pairs.into_iter().map(read).collect())
    }

    /// Remembers pairs that a person is asked about, and pairs of a mass, and forgets those whose leaver is none any more.
    pub async fn remember_asked_pairs(
        &self,
        asked: &BTreeSet<(StudentId, StudentId)>,
        of_mass: &[(StudentId, StudentId)],
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let stored: i64 = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM asked_pairs)")
            .fetch_one(&self.reader)
            .await
            .doing(DOING)?;
        if stored == 0 && asked.is_empty() && of_mass.is_empty() {
            return Ok(());
        }
        let row = |is_of_mass: bool| {
            move |(leaver, newcomer): &(StudentId, StudentId)| {
                serde_json::json!([leaver.as_str(), newcomer.as_str(), is_of_mass])
            }
        };
        let rows: serde_json::Value =
            asked.iter().map(row(false)).chain(of_mass.iter().map(row(true))).collect();
        let mut transaction = self.begin().await?;
        sqlx::query(
            "DELETE FROM asked_pairs WHERE leaver_id NOT IN (SELECT student_id FROM links WHERE gone_since_ms IS NOT NULL)",
        )
        .execute(&mut *transaction)
        .await
        .doing(DOING)?;
        sqlx::query(
            "INSERT INTO asked_pairs (leaver_id, newcomer_id, of_mass, asked_at_ms) \
             SELECT value ->> 0, value ->> 1, value ->> 2, ? FROM json_each(?) WHERE true \
             ON CONFLICT DO UPDATE SET of_mass = min(of_mass, excluded.of_mass)",
        )
        .bind(now_ms)
        .bind(rows.to_string())
        .execute(&mut *transaction)
        .await
        .done(DOING)?;
        transaction.commit().await.doing(DOING)
    }
}
