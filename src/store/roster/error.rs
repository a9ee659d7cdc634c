//! Why the roster cannot be read: named for what an admin can do about it.

use std::path::{Path, PathBuf};

use rosterd_core::exam_plan::RosterFlaw;

/// Why the roster cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RosterError {
    /// There is no such file.
    #[error(
        "roster.database {path}: there is no such file; enter the right path, or create it with `rosterd import`"
    )]
    Missing {
        /// Which file.
        path: PathBuf,
    },
    /// Another program keeps it locked.
    #[error("roster.database {path}: is locked by another program; it will be tried again")]
    Locked {
        /// Which file.
        path: PathBuf,
    },
    /// It is not a database, or a damaged one.
    #[error("roster.database {path}: is not a usable SQLite database; restore it or export it again")]
    Corrupt {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// A table, a column, or what stands for them in a query is not there.
    #[error("roster.database {path}: {what}")]
    Schema {
        /// Which file.
        path: PathBuf,
        /// What is missing and what to do.
        what: String,
    },
    /// It has fewer students than a roster can have.
    #[error(
        "roster.database {path}: has {students} active students, fewer than guard.min_roster = {least}: a broken export, not a roster"
    )]
    TooFew {
        /// Which file.
        path: PathBuf,
        /// How many.
        students: u64,
        /// How many it must have.
        least: u64,
    },
    /// The file ends before it should: an export or a copy that broke off.
    #[error(
        "roster.database {path}: the file has {bytes} bytes where it should have {expected}: it was cut; export or copy it again"
    )]
    Cut {
        /// Which file.
        path: PathBuf,
        /// How long it is.
        bytes: u64,
        /// How long it says that it is.
        expected: u64,
    },
    /// What was read is not all of it, or is no roster.
    #[error(
        "roster.database {path}: {flaw}: nothing was changed; export it again, and see whether the file is damaged"
    )]
    Incomplete {
        /// Which file.
        path: PathBuf,
        /// What does not add up.
        flaw: RosterFlaw,
    },
    /// Reading it failed.
    #[error("roster.database {path}: reading {table} failed")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Which table.
        table: &'static str,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
}

/// What a failed statement on `table` means.
pub(in crate::store) fn failure(path: &Path, table: &'static str, source: sqlx::Error) -> RosterError {
    let path = path.to_owned();
    let code = source.as_database_error().and_then(|error| error.code()?.parse::<u32>().ok());
    match code.map(|code| code & 0xff) {
        // SQLITE_BUSY and SQLITE_LOCKED.
        Some(5 | 6) => RosterError::Locked { path },
        // SQLITE_CORRUPT, SQLITE_CANTOPEN and SQLITE_NOTADB.
        Some(11 | 14 | 26) => RosterError::Corrupt { path, source },
        _ => RosterError::Read { path, table, source },
    }
}
