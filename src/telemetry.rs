//! Logs: to standard error, as text for people or as JSON for machines, never across a progress bar.
//!
//! What is logged, and that nothing secret or personal is, is up to whoever logs.

use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;

use indicatif::MultiProgress;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{EnvFilter, FilterFn, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt};

use crate::invocation::{self, Written};
use crate::settings::ProcessEnvironment;

/// Libraries that log every connection and query. They are capped at `warn`, because addresses with secrets
/// and rows with names pass through them. The scheduler's lines say nothing to an admin.
const CAPPED: [&str; 7] = ["hyper", "hyper_util", "reqwest", "h2", "rustls", "sqlx", "tokio_cron_scheduler"];

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The reason why logging cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The level is none, nor a list of `target=level`.
    #[error("{directive:?} is no log level: write off, error, warn, info, debug or trace, or target=level")]
    Filter {
        /// The part that is not understood.
        directive: String,
    },
    /// Logging was set up before.
    #[error("the log was set up twice")]
    AlreadySetUp(#[source] tracing_subscriber::util::TryInitError),
}

/// Sets up the log of this process.
///
/// `level` is a level, or several directives such as `info,rosterd::exam=debug`; what they leave open is
/// `info`. `color` is obeyed on a terminal only, and where `NO_COLOR` is not set. Where systemd's journal
/// listens, text lines carry no time, since the journal notes it.
///
/// # Errors
/// A level that is not understood, or a second call.
pub fn init(level: &str, format: LogFormat, color: bool) -> Result<(), TelemetryError> {
    let environment = ProcessEnvironment::of_process();
    let written = match format {
        LogFormat::Text => Written::Plain,
        LogFormat::Json => Written::Json,
    };
    let ansi = color && !environment.no_color && io::stderr().is_terminal();
    let lines = fmt::layer().with_writer(AcrossProgress(written)).with_ansi(ansi);
    let lines: Box<dyn Layer<_> + Send + Sync> = match format {
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).boxed(),
        LogFormat::Text if environment.journal => lines.without_time().boxed(),
        LogFormat::Text => lines.boxed(),
    };
    let subscriber = Registry::default().with(lines).with(filter(level)?).with(cap());
    subscriber.try_init().map_err(TelemetryError::AlreadySetUp)
}

/// Accepts a log level as [`init`] understands it; for the command line, so that a slip is wrong usage.
///
/// # Errors
/// The part that is not understood.
pub fn check_level(level: &str) -> Result<String, TelemetryError> {
    filter(level).map(|_| level.to_owned())
}

/// The bars of this process. Log lines are written above them, not across.
#[must_use]
pub fn progress() -> MultiProgress {
    static PROGRESS: OnceLock<MultiProgress> = OnceLock::new();
    PROGRESS.get_or_init(MultiProgress::new).clone()
}

fn filter(level: &str) -> Result<EnvFilter, TelemetryError> {
    let mut filter = EnvFilter::default();
    let mut is_general = false;
    for directive in level.split(',').map(str::trim).filter(|directive| !directive.is_empty()) {
        let refused = || TelemetryError::Filter { directive: directive.to_owned() };
        // The library takes a bare word for a target and switches everything on there: a slip such as `inof`
        // would go unnoticed. Its filters by span (in brackets) do not work as documented.
        let (target, level) = directive.rsplit_once('=').unwrap_or(("", directive));
        level.parse::<LevelFilter>().map_err(|_| refused())?;
        if target.contains(['[', ']', '{', '}', '=']) || directive.starts_with('=') {
            return Err(refused());
        }
        is_general |= target.is_empty();
        filter = filter.add_directive(directive.parse().map_err(|_| refused())?);
    }
    Ok(if is_general { filter } else { filter.add_directive(LevelFilter::INFO.into()) })
}

fn cap() -> FilterFn {
    filter_fn(|metadata| *metadata.level() <= LevelFilter::WARN || !is_capped(metadata.target()))
}

fn is_capped(target: &str) -> bool {
    let root = target.split("::").next().unwrap_or(target);
    CAPPED.contains(&root) || root.starts_with("sqlx_") || root.starts_with("rustls_")
}

/// Standard error, with the bars taken away while a line is written.
#[derive(Clone, Copy)]
struct AcrossProgress(Written);

impl<'a> MakeWriter<'a> for AcrossProgress {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        *self
    }
}

impl Write for AcrossProgress {
    /// Takes the whole line. A log that cannot be written must not stop a run, so failures are passed over.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let text = invocation::complete(&text, self.0);
        progress().suspend(|| drop(io::stderr().lock().write_all(text.as_bytes())));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_targets_are_understood() {
        for level in ["info", "DEBUG", "off", "", "info,rosterd::exam=debug", "warn, rosterd=trace"] {
            assert!(check_level(level).is_ok(), "{level}");
        }
    }

    #[test]
    fn a_slip_is_an_error_and_not_a_silent_fallback() {
        for level in ["inof", "info,rosterd", "rosterd=loud", "=debug", "[run]=debug", "verbose"] {
            let refusal = check_level(level).unwrap_err().to_string();
            assert!(refusal.contains("is no log level"), "{level}: {refusal}");
        }
    }

    #[test]
    fn what_the_directives_leave_open_is_info() {
        assert_eq!(filter("").unwrap().max_level_hint(), Some(LevelFilter::INFO));
        assert_eq!(filter("rosterd::exam=error").unwrap().max_level_hint(), Some(LevelFilter::INFO));
        assert_eq!(filter("error").unwrap().max_level_hint(), Some(LevelFilter::ERROR));
        assert_eq!(filter("debug").unwrap().max_level_hint(), Some(LevelFilter::DEBUG));
    }

    #[test]
    fn talkative_libraries_are_capped_and_we_are_not() {
        for target in [
            "hyper::client",
            "hyper_util::client::legacy",
            "sqlx::query",
            "sqlx_core",
            "h2",
            "rustls",
            "tokio_cron_scheduler::job_scheduler",
        ] {
            assert!(is_capped(target), "{target}");
        }
        for target in ["rosterd", "rosterd::exam", "h2o", "hyperion"] {
            assert!(!is_capped(target), "{target}");
        }
    }
}
