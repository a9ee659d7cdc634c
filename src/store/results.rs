//! The mirror of exam results: taking in pages, and queries.

use std::collections::{HashMap, HashSet};

use futures_util::stream::{Stream, StreamExt};
use sqlx::{Sqlite, Transaction};

use super::error::{Doing, Written, counted};
use super::told_apart::told_apart;
use super::{ResultsPass, StateStore, StoreError};
use rosterd_core::roster::{Attempt, AttemptKey, AttemptStatus, ExamId, LoginValue, Sid, StudentId};

/// How an attempt of a page compares with the stored one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// It was not there.
    New,
    /// It was there with other values.
    Changed,
    /// It was there as it is.
    Known {
        /// Whether an earlier pass stored it.
        before: bool,
    },
    /// It was its candidate's who left long ago, and is not taken in again.
    Forgotten,
}

impl Met {
    /// The same attempt once more in one page: nothing new comes with it.
    #[must_use]
    pub fn again(self) -> Self {
        match self {
            Self::New | Self::Changed => Self::Known { before: false },
            Self::Known { .. } | Self::Forgotten => self,
        }
    }
}

/// The relation of an attempt's candidate to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CandidateStatus {
    Managed,
    /// A student's once; the link is closed because the candidate is gone.
    Deleted,
    /// Not linked to a student.
    Unmanaged,
}

impl CandidateStatus {
    /// The word in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Managed => "managed",
            Self::Deleted => "deleted",
            Self::Unmanaged => "unmanaged",
        }
    }
}

/// One attempt with its student.
#[derive(Clone, Debug)]
pub struct StudentResult {
    pub attempt: Attempt,
    /// The student, where the candidate is or was one's.
    pub student: Option<StudentId>,
    /// The candidate's relation to us.
    pub candidate: CandidateStatus,
}

/// A filter for attempts; an absent field matches any.
#[derive(Clone, Debug, Default)]
pub struct ResultFilter {
    pub exam: Option<ExamId>,
    /// The student, under any of their candidates.
    pub student: Option<StudentId>,
    /// Begun at this moment or later, in milliseconds since 1970 UTC.
    pub since_ms: Option<i64>,
    /// Begun before this moment.
    pub until_ms: Option<i64>,
}

/// The number of attempts by the candidate's relation to us.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResultCounts {
    pub managed: u64,
    /// Of candidates that were a student's.
    pub deleted: u64,
    pub unmanaged: u64,
}

/// A link says whose a candidate of the present account is; results of a former one are whose they were then.
const WHOSE: &str = "FROM results AS r LEFT JOIN links AS l ON l.sid = r.sid AND r.account = 0 \
                     LEFT JOIN result_owners AS f ON f.sid = r.sid AND f.account = r.account";

const WANTED: &str = "WHERE (?1 IS NULL OR r.eid = ?1) \
     AND (?2 IS NULL OR (r.sid, r.account) IN (SELECT sid, 0 FROM links WHERE student_id = ?2 \
          UNION SELECT sid, account FROM result_owners AS g WHERE g.student_id = ?2 \
          AND NOT (g.account = 0 AND EXISTS (SELECT 1 FROM links WHERE links.sid = g.sid)))) \
     AND (?3 IS NULL OR r.started_at_ms >= ?3) \
     AND (?4 IS NULL OR (r.started_at_ms > 0 AND r.started_at_ms < ?4))";

impl StateStore {
    /// Stores a page and the pass's progress in one transaction, so that after a crash the next pull
    /// continues from a whole page. Returns how each row compares with the stored one.
    pub async fn take_results(
        &self,
        pass: &mut ResultsPass,
        rows: &[Attempt],
        now_ms: i64,
    ) -> Result<Vec<Met>, StoreError> {
        let mut transaction = self.begin().await?;
        let kept = kept(&mut transaction, rows).await?;
        let rows = &told_apart(rows, &kept);
        let forgotten = forgotten(&mut transaction, rows).await?;
        let met = |row: &Attempt| {
            if forgotten.contains(&row.key.sid.0) { Met::Forgotten } else { met(row, &kept, pass.id) }
        };
        let met: Vec<Met> = rows.iter().map(met).collect();
        let is_written = |met: &Met, row: &Attempt| match met {
            Met::New | Met::Changed => true,
            Met::Forgotten => false,
            Met::Known { .. } => row.tid.is_some() && tid_kept(&kept, row).is_none(),
        };
        let written: Vec<&Attempt> =
            rows.iter().zip(&met).filter(|(row, met)| is_written(met, row)).map(|(row, _)| row).collect();
        write(&mut transaction, &written, pass.id, now_ms).await?;
        let fresh = met.iter().filter(|met| **met == Met::New).count();
        pass.fresh = pass.fresh.saturating_add(u64::try_from(fresh).unwrap_or(0));
        super::result_passes::update(&mut transaction, pass).await?;
        transaction.commit().await.doing("mirroring results")?;
        Ok(met)
    }

    /// The number of results of the present account.
    pub async fn count_results(&self) -> Result<u64, StoreError> {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM results WHERE account = 0")
            .fetch_one(self.writer()?)
            .await
            .doing("counting results")?;
        Ok(counted(count))
    }

    /// The number of results by the candidate's relation to us.
    pub async fn result_counts(&self) -> Result<ResultCounts, StoreError> {
        let sql = format!(
            "SELECT count(l.sid), count(CASE WHEN l.sid IS NULL THEN f.sid END), \
             count(CASE WHEN l.sid IS NULL AND f.sid IS NULL THEN 1 END) {WHOSE}"
        );
        // Only our own texts are spliced in.
        let (managed, deleted, unmanaged): (i64, i64, i64) = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .fetch_one(&self.reader)
            .await
            .doing("counting results")?;
        let count = |count| counted(count);
        Ok(ResultCounts { managed: count(managed), deleted: count(deleted), unmanaged: count(unmanaged) })
    }

    /// The number of results that match a filter.
    pub async fn count_matching_results(&self, filter: &ResultFilter) -> Result<u64, StoreError> {
        let sql = format!("SELECT count(*) FROM results AS r {WANTED}");
        let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .bind(filter.exam.map(|exam| exam.0))
            .bind(filter.student.as_ref().map(StudentId::as_str))
            .bind(filter.since_ms)
            .bind(filter.until_ms)
            .fetch_one(&self.reader)
            .await
            .doing("counting results")?;
        Ok(counted(count))
    }

    /// The results that a filter leaves, newest first, one at a time; at most `limit` where there is one.
    pub fn results(
        &self,
        filter: &ResultFilter,
        limit: Option<u32>,
    ) -> impl Stream<Item = Result<StudentResult, StoreError>> + Send + '_ {
        let sql = format!(
            "SELECT r.eid, r.sid, r.started_at_ms, r.untimed, r.tid, r.login_value, r.score, r.passed, \
             r.status, r.ended_at_ms, l.sid IS NOT NULL AS is_managed, f.sid IS NOT NULL AS is_former, \
             coalesce(l.student_id, f.student_id) AS student_id {WHOSE} {WANTED} \
             ORDER BY r.started_at_ms DESC, r.eid, r.sid, r.untimed LIMIT ?5"
        );
        sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(filter.exam.map(|exam| exam.0))
            .bind(filter.student.as_ref().map(|student| student.as_str().to_owned()))
            .bind(filter.since_ms)
            .bind(filter.until_ms)
            .bind(limit.map_or(-1, i64::from))
            .fetch(&self.reader)
            .map(|row: Result<StudentResultRow, _>| Ok(row.doing("reading results")?.into()))
    }
}

#[derive(sqlx::FromRow)]
struct StudentResultRow {
    #[sqlx(flatten)]
    attempt: AttemptRow,
    is_managed: bool,
    is_former: bool,
    student_id: Option<String>,
}

impl From<StudentResultRow> for StudentResult {
    fn from(row: StudentResultRow) -> Self {
        let candidate = match (row.is_managed, row.is_former) {
            (true, _) => CandidateStatus::Managed,
            (false, true) => CandidateStatus::Deleted,
            (false, false) => CandidateStatus::Unmanaged,
        };
        Self { attempt: row.attempt.into(), student: row.student_id.map(StudentId::new), candidate }
    }
}

#[derive(sqlx::FromRow)]
struct KeptRow {
    #[sqlx(flatten)]
    attempt: AttemptRow,
    first_pass: i64,
}

#[derive(sqlx::FromRow)]
struct AttemptRow {
    eid: i64,
    sid: i64,
    started_at_ms: i64,
    untimed: String,
    tid: Option<String>,
    login_value: Option<String>,
    score: Option<f64>,
    passed: Option<bool>,
    status: Option<i64>,
    ended_at_ms: Option<i64>,
}

impl From<AttemptRow> for Attempt {
    fn from(row: AttemptRow) -> Self {
        let (exam, sid) = (ExamId(row.eid), Sid(row.sid));
        Self {
            key: AttemptKey { exam, sid, started_at_ms: row.started_at_ms, untimed: row.untimed },
            tid: row.tid,
            login: row.login_value.map(LoginValue::new),
            score: row.score,
            passed: row.passed,
            status: AttemptStatus::of(row.status),
            ended_at_ms: row.ended_at_ms,
        }
    }
}

/// The stored attempts of a page, with the pass that stored each.
pub(super) type Kept = HashMap<AttemptKey, (Attempt, i64)>;

async fn kept(transaction: &mut Transaction<'_, Sqlite>, rows: &[Attempt]) -> Result<Kept, StoreError> {
    let keys: Vec<(i64, i64, i64, &str)> = rows
        .iter()
        .map(|row| (row.key.exam.0, row.key.sid.0, row.key.started_at_ms, row.key.untimed.as_str()))
        .collect();
    let found: Vec<KeptRow> = sqlx::query_as(
        "SELECT r.eid, r.sid, r.started_at_ms, r.untimed, r.tid, r.login_value, r.score, r.passed, r.status, \
         r.ended_at_ms, r.first_pass FROM json_each(?) AS k CROSS JOIN results AS r \
         ON r.eid = k.value ->> 0 AND r.sid = k.value ->> 1 AND r.started_at_ms = k.value ->> 2 \
         AND r.account = 0 AND (r.started_at_ms > 0 OR r.untimed = k.value ->> 3 \
         OR substr(r.untimed, 1, length(k.value ->> 3) + 1) = (k.value ->> 3) || '#') \
         ORDER BY r.eid, r.sid, r.started_at_ms, r.untimed",
    )
    .bind(serde_json::json!(keys).to_string())
    .fetch_all(&mut **transaction)
    .await
    .doing("reading results")?;
    let pair = |KeptRow { attempt, first_pass }| {
        let attempt = Attempt::from(attempt);
        (attempt.key.clone(), (attempt, first_pass))
    };
    Ok(found.into_iter().map(pair).collect())
}

/// Candidates of a page whose results have been forgotten.
async fn forgotten(
    transaction: &mut Transaction<'_, Sqlite>,
    rows: &[Attempt],
) -> Result<HashSet<i64>, StoreError> {
    let sids: Vec<i64> = rows.iter().map(|row| row.key.sid.0).collect();
    let found: Vec<i64> = sqlx::query_scalar(
        "SELECT sid FROM result_owners WHERE account = 0 AND student_id = '' AND sid IN (SELECT value FROM json_each(?)) \
         AND sid NOT IN (SELECT sid FROM links) ORDER BY sid",
    )
    .bind(serde_json::json!(sids).to_string())
    .fetch_all(&mut **transaction)
    .await
    .doing("reading whose results are forgotten")?;
    Ok(found.into_iter().collect())
}

fn met(row: &Attempt, kept: &Kept, pass: i64) -> Met {
    match kept.get(&row.key) {
        None => Met::New,
        Some((kept, first_pass)) if kept.agrees_with(row) => Met::Known { before: *first_pass != pass },
        Some(_) => Met::Changed,
    }
}

fn tid_kept<'k>(kept: &'k Kept, row: &Attempt) -> Option<&'k str> {
    kept.get(&row.key).and_then(|(kept, _)| kept.tid.as_deref())
}

async fn write(
    transaction: &mut Transaction<'_, Sqlite>,
    rows: &[&Attempt],
    pass: i64,
    now_ms: i64,
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let values: Vec<serde_json::Value> = rows
        .iter()
        .map(|row| {
            let Attempt { key, tid, login, score, passed, status, ended_at_ms } = row;
            let login = login.as_ref().map(LoginValue::as_str);
            let passed = passed.map(i64::from);
            let at = key.started_at_ms;
            serde_json::json!([
                key.exam.0,
                key.sid.0,
                at,
                key.untimed,
                tid,
                login,
                score,
                passed,
                status.code(),
                ended_at_ms
            ])
        })
        .collect();
    let values = serde_json::Value::from(values).to_string();
    let doing = "mirroring results";
    sqlx::query(
        "INSERT INTO results (eid, sid, started_at_ms, untimed, tid, login_value, score, passed, status, \
         ended_at_ms, first_pass, first_seen_at_ms, changed_at_ms) \
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, \
         value ->> 7, value ->> 8, value ->> 9, ?1, ?2, ?2 FROM json_each(?3) WHERE true \
         ON CONFLICT DO UPDATE SET tid = coalesce(excluded.tid, tid), login_value = excluded.login_value, \
         score = excluded.score, passed = excluded.passed, status = excluded.status, \
         ended_at_ms = excluded.ended_at_ms, changed_at_ms = excluded.changed_at_ms",
    )
    .bind(pass)
    .bind(now_ms)
    .bind(&values)
    .execute(&mut **transaction)
    .await
    .doing(doing)?;
    // An attempt whose start has become known is no longer identified by its tid.
    sqlx::query(
        "DELETE FROM results WHERE account = 0 AND started_at_ms = 0 AND untimed <> '' AND \
         (eid, sid, iif(instr(untimed, '#') > 0, substr(untimed, 1, instr(untimed, '#') - 1), untimed)) IN \
         (SELECT value ->> 0, value ->> 1, value ->> 4 FROM json_each(?) WHERE value ->> 2 > 0)",
    )
    .bind(&values)
    .execute(&mut **transaction)
    .await
    .done(doing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(tid: &str, score: f64) -> Attempt {
        Attempt {
            key: AttemptKey { exam: ExamId(1), sid: Sid(2), started_at_ms: 3000, untimed: String::new() },
            tid: Some(tid.to_owned()),
            login: None,
            score: Some(score),
            passed: None,
            status: AttemptStatus::Submitted,
            ended_at_ms: Some(4000),
        }
    }

    async fn take(state: &StateStore, rows: &[Attempt]) -> Vec<Met> {
        let mut pass = match state.open_results_pass().await.unwrap() {
            Some(pass) => pass,
            None => state.begin_results_pass(true, 1).await.unwrap(),
        };
        let met = state.take_results(&mut pass, rows, 1).await.unwrap();
        state.finish_results_pass(&pass, Some(0), 1).await.unwrap();
        met
    }

    #[tokio::test]
    async fn attempts_without_start_and_link_are_told_apart_by_their_values() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateStore::open(&folder.path().join("state.db")).await.unwrap();
        let untimed = |score| {
            let of_nothing = attempt("t", score);
            let key = AttemptKey { started_at_ms: 0, ..of_nothing.key.clone() };
            Attempt { key, tid: None, ..of_nothing }
        };
        let known = Met::Known { before: true };
        assert_eq!(take(&state, &[untimed(1.0), untimed(2.0)]).await, [Met::New, Met::New]);
        assert_eq!(take(&state, &[untimed(2.0), untimed(1.0)]).await, [known, known]);
        assert_eq!(state.count_results().await.unwrap(), 2);
        state.close().await;
    }

    #[tokio::test]
    async fn two_attempts_of_one_second_are_two_and_stay_two_however_they_come() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateStore::open(&folder.path().join("state.db")).await.unwrap();
        let (one, other) = (attempt("t1", 10.0), attempt("t2", 20.0));
        let known = Met::Known { before: true };
        let table = [
            ("one alone", vec![one.clone()], vec![Met::New], 1),
            ("its twin beside it", vec![other.clone(), one.clone()], vec![Met::New, known], 2),
            ("both the other way round", vec![one.clone(), other.clone()], vec![known, known], 2),
            ("the twin alone", vec![other.clone()], vec![known], 2),
            ("links that changed", vec![attempt("t3", 10.0), attempt("t4", 20.0)], vec![known, known], 2),
            ("one was marked again", vec![attempt("t1", 11.0)], vec![Met::Changed], 2),
            (
                "a third with a link that is known",
                vec![attempt("t1", 11.0), attempt("t1", 5.0)],
                vec![known, Met::New],
                3,
            ),
            (
                "these the other way round",
                vec![attempt("t1", 5.0), attempt("t1", 11.0)],
                vec![known, known],
                3,
            ),
            ("the third alone", vec![attempt("t1", 5.0)], vec![known], 3),
        ];
        for (name, rows, expected, count) in table {
            assert_eq!(take(&state, &rows).await, expected, "{name}");
            assert_eq!(state.count_results().await.unwrap(), count, "{name}");
        }
        state.close().await;
    }
}
