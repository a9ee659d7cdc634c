//! Writes a roster database: imported rows, and the ids that the services gave. A run never comes here;
//! it opens the roster read-only.
//!
//! A database that we create gets our tables by migration. One that a school made is accepted as it is, if
//! it has the tables; nothing is created in it but columns of `students` that an import brings.

mod cells;
mod difference;
mod members;
mod opening;
mod provision;
mod rows;

use std::path::{Path, PathBuf};

use futures_util::TryStreamExt;
use serde::Serialize;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Row, Sqlite, SqlitePool, Transaction};

use self::cells::KeyedRow;
use self::members::{CLASS_MEMBERS, GROUP_MEMBERS, apply_members};
use self::opening::{Contents, connect, contents, create_private};
use self::rows::{add_columns, apply_rows, mark_leavers, student_columns};
use crate::import::references::KnownKeys;
use crate::import::{ClassRow, Given, GroupRow, RosterRows, RosterTable};

pub use self::difference::{ChangedRow, ImportDifference, RowChange, TableDifference};

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/roster");

/// `SQLITE_BUSY` and `SQLITE_LOCKED`, the low byte of their extended codes.
const BUSY_CODES: [i32; 2] = [5, 6];
/// `SQLITE_CANTOPEN` and `SQLITE_NOTADB`.
const UNUSABLE_CODES: [i32; 2] = [14, 26];

/// Whether rows are all there is, or some of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completeness {
    /// What the rows do not name stays as it is.
    Partial,
    /// Students missing from a complete table have left, memberships missing from one are removed.
    /// Groups and classes stay: their ids are needed to take people out of them.
    Whole,
}

/// Whether the rows are written or only compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commit {
    /// Write them.
    Yes,
    /// Find out what would change and change nothing.
    DryRun,
}

/// Why a roster database could not be opened or written. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum RosterWriteError {
    /// The file cannot be created or its folder is not there.
    #[error("the roster database {path} cannot be created")]
    Create {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The database holds tables, but is no roster.
    #[error("the database {path} is no roster: it has no table {table}")]
    NotARoster {
        /// The file.
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
    /// A whole roster in which nobody is active: everybody would have left.
    #[error("a whole roster without students is refused: everybody would have left")]
    NoStudents,
    /// An id was to be set on a row that is not there.
    #[error("the table {table} has no row {key}")]
    UnknownKey {
        /// The table.
        table: RosterTable,
        /// The row's key.
        key: String,
    },
    /// Another program holds the database; try again later.
    #[error("the roster database is in use by another program")]
    Busy(#[source] sqlx::Error),
    /// Any other failure of the database.
    #[error("the roster database cannot be used")]
    Database(#[source] sqlx::Error),
}

impl From<sqlx::Error> for RosterWriteError {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|error| error.code()?.parse::<i32>().ok());
        match code.map(|code| code & 0xff) {
            Some(code) if BUSY_CODES.contains(&code) => Self::Busy(error),
            Some(code) if UNUSABLE_CODES.contains(&code) => Self::Unusable(error),
            Some(_) | None => Self::Database(error),
        }
    }
}

/// How many rows a roster has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RosterCounts {
    /// People, leavers too.
    pub students: u64,
    /// People who have not left.
    pub active_students: u64,
    /// Groups.
    pub groups: u64,
    /// Memberships of groups.
    pub group_members: u64,
    /// Classes.
    pub classes: u64,
    /// Memberships of classes.
    pub class_members: u64,
}

/// A roster database that may be written. It holds one connection.
#[derive(Debug)]
pub struct RosterWriter {
    pool: SqlitePool,
}

impl RosterWriter {
    /// Opens a roster database, or creates one that only its owner can read.
    ///
    /// # Errors
    /// [`RosterWriteError::NotARoster`] for a database with other tables than a roster's,
    /// [`RosterWriteError::Create`], [`RosterWriteError::Migrate`] and failures of the database.
    pub async fn open_or_create(path: &Path) -> Result<Self, RosterWriteError> {
        create_private(path)?;
        let pool = connect(SqliteConnectOptions::new().filename(path)).await?;
        match contents(&pool, path).await? {
            Contents::Nothing | Contents::OurRoster => {
                MIGRATIONS.run(&pool).await.map_err(RosterWriteError::Migrate)?;
            }
            Contents::SchoolsRoster => {}
        }
        Ok(Self { pool })
    }

    /// Opens a roster database to compare with: as it is, or an empty one in memory where there is none yet.
    ///
    /// # Errors
    /// As [`RosterWriter::open_or_create`].
    pub async fn open_for_comparison(path: &Path) -> Result<Self, RosterWriteError> {
        if path.exists() {
            let pool = connect(SqliteConnectOptions::new().filename(path)).await?;
            match contents(&pool, path).await? {
                Contents::OurRoster | Contents::SchoolsRoster => return Ok(Self { pool }),
                Contents::Nothing => pool.close().await,
            }
        }
        let pool = connect(SqliteConnectOptions::new().in_memory(true)).await?;
        MIGRATIONS.run(&pool).await.map_err(RosterWriteError::Migrate)?;
        Ok(Self { pool })
    }

    /// Closes the database; a writer that is dropped closes it a little later.
    pub async fn close(self) {
        self.pool.close().await;
    }

    /// The keys of all students, groups and classes.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn keys(&self) -> Result<KnownKeys, RosterWriteError> {
        let students = sqlx::query_scalar::<_, String>(
            "SELECT CAST(student_id AS TEXT) FROM students WHERE student_id IS NOT NULL ORDER BY student_id",
        );
        let groups = sqlx::query_scalar::<_, String>(
            "SELECT CAST(group_code AS TEXT) FROM groups WHERE group_code IS NOT NULL ORDER BY group_code",
        );
        let classes = sqlx::query_scalar::<_, String>(
            "SELECT CAST(class_code AS TEXT) FROM classes WHERE class_code IS NOT NULL ORDER BY class_code",
        );
        Ok(KnownKeys {
            students: students.fetch(&self.pool).try_collect().await?,
            groups: groups.fetch(&self.pool).try_collect().await?,
            classes: classes.fetch(&self.pool).try_collect().await?,
        })
    }

    /// Brings the database in line with the rows, in one transaction. Rows that it already has so are not
    /// written: applying the same rows again changes not a byte.
    ///
    /// # Errors
    /// [`RosterWriteError::NoStudents`] for a whole roster without any, and failures of the database.
    pub async fn apply(
        &self,
        rows: &RosterRows,
        completeness: Completeness,
        commit: Commit,
    ) -> Result<ImportDifference, RosterWriteError> {
        let whole = completeness == Completeness::Whole;
        let absence_counts = |table| whole && rows.complete.contains(&table);
        let nobody_is_there = rows.students.iter().all(|row| row.active == Given::Value(false));
        if absence_counts(RosterTable::Students) && nobody_is_there {
            return Err(RosterWriteError::NoStudents);
        }
        let mut transaction = self.begin().await?;
        let columns = student_columns(&rows.students);
        let mut difference = ImportDifference {
            added_columns: add_columns(&mut transaction, &columns).await?,
            students: apply_rows(&mut transaction, &rows.students, &columns, completeness).await?,
            groups: apply_rows(&mut transaction, &rows.groups, GroupRow::columns(), completeness).await?,
            classes: apply_rows(&mut transaction, &rows.classes, ClassRow::columns(), completeness).await?,
            ..ImportDifference::default()
        };
        if absence_counts(RosterTable::Students) {
            mark_leavers(&mut transaction, &rows.students, &mut difference.students).await?;
        }
        for (statements, pairs, table) in [
            (&GROUP_MEMBERS, &rows.group_members, &mut difference.group_members),
            (&CLASS_MEMBERS, &rows.class_members, &mut difference.class_members),
        ] {
            let removes = absence_counts(statements.table);
            apply_members(&mut transaction, statements, pairs, removes, table).await?;
        }
        match commit {
            Commit::Yes => transaction.commit().await?,
            Commit::DryRun => transaction.rollback().await?,
        }
        Ok(difference)
    }

    /// How many rows there are.
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

fn found(rows: u64, table: RosterTable, key: &str) -> Result<(), RosterWriteError> {
    if rows == 0 { Err(RosterWriteError::UnknownKey { table, key: key.to_owned() }) } else { Ok(()) }
}
