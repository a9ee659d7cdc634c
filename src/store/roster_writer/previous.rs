//! The roster as it was before the last import: one generation, in a file beside it that only its owner can read.

use std::path::{Path, PathBuf};

use serde::Serialize;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, QueryBuilder, Sqlite, SqliteConnection};

use super::opening::{connect, create_private};
use super::staging::{Staging, run};
use super::{RosterWriteError, compare, history};
use crate::files;
use rosterd_import::RosterTable;

/// The file with the roster before the last import.
#[must_use]
pub fn previous_of(database: &Path) -> PathBuf {
    beside(database, ".previous")
}

/// Beside the file itself, by whatever link it is named: another name must not find another generation.
pub(super) fn beside(database: &Path, ending: &str) -> PathBuf {
    files::beside(&files::resolved(database), ending)
}

/// A copy that is not yet the previous roster. It is removed unless it is kept.
#[derive(Debug)]
pub struct Copied {
    part: PathBuf,
    previous: PathBuf,
}

impl Copied {
    /// Makes the copy the previous roster.
    ///
    /// # Errors
    /// [`RosterWriteError::Previous`] when the file cannot be put in its place.
    pub fn keep(self) -> Result<(), RosterWriteError> {
        let source = match std::fs::rename(&self.part, &self.previous) {
            Ok(()) => return Ok(()),
            Err(source) => source,
        };
        Err(RosterWriteError::Previous { path: self.previous.clone(), source })
    }
}

impl Drop for Copied {
    fn drop(&mut self) {
        // After a rename there is none.
        let _none = std::fs::remove_file(&self.part);
    }
}

impl Staging {
    /// Copies the roster as it is, before it is written; `None` where there is none yet.
    ///
    /// # Errors
    /// [`RosterWriteError::Previous`] when there is no room or right for the file, and failures of the database.
    pub async fn copy(&mut self, database: &Path) -> Result<Option<Copied>, RosterWriteError> {
        if self.is_empty {
            return Ok(None);
        }
        let copied = copy(&mut self.connection, database).await?;
        self.keeps = true;
        Ok(Some(copied))
    }
}

async fn copy(connection: &mut SqliteConnection, database: &Path) -> Result<Copied, RosterWriteError> {
    let (part, previous) = (beside(database, ".previous.part"), previous_of(database));
    let cannot = |source| RosterWriteError::Previous { path: part.clone(), source };
    match std::fs::remove_file(&part) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(cannot(error)),
    }
    create_private(&part)?;
    let copied = Copied { part, previous };
    let name = copied.part.to_string_lossy().into_owned();
    sqlx::query("VACUUM INTO ?").bind(&name).execute(&mut *connection).await?;
    sqlx::query("ATTACH DATABASE ? AS kept").bind(name).execute(connection).await?;
    Ok(copied)
}

/// From here on each row that changes is noted in the copy, as it was and as it is, in the transaction that changes the
/// roster: an undo takes back these and leaves alone what others have changed since. Triggers note them, so that it costs
/// what changes, however large the roster is, and what triggers of the school's own change is noted too.
pub(super) async fn begin_notes(connection: &mut SqliteConnection) -> Result<(), RosterWriteError> {
    for table in RosterTable::ALL {
        let columns = columns_of(connection, table, "kept").await?;
        let noted = |side: &str, row: &str| {
            let values: Vec<String> = columns.iter().map(|column| format!("{row}.{column}")).collect();
            // A trigger names no database: of several with this table, the copy was attached first.
            format!("INSERT INTO {side}_{table} VALUES ({});", values.join(", "))
        };
        let (came, went) = (noted("came", "NEW"), noted("went", "OLD"));
        let none = format!("AS SELECT {} FROM main.{table} WHERE 0", columns.join(", "));
        run(connection, format!("CREATE TABLE kept.came_{table} {none}")).await?;
        run(connection, format!("CREATE TABLE kept.went_{table} {none}")).await?;
        for (event, notes) in [("INSERT", came.clone()), ("DELETE", went.clone()), ("UPDATE", went + &came)] {
            let name = trigger(event, table);
            run(
                connection,
                format!("CREATE TEMP TRIGGER {name} AFTER {event} ON main.{table} BEGIN {notes} END"),
            )
            .await?;
        }
    }
    Ok(())
}

/// What changes from here on is noted no more.
pub(super) async fn end_notes(connection: &mut SqliteConnection) -> Result<(), RosterWriteError> {
    for table in RosterTable::ALL {
        for event in ["INSERT", "DELETE", "UPDATE"] {
            run(connection, format!("DROP TRIGGER temp.{}", trigger(event, table))).await?;
        }
    }
    Ok(())
}

fn trigger(event: &str, table: RosterTable) -> String {
    format!("rosterd_notes_{event}_{table}")
}

/// The columns that a table has in a database, quoted.
async fn columns_of(
    connection: &mut SqliteConnection,
    table: RosterTable,
    database: &str,
) -> Result<Vec<String>, RosterWriteError> {
    let mut names =
        QueryBuilder::<Sqlite>::new(format!("SELECT name FROM pragma_table_info('{table}', '{database}')"));
    let names: Vec<String> = names.build_query_scalar().persistent(false).fetch_all(connection).await?;
    Ok(names.iter().map(|name| compare::quoted(name)).collect())
}

/// What an undo brought back and took out, by table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Undone {
    /// Rows that are as they were again.
    pub back: Vec<(RosterTable, u64)>,
    /// Rows that the import had brought or changed.
    pub taken_out: Vec<(RosterTable, u64)>,
    /// Rows that others have changed since: they stay as they are now.
    pub kept: Vec<(RosterTable, u64)>,
    /// The first of them.
    pub first_kept: Vec<String>,
}

/// So many of the rows that stay are named.
const NAMED: usize = 10;

/// Brings the roster back as it was before the last import, in one transaction. What it was until now becomes the
/// previous one: another undo takes it back.
///
/// # Errors
/// [`RosterWriteError::NoPrevious`] where there is none, and failures of the database.
pub async fn undo(database: &Path) -> Result<Undone, RosterWriteError> {
    let previous = previous_of(database);
    let is_file = std::fs::symlink_metadata(&previous).is_ok_and(|file| file.is_file());
    if !is_file || !database.exists() {
        return Err(RosterWriteError::NoPrevious { path: previous });
    }
    let pool = connect(SqliteConnectOptions::new().filename(database)).await?;
    let mut connection = pool.acquire().await?;
    let copied = copy(&mut connection, database).await?;
    let name = previous.to_string_lossy().into_owned();
    let spoilt = |source| RosterWriteError::SpoiltPrevious { path: previous.clone(), source };
    sqlx::query("ATTACH DATABASE ? AS previous")
        .bind(name)
        .execute(&mut *connection)
        .await
        .map_err(spoilt)?;
    let tables = "SELECT COUNT(*) FROM previous.sqlite_schema";
    let _readable = sqlx::query(tables).fetch_one(&mut *connection).await.map_err(spoilt)?;
    let noted = history::history_of(database);
    let is_noted = noted.exists();
    history::attach_to(&mut connection, is_noted.then_some(&noted)).await?;
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    history::prepare(&mut transaction, false).await?;
    history::undo_last(&mut transaction).await?;
    begin_notes(&mut transaction).await?;
    let mut undone = Undone::default();
    for table in RosterTable::ALL {
        bring_back(&mut transaction, table, &mut undone).await?;
    }
    end_notes(&mut transaction).await?;
    transaction.commit().await?;
    run(&mut connection, "DETACH DATABASE previous".to_owned()).await?;
    drop(connection);
    pool.close().await;
    copied.keep()?;
    Ok(undone)
}

/// Makes the rows of a table what they were before the import, but for those that others have changed since; columns that it
/// got since are left empty.
async fn bring_back(
    connection: &mut SqliteConnection,
    table: RosterTable,
    undone: &mut Undone,
) -> Result<(), RosterWriteError> {
    let columns = columns_of(connection, table, "previous").await?.join(", ");
    let key = match table {
        RosterTable::GroupMembers => "(student_id, group_code)",
        RosterTable::ClassMembers => "(student_id, class_code)",
        RosterTable::Students => "student_id",
        RosterTable::Groups => "group_code",
        RosterTable::Classes => "class_code",
    };
    let bare = key.trim_matches(['(', ')']);
    let (was, is) =
        (format!("SELECT {columns} FROM previous.{table}"), format!("SELECT {columns} FROM main.{table}"));
    let noted = |name: &str| format!("SELECT {columns} FROM previous.{name}_{table}");
    // A copy of an earlier release does not tell them apart.
    let (came, went) =
        if has_notes(connection).await? { (noted("came"), noted("went")) } else { (is.clone(), was.clone()) };
    for (name, rows) in [
        ("gone", format!("{is} INTERSECT {came} EXCEPT {was}")),
        ("back", format!("{was} INTERSECT {went} EXCEPT {is}")),
    ] {
        run(connection, format!("CREATE TEMP TABLE {name}_{table} AS SELECT * FROM ({rows})")).await?;
    }
    let gone = format!("DELETE FROM main.{table} WHERE {key} IN (SELECT {bare} FROM temp.gone_{table})");
    undone.taken_out.push((table, run(connection, gone).await?));
    let free = format!("{key} NOT IN (SELECT {bare} FROM main.{table})");
    let back =
        format!("INSERT INTO main.{table} ({columns}) SELECT {columns} FROM temp.back_{table} WHERE {free}");
    undone.back.push((table, run(connection, back).await?));
    for name in ["back", "gone"] {
        run(connection, format!("DROP TABLE temp.{name}_{table}")).await?;
    }
    // What differs from the copy now was changed by somebody else.
    let differing = format!(
        "SELECT DISTINCT {bare} FROM (SELECT * FROM ({was} EXCEPT {is}) UNION ALL SELECT * FROM ({is} EXCEPT {was}))"
    );
    let kept = compare::count_of(connection, &format!("SELECT COUNT(*) FROM ({differing})")).await?;
    undone.kept.push((table, kept));
    let shown = bare
        .split(", ")
        .map(|column| format!("COALESCE({column}, '')"))
        .collect::<Vec<_>>()
        .join(" || ' ' || ");
    let first = format!(
        "SELECT {shown} FROM ({differing}) ORDER BY 1 LIMIT {}",
        NAMED.saturating_sub(undone.first_kept.len())
    );
    let mut first = QueryBuilder::<Sqlite>::new(first);
    let first: Vec<String> = first.build_query_scalar().persistent(false).fetch_all(connection).await?;
    undone.first_kept.extend(first.iter().map(|key| format!("{table} {key}")));
    Ok(())
}

/// Whether the copy says which rows its import changed.
async fn has_notes(connection: &mut SqliteConnection) -> Result<bool, RosterWriteError> {
    let notes = "SELECT COUNT(*) FROM previous.sqlite_schema WHERE name = 'came_students'";
    Ok(compare::count_of(connection, notes).await? > 0)
}
