//! Taking a candidate over takes nothing on trust: the login value alone does not say whose it is.

use super::open_add::Met;
use super::{Decider, PlanInput};
use crate::exam_plan::compare::{Agreement, Comparison, FieldDifference};
use crate::exam_plan::diff::{MOST_HOLDERS, Wanted};
use crate::exam_plan::fingerprint::Fingerprint;
use crate::exam_plan::kind::OperationKind;
use crate::exam_plan::operation::OperationState;
use crate::exam_plan::reason::{HoldReason, SkipReason};
use crate::roster::{Sid, StudentId};

impl Decider<'_> {
    /// Withholds or holds the take-over that was pushed last, where something speaks against it. Says its state.
    pub(super) fn doubt_adoption(
        &mut self,
        met: &Met<'_>,
        wanted: &Wanted,
        difference: &FieldDifference,
    ) -> OperationState {
        let Met { sid, login, held, ours: _ } = met;
        let Some(last) = self.operations.last_mut() else { return OperationState::Planned };
        if last.is_planned() {
            // In a shared account it depends on the groups whether it may be another school's.
            let doubt = match *held {
                _ if !self.input.policy.shared => None,
                Some(held) if self.input.groups.are_foreign(held) => {
                    Some(SkipReason::ForeignCandidate(held.clone()))
                }
                Some(_) => None,
                None => Some(SkipReason::GroupsNotTold),
            };
            let (student, desired_hash) = (&last.student, last.desired_hash);
            last.state = if let Some(reason) = doubt {
                self.input.withheld(student, OperationKind::Adopt, desired_hash, reason)
            } else if let Some(compared) = nothing_tells(self.input, wanted, difference) {
                let is_of_open_add = *login != wanted.login;
                let student_named = student.clone();
                let reason =
                    HoldReason::NothingAgrees { student: student_named, sid: *sid, compared, is_of_open_add };
                self.input.held_about_people(student, OperationKind::Adopt, desired_hash, reason)
            } else {
                left_before(self.input, student, *sid, desired_hash)
            };
        }
        last.state.clone()
    }
}

/// A person who said to leave a candidate alone is asked again when something has changed: that they were not asked is no leave to
/// take it over.
fn left_before(
    input: &PlanInput<'_>,
    student: &StudentId,
    sid: Sid,
    desired_hash: Fingerprint,
) -> OperationState {
    let (kind, reason) = (OperationKind::Adopt, HoldReason::LeftBefore { student: student.clone(), sid });
    let Some(hold) = reason.named() else { return OperationState::Planned };
    let failures = input.open_failures;
    let is_approved = input.approved.names(student, kind, desired_hash, hold);
    if is_approved || !failures.has_left_candidate(student, hold) {
        OperationState::Planned
    } else if failures.has_silenced(student, kind, desired_hash, hold) {
        OperationState::Skipped(SkipReason::Ignored)
    } else {
        OperationState::Held(reason)
    }
}

/// How many values could be compared that would tell whose a candidate is, where none of them agrees: a gender that half of a
/// school has tells nothing.
fn nothing_tells(input: &PlanInput<'_>, wanted: &Wanted, difference: &FieldDifference) -> Option<u32> {
    let Agreement { compared, agreeing } = difference.agreement;
    if difference.agreement.is_none_of_some() {
        return Some(compared);
    }
    if agreeing == 0 || difference.agreement.is_majority() {
        return None;
    }
    let Comparison { mapping, observed, .. } = &input.comparison;
    let row = observed.find(&wanted.login)?;
    let mut differing = 0;
    for (at, _) in mapping.compared().filter(|(_, field)| !field.is_password()) {
        let value = wanted.values.0.get(at).map_or("", String::as_str);
        let is_listed = !observed.lacks(row, at) && !observed.is_masked(row, at) && !observed.hides(at);
        if value.is_empty() || !is_listed || !observed.is_held_by_at_most(at, value, MOST_HOLDERS) {
            continue;
        }
        if observed.equals(row, at, value) {
            return None;
        }
        differing += 1;
    }
    (differing > 0).then_some(differing)
}
