//! Moments that a clock which was ahead has left behind.

use super::error::Doing;
use super::{StateStore, StoreError};

impl StateStore {
    /// Moments that lie further ahead than they ever could are now: failures are due within `longest_delay_ms`, look-ups
    /// of groups within `verify_groups_ms`, and no link is made in the future.
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
}
