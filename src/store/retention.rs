//! What is over is forgotten after a while: runs, closed failures, memberships that have ended, candidates, accounts and
//! results of people who have left.

use std::time::Duration;

use super::error::Doing;
use super::{StateStore, StoreError};

const DOING: &str = "forgetting what is over";

/// When that was done last.
const FORGOTTEN_AT: &str = "state.forgotten_at_ms";

/// When the clock was first seen to have jumped; absent while it goes on as it should.
const JUMPED_AT: &str = "state.clock_jumped_at_ms";

/// Once a day is often enough for something that is kept for months.
const EVERY_MS: i64 = 24 * 60 * 60 * 1000;

/// A clock that has gone on by more than this since the last time is not believed at once: it may be years ahead, for one
/// run or until somebody sets it. It is believed when runs go on behind that moment for as long again. A school that was
/// closed for a while keeps what is over a week longer, and nobody loses their history to a battery.
const JUMP_MS: i64 = 7 * EVERY_MS;

/// The guard looks back at memberships that ended within a day, however short `state.keep` is.
const LEAST_FOR_MEMBERSHIPS_MS: i64 = 2 * EVERY_MS;

/// What a clock that was ahead has dated is over since now.
const MENDING: [&str; 5] = [
    "UPDATE failures SET closed_at_ms = ?1 WHERE closed_at_ms > ?1",
    "UPDATE former_candidates SET gone_at_ms = ?1 WHERE gone_at_ms > ?1",
    "UPDATE result_owners SET gone_at_ms = ?1 WHERE gone_at_ms > ?1",
    "UPDATE enrolments SET changed_at_ms = ?1 WHERE evidence = 'gone' AND changed_at_ms > ?1",
    "UPDATE OR REPLACE student_changes SET changed_at_ms = ?1 WHERE changed_at_ms > ?1",
];

/// Each with the moment before which what is over goes.
const STATEMENTS: [&str; 7] = [
    "DELETE FROM failures WHERE closed_at_ms < ?1 AND state IN ('resolved', 'superseded')",
    "DELETE FROM former_candidates WHERE gone_at_ms < ?1",
    "DELETE FROM student_changes WHERE changed_at_ms < ?1",
    // Of whom nothing else is left. Should they come again their account is found by their contact, as anybody's is.
    "DELETE FROM accounts WHERE changed_at_ms < ?1 AND student_id NOT IN (SELECT student_id FROM links) \
     AND student_id NOT IN (SELECT student_id FROM enrolments) \
     AND student_id NOT IN (SELECT student_id FROM open_failures)",
    "DELETE FROM results WHERE (sid, account) IN (SELECT sid, account FROM result_owners WHERE gone_at_ms < ?1)",
    // The service may go on listing them: whose candidate it was is forgotten, and that they are not taken in again is not.
    "UPDATE result_owners SET student_id = '' WHERE gone_at_ms < ?1 AND student_id <> ''",
    // Runs that anything still names stay, and those that health and the next listing go by. At most so many at once: a
    // history of years goes within weeks, and holds up no run.
    "DELETE FROM runs WHERE run_id IN (SELECT run_id FROM runs WHERE started_at_ms < ?1 \
     AND run_id <> (SELECT max(run_id) FROM runs) \
     AND run_id NOT IN (SELECT coalesce(max(run_id), 0) FROM runs WHERE listing_complete = 1 AND trigger <> 'plan') \
     AND run_id NOT IN (SELECT coalesce(max(run_id), 0) FROM runs WHERE is_good = 1 AND trigger <> 'plan') \
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
    /// Forgets what has been over for longer than `keep`, once a day, and nothing while the clock may be far ahead.
    pub async fn forget_what_is_over(&self, keep: Duration, now_ms: i64) -> Result<(), StoreError> {
        let last_ms = self.moment(FORGOTTEN_AT).await?;
        let since_ms = now_ms.saturating_sub(last_ms.unwrap_or(0));
        if (0..EVERY_MS).contains(&since_ms) {
            return Ok(());
        }
        let jumped = since_ms > JUMP_MS;
        if jumped && !self.goes_on_behind_a_jump(now_ms).await? {
            return Ok(());
        }
        self.forget(keep, now_ms).await?;
        self.remember(JUMPED_AT, None).await?;
        self.remember(FORGOTTEN_AT, Some(&now_ms.to_string())).await
    }

    /// Whether runs have been going on for long enough since the clock was first seen to have jumped. A clock that was set
    /// back since has jumped now.
    async fn goes_on_behind_a_jump(&self, now_ms: i64) -> Result<bool, StoreError> {
        let first_ms = self.moment(JUMPED_AT).await?.filter(|first_ms| *first_ms <= now_ms);
        if first_ms.is_none() {
            self.remember(JUMPED_AT, Some(&now_ms.to_string())).await?;
        }
        Ok(first_ms.is_some_and(|first_ms| now_ms.saturating_sub(first_ms) >= JUMP_MS))
    }

    async fn forget(&self, keep: Duration, now_ms: i64) -> Result<(), StoreError> {
        let keep_ms = i64::try_from(keep.as_millis()).unwrap_or(i64::MAX);
        let before_ms = now_ms.saturating_sub(keep_ms);
        let mut transaction = self.begin().await?;
        for statement in MENDING {
            sqlx::query(statement).bind(now_ms).execute(&mut *transaction).await.doing(DOING)?;
        }
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
        transaction.commit().await.doing(DOING)
    }

    async fn moment(&self, name: &str) -> Result<Option<i64>, StoreError> {
        Ok(self.fact(name).await?.and_then(|text| text.parse().ok()))
    }
}
