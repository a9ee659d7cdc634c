//! Why there is no room for a database: SQLite says that there is none, and not always in these words.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::files;

/// The databases of ours that this process has opened.
static OPENED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Remembers a database, so that an error can name it.
pub(super) fn opened(path: &Path) {
    let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    if !opened.iter().any(|other| other == path) {
        opened.push(path.to_owned());
    }
}

/// The database of ours that this process has opened last.
pub(super) fn last_opened() -> Option<PathBuf> {
    OPENED.lock().unwrap_or_else(PoisonError::into_inner).last().cloned()
}

/// Why a database of ours cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoRoom {
    /// Its disk is full, or what one user may have of it.
    Disk,
    /// A file of this process may not be larger than so many bytes (`ulimit -f`).
    FileSizeLimit(u64),
}

impl fmt::Display for NoRoom {
    /// What is wrong, and what to do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disk => f.write_str("its disk is full: make room there"),
            Self::FileSizeLimit(bytes) => write!(
                f,
                "rosterd was started with a file size limit of {bytes} bytes, and this file needs more: raise it (ulimit -f, \
                 LimitFSIZE= of a unit)"
            ),
        }
    }
}

/// The database for which there is no room, where this error comes of that, and why.
pub(super) fn no_room(source: &sqlx::Error) -> Option<(PathBuf, NoRoom)> {
    let says_so = if let sqlx::Error::Io(source) = source {
        files::is_no_room(source)
    } else {
        match primary_code(source)? {
            // SQLITE_FULL.
            13 => true,
            // SQLITE_IOERR, SQLITE_CANTOPEN: so it ends too, when there is no room for the log or for its index.
            10 | 14 => false,
            _ => return None,
        }
    };
    let opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    let full = opened.iter().find(|path| files::is_full(files::folder_of(path)));
    if let Some(path) = full {
        return Some((path.clone(), NoRoom::Disk));
    }
    let path = opened.last()?.clone();
    match files::file_size_limit() {
        Some(bytes) if says_so || is_refused_write(source) => Some((path, NoRoom::FileSizeLimit(bytes))),
        Some(_) | None => says_so.then_some((path, NoRoom::Disk)),
    }
}

/// Whether the system refused to let a file grow.
pub(super) fn is_refused_write(source: &sqlx::Error) -> bool {
    // SQLITE_IOERR_WRITE, _TRUNCATE, _SHMSIZE: the last two where a file is made longer without a write.
    matches!(code(source), Some(778 | 1546 | 4874))
}

/// The primary code of SQLite.
pub(super) fn primary_code(source: &sqlx::Error) -> Option<u32> {
    code(source).map(|code| code & 0xff)
}

fn code(source: &sqlx::Error) -> Option<u32> {
    source.as_database_error()?.code()?.parse().ok()
}
