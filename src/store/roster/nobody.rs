//! Member rows that name no student of the roster.

use std::collections::{HashMap, HashSet};

use sqlx::AssertSqlSafe;

use super::value::{Number, number, text};
use super::{RosterError, RosterSnapshot};
use rosterd_core::roster::{ClassCode, GroupCode, StudentId};

impl RosterSnapshot<'_> {
    /// How many rows of `group_members` name nobody, by the code of their group; `None` stands for rows that name no
    /// group of the roster either, and may be of any. A row of one of these `leavers` names somebody.
    ///
    /// # Errors
    /// When the roster cannot be read.
    pub async fn group_rows_of_nobody(
        &mut self,
        leavers: &[&StudentId],
    ) -> Result<HashMap<Option<GroupCode>, u64>, RosterError> {
        let sql = format!(
            "SELECT CASE WHEN m.group_code IN (SELECT group_code FROM {}) THEN CAST(m.group_code AS TEXT) END AS code, \
             count(*) AS rows FROM {} AS m LEFT JOIN {} AS s ON s.student_id = m.student_id \
             WHERE s.student_id IS NULL \
             AND (m.student_id IS NULL OR m.student_id NOT IN (SELECT value FROM json_each(?))) \
             GROUP BY 1 ORDER BY 1",
            self.tables.groups, self.tables.group_members, self.tables.students
        );
        let leavers: Vec<&str> = leavers.iter().map(|student| student.as_str()).collect();
        let failed = self.failure("group_members");
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(serde_json::json!(leavers).to_string())
            .fetch_all(&mut *self.transaction)
            .await
            .map_err(failed)?;
        let counted = rows.iter().filter_map(|row| {
            let Number::Is(count) = number(row, "rows") else { return None };
            Some((text(row, "code").map(GroupCode::new), u64::try_from(count).unwrap_or(0)))
        });
        Ok(counted.collect())
    }

    /// How many rows of `class_members` name nobody, by the code of their class; `None` stands for rows that name no
    /// class of the roster either, and may be of any. A row that has both ids, of somebody and of a class that are gone,
    /// is left out.
    ///
    /// # Errors
    /// When the roster cannot be read.
    pub async fn class_rows_of_nobody(&mut self) -> Result<HashMap<Option<ClassCode>, u64>, RosterError> {
        let sql = format!(
            "SELECT CASE WHEN m.class_code IN (SELECT class_code FROM {classes}) \
             THEN CAST(m.class_code AS TEXT) END AS code, \
             m.student_id IS NOT NULL AND m.class_code IS NOT NULL AS has_both, count(*) AS rows \
             FROM {} AS m LEFT JOIN {} AS s ON s.student_id = m.student_id \
             WHERE s.student_id IS NULL GROUP BY 1, 2 HAVING code IS NOT NULL OR NOT has_both ORDER BY 1, 2",
            self.tables.class_members,
            self.tables.students,
            classes = self.tables.classes
        );
        let failed = self.failure("class_members");
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut *self.transaction).await.map_err(failed)?;
        let mut counted: HashMap<Option<ClassCode>, u64> = HashMap::new();
        for row in &rows {
            let Number::Is(count) = number(row, "rows") else { continue };
            let of_class = counted.entry(text(row, "code").map(ClassCode::new)).or_default();
            *of_class = of_class.saturating_add(u64::try_from(count).unwrap_or(0));
        }
        Ok(counted)
    }

    /// Which of these students have a member row of one of these classes.
    ///
    /// # Errors
    /// When the roster cannot be read.
    pub async fn members_among(
        &mut self,
        students: &HashSet<&StudentId>,
        classes: &[&ClassCode],
    ) -> Result<HashSet<StudentId>, RosterError> {
        if students.is_empty() || classes.is_empty() {
            return Ok(HashSet::new());
        }
        let sql = format!(
            "SELECT DISTINCT CAST(m.student_id AS TEXT) AS id FROM {} AS m \
             WHERE m.student_id IN (SELECT value FROM json_each(?)) \
             AND m.class_code IN (SELECT value FROM json_each(?))",
            self.tables.class_members
        );
        let students: Vec<&str> = students.iter().map(|student| student.as_str()).collect();
        let classes: Vec<&str> = classes.iter().map(|code| code.as_str()).collect();
        let failed = self.failure("class_members");
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(serde_json::json!(students).to_string())
            .bind(serde_json::json!(classes).to_string())
            .fetch_all(&mut *self.transaction)
            .await
            .map_err(failed)?;
        Ok(rows.iter().filter_map(|row| text(row, "id")).map(StudentId::new).collect())
    }
}
