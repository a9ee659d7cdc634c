//! Names and contacts of single students, and one student's whole row: read only for what needs them.

use std::collections::{BTreeSet, HashMap};

use futures_util::stream::{Stream, StreamExt};
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Column, Row, TypeInfo, ValueRef};

use super::error::failure;
use super::tables::{ACTIVE, quoted};
use super::value::{number, text, value};
use super::{RosterError, RosterSnapshot};
use rosterd_core::roster::{ClassCode, ClassinUid, GroupCode, RosterPerson, StudentId, normalise};

/// Columns of students that an own query may lack: without them no student can be registered or renamed.
pub(super) const PERSONAL: [&str; 3] = ["name", "phone", "email"];

/// A student's name beside the account on the roster. Personal: never shown.
pub struct NamedStudent {
    pub student: StudentId,
    pub name: String,
    /// The account, when the roster knows it.
    pub uid: Option<ClassinUid>,
}

/// A student by whom an account is found beside the account on the roster. Personal: never shown.
pub struct ListedPerson {
    pub person: RosterPerson,
    /// The account, when the roster knows it.
    pub uid: Option<ClassinUid>,
}

/// One student's row as the roster has it. Personal but for the codes.
pub struct RosterDetails {
    /// False for a student who has left but is still recorded.
    pub active: bool,
    /// Every column with its value as text; absent values are left out.
    pub values: Vec<(String, String)>,
    /// Codes of the groups, in ascending order.
    pub groups: Vec<GroupCode>,
    /// Codes of the classes, in ascending order.
    pub classes: Vec<ClassCode>,
}

/// What stands in a cell, as text; `None` where nothing readable does.
pub(super) fn cell(row: &SqliteRow, at: usize) -> Option<String> {
    let is_text = row.try_get_raw(at).is_ok_and(|raw| raw.type_info().name() == "TEXT");
    match is_text {
        true => row.try_get_unchecked::<Option<String>, _>(at).ok().flatten(),
        false => value(row, at, false).ok().filter(|value| !value.is_empty()),
    }
}

impl RosterSnapshot<'_> {
    /// A column of `s` as text, or nothing where the roster has no such column.
    fn personal(&self, column: &str) -> String {
        if self.database.personal.contains(&column) {
            format!("CAST(s.{} AS TEXT)", quoted(column))
        } else {
            "NULL".to_owned()
        }
    }

    /// Names and contacts of these students, in ascending order; those missing from the roster are left out.
    ///
    /// # Errors
    /// When the roster cannot be read.
    pub async fn people(&mut self, students: &BTreeSet<StudentId>) -> Result<Vec<RosterPerson>, RosterError> {
        let sql = format!(
            "SELECT {} AS name, {} AS phone, {} AS email FROM {} AS s WHERE s.student_id = ? LIMIT 1",
            self.personal("name"),
            self.personal("phone"),
            self.personal("email"),
            self.tables.students
        );
        let mut people = Vec::with_capacity(students.len());
        for student in students {
            let failed = self.failure("students");
            let row = sqlx::query(AssertSqlSafe(sql.clone()))
                .bind(student.as_str())
                .fetch_optional(&mut *self.transaction)
                .await
                .map_err(failed)?;
            let Some(row) = row else { continue };
            people.push(person(student.clone(), &row));
        }
        Ok(people)
    }

    /// Every active student with their name, in ascending order of id; none where the roster has no names.
    pub fn names(&mut self) -> impl Stream<Item = Result<NamedStudent, RosterError>> + Send + '_ {
        let path = &self.database.path;
        let known = self.personal("name");
        let sql = format!(
            "SELECT CAST(s.student_id AS TEXT) AS id, {known} AS name, s.classin_uid AS uid FROM {} AS s \
             WHERE {ACTIVE} = 1 AND s.student_id IS NOT NULL AND {known} IS NOT NULL ORDER BY s.student_id COLLATE BINARY",
            self.tables.students
        );
        sqlx::query(AssertSqlSafe(sql)).fetch(&mut *self.transaction).map(move |row| {
            let row = row.map_err(|source| failure(path, "students", source))?;
            Ok(NamedStudent {
                student: StudentId::new(text(&row, "id").unwrap_or_default()),
                name: normalise(&text(&row, "name").unwrap_or_default()).into_owned(),
                uid: number(&row, "uid").id().map(ClassinUid),
            })
        })
    }

    /// Every active student with contacts and account, in ascending order of id.
    pub fn everybody(&mut self) -> impl Stream<Item = Result<ListedPerson, RosterError>> + Send + '_ {
        let path = &self.database.path;
        let sql = format!(
            "SELECT CAST(s.student_id AS TEXT) AS id, {} AS name, {} AS phone, {} AS email, s.classin_uid AS uid \
             FROM {} AS s WHERE {ACTIVE} = 1 AND s.student_id IS NOT NULL ORDER BY s.student_id COLLATE BINARY",
            self.personal("name"),
            self.personal("phone"),
            self.personal("email"),
            self.tables.students
        );
        sqlx::query(AssertSqlSafe(sql)).fetch(&mut *self.transaction).map(move |row| {
            let row = row.map_err(|source| failure(path, "students", source))?;
            let student = StudentId::new(text(&row, "id").unwrap_or_default());
            Ok(ListedPerson { person: person(student, &row), uid: number(&row, "uid").id().map(ClassinUid) })
        })
    }

    /// The accounts that the cells of these students name, whatever else their rows say; who has none is left out.
    ///
    /// # Errors
    /// When the roster cannot be read.
    pub async fn uids_among(
        &mut self,
        students: &BTreeSet<StudentId>,
    ) -> Result<HashMap<StudentId, ClassinUid>, RosterError> {
        let students: Vec<&str> = students.iter().map(StudentId::as_str).collect();
        self.cells("s.student_id", serde_json::json!(students).to_string()).await
    }

    /// Whose cells name these accounts, whatever else their rows say.
    ///
    /// # Errors
    /// When the roster cannot be read.
    pub async fn named_with(
        &mut self,
        uids: &BTreeSet<ClassinUid>,
    ) -> Result<HashMap<StudentId, ClassinUid>, RosterError> {
        let uids: Vec<i64> = uids.iter().map(|uid| uid.0).collect();
        self.cells("s.classin_uid", serde_json::json!(uids).to_string()).await
    }

    async fn cells(
        &mut self,
        column: &'static str,
        values: String,
    ) -> Result<HashMap<StudentId, ClassinUid>, RosterError> {
        let sql = format!(
            "SELECT CAST(s.student_id AS TEXT) AS id, s.classin_uid AS uid FROM {} AS s \
             WHERE s.student_id IS NOT NULL AND {column} IN (SELECT value FROM json_each(?)) ORDER BY 1",
            self.tables.students
        );
        let failed = self.failure("students");
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(values)
            .fetch_all(&mut *self.transaction)
            .await
            .map_err(failed)?;
        let cell = |row| Some((StudentId::new(text(row, "id")?), ClassinUid(number(row, "uid").id()?)));
        Ok(rows.iter().filter_map(cell).collect())
    }

    /// One student's whole row with groups and classes; `None` when the roster has no such student.
    ///
    /// # Errors
    /// When the roster cannot be read.
    pub async fn details(&mut self, student: &StudentId) -> Result<Option<RosterDetails>, RosterError> {
        let tables = &self.tables;
        let sql = format!(
            "SELECT {ACTIVE} <> 0 AS is_active_, s.* FROM {} AS s WHERE s.student_id = ? LIMIT 1",
            tables.students
        );
        let members = |members: &str, code: &str| {
            format!(
                "SELECT CAST(m.{code} AS TEXT) AS code FROM {members} AS m WHERE m.student_id = ? ORDER BY 1"
            )
        };
        let groups = members(&tables.group_members, "group_code");
        let classes = members(&tables.class_members, "class_code");
        let failed = self.failure("students");
        let row = sqlx::query(AssertSqlSafe(sql))
            .bind(student.as_str())
            .fetch_optional(&mut *self.transaction)
            .await
            .map_err(failed)?;
        let Some(row) = row else { return Ok(None) };
        let values = row
            .columns()
            .iter()
            .skip(1)
            .filter_map(|column| Some((column.name().to_owned(), cell(&row, column.ordinal())?)))
            .collect();
        let active = row.try_get_unchecked::<Option<i64>, _>(0).ok().flatten() != Some(0);
        Ok(Some(RosterDetails {
            active,
            values,
            groups: self
                .codes(groups, "group_members", student)
                .await?
                .into_iter()
                .map(GroupCode::new)
                .collect(),
            classes: self
                .codes(classes, "class_members", student)
                .await?
                .into_iter()
                .map(ClassCode::new)
                .collect(),
        }))
    }

    /// One student's value in a mapped column, as a run reads it; `None` where the roster does not tell it: it has no such
    /// student, more than one row of them, or nothing readable there.
    ///
    /// # Errors
    /// When the roster cannot be read.
    pub async fn value_of(
        &mut self,
        student: &StudentId,
        column: &str,
    ) -> Result<Option<String>, RosterError> {
        let Some(at) = self.database.columns.iter().position(|it| it == column) else { return Ok(None) };
        self.learn_number_columns().await?;
        let holds_numbers = self.number_columns.as_ref().is_some_and(|numbers| numbers.has(at));
        let (column, students) = (quoted(column), &self.tables.students);
        let sql = format!("SELECT s.{column} FROM {students} AS s WHERE s.student_id = ? LIMIT 2");
        let failed = self.failure("students");
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(student.as_str())
            .fetch_all(&mut *self.transaction)
            .await
            .map_err(failed)?;
        Ok(match rows.as_slice() {
            [only] => value(only, 0, holds_numbers).ok(),
            _ => None,
        })
    }

    async fn codes(
        &mut self,
        sql: String,
        table: &'static str,
        student: &StudentId,
    ) -> Result<Vec<String>, RosterError> {
        let failed = self.failure(table);
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(student.as_str())
            .fetch_all(&mut *self.transaction)
            .await
            .map_err(failed)?;
        let mut codes: Vec<String> = rows.iter().filter_map(|row| text(row, "code")).collect();
        codes.dedup();
        Ok(codes)
    }
}

/// A row with the columns name, phone and email.
fn person(student: StudentId, row: &SqliteRow) -> RosterPerson {
    let value = |column: &str| {
        let value = normalise(&text(row, column).unwrap_or_default()).into_owned();
        Some(value).filter(|value| !value.is_empty())
    };
    RosterPerson {
        student,
        name: value("name").unwrap_or_default(),
        phone: value("phone"),
        email: value("email"),
    }
}
