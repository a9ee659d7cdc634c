//! What is over is forgotten after a while: runs, closed failures, memberships that have ended, candidates and results of
//! people who have left.

use std::time::Duration;

use super::error::Doing;
use super::{StateStore, StoreError};

const DOING: &str = "forgetting what is over";

/// When that was done last.
const FORGOTTEN_AT: &str = "state.forgotten_at_ms";

/// Once a day is often enough for something that is kept for months.
const EVERY_MS: i64 = 24 * 60 * 60 * 1000;

/// The guard looks back at memberships that ended within a day, however short `state.keep` is.
const LEAST_FOR_MEMBERSHIPS_MS: i64 = 2 * EVERY_MS;

/// Each with the moment before which what is over goes.
const STATEMENTS: [&str; 5] = [
    "DELETE FROM failures WHERE closed_at_ms < ?1 AND state IN ('resolved', 'superseded')",
    "DELETE FROM former_candidates WHERE gone_at_ms < ?1",
    "DELETE FROM results WHERE (sid, account) IN (SELECT sid, account FROM result_owners WHERE gone_at_ms < ?1)",
    // The service may go on listing them: whose candidate it was is forgotten, and that they are not taken in again is not.
    "UPDATE result_owners SET student_id = '' WHERE gone_at_ms < ?1 AND student_id <> ''",
    // Runs that anything still names stay, and those that health and the next listing go by. At most so many at once: a
    // history of years goes within weeks, and holds up no run.
    "DELETE FROM runs WHERE run_id IN (SELECT run_id FROM runs WHERE started_at_ms < ?1 \
     AND run_id <> (SELECT max(run_id) FROM runs) \
     AND run_id NOT IN (SELECT coalesce(max(run_id), 0) FROM runs WHERE listing_complete = 1 AND trigger <> 'plan') \
     AND run_id NOT IN (SELECT coalesce(max(run_id), 0) FROM runs WHERE is_good = 1) \
     AND NOT EXISTS (SELECT 1 FROM failures AS t WHERE t.run_id = runs.run_id) \
     AND NOT EXISTS (SELECT 1 FROM enrolments AS t WHERE t.run_id = runs.run_id) \
     AND NOT EXISTS (SELECT 1 FROM accounts AS t WHERE t.run_id = runs.run_id) \
     AND NOT EXISTS (SELECT 1 FROM intents AS t WHERE t.run_id = runs.run_id) \
     AND NOT EXISTS (SELECT 1 FROM full_classes AS t WHERE t.run_id = runs.run_id) \
     AND NOT EXISTS (SELECT 1 FROM condemned_classes AS t WHERE t.run_id = runs.run_id) \
     AND NOT EXISTS (SELECT 1 FROM group_creations AS t WHERE t.run_id = runs.run_id) \
     ORDER BY run_id LIMIT 2000)",
];

impl StateStore {
    /// Forgets what has been over for longer than `keep`, once a day.
    pub async fn forget_what_is_over(&self, keep: Duration, now_ms: i64) -> Result<(), StoreError> {
        let last_ms = self.fact(FORGOTTEN_AT).await?.and_then(|text| text.parse::<i64>().ok());
        if last_ms.is_some_and(|last_ms| (0..EVERY_MS).contains(&now_ms.saturating_sub(last_ms))) {
            return Ok(());
        }
        let keep_ms = i64::try_from(keep.as_millis()).unwrap_or(i64::MAX);
        let before_ms = now_ms.saturating_sub(keep_ms);
        let mut transaction = self.begin().await?;
        // Since when a candidate is nobody's any more, to the day. A student who is there under another one has not left.
        sqlx::query(
            "UPDATE result_owners AS o SET gone_at_ms = iif(o.gone_at_ms IS NULL, ?1, NULL) WHERE (o.gone_at_ms IS NULL) = \
             (NOT (o.account = 0 AND EXISTS (SELECT 1 FROM links AS l WHERE l.sid = o.sid)) \
              AND NOT EXISTS (SELECT 1 FROM links AS l WHERE l.student_id = o.student_id))",
        )
        .bind(now_ms)
        .execute(&mut *transaction)
        .await
        .doing(DOING)?;
        sqlx::query("DELETE FROM enrolments WHERE evidence = 'gone' AND changed_at_ms < ?")
            .bind(before_ms.min(now_ms.saturating_sub(LEAST_FOR_MEMBERSHIPS_MS)))
            .execute(&mut *transaction)
            .await
            .doing(DOING)?;
        for statement in STATEMENTS {
            sqlx::query(statement).bind(before_ms).execute(&mut *transaction).await.doing(DOING)?;
        }
        transaction.commit().await.doing(DOING)?;
        self.remember(FORGOTTEN_AT, Some(&now_ms.to_string())).await
    }
}
