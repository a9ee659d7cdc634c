//! Descriptors by which this process looks into a roster itself, beside SQLite.
//!
//! When a process closes any descriptor of a file, POSIX takes all locks on it away from the process, SQLite's too. So a
//! descriptor is shared, and kept as long as anything in this process reads the file.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::files::FileIdentity;

/// The files that are open, by which they are.
static OPEN: Mutex<Vec<(FileIdentity, Weak<Descriptor>)>> = Mutex::new(Vec::new());

/// The first bytes of every SQLite database.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// A roster's file, open for reading.
#[derive(Debug)]
pub(in crate::store) struct Descriptor {
    identity: FileIdentity,
    file: File,
    /// Opened twice by a path that came to name another file meanwhile.
    spare: Mutex<Vec<File>>,
}

impl Descriptor {
    /// Of the file that the path names now.
    pub(in crate::store) fn of(path: &Path) -> io::Result<Arc<Self>> {
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|(_, file)| file.strong_count() > 0);
        let there = |open: &[(FileIdentity, Weak<Self>)], identity| {
            open.iter().find(|(other, _)| *other == identity).and_then(|(_, file)| file.upgrade())
        };
        if let Some(file) = there(&open, FileIdentity::of_metadata(&std::fs::metadata(path)?)) {
            return Ok(file);
        }
        let file = File::open(path)?;
        let identity = FileIdentity::of_metadata(&file.metadata()?);
        if let Some(other) = there(&open, identity) {
            other.spare.lock().unwrap_or_else(PoisonError::into_inner).push(file);
            return Ok(other);
        }
        let file = Arc::new(Self { identity, file, spare: Mutex::default() });
        open.push((identity, Arc::downgrade(&file)));
        Ok(file)
    }

    pub(super) fn identity(&self) -> FileIdentity {
        self.identity
    }

    /// Whether the database is in WAL mode, by its header. What is no database is not.
    pub(super) fn is_wal(&self) -> io::Result<bool> {
        // Contract: SQLite, "Database File Format", 1.3: the file format's write and read version.
        let mut header = [0; 20];
        match self.file.read_exact_at(&mut header, 0) {
            Ok(()) => Ok(header.starts_with(MAGIC) && header.ends_with(&[2, 2])),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Bytes from this place on; 0 at the end.
    pub(super) fn read_at(&self, bytes: &mut [u8], at: u64) -> io::Result<usize> {
        self.file.read_at(bytes, at)
    }
}
