//! Remembered answers in a plan: what rests on them, and what this run found out itself.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::{Answers, keys};
use crate::exam_plan::diff::Diff;
use crate::exam_plan::guard::GuardedPlan;
use crate::exam_plan::link::LinkNote;
use crate::exam_plan::lookup::{LoginFact, LookupResults, SidFact};
use crate::exam_plan::operation::Operation;
use crate::exam_plan::recalled::Recalled;
use crate::roster::{LoginValue, Sid, StudentId};

impl LookupResults {
    /// Takes remembered answers for those of this run.
    pub fn recall(&mut self, answers: HashMap<StudentId, Answers>) {
        for (student, Answers { by_sid, by_login, shown }) in answers {
            self.recalled.sids.extend(by_sid.keys().copied());
            self.recalled.logins.extend(by_login.keys().cloned());
            self.by_sid.extend(by_sid);
            self.by_login.extend(by_login);
            self.shown.extend(shown);
            self.recalled.students.insert(student);
        }
    }

    /// Notes who has to do with those about whom answers were recalled.
    pub fn note_concerned(&mut self, diff: &Diff) {
        if self.recalled.students.is_empty() {
            return;
        }
        let (mut sids, mut logins) = (self.recalled.sids.clone(), self.recalled.logins.clone());
        for difference in diff.differences.iter().filter(|it| self.recalled.students.contains(it.student())) {
            let (own_sids, own_logins) = keys(difference);
            logins.extend(own_logins.into_iter().chain(self.shown_logins(&own_sids)));
            sids.extend(own_sids);
        }
        sids.extend(self.recalled.logins.iter().filter_map(|login| match self.by_login.get(login) {
            Some(LoginFact::Found { sid, .. }) => Some(*sid),
            Some(LoginFact::Absent) | None => None,
        }));
        let concerned = diff.differences.iter().filter(|difference| {
            let (own_sids, own_logins) = keys(difference);
            let shown = self.shown_logins(&own_sids);
            own_sids.iter().any(|sid| sids.contains(sid))
                || own_logins.iter().chain(&shown).any(|login| logins.contains(login))
        });
        self.recalled.concerned = concerned.map(|difference| difference.student().clone()).collect();
    }

    fn shown_logins(&self, sids: &BTreeSet<Sid>) -> Vec<LoginValue> {
        let facts = sids.iter().filter_map(|sid| self.by_sid.get(sid));
        let shown = facts.filter_map(|fact| match fact {
            SidFact::Found { login, .. } => login.clone(),
            SidFact::Gone => None,
        });
        shown.collect()
    }

    /// How many look-ups of this run showed a login value.
    #[must_use]
    pub fn shown_now(&self) -> u64 {
        let facts = self.by_sid.iter().filter(|(sid, _)| !self.recalled.sids.contains(*sid));
        let shown = facts.filter(|(_, fact)| matches!(fact, SidFact::Found { login: Some(_), .. }));
        u64::try_from(shown.count()).unwrap_or(u64::MAX)
    }

    /// What this run itself found out.
    #[must_use]
    pub fn of_this_run(mut self) -> Self {
        let Recalled { sids, logins, students: _, concerned: _ } = std::mem::take(&mut self.recalled);
        self.by_sid.retain(|sid, _| !sids.contains(sid));
        self.shown.retain(|sid, _| !sids.contains(sid));
        self.by_login.retain(|login, _| !logins.contains(login));
        self
    }
}

impl Recalled {
    /// Whether the plan would write, or remember of a link, anything that rests on an answer of an earlier run.
    #[must_use]
    pub fn bears_on(&self, plan: &GuardedPlan) -> bool {
        let concerns =
            |student: &StudentId| self.concerned.contains(student) || self.students.contains(student);
        let rests = |operation: &Operation| {
            let held_by = operation.change.login().and_then(|login| login.held_by.as_ref());
            operation.is_planned() && (concerns(&operation.student) || held_by.is_some_and(concerns))
        };
        let follows = |note: &LinkNote| match note {
            LinkNote::Follow(student, _) | LinkNote::Close(student) | LinkNote::Lost(student) => {
                concerns(student)
            }
            LinkNote::Groups(student, _) => self.students.contains(student),
            LinkNote::Gone(_)
            | LinkNote::Returned(_)
            | LinkNote::RenamedByHand(_)
            | LinkNote::Suspected(..)
            | LinkNote::SeenAgain(..)
            | LinkNote::Cleared(..)
            | LinkNote::Rewritten(..)
            | LinkNote::Confirm(..) => false,
        };
        !self.students.is_empty() && (plan.operations.iter().any(rests) || plan.notes.iter().any(follows))
    }
}

/// Students of whom the plan leaves nothing to be done now: what was found out about them may stand.
pub fn at_rest<'p>(plan: &'p GuardedPlan) -> impl Fn(&StudentId) -> bool + use<'p> {
    let planned = plan.operations.iter().filter(|operation| operation.is_planned());
    let busy: HashSet<&StudentId> = planned.map(|operation| &operation.student).collect();
    move |student| !busy.contains(student)
}
