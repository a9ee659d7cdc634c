//! Our evidence of ClassIn memberships as it is shown and refreshed: how sure, since when, how long ago confirmed.

use std::collections::BTreeMap;

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::enrolments::{stored_class, target};
use super::{StateStore, StoreError};
use rosterd_core::roster::{ClassTarget, ClassinUid, RunId, StudentId};

/// One remembered membership, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceRow {
    /// The account.
    pub uid: ClassinUid,
    /// Where.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FullClass {
    /// Which.
    pub target: ClassTarget,
    /// The code that said so: 157 or 130.
    pub code: i64,
    /// Fingerprint of what the roster wanted there.
    pub wanted: u64,
    /// When it was found full, in milliseconds since 1970 UTC.
    pub at_ms: i64,
}

const DOING: &str = "reading evidence";

fn evidence_row(row: &SqliteRow) -> Result<EvidenceRow, sqlx::Error> {
    Ok(EvidenceRow {
        uid: ClassinUid(row.try_get("uid")?),
        target: target(row.try_get("course_id")?, row.try_get("class_id")?),
        student: StudentId::new(row.try_get::<String, _>("student_id")?),
        evidence: row.try_get("evidence")?,
        code: row.try_get("code")?,
        changed_at_ms: row.try_get("changed_at_ms")?,
        confirmed_at_ms: row.try_get("confirmed_at_ms")?,
        run: RunId(row.try_get("run_id")?),
    })
}

impl StateStore {
    /// The records of one student and of their account, gone memberships included.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn evidence_of_student(
        &self,
        student: &StudentId,
        uid: Option<ClassinUid>,
    ) -> Result<Vec<EvidenceRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT uid, course_id, class_id, student_id, evidence, code, changed_at_ms, confirmed_at_ms, run_id \
             FROM enrolments WHERE student_id = ? OR uid = ? ORDER BY course_id, class_id, uid",
        )
        .bind(student.as_str())
        .bind(uid.map(|uid| uid.0))
        .fetch_all(&self.reader)
        .await
        .map_err(StoreError::query(DOING))?;
        rows.iter().map(evidence_row).collect::<Result<_, _>>().map_err(StoreError::query(DOING))
    }

    /// When each account of one class was last confirmed, in milliseconds since 1970 UTC; never: 0.
    ///
    /// # Errors
    /// When the database cannot be read.
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
        .map_err(StoreError::query(DOING))?;
        Ok(rows.into_iter().map(|(uid, at_ms)| (ClassinUid(uid), at_ms)).collect())
    }

    /// How well all memberships are confirmed; a confirmation counts from `since_ms` on.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn evidence_summary(&self, since_ms: i64) -> Result<EvidenceSummary, StoreError> {
        let rows: Vec<(String, i64, i64)> = sqlx::query_as(
            "SELECT evidence, count(*), \
             count(*) FILTER (WHERE evidence IN ('added', 'present', 'presumed') AND confirmed_at_ms >= ?) \
             FROM enrolments WHERE evidence <> 'gone' GROUP BY evidence ORDER BY evidence",
        )
        .bind(since_ms)
        .fetch_all(&self.reader)
        .await
        .map_err(StoreError::query(DOING))?;
        let mut summary = EvidenceSummary::default();
        for (evidence, count, confirmed) in rows {
            let count = u64::try_from(count).unwrap_or(0);
            if evidence != "condemned" {
                summary.living += count;
                summary.confirmed += u64::try_from(confirmed).unwrap_or(0);
            }
            summary.by_evidence.insert(evidence, count);
        }
        Ok(summary)
    }

    /// Takes a presumed membership as made by us. Says whether there was one.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn claim(&self, uid: ClassinUid, target: ClassTarget, now_ms: i64) -> Result<bool, StoreError> {
        sqlx::query(
            "UPDATE enrolments SET evidence = 'added', changed_at_ms = ? \
             WHERE course_id = ? AND class_id = ? AND uid = ? AND evidence = 'presumed'",
        )
        .bind(now_ms)
        .bind(target.course.0)
        .bind(stored_class(target))
        .bind(uid.0)
        .execute(&self.writer)
        .await
        .map(|done| done.rows_affected() > 0)
        .map_err(StoreError::query("claiming an enrolment"))
    }

    /// Classes that had no room at the last attempt to add a student.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn full_classes(&self) -> Result<Vec<FullClass>, StoreError> {
        let rows: Vec<(i64, i64, i64, i64, i64)> = sqlx::query_as(
            "SELECT course_id, class_id, code, wanted, at_ms FROM full_classes ORDER BY course_id, class_id",
        )
        .fetch_all(&self.reader)
        .await
        .map_err(StoreError::query("reading full classes"))?;
        Ok(rows
            .into_iter()
            .map(|(course, class, code, wanted, at_ms)| FullClass {
                target: target(course, class),
                code,
                wanted: u64::from_le_bytes(wanted.to_le_bytes()),
                at_ms,
            })
            .collect())
    }

    /// Remembers the classes that have no room, and forgets those that have some again.
    ///
    /// # Errors
    /// When the database cannot be written.
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
                .map_err(StoreError::query(doing))?;
        }
        for class in full {
            sqlx::query(
                "INSERT OR REPLACE INTO full_classes (course_id, class_id, code, wanted, at_ms, run_id) \
                 VALUES (?, ?, ?, ?, ?, ?)",
            )
            .bind(class.target.course.0)
            .bind(stored_class(class.target))
            .bind(class.code)
            .bind(i64::from_le_bytes(class.wanted.to_le_bytes()))
            .bind(class.at_ms)
            .bind(run.0)
            .execute(&mut *transaction)
            .await
            .map_err(StoreError::query(doing))?;
        }
        transaction.commit().await.map_err(StoreError::query(doing))
    }
}
