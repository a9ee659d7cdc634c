//! Copies of the state database: one made while others work with it, and one put back in its place. What a copy means for
//! the next run is said by whoever asks for it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, SqliteConnection};

use super::error::{Doing as _, NO_DATABASE};
use super::state::MIGRATIONS;
use super::{DaemonLock, LockError, RunLock, StoreError, recognition, room};
use crate::files::{self, FileIdentity, beside};

/// The longest wait for a database that somebody is writing.
const PATIENCE: Duration = Duration::from_secs(30);

/// What stands beside a database while it is in use.
const SIDES: [&str; 2] = ["-wal", "-shm"];

/// A copy cannot be made or put back.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// What is to be put back is not there.
    #[error("{path}: there is no such file, or it is empty: name a copy that rosterd backup has made")]
    NoCopy { path: PathBuf },
    /// It is the state database.
    #[error("{path} is the state database itself: name a copy of it that rosterd backup has made")]
    Itself { path: PathBuf },
    /// It is of something else.
    #[error(
        "{path}: this is no copy of a state database of rosterd ({what}): name one that rosterd backup has made"
    )]
    NotOurs { path: PathBuf, what: String },
    /// It does not make sense.
    #[error("{path}: the copy is damaged ({what}), and nothing was changed: take an older one")]
    Damaged { path: PathBuf, what: String },
    /// This program does not know its schema.
    #[error(
        "{path}: the copy was made by a newer rosterd (schema {found}, this one knows {known}), and nothing was changed: install \
         that version or a newer one, then type the same again"
    )]
    Newer { path: PathBuf, found: i64, known: i64 },
    /// A daemon works with what is to be replaced.
    #[error(
        "a rosterd daemon is working with {state}, and nothing was changed: stop it (systemctl stop rosterd, or docker compose \
         stop rosterd), then type the same again"
    )]
    Daemon { state: PathBuf },
    /// A run works with it.
    #[error(
        "a run is under way with {state}, and nothing was changed: wait until it has finished, then type the same again"
    )]
    Run { state: PathBuf },
    /// A lock cannot be had for another reason.
    #[error(transparent)]
    Lock(LockError),
    /// A file cannot be made, moved or read.
    #[error("{path}: {doing} failed")]
    File {
        path: PathBuf,
        doing: &'static str,
        #[source]
        source: std::io::Error,
    },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A run that a state database knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownRun {
    pub id: i64,
    pub started_at_ms: i64,
}

/// What came of putting a copy back.
#[derive(Clone, Debug)]
pub struct Restored {
    /// The newest run that the copy knows.
    pub newest_run: Option<KnownRun>,
    /// Where the state is that it replaced; `None` where there was none.
    pub kept_as: Option<PathBuf>,
    /// The newest run that the replaced state knew, as far as it could be read.
    pub newest_lost_run: Option<KnownRun>,
    /// Runs of the replaced state that the copy does not know; `None` where that state could not be read.
    pub lost_runs: Option<i64>,
}

/// Copies the state database into a file that is there and empty, or not there yet, as it stands at one moment, and looks
/// through the copy. Whoever works with the database goes on meanwhile.
///
/// # Errors
/// When the database cannot be read, or the copy not be written or not be read back.
pub async fn copy_state(state: &Path, to: &Path) -> Result<Option<KnownRun>, CopyError> {
    let mut original = read_only(state).await?;
    let copied = sqlx::query("VACUUM INTO ?").bind(to.to_string_lossy()).execute(&mut original).await;
    let _closed = original.close().await;
    copied.doing("copying it")?;
    let mut copy = read_only(to).await?;
    require_sound(&mut copy, to).await?;
    let newest = newest_run(&mut copy).await;
    let _closed = copy.close().await;
    newest
}

/// Puts a copy in the place of the state database. The one that was there stays beside it, under `kept_as`. A copy is looked
/// through before anything is changed; nobody else may be at work.
///
/// # Errors
/// When a daemon or a run is at work, when the copy is damaged, of something else or of a newer version, or a file cannot be
/// written or moved.
pub async fn restore_state(copy: &Path, state: &Path, kept_as: &Path) -> Result<Restored, CopyError> {
    let _locks = take_locks(state)?;
    let state = &files::resolved(state);
    if !copy.metadata().is_ok_and(|file| file.is_file() && file.len() > 0) {
        return Err(CopyError::NoCopy { path: copy.to_owned() });
    }
    if FileIdentity::of(copy) == FileIdentity::of(state) {
        return Err(CopyError::Itself { path: copy.to_owned() });
    }
    recognition::require_ours(copy).await.map_err(|error| not_ours(copy, &error))?;
    // Another program's database is not moved away.
    let is_readable = match recognition::require_ours(state).await {
        Ok(()) => true,
        Err(error @ StoreError::Foreign { .. }) => return Err(error.into()),
        Err(_) => false,
    };
    let new = beside(state, ".restoring");
    let newest_run = make_new(copy, &new).await.inspect_err(|_| {
        // Of no use to anybody; the error says what happened.
        let _stays = std::fs::remove_file(&new);
    })?;
    let was_there = state.exists();
    let mut lost = None;
    if was_there && is_readable {
        lost = lost_runs(state, newest_run).await.ok();
        empty_log(state).await;
    }
    if was_there {
        move_aside(state, kept_as)?;
    }
    drop_sides(state)?;
    files::move_to_free_name(&new, state)
        .map_err(|source| file(state, "putting the copy in its place", source))?;
    File::open(files::folder_of(state))
        .and_then(|folder| folder.sync_all())
        .map_err(|source| file(state, "writing its folder", source))?;
    Ok(Restored {
        newest_run,
        kept_as: was_there.then(|| kept_as.to_owned()),
        newest_lost_run: lost.and_then(|(newest, _)| newest),
        lost_runs: lost.map(|(_, runs)| runs),
    })
}

fn file(path: &Path, doing: &'static str, source: std::io::Error) -> CopyError {
    CopyError::File { path: path.to_owned(), doing, source }
}

/// A daemon holds its lock for life, and takes that of a run again and again.
fn take_locks(state: &Path) -> Result<(DaemonLock, RunLock), CopyError> {
    let daemon = DaemonLock::take(state).map_err(in_use)?;
    let run = RunLock::take(state).map_err(in_use)?;
    Ok((daemon, run))
}

fn in_use(error: LockError) -> CopyError {
    match error {
        LockError::Daemon { state } => CopyError::Daemon { state },
        LockError::Busy { state } => CopyError::Run { state },
        error @ (LockError::Full { .. } | LockError::Unusable { .. }) => CopyError::Lock(error),
    }
}

fn not_ours(copy: &Path, error: &StoreError) -> CopyError {
    let what = if let StoreError::Foreign { tables, .. } = error {
        format!("it holds other tables: {tables}")
    } else {
        error.to_string()
    };
    CopyError::NotOurs { path: copy.to_owned(), what }
}

/// The file that takes the place, whole and looked through.
async fn make_new(copy: &Path, new: &Path) -> Result<Option<KnownRun>, CopyError> {
    let mut original = read_only(copy).await.map_err(|error| unreadable(copy, error))?;
    let readable = require_known(&mut original, copy).await;
    let _closed = original.close().await;
    readable?;
    // What is left of a restore that was killed; the locks say that no other one is at work.
    match std::fs::remove_file(new) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            return Err(file(new, "removing what an earlier restore has left", source));
        }
        Ok(()) | Err(_) => {}
    }
    let made = files::create_own(new).map_err(|source| file(new, "creating it", source))?;
    let newest = copy_state(copy, new).await?;
    made.sync_all().map_err(|source| file(new, "writing it", source))?;
    Ok(newest)
}

/// Refuses what is damaged, of something else, or of a newer version.
async fn require_known(connection: &mut SqliteConnection, copy: &Path) -> Result<(), CopyError> {
    require_sound(connection, copy).await?;
    let found: Result<Option<i64>, _> =
        sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations").fetch_one(&mut *connection).await;
    let what = || "it has no history of schemas".to_owned();
    let Ok(Some(found)) = found else {
        return Err(CopyError::NotOurs { path: copy.to_owned(), what: what() });
    };
    let known = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default();
    if found > known {
        return Err(CopyError::Newer { path: copy.to_owned(), found, known });
    }
    Ok(())
}

async fn require_sound(connection: &mut SqliteConnection, path: &Path) -> Result<(), CopyError> {
    let said: Result<String, _> =
        sqlx::query_scalar("SELECT integrity_check FROM pragma_integrity_check LIMIT 1")
            .fetch_one(connection)
            .await;
    match said {
        Ok(said) if said == "ok" => Ok(()),
        Ok(what) => Err(CopyError::Damaged { path: path.to_owned(), what }),
        Err(error) if room::primary_code(&error) == Some(NO_DATABASE) => {
            Err(CopyError::NotOurs { path: path.to_owned(), what: "it is no SQLite database".to_owned() })
        }
        Err(error) => Err(CopyError::Damaged { path: path.to_owned(), what: said_by(&error) }),
    }
}

fn said_by(error: &sqlx::Error) -> String {
    error.as_database_error().map_or_else(|| error.to_string(), |said| said.message().to_owned())
}

/// What of a copy that does not open is a matter of the copy is said of it, and not of the state database.
fn unreadable(copy: &Path, error: CopyError) -> CopyError {
    let path = copy.to_owned();
    if let CopyError::Store(StoreError::NoDatabase { .. }) = error {
        return CopyError::NotOurs { path, what: "it is no SQLite database".to_owned() };
    }
    if let CopyError::Store(StoreError::Damaged { what, .. }) = error {
        return CopyError::Damaged { path, what };
    }
    error
}

async fn read_only(path: &Path) -> Result<SqliteConnection, CopyError> {
    let options = SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(PATIENCE);
    let opened = options.disable_statement_logging().connect().await;
    Ok(opened.map_err(|source| StoreError::of_opening(path, source))?)
}

async fn newest_run(connection: &mut SqliteConnection) -> Result<Option<KnownRun>, CopyError> {
    let row: Option<(i64, i64)> = sqlx::query_as(
        "SELECT run_id, started_at_ms FROM runs WHERE trigger <> 'plan' ORDER BY run_id DESC LIMIT 1",
    )
    .fetch_optional(connection)
    .await
    .doing("reading its newest run")?;
    Ok(row.map(|(id, started_at_ms)| KnownRun { id, started_at_ms }))
}

/// The newest run of the state that is replaced, and how many of its runs began after the newest one of the copy.
async fn lost_runs(state: &Path, newest: Option<KnownRun>) -> Result<(Option<KnownRun>, i64), CopyError> {
    let mut replaced = read_only(state).await?;
    let newest_lost = newest_run(&mut replaced).await?;
    let runs: i64 =
        sqlx::query_scalar("SELECT count(*) FROM runs WHERE trigger <> 'plan' AND started_at_ms > ?")
            .bind(newest.map_or(i64::MIN, |run| run.started_at_ms))
            .fetch_one(&mut replaced)
            .await
            .doing("counting the runs since the copy")?;
    let _closed = replaced.close().await;
    Ok((newest_lost, runs))
}

/// Takes the log into the database, so that it is whole even where the program is ended between two moves.
async fn empty_log(state: &Path) {
    let options = SqliteConnectOptions::new().filename(state).create_if_missing(false);
    // One that is damaged keeps its log, and the log is moved with it.
    if let Ok(mut connection) = options.disable_statement_logging().connect().await {
        let _emptied = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").await;
        let _closed = connection.close().await;
    }
}

/// Gives the state database another name, with all that belongs to it.
fn move_aside(state: &Path, kept_as: &Path) -> Result<(), CopyError> {
    let moving = |source| file(kept_as, "keeping the old state under this name", source);
    files::move_to_free_name(state, kept_as).map_err(moving)?;
    for side in SIDES {
        let from = beside(state, side);
        if from.exists() {
            files::move_to_free_name(&from, &beside(kept_as, side)).map_err(moving)?;
        }
    }
    Ok(())
}

/// A log beside a database that is gone would be played over the one that comes.
fn drop_sides(state: &Path) -> Result<(), CopyError> {
    for side in SIDES {
        let path = beside(state, side);
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(file(&path, "removing it", source));
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}
