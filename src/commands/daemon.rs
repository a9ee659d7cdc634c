//! The daemon: the composition of schedule, runs, health and signals.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use anyhow::Context as _;
use tokio_util::sync::CancellationToken;

use super::health::{self, LONGEST_WAIT_MS, NEXT_DUE};
use super::status_server::StatusServer;
use super::{inbox, reload, results, sync};
use crate::app::{self, App, AppError};
use crate::cli::Cli;
use crate::clock::Clock;
use crate::daemon::{
    self, DaemonConfig, DaemonSignal, Health, Notifier, RunHandler, RunSummary, Timer, Timetable, signals,
};
use crate::exit::Exit;
use crate::notify::{Notifying, Watching, tell_ping};
use crate::run::{
    Context, Counts, FileOutcome, Progress, ResultsReport, RosterFile, RunReport, ServiceReport, Severity,
    Trigger, last_pull, pull_results, reconcile, remember_pull, remember_schedule,
};
use crate::settings::Settings;
use crate::store::{DaemonLock, LockError, RunLock, StateStore, StoreError};
use crate::web::{Access, CallCount, Figures, OperationCount};
use rosterd_core::failure::Service;

/// The daemon's run handler: the program with its current settings.
struct Runs {
    config: Option<PathBuf>,
    settings: RwLock<Arc<Settings>>,
    state: StateStore,
    clock: Clock,
    health: Health,
    access: Access,
    /// What became of files of watched folders since the last run.
    roster_files: Mutex<Vec<RosterFile>>,
}

pub(super) async fn run(cli: &Cli) -> Result<Exit, AppError> {
    let signals = signals::listen().context("signals cannot be listened to")?;
    let settings = Settings::load_from_environment(cli.config.as_deref())?;
    // Before the state is opened: an upgrade of it is not for the second of two daemons.
    let _only_daemon = DaemonLock::take(&settings.state.database)?;
    let app = App::with(settings).await?;
    let settings = Arc::clone(&app.settings);
    let health = Health::new();
    health.watches(&health::state_folder(&settings));
    // This start has read the configuration and taken it.
    reload::note(&app.state, None, app.clock.now_ms()).await;
    remember_past(&app, &health).await?;
    // Problems that can be found now are reported now, not at the first run. Only a wrong configuration stops a start: a
    // roster that is not there, or is just being replaced, is the next run's business.
    match app.context(Progress::silent(), CancellationToken::new()).await {
        Ok(_) => health.ready(true, ""),
        Err(error @ (AppError::Roster(_) | AppError::RosterAway(_))) => {
            let line = crate::run::in_one_line(&error);
            tracing::error!("the roster cannot be read yet; the next run tries again: {line}");
            health.ready(false, line);
        }
        Err(error) => return Err(error),
    }
    let access = Access::with(settings.http.token.as_ref());
    say_who_sees_no_page(&settings);
    let server = StatusServer::start(&app, &health, &access).await;
    let work = Arc::new(Runs {
        config: cli.config.clone(),
        settings: RwLock::new(Arc::clone(&settings)),
        state: app.state.clone(),
        clock: app.clock.clone(),
        health: health.clone(),
        access,
        roster_files: Mutex::default(),
    });
    let looking = CancellationToken::new();
    let looks = tokio::spawn(look_into_folders(Arc::clone(&work), looking.clone()));
    let parts = DaemonConfig {
        timetable: timetable(&settings),
        clock: app.clock.clone(),
        timer: Timer::of_jobs(),
        health,
        notifier: Notifier::systemd(),
        signals,
        stop: CancellationToken::new(),
    };
    let (current, refreshed) = (Arc::clone(&work), Arc::clone(&work));
    let notifying = Notifying::start(Watching {
        settings: move || current.settings(),
        state: app.state.clone(),
        clock: app.clock.clone(),
        health: parts.health.clone(),
        refresh: Box::new(move || {
            let work = Arc::clone(&refreshed);
            Box::pin(async move { work.tell_health().await })
        }),
        logged: Mutex::default(),
    });
    let ending = daemon::run(Arc::clone(&work), parts).await;
    sync::cut_short(&app.state, Exit::Terminated).await;
    if let daemon::ShutdownResult::Forced(signal) = ending {
        #[expect(clippy::exit, reason = "a second signal means now")]
        std::process::exit(i32::from(signal.exit_code()));
    }
    from_now_on_a_signal_means_now()?;
    looking.cancel();
    // An import under way is one transaction: it ends, or nothing of it is there.
    let _ended = tokio::time::timeout(LONGEST_END, looks).await;
    notifying.finish(&work.settings().notify).await;
    server.finish(&app.state).await;
    app.state.close().await;
    Ok(match ending {
        daemon::ShutdownResult::Idle => Exit::Done,
        daemon::ShutdownResult::Interrupted | daemon::ShutdownResult::Forced(_) => Exit::Terminated,
    })
}

/// How long the end waits for an import that is under way.
const LONGEST_END: Duration = Duration::from_secs(20);

/// Looks into the watched folders every few seconds, whatever the schedule says.
async fn look_into_folders(runs: Arc<Runs>, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(inbox::BETWEEN_LOOKS)).await.is_some() {
        runs.look(&stop).await;
    }
}

/// The daemon has heard its first one; whatever holds up the rest of the end, a second one is heard too.
fn from_now_on_a_signal_means_now() -> Result<(), AppError> {
    let mut signals = signals::listen().context("signals cannot be listened to")?;
    tokio::spawn(async move {
        while let Some(signal) = signals.recv().await {
            if let DaemonSignal::Stop(signal) = signal {
                #[expect(clippy::exit, reason = "a second signal means now")]
                std::process::exit(i32::from(signal.exit_code()));
            }
        }
    });
    Ok(())
}

/// Says in the log that pages are refused for want of a token.
fn say_who_sees_no_page(settings: &Settings) {
    if let Some(what) = settings.http.unseen_pages() {
        tracing::warn!("{what}");
    }
}

/// Runs, and pulls of results where there is a service to pull them from.
fn timetable(settings: &Settings) -> Timetable {
    let results = settings.results_schedule().map(|schedule| schedule.cron);
    Timetable { sync: settings.schedule.clone(), results }
}

/// Fills the health page with the time before this start.
async fn remember_past(app: &App, health: &Health) -> Result<(), AppError> {
    let runs = app.state.runs(10).await?;
    for row in runs.iter().rev().filter(|row| row.trigger != "plan") {
        let (Some(finished_at_ms), Some(outcome)) = (row.finished_at_ms, row.outcome.as_deref()) else {
            continue;
        };
        health.remember(&RunSummary {
            run_id: Some(row.run.0),
            outcome: outcome_word(outcome),
            good: row.is_good,
            exit: row.exit_code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1),
            finished_at_ms,
            why: None,
            figures: Figures::default(),
        });
    }
    tell_state(&app.state, &app.settings, &app.clock, health).await?;
    if let Some(pass) = app.state.last_results_pass().await?.filter(|pass| pass.is_certain) {
        health.last_good_pull(pass.at_ms);
    }
    Ok(())
}

/// Tells the health what the state tells: whether it is healthy, what waits, what is held, which failures are open.
async fn tell_state(
    state: &StateStore,
    settings: &Settings,
    clock: &Clock,
    health: &Health,
) -> Result<(), StoreError> {
    health.known(health::facts(state, settings, clock.now_ms()).await?);
    let held = state.standing_holds(clock.now_ms()).await?;
    health.held(held.iter().filter_map(|hold| u64::try_from(hold.operations).ok()).sum());
    let open = state.open_failures_by_owner().await?;
    for service in Service::ALL {
        let of_service = open.iter().filter(|((whose, _), _)| *whose == service);
        health.failures_open(service.as_str(), of_service.map(|(_, count)| *count).sum());
    }
    Ok(())
}

fn outcome_word(outcome: &str) -> &'static str {
    ["converged", "applied", "observed", "incomplete", "held", "interrupted"]
        .into_iter()
        .find(|word| *word == outcome)
        .unwrap_or("failed")
}

/// The pause between two looks whether the other one has ended.
const BETWEEN_LOOKS: Duration = Duration::from_secs(2);

impl Runs {
    fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// One look into the watched folders, unless another process is just looking.
    async fn look(&self, stop: &CancellationToken) {
        let settings = self.settings();
        if !inbox::is_watching(&settings) {
            return;
        }
        let files = inbox::take(&settings, stop).await.unwrap_or_default();
        if self.note(files) {
            self.tell_health().await;
        }
    }

    /// Logs what became of files, and keeps it for the report of the next run. Says whether any was done with.
    fn note(&self, files: Vec<RosterFile>) -> bool {
        let mut is_news = false;
        for file in files {
            let (profile, name) = (&file.profile, &file.file);
            match file.outcome {
                FileOutcome::Imported | FileOutcome::Unchanged => {
                    tracing::info!(profile, file = name, "{file}")
                }
                FileOutcome::Refused => tracing::error!(profile, file = name, "{file}"),
                // Said by `status` when it lasts.
                FileOutcome::Waiting => {
                    tracing::debug!(profile, file = name, "{file}");
                    continue;
                }
            }
            is_news = true;
            self.roster_files().push(file);
        }
        is_news
    }

    fn roster_files(&self) -> MutexGuard<'_, Vec<RosterFile>> {
        self.roster_files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn once(&self, trigger: Trigger, stop: CancellationToken) -> Result<RunReport, AppError> {
        let settings = self.settings();
        let lock = self.lock_in_time(&settings, &stop).await?;
        self.state.rely_on(&lock);
        self.state.require_in_place()?;
        self.note(inbox::take_in_time(&settings, &stop).await);
        let (state, clock) = (self.state.clone(), self.clock.clone());
        let (context, writers) = app::run_context(&settings, state, clock, Progress::silent(), stop).await?;
        let roster_files = std::mem::take(&mut *self.roster_files());
        let folders = inbox::attention(&settings, self.clock.now_ms());
        let context = Context { roster_files, folders, ..context };
        Ok(reconcile(&context, &writers, trigger).await?)
    }

    /// One pull of exam results. It takes the lock of the runs: never two of either at once, and the service's
    /// allowance is shared by taking turns.
    async fn pull(&self, stop: CancellationToken) -> Result<ResultsReport, AppError> {
        let settings = self.settings();
        let lock = self.lock_in_time(&settings, &stop).await?;
        self.state.rely_on(&lock);
        self.state.require_in_place()?;
        let (state, clock) = (self.state.clone(), self.clock.clone());
        Ok(pull_results(&results::prepare(&settings, state, clock, Progress::silent(), stop)?).await)
    }

    async fn run_of(&self, trigger: Trigger, stop: CancellationToken) -> RunSummary {
        let started_at_ms = self.clock.now_ms();
        let summary = match self.once(trigger, stop).await {
            Ok(report) => {
                let unread = report.exam.roster_unread.as_ref().or(report.classin.roster_unread.as_ref());
                self.health.ready(unread.is_none(), unread.map_or("", String::as_str));
                if ServiceReport::sum(&report.exam.held) + ServiceReport::sum(&report.classin.held) > 0 {
                    self.health.guard_stop();
                }
                summary(&report, self.clock.now_ms())
            }
            Err(error) if is_busy(&error) => self.not_begun(&error, None),
            Err(error) => {
                let line = crate::run::in_one_line(&error);
                tracing::error!("the run could not begin: {line}");
                self.health.ready(false, &line);
                let summary = self.not_begun(&error, Some(line));
                let settings = self.settings();
                let run = sync::NotBegun { trigger, mode: settings.mode, started_at_ms, error: &error };
                RunSummary { run_id: run.record(&self.state, self.clock.now_ms()).await, ..summary }
            }
        };
        self.tell_health().await;
        // A run that was told to stop, or that another one kept from beginning, is neither.
        let is_telling = !matches!(summary.outcome, "busy" | "interrupted");
        if is_telling && self.settings().notify.ping_url.is_some() {
            tell_ping(&self.state, summary.good, self.clock.now_ms()).await;
        }
        summary
    }

    async fn pull_of_results(&self, stop: CancellationToken) -> RunSummary {
        let now_ms = self.clock.now_ms();
        let summary = match self.pull(stop).await {
            Ok(report) => pull_summary(&report, self.clock.now_ms()),
            Err(error) => {
                let line = crate::run::in_one_line(&error);
                tracing::error!("the pull of results could not begin: {line}");
                if !is_busy(&error) {
                    let ended = Some((Severity::Failed, line.clone()));
                    if let Err(error) = remember_pull(&self.state, ended, now_ms).await {
                        tracing::warn!("how the pull ended could not be stored: {error}");
                    }
                }
                self.not_begun(&error, Some(line))
            }
        };
        self.tell_health().await;
        summary
    }

    fn not_begun(&self, error: &AppError, why: Option<String>) -> RunSummary {
        let outcome = if is_busy(error) { "busy" } else { "failed" };
        RunSummary { outcome, exit: error.exit().code(), why, ..RunSummary::failed(self.clock.now_ms()) }
    }

    /// Waits for another process's run to end, so that a due time met by `--sync-now` is late and not lost.
    async fn lock_in_time(
        &self,
        settings: &Settings,
        stop: &CancellationToken,
    ) -> Result<RunLock, LockError> {
        let until_ms = self.clock.now_ms().saturating_add(LONGEST_WAIT_MS);
        loop {
            match RunLock::take(&settings.state.database) {
                Err(LockError::Busy { .. }) if !stop.is_cancelled() && self.clock.now_ms() < until_ms => {
                    stop.run_until_cancelled(tokio::time::sleep(BETWEEN_LOOKS)).await;
                }
                taken => return taken,
            }
        }
    }

    async fn tell_health(&self) {
        let told = tell_state(&self.state, &self.settings(), &self.clock, &self.health).await;
        if let Err(error) = told {
            tracing::warn!("the health could not be read from the state: {error}");
        }
    }
}

impl RunHandler for Runs {
    async fn run(&self, trigger: daemon::Trigger, stop: CancellationToken) -> RunSummary {
        match trigger {
            daemon::Trigger::Schedule => self.run_of(Trigger::Schedule, stop).await,
            daemon::Trigger::Missed => self.run_of(Trigger::Missed, stop).await,
            daemon::Trigger::Signal => self.run_of(Trigger::Signal, stop).await,
            daemon::Trigger::Results => self.pull_of_results(stop).await,
        }
    }

    async fn stored_next_due(&self) -> Option<i64> {
        health::owed_since(&self.state, &self.settings(), self.clock.now_ms()).await.ok().flatten()
    }

    async fn last_pull(&self) -> Option<i64> {
        let last = last_pull(&self.state, self.clock.now_ms()).await.ok().flatten();
        if let Err(error) = remember_schedule(&self.state, self.clock.now_ms()).await {
            tracing::warn!("since when pulls of results are due could not be stored: {error}");
        }
        last
    }

    async fn store_next_due(&self, due_ms: Option<i64>) {
        let text = due_ms.map(|due| due.to_string());
        if let Err(error) = self.state.remember(NEXT_DUE, text.as_deref()).await {
            tracing::warn!("the next due time could not be stored: {error}");
        }
    }

    async fn clock_was_set(&self) {
        self.tell_health().await;
    }

    async fn note_reload(&self, refusal: Option<&str>) {
        reload::note(&self.state, refusal, self.clock.now_ms()).await;
        self.tell_health().await;
    }

    async fn reload(&self) -> Result<Timetable, String> {
        let fresh = reload::load_again(self.config.clone()).await?;
        let current = self.settings();
        let missing: Vec<String> = fresh.missing_credentials().iter().map(ToString::to_string).collect();
        if !missing.is_empty() {
            return Err(missing.join("\n"));
        }
        reload::require_fitting_roster(&current, &fresh).await?;
        // Last, as it sends to a restart: what a restart would refuse too is told before.
        reload::require_no_restart(&current, &fresh)?;
        for key in reload::need_a_restart(&current, &fresh) {
            tracing::warn!("{key} has changed and needs a restart; until then the old value holds");
        }
        let timetable = timetable(&fresh);
        self.access.replace(fresh.http.token.as_ref());
        say_who_sees_no_page(&fresh);
        // When a run was due is a matter of the schedule: health is told once it is followed.
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
        Ok(timetable)
    }
}

fn is_busy(error: &AppError) -> bool {
    matches!(error, AppError::Lock(LockError::Busy { .. }) | AppError::Store(StoreError::RunElsewhere { .. }))
}

fn pull_summary(report: &ResultsReport, finished_at_ms: i64) -> RunSummary {
    let mut figures = Figures::default();
    let count = report.new + report.changed;
    if count > 0 {
        figures.operations.push(OperationCount {
            service: "exam",
            kind: "result",
            outcome: "applied",
            count,
        });
    }
    for (endpoint, answers) in &report.answers {
        figures.calls.extend(answers.iter().map(|(outcome, count)| CallCount {
            service: "exam",
            endpoint: endpoint.clone(),
            outcome: outcome.clone(),
            count: *count,
        }));
    }
    RunSummary {
        run_id: None,
        outcome: report.outcome.as_str(),
        good: report.exit_code == 0,
        exit: report.exit_code,
        finished_at_ms,
        why: report.errors.first().cloned(),
        figures,
    }
}

fn summary(report: &RunReport, finished_at_ms: i64) -> RunSummary {
    let mut figures = Figures::default();
    for (service, stage) in [("exam", &report.exam), ("classin", &report.classin)] {
        let counts: [(&'static str, &Counts); 5] = [
            ("applied", &stage.applied),
            ("failed", &stage.failed),
            ("held", &stage.held),
            ("unknown", &stage.unknown),
            ("skipped", &stage.skipped),
        ];
        for (outcome, by_kind) in counts {
            figures.operations.extend(by_kind.iter().map(|(kind, count)| OperationCount {
                service,
                kind,
                outcome,
                count: *count,
            }));
        }
        for (endpoint, answers) in &stage.answers {
            figures.calls.extend(answers.iter().map(|(outcome, count)| CallCount {
                service,
                endpoint: endpoint.clone(),
                outcome: outcome.clone(),
                count: *count,
            }));
        }
    }
    RunSummary {
        run_id: Some(report.run_id),
        outcome: report.outcome.as_str(),
        good: report.is_good,
        exit: report.exit_code,
        finished_at_ms,
        why: report.errors.first().cloned(),
        figures,
    }
}
