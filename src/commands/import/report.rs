//! The report of an import: counts, the first keys, every bad row. Values of people only where a dry run is asked for them.

use std::fmt;

use serde::Serialize;

use super::{ImportKind, ImportRequest};
use crate::store::roster_writer::{
    ChangedRow, ImportDifference, RowChange, Shrink, TableDifference, Verdict,
};
use rosterd_core::counted::counted;
use rosterd_import::{Completeness, ImportProblem, Notice, Reading, RosterTable, SkippedColumns};

/// The result of an import, or of a dry run.
#[derive(Clone, Debug, Serialize)]
pub struct ImportReport {
    /// The kind of files.
    pub kind: ImportKind,
    /// Files that were read.
    pub files: Vec<String>,
    /// True when only the difference was asked for.
    pub dry_run: bool,
    /// True when the files were taken as the whole truth.
    pub whole: bool,
    /// True when the database is another one than before.
    pub changed: bool,
    /// The difference; empty if bad rows stopped the import.
    pub difference: ImportDifference,
    /// Tables with bad rows; absence from them counts for nothing.
    pub incomplete: Vec<RosterTable>,
    /// Columns that were left out on purpose.
    pub skipped_columns: Vec<SkippedColumns>,
    /// Other remarks about the files, such as an encoding that was guessed.
    pub notices: Vec<Notice>,
    /// Not empty: more would go than may go unasked, and nothing was changed.
    pub too_much: Vec<Shrink>,
    /// Every bad row, by file, line and column.
    pub problems: Vec<ImportProblem>,
    /// Bad rows beyond the ten thousand that are listed.
    pub unlisted_problems: u64,
}

pub(super) fn report(
    request: &ImportRequest,
    reading: Reading,
    completeness: Completeness,
    verdict: Verdict,
) -> ImportReport {
    let Verdict { difference, too_much, in_several } = verdict;
    let kept = in_several.iter().map(|kept| Notice { file: String::new(), message: kept.to_string() });
    let notices = reading.notices.iter().cloned().chain(kept).collect();
    ImportReport {
        kind: request.kind,
        dry_run: request.dry_run,
        whole: completeness == Completeness::Whole,
        changed: !request.dry_run && too_much.is_empty() && !difference.is_empty(),
        difference,
        incomplete: reading.incomplete_tables(),
        files: each_once(reading.files),
        skipped_columns: reading.skipped_columns,
        notices,
        too_much,
        problems: reading.row_problems,
        unlisted_problems: reading.unlisted_problems,
    }
}

/// A file of which two tables are read is one file.
fn each_once(files: Vec<String>) -> Vec<String> {
    let mut once: Vec<String> = Vec::new();
    for file in files {
        if !once.contains(&file) {
            once.push(file);
        }
    }
    once
}

/// Says which files end without a line end, where students are marked as having left: a file that was cut off looks like that.
pub(super) fn tell_unended(reading: &mut Reading, leaving: usize) {
    for file in reading.unended.iter().filter(|_| leaving > 0) {
        let message = "the last row has no line end, as in a file that was cut off: look whether the last students of the list are \
                       in it, because who is missing counts as having left";
        reading.notices.push(Notice { file: file.clone(), message: message.to_owned() });
    }
}

pub(super) struct Lines<'a>(pub(super) &'a [ImportProblem]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, problem) in self.0.iter().enumerate() {
            write!(f, "{}{problem}", if number == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl fmt::Display for ImportReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            files,
            dry_run,
            whole,
            changed,
            difference,
            incomplete,
            skipped_columns,
            notices,
            too_much,
            problems,
            unlisted_problems,
        } = self;
        writeln!(f, "import {kind}: {}", files.join(", "))?;
        for (table, counts) in difference.tables() {
            write_counts(f, table, counts)?;
            if *dry_run || !too_much.is_empty() {
                write_rows(f, table, counts)?;
            }
        }
        if !difference.added_columns.is_empty() {
            writeln!(f, "new columns of students: {}", difference.added_columns.join(", "))?;
        }
        for SkippedColumns { file, reason, columns } in skipped_columns {
            writeln!(f, "skipped columns of {file} ({reason}): {}", columns.join(", "))?;
        }
        for notice in notices {
            writeln!(f, "note: {notice}")?;
        }
        for problem in problems {
            writeln!(f, "skipped {problem}")?;
        }
        if *unlisted_problems > 0 {
            writeln!(f, "and {}", counted(*unlisted_problems, "more bad row"))?;
        }
        if *whole && !incomplete.is_empty() {
            let names: Vec<&str> = incomplete.iter().map(|table| table.name()).collect();
            writeln!(f, "rows were skipped, so nothing counts as missing from {}", names.join(", "))?;
        }
        for shrink in too_much {
            writeln!(f, "refused: {shrink}")?;
        }
        if !too_much.is_empty() {
            writeln!(f, "if that is right, repeat the import with --allow-shrink")?;
        }
        match (*dry_run, *changed) {
            (true, _) => writeln!(f, "dry run: nothing was changed"),
            (false, false) => writeln!(f, "nothing was changed"),
            (false, true) => Ok(()),
        }
    }
}

fn write_counts(f: &mut fmt::Formatter<'_>, table: RosterTable, counts: &TableDifference) -> fmt::Result {
    let TableDifference { added, changed, unchanged, left, rows: _, by_group: _, replaced: _ } = counts;
    let name = table.name();
    writeln!(f, "{name:<14}{added} added, {changed} changed, {unchanged} unchanged, {left} {}", gone(table))
}

/// What a row is called that goes.
fn gone(table: RosterTable) -> &'static str {
    match table {
        RosterTable::GroupMembers | RosterTable::ClassMembers => "removed",
        RosterTable::Students | RosterTable::Groups | RosterTable::Classes => "left",
    }
}

/// The first rows of each kind, below how many of that kind each group has.
fn write_rows(f: &mut fmt::Formatter<'_>, table: RosterTable, counts: &TableDifference) -> fmt::Result {
    for (change, mark, word) in [
        (RowChange::Left, '-', gone(table)),
        (RowChange::Changed, '~', "changed"),
        (RowChange::Added, '+', "added"),
    ] {
        let count = counts.count(change);
        // Of one row its line says all.
        if let Some(by_group) = counts.by_group.iter().find(|by_group| by_group.change == change)
            && count > 1
            && by_group.groups.iter().any(|group| group.code.is_some())
        {
            writeln!(f, "  {mark} {word}: {by_group}")?;
        }
        let rows: Vec<&ChangedRow> = counts.rows.iter().filter(|row| row.change == change).collect();
        for ChangedRow { key, columns, values, .. } in &rows {
            let parts: Vec<String> = if values.is_empty() {
                columns.clone()
            } else {
                values.iter().map(|value| value.in_words(change)).collect()
            };
            if parts.is_empty() {
                writeln!(f, "  {mark} {key}")?;
            } else {
                writeln!(f, "  {mark} {key} ({})", parts.join(", "))?;
            }
        }
        if count > rows.len() {
            writeln!(f, "  {mark} and {} more {word}", count - rows.len())?;
        }
    }
    Ok(())
}
