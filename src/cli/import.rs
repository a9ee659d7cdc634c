//! The command line of `import`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};
use rosterd_import::{FileEncoding, encoding_named};

/// `import`
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true, arg_required_else_help = true)]
pub struct ImportArgs {
    /// Bring the roster back as it was before the last import that changed it; again takes that back
    #[arg(long)]
    pub(crate) undo: bool,
    /// The roster database [default: the one of the configuration]
    #[arg(long, value_name = "FILE", requires = "undo", value_hint = ValueHint::FilePath)]
    pub(crate) database: Option<PathBuf>,
    /// What kind of files.
    #[command(subcommand)]
    pub(crate) kind: Option<ImportCommand>,
}

/// `import`: what kind of files.
#[derive(Clone, Debug, Subcommand)]
pub enum ImportCommand {
    /// CSV files or workbooks: a list of students with headings in seven languages or mapped ones, or one of our tables each
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
    pub(crate) paths: Vec<PathBuf>,
    /// How the files are read, as [import.NAME] of the configuration says; options beside it count before it
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// The files are the whole truth: who is not in them has left
    #[arg(long)]
    pub(crate) bulk: bool,
    /// Which of their columns is which of ours, such as student_id=学号 or name=First+Last, which joins two; group_code and
    /// class_code name the student's group and class. Known headings for id, name and class need none
    #[arg(long, value_name = "OURS=THEIRS", value_parser = mapping)]
    pub(crate) map: Vec<(String, String)>,
    /// A sheet of the workbook; may be repeated [default: those named after tables, else all with the same headings]
    #[arg(long, value_name = "NAME")]
    pub(crate) sheet: Vec<String>,
    /// What a sheet's name says of its students [default: auto]
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) sheet_is: Option<SheetName>,
    /// A group or class in a student's own row replaces all others of that student, not only a single one
    #[arg(long)]
    pub(crate) replace_groups: bool,
    #[command(flatten)]
    pub(crate) text: TextArgs,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

/// `import clever`
#[derive(Clone, Debug, Args)]
pub struct CleverArgs {
    /// The folder or archive
    #[arg(value_hint = ValueHint::AnyPath)]
    pub(crate) path: PathBuf,
    /// How the bundle is read, as [import.NAME] of the configuration says; options beside it count before it
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Further columns of students.csv to take, such as password=Password
    #[arg(long, value_name = "OURS=THEIRS", value_parser = mapping)]
    pub(crate) map: Vec<(String, String)>,
    #[command(flatten)]
    pub(crate) text: TextArgs,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

/// `import oneroster`
#[derive(Clone, Debug, Args)]
pub struct OnerosterArgs {
    /// The folder or archive
    #[arg(value_hint = ValueHint::AnyPath)]
    pub(crate) path: PathBuf,
    /// How the bundle is read, as [import.NAME] of the configuration says; options beside it count before it
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// The column of users that is the student's id here [default: sourced-id]
    #[arg(long, value_enum, value_name = "COLUMN")]
    pub(crate) student_id: Option<IdColumn>,
    /// What becomes groups of the exam side: classes, orgs, grades (several with commas), or none [default: classes]
    #[arg(long, value_enum, value_name = "WHAT", value_delimiter = ',')]
    pub(crate) groups: Vec<GroupSource>,
    /// The roles that are taken as students, as the bundle spells them [default: student]
    #[arg(long = "role", value_name = "ROLE")]
    pub(crate) roles: Vec<String>,
    /// Further columns of users to take, such as phone=sms or password=password
    #[arg(long, value_name = "OURS=THEIRS", value_parser = mapping)]
    pub(crate) map: Vec<(String, String)>,
    /// Users with enabledUser false: keep them, or take them as having left [default: keep]
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) disabled: Option<Disabled>,
    /// Enrollments count also after their endDate
    #[arg(long)]
    pub(crate) keep_ended: bool,
    /// Take a bundle although a newer one was imported before
    #[arg(long)]
    pub(crate) allow_older: bool,
    /// An id that was another person's here may go over to the one whom the bundle gives it
    #[arg(long)]
    pub(crate) reassigned_ids: bool,
    #[command(flatten)]
    pub(crate) text: TextArgs,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum IdColumn {
    SourcedId,
    Identifier,
    Username,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GroupSource {
    Classes,
    Orgs,
    Grades,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SheetName {
    /// Their group, where several sheets are read and no column says it
    Auto,
    Group,
    Class,
    Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Disabled {
    Keep,
    Left,
}

/// How text files are written.
#[derive(Clone, Debug, Args)]
pub(crate) struct TextArgs {
    /// The files' encoding, such as gb18030, windows-1252 or utf-16le [default: found out]
    #[arg(long, value_name = "NAME", value_parser = encoding)]
    pub(crate) encoding: Option<FileEncoding>,
    /// What separates fields: one character, or tab [default: found out]
    #[arg(long, value_name = "CHARACTER", value_parser = delimiter)]
    pub(crate) delimiter: Option<u8>,
}

/// What is the same for all kinds of import.
#[derive(Clone, Debug, Args)]
pub(crate) struct CommonArgs {
    /// The roster database to fill [default: the one of the configuration]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) database: Option<PathBuf>,
    /// Leave bad rows out instead of changing nothing because of them
    #[arg(long)]
    pub(crate) skip_bad_rows: bool,
    /// Let more go than guard.max_delete allows
    #[arg(long)]
    pub(crate) allow_shrink: bool,
    /// Only show the difference: counts by kind and group, and the first ten of each kind
    #[arg(short = 'n', long)]
    pub(crate) dry_run: bool,
    /// Show values, before and after, not only column names: they are personal data
    #[arg(long, requires = "dry_run")]
    pub(crate) reveal: bool,
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
