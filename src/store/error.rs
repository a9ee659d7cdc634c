//! Failures of our own database.

use std::path::{Path, PathBuf};

use sqlx::migrate::MigrateError;
use sqlx::sqlite::SqliteQueryResult;

use super::recognition;
use super::room::{self, NoRoom};
use crate::files::{self, Right};
use rosterd_core::counted::in_bytes;

/// SQLite's code for a database in which something contradicts something else.
const CORRUPT: u32 = 11;

/// SQLite's code for a file without the header of a database.
pub(super) const NO_DATABASE: u32 = 26;

/// The state database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be opened or created.
    #[error("state.database {path}: cannot be opened")]
    Open {
        path: PathBuf,
        #[source]
        source: sqlx::Error,
    },
    /// A right is missing.
    #[error("state.database {path}: {what}")]
    Denied {
        path: PathBuf,
        /// Which one, and the remedy.
        what: String,
    },
    /// There is no room for it.
    #[error(
        "state.database {path}: {why} ({doing} failed); what was sent is written down, and the next run goes on"
    )]
    Full {
        path: PathBuf,
        /// Why not, and what to do.
        why: String,
        /// The action that failed.
        doing: &'static str,
        #[source]
        source: sqlx::Error,
    },
    /// There is no room for the copy that is kept from before an upgrade.
    #[error(
        "state.database {path}: this version of rosterd rewrites rows of it and first keeps a copy beside it, for which its disk \
         has no room: {} are needed and {} are free. Nothing was changed: whoever looks after this machine makes room on that \
         disk and starts rosterd again; until then the version of before works with it",
        in_bytes(*needed), in_bytes(*free)
    )]
    NoRoomForCopy { path: PathBuf, needed: u64, free: u64 },
    /// The copy that is kept from before an upgrade cannot be made for another reason.
    #[error(
        "{path}: the copy that is kept from before an upgrade cannot be made. Nothing was changed: whoever looks after this \
         machine sees to it that rosterd may create this file, and starts it again"
    )]
    Copy {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// The path no longer names the file that is open: what would be written is seen by nobody.
    #[error(
        "state.database {path}: was removed or replaced while rosterd was using it: put the file back; or, where that was meant, \
         stop rosterd, remove {path}-wal and {path}-shm where they are still there (and {path}.lock, where a new state is to be \
         made), and restart it, so that it opens the file that is there"
    )]
    Replaced { path: PathBuf },
    /// Another process is in the middle of a run, and nothing but this says so.
    #[error(
        "another rosterd (process {process}) is in the middle of a run with this state database, and its lock file was \
         removed: wait until it has finished, and leave the .lock file beside the database alone"
    )]
    RunElsewhere { process: u32 },
    /// The path of the lock no longer names the file that a run has locked: a second run may begin.
    #[error(
        "the lock file {path} was removed while a run was under way: the run ends here, so that no second one works beside \
         it, and the next one goes on; leave that file alone, it does no harm"
    )]
    LockRemoved { path: PathBuf },
    /// What SQLite would play over it is of an earlier file of its name.
    #[error(
        "state.database {path}: beside it stands {}, left by a rosterd that was ended while it used an earlier file of this name \
         ({why}): read together they would be a mixture of two, so nothing was read. Where {path} was put back from a backup, \
         remove {} and the file in -shm while rosterd is not running; where both were put back together, join them first: \
         sqlite3 {path} 'PRAGMA wal_checkpoint(TRUNCATE)'",
        side.display(),
        side.display()
    )]
    StaleLog { path: PathBuf, side: PathBuf, why: &'static str },
    /// It has a second name (a hard link). Under each of them lies another log and another lock, so whoever uses both spoils it.
    #[error(
        "state.database {path}: the file has another name as well (a hard link), and used under both it would be spoilt: find \
         it with find / -xdev -samefile {path}, and remove it or replace it by a copy"
    )]
    Linked { path: PathBuf },
    /// It is mounted without its folder. Log and lock lie beside each of its places, as with a hard link.
    #[error(
        "state.database {path}: is mounted as a single file, and used where it lies as well it would be spoilt: unmount it \
         (umount {path}) and mount the whole folder in which it lies instead"
    )]
    MountedAlone { path: PathBuf },
    /// SQLite cannot make sense of it any more.
    #[error(
        "state.database {path}: is damaged ({what}), and nothing is done with it: whoever looks after this machine stops rosterd, \
         moves it aside with mv {path} {path}.damaged && rm -f {path}-wal {path}-shm, looks after the disk, and puts a copy back \
         (rosterd restore FILE; docs/operations.md, \"Backups\"). Where there is no copy, {} begins anew: candidates are \
         taken over again by their login values, and enrolments that are there already are not ours to remove any more",
        begin_anew(path)
    )]
    Damaged {
        path: PathBuf,
        /// SQLite's own words.
        what: String,
    },
    /// It is not there, or empty, and one has been there.
    #[error(
        "state.database {path}: {}, but {} says that there has been one: whoever looks after this machine puts it back, from a \
         copy where it is lost (rosterd restore FILE; docs/operations.md, \"Backups\"); rosterd makes no new one by itself, because it \
         would not know any more what is its own. Where a new one is meant, stop rosterd and type {}",
        if path.exists() { "is empty" } else { "is not there" }, trace.display(), begin_anew(path)
    )]
    Lost { path: PathBuf, trace: PathBuf },
    /// It is a file of something else.
    #[error(
        "state.database {path}: is no SQLite database: enter the path of rosterd's own database, or of a file that is not \
         there yet"
    )]
    NoDatabase { path: PathBuf },
    /// Its folder cannot be created, or its mode not set.
    #[error("state.database {path}: cannot be prepared")]
    Prepare {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// It was written by a newer rosterd, or its history was changed.
    #[error(
        "state.database {path}: was written by another version of rosterd; use that version or a newer one"
    )]
    Schema {
        path: PathBuf,
        #[source]
        source: sqlx::migrate::MigrateError,
    },
    /// It is a database, and of something else.
    #[error(
        "state.database {path}: this is not a state database of rosterd, it holds other tables ({tables}): enter the \
         path of rosterd's own database, or of a file that is not there yet"
    )]
    Foreign { path: PathBuf, tables: String },
    #[error("state database: {doing} failed")]
    Query {
        /// The action that failed.
        doing: &'static str,
        #[source]
        source: sqlx::Error,
    },
    /// A row holds something that we never write.
    #[error("state database: table {table}, key {key}: {what}")]
    Row { table: &'static str, key: String, what: &'static str },
}

impl StoreError {
    /// Of a statement that failed.
    pub(super) fn of(doing: &'static str, source: sqlx::Error) -> Self {
        match room::no_room(&source) {
            Some((path, why)) => Self::Full { path, why: why.to_string(), doing, source },
            None => match (room::primary_code(&source), room::last_opened()) {
                (Some(CORRUPT | NO_DATABASE), Some(path)) => Self::damaged(&path, &source),
                (_, _) => Self::Query { doing, source },
            },
        }
    }

    fn damaged(path: &Path, source: &sqlx::Error) -> Self {
        let what =
            source.as_database_error().map_or_else(|| source.to_string(), |said| said.message().to_owned());
        Self::Damaged { path: path.to_owned(), what }
    }

    /// Of a database that could not be opened.
    pub(super) fn of_opening(path: &Path, source: sqlx::Error) -> Self {
        if let Some((path, why)) = room::no_room(&source) {
            return Self::Full { path, why: why.to_string(), doing: "opening it", source };
        }
        match (missing_right(path), room::primary_code(&source)) {
            (Some(what), _) => Self::Denied { path: path.to_owned(), what },
            (None, Some(NO_DATABASE)) if recognition::trace_of_a_state(path).is_none() => {
                Self::NoDatabase { path: path.to_owned() }
            }
            (None, Some(CORRUPT | NO_DATABASE)) => Self::damaged(path, &source),
            (None, _) => Self::Open { path: path.to_owned(), source },
        }
    }

    /// Of a file that could not be created.
    pub(super) fn of_preparing(path: &Path, source: std::io::Error) -> Self {
        if files::is_no_room(&source) {
            let (path, why) = (path.to_owned(), NoRoom::Disk.to_string());
            return Self::Full { path, why, doing: "creating it", source: source.into() };
        }
        match missing_right(path) {
            Some(what) => Self::Denied { path: path.to_owned(), what },
            None => Self::Prepare { path: path.to_owned(), source },
        }
    }

    /// Of a schema that could not be brought up to date. Only another version's history is a matter of versions.
    pub(super) fn of_migration(path: &Path, source: MigrateError) -> Self {
        if let MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _) = source {
            let doing = "bringing the schema up to date";
            if let Some((path, why)) = room::no_room(&source) {
                return Self::Full { path, why: why.to_string(), doing, source };
            }
            return match missing_right(path) {
                Some(what) => Self::Denied { path: path.to_owned(), what },
                None => Self::of(doing, source),
            };
        }
        Self::Schema { path: path.to_owned(), source }
    }

    /// Whether it passes by itself, or with what somebody does beside rosterd: then the same command will do.
    #[must_use]
    pub fn passes(&self) -> bool {
        match self {
            Self::Full { .. }
            | Self::NoRoomForCopy { .. }
            | Self::Replaced { .. }
            | Self::RunElsewhere { .. }
            | Self::LockRemoved { .. } => true,
            // SQLITE_BUSY and SQLITE_LOCKED.
            Self::Query { source, .. } | Self::Open { source, .. } => {
                matches!(room::primary_code(source), Some(5 | 6))
            }
            // The disk may have become full meanwhile.
            Self::Copy { source, .. } => files::is_no_room(source),
            Self::Denied { .. }
            | Self::Damaged { .. }
            | Self::Lost { .. }
            | Self::NoDatabase { .. }
            | Self::Prepare { .. }
            | Self::Schema { .. }
            | Self::Foreign { .. }
            | Self::StaleLog { .. }
            | Self::Linked { .. }
            | Self::MountedAlone { .. }
            | Self::Row { .. } => false,
        }
    }
}

/// What an admin types, once rosterd is stopped, for a new state database in the place of one that is lost.
fn begin_anew(path: &Path) -> String {
    format!("rm -f {0} {0}-wal {0}-shm {0}.lock", path.display())
}

/// The right that is missing for using a database of ours: SQLite writes beside it too.
pub(super) fn missing_right(path: &Path) -> Option<String> {
    let folder = path.ancestors().skip(1).find(|folder| folder.exists());
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let sides = ["-wal", "-shm", "-journal"].map(|side| files::beside(path, side));
    let all = [path, folder].into_iter().chain(sides.iter().map(PathBuf::as_path));
    all.into_iter().find_map(|path| files::missing_right(Right::Write, path))
}

/// Says what was being done when a statement failed.
pub(super) trait Doing<T> {
    fn doing(self, doing: &'static str) -> Result<T, StoreError>;
}

impl<T> Doing<T> for Result<T, sqlx::Error> {
    fn doing(self, doing: &'static str) -> Result<T, StoreError> {
        self.map_err(|source| StoreError::of(doing, source))
    }
}

/// Of a statement that writes: how many rows it changed, or nothing at all.
pub(super) trait Written {
    fn rows(self, doing: &'static str) -> Result<u64, StoreError>;
    fn done(self, doing: &'static str) -> Result<(), StoreError>;
}

impl Written for Result<SqliteQueryResult, sqlx::Error> {
    fn rows(self, doing: &'static str) -> Result<u64, StoreError> {
        self.doing(doing).map(|written| written.rows_affected())
    }

    fn done(self, doing: &'static str) -> Result<(), StoreError> {
        self.doing(doing).map(drop)
    }
}

/// A number that SQLite counted: never negative.
pub(super) fn counted(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
