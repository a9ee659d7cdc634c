//! How many rows each of our tables has, and of which version they are.

use super::error::{Doing, counted};
use super::{StateStore, StoreError};

/// One line a table: a statement cannot name a table at run time.
const COUNTS: &str = "\
    SELECT 'accepted_contacts', count(*) FROM accepted_contacts
    UNION ALL SELECT 'accounts', count(*) FROM accounts
    UNION ALL SELECT 'approvals', count(*) FROM approvals
    UNION ALL SELECT 'asked_pairs', count(*) FROM asked_pairs
    UNION ALL SELECT 'class_names', count(*) FROM class_names
    UNION ALL SELECT 'condemned_classes', count(*) FROM condemned_classes
    UNION ALL SELECT 'counted_writes', count(*) FROM counted_writes
    UNION ALL SELECT 'enrolments', count(*) FROM enrolments
    UNION ALL SELECT 'facts', count(*) FROM facts
    UNION ALL SELECT 'failures', count(*) FROM failures
    UNION ALL SELECT 'former_candidates', count(*) FROM former_candidates
    UNION ALL SELECT 'full_classes', count(*) FROM full_classes
    UNION ALL SELECT 'group_creations', count(*) FROM group_creations
    UNION ALL SELECT 'held_masses', count(*) FROM held_masses
    UNION ALL SELECT 'held_operations', count(*) FROM held_operations
    UNION ALL SELECT 'hold_digests', count(*) FROM hold_digests
    UNION ALL SELECT 'holds', count(*) FROM holds
    UNION ALL SELECT 'intents', count(*) FROM intents
    UNION ALL SELECT 'known_groups', count(*) FROM known_groups
    UNION ALL SELECT 'links', count(*) FROM links
    UNION ALL SELECT 'notifications', count(*) FROM notifications
    UNION ALL SELECT 'packed_links', count(*) FROM packed_links
    UNION ALL SELECT 'repeated_logins', count(*) FROM repeated_logins
    UNION ALL SELECT 'result_owners', count(*) FROM result_owners
    UNION ALL SELECT 'result_passes', count(*) FROM result_passes
    UNION ALL SELECT 'results', count(*) FROM results
    UNION ALL SELECT 'roster_class_ids', count(*) FROM roster_class_ids
    UNION ALL SELECT 'roster_groups', count(*) FROM roster_groups
    UNION ALL SELECT 'roster_rows', count(*) FROM roster_rows
    UNION ALL SELECT 'runs', count(*) FROM runs
    UNION ALL SELECT 'service_accounts', count(*) FROM service_accounts
    UNION ALL SELECT 'standing_answers', count(*) FROM standing_answers
    UNION ALL SELECT 'student_changes', count(*) FROM student_changes
    UNION ALL SELECT 'told_incidents', count(*) FROM told_incidents
    UNION ALL SELECT 'unlisted_candidates', count(*) FROM unlisted_candidates
    UNION ALL SELECT 'unreadable_results', count(*) FROM unreadable_results
    UNION ALL SELECT 'wanted_logins', count(*) FROM wanted_logins
    ORDER BY 1";

impl StateStore {
    /// Every table with its rows, by name.
    pub async fn row_counts(&self) -> Result<Vec<(String, u64)>, StoreError> {
        let rows: Vec<(String, i64)> =
            sqlx::query_as(COUNTS).fetch_all(&self.reader).await.doing("counting rows")?;
        Ok(rows.into_iter().map(|(table, rows)| (table, counted(rows))).collect())
    }

    /// The number of the newest migration.
    pub async fn schema_version(&self) -> Result<u64, StoreError> {
        let version: i64 = sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM _sqlx_migrations")
            .fetch_one(&self.reader)
            .await
            .doing("asking for its schema")?;
        Ok(counted(version))
    }

    /// The version of SQLite that reads it.
    pub async fn sqlite_version(&self) -> Result<String, StoreError> {
        sqlx::query_scalar("SELECT sqlite_version()")
            .fetch_one(&self.reader)
            .await
            .doing("asking for SQLite's version")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_table_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateStore::open(&folder.path().join("state.db")).await.unwrap();
        let tables: Vec<String> = sqlx::query_scalar(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name <> '_sqlx_migrations' \
             ORDER BY name",
        )
        .fetch_all(&state.reader)
        .await
        .unwrap();
        let counts = state.row_counts().await.unwrap();
        let counted: Vec<String> = counts.into_iter().map(|(table, _)| table).collect();
        assert_eq!(counted, tables);
        let versions = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/state")).unwrap();
        let newest =
            versions.filter_map(|file| file.ok()?.file_name().to_str()?.get(..4)?.parse().ok()).max();
        assert_eq!(Some(state.schema_version().await.unwrap()), newest);
        state.close().await;
    }
}
