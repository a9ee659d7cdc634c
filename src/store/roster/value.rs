//! Single values of the roster: SQLite lets any column hold anything.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, TypeInfo, ValueRef};

use rosterd_core::roster::{RosterProblem, normalise};

/// A row that cannot be used.
pub(super) fn problem(table: &'static str, key: &str, what: &str) -> RosterProblem {
    RosterProblem { table, key: key.to_owned(), what: what.to_owned() }
}

/// A text, where the value is one that can be read.
pub(super) fn text(row: &SqliteRow, column: &str) -> Option<String> {
    row.try_get_unchecked::<Option<String>, _>(column).ok().flatten()
}

/// A value that should be a whole number; SQLite lets any column hold anything.
pub(super) enum Number {
    Is(i64),
    Absent,
    Other,
}

/// A value that should be a whole number.
pub(super) fn number(row: &SqliteRow, column: &str) -> Number {
    let Ok(raw) = row.try_get_raw(column) else { return Number::Other };
    if raw.is_null() {
        return Number::Absent;
    }
    let kind = raw.type_info().name().to_owned();
    if kind == "INTEGER" || kind == "BOOLEAN" {
        return row.try_get_unchecked::<i64, _>(column).map_or(Number::Other, Number::Is);
    }
    // Spreadsheets and careless exports write numbers as text.
    match text(row, column).map(|text| normalise(&text).into_owned()) {
        Some(text) if text.is_empty() => Number::Absent,
        Some(text) => text.parse().map_or(Number::Other, Number::Is),
        None => Number::Other,
    }
}
