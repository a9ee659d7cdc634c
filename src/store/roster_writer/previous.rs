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
        if self.is_empty { Ok(None) } else { copy(&mut self.connection, database).await.map(Some) }
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
    sqlx::query("VACUUM INTO ?").bind(name).execute(connection).await?;
    Ok(copied)
}

/// What an undo brought back and took out, by table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Undone {
    /// Rows that are as they were again.
    pub back: Vec<(RosterTable, u64)>,
    /// Rows that the import had brought or changed.
    pub taken_out: Vec<(RosterTable, u64)>,
}

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
    sqlx::query("ATTACH DATABASE ? AS previous").bind(name).execute(&mut *connection).await?;
    let noted = history::history_of(database);
    let is_noted = noted.exists();
    history::attach_to(&mut connection, is_noted.then_some(&noted)).await?;
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    history::prepare(&mut transaction, false).await?;
    history::undo_last(&mut transaction).await?;
    let mut undone = Undone::default();
    for table in RosterTable::ALL {
        let (back, taken_out) = bring_back(&mut transaction, table).await?;
        undone.back.push((table, back));
        undone.taken_out.push((table, taken_out));
    }
    transaction.commit().await?;
    run(&mut connection, "DETACH DATABASE previous".to_owned()).await?;
    drop(connection);
    pool.close().await;
    copied.keep()?;
    Ok(undone)
}

/// Makes a table what it was; columns that it got since are left empty.
async fn bring_back(
    connection: &mut SqliteConnection,
    table: RosterTable,
) -> Result<(u64, u64), RosterWriteError> {
    let mut names =
        QueryBuilder::<Sqlite>::new(format!("SELECT name FROM pragma_table_info('{table}', 'previous')"));
    let names: Vec<String> = names.build_query_scalar().persistent(false).fetch_all(&mut *connection).await?;
    let columns: Vec<String> = names.iter().map(|name| compare::quoted(name)).collect();
    let columns = columns.join(", ");
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
    for (name, rows) in [("back", format!("{was} EXCEPT {is}")), ("gone", format!("{is} EXCEPT {was}"))] {
        run(connection, format!("CREATE TEMP TABLE {name}_{table} AS {rows}")).await?;
    }
    let gone = format!("DELETE FROM main.{table} WHERE {key} IN (SELECT {bare} FROM temp.gone_{table})");
    let gone = run(connection, gone).await?;
    let back = format!("INSERT INTO main.{table} ({columns}) SELECT {columns} FROM temp.back_{table}");
    let back = run(connection, back).await?;
    for name in ["back", "gone"] {
        run(connection, format!("DROP TABLE temp.{name}_{table}")).await?;
    }
    Ok((back, gone))
}
