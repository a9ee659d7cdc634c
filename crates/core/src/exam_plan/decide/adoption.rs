//! Taking a candidate over takes nothing on trust: the login value alone does not say whose it is.

use super::Decider;
use super::open_add::Met;
use crate::exam_plan::compare::FieldDifference;
use crate::exam_plan::kind::OperationKind;
use crate::exam_plan::operation::OperationState;
use crate::exam_plan::reason::{HoldReason, SkipReason};
use crate::roster::LoginValue;

impl Decider<'_> {
    /// Withholds or holds the take-over that was pushed last, where something speaks against it. Says its state.
    pub(super) fn doubt_adoption(
        &mut self,
        met: &Met<'_>,
        wanted: &LoginValue,
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
            } else if difference.agreement.is_none_of_some() {
                let compared = difference.agreement.compared;
                let is_of_open_add = login != wanted;
                let student_named = student.clone();
                let reason =
                    HoldReason::NothingAgrees { student: student_named, sid: *sid, compared, is_of_open_add };
                self.input.held_about_people(student, OperationKind::Adopt, desired_hash, reason)
            } else {
                OperationState::Planned
            };
        }
        last.state.clone()
    }
}
