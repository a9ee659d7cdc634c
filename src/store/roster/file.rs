//! The roster's file: opened read-only, in place or by a private copy, and opened anew when the path comes to name
//! another one.
//!
//! SQLite reads a database in WAL mode by writing beside it: a log and an index that belong to whoever opened it first.
//! Left behind by our user, they keep the roster's own program from writing. So a roster in WAL mode is read in place
//! only where nothing can be left behind, and a journal that a crash left is never played back in place.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Sqlite, SqlitePool, Transaction};
use tokio::sync::Mutex;

use super::descriptor::Descriptor;
use super::error::{RosterError, cannot_open, failure, is_about_opening};
use super::private_copy::{self, PrivateCopy, Stamps};
use super::stale_log;
use crate::files::{self, Right, beside};
use crate::store::pool;

/// The longest wait for another program's lock before a run gives up.
const PATIENCE: Duration = Duration::from_secs(10);

/// A roster's file and the connections to it.
#[derive(Clone, Debug)]
pub(in crate::store) struct OpenFile(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    /// Our own database, beside which a private copy stands.
    state: PathBuf,
    open: Mutex<Open>,
}

/// The connections that are there, and what they were made for.
#[derive(Debug, Default)]
struct Open {
    connections: Option<Connections>,
    /// Of files that the path named before: transactions may still read them.
    earlier: Vec<Arc<Descriptor>>,
}

#[derive(Debug)]
struct Connections {
    descriptor: Arc<Descriptor>,
    pool: SqlitePool,
    /// Where the file is read by a copy.
    copy: Option<PrivateCopy>,
}

impl OpenFile {
    /// Opens the file at this path. `state` is our own database.
    ///
    /// # Errors
    /// When there is no file, or it cannot be read: the message says why and what to do.
    pub(in crate::store) async fn open(path: &Path, state: &Path) -> Result<Self, RosterError> {
        private_copy::sweep(state);
        let inner = Inner { path: path.to_owned(), state: state.to_owned(), open: Mutex::default() };
        let file = Self(Arc::new(inner));
        file.pool().await?;
        Ok(file)
    }

    /// Connections to the file that the path names now. Those to an earlier file end with what is read through them.
    ///
    /// # Errors
    /// As [`OpenFile::open`].
    pub(in crate::store) async fn pool(&self) -> Result<SqlitePool, RosterError> {
        let Inner { path, state, open } = &*self.0;
        let mut open = open.lock().await;
        let pool = connect(path, state, &mut open).await?.pool.clone();
        open.let_go(path);
        Ok(pool)
    }

    /// A read transaction, and the file that it reads: the roster's own, or the copy.
    ///
    /// # Errors
    /// As [`OpenFile::open`].
    pub(super) async fn begin(&self) -> Result<(Transaction<'static, Sqlite>, PathBuf), RosterError> {
        let Inner { path, state, open } = &*self.0;
        let mut open = open.lock().await;
        let connections = connect(path, state, &mut open).await?;
        let begun = begin(&connections.pool).await;
        let (begun, connections) = match begun {
            Err(source) if is_about_opening(&source) && connections.copy.is_none() => {
                let connections = by_copy(path, state, &mut open).await?;
                (begin(&connections.pool).await, connections)
            }
            begun => (begun, connections),
        };
        let transaction = begun.map_err(|source| failure(path, "the file", source))?;
        let resolved = files::resolved(path);
        let (read, stale) = match &connections.copy {
            Some(copy) => (copy.path().to_owned(), Ok(())),
            None => {
                // Another file may have come to this place since it was looked at.
                let stale = stale_log::refuse(path, &resolved, &connections.descriptor);
                (resolved, stale)
            }
        };
        open.let_go(path);
        stale?;
        Ok((transaction, read))
    }

    /// Whether the file is in WAL mode; `None` where it cannot be told.
    pub(super) async fn has_log(&self) -> Option<bool> {
        let open = self.0.open.lock().await;
        open.connections.as_ref()?.descriptor.is_wal().ok()
    }

    /// Why the file is read by a private copy, if it is.
    pub(super) async fn why_copied(&self) -> Option<&'static str> {
        let open = self.0.open.lock().await;
        let connections = open.connections.as_ref().filter(|connections| connections.copy.is_some())?;
        let is_wal = connections.descriptor.is_wal().unwrap_or(false);
        Some(if is_wal {
            "it is in WAL mode, and reading it in place would leave files beside it"
        } else {
            "a write to it broke off and left a journal; its own program takes that back when it opens it"
        })
    }

    /// Lets go of the file, and of its copy.
    pub(in crate::store) async fn close(&self) {
        let open = std::mem::take(&mut *self.0.open.lock().await);
        if let Some(connections) = &open.connections {
            connections.pool.close().await;
        }
    }
}

async fn begin(pool: &SqlitePool) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
    let mut transaction = pool.begin_with("BEGIN").await?;
    // Only a first read takes the lock, or meets what stands in its way.
    sqlx::query("SELECT count(*) FROM sqlite_schema").fetch_one(&mut *transaction).await?;
    Ok(transaction)
}

/// What is open, where that is still the roster; else opens it.
async fn connect<'a>(path: &Path, state: &Path, open: &'a mut Open) -> Result<&'a Connections, RosterError> {
    let descriptor = look(path)?;
    require_log_in_sight(path, &descriptor)?;
    let is_current =
        open.connections.as_ref().is_some_and(|connections| connections.is_current(path, &descriptor));
    let resolved = files::resolved(path);
    stale_log::refuse(path, &resolved, &descriptor)?;
    if !is_current {
        if !is_read_in_place(&resolved, &descriptor) {
            return by_copy(path, state, open).await;
        }
        match in_place(path).await {
            Ok(pool) => open.replace(Connections { descriptor, pool, copy: None }),
            Err(source) if is_about_opening(&source) => return by_copy(path, state, open).await,
            Err(source) => return Err(failure(path, "the file", source)),
        }
    }
    open.connections.as_ref().ok_or_else(|| RosterError::Missing { path: path.to_owned() })
}

/// Opens a private copy of the file that the path names now.
async fn by_copy<'a>(path: &Path, state: &Path, open: &'a mut Open) -> Result<&'a Connections, RosterError> {
    let descriptor = look(path)?;
    let resolved = files::resolved(path);
    let copy = PrivateCopy::of(&descriptor, &resolved, state).await?;
    stale_log::refuse(path, &resolved, &descriptor)?;
    let pool = in_place(copy.path()).await.map_err(|source| failure(path, "the file", source))?;
    open.replace(Connections { descriptor, pool, copy: Some(copy) });
    open.connections.as_ref().ok_or_else(|| RosterError::Missing { path: path.to_owned() })
}

/// The file that the path names now.
fn look(path: &Path) -> Result<Arc<Descriptor>, RosterError> {
    match std::fs::metadata(path) {
        Ok(file) if file.is_file() => Descriptor::of(path).map_err(|source| cannot_open(path, source.into())),
        Ok(other) => {
            let what = if other.is_dir() { "is a folder" } else { "is a pipe, a socket or a device" };
            let what =
                format!("{what}, and the roster is a file: enter the path of the SQLite database itself");
            Err(RosterError::Unreadable { path: path.to_owned(), what })
        }
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => {
            Err(RosterError::Missing { path: path.to_owned() })
        }
        Err(source) => Err(cannot_open(path, source.into())),
    }
}

/// A roster in WAL mode without its log beside it was closed by its own program, or its log lies beside another name of it:
/// then what was written since would not be seen, and nothing would tell.
fn require_log_in_sight(path: &Path, descriptor: &Descriptor) -> Result<(), RosterError> {
    let resolved = files::resolved(path);
    if !descriptor.is_wal().unwrap_or(false) || beside(&resolved, "-wal").exists() {
        return Ok(());
    }
    let what = if files::is_mounted_alone(&resolved) {
        "is in WAL mode and mounted as a single file, so its log, which lies beside it in its own folder, is not seen: mount the \
         whole folder, or let the program that writes it set `PRAGMA journal_mode = DELETE`"
    } else if files::names(&resolved) > 1 {
        "is in WAL mode and has another name as well (a hard link), beside which its log may lie unseen: enter the name that the \
         program that writes it uses, link to it by ln -s, or let that program set `PRAGMA journal_mode = DELETE`"
    } else {
        return Ok(());
    };
    Err(RosterError::Unreadable { path: path.to_owned(), what: what.to_owned() })
}

/// Whether SQLite can read the file where it is and leave nothing behind. In WAL mode it writes a log and an index
/// beside it, unless both are there. Should their owner remove them just now, they are made anew: that harms nobody
/// where we are the owner, and cannot happen where we may not write the folder.
fn is_read_in_place(path: &Path, descriptor: &Descriptor) -> bool {
    if !descriptor.is_wal().unwrap_or(false) {
        return true;
    }
    let are_there = ["-wal", "-shm"].iter().all(|side| beside(path, side).exists());
    let is_ours = files::owner(path) == Some(files::effective_user());
    let is_here = files::network_share(path).is_none();
    are_there && is_here && (is_ours || !files::may(Right::Write, files::folder_of(path)))
}

async fn in_place(path: &Path) -> Result<SqlitePool, sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .busy_timeout(PATIENCE)
        .pragma("query_only", "1");
    let pool = pool::open(options, 2, PATIENCE.saturating_mul(3)).await?;
    sqlx::query("SELECT count(*) FROM sqlite_schema").fetch_one(&pool).await?;
    Ok(pool)
}

impl Open {
    fn replace(&mut self, connections: Connections) {
        if let Some(earlier) = self.connections.replace(connections) {
            self.keep(earlier.descriptor);
        }
    }

    /// Keeps no connection to a log that is another program's: as long as one is open, that program cannot tidy up when
    /// it closes the database. Nor to a roster on a network share, of which only a file opened anew is sure to be read as
    /// it is there. What is being read ends by itself.
    fn let_go(&mut self, path: &Path) {
        let is_in_place = |it: &mut Connections| {
            let is_wal = it.descriptor.is_wal().unwrap_or(true);
            it.copy.is_none() && (is_wal || files::network_share(path).is_some())
        };
        if let Some(connections) = self.connections.take_if(is_in_place) {
            self.keep(connections.descriptor);
        }
    }

    fn keep(&mut self, descriptor: Arc<Descriptor>) {
        if !self.earlier.iter().any(|kept| Arc::ptr_eq(kept, &descriptor)) {
            self.earlier.push(descriptor);
        }
    }
}

impl Connections {
    /// Whether they lead to the file that the path names now, in the way that it is read now.
    fn is_current(&self, path: &Path, now: &Descriptor) -> bool {
        let resolved = files::resolved(path);
        self.descriptor.identity() == now.identity()
            && match &self.copy {
                Some(copy) => copy.stamps() == Stamps::of(&resolved),
                None => is_read_in_place(&resolved, now),
            }
    }
}
