//! Brings students, groups and classes in line with their rows: compares first, writes only what differs.

use std::collections::{HashMap, HashSet};

use futures_util::TryStreamExt;
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};

use super::cells::{Cell, KeyedRow};
use super::difference::{RowChange, SHOWN_KEYS, TableDifference};
use super::{Completeness, RosterWriteError, found};
use crate::import::{Given, RosterTable, StudentRow};

/// Rows of one INSERT; more bring no more speed.
pub(super) const ROWS_PER_INSERT: usize = 500;
/// Values of one statement, below `SQLite`'s limit of 32,766.
const VALUES_PER_INSERT: usize = 30_000;

/// The columns that are compared: those that some row gives, and what every student has.
pub(super) fn student_columns(rows: &[StudentRow]) -> Vec<&str> {
    let mut columns = vec!["name", "active"];
    let optional = ["gender", "phone", "email", "password", "classin_uid"];
    let is_given = |column: &str| rows.iter().any(|row| row.cell(column, Completeness::Partial).is_given());
    columns.extend(optional.into_iter().filter(|column| is_given(column)));
    let mut further: Vec<&str> = rows
        .iter()
        .flat_map(|row| row.further.keys())
        .map(String::as_str)
        .collect::<HashSet<_>>()
        .into_iter()
        .collect();
    further.sort_unstable();
    columns.extend(further);
    columns
}

fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}

/// Gives the table of students the columns it lacks; returns which those were.
pub(super) async fn add_columns(
    connection: &mut SqliteConnection,
    wanted: &[&str],
) -> Result<Vec<String>, RosterWriteError> {
    let present: Vec<String> =
        sqlx::query_scalar("SELECT name FROM pragma_table_info('students') ORDER BY cid")
            .fetch_all(&mut *connection)
            .await?;
    let mut added = Vec::new();
    for column in wanted {
        if present.iter().any(|name| name.eq_ignore_ascii_case(column)) {
            continue;
        }
        let kind = match *column {
            "classin_uid" => "INTEGER",
            "active" => "INTEGER NOT NULL DEFAULT 1",
            _ => "TEXT",
        };
        let mut statement = QueryBuilder::<Sqlite>::new("ALTER TABLE students ADD COLUMN ");
        statement.push(quoted(column)).push(" ").push(kind);
        statement.build().persistent(false).execute(&mut *connection).await?;
        added.push((*column).to_owned());
    }
    Ok(added)
}

/// Positions of rows, by what has to be done with them.
#[derive(Default)]
struct Comparison {
    /// With the positions of the columns that differ.
    changed: Vec<(usize, Vec<usize>)>,
    missing: Vec<usize>,
    unchanged: usize,
}

/// Brings a table in line with its rows. Nothing is taken away here.
pub(super) async fn apply_rows<R: KeyedRow>(
    connection: &mut SqliteConnection,
    rows: &[R],
    columns: &[&str],
    completeness: Completeness,
) -> Result<TableDifference, RosterWriteError> {
    if rows.is_empty() {
        return Ok(TableDifference::default());
    }
    let comparison = compare(connection, rows, columns, completeness).await?;
    let mut difference = TableDifference {
        added: comparison.missing.len(),
        changed: comparison.changed.len(),
        unchanged: comparison.unchanged,
        ..TableDifference::default()
    };
    for (at, differing) in &comparison.changed {
        let Some(row) = rows.get(*at) else { continue };
        let names: Vec<&str> = differing.iter().filter_map(|at| columns.get(*at).copied()).collect();
        update(connection, row, &names, completeness).await?;
        let names = names.into_iter().map(str::to_owned).collect();
        difference.show(row.key(), RowChange::Changed, names);
    }
    let missing: Vec<&R> = comparison.missing.iter().filter_map(|at| rows.get(*at)).collect();
    let rows_at_once = (VALUES_PER_INSERT / (columns.len() + 1)).clamp(1, ROWS_PER_INSERT);
    for rows in missing.chunks(rows_at_once) {
        insert(connection, rows, columns, completeness).await?;
    }
    for row in missing {
        difference.show(row.key(), RowChange::Added, Vec::new());
    }
    Ok(difference)
}

/// Walks once through the table; only the given rows are held in memory.
async fn compare<R: KeyedRow>(
    connection: &mut SqliteConnection,
    rows: &[R],
    columns: &[&str],
    completeness: Completeness,
) -> Result<Comparison, RosterWriteError> {
    let key = R::TABLE.columns().first().copied().unwrap_or_default();
    let mut query = QueryBuilder::<Sqlite>::new(format!("SELECT CAST({key} AS TEXT)"));
    for column in columns {
        query.push(", CAST(").push(quoted(column)).push(" AS TEXT)");
    }
    query.push(format_args!(" FROM {} ORDER BY {key}", R::TABLE));

    let mut open: HashMap<&str, usize> = rows.iter().enumerate().map(|(at, row)| (row.key(), at)).collect();
    let mut comparison = Comparison::default();
    let mut present = query.build().persistent(false).fetch(connection);
    while let Some(found) = present.try_next().await? {
        let Some(at) = found.try_get::<Option<&str>, _>(0)?.and_then(|key| open.remove(key)) else {
            continue;
        };
        let Some(row) = rows.get(at) else { continue };
        let mut differing = Vec::new();
        for (number, column) in columns.iter().enumerate() {
            let value: Option<&str> = found.try_get(number + 1)?;
            let equal = match row.cell(column, completeness) {
                Given::Nothing => true,
                Given::Empty => value.unwrap_or_default().is_empty(),
                Given::Value(cell) => cell.equals(value),
            };
            if !equal {
                differing.push(number);
            }
        }
        if differing.is_empty() {
            comparison.unchanged += 1;
        } else {
            comparison.changed.push((at, differing));
        }
    }
    comparison.missing = open.into_values().collect();
    comparison.missing.sort_unstable();
    Ok(comparison)
}

async fn update<R: KeyedRow>(
    connection: &mut SqliteConnection,
    row: &R,
    columns: &[&str],
    completeness: Completeness,
) -> Result<(), RosterWriteError> {
    let key = R::TABLE.columns().first().copied().unwrap_or_default();
    let mut statement = QueryBuilder::<Sqlite>::new(format!("UPDATE {} SET ", R::TABLE));
    for (number, column) in columns.iter().enumerate() {
        statement.push(if number == 0 { "" } else { ", " }).push(quoted(column)).push(" = ");
        match row.cell(column, completeness) {
            Given::Value(Cell::Text(text)) => statement.push_bind(text),
            Given::Value(Cell::Number(number)) => statement.push_bind(number),
            Given::Nothing | Given::Empty => statement.push("NULL"),
        };
    }
    statement.push(format_args!(" WHERE {key} = ")).push_bind(row.key());
    let done = statement.build().execute(connection).await?;
    found(done.rows_affected(), R::TABLE, row.key())
}

async fn insert<R: KeyedRow>(
    connection: &mut SqliteConnection,
    rows: &[&R],
    columns: &[&str],
    completeness: Completeness,
) -> Result<(), RosterWriteError> {
    let key = R::TABLE.columns().first().copied().unwrap_or_default();
    let mut statement = QueryBuilder::<Sqlite>::new(format!("INSERT INTO {} ({key}", R::TABLE));
    for column in columns {
        statement.push(", ").push(quoted(column));
    }
    statement.push(") ").push_values(rows, |mut values, row| {
        values.push_bind(row.key());
        for column in columns {
            match row.cell(column, completeness) {
                Given::Value(Cell::Text(text)) => values.push_bind(text),
                Given::Value(Cell::Number(number)) => values.push_bind(number),
                // A new student is there unless the file says otherwise.
                Given::Nothing | Given::Empty if *column == "active" => values.push("1"),
                Given::Nothing | Given::Empty => values.push("NULL"),
            };
        }
    });
    statement.build().persistent(false).execute(connection).await?;
    Ok(())
}

/// Marks everybody who is not among the rows as having left.
pub(super) async fn mark_leavers(
    connection: &mut SqliteConnection,
    rows: &[StudentRow],
    difference: &mut TableDifference,
) -> Result<(), RosterWriteError> {
    let given: HashSet<&str> = rows.iter().map(|row| row.student_id.as_str()).collect();
    let present: Vec<String> = sqlx::query_scalar(
        "SELECT CAST(student_id AS TEXT) FROM students
         WHERE active IS NOT 0 AND student_id IS NOT NULL
         ORDER BY student_id",
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut leavers = TableDifference::default();
    for student_id in present.iter().filter(|id| !given.contains(id.as_str())) {
        let query = sqlx::query("UPDATE students SET active = 0 WHERE student_id = ?").bind(student_id);
        let done = query.execute(&mut *connection).await?;
        found(done.rows_affected(), RosterTable::Students, student_id)?;
        leavers.left += 1;
        leavers.show(student_id, RowChange::Left, Vec::new());
    }
    difference.left = leavers.left;
    difference.rows.splice(0..0, leavers.rows);
    difference.rows.truncate(SHOWN_KEYS);
    Ok(())
}
