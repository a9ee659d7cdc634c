//! Whose the record is that a linked candidate shows under another login value than its link remembers.
//!
//! A link follows only what can be told to be its student's: otherwise two records that changed hands on the exam side
//! would both be written over.

use std::collections::{HashMap, HashSet};

use super::{CandidateLocation, PlanInput};
use crate::exam_plan::compare::Agreement;
use crate::exam_plan::diff::{Difference, Leaver, LinkedStudent, PriorKnowledge};
use crate::exam_plan::service_form::is_service_form;
use crate::exam_plan::temporary_login::is_temporary_login;
use crate::roster::{LoginValue, StudentId};

/// Whose record it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// The student's: a write of ours, the service or somebody by hand gave it another login value.
    Own,
    /// Nothing but the sid says that it is the student's.
    Untold,
    /// It has what belongs to this student: the two may have changed hands.
    Anothers(StudentId),
    /// Nothing of it is the student's, or the student's login value is listed for somebody else.
    Strange,
}

/// Whose the records are of all linked candidates that were found under another login value.
pub(super) fn whose_are(input: &PlanInput<'_>, differences: &[Difference]) -> HashMap<StudentId, Whose> {
    let found = differences.iter().filter_map(|difference| match input.location(difference) {
        CandidateLocation::Elsewhere(shown) => Some((difference, shown)),
        CandidateLocation::Here
        | CandidateLocation::Gone
        | CandidateLocation::Nowhere
        | CandidateLocation::Unknown => None,
    });
    let found: Vec<(&Difference, LoginValue)> = found.collect();
    if found.is_empty() {
        return HashMap::new();
    }
    let claims = Claims::new(input, differences, &found);
    let whose = found.iter().map(|(difference, shown)| {
        let whose = match difference {
            Difference::Linked(linked) => claims.of_student(linked, shown),
            Difference::Leaver(leaver) => claims.of_leaver(leaver, shown),
            Difference::Newcomer(_) | Difference::Unusable(_) => Whose::Untold,
        };
        (difference.student().clone(), whose)
    });
    whose.collect()
}

/// Who wants which login value, and who got the one that the roster wants of them.
struct Claims<'a> {
    input: &'a PlanInput<'a>,
    by_student: HashMap<&'a StudentId, &'a Difference>,
    wanted: HashMap<&'a LoginValue, &'a StudentId>,
    /// Login values that are shown by the candidates of the very students who want them.
    arrived: HashSet<&'a LoginValue>,
    /// Those students: their links' login values are theirs no longer.
    left: HashSet<&'a StudentId>,
}

impl<'a> Claims<'a> {
    fn new(
        input: &'a PlanInput<'a>,
        differences: &'a [Difference],
        found: &'a [(&'a Difference, LoginValue)],
    ) -> Self {
        let by_student = differences.iter().map(|difference| (difference.student(), difference)).collect();
        let wanted = differences.iter().filter_map(|difference| match difference {
            Difference::Newcomer(newcomer) => Some((&newcomer.wanted.login, &newcomer.wanted.id)),
            Difference::Linked(linked) => Some((&linked.wanted.login, &linked.wanted.id)),
            Difference::Unusable(unusable) => unusable.login.as_ref().map(|login| (login, &unusable.student)),
            Difference::Leaver(_) => None,
        });
        let arrived: Vec<(&LoginValue, &StudentId)> = found
            .iter()
            .filter_map(|(difference, shown)| match difference {
                Difference::Linked(linked) if linked.wanted.login == *shown => {
                    Some((shown, &linked.wanted.id))
                }
                Difference::Linked(_)
                | Difference::Leaver(_)
                | Difference::Newcomer(_)
                | Difference::Unusable(_) => None,
            })
            .collect();
        Self {
            input,
            by_student,
            wanted: wanted.collect(),
            arrived: arrived.iter().map(|(shown, _)| *shown).collect(),
            left: arrived.iter().map(|(_, student)| *student).collect(),
        }
    }

    fn of_student(&self, linked: &LinkedStudent, shown: &LoginValue) -> Whose {
        let LinkedStudent { wanted, link, own, prior, .. } = linked;
        if *shown == wanted.login || is_temporary_login(shown, link.sid) {
            return Whose::Own;
        }
        let others = [self.linked_to(shown), self.wanted.get(shown).copied()];
        let mut others = others.into_iter().flatten().filter(|other| **other != wanted.id).peekable();
        if others.peek().is_some() {
            let other = others.find(|other| !self.is_rather(linked, shown, other));
            return other.map_or(Whose::Own, |other| Whose::Anothers(other.clone()));
        }
        if own.is_some() && self.is_taken(&link.login, *prior) {
            return Whose::Strange;
        }
        if is_service_form(shown, &link.login) || is_service_form(shown, &wanted.login) {
            return Whose::Own;
        }
        match self.likeness(linked, shown) {
            likeness if likeness.is_none_of_some() => Whose::Strange,
            likeness if likeness.is_majority() => Whose::Own,
            Agreement { .. } => Whose::Untold,
        }
    }

    fn of_leaver(&self, leaver: &Leaver, shown: &LoginValue) -> Whose {
        let link = &leaver.link;
        if is_temporary_login(shown, link.sid) {
            return Whose::Own;
        }
        // A newcomer may have been given the candidate: they have none of their own that could have changed hands.
        let linked_to = self.linked_to(shown).filter(|other| **other != link.student);
        let wanted_by = self.wanted.get(shown).copied().filter(|other| self.has_link(other));
        if let Some(other) = linked_to.or(wanted_by) {
            return Whose::Anothers(other.clone());
        }
        let shown_values = self.input.lookups.shown.get(&link.sid);
        let likeness = shown_values.map(|values| {
            let told = link.confirmed.iter().filter(|(field, _)| !link.rewritten.contains(*field));
            let told = told.filter_map(|(field, confirmed)| Some((confirmed, values.get(field)?)));
            told.fold(Agreement::default(), |sum, (confirmed, value)| sum.counting(confirmed == value))
        });
        if likeness.is_some_and(Agreement::is_majority) {
            return Whose::Own;
        }
        if leaver.listed && self.is_taken(&link.login, leaver.prior) { Whose::Strange } else { Whose::Untold }
    }

    fn has_link(&self, student: &StudentId) -> bool {
        match self.by_student.get(student) {
            Some(Difference::Linked(_) | Difference::Leaver(_)) => true,
            Some(Difference::Unusable(unusable)) => unusable.link.is_some(),
            Some(Difference::Newcomer(_)) | None => false,
        }
    }

    /// The student whose link has this login value, unless that student's candidate is known to have another by now.
    fn linked_to(&self, login: &LoginValue) -> Option<&StudentId> {
        self.input.lookups.owners.get(login).filter(|owner| !self.left.contains(owner))
    }

    /// Whether a link's login value is listed for somebody who did not get it by the roster's own wish.
    fn is_taken(&self, login: &LoginValue, prior: PriorKnowledge) -> bool {
        prior != PriorKnowledge::Contested && !self.arrived.contains(login)
    }

    /// Whether the record is rather this student's than that of the other one, whose the login value is: in no field
    /// in which the two differ does it have what the other one has.
    fn is_rather(&self, linked: &LinkedStudent, shown: &LoginValue, other: &StudentId) -> bool {
        let comparison = &self.input.comparison;
        let Some(row) = comparison.observed.find(shown) else { return false };
        let theirs = match self.by_student.get(other) {
            Some(Difference::Linked(other)) => &other.wanted.values.0,
            Some(Difference::Newcomer(other)) => &other.wanted.values.0,
            // Of a leaver, and of a row that cannot be used, nothing tells what the record would have that were theirs. Where
            // nothing of the other one differs, the record under that login value is theirs.
            Some(Difference::Leaver(_) | Difference::Unusable(_)) | None => return false,
        };
        let between = comparison.between(row, &linked.wanted.values.0, theirs);
        between.compared > 0 && between.agreeing == between.compared
    }

    fn likeness(&self, linked: &LinkedStudent, shown: &LoginValue) -> Agreement {
        let comparison = &self.input.comparison;
        let row = comparison.observed.find(shown);
        row.map_or_else(Agreement::default, |row| {
            comparison.likeness(row, &linked.wanted.values.0, &linked.link)
        })
    }
}
