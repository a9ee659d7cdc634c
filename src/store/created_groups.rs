//! Groups whose gid was not learned from the roster, and the calls that created them.

use std::collections::HashMap;

use super::error::{Doing, Written};
use super::{StateStore, StoreError};
use rosterd_core::exam_plan::{CreationOutcome, GroupOrigin, KnownGroup};
use rosterd_core::roster::{Gid, GroupCode, RunId};

type Row = (String, String, Option<i64>, i64, Option<i64>);

fn creation(row: Row) -> Result<(String, CreationOutcome), StoreError> {
    let (title, state, gid, attempts, due_at_ms) = row;
    let bad = |what| StoreError::Row { table: "group_creations", key: title.clone(), what };
    let creation = match (state.as_str(), gid) {
        ("asked" | "unknown", _) => CreationOutcome::Unknown,
        ("refused", _) => {
            CreationOutcome::Refused { attempts: u32::try_from(attempts).unwrap_or(u32::MAX), due_at_ms }
        }
        (state, Some(gid)) => {
            let origin = GroupOrigin::parse(state).ok_or_else(|| bad("has an unknown state"))?;
            CreationOutcome::Done(KnownGroup { gid: Gid(gid), origin })
        }
        (_, None) => return Err(bad("has no gid")),
    };
    Ok((title, creation))
}

impl StateStore {
    /// Gids by group code, as far as they are remembered.
    pub async fn known_groups(&self) -> Result<HashMap<GroupCode, KnownGroup>, StoreError> {
        let rows: Vec<(String, i64, String)> =
            sqlx::query_as("SELECT group_code, gid, origin FROM known_groups ORDER BY group_code")
                .fetch_all(self.writer()?)
                .await
                .doing("reading known groups")?;
        rows.into_iter()
            .map(|(code, gid, origin)| {
                let what = "has an unknown origin";
                let origin = GroupOrigin::parse(&origin).ok_or_else(|| StoreError::Row {
                    table: "known_groups",
                    key: code.clone(),
                    what,
                })?;
                Ok((GroupCode::new(code), KnownGroup { gid: Gid(gid), origin }))
            })
            .collect()
    }

    /// Remembers gids by group code.
    pub async fn remember_known_groups(
        &self,
        groups: &[(GroupCode, KnownGroup)],
        now_ms: i64,
    ) -> Result<(), StoreError> {
        if groups.is_empty() {
            return Ok(());
        }
        let rows: Vec<(&str, i64, &str)> =
            groups.iter().map(|(code, it)| (code.as_str(), it.gid.0, it.origin.as_str())).collect();
        sqlx::query(
            "INSERT OR REPLACE INTO known_groups (group_code, gid, origin, known_at_ms) \
             SELECT value ->> 0, value ->> 1, value ->> 2, ? FROM json_each(?)",
        )
        .bind(now_ms)
        .bind(serde_json::json!(rows).to_string())
        .execute(self.writer()?)
        .await
        .done("remembering groups")
    }

    /// The outcomes of creations below a parent, by title. A creation that was begun and never ended is
    /// unknown, below whichever parent: it is not asked for again because the parent is another one now.
    pub async fn group_creations(&self, parent: Gid) -> Result<HashMap<String, CreationOutcome>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT title, state, gid, attempts, due_at_ms FROM group_creations \
             WHERE parent_gid = ? OR state IN ('asked', 'unknown') ORDER BY title, parent_gid",
        )
        .bind(parent.0)
        .fetch_all(self.writer()?)
        .await
        .doing("reading group creations")?;
        let mut outcomes: HashMap<String, CreationOutcome> = HashMap::new();
        for row in rows {
            let (title, outcome) = creation(row)?;
            let is_stronger = match outcomes.get(&title) {
                Some(CreationOutcome::Done(_)) => false,
                Some(CreationOutcome::Unknown) => matches!(outcome, CreationOutcome::Done(_)),
                Some(CreationOutcome::Refused { .. }) | None => true,
            };
            if is_stronger {
                outcomes.insert(title, outcome);
            }
        }
        Ok(outcomes)
    }

    /// Writes down that a group is about to be created.
    ///
    /// # Errors
    /// When the database cannot be written: then nothing may be sent.
    pub async fn intend_group(
        &self,
        parent: Gid,
        title: &str,
        run: RunId,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO group_creations (parent_gid, title, state, changed_at_ms, run_id) \
             VALUES (?, ?, 'asked', ?, ?) ON CONFLICT DO UPDATE SET state = 'asked', gid = NULL, \
             due_at_ms = NULL, changed_at_ms = excluded.changed_at_ms, run_id = excluded.run_id",
        )
        .bind(parent.0)
        .bind(title)
        .bind(now_ms)
        .bind(run.0)
        .execute(self.writer()?)
        .await
        .done("writing down what is about to be created")
    }

    /// Records the outcome of a creation and, if there is a group now, the code that its gid belongs to from now on, in
    /// one transaction. One that had it before is no code of today's roster.
    pub async fn end_group(
        &self,
        parent: Gid,
        title: &str,
        ended: CreationOutcome,
        code: &GroupCode,
        run: RunId,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let (state, gid, attempts, due_at_ms) = match ended {
            CreationOutcome::Unknown => ("unknown", None, 0, None),
            CreationOutcome::Refused { attempts, due_at_ms } => {
                ("refused", None, i64::from(attempts), due_at_ms)
            }
            CreationOutcome::Done(known) => (known.origin.as_str(), Some(known.gid.0), 0, None),
        };
        let doing = "writing down how a creation ended";
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT OR REPLACE INTO group_creations \
             (parent_gid, title, state, gid, attempts, due_at_ms, changed_at_ms, run_id) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(parent.0)
        .bind(title)
        .bind(state)
        .bind(gid)
        .bind(attempts)
        .bind(due_at_ms)
        .bind(now_ms)
        .bind(run.0)
        .execute(&mut *transaction)
        .await
        .doing(doing)?;
        if let CreationOutcome::Done(known) = ended {
            // It stands on the roster from now on; one that we created is ours, however soon it goes from there.
            sqlx::query(
                "INSERT INTO roster_groups \
                 (gid, group_code, title, stood_since_ms, stood_until_ms, is_there, is_settled) \
                 VALUES (?1, ?2, ?3, ?4, ?4, 1, ?5) ON CONFLICT DO NOTHING",
            )
            .bind(known.gid.0)
            .bind(code.as_str())
            .bind(title)
            .bind(now_ms)
            .bind(known.origin == GroupOrigin::Created)
            .execute(&mut *transaction)
            .await
            .doing(doing)?;
            sqlx::query("DELETE FROM known_groups WHERE gid = ?")
                .bind(known.gid.0)
                .execute(&mut *transaction)
                .await
                .doing(doing)?;
            sqlx::query(
                "INSERT OR REPLACE INTO known_groups (group_code, gid, origin, known_at_ms) VALUES (?, ?, ?, ?)",
            )
            .bind(code.as_str())
            .bind(known.gid.0)
            .bind(known.origin.as_str())
            .bind(now_ms)
            .execute(&mut *transaction)
            .await
            .doing(doing)?;
        }
        transaction.commit().await.doing(doing)
    }
}
