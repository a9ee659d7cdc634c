//! Open failures: listed, read for planning, closed, retried and silenced.

use std::collections::{BTreeMap, HashMap, HashSet};

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::failure_owner::FailureOwner;
use super::intents::fingerprint;
use super::outcomes::{OperationKey, keys};
use super::{StateStore, StoreError};
use rosterd_core::exam_plan::{FailureState, Fingerprint, OpenFailure, OpenFailures, OperationKind};
use rosterd_core::roster::StudentId;

/// One of the two services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// OnlineExamMaker.
    Exam,
    /// ClassIn.
    Classin,
}

impl Service {
    /// The word in tables and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exam => "exam",
            Self::Classin => "classin",
        }
    }
}

/// The outcome of one operation, as far as it is recorded.
#[derive(Clone, Debug)]
pub struct FailureRecord {
    /// The service.
    pub service: Service,
    /// The kind of operation.
    pub kind: &'static str,
    /// The student.
    pub student: StudentId,
    /// For ClassIn: the class, by the school's code; otherwise empty.
    pub class_code: String,
    /// The call it was part of.
    pub call: String,
    /// A stable code, ours or the service's.
    pub code: String,
    /// Our own sentence.
    pub message: String,
    /// The service's own text, masked.
    pub service_text: Option<String>,
    /// The batch of the run.
    pub batch: Option<u64>,
    /// The item of the batch, counted from 0.
    pub index: Option<u64>,
    /// The hash of the desired change.
    pub desired_hash: Fingerprint,
    /// Its state.
    pub state: FailureState,
    /// Failed attempts so far.
    pub attempts: u32,
    /// When it is due again, in milliseconds since 1970 UTC.
    pub due_at_ms: i64,
}

/// One open failure as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct FailureRow {
    /// Its number.
    pub id: i64,
    /// The service.
    pub service: String,
    /// The kind of operation.
    pub kind: String,
    /// The student.
    pub student_id: String,
    /// For ClassIn: the class; otherwise empty.
    pub class_code: String,
    /// `waiting`, `dead` or `ignored`.
    pub state: String,
    /// A stable code.
    pub code: String,
    /// Our own sentence.
    pub message: String,
    /// Who can resolve it: `school office`, `it`, `service` or `quota`.
    pub who: &'static str,
    /// The service's own text, masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_text: Option<String>,
    /// The batch of its run.
    pub batch: Option<i64>,
    /// The item of the batch, counted from 0.
    pub index: Option<i64>,
    /// Failed attempts so far.
    pub attempts: i64,
    /// When it is due again, as RFC 3339; absent for a dead letter.
    pub due_at: Option<String>,
}

/// The number of open failures by service and owner.
pub type OwnerCounts = BTreeMap<(String, FailureOwner), u64>;

/// Earlier attempts at one thing that is wanted.
#[derive(Clone, Copy, Debug)]
pub struct EarlierAttempts {
    /// The number of failed attempts.
    pub attempts: u32,
    /// The hash of the change desired then.
    pub desired_hash: Fingerprint,
}

/// An open failure of ClassIn, as the planner needs it.
#[derive(Clone, Debug)]
pub struct ClassinOpenFailure {
    /// The kind of operation.
    pub kind: String,
    /// The student.
    pub student: StudentId,
    /// The class, by the school's code; empty for accounts.
    pub class_code: String,
    /// A stable code, ours or the service's.
    pub code: String,
    /// The failure, as the planner reads it.
    pub failure: OpenFailure,
}

fn failure_row(row: &SqliteRow) -> Result<FailureRow, sqlx::Error> {
    let state: String = row.try_get("state")?;
    let due: i64 = row.try_get("due_at_ms")?;
    let due_at = (state == "waiting")
        .then(|| jiff::Timestamp::from_millisecond(due).ok().map(|due| format!("{due:.0}")))
        .flatten();
    let (service, kind): (String, String) = (row.try_get("service")?, row.try_get("kind")?);
    let code: String = row.try_get("code")?;
    Ok(FailureRow {
        id: row.try_get("failure_id")?,
        who: FailureOwner::of(&service, &kind, &code, &state).as_str(),
        service,
        kind,
        student_id: row.try_get("student_id")?,
        class_code: row.try_get("class_code")?,
        state,
        code,
        message: row.try_get("message")?,
        service_text: row.try_get("service_text")?,
        batch: row.try_get("batch")?,
        index: row.try_get("item_index")?,
        attempts: row.try_get("attempts")?,
        due_at,
    })
}

impl StateStore {
    /// The open failures of the exam side, for the planner.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn exam_open_failures(&self) -> Result<OpenFailures, StoreError> {
        let doing = "reading open failures";
        let rows = sqlx::query(
            "SELECT kind, student_id, state, due_at_ms, want FROM failures \
             WHERE service = 'exam' AND state IN ('waiting', 'dead', 'ignored') ORDER BY failure_id",
        )
        .fetch_all(&self.reader)
        .await
        .map_err(StoreError::query(doing))?;
        let mut holds = OpenFailures::default();
        for row in &rows {
            let read = || -> Result<_, sqlx::Error> {
                let kind: String = row.try_get("kind")?;
                let state: String = row.try_get("state")?;
                let student: String = row.try_get("student_id")?;
                let due_at_ms = row.try_get("due_at_ms")?;
                Ok((kind, state, student, due_at_ms, row.try_get::<i64, _>("want")?))
            };
            let (kind, state, student, due_at_ms, desired_hash) = read().map_err(StoreError::query(doing))?;
            if let (Some(kind), Some(state)) = (OperationKind::parse(&kind), FailureState::parse(&state)) {
                let hold = OpenFailure { state, due_at_ms, desired_hash: fingerprint(desired_hash) };
                holds.insert(StudentId::new(student), kind, hold);
            }
        }
        Ok(holds)
    }

    /// The open failures of ClassIn, each with how it holds its operation back.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn classin_open_failures(&self) -> Result<Vec<ClassinOpenFailure>, StoreError> {
        let doing = "reading open failures";
        let rows = sqlx::query(
            "SELECT kind, student_id, class_code, code, state, due_at_ms, want FROM failures \
             WHERE service = 'classin' AND state IN ('waiting', 'dead', 'ignored') ORDER BY failure_id",
        )
        .fetch_all(&self.reader)
        .await
        .map_err(StoreError::query(doing))?;
        rows.iter()
            .map(|row| {
                let state: String = row.try_get("state")?;
                let student: String = row.try_get("student_id")?;
                let desired_hash: i64 = row.try_get("want")?;
                let hold = OpenFailure {
                    state: FailureState::parse(&state).unwrap_or(FailureState::Waiting),
                    due_at_ms: row.try_get("due_at_ms")?,
                    desired_hash: fingerprint(desired_hash),
                };
                Ok(ClassinOpenFailure {
                    kind: row.try_get("kind")?,
                    student: StudentId::new(student),
                    class_code: row.try_get("class_code")?,
                    code: row.try_get("code")?,
                    failure: hold,
                })
            })
            .collect::<Result<_, _>>()
            .map_err(StoreError::query(doing))
    }

    /// Earlier attempts at this operation, if it is an open failure.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn earlier_attempts(
        &self,
        service: Service,
        kind: &str,
        student: &StudentId,
        class_code: &str,
    ) -> Result<Option<EarlierAttempts>, StoreError> {
        let row: Option<(i64, i64)> = sqlx::query_as(
            "SELECT attempts, want FROM failures WHERE service = ? AND kind = ? AND student_id = ? \
             AND class_code = ? AND state IN ('waiting', 'dead', 'ignored')",
        )
        .bind(service.as_str())
        .bind(kind)
        .bind(student.as_str())
        .bind(class_code)
        .fetch_optional(&self.reader)
        .await
        .map_err(StoreError::query("reading earlier attempts"))?;
        Ok(row.map(|(attempts, desired_hash)| EarlierAttempts {
            attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
            desired_hash: fingerprint(desired_hash),
        }))
    }

    /// How often the service itself failed over an exam-side call with this operation in it, by student and
    /// kind.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn failed_over(&self) -> Result<HashMap<(StudentId, String), u32>, StoreError> {
        let rows: Vec<(String, String, i64)> = sqlx::query_as(
            "SELECT student_id, kind, attempts FROM failures WHERE service = 'exam' AND code = 'service-failed' \
             AND state IN ('waiting', 'dead', 'ignored') ORDER BY failure_id",
        )
        .fetch_all(&self.reader)
        .await
        .map_err(StoreError::query("reading earlier attempts"))?;
        let attempts = |count: i64| u32::try_from(count).unwrap_or(u32::MAX);
        Ok(rows
            .into_iter()
            .map(|(student, kind, count)| ((StudentId::new(student), kind), attempts(count)))
            .collect())
    }

    /// Open failures, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn open_failures(&self) -> Result<Vec<FailureRow>, StoreError> {
        let doing = "listing failures";
        let rows = sqlx::query(
            "SELECT failure_id, service, kind, student_id, class_code, state, code, message, service_text, \
             batch, item_index, attempts, due_at_ms FROM failures \
             WHERE state IN ('waiting', 'dead', 'ignored') ORDER BY failure_id",
        )
        .fetch_all(&self.reader)
        .await
        .map_err(StoreError::query(doing))?;
        rows.iter().map(failure_row).collect::<Result<_, _>>().map_err(StoreError::query(doing))
    }

    /// The number of open failures by service and owner, silenced ones not counted.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn open_failures_by_owner(&self) -> Result<OwnerCounts, StoreError> {
        let rows: Vec<(String, String, String, String, i64)> = sqlx::query_as(
            "SELECT service, kind, code, state, count(*) FROM failures WHERE state IN ('waiting', 'dead') \
             GROUP BY service, kind, code, state ORDER BY service, kind, code, state",
        )
        .fetch_all(&self.reader)
        .await
        .map_err(StoreError::query("counting open failures"))?;
        let mut counts = OwnerCounts::new();
        for (service, kind, code, state, count) in rows {
            let owner = FailureOwner::of(&service, &kind, &code, &state);
            *counts.entry((service, owner)).or_default() += u64::try_from(count).unwrap_or(0);
        }
        Ok(counts)
    }

    /// These adds were refused because the account is full: no fault of their students, and no attempt that
    /// counts towards giving up.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn blame_account(&self, refused: &[OperationKey]) -> Result<(), StoreError> {
        if refused.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "UPDATE failures SET code = 'account-full', state = 'waiting', attempts = max(attempts - 1, 1), \
             message = 'the account has no room for more candidates: raise its candidate number limit, or delete \
             candidates that nobody needs' \
             WHERE state IN ('waiting', 'dead') AND (service, kind, student_id, class_code) IN \
             (SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?))",
        )
        .bind(keys(refused))
        .execute(&self.writer)
        .await
        .map(drop)
        .map_err(StoreError::query("recording that the account is full"))
    }

    /// Closes as superseded every open failure of a service that is not part of the newest complete plan;
    /// `wanted` holds kind, student and class code of the plan's operations.
    ///
    /// # Errors
    /// When the database cannot be read or written.
    pub async fn supersede_failures(
        &self,
        service: Service,
        wanted: &HashSet<(String, String, String)>,
        now_ms: i64,
    ) -> Result<u64, StoreError> {
        let doing = "closing failures";
        let open: Vec<(i64, String, String, String)> = sqlx::query_as(
            "SELECT failure_id, kind, student_id, class_code FROM failures \
             WHERE service = ? AND state IN ('waiting', 'dead', 'ignored') ORDER BY failure_id",
        )
        .bind(service.as_str())
        .fetch_all(&self.reader)
        .await
        .map_err(StoreError::query(doing))?;
        let unwanted: Vec<i64> = open
            .into_iter()
            .filter(|(_, kind, student, class)| {
                !wanted.contains(&(kind.clone(), student.clone(), class.clone()))
            })
            .map(|(id, ..)| id)
            .collect();
        if unwanted.is_empty() {
            return Ok(0);
        }
        sqlx::query(
            "UPDATE failures SET state = 'superseded', closed_at_ms = ? \
             WHERE failure_id IN (SELECT value FROM json_each(?))",
        )
        .bind(now_ms)
        .bind(json(&unwanted))
        .execute(&self.writer)
        .await
        .map(|done| done.rows_affected())
        .map_err(StoreError::query(doing))
    }

    /// Makes failures due now (`failures retry`), or silences them (`failures ignore`); all open ones
    /// when `ids` is absent. Says how many were changed.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn change_failures(
        &self,
        ids: Option<&[i64]>,
        to: FailureState,
        now_ms: i64,
    ) -> Result<u64, StoreError> {
        let doing = "changing failures";
        // Without a list every open failure is meant.
        sqlx::query(
            "UPDATE failures SET state = ?, due_at_ms = ?, \
             attempts = CASE WHEN ? = 'waiting' THEN 0 ELSE attempts END \
             WHERE state IN ('waiting', 'dead', 'ignored') \
             AND (? IS NULL OR failure_id IN (SELECT value FROM json_each(?)))",
        )
        .bind(to.as_str())
        .bind(now_ms)
        .bind(to.as_str())
        .bind(ids.map(json))
        .bind(ids.map(json))
        .execute(&self.writer)
        .await
        .map(|done| done.rows_affected())
        .map_err(StoreError::query(doing))
    }
}

/// Numbers for `json_each`: one statement for any number of them.
fn json(numbers: &[i64]) -> String {
    let parts: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    format!("[{}]", parts.join(","))
}
