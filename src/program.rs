//! The program from its command line to its exit code.

use std::process::ExitCode;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::cli::Cli;
use crate::exit::Exit;
use crate::remote::http;
use crate::settings::OptionVariables;
use crate::{commands, invocation, telemetry};

/// One works on an answer while the other sends the next request; the rest of a run waits for services and files.
const WORKER_THREADS: usize = 2;

/// The longest wait for threads that are still at work when a command has ended.
const LONGEST_END: Duration = Duration::from_secs(2);

/// A write beyond the file size limit of the process (`ulimit -f`) fails, and is told as what it is, instead of ending the
/// process by a signal in the middle of a call.
fn outlive_the_file_size_limit() {
    // Whoever listens to a signal takes its usual effect away, for good.
    let kind = SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
    if let Err(error) = signal(kind) {
        tracing::debug!("the signal of the file size limit cannot be listened to: {error}");
    }
}

/// Reads the command line, runs, and answers with an exit code.
#[must_use]
pub fn main() -> ExitCode {
    http::install_crypto();
    let (arguments, variables) = (std::env::args_os().collect::<Vec<_>>(), OptionVariables::of_process());
    commands::print_error_as(Cli::log_format_in(&arguments, &variables));
    let output = Cli::output_in(&arguments);
    let cli = match Cli::parse_or_exit_code(arguments, &variables) {
        Ok(cli) => cli,
        Err((code, text, to_stdout)) => {
            if to_stdout {
                commands::print(&text);
                // Help and version end with 0, and that only when they were written.
                return commands::exit_after_output(Exit::Done).into();
            }
            let _usage = commands::refuse_as(output, Exit::Usage, &text);
            return ExitCode::from(u8::try_from(code).unwrap_or(Exit::Usage.code()));
        }
    };
    if cli.no_color {
        anstream::ColorChoice::Never.write_global();
    }
    if let Some(config) = &cli.config {
        invocation::remember(config);
    }
    commands::print_error_as(cli.log_format());
    if let Err(error) = telemetry::init(cli.log_directives(), cli.log_format(), !cli.no_color) {
        return commands::refuse_as(cli.output, Exit::Usage, &error.to_string()).into();
    }
    match tokio::runtime::Builder::new_multi_thread().worker_threads(WORKER_THREADS).enable_all().build() {
        Ok(runtime) => {
            let exit = runtime.block_on(async {
                outlive_the_file_size_limit();
                commands::run(cli).await
            });
            // All is said and stored: whatever still runs must not keep the program from ending.
            runtime.shutdown_timeout(LONGEST_END);
            exit.into()
        }
        Err(error) => {
            commands::print_error(&format!("the program cannot start: {error}"));
            Exit::Failed.into()
        }
    }
}
