//! The composition root: the only place that builds clients, stores and the clock.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::demo::Demo;
use crate::exit::{Exit, exit_code};
use crate::remote::classin::{ClassinConnection, ClassinProbe, ClassinWriter};
use crate::remote::exam::{ExamConnection, ExamReader, ExamWriter};
use crate::remote::http::Transport;
use crate::run::{
    ClassinPatience, ClassinSide, Context, ExamRetryDelays, ExamSide, Progress, Severity, Writers,
};
use crate::settings::{Settings, SettingsError};
use crate::store::{
    CopyError, LockError, RosterDatabase, RosterError, RunLock, StateFile, StateStore, StoreError,
};
use rosterd_core::failure::RetryPolicy;

/// Settings, our own database and the clock: what every command but the sandbox needs.
pub struct App {
    pub settings: Arc<Settings>,
    pub state: StateStore,
    pub clock: Clock,
    /// The rehearsal's sandbox, kept serving while this lives.
    _demo: Option<Demo>,
}

/// The reason why a command cannot begin, with its exit code.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The configuration is wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Credentials are missing.
    #[error("{0}")]
    Credentials(String),
    /// Our own database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no state database, where a command is about what one holds.
    #[error(
        "there is no state database at {} yet, the first run creates it: if there were runs already, this is the wrong \
         folder or the wrong --config", .0.display()
    )]
    NoState(PathBuf),
    /// The roster cannot be used.
    #[error(transparent)]
    Roster(#[from] RosterError),
    /// The roster is not there, or empty, and an earlier run has read it from the same path.
    #[error("{0} (an earlier run has read it there)")]
    RosterAway(RosterError),
    /// Another run is under way, or the lock cannot be had.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A copy of our own database cannot be made or put back.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// Something else.
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

impl AppError {
    /// The exit code for it.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Settings(_) | Self::Credentials(_) | Self::NoState(_) => Exit::Configuration,
            // Where none was ever read, the path is wrong.
            Self::Roster(RosterError::Missing { .. } | RosterError::Empty { .. }) => Exit::Configuration,
            Self::Roster(error) => Severity::of_roster_error(error).into(),
            Self::RosterAway(_)
            | Self::Lock(LockError::Busy { .. } | LockError::Daemon { .. } | LockError::Full { .. }) => {
                Exit::Temporary
            }
            Self::Store(error) => Severity::of_store_error(error).into(),
            Self::Lock(LockError::Unusable { .. }) => Exit::Configuration,
            Self::Copy(CopyError::Daemon { .. } | CopyError::Run { .. }) => Exit::Temporary,
            Self::Copy(CopyError::Newer { .. }) => Exit::Configuration,
            Self::Copy(CopyError::Store(error)) => Severity::of_store_error(error).into(),
            Self::Copy(
                CopyError::NoCopy { .. }
                | CopyError::Itself { .. }
                | CopyError::NotOurs { .. }
                | CopyError::Damaged { .. }
                | CopyError::Lock(_)
                | CopyError::File { .. },
            )
            | Self::Other(_) => Exit::Failed,
        }
    }
}

impl App {
    /// Reads the configuration and opens our own database; with `[demo]` also starts the rehearsal.
    ///
    /// # Errors
    /// When the configuration is wrong, or the database cannot be used.
    pub async fn open(config: Option<&Path>) -> Result<Self, AppError> {
        Self::with(Settings::load_from_environment(config)?).await
    }

    /// The same, with settings that are there already.
    ///
    /// # Errors
    /// When the database cannot be used, or the rehearsal not be started.
    pub async fn with(mut settings: Settings) -> Result<Self, AppError> {
        let demo = demo(&mut settings).await?;
        let state = StateStore::open(&settings.state.database).await?;
        Ok(Self { settings: Arc::new(settings), state, clock: Clock::system(), _demo: demo })
    }

    /// The same for a command that only reads: our own database is neither created nor brought up to date. Says too
    /// whether there is one.
    ///
    /// # Errors
    /// When the database cannot be used, or the rehearsal not be started.
    pub async fn for_reading(mut settings: Settings) -> Result<(Self, StateFile), AppError> {
        let demo = demo(&mut settings).await?;
        let (state, found) = StateStore::open_for_reading(&settings.state.database).await?;
        Ok((Self { settings: Arc::new(settings), state, clock: Clock::system(), _demo: demo }, found))
    }

    /// The same for a command that leaves our own database as it is, to the last file beside it.
    ///
    /// # Errors
    /// As [`App::for_reading`].
    pub async fn to_look(mut settings: Settings) -> Result<(Self, StateFile), AppError> {
        let demo = demo(&mut settings).await?;
        let (state, found) = StateStore::look(&settings.state.database).await?;
        Ok((Self { settings: Arc::new(settings), state, clock: Clock::system(), _demo: demo }, found))
    }

    /// Reads the configuration and opens our own database for a command about what runs have left: none is created.
    ///
    /// # Errors
    /// [`AppError::NoState`] where there is none, and as [`App::open`].
    pub async fn open_existing(config: Option<&Path>) -> Result<Self, AppError> {
        let settings = Settings::load_from_environment(config)?;
        let database = &settings.state.database;
        if StateStore::find(database).await? == StateFile::Absent {
            return Err(AppError::NoState(database.clone()));
        }
        Self::with(settings).await
    }

    /// Takes the lock: one run at a time for one state database.
    ///
    /// # Errors
    /// When another run is under way.
    pub fn lock(&self) -> Result<RunLock, AppError> {
        let lock = RunLock::take(&self.settings.state.database)?;
        self.state.rely_on(&lock);
        self.state.require_in_place()?;
        Ok(lock)
    }

    /// The roster database, with the columns that the mapping needs.
    ///
    /// # Errors
    /// When it is missing, locked, corrupt, or lacks something.
    pub async fn roster(&self) -> Result<RosterDatabase, RosterError> {
        roster(&self.settings).await
    }

    /// Everything that a plan is made with.
    ///
    /// # Errors
    /// When credentials are missing, or the roster cannot be used.
    pub async fn context(&self, progress: Progress, stop: CancellationToken) -> Result<Context, AppError> {
        context(&self.settings, self.state.clone(), self.clock.clone(), progress, stop).await
    }

    /// Everything that a run works with.
    ///
    /// # Errors
    /// As [`App::context`].
    pub async fn run_context(
        &self,
        progress: Progress,
        stop: CancellationToken,
    ) -> Result<(Context, Writers), AppError> {
        run_context(&self.settings, self.state.clone(), self.clock.clone(), progress, stop).await
    }
}

async fn demo(settings: &mut Settings) -> Result<Option<Demo>, AppError> {
    let Some(demo) = settings.demo.clone() else { return Ok(None) };
    Ok(Some(Demo::start(&demo, settings).await.context("the rehearsal cannot start")?))
}

/// The roster that these settings name.
///
/// # Errors
/// When it is missing, locked, corrupt, or lacks something.
pub async fn roster(settings: &Settings) -> Result<RosterDatabase, RosterError> {
    let columns: Vec<String> = settings.exam.fields.iter().map(|mapping| mapping.column.clone()).collect();
    let (roster, state) = (&settings.roster, &settings.state.database);
    RosterDatabase::open(&roster.database, &roster.queries, &columns, state).await
}

/// The same, where a run is to read it: one that an earlier run has read comes back by itself.
async fn known_roster(settings: &Settings, state: &StateStore) -> Result<RosterDatabase, AppError> {
    match roster(settings).await {
        Err(error @ (RosterError::Missing { .. } | RosterError::Empty { .. }))
            if state.has_read(&settings.roster.database).await? =>
        {
            Err(AppError::RosterAway(error))
        }
        roster => Ok(roster?),
    }
}

/// Everything that a plan under these settings is made with.
///
/// # Errors
/// When credentials are missing, or the roster cannot be used.
pub async fn context(
    settings: &Settings,
    state: StateStore,
    clock: Clock,
    progress: Progress,
    stop: CancellationToken,
) -> Result<Context, AppError> {
    Ok(connected(settings, state, clock, progress, stop).await?.0)
}

/// Everything that a run under these settings works with.
///
/// # Errors
/// As [`context`].
pub async fn run_context(
    settings: &Settings,
    state: StateStore,
    clock: Clock,
    progress: Progress,
    stop: CancellationToken,
) -> Result<(Context, Writers), AppError> {
    let (context, Connections { exam, classin }) = connected(settings, state, clock, progress, stop).await?;
    let writers = Writers { exam: exam.map(ExamWriter::new), classin: classin.map(ClassinWriter::new) };
    Ok((context, writers))
}

/// The ways to the services that are enabled: reader and writer of one share its pace and its counters.
struct Connections {
    exam: Option<ExamConnection>,
    classin: Option<ClassinConnection>,
}

async fn connected(
    settings: &Settings,
    state: StateStore,
    clock: Clock,
    progress: Progress,
    stop: CancellationToken,
) -> Result<(Context, Connections), AppError> {
    let missing = settings.missing_credentials();
    if !missing.is_empty() {
        let lines: Vec<String> = missing.iter().map(ToString::to_string).collect();
        return Err(AppError::Credentials(lines.join("\n")));
    }
    let roster = known_roster(settings, &state).await?;
    let exam = exam_connection(settings, &clock)?;
    let classin = classin_connection(settings, &clock)?;
    let context = Context {
        state,
        roster,
        exam: exam.clone().map(|connection| exam_side_over(settings, connection)),
        classin: classin.as_ref().map(|connection| classin_side_over(settings, connection)),
        mode: settings.mode,
        min_roster: settings.guard.min_roster,
        keep: settings.state.keep,
        retry: RetryPolicy {
            max_attempts: settings.retry.max_attempts,
            first_delay: settings.retry.first_delay,
            max_delay: settings.retry.max_delay,
        },
        clock,
        progress,
        stop,
        exit_code,
        roster_files: Vec::new(),
        folders: Vec::new(),
    };
    Ok((context, Connections { exam, classin }))
}

/// The exam side, where it is enabled.
///
/// # Errors
/// When its transport cannot be built.
pub fn exam_side(settings: &Settings, clock: &Clock) -> Result<Option<ExamSide>, AppError> {
    let connection = exam_connection(settings, clock)?;
    Ok(connection.map(|connection| exam_side_over(settings, connection)))
}

/// ClassIn, where it is enabled.
///
/// # Errors
/// When its transport cannot be built.
pub fn classin_side(settings: &Settings, clock: &Clock) -> Result<Option<ClassinSide>, AppError> {
    let connection = classin_connection(settings, clock)?;
    Ok(connection.map(|connection| classin_side_over(settings, &connection)))
}

/// The check of ClassIn's credentials, where it is enabled.
///
/// # Errors
/// When its transport cannot be built.
pub fn classin_probe(settings: &Settings, clock: &Clock) -> Result<Option<ClassinProbe>, AppError> {
    Ok(classin_connection(settings, clock)?.map(ClassinProbe::new))
}

fn exam_connection(settings: &Settings, clock: &Clock) -> Result<Option<ExamConnection>, AppError> {
    if !settings.exam.enabled {
        return Ok(None);
    }
    let transport =
        Transport::new(&settings.exam.endpoint, clock.clone()).context("exam: cannot be called")?;
    let code = settings.exam.code.clone().unwrap_or_else(|| SecretString::from(String::new()));
    Ok(Some(ExamConnection { transport, code }))
}

fn classin_connection(settings: &Settings, clock: &Clock) -> Result<Option<ClassinConnection>, AppError> {
    if !settings.classin.enabled {
        return Ok(None);
    }
    let transport =
        Transport::new(&settings.classin.endpoint, clock.clone()).context("classin: cannot be called")?;
    let sid = settings.classin.sid.clone().unwrap_or_default();
    let secret = settings.classin.secret.clone().unwrap_or_else(|| SecretString::from(String::new()));
    Ok(Some(ClassinConnection::new(transport, sid, secret)))
}

/// The rehearsal's services listen on another port each time, and are the same all the same.
fn account_host(settings: &Settings) -> Option<&'static str> {
    settings.demo.as_ref().map(|_| "demo")
}

fn exam_side_over(settings: &Settings, connection: ExamConnection) -> ExamSide {
    ExamSide {
        reader: ExamReader::new(connection),
        settings: settings.exam.clone(),
        account_host: account_host(settings),
        guard: settings.guard,
        keep_unmanaged: false,
        retry_delays: ExamRetryDelays::default(),
    }
}

fn classin_side_over(settings: &Settings, connection: &ClassinConnection) -> ClassinSide {
    let grace = settings.exam.delete_grace;
    ClassinSide {
        transport: connection.transport().clone(),
        settings: settings.classin.clone(),
        account_host: account_host(settings),
        guard: settings.guard,
        delete_grace_ms: i64::try_from(grace.as_millis()).unwrap_or(i64::MAX),
        time_zone: settings.schedule.time_zone.clone(),
        retry_delays: ClassinPatience::default(),
    }
}
