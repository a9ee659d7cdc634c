//! The composition root: the only place that builds clients, stores and the clock.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::demo::Demo;
use crate::exit::Exit;
use crate::remote::classin::ClassinClient;
use crate::remote::exam::{ExamClient, ExamConnection};
use crate::remote::http::Transport;
use crate::run::{ClassinPatience, ClassinSide, Context, ExamRetryDelays, ExamSide, Progress};
use crate::settings::{Settings, SettingsError};
use crate::store::{LockError, RosterDatabase, RosterError, RunLock, StateStore, StoreError};
use rosterd_core::exam_plan::RetryPolicy;

/// Settings, our own database and the clock: what every command but the sandbox needs.
pub struct App {
    /// What the admin set.
    pub settings: Arc<Settings>,
    /// Our own database.
    pub state: StateStore,
    /// The clock.
    pub clock: Clock,
    /// The rehearsal's sandbox, kept serving while this lives.
    _demo: Option<Demo>,
}

/// Why a command cannot begin, and how the program then ends.
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
    /// The roster cannot be used.
    #[error(transparent)]
    Roster(#[from] RosterError),
    /// Another run is under way, or the lock cannot be had.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// Something else.
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

impl AppError {
    /// How the program ends.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Settings(_) | Self::Credentials(_) => Exit::Configuration,
            Self::Roster(RosterError::Missing { .. } | RosterError::Schema { .. }) => Exit::Configuration,
            Self::Roster(RosterError::Locked { .. }) | Self::Lock(LockError::Busy { .. }) => Exit::Temporary,
            Self::Store(StoreError::Schema { .. } | StoreError::Open { .. } | StoreError::Prepare { .. }) => {
                Exit::Configuration
            }
            Self::Roster(_) | Self::Store(_) | Self::Lock(_) | Self::Other(_) => Exit::Failed,
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
        let demo = match settings.demo.clone() {
            Some(demo) => {
                Some(Demo::start(&demo, &mut settings).await.context("the rehearsal cannot start")?)
            }
            None => None,
        };
        let state = StateStore::open(&settings.state.database).await?;
        Ok(Self { settings: Arc::new(settings), state, clock: Clock::system(), _demo: demo })
    }

    /// Settings and clock with a database that is not there yet, for looking around without creating it.
    #[must_use]
    pub fn before_first_run(settings: Settings) -> Self {
        let state = StateStore::absent(&settings.state.database);
        Self { settings: Arc::new(settings), state, clock: Clock::system(), _demo: None }
    }

    /// Takes the lock: one run at a time for one state database.
    ///
    /// # Errors
    /// When another run is under way.
    pub fn lock(&self) -> Result<RunLock, AppError> {
        Ok(RunLock::take(&self.settings.state.database)?)
    }

    /// The roster database, with the columns that the mapping needs.
    ///
    /// # Errors
    /// When it is missing, locked, corrupt, or lacks something.
    pub async fn roster(&self) -> Result<RosterDatabase, RosterError> {
        roster(&self.settings).await
    }

    /// Everything that a run works with.
    ///
    /// # Errors
    /// When credentials are missing, or the roster cannot be used.
    pub async fn context(&self, progress: Progress, stop: CancellationToken) -> Result<Context, AppError> {
        context(&self.settings, self.state.clone(), self.clock.clone(), progress, stop).await
    }
}

/// The roster that these settings name.
///
/// # Errors
/// When it is missing, locked, corrupt, or lacks something.
pub async fn roster(settings: &Settings) -> Result<RosterDatabase, RosterError> {
    let columns: Vec<String> = settings.exam.fields.iter().map(|mapping| mapping.column.clone()).collect();
    RosterDatabase::open(&settings.roster.database, &settings.roster.queries, &columns).await
}

/// Everything that a run under these settings works with.
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
    let missing = settings.missing_credentials();
    if !missing.is_empty() {
        let lines: Vec<String> = missing.iter().map(ToString::to_string).collect();
        return Err(AppError::Credentials(lines.join("\n")));
    }
    Ok(Context {
        state,
        roster: roster(settings).await?,
        exam: exam_side(settings, &clock)?,
        classin: classin_side(settings, &clock)?,
        mode: settings.mode,
        min_roster: settings.guard.min_roster,
        retry: RetryPolicy {
            max_attempts: settings.retry.max_attempts,
            first_delay: settings.retry.first_delay,
            max_delay: settings.retry.max_delay,
        },
        clock,
        progress,
        stop,
    })
}

/// The exam side, where it is enabled.
///
/// # Errors
/// When its transport cannot be built.
pub fn exam_side(settings: &Settings, clock: &Clock) -> Result<Option<ExamSide>, AppError> {
    if !settings.exam.enabled {
        return Ok(None);
    }
    let transport =
        Transport::new(&settings.exam.endpoint, clock.clone()).context("exam: cannot be called")?;
    let code = settings.exam.code.clone().unwrap_or_else(|| SecretString::from(String::new()));
    let client = ExamClient::new(ExamConnection { transport, code });
    let settings_of_exam = settings.exam.clone();
    Ok(Some(ExamSide {
        client,
        settings: settings_of_exam,
        guard: settings.guard,
        keep_unmanaged: false,
        retry_delays: ExamRetryDelays::default(),
    }))
}

/// ClassIn, where it is enabled.
///
/// # Errors
/// When its transport cannot be built.
pub fn classin_side(settings: &Settings, clock: &Clock) -> Result<Option<ClassinSide>, AppError> {
    if !settings.classin.enabled {
        return Ok(None);
    }
    let transport =
        Transport::new(&settings.classin.endpoint, clock.clone()).context("classin: cannot be called")?;
    let sid = settings.classin.sid.clone().unwrap_or_default();
    let secret = settings.classin.secret.clone().unwrap_or_else(|| SecretString::from(String::new()));
    let grace = settings.exam.delete_grace;
    Ok(Some(ClassinSide {
        client: ClassinClient::new(transport.clone(), sid, secret),
        transport,
        settings: settings.classin.clone(),
        guard: settings.guard,
        delete_grace_ms: i64::try_from(grace.as_millis()).unwrap_or(i64::MAX),
        time_zone: settings.schedule.time_zone.clone(),
        retry_delays: ClassinPatience::default(),
    }))
}
