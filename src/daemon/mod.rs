//! The daemon: runs on schedule, one at a time, until it is told to stop.
//!
//! It decides when a run starts and how the process ends. What a run does is behind [`RunHandler`]; what the daemon
//! knows of its health is in [`crate::web::Health`].

mod engine;
pub mod schedule;
pub mod signals;
pub mod systemd;
#[cfg(test)]
mod tests;
mod timer;

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub use crate::web::{Health, RunSummary};
pub use signals::{DaemonSignal, StopSignal};
pub use systemd::Notifier;
pub use timer::Timer;

use crate::clock::Clock;
use crate::settings::ScheduleSettings;

/// The daemon's view of the rest of the program.
pub trait RunHandler: Send + Sync + 'static {
    /// One run, or one pull of exam results for [`Trigger::Results`]. Once `stop` is cancelled it sends no new
    /// batch, records what is in flight, and answers with exit 143 if it left something undone.
    fn run(&self, trigger: Trigger, stop: CancellationToken) -> impl Future<Output = RunSummary> + Send;

    /// When a run was to come next, in milliseconds since 1970 UTC: as it was stored last, else by the last good run.
    fn stored_next_due(&self) -> impl Future<Output = Option<i64>> + Send;

    /// When the last pull of exam results ended, in milliseconds since 1970 UTC.
    fn last_pull(&self) -> impl Future<Output = Option<i64>> + Send;

    /// Stores the next due time; a failure to do so is logged there and costs no more than a missed catch-up.
    fn store_next_due(&self, due_ms: Option<i64>) -> impl Future<Output = ()> + Send;

    /// The clock was set back by a lot: what was worked out under the old one says nothing any more.
    fn clock_was_set(&self) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Notes why the configuration was refused when it was to be read again, or that it was taken.
    fn note_reload(&self, _refusal: Option<&str>) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Reads the configuration again. On `Ok` later runs use it; on `Err`, with all its problems in words,
    /// everything stays as it was.
    fn reload(&self) -> impl Future<Output = Result<Timetable, String>> + Send;
}

/// The reason for a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// Its time has come.
    Schedule,
    /// Its time had come while the daemon was down.
    Missed,
    Signal,
    /// The time for pulling exam results has come: not a run of the roster.
    Results,
}

impl Trigger {
    /// The word for logs and for the ledger.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Missed => "missed",
            Self::Signal => "signal",
            Self::Results => "results",
        }
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Everything that has a time of its own.
#[derive(Clone, Debug)]
pub struct Timetable {
    /// Runs of the roster.
    pub sync: ScheduleSettings,
    /// Pulls of exam results, in the same zone and with the same blackout days; absent: only by command.
    pub results: Option<croner::Cron>,
}

impl Timetable {
    /// The schedule of the pulls: like that of the runs, but for the expression.
    fn results_schedule(&self) -> Option<ScheduleSettings> {
        self.results.clone().map(|cron| ScheduleSettings { cron, ..self.sync.clone() })
    }
}

impl From<ScheduleSettings> for Timetable {
    fn from(sync: ScheduleSettings) -> Self {
        Self { sync, results: None }
    }
}

/// The daemon's surroundings, beside its run handler.
#[derive(Debug)]
pub struct DaemonConfig {
    /// When things are due.
    pub timetable: Timetable,
    pub clock: Clock,
    /// What wakes it: [`Timer::of_jobs`].
    pub timer: Timer,
    /// The health that it reports to.
    pub health: Health,
    /// The connection to the service manager: [`Notifier::systemd`].
    pub notifier: Notifier,
    /// Signals from the operating system: [`signals::listen`].
    pub signals: mpsc::Receiver<DaemonSignal>,
    /// Cancelled by the daemon when its end begins, or from outside to end it.
    pub stop: CancellationToken,
}

/// How the daemon ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum ShutdownResult {
    /// Nothing was cut short.
    Idle,
    /// A run was cut short; what it had sent is recorded, the rest is done by the next one.
    Interrupted,
    /// A second signal came: the process must exit now, without waiting for anything.
    Forced(StopSignal),
}

/// Runs the daemon until it is told to stop. Nothing that a run does, panics included, ends it.
pub async fn run<W: RunHandler>(handler: Arc<W>, config: DaemonConfig) -> ShutdownResult {
    engine::Engine::new(handler, config).run().await
}
