//! Where a linked candidate is, as far as the listing and the look-ups say.

use super::PlanInput;
use crate::exam_plan::facts::{LoginFact, SidFact};
use crate::exam_plan::link::Link;
use crate::exam_plan::survey::{Case, Sighting};
use crate::roster::LoginValue;

/// Where a linked candidate is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Whereabouts {
    /// Listed under the remembered login value, or there is no link.
    Here,
    /// Listed under another login value: somebody renamed it there.
    Elsewhere(LoginValue),
    /// It no longer exists.
    Gone,
    /// It exists and is listed nowhere: the listing has a gap.
    Nowhere,
    /// It is missing, or somebody else's may be listed in its place, and no look-up says which.
    Unknown,
}

impl PlanInput<'_> {
    pub(super) fn whereabouts(&self, case: &Case) -> Whereabouts {
        match case {
            Case::Newcomer(_) | Case::Unusable(_) => Whereabouts::Here,
            Case::Leaver(leaver) => self.find(&leaver.link, leaver.sighting, leaver.listed, None),
            Case::Linked(linked) => {
                let target = linked.target.is_some().then_some(&linked.wanted.login);
                self.find(&linked.link, linked.sighting, linked.own.is_some(), target)
            }
        }
    }

    fn find(
        &self,
        link: &Link,
        sighting: Sighting,
        listed: bool,
        target: Option<&LoginValue>,
    ) -> Whereabouts {
        let fact = self.facts.by_sid.get(&link.sid);
        if sighting == Sighting::Gone || fact == Some(&SidFact::Gone) {
            return Whereabouts::Gone;
        }
        if let Some(SidFact::Found { login: Some(login), .. }) = fact
            && *login != link.login
            && self.comparison.observed.find(login).is_some()
        {
            return Whereabouts::Elsewhere(login.clone());
        }
        if listed {
            let found_here = match fact {
                Some(SidFact::Found { login: Some(login), .. }) => *login == link.login,
                _ => self.is_behind(link, &link.login),
            };
            let is_here = sighting != Sighting::Contested || found_here;
            return if is_here { Whereabouts::Here } else { Whereabouts::Unknown };
        }
        match (fact, target) {
            (_, Some(target)) if self.is_behind(link, target) => Whereabouts::Elsewhere(target.clone()),
            (Some(_), _) => Whereabouts::Nowhere,
            (None, _) => Whereabouts::Unknown,
        }
    }

    /// Whether looking up this login value brought the linked candidate.
    fn is_behind(&self, link: &Link, login: &LoginValue) -> bool {
        matches!(self.facts.by_login.get(login), Some(LoginFact::Found { sid, .. }) if *sid == link.sid)
    }
}
