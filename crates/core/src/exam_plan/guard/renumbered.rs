//! Newcomers who have the values of a mass of leavers: whose ids were changed is entered by no run.

use std::collections::HashSet;
use std::sync::Arc;

use super::{Guard, masses};
use crate::exam_plan::operation::{Change, Operation, OperationState};
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

    /// Holds the adds beside them.
    pub(super) fn hold_renumbered(&self, plan: &mut Plan, renumbered: Option<Renumbered>) {
        if let Some(renumbered) = renumbered {
            let reason = HoldReason::Renumbered(Arc::new(renumbered));
            let enters = |operation: &Operation| matches!(&operation.change, Change::Add(add) if add.replaces.is_none());
            self.hold(plan, &reason, enters);
        }
    }
}
