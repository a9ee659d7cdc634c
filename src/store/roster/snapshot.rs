//! One consistent reading of the roster.

use std::collections::HashSet;

use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Sqlite, Transaction};

use super::cursor::StudentCursor;
use super::error::failure;
use super::number_columns::NumberColumns;
use super::share::OnShare;
use super::tables::{ACTIVE, Tables, quoted};
use super::value::{Number, number, problem, text};
use super::{RosterDatabase, RosterError};
use rosterd_core::exam_plan::RosterFlaw;
use rosterd_core::roster::{RosterProblem, StudentId};

/// So many keys are named in a line about many rows.
pub(super) const NAMED_KEYS: usize = 10;

/// One moment of a roster.
#[derive(Debug)]
pub struct RosterSnapshot<'a> {
    pub(super) database: &'a RosterDatabase,
    pub(super) transaction: Transaction<'static, Sqlite>,
    /// What is read in this moment: the tables, or copies of them with ids and codes in normal form.
    pub(super) tables: Tables,
    on_share: Option<OnShare>,
    /// Which columns hold numbers, where that was asked.
    pub(super) number_columns: Option<NumberColumns>,
}

impl<'a> RosterSnapshot<'a> {
    pub(super) fn new(
        database: &'a RosterDatabase,
        transaction: Transaction<'static, Sqlite>,
        tables: Tables,
        on_share: Option<OnShare>,
    ) -> Self {
        Self { database, transaction, tables, on_share, number_columns: None }
    }

    /// Ends the read transaction. What was read is not to be used before this has said that it was one moment.
    ///
    /// # Errors
    /// Where the roster lies on a network share and somebody wrote to it meanwhile.
    pub async fn close(self) -> Result<(), RosterError> {
        // Rolling back a read cannot lose anything; a failure only means that it had ended already.
        let _ended = self.transaction.rollback().await;
        self.on_share.map_or(Ok(()), |on_share| on_share.believe(&self.database.path))
    }

    pub(super) fn failure(&self, table: &'static str) -> impl FnOnce(sqlx::Error) -> RosterError + use<> {
        let path = self.database.path.clone();
        move |source| failure(&path, table, source)
    }

    /// Asks whether this very reading has enough active students; more are not counted.
    ///
    /// # Errors
    /// When it cannot be read, or has fewer than `least`: a broken export, not a roster.
    pub async fn require_students(&mut self, least: u64) -> Result<(), RosterError> {
        let id = if self.tables.may_repeat { "DISTINCT CAST(s.student_id AS TEXT)" } else { "1" };
        let sql = format!(
            "SELECT count(*) FROM (SELECT {id} FROM {} AS s \
             WHERE {ACTIVE} <> 0 AND s.student_id IS NOT NULL LIMIT ?)",
            self.tables.students
        );
        let failed = self.failure("students");
        let students: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
            .bind(i64::try_from(least).unwrap_or(i64::MAX))
            .fetch_one(&mut *self.transaction)
            .await
            .map_err(failed)?;
        let students = u64::try_from(students).unwrap_or(0);
        if students < least {
            return Err(RosterError::TooFew { path: self.database.path.clone(), students, least });
        }
        Ok(())
    }

    /// The number of rows of students whose id cannot be told.
    ///
    /// # Errors
    /// When the roster cannot be read.
    pub async fn count_unreadable_ids(&mut self) -> Result<u64, RosterError> {
        let sql = format!("SELECT count(*) FROM {} AS s WHERE s.student_id IS NULL", self.tables.students);
        let failed = self.failure("students");
        let rows: i64 =
            sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut *self.transaction).await.map_err(failed)?;
        Ok(u64::try_from(rows).unwrap_or(0))
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
        let tables = &self.tables;
        format!(
            "{} AS s LEFT JOIN {} AS m ON m.student_id = s.student_id WHERE s.student_id IS NOT NULL",
            tables.students, tables.group_members
        )
    }

    /// The error for a reading of this snapshot that is incomplete, or no roster.
    #[must_use]
    pub fn incomplete(&self, flaw: RosterFlaw) -> RosterError {
        RosterError::Incomplete { path: self.database.path.clone(), flaw }
    }

    /// The number of active students, by the rows whose id can be told.
    ///
    /// # Errors
    /// When the roster cannot be read.
    pub async fn count_active(&mut self) -> Result<u64, RosterError> {
        let each = if self.tables.may_repeat { "DISTINCT CAST(s.student_id AS TEXT)" } else { "*" };
        let sql = format!(
            "SELECT count({each}) FROM {} AS s WHERE {ACTIVE} <> 0 AND s.student_id IS NOT NULL",
            self.tables.students
        );
        let failed = self.failure("students");
        let count: i64 =
            sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut *self.transaction).await.map_err(failed)?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// One line a table about member rows that name no student, no group or class.
    ///
    /// # Errors
    /// When the roster cannot be read.
    pub async fn dangling_members(&mut self) -> Result<Vec<RosterProblem>, RosterError> {
        let groups = self.dangling_group_members().await?;
        let classes = self.dangling_class_members().await?;
        Ok(groups.into_iter().chain(classes).collect())
    }

    /// One line about rows of `group_members` that name no student or no group, with the first of them. Rows for a group
    /// that is not there stand with their students.
    ///
    /// # Errors
    /// When the roster cannot be read.
    async fn dangling_group_members(&mut self) -> Result<Option<RosterProblem>, RosterError> {
        let no_group = " WHERE s.student_id IS NULL OR m.group_code IS NULL".to_owned();
        let members = self.tables.group_members.clone();
        self.dangling("group_members", &members, "group_code", no_group).await
    }

    /// One line about rows of `class_members` that name no student or no class, with the first of them.
    ///
    /// # Errors
    /// When the roster cannot be read.
    pub async fn dangling_class_members(&mut self) -> Result<Option<RosterProblem>, RosterError> {
        let members = self.tables.class_members.clone();
        let failed = self.failure("class_members");
        let any: bool =
            sqlx::query_scalar(AssertSqlSafe(format!("SELECT EXISTS (SELECT 1 FROM {members} AS m)")))
                .fetch_one(&mut *self.transaction)
                .await
                .map_err(failed)?;
        if !any {
            return Ok(None);
        }
        let no_class = format!(
            " LEFT JOIN {} AS o ON o.class_code = m.class_code \
             WHERE s.student_id IS NULL OR o.class_code IS NULL",
            self.tables.classes
        );
        self.dangling("class_members", &members, "class_code", no_class).await
    }

    async fn dangling(
        &mut self,
        table: &'static str,
        members: &str,
        key: &str,
        or: String,
    ) -> Result<Option<RosterProblem>, RosterError> {
        let sql = format!(
            "SELECT count(*) OVER () AS rows, CAST(m.student_id AS TEXT) AS student, \
             CAST(m.{key} AS TEXT) AS code FROM {members} AS m \
             LEFT JOIN {} AS s ON s.student_id = m.student_id{or} \
             ORDER BY 2, 3 LIMIT {NAMED_KEYS}",
            self.tables.students
        );
        let failed = self.failure(table);
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut *self.transaction).await.map_err(failed)?;
        let Some(Number::Is(count)) = rows.first().map(|row| number(row, "rows")) else { return Ok(None) };
        let id = |row: &SqliteRow, column: &str| text(row, column).unwrap_or_else(|| "none".to_owned());
        let keys: Vec<String> =
            rows.iter().map(|row| format!("({}, {})", id(row, "student"), id(row, "code"))).collect();
        let (names, them) = if count == 1 { ("row names", "it") } else { ("rows name", "them") };
        let what =
            format!("{count} {names} a student, group or class that is not there: mend or remove {them}");
        Ok(Some(problem(table, &keys.join(", "), &what)))
    }

    /// Student ids that come more than once.
    ///
    /// # Errors
    /// When the roster cannot be read.
    pub async fn repeated_students(&mut self) -> Result<HashSet<StudentId>, RosterError> {
        if !self.tables.may_repeat {
            return Ok(HashSet::new());
        }
        let sql = format!(
            "SELECT CAST(s.student_id AS TEXT) AS id FROM {} AS s WHERE s.student_id IS NOT NULL \
             GROUP BY 1 COLLATE BINARY HAVING count(*) > 1 ORDER BY 1",
            self.tables.students
        );
        let failed = self.failure("students");
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut *self.transaction).await.map_err(failed)?;
        Ok(rows.iter().filter_map(|row| text(row, "id")).map(StudentId::new).collect())
    }

    /// All students whose id can be told, with their group codes, in ascending order of id, one at a time.
    ///
    /// # Errors
    /// When the roster cannot be read.
    pub async fn students(&mut self) -> Result<StudentCursor<'_>, RosterError> {
        self.learn_number_columns().await?;
        let numbers = self.number_columns.clone().unwrap_or_default();
        let database = self.database;
        let read: Vec<String> =
            database.value_columns().iter().map(|column| format!(", s.{}", quoted(column))).collect();
        let sql = format!(
            "SELECT CAST(s.student_id AS TEXT) AS id, {ACTIVE} AS active, \
             CASE WHEN m.student_id IS NOT NULL THEN coalesce(CAST(m.group_code AS TEXT), '') END AS group_code, \
             {} AS has_binary_id{} FROM {} \
             ORDER BY s.student_id COLLATE BINARY, m.group_code",
            self.tables.has_binary_id("s"),
            read.concat(),
            self.students_with_groups()
        );
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch(&mut *self.transaction);
        Ok(StudentCursor::new(rows, database, numbers))
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
            "SELECT CAST(s.student_id AS TEXT) AS id FROM {} AS s \
             WHERE s.student_id IN (SELECT value FROM json_each(?)) AND {ACTIVE} <> 0",
            self.tables.students
        );
        let asked: Vec<&str> = students.iter().map(StudentId::as_str).collect();
        let failed = self.failure("students");
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(serde_json::json!(asked).to_string())
            .fetch_all(&mut *self.transaction)
            .await
            .map_err(failed)?;
        let found = rows.iter().filter_map(|row| text(row, "id")).map(StudentId::new);
        Ok(found.filter(|id| students.contains(id)).collect())
    }
}
