//! `--sync-now`: one run, with its report on standard output and progress on a terminal.

use std::io::IsTerminal;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{output, summary};
use crate::app::{App, AppError};
use crate::cli::{Cli, OutputFormat};
use crate::exit::Exit;
use crate::run::{Progress, Trigger, reconcile};
use crate::telemetry;

pub(super) async fn run(app: &App, cli: &Cli) -> Result<Exit, AppError> {
    let _lock = app.lock()?;
    let stop = stop_on_signals();
    let (context, writers) = app.run_context(progress(cli), stop).await?;
    let report = reconcile(&context, &writers, Trigger::SyncNow).await?;
    output::show(cli, &report, summary::run_text);
    app.state.close().await;
    Ok(report.severity.into())
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
/// settles it.
pub(super) fn stop_on_signals() -> CancellationToken {
    let stop = CancellationToken::new();
    let token = stop.clone();
    let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    if let (Ok(mut terminate), Ok(mut interrupt)) = signals {
        tokio::spawn(async move {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
            tracing::warn!("told to stop: finishing what is in flight");
            token.cancel();
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
                () = tokio::time::sleep(LONGEST_END) => {}
            }
            #[expect(clippy::exit, reason = "a second signal, or the end of patience, means now")]
            std::process::exit(i32::from(Exit::Terminated.code()));
        });
    }
    stop
}
