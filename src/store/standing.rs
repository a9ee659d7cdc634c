//! What is withheld, and what is held about single people: rows among the failures that nothing was tried for. They keep
//! nothing from being tried, and use up no attempts.

use std::collections::{HashMap, HashSet};

use rosterd_core::exam_plan::Fingerprint;
use rosterd_core::failure::{FailureCode, FailureState, OperationKey, Service};
use rosterd_core::roster::RunId;
use sqlx::{Sqlite, Transaction};

use super::error::{Doing, Written};
use super::failures::{key, state};
use super::keys::{fingerprint, stored};
use super::link_codec::json;
use super::{StateStore, StoreError};

/// Something that stands in the way of an operation without its having been tried.
#[derive(Clone, Debug)]
pub struct Standing {
    pub key: OperationKey,
    /// Held about single people, or waiting for data or a reading to be mended.
    pub state: FailureState,
    pub code: FailureCode,
    pub message: String,
    /// What is wanted: another want is another matter.
    pub desired_hash: Fingerprint,
}

/// What stands already, as earlier runs recorded it.
#[derive(Debug, Default)]
pub struct StandingRows {
    standing: HashMap<OperationKey, StandingRow>,
    /// What was given up, and what a row of the roster makes impossible: of each, what is wanted.
    dead: HashMap<OperationKey, Fingerprint>,
}

#[derive(sqlx::FromRow)]
struct StoredRow {
    failure_id: i64,
    kind: String,
    student_id: String,
    class_code: String,
    state: String,
    code: String,
    want: i64,
    is_standing: bool,
}

#[derive(Debug)]
struct StandingRow {
    id: i64,
    state: FailureState,
    code: FailureCode,
    desired_hash: Fingerprint,
}

impl StandingRows {
    /// Whether this stood before just so: then it is no news.
    #[must_use]
    pub fn knows(&self, standing: &Standing) -> bool {
        self.same(standing).is_some()
    }

    /// Whether just this was given up, or found to be impossible, before.
    #[must_use]
    pub fn is_dead(&self, key: &OperationKey, desired_hash: Fingerprint) -> bool {
        self.dead.get(key) == Some(&desired_hash)
    }

    fn same(&self, standing: &Standing) -> Option<&StandingRow> {
        let row = self.standing.get(&standing.key)?;
        (row.desired_hash == standing.desired_hash && row.code == standing.code).then_some(row)
    }
}

impl StateStore {
    /// What stands already of a service.
    pub async fn standing(&self, service: Service) -> Result<StandingRows, StoreError> {
        let rows: Vec<StoredRow> = sqlx::query_as(
            "SELECT failure_id, kind, student_id, class_code, state, code, want, is_standing FROM open_failures \
             WHERE service = ? AND (is_standing = 1 OR state = 'dead') ORDER BY failure_id",
        )
        .bind(service.as_str())
        .fetch_all(&self.reader)
        .await
        .doing("reading what waits")?;
        let mut standing = StandingRows::default();
        for row in rows {
            let StoredRow {
                failure_id: id,
                kind,
                student_id,
                class_code,
                state: word,
                code,
                want,
                is_standing,
            } = row;
            let key = key(id, service.as_str(), &kind, student_id, class_code)?;
            if !is_standing {
                standing.dead.insert(key, fingerprint(want));
                continue;
            }
            let row = StandingRow {
                id,
                state: state(id, &word)?,
                code: FailureCode::parse(&code),
                desired_hash: fingerprint(want),
            };
            standing.standing.insert(key, row);
        }
        Ok(standing)
    }

    /// Records what stands in this run, beside what stood before. What a person silenced stays silenced.
    pub async fn record_standing(
        &self,
        before: &StandingRows,
        now: &[Standing],
        run: RunId,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        if now.is_empty() {
            return Ok(());
        }
        let mut transaction = self.begin().await?;
        for standing in now {
            match before.same(standing) {
                Some(row) if row.state == FailureState::Ignored => {}
                Some(row) => renew(&mut transaction, row.id, standing, (run, now_ms)).await?,
                None => begin(&mut transaction, standing, (run, now_ms)).await?,
            }
        }
        transaction.commit().await.doing(DOING)
    }

    /// Closes what no longer stands by the newest complete plan: neither found by it, nor left undone because a person
    /// silenced it.
    pub async fn close_standing(
        &self,
        before: &StandingRows,
        now: &[Standing],
        silenced: &HashSet<OperationKey>,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let stands: HashSet<&OperationKey> = now.iter().map(|standing| &standing.key).collect();
        let is_silenced = |key: &OperationKey, row: &StandingRow| {
            row.state == FailureState::Ignored && silenced.contains(key)
        };
        let over =
            before.standing.iter().filter(|(key, row)| !stands.contains(key) && !is_silenced(key, row));
        let over = over.map(|(_, row)| row.id);
        let over: Vec<i64> = over.collect();
        if over.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "UPDATE failures SET state = 'superseded', closed_at_ms = ? \
             WHERE failure_id IN (SELECT value FROM json_each(?)) \
             AND failure_id IN (SELECT failure_id FROM open_failures)",
        )
        .bind(now_ms)
        .bind(json(over))
        .execute(&self.writer)
        .await
        .done("closing what no longer waits")
    }
}

const DOING: &str = "recording what waits";

/// Stands as it stood: only its sentence and its last run are new.
async fn renew(
    transaction: &mut Transaction<'_, Sqlite>,
    id: i64,
    standing: &Standing,
    (run, now_ms): (RunId, i64),
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE failures SET state = ?, message = ?, last_failed_at_ms = ?, run_id = ? WHERE failure_id = ?",
    )
    .bind(standing.state.as_str())
    .bind(&standing.message)
    .bind(now_ms)
    .bind(run.0)
    .bind(id)
    .execute(&mut **transaction)
    .await
    .done(DOING)
}

/// Stands anew, in the place of what stood there for another reason or want.
async fn begin(
    transaction: &mut Transaction<'_, Sqlite>,
    standing: &Standing,
    (run, now_ms): (RunId, i64),
) -> Result<(), StoreError> {
    let Standing { key, state, code, message, desired_hash } = standing;
    sqlx::query(
        "INSERT INTO failures (service, kind, student_id, class_code, state, call, code, message, attempts, \
         first_failed_at_ms, last_failed_at_ms, due_at_ms, want, run_id, is_standing) \
         VALUES (?1, ?2, ?3, ?4, ?5, '', ?6, ?7, 0, ?8, ?8, ?8, ?9, ?10, 1) \
         ON CONFLICT (service, kind, student_id, class_code, is_standing) \
         WHERE state IN ('waiting', 'dead', 'ignored', 'held') \
         DO UPDATE SET state = excluded.state, code = excluded.code, message = excluded.message, \
         first_failed_at_ms = excluded.first_failed_at_ms, last_failed_at_ms = excluded.last_failed_at_ms, \
         due_at_ms = excluded.due_at_ms, want = excluded.want, run_id = excluded.run_id",
    )
    .bind(key.service().as_str())
    .bind(key.kind.as_str())
    .bind(key.student.as_str())
    .bind(&key.class_key)
    .bind(state.as_str())
    .bind(code.as_str())
    .bind(message)
    .bind(now_ms)
    .bind(stored(*desired_hash))
    .bind(run.0)
    .execute(&mut **transaction)
    .await
    .done(DOING)
}
