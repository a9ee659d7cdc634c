//! `export`: the roster, the links or the failures as CSV or as a workbook for the school office. Never a password.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::Path;

use anyhow::Context as _;
use futures_util::stream::{self, BoxStream, StreamExt};

use super::new_file::{Existing, NewFile};
use super::workbook::Workbook;
use super::{output, state_so_far};
use crate::app::{App, AppError};
use crate::cli::export::{ExportArgs, Exported};
use crate::cli::{Cli, OutputFormat};
use crate::exit::Exit;
use crate::run::{in_one_line, password_columns};
use crate::settings::Settings;
use crate::store::{FailureRow, LINK_COLUMNS, RosterDetails, RosterExport, TextRow};
use rosterd_core::counted::counted;
use rosterd_core::roster::StudentId;
use rosterd_import::computes;

/// The columns of failures.
const FAILURE_COLUMNS: [&str; 14] = [
    "id",
    "service",
    "kind",
    "student_id",
    "class_code",
    "state",
    "code",
    "message",
    "attempts",
    "due_at",
    "name",
    "groups",
    "who",
    "since",
];
/// The mark by which a spreadsheet recognises UTF-8.
const MARK: &str = "\u{feff}";

type Rows<'a> = BoxStream<'a, Result<TextRow, AppError>>;

/// Writes what was asked for.
pub(super) async fn run(cli: &Cli, arguments: &ExportArgs) -> Result<Exit, AppError> {
    let config = cli.config.as_deref();
    match arguments.what {
        Exported::Roster => {
            let settings = Settings::load_from_environment(config)?;
            let (app, _) = App::for_reading(settings).await?;
            let (roster, state) = (&app.settings.roster, &app.settings.state.database);
            let passwords = password_columns(&app.settings.exam, &app.state).await?;
            let is_hidden = |column: &str| passwords.hide(column);
            let export = RosterExport::open(&roster.database, &roster.queries, state, is_hidden).await?;
            for column in passwords.unknown() {
                output::print_error(&format!(
                    "the column {column} is left out: which field its label in exam.fields means is known after the first \
                     run, and it may be the password"
                ));
            }
            let columns: Vec<&str> = export.columns.iter().map(String::as_str).collect();
            let rows = export.rows().map(|row| Ok(row?)).boxed();
            write(cli, &app.settings, arguments, &columns, rows).await
        }
        Exported::Links => {
            let app = state_so_far(config).await?;
            let rows = app.state.link_rows().map(|row| Ok(row?)).boxed();
            write(cli, &app.settings, arguments, &LINK_COLUMNS, rows).await
        }
        Exported::Failures => {
            let app = state_so_far(config).await?;
            let failures = app.state.open_failures().await?;
            let people = People::of(&app, &failures).await;
            let rows = failures.into_iter().map(|row| Ok(failure(row, &people)));
            write(cli, &app.settings, arguments, &FAILURE_COLUMNS, stream::iter(rows).boxed()).await
        }
    }
}

/// Names and groups of the students on the roster, by id.
#[derive(Default)]
struct People(HashMap<String, (String, String)>);

impl People {
    /// Of all whom failures are about. What the roster does not tell, because nobody can read it perhaps, is left empty.
    async fn of(app: &App, failures: &[FailureRow]) -> Self {
        let known = Self::read(app, failures).await;
        known.unwrap_or_else(|error| {
            output::print_error(&format!("names and groups are left empty: {}", in_one_line(&error)));
            Self::default()
        })
    }

    async fn read(app: &App, failures: &[FailureRow]) -> Result<Self, AppError> {
        let mut people = HashMap::new();
        if failures.iter().all(|row| row.student_id.is_empty()) {
            return Ok(Self(people));
        }
        let roster = app.roster().await?;
        let mut snapshot = roster.snapshot().await?;
        for row in failures.iter().filter(|row| !row.student_id.is_empty()) {
            if people.contains_key(&row.student_id) {
                continue;
            }
            let details = snapshot.details(&StudentId::new(row.student_id.clone())).await?;
            let Some(RosterDetails { values, groups, .. }) = details else { continue };
            let name = values.into_iter().find(|(column, _)| column.to_lowercase() == "name");
            let groups: Vec<String> = groups.iter().map(ToString::to_string).collect();
            let name = name.map(|(_, name)| name).unwrap_or_default();
            people.insert(row.student_id.clone(), (name, groups.join(", ")));
        }
        snapshot.close().await?;
        Ok(Self(people))
    }
}

fn failure(row: FailureRow, people: &People) -> TextRow {
    let (name, groups) = people.0.get(&row.student_id).cloned().unwrap_or_default();
    vec![
        row.id.to_string(),
        row.service.to_string(),
        row.kind.to_string(),
        row.student_id,
        row.class_code,
        row.state.to_string(),
        row.code,
        row.message,
        row.attempts.to_string(),
        row.due_at.unwrap_or_default(),
        name,
        groups,
        row.who.to_owned(),
        row.since,
    ]
}

async fn write(
    cli: &Cli,
    settings: &Settings,
    arguments: &ExportArgs,
    columns: &[&str],
    rows: Rows<'_>,
) -> Result<Exit, AppError> {
    match (&arguments.to, cli.output) {
        (Some(path), _) => {
            let form = FileForm::of(path)?;
            let existing = match Existing::of(arguments.replace) {
                Existing::Kept => Existing::ListReplaced(first_column(arguments.what)),
                replaced @ (Existing::ListReplaced(_) | Existing::Replaced) => replaced,
            };
            let file = NewFile::create(settings, cli.config.as_deref(), path, existing)?;
            let count = match form {
                FileForm::Workbook => write_workbook(file, path, arguments, columns, rows).await?,
                FileForm::Csv => write_csv_file(file, path, arguments, columns, rows).await?,
            };
            let written = serde_json::json!({ "rows": count, "file": path });
            output::show(cli, &written, |_| {
                format!("{} written to {}", counted(count, "row"), path.display())
            });
        }
        (None, OutputFormat::Text) => {
            let mut writer = csv_writer(Stdout);
            write_csv(&mut writer, arguments, columns, rows).await?;
        }
        (None, OutputFormat::Json) => write_json(columns, rows).await?,
    }
    Ok(Exit::Done)
}

/// The heading by which an earlier export of the same is known.
fn first_column(what: Exported) -> &'static str {
    match what {
        Exported::Roster | Exported::Links => "student_id",
        Exported::Failures => "id",
    }
}

/// Writes the file whole or not at all.
async fn write_csv_file(
    file: NewFile,
    path: &Path,
    arguments: &ExportArgs,
    columns: &[&str],
    rows: Rows<'_>,
) -> Result<u64, AppError> {
    let mut writer = csv_writer(file);
    let count = write_csv(&mut writer, arguments, columns, rows).await?;
    let file = writer.into_inner().map_err(|error| anyhow::Error::from(error.into_error()));
    file.with_context(|| format!("{} cannot be written", path.display()))?.put_in_place()?;
    Ok(count)
}

/// What a file is to be, by the end of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FileForm {
    Csv,
    Workbook,
}

impl FileForm {
    fn of(path: &Path) -> Result<Self, AppError> {
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        match ending.as_deref() {
            Some("xlsx") => Ok(Self::Workbook),
            Some(ending @ ("xls" | "xlsm" | "xlsb" | "ods" | "numbers")) => Err(anyhow::anyhow!(
                "{}: rosterd writes no .{ending}: end the name in .xlsx for a workbook, or in .csv",
                path.display()
            )
            .into()),
            Some(_) | None => Ok(Self::Csv),
        }
    }
}

/// The same as a workbook, whole or not at all.
async fn write_workbook(
    file: NewFile,
    path: &Path,
    arguments: &ExportArgs,
    columns: &[&str],
    mut rows: Rows<'_>,
) -> Result<u64, AppError> {
    let cannot = || format!("{} cannot be written", path.display());
    let cell = |text: &str| if arguments.raw { text.to_owned() } else { harmless(text) };
    let sheet = arguments.what.name();
    let mut workbook = Workbook::begin(file, sheet).with_context(cannot)?;
    workbook.row(columns.iter().map(|name| cell(name))).with_context(cannot)?;
    let mut count = 0;
    while let Some(row) = rows.next().await {
        workbook.row(row?.iter().map(|text| cell(text))).with_context(cannot)?;
        count += 1;
    }
    workbook.end().with_context(cannot)?.put_in_place()?;
    Ok(count)
}

/// RFC 4180, as spreadsheets read it.
fn csv_writer<W: Write>(to: W) -> csv::Writer<W> {
    csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(to)
}

async fn write_csv<W: Write>(
    writer: &mut csv::Writer<W>,
    arguments: &ExportArgs,
    columns: &[&str],
    mut rows: Rows<'_>,
) -> Result<u64, AppError> {
    let cannot = "the export cannot be written";
    let mark = if arguments.bom { MARK } else { "" };
    let cell = |text: &str| if arguments.raw { text.to_owned() } else { harmless(text) };
    let header = columns.iter().enumerate().map(|(at, name)| {
        let name = cell(name);
        if at == 0 { format!("{mark}{name}") } else { name }
    });
    writer.write_record(header).context(cannot)?;
    let mut count = 0;
    while let Some(row) = rows.next().await {
        writer.write_record(row?.iter().map(|text| cell(text))).context(cannot)?;
        count += 1;
    }
    writer.flush().context(cannot)?;
    Ok(count)
}

async fn write_json(columns: &[&str], mut rows: Rows<'_>) -> Result<(), AppError> {
    output::print_unchanged("[");
    let mut comma = "";
    while let Some(row) = rows.next().await {
        let cells = columns.iter().map(|name| (*name).to_owned()).zip(row?.into_iter().map(Into::into));
        let object = serde_json::Value::Object(cells.collect());
        output::print_unchanged(&format!("{comma}\n  {object}"));
        comma = ",";
    }
    output::print_unchanged("\n]\n");
    Ok(())
}

/// Standard output, by the one way there is to it.
struct Stdout;

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A lot may end within a letter: what is left of it comes with the next.
        let good = match std::str::from_utf8(bytes) {
            Ok(_) => bytes.len(),
            Err(error) if error.error_len().is_none() && error.valid_up_to() > 0 => error.valid_up_to(),
            Err(error) => return Err(io::Error::other(error)),
        };
        output::print_unchanged(&String::from_utf8_lossy(bytes.get(..good).unwrap_or_default()));
        Ok(good)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A cell that no spreadsheet takes for a formula: an apostrophe is put before those that would be, and before those that
/// begin with one already, for `import` takes one off. Numbers and telephone numbers, such as +8613800138000, compute
/// nothing and stay as they are.
pub(super) fn harmless(text: &str) -> String {
    if computes(text.trim_start_matches('\'')) { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_that_a_spreadsheet_would_compute_is_made_a_text() {
        for (text, written) in [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
            ("-2+3", "'-2+3"),
            ("--2", "'--2"),
            ("\t=1", "'\t=1"),
            ("＝1", "'＝1"),
            ("+86-138", "'+86-138"),
            ("+", "'+"),
            ("-", "'-"),
            ("'-Bea", "''-Bea"),
        ] {
            assert_eq!(harmless(text), written);
        }
    }

    #[test]
    fn names_numbers_and_telephone_numbers_stay_as_they_are() {
        for text in [
            "",
            "王小明",
            "+8613800138000",
            "+86 138 0013 8000",
            "001-2125550123",
            "-5",
            "-1.5",
            "a=b",
            "007",
        ] {
            assert_eq!(harmless(text), text);
        }
    }
}
