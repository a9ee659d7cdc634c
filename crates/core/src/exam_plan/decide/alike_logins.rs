//! Students who are not entered because somebody's login value differs from theirs only in the way it is written.
//!
//! Many services take such login values for one: an add would write over the other one's candidate.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::{Decider, PlanInput};
use crate::exam_plan::compare::Agreement;
use crate::exam_plan::diff::{Difference, MOST_HOLDERS, Wanted};
use crate::exam_plan::kind::OperationKind;
use crate::exam_plan::operation::OperationState;
use crate::exam_plan::reason::SkipReason;
use crate::roster::{LoginLikeness, LoginValue, StudentId};

/// Nothing shorter is taken for a login value whose end was cut off.
const SHORTEST_CUT: usize = 5;

/// The students among the differences whose login values are alike, by what these have in common. Whom nothing differs of is
/// found in the listing.
#[derive(Default)]
pub(super) struct AlikeLogins(HashMap<LoginLikeness, BTreeSet<(StudentId, LoginValue)>>);

impl AlikeLogins {
    pub(super) fn of(input: &PlanInput<'_>, differences: &[Difference]) -> Self {
        let hasher = input.comparison.observed.hasher();
        let (mut met, mut repeated) = (HashMap::new(), HashSet::new());
        for (student, login) in differences.iter().flat_map(claims) {
            let hash = hasher.login(LoginLikeness::of(login).as_str());
            if met.insert(hash, student).is_some_and(|other| other != student) {
                repeated.insert(hash);
            }
        }
        let mut alike = Self::default();
        for (student, login) in differences.iter().flat_map(claims).filter(|_| !repeated.is_empty()) {
            let likeness = LoginLikeness::of(login);
            if repeated.contains(&hasher.login(likeness.as_str())) {
                alike.0.entry(likeness).or_default().insert((student.clone(), login.clone()));
            }
        }
        alike
    }

    /// Another student with an alike login value. Who has or wants this very one is met elsewhere.
    fn other(&self, login: &LoginValue, student: &StudentId) -> Option<&StudentId> {
        if self.0.is_empty() {
            return None;
        }
        let alike = self.0.get(&LoginLikeness::of(login))?;
        alike.iter().find(|(other, theirs)| other != student && theirs != login).map(|(other, _)| other)
    }
}

/// The login values that a student has or wants. Those of leavers are asked about elsewhere.
fn claims(difference: &Difference) -> impl Iterator<Item = (&StudentId, &LoginValue)> {
    let (wanted, has) = match difference {
        Difference::Newcomer(newcomer) => (Some(&newcomer.wanted.login), None),
        Difference::Linked(linked) => (Some(&linked.wanted.login), Some(&linked.link.login)),
        // Mending the row may change its login value too.
        Difference::Unusable(unusable) => (None, unusable.link.as_deref().map(|link| &link.login)),
        Difference::Leaver(_) => (None, None),
    };
    let student = difference.student();
    [wanted, has].into_iter().flatten().map(move |login| (student, login))
}

impl Decider<'_> {
    /// Withholds the add that was pushed last where a listed candidate's login value, or another student's, is only written
    /// otherwise. Says its state.
    pub(super) fn withhold_alike(&mut self, login: &LoginValue, is_cut_off: bool) -> OperationState {
        let Some(last) = self.operations.last_mut() else { return OperationState::Planned };
        let student = &last.student;
        let other = self.alike_logins.other(login, student);
        if other.is_some() || is_cut_off || self.input.comparison.observed.find_alike(login).is_some() {
            let (kind, reason) = (OperationKind::Add, SkipReason::LoginAlike(other.cloned()));
            last.state = self.input.withheld(student, kind, last.desired_hash, reason);
        }
        last.state.clone()
    }

    /// Whether a candidate is listed that has all values of the student and the beginning of the login value: the service may
    /// have cut off the end of what an unanswered call sent.
    pub(super) fn is_listed_cut_off(&self, wanted: &Wanted) -> bool {
        let comparison = &self.input.comparison;
        if comparison.observed.is_empty() {
            return false;
        }
        let text = wanted.login.as_str();
        let ends = text.char_indices().map(|(end, _)| end).skip(SHORTEST_CUT);
        let cut = ends.filter_map(|end| LoginValue::parse(text.get(..end)?));
        let mut rows = cut.filter_map(|login| comparison.observed.find(&login));
        rows.any(|row| {
            let Agreement { compared, agreeing } = comparison.fields(row, &wanted.values.0, None).agreement;
            compared > 0 && agreeing == compared && self.has_a_telling_value(wanted)
        })
    }

    /// Whether few listed candidates have one of the student's values, which tells people apart then.
    fn has_a_telling_value(&self, wanted: &Wanted) -> bool {
        let comparison = &self.input.comparison;
        comparison.mapping.compared().filter(|(_, field)| !field.is_password()).any(|(at, _)| {
            let value = wanted.values.0.get(at).map_or("", String::as_str);
            !value.is_empty() && comparison.observed.is_held_by_at_most(at, value, MOST_HOLDERS)
        })
    }
}
