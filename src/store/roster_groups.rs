//! Every gid that ever stood on the roster: a leaver is taken out of it for as long as anybody is in it.

use super::error::{Doing, Written};
use super::{StateStore, StoreError};
use rosterd_core::exam_plan::StoodGroup;
use rosterd_core::roster::{Gid, Group, GroupCode};

/// In milliseconds. A gid that stands on the roster by mistake is noticed within a week.
const SETTLED_MS: i64 = 7 * 24 * 60 * 60 * 1000;

impl StateStore {
    /// Every gid that stood on the roster when an earlier run read it.
    pub async fn roster_groups(&self) -> Result<Vec<StoodGroup>, StoreError> {
        let rows: Vec<(i64, String, String, i64, bool)> = sqlx::query_as(
            "SELECT gid, group_code, title, stood_until_ms, is_settled FROM roster_groups ORDER BY gid",
        )
        .fetch_all(&self.reader)
        .await
        .doing("reading the groups of earlier rosters")?;
        Ok(rows
            .into_iter()
            .map(|(gid, code, title, until_ms, is_settled)| StoodGroup {
                gid: Gid(gid),
                code: GroupCode::new(code),
                title,
                until_ms,
                is_settled,
            })
            .collect())
    }

    /// Remembers the gids that stand on the roster now. A moment that lies ahead is read as now.
    pub async fn remember_roster_groups(&self, groups: &[Group], now_ms: i64) -> Result<(), StoreError> {
        let doing = "remembering the roster's groups";
        let there: Vec<(i64, &str, &str)> = groups
            .iter()
            .filter_map(|group| Some((group.gid?.0, group.code.as_str(), group.title.as_str())))
            .collect();
        let there = serde_json::json!(there).to_string();
        let mut transaction = self.begin().await?;
        sqlx::query(
            "UPDATE roster_groups SET is_there = 0 WHERE is_there = 1 \
             AND gid NOT IN (SELECT value ->> 0 FROM json_each(?))",
        )
        .bind(&there)
        .execute(&mut *transaction)
        .await
        .doing(doing)?;
        sqlx::query(
            "INSERT INTO roster_groups \
             (gid, group_code, title, stood_since_ms, stood_until_ms, is_there, is_settled) \
             SELECT value ->> 0, min(value ->> 1), value ->> 2, ?1, ?1, 1, 0 FROM json_each(?2) \
             WHERE true GROUP BY 1 \
             ON CONFLICT (gid) DO UPDATE SET group_code = excluded.group_code, title = excluded.title, \
             stood_since_ms = CASE WHEN is_there THEN min(stood_since_ms, ?1) ELSE ?1 END, \
             stood_until_ms = ?1, is_there = 1, \
             is_settled = is_settled OR (is_there AND ?1 - stood_since_ms >= ?3)",
        )
        .bind(now_ms)
        .bind(&there)
        .bind(SETTLED_MS)
        .execute(&mut *transaction)
        .await
        .done(doing)?;
        transaction.commit().await.doing(doing)
    }
}
