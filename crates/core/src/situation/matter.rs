//! One matter of a situation: what it is, since when, how many, who must act and what to type.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use serde::Serialize;

use super::attention::ShownAttention;
use super::cause::{RunTrouble, service_of};
use super::health::{HealthFacts, missed, moment};
use super::spoken_time::with_age;
use super::{ShownHold, SituationKind};
use crate::counted::{counted, grouped};
use crate::failure::FailureOwner;

/// How much a matter weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// Good to know; nobody is sent a message about it.
    Note,
    /// A person must do something.
    Waiting,
    /// A person must decide.
    Held,
    /// Runs are not good, or do not come.
    Failing,
}

/// What somebody must know or do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Matter {
    /// One stable word: `failing`, `late`, `disk-full`, or the kind of attention.
    pub kind: String,
    /// How much it weighs.
    pub weight: Weight,
    /// What it rests on, in stable words; another cause is another matter.
    pub cause: String,
    /// How many there are of it.
    pub count: u64,
    /// Since when, RFC 3339, where that is known.
    pub since: Option<String>,
    /// The same in milliseconds since 1970 UTC.
    #[serde(skip)]
    pub since_ms: Option<i64>,
    /// Who must act, for all of it or for most: `office`, `it`, `service` or `quota`.
    #[serde(serialize_with = "owner_word")]
    pub owner: FailureOwner,
    /// How many for whom.
    pub owners: BTreeMap<String, u64>,
    /// A sentence. Of people it has numbers and ids at most.
    pub what: String,
    /// What to do, where the sentence does not say it.
    pub to_do: Option<String>,
    /// What to type.
    pub command: Option<String>,
}

fn owner_word<S: serde::Serializer>(owner: &FailureOwner, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(owner.word())
}

/// Kinds of attention, the worst first, with their weight. What is missing here weighs like the last that waits.
const KINDS: [(&str, Weight); 28] = [
    ("held", Weight::Held),
    ("held-people", Weight::Held),
    ("refused-reload", Weight::Waiting),
    ("refused-files", Weight::Waiting),
    ("watched-folders", Weight::Waiting),
    ("old-roster", Weight::Waiting),
    ("dead-letters", Weight::Waiting),
    ("refused-groups", Weight::Waiting),
    ("full-account", Weight::Waiting),
    ("lasting-failures", Weight::Waiting),
    ("bad-rows", Weight::Waiting),
    ("withheld", Weight::Waiting),
    ("full-classes", Weight::Waiting),
    ("waits", Weight::Waiting),
    ("still-in-class", Weight::Waiting),
    ("ended-classes", Weight::Waiting),
    ("failing-results", Weight::Waiting),
    ("late-results", Weight::Waiting),
    ("unreadable-results", Weight::Waiting),
    ("unlisted-results", Weight::Waiting),
    ("page-not-served", Weight::Waiting),
    ("undelivered", Weight::Note),
    ("waiting-leavers", Weight::Note),
    ("kept-leavers", Weight::Note),
    ("leavers", Weight::Note),
    ("left-in-classes", Weight::Note),
    ("former-groups", Weight::Note),
    ("shared-not-written", Weight::Note),
];

impl Matter {
    /// The smaller, the worse; equal ones by age, the oldest first, and by their word.
    pub(super) fn rank(&self) -> (std::cmp::Reverse<Weight>, usize, i64, &str) {
        let place = KINDS.iter().position(|(kind, _)| *kind == self.kind).unwrap_or(KINDS.len());
        (std::cmp::Reverse(self.weight), place, self.since_ms.unwrap_or(i64::MAX), &self.kind)
    }

    /// Who must do what, in one line, where the sentence itself does not say it.
    #[must_use]
    pub fn advice(&self) -> Option<String> {
        let to_do = self.to_do.as_ref()?;
        let command = self.command.as_ref().map(|command| format!(": {command}")).unwrap_or_default();
        Some(format!("for {}: {to_do}{command}", self.owner.spoken()))
    }

    /// All facts in one line, the same wherever it is shown: `failing (credentials exam): 3 for IT, since
    /// 2027-01-15 15:25 +08:00 (35 min ago): rosterd check`.
    #[must_use]
    pub fn in_one_line(&self, zone: &TimeZone, now_ms: i64) -> String {
        let Self { kind, cause, count, since_ms, owner, command, .. } = self;
        let cause = if cause.is_empty() { String::new() } else { format!(" ({cause})") };
        let since = since_ms.map(|since| format!(", since {}", with_age(since, now_ms, zone)));
        let command = command.as_ref().map(|command| format!(": {command}"));
        format!(
            "{kind}{cause}: {} for {}{}{}",
            grouped(*count),
            owner.spoken(),
            since.unwrap_or_default(),
            command.unwrap_or_default()
        )
    }

    /// The sentence as it may leave this machine: names of files and folders are the school's own, and stay here.
    #[must_use]
    pub fn told(&self) -> String {
        match self.kind.as_str() {
            "refused-files" => {
                let verb = if self.count == 1 { "was" } else { "were" };
                format!("{} {verb} refused: see rosterd status", counted(self.count, "roster file"))
            }
            "refused-reload" => "the configuration was refused at a reload: see rosterd status".to_owned(),
            "watched-folders" => "a watched folder cannot be used: see rosterd status".to_owned(),
            _ => self.what.clone(),
        }
    }
}

/// What a kind of attention is.
pub(super) fn of_attention(kind: &str, shown: &ShownAttention, holds: &[ShownHold]) -> Matter {
    let weight =
        KINDS.iter().find(|(known, _)| *known == kind).map_or(Weight::Waiting, |(_, weight)| *weight);
    let owner = FailureOwner::ALL.into_iter().find(|owner| owner.word() == shown.owner);
    let (cause, command) = match kind {
        "held" => {
            let mut reasons: Vec<&str> = holds.iter().map(|hold| hold.reason.as_str()).collect();
            reasons.sort_unstable();
            reasons.dedup();
            let mut commands = holds.iter().filter_map(|hold| hold.approve.clone());
            let command = match (commands.next(), commands.next()) {
                (Some(_), Some(_)) => Some("rosterd status".to_owned()),
                (one, _) => one.or_else(|| holds.is_empty().then(|| "rosterd status".to_owned())),
            };
            (reasons.join(", "), command)
        }
        "held-people" | "dead-letters" | "refused-groups" | "full-account" | "lasting-failures"
        | "bad-rows" | "withheld" | "full-classes" | "waits" | "still-in-class" | "ended-classes" => {
            (owners(shown), Some("rosterd failures".to_owned()))
        }
        "refused-files" | "watched-folders" => (owners(shown), Some("rosterd status".to_owned())),
        "failing-results" | "late-results" => (owners(shown), Some("rosterd results".to_owned())),
        _ => (owners(shown), None),
    };
    Matter {
        kind: kind.to_owned(),
        weight,
        cause,
        count: shown.count,
        since: shown.since.clone(),
        since_ms: shown.since_ms(),
        owner: owner.unwrap_or(FailureOwner::It),
        owners: shown.by_owner().map(|(owner, count)| (owner.to_owned(), count)).collect(),
        what: shown.what.clone(),
        to_do: None,
        command,
    }
}

fn owners(shown: &ShownAttention) -> String {
    let owners: Vec<&str> = shown.by_owner().map(|(owner, _)| owner).collect();
    owners.join(", ")
}

/// What keeps it from being healthy; `None` before the first run, of which nobody need be told.
pub(super) fn of_health(facts: &HealthFacts, why: &str, now_ms: i64) -> Option<(SituationKind, Matter)> {
    let matter = |kind: SituationKind,
                  cause: String,
                  count,
                  since_ms: Option<i64>,
                  owner: FailureOwner,
                  to_do: &str,
                  command| {
        let matter = Matter {
            kind: kind.word().to_owned(),
            weight: Weight::Failing,
            cause,
            count,
            since: since_ms.map(moment),
            since_ms,
            owner,
            owners: BTreeMap::from([(owner.word().to_owned(), count)]),
            what: why.to_owned(),
            to_do: Some(to_do.to_owned()),
            command: Some(str::to_owned(command)),
        };
        (kind, matter)
    };
    if facts.is_disk_full {
        let to_do = "make room on the disk of the state database";
        let full = SituationKind::DiskFull;
        return Some(matter(full, String::new(), 1, None, FailureOwner::It, to_do, "rosterd status"));
    }
    if let Some(failed) = &facts.failed {
        let trouble = RunTrouble::of(failed.exit_code, failed.why.as_deref());
        let service = failed.why.as_deref().and_then(service_of);
        let cause = [Some(trouble.word()), service.map(|service| service.as_str())];
        let cause: Vec<&str> = cause.into_iter().flatten().collect();
        let since_ms = Some(failed.first_ended_at_ms);
        let (owner, to_do, command) = (trouble.owner(), trouble.to_do(), trouble.command());
        return Some(matter(
            SituationKind::Failing,
            cause.join(" "),
            failed.runs,
            since_ms,
            owner,
            to_do,
            command,
        ));
    }
    let due = missed(facts, now_ms)?;
    let to_do = "see that the daemon, or what starts the runs, is at work";
    let late = SituationKind::Late;
    Some(matter(late, String::new(), 1, Some(due), FailureOwner::It, to_do, "systemctl status rosterd"))
}
