//! Opening our own database.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Executor as _, Sqlite, SqlitePool, Transaction};

use super::error::{Doing, missing_right};
use super::lock::{LockedFile, RunLock};
use super::{StateFile, StoreError, ids_in_normal_form, pool, recognition, room, upgrade_copy};
use crate::files::{self, FileIdentity, Right};

pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("migrations/state");

/// Names copies in memory apart.
static COPIES: AtomicU64 = AtomicU64::new(0);

/// How often the schema is brought up to date before its refusal counts.
const MIGRATION_ATTEMPTS: u32 = 3;

/// Long enough for another process to finish its upgrade, or to come to its next step.
const BETWEEN_MIGRATIONS: Duration = Duration::from_millis(200);

/// The longest wait for a connection that another task is using.
const PATIENCE: Duration = Duration::from_secs(30);

/// Pages that each connection for reading keeps, as SQLite writes it: in KiB, and below zero. The usual 2 MiB each would let
/// a daemon grow with its state for weeks, and the system keeps the file's pages anyway.
const READER_CACHE: &str = "-512";

/// Our own database: links, enrolments, runs, failures.
#[derive(Clone, Debug)]
pub struct StateStore {
    /// One connection: SQLite has one writer, and waiting for it here is better than failing there.
    writer: SqlitePool,
    pub(super) reader: SqlitePool,
    /// Where the file is, links resolved, and which one was opened; `None` for one in memory.
    file: Option<(PathBuf, FileIdentity)>,
    /// The lock of the run that is under way in this process.
    lock: Arc<Mutex<Weak<LockedFile>>>,
    /// The number of the run that is under way in this process; 0 where none is.
    pub(super) open_run: Arc<AtomicI64>,
}

impl StateStore {
    /// Opens the database, creating it with mode 0600 and bringing its schema up to date. Where that rewrites or drops rows, a
    /// copy of it as it was stays beside it.
    ///
    /// # Errors
    /// When there is no room for that copy. When it cannot be opened or created, is damaged or lost, has a second name, is mounted alone, was written by a newer
    /// version, or is a database of something else.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        recognition::require_no_link_of_others(path)?;
        recognition::require_folder_of_its_own(path)?;
        recognition::require_not_lost(path)?;
        recognition::require_ours(path).await?;
        prepare(path).map_err(|source| StoreError::of_preparing(path, source))?;
        let path = files::resolved(path);
        if files::names(&path) > 1 {
            return Err(StoreError::Linked { path });
        }
        room::opened(&path);
        let identity = FileIdentity::of(&path);
        let options = SqliteConnectOptions::new()
            .filename(&path)
            // It is there: a connection that is opened later must not make another one where it was taken away.
            .create_if_missing(false)
            .journal_mode(SqliteJournalMode::Wal)
            // An intent must survive a power cut before the call that it announces is sent.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10));
        let open = |source| StoreError::of_opening(&path, source);
        let writer = pool::open(options.clone(), 1, PATIENCE).await.map_err(open)?;
        recognition::require_ours_over(&mut *writer.acquire().await.map_err(open)?, &path).await?;
        let is_upgraded = upgrade_copy::keep(&writer, &path).await?;
        migrate(&writer).await.map_err(|source| StoreError::of_migration(&path, source))?;
        ids_in_normal_form::normalise(&writer).await?;
        if is_upgraded {
            upgrade_copy::ended(&writer).await?;
        }
        let readers = options.pragma("query_only", "1").pragma("cache_size", READER_CACHE);
        let reader = pool::open(readers, 3, PATIENCE).await.map_err(open)?;
        let file = identity.map(|identity| (path, identity));
        Ok(Self { writer, reader, file, lock: Arc::default(), open_run: Arc::default() })
    }

    /// Opens the database for a command that only reads: none is created, and none is brought up to date. Where there is
    /// none yet, it is empty; one of an older version is read as a copy in memory. Says too which it is.
    ///
    /// # Errors
    /// When it cannot be opened, was written by a newer version, or is a database of something else.
    pub async fn open_for_reading(path: &Path) -> Result<(Self, StateFile), StoreError> {
        recognition::require_folder_of_its_own(path)?;
        let found = recognition::state_file(path).await?;
        let state = match found {
            StateFile::Absent => Self::absent(path).await?,
            StateFile::Older => Self::copied(path).await?,
            StateFile::Current => Self::open(path).await?,
        };
        Ok((state, found))
    }

    /// The same for a command that leaves everything as it is, the log beside the database too: nothing is written to it, and
    /// no file appears or goes.
    ///
    /// # Errors
    /// As [`StateStore::open_for_reading`].
    pub async fn look(path: &Path) -> Result<(Self, StateFile), StoreError> {
        recognition::require_folder_of_its_own(path)?;
        let found = recognition::state_file(path).await?;
        let state = match found {
            StateFile::Absent => Self::absent(path).await?,
            StateFile::Older => Self::copied(path).await?,
            StateFile::Current => match Self::looked_at(path).await? {
                state if state.has_memory_key().await? => state,
                // No run has used it yet: the key is made in a copy.
                state => {
                    state.close().await;
                    Self::copied(path).await?
                }
            },
        };
        Ok((state, found))
    }

    async fn looked_at(path: &Path) -> Result<Self, StoreError> {
        let path = files::resolved(path);
        if files::names(&path) > 1 {
            return Err(StoreError::Linked { path });
        }
        // What a run would fail for is said, though this look would do without.
        if let Some(what) = missing_right(&path) {
            return Err(StoreError::Denied { path, what });
        }
        room::opened(&path);
        let open = |source| StoreError::of_opening(&path, source);
        let options =
            recognition::without_a_trace(&path).busy_timeout(Duration::from_secs(10)).foreign_keys(true);
        let pool = pool::open(options.pragma("query_only", "1"), 1, PATIENCE).await.map_err(open)?;
        let mut connection = pool.acquire().await.map_err(open)?;
        recognition::require_ours_over(&mut connection, &path).await?;
        recognition::require_known(&mut connection, &path).await?;
        drop(connection);
        let (writer, reader) = (pool.clone(), pool);
        Ok(Self { writer, reader, file: None, lock: Arc::default(), open_run: Arc::default() })
    }

    /// What stands at this path. Nothing is opened for writing.
    ///
    /// # Errors
    /// When it is a database of something else.
    pub async fn find(path: &Path) -> Result<StateFile, StoreError> {
        recognition::state_file(path).await
    }

    /// Looks through the whole database for damage that no statement has met yet.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub async fn require_sound(&self, path: &Path) -> Result<(), StoreError> {
        let said: String = sqlx::query_scalar("SELECT quick_check FROM pragma_quick_check LIMIT 1")
            .fetch_one(&self.reader)
            .await
            .doing("looking through it for damage")?;
        if said == "ok" { Ok(()) } else { Err(StoreError::Damaged { path: path.to_owned(), what: said }) }
    }

    /// The bytes that a copy of it would have.
    pub async fn copy_bytes(&self) -> Result<u64, StoreError> {
        let mut connection = self.reader.acquire().await.doing("asking how large it is")?;
        upgrade_copy::copy_bytes(&mut connection).await
    }

    /// The right that is missing for a database at this path, in words and with what to do.
    #[must_use]
    pub fn missing_right(path: &Path) -> Option<String> {
        missing_right(path)
    }

    /// A copy in memory, brought up to date there.
    async fn copied(path: &Path) -> Result<Self, StoreError> {
        let open = |source| StoreError::of_opening(path, source);
        let number = COPIES.fetch_add(1, Ordering::Relaxed);
        let name = format!("file:rosterd-copy-{number}?mode=memory&cache=shared");
        let memory = SqliteConnectOptions::new().filename(&name).in_memory(true).shared_cache(true);
        let pool = pool::open(memory, 1, PATIENCE).await.map_err(open)?;
        let mut original = recognition::without_a_trace(path).connect().await.map_err(open)?;
        sqlx::query("VACUUM INTO ?").bind(name).execute(&mut original).await.map_err(open)?;
        original.close().await.map_err(open)?;
        Self::made(pool, path).await
    }

    async fn made(pool: SqlitePool, path: &Path) -> Result<Self, StoreError> {
        migrate(&pool).await.map_err(|source| StoreError::of_migration(path, source))?;
        ids_in_normal_form::normalise(&pool).await?;
        let (writer, reader) = (pool.clone(), pool);
        Ok(Self { writer, reader, file: None, lock: Arc::default(), open_run: Arc::default() })
    }

    /// What a database that does not exist yet holds: nothing. It stands in memory, and no file is created.
    ///
    /// # Errors
    /// When SQLite refuses it.
    pub async fn absent(path: &Path) -> Result<Self, StoreError> {
        let memory = pool::open(SqliteConnectOptions::new().in_memory(true), 1, PATIENCE).await;
        Self::made(memory.map_err(|source| StoreError::Open { path: path.to_owned(), source })?, path).await
    }

    /// Writes only as long as this lock is what others find, until it is dropped.
    pub fn rely_on(&self, lock: &RunLock) {
        *self.lock.lock().unwrap_or_else(PoisonError::into_inner) = lock.file();
    }

    /// What writes: the one way to it. Our path must still name the file that is open, else what is written would be
    /// seen by nobody, and another process might be writing what is seen. The same goes for the lock of a run.
    ///
    /// # Errors
    /// When the file, or the lock of the run that is under way, was removed or replaced.
    pub(super) fn writer(&self) -> Result<&SqlitePool, StoreError> {
        let lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner).upgrade();
        if let Some(lock) = lock.filter(|lock| !lock.is_in_place()) {
            return Err(StoreError::LockRemoved { path: lock.path().to_owned() });
        }
        match &self.file {
            Some((path, opened)) if FileIdentity::of(path) != Some(*opened) => {
                Err(StoreError::Replaced { path: path.clone() })
            }
            Some(_) | None => Ok(&self.writer),
        }
    }

    /// Whether the path still names the file that is open.
    ///
    /// # Errors
    /// When the file, or the lock of the run that is under way, was removed or replaced.
    pub fn require_in_place(&self) -> Result<(), StoreError> {
        self.writer().map(drop)
    }

    fn is_replaced(&self) -> bool {
        self.file.as_ref().is_some_and(|(path, opened)| FileIdentity::of(path) != Some(*opened))
    }

    /// Takes the log over into the file that it belongs to, which has lost its name: else SQLite leaves it there, and whoever
    /// opens the file that has the name now plays it over that one.
    async fn empty_log(&self) {
        let emptied = match self.writer.acquire().await {
            Ok(mut connection) => connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").await.map(drop),
            Err(error) => Err(error),
        };
        if let Err(error) = emptied {
            tracing::warn!("the log of a state database that was replaced could not be emptied: {error}");
        }
    }

    /// Starts a transaction that writes: the write lock is taken at once.
    pub(super) async fn begin(&self) -> Result<Transaction<'_, Sqlite>, StoreError> {
        self.writer()?.begin_with("BEGIN IMMEDIATE").await.doing("starting a transaction")
    }

    /// Closes both pools, so that nothing of the database stays open.
    pub async fn close(&self) {
        self.reader.close().await;
        if self.is_replaced() {
            self.empty_log().await;
        }
        self.writer.close().await;
    }
}

/// Brings the schema up to date. Two processes may open a database first at the same moment: the one that comes second
/// is refused, and finds the work done when it looks again.
async fn migrate(writer: &SqlitePool) -> Result<(), MigrateError> {
    let mut attempt = 1;
    loop {
        let mut connection = writer.acquire().await?;
        // A log of the whole history would need three times the room of the database that comes of it.
        connection.execute("PRAGMA wal_autocheckpoint = 64").await?;
        let Err(error) = MIGRATIONS.run(&mut *connection).await else {
            connection.execute("PRAGMA wal_autocheckpoint = 1000").await?;
            return Ok(());
        };
        // A transaction that it began goes with the connection.
        let _closed = connection.close().await;
        if attempt == MIGRATION_ATTEMPTS {
            return Err(error);
        }
        attempt += 1;
        tokio::time::sleep(BETWEEN_MIGRATIONS).await;
    }
}

/// Creates an absent file with the right mode before SQLite would create it with another.
fn prepare(path: &Path) -> std::io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    let path = files::resolved(path);
    match files::create_own(&path) {
        // It stays whose it is. SQLite would open one that may only be read, and fail at the first write.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let may = files::may(Right::Write, &path);
            if may { Ok(()) } else { Err(std::io::ErrorKind::PermissionDenied.into()) }
        }
        created => created.map(drop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2 is FULL: every commit waits until the disk has it. With 1, NORMAL, a power cut may lose the last
    /// ones, among them an intent whose call was sent.
    #[tokio::test]
    async fn what_is_committed_survives_a_power_cut() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateStore::open(&folder.path().join("state.db")).await.unwrap();
        for pool in [&state.writer, &state.reader] {
            let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(pool).await.unwrap();
            let journal: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(pool).await.unwrap();
            assert_eq!((synchronous, journal.as_str()), (2, "wal"));
        }
    }
}
