//! What becomes of a file, by how its import ended: the cause in one sentence without a value of a cell, the whole in the
//! report beside the file.

use std::fmt::Write as _;
use std::path::Path;

use crate::commands::import::{ImportError, ImportReport};
use crate::run::{FileOutcome, in_one_line};
use crate::store::roster_writer::{RosterWriteError, TableDifference};
use rosterd_core::counted::counted;
use rosterd_import::ImportProblem;

/// How an import ended for its files.
pub(super) struct Fate {
    pub(super) outcome: FileOutcome,
    /// One of our own sentences.
    pub(super) what: String,
    /// The text that is kept beside the file.
    pub(super) report: String,
}

impl Fate {
    pub(super) fn of(result: Result<ImportReport, ImportError>, profile: &str, folder: &Path) -> Self {
        let error = match result {
            Ok(report) => return Self::good(&report),
            Err(error) => error,
        };
        let cause = match &error {
            ImportError::BadRows(report) => bad_rows(report),
            ImportError::TooMuch(report) => {
                let much: Vec<String> = report.too_much.iter().map(ToString::to_string).collect();
                much.join("; ")
            }
            ImportError::Files(problems) => match problems.first() {
                Some(problem) => format!("it cannot be read ({})", place(problem)),
                None => "it cannot be read".to_owned(),
            },
            ImportError::Older { .. }
            | ImportError::OtherIds
            | ImportError::NoStudents
            | ImportError::Database(RosterWriteError::NoStudents) => in_one_line(&error),
            ImportError::Usage(_)
            | ImportError::NoProfile { .. }
            | ImportError::OtherProfile { .. }
            | ImportError::Database(_)
            | ImportError::Interrupted(_) => {
                let what = in_one_line(&error);
                return Self { outcome: FileOutcome::Waiting, report: what.clone(), what };
            }
        };
        let report = refusal(&error, &cause, profile, folder);
        Self { outcome: FileOutcome::Refused, what: cause, report }
    }

    fn good(report: &ImportReport) -> Self {
        let outcome = if report.changed { FileOutcome::Imported } else { FileOutcome::Unchanged };
        Self { outcome, what: in_short(report), report: report.to_string() }
    }

    pub(super) fn word(&self) -> &'static str {
        match self.outcome {
            FileOutcome::Imported | FileOutcome::Unchanged => "imported",
            FileOutcome::Refused => "refused",
            FileOutcome::Waiting => "not imported",
        }
    }
}

fn bad_rows(report: &ImportReport) -> String {
    let count =
        u64::try_from(report.problems.len()).unwrap_or(u64::MAX).saturating_add(report.unlisted_problems);
    let first = report.problems.first().map(|problem| format!(", the first at {}", place(problem)));
    format!("{}{}, so nothing was changed", counted(count, "bad row"), first.unwrap_or_default())
}

/// Where a problem is and what it is called. Its sentence may show a cell.
fn place(problem: &ImportProblem) -> String {
    let ImportProblem { file, line, column, code, message: _ } = problem;
    format!("{file}, line {line}, column {column}: {code}")
}

fn in_short(report: &ImportReport) -> String {
    let mut parts = Vec::new();
    for (table, TableDifference { added, changed, left, .. }) in report.difference.tables() {
        let words = [(*added, "added"), (*changed, "changed"), (*left, "gone")];
        let words: Vec<String> = words
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        if !words.is_empty() {
            parts.push(format!("{}: {}", table.name(), words.join(", ")));
        }
    }
    if !report.problems.is_empty() {
        let skipped = u64::try_from(report.problems.len()).unwrap_or(u64::MAX);
        parts.push(format!(
            "{} left out",
            counted(skipped.saturating_add(report.unlisted_problems), "bad row")
        ));
    }
    parts.join("; ")
}

/// The report of a refused file. Its first line is what `status` shows.
fn refusal(error: &ImportError, cause: &str, profile: &str, folder: &Path) -> String {
    let folder = folder.display();
    let mut text = format!("refused: {cause}\n\n");
    let mend = format!(
        "Nothing was imported from it. Mend the file and put it into {folder} again. If a later file has replaced it, remove \
         this one and its report."
    );
    let _infallible = writeln!(text, "{mend}");
    if matches!(error, ImportError::TooMuch(_)) {
        let _infallible = writeln!(
            text,
            "If so much is meant to go, import the file by hand, once: the import command with --allow-shrink, the options of \
             [import.{profile}], and this file."
        );
    }
    let whole = match error {
        ImportError::BadRows(report) | ImportError::TooMuch(report) => report.to_string(),
        ImportError::Usage(_)
        | ImportError::NoProfile { .. }
        | ImportError::OtherProfile { .. }
        | ImportError::OtherIds
        | ImportError::Files(_)
        | ImportError::Older { .. }
        | ImportError::NoStudents
        | ImportError::Database(_)
        | ImportError::Interrupted(_) => error.to_string(),
    };
    let _infallible = writeln!(text, "\n{whole}");
    text
}
