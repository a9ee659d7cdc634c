//! Writing to standard output and standard error: the only place in the program that does.

use std::io::{self, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

use crate::cli::{Cli, OutputFormat};
use crate::clock::Clock;
use crate::exit::Exit;
use crate::invocation::{self, Written};
use crate::telemetry::LogFormat;
use rosterd_core::exam_plan::RELINK_SUGGESTED;

/// Writes one document to standard output, as text or as JSON.
pub(super) fn show<T: Serialize>(cli: &Cli, document: &T, text: impl FnOnce(&T) -> String) {
    match cli.output {
        OutputFormat::Text => print(&text(document)),
        OutputFormat::Json => show_json(document),
    }
}

fn show_json<T: Serialize>(document: &T) {
    match serde_json::to_string_pretty(document) {
        Ok(json) => print_as(&json, Written::Json),
        Err(error) => written(Err(io::Error::other(format!("the report is no JSON: {error}")))),
    }
}

/// What a command that failed has to say where JSON is wanted.
#[derive(Serialize)]
struct Refusal<'a> {
    error: &'a str,
    exit_code: u8,
}

/// Says why a command could not do its work: on standard error and, where JSON is wanted, as the one document on
/// standard output.
pub(super) fn refuse(cli: &Cli, exit: Exit, error: &str) -> Exit {
    refuse_as(cli.output, exit, error)
}

/// The same where the command line is not understood.
pub fn refuse_as(output: OutputFormat, exit: Exit, error: &str) -> Exit {
    print_error(error);
    if output == OutputFormat::Json {
        show_json(&Refusal { error: error.trim_end(), exit_code: exit.code() });
    }
    exit
}

/// Writes text to standard output, with a final newline and with colours only where they are wanted.
pub fn print(text: &str) {
    print_as(text, Written::Plain);
}

fn print_as(text: &str, form: Written) {
    let text = invocation::complete(text, form);
    let mut out = anstream::stdout().lock();
    let newline = if text.ends_with('\n') { "" } else { "\n" };
    written(write!(out, "{text}{newline}").and_then(|()| out.flush()));
}

/// Writes a piece of a longer document to standard output, as it is.
pub(super) fn print_unchanged(text: &str) {
    let mut out = anstream::stdout().lock();
    written(write!(out, "{text}").and_then(|()| out.flush()));
}

/// Why standard output could not be written, the first time.
static UNWRITTEN: OnceLock<String> = OnceLock::new();

/// Remembers that something could not be written. Who closes a pipe has read enough; anything else, a full disk say,
/// cuts off what somebody relies on.
fn written(result: io::Result<()>) {
    if let Err(error) = result
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        // The first cause counts.
        let _later = UNWRITTEN.set(error.to_string());
    }
}

/// Whether all that was said so far could be written, or nobody wanted to read it.
pub(super) fn all_is_written() -> bool {
    UNWRITTEN.get().is_none()
}

/// The exit code of a command that has said all: a failed one where standard output could not be written.
pub fn exit_after_output(exit: Exit) -> Exit {
    match UNWRITTEN.get() {
        Some(error) => {
            print_error(&format!("standard output cannot be written, what is there is cut off: {error}"));
            exit.worst(Exit::Failed)
        }
        None => exit,
    }
}

/// What a command does that is named beside what is held: it lets that happen, or asks first who is one person.
pub(super) fn way_on(command: &str) -> &'static str {
    if command.starts_with(RELINK_SUGGESTED) {
        "First see who is one person under two ids"
    } else {
        "To let happen what is held"
    }
}

/// Whether lines on standard error are JSON, as the log is.
static AS_JSON: AtomicBool = AtomicBool::new(false);

/// From now on what is written to standard error has the form of the log.
pub fn print_error_as(format: LogFormat) {
    AS_JSON.store(format == LogFormat::Json, Ordering::Relaxed);
}

/// Writes an error to standard error, once and at every log level.
pub fn print_error(text: &str) {
    to_stderr("ERROR", text);
}

/// Writes a notice that a person waits for to standard error.
pub(super) fn print_notice(text: &str) {
    to_stderr("INFO", text);
}

/// Writes a line of a dialogue to standard error, where its questions stand too.
pub(super) fn say(text: &str) {
    if AS_JSON.load(Ordering::Relaxed) {
        return to_stderr("INFO", text);
    }
    let mut out = anstream::stderr().lock();
    let _closed = writeln!(out, "{}", invocation::complete(text, Written::Plain));
}

/// Asks on standard error; the answer comes in the same line.
pub(super) fn prompt(text: &str) {
    if AS_JSON.load(Ordering::Relaxed) {
        return to_stderr("INFO", text);
    }
    let mut out = anstream::stderr().lock();
    let _closed = write!(out, "{text}").and_then(|()| out.flush());
}

fn to_stderr(level: &str, text: &str) {
    let text = invocation::complete(text.trim_end(), Written::Plain);
    let line = if AS_JSON.load(Ordering::Relaxed) {
        let timestamp = Clock::system().now().to_string();
        serde_json::json!({ "timestamp": timestamp, "level": level, "message": text, "target": "rosterd" })
            .to_string()
    } else {
        format!("rosterd: {text}")
    };
    let mut out = anstream::stderr().lock();
    // The reader closed the pipe and expects no more output.
    let _closed = writeln!(out, "{line}");
}
