//! What the guard held and nobody need decide about: who is refused in the new place keeps the old one anyway, until the next
//! attempt or a person has a word. The guard judges before the adds are made, and cannot know it.

use super::apply::{ClassinApplier, key};
use super::guard;
use crate::run::report::ServiceReport;
use rosterd_core::classin_plan::{
    Code, Condition, EnrolmentKind, EnrolmentOperation, EnrolmentState, HeldBack, Reason,
};
use rosterd_core::outcome::Outcome;
use rosterd_core::roster::ClassTarget;

impl ClassinApplier<'_> {
    /// Whether a limit holds a removal that waits for an add which has failed, or whose answer was lost. An add that found no
    /// room may need just this removal, or another one of its class, so there a person is asked.
    pub(super) fn waits_anyway(&self, operation: &EnrolmentOperation) -> bool {
        let is_held = matches!(&operation.state, EnrolmentState::Held(reason) if reason.named().is_none());
        is_held && operation.after.iter().any(|condition| self.cannot_come(operation, *condition))
    }

    fn cannot_come(&self, removal: &EnrolmentOperation, condition: Condition) -> bool {
        let Condition::Settled { target, uid } = condition else { return false };
        match self.outcome_of((EnrolmentKind::Enrol, target, Some(uid))) {
            Some(Outcome::Failed(cause)) if cause.code.classin().is_some_and(Code::is_full) => {
                !self.is_left(target)
            }
            Some(Outcome::Failed(_)) => !self.is_met(removal, condition),
            Some(Outcome::Unknown(_)) => true,
            Some(Outcome::Applied(()) | Outcome::Held | Outcome::Unsent(_)) | None => false,
        }
    }

    /// Whether anybody is to leave a class, now or once a person says so.
    fn is_left(&self, target: ClassTarget) -> bool {
        let mut here = self.plan.operations.iter().filter(|one| one.target == target);
        here.any(|one| {
            one.kind == EnrolmentKind::Remove
                && matches!(one.state, EnrolmentState::Planned | EnrolmentState::Held(_))
        })
    }

    /// Whether somebody who is to be added to a class may be in it: the answer was lost. Until that is known nobody is asked
    /// whether all others may leave it.
    pub(super) fn may_have_been_entered(&self, target: ClassTarget) -> bool {
        let adds = self.plan.operations.iter().filter(|one| one.target == target);
        let mut adds = adds.filter(|one| one.kind == EnrolmentKind::Enrol);
        adds.any(|one| matches!(self.outcome_of(key(one)), Some(Outcome::Unknown(_))))
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
