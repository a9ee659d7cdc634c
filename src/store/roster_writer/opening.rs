//! Opens the file of a roster database and finds out what it is.

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use futures_util::TryStreamExt;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, SqlitePool};

use super::RosterWriteError;
use super::alike;
use crate::files;
use crate::store::pool;
use rosterd_import::RosterTable;

/// The longest wait for another writer.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Creates the file, for its owner alone, unless it is there. What root creates in somebody's folder is theirs: the service
/// that lives there must be able to read it.
pub(super) fn create_private(path: &Path) -> Result<(), RosterWriteError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(file) => files::give_to_owner_of(&file, files::folder_of(path))
            .map_err(|source| RosterWriteError::Create { path: path.to_owned(), source }),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(source) => Err(RosterWriteError::Create { path: path.to_owned(), source }),
    }
}

/// A pool of one connection, kept for good.
pub(super) async fn connect(options: SqliteConnectOptions) -> Result<SqlitePool, RosterWriteError> {
    // The journal mode stays what the school chose.
    let options = options
        .create_if_missing(false)
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging()
        .collation(alike::ALIKE, alike::compare_alike)
        .collation(alike::AS_READ, alike::compare_as_read);
    Ok(pool::open(options, 1, BUSY_TIMEOUT).await?)
}

/// The kind of tables in a database.
pub(super) enum Contents {
    Nothing,
    /// A roster's, made by our migrations.
    OurRoster,
    /// A roster's, made by the school.
    SchoolsRoster,
}

/// Finds out whether a database is a roster and who made it.
pub(super) async fn contents(pool: &SqlitePool, path: &Path) -> Result<Contents, RosterWriteError> {
    let tables: HashSet<String> = sqlx::query_scalar::<_, String>(
        "SELECT LOWER(name) FROM sqlite_schema
         WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'
         ORDER BY name",
    )
    .fetch(pool)
    .try_collect()
    .await?;
    if tables.iter().all(|table| table == "_sqlx_migrations") {
        return Ok(Contents::Nothing);
    }
    if let Some(table) = RosterTable::ALL.into_iter().find(|table| !tables.contains(table.name())) {
        return Err(RosterWriteError::NotARoster { path: path.to_owned(), table });
    }
    if !tables.contains("_sqlx_migrations") {
        return Ok(Contents::SchoolsRoster);
    }
    // Another program may keep its own history in a table of this name.
    let ours: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM _sqlx_migrations WHERE version = 1 AND description = 'create roster'",
    )
    .fetch_one(pool)
    .await?;
    Ok(if ours == 1 { Contents::OurRoster } else { Contents::SchoolsRoster })
}
