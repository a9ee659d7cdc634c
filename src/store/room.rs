//! Which disk is full: SQLite says that one is, and not always in these words.

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

/// The database whose disk is full, where this error comes of that.
pub(super) fn full_disk(source: &sqlx::Error) -> Option<PathBuf> {
    let says_so = if let sqlx::Error::Io(source) = source {
        is_no_room(source)
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
    full.or(opened.last().filter(|_| says_so)).cloned()
}

/// Whether the system says that a disk, or what one user may have of it, is full.
pub(super) fn is_no_room(source: &std::io::Error) -> bool {
    matches!(source.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded)
}

/// The primary code of SQLite.
pub(super) fn primary_code(source: &sqlx::Error) -> Option<u32> {
    let code: u32 = source.as_database_error()?.code()?.parse().ok()?;
    Some(code & 0xff)
}
