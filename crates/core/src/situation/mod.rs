//! The situation: what is the matter now, the worst thing first, each with its age, its number, who must act and what
//! to type. `status`, the page, `/api/v1/status` and the notifications show this one value, each in its own form.
//!
//! It reads nothing: run history, what waits, holds, schedule and clock come in as [`Facts`].
//!
//! | situation | worst matter | who |
//! |---|---|---|
//! | before the first run | – | – |
//! | in step, applied | – | – |
//! | observed | – (the mode leaves changes undone) | – |
//! | held | `held`, `held-people` | IT, office |
//! | failing by credentials, configuration, roster | `failing` | IT |
//! | failing by outage, doubt | `failing` | the service |
//! | dead letters, full classes, bad rows … | their kind | office, IT, service, quota |
//! | a run has not come, no daemon | `late` | IT |
//! | no room on the disk | `disk-full` | IT |
//! | night, blackout | – (until when no run is due) | – |

mod attention;
mod cause;
mod digest;
mod health;
mod matter;
mod message;
mod news;
mod spoken_time;

pub use attention::{ShownAttention, ShownAttentions, attention_in_short};
pub use cause::RunTrouble;
pub use digest::{DigestDay, digest};
pub use health::{CLOCK_MARGIN_MS, DaemonPresence, FailedRun, HealthFacts, Verdict, judge, moment, span};
pub use matter::{Matter, Weight};
pub use message::{Change, Item, Message, Purpose};
pub use news::{News, ToldIncident, news};
pub use spoken_time::{apart, in_zone, retold, with_age};

use jiff::tz::TimeZone;
use serde::Serialize;

use crate::counted::counted;

/// What the situation is drawn from. All of it is known right after a start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// What health is judged by.
    pub health: HealthFacts,
    /// What waits for a person, another row or a time, by kind.
    pub attention: ShownAttentions,
    /// What limits hold.
    pub holds: Vec<ShownHold>,
    /// The newest run that ended, in the words of the history.
    pub last_run: Option<LastRun>,
    /// When the next run is due, where something starts it.
    pub next_run_ms: Option<i64>,
}

/// One hold by a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownHold {
    /// Service and reason, in stable words: `exam max-modify`.
    pub reason: String,
    /// The command that lets it happen; absent where somebody has approved it.
    pub approve: Option<String>,
}

/// How the newest run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastRun {
    /// Its outcome, in the word of the history.
    pub outcome: String,
    /// How many operations the mode left undone.
    pub left_by_mode: u64,
}

/// The one word for all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SituationKind {
    /// The disk of the state database is full.
    DiskFull,
    /// The newest run was not good.
    Failing,
    /// A run was due and has not come.
    Late,
    /// Something is held until a person decides.
    Held,
    /// Something waits for a person.
    Waiting,
    /// Nobody needs to act; something is tried again by itself.
    Incomplete,
    /// All is as the mode wants it, and the mode leaves changes undone.
    Observed,
    /// The last run made changes, and all is in step.
    Applied,
    /// Nothing was to be done.
    InStep,
    /// No run has ended yet.
    BeforeFirstRun,
}

impl SituationKind {
    /// One stable word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::DiskFull => "disk-full",
            Self::Failing => "failing",
            Self::Late => "late",
            Self::Held => "held",
            Self::Waiting => "waiting",
            Self::Incomplete => "incomplete",
            Self::Observed => "observed",
            Self::Applied => "applied",
            Self::InStep => "in-step",
            Self::BeforeFirstRun => "before-first-run",
        }
    }
}

/// What is the matter now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[must_use]
pub struct Situation {
    /// The one word for it.
    #[serde(serialize_with = "word_of")]
    pub kind: SituationKind,
    /// Whether every run that was due came and was good.
    pub healthy: bool,
    /// Health in one line, without what waits.
    #[serde(skip)]
    pub why: String,
    /// All of it in one line.
    pub heading: String,
    /// What somebody must know or do, the worst first.
    pub matters: Vec<Matter>,
    /// When the next run is due, RFC 3339, where something starts it.
    pub next_run_at: Option<String>,
    /// When it was drawn.
    #[serde(skip)]
    drawn_at_ms: i64,
    #[serde(skip)]
    next_run_ms: Option<i64>,
    #[serde(skip)]
    zone: TimeZone,
}

fn word_of<S: serde::Serializer>(kind: &SituationKind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.word())
}

impl Situation {
    /// Draws it from these facts at this moment.
    pub fn of(facts: &Facts, now_ms: i64) -> Self {
        let Verdict { healthy, why } = judge(&facts.health, now_ms);
        let trouble = (!healthy).then(|| matter::of_health(&facts.health, &why, now_ms)).flatten();
        let mut matters: Vec<Matter> =
            facts.attention.iter().map(|(kind, it)| matter::of_attention(kind, it, &facts.holds)).collect();
        matters.sort_by(|one, other| one.rank().cmp(&other.rank()));
        let kind = match &trouble {
            Some((kind, _)) => *kind,
            None => kind_of(facts, matters.first()),
        };
        if let Some((_, matter)) = trouble {
            matters.insert(0, matter);
        }
        let word = if healthy { "healthy" } else { "NOT HEALTHY" };
        let undone = undone(kind, facts.last_run.as_ref()).unwrap_or_default();
        let waits = attention_in_short(&facts.attention, now_ms).map(|it| format!("; {it}"));
        let heading = format!("{word}: {why}{undone}{}", waits.unwrap_or_default());
        Self {
            kind,
            healthy,
            why,
            heading,
            matters,
            next_run_at: facts.next_run_ms.map(moment),
            drawn_at_ms: now_ms,
            next_run_ms: facts.next_run_ms,
            zone: facts.health.zone.clone().unwrap_or(TimeZone::UTC),
        }
    }

    /// The facts of each matter in one line, the worst first.
    pub fn lines(&self) -> impl Iterator<Item = String> + '_ {
        self.matters.iter().map(|matter| self.line(matter))
    }

    /// The facts of one matter in one line.
    #[must_use]
    pub fn line(&self, matter: &Matter) -> String {
        matter.in_one_line(&self.zone, self.drawn_at_ms)
    }

    /// When the next run is due, in the school's zone, where something starts it.
    #[must_use]
    pub fn next_run(&self) -> Option<String> {
        self.next_run_ms.map(|at_ms| self.spoken(at_ms))
    }

    /// A moment in the school's zone, and how long before the situation it was.
    #[must_use]
    pub fn spoken(&self, at_ms: i64) -> String {
        with_age(at_ms, self.drawn_at_ms, &self.zone)
    }

    /// The matters that a person is told of, once each.
    pub fn incidents(&self) -> impl Iterator<Item = &Matter> {
        self.matters.iter().filter(|matter| matter.weight > Weight::Note)
    }
}

/// What it is where all is healthy.
fn kind_of(facts: &Facts, worst: Option<&Matter>) -> SituationKind {
    match worst.map(|matter| matter.weight) {
        Some(Weight::Held) => return SituationKind::Held,
        Some(Weight::Waiting) => return SituationKind::Waiting,
        Some(Weight::Failing | Weight::Note) | None => {}
    }
    match facts.last_run.as_ref().map(|run| run.outcome.as_str()) {
        None => SituationKind::BeforeFirstRun,
        Some("observed") => SituationKind::Observed,
        Some("applied") => SituationKind::Applied,
        Some("incomplete" | "interrupted") => SituationKind::Incomplete,
        Some(_) => SituationKind::InStep,
    }
}

/// The changes that the mode leaves undone.
fn undone(kind: SituationKind, last: Option<&LastRun>) -> Option<String> {
    let left = last?.left_by_mode;
    let verb = if left == 1 { "is" } else { "are" };
    (kind == SituationKind::Observed && left > 0)
        .then(|| format!("; {} {verb} left undone by sync.mode", counted(left, "change")))
}
