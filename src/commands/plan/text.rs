//! A plan as people read it: in short first, then the first operations of each kind.

use std::collections::BTreeMap;

use super::Document;
use super::overview::{self, KindFigures};
use super::selection::GroupCodes;
use crate::commands::output;
use crate::run::HoldLine;
use rosterd_core::counted::{counted, counted_len, grouped};
use rosterd_core::exam_plan::OperationLine;

/// How many operations of a kind are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Amount {
    /// The first few.
    First,
    All,
}

/// So many operations of a kind, and lines of another sort, are shown unless all are asked for. A plan that has no more
/// operations altogether is its own summary.
const FIRST: usize = 10;

pub(super) fn text(document: &Document, codes: &GroupCodes, amount: Amount) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    if document.operations.len() > FIRST {
        text.push_str(&overview(document, codes));
    }
    for line in full_classes(document) {
        let _infallible = writeln!(text, "{line}");
    }
    let mut hidden: Vec<(&str, u64)> = Vec::new();
    let mut shown: BTreeMap<&str, usize> = BTreeMap::new();
    for operation in document.operations.iter().filter(|operation| !waits_for_room(operation)) {
        let of_kind = shown.entry(operation.kind).or_default();
        *of_kind += 1;
        if amount == Amount::First && *of_kind > FIRST {
            match hidden.iter_mut().find(|(kind, _)| *kind == operation.kind) {
                Some((_, count)) => *count += 1,
                None => hidden.push((operation.kind, 1)),
            }
            continue;
        }
        let reason = operation.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let _infallible =
            writeln!(text, "{} {}  {}{reason}", sign(operation), operation.subject.as_str(), what(operation));
    }
    for (kind, more) in hidden {
        let _infallible =
            writeln!(text, "… and {} more of {kind}: rosterd plan --kind {kind} --all", grouped(more));
    }
    if document.is_selection && document.operations.is_empty() {
        text.push_str("Nothing in the plan is of what was asked for.\n");
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
        let first = if amount == Amount::All { lines.len() } else { FIRST };
        for line in lines.iter().take(first) {
            let _infallible = writeln!(text, "{title}: {line}");
        }
        if let Some(more) = lines.len().checked_sub(first).filter(|more| *more > 0) {
            let _infallible = writeln!(text, "{title}: … and {more} more: rosterd plan --all");
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
    let _infallible = writeln!(text, "Plan {}: {}.{}", document.digest, summary(document), figures(document));
    for service in &document.unseen {
        let _infallible = writeln!(text, "{}", unseen_text(service));
    }
    text
}

/// How many there are on either side, as far as that could be seen.
fn figures(document: &Document) -> String {
    if document.unseen.contains(&"exam") {
        return String::new();
    }
    let (students, managed) =
        (counted(document.students, "student"), counted(document.managed, "managed candidate"));
    format!(" {students}, {managed}, {} unmanaged.", document.unmanaged)
}

/// What is missing from the plan because the service could not be seen.
fn unseen_text(service: &str) -> String {
    let name = if service == "exam" { "The exam side" } else { "ClassIn's part" };
    format!(
        "{name} could not be seen (see error above): this plan shows nothing of it, and a run would change nothing there."
    )
}

/// What is held for which reason, since when, and the command that lets just that go ahead.
fn hold_text(hold: &HoldLine) -> String {
    let HoldLine { service, reason_code, operations, since, approve, .. } = hold;
    let operations = counted(u64::try_from(*operations).unwrap_or(0), "operation");
    format!("held since {since}: {service} {reason_code}, {operations}: {approve}")
}

/// The kind and its detail, each said once.
pub(super) fn what(operation: &OperationLine) -> String {
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
    let mut waiting: BTreeMap<&str, (u64, &str)> = BTreeMap::new();
    for operation in document.operations.iter().filter(|operation| waits_for_room(operation)) {
        let (count, reason) = waiting.entry(operation.class.as_deref().unwrap_or_default()).or_default();
        *count += 1;
        *reason = operation.reason.as_deref().unwrap_or_default();
    }
    let line = |(class, (waiting, reason)): (&str, (u64, &str))| {
        let figures = document.full_classes.iter().find(|figures| figures.class_code == class);
        let inside = figures.map_or(0, |figures| figures.inside);
        format!("! {class}: {inside} in, {waiting} wait: {reason}")
    };
    waiting.into_iter().map(line).collect()
}

/// How many operations of each kind, and in which groups or classes the most of them are.
fn overview(document: &Document, codes: &GroupCodes) -> String {
    use std::fmt::Write;
    let count = counted_len(document.operations.len(), "operation");
    let mut text = format!("In short (mode {}): {count}\n", document.mode);
    for KindFigures { kind, states, places } in overview::of(&document.operations, codes) {
        let states = states.iter().map(|(state, count)| format!("{} {state}", grouped(*count)));
        let states = states.collect::<Vec<_>>().join(", ");
        let places = if places.is_empty() { String::new() } else { format!(" (in {places})") };
        let _infallible = writeln!(text, "  {kind}: {states}{places}");
    }
    text.push('\n');
    text
}

pub(super) fn summary(document: &Document) -> String {
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
