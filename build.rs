//! What `--version` says beside the number: the commit and its date, in what is built to be shipped. No network is asked, and
//! the same source gives the same text: the date is that of the commit, or of `SOURCE_DATE_EPOCH`.
//!
//! Builds for tests say the number alone, so that a commit does not have everything compiled anew.

use std::env;
use std::process::Command;

fn main() {
    tell("rerun-if-changed=build.rs");
    tell("rerun-if-env-changed=ROSTERD_COMMIT");
    tell("rerun-if-env-changed=SOURCE_DATE_EPOCH");
    let number = said("CARGO_PKG_VERSION").unwrap_or_default();
    let is_shipped = said("PROFILE").is_some_and(|profile| profile == "release");
    let source = is_shipped.then(source).flatten().map(|source| format!(" ({source})")).unwrap_or_default();
    tell(&format!("rustc-env=ROSTERD_VERSION={number}{source}"));
}

/// The commit and its date, as far as they are known.
fn source() -> Option<String> {
    for file in [".git/HEAD", ".git/logs/HEAD"] {
        if std::path::Path::new(file).exists() {
            tell(&format!("rerun-if-changed={file}"));
        }
    }
    let given = said("ROSTERD_COMMIT").filter(|commit| !commit.is_empty());
    let commit = given.or_else(|| said_by("git", &["log", "-1", "--format=%h", "--abbrev=10"]));
    let date = match said("SOURCE_DATE_EPOCH") {
        Some(seconds) => said_by("date", &["--utc", "--date", &format!("@{seconds}"), "+%F"]),
        None => said_by("git", &["log", "-1", "--date=format-local:%F", "--format=%cd"]),
    };
    match (commit, date) {
        (Some(commit), Some(date)) => Some(format!("{commit} {date}")),
        (known, None) | (None, known) => known,
    }
}

/// What cargo, or whoever builds, says by a variable.
#[expect(clippy::disallowed_methods, reason = "a build has no settings")]
fn said(variable: &str) -> Option<String> {
    env::var(variable).ok()
}

/// The one line that a program writes; `None` where it is not there or fails.
fn said_by(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).env("TZ", "UTC").output().ok()?;
    let line = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !line.is_empty()).then_some(line)
}

fn tell(text: &str) {
    println!("cargo::{text}");
}
