//! `status`: the last runs, the health, and what waits and why.

use std::collections::BTreeMap;

use serde::Serialize;

use super::approved::Approvals;
use super::runs::{RunLine, lines_text};
use super::wall_clock::WallClock;
use super::{failures, health, output};
use crate::app::{App, AppError};
use crate::cli::Cli;
use crate::exit::Exit;
use crate::run::{EmptiedFields, HoldLine, UncomparedColumn, emptied_fields, moment, uncompared_columns};
use crate::settings::Missed;
use crate::store::{ClosedClass, FailureRow, FullClassFigures, StateStore};
use rosterd_core::counted::counted;
use rosterd_core::situation::{Matter, ShownAttentions, Situation, Weight};

/// The state of the program.
#[derive(Serialize)]
struct Status {
    healthy: bool,
    why: String,
    /// What is the matter, the worst thing first.
    situation: Situation,
    last_good_run_at: Option<String>,
    /// When the daemon's next run is due.
    next_run_at: Option<String>,
    /// When a run was due that no daemon has made up for.
    #[serde(skip_serializing_if = "Option::is_none")]
    owed_run_at: Option<String>,
    #[serde(skip)]
    missed: Missed,
    managed: u64,
    enrolments: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<EvidencePart>,
    runs: Vec<RunLine>,
    /// What is held, each reason once, the oldest first.
    holds: Vec<HoldLine>,
    /// What waits for a person, another row or a time, by kind.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    attention: ShownAttentions,
    /// Fields of the exam side that are not compared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_compared: Vec<UncomparedColumn>,
    /// Fields of the exam side that changes may have emptied.
    #[serde(skip_serializing_if = "Option::is_none")]
    emptied_fields: Option<EmptiedFields>,
    failures: Vec<FailureRow>,
    /// Classes without room.
    full_classes: Vec<FullClassFigures>,
    condemned_classes: Vec<String>,
}

/// How well enrolments are confirmed.
#[derive(Serialize)]
struct EvidencePart {
    by_evidence: BTreeMap<String, u64>,
    /// Memberships in living classes that ClassIn confirmed lately.
    confirmed: u64,
    /// All memberships in living classes.
    living: u64,
    /// In percent, with one decimal.
    confirmed_percent: f64,
    /// The span that counts as lately.
    within_days: i64,
}

/// A confirmation counts as fresh for so long.
const FRESH_DAYS: i64 = 7;

/// The number of runs shown.
const SHOWN: u32 = 5;

/// The number of failures shown as text; the JSON form has all.
const MOST_FAILURES: usize = 20;

const HOUR_MS: i64 = 60 * 60 * 1000;

/// What decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Nothing,
    /// Whether it is healthy.
    Health,
    /// And whether something waits for somebody.
    HealthAndAttention,
}

impl Asked {
    /// By the options of the command line.
    pub(super) fn of(check: bool, attention: bool) -> Self {
        match (check, attention) {
            (true, true) => Self::HealthAndAttention,
            (true, false) => Self::Health,
            (false, _) => Self::Nothing,
        }
    }

    fn exit(self, status: &Status) -> Exit {
        match self {
            Self::Health | Self::HealthAndAttention if !status.healthy => Exit::Failed,
            Self::HealthAndAttention if status.attention.values().any(|it| it.count > 0) => Exit::Incomplete,
            Self::Nothing | Self::Health | Self::HealthAndAttention => Exit::Done,
        }
    }
}

pub(super) async fn run(app: &App, cli: &Cli, asked: Asked) -> Result<Exit, AppError> {
    let state = &app.state;
    let now_ms = app.clock.now_ms();
    let facts = health::facts(state, &app.settings, now_ms).await?;
    let situation = Situation::of(&facts, now_ms);
    let runs = state.runs(SHOWN).await?;
    let next = health::next_run(state, &app.settings, now_ms).await?;
    let mut failures = state.open_failures().await?;
    Approvals::read(app).await?.mark_rows(&mut failures);
    let status = Status {
        healthy: situation.healthy,
        why: situation.why.clone(),
        situation,
        last_good_run_at: facts.health.last_good_ms.map(moment),
        next_run_at: next.due_ms.map(moment),
        owed_run_at: next.owed_ms.map(moment),
        missed: app.settings.schedule.missed,
        managed: state.count_links().await?,
        enrolments: state.count_enrolments().await?,
        evidence: evidence(app, now_ms).await?,
        runs: runs.iter().map(RunLine::from).collect(),
        holds: state.standing_holds(now_ms).await?.into_iter().map(HoldLine::from).collect(),
        attention: facts.attention,
        not_compared: uncompared_columns(&app.settings.exam, state).await?,
        emptied_fields: emptied_fields(state, now_ms).await?,
        failures,
        full_classes: state.full_class_figures().await?,
        condemned_classes: closed_classes(state).await?,
    };
    let clock = WallClock::of(app);
    output::show(cli, &status, |status| text(status, &clock));
    Ok(asked.exit(&status))
}

/// Each class that takes no changes, by its name.
async fn closed_classes(state: &StateStore) -> Result<Vec<String>, AppError> {
    let names = state.class_names().await?;
    let closed = state.closed_classes().await?.into_iter();
    let line = |class: ClosedClass| {
        format!("{}: {} (code {})", names.spoken(class.target), class.message, class.code)
    };
    Ok(closed.map(line).collect())
}

async fn evidence(app: &App, now_ms: i64) -> Result<Option<EvidencePart>, AppError> {
    let since_ms = now_ms.saturating_sub(FRESH_DAYS.saturating_mul(24 * HOUR_MS));
    let summary = app.state.evidence_summary(since_ms).await?;
    if summary.by_evidence.is_empty() {
        return Ok(None);
    }
    Ok(Some(EvidencePart {
        confirmed_percent: percent(summary.confirmed, summary.living),
        by_evidence: summary.by_evidence,
        confirmed: summary.confirmed,
        living: summary.living,
        within_days: FRESH_DAYS,
    }))
}

/// Rounded down to one decimal, so that 100 is said of all alone.
fn percent(part: u64, whole: u64) -> f64 {
    let tenths = part.saturating_mul(1000).checked_div(whole).unwrap_or(1000);
    f64::from(u32::try_from(tenths).unwrap_or(u32::MAX)) / 10.0
}

fn text(status: &Status, clock: &WallClock) -> String {
    use std::fmt::Write;
    let mut text = format!("{}\n", status.situation.heading);
    for line in status.situation.matters.iter().filter_map(Matter::advice) {
        let _infallible = writeln!(text, "{line}");
    }
    for matter in &status.situation.matters {
        if matter.weight < Weight::Failing {
            let _infallible = writeln!(text, "attention: {}", matter.what);
        }
        let _infallible = writeln!(text, "  {}", status.situation.line(matter));
    }
    let _infallible = writeln!(
        text,
        "{} and {} are remembered.",
        counted(status.managed, "candidate"),
        counted(status.enrolments, "enrolment")
    );
    if let Some(evidence) = &status.evidence {
        let _infallible = writeln!(
            text,
            "ClassIn: {:.1} % of {} confirmed within {} days ({}).",
            evidence.confirmed_percent,
            counted(evidence.living, "enrolment"),
            evidence.within_days,
            evidence
                .by_evidence
                .iter()
                .map(|(word, count)| format!("{count} {word}"))
                .collect::<Vec<_>>()
                .join(", ")
        );
    }
    if let Some(next) = status.situation.next_run() {
        let _infallible = writeln!(text, "The daemon's next run is due at {next}.");
    }
    if let Some(owed) = status.owed_run_at.as_ref().map(|owed| clock.told(owed)) {
        let what = match status.missed {
            Missed::RunOnce => "the daemon makes up for it when it starts",
            Missed::Skip => "schedule.missed = \"skip\" leaves it out when the daemon starts",
        };
        let _infallible =
            writeln!(text, "No daemon is running; a run was due at {owed} and was not finished: {what}.");
    }
    for field in &status.not_compared {
        let _infallible = writeln!(text, "{field}");
    }
    if let Some(emptied) = &status.emptied_fields {
        let _infallible = writeln!(text, "{emptied}");
    }
    text.push('\n');
    text.push_str(&lines_text(&status.runs, clock));
    text.push('\n');
    for hold in &status.holds {
        let _infallible = writeln!(text, "held since {}: {}", clock.told(&hold.since), hold.reason);
        let _infallible = match &hold.approved_until {
            Some(until) => {
                let until = clock.told(until);
                writeln!(text, "      approved until {until}: the next run lets it happen")
            }
            None => writeln!(text, "      {}: {}", output::way_on(&hold.approve), hold.approve),
        };
        if let (None, Some(approved)) = (&hold.approved_until, hold.approved_operations) {
            let held = hold.operations;
            let _infallible =
                writeln!(text, "      {approved} of the {held} are approved: the next run lets those happen");
        }
    }
    let lines = failures::lines(&status.failures, &status.full_classes, clock);
    let (shown, more) = lines.split_at(lines.len().min(MOST_FAILURES));
    if shown.is_empty() {
        text.push_str("Nothing has failed.\n");
    }
    for line in shown {
        let _infallible = writeln!(text, "{line}");
    }
    if !more.is_empty() {
        let _infallible = writeln!(text, "and {} more: see rosterd failures", more.len());
    }
    // One line a class: who waits for it is told with it.
    let is_told = |class: &str| {
        let name = class.split(": ").next().unwrap_or_default();
        shown.iter().any(|line| names(line, name))
    };
    for class in status.condemned_classes.iter().filter(|class| !is_told(class)) {
        let _infallible = writeln!(text, "closed: {class}");
    }
    text
}

/// Whether a line has this name of a class: class 1 is not class 12.
fn names(line: &str, name: &str) -> bool {
    let ends = |behind: &str| !behind.starts_with(|letter: char| letter.is_ascii_digit());
    line.split(name).skip(1).any(ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_class_is_told_although_another_one_begins_with_its_number() {
        let line = "classin enrol in course 5 class 12: it takes no changes any more";
        assert!(names(line, "course 5 class 12") && !names(line, "course 5 class 1"));
    }

    #[test]
    fn a_hundred_per_cent_is_said_only_when_nothing_is_missing() {
        let table = [(974, 1000, 97.4), (9_999, 10_000, 99.9), (3, 3, 100.0), (0, 5, 0.0), (0, 0, 100.0)];
        for (part, whole, said) in table {
            assert!((percent(part, whole) - said).abs() < 1e-9, "{part} of {whole}");
        }
    }
}
