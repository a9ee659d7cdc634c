//! Rows of the roster that cannot be used, as the newest run has read them.

use std::collections::BTreeSet;

use super::error::{Doing, Written, counted};
use super::failures::FailureRow;
use super::link_codec::json;
use super::{StateStore, StoreError};
use rosterd_core::failure::{FailureCode, FailureOwner, FailureState, RecordedKind, Service};
use rosterd_core::roster::{Gid, RosterProblem};

#[derive(sqlx::FromRow)]
struct StoredRow {
    row_id: i64,
    table_name: String,
    row_key: String,
    message: String,
    state: String,
    first_seen_ms: i64,
}

impl From<StoredRow> for FailureRow {
    fn from(row: StoredRow) -> Self {
        let state = FailureState::parse(&row.state).unwrap_or(FailureState::Waiting);
        let code = FailureCode::UnusableRow;
        let owner = owner_of_row(&row.table_name, state);
        let since = jiff::Timestamp::from_millisecond(row.first_seen_ms).ok();
        Self {
            id: row.row_id,
            service: Service::Roster,
            kind: RecordedKind::RosterRow,
            student_id: String::new(),
            class_code: String::new(),
            table: Some(row.table_name),
            key: Some(row.row_key),
            state,
            who: owner.as_str(),
            owner: owner.word(),
            since: since.map(|since| format!("{since:.0}")).unwrap_or_default(),
            code: code.to_string(),
            message: row.message,
            service_text: None,
            batch: None,
            index: None,
            attempts: 0,
            due_at: None,
            keeps_place: false,
        }
    }
}

/// Ids of groups and classes are entered by whoever looks after the services.
pub(super) fn owner_of_row(table: &str, state: FailureState) -> FailureOwner {
    match table {
        "groups" | "classes" => FailureOwner::It,
        _ => FailureOwner::of(RecordedKind::RosterRow, &FailureCode::UnusableRow, state),
    }
}

/// What the keys of groups begin with that are not in `groups` any more.
const FORMER_GROUP: &str = "gid ";

/// The key under which a group that is not in `groups` any more stands among the rows of the roster.
#[must_use]
pub fn former_group_key(gid: Gid) -> String {
    format!("{FORMER_GROUP}{gid}")
}

impl StateStore {
    /// Remembers the rows of the roster that cannot be used, and forgets those that are mended. Says how many are new.
    pub async fn record_roster_rows(&self, rows: &[RosterProblem], now_ms: i64) -> Result<u64, StoreError> {
        let doing = "remembering rows of the roster";
        let standing: Vec<(&str, &str, &str)> =
            rows.iter().map(|row| (row.table, row.key.as_str(), row.what.as_str())).collect();
        let standing = serde_json::json!(standing).to_string();
        let mut transaction = self.begin().await?;
        sqlx::query(
            "DELETE FROM roster_rows WHERE (table_name, row_key, message) NOT IN \
             (SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?))",
        )
        .bind(&standing)
        .execute(&mut *transaction)
        .await
        .done(doing)?;
        let new = sqlx::query(
            "INSERT OR IGNORE INTO roster_rows (table_name, row_key, message, first_seen_ms) \
             SELECT value ->> 0, value ->> 1, value ->> 2, ?2 FROM json_each(?1)",
        )
        .bind(&standing)
        .bind(now_ms)
        .execute(&mut *transaction)
        .await
        .rows(doing)?;
        transaction.commit().await.doing(doing)?;
        Ok(new)
    }

    /// The rows of the roster that cannot be used, as they are shown.
    pub(super) async fn roster_rows(&self) -> Result<Vec<FailureRow>, StoreError> {
        let rows: Vec<StoredRow> = sqlx::query_as(
            "SELECT row_id, table_name, row_key, message, state, first_seen_ms FROM roster_rows ORDER BY row_id",
        )
        .fetch_all(&self.reader)
        .await
        .doing("listing rows of the roster")?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// The number of rows of the roster that cannot be used, silenced ones not counted.
    pub async fn count_roster_rows(&self) -> Result<u64, StoreError> {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM roster_rows WHERE state = 'waiting'")
            .fetch_one(&self.reader)
            .await
            .doing("counting rows of the roster")?;
        Ok(counted(count))
    }

    /// How many rows of the roster cannot be used, and since when the oldest is known; groups that are not there any
    /// more, and those that a person silenced, are not among them.
    pub(super) async fn unusable_rows(&self) -> Result<Vec<(String, i64, i64)>, StoreError> {
        sqlx::query_as(
            "SELECT table_name, count(*), min(first_seen_ms) FROM roster_rows \
             WHERE state = 'waiting' AND NOT (table_name = 'groups' AND row_key LIKE ? || '%') \
             GROUP BY table_name ORDER BY table_name",
        )
        .bind(FORMER_GROUP)
        .fetch_all(&self.reader)
        .await
        .doing("counting rows of the roster")
    }

    /// The keys of groups that are not there any more and that a person silenced, and how many of them nobody did.
    pub async fn former_group_rows(&self) -> Result<(BTreeSet<String>, u64), StoreError> {
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT row_key, state FROM roster_rows \
             WHERE table_name = 'groups' AND row_key LIKE ? || '%' ORDER BY row_key",
        )
        .bind(FORMER_GROUP)
        .fetch_all(&self.reader)
        .await
        .doing("reading groups that are not there any more")?;
        let (ignored, others): (Vec<_>, Vec<_>) =
            rows.into_iter().partition(|(_, state)| state == FailureState::Ignored.as_str());
        let others = u64::try_from(others.len()).unwrap_or(u64::MAX);
        Ok((ignored.into_iter().map(|(key, _)| key).collect(), others))
    }

    /// Silences rows of the roster until they change, or speaks of them again.
    pub(super) async fn change_roster_rows(
        &self,
        ids: Option<&[i64]>,
        to: FailureState,
    ) -> Result<u64, StoreError> {
        let state = if to == FailureState::Ignored { to } else { FailureState::Waiting };
        sqlx::query(
            "UPDATE roster_rows SET state = ?1 \
             WHERE CASE WHEN ?2 IS NULL THEN state <> 'ignored' OR ?1 = 'ignored' \
             ELSE row_id IN (SELECT value FROM json_each(?2)) END",
        )
        .bind(state.as_str())
        .bind(ids.map(|ids| json(ids.iter().copied())))
        .execute(self.writer()?)
        .await
        .rows("changing rows of the roster")
    }
}
