//! A private copy of a roster that SQLite could only read by writing beside it: database and journal of one moment,
//! beside our state database, for its owner alone, and gone when it is let go.
//!
//! The copy is made without the owner's locks. It is believed when a second reading of all files shows the same bytes:
//! then the files stood so together between the two readings, as a crash would have left them, and what SQLite makes
//! of that is the last commit. In WAL mode no commit leaves the log as it was, so nothing can change and change back.

use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Pid;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteLockingMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};

use super::descriptor::Descriptor;
use super::error::{RosterError, failure};
use super::share;
use crate::files::{self, FileIdentity, Right, beside};

/// The files beside a database that belong to it.
const SIDES: [&str; 2] = ["-wal", "-journal"];

/// What follows the name of the state database in a copy's name.
const NAME: &str = ".roster-copy-";

/// How often a roster that changes meanwhile is copied before it is left for another run.
const TRIES: u32 = 3;

/// The pause before a roster that changed is copied again, times the number of tries.
const BETWEEN_TRIES: Duration = Duration::from_millis(50);

/// Names that are tried for a copy.
const MOST_NAMES: u32 = 1000;

/// Bytes that are copied at once.
const LOT: usize = 256 * 1024;

/// When and how large a file is: what changes with every write, as far as the file system's clock can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    identity: FileIdentity,
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(file: &Metadata) -> Self {
        Self {
            identity: FileIdentity::of_metadata(file),
            bytes: file.len(),
            modified: (file.mtime(), file.mtime_nsec()),
            changed: (file.ctime(), file.ctime_nsec()),
        }
    }
}

/// The stamps of a database and of the files beside it; `None` where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamps([Option<Stamp>; 3]);

impl Stamps {
    /// Of the files that are there now.
    pub(super) fn of(path: &Path) -> Self {
        let stamp = |path: &Path| std::fs::metadata(path).ok().map(|file| Stamp::of(&file));
        let [wal, journal] = SIDES.map(|side| stamp(&beside(path, side)));
        Self([stamp(path), wal, journal])
    }
}

/// A copy that lives as long as this does.
#[derive(Debug)]
pub(super) struct PrivateCopy {
    path: PathBuf,
    stamps: Stamps,
    /// Locked, so that another process does not take it for one that was left behind.
    _lock: File,
}

impl Drop for PrivateCopy {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

impl PrivateCopy {
    /// Copies the roster at `path`, with links resolved, beside the state database.
    ///
    /// # Errors
    /// When it lies on a network share, may not be read, changes all the time, or finds no room.
    pub(super) async fn of(roster: &Arc<Descriptor>, path: &Path, state: &Path) -> Result<Self, RosterError> {
        if let Some(share) = files::network_share(path) {
            return Err(cannot_copy(roster, path, share));
        }
        let (roster, from, state) = (Arc::clone(roster), path.to_owned(), state.to_owned());
        let copied = tokio::task::spawn_blocking(move || copy(&roster, &from, &state)).await;
        let copy = copied.unwrap_or_else(|gone| Err(broken(path, io::Error::other(gone))))?;
        copy.settle(path).await?;
        Ok(copy)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What the roster was when it was copied.
    pub(super) fn stamps(&self) -> Stamps {
        self.stamps
    }

    /// Lets SQLite bring the copy to its last commit and put it into one file.
    async fn settle(&self, roster: &Path) -> Result<(), RosterError> {
        let options = SqliteConnectOptions::new()
            .filename(&self.path)
            .locking_mode(SqliteLockingMode::Exclusive)
            .journal_mode(SqliteJournalMode::Delete)
            .synchronous(SqliteSynchronous::Off);
        let failed = |source| match files::is_full(files::folder_of(&self.path)) {
            true => full(roster, &self.path),
            false => failure(roster, "the file", source),
        };
        let mut connection = options.connect().await.map_err(failed)?;
        let read = sqlx::query("SELECT count(*) FROM sqlite_schema").fetch_one(&mut connection).await;
        read.map_err(failed)?;
        connection.close().await.map_err(failed)
    }
}

/// Never of a network share: a log belongs to shared memory, and what is written there meanwhile may not be seen here.
fn cannot_copy(roster: &Descriptor, path: &Path, share: &str) -> RosterError {
    if !roster.is_wal().unwrap_or(false) {
        let at_work = share::at_work(path, "cannot be read as it stands: a write to it broke off");
        return at_work.unwrap_or_else(|| RosterError::Missing { path: path.to_owned() });
    }
    let what = format!(
        "is in WAL mode and lies on a network share ({share}), where that cannot be read safely: let the program that \
         writes it set `PRAGMA journal_mode = DELETE` and close it, or let it write a copy to a local disk and enter that \
         one"
    );
    RosterError::Unreadable { path: path.to_owned(), what }
}

fn copy(roster: &Descriptor, path: &Path, state: &Path) -> Result<PrivateCopy, RosterError> {
    let (to, mut file) = create(path, state)?;
    // From here on the file is removed whatever happens.
    let lock = file.try_clone().map_err(|source| broken(path, source))?;
    let mut copy = PrivateCopy { path: to, stamps: Stamps::of(path), _lock: lock };
    for attempt in 1..=TRIES {
        copy.stamps = Stamps::of(path);
        let begun = file.set_len(0).and_then(|()| io::Seek::rewind(&mut file));
        begun.map_err(|source| no_room(path, &copy.path, source))?;
        let first = pass(roster, path, Some((&mut file, &copy.path)))?;
        let second = pass(roster, path, None)?;
        let now = Stamps::of(path);
        let names_it = FileIdentity::of(path) == Some(roster.identity());
        if first == second && copy.stamps == now && names_it {
            return Ok(copy);
        }
        std::thread::sleep(BETWEEN_TRIES * attempt);
    }
    let what = format!(
        "changed while it was copied, {TRIES} times: it will be tried again (it is in WAL mode and belongs to another \
         user or is open in no program, so it cannot be read in place)"
    );
    Err(RosterError::Passing { path: path.to_owned(), what })
}

/// The fingerprints of the database and of the files beside it, as they are read one after the other; copied, where a
/// copy is given.
fn pass(
    roster: &Descriptor,
    path: &Path,
    mut to: Option<(&mut File, &Path)>,
) -> Result<[Option<blake3::Hash>; 3], RosterError> {
    let database = {
        let to = to.as_mut().map(|(file, path)| (&mut **file, *path));
        read(path, |bytes, at| roster.read_at(bytes, at), to)?
    };
    let mut found = [Some(database), None, None];
    for (slot, side) in found.iter_mut().skip(1).zip(SIDES) {
        let from = beside(path, side);
        let copied = to.as_ref().map(|(_, copy)| beside(copy, side));
        // What an earlier try left there.
        if let Some(copied) = &copied {
            let _absent = std::fs::remove_file(copied);
        }
        let file = match File::open(&from) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(source) => return Err(unreadable(path, &from, source)),
        };
        let read_at = |bytes: &mut [u8], at| std::os::unix::fs::FileExt::read_at(&file, bytes, at);
        *slot = Some(match copied {
            Some(copied) => {
                let mut to = create_new(&copied).map_err(|source| no_room(path, &copied, source))?;
                read(path, read_at, Some((&mut to, copied.as_path())))?
            }
            None => read(path, read_at, None)?,
        });
    }
    Ok(found)
}

fn read(
    path: &Path,
    from: impl Fn(&mut [u8], u64) -> io::Result<usize>,
    mut to: Option<(&mut File, &Path)>,
) -> Result<blake3::Hash, RosterError> {
    let mut hasher = blake3::Hasher::new();
    let mut bytes = vec![0; LOT];
    let mut at = 0;
    loop {
        let length = from(&mut bytes, at).map_err(|source| broken(path, source))?;
        let read = bytes.get(..length).unwrap_or_default();
        if read.is_empty() {
            return Ok(hasher.finalize());
        }
        hasher.update(read);
        if let Some((file, copy)) = &mut to {
            file.write_all(read).map_err(|source| no_room(path, copy, source))?;
        }
        at = at.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
    }
}

/// A new file for a copy, locked and readable by us alone.
fn create(roster: &Path, state: &Path) -> Result<(PathBuf, File), RosterError> {
    let place = place(state);
    let mut number = 0_u32;
    loop {
        let path = beside(&place, &format!("{NAME}{}-{number}", std::process::id()));
        match create_new(&path) {
            // Whoever swept before it was locked took it away again.
            Ok(file) if lock(&file) && FileIdentity::of(&path) == identity(&file) => return Ok((path, file)),
            Err(source) if source.kind() != io::ErrorKind::AlreadyExists || number >= MOST_NAMES => {
                return Err(no_room(roster, &path, source));
            }
            Ok(_) | Err(_) => number = number.saturating_add(1),
        }
    }
}

/// Where copies stand: beside the state database, or, before the first run, in the nearest folder that is there.
fn place(state: &Path) -> PathBuf {
    let name = state.file_name().unwrap_or("state.db".as_ref());
    let folder = files::folder_of(state).ancestors().find(|folder| folder.is_dir());
    folder.unwrap_or(Path::new(".")).join(name)
}

/// Of root's it is the folder's owner's, so that the service can remove it should root's run be killed.
fn create_new(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)?;
    files::give_to_owner_of(&file, files::folder_of(path))?;
    Ok(file)
}

fn identity(file: &File) -> Option<FileIdentity> {
    file.metadata().ok().map(|file| FileIdentity::of_metadata(&file))
}

/// Takes the lock that says that a process lives which reads this copy.
fn lock(file: &File) -> bool {
    match file.try_lock() {
        // Where a file system has no such locks, none of ours will ever look abandoned.
        Ok(()) | Err(TryLockError::Error(_)) => true,
        Err(TryLockError::WouldBlock) => false,
    }
}

fn remove(copy: &Path) {
    for path in SIDES.map(|side| beside(copy, side)) {
        let _absent = std::fs::remove_file(path);
    }
    // Last: while it is there, a next start finds what is left.
    let _absent = std::fs::remove_file(copy);
}

/// Removes the copies that processes left behind that were killed.
pub(super) fn sweep(state: &Path) {
    let place = place(state);
    let Some(name) = place.file_name().and_then(|name| name.to_str()) else { return };
    let Ok(entries) = std::fs::read_dir(files::folder_of(&place)) else { return };
    let begin = format!("{name}{NAME}");
    for entry in entries.flatten() {
        let path = entry.path();
        let file_name = entry.file_name();
        let Some(file_name) = file_name.to_str().filter(|name| name.starts_with(&begin)) else { continue };
        if SIDES.iter().any(|side| file_name.ends_with(side)) {
            // Goes with its copy; alone, only where that was removed first.
            if !SIDES.iter().any(|side| path_without(&path, side).is_some_and(|copy| copy.exists())) {
                let _gone = std::fs::remove_file(&path);
            }
            continue;
        }
        let abandoned = match OpenOptions::new().read(true).open(&path) {
            Ok(file) => file.try_lock().is_ok(),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                is_forgotten(&path, file_name.strip_prefix(&begin).unwrap_or_default())
            }
            Err(_) => false,
        };
        if abandoned {
            remove(&path);
        }
    }
}

/// How long no run lasts.
const LONGER_THAN_A_RUN: Duration = Duration::from_secs(24 * 60 * 60);

/// Whether a copy that is not ours to open was left behind: root's, made where the folder is ours. `ending` of its name begins
/// with its process.
fn is_forgotten(copy: &Path, ending: &str) -> bool {
    let process = ending.split('-').next().and_then(|process| process.parse().ok());
    let Some(process) = process.and_then(Pid::from_raw) else { return false };
    // A process of another user that lives is there, and not ours to signal. The number may be another container's, or have
    // come round to another process: hence the age too.
    let is_gone = rustix::process::test_kill_process(process) == Err(rustix::io::Errno::SRCH);
    let age = std::fs::symlink_metadata(copy).and_then(|file| file.modified()).map(|at| at.elapsed());
    is_gone && age.is_ok_and(|age| age.is_ok_and(|age| age > LONGER_THAN_A_RUN))
}

fn path_without(path: &Path, ending: &str) -> Option<PathBuf> {
    path.to_str()?.strip_suffix(ending).map(PathBuf::from)
}

fn unreadable(roster: &Path, side: &Path, source: io::Error) -> RosterError {
    match files::missing_right(Right::Read, side) {
        Some(what) => RosterError::Unreadable { path: roster.to_owned(), what },
        None => broken(roster, source),
    }
}

fn broken(roster: &Path, source: io::Error) -> RosterError {
    RosterError::Read { path: roster.to_owned(), table: "the file", source: sqlx::Error::Io(source) }
}

fn full(roster: &Path, copy: &Path) -> RosterError {
    let folder = files::folder_of(copy).display();
    let what = format!(
        "can only be read from a private copy, and the disk of {folder} (state.database) has no room for it: make room \
         there; nothing was changed"
    );
    RosterError::Passing { path: roster.to_owned(), what }
}

fn no_room(roster: &Path, copy: &Path, source: io::Error) -> RosterError {
    let folder = files::folder_of(copy);
    if source.kind() == io::ErrorKind::FileTooLarge {
        let what = "can only be read from a private copy, and rosterd was started with a file size limit that is smaller than \
                    it: raise it (ulimit -f, LimitFSIZE= of a unit); nothing was changed";
        return RosterError::Passing { path: roster.to_owned(), what: what.to_owned() };
    }
    if files::is_no_room(&source) {
        return full(roster, copy);
    }
    let cause = files::missing_right(Right::Write, folder).unwrap_or_else(|| source.to_string());
    let what = format!(
        "can only be read from a private copy, which cannot be written to {} (state.database): {cause}",
        folder.display()
    );
    RosterError::Unreadable { path: roster.to_owned(), what }
}
