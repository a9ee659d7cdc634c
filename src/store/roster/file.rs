//! The roster's file: opened read-only, and opened anew when the path comes to name another one.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use tokio::sync::Mutex;

use super::error::{RosterError, failure};

/// The longest wait for another program's lock before a run gives up.
const PATIENCE: Duration = Duration::from_secs(10);

/// Which file a path names: one that takes its place by a rename is another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileIdentity {
    device: u64,
    inode: u64,
}

impl FileIdentity {
    /// Of the file at this path; `None` where there is none.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let file = std::fs::metadata(path).ok()?;
        Some(Self { device: file.dev(), inode: file.ino() })
    }
}

/// The connections to the file, and which file it was when they were made.
#[derive(Clone, Debug)]
pub(super) struct OpenFile(Arc<Mutex<(SqlitePool, Option<FileIdentity>)>>);

impl OpenFile {
    /// Opens the file at this path.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub(super) async fn open(path: &Path) -> Result<Self, RosterError> {
        Ok(Self(Arc::new(Mutex::new(connect(path).await?))))
    }

    /// Connections to the file that the path names now. Those to an earlier file end with what is read through them.
    ///
    /// # Errors
    /// When there is no file, or it cannot be opened.
    pub(super) async fn pool(&self, path: &Path) -> Result<SqlitePool, RosterError> {
        let mut file = self.0.lock().await;
        let identity = FileIdentity::of(path);
        if identity.is_none() {
            return Err(RosterError::Missing { path: path.to_owned() });
        }
        if file.1 != identity {
            *file = connect(path).await?;
        }
        Ok(file.0.clone())
    }

    /// Lets go of the file.
    pub(super) async fn close(&self) {
        let pool = self.0.lock().await.0.clone();
        pool.close().await;
    }
}

async fn connect(path: &Path) -> Result<(SqlitePool, Option<FileIdentity>), RosterError> {
    // Looked at before: a file that comes in between is noticed the next time.
    let identity = FileIdentity::of(path);
    let options = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .busy_timeout(PATIENCE)
        .pragma("query_only", "1");
    let pool = SqlitePoolOptions::new()
        .max_connections(2)
        .acquire_timeout(PATIENCE.saturating_mul(3))
        .connect_with(options)
        .await
        .map_err(|source| failure(path, "the file", source))?;
    Ok((pool, identity))
}
