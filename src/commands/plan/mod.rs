//! `plan`: what a run would do.

mod overview;
mod page;
mod selection;
mod text;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;

use self::page::{Frame, Names, NamesById};
use self::selection::{GroupCodes, Selection};
use self::text::Amount;
use super::approved::Approvals;
use super::new_file::{Existing, NewFile};
use super::{output, sync};
use crate::app::{App, AppError};
use crate::cli::{Cli, PlanArgs};
use crate::daemon::schedule::in_words;
use crate::exit::Exit;
use crate::run::{self, Attentions, HoldLine, Intended, RunReport, Severity};
use crate::store::{FailureRow, FullClassFigures};
use rosterd_core::counted::counted_len;
use rosterd_core::exam_plan::{
    IGNORE, OperationLine, OperationSubject, PlanDocument, RELINK_SUGGESTED, ValueDisplay, with_digest,
    with_failure,
};
use rosterd_core::failure::OperationKey;
use rosterd_core::roster::shell_word;

/// What `--sync-now --dry-run` shows.
pub(super) fn without_options(detailed_exitcode: bool) -> PlanArgs {
    PlanArgs { detailed_exitcode, ..PlanArgs::default() }
}

/// Both services' plans as one document.
#[derive(Serialize)]
struct Document {
    digest: String,
    held_digest: Option<String>,
    operations: Vec<OperationLine>,
    /// Of the whole plan, whatever was asked for.
    counts: BTreeMap<String, BTreeMap<String, u64>>,
    students: u64,
    managed: u64,
    unmanaged: u64,
    leavers_waiting: u64,
    #[serde(skip_serializing_if = "Attentions::is_empty")]
    attention: Attentions,
    #[serde(skip_serializing_if = "Option::is_none")]
    unmanaged_candidates: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    doubt: Option<String>,
    holds: Vec<String>,
    /// The same as a report has them: each reason once, since when, with its digest.
    held: Vec<HoldLine>,
    notes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approve: Option<String>,
    problems: Vec<String>,
    errors: Vec<String>,
    /// The services that could not be seen, so that nothing of them is shown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unseen: Vec<&'static str>,
    /// Classes that had no room when they were last asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    full_classes: Vec<FullClassFigures>,
    /// Whether only a part of the operations was asked for.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_selection: bool,
    #[serde(skip)]
    mode: String,
}

pub(super) async fn run(app: &App, cli: &Cli, arguments: &PlanArgs) -> Result<Exit, AppError> {
    // What cannot be written is said before a service is asked.
    let existing = Existing::of(arguments.replace);
    let create = |path| NewFile::create(&app.settings, cli.config.as_deref(), path, existing);
    let file = arguments.html.as_deref().map(|path| create(path).map(|file| (file, path))).transpose()?;
    let stop = sync::stop_on_signals(None);
    let mut context = app.context(sync::progress(cli), stop).await?;
    if let Some(side) = &mut context.exam {
        side.keep_unmanaged = arguments.unmanaged;
    }
    let (report, intended) = run::plan(&context).await?;
    let values = if arguments.reveal { ValueDisplay::Revealed } else { ValueDisplay::Masked };
    let full_classes = app.state.full_class_figures().await?;
    let mut document = Document { full_classes, ..document(&report, &intended, values) };
    name_failures(&mut document.operations, &app.state.open_failures().await?);
    Approvals::read(app).await?.mark_operations(&mut document.operations);
    let changes = document.operations.iter().any(|operation| operation.state == "planned");
    let codes = GroupCodes::of(&context.roster).await;
    codes.name_groups(&mut document.operations);
    let selection = Selection::of(arguments, &codes);
    if !selection.is_everything() {
        select(&mut document, &selection, &report);
    }
    if let Some((file, path)) = file {
        let names = match values {
            ValueDisplay::Revealed => {
                (Names::Shown, page::names_of(&context.roster, &document.operations).await?)
            }
            ValueDisplay::Masked => (Names::Hidden, NamesById::new()),
        };
        let made = in_words(app.clock.now(), &app.settings.schedule.time_zone);
        let frame = Frame { made, names: names.0, names_by_id: &names.1 };
        page::write(file, path, &document, &codes, &frame)?;
    }
    let amount = if arguments.all { Amount::All } else { Amount::First };
    output::show(cli, &document, |document| {
        let text = text::text(document, &codes, amount);
        match &arguments.html {
            Some(path) => format!("{text}Written to {}.\n", path.display()),
            None => text,
        }
    });
    app.state.close().await;
    Ok(exit(&report, arguments.detailed_exitcode && changes))
}

/// A plan ends as a run would begin: what cannot be read is an error, what is to be done is not.
fn exit(report: &RunReport, changes: bool) -> Exit {
    let only_to_do = report.severity == Severity::Incomplete && report.errors.is_empty();
    let unread = if only_to_do { Exit::Done } else { report.severity.into() };
    if changes { unread.worst(Exit::Changes) } else { unread }
}

fn document(report: &RunReport, intended: &Intended, values: ValueDisplay) -> Document {
    let exam = intended.exam.as_ref().map(|planned| PlanDocument::new(&planned.plan, values));
    let mut operations = Vec::new();
    let mut doubt = None;
    if let Some(exam) = exam {
        operations.extend(exam.operations);
        doubt = exam.doubt;
    }
    operations.extend(intended.classin.operations.iter().cloned());
    say_since(&mut operations, report);
    // Operations that take something away come last, for both services; the order is otherwise kept.
    operations.sort_by_key(|operation| matches!(operation.kind, "delete" | "remove"));
    let mut counts: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for operation in &operations {
        let by_state = counts.entry(operation.kind.to_owned()).or_default();
        *by_state.entry(operation.state.to_owned()).or_default() += 1;
    }
    Document {
        digest: report.digest.clone(),
        held_digest: report.held_digest.clone(),
        operations,
        counts,
        students: report.exam.students,
        managed: report.exam.managed,
        unmanaged: report.exam.unmanaged,
        // They are largely the same people.
        leavers_waiting: report.exam.leavers_waiting.max(report.classin.leavers_waiting),
        attention: report.attention.clone(),
        unmanaged_candidates: intended.exam.as_ref().and_then(|planned| planned.unmanaged.as_ref()).map(
            |logins| match values {
                ValueDisplay::Revealed => logins.clone(),
                ValueDisplay::Masked => logins.iter().map(|login| masked(login)).collect(),
            },
        ),
        doubt,
        holds: report.exam.holds.iter().chain(&report.classin.holds).cloned().collect(),
        held: report.holds.clone(),
        notes: report.exam.notes.iter().chain(&report.classin.notes).cloned().collect(),
        approve: report.approve.clone(),
        problems: report.exam.problems.iter().chain(&report.classin.problems).cloned().collect(),
        errors: report.errors.clone(),
        unseen: unseen(report, intended),
        full_classes: Vec::new(),
        is_selection: false,
        mode: report.mode.clone(),
    }
}

/// What could not be planned, as a listing, a question or the account gave no answer.
fn unseen(report: &RunReport, intended: &Intended) -> Vec<&'static str> {
    let exam = report.exam.enabled && intended.exam.is_none();
    let classin = report.classin.enabled && intended.classin.digest.is_empty();
    [("exam", exam), ("classin", classin)].into_iter().filter(|(_, is)| *is).map(|(word, _)| word).collect()
}

/// What may be silenced names the failure by which it is, where a run has recorded one.
pub(super) fn name_failures(operations: &mut [OperationLine], failures: &[FailureRow]) {
    for operation in operations {
        let Some(reason) = operation.reason.take_if(|reason| reason.contains(IGNORE)) else { continue };
        let class = operation.class.as_deref().unwrap_or_default();
        let is_its = |row: &&FailureRow| {
            row.kind.as_str() == operation.kind
                && operation.subject.is_student(&row.student_id)
                && row.class_code == class
        };
        let id = failures.iter().find(is_its).map(|row| row.id);
        operation.reason = Some(with_failure(&reason, id));
    }
}

/// The hold of each operation that is held.
struct HoldIndex<'a>(HashMap<(&'a str, &'a str, &'a str), &'a HoldLine>);

impl<'a> HoldIndex<'a> {
    fn of(report: &'a RunReport) -> Self {
        let holds = report.exam.held_for.iter().chain(&report.classin.held_for).zip(&report.holds);
        let held = holds.flat_map(|(hold, line)| hold.operations.iter().map(move |one| (&one.key, line)));
        let by_key = held.map(|(OperationKey { kind, student, class_key }, line)| {
            // A group is named by its code alone, in the plan as in the key.
            let (subject, class) = match student.as_str() {
                "" => (class_key.as_str(), ""),
                student => (student, class_key.as_str()),
            };
            ((kind.as_str(), subject, class), line)
        });
        Self(by_key.collect())
    }

    fn find(&self, operation: &OperationLine) -> Option<&'a HoldLine> {
        let class = operation.class.as_deref().unwrap_or_default();
        let is_held = operation.state == "held";
        let key = (operation.kind, operation.subject.as_str(), class);
        self.0.get(&key).copied().filter(|_| is_held)
    }
}

/// Says of everything that is held since when it is, and by which limit.
fn say_since(operations: &mut [OperationLine], report: &RunReport) {
    let holds = HoldIndex::of(report);
    for operation in operations {
        let Some(hold) = holds.find(operation) else { continue };
        operation.since = Some(hold.since.clone());
        operation.reason = operation.reason.take().map(|reason| with_digest(&reason, &hold.digest));
        let figure = |figure: Option<i64>| figure.and_then(|figure| u64::try_from(figure).ok());
        operation.reason_code.get_or_insert_with(|| hold.reason_code.clone());
        operation.count = operation.count.or_else(|| figure(hold.count));
        operation.limit = operation.limit.or_else(|| figure(hold.limit));
    }
}

/// Leaves what was asked for, and the holds of that alone: what lets everything go is not the answer to a question about
/// one student.
fn select(document: &mut Document, selection: &Selection<'_>, report: &RunReport) {
    document.is_selection = true;
    document.operations.retain(|operation| selection.has(operation));
    let holds = HoldIndex::of(report);
    let mut asked: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for operation in &document.operations {
        let Some(hold) = holds.find(operation) else { continue };
        let students = asked.entry(&hold.digest).or_default();
        match &operation.subject {
            OperationSubject::StudentId(id) => students.insert(format!(" --student {}", shell_word(id))),
            // A group is approved with its hold alone.
            OperationSubject::GroupCode(_) => false,
        };
    }
    document.held.retain(|hold| asked.contains_key(hold.digest.as_str()));
    for hold in document.held.iter_mut().filter(|hold| hold.approve != RELINK_SUGGESTED) {
        let students: String = asked.get(hold.digest.as_str()).into_iter().flatten().cloned().collect();
        hold.approve = format!("rosterd approve {}{students}", hold.digest);
    }
    document.holds = document.held.iter().map(|hold| hold.reason.clone()).collect();
    document.held_digest = None;
    document.approve = None;
}

/// The first character and the length: enough to tell two login values apart on a screen, too little to
/// identify a person.
pub(super) fn masked(login: &str) -> String {
    let first: String = login.chars().take(1).collect();
    format!("{first}… ({})", counted_len(login.chars().count(), "character"))
}
