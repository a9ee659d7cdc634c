//! One run at a time for one state database, across processes. The lock dies with its process.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The lock, held until dropped.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

/// The lock cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another run is under way.
    #[error("another rosterd is running with the state database {state}: wait until it has finished")]
    Busy {
        /// The state database of the lock.
        state: PathBuf,
    },
    /// The lock file cannot be used.
    #[error("the lock file {path} cannot be used")]
    Unusable {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
}

impl RunLock {
    /// Takes the lock of a state database, or says at once why it cannot.
    ///
    /// # Errors
    /// [`LockError::Busy`] while another process or task holds it.
    pub fn take(state_database: &Path) -> Result<Self, LockError> {
        let mut name = state_database.as_os_str().to_owned();
        name.push(".lock");
        let path = PathBuf::from(name);
        let unusable = |source| LockError::Unusable { path: path.clone(), source };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(unusable)?;
        }
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(|source| LockError::Unusable { path: path.clone(), source })?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(LockError::Busy { state: state_database.to_owned() }),
            Err(TryLockError::Error(source)) => Err(LockError::Unusable { path, source }),
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
}
