//! Newcomers who have the values of a mass of leavers: whose ids were changed is entered by no run.

use std::collections::HashSet;
use std::sync::Arc;

use super::{Guard, masses};
use crate::exam_plan::operation::{Change, Operation, OperationState};
use crate::exam_plan::person_doubt::PersonDoubt;
use crate::exam_plan::reason::{HoldReason, SkipReason};
use crate::exam_plan::renumbered::{Renumbered, RenumberedStudents};
use crate::exam_plan::{MissingLeaver, Plan};
use crate::roster::StudentId;

impl Guard {
    /// Whether most of a mass of leavers seem to be on the roster under other ids. Whoever a person decided about is none of
    /// them.
    pub(super) fn renumbered(&self, plan: &Plan) -> Option<RenumberedStudents> {
        let judged: HashSet<&StudentId> =
            self.judged_leavers(plan).into_iter().map(MissingLeaver::student).collect();
        let is_decided = |leaver: &&MissingLeaver| !judged.contains(leaver.student());
        let decided = plan.missing.iter().filter(is_decided).map(MissingLeaver::student);
        let is_ignored = |operation: &&Operation| {
            operation.of_leaver && matches!(operation.state, OperationState::Skipped(SkipReason::Ignored))
        };
        let ignored = plan.operations.iter().filter(is_ignored).map(|operation| &operation.student);
        let decided: HashSet<&StudentId> = decided.chain(ignored).collect();
        let is_too_many = |people| self.excess_of(people, plan.totals.linked).is_some();
        plan.portraits.renumbered(|student| !decided.contains(student), |since| masses(since, is_too_many))
    }

    /// Holds the adds beside them. A mass is told as one, and not each of its people; who was let go with it is.
    pub(super) fn hold_renumbered(&self, plan: &mut Plan, renumbered: Option<Renumbered>) {
        for operation in plan.operations.iter_mut().filter(|it| has_same_values(it)) {
            if let Some(renumbered) = renumbered.clone().filter(|_| !self.approved.contains(operation)) {
                operation.state = OperationState::Held(HoldReason::Renumbered(Arc::new(renumbered)));
            } else if self.approved.contains(operation) {
                operation.state = OperationState::Planned;
            }
        }
        if let Some(renumbered) = renumbered {
            let reason = HoldReason::Renumbered(Arc::new(renumbered));
            let enters = |operation: &Operation| matches!(&operation.change, Change::Add(add) if add.replaces.is_none());
            self.hold(plan, &reason, enters);
        }
    }
}

/// Whether a newcomer is held for having the values of a leaver.
fn has_same_values(operation: &Operation) -> bool {
    matches!(
        &operation.state,
        OperationState::Held(HoldReason::SamePerson(PersonDoubt::SameValues { holds_newcomer: true, .. }))
    ) && matches!(operation.change, Change::Add(_))
}
