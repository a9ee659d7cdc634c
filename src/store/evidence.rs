//! Our evidence of ClassIn memberships as it is shown and refreshed: how sure, since when, how long ago confirmed.

use std::collections::BTreeMap;

use super::enrolments::{stored_class, target};
use super::error::{Doing, counted};
use super::{StateStore, StoreError};
use rosterd_core::classin_plan::Code;
use rosterd_core::roster::{ClassTarget, ClassinUid, RunId, StudentId};

/// One remembered membership, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceRow {
    pub uid: ClassinUid,
    pub target: ClassTarget,
    /// The student it was enrolled for.
    pub student: StudentId,
    /// `added`, `present`, `presumed`, `unknown`, `gone`, `closed` or `removing`.
    pub evidence: String,
    /// ClassIn's code behind it.
    pub code: Option<i64>,
    /// Since when it is so, in milliseconds since 1970 UTC.
    pub changed_at_ms: i64,
    /// When ClassIn last said that the account is there, in milliseconds since 1970 UTC.
    pub confirmed_at_ms: Option<i64>,
    /// The run that learnt it.
    pub run: RunId,
}

/// How well all memberships are confirmed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EvidenceSummary {
    /// Memberships by evidence, the gone ones left out.
    pub by_evidence: BTreeMap<String, u64>,
    /// Memberships that exist or may exist, in classes that still take changes.
    pub living: u64,
    /// Those confirmed since the moment asked for.
    pub confirmed: u64,
}

/// A class that had no room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FullClass {
    pub target: ClassTarget,
    /// The code that said so.
    pub code: Code,
    /// Fingerprint of what the roster wanted there.
    pub wanted: u64,
    /// When it was found full, in milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// By which code the roster named it.
    pub class_code: String,
    /// How many of its students were not in it.
    pub waiting: u64,
}

/// A class without room, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, sqlx::FromRow)]
pub struct FullClassFigures {
    pub class_code: String,
    /// How many we remember in it.
    pub inside: i64,
    /// How many wait for room.
    pub waiting: i64,
}

const DOING: &str = "reading evidence";

#[derive(sqlx::FromRow)]
struct StoredEvidence {
    uid: i64,
    course_id: i64,
    class_id: i64,
    student_id: String,
    evidence: String,
    code: Option<i64>,
    changed_at_ms: i64,
    confirmed_at_ms: Option<i64>,
    run_id: i64,
}

impl From<StoredEvidence> for EvidenceRow {
    fn from(row: StoredEvidence) -> Self {
        Self {
            uid: ClassinUid(row.uid),
            target: target(row.course_id, row.class_id),
            student: StudentId::new(row.student_id),
            evidence: row.evidence,
            code: row.code,
            changed_at_ms: row.changed_at_ms,
            confirmed_at_ms: row.confirmed_at_ms,
            run: RunId(row.run_id),
        }
    }
}

impl StateStore {
    /// The records of one student and of their account, gone memberships included.
    pub async fn evidence_of_student(
        &self,
        student: &StudentId,
        uid: Option<ClassinUid>,
    ) -> Result<Vec<EvidenceRow>, StoreError> {
        let rows: Vec<StoredEvidence> = sqlx::query_as(
            "SELECT uid, course_id, class_id, student_id, evidence, code, changed_at_ms, confirmed_at_ms, run_id \
             FROM enrolments WHERE student_id = ? OR uid = ? ORDER BY course_id, class_id, uid",
        )
        .bind(student.as_str())
        .bind(uid.map(|uid| uid.0))
        .fetch_all(&self.reader)
        .await
        .doing(DOING)?;
        Ok(rows.into_iter().map(EvidenceRow::from).collect())
    }

    /// When each account of one class was last confirmed, in milliseconds since 1970 UTC; never: 0.
    pub async fn confirmations_of(
        &self,
        target: ClassTarget,
    ) -> Result<BTreeMap<ClassinUid, i64>, StoreError> {
        let rows: Vec<(i64, i64)> = sqlx::query_as(
            "SELECT uid, coalesce(confirmed_at_ms, 0) FROM enrolments \
             WHERE course_id = ? AND class_id = ? AND evidence IN ('added', 'present', 'presumed') \
             ORDER BY uid",
        )
        .bind(target.course.0)
        .bind(stored_class(target))
        .fetch_all(&self.reader)
        .await
        .doing(DOING)?;
        Ok(rows.into_iter().map(|(uid, at_ms)| (ClassinUid(uid), at_ms)).collect())
    }

    /// How well all memberships are confirmed; a confirmation counts from `since_ms` on.
    pub async fn evidence_summary(&self, since_ms: i64) -> Result<EvidenceSummary, StoreError> {
        let rows: Vec<(String, i64, i64)> = sqlx::query_as(
            "SELECT evidence, count(*), \
             count(*) FILTER (WHERE evidence IN ('added', 'present', 'presumed') AND confirmed_at_ms >= ?) \
             FROM enrolments WHERE evidence <> 'gone' GROUP BY evidence ORDER BY evidence",
        )
        .bind(since_ms)
        .fetch_all(&self.reader)
        .await
        .doing(DOING)?;
        let mut summary = EvidenceSummary::default();
        for (evidence, count, confirmed) in rows {
            let count = counted(count);
            if evidence != "condemned" {
                summary.living += count;
                summary.confirmed += counted(confirmed);
            }
            summary.by_evidence.insert(evidence, count);
        }
        Ok(summary)
    }

    /// Takes a certain membership as made by us. Says whether there was one that was not.
    pub async fn claim(&self, uid: ClassinUid, target: ClassTarget, now_ms: i64) -> Result<bool, StoreError> {
        sqlx::query(
            "UPDATE enrolments SET evidence = 'added', changed_at_ms = ? \
             WHERE course_id = ? AND class_id = ? AND uid = ? AND evidence IN ('present', 'presumed')",
        )
        .bind(now_ms)
        .bind(target.course.0)
        .bind(stored_class(target))
        .bind(uid.0)
        .execute(self.writer()?)
        .await
        .map(|done| done.rows_affected() > 0)
        .doing("claiming an enrolment")
    }

    /// The same for everybody in one class; how many there were.
    pub async fn claim_all(&self, target: ClassTarget, now_ms: i64) -> Result<u64, StoreError> {
        sqlx::query(
            "UPDATE enrolments SET evidence = 'added', changed_at_ms = ? \
             WHERE course_id = ? AND class_id = ? AND evidence IN ('present', 'presumed')",
        )
        .bind(now_ms)
        .bind(target.course.0)
        .bind(stored_class(target))
        .execute(self.writer()?)
        .await
        .map(|done| done.rows_affected())
        .doing("claiming the enrolments of a class")
    }

    /// Classes that had no room at the last attempt to add a student.
    pub async fn full_classes(&self) -> Result<Vec<FullClass>, StoreError> {
        let rows: Vec<(i64, i64, i64, i64, i64, String, i64)> = sqlx::query_as(
            "SELECT course_id, class_id, code, wanted, at_ms, class_code, waiting FROM full_classes \
             ORDER BY course_id, class_id",
        )
        .fetch_all(&self.reader)
        .await
        .doing("reading full classes")?;
        Ok(rows
            .into_iter()
            .map(|(course, class, code, wanted, at_ms, class_code, waiting)| FullClass {
                target: target(course, class),
                code: Code(code),
                wanted: u64::from_le_bytes(wanted.to_le_bytes()),
                at_ms,
                class_code,
                waiting: counted(waiting),
            })
            .collect())
    }

    /// The classes without room by the codes of the roster, with how many are in them and how many wait.
    pub async fn full_class_figures(&self) -> Result<Vec<FullClassFigures>, StoreError> {
        sqlx::query_as(
            "SELECT f.class_code, f.waiting, (SELECT count(*) FROM enrolments AS e \
             WHERE e.course_id = f.course_id AND e.class_id = f.class_id \
             AND e.evidence IN ('added', 'present', 'presumed', 'removing')) AS inside \
             FROM full_classes AS f WHERE f.class_code <> '' ORDER BY f.class_code, f.course_id, f.class_id",
        )
        .fetch_all(&self.reader)
        .await
        .doing("reading full classes")
    }

    /// Remembers the classes that have no room, and forgets those that have some again.
    pub async fn remember_full(
        &self,
        full: &[FullClass],
        no_longer: &[ClassTarget],
        run: RunId,
    ) -> Result<(), StoreError> {
        if full.is_empty() && no_longer.is_empty() {
            return Ok(());
        }
        let doing = "remembering full classes";
        let mut transaction = self.begin().await?;
        for target in no_longer {
            sqlx::query("DELETE FROM full_classes WHERE course_id = ? AND class_id = ?")
                .bind(target.course.0)
                .bind(stored_class(*target))
                .execute(&mut *transaction)
                .await
                .doing(doing)?;
        }
        for class in full {
            sqlx::query(
                "INSERT OR REPLACE INTO full_classes \
                 (course_id, class_id, code, wanted, at_ms, class_code, waiting, run_id) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(class.target.course.0)
            .bind(stored_class(class.target))
            .bind(class.code.0)
            .bind(i64::from_le_bytes(class.wanted.to_le_bytes()))
            .bind(class.at_ms)
            .bind(&class.class_code)
            .bind(i64::try_from(class.waiting).unwrap_or(i64::MAX))
            .bind(run.0)
            .execute(&mut *transaction)
            .await
            .doing(doing)?;
        }
        transaction.commit().await.doing(doing)
    }
}
