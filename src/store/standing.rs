//! What is withheld, and what is held about single people: rows among the failures that nothing was tried for. They keep
//! nothing from being tried, and use up no attempts.

use std::collections::{HashMap, HashSet};

use rosterd_core::exam_plan::Fingerprint;
use rosterd_core::failure::{FailureCode, FailureState, OperationKey, Service};
use rosterd_core::roster::{RunId, StudentId};
use sqlx::{Sqlite, Transaction};

use super::error::{Doing, Written};
use super::failures::{key, state};
use super::keys::{fingerprint, stored};
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
    /// For a hold about single people: what it names. Another doubt is another matter too.
    pub about: Option<Fingerprint>,
    /// Whether it takes something from a student who left.
    pub of_leaver: bool,
}

/// What stands already, as earlier runs recorded it.
#[derive(Debug, Default)]
pub struct StandingRows {
    standing: HashMap<OperationKey, StandingRow>,
    /// What was given up, and what a row of the roster makes impossible: of each, what is wanted.
    dead: HashMap<OperationKey, Fingerprint>,
    /// What was not sent because a look-up right before the call said nothing, and is looked at again when it is due.
    unproven: HashMap<OperationKey, Unproven>,
}

#[derive(sqlx::FromRow)]
struct StoredStanding {
    failure_id: i64,
    kind: String,
    student_id: String,
    class_code: String,
    state: String,
    code: String,
    want: i64,
    about: i64,
    is_standing: bool,
    is_dead: bool,
    /// A leaver's, who is not back.
    is_gone: bool,
    is_told: bool,
}

#[derive(Debug)]
struct Unproven {
    desired_hash: Fingerprint,
    is_told: bool,
}

#[derive(Debug)]
struct StandingRow {
    id: i64,
    state: FailureState,
    code: FailureCode,
    desired_hash: Fingerprint,
    about: i64,
    /// A person said that this leaver stays, or has left: that stands until they are back.
    is_decided: bool,
    /// Whether a run that found it came to its end: one that was cut off has told nobody.
    is_told: bool,
}

impl StandingRows {
    /// Whether this stood before just so, and a run has told it, or passes by itself while a person said to leave the same:
    /// then it is no news.
    #[must_use]
    pub fn knows(&self, standing: &Standing) -> bool {
        self.same(standing).is_some_and(|row| row.is_told) || self.outlasts(standing)
    }

    /// Whether just this was given up, or found to be impossible, before.
    #[must_use]
    pub fn is_dead(&self, key: &OperationKey, desired_hash: Fingerprint) -> bool {
        self.dead.get(key) == Some(&desired_hash)
    }

    /// Whether a run has told before that just this was not sent, because a look-up right before the call said nothing of
    /// its candidate.
    #[must_use]
    pub fn is_unproven(&self, key: &OperationKey, desired_hash: Fingerprint) -> bool {
        let row = self.unproven.get(key);
        row.is_some_and(|row| row.is_told && row.desired_hash == desired_hash)
    }

    fn same(&self, standing: &Standing) -> Option<&StandingRow> {
        let row = self.standing.get(&standing.key)?;
        let is_same = row.desired_hash == standing.desired_hash
            && row.code == standing.code
            && row.about == standing.about.map_or(0, stored);
        is_same.then_some(row)
    }

    /// Whether what a person silenced stays in the place of this: a reading without an answer, or a clock that is wrong,
    /// decides nothing.
    fn outlasts(&self, standing: &Standing) -> bool {
        let row = self.standing.get(&standing.key);
        standing.code.passes() && row.is_some_and(|row| row.state == FailureState::Ignored)
    }
}

impl StateStore {
    /// What stands already of a service.
    pub async fn standing(&self, service: Service) -> Result<StandingRows, StoreError> {
        let rows: Vec<StoredStanding> = sqlx::query_as(
            "SELECT f.failure_id, f.kind, f.student_id, f.class_code, f.state, f.code, f.want, f.about, \
             f.is_standing, f.state = 'dead' AS is_dead, f.of_leaver = 1 AND l.student_id IS NOT NULL AS is_gone, NOT EXISTS \
             (SELECT 1 FROM runs AS r WHERE r.run_id = f.run_id AND r.finished_at_ms IS NULL) AS is_told \
             FROM open_failures AS f \
             LEFT JOIN links AS l ON l.student_id = f.student_id AND l.gone_since_ms IS NOT NULL \
             WHERE f.service = ? AND (f.is_standing = 1 OR f.state = 'dead' OR (f.state = 'waiting' \
             AND f.attempts = 0 AND f.code = ?)) ORDER BY f.failure_id",
        )
        .bind(service.as_str())
        .bind(FailureCode::NotFoundOut.as_str())
        .fetch_all(&self.reader)
        .await
        .doing("reading what waits")?;
        let mut standing = StandingRows::default();
        for row in rows {
            let StoredStanding {
                failure_id: id,
                kind,
                student_id,
                class_code,
                state: word,
                code,
                want,
                about,
                is_standing,
                is_dead,
                is_gone,
                is_told,
            } = row;
            let key = key(id, service.as_str(), &kind, student_id, class_code)?;
            let (code, desired_hash) = (FailureCode::parse(&code), fingerprint(want));
            if !is_standing && is_dead {
                standing.dead.insert(key, desired_hash);
                continue;
            }
            if !is_standing {
                standing.unproven.insert(key, Unproven { desired_hash, is_told });
                continue;
            }
            let state = state(id, &word)?;
            let is_decided = is_gone && state == FailureState::Ignored && !code.passes();
            let row = StandingRow { id, state, code, desired_hash, about, is_decided, is_told };
            standing.standing.insert(key, row);
        }
        Ok(standing)
    }

    /// Leavers of whom it was asked whether they are somebody else on the roster, and nobody has said so yet.
    pub async fn asked_about_as_one_person(&self) -> Result<Vec<StudentId>, StoreError> {
        let students: Vec<String> = sqlx::query_scalar(
            "SELECT DISTINCT student_id FROM open_failures WHERE service = 'exam' AND is_standing = 1 \
             AND code = 'same-person' AND kind IN ('delete', 'move') ORDER BY student_id",
        )
        .fetch_all(&self.reader)
        .await
        .doing("reading who is asked about")?;
        Ok(students.into_iter().map(StudentId::new).collect())
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
                Some(row) => renew(&mut transaction, row, standing, (run, now_ms)).await?,
                None if before.outlasts(standing) => {}
                None => begin(&mut transaction, standing, (run, now_ms)).await?,
            }
        }
        transaction.commit().await.doing(DOING)
    }

    /// Closes what no longer stands by the newest complete plan. What a person silenced stands as long as the plan leaves
    /// it undone, or open, and what they decided about a leaver until that one is back.
    pub async fn close_standing(
        &self,
        before: &StandingRows,
        now: &[Standing],
        is_left: impl Fn(&OperationKey) -> bool,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let stands: HashSet<&OperationKey> = now.iter().map(|standing| &standing.key).collect();
        let is_silenced = |key: &OperationKey, row: &StandingRow| {
            row.is_decided || (row.state == FailureState::Ignored && is_left(key))
        };
        let over =
            before.standing.iter().filter(|(key, row)| !stands.contains(key) && !is_silenced(key, row));
        let over: Vec<i64> = over.map(|(_, row)| row.id).collect();
        self.supersede(over, now_ms, "closing what no longer waits").await.map(drop)
    }
}

const DOING: &str = "recording what waits";

/// Stands as it stood: only its sentence and its moment are new, and the run where none has told it yet.
async fn renew(
    transaction: &mut Transaction<'_, Sqlite>,
    row: &StandingRow,
    standing: &Standing,
    (run, now_ms): (RunId, i64),
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE failures SET state = ?, message = ?, last_failed_at_ms = ?, run_id = iif(?, run_id, ?) \
         WHERE failure_id = ?",
    )
    .bind(standing.state.as_str())
    .bind(&standing.message)
    .bind(now_ms)
    .bind(row.is_told)
    .bind(run.0)
    .bind(row.id)
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
    let Standing { key, state, code, message, desired_hash, about, of_leaver } = standing;
    sqlx::query(
        "INSERT INTO failures (service, kind, student_id, class_code, state, call, code, message, attempts, \
         first_failed_at_ms, last_failed_at_ms, due_at_ms, want, run_id, about, of_leaver, is_standing) \
         VALUES (?1, ?2, ?3, ?4, ?5, '', ?6, ?7, 0, ?8, ?8, ?8, ?9, ?10, ?11, ?12, 1) \
         ON CONFLICT (service, kind, student_id, class_code, is_standing) \
         WHERE state IN ('waiting', 'dead', 'ignored', 'held') \
         DO UPDATE SET state = excluded.state, code = excluded.code, message = excluded.message, \
         first_failed_at_ms = excluded.first_failed_at_ms, last_failed_at_ms = excluded.last_failed_at_ms, \
         due_at_ms = excluded.due_at_ms, want = excluded.want, run_id = excluded.run_id, \
         about = excluded.about, of_leaver = excluded.of_leaver",
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
    .bind(about.map_or(0, stored))
    .bind(of_leaver)
    .execute(&mut **transaction)
    .await
    .done(DOING)
}
