//! Current owners of login values, and dependencies between renames.

use std::collections::{HashMap, HashSet};

use super::{CandidateLocation, PlanInput};
use crate::exam_plan::diff::{Difference, Owners, PriorKnowledge};
use crate::exam_plan::lookup::LoginFact;
use crate::exam_plan::open_add::OpenAdd;
use crate::exam_plan::operation::{Operation, OperationState};
use crate::exam_plan::reason::SkipReason;
use crate::roster::{LoginLikeness, LoginValue, Sid, StudentId};

/// The students behind login values and sids, after this run's look-ups.
pub(super) struct CurrentOwners {
    by_login: Owners,
    by_sid: HashMap<Sid, StudentId>,
    /// Login values under which a look-up by sid found a candidate that links do not expect there.
    arrived: Owners,
    /// Students whose candidates give up their login values in this plan.
    renaming: HashSet<StudentId>,
    /// The same by what those login values have in common with others: a service may keep them in a form of its own.
    renaming_alike: HashMap<LoginLikeness, StudentId>,
}

impl CurrentOwners {
    pub(super) fn new(input: &PlanInput<'_>, differences: &[Difference]) -> Self {
        let lookups = input.lookups;
        let asked: HashSet<Sid> = lookups
            .by_login
            .values()
            .filter_map(|fact| match fact {
                LoginFact::Found { sid, .. } => Some(*sid),
                LoginFact::Absent => None,
            })
            .collect();
        let mut owners = Self {
            by_login: lookups.owners.clone(),
            by_sid: lookups.sid_owners.clone(),
            arrived: Owners::new(),
            renaming: HashSet::new(),
            renaming_alike: HashMap::new(),
        };
        // First remove candidates that left their remembered place, then enter them where they are now.
        for difference in differences {
            let (link, prior) = match difference {
                Difference::Linked(linked) => (&linked.link, linked.prior),
                Difference::Leaver(leaver) => (&leaver.link, leaver.prior),
                Difference::Newcomer(_) | Difference::Unusable(_) => continue,
            };
            let now = match input.location(difference) {
                CandidateLocation::Here => Some(link.login.clone()),
                CandidateLocation::Elsewhere(login) => Some(login),
                CandidateLocation::Gone | CandidateLocation::Nowhere | CandidateLocation::Unknown => None,
            };
            if now.as_ref() != Some(&link.login) && owners.by_login.get(&link.login) == Some(&link.student) {
                owners.by_login.remove(&link.login);
            }
            if let (Difference::Linked(linked), Some(now)) = (difference, &now)
                && linked.wanted.login != *now
                && !(linked.keeps_login && *now == link.login)
            {
                owners.renaming.insert(link.student.clone());
                let first =
                    owners.renaming_alike.entry(LoginLikeness::of(now)).or_insert(link.student.clone());
                if link.student < *first {
                    first.clone_from(&link.student);
                }
            }
            if asked.contains(&link.sid) {
                owners.by_sid.insert(link.sid, link.student.clone());
            }
            let is_news = |now: &LoginValue| *now != link.login || prior == PriorKnowledge::Contested;
            owners.arrived.extend(now.filter(is_news).map(|now| (now, link.student.clone())));
        }
        owners.by_login.extend(owners.arrived.clone());
        owners.take_in_open_adds(input, differences);
        owners
    }

    /// What an add of an earlier run left under another login value than the roster has by now is its student's, as far as
    /// others are concerned.
    fn take_in_open_adds(&mut self, input: &PlanInput<'_>, differences: &[Difference]) {
        for difference in differences {
            let wanted = match difference {
                Difference::Newcomer(newcomer) => &newcomer.wanted,
                Difference::Linked(linked) => &linked.wanted,
                Difference::Leaver(_) | Difference::Unusable(_) => continue,
            };
            if let Some(OpenAdd::There { login, sid, groups: _ }) = input.lookups.open_adds.get(&wanted.id)
                && *login != wanted.login
                && !self.by_login.contains_key(login)
            {
                self.by_login.insert(login.clone(), wanted.id.clone());
                self.by_sid.insert(*sid, wanted.id.clone());
            }
        }
    }

    /// The other student whose candidate has this login value.
    pub(super) fn other_with_login(&self, login: &LoginValue, student: &StudentId) -> Option<&StudentId> {
        self.by_login.get(login).filter(|owner| *owner != student)
    }

    /// Whether the candidate listed under this login value turned out to be another student's.
    pub(super) fn is_anothers(&self, login: &LoginValue, student: &StudentId) -> bool {
        self.owner_by_now(login, student).is_some()
    }

    /// The other student whose candidate has this login value by now.
    pub(super) fn owner_by_now(&self, login: &LoginValue, student: &StudentId) -> Option<&StudentId> {
        self.arrived.get(login).filter(|owner| *owner != student)
    }

    /// The other student whose candidate this is.
    pub(super) fn other_with_sid(&self, sid: Sid, student: &StudentId) -> Option<&StudentId> {
        self.by_sid.get(&sid).filter(|owner| *owner != student)
    }

    /// The other student who has this login value now and gives it up in this plan.
    pub(super) fn freed_by(&self, login: &LoginValue, student: &StudentId) -> Option<&StudentId> {
        self.other_with_login(login, student).filter(|owner| self.renaming.contains(*owner))
    }

    /// The other student who has this login value in another writing and gives it up in this plan.
    pub(super) fn freed_alike_by(&self, login: &LoginValue, student: &StudentId) -> Option<&StudentId> {
        self.renaming_alike.get(&LoginLikeness::of(login)).filter(|owner| *owner != student)
    }
}

/// A rename into a login value that another rename frees goes ahead only together with it: until then the value is in use.
pub(in crate::exam_plan) fn block_dependent_renames(operations: &mut [Operation]) {
    let going: HashSet<StudentId> = operations
        .iter()
        .filter(|operation| operation.is_planned() && operation.change.login().is_some())
        .map(|operation| operation.student.clone())
        .collect();
    let mut waiting: HashMap<StudentId, Vec<usize>> = HashMap::new();
    let mut stuck = Vec::new();
    for (at, operation) in operations.iter().enumerate().filter(|(_, operation)| operation.is_planned()) {
        match operation.change.login().and_then(|login| login.held_by.as_ref()) {
            Some(owner) if going.contains(owner) => waiting.entry(owner.clone()).or_default().push(at),
            Some(owner) => stuck.push((at, owner.clone())),
            None => {}
        }
    }
    while let Some((at, owner)) = stuck.pop() {
        let Some(operation) = operations.get_mut(at) else { continue };
        operation.state = OperationState::Skipped(SkipReason::LoginInUse(owner));
        let behind = waiting.remove(&operation.student).unwrap_or_default();
        stuck.extend(behind.into_iter().map(|at| (at, operation.student.clone())));
    }
}
