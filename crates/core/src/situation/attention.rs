//! What waits for a person, another row or a time, as it is shown: on the first line of `status`, on the page, in the
//! metrics.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::health::span;
use crate::failure::FailureOwner;

/// One kind of attention, of now or as a report has stored it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownAttention {
    /// How many there are.
    pub count: u64,
    /// Since when the oldest waits, RFC 3339, where that is known.
    pub since: Option<String>,
    /// Who can do something about it: `office`, `it`, `service` or `quota`.
    pub owner: String,
    /// How many for whom; absent in reports of older versions.
    #[serde(default)]
    pub owners: BTreeMap<String, u64>,
    /// What it is, for a person to read.
    pub what: String,
}

impl ShownAttention {
    /// How many for whom.
    pub fn by_owner(&self) -> impl Iterator<Item = (&str, u64)> {
        let all = self.owners.is_empty().then_some((self.owner.as_str(), self.count));
        all.into_iter().chain(self.owners.iter().map(|(owner, count)| (owner.as_str(), *count)))
    }

    /// Since when the oldest waits, in milliseconds since 1970 UTC.
    #[must_use]
    pub fn since_ms(&self) -> Option<i64> {
        self.since.as_ref()?.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
    }
}

/// The words for whom a word stands for.
fn spoken(owner: &str) -> &str {
    FailureOwner::ALL.into_iter().find(|one| one.word() == owner).map_or(owner, |one| one.spoken())
}

/// By kind, in one stable word each.
pub type ShownAttentions = BTreeMap<String, ShownAttention>;

/// How much waits for whom, and for how long the oldest has; `None` where nothing waits.
#[must_use]
pub fn attention_in_short(attention: &ShownAttentions, now_ms: i64) -> Option<String> {
    let mut owners: BTreeMap<&str, u64> = BTreeMap::new();
    for (owner, count) in attention.values().flat_map(ShownAttention::by_owner) {
        *owners.entry(owner).or_default() += count;
    }
    let count: u64 = owners.values().sum();
    let parts: Vec<String> =
        owners.iter().map(|(owner, count)| format!("{count} for {}", spoken(owner))).collect();
    let sum = if owners.len() > 1 { format!("{count}: ") } else { String::new() };
    let since = attention.values().filter_map(ShownAttention::since_ms).min();
    let age = since.map(|since| span(now_ms.saturating_sub(since).max(0)));
    let age = age.map(|age| format!(", the oldest for {age}")).unwrap_or_default();
    (count > 0).then(|| format!("attention: {sum}{}{age}", parts.join(", ")))
}
