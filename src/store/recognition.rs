//! Whether a file is a state database of ours, before anything is written to it.
//!
//! A wrong path in the configuration must never turn another program's database, or the school's roster, into ours.

use std::path::{Path, PathBuf};

use sqlx::migrate::MigrateError;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};

use super::StoreError;
use super::roster::stale_log;
use super::state::MIGRATIONS;
use crate::files::{self, Right};

/// What stands at the path of the state database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateFile {
    /// Nothing yet, or an empty file.
    Absent,
    /// A state database that an older version has left.
    Older,
    /// A state database that needs no upgrade, or one that only opening it can judge.
    Current,
}

/// The number of foreign tables that a refusal names.
const NAMED_TABLES: usize = 3;

const TABLES: &str = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite%' \
                      ORDER BY name";

/// What stands at this path. Nothing is written and no file is left behind.
///
/// # Errors
/// [`StoreError::Foreign`] when it is a database of something else, [`StoreError::Denied`] when it lies where we may not
/// look, [`StoreError::Lost`] when one has been there: what cannot be seen is not absent, and neither is what was lost.
pub(super) async fn state_file(path: &Path) -> Result<StateFile, StoreError> {
    require_no_link_of_others(path)?;
    if !path.metadata().is_ok_and(|file| file.len() > 0) {
        return match files::missing_right(Right::Read, path) {
            Some(what) => Err(StoreError::Denied { path: path.to_owned(), what }),
            None => require_not_lost(path).map(|()| StateFile::Absent),
        };
    }
    require_ours(path).await?;
    let Ok(mut connection) = without_a_trace(path).connect().await else { return Ok(StateFile::Current) };
    let found = applied(&mut connection).await;
    let _closed = connection.close().await;
    Ok(found.unwrap_or(StateFile::Current))
}

/// How a database is read without a trace. Opened in WAL mode it would get a log and an index, which whoever only reads cannot
/// take away again; where no log is there nobody writes, and what the file holds is all of it.
pub(super) fn without_a_trace(path: &Path) -> SqliteConnectOptions {
    let is_in_use = files::beside(path, "-wal").exists();
    SqliteConnectOptions::new().filename(path).read_only(true).immutable(!is_in_use)
}

/// Refuses to begin anew where a state has been: without its memory rosterd would take what is its own for others'.
///
/// # Errors
/// [`StoreError::Lost`].
pub(super) fn require_not_lost(path: &Path) -> Result<(), StoreError> {
    // The trace first: another process may be making both just now, the database before its lock.
    let trace = trace_of_a_state(path);
    let is_there = path.metadata().is_ok_and(|file| file.len() > 0);
    match trace.filter(|_| !is_there) {
        Some(trace) => Err(StoreError::Lost { path: path.to_owned(), trace }),
        None => Ok(()),
    }
}

/// What only a state database that was there leaves beside it. The lock of runs is made once the database is open; a log has
/// contents only when the database has. (A daemon's lock comes before the database, and a journal with its first page.)
pub(super) fn trace_of_a_state(path: &Path) -> Option<PathBuf> {
    let path = files::resolved(path);
    let is_file = |path: &Path, least: u64| {
        path.symlink_metadata().is_ok_and(|file| file.is_file() && file.len() >= least)
    };
    [(".lock", 0), ("-wal", 1)]
        .into_iter()
        .map(|(ending, least)| (files::beside(&path, ending), least))
        .find(|(trace, least)| is_file(trace, *least))
        .map(|(trace, _)| trace)
}

/// Refuses a link by which another user would have root write elsewhere.
///
/// # Errors
/// [`StoreError::Denied`].
pub(super) fn require_no_link_of_others(path: &Path) -> Result<(), StoreError> {
    files::link_of_others(path).map_or(Ok(()), |what| Err(StoreError::Denied { path: path.to_owned(), what }))
}

/// Refuses a file that is mounted without its folder, before anything of SQLite's makes a log beside it.
///
/// # Errors
/// [`StoreError::MountedAlone`].
pub(super) fn require_folder_of_its_own(path: &Path) -> Result<(), StoreError> {
    let path = files::resolved(path);
    if files::is_mounted_alone(&path) { Err(StoreError::MountedAlone { path }) } else { Ok(()) }
}

/// Refuses a file that holds a database of something else, or beside which the log of an earlier one stands.
///
/// # Errors
/// [`StoreError::Foreign`], [`StoreError::StaleLog`]. What cannot be read at all is left to whoever opens it.
pub(super) async fn require_ours(path: &Path) -> Result<(), StoreError> {
    if !path.metadata().is_ok_and(|file| file.len() > 0) {
        return Ok(());
    }
    // Before anything of SQLite's looks at it: opening it is playing the log over it.
    if let Some(stale) = stale_log::find(&files::resolved(path), None) {
        let (side, why) = (stale.side().to_owned(), stale.why());
        return Err(StoreError::StaleLog { path: path.to_owned(), side, why });
    }
    // Immutable: no lock is taken and no file appears beside a database that may be somebody else's.
    let options = SqliteConnectOptions::new().filename(path).read_only(true).immutable(true);
    let Ok(mut connection) = options.connect().await else { return Ok(()) };
    let foreign = foreign_tables(&mut connection).await;
    let _closed = connection.close().await;
    refuse(path, foreign)
}

/// The same for a database that is open already: what its log holds is seen too.
///
/// # Errors
/// [`StoreError::Foreign`].
pub(super) async fn require_ours_over(
    connection: &mut SqliteConnection,
    path: &Path,
) -> Result<(), StoreError> {
    let foreign = foreign_tables(connection).await;
    refuse(path, foreign)
}

/// Refuses a database whose history this version does not know.
///
/// # Errors
/// [`StoreError::Schema`], and as any statement where it cannot be read.
pub(super) async fn require_known(connection: &mut SqliteConnection, path: &Path) -> Result<(), StoreError> {
    let done: Result<Vec<(i64, Vec<u8>)>, _> =
        sqlx::query_as("SELECT version, checksum FROM _sqlx_migrations ORDER BY version")
            .fetch_all(connection)
            .await;
    for (version, checksum) in done.map_err(|source| StoreError::of_opening(path, source))? {
        let known = MIGRATIONS.iter().find(|migration| migration.version == version);
        let source = match known {
            None => MigrateError::VersionMissing(version),
            Some(known) if *known.checksum != *checksum => MigrateError::VersionMismatch(version),
            Some(_) => continue,
        };
        return Err(StoreError::Schema { path: path.to_owned(), source });
    }
    Ok(())
}

fn refuse(path: &Path, foreign: Result<Option<String>, sqlx::Error>) -> Result<(), StoreError> {
    match foreign {
        Ok(Some(tables)) => Err(StoreError::Foreign { path: path.to_owned(), tables }),
        Ok(None) | Err(_) => Ok(()),
    }
}

async fn tables(connection: &mut SqliteConnection) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar(TABLES).fetch_all(connection).await
}

/// The tables of a database that has some and is not ours.
async fn foreign_tables(connection: &mut SqliteConnection) -> Result<Option<String>, sqlx::Error> {
    let tables = tables(connection).await?;
    if tables.iter().any(|table| table == "_sqlx_migrations") {
        let first: Option<String> =
            sqlx::query_scalar("SELECT description FROM _sqlx_migrations ORDER BY version LIMIT 1")
                .fetch_optional(&mut *connection)
                .await?;
        let ours = MIGRATIONS.iter().next().map(|migration| migration.description.as_ref());
        let others = tables.iter().filter(|table| *table != "_sqlx_migrations").count();
        if first.as_deref() == ours || (first.is_none() && others == 0) {
            return Ok(None);
        }
    }
    Ok((!tables.is_empty()).then(|| named(&tables)))
}

fn named(tables: &[String]) -> String {
    let shown: Vec<&str> = tables.iter().take(NAMED_TABLES).map(String::as_str).collect();
    let more = if tables.len() > NAMED_TABLES { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

/// Whether each of our migrations has been applied.
async fn applied(connection: &mut SqliteConnection) -> Result<StateFile, sqlx::Error> {
    let tables = tables(connection).await?;
    if tables.is_empty() {
        return Ok(StateFile::Absent);
    }
    let done: Vec<i64> = sqlx::query_scalar("SELECT version FROM _sqlx_migrations ORDER BY version")
        .fetch_all(&mut *connection)
        .await?;
    let is_current = MIGRATIONS.iter().all(|migration| done.contains(&migration.version));
    Ok(if is_current { StateFile::Current } else { StateFile::Older })
}
