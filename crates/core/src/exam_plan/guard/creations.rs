//! Groups to be created: a roster that lost its gids wants them all anew.

use super::allowance::share;
use super::{Guard, tally};
use crate::exam_plan::Plan;
use crate::exam_plan::group_creation::GroupCreation;
use crate::exam_plan::held_mass::HeldMass;
use crate::exam_plan::operation::OperationState;
use crate::exam_plan::reason::HoldReason;

/// New groups in one plan, of the roster's groups; more look like a roster that lost its gids.
const MOST_NEW_GROUPS_PERCENT: f64 = 50.0;

impl Guard {
    /// More new groups than max(5, half of the roster's groups).
    pub(super) fn hold_creations(&self, plan: &mut Plan) {
        let total = plan.totals.groups;
        let limit = share(MOST_NEW_GROUPS_PERCENT, total);
        let counts = |it: &GroupCreation| it.is_planned() && !self.approved.contains_group(it);
        let count = tally::whole(plan.creations.iter().filter(|creation| counts(creation)).count());
        if count > limit {
            for creation in plan.creations.iter_mut().filter(|creation| counts(creation)) {
                creation.state = OperationState::Held(HoldReason::TooManyGroups { count, total, limit });
            }
            return;
        }
        // One gid that was entered by hand says nothing about the other groups.
        let mass = |creation: &GroupCreation| self.held_before.of_group(&creation.code).copied();
        let left = tally::whole(plan.creations.iter().filter(|it| counts(it) && mass(it).is_some()).count());
        for creation in plan.creations.iter_mut().filter(|creation| counts(creation)) {
            let Some(HeldMass { limit: _, total, size: count }) = mass(creation) else { continue };
            let limit = share(MOST_NEW_GROUPS_PERCENT, total);
            let reason = Box::new(HoldReason::TooManyGroups { count, total, limit });
            creation.state = OperationState::Held(HoldReason::StillHeld { reason, left });
        }
    }
}
