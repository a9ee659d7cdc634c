//! What the rows of an import say about each column of their table. Pure.

use super::Completeness;
use crate::import::{ClassRow, Given, GroupRow, RosterTable, StudentRow};

/// A value as it is bound: numbers as numbers, whatever type a school gave the column.
#[derive(Clone, Copy)]
pub(super) enum Cell<'a> {
    Text(&'a str),
    Number(i64),
}

impl Cell<'_> {
    /// Whether the database has this value, read as text.
    pub(super) fn equals(self, present: Option<&str>) -> bool {
        match self {
            Self::Text(text) => present == Some(text),
            Self::Number(number) => present.and_then(|text| text.parse().ok()) == Some(number),
        }
    }
}

/// A row with a key of one column.
pub(super) trait KeyedRow {
    /// Where such rows are.
    const TABLE: RosterTable;
    /// The table's own columns after the key.
    fn columns() -> &'static [&'static str] {
        Self::TABLE.columns().get(1..).unwrap_or_default()
    }
    /// The row's key.
    fn key(&self) -> &str;
    /// What the row says about a column.
    fn cell(&self, column: &str, completeness: Completeness) -> Given<Cell<'_>>;
}

impl KeyedRow for StudentRow {
    const TABLE: RosterTable = RosterTable::Students;

    fn key(&self) -> &str {
        &self.student_id
    }

    fn cell(&self, column: &str, completeness: Completeness) -> Given<Cell<'_>> {
        match column {
            "name" => text(&self.name),
            "gender" => text(&self.gender),
            "phone" => text(&self.phone),
            "email" => text(&self.email),
            "password" => text(&self.password),
            "classin_uid" => number(self.classin_uid),
            "active" => match (self.active, completeness) {
                (Given::Value(active), _) => Given::Value(Cell::Number(i64::from(active))),
                (Given::Nothing | Given::Empty, Completeness::Whole) => Given::Value(Cell::Number(1)),
                (Given::Nothing | Given::Empty, Completeness::Partial) => Given::Nothing,
            },
            further => match self.further.get(further).map(String::as_str) {
                None => Given::Nothing,
                Some("") => Given::Empty,
                Some(value) => Given::Value(Cell::Text(value)),
            },
        }
    }
}

impl KeyedRow for GroupRow {
    const TABLE: RosterTable = RosterTable::Groups;

    fn key(&self) -> &str {
        &self.group_code
    }

    fn cell(&self, column: &str, _: Completeness) -> Given<Cell<'_>> {
        if column == "gid" { number(self.gid) } else { text(&self.title) }
    }
}

impl KeyedRow for ClassRow {
    const TABLE: RosterTable = RosterTable::Classes;

    fn key(&self) -> &str {
        &self.class_code
    }

    fn cell(&self, column: &str, _: Completeness) -> Given<Cell<'_>> {
        match column {
            "course_id" => number(self.course_id),
            "class_id" => number(self.class_id),
            _ => text(&self.title),
        }
    }
}

fn text(given: &Given<String>) -> Given<Cell<'_>> {
    match given {
        Given::Nothing => Given::Nothing,
        Given::Empty => Given::Empty,
        Given::Value(value) if value.is_empty() => Given::Empty,
        Given::Value(value) => Given::Value(Cell::Text(value)),
    }
}

fn number(given: Given<i64>) -> Given<Cell<'static>> {
    match given {
        Given::Nothing => Given::Nothing,
        Given::Empty => Given::Empty,
        Given::Value(value) => Given::Value(Cell::Number(value)),
    }
}
