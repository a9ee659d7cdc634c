//! `relink --suggested`: who is probably one person under two ids, and carrying them over with `--yes`.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::pin::pin;

use futures_util::StreamExt as _;
use serde::Serialize;

use super::output;
use crate::app::{App, AppError, exam_side};
use crate::cli::Cli;
use crate::exit::Exit;
use crate::run::{login_column, remembered_mapping};
use rosterd_core::counted::counted;
use rosterd_core::exam_plan::{
    Fingerprint, Link, MappedField, Mapping, MemoryKey, Portraits, is_mass, masses, values_of_candidate,
    values_of_row,
};
use rosterd_core::relink::{Gone, Likeness, New, Suggestion, Suggestions};
use rosterd_core::roster::{LoginValue, StudentId};

/// What was found, and what was done.
#[derive(Serialize)]
struct SuggestionDocument {
    pairs: Vec<Pair>,
    /// The roster's columns in which pairs with the reason `values` agree.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    columns: Vec<String>,
    /// Pairs that share a student with another pair, or of whom too little else is alike: a person decides.
    unclear: Vec<Pair>,
    done: bool,
}

#[derive(Serialize)]
struct Pair {
    from: String,
    to: String,
    reasons: Vec<&'static str>,
    /// The roster's columns in which the two differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    differs: Vec<String>,
    /// Whether nothing can be compared beside what suggests the two.
    #[serde(skip)]
    is_untold: bool,
    /// Rows that were carried over.
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<u64>,
}

impl Pair {
    fn new(suggestion: &Suggestion, mapping: Option<&Mapping>) -> Self {
        let Suggestion { from, to, reasons, others } = suggestion;
        let reasons = reasons.iter().map(|reason| reason.as_str()).collect();
        let differing = |field: &&MappedField| others.differing.contains(&field.id);
        let fields = mapping.into_iter().flat_map(Mapping::fields).filter(differing);
        let differs = fields.map(|field| field.column.clone()).collect();
        let is_untold = others.are_unknown();
        Self { from: from.to_string(), to: to.to_string(), reasons, differs, is_untold, rows: None }
    }

    /// Why nothing is done without a person.
    fn doubt(&self) -> String {
        match (&self.differs[..], self.is_untold) {
            ([], false) => String::new(),
            ([], true) => "; nothing else can be compared".to_owned(),
            ([only], _) => format!("; {only} differs"),
            ([first @ .., last], _) => format!("; {} and {last} differ", first.join(", ")),
        }
    }

    fn text(&self, columns: &[String]) -> String {
        let Self { from, to, reasons, rows, differs: _, is_untold: _ } = self;
        let says = |reason: &&str| {
            if *reason == Likeness::Login.as_str() {
                format!("{to} wants the login value of {from}'s candidate")
            } else if *reason == Likeness::Wanted.as_str() {
                format!("{to} wants the login value that the roster wanted of {from}")
            } else if *reason == Likeness::Values.as_str() {
                format!(
                    "{to} has the {} of {from}, and so have most who are new of most who left",
                    columns.join(", ")
                )
            } else if *reason == Likeness::Before.as_str() {
                format!(
                    "a run found {to} and {from} alike before; one value has changed since, or others were carried over"
                )
            } else {
                "the ids differ only by blanks, punctuation, case, leading zeros or Unicode form".to_owned()
            }
        };
        let reasons: Vec<String> = reasons.iter().map(says).collect();
        let done = rows.map_or_else(String::new, |rows| format!(" ({} carried over)", counted(rows, "row")));
        format!("{from} -> {to}: {}{done}", reasons.join("; "))
    }
}

pub(super) async fn run(app: &App, cli: &Cli, yes: bool) -> Result<Exit, AppError> {
    let Compared { gone, new, moved, linked, portraits, mapping } = compare(app).await?;
    let found = Suggestions::between(&gone, &new);
    let max_delete = app.settings.guard.max_delete;
    let renumbered =
        portraits.renumbered(|_| true, |since| masses(since, |people| is_mass(max_delete, people, linked)));
    let found = renumbered.iter().fold(found, Suggestions::and_renumbered);
    let found = found.and_before(&app.state.pairs_found_before().await?, &gone, &new).weighed(&gone, &new);
    let found = found.and_chains(&gone, &new, &moved);
    let pair = |suggestion: &Suggestion| Pair::new(suggestion, mapping.as_ref());
    let mut document = SuggestionDocument {
        pairs: found.pairs.iter().map(pair).collect(),
        columns: renumbered.map(|it| it.figures.columns).unwrap_or_default(),
        unclear: found.unclear.iter().map(pair).collect(),
        done: yes,
    };
    if yes {
        let pairs: Vec<(&StudentId, &StudentId)> = found.pairs.iter().map(|it| (&it.from, &it.to)).collect();
        let rows = app.state.relink_all(&pairs).await?;
        for (rows, pair) in rows.into_iter().zip(&mut document.pairs) {
            pair.rows = Some(rows);
        }
        for (from, _) in pairs {
            app.state.note_refused_relink(from, None).await?;
        }
    }
    output::show(cli, &document, text);
    Ok(Exit::Done)
}

/// Who may be one person under two ids.
struct Compared {
    /// Linked students who are no active students of the roster.
    gone: Vec<Gone>,
    /// Active students without a candidate.
    new: Vec<New>,
    /// Linked students whose rows want another login value than their candidates have, as either.
    moved: Vec<(Gone, New)>,
    /// Linked students who are on the roster.
    linked: u64,
    /// The values of the first two.
    portraits: Portraits,
    /// Which fields are compared; absent where that is not known.
    mapping: Option<Mapping>,
}

/// Both sides come in the order of their ids, so only those who are gone and those who are new are kept.
async fn compare(app: &App) -> Result<Compared, AppError> {
    let login_at = login_position(app).await?;
    let key = app.state.planner_key().await?;
    let now_ms = app.clock.now_ms();
    let roster = app.roster().await?;
    let mut snapshot = roster.snapshot().await?;
    snapshot.require_students(app.settings.guard.min_roster).await?;
    let mut students = snapshot.students().await?;
    let mut links = pin!(app.state.links(app.state.last_complete_run().await?));
    let mapping = mapping(app).await?;
    let portraits = mapping.as_ref().map(Portraits::new).unwrap_or_default();
    let mut found =
        Compared { gone: Vec::new(), new: Vec::new(), moved: Vec::new(), linked: 0, portraits, mapping };
    let wanted = app.state.remembered_pairs().await?.wanted;
    let mut row = students.next().await?;
    let mut link = links.next().await.transpose()?;
    loop {
        let order = match (&row, &link) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(row), Some(link)) => row.student.id.cmp(&link.student),
        };
        let here = if order.is_le() { row.take() } else { None };
        let own = if order.is_ge() { link.take() } else { None };
        match (here, own) {
            (Some(here), Some(own)) if !here.student.active && here.unusable.is_none() => {
                found.leaves(own, &wanted, now_ms);
            }
            (None, Some(own)) => found.leaves(own, &wanted, now_ms),
            (Some(here), Some(own)) => {
                found.linked += 1;
                let login = login_at.and_then(|at| here.student.values.get(at));
                let login = login.and_then(|value| LoginValue::parse(value));
                if here.unusable.is_none() && login.as_ref().is_some_and(|login| *login != own.login) {
                    let gone = found.as_gone(own, &wanted);
                    let new = found.as_new(here.student.id, login, &here.student.values, &key);
                    found.moved.push((gone, new));
                }
            }
            (Some(here), None) if here.student.active && here.unusable.is_none() => {
                found.portraits.add_newcomer(&here.student.id, &here.student.values, &key);
                let login = login_at.and_then(|at| here.student.values.get(at));
                let login = login.and_then(|value| LoginValue::parse(value));
                found.comes(here.student.id, login, &here.student.values, &key);
            }
            (Some(_) | None, None) => {}
        }
        if order.is_le() {
            row = students.next().await?;
        }
        if order.is_ge() {
            link = links.next().await.transpose()?;
        }
    }
    drop(students);
    snapshot.close().await?;
    Ok(found)
}

impl Compared {
    fn leaves(&mut self, own: Link, wanted: &HashMap<StudentId, Fingerprint>, now_ms: i64) {
        self.portraits.add_leaver(&own, now_ms);
        let gone = self.as_gone(own, wanted);
        self.gone.push(gone);
    }

    fn comes(&mut self, student: StudentId, login: Option<LoginValue>, row: &[String], key: &MemoryKey) {
        let new = self.as_new(student, login, row, key);
        self.new.push(new);
    }

    fn as_gone(&self, own: Link, wanted: &HashMap<StudentId, Fingerprint>) -> Gone {
        let values =
            self.mapping.as_ref().map(|mapping| values_of_candidate(&own, mapping)).unwrap_or_default();
        let wanted = wanted.get(&own.student).copied();
        Gone { student: own.student, login: own.login, wanted, values }
    }

    fn as_new(&self, student: StudentId, login: Option<LoginValue>, row: &[String], key: &MemoryKey) -> New {
        let mapping = self.mapping.as_ref();
        let values = mapping.map(|mapping| values_of_row(row, mapping, key)).unwrap_or_default();
        let known = |login: &LoginValue| Some(key.value(mapping?.login_field(), login.as_str()));
        let wanted = login.as_ref().and_then(known);
        New { student, login, wanted, values }
    }
}

/// Where it is not known which fields the mapping means, nobody's values are compared.
async fn mapping(app: &App) -> Result<Option<Mapping>, AppError> {
    match exam_side(&app.settings, &app.clock)? {
        Some(side) => Ok(remembered_mapping(&side, &app.state).await?),
        None => Ok(None),
    }
}

/// The place of the login value among the columns that are read of a student.
async fn login_position(app: &App) -> Result<Option<usize>, AppError> {
    let Some(side) = exam_side(&app.settings, &app.clock)? else { return Ok(None) };
    let Some(column) = login_column(&side, &app.state).await? else { return Ok(None) };
    Ok(app.settings.exam.fields.iter().position(|mapping| mapping.column == column))
}

fn text(document: &SuggestionDocument) -> String {
    let SuggestionDocument { pairs, columns, unclear, done } = document;
    if pairs.is_empty() && unclear.is_empty() {
        return "Roster and links suggest no student whose id changed.".to_owned();
    }
    let mut lines: Vec<String> = pairs.iter().map(|pair| pair.text(columns)).collect();
    lines.extend(
        unclear.iter().map(|pair| format!("unclear, not done: {}{}", pair.text(columns), pair.doubt())),
    );
    let students = u64::try_from(pairs.len()).unwrap_or(u64::MAX);
    let closing = match (pairs.len(), done) {
        (0, _) => "A person decides: rosterd relink OLD NEW.".to_owned(),
        (_, true) => format!("{} carried over.", counted(students, "student")),
        (_, false) => {
            format!("{}: rosterd relink --suggested --yes carries them over.", counted(students, "student"))
        }
    };
    lines.push(closing);
    lines.join("\n")
}
