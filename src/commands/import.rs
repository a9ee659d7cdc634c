//! `rosterd import`: reads files, checks them against the roster database, writes them in one transaction
//! and says what changed. It parses no command line and prints nothing.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use crate::import::{ImportProblem, Reading, RosterTable, SkippedColumns, clever, csv_files, references};
use crate::store::roster_writer::{
    Commit, Completeness, ImportDifference, RosterWriteError, RosterWriter, RowChange, TableDifference,
};

/// What kind of files is imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportKind {
    /// Files in our own columns.
    Csv,
    /// A Clever bundle.
    Clever,
}

impl fmt::Display for ImportKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Csv => "csv",
            Self::Clever => "clever",
        })
    }
}

/// What to import, and how.
#[derive(Clone, Debug)]
pub struct ImportRequest {
    /// The kind of files.
    pub kind: ImportKind,
    /// For csv files or folders, for Clever one folder.
    pub paths: Vec<PathBuf>,
    /// The roster database; created if it is not there.
    pub database: PathBuf,
    /// The files are the whole truth: who is missing has left. Clever bundles always are.
    pub bulk: bool,
    /// Import the good rows although there are bad ones. Absence then means nothing in a table with bad rows.
    pub skip_bad_rows: bool,
    /// Say what would change, and change nothing.
    pub dry_run: bool,
}

/// What an import did, found, or would have done.
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
    /// What differs; nothing where bad rows stopped the import.
    pub difference: ImportDifference,
    /// Tables with bad rows; nobody was taken as missing from them.
    pub incomplete: Vec<RosterTable>,
    /// Columns that were left out on purpose.
    pub skipped_columns: Vec<SkippedColumns>,
    /// Every bad row, by file, line and column.
    pub problems: Vec<ImportProblem>,
}

/// Why nothing was imported. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The command names no path, or for Clever more than one.
    #[error("{0}")]
    Usage(&'static str),
    /// Files that are missing, unreadable or have the wrong header; fix the files or the command.
    #[error("the files cannot be used:\n{}", Lines(.0))]
    Files(Vec<ImportProblem>),
    /// Bad rows, all of them in the report.
    #[error("bad rows, so nothing was changed (--skip-bad-rows imports the others):\n{}", Lines(&.0.problems))]
    BadRows(Box<ImportReport>),
    /// The files are the whole truth and hold nobody.
    #[error("an import of a whole roster without students is refused: everybody would have left")]
    NoStudents,
    /// The database could not be opened or written.
    #[error("the import was not written")]
    Database(#[source] RosterWriteError),
    /// Reading was cut off, which happens only when the program ends.
    #[error("reading the files was cut off")]
    Interrupted(#[source] tokio::task::JoinError),
}

impl ImportError {
    /// True when the command, its files' form or the database's place is wrong: exit code 78.
    #[must_use]
    pub fn is_configuration(&self) -> bool {
        match self {
            Self::Usage(_) | Self::Files(_) => true,
            Self::Database(error) => match error {
                RosterWriteError::Create { .. }
                | RosterWriteError::NotARoster { .. }
                | RosterWriteError::Unusable(_)
                | RosterWriteError::Migrate(_) => true,
                RosterWriteError::NoStudents
                | RosterWriteError::UnknownKey { .. }
                | RosterWriteError::Busy(_)
                | RosterWriteError::Database(_) => false,
            },
            Self::BadRows(_) | Self::NoStudents | Self::Interrupted(_) => false,
        }
    }

    /// True when another program held the database and the same command may succeed later: exit code 75.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Database(RosterWriteError::Busy(_)))
    }
}

impl From<RosterWriteError> for ImportError {
    fn from(error: RosterWriteError) -> Self {
        if matches!(error, RosterWriteError::NoStudents) { Self::NoStudents } else { Self::Database(error) }
    }
}

/// Imports files into a roster database. Importing the same files again changes nothing.
///
/// # Errors
/// [`ImportError`]; the database is as it was before then.
pub async fn import(request: &ImportRequest) -> Result<ImportReport, ImportError> {
    let mut reading = read(request).await?;
    if !reading.file_problems.is_empty() {
        return Err(ImportError::Files(reading.file_problems));
    }
    let whole = request.bulk || request.kind == ImportKind::Clever;
    let writer = RosterWriter::open_for_comparison(&request.database).await?;
    references::check(&mut reading, &writer.keys().await?);
    if !reading.row_problems.is_empty() && !request.skip_bad_rows {
        return Err(ImportError::BadRows(Box::new(report(request, reading, ImportDifference::default()))));
    }
    // The writer refuses this only of complete tables; a bundle may also have lost all its rows to problems.
    if request.kind == ImportKind::Clever && reading.rows.students.is_empty() {
        return Err(ImportError::NoStudents);
    }
    let completeness = if whole { Completeness::Whole } else { Completeness::Partial };
    let difference = if request.dry_run {
        writer.apply(&reading.rows, completeness, Commit::DryRun).await?
    } else {
        writer.close().await;
        let writer = RosterWriter::open_or_create(&request.database).await?;
        let difference = writer.apply(&reading.rows, completeness, Commit::Yes).await?;
        writer.close().await;
        difference
    };
    Ok(report(request, reading, difference))
}

async fn read(request: &ImportRequest) -> Result<Reading, ImportError> {
    let paths = request.paths.clone();
    if paths.is_empty() {
        return Err(ImportError::Usage("name at least one file to import"));
    }
    let task = match request.kind {
        ImportKind::Csv => tokio::task::spawn_blocking(move || csv_files::read(&paths)),
        ImportKind::Clever => match <[PathBuf; 1]>::try_from(paths) {
            Ok([folder]) => tokio::task::spawn_blocking(move || clever::read(&folder)),
            Err(_) => return Err(ImportError::Usage("a Clever import takes one folder")),
        },
    };
    task.await.map_err(ImportError::Interrupted)
}

fn report(request: &ImportRequest, reading: Reading, difference: ImportDifference) -> ImportReport {
    let whole = request.bulk || request.kind == ImportKind::Clever;
    ImportReport {
        kind: request.kind,
        dry_run: request.dry_run,
        whole,
        changed: !request.dry_run && !difference.is_empty(),
        difference,
        incomplete: reading.incomplete_tables(),
        files: reading.files,
        skipped_columns: reading.skipped_columns,
        problems: reading.row_problems,
    }
}

struct Lines<'a>(&'a [ImportProblem]);

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
        let Self { kind, files, dry_run, whole, changed, difference, incomplete, skipped_columns, problems } =
            self;
        writeln!(f, "import {kind}: {}", files.join(", "))?;
        for (table, counts) in difference.tables() {
            write_counts(f, table, counts)?;
            if *dry_run {
                write_rows(f, counts)?;
            }
        }
        if !difference.added_columns.is_empty() {
            writeln!(f, "new columns of students: {}", difference.added_columns.join(", "))?;
        }
        for SkippedColumns { file, reason, columns } in skipped_columns {
            writeln!(f, "skipped columns of {file} ({reason}): {}", columns.join(", "))?;
        }
        for problem in problems {
            writeln!(f, "skipped {problem}")?;
        }
        if *whole && !incomplete.is_empty() {
            let names: Vec<&str> = incomplete.iter().map(|table| table.name()).collect();
            writeln!(f, "rows were skipped, so nothing counts as missing from {}", names.join(", "))?;
        }
        match (*dry_run, *changed) {
            (true, _) => writeln!(f, "dry run: nothing was changed"),
            (false, false) => writeln!(f, "nothing was changed"),
            (false, true) => Ok(()),
        }
    }
}

fn write_counts(f: &mut fmt::Formatter<'_>, table: RosterTable, counts: &TableDifference) -> fmt::Result {
    let TableDifference { added, changed, unchanged, left, rows: _ } = counts;
    let gone = match table {
        RosterTable::GroupMembers | RosterTable::ClassMembers => "removed",
        RosterTable::Students | RosterTable::Groups | RosterTable::Classes => "left",
    };
    let name = table.name();
    writeln!(f, "{name:<14}{added} added, {changed} changed, {unchanged} unchanged, {left} {gone}")
}

fn write_rows(f: &mut fmt::Formatter<'_>, counts: &TableDifference) -> fmt::Result {
    let TableDifference { added, changed, unchanged: _, left, rows } = counts;
    for row in rows {
        match row.change {
            RowChange::Added => writeln!(f, "  + {}", row.key)?,
            RowChange::Changed => writeln!(f, "  ~ {} ({})", row.key, row.columns.join(", "))?,
            RowChange::Left => writeln!(f, "  - {}", row.key)?,
        }
    }
    let more = (added + changed + left).saturating_sub(rows.len());
    if more > 0 { writeln!(f, "  and {more} more") } else { Ok(()) }
}
