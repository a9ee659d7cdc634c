//! What listings of the exam account show again and again, so that it needs no second look.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::error::{Doing, Written, counted};
use super::keys::{fingerprint, stored};
use super::{StateStore, StoreError};
use rosterd_core::exam_plan::{RepeatPattern, UNLISTED_RUNS};
use rosterd_core::roster::Sid;

impl StateStore {
    /// The repeated login values of the last listing that was believed with them.
    pub async fn repeated_logins(&self) -> Result<RepeatPattern, StoreError> {
        let rows: Vec<(i64, i64)> = sqlx::query_as("SELECT fingerprint, row_count FROM repeated_logins")
            .fetch_all(&self.reader)
            .await
            .doing("reading repeated login values")?;
        Ok(RepeatPattern(rows.into_iter().map(|(key, rows)| (fingerprint(key), counted(rows))).collect()))
    }

    /// Remembers the repeated login values of a listing in place of the earlier ones.
    pub async fn remember_repeated_logins(&self, pattern: &RepeatPattern) -> Result<(), StoreError> {
        if self.repeated_logins().await? == *pattern {
            return Ok(());
        }
        let doing = "remembering repeated login values";
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM repeated_logins").execute(&mut *transaction).await.done(doing)?;
        let rows: Vec<(i64, u64)> = pattern.0.iter().map(|(key, rows)| (stored(*key), *rows)).collect();
        sqlx::query(
            "INSERT INTO repeated_logins (fingerprint, row_count) \
             SELECT value ->> 0, value ->> 1 FROM json_each(?)",
        )
        .bind(serde_json::json!(rows).to_string())
        .execute(&mut *transaction)
        .await
        .done(doing)?;
        transaction.commit().await.doing(doing)
    }

    /// Candidates that so many runs in a row found by sid and not in the listing that it is no news.
    pub async fn unlisted_candidates(&self) -> Result<HashSet<Sid>, StoreError> {
        let known = self.unlisted_runs().await?;
        Ok(known.into_iter().filter(|(_, runs)| *runs >= UNLISTED_RUNS).map(|(sid, _)| sid).collect())
    }

    async fn unlisted_runs(&self) -> Result<HashMap<Sid, u32>, StoreError> {
        let rows: Vec<(i64, i64)> = sqlx::query_as("SELECT sid, runs FROM unlisted_candidates")
            .fetch_all(&self.reader)
            .await
            .doing("reading unlisted candidates")?;
        Ok(rows.into_iter().map(|(sid, runs)| (Sid(sid), u32::try_from(runs).unwrap_or(0))).collect())
    }

    /// Counts one more run that found these candidates and no others by sid and not in the listing.
    pub async fn count_unlisted(&self, unlisted: &HashSet<Sid>, now_ms: i64) -> Result<(), StoreError> {
        let known = self.unlisted_runs().await?;
        let runs = |sid: &Sid| known.get(sid).map_or(1, |runs| UNLISTED_RUNS.min(runs + 1));
        let counted: BTreeMap<Sid, u32> = unlisted.iter().map(|sid| (*sid, runs(sid))).collect();
        if counted.len() == known.len() && counted.iter().all(|(sid, runs)| known.get(sid) == Some(runs)) {
            return Ok(());
        }
        let doing = "counting unlisted candidates";
        let rows: Vec<(i64, u32)> = counted.into_iter().map(|(sid, runs)| (sid.0, runs)).collect();
        let rows = serde_json::json!(rows).to_string();
        let mut transaction = self.begin().await?;
        sqlx::query(
            "DELETE FROM unlisted_candidates WHERE sid NOT IN (SELECT value ->> 0 FROM json_each(?))",
        )
        .bind(&rows)
        .execute(&mut *transaction)
        .await
        .done(doing)?;
        sqlx::query(
            "INSERT INTO unlisted_candidates (sid, runs, since_ms) \
             SELECT value ->> 0, value ->> 1, ?2 FROM json_each(?1) WHERE true \
             ON CONFLICT (sid) DO UPDATE SET runs = excluded.runs",
        )
        .bind(&rows)
        .bind(now_ms)
        .execute(&mut *transaction)
        .await
        .done(doing)?;
        transaction.commit().await.doing(doing)
    }
}
