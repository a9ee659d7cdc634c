//! `plan`: what a run would do.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::summary::waiting;
use super::{output, sync};
use crate::app::{App, AppError};
use crate::cli::Cli;
use crate::exit::Exit;
use crate::run::{self, Attentions, HoldLine, Intended, RunReport, Severity};
use crate::store::FullClassFigures;
use rosterd_core::counted::{counted, counted_len};
use rosterd_core::exam_plan::{OperationLine, PlanDocument, ValueDisplay, with_digest};
use rosterd_core::failure::OperationKey;

#[derive(Clone, Copy, Default)]
pub(super) struct Options {
    pub(super) reveal: bool,
    pub(super) unmanaged: bool,
    pub(super) detailed_exitcode: bool,
}

/// Both services' plans as one document.
#[derive(Serialize)]
struct Document {
    digest: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    held_digest: Option<String>,
    operations: Vec<OperationLine>,
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
    /// Classes that had no room when they were last asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    full_classes: Vec<FullClassFigures>,
}

pub(super) async fn run(app: &App, cli: &Cli, options: Options) -> Result<Exit, AppError> {
    let stop = sync::stop_on_signals();
    let mut context = app.context(sync::progress(cli), stop).await?;
    if let Some(side) = &mut context.exam {
        side.keep_unmanaged = options.unmanaged;
    }
    let (report, intended) = run::plan(&context).await?;
    let values = if options.reveal { ValueDisplay::Revealed } else { ValueDisplay::Masked };
    let full_classes = app.state.full_class_figures().await?;
    let document = Document { full_classes, ..document(&report, &intended, values) };
    output::show(cli, &document, text);
    app.state.close().await;
    let changes = document.operations.iter().any(|operation| operation.state == "planned");
    Ok(exit(&report, options.detailed_exitcode && changes))
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
        full_classes: Vec::new(),
    }
}

/// Says of everything that is held since when it is, and by which limit.
fn say_since(operations: &mut [OperationLine], report: &RunReport) {
    let holds = report.exam.held_for.iter().chain(&report.classin.held_for).zip(&report.holds);
    let held = holds.flat_map(|(hold, line)| hold.operations.iter().map(move |one| (&one.key, line)));
    let by_key: HashMap<(&str, &str, &str), &HoldLine> = held
        .map(|(OperationKey { kind, student, class_key }, line)| {
            // A group is named by its code alone, in the plan as in the key.
            let (subject, class) = match student.as_str() {
                "" => (class_key.as_str(), ""),
                student => (student, class_key.as_str()),
            };
            ((kind.as_str(), subject, class), line)
        })
        .collect();
    for operation in operations.iter_mut().filter(|operation| operation.state == "held") {
        let class = match operation.kind {
            "enrol" | "remove" => operation.fields.first().map_or("", String::as_str),
            _ => "",
        };
        let Some(hold) = by_key.get(&(operation.kind, operation.subject.as_str(), class)) else { continue };
        operation.since = Some(hold.since.clone());
        operation.reason = operation.reason.take().map(|reason| with_digest(&reason, &hold.digest));
        let figure = |figure: Option<i64>| figure.and_then(|figure| u64::try_from(figure).ok());
        operation.reason_code.get_or_insert_with(|| hold.reason_code.clone());
        operation.count = operation.count.or_else(|| figure(hold.count));
        operation.limit = operation.limit.or_else(|| figure(hold.limit));
    }
}

/// The first character and the length: enough to tell two login values apart on a screen, too little to
/// identify a person.
pub(super) fn masked(login: &str) -> String {
    let first: String = login.chars().take(1).collect();
    format!("{first}… ({})", counted_len(login.chars().count(), "character"))
}

fn text(document: &Document) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    for line in full_classes(document) {
        let _infallible = writeln!(text, "{line}");
    }
    for operation in document.operations.iter().filter(|operation| !waits_for_room(operation)) {
        let reason = operation.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let _infallible =
            writeln!(text, "{} {}  {}{reason}", sign(operation), operation.subject.as_str(), what(operation));
    }
    for login in document.unmanaged_candidates.iter().flatten() {
        let _infallible = writeln!(text, "  unmanaged: {login}");
    }
    for (title, lines) in [
        ("roster", &document.problems),
        ("held", &document.holds),
        ("note", &document.notes),
        ("error", &document.errors),
    ] {
        for line in lines {
            let _infallible = writeln!(text, "{title}: {line}");
        }
    }
    for attention in document.attention.values() {
        let _infallible = writeln!(text, "attention: {}", attention.what);
    }
    if let Some(approve) = &document.approve {
        let _infallible = writeln!(text, "{}: {approve}", output::way_on(approve));
    }
    for hold in &document.held {
        let _infallible = writeln!(text, "{}", hold_text(hold));
    }
    if document.leavers_waiting > 0 {
        let _infallible = writeln!(text, "{} for exam.delete_grace.", waiting(document.leavers_waiting));
    }
    let _infallible = writeln!(
        text,
        "Plan {}: {}. {}, {}, {} unmanaged.",
        document.digest,
        summary(document),
        counted(document.students, "student"),
        counted(document.managed, "managed candidate"),
        document.unmanaged
    );
    text
}

/// What is held for which reason, since when, and the command that lets just that go ahead.
fn hold_text(hold: &HoldLine) -> String {
    let HoldLine { service, reason_code, operations, since, approve, .. } = hold;
    let operations = counted(u64::try_from(*operations).unwrap_or(0), "operation");
    format!("held since {since}: {service} {reason_code}, {operations}: {approve}")
}

/// The kind and its detail, each said once.
fn what(operation: &OperationLine) -> String {
    let (kind, detail) = (operation.kind, operation.detail.as_str());
    match detail.strip_prefix(kind).filter(|rest| rest.is_empty() || rest.starts_with([':', ' '])) {
        Some(_) => detail.to_owned(),
        None if detail.is_empty() => kind.to_owned(),
        None => format!("{kind}: {detail}"),
    }
}

/// An operation that this run leaves undone keeps the sign of its kind, followed by the reason; an enrolment that waits
/// has the sign of what cannot be done.
fn sign(operation: &OperationLine) -> char {
    match (operation.state, operation.kind) {
        ("held", _) => '=',
        ("cannot", _) => '!',
        ("skipped", "enrol" | "remove" | "register" | "rename") if waits(operation) => '!',
        (_, "create" | "add" | "adopt" | "enrol" | "register") => '+',
        (_, "modify" | "rename") => '~',
        (_, "move") => '>',
        _ => '-',
    }
}

/// Whether something keeps it from going ahead that is no setting.
fn waits(operation: &OperationLine) -> bool {
    operation.reason_code.as_deref() != Some("mode")
}

/// Whether it is one of many that wait for room in a class: they are one line.
fn waits_for_room(operation: &OperationLine) -> bool {
    operation.reason_code.as_deref() == Some("class-full")
}

/// One line for each class without room.
fn full_classes(document: &Document) -> Vec<String> {
    let mut waiting: BTreeMap<&str, u64> = BTreeMap::new();
    for operation in document.operations.iter().filter(|operation| waits_for_room(operation)) {
        *waiting.entry(operation.fields.first().map_or("", String::as_str)).or_default() += 1;
    }
    let line = |(class, waiting): (&str, u64)| {
        let figures = document.full_classes.iter().find(|figures| figures.class_code == class);
        let inside = figures.map_or(0, |figures| figures.inside);
        format!(
            "! {class}: {inside} in, {waiting} wait: the class is full: rosterd asks again within the hour, or when the \
             roster changes"
        )
    };
    waiting.into_iter().map(line).collect()
}

fn summary(document: &Document) -> String {
    if document.counts.is_empty() {
        return if document.errors.is_empty() { "nothing to do" } else { "nothing could be found out" }
            .to_owned();
    }
    let counts: Vec<String> = document
        .counts
        .iter()
        .map(|(kind, states)| {
            let of = |state: &str| states.get(state).copied().unwrap_or(0);
            let others: Vec<String> = ["held", "skipped", "cannot"]
                .into_iter()
                .filter(|state| of(state) > 0)
                .map(|state| format!("{} {state}", of(state)))
                .collect();
            let others = if others.is_empty() { String::new() } else { format!(" ({})", others.join(", ")) };
            format!("{} {kind}{others}", of("planned"))
        })
        .collect();
    counts.join(", ")
}
