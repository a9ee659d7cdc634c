//! What is new in a situation beside what was told before: an incident is told once, again when its cause changes, and
//! once more when it is over.

use super::health::CLOCK_MARGIN_MS;
use super::{Matter, Situation, Weight};

/// The incident that all troubles with runs are: they take turns, and end with the next good run.
const HEALTH: &str = "health";

/// What was told of an incident that is not over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldIncident {
    /// `health`, or the kind of attention.
    pub incident: String,
    /// The matter's kind as it was told.
    pub kind: String,
    /// Its cause as it was told.
    pub cause: String,
    /// Since when, in milliseconds since 1970 UTC; where that is not known, since it was told.
    pub since_ms: i64,
}

/// One thing that is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// It was not told before.
    Began(Matter),
    /// Told before, with another cause.
    Changed(Matter),
    /// It is over.
    Ended(ToldIncident),
}

impl Matter {
    /// The incident that it belongs to.
    #[must_use]
    pub fn incident(&self) -> &str {
        if self.weight == Weight::Failing { HEALTH } else { &self.kind }
    }

    /// What is remembered once it is told at this moment.
    #[must_use]
    pub fn as_told(&self, now_ms: i64) -> ToldIncident {
        ToldIncident {
            incident: self.incident().to_owned(),
            kind: self.kind.clone(),
            cause: self.cause.clone(),
            since_ms: self.since_ms.unwrap_or(now_ms),
        }
    }
}

/// What is new, the worst first and what is over last. Matters that weigh less than `least` begin and change untold.
///
/// Trouble with runs is over with a good run that ended after it began, and not before: a run that is under way, or one
/// that was told to stop, proves nothing.
#[must_use]
pub fn news(
    situation: &Situation,
    told: &[ToldIncident],
    least: Weight,
    last_good_ms: Option<i64>,
) -> Vec<News> {
    let before = |matter: &Matter| told.iter().find(|told| told.incident == matter.incident());
    let mut seen = Vec::new();
    let mut found = Vec::new();
    for matter in situation.incidents() {
        // The worst one speaks for its incident.
        if seen.contains(&matter.incident()) {
            continue;
        }
        seen.push(matter.incident());
        match before(matter) {
            _ if matter.weight < least => {}
            None => found.push(News::Began(matter.clone())),
            Some(told) if told.kind != matter.kind || told.cause != matter.cause => {
                found.push(News::Changed(matter.clone()));
            }
            Some(_) => {}
        }
    }
    let proved = |told: &ToldIncident| {
        let since_ms = told.since_ms.saturating_sub(CLOCK_MARGIN_MS);
        told.incident != HEALTH || last_good_ms.is_some_and(|good| good > since_ms)
    };
    let over = told.iter().filter(|told| !seen.contains(&told.incident.as_str()) && proved(told));
    found.extend(over.cloned().map(News::Ended));
    found
}
