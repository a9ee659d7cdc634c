//! `--sync-now`: one run, with its report on standard output and progress on a terminal.

use std::io::IsTerminal;
use std::time::Duration;

use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::wall_clock::WallClock;
use super::{health, inbox, output, summary};
use crate::app::{App, AppError};
use crate::cli::{Cli, OutputFormat};
use crate::clock::Clock;
use crate::exit::Exit;
use crate::run::{Context, Progress, RunOutcome, RunReport, Trigger, in_one_line, reconcile};
use crate::store::{RunRow, RunStart, StateStore};
use crate::telemetry;
use rosterd_core::roster::Mode;
use rosterd_core::situation::Situation;

pub(super) async fn run(app: &App, cli: &Cli) -> Result<Exit, AppError> {
    let _lock = app.lock()?;
    let stop = stop_on_signals(Some(app.state.clone()));
    let started_at_ms = app.clock.now_ms();
    let roster_files = inbox::take_in_time(&app.settings, &stop).await;
    for file in &roster_files {
        output::print_notice(&file.to_string());
    }
    let (context, writers) = match app.run_context(progress(cli), stop).await {
        Ok((context, writers)) => {
            let folders = inbox::attention(&app.settings, app.clock.now_ms());
            (Context { roster_files, folders, ..context }, writers)
        }
        Err(error) => {
            let run =
                NotBegun { trigger: Trigger::SyncNow, mode: app.settings.mode, started_at_ms, error: &error };
            run.record(&app.state, app.clock.now_ms()).await;
            return Err(error);
        }
    };
    let report = reconcile(&context, &writers, Trigger::SyncNow).await?;
    let now_ms = app.clock.now_ms();
    let situation = Situation::of(&health::facts(&app.state, &app.settings, now_ms).await?, now_ms);
    output::show(cli, &Ended { report: &report, situation }, |ended| ended.text(&WallClock::of(app)));
    app.state.close().await;
    Ok(report.severity.into())
}

/// A run that has ended, and what is the matter after it.
#[derive(Serialize)]
struct Ended<'a> {
    #[serde(flatten)]
    report: &'a RunReport,
    situation: Situation,
}

impl Ended<'_> {
    fn text(&self, clock: &WallClock) -> String {
        let Self { report, situation } = self;
        let mut text = summary::run_text(report, clock);
        if !situation.matters.is_empty() {
            text.push_str(&format!("Now {}\n", situation.heading));
            text.extend(situation.lines().map(|line| format!("  {line}\n")));
        }
        text
    }
}

/// A run that could not begin: it stands in the history all the same, with the reason.
pub(super) struct NotBegun<'a> {
    pub(super) trigger: Trigger,
    pub(super) mode: Mode,
    pub(super) started_at_ms: i64,
    pub(super) error: &'a AppError,
}

impl NotBegun<'_> {
    /// Writes it down; says its number. Where that fails too, the reason is in the log alone.
    pub(super) async fn record(self, state: &StateStore, now_ms: i64) -> Option<i64> {
        let Self { trigger, mode, started_at_ms, error } = self;
        let start = RunStart { trigger: trigger.as_str(), mode: mode.as_str(), at_ms: started_at_ms };
        let run = state.begin_run(start).await.ok()?;
        let row = RunRow {
            run,
            trigger: trigger.as_str().to_owned(),
            mode: mode.as_str().to_owned(),
            started_at_ms,
            finished_at_ms: Some(now_ms),
            outcome: Some(RunOutcome::Failed.as_str().to_owned()),
            exit_code: Some(i64::from(error.exit().code())),
            is_good: false,
            report: Some(serde_json::json!({ "errors": [in_one_line(error)] }).to_string()),
        };
        state.finish_run(&row, false).await.ok()?;
        Some(run.0)
    }
}

/// Shows bars only when standard error is a terminal and the output is text.
pub(super) fn progress(cli: &Cli) -> Progress {
    let watched = std::io::stderr().is_terminal() && !cli.quiet && cli.output == OutputFormat::Text;
    if watched { Progress::shown(telemetry::progress()) } else { Progress::silent() }
}

/// The time that calls in flight have to finish after the first signal.
const LONGEST_END: Duration = Duration::from_secs(30);

/// Cancelled by SIGTERM or SIGINT: no new batch, what is in flight is finished and recorded. A second
/// signal, or 30 seconds, end the process at once; what was intended is written down, so the next run
/// settles it. Where a run is under way with this state, its end is written down too.
pub(super) fn stop_on_signals(state: Option<StateStore>) -> CancellationToken {
    let stop = CancellationToken::new();
    let token = stop.clone();
    let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    let mut hangup = if hangup_is_ignored() { None } else { signal(SignalKind::hangup()).ok() };
    if let (Ok(mut terminate), Ok(mut interrupt)) = signals {
        tokio::spawn(async move {
            let hung_up = async {
                match &mut hangup {
                    Some(hangup) => hangup.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {}, _ = hung_up => {} }
            tracing::warn!("told to stop: finishing what is in flight");
            token.cancel();
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
                () = tokio::time::sleep(LONGEST_END) => {}
            }
            if let Some(state) = state {
                cut_short(&state, Exit::Terminated).await;
            }
            #[expect(clippy::exit, reason = "a second signal, or the end of patience, means now")]
            std::process::exit(i32::from(Exit::Terminated.code()));
        });
    }
    stop
}

/// The time that writing down the end of a run may take when the end is now.
const LAST_WORD: Duration = Duration::from_secs(2);

/// Writes down that the run under way in this process ends here, where one is.
pub(super) async fn cut_short(state: &StateStore, exit: Exit) {
    let told = state.interrupt_open_run(exit.code(), Clock::system().now_ms());
    match tokio::time::timeout(LAST_WORD, told).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!("the end of the run is not in the history: {}", in_one_line(&error)),
        Err(_) => {
            tracing::warn!("the end of the run is not in the history: the state database does not answer")
        }
    }
}

/// Whether whoever started the program said that the end of the terminal is none of its business, as `nohup` does. A
/// handler of ours would undo that.
fn hangup_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // SIGHUP is number 1: the lowest bit.
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}
