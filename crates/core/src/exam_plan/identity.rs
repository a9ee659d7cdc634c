//! Whose a candidate is, and whether it is gone, as far as this run's look-ups show it.

use std::collections::BTreeSet;

use super::diff::{Diff, Difference, Leaver, LinkedStudent, PriorKnowledge};
use super::link::Link;
use super::lookup::{LoginFact, LookupRequests, LookupResults, SidFact};
use crate::roster::{LoginValue, Sid};

/// A link made so short a time ago cannot be gone: reads may lag behind.
pub const TOO_NEW_TO_BE_GONE_MS: i64 = 15 * 60 * 1000;

/// Whether a sid belongs to the candidate with a login value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// A look-up of this run showed the two together.
    Proven,
    /// The sid shows another login value, or the login value brought another sid.
    Another,
    /// No look-up of this run says so.
    Untold,
}

/// What it means that a look-up by sid says that a candidate is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disappearance {
    /// It is: the look-up by login value says the same, or our own delete explains it.
    Gone,
    /// The link is too new for it.
    TooNew,
    /// The look-up by login value, or the listing, says otherwise.
    Contradicted,
    /// No look-up by login value says anything.
    Untold,
}

impl LookupResults {
    /// Whether the candidate with this sid is the one with this login value.
    #[must_use]
    pub fn identity(&self, sid: Sid, login: &LoginValue) -> Identity {
        let by_login = match self.by_login.get(login) {
            Some(LoginFact::Found { sid: found, .. }) => Some(*found == sid),
            Some(LoginFact::Absent) | None => None,
        };
        let by_sid = match self.by_sid.get(&sid) {
            Some(SidFact::Found { login: Some(shown), .. }) => Some(shown == login),
            Some(SidFact::Found { login: None, .. } | SidFact::Gone) | None => None,
        };
        match (by_sid, by_login) {
            (Some(true), _) | (None, Some(true)) => Identity::Proven,
            (Some(false), _) | (None, Some(false)) => Identity::Another,
            (None, None) => Identity::Untold,
        }
    }

    /// What is to be made of a linked candidate that a look-up by sid calls gone; `None` where none does.
    ///
    /// A link is given up only where the look-ups by sid and by login value both say so. `listed`: whether a candidate
    /// is listed under the link's login value; then only another sid behind that value bears the first out.
    #[must_use]
    pub fn absence(
        &self,
        link: &Link,
        prior: PriorKnowledge,
        listed: bool,
        now_ms: i64,
    ) -> Option<Disappearance> {
        let is_gone = match self.by_sid.get(&link.sid) {
            Some(SidFact::Gone) => true,
            Some(SidFact::Found { .. }) => false,
            None => prior == PriorKnowledge::Gone,
        };
        if !is_gone {
            return None;
        }
        if self.our_lost_deletes.contains(&link.student) {
            return Some(Disappearance::Gone);
        }
        if now_ms.saturating_sub(link.linked_at_ms) < TOO_NEW_TO_BE_GONE_MS {
            return Some(Disappearance::TooNew);
        }
        let is_borne_out = match self.by_login.get(&link.login) {
            Some(LoginFact::Absent) => !listed,
            Some(LoginFact::Found { sid, .. }) => *sid != link.sid,
            None => return Some(Disappearance::Untold),
        };
        Some(if is_borne_out { Disappearance::Gone } else { Disappearance::Contradicted })
    }
}

impl Diff {
    /// What has to be asked for after the look-ups by sid: the login values of candidates that are gone by sid, and of
    /// leavers whose sid did not show its login value; whose a login value is that another sid shows.
    #[must_use]
    pub fn to_confirm(&self, lookups: &LookupResults) -> LookupRequests {
        let mut requests = LookupRequests::default();
        for difference in &self.differences {
            let (link, prior, is_leaver) = match difference {
                Difference::Linked(linked) => (&linked.link, linked.prior, false),
                Difference::Leaver(leaver) => (&leaver.link, leaver.prior, true),
                Difference::Unusable(unusable) => match unusable.missing() {
                    Some(link) => (link, unusable.prior, false),
                    None => continue,
                },
                Difference::Newcomer(_) => continue,
            };
            let is_asked_for = match lookups.by_sid.get(&link.sid) {
                Some(SidFact::Gone) => !lookups.our_lost_deletes.contains(&link.student),
                Some(SidFact::Found { login: None, .. }) => is_leaver,
                Some(SidFact::Found { login: Some(shown), .. }) => {
                    requests.owners.extend((*shown != link.login).then(|| shown.clone()));
                    false
                }
                None => prior == PriorKnowledge::Gone,
            };
            if is_asked_for {
                requests.logins.insert(link.login.clone());
            }
        }
        requests
    }

    /// Candidates that are listed under their login value, gone by sid, and nobody's by login value: a contradiction,
    /// which asking again alone may resolve.
    #[must_use]
    pub fn contradictions(&self, lookups: &LookupResults) -> BTreeSet<Sid> {
        let contradicted = |difference: &Difference| {
            let (link, prior, listed) = match difference {
                Difference::Linked(linked) => {
                    let LinkedStudent { link, prior, own, .. } = linked.as_ref();
                    (link, *prior, own.is_some())
                }
                Difference::Leaver(Leaver { link, prior, listed, absence: _ }) => (link, *prior, *listed),
                Difference::Newcomer(_) | Difference::Unusable(_) => return None,
            };
            let is_absent = lookups.by_login.get(&link.login) == Some(&LoginFact::Absent);
            let is_gone = lookups.absence(link, prior, listed, i64::MAX) == Some(Disappearance::Contradicted);
            (listed && is_absent && is_gone).then_some(link.sid)
        };
        self.differences.iter().filter_map(contradicted).collect()
    }
}
