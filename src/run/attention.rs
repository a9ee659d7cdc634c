//! What waits for a person, another row or a time. It is shown everywhere, with an age and an owner, and decides no exit
//! code.

use std::collections::BTreeMap;

use serde::Serialize;

use super::report::moment;
use crate::store::{StateStore, StoreError, Waiting, WaitingKind};
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
pub async fn waiting_attention(state: &StateStore) -> Result<Attentions, StoreError> {
    let waiting = state.waiting().await?;
    Ok(waiting.iter().map(|(kind, it)| (word(*kind), Attention::waiting(*kind, it))).collect())
}

/// Whether this kind of attention stands among the failures, so that no report is asked about it.
#[must_use]
pub fn is_waiting_kind(kind: &str) -> bool {
    WaitingKind::ALL.into_iter().any(|one| word(one) == kind)
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
    };
    if count == 1 { one.to_owned() } else { format!("{count} {several}") }
}
