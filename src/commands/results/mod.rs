//! `results`: pulls exam results into our own database, and shows or exports what is there. Never a name.

use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt as _;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::export::harmless;
use super::{output, sync};
use crate::app::{App, AppError, exam_side};
use crate::cli::results::{ExportForm, ResultsAction, ResultsArgs, WhichResults};
use crate::cli::{Cli, OutputFormat};
use crate::clock::Clock;
use crate::exit::{Exit, exit_code};
use crate::run::{Progress, ResultsPull, ResultsReport, moment, pull_results};
use crate::settings::Settings;
use crate::store::{ResultFilter, StateStore, StoreError, StudentResult};
use rosterd_core::counted::counted;
use rosterd_core::roster::{Attempt, ExamId, StudentId};

/// The default number of results shown as text.
const SHOWN: u32 = 100;
/// Rows that are written at once.
const CHUNK: usize = 500;

pub(super) async fn run(app: &App, cli: &Cli, args: &ResultsArgs) -> Result<Exit, AppError> {
    match &args.action {
        None => pull(app, cli, args.full).await,
        Some(ResultsAction::List { which, limit }) => list(app, cli, which, *limit).await,
        Some(ResultsAction::Export { form, which }) => export(app, *form, which, None).await,
    }
}

async fn pull(app: &App, cli: &Cli, in_full: bool) -> Result<Exit, AppError> {
    let _lock = app.lock()?;
    let stop = sync::stop_on_signals(None);
    let (state, clock) = (app.state.clone(), app.clock.clone());
    let mut pull = prepare(&app.settings, state, clock, sync::progress(cli), stop)?;
    if in_full {
        pull.full_every = Duration::ZERO;
    }
    let report = pull_results(&pull).await;
    output::show(cli, &report, pulled_text);
    app.state.close().await;
    Ok(report.severity.into())
}

/// Everything that a pull under these settings works with.
pub(super) fn prepare(
    settings: &Settings,
    state: StateStore,
    clock: Clock,
    progress: Progress,
    stop: CancellationToken,
) -> Result<ResultsPull, AppError> {
    let missing = settings.missing_credentials();
    if let Some(problem) = missing.iter().find(|problem| problem.key.starts_with("exam.")) {
        return Err(AppError::Credentials(problem.to_string()));
    }
    let Some(exam) = exam_side(settings, &clock)? else {
        let what = "exam.enabled is false: there is no service to pull results from";
        return Err(AppError::Credentials(what.to_owned()));
    };
    Ok(ResultsPull { state, exam, full_every: settings.results.full_every, clock, progress, stop, exit_code })
}

/// The filter that the command line asks for, in the store's terms.
fn filter(which: &WhichResults) -> ResultFilter {
    let WhichResults { exam, student, since, until, reveal: _ } = which;
    ResultFilter {
        exam: exam.map(ExamId),
        student: student.clone().map(StudentId::new),
        since_ms: *since,
        until_ms: *until,
    }
}

fn pulled_text(report: &ResultsReport) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    for error in &report.errors {
        let _infallible = writeln!(text, "error: {error}");
    }
    let way = match (report.full, report.resumed) {
        (true, true) => ", the whole list, where the last pull was cut off",
        (true, false) => ", the whole list",
        (false, true) => ", where the last pull was cut off",
        (false, false) => "",
    };
    let _infallible = writeln!(
        text,
        "Results {}: {} new, {} changed ({} read{way}).",
        report.outcome.as_str(),
        report.new,
        report.changed,
        counted(report.pages, "page")
    );
    let whose = &report.whose;
    let _infallible = writeln!(
        text,
        "{} {} kept: {} of students, {} of candidates that are deleted, {} of others.",
        counted(report.stored, "result"),
        if report.stored == 1 { "is" } else { "are" },
        whose.managed,
        whose.deleted,
        whose.unmanaged
    );
    if report.no_longer_listed > 0 {
        let _infallible =
            writeln!(text, "No longer listed by the service: {} of them.", report.no_longer_listed);
    }
    if report.unreadable_rows > 0 {
        let _infallible = writeln!(
            text,
            "{} cannot be read and {} skipped.",
            counted(report.unreadable_rows, "row"),
            if report.unreadable_rows == 1 { "is" } else { "are" }
        );
    }
    if report.doubled_rows > 0 {
        let _infallible = writeln!(
            text,
            "{} {} listed more than once for one exam, candidate and second.",
            counted(report.doubled_rows, "result"),
            if report.doubled_rows == 1 { "is" } else { "are" }
        );
    }
    if report.unreadable > 0 {
        let _infallible = writeln!(
            text,
            "{} left out, as {} no number.",
            counted(report.unreadable, "value"),
            if report.unreadable == 1 { "it is" } else { "each is" }
        );
    }
    text
}

/// One result as it is shown. Times are RFC 3339 in UTC.
#[derive(Serialize)]
struct ResultLine {
    exam_id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    student_id: Option<String>,
    /// `managed`, `deleted` or `unmanaged`.
    candidate: &'static str,
    sid: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    login_value: Option<String>,
    started_at: Option<String>,
    ended_at: Option<String>,
    status: String,
    score: Option<f64>,
    passed: Option<bool>,
    tid: Option<String>,
}

impl ResultLine {
    fn new(result: StudentResult, reveal: bool) -> Self {
        let StudentResult { attempt, student, candidate: standing } = result;
        let Attempt { key, tid, login, score, passed, status, ended_at_ms } = attempt;
        Self {
            exam_id: key.exam.0,
            student_id: student.map(|student| student.as_str().to_owned()),
            candidate: standing.as_str(),
            sid: key.sid.0,
            login_value: login.filter(|_| reveal).map(|login| login.as_str().to_owned()),
            started_at: (key.started_at_ms > 0).then(|| moment(key.started_at_ms)),
            ended_at: ended_at_ms.map(moment),
            status: status.to_string(),
            score,
            passed,
            tid,
        }
    }

    fn text(&self) -> String {
        let student =
            self.student_id.as_ref().map_or("nobody known".to_owned(), |id| format!("student {id}"));
        let score = self.score.map_or("no score".to_owned(), |score| format!("score {score}"));
        let passed = match self.passed {
            Some(true) => ", passed",
            Some(false) => ", not passed",
            None => "",
        };
        let login = self.login_value.as_ref().map(|login| format!(", login {login}")).unwrap_or_default();
        format!(
            "{:20}  exam {}  {student}  {score}{passed}, {} ({} candidate {}{login})",
            self.started_at.as_deref().unwrap_or("-"),
            self.exam_id,
            self.status,
            self.candidate,
            self.sid
        )
    }

    fn cells(&self, reveal: bool) -> Vec<String> {
        let text = |cell: &Option<String>| cell.clone().unwrap_or_default();
        let mut cells = vec![
            self.exam_id.to_string(),
            text(&self.student_id),
            self.candidate.to_owned(),
            self.sid.to_string(),
            text(&self.started_at),
            text(&self.ended_at),
            self.status.clone(),
            self.score.map(|score| score.to_string()).unwrap_or_default(),
            self.passed.map(|passed| passed.to_string()).unwrap_or_default(),
            text(&self.tid),
        ];
        if reveal {
            cells.push(text(&self.login_value));
        }
        cells
    }
}

const HEADER: [&str; 10] = [
    "exam_id",
    "student_id",
    "candidate",
    "sid",
    "started_at",
    "ended_at",
    "status",
    "score",
    "passed",
    "tid",
];

async fn list(app: &App, cli: &Cli, which: &WhichResults, limit: Option<u32>) -> Result<Exit, AppError> {
    if cli.output == OutputFormat::Json {
        return export(app, ExportForm::Json, which, limit).await;
    }
    let limit = limit.unwrap_or(SHOWN);
    let mut rows = pin!(app.state.results(&filter(which), Some(limit)));
    let mut shown = 0_u64;
    while let Some(row) = rows.next().await.transpose()? {
        output::print(&ResultLine::new(row, which.reveal).text());
        shown += 1;
    }
    let matching = app.state.count_matching_results(&filter(which)).await?;
    output::print(&match (shown, matching) {
        (_, 0) => "No results.".to_owned(),
        (shown, all) if shown < all => format!("{shown} of {}; --limit shows more.", counted(all, "result")),
        (_, all) => format!("{}.", counted(all, "result")),
    });
    Ok(Exit::Done)
}

/// Writes rows as they come, so that memory stays flat.
async fn export(
    app: &App,
    form: ExportForm,
    which: &WhichResults,
    limit: Option<u32>,
) -> Result<Exit, AppError> {
    let rows = app.state.results(&filter(which), limit);
    let mut chunks = pin!(rows.chunks(CHUNK));
    let mut sheet = Sheet { form, reveal: which.reveal, is_begun: false };
    output::print_unchanged(&sheet.head()?);
    while let Some(chunk) = chunks.next().await {
        let rows: Vec<StudentResult> = chunk.into_iter().collect::<Result<_, StoreError>>()?;
        output::print_unchanged(&sheet.rows(rows)?);
    }
    output::print_unchanged(sheet.foot());
    Ok(Exit::Done)
}

/// An export, written piece by piece.
struct Sheet {
    form: ExportForm,
    reveal: bool,
    is_begun: bool,
}

impl Sheet {
    fn head(&self) -> anyhow::Result<String> {
        match self.form {
            ExportForm::Json => Ok("[".to_owned()),
            ExportForm::Csv => {
                let mut header: Vec<String> = HEADER.map(str::to_owned).into();
                if self.reveal {
                    header.push("login_value".to_owned());
                }
                csv_text([header])
            }
        }
    }

    fn rows(&mut self, rows: Vec<StudentResult>) -> anyhow::Result<String> {
        let lines = rows.into_iter().map(|row| ResultLine::new(row, self.reveal));
        match self.form {
            ExportForm::Csv => csv_text(lines.map(|line| harmless_cells(&line.cells(self.reveal)))),
            ExportForm::Json => {
                let mut text = String::new();
                for line in lines {
                    text.push_str(if std::mem::replace(&mut self.is_begun, true) { ",\n  " } else { "\n  " });
                    text.push_str(&serde_json::to_string(&line)?);
                }
                Ok(text)
            }
        }
    }

    fn foot(&self) -> &'static str {
        match (self.form, self.is_begun) {
            (ExportForm::Csv, _) => "",
            (ExportForm::Json, true) => "\n]\n",
            (ExportForm::Json, false) => "]\n",
        }
    }
}

/// Cells that no spreadsheet computes: ids and login values are the school's own texts.
fn harmless_cells(cells: &[String]) -> Vec<String> {
    cells.iter().map(|cell| harmless(cell)).collect()
}

fn csv_text(rows: impl IntoIterator<Item = Vec<String>>) -> anyhow::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(&row)?;
    }
    Ok(String::from_utf8(writer.into_inner().map_err(csv::IntoInnerError::into_error)?)?)
}
