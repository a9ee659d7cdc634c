//! The command line of `import`, and how it ends.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};

use super::{ImportError, ImportKind, ImportRequest, import};
use crate::app::AppError;
use crate::cli::Cli;
use crate::commands::{output, sync};
use crate::exit::Exit;
use crate::run::in_one_line;
use crate::settings::Settings;
use rosterd_import::oneroster::{GroupsFrom, StudentIdFrom};
use rosterd_import::{ColumnMap, FileEncoding, ReadOptions, encoding_named};

/// `import`: what kind of files.
#[derive(Clone, Debug, Subcommand)]
pub enum ImportCommand {
    /// CSV files or workbooks with one table each (students.csv, groups.xlsx, …), in our columns or in mapped ones
    Csv(CsvArgs),
    /// A folder or zip archive of Clever's files
    Clever(CleverArgs),
    /// A OneRoster bundle, 1.1 or 1.2: a folder or zip archive
    Oneroster(OnerosterArgs),
}

/// `import csv`
#[derive(Clone, Debug, Args)]
pub struct CsvArgs {
    /// The files: .csv, .tsv, .txt, .xlsx, .xls, .ods; or folders with files named after tables
    #[arg(value_name = "FILE", required = true, value_hint = ValueHint::FilePath)]
    paths: Vec<PathBuf>,
    /// The files are the whole truth: who is not in them has left
    #[arg(long)]
    bulk: bool,
    /// Which of their columns is which of ours, such as student_id=学号; group_code and class_code name the
    /// student's group and class. A file not named after a table is one of students then
    #[arg(long, value_name = "OURS=THEIRS", value_parser = mapping)]
    map: Vec<(String, String)>,
    /// The sheet of a workbook [default: those named after tables, else the first]
    #[arg(long, value_name = "NAME")]
    sheet: Option<String>,
    #[command(flatten)]
    text: TextArgs,
    #[command(flatten)]
    common: CommonArgs,
}

/// `import clever`
#[derive(Clone, Debug, Args)]
pub struct CleverArgs {
    /// The folder or archive
    #[arg(value_hint = ValueHint::AnyPath)]
    path: PathBuf,
    #[command(flatten)]
    text: TextArgs,
    #[command(flatten)]
    common: CommonArgs,
}

/// `import oneroster`
#[derive(Clone, Debug, Args)]
pub struct OnerosterArgs {
    /// The folder or archive
    #[arg(value_hint = ValueHint::AnyPath)]
    path: PathBuf,
    /// The column of users that is the student's id here
    #[arg(long, value_enum, value_name = "COLUMN", default_value = "sourced-id")]
    student_id: IdColumn,
    /// What becomes groups of the exam side: classes, orgs, grades (several with commas), or none
    #[arg(long, value_enum, value_name = "WHAT", value_delimiter = ',', default_value = "classes")]
    groups: Vec<GroupSource>,
    /// The roles that are taken as students, as the bundle spells them
    #[arg(long = "role", value_name = "ROLE", default_value = "student")]
    roles: Vec<String>,
    /// Further columns of users to take, such as phone=sms or password=password
    #[arg(long, value_name = "OURS=THEIRS", value_parser = mapping)]
    map: Vec<(String, String)>,
    /// Users with enabledUser false: keep them, or take them as having left
    #[arg(long, value_enum, value_name = "WHAT", default_value = "keep")]
    disabled: Disabled,
    /// Enrollments count also after their endDate
    #[arg(long)]
    keep_ended: bool,
    /// Take a delta although a newer one was imported before
    #[arg(long)]
    allow_older: bool,
    #[command(flatten)]
    text: TextArgs,
    #[command(flatten)]
    common: CommonArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum IdColumn {
    SourcedId,
    Identifier,
    Username,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum GroupSource {
    Classes,
    Orgs,
    Grades,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Disabled {
    Keep,
    Left,
}

/// How text files are written.
#[derive(Clone, Debug, Args)]
struct TextArgs {
    /// The files' encoding, such as gb18030, windows-1252 or utf-16le [default: found out]
    #[arg(long, value_name = "NAME", value_parser = encoding)]
    encoding: Option<FileEncoding>,
    /// What separates fields: one character, or tab [default: found out]
    #[arg(long, value_name = "CHARACTER", value_parser = delimiter)]
    delimiter: Option<u8>,
}

/// What is the same for all kinds of import.
#[derive(Clone, Debug, Args)]
struct CommonArgs {
    /// The roster database to fill [default: the one of the configuration]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    database: Option<PathBuf>,
    /// Leave bad rows out instead of changing nothing because of them
    #[arg(long)]
    skip_bad_rows: bool,
    /// Let more go than guard.max_delete allows
    #[arg(long)]
    allow_shrink: bool,
    /// Only show the difference
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// Imports what the command line says.
pub(crate) async fn run(cli: &Cli, command: &ImportCommand) -> Result<Exit, AppError> {
    let settings = Settings::load_from_environment(cli.config.as_deref())?;
    let request = ImportRequest { progress: sync::progress(cli), ..request(command, &settings) };
    match import(&request).await {
        Ok(report) => {
            output::show(cli, &report, |report| report.to_string());
            Ok(Exit::Done)
        }
        Err(ImportError::BadRows(report) | ImportError::TooMuch(report)) => {
            output::show(cli, &*report, |report| report.to_string());
            Ok(Exit::Failed)
        }
        Err(error) => {
            let exit = if error.is_configuration() {
                Exit::Configuration
            } else if error.is_temporary() {
                Exit::Temporary
            } else {
                Exit::Failed
            };
            output::print_error(&in_one_line(&error));
            Ok(exit)
        }
    }
}

fn request(command: &ImportCommand, settings: &Settings) -> ImportRequest {
    let (kind, paths, text, common) = match command {
        ImportCommand::Csv(csv) => (ImportKind::Csv, csv.paths.clone(), &csv.text, &csv.common),
        ImportCommand::Clever(clever) => {
            (ImportKind::Clever, vec![clever.path.clone()], &clever.text, &clever.common)
        }
        ImportCommand::Oneroster(oneroster) => {
            (ImportKind::Oneroster, vec![oneroster.path.clone()], &oneroster.text, &oneroster.common)
        }
    };
    let database = common.database.clone().unwrap_or_else(|| settings.roster.database.clone());
    let mut request = ImportRequest::new(kind, paths, database);
    request.reading = ReadOptions { encoding: text.encoding, delimiter: text.delimiter };
    request.skip_bad_rows = common.skip_bad_rows;
    request.dry_run = common.dry_run;
    request.limit = (!common.allow_shrink).then_some(settings.guard.max_delete);
    match command {
        ImportCommand::Csv(csv) => {
            request.bulk = csv.bulk;
            request.map = ColumnMap::new(csv.map.clone());
            request.sheet.clone_from(&csv.sheet);
        }
        ImportCommand::Clever(_) => {}
        ImportCommand::Oneroster(oneroster) => {
            request.map = ColumnMap::new(oneroster.map.clone());
            request.allow_older = oneroster.allow_older;
            let options = &mut request.oneroster;
            options.student_id = match oneroster.student_id {
                IdColumn::SourcedId => StudentIdFrom::SourcedId,
                IdColumn::Identifier => StudentIdFrom::Identifier,
                IdColumn::Username => StudentIdFrom::Username,
            };
            options.groups = groups(&oneroster.groups);
            options.roles.clone_from(&oneroster.roles);
            options.disabled_have_left = oneroster.disabled == Disabled::Left;
            options.keep_ended = oneroster.keep_ended;
        }
    }
    request
}

fn groups(sources: &[GroupSource]) -> BTreeSet<GroupsFrom> {
    let kind = |source: &GroupSource| match source {
        GroupSource::Classes => Some(GroupsFrom::Classes),
        GroupSource::Orgs => Some(GroupsFrom::Orgs),
        GroupSource::Grades => Some(GroupsFrom::Grades),
        GroupSource::None => None,
    };
    sources.iter().filter_map(kind).collect()
}

/// `student_id=学号`
fn mapping(text: &str) -> Result<(String, String), String> {
    let (ours, theirs) = text.split_once('=').ok_or("write it like student_id=Number")?;
    let (ours, theirs) = (ours.trim(), theirs.trim());
    if ours.is_empty() || theirs.is_empty() {
        return Err("write it like student_id=Number".to_owned());
    }
    Ok((ours.to_owned(), theirs.to_owned()))
}

fn encoding(text: &str) -> Result<FileEncoding, String> {
    encoding_named(text).ok_or_else(|| "write utf-8, gb18030, windows-1252, utf-16le or the like".to_owned())
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        _ if text.eq_ignore_ascii_case("tab") || text == "\\t" => Ok(b'\t'),
        [byte]
            if byte.is_ascii() && !byte.is_ascii_alphanumeric() && !matches!(byte, b'"' | b'\n' | b'\r') =>
        {
            Ok(*byte)
        }
        _ => Err("write one character such as ; or the word tab".to_owned()),
    }
}
