//! What waits for a person, another row or a time. It is shown everywhere, with an age and an owner, and decides no exit
//! code.

use std::collections::BTreeMap;

use serde::Serialize;

use super::report::moment;
use rosterd_core::failure::FailureOwner;

/// One kind of it, in figures and in one sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attention {
    pub count: u64,
    /// Since when the oldest waits, RFC 3339, where that is known.
    pub since: Option<String>,
    /// Who can do something about it.
    pub owner: &'static str,
    /// What it is, for a person to read.
    pub what: String,
}

/// By kind, in one stable word each.
pub type Attentions = BTreeMap<&'static str, Attention>;

impl Attention {
    /// So many, since then, for them.
    pub(super) fn new(count: u64, since_ms: Option<i64>, owner: FailureOwner, what: String) -> Self {
        Self { count, since: since_ms.map(moment), owner: owner.as_str(), what }
    }
}
