//! What waits for a person, another row or a time. It is shown everywhere, with an age and an owner, and decides no exit
//! code.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::report::{HoldLine, moment};
use crate::store::{StandingHold, StateStore, StoreError, Waiting, WaitingKind};
use rosterd_core::counted::counted;
use rosterd_core::failure::FailureOwner;

/// One kind of it, in figures and in one sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attention {
    pub count: u64,
    /// Since when the oldest waits, RFC 3339, where that is known.
    pub since: Option<String>,
    /// Who can do something about it, or about most of it: `office`, `it`, `service` or `quota`.
    pub owner: &'static str,
    /// How many for whom.
    pub owners: BTreeMap<&'static str, u64>,
    /// What it is, for a person to read.
    pub what: String,
}

/// By kind, in one stable word each.
pub type Attentions = BTreeMap<&'static str, Attention>;

impl Attention {
    /// So many, since then, for them.
    pub(crate) fn new(count: u64, since_ms: Option<i64>, owner: FailureOwner, what: String) -> Self {
        let owners = BTreeMap::from([(owner.word(), count)]);
        Self { count, since: since_ms.map(moment), owner: owner.word(), owners, what }
    }

    fn waiting(kind: WaitingKind, waiting: &Waiting) -> Self {
        let most = waiting.by_owner.iter().max_by_key(|(_, count)| **count);
        let owner = most.map_or(FailureOwner::It, |(owner, _)| *owner);
        let owners: Vec<String> =
            waiting.by_owner.iter().map(|(owner, count)| format!("{count} for {}", owner.spoken())).collect();
        let count = waiting.count();
        let what = format!("{}: {} (see rosterd failures)", sentence(kind, count), owners.join(", "));
        let counts = waiting.by_owner.iter().map(|(owner, count)| (owner.word(), *count)).collect();
        Self { owners: counts, ..Self::new(count, waiting.since_ms, owner, what) }
    }
}

/// What stands among the failures and waits, by kind. Each is there until it is mended, decided or silenced.
///
/// # Errors
/// When our own database cannot be read.
pub async fn waiting_attention(
    state: &StateStore,
    max_delay: Duration,
    now_ms: i64,
) -> Result<Attentions, StoreError> {
    let longest_ms = i64::try_from(max_delay.as_millis()).unwrap_or(i64::MAX);
    let waiting = state.waiting(now_ms.saturating_sub(longest_ms)).await?;
    let mut attention: Attentions =
        waiting.iter().map(|(kind, it)| (word(*kind), Attention::waiting(*kind, it))).collect();
    let limits = state.standing_holds(now_ms).await?.into_iter().filter(|hold| hold.word.is_none());
    attention.extend(held_by_limits(limits.collect()).map(|held| (HELD, held)));
    Ok(attention)
}

/// The word for leavers whose grace has not ended.
pub(super) const WAITING_LEAVERS: &str = "waiting-leavers";

/// Who has left and waits for the grace, so that somebody sees it before it ends.
pub(super) fn waiting_leavers(count: u64, since_ms: Option<i64>) -> Attention {
    let verb = if count == 1 { "waits" } else { "wait" };
    let what = format!(
        "{} {verb} for exam.delete_grace: who has not left must be back on the roster before it ends",
        counted(count, "leaver")
    );
    Attention::new(count, since_ms, FailureOwner::SchoolOffice, what)
}

/// The word for those whom the mode leaves in classes, beside the leavers of the exam side.
pub(super) const LEFT_IN_CLASSES: &str = "left-in-classes";

/// What is held by limits; holds about single people stand among the failures.
const HELD: &str = "held";

fn held_by_limits(holds: Vec<StandingHold>) -> Option<Attention> {
    let since_ms = holds.iter().map(|hold| hold.since_ms).min()?;
    let figure = |operations: i64| u64::try_from(operations).unwrap_or(0);
    let count = holds.iter().map(|hold| figure(hold.operations)).sum();
    let each: Vec<String> = holds
        .iter()
        .map(|hold| format!("{} of {}: {}", figure(hold.operations), hold.service, hold.reason))
        .collect();
    let verb = if count == 1 { "is" } else { "are" };
    let held = format!("{} {verb} held by a limit", counted(count, "operation"));
    let approved = holds.iter().map(|hold| hold.approved_until_ms).collect::<Option<Vec<i64>>>();
    if let Some(until_ms) = approved.and_then(|until| until.into_iter().min()) {
        let what = format!("{held} and approved until {}: the next run lets it happen", moment(until_ms));
        return Some(Attention::new(count, Some(since_ms), FailureOwner::It, what));
    }
    let is_one = holds.len() == 1;
    let first = holds.into_iter().next().map(HoldLine::from);
    let what = match first.filter(|_| is_one) {
        Some(HoldLine { service, reason_code, approve, .. }) => {
            format!("{held} ({service}, {reason_code}); to let it happen: {approve}")
        }
        None => format!("{held} ({}); the command for each: rosterd status", each.join(", ")),
    };
    Some(Attention::new(count, Some(since_ms), FailureOwner::It, what))
}

/// Files of watched folders that were refused and lie there.
pub(crate) const REFUSED_FILES: &str = "refused-files";
/// What is in the way in watched folders.
pub(crate) const WATCHED_FOLDERS: &str = "watched-folders";

/// Whether this kind of attention stands among the failures or in the watched folders, so that no report is asked about it.
#[must_use]
pub fn is_waiting_kind(kind: &str) -> bool {
    [HELD, REFUSED_FILES, WATCHED_FOLDERS].contains(&kind)
        || WaitingKind::ALL.into_iter().any(|one| word(one) == kind)
}

fn word(kind: WaitingKind) -> &'static str {
    match kind {
        WaitingKind::DeadLetters => "dead-letters",
        WaitingKind::HeldPeople => "held-people",
        WaitingKind::Withheld => "withheld",
        WaitingKind::Waits => "waits",
        WaitingKind::FullClasses => "full-classes",
        WaitingKind::EndedClasses => "ended-classes",
        WaitingKind::StillInClass => "still-in-class",
        WaitingKind::BadRows => "bad-rows",
        WaitingKind::Lasting => "lasting-failures",
        WaitingKind::RefusedGroups => "refused-groups",
        WaitingKind::FullAccount => "full-account",
    }
}

fn sentence(kind: WaitingKind, count: u64) -> String {
    let (one, several) = match kind {
        WaitingKind::DeadLetters => ("1 dead letter", "dead letters"),
        WaitingKind::HeldPeople => ("1 hold about a single person", "holds about single people"),
        WaitingKind::Withheld => ("1 withheld operation", "withheld operations"),
        WaitingKind::Waits => {
            ("1 wait for another student's login value", "waits for another student's login value")
        }
        WaitingKind::FullClasses => ("1 wait for room in a full class", "waits for room in full classes"),
        WaitingKind::EndedClasses => (
            "1 class that takes no changes any more, or is probably over",
            "classes that take no changes any more, or are probably over",
        ),
        WaitingKind::StillInClass => (
            "1 student still in a class where they are no longer wanted",
            "students still in a class where they are no longer wanted",
        ),
        WaitingKind::BadRows => ("1 bad row of the roster", "bad rows of the roster"),
        WaitingKind::Lasting => (
            "1 operation that the service has failed for longer than retry.max_delay",
            "operations that the service has failed for longer than retry.max_delay",
        ),
        WaitingKind::RefusedGroups => {
            ("1 group into which the service puts nobody", "groups into which the service puts nobody")
        }
        WaitingKind::FullAccount => (
            "1 student for whom the exam account has no room: raise its candidate number limit",
            "students for whom the exam account has no room: raise its candidate number limit",
        ),
    };
    if count == 1 { one.to_owned() } else { format!("{count} {several}") }
}
