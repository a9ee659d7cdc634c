//! Rows of the roster one at a time: memory stays flat however large a school is.

use std::path::Path;

use futures_util::stream::{BoxStream, StreamExt};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::error::failure;
use super::number_columns::NumberColumns;
use super::value::{Number, number, text, value};
use super::{RosterDatabase, RosterError, RosterRow, WantedClass};
use rosterd_core::exam_plan::RosterTally;
use rosterd_core::roster::{
    ClassCode, ClassId, ClassTarget, ClassinUid, CourseId, Enrolment, GroupCode, Student, StudentId,
    identifier,
};

/// Students one at a time.
pub struct StudentCursor<'a> {
    rows: BoxStream<'a, Result<SqliteRow, sqlx::Error>>,
    pending: Option<RosterRow>,
    path: &'a Path,
    columns: &'a [String],
    numbers: NumberColumns,
    /// Where the name stands among the values that are read.
    name_at: Option<usize>,
    read: u64,
    students: u64,
}

/// The columns before the values.
const BEFORE_VALUES: usize = 4;

impl<'a> StudentCursor<'a> {
    pub(super) fn new(
        rows: BoxStream<'a, Result<SqliteRow, sqlx::Error>>,
        database: &'a RosterDatabase,
        numbers: NumberColumns,
    ) -> Self {
        let (path, columns, name_at) = (&database.path, &database.columns, database.name_at());
        Self { rows, pending: None, path, columns, numbers, name_at, read: 0, students: 0 }
    }

    /// The next student, with all groups; `None` after the last.
    ///
    /// # Errors
    /// When the roster cannot be read, or is not in ascending order of student id.
    pub async fn next(&mut self) -> Result<Option<RosterRow>, RosterError> {
        let next = self.advance().await?;
        self.students += u64::from(next.is_some());
        Ok(next)
    }

    /// The counts of this reading, against the number of rows that the same snapshot counts.
    #[must_use]
    pub fn tally(&self, counted: u64, least: u64) -> RosterTally {
        RosterTally { counted, read: self.read, students: self.students, least }
    }

    async fn advance(&mut self) -> Result<Option<RosterRow>, RosterError> {
        while let Some(row) = self.rows.next().await {
            let row = row.map_err(|source| failure(self.path, "students", source))?;
            self.read += 1;
            let (next, group) = self.read(&row);
            match &mut self.pending {
                Some(pending) if pending.student.id == next.student.id => {
                    pending.student.active |= next.student.active;
                    pending.unusable = pending.unusable.take().or(next.unusable);
                    if let Some(group) = group
                        && pending.student.groups.last() != Some(&group)
                    {
                        pending.student.groups.push(group);
                    }
                }
                // Both sides of a comparison come in byte order; in another order students would be taken for
                // leavers.
                Some(pending) if pending.student.id > next.student.id => {
                    let what =
                        "students do not come in the order of student_id: store the ids as text in UTF-8";
                    return Err(RosterError::Schema { path: self.path.to_owned(), what: what.to_owned() });
                }
                _ => {
                    let mut next = next;
                    next.student.groups.extend(group);
                    if let Some(done) = self.pending.replace(next) {
                        return Ok(Some(done));
                    }
                }
            }
        }
        Ok(self.pending.take())
    }

    fn read(&self, row: &SqliteRow) -> (RosterRow, Option<GroupCode>) {
        let id = row.try_get_unchecked::<Option<String>, _>(0).ok().flatten().unwrap_or_default();
        let says = row.try_get_unchecked::<Option<i64>, _>(1).ok().flatten();
        let group = row.try_get_unchecked::<Option<String>, _>(2).ok().flatten();
        let mut unusable = None;
        let mut values = Vec::with_capacity(self.columns.len());
        for (at, column) in self.columns.iter().enumerate() {
            let value = value(row, at.saturating_add(BEFORE_VALUES), self.numbers.has(at));
            values.push(value.unwrap_or_else(|holds| {
                unusable = Some(format!("students.{column} holds {holds}: enter it again"));
                String::new()
            }));
        }
        let student = Student { id: StudentId::new(id), active: says != Some(0), values, groups: Vec::new() };
        let unusable = self.flaw(row, says, &student).map(ToOwned::to_owned).or(unusable);
        (RosterRow { student, unusable }, group.map(GroupCode::new))
    }

    /// What makes the row unusable beside the mapped values.
    fn flaw(&self, row: &SqliteRow, says: Option<i64>, student: &Student) -> Option<&'static str> {
        if row.try_get_unchecked::<bool, _>(3).unwrap_or(true) {
            return Some("students.student_id is stored as binary data (BLOB): store it as text");
        }
        let name_at = self.name_at.filter(|_| student.active);
        let name = name_at.and_then(|at| value(row, at.saturating_add(BEFORE_VALUES), false).ok());
        flaw(student.id.as_str(), says, name.as_deref())
    }
}

/// What makes a row unusable beside the mapped values; `name` is there where the student is active, and the roster has a
/// name that can be read.
pub(super) fn flaw(id: &str, says: Option<i64>, name: Option<&str>) -> Option<&'static str> {
    if identifier(id).as_deref() != Some(id) {
        return Some("students.student_id holds characters that no id has: enter it again");
    }
    if !matches!(says, Some(0 | 1)) {
        return Some("students.active is neither 1 nor 0 nor a word for them (yes, no): enter one of them");
    }
    name.is_some_and(str::is_empty).then_some("students.name is empty: enter the student's name")
}

/// Wanted classes one at a time.
pub struct ClassCursor<'a> {
    rows: BoxStream<'a, Result<SqliteRow, sqlx::Error>>,
    pending: Option<WantedClass>,
    path: &'a Path,
}

impl<'a> ClassCursor<'a> {
    pub(super) fn new(rows: BoxStream<'a, Result<SqliteRow, sqlx::Error>>, path: &'a Path) -> Self {
        Self { rows, pending: None, path }
    }

    /// The next class, with all wanted members; `None` after the last.
    ///
    /// # Errors
    /// When the roster cannot be read.
    pub async fn next(&mut self) -> Result<Option<WantedClass>, RosterError> {
        while let Some(row) = self.rows.next().await {
            let row = row.map_err(|source| failure(self.path, "class_members", source))?;
            let Some(enrolment) = wanted_enrolment(&row) else { continue };
            match &mut self.pending {
                Some(pending) if pending.target == enrolment.target => pending.members.push(enrolment),
                _ => {
                    let next = WantedClass { target: enrolment.target, members: vec![enrolment] };
                    if let Some(done) = self.pending.replace(next) {
                        return Ok(Some(done));
                    }
                }
            }
        }
        Ok(self.pending.take())
    }
}

fn wanted_enrolment(row: &SqliteRow) -> Option<Enrolment> {
    let Number::Is(course) = number(row, "course") else { return None };
    let class = match number(row, "class") {
        Number::Is(class) if class > 0 => Some(ClassId(class)),
        Number::Is(_) => None,
        Number::Absent | Number::Other(_) => return None,
    };
    let uid = number(row, "uid");
    if uid.flaw().is_some() {
        return None;
    }
    let uid = uid.id().map(ClassinUid);
    Some(Enrolment {
        student: StudentId::new(text(row, "id")?),
        class_code: ClassCode::new(text(row, "code")?),
        target: ClassTarget { course: CourseId(course), class },
        uid,
    })
}
