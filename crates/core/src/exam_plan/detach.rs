//! Links whose candidate is gone although another one is listed under its login value.
//!
//! This happens when the candidate was deleted by hand and entered anew. The listing cannot tell the two
//! apart; a look-up by sid can.

use super::diff::{Diff, Difference, Leaver, LinkedStudent, Newcomer, PriorKnowledge};
use super::groups::shrink;
use super::identity::Disappearance;
use super::link::Link;
use super::lookup::{LookupRequests, LookupResults};
use crate::roster::LoginValue;

/// The consequences of detaching links from candidates that are gone.
#[must_use]
#[derive(Clone, Debug, Default)]
pub struct Detached {
    /// Look-ups for the candidates that may now be adopted.
    pub requests: LookupRequests,
}

impl Diff {
    /// Takes links off candidates that are listed by login value and gone by sid.
    ///
    /// The students become newcomers. Their link is replaced when the listed candidate is taken over, and not
    /// before: until then it is what lets the guard count how many have vanished. Does nothing the second time.
    pub fn detach_gone(&mut self, lookups: &LookupResults, now_ms: i64) -> Detached {
        let is_gone =
            |link: &Link, prior| lookups.absence(link, prior, true, now_ms) == Some(Disappearance::Gone);
        let mut detached = Detached::default();
        let mut freed = Vec::new();
        for difference in std::mem::take(&mut self.differences) {
            match difference {
                Difference::Linked(linked) if linked.own.is_some() && is_gone(&linked.link, linked.prior) => {
                    shrink(&mut self.group_sizes, linked.link.groups.as_ref());
                    freed.push(linked.link.login.clone());
                    self.differences.push(Difference::Newcomer(newcomer(*linked, &mut detached.requests)));
                }
                Difference::Leaver(leaver) if leaver.listed && is_gone(&leaver.link, leaver.prior) => {
                    freed.push(leaver.link.login.clone());
                    let gone = Leaver { listed: false, prior: PriorKnowledge::Gone, ..leaver };
                    self.differences.push(Difference::Leaver(gone));
                }
                Difference::Newcomer(_)
                | Difference::Linked(_)
                | Difference::Leaver(_)
                | Difference::Unusable(_) => self.differences.push(difference),
            }
        }
        let unmanaged = freed.iter().filter(|login| !self.is_wanted(login)).count();
        self.unmanaged = self.unmanaged.saturating_add(u64::try_from(unmanaged).unwrap_or(u64::MAX));
        detached
    }

    fn is_wanted(&self, login: &LoginValue) -> bool {
        self.differences.iter().any(|difference| match difference {
            Difference::Newcomer(newcomer) => newcomer.wanted.login == *login,
            Difference::Linked(linked) => linked.wanted.login == *login,
            Difference::Leaver(_) | Difference::Unusable(_) => false,
        })
    }
}

fn newcomer(linked: LinkedStudent, requests: &mut LookupRequests) -> Newcomer {
    let LinkedStudent { wanted, link, own, target, keeps_login: _, prior: _ } = linked;
    let listed = if wanted.login == link.login { own } else { target };
    if listed.is_some() {
        requests.logins.insert(wanted.login.clone());
        requests.owners.insert(wanted.login.clone());
    }
    Newcomer { wanted, listed, replaces: Some(link.sid) }
}
