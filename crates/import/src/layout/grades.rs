//! The grade beside a class, where merged cells may have left it in the first of several rows alone: `1班` of another grade is
//! another class.

use csv::StringRecord;
use rosterd_core::roster::normalise;

use crate::fill::Fill;
use crate::made::Made;
use crate::names::class_of_grade;

/// How full the column of the grade is, in rows whose class is not the same without it.
pub(crate) struct Grades {
    grade: usize,
    class: usize,
    always: bool,
    last: String,
    fill: Fill,
}

impl Grades {
    /// Of columns that are made of others: a class within a grade.
    pub(super) fn of(made: &[Made]) -> Option<Self> {
        made.iter().find_map(|made| match made {
            Made::Class { grade, class, always } => Some(Self {
                grade: *grade,
                class: *class,
                always: *always,
                last: String::new(),
                fill: Fill::default(),
            }),
            Made::ClassWithin { parts, class } => Some(Self {
                grade: parts.first().copied()?,
                class: *class,
                always: true,
                last: String::new(),
                fill: Fill::default(),
            }),
            Made::ClassOf { .. }
            | Made::Copy(_)
            | Made::EnrollStatus(_)
            | Made::Joined(_)
            | Made::Name { .. }
            | Made::Constant(_)
            | Made::Title(_) => None,
        })
    }

    pub(super) fn note(&mut self, fields: &StringRecord) {
        let grade = normalise(fields.get(self.grade).unwrap_or_default());
        let class = normalise(fields.get(self.class).unwrap_or_default());
        let is_filled = !grade.is_empty();
        if is_filled && grade != self.last {
            self.last = grade.into_owned();
        }
        if !class.is_empty() && class_of_grade(&self.last, &class, self.always) != class {
            self.fill.note(is_filled, true);
        }
    }

    /// The number of the column, from 1, and how full it is, where it looks as merged cells leave it.
    pub(crate) fn merged(&self) -> Option<(usize, Fill)> {
        self.fill.looks_merged().then_some((self.grade + 1, self.fill))
    }
}
