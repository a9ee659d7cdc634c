//! Rows of the roster one at a time: memory stays flat however large a school is.

use std::path::Path;

use futures_util::stream::{BoxStream, StreamExt};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::error::failure;
use super::value::{Number, number, text};
use super::{RosterError, RosterRow, WantedClass};
use rosterd_core::exam_plan::RosterTally;
use rosterd_core::roster::{
    ClassCode, ClassId, ClassTarget, ClassinUid, CourseId, Enrolment, GroupCode, Student, StudentId,
    normalise,
};

/// Students one at a time.
pub struct StudentCursor<'a> {
    rows: BoxStream<'a, Result<SqliteRow, sqlx::Error>>,
    pending: Option<RosterRow>,
    path: &'a Path,
    columns: usize,
    read: u64,
    students: u64,
}

impl<'a> StudentCursor<'a> {
    pub(super) fn new(
        rows: BoxStream<'a, Result<SqliteRow, sqlx::Error>>,
        path: &'a Path,
        columns: usize,
    ) -> Self {
        Self { rows, pending: None, path, columns, read: 0, students: 0 }
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
                    if let Some(group) = group
                        && pending.student.groups.last() != Some(&group)
                    {
                        pending.student.groups.push(group);
                    }
                }
                // Both sides of a comparison come in byte order; in another order students would be taken for
                // leavers. A row without a readable id is reported by itself, at any position.
                Some(pending)
                    if !next.student.id.as_str().is_empty() && pending.student.id > next.student.id =>
                {
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
        let mut unusable = None;
        let id = row.try_get_unchecked::<Option<String>, _>(0).ok().flatten().unwrap_or_default();
        if id.is_empty() {
            unusable = Some("students.student_id is empty: enter one".to_owned());
        }
        let active = row.try_get_unchecked::<Option<i64>, _>(1).ok().flatten() != Some(0);
        let group = row.try_get_unchecked::<Option<String>, _>(2).ok().flatten();
        let values = (0..self.columns)
            .map(|at| match row.try_get_unchecked::<Option<String>, _>(at + 3) {
                Ok(value) => value.map(|value| normalise(&value).into_owned()).unwrap_or_default(),
                Err(_) => {
                    unusable = Some("a value is not readable text: enter it again".to_owned());
                    String::new()
                }
            })
            .collect();
        let student = Student { id: StudentId::new(id), active, values, groups: Vec::new() };
        (RosterRow { student, unusable }, group.filter(|code| !code.is_empty()).map(GroupCode::new))
    }
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
        Number::Absent | Number::Other => return None,
    };
    let uid = match number(row, "uid") {
        Number::Is(uid) if uid > 0 => Some(ClassinUid(uid)),
        Number::Is(_) | Number::Absent | Number::Other => None,
    };
    Some(Enrolment {
        student: StudentId::new(text(row, "id")?),
        class_code: ClassCode::new(text(row, "code")?),
        target: ClassTarget { course: CourseId(course), class },
        uid,
    })
}
