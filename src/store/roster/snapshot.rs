//! One consistent reading of the roster.

use std::collections::HashSet;

use sqlx::{AssertSqlSafe, Sqlite, Transaction};

use super::cursor::{ClassCursor, StudentCursor};
use super::error::failure;
use super::tables::{ACTIVE, quoted};
use super::value::{Number, number, problem, text};
use super::{RosterDatabase, RosterError};
use rosterd_core::exam_plan::RosterFlaw;
use rosterd_core::roster::{
    Class, ClassCode, ClassId, ClassTarget, CourseId, Gid, Group, GroupCode, RosterProblem, StudentId,
};

/// One moment of a roster.
#[derive(Debug)]
pub struct RosterSnapshot<'a> {
    pub(super) database: &'a RosterDatabase,
    pub(super) transaction: Transaction<'static, Sqlite>,
}

impl<'a> RosterSnapshot<'a> {
    pub(super) fn new(database: &'a RosterDatabase, transaction: Transaction<'static, Sqlite>) -> Self {
        Self { database, transaction }
    }

    /// Ends the read transaction.
    pub async fn close(self) {
        // Rolling back a read cannot lose anything; a failure only means that it had ended already.
        let _ended = self.transaction.rollback().await;
    }

    pub(super) fn failure(&self, table: &'static str) -> impl FnOnce(sqlx::Error) -> RosterError + use<> {
        let path = self.database.path.clone();
        move |source| failure(&path, table, source)
    }

    /// The number of active students in this very reading.
    ///
    /// # Errors
    /// When it cannot be read, or has fewer than `least`: a broken export, not a roster.
    pub async fn require_students(&mut self, least: u64) -> Result<u64, RosterError> {
        let students = self.count_active().await?;
        if students < least {
            return Err(RosterError::TooFew { path: self.database.path.clone(), students, least });
        }
        Ok(students)
    }

    /// The number of rows of students with their groups: just those that [`RosterSnapshot::students`] reads.
    ///
    /// # Errors
    /// When the roster cannot be read.
    pub async fn count_student_rows(&mut self) -> Result<u64, RosterError> {
        let sql = format!("SELECT count(*) FROM {}", self.students_with_groups());
        let failed = self.failure("students");
        let rows: i64 =
            sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut *self.transaction).await.map_err(failed)?;
        Ok(u64::try_from(rows).unwrap_or(0))
    }

    fn students_with_groups(&self) -> String {
        let tables = &self.database.tables;
        format!(
            "{} AS s LEFT JOIN {} AS m ON m.student_id = s.student_id",
            tables.students, tables.group_members
        )
    }

    /// The error for a reading of this snapshot that is incomplete, or no roster.
    #[must_use]
    pub fn incomplete(&self, flaw: RosterFlaw) -> RosterError {
        RosterError::Incomplete { path: self.database.path.clone(), flaw }
    }

    /// The number of active students.
    ///
    /// # Errors
    /// When the roster cannot be read.
    pub async fn count_active(&mut self) -> Result<u64, RosterError> {
        let sql = format!("SELECT count(*) FROM {} AS s WHERE {ACTIVE}", self.database.tables.students);
        let failed = self.failure("students");
        let count: i64 =
            sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut *self.transaction).await.map_err(failed)?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// The groups, by code; rows without a code, or with a gid that is no number, are reported.
    ///
    /// # Errors
    /// When the roster cannot be read.
    pub async fn groups(&mut self) -> Result<(Vec<Group>, Vec<RosterProblem>), RosterError> {
        let sql = format!(
            "SELECT CAST(g.group_code AS TEXT) AS code, CAST(g.title AS TEXT) AS title, g.gid AS gid \
             FROM {} AS g ORDER BY 1",
            self.database.tables.groups
        );
        let failed = self.failure("groups");
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut *self.transaction).await.map_err(failed)?;
        let mut groups = Vec::new();
        let mut problems = Vec::new();
        for row in &rows {
            let Some(code) = text(row, "code").filter(|code| !code.is_empty()) else {
                problems.push(problem("groups", "(no group_code)", "has no group_code: enter one"));
                continue;
            };
            let gid = match number(row, "gid") {
                Number::Is(gid) if gid > 0 => Some(Gid(gid)),
                Number::Absent => None,
                Number::Is(_) | Number::Other => {
                    problems.push(problem("groups", &code, "gid is not a positive whole number"));
                    None
                }
            };
            let title = text(row, "title").unwrap_or_default();
            groups.push(Group { code: GroupCode::new(code), title, gid });
        }
        Ok((groups, problems))
    }

    /// The classes, by code.
    ///
    /// # Errors
    /// When the roster cannot be read.
    pub async fn classes(&mut self) -> Result<(Vec<Class>, Vec<RosterProblem>), RosterError> {
        let sql = format!(
            "SELECT CAST(c.class_code AS TEXT) AS code, CAST(c.title AS TEXT) AS title, \
             c.course_id AS course_id, c.class_id AS class_id FROM {} AS c ORDER BY 1",
            self.database.tables.classes
        );
        let failed = self.failure("classes");
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut *self.transaction).await.map_err(failed)?;
        let mut classes = Vec::new();
        let mut problems = Vec::new();
        for row in &rows {
            let Some(code) = text(row, "code").filter(|code| !code.is_empty()) else {
                problems.push(problem("classes", "(no class_code)", "has no class_code: enter one"));
                continue;
            };
            let target = match (number(row, "course_id"), number(row, "class_id")) {
                (Number::Is(course), Number::Absent) if course > 0 => {
                    Some(ClassTarget { course: CourseId(course), class: None })
                }
                (Number::Is(course), Number::Is(class)) if course > 0 && class > 0 => {
                    Some(ClassTarget { course: CourseId(course), class: Some(ClassId(class)) })
                }
                (Number::Absent, Number::Absent) => None,
                (Number::Absent, _) => {
                    problems.push(problem("classes", &code, "has a class_id but no course_id: enter it"));
                    None
                }
                (Number::Is(_) | Number::Other, _) => {
                    let what = "course_id or class_id is not a positive whole number";
                    problems.push(problem("classes", &code, what));
                    None
                }
            };
            let title = text(row, "title").unwrap_or_default();
            classes.push(Class { code: ClassCode::new(code), title, target });
        }
        Ok((classes, problems))
    }

    /// Member rows that refer to a missing student, group or class; the first hundred of each table.
    ///
    /// # Errors
    /// When the roster cannot be read.
    pub async fn dangling_members(&mut self) -> Result<Vec<RosterProblem>, RosterError> {
        let tables = &self.database.tables;
        let queries = [
            ("group_members", &tables.group_members, &tables.groups, "group_code"),
            ("class_members", &tables.class_members, &tables.classes, "class_code"),
        ];
        let mut problems = Vec::new();
        for (table, members, owners, key) in queries {
            let sql = format!(
                "SELECT CAST(m.student_id AS TEXT) AS student, CAST(m.{key} AS TEXT) AS code, \
                 s.student_id IS NULL AS no_student FROM {members} AS m \
                 LEFT JOIN {students} AS s ON s.student_id = m.student_id \
                 LEFT JOIN {owners} AS o ON o.{key} = m.{key} \
                 WHERE s.student_id IS NULL OR o.{key} IS NULL ORDER BY 1, 2 LIMIT 100",
                students = tables.students
            );
            let failed = self.failure(table);
            let rows =
                sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut *self.transaction).await.map_err(failed)?;
            for row in &rows {
                let student = text(row, "student").unwrap_or_default();
                let code = text(row, "code").unwrap_or_default();
                let what = match number(row, "no_student") {
                    Number::Is(1) => {
                        "names a student who is not in students: remove the row or add the student"
                    }
                    Number::Is(_) | Number::Absent | Number::Other => {
                        "names a group or class that does not exist: remove the row or add it"
                    }
                };
                problems.push(problem(table, &format!("({student}, {code})"), what));
            }
        }
        Ok(problems)
    }

    /// Student ids that come more than once.
    ///
    /// # Errors
    /// When the roster cannot be read.
    pub async fn repeated_students(&mut self) -> Result<HashSet<StudentId>, RosterError> {
        if !self.database.tables.may_repeat {
            return Ok(HashSet::new());
        }
        let sql = format!(
            "SELECT CAST(s.student_id AS TEXT) AS id FROM {} AS s WHERE s.student_id IS NOT NULL \
             GROUP BY 1 COLLATE BINARY HAVING count(*) > 1 ORDER BY 1",
            self.database.tables.students
        );
        let failed = self.failure("students");
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut *self.transaction).await.map_err(failed)?;
        Ok(rows.iter().filter_map(|row| text(row, "id")).map(StudentId::new).collect())
    }

    /// All students with their group codes, in ascending order of id, one at a time.
    pub fn students(&mut self) -> StudentCursor<'_> {
        let database = self.database;
        let columns: String = database
            .columns
            .iter()
            .enumerate()
            .map(|(at, column)| format!(", CAST(s.{} AS TEXT) AS v{at}", quoted(column)))
            .collect();
        let sql = format!(
            "SELECT CAST(s.student_id AS TEXT) AS id, {ACTIVE} AS active, \
             CAST(m.group_code AS TEXT) AS group_code{columns} FROM {} \
             ORDER BY s.student_id COLLATE BINARY, m.group_code",
            self.students_with_groups()
        );
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch(&mut *self.transaction);
        StudentCursor::new(rows, &database.path, database.columns.len())
    }

    /// The active ones among these students.
    ///
    /// # Errors
    /// When the roster cannot be read.
    pub async fn active_among(
        &mut self,
        students: &HashSet<StudentId>,
    ) -> Result<HashSet<StudentId>, RosterError> {
        let sql = format!(
            "SELECT 1 FROM {} AS s WHERE s.student_id = ? AND {ACTIVE} LIMIT 1",
            self.database.tables.students
        );
        let mut active = HashSet::new();
        for student in students {
            let failed = self.failure("students");
            let found: Option<i64> = sqlx::query_scalar(AssertSqlSafe(sql.clone()))
                .bind(student.as_str())
                .fetch_optional(&mut *self.transaction)
                .await
                .map_err(failed)?;
            if found.is_some() {
                active.insert(student.clone());
            }
        }
        Ok(active)
    }

    /// The wanted members of every class that names a course, class by class in ascending order of ids.
    ///
    /// Only active students are wanted anywhere.
    pub fn wanted_classes(&mut self) -> ClassCursor<'_> {
        let tables = &self.database.tables;
        let sql = format!(
            "SELECT c.course_id AS course, coalesce(c.class_id, 0) AS class, \
             CAST(c.class_code AS TEXT) AS code, CAST(s.student_id AS TEXT) AS id, s.classin_uid AS uid \
             FROM {} AS c JOIN {} AS m ON m.class_code = c.class_code \
             JOIN {} AS s ON s.student_id = m.student_id \
             WHERE c.course_id > 0 AND coalesce(c.class_id, 1) > 0 AND {ACTIVE} \
             ORDER BY c.course_id, 2, 3, 4",
            tables.classes, tables.class_members, tables.students
        );
        ClassCursor::new(sqlx::query(AssertSqlSafe(sql)).fetch(&mut *self.transaction), &self.database.path)
    }
}
