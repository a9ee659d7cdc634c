//! What a person said of operations that wait: they are silenced, or let go ahead by name.

use super::PlanInput;
use crate::exam_plan::fingerprint::Fingerprint;
use crate::exam_plan::kind::OperationKind;
use crate::exam_plan::operation::OperationState;
use crate::exam_plan::reason::{HoldReason, SkipReason};
use crate::roster::StudentId;

impl PlanInput<'_> {
    /// The state of an operation that may go ahead but for a hold about single people: it stays undone where a person
    /// silenced the hold, and goes ahead where a person approved just this operation for just this reason.
    #[must_use]
    pub fn held_about_people(
        &self,
        student: &StudentId,
        kind: OperationKind,
        desired_hash: Fingerprint,
        reason: HoldReason,
    ) -> OperationState {
        let is_named =
            reason.named().is_some_and(|hold| self.approved.names(student, kind, desired_hash, hold));
        if self.open_failures.is_silenced_hold(student, kind, desired_hash) {
            OperationState::Skipped(SkipReason::Ignored)
        } else if is_named {
            OperationState::Planned
        } else {
            OperationState::Held(reason)
        }
    }

    /// The state of an operation that is left for another run; a person may have silenced what is withheld.
    #[must_use]
    pub fn withheld(
        &self,
        student: &StudentId,
        kind: OperationKind,
        desired_hash: Fingerprint,
        reason: SkipReason,
    ) -> OperationState {
        let is_silenced =
            reason.code().is_some() && self.open_failures.is_silenced(student, kind, desired_hash);
        OperationState::Skipped(if is_silenced { SkipReason::Ignored } else { reason })
    }
}
