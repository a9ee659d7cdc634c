//! Reasons why the roster cannot be read, named for what an admin can do about them.

use std::path::{Path, PathBuf};

use rosterd_core::exam_plan::RosterFlaw;

/// The reason why the roster cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RosterError {
    /// There is no such file.
    #[error(
        "roster.database {path}: there is no such file; enter the right path, or create it with `rosterd import`"
    )]
    Missing { path: PathBuf },
    /// Another program keeps it locked.
    #[error("roster.database {path}: is locked by another program; it will be tried again")]
    Locked { path: PathBuf },
    /// It is not a database, or a damaged one.
    #[error("roster.database {path}: is not a usable SQLite database; restore it or export it again")]
    Corrupt {
        path: PathBuf,
        #[source]
        source: sqlx::Error,
    },
    /// A table or column is missing, or its replacement in a query.
    #[error("roster.database {path}: {what}")]
    Schema {
        path: PathBuf,
        /// The missing part and the remedy.
        what: String,
    },
    /// It has fewer students than a roster can have.
    #[error(
        "roster.database {path}: has {students} active students, fewer than guard.min_roster = {least}: a broken export, not a roster"
    )]
    TooFew {
        path: PathBuf,
        /// The number of active students.
        students: u64,
        /// The smallest allowed number.
        least: u64,
    },
    /// The file ends before it should: an export or a copy that broke off.
    #[error(
        "roster.database {path}: the file has {bytes} bytes where it should have {expected}: it was cut; export or copy it again"
    )]
    Cut {
        path: PathBuf,
        bytes: u64,
        /// The length in its header.
        expected: u64,
    },
    /// The reading is incomplete, or is no roster.
    #[error(
        "roster.database {path}: {flaw}: nothing was changed; export it again, and see whether the file is damaged"
    )]
    Incomplete { path: PathBuf, flaw: RosterFlaw },
    #[error("roster.database {path}: reading {table} failed")]
    Read {
        path: PathBuf,
        table: &'static str,
        #[source]
        source: sqlx::Error,
    },
}

/// The error for a failed statement on `table`.
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
