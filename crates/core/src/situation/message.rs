//! What is told about news: one message, as values that every form of telling writes in its own way.
//!
//! It holds counts, ids and our own sentences: never a name, a secret or a value.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::health::span;
use super::spoken_time::in_zone;
use super::{Matter, News, Situation, ToldIncident};
use crate::counted::grouped;

/// A message, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Who sends it: `notify.title`.
    pub title: String,
    /// What it is for.
    pub purpose: Purpose,
    /// The situation in one line.
    pub heading: String,
    /// When it was made, in the school's zone.
    pub made_at: String,
    /// What is told, the worst first.
    pub items: Vec<Item>,
    /// When the next run is due, in the school's zone, where one is.
    #[serde(default)]
    pub next_run: Option<String>,
}

/// What a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// Something began, or its cause changed.
    Alarm,
    /// Everything that it names is over.
    Recovery,
    /// Once a day, what waits for the school office.
    Digest,
    /// Somebody wants to see whether messages arrive.
    Test,
}

/// One thing that is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// What became of it.
    pub change: Change,
    /// The matter's kind in one stable word.
    pub kind: String,
    /// What it rests on, in stable words.
    pub cause: String,
    /// How many; absent of what is over.
    pub count: Option<u64>,
    /// Since when, in the school's zone, where that is known.
    pub since: Option<String>,
    /// For how long, in words, where that is known.
    pub age: Option<String>,
    /// Who must act, in one word: `office`, `it`, `service` or `quota`; absent of what is over.
    pub owner: Option<String>,
    /// The same for a person to read.
    pub whom: Option<String>,
    /// A sentence.
    pub what: Option<String>,
    /// What to do, where the sentence does not say it.
    pub to_do: Option<String>,
    /// What to type.
    pub command: Option<String>,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// It was not told before.
    Began,
    /// It was told with another cause.
    Changed,
    /// It is over.
    Ended,
    /// It waits, and was told before or not.
    Waits,
}

impl Message {
    /// Of these news, of which there must be one.
    #[must_use]
    pub fn of(news: &[News], situation: &Situation, title: &str, zone: &TimeZone, now_ms: i64) -> Self {
        let is_over = news.iter().all(|news| matches!(news, News::Ended(_)));
        Self {
            title: title.to_owned(),
            purpose: if is_over { Purpose::Recovery } else { Purpose::Alarm },
            heading: situation.heading.clone(),
            made_at: in_zone(now_ms, zone),
            items: news.iter().map(|news| Item::of(news, zone, now_ms)).collect(),
            next_run: situation.next_run_ms.map(|next| in_zone(next, zone)),
        }
    }

    /// For somebody who wants to see whether messages arrive.
    #[must_use]
    pub fn test(title: &str, heading_now: &str, zone: &TimeZone, now_ms: i64) -> Self {
        Self {
            title: title.to_owned(),
            purpose: Purpose::Test,
            heading: format!("this is a test by rosterd notify --test: messages arrive. Now {heading_now}"),
            made_at: in_zone(now_ms, zone),
            items: Vec::new(),
            next_run: None,
        }
    }

    /// One line, as for the subject of a mail.
    #[must_use]
    pub fn subject(&self) -> String {
        if self.purpose == Purpose::Digest {
            return format!("{}: {}", self.title, self.heading);
        }
        let first = self.items.first().map(Item::in_short);
        let more = match self.items.len() {
            0 | 1 => String::new(),
            count => format!(" (and {} more)", count - 1),
        };
        let what = first.unwrap_or_else(|| "test".to_owned());
        format!("{}: {what}{more}", self.title)
    }

    /// All of it in plain text, the subject first.
    #[must_use]
    pub fn text(&self) -> String {
        let mut parts = vec![self.subject()];
        parts.extend(self.items.iter().map(Item::text));
        // What fails is the heading, and is said once; so is what waits for the office.
        let is_said = |item: &Item| item.what.as_ref().is_some_and(|what| self.heading.contains(what));
        let is_in_subject = self.purpose == Purpose::Digest;
        parts.push(match is_in_subject || self.items.iter().any(is_said) {
            true => self.made_at.clone(),
            false => format!("{}: {}", self.made_at, self.heading),
        });
        parts.extend(self.next_run.as_ref().map(|next| format!("Next run: {next}")));
        parts.join("\n\n")
    }
}

impl Item {
    fn of(news: &News, zone: &TimeZone, now_ms: i64) -> Self {
        match news {
            News::Began(matter) => Self::of_matter(Change::Began, matter, zone, now_ms),
            News::Changed(matter) => Self::of_matter(Change::Changed, matter, zone, now_ms),
            News::Ended(told) => Self::of_told(told, zone, now_ms),
        }
    }

    pub(super) fn of_matter(change: Change, matter: &Matter, zone: &TimeZone, now_ms: i64) -> Self {
        Self {
            change,
            kind: matter.kind.clone(),
            cause: matter.cause.clone(),
            count: Some(matter.count),
            since: matter.since_ms.map(|since| in_zone(since, zone)),
            age: matter.since_ms.map(|since| span(now_ms.saturating_sub(since).max(0))),
            owner: Some(matter.owner.word().to_owned()),
            whom: Some(matter.owner.spoken().to_owned()),
            what: Some(matter.told()),
            to_do: matter.to_do.clone(),
            command: matter.command.clone(),
        }
    }

    fn of_told(told: &ToldIncident, zone: &TimeZone, now_ms: i64) -> Self {
        let ToldIncident { incident: _, kind, cause, since_ms } = told;
        Self {
            change: Change::Ended,
            kind: kind.clone(),
            cause: cause.clone(),
            count: None,
            since: Some(in_zone(*since_ms, zone)),
            age: Some(span(now_ms.saturating_sub(*since_ms).max(0))),
            owner: None,
            whom: None,
            what: None,
            to_do: None,
            command: None,
        }
    }

    /// `failing (credentials exam)`, `dead letters: 4`, `over: held`.
    fn in_short(&self) -> String {
        let kind = self.kind.replace('-', " ");
        match (self.change, self.kind.as_str()) {
            (Change::Ended, _) => format!("over: {kind}"),
            (Change::Began | Change::Changed | Change::Waits, "failing") => {
                format!("{kind} ({})", self.cause)
            }
            (Change::Began | Change::Changed | Change::Waits, "late" | "disk-full") => kind,
            (Change::Began | Change::Changed | Change::Waits, _) => {
                format!("{kind}: {}", grouped(self.count.unwrap_or(1)))
            }
        }
    }

    fn text(&self) -> String {
        let since = self.since.as_ref().map(|since| format!("since {since}"));
        let age = self.age.as_ref().map(|age| format!(", for {age}")).unwrap_or_default();
        if self.change == Change::Ended {
            return format!("Over: {}, {}{age}", self.kind.replace('-', " "), since.unwrap_or_default());
        }
        let changed = if self.change == Change::Changed { "Now for another reason: " } else { "" };
        let mut lines = vec![format!("{changed}{}", self.what.as_deref().unwrap_or_default())];
        let whom = self.whom.as_deref().unwrap_or_default();
        let to_do = match (&self.to_do, &self.command) {
            (Some(to_do), Some(command)) => format!(": {to_do}: {command}"),
            (Some(to_do), None) => format!(": {to_do}"),
            (None, Some(command)) => format!(": {command}"),
            (None, None) => String::new(),
        };
        lines.push(format!("For {whom}{to_do}"));
        lines.extend(since.map(|since| format!("S{}{age}", since.get(1..).unwrap_or_default())));
        lines.join("\n")
    }
}
