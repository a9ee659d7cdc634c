//! What the guard held and nobody need decide about: who is refused in the new place keeps the old one anyway, until the next
//! attempt or a person has a word. The guard judges before the adds are made, and cannot know it.

use super::apply::ClassinApplier;
use super::guard;
use crate::run::report::ServiceReport;
use rosterd_core::classin_plan::{
    Code, Condition, EnrolmentKind, EnrolmentOperation, EnrolmentState, HeldBack, Reason,
};
use rosterd_core::outcome::Outcome;

impl ClassinApplier<'_> {
    /// Whether a limit holds a removal that waits for an add which has failed. An add that found no room may need just this removal,
    /// so there a person is asked.
    pub(super) fn waits_anyway(&self, operation: &EnrolmentOperation) -> bool {
        let is_held = matches!(&operation.state, EnrolmentState::Held(reason) if reason.named().is_none());
        let is_refused = |condition: &Condition| match *condition {
            Condition::Settled { target, uid } => {
                let add = self.outcome_of((EnrolmentKind::Enrol, target, Some(uid)));
                let found_no_room = matches!(&add, Some(Outcome::Failed(cause))
                    if cause.code.classin().is_some_and(Code::is_full));
                let has_failed = matches!(add, Some(Outcome::Failed(_)));
                has_failed && !found_no_room && !self.is_met(operation, *condition)
            }
            Condition::Removed { .. } | Condition::SomebodyEnters => false,
        };
        is_held && operation.after.iter().any(is_refused)
    }

    /// Says what is held once the adds have ended: what turned out to be too much, and nothing that waits anyway.
    pub(super) fn describe_what_is_held(&self, late: &[EnrolmentOperation], report: &mut ServiceReport) {
        let operations = &self.plan.operations;
        if operations.iter().any(|operation| self.waits_anyway(operation)) {
            let mut left = operations.clone();
            for operation in left.iter_mut().filter(|operation| self.waits_anyway(operation)) {
                operation.state = EnrolmentState::Waiting(Reason::HeldBack(HeldBack::NotDue));
            }
            guard::describe(&left, &self.plan.accounts.operations, report);
        }
        guard::describe_late_holds(late, report);
    }
}
