//! `status`: the last runs, the health, and what waits and why.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::runs::{RunLine, lines_text};
use super::{failures, output};
use crate::app::{App, AppError};
use crate::cli::Cli;
use crate::daemon::schedule;
use crate::exit::Exit;
use crate::run::{
    Attention, HoldLine, UncomparedColumn, is_waiting_kind, moment, uncompared_columns, waiting_attention,
};
use crate::settings::ScheduleSettings;
use crate::store::{FailureRow, FullClassFigures};

/// The state of the program.
#[derive(Serialize)]
struct Status {
    healthy: bool,
    why: String,
    last_good_run_at: Option<String>,
    next_run_at: Option<String>,
    managed: u64,
    enrolments: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<EvidencePart>,
    runs: Vec<RunLine>,
    /// What is held, each reason once, the oldest first.
    holds: Vec<HoldLine>,
    /// What waits for a person, another row or a time, by kind.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    attention: BTreeMap<String, ShownAttention>,
    /// The same for the first line.
    #[serde(skip)]
    attention_in_short: Option<String>,
    /// Fields of the exam side that are not compared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_compared: Vec<UncomparedColumn>,
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

/// The age limit of a good run in intervals of the schedule; it is at least an hour.
const INTERVALS: i64 = 3;

const HOUR_MS: i64 = 60 * 60 * 1000;

/// The fact under which the daemon keeps when the next run is due.
pub(super) const NEXT_DUE: &str = "schedule.next_due_at_ms";

pub(super) async fn run(app: &App, cli: &Cli, check: bool) -> Result<Exit, AppError> {
    let state = &app.state;
    let now_ms = app.clock.now_ms();
    let next_due = state.fact(NEXT_DUE).await?.and_then(|text| text.parse::<i64>().ok());
    let last_good = state.last_good_run_ms().await?;
    let runs = state.runs(SHOWN).await?;
    let limit = patience_ms(&app.settings.schedule, app.clock.now());
    let (healthy, why) = match last_good {
        Some(at) if now_ms.saturating_sub(at) <= limit => {
            (true, format!("the last good run was {} ago", duration(now_ms.saturating_sub(at))))
        }
        Some(at) => (
            false,
            format!(
                "the last good run was {} ago, longer than {}",
                duration(now_ms.saturating_sub(at)),
                duration(limit)
            ),
        ),
        None if runs.is_empty() && next_due.is_some_and(|due| now_ms <= due.saturating_add(HOUR_MS)) => {
            (true, "the first run is not due yet".to_owned())
        }
        None => (false, "there has been no good run yet".to_owned()),
    };
    let attention = attention(app).await?;
    let status = Status {
        healthy,
        why,
        last_good_run_at: last_good.map(moment),
        next_run_at: next_due.map(moment),
        managed: state.count_links().await?,
        enrolments: state.count_enrolments().await?,
        evidence: evidence(app, now_ms).await?,
        runs: runs.iter().map(RunLine::from).collect(),
        holds: state.standing_holds().await?.into_iter().map(HoldLine::from).collect(),
        attention_in_short: attention_in_short(&attention, now_ms),
        attention,
        not_compared: uncompared_columns(&app.settings.exam, state).await?,
        failures: state.open_failures().await?,
        full_classes: state.full_class_figures().await?,
        condemned_classes: state
            .closed_classes()
            .await?
            .into_iter()
            .map(|class| format!("{}: {} (code {})", class.target, class.message, class.code))
            .collect(),
    };
    output::show(cli, &status, text);
    Ok(if check && !status.healthy { Exit::Failed } else { Exit::Done })
}

/// What stands among the failures as it stands now, and of the rest what the last run that read both sides completely
/// said.
async fn attention(app: &App) -> Result<BTreeMap<String, ShownAttention>, AppError> {
    let run = app.state.run(app.state.last_complete_run().await?).await?;
    let report = run.and_then(|run| serde_json::from_str::<Value>(&run.report?).ok());
    let said = report.as_ref().and_then(|report| report.get("attention"));
    let said: BTreeMap<String, ShownAttention> =
        said.and_then(|said| Deserialize::deserialize(said).ok()).unwrap_or_default();
    let mut attention: BTreeMap<_, _> = said.into_iter().filter(|(kind, _)| !is_waiting_kind(kind)).collect();
    let waiting = waiting_attention(&app.state).await?.into_iter();
    attention.extend(waiting.map(|(kind, it)| (kind.to_owned(), it.into())));
    Ok(attention)
}

/// One kind of attention, of now or as a report has stored it.
#[derive(Serialize, Deserialize)]
struct ShownAttention {
    count: u64,
    since: Option<String>,
    owner: String,
    what: String,
}

impl From<Attention> for ShownAttention {
    fn from(attention: Attention) -> Self {
        let Attention { count, since, owner, what } = attention;
        Self { count, since, owner: owner.to_owned(), what }
    }
}

/// How much waits for whom, and for how long the oldest has.
fn attention_in_short(attention: &BTreeMap<String, ShownAttention>, now_ms: i64) -> Option<String> {
    let count: u64 = attention.values().map(|it| it.count).sum();
    let owners: BTreeSet<&str> = attention.values().map(|it| it.owner.as_str()).collect();
    let owners: Vec<&str> = owners.into_iter().collect();
    let since = attention.values().filter_map(|it| it.since.as_ref()?.parse::<jiff::Timestamp>().ok()).min();
    let age = since.map(|since| duration(now_ms.saturating_sub(since.as_millisecond()).max(0)));
    let age = age.map(|age| format!(", the oldest for {age}")).unwrap_or_default();
    (count > 0).then(|| format!("attention: {count} for {}{age}", owners.join(", ")))
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

fn patience_ms(settings: &ScheduleSettings, now: jiff::Timestamp) -> i64 {
    let interval = schedule::next_due(settings, now)
        .and_then(|first| Some((first, schedule::next_due(settings, first)?)))
        .map_or(HOUR_MS, |(first, second)| second.as_millisecond().saturating_sub(first.as_millisecond()));
    interval.saturating_mul(INTERVALS).max(HOUR_MS)
}

fn duration(ms: i64) -> String {
    let minutes = ms / 60_000;
    match minutes {
        0 => "less than a minute".to_owned(),
        1..120 => format!("{minutes} min"),
        120..2880 => format!("{} h", minutes / 60),
        _ => format!("{} days", minutes / 1440),
    }
}

fn text(status: &Status) -> String {
    use std::fmt::Write;
    let word = if status.healthy { "healthy" } else { "NOT HEALTHY" };
    let mut text = format!("{word}: {}", status.why);
    if let Some(attention) = &status.attention_in_short {
        let _infallible = write!(text, "; {attention}");
    }
    text.push('\n');
    let _infallible =
        writeln!(text, "{} candidates and {} enrolments are remembered.", status.managed, status.enrolments);
    if let Some(evidence) = &status.evidence {
        let _infallible = writeln!(
            text,
            "ClassIn: {:.1} % of {} enrolments confirmed within {} days ({}).",
            evidence.confirmed_percent,
            evidence.living,
            evidence.within_days,
            evidence
                .by_evidence
                .iter()
                .map(|(word, count)| format!("{count} {word}"))
                .collect::<Vec<_>>()
                .join(", ")
        );
    }
    if let Some(next) = &status.next_run_at {
        let _infallible = writeln!(text, "The daemon's next run is due at {next}.");
    }
    for ShownAttention { what, .. } in status.attention.values() {
        let _infallible = writeln!(text, "attention: {what}");
    }
    for field in &status.not_compared {
        let _infallible = writeln!(text, "{field}");
    }
    text.push('\n');
    text.push_str(&lines_text(&status.runs));
    text.push('\n');
    for hold in &status.holds {
        let _infallible = writeln!(text, "held since {}: {}", hold.since, hold.reason);
        let _infallible = writeln!(text, "      {}: {}", output::way_on(&hold.approve), hold.approve);
    }
    let (shown, more) = status.failures.split_at(status.failures.len().min(MOST_FAILURES));
    text.push_str(&failures::rows_text(shown, &status.full_classes));
    if !text.ends_with('\n') {
        text.push('\n');
    }
    if !more.is_empty() {
        let _infallible = writeln!(text, "and {} more: see rosterd failures", more.len());
    }
    for class in &status.condemned_classes {
        let _infallible = writeln!(text, "closed: {class}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_per_cent_is_said_only_when_nothing_is_missing() {
        let table = [(974, 1000, 97.4), (9_999, 10_000, 99.9), (3, 3, 100.0), (0, 5, 0.0), (0, 0, 100.0)];
        for (part, whole, said) in table {
            assert!((percent(part, whole) - said).abs() < 1e-9, "{part} of {whole}");
        }
    }
}
