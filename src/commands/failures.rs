//! `failures`: what waits for a person.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use super::approved::Approvals;
use super::output;
use super::wall_clock::WallClock;
use crate::app::{App, AppError};
use crate::cli::{Cli, FailuresAction};
use crate::exit::Exit;
use crate::store::{FailureRow, FullClassFigures};
use rosterd_core::classin_plan::Code;
use rosterd_core::counted::counted_len;
use rosterd_core::failure::{FailureCode, FailureOwner, FailureState, Service};

#[derive(Serialize)]
struct Changed {
    changed: u64,
    /// What `--all` leaves held.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    still_held: Vec<FailureRow>,
    /// What `--all` leaves as it is, because somebody would lose the place that they have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    keep_places: Vec<FailureRow>,
}

impl Changed {
    fn silenced(&self) -> String {
        let mut text = match self.changed {
            1 => "1 silenced until its row changes.".to_owned(),
            more => format!("{more} silenced until their rows change."),
        };
        for FailureRow { id, student_id, .. } in &self.still_held {
            text.push_str(&format!(
                "\nNot silenced: rows still name student {student_id}, and to ignore that says that they have left; if \
                 they have: rosterd failures ignore {id}"
            ));
        }
        for FailureRow { id, student_id, class_code, .. } in &self.keep_places {
            let (who, verb) = match student_id.as_str() {
                "" => (format!("the students of {class_code}"), "keep"),
                student => (format!("student {student}"), "keeps"),
            };
            text.push_str(&format!(
                "\nNot silenced: {who} {verb} a place in class until this is settled, and to ignore it takes them out; if \
                 that is right: rosterd failures ignore {id}"
            ));
        }
        text
    }
}

pub(super) async fn run(
    app: &App,
    cli: &Cli,
    whose: Option<FailureOwner>,
    action: Option<&FailuresAction>,
) -> Result<Exit, AppError> {
    let (ids, all, to) = match action {
        None | Some(FailuresAction::List) => {
            let mut rows = app.state.open_failures().await?;
            Approvals::read(app).await?.mark_rows(&mut rows);
            if let Some(owner) = whose {
                rows.retain(|row| row.owner == owner.word());
            }
            let full = app.state.full_class_figures().await?;
            let clock = WallClock::of(app);
            output::show(cli, &rows, |rows| match whose {
                Some(owner) if rows.is_empty() => format!("Nothing waits for {}.", owner.spoken()),
                Some(_) | None => rows_text(rows, &full, &clock),
            });
            return Ok(Exit::Done);
        }
        Some(FailuresAction::Retry { ids, all }) => (ids, *all, FailureState::Waiting),
        Some(FailuresAction::Ignore { ids, all }) => (ids, *all, FailureState::Ignored),
    };
    let ids = if all { None } else { Some(ids.as_slice()) };
    let changed = app.state.change_failures(ids, to, app.clock.now_ms()).await?;
    let wanted = ids.map_or(changed, |ids| u64::try_from(ids.len()).unwrap_or(0));
    let (mut still_held, mut keep_places) = (Vec::new(), Vec::new());
    if all && to == FailureState::Ignored {
        let left = app.state.open_failures().await?.into_iter();
        let left = left.filter(|row| row.state == FailureState::Held || row.keeps_place);
        (keep_places, still_held) = left.partition(|row| row.keeps_place);
    }
    output::show(cli, &Changed { changed, still_held, keep_places }, |done| match to {
        FailureState::Ignored => done.silenced(),
        FailureState::Waiting | FailureState::Dead | FailureState::Held => {
            format!("{} due in the next run.", done.changed)
        }
    });
    if changed < wanted {
        output::print_error("some of these ids are no open failures: see rosterd failures");
        return Ok(Exit::Failed);
    }
    Ok(Exit::Done)
}

/// The lines of [`lines`] as one text, those of one owner together where there are several.
fn rows_text(rows: &[FailureRow], full: &[FullClassFigures], clock: &WallClock) -> String {
    if rows.is_empty() {
        return "Nothing has failed.".to_owned();
    }
    let of = |owner: FailureOwner| -> Vec<FailureRow> {
        rows.iter().filter(|row| row.owner == owner.word()).cloned().collect()
    };
    let parts: Vec<(FailureOwner, Vec<FailureRow>)> = FailureOwner::ALL
        .map(|owner| (owner, of(owner)))
        .into_iter()
        .filter(|(_, rows)| !rows.is_empty())
        .collect();
    let is_one = parts.len() == 1;
    let part = |(owner, rows): (FailureOwner, Vec<FailureRow>)| {
        let heading = format!("For {}: {}\n", owner.spoken(), counted_len(rows.len(), "row"));
        let heading = if is_one { String::new() } else { heading };
        let lines = lines(&rows, full, clock).into_iter().map(|line| line + "\n");
        heading + &lines.collect::<String>()
    };
    parts.into_iter().map(part).collect::<Vec<_>>().join("\n")
}

/// One line a row; of a class without room, and of one cause of many rows, one line for all.
pub(super) fn lines(rows: &[FailureRow], full: &[FullClassFigures], clock: &WallClock) -> Vec<String> {
    let mut lines = Vec::new();
    let mut told: HashSet<&str> = HashSet::new();
    let mut slips: HashMap<Slip<'_>, Vec<&FailureRow>> = HashMap::new();
    for row in rows {
        if let Some(slip) = Slip::of(row) {
            slips.entry(slip).or_default().push(row);
        }
    }
    for row in rows {
        let slip = Slip::of(row).and_then(|slip| slips.get_key_value(&slip));
        if let Some((slip, same @ [first, _, ..])) = slip.map(|(slip, same)| (slip, same.as_slice())) {
            if first.id == row.id {
                lines.push(slip.text(same));
            }
            continue;
        }
        if let Some(class) = full_class(row, full) {
            if told.insert(&class.class_code) {
                lines.push(format!("{:>5}  {}", row.id, full_text(row, class, clock)));
            }
            continue;
        }
        let same: Vec<&FailureRow> = rows.iter().filter(|other| is_one_cause(row, other)).collect();
        match same.as_slice() {
            [] | [_] => lines.push(row_text(row, clock)),
            [first, ..] if first.id == row.id => lines.push(cause_text(row, &same)),
            [..] => {}
        }
    }
    lines
}

/// Whether two rows have one cause, which one person mends for all of them. Its message names no student.
fn is_one_cause(row: &FailureRow, other: &FailureRow) -> bool {
    let code = FailureCode::parse(&row.code);
    let is_common = matches!(code, FailureCode::GroupRefused | FailureCode::AccountFull)
        || (code == FailureCode::ServiceStopped && row.service == Service::Exam);
    is_common
        && row.state != FailureState::Ignored
        && (row.service, row.state, &row.code, &row.message)
            == (other.service, other.state, &other.code, &other.message)
}

/// So many rows of one cause are named by their ids.
const MOST_IDS: usize = 5;

fn ids(same: &[&FailureRow]) -> String {
    let ids: Vec<String> = same.iter().take(MOST_IDS).map(|row| row.id.to_string()).collect();
    let more = if same.len() > MOST_IDS { " and more" } else { "" };
    format!("{} rows: {}{more}", same.len(), ids.join(", "))
}

fn cause_text(row: &FailureRow, same: &[&FailureRow]) -> String {
    format!(
        "{:>5}  {}: {} ({}; {}; for: {}; --output json names the students)",
        row.id,
        row.service,
        row.message,
        row.code,
        ids(same),
        row.who
    )
}

/// What is wrong with rows of `classes`, or with the ids in them, without saying of which class: many that have one such were
/// spoilt by one slip in a column.
#[derive(PartialEq, Eq, Hash)]
struct Slip<'r> {
    service: &'static str,
    kind: &'static str,
    state: &'static str,
    code: &'r str,
    what: String,
}

impl<'r> Slip<'r> {
    fn of(row: &'r FailureRow) -> Option<Self> {
        let is_of_ids = || {
            let code = FailureCode::parse(&row.code).classin();
            row.student_id.is_empty() && code.is_some_and(Code::is_not_there)
        };
        let what = match row.service {
            Service::Roster if row.table.as_deref() == Some("classes") => without_numbers(&row.message),
            // The class and how many students it has come first.
            Service::Classin if is_of_ids() => row.message.split_once(": ")?.1.to_owned(),
            Service::Roster | Service::Classin | Service::Exam => return None,
        };
        let state = row.state.as_str();
        let slip =
            Self { service: row.service.as_str(), kind: row.kind.as_str(), state, code: &row.code, what };
        (row.state != FailureState::Ignored).then_some(slip)
    }

    fn text(&self, same: &[&FailureRow]) -> String {
        let class = |row: &FailureRow| row.key.clone().unwrap_or_else(|| row.class_code.clone());
        let classes: Vec<String> = same.iter().take(MOST_IDS).map(|row| class(row)).collect();
        let more = match same.len().saturating_sub(MOST_IDS) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let (id, who) = same.first().map_or((0, ""), |first| (first.id, first.who));
        let place = match self.service {
            "roster" => "roster classes".to_owned(),
            service => format!("{service} {} in", self.kind),
        };
        format!(
            "{id:>5}  {place} {}{more}: {} ({}; {}; for: {who}; --output json names each class)",
            classes.join(", "),
            self.what,
            self.code,
            ids(same)
        )
    }
}

/// With a mark in place of each number.
fn without_numbers(text: &str) -> String {
    let mut marked = String::with_capacity(text.len());
    for part in text.split_inclusive(|letter: char| !letter.is_ascii_digit()) {
        let rest = part.trim_start_matches(|letter: char| letter.is_ascii_digit());
        if rest.len() < part.len() {
            marked.push('…');
        }
        marked.push_str(rest);
    }
    marked
}

fn row_text(row: &FailureRow, clock: &WallClock) -> String {
    if let (Service::Roster, Some(table), Some(key)) = (row.service, &row.table, &row.key) {
        let ignored = if row.state == FailureState::Ignored { "ignored until it changes; " } else { "" };
        let since = clock.told(&row.since);
        return format!(
            "{:>5}  roster {table} {key}: {} ({ignored}for: {}; since {since})",
            row.id, row.message, row.who
        );
    }
    let class = if row.class_code.is_empty() { String::new() } else { format!(" in {}", row.class_code) };
    // A row about a whole class names nobody.
    let student =
        if row.student_id.is_empty() { String::new() } else { format!(" of student {}", row.student_id) };
    let since = clock.told(&row.since);
    let when = match (row.state, &row.due_at) {
        (FailureState::Waiting, Some(due)) => format!("attempt {}; due {}", row.attempts, clock.told(due)),
        (FailureState::Held, _) => format!("held since {since}"),
        (FailureState::Waiting, None) => format!("waits since {since}"),
        (state, _) => format!("attempt {}; {state}; since {since}", row.attempts),
    };
    format!(
        "{:>5}  {} {}{student}{class}: {} ({}; {when}; for: {})",
        row.id, row.service, row.kind, row.message, row.code, row.who
    )
}

/// The class without room that a row is about, unless a person silenced the row.
fn full_class<'f>(row: &FailureRow, full: &'f [FullClassFigures]) -> Option<&'f FullClassFigures> {
    let is_full = FailureCode::parse(&row.code).classin().is_some_and(Code::is_full);
    let is_waiting = row.service == Service::Classin && row.state == FailureState::Waiting;
    full.iter().find(|class| is_full && is_waiting && class.class_code == row.class_code)
}

fn full_text(row: &FailureRow, class: &FullClassFigures, clock: &WallClock) -> String {
    let FullClassFigures { class_code, inside, waiting } = class;
    let when = row
        .due_at
        .as_ref()
        .map(|due| format!("; asked again from {} on", clock.told(due)))
        .unwrap_or_default();
    format!(
        "classin {class_code}: {inside} in, {waiting} wait ({}{when}; for: {}; --output json names them)",
        row.code, row.who
    )
}
