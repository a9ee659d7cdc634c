//! Moments that a clock which was ahead has left behind.

use super::error::Doing;
use super::{StateStore, StoreError};

impl StateStore {
    /// Moments that lie further ahead than they ever could are now: failures and groups to be created are due within
    /// `longest_delay_ms`, look-ups of groups within `verify_groups_ms`; no link is made, no class found full, nothing held,
    /// nothing sent, nobody confirmed in a class and no results are read in the future.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn mend_moments(
        &self,
        now_ms: i64,
        longest_delay_ms: i64,
        verify_groups_ms: i64,
    ) -> Result<(), StoreError> {
        let doing = "mending moments that lie too far ahead";
        let mut transaction = self.begin().await?;
        let statements = [
            (
                "UPDATE failures SET due_at_ms = ?1 WHERE state = 'waiting' AND due_at_ms > ?2",
                longest_delay_ms,
            ),
            ("UPDATE links SET groups_due_at_ms = ?1 WHERE groups_due_at_ms > ?2", verify_groups_ms),
            ("UPDATE links SET linked_at_ms = ?1 WHERE linked_at_ms > ?2", 0),
            ("UPDATE group_creations SET due_at_ms = ?1 WHERE due_at_ms > ?2", longest_delay_ms),
            ("UPDATE full_classes SET at_ms = ?1 WHERE at_ms > ?2", 0),
            ("UPDATE result_passes SET finished_at_ms = ?1 WHERE finished_at_ms > ?2", 0),
            ("UPDATE holds SET since_ms = ?1 WHERE since_ms > ?2", 0),
            ("UPDATE held_masses SET held_at_ms = ?1 WHERE held_at_ms > ?2", 0),
            ("UPDATE intents SET sent_at_ms = ?1 WHERE sent_at_ms > ?2", 0),
            ("UPDATE enrolments SET confirmed_at_ms = ?1 WHERE confirmed_at_ms > ?2", 0),
            ("UPDATE enrolments SET changed_at_ms = ?1 WHERE changed_at_ms > ?2", 0),
        ];
        for (statement, ahead_ms) in statements {
            sqlx::query(statement)
                .bind(now_ms)
                .bind(now_ms.saturating_add(ahead_ms))
                .execute(&mut *transaction)
                .await
                .doing(doing)?;
        }
        transaction.commit().await.doing(doing)
    }

    /// Writes that a limit looks back on and approvals, of a clock that was ahead by more than `margin_ms`: the writes were
    /// made now and the approvals given now, each for as long as it was given for, and none for longer than
    /// `longest_approval_ms`.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn mend_looked_back(
        &self,
        now_ms: i64,
        margin_ms: i64,
        longest_approval_ms: i64,
    ) -> Result<(), StoreError> {
        let doing = "mending what a clock that was ahead has noted";
        let mut transaction = self.begin().await?;
        sqlx::query("UPDATE counted_writes SET at_ms = ?1 WHERE at_ms > ?2")
            .bind(now_ms)
            .bind(now_ms.saturating_add(margin_ms))
            .execute(&mut *transaction)
            .await
            .doing(doing)?;
        sqlx::query(
            "UPDATE approvals SET until_ms = until_ms - given_at_ms + ?1, given_at_ms = ?1 WHERE given_at_ms > ?2",
        )
        .bind(now_ms)
        .bind(now_ms.saturating_add(margin_ms))
        .execute(&mut *transaction)
        .await
        .doing(doing)?;
        let until_ms = now_ms.saturating_add(longest_approval_ms);
        sqlx::query("UPDATE approvals SET until_ms = ?1 WHERE until_ms > ?2")
            .bind(until_ms)
            .bind(until_ms.saturating_add(margin_ms))
            .execute(&mut *transaction)
            .await
            .doing(doing)?;
        transaction.commit().await.doing(doing)
    }
}
