//! The ids that the services gave, written into the roster that lacked them. Only for rehearsals: a run
//! never writes a roster.

use super::{RosterWriteError, RosterWriter, found};
use rosterd_import::RosterTable;

impl RosterWriter {
    /// Code and title of every group without a gid, by code.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn groups_without_gid(&self) -> Result<Vec<(String, String)>, RosterWriteError> {
        let query = sqlx::query_as(
            "SELECT CAST(group_code AS TEXT), CAST(title AS TEXT) FROM groups
             WHERE gid IS NULL AND group_code IS NOT NULL
             ORDER BY group_code",
        );
        Ok(query.fetch_all(&self.pool).await?)
    }

    /// Gives a group its gid.
    ///
    /// # Errors
    /// [`RosterWriteError::UnknownKey`] and failures of the database.
    pub async fn set_gid(&self, group_code: &str, gid: i64) -> Result<(), RosterWriteError> {
        let query = sqlx::query("UPDATE groups SET gid = ? WHERE group_code = ?").bind(gid).bind(group_code);
        let done = query.execute(&self.pool).await?;
        found(done.rows_affected(), RosterTable::Groups, group_code)
    }

    /// Code and title of every class without a course, by code. A course without a class id is one wanted
    /// as a whole.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn classes_without_ids(&self) -> Result<Vec<(String, String)>, RosterWriteError> {
        let query = sqlx::query_as(
            "SELECT CAST(class_code AS TEXT), CAST(title AS TEXT) FROM classes
             WHERE course_id IS NULL AND class_code IS NOT NULL
             ORDER BY class_code",
        );
        Ok(query.fetch_all(&self.pool).await?)
    }

    /// Gives a class its course and, where it is more than a whole course, its class id.
    ///
    /// # Errors
    /// [`RosterWriteError::UnknownKey`] and failures of the database.
    pub async fn set_class_ids(
        &self,
        class_code: &str,
        course_id: i64,
        class_id: impl Into<Option<i64>> + Send,
    ) -> Result<(), RosterWriteError> {
        let query = sqlx::query("UPDATE classes SET course_id = ?, class_id = ? WHERE class_code = ?")
            .bind(course_id)
            .bind(class_id.into())
            .bind(class_code);
        let done = query.execute(&self.pool).await?;
        found(done.rows_affected(), RosterTable::Classes, class_code)
    }

    /// Id, name and phone (or nothing) of every active student without a `ClassIn` account, by id. Names and
    /// phones are personal: never log them.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn students_without_uid(&self) -> Result<Vec<(String, String, String)>, RosterWriteError> {
        let query = sqlx::query_as(
            "SELECT CAST(student_id AS TEXT), CAST(name AS TEXT), COALESCE(CAST(phone AS TEXT), '')
             FROM students
             WHERE classin_uid IS NULL AND active <> 0 AND student_id IS NOT NULL
             ORDER BY student_id",
        );
        Ok(query.fetch_all(&self.pool).await?)
    }

    /// Gives students their `ClassIn` accounts, all or none of them.
    ///
    /// # Errors
    /// [`RosterWriteError::UnknownKey`] and failures of the database.
    pub async fn set_uids(&self, uids: &[(String, i64)]) -> Result<(), RosterWriteError> {
        let mut transaction = self.begin().await?;
        for (student_id, uid) in uids {
            let query = sqlx::query("UPDATE students SET classin_uid = ? WHERE student_id = ?");
            let done = query.bind(uid).bind(student_id).execute(&mut *transaction).await?;
            found(done.rows_affected(), RosterTable::Students, student_id)?;
        }
        Ok(transaction.commit().await?)
    }
}
