//! Reasons why the roster cannot be read, named for what an admin can do about them.

use std::path::{Path, PathBuf};

use super::share;
use crate::files::{self, Right, beside};
use rosterd_core::counted::counted;
use rosterd_core::exam_plan::RosterFlaw;

/// The reason why the roster cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RosterError {
    /// There is no such file.
    #[error(
        "roster.database {path}: there is no such file; enter the right path, or create it with `rosterd import csv FILE…`"
    )]
    Missing { path: PathBuf },
    /// There is a file, or an empty database, and no table in it.
    #[error(
        "roster.database {path}: holds no table at all: it is empty, as where an export has begun and written nothing yet, or \
         broke off; export it again, enter the right path, or create it with `rosterd import csv FILE…`"
    )]
    Empty { path: PathBuf },
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
    /// A query of the school's own cannot be used with this roster.
    #[error(
        "roster.queries.{table}: {what}. For IT: mend the query in the configuration, or see whether roster.database {path} is \
         the right one; then rosterd check --offline"
    )]
    Query {
        path: PathBuf,
        /// Instead of which table it stands.
        table: &'static str,
        /// The cause.
        what: String,
    },
    /// It may not be read, or not as it stands.
    #[error("roster.database {path}: {what}")]
    Unreadable {
        path: PathBuf,
        /// The cause and the remedy.
        what: String,
    },
    /// It cannot be read now, which passes.
    #[error("roster.database {path}: {what}")]
    Passing {
        path: PathBuf,
        /// The cause and the remedy.
        what: String,
    },
    /// It has fewer students than a roster can have.
    #[error(
        "roster.database {path}: has {}, fewer than guard.min_roster = {least}, so it is taken for a broken export: nothing \
         was sent. For the school office: export the roster again. For IT: if the school really is so small, set \
         guard.min_roster = {students}; then rosterd check",
        counted(*students, "active student")
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
    match code(&source) {
        // SQLITE_BUSY and SQLITE_LOCKED.
        Some(5 | 6) => RosterError::Locked { path: path.to_owned() },
        // SQLITE_CORRUPT.
        Some(11) => share::at_work(path, "cannot be read as it stands: it is damaged")
            .unwrap_or_else(|| RosterError::Corrupt { path: path.to_owned(), source }),
        // SQLITE_NOTADB.
        Some(26) => RosterError::Corrupt { path: path.to_owned(), source },
        // SQLITE_FULL: we write no roster, but SQLite sorts and copies in files of its own.
        Some(13) => {
            let what =
                "cannot be read, because the disk for temporary files (TMPDIR) is full: make room there";
            RosterError::Passing { path: path.to_owned(), what: what.to_owned() }
        }
        _ if is_about_opening(&source) => cannot_open(path, source),
        _ => RosterError::Read { path: path.to_owned(), table, source },
    }
}

/// The primary code of SQLite.
fn code(source: &sqlx::Error) -> Option<u32> {
    let code: u32 = source.as_database_error()?.code()?.parse().ok()?;
    Some(code & 0xff)
}

/// Whether SQLite could not open the file or one beside it, or would have to write for that.
pub(super) fn is_about_opening(source: &sqlx::Error) -> bool {
    // SQLITE_PERM, SQLITE_READONLY, SQLITE_CANTOPEN and SQLITE_AUTH.
    matches!(code(source), Some(3 | 8 | 14 | 23))
}

/// The error for a file that cannot be opened: says what stands in the way. The file may be whole, so nobody is told to
/// restore it.
pub(super) fn cannot_open(path: &Path, source: sqlx::Error) -> RosterError {
    // SQLITE_READONLY: a journal that was there wanted to be played back, and is gone again.
    let wanted_to_write = code(&source) == Some(8);
    let resolved = files::resolved(path);
    let (journal, log) = (beside(&resolved, "-journal"), beside(&resolved, "-wal"));
    let missing = [path, &resolved, &log, &journal]
        .into_iter()
        .find_map(|path| files::missing_right(Right::Read, path));
    let what = if let Some(missing) = missing {
        missing
    } else if (journal.exists() || wanted_to_write)
        && let Some(at_work) = share::at_work(path, "cannot be read as it stands: a write to it broke off")
    {
        return at_work;
    } else if journal.exists() {
        format!(
            "a write to it broke off and left {}: open it once with the program that writes it, which takes the write \
             back ({source})",
            journal.display()
        )
    } else if log.exists() {
        format!(
            "is in WAL mode, and its log {} cannot be read beside it ({source}): let the program that writes it set \
             `PRAGMA journal_mode = DELETE`, or run rosterd as its user",
            log.display()
        )
    } else {
        format!(
            "cannot be opened ({source}): see that the file, its folder and the folder for temporary files (TMPDIR) can \
             be used by user {}",
            files::effective_user()
        )
    };
    RosterError::Unreadable { path: path.to_owned(), what }
}
