//! One run at a time for one state database, across processes, and one daemon for its life. A lock dies with its process.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::files::{self, FileIdentity, Right, beside};

/// Whoever only asks whether a lock is held has it for an instant; a lock that is still held after these looks is another
/// run's.
const LOOKS: u32 = 10;

/// The pause between two looks.
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

/// The lock of a run, held until dropped.
#[derive(Debug)]
pub struct RunLock {
    file: Arc<LockedFile>,
}

/// The lock of a daemon, held until dropped: another one on the same state would work by turns with it, and nobody would
/// know which one to stop. Runs of the command line have nothing to do with it.
#[derive(Debug)]
pub struct DaemonLock {
    _file: LockedFile,
}

/// A lock file that this process has locked, for as long as it is open.
#[derive(Debug)]
pub(super) struct LockedFile {
    _file: File,
    path: PathBuf,
    identity: FileIdentity,
}

impl LockedFile {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the path still names this file: else others lock another one.
    pub(super) fn is_in_place(&self) -> bool {
        FileIdentity::of(&self.path) == Some(self.identity)
    }
}

/// The lock of whoever looks into watched folders, held until dropped: a file is taken by one process.
#[derive(Debug)]
pub struct IntakeLock {
    _file: LockedFile,
}

impl IntakeLock {
    /// Takes the lock; `None` while another process or task holds it.
    ///
    /// # Errors
    /// Where the lock file cannot be used.
    pub fn take(state_database: &Path) -> Result<Option<Self>, LockError> {
        Ok(take(state_database, ".intake.lock")?.map(|file| Self { _file: file }))
    }
}

/// The lock cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another run is under way.
    #[error(
        "another rosterd is running with the state database {state}: wait until it has finished; do not remove the lock file"
    )]
    Busy {
        /// The state database of the lock.
        state: PathBuf,
    },
    /// Another daemon is there.
    #[error(
        "another rosterd daemon is running with the state database {state}: stop that one first, or give this one \
         another state.database"
    )]
    Daemon {
        /// The state database of the lock.
        state: PathBuf,
    },
    /// There is no room for the lock file.
    #[error("the lock file {path} cannot be created: its disk is full: make room there")]
    Full { path: PathBuf },
    /// The lock file cannot be used.
    #[error("the lock file {path} cannot be used: {what}")]
    Unusable {
        path: PathBuf,
        /// The cause and, where it is known, the remedy.
        what: String,
    },
}

impl RunLock {
    /// Takes the lock of a state database, or says at once why it cannot.
    ///
    /// # Errors
    /// [`LockError::Busy`] while another process or task holds it.
    pub fn take(state_database: &Path) -> Result<Self, LockError> {
        let file = take(state_database, ".lock")?;
        file.map(|file| Self { file: Arc::new(file) })
            .ok_or_else(|| LockError::Busy { state: state_database.to_owned() })
    }

    pub(super) fn file(&self) -> Weak<LockedFile> {
        Arc::downgrade(&self.file)
    }

    /// Whether some process or task holds the lock of a state database: whoever held it and was killed holds it no more.
    /// Where nobody can tell, it counts as held.
    #[must_use]
    pub fn is_held(state_database: &Path) -> bool {
        is_held(state_database, ".lock")
    }
}

impl DaemonLock {
    /// Takes the lock of a state database for a daemon, or says at once why it cannot.
    ///
    /// # Errors
    /// [`LockError::Daemon`] while another daemon holds it.
    pub fn take(state_database: &Path) -> Result<Self, LockError> {
        let file = take(state_database, ".daemon.lock")?;
        file.map(|file| Self { _file: file })
            .ok_or_else(|| LockError::Daemon { state: state_database.to_owned() })
    }

    /// Whether a daemon lives that works with a state database. Where nobody can tell, one does.
    #[must_use]
    pub fn is_held(state_database: &Path) -> bool {
        is_held(state_database, ".daemon.lock")
    }
}

fn is_held(state_database: &Path, ending: &str) -> bool {
    match files::open_own(&lock_path(state_database, ending), OpenOptions::new().read(true)) {
        // Shared, so that two who ask do not see each other.
        Ok(file) => file.try_lock_shared().is_err(),
        Err(error) => error.kind() != std::io::ErrorKind::NotFound,
    }
}

/// The lock file beside the database that the path leads to, whatever links are on the way.
fn lock_path(state_database: &Path, ending: &str) -> PathBuf {
    beside(&files::resolved(state_database), ending)
}

/// A locked lock file; `None` while another one holds it.
fn take(state_database: &Path, ending: &str) -> Result<Option<LockedFile>, LockError> {
    let path = lock_path(state_database, ending);
    let failed = |source: std::io::Error| {
        if files::is_no_room(&source) {
            return LockError::Full { path: path.clone() };
        }
        let missing = files::missing_right(Right::Write, &path);
        let missing = missing.or_else(|| files::missing_right(Right::Write, files::folder_of(&path)));
        LockError::Unusable { path: path.clone(), what: missing.unwrap_or_else(|| source.to_string()) }
    };
    if let Some(what) = files::link_of_others(state_database) {
        return Err(LockError::Unusable { path, what });
    }
    std::fs::create_dir_all(files::folder_of(&path)).map_err(failed)?;
    let mut looks = 0;
    loop {
        let file = files::open_or_create_own(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                looks += 1;
                if looks >= LOOKS {
                    return Ok(None);
                }
                std::thread::sleep(BETWEEN_LOOKS);
                continue;
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        // Whoever removed the file meanwhile lets others lock a new one.
        let identity = FileIdentity::of_metadata(&file.metadata().map_err(failed)?);
        let locked = LockedFile { _file: file, path: path.clone(), identity };
        if locked.is_in_place() {
            return Ok(Some(locked));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_run_is_refused_while_the_first_holds_the_lock_and_let_in_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state.db");
        let first = RunLock::take(&state).unwrap();
        assert!(matches!(RunLock::take(&state), Err(LockError::Busy { .. })));
        drop(first);
        assert!(RunLock::take(&state).is_ok());
    }

    #[test]
    fn a_lock_is_held_as_long_as_its_holder_lives_and_asking_for_it_keeps_nobody_out() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state.db");
        assert!(!RunLock::is_held(&state), "nobody has ever held it");
        let held = RunLock::take(&state).unwrap();
        assert!(RunLock::is_held(&state));
        drop(held);
        assert!(!RunLock::is_held(&state));
        let asking = std::thread::spawn({
            let state = state.clone();
            move || {
                for _ in 0..500 {
                    let _is_held = RunLock::is_held(&state);
                    std::thread::sleep(Duration::from_micros(100));
                }
            }
        });
        for _ in 0..50 {
            assert!(RunLock::take(&state).is_ok());
        }
        asking.join().unwrap();
    }

    #[test]
    fn a_run_and_a_daemon_are_kept_apart_from_their_like_only() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state.db");
        let _daemon = DaemonLock::take(&state).unwrap();
        assert!(matches!(DaemonLock::take(&state), Err(LockError::Daemon { .. })));
        assert!(RunLock::take(&state).is_ok());
    }

    #[test]
    fn whatever_links_lead_to_a_database_its_lock_is_one() {
        let folder = tempfile::tempdir().unwrap();
        let (real, other) = (folder.path().join("real"), folder.path().join("other"));
        for folder in [&real, &other] {
            std::fs::create_dir(folder).unwrap();
        }
        std::os::unix::fs::symlink(real.join("state.db"), other.join("linked.db")).unwrap();
        std::os::unix::fs::symlink(&real, folder.path().join("folder")).unwrap();
        for is_there in [false, true] {
            if is_there {
                std::fs::write(real.join("state.db"), "").unwrap();
            }
            let _held = RunLock::take(&real.join("state.db")).unwrap();
            for path in [
                other.join("linked.db"),
                folder.path().join("folder/state.db"),
                real.join("../real/state.db"),
            ] {
                let second = RunLock::take(&path);
                assert!(matches!(second, Err(LockError::Busy { .. })), "{}, {is_there}", path.display());
            }
        }
    }
}
