//! A plan as one page of HTML, to print or to hand on: no script, nothing loaded from elsewhere, and names only where they
//! were asked for. `templates/plan.html` is what it looks like.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;

use anyhow::Context as _;
use askama::Template;
use futures_util::stream::TryStreamExt;

use super::Document;
use super::overview::{self, KindFigures};
use super::selection::GroupCodes;
use super::text;
use crate::commands::new_file::NewFile;
use crate::invocation::{self, Written};
use crate::run::HoldLine;
use crate::store::{RosterDatabase, RosterError};
use rosterd_core::counted::{counted, grouped};
use rosterd_core::exam_plan::{FieldLine, OperationLine, OperationSubject};
use rosterd_core::roster::StudentId;

/// Whether people are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    Hidden,
    Shown,
}

/// The students' names on the roster, by id. Personal.
pub(super) type NamesById = BTreeMap<String, String>;

/// What the page says beside the plan itself.
pub(super) struct Frame<'a> {
    /// When the plan was made, in the school's time zone.
    pub made: String,
    pub names: Names,
    pub names_by_id: &'a NamesById,
}

#[derive(Template)]
#[template(path = "plan.html")]
struct Page<'a> {
    digest: &'a str,
    made: &'a str,
    version: &'static str,
    mode: &'a str,
    mode_note: &'static str,
    names: Names,
    is_selection: bool,
    errors: Vec<String>,
    doubt: Option<&'a str>,
    students: String,
    managed: String,
    unmanaged: String,
    leavers_waiting: String,
    nothing: &'static str,
    sections: Vec<Section<'a>>,
    holds: Vec<String>,
    commands: Vec<HoldCommand>,
    problems: Vec<String>,
    notes: Vec<String>,
    closing: String,
}

/// All operations of one kind.
struct Section<'a> {
    kind: &'static str,
    title: &'static str,
    subject: &'static str,
    planned: String,
    held: String,
    skipped: String,
    cannot: String,
    places: String,
    /// Whether any of the operations changes values.
    has_values: bool,
    rows: Vec<PageRow<'a>>,
}

/// One operation.
struct PageRow<'a> {
    subject: &'a str,
    name: &'a str,
    place: String,
    what: String,
    fields: Vec<String>,
    state: &'static str,
    reason: String,
}

/// The command that lets one hold go ahead.
struct HoldCommand {
    reason: String,
    since: String,
    approve: String,
}

/// The names of all students whom the plan is about. A plan about nobody reads no roster, which may be why it is.
///
/// # Errors
/// When the roster cannot be read to its end.
pub(super) async fn names_of(
    roster: &RosterDatabase,
    operations: &[OperationLine],
) -> Result<NamesById, RosterError> {
    let mut unnamed: BTreeSet<StudentId> = operations
        .iter()
        .filter_map(|operation| match &operation.subject {
            OperationSubject::StudentId(id) => Some(StudentId::entered(id)),
            OperationSubject::GroupCode(_) => None,
        })
        .collect();
    let mut names = NamesById::new();
    if unnamed.is_empty() {
        return Ok(names);
    }
    let mut snapshot = roster.snapshot().await?;
    {
        let mut active = std::pin::pin!(snapshot.names());
        while let Some(named) = active.try_next().await? {
            if unnamed.remove(&named.student) {
                names.insert(named.student.as_str().to_owned(), named.name);
            }
        }
    }
    // Who has left may have a row still.
    for person in snapshot.people(&unnamed).await? {
        names.insert(person.student.as_str().to_owned(), person.name);
    }
    snapshot.close().await?;
    Ok(names)
}

/// Writes the page, whole or not at all.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn write(
    mut file: NewFile,
    path: &Path,
    document: &Document,
    codes: &GroupCodes,
    frame: &Frame<'_>,
) -> anyhow::Result<()> {
    let page = page(document, codes, frame);
    page.write_into(&mut file)
        .and_then(|()| file.flush())
        .with_context(|| format!("{} cannot be written", path.display()))?;
    file.put_in_place()
}

fn page<'a>(document: &'a Document, codes: &GroupCodes, frame: &'a Frame<'_>) -> Page<'a> {
    Page {
        digest: &document.digest,
        made: &frame.made,
        version: env!("CARGO_PKG_VERSION"),
        mode: &document.mode,
        mode_note: mode_note(&document.mode),
        names: frame.names,
        is_selection: document.is_selection,
        errors: completed(&document.errors),
        doubt: document.doubt.as_deref(),
        students: counted(document.students, "student"),
        managed: counted(document.managed, "managed candidate"),
        unmanaged: grouped(document.unmanaged),
        leavers_waiting: waiting(document.leavers_waiting),
        nothing: nothing(document),
        sections: sections(document, codes, frame),
        holds: completed(&document.holds),
        commands: commands(document),
        problems: completed(&document.problems),
        notes: completed(&document.notes),
        closing: text::summary(document),
    }
}

fn completed(lines: &[String]) -> Vec<String> {
    lines.iter().map(|line| invocation::complete(line, Written::Plain).into_owned()).collect()
}

/// What the mode leaves undone, in a sentence.
fn mode_note(mode: &str) -> &'static str {
    match mode {
        "observe" => "In this mode a run applies nothing.",
        "create-only" => "In this mode a run only adds students and puts them into classes.",
        "upsert" => "In this mode a run deletes nobody and takes nobody out of a class.",
        _ => "",
    }
}

fn waiting(leavers: u64) -> String {
    match leavers {
        0 => String::new(),
        1 => "1 leaver waits".to_owned(),
        _ => format!("{} wait", counted(leavers, "leaver")),
    }
}

fn nothing(document: &Document) -> &'static str {
    match (document.is_selection, document.errors.is_empty()) {
        (true, _) => "Nothing in the plan is of what was asked for.",
        (false, true) => "Nothing is to be done: the services hold what the roster wants.",
        (false, false) => "Nothing could be found out.",
    }
}

fn commands(document: &Document) -> Vec<HoldCommand> {
    let command = |hold: &HoldLine| HoldCommand {
        reason: invocation::complete(&hold.reason, Written::Plain).into_owned(),
        since: hold.since.clone(),
        approve: invocation::complete(&hold.approve, Written::Plain).into_owned(),
    };
    document.held.iter().map(command).collect()
}

fn sections<'a>(document: &'a Document, codes: &GroupCodes, frame: &'a Frame<'_>) -> Vec<Section<'a>> {
    let section = |figures: KindFigures<'a>| {
        let KindFigures { kind, states, places } = figures;
        let count = |state: &str| states.get(state).map_or_else(String::new, |count| grouped(*count));
        let of_kind = || document.operations.iter().filter(|operation| operation.kind == kind);
        Section {
            kind,
            title: title(kind),
            subject: if kind == "create" { "Group" } else { "Student" },
            planned: count("planned"),
            held: count("held"),
            skipped: count("skipped"),
            cannot: count("cannot"),
            places,
            has_values: of_kind().any(|operation| !operation.fields.is_empty()),
            rows: of_kind().map(|operation| row(operation, codes, frame)).collect(),
        }
    };
    overview::of(&document.operations, codes).into_iter().map(section).collect()
}

/// The heading of a kind's operations.
fn title(kind: &'static str) -> &'static str {
    match kind {
        "create" => "Groups created on the exam side",
        "adopt" => "Candidates taken over who are there already",
        "add" => "Students entered on the exam side",
        "modify" => "Values changed on the exam side",
        "move" => "Students moved between groups",
        "delete" => "Leavers deleted on the exam side",
        "register" => "Accounts obtained from ClassIn",
        "enrol" => "Students put into classes",
        "rename" => "Names changed in ClassIn",
        "remove" => "Students taken out of classes",
        other => other,
    }
}

fn row<'a>(operation: &'a OperationLine, codes: &GroupCodes, frame: &'a Frame<'_>) -> PageRow<'a> {
    let subject = operation.subject.as_str();
    PageRow {
        subject,
        name: frame.names_by_id.get(subject).map_or("", String::as_str),
        place: codes.places(operation).join(", "),
        what: text::what(operation),
        fields: operation.fields.iter().map(field).collect(),
        state: state(operation.state),
        reason: operation
            .reason
            .as_ref()
            .map(|reason| invocation::complete(reason, Written::Plain).into_owned())
            .unwrap_or_default(),
    }
}

/// A field with what is shown of its values.
fn field(field: &FieldLine) -> String {
    let FieldLine { name, old, new } = field;
    match (old, new) {
        (Some(old), Some(new)) => format!("{name}: {old} → {new}"),
        (None, Some(new)) => format!("{name}: → {new}"),
        (Some(old), None) => format!("{name}: {old} →"),
        (None, None) => name.clone(),
    }
}

fn state(word: &'static str) -> &'static str {
    match word {
        "planned" => "will be done",
        "skipped" => "left out",
        "cannot" => "cannot be done",
        other => other,
    }
}
