//! Who leaves a whole course for a class of it, until they are in one: the class may take nobody, and then they are put back.

use super::enrolments::{Statement, stored_class, target};
use super::error::Doing;
use super::{StateStore, StoreError};
use rosterd_core::classin_plan::EnrolmentRecord;
use rosterd_core::roster::{ClassTarget, ClassinUid, StudentId};

/// One who has left a whole course for a class and is not known to be in any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftForAClass {
    pub uid: ClassinUid,
    pub target: ClassTarget,
    pub student: StudentId,
}

impl StateStore {
    /// These are about to leave the whole course for a class of it: noted before the call.
    pub async fn note_leaving_for_a_class(
        &self,
        leaving: &[(ClassTarget, ClassinUid)],
    ) -> Result<(), StoreError> {
        self.mark_put_back("leaving", leaving).await
    }

    /// These are owed their place in the course until they are put back.
    pub async fn owe_place_in_course(&self, owed: &[(ClassTarget, ClassinUid)]) -> Result<(), StoreError> {
        self.mark_put_back("owed", owed).await
    }

    /// Nobody is to be put back any more: they are in a class, or wanted in none.
    pub async fn end_putting_back(&self, ended: &[(ClassTarget, ClassinUid)]) -> Result<(), StoreError> {
        self.mark_put_back("no", ended).await
    }

    async fn mark_put_back(&self, word: &str, of: &[(ClassTarget, ClassinUid)]) -> Result<(), StoreError> {
        if of.is_empty() {
            return Ok(());
        }
        let doing = "noting who leaves a course for a class";
        let mut transaction = self.begin().await?;
        for (target, uid) in of {
            sqlx::query(
                "UPDATE enrolments SET put_back = ? WHERE course_id = ? AND class_id = ? AND uid = ?",
            )
            .bind(word)
            .bind(target.course.0)
            .bind(stored_class(*target))
            .bind(uid.0)
            .execute(&mut *transaction)
            .await
            .doing(doing)?;
        }
        transaction.commit().await.doing(doing)
    }

    /// Who is out of a whole course for a class of it, and is not known to be in any.
    pub async fn left_for_a_class(&self) -> Result<Vec<LeftForAClass>, StoreError> {
        let rows: Vec<(i64, i64, i64, String)> = sqlx::query_as(
            "SELECT course_id, class_id, uid, student_id FROM enrolments \
             WHERE put_back <> 'no' AND evidence = 'gone' ORDER BY course_id, class_id, uid",
        )
        .fetch_all(&self.reader)
        .await
        .doing("reading who left a course for a class")?;
        let left = |(course, class, uid, student): (i64, i64, i64, String)| LeftForAClass {
            uid: ClassinUid(uid),
            target: target(course, class),
            student: StudentId::new(student),
        };
        Ok(rows.into_iter().map(left).collect())
    }
}

/// Whoever is in a class of the course needs no place in all of it.
pub(super) fn is_in_a_class(record: &EnrolmentRecord) -> Statement<'_> {
    sqlx::query(
        "UPDATE enrolments SET put_back = 'no' WHERE course_id = ? AND class_id = 0 AND uid = ? AND put_back <> 'no'",
    )
    .bind(record.target.course.0)
    .bind(record.uid.0)
}
