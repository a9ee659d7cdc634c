//! Writes a roster database: imported rows, and the ids that the services gave. A run never comes here;
//! it opens the roster read-only.
//!
//! A database that we create gets our tables by migration. A school's own database is accepted as it is, if
//! it has the tables; only columns of `students` that an import needs are added to it.

mod alike;
mod checks;
mod compare;
mod difference;
mod doubled;
mod history;
mod members;
mod opening;
mod preview;
mod previous;
mod provision;
mod remarks;
mod several;
mod spellings;
mod spoiled_ids;
mod staging;
mod write;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Row, Sqlite, SqlitePool, Transaction};

use self::opening::{Contents, connect, contents, create_private};
use super::room;
use super::roster::descriptor::Descriptor;
use super::roster::stale_log;
use crate::clock::Clock;
use crate::files;
use rosterd_import::{Reading, RosterRows, RosterTable};

pub use rosterd_import::Completeness;

pub use self::difference::{ChangedRow, ImportDifference, RowChange, Shrink, TableDifference, Verdict};
pub use self::history::{Occasion, delta_of, has_taken, history_of};
pub use self::previous::{Undone, previous_of, undo};
pub use self::staging::Staging;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/roster");

/// `SQLITE_BUSY` and `SQLITE_LOCKED`, the low byte of their extended codes.
const BUSY_CODES: [i32; 2] = [5, 6];
/// `SQLITE_FULL`.
const FULL_CODE: i32 = 13;
/// `SQLITE_CANTOPEN` and `SQLITE_NOTADB`.
const UNUSABLE_CODES: [i32; 2] = [14, 26];

/// Whether the rows are written or only compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commit {
    Yes,
    /// Find out what would change and change nothing.
    DryRun,
}

/// The reason why a roster database could not be opened or written. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum RosterWriteError {
    /// The file cannot be created or its folder is not there.
    #[error("the roster database {path} cannot be created")]
    Create {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// The database holds tables, but is no roster.
    #[error("the database {path} is no roster: it has no table {table}")]
    NotARoster {
        path: PathBuf,
        /// The first table that is missing.
        table: RosterTable,
    },
    /// The file cannot be opened or holds no database.
    #[error("the roster database cannot be opened as a SQLite file")]
    Unusable(#[source] sqlx::Error),
    /// Our tables could not be brought up to date, for instance because a newer release made them.
    #[error("the tables of the roster database do not fit this release")]
    Migrate(#[source] MigrateError),
    /// A whole roster without an active student: every student would be marked as having left.
    #[error("a whole roster without students is refused: everybody would have left")]
    NoStudents,
    /// An id was to be set on a row that is not there.
    #[error("the table {table} has no row {key}")]
    UnknownKey { table: RosterTable, key: String },
    /// The copy of the roster before the import cannot be made or put in its place.
    #[error("the roster before the import cannot be kept as {path}")]
    Previous {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// The file beside the roster cannot be read.
    #[error(
        "{path} says what earlier imports did to this roster, and cannot be used: mend its rights, or remove it to begin anew"
    )]
    History {
        path: PathBuf,
        #[source]
        source: sqlx::Error,
    },
    /// A newer release wrote the file beside the roster.
    #[error(
        "{path} says what earlier imports did to this roster, and was written by a newer release of rosterd: use that one"
    )]
    NewerHistory { path: PathBuf },
    /// There is nothing to go back to.
    #[error(
        "there is no previous roster {path}: before the first import there was none, so there is nothing to go back to (the file is \
         missing, too, where no import has changed this roster, or somebody removed it)"
    )]
    NoPrevious { path: PathBuf },
    /// What SQLite would play over it is of an earlier roster of its name.
    #[error("the roster database {path}: {what}")]
    StaleLog {
        path: PathBuf,
        /// What stands there, and the remedy.
        what: String,
    },
    /// The roster before the last import cannot be read.
    #[error(
        "{path}, the roster before the last import, cannot be read: nothing was changed; remove that file if it is spoilt"
    )]
    SpoiltPrevious {
        path: PathBuf,
        #[source]
        source: sqlx::Error,
    },
    /// Another program holds the database; try again later.
    #[error("the roster database is in use by another program")]
    Busy(#[source] sqlx::Error),
    /// There is no room.
    #[error(
        "a disk is full, that of the roster database or that of temporary files (TMPDIR), or the file size limit of this process \
         (ulimit -f) is reached, and nothing was changed: make room there and repeat the command"
    )]
    Full(#[source] sqlx::Error),
    /// Any other failure of the database.
    #[error("the roster database cannot be used")]
    Database(#[source] sqlx::Error),
}

impl RosterWriteError {
    /// Why our tables could not be made: a full disk or another program's lock is no matter of releases.
    #[must_use]
    pub fn of_migration(error: MigrateError) -> Self {
        if let MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _) = error {
            let error = Self::from(source);
            return if let Self::Database(source) = error {
                Self::Migrate(MigrateError::Execute(source))
            } else {
                error
            };
        }
        Self::Migrate(error)
    }
}

impl From<sqlx::Error> for RosterWriteError {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|error| error.code()?.parse::<i32>().ok());
        match code.map(|code| code & 0xff) {
            Some(code) if BUSY_CODES.contains(&code) => Self::Busy(error),
            Some(FULL_CODE) => Self::Full(error),
            Some(_) if room::is_refused_write(&error) && files::file_size_limit().is_some() => {
                Self::Full(error)
            }
            Some(code) if UNUSABLE_CODES.contains(&code) => Self::Unusable(error),
            Some(_) | None => Self::Database(error),
        }
    }
}

/// The number of rows in a roster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RosterCounts {
    pub students: u64,
    /// Students who have not left.
    pub active_students: u64,
    pub groups: u64,
    pub group_members: u64,
    pub classes: u64,
    pub class_members: u64,
}

/// A roster database that may be written. It holds one connection.
#[derive(Debug)]
pub struct RosterWriter {
    pool: SqlitePool,
    /// Where a file is open: closing a descriptor of it would take SQLite's locks away.
    _descriptor: Option<Arc<Descriptor>>,
    /// A file that was created for an import and has no tables yet.
    empty: Option<PathBuf>,
    /// The file of an import, where what it did is noted beside it.
    imported: Option<PathBuf>,
}

impl RosterWriter {
    /// Opens a roster database, or creates one that only its owner can read.
    ///
    /// # Errors
    /// [`RosterWriteError::NotARoster`] for a database with other tables than a roster's,
    /// [`RosterWriteError::Create`], [`RosterWriteError::Migrate`] and failures of the database.
    pub async fn open_or_create(path: &Path) -> Result<Self, RosterWriteError> {
        create_private(path)?;
        let (pool, descriptor) = connect_to(path).await?;
        match contents(&pool, path).await? {
            Contents::Nothing | Contents::OurRoster => {
                MIGRATIONS.run(&pool).await.map_err(RosterWriteError::of_migration)?;
            }
            Contents::SchoolsRoster => {}
        }
        history::attach(&pool, None).await?;
        Ok(Self { pool, _descriptor: descriptor, empty: None, imported: None })
    }

    /// Opens a roster database to compare with: as it is, or an empty one in memory where there is none yet.
    ///
    /// # Errors
    /// As [`RosterWriter::open_or_create`].
    pub async fn open_for_comparison(path: &Path) -> Result<Self, RosterWriteError> {
        if path.exists() {
            let (pool, descriptor) = connect_to(path).await?;
            match contents(&pool, path).await? {
                Contents::OurRoster | Contents::SchoolsRoster => {
                    let history = history_of(path);
                    history::attach(&pool, history.exists().then_some(&history)).await?;
                    return Ok(Self { pool, _descriptor: descriptor, empty: None, imported: None });
                }
                Contents::Nothing => pool.close().await,
            }
        }
        let pool = connect(SqliteConnectOptions::new().in_memory(true)).await?;
        MIGRATIONS.run(&pool).await.map_err(RosterWriteError::of_migration)?;
        history::attach(&pool, None).await?;
        Ok(Self { pool, _descriptor: None, empty: None, imported: None })
    }

    /// Opens a roster database for an import: an existing one as it is, otherwise an empty file readable only
    /// by its owner. It gets its tables when the import is written, and [`RosterWriter::discard`] deletes it
    /// when the import is not.
    ///
    /// # Errors
    /// As [`RosterWriter::open_or_create`].
    pub async fn open_for_import(path: &Path) -> Result<Self, RosterWriteError> {
        create_private(path)?;
        let (pool, descriptor) = connect_to(path).await?;
        let empty = match contents(&pool, path).await? {
            Contents::Nothing => Some(path.to_owned()),
            Contents::OurRoster | Contents::SchoolsRoster => None,
        };
        let history = history_of(path);
        create_private(&history)?;
        history::attach(&pool, Some(&history)).await?;
        Ok(Self { pool, _descriptor: descriptor, empty, imported: Some(path.to_owned()) })
    }

    /// Closes the database; a writer that is dropped closes it a little later.
    pub async fn close(self) {
        self.pool.close().await;
        if let Some(path) = &self.imported {
            history::remove_if_empty(path);
        }
    }

    /// Closes the database after an import that was not written. A file of no bytes is removed again.
    pub async fn discard(self) {
        self.pool.close().await;
        if let Some(path) = &self.imported {
            history::remove_if_empty(path);
        }
        if let Some(path) = self.empty
            && std::fs::metadata(&path).is_ok_and(|file| file.len() == 0)
        {
            // The remaining empty file is filled by the next import.
            let _stays = std::fs::remove_file(&path);
        }
    }

    /// Starts an import: rows are staged in a temporary database on disk, invisible to others, then checked,
    /// compared and applied.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn stage(&self) -> Result<Staging, RosterWriteError> {
        Staging::new(self.pool.acquire().await?, self.empty.is_some()).await
    }

    /// Brings the database into line with rows known to be good, in one transaction. Rows that already agree
    /// are not written: applying the same rows again changes not a byte.
    ///
    /// # Errors
    /// [`RosterWriteError::NoStudents`] for a whole roster without any, and failures of the database.
    pub async fn apply(
        &self,
        rows: &RosterRows,
        completeness: Completeness,
        commit: Commit,
    ) -> Result<ImportDifference, RosterWriteError> {
        let mut staging = self.stage().await?;
        for lot in rows.lots() {
            staging.put(lot).await?;
        }
        let mut reading = Reading::default();
        reading.complete.clone_from(&rows.complete);
        staging.check_rows(&mut reading, completeness, false, true).await?;
        let occasion =
            Occasion { kind: "rows".to_owned(), now: Clock::system().now(), newest: None, marks: Vec::new() };
        let verdict = staging.apply(&reading.complete, completeness, None, (commit, &occasion)).await?;
        Ok(verdict.difference)
    }

    /// The number of rows.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn counts(&self) -> Result<RosterCounts, RosterWriteError> {
        let row = sqlx::query(
            "SELECT (SELECT COUNT(*) FROM students),
                    (SELECT COUNT(*) FROM students WHERE active <> 0),
                    (SELECT COUNT(*) FROM groups),
                    (SELECT COUNT(*) FROM group_members),
                    (SELECT COUNT(*) FROM classes),
                    (SELECT COUNT(*) FROM class_members)",
        )
        .fetch_one(&self.pool)
        .await?;
        let count =
            |at: usize| row.try_get::<i64, _>(at).map(|count| u64::try_from(count).unwrap_or_default());
        Ok(RosterCounts {
            students: count(0)?,
            active_students: count(1)?,
            groups: count(2)?,
            group_members: count(3)?,
            classes: count(4)?,
            class_members: count(5)?,
        })
    }

    /// Takes the write lock at once: a transaction that read first could not get it later.
    async fn begin(&self) -> Result<Transaction<'static, Sqlite>, RosterWriteError> {
        Ok(self.pool.begin_with("BEGIN IMMEDIATE").await?)
    }
}

/// Connects to the file at this path, unless something stands beside it that SQLite would play over it and that is not its own.
async fn connect_to(path: &Path) -> Result<(SqlitePool, Option<Arc<Descriptor>>), RosterWriteError> {
    let descriptor = Descriptor::of(path).ok();
    if let Some(stale) = stale_log::find(&files::resolved(path), descriptor.as_deref()) {
        return Err(RosterWriteError::StaleLog { path: path.to_owned(), what: stale.to_string() });
    }
    Ok((connect(SqliteConnectOptions::new().filename(path)).await?, descriptor))
}

fn found(rows: u64, table: RosterTable, key: &str) -> Result<(), RosterWriteError> {
    if rows == 0 { Err(RosterWriteError::UnknownKey { table, key: key.to_owned() }) } else { Ok(()) }
}
