//! `rosterd import`: reads files, checks them against the roster database, writes them in one transaction
//! and says what changed. Only `arguments` knows the command line.

mod arguments;
mod report;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::mpsc::{self, Receiver};
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::files;
use crate::run::{PasswordColumns, Progress};
use crate::settings::{BundleProfile, FileKind, ImportProfile, Settings};
use crate::store::roster_writer::{
    Commit, Occasion, RosterWriteError, RosterWriter, Staging, Verdict, delta_of,
};
use rosterd_core::roster::Limit;
use rosterd_import::oneroster::{self, GroupsFrom, StudentIdFrom};
use rosterd_import::{
    ColumnMap, Completeness, ImportProblem, LOTS_UNDER_WAY, LocatedRow, Notice, ReadOptions, Reading,
    RosterTable, RowSink, clever, csv_files,
};

use self::report::{Lines, report, tell_unended};

pub(super) use self::arguments::run;
pub use self::report::ImportReport;

/// The kind of imported files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportKind {
    /// Files in our own columns.
    Csv,
    Clever,
    Oneroster,
}

impl fmt::Display for ImportKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Csv => "csv",
            Self::Clever => "clever",
            Self::Oneroster => "oneroster",
        })
    }
}

/// An import: its files and options.
#[derive(Clone, Debug)]
pub struct ImportRequest {
    /// The kind of files.
    pub kind: ImportKind,
    /// For csv files or folders, for a bundle one folder or archive.
    pub paths: Vec<PathBuf>,
    /// The roster database; created if it is not there.
    pub database: PathBuf,
    /// The files are the whole truth: a student missing from them has left. Clever bundles always are, and
    /// `OneRoster` bundles say so themselves.
    pub bulk: bool,
    /// Import the good rows although there are bad ones. Absence then means nothing in a table with bad rows.
    pub skip_bad_rows: bool,
    /// Say what would change, and change nothing.
    pub dry_run: bool,
    /// A dry run shows values: they are personal data.
    pub reveal: bool,
    /// Columns whose values are shown to nobody.
    pub passwords: PasswordColumns,
    /// The limit on students, and on memberships, that may go; `None` lets everything go.
    pub limit: Option<Limit>,
    /// Encoding and separator, where they are not to be found out.
    pub reading: ReadOptions,
    /// Their names for our columns.
    pub map: ColumnMap,
    /// The sheets of a workbook; none: those named after tables, else all of one form.
    pub sheets: Vec<String>,
    /// What the name of a sheet says.
    pub sheet_is: csv_files::SheetIs,
    /// A group or class in a student's own row replaces all that the student had.
    pub replace_groups: bool,
    /// A person said which column of a `OneRoster` bundle is the student's id.
    pub id_is_said: bool,
    /// The options for a `OneRoster` bundle; its mapping and encoding are those above.
    pub oneroster: oneroster::OnerosterOptions,
    /// Take a delta that is older than the last one.
    pub allow_older: bool,
    /// An id may go from one person whom the roster knows to another.
    pub reassigned_ids: bool,
    /// The arrivals of these files in a watched folder, so that none is imported twice.
    pub marks: Vec<String>,
    /// The moment of the import.
    pub now: Timestamp,
    pub progress: Progress,
}

impl ImportRequest {
    /// A request with everything else as it is by default.
    #[must_use]
    pub fn new(kind: ImportKind, paths: Vec<PathBuf>, database: PathBuf) -> Self {
        let options = oneroster::OnerosterOptions {
            student_id: StudentIdFrom::default(),
            groups: std::iter::once(GroupsFrom::Classes).collect(),
            roles: vec!["student".to_owned()],
            map: ColumnMap::default(),
            disabled_have_left: false,
            keep_ended: false,
            today: Clock::system().now().to_zoned(jiff::tz::TimeZone::UTC).date(),
            reading: ReadOptions::default(),
        };
        Self {
            kind,
            paths,
            database,
            bulk: false,
            skip_bad_rows: false,
            dry_run: false,
            reveal: false,
            passwords: PasswordColumns::default(),
            limit: Some(Limit::Auto),
            reading: ReadOptions::default(),
            map: ColumnMap::default(),
            sheets: Vec::new(),
            sheet_is: csv_files::SheetIs::Auto,
            replace_groups: false,
            id_is_said: false,
            oneroster: options,
            allow_older: false,
            reassigned_ids: false,
            marks: Vec::new(),
            now: Clock::system().now(),
            progress: Progress::silent(),
        }
    }

    /// As a profile of the configuration says.
    #[must_use]
    pub fn of_profile(profile: &ImportProfile, paths: Vec<PathBuf>, settings: &Settings) -> Self {
        let kind = match profile.kind {
            FileKind::Csv => ImportKind::Csv,
            FileKind::Clever => ImportKind::Clever,
            FileKind::Oneroster => ImportKind::Oneroster,
        };
        let ImportProfile { map, sheets, sheet_is, bulk, replace_groups, skip_bad_rows, bundle, .. } =
            profile.clone();
        let mut request = Self {
            bulk,
            skip_bad_rows,
            limit: Some(settings.guard.max_delete),
            reading: ReadOptions {
                encoding: profile.encoding,
                delimiter: profile.delimiter,
                allows_guess: false,
            },
            map: ColumnMap::new(map),
            sheets,
            sheet_is,
            replace_groups,
            ..Self::new(kind, paths, settings.roster.database.clone())
        };
        request.say_of_bundles(bundle);
        request
    }

    /// What a profile or a command says of OneRoster bundles counts before what is there.
    pub(super) fn say_of_bundles(&mut self, said: BundleProfile) {
        let BundleProfile { student_id, groups, roles, disabled_have_left, keep_ended } = said;
        let options = &mut self.oneroster;
        self.id_is_said |= student_id.is_some();
        options.student_id = student_id.unwrap_or(options.student_id);
        if let Some(groups) = groups {
            options.groups = groups;
        }
        if let Some(roles) = roles {
            options.roles = roles;
        }
        options.disabled_have_left = disabled_have_left.unwrap_or(options.disabled_have_left);
        options.keep_ended = keep_ended.unwrap_or(options.keep_ended);
    }

    /// The completeness of the files, unless they state it themselves.
    fn completeness(&self) -> Completeness {
        let whole = self.bulk || self.kind == ImportKind::Clever;
        if whole { Completeness::Whole } else { Completeness::Partial }
    }

    /// Files refer to people by something else than the student's id.
    fn is_foreign(&self) -> bool {
        self.kind == ImportKind::Oneroster && self.oneroster.student_id != StudentIdFrom::SourcedId
    }
}

/// The reason why nothing was imported. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The command names no path, or for Clever more than one.
    #[error("{0}")]
    Usage(&'static str),
    /// The configuration has no such profile.
    #[error(
        "there is no profile {name} in the configuration{}: write it as [import.{name}]",
        if .known.is_empty() { String::new() } else { format!(" (there are {})", .known.join(", ")) }
    )]
    NoProfile {
        name: String,
        /// Those that it has.
        known: Vec<String>,
    },
    /// The profile is for files of another kind.
    #[error(
        "the profile {name} is for files of the kind {is}, not {kind}: name one with kind = \"{kind}\", or none"
    )]
    OtherProfile { name: String, kind: &'static str, is: &'static str },
    /// The roster knows its people by another column than the one that nobody named.
    #[error(
        "the roster knows people of such bundles by another id than sourcedId, and keeps that one beside it; every person of the \
         bundle would be entered a second time: say which column is the id, with --student-id identifier (or username), or with \
         student_id = \"identifier\" in the profile; --student-id sourced-id, where that is meant from now on"
    )]
    OtherIds,
    /// Files that are missing, unreadable or have the wrong header; fix the files or the command.
    #[error("the files cannot be used:\n{}", Lines(.0))]
    Files(Vec<ImportProblem>),
    /// Bad rows, all of them in the report.
    #[error("bad rows, so nothing was changed (--skip-bad-rows imports the others):\n{}", Lines(&.0.problems))]
    BadRows(Box<ImportReport>),
    /// More would go than may go unasked; the report says of what.
    #[error("too much would go, so nothing was changed (--allow-shrink lets it go)")]
    TooMuch(Box<ImportReport>),
    /// A bundle from before the last one that was imported.
    #[error(
        "the newest change in the bundle is of {bundle}, and a bundle of {roster} was imported before it (--allow-older takes it all the \
         same)"
    )]
    Older {
        /// The newest change in the bundle.
        bundle: String,
        /// The newest change that was imported.
        roster: String,
    },
    /// The files are the whole truth and hold no student.
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
            Self::Usage(_)
            | Self::Files(_)
            | Self::NoProfile { .. }
            | Self::OtherProfile { .. }
            | Self::OtherIds => true,
            Self::Database(error) => match error {
                RosterWriteError::Create { source, .. } => !files::is_no_room(source),
                RosterWriteError::NotARoster { .. }
                | RosterWriteError::Unusable(_)
                | RosterWriteError::History { .. }
                | RosterWriteError::NewerHistory { .. }
                | RosterWriteError::Migrate(_) => true,
                RosterWriteError::NoStudents
                | RosterWriteError::Previous { .. }
                | RosterWriteError::NoPrevious { .. }
                | RosterWriteError::SpoiltPrevious { .. }
                | RosterWriteError::UnknownKey { .. }
                | RosterWriteError::Busy(_)
                | RosterWriteError::StaleLog { .. }
                | RosterWriteError::Full(_)
                | RosterWriteError::Database(_) => false,
            },
            Self::BadRows(_)
            | Self::TooMuch(_)
            | Self::Older { .. }
            | Self::NoStudents
            | Self::Interrupted(_) => false,
        }
    }

    /// True when another program held the database, or a disk is full, and the same command may succeed later: exit code 75.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Database(
                RosterWriteError::Busy(_) | RosterWriteError::StaleLog { .. } | RosterWriteError::Full(_),
            ) => true,
            Self::Database(
                RosterWriteError::Create { source, .. } | RosterWriteError::Previous { source, .. },
            ) => files::is_no_room(source),
            Self::Database(_)
            | Self::Usage(_)
            | Self::NoProfile { .. }
            | Self::OtherProfile { .. }
            | Self::OtherIds
            | Self::Files(_)
            | Self::BadRows(_)
            | Self::TooMuch(_)
            | Self::Older { .. }
            | Self::NoStudents
            | Self::Interrupted(_) => false,
        }
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
    if request.paths.is_empty() {
        return Err(ImportError::Usage("name at least one file to import"));
    }
    if request.kind != ImportKind::Csv && request.paths.len() > 1 {
        return Err(ImportError::Usage("a bundle is one folder or one archive"));
    }
    let writer = if request.dry_run {
        RosterWriter::open_for_comparison(&request.database).await?
    } else {
        RosterWriter::open_for_import(&request.database).await?
    };
    let result = through(request, &writer).await;
    if result.is_ok() {
        writer.close().await;
    } else {
        writer.discard().await;
    }
    result
}

/// Reads, checks, compares and applies.
async fn through(request: &ImportRequest, writer: &RosterWriter) -> Result<ImportReport, ImportError> {
    let mut staging = writer.stage().await?;
    staging.replace_groups(request.replace_groups);
    staging.reassign_ids(request.reassigned_ids);
    staging.reveal(request.reveal && request.dry_run);
    let mut reading = read(request, &mut staging).await?;
    if !reading.file_problems.is_empty() {
        reading.file_problems.sort();
        return Err(ImportError::Files(reading.file_problems));
    }
    let completeness = reading.completeness.unwrap_or(request.completeness());
    let newest = newest(request, &reading, completeness);
    if newest.is_none() && request.kind == ImportKind::Oneroster && completeness == Completeness::Partial {
        let message = "the delta has no dateLastModified, so nobody can tell whether it is older than what was imported before it";
        reading.notices.push(Notice { file: String::new(), message: message.to_owned() });
    }
    refuse_older(request, newest.as_ref(), completeness, &mut staging).await?;
    let is_unsaid = request.kind == ImportKind::Oneroster && !request.is_foreign() && !request.id_is_said;
    if is_unsaid && staging.knows_other_ids().await? {
        return Err(ImportError::OtherIds);
    }
    let is_list = request.kind == ImportKind::Csv;
    staging.check_rows(&mut reading, completeness, request.is_foreign(), is_list).await?;
    // Two records under the one key of a bundle say that the bundle itself is broken.
    let is_broken = request.kind == ImportKind::Oneroster
        && reading.row_problems.iter().any(|problem| problem.code == "duplicate-id");
    if !reading.row_problems.is_empty() && (is_broken || !request.skip_bad_rows) {
        let report = report(request, reading, completeness, Verdict::default());
        return Err(ImportError::BadRows(Box::new(report)));
    }
    // The writer refuses this only of complete tables; files may also have lost all their rows to problems.
    let read_students = reading.row_counts.contains_key(&RosterTable::Students);
    if completeness == Completeness::Whole && read_students && staging.students_here().await? == 0 {
        return Err(ImportError::NoStudents);
    }
    let commit = if request.dry_run { Commit::DryRun } else { Commit::Yes };
    let copied = if request.dry_run { None } else { staging.copy(&request.database).await? };
    let kind = request.kind.to_string();
    let is_delta = request.kind == ImportKind::Oneroster && completeness == Completeness::Partial;
    let kind = if is_delta { delta_of(&kind) } else { kind };
    let occasion = Occasion { kind, now: request.now, newest, marks: request.marks.clone() };
    let mut verdict =
        staging.apply(&reading.complete, completeness, request.limit, (commit, &occasion)).await?;
    for (_, table) in verdict.difference.tables_mut() {
        table.hide(|column| request.passwords.hide(column));
    }
    let is_too_much = !verdict.too_much.is_empty();
    tell_unended(&mut reading, verdict.difference.students.left);
    let report = report(request, reading, completeness, verdict);
    if let Some(copied) = copied.filter(|_| report.changed) {
        copied.keep()?;
    }
    if is_too_much { Err(ImportError::TooMuch(Box::new(report))) } else { Ok(report) }
}

/// The moment of a bundle: its newest change; of a whole one that tells none, the time of its newest file.
fn newest(request: &ImportRequest, reading: &Reading, completeness: Completeness) -> Option<String> {
    let is_bundle = request.kind == ImportKind::Oneroster;
    let by_files = || {
        let path = request.paths.first().filter(|_| completeness == Completeness::Whole)?;
        let inside = std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
        let modified = |path: PathBuf| std::fs::metadata(path).ok()?.modified().ok();
        let newest = inside.filter_map(modified).max().or_else(|| modified(path.clone()))?;
        Timestamp::try_from(newest).ok().map(|at| format!("{at:.3}"))
    };
    reading.newest.clone().or_else(by_files).filter(|_| is_bundle)
}

/// Refuses a delta from before the last bundle, and a whole bundle from before the last delta: both would undo later changes. A
/// whole bundle from before another whole one is taken, for its newest row may have gone.
async fn refuse_older(
    request: &ImportRequest,
    newest: Option<&String>,
    completeness: Completeness,
    staging: &mut Staging,
) -> Result<(), ImportError> {
    let Some(bundle) = newest.filter(|_| !request.allow_older) else {
        return Ok(());
    };
    let kind = request.kind.to_string();
    let last = match completeness {
        Completeness::Partial => staging.newest_change(&kind).await?,
        Completeness::Whole => staging.newest_delta(&kind).await?,
    };
    match last {
        Some(roster) if roster > *bundle => Err(ImportError::Older { bundle: bundle.clone(), roster }),
        Some(_) | None => Ok(()),
    }
}

/// Reads on a thread of its own, while the rows are put aside here.
async fn read(request: &ImportRequest, staging: &mut Staging) -> Result<Reading, ImportError> {
    let (outlet, lots) = mpsc::channel(LOTS_UNDER_WAY);
    let bytes = Arc::<AtomicU64>::default();
    let task = start_reading(request, RowSink::new(outlet, Arc::clone(&bytes)));
    put_aside(request, staging, lots, &bytes).await?;
    task.await.map_err(ImportError::Interrupted)
}

fn start_reading(request: &ImportRequest, sink: RowSink) -> JoinHandle<Reading> {
    let mut sink = sink.on(request.oneroster.today);
    let (kind, paths) = (request.kind, request.paths.clone());
    let (reading, map) = (request.reading, request.map.clone());
    let (sheets, sheet_is) = (request.sheets.clone(), request.sheet_is);
    let oneroster = oneroster::OnerosterOptions { reading, map: map.clone(), ..request.oneroster.clone() };
    let csv = csv_files::CsvOptions { map, reading, sheets, sheet_is, whole: request.bulk };
    tokio::task::spawn_blocking(move || {
        match (kind, paths.as_slice()) {
            (ImportKind::Clever, [path, ..]) => clever::read(&mut sink, path, &csv.map, reading),
            (ImportKind::Oneroster, [path, ..]) => oneroster::read(&mut sink, path, &oneroster),
            (ImportKind::Csv | ImportKind::Clever | ImportKind::Oneroster, paths) => {
                csv_files::read(&mut sink, paths, &csv);
            }
        }
        sink.finish()
    })
}

async fn put_aside(
    request: &ImportRequest,
    staging: &mut Staging,
    mut lots: Receiver<Vec<LocatedRow>>,
    bytes: &AtomicU64,
) -> Result<(), ImportError> {
    let size = |path: &PathBuf| {
        std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file).map(|file| file.len())
    };
    let mut total: u64 = request.paths.iter().filter_map(size).sum();
    let bar = request.progress.bar("reading", total);
    let mut shown = 0;
    while let Some(lot) = lots.recv().await {
        staging.put(lot).await?;
        let read = bytes.load(Ordering::Relaxed);
        if read > total {
            // Unpacked data is larger than its file.
            total = read;
            bar.set_length(total);
        }
        bar.advance(read.saturating_sub(shown));
        shown = read;
    }
    Ok(())
}
