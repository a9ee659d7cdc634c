//! What waits for the school office, once a day: numbers, kinds, ages and commands, and of people nothing.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use super::message::{Change, Item, Message, Purpose};
use super::spoken_time::in_zone;
use super::{Matter, Situation, Weight};
use crate::counted::grouped;
use crate::failure::FailureOwner;

const OFFICE: FailureOwner = FailureOwner::SchoolOffice;

/// What lists all that stands among the failures for the office.
const FOR_THE_OFFICE: &str = "rosterd failures --for office";

/// What stands among the failures is listed by this command.
const AMONG_THE_FAILURES: &str = "rosterd failures";

/// What is to become of today's digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DigestDay {
    /// It was told, or its hour has not come.
    NotDue,
    /// It is due: told for this day.
    Due(Date),
    /// A clock that was ahead by days has left a day behind; this one takes its place.
    Mended(Date),
}

impl DigestDay {
    /// By the day for which one was told last, the day and time in the school's zone, and the time it is wanted at.
    ///
    /// A day has one digest, however often its hour comes: a clock that goes back over it, in autumn or by hand, brings no
    /// second one, and one that leaps over it does not skip it.
    #[must_use]
    pub fn of(told: Option<Date>, today: Date, time: Time, wanted: Time) -> Self {
        let tomorrow = today.tomorrow().unwrap_or(today);
        match told {
            Some(told) if told > tomorrow => Self::Mended(today),
            Some(told) if told >= today => Self::NotDue,
            Some(_) | None if time < wanted => Self::NotDue,
            Some(_) | None => Self::Due(today),
        }
    }
}

/// The message for the office; it has no items where nothing waits.
#[must_use]
pub fn digest(situation: &Situation, title: &str, zone: &TimeZone, now_ms: i64) -> Message {
    let waiting: Vec<(&Matter, u64)> = situation
        .matters
        .iter()
        .filter_map(|matter| Some((matter, *matter.owners.get(OFFICE.word())?)))
        .filter(|(matter, count)| *count > 0 && !is_of_runs(matter))
        .collect();
    let count: u64 = waiting.iter().map(|(_, count)| count).sum();
    let verb = if count == 1 { "waits" } else { "wait" };
    let whom = OFFICE.spoken();
    let waits = match count {
        0 => format!("nothing waits for {whom}"),
        _ => format!("{} {verb} for {whom}", grouped(count)),
    };
    // Figures of a run that failed may be old.
    let trouble = if situation.healthy { "" } else { "; runs are not good at present, so more may wait" };
    Message {
        title: title.to_owned(),
        purpose: Purpose::Digest,
        heading: format!("{waits}{trouble}"),
        made_at: in_zone(now_ms, zone),
        items: waiting.into_iter().map(|(matter, count)| item(matter, count, zone, now_ms)).collect(),
        next_run: None,
    }
}

fn is_of_runs(matter: &Matter) -> bool {
    matter.weight == Weight::Failing
}

/// The office's part of a matter.
fn item(matter: &Matter, count: u64, zone: &TimeZone, now_ms: i64) -> Item {
    let whole = Item::of_matter(Change::Waits, matter, zone, now_ms);
    let is_listed = whole.command.as_deref() == Some(AMONG_THE_FAILURES);
    let command = if is_listed { Some(FOR_THE_OFFICE.to_owned()) } else { whole.command };
    let told = matter.told();
    let is_mixed = matter.count > count;
    let what =
        if is_mixed { format!("{} for {}; in all: {told}", grouped(count), OFFICE.spoken()) } else { told };
    Item {
        count: Some(count),
        cause: OFFICE.word().to_owned(),
        owner: Some(OFFICE.word().to_owned()),
        whom: Some(OFFICE.spoken().to_owned()),
        what: Some(what),
        command,
        ..whole
    }
}
