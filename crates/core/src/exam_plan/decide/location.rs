//! Locates a linked candidate from the listing and the look-ups.

use std::collections::HashSet;

use super::whose::Whose;
use super::{Decider, PlanInput};
use crate::exam_plan::diff::{Difference, PriorKnowledge};
use crate::exam_plan::identity::{Disappearance, Identity};
use crate::exam_plan::link::Link;
use crate::exam_plan::lookup::{LoginFact, LookupResults, SidFact};
use crate::exam_plan::person_doubts::PersonDoubts;
use crate::roster::{LoginValue, Sid, StudentId};

/// Where a linked candidate is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CandidateLocation {
    /// Listed under the remembered login value, or there is no link.
    Here,
    /// Listed under another login value: it was renamed on the exam side.
    Elsewhere(LoginValue),
    /// It no longer exists.
    Gone,
    /// It exists and is listed nowhere: the listing has a gap, or the account keeps it out of the listing.
    Nowhere,
    /// It is missing, or another candidate may be listed in its place, and no look-up tells which.
    Unknown,
}

impl PlanInput<'_> {
    pub(super) fn location(&self, difference: &Difference) -> CandidateLocation {
        match difference {
            Difference::Newcomer(_) => CandidateLocation::Here,
            Difference::Unusable(unusable) => match unusable.missing() {
                Some(link) => self.find(link, unusable.prior, false, None),
                None => CandidateLocation::Here,
            },
            Difference::Leaver(leaver) => self.find(&leaver.link, leaver.prior, leaver.listed, None),
            Difference::Linked(linked) => {
                let target = linked.target.is_some().then_some(&linked.wanted.login);
                self.find(&linked.link, linked.prior, linked.own.is_some(), target)
            }
        }
    }

    fn find(
        &self,
        link: &Link,
        prior: PriorKnowledge,
        listed: bool,
        target: Option<&LoginValue>,
    ) -> CandidateLocation {
        let fact = self.lookups.by_sid.get(&link.sid);
        match self.lookups.absence(link, prior, listed, self.now_ms) {
            Some(Disappearance::Gone) => return CandidateLocation::Gone,
            Some(Disappearance::TooNew | Disappearance::Contradicted | Disappearance::Untold) => {
                return CandidateLocation::Unknown;
            }
            None => {}
        }
        if let Some(SidFact::Found { login: Some(login), .. }) = fact
            && *login != link.login
            && self.comparison.observed.find(login).is_some()
        {
            return CandidateLocation::Elsewhere(login.clone());
        }
        if listed {
            let found_here = match fact {
                Some(SidFact::Found { login: Some(login), .. }) => *login == link.login,
                _ => self.is_behind(link, &link.login),
            };
            let is_here = prior != PriorKnowledge::Contested || found_here;
            return if is_here { CandidateLocation::Here } else { CandidateLocation::Unknown };
        }
        match (fact, target) {
            (_, Some(target)) if self.is_behind(link, target) => CandidateLocation::Elsewhere(target.clone()),
            (Some(_), _) => CandidateLocation::Nowhere,
            (None, _) if prior == PriorKnowledge::Unlisted => CandidateLocation::Nowhere,
            (None, _) => CandidateLocation::Unknown,
        }
    }

    /// The candidate that has the login value of a leaver whose own one is gone, where it is nobody's and nobody on the
    /// roster wants the login value: somebody entered the leaver anew.
    pub(super) fn entered_anew(&self, leaver: &Link, doubts: &PersonDoubts) -> Option<Sid> {
        let LookupResults { by_login, sid_owners, our_lost_deletes, .. } = self.lookups;
        let Some(LoginFact::Found { sid, .. }) = by_login.get(&leaver.login) else { return None };
        let is_free = *sid != leaver.sid && !sid_owners.contains_key(sid);
        let is_ours = our_lost_deletes.contains(&leaver.student) || doubts.is_wanted(&leaver.login);
        (is_free && !is_ours).then_some(*sid)
    }

    /// Whether looking up this login value found the linked candidate.
    fn is_behind(&self, link: &Link, login: &LoginValue) -> bool {
        matches!(self.lookups.by_login.get(login), Some(LoginFact::Found { sid, .. }) if *sid == link.sid)
    }
}

impl Decider<'_> {
    /// Under which login value a linked candidate is known from now on, and whether its sid showed one that makes it
    /// another student's or nobody's. What people, the service or a lost change of ours made of it does not: the
    /// record has the student's other values, or the login value that the roster wants.
    pub(super) fn note_identity(&mut self, difference: &Difference, location: &CandidateLocation) {
        let link = match difference {
            Difference::Linked(linked) => &linked.link,
            Difference::Leaver(leaver) => &leaver.link,
            Difference::Newcomer(_) | Difference::Unusable(_) => return,
        };
        let wanted = match difference {
            Difference::Linked(linked) => Some(&linked.wanted.login),
            Difference::Leaver(_) | Difference::Newcomer(_) | Difference::Unusable(_) => None,
        };
        let is_wanted =
            wanted.is_some_and(|login| self.input.lookups.identity(link.sid, login) == Identity::Proven);
        let is_another =
            !is_wanted && self.input.lookups.identity(link.sid, &link.login) == Identity::Another;
        let is_own = self.whose.get(&link.student) == Some(&Whose::Own);
        let counts = is_another && !is_own;
        self.another_login += u64::from(counts);
        self.another_login_now += u64::from(counts && !self.input.lookups.recalled.has(link.sid));
        let now = match location {
            CandidateLocation::Elsewhere(login) => login,
            CandidateLocation::Here
            | CandidateLocation::Gone
            | CandidateLocation::Nowhere
            | CandidateLocation::Unknown => &link.login,
        };
        self.known_as.insert(link.sid, now.clone());
    }
}

/// Leavers whose candidates no longer exist, and who were not entered anew.
pub(super) fn gone(
    input: &PlanInput<'_>,
    differences: &[Difference],
    doubts: &PersonDoubts,
) -> HashSet<StudentId> {
    let gone = differences.iter().filter(|difference| match difference {
        Difference::Leaver(leaver) => {
            input.location(difference) == CandidateLocation::Gone
                && input.entered_anew(&leaver.link, doubts).is_none()
        }
        Difference::Newcomer(_) | Difference::Linked(_) | Difference::Unusable(_) => false,
    });
    gone.map(|leaver| leaver.student().clone()).collect()
}
