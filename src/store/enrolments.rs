//! The memory of ClassIn memberships, with their evidence.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::error::{Doing, counted};
use super::{REMOVAL, StateStore, StoreError, held_masses, put_back};
use rosterd_core::classin_plan::{ClassSize, Code, EnrolmentRecord, Evidence};
use rosterd_core::roster::{ClassCode, ClassId, ClassTarget, ClassinUid, CourseId, RunId, StudentId};

/// A change to what is remembered of one account in one class.
#[derive(Clone, Debug)]
pub enum EnrolmentChange {
    /// A new state of knowledge, with the code behind it.
    Know {
        /// The membership and its evidence.
        record: EnrolmentRecord,
        /// The code that said so, where one did.
        code: Option<Code>,
        /// Whether ClassIn has just said that the account is there.
        is_confirmed: bool,
    },
    /// The account is now wanted for another student than it was enrolled for.
    HandOver {
        uid: ClassinUid,
        target: ClassTarget,
        /// The student it is wanted for now.
        student: StudentId,
    },
    /// The account is out of the class, as ClassIn said.
    Out {
        uid: ClassinUid,
        target: ClassTarget,
        /// The code that said so.
        code: Option<Code>,
    },
    /// The account was never there, or is no longer our concern.
    Forget { uid: ClassinUid, target: ClassTarget },
    /// A run saw the student gone from the roster.
    Gone { uid: ClassinUid, target: ClassTarget },
    /// A run saw that nobody wants the account there, while the student is on the roster.
    Unwanted { uid: ClassinUid, target: ClassTarget },
    /// What it rested on may be gone, or a person was asked to end it: it is added once more before it is believed.
    NeedsProof { uid: ClassinUid, target: ClassTarget },
    /// Somebody wants the account there again.
    Returned { record: EnrolmentRecord },
    /// The class or course takes no changes until its ids change on the roster.
    Close(ClosedClass),
    /// A class or course that was taken for over, as no row named it, is named again: it is asked anew.
    Reopen { target: ClassTarget },
}

/// A class or course that takes no changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedClass {
    pub target: ClassTarget,
    /// The code that said so.
    pub code: Code,
    pub message: String,
}

/// The stored class id; 0 means the whole course.
pub(super) fn stored_class(target: ClassTarget) -> i64 {
    target.class.map_or(0, |class| class.0)
}

pub(super) fn target(course: i64, class: i64) -> ClassTarget {
    ClassTarget { course: CourseId(course), class: (class != 0).then_some(ClassId(class)) }
}

#[derive(sqlx::FromRow)]
struct EnrolmentRow {
    uid: i64,
    course_id: i64,
    class_id: i64,
    student_id: String,
    evidence: String,
    gone_since_ms: Option<i64>,
    gone_runs: i64,
    unwanted_since_ms: Option<i64>,
    needs_proof: bool,
    is_to_be_put_back: bool,
}

/// A membership, with the number of runs that saw its student gone.
impl TryFrom<EnrolmentRow> for (EnrolmentRecord, u32) {
    type Error = StoreError;

    fn try_from(row: EnrolmentRow) -> Result<Self, StoreError> {
        let (uid, target) = (row.uid, target(row.course_id, row.class_id));
        let evidence = Evidence::parse(&row.evidence).ok_or_else(|| StoreError::Row {
            table: "enrolments",
            key: format!("{target} uid {uid}"),
            what: "has unknown evidence",
        })?;
        let (student, runs) = (StudentId::new(row.student_id), row.gone_runs);
        let EnrolmentRow { gone_since_ms, unwanted_since_ms, needs_proof, is_to_be_put_back, .. } = row;
        let record = EnrolmentRecord {
            uid: ClassinUid(uid),
            target,
            student,
            evidence,
            gone_since_ms,
            unwanted_since_ms,
            needs_proof,
            is_to_be_put_back,
        };
        Ok((record, u32::try_from(runs).unwrap_or(u32::MAX)))
    }
}

impl StateStore {
    /// The records of one course and its classes, each with the number of runs that saw its student gone.
    pub async fn enrolments_of_course(
        &self,
        course: CourseId,
    ) -> Result<Vec<(EnrolmentRecord, u32)>, StoreError> {
        let rows: Vec<EnrolmentRow> = sqlx::query_as(
            "SELECT uid, course_id, class_id, student_id, \
             iif(evidence = 'removing' AND was_presumed = 1, 'removing presumed', evidence) AS evidence, \
             gone_since_ms, gone_runs, unwanted_since_ms, needs_proof, \
             put_back = 'owed' AS is_to_be_put_back FROM enrolments WHERE course_id = ? AND evidence <> 'gone' ORDER BY class_id, uid",
        )
        .bind(course.0)
        .fetch_all(&self.reader)
        .await
        .doing("reading enrolments")?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// Every course of which something is remembered.
    pub async fn remembered_courses(&self) -> Result<BTreeSet<CourseId>, StoreError> {
        let rows: Vec<i64> = sqlx::query_scalar(
            "SELECT DISTINCT course_id FROM enrolments WHERE evidence <> 'gone' ORDER BY course_id",
        )
        .fetch_all(&self.reader)
        .await
        .doing("listing remembered courses")?;
        Ok(rows.into_iter().map(CourseId).collect())
    }

    /// Every class and course of which something is remembered, or that takes no changes.
    pub async fn recorded_targets(&self) -> Result<BTreeSet<ClassTarget>, StoreError> {
        let rows: Vec<(i64, i64)> = sqlx::query_as(
            "SELECT DISTINCT course_id, class_id FROM enrolments WHERE evidence <> 'gone' \
             UNION SELECT course_id, class_id FROM condemned_classes ORDER BY course_id, class_id",
        )
        .fetch_all(&self.reader)
        .await
        .doing("listing remembered classes")?;
        Ok(rows.into_iter().map(|(course, class)| target(course, class)).collect())
    }

    /// Of which adds nobody knows what became, and what ClassIn said last was one of these codes.
    pub async fn unknown_and_refused(
        &self,
        codes: impl Iterator<Item = Code>,
    ) -> Result<HashSet<(ClassTarget, ClassinUid)>, StoreError> {
        let codes: Vec<i64> = codes.map(|code| code.0).collect();
        let rows: Vec<(i64, i64, i64)> = sqlx::query_as(
            "SELECT course_id, class_id, uid FROM enrolments WHERE evidence = 'unknown' \
             AND code IN (SELECT value FROM json_each(?)) ORDER BY course_id, class_id, uid",
        )
        .bind(serde_json::json!(codes).to_string())
        .fetch_all(&self.reader)
        .await
        .doing("reading refused enrolments")?;
        Ok(rows.into_iter().map(|(course, class, uid)| (target(course, class), ClassinUid(uid))).collect())
    }

    /// The number of enrolments recorded as present.
    pub async fn count_enrolments(&self) -> Result<u64, StoreError> {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM enrolments WHERE evidence <> 'gone'")
            .fetch_one(&self.reader)
            .await
            .doing("counting enrolments")?;
        Ok(counted(count))
    }

    /// How many are in each class, how many of them were there at a moment, and how many left it since without an approval.
    /// What is closed has no size. `codes` are those by which the roster names classes, and so do approved removals.
    ///
    /// While removals are held by a limit, nobody counts who came in the run that found it, or since: what the same change of the roster adds makes no room
    /// for what it takes away.
    pub async fn class_sizes(
        &self,
        codes: &HashMap<ClassTarget, ClassCode>,
        since_ms: i64,
    ) -> Result<BTreeMap<ClassTarget, ClassSize>, StoreError> {
        let mut places: Vec<(i64, i64, String)> = codes
            .iter()
            .map(|(target, code)| (target.course.0, stored_class(*target), code.to_string()))
            .collect();
        places.sort_unstable();
        let rows: Vec<(i64, i64, i64, i64, i64)> = sqlx::query_as(
            "WITH held AS (SELECT coalesce(max(started_at_ms), 9223372036854775807) AS since_ms FROM runs \
                 WHERE started_at_ms <= (SELECT min(since_ms) FROM holds WHERE service = 'classin' \
                     AND is_standing = 1 AND reason IN ('max-delete', 'missing', 'max-group'))), \
             approved AS MATERIALIZED (SELECT student_id, place FROM counted_writes WHERE service = 'classin' \
                 AND kind = ?3 AND at_ms > ?1 AND approved = 1), \
             places AS MATERIALIZED (SELECT value ->> 0 AS course_id, value ->> 1 AS class_id, value ->> 2 AS place \
                 FROM json_each(?2)), \
             known AS (SELECT e.course_id, e.class_id, e.student_id, \
                 e.evidence NOT IN ('gone', 'condemned', 'removing') AS is_there, e.changed_at_ms, \
                 e.evidence IN ('gone', 'removing') AND e.changed_at_ms > ?1 AS has_left FROM enrolments AS e) \
             SELECT course_id, class_id, sum(is_there AND changed_at_ms < (SELECT since_ms FROM held)), \
                 sum(is_there AND changed_at_ms <= ?1), \
                 sum(has_left AND NOT EXISTS (SELECT 1 FROM approved AS removal \
                     WHERE removal.student_id = known.student_id AND (removal.place IN (SELECT places.place FROM places \
                         WHERE places.course_id = known.course_id AND places.class_id = known.class_id) \
                     OR removal.place = 'course ' || known.course_id \
                         || iif(known.class_id = 0, '', ' class ' || known.class_id)))) \
             FROM known GROUP BY course_id, class_id ORDER BY course_id, class_id",
        )
        .bind(since_ms)
        .bind(serde_json::json!(places).to_string())
        .bind(REMOVAL)
        .fetch_all(&self.reader)
        .await
        .doing("counting the members of classes")?;
        let size = |(living, since_yesterday, left)| ClassSize {
            living: counted(living),
            since_yesterday: counted(since_yesterday),
            left: counted(left),
        };
        Ok(rows
            .into_iter()
            .map(|(course, class, living, before, left)| {
                (target(course, class), size((living, before, left)))
            })
            .collect())
    }

    /// The classes in which ClassIn has shown somebody to be since a moment: they took changes then.
    pub async fn confirmed_classes(&self, since_ms: i64) -> Result<BTreeSet<ClassTarget>, StoreError> {
        let rows: Vec<(i64, i64)> = sqlx::query_as(
            "SELECT DISTINCT course_id, class_id FROM enrolments WHERE confirmed_at_ms > ? \
             AND evidence <> 'condemned' ORDER BY course_id, class_id",
        )
        .bind(since_ms)
        .fetch_all(&self.reader)
        .await
        .doing("listing classes that took changes lately")?;
        Ok(rows.into_iter().map(|(course, class)| target(course, class)).collect())
    }

    /// Classes and courses that take no changes.
    pub async fn closed_classes(&self) -> Result<Vec<ClosedClass>, StoreError> {
        let rows: Vec<(i64, i64, i64, String)> = sqlx::query_as(
            "SELECT course_id, class_id, code, message FROM condemned_classes ORDER BY course_id, class_id",
        )
        .fetch_all(&self.reader)
        .await
        .doing("reading condemned classes")?;
        Ok(rows
            .into_iter()
            .map(|(course, class, code, message)| ClosedClass {
                target: target(course, class),
                code: Code(code),
                message,
            })
            .collect())
    }

    /// Records what was learnt about enrolments, in one transaction.
    pub async fn record_enrolments(
        &self,
        changes: &[EnrolmentChange],
        run: RunId,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        let doing = "recording enrolments";
        let mut transaction = self.begin().await?;
        for change in changes {
            statement(change, run, now_ms).execute(&mut *transaction).await.doing(doing)?;
            if let EnrolmentChange::Close(closed) = change {
                close_members(closed, run, now_ms).execute(&mut *transaction).await.doing(doing)?;
            }
            if let EnrolmentChange::Know { record, is_confirmed: true, .. } = change
                && record.target.class.is_some()
            {
                put_back::is_in_a_class(record).execute(&mut *transaction).await.doing(doing)?;
            }
            if let EnrolmentChange::Returned { record } = change {
                held_masses::forget_removal(&mut transaction, record).await?;
            }
            if let EnrolmentChange::Reopen { target } = change {
                forget_closed(*target).execute(&mut *transaction).await.doing(doing)?;
            }
            if let Some((uid, target)) = leaves_a_course(change) {
                for what_rested_on_it in out_of_course(uid, target, run, now_ms) {
                    what_rested_on_it.execute(&mut *transaction).await.doing(doing)?;
                }
            }
        }
        transaction.commit().await.doing(doing)
    }
}

pub(super) type Statement<'q> = sqlx::query::Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;

fn statement(change: &EnrolmentChange, run: RunId, now_ms: i64) -> Statement<'_> {
    match change {
        EnrolmentChange::Know { record, code, is_confirmed } => {
            know(record, *code, is_confirmed.then_some(now_ms), run, now_ms)
        }
        EnrolmentChange::HandOver { uid, target, student } => sqlx::query(
            "UPDATE enrolments SET student_id = ? WHERE course_id = ? AND class_id = ? AND uid = ?",
        )
        .bind(student.as_str())
        .bind(target.course.0)
        .bind(stored_class(*target))
        .bind(uid.0),
        EnrolmentChange::Out { uid, target, code } => sqlx::query(
            "UPDATE enrolments SET evidence = 'gone', code = ?, changed_at_ms = ?, run_id = ?, \
             confirmed_at_ms = NULL, gone_since_ms = NULL, gone_runs = 0, unwanted_since_ms = NULL, \
             put_back = iif(put_back = 'owed', 'no', put_back) WHERE course_id = ? AND class_id = ? AND uid = ?",
        )
        .bind(code.map(|code| code.0))
        .bind(now_ms)
        .bind(run.0)
        .bind(target.course.0)
        .bind(stored_class(*target))
        .bind(uid.0),
        EnrolmentChange::Forget { uid, target } => {
            sqlx::query("DELETE FROM enrolments WHERE course_id = ? AND class_id = ? AND uid = ?")
                .bind(target.course.0)
                .bind(stored_class(*target))
                .bind(uid.0)
        }
        EnrolmentChange::Gone { uid, target } => sqlx::query(
            "UPDATE enrolments SET gone_since_ms = min(coalesce(gone_since_ms, ?1), ?1), gone_runs = gone_runs + 1, \
             unwanted_since_ms = min(coalesce(unwanted_since_ms, ?1), ?1) \
             WHERE course_id = ?2 AND class_id = ?3 AND uid = ?4",
        )
        .bind(now_ms)
        .bind(target.course.0)
        .bind(stored_class(*target))
        .bind(uid.0),
        EnrolmentChange::Unwanted { uid, target } => sqlx::query(
            "UPDATE enrolments SET gone_since_ms = NULL, gone_runs = 0, \
             unwanted_since_ms = min(coalesce(unwanted_since_ms, ?1), ?1) \
             WHERE course_id = ?2 AND class_id = ?3 AND uid = ?4",
        )
        .bind(now_ms)
        .bind(target.course.0)
        .bind(stored_class(*target))
        .bind(uid.0),
        EnrolmentChange::NeedsProof { uid, target } => sqlx::query(
            "UPDATE enrolments SET needs_proof = 1 WHERE course_id = ? AND class_id = ? AND uid = ?",
        )
        .bind(target.course.0)
        .bind(stored_class(*target))
        .bind(uid.0),
        EnrolmentChange::Returned { record: EnrolmentRecord { uid, target, .. } } => sqlx::query(
            "UPDATE enrolments SET gone_since_ms = NULL, gone_runs = 0, unwanted_since_ms = NULL \
             WHERE course_id = ? AND class_id = ? AND uid = ?",
        )
        .bind(target.course.0)
        .bind(stored_class(*target))
        .bind(uid.0),
        EnrolmentChange::Reopen { target } => {
            sqlx::query("DELETE FROM condemned_classes WHERE course_id = ? AND class_id = ?")
                .bind(target.course.0)
                .bind(stored_class(*target))
        }
        EnrolmentChange::Close(closed) => sqlx::query(
            "INSERT OR REPLACE INTO condemned_classes (course_id, class_id, code, message, at_ms, run_id) \
             VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(closed.target.course.0)
        .bind(stored_class(closed.target))
        .bind(closed.code.0)
        .bind(&closed.message)
        .bind(now_ms)
        .bind(run.0),
    }
}

/// Who is out of a whole course, or may be: the call is under way, or its answer was lost. It may never be repeated, so what
/// rested on the course does not wait for the answer.
fn leaves_a_course(change: &EnrolmentChange) -> Option<(ClassinUid, ClassTarget)> {
    let (uid, target) = match change {
        EnrolmentChange::Out { uid, target, .. } => (*uid, *target),
        EnrolmentChange::Know { record, .. }
            if matches!(record.evidence, Evidence::Removing | Evidence::RemovingPresumed) =>
        {
            (record.uid, record.target)
        }
        EnrolmentChange::Know { .. }
        | EnrolmentChange::HandOver { .. }
        | EnrolmentChange::Forget { .. }
        | EnrolmentChange::Gone { .. }
        | EnrolmentChange::Unwanted { .. }
        | EnrolmentChange::NeedsProof { .. }
        | EnrolmentChange::Returned { .. }
        | EnrolmentChange::Reopen { .. }
        | EnrolmentChange::Close(_) => return None,
    };
    target.class.is_none().then_some((uid, target))
}

/// Whoever is in a whole course is "already there" in each of its classes. Once they are out of the course, that
/// proves nothing any more. Whom we added there may have been given no place of their own: they stay ours, and are added
/// once more before they are believed.
fn out_of_course<'q>(uid: ClassinUid, target: ClassTarget, run: RunId, now_ms: i64) -> [Statement<'q>; 3] {
    let forgotten = sqlx::query(
        "DELETE FROM enrolments WHERE course_id = ? AND class_id <> 0 AND uid = ? AND evidence = 'present'",
    )
    .bind(target.course.0)
    .bind(uid.0);
    let unknown = sqlx::query(
        "UPDATE enrolments SET evidence = 'unknown', changed_at_ms = ?, run_id = ? \
         WHERE course_id = ? AND class_id <> 0 AND uid = ? AND evidence = 'presumed'",
    )
    .bind(now_ms)
    .bind(run.0)
    .bind(target.course.0)
    .bind(uid.0);
    let ours = sqlx::query(
        "UPDATE enrolments SET needs_proof = 1 \
         WHERE course_id = ? AND class_id <> 0 AND uid = ? AND evidence = 'added'",
    )
    .bind(target.course.0)
    .bind(uid.0);
    [forgotten, unknown, ours]
}

/// The update of all records in a class that takes no changes any more, or in any class of such a course.
fn close_members(closed: &ClosedClass, run: RunId, now_ms: i64) -> Statement<'_> {
    sqlx::query(
        "UPDATE enrolments SET evidence = 'condemned', code = ?, changed_at_ms = ?, run_id = ? \
         WHERE course_id = ? AND (? = 0 OR class_id = ?) AND evidence <> 'gone'",
    )
    .bind(closed.code.0)
    .bind(now_ms)
    .bind(run.0)
    .bind(closed.target.course.0)
    .bind(stored_class(closed.target))
    .bind(stored_class(closed.target))
}

/// Of a class that is asked anew, or of all classes of such a course, nothing is known: nobody was in it by ids that are not there.
fn forget_closed<'q>(target: ClassTarget) -> Statement<'q> {
    sqlx::query(
        "DELETE FROM enrolments WHERE course_id = ? AND (? = 0 OR class_id = ?) AND evidence = 'condemned'",
    )
    .bind(target.course.0)
    .bind(stored_class(target))
    .bind(stored_class(target))
}

/// The word in the table; what a removal was of stands beside it.
fn stored_evidence(evidence: Evidence) -> &'static str {
    if evidence == Evidence::RemovingPresumed { Evidence::Removing.as_str() } else { evidence.as_str() }
}

fn know(
    record: &EnrolmentRecord,
    code: Option<Code>,
    confirmed_at_ms: Option<i64>,
    run: RunId,
    now_ms: i64,
) -> Statement<'_> {
    sqlx::query(
        "INSERT INTO enrolments (course_id, class_id, uid, student_id, evidence, was_presumed, code, changed_at_ms, \
         run_id, confirmed_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
         ON CONFLICT (course_id, class_id, uid) DO UPDATE SET student_id = excluded.student_id, \
         evidence = excluded.evidence, was_presumed = excluded.was_presumed, code = excluded.code, \
         changed_at_ms = iif(evidence = excluded.evidence, changed_at_ms, excluded.changed_at_ms), \
         run_id = excluded.run_id, confirmed_at_ms = coalesce(excluded.confirmed_at_ms, confirmed_at_ms), \
         needs_proof = iif(excluded.confirmed_at_ms IS NULL, needs_proof, 0), \
         put_back = iif(excluded.confirmed_at_ms IS NULL, put_back, 'no')",
    )
    .bind(record.target.course.0)
    .bind(stored_class(record.target))
    .bind(record.uid.0)
    .bind(record.student.as_str())
    .bind(stored_evidence(record.evidence))
    .bind(record.evidence == Evidence::RemovingPresumed)
    .bind(code.map(|code| code.0))
    .bind(now_ms)
    .bind(run.0)
    .bind(confirmed_at_ms)
}
