//! What became of the files of a watched folder, as a run's report shows it.

use std::fmt;

use serde::Serialize;

/// One file that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RosterFile {
    /// The profile that watches the folder.
    pub profile: String,
    /// Its name.
    pub file: String,
    pub outcome: FileOutcome,
    /// What was imported, or why it was not: one of our own sentences, without a value of a cell.
    pub what: String,
    /// The file with the whole report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<String>,
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FileOutcome {
    /// It changed the roster.
    Imported,
    /// It says what the roster says already.
    Unchanged,
    /// It cannot be imported as it is.
    Refused,
    /// It is tried again later.
    Waiting,
}

impl fmt::Display for RosterFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { profile, file, outcome, what, report } = self;
        let word = match outcome {
            FileOutcome::Imported => "imported",
            FileOutcome::Unchanged => "imported, nothing changed",
            FileOutcome::Refused => "refused",
            FileOutcome::Waiting => "not imported yet",
        };
        write!(f, "import {profile}: {file}: {word}")?;
        if !what.is_empty() {
            write!(f, ": {what}")?;
        }
        match report.as_ref().filter(|_| *outcome == FileOutcome::Refused) {
            Some(report) => write!(f, " (see {report})"),
            None => Ok(()),
        }
    }
}
