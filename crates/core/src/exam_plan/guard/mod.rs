//! The check between plan and apply: holds operations above the limits and lets the rest go on.
//!
//! Every limit counts people and not calls, looks back 24 hours, and leaves out what a person approved. What
//! only repeats the value last confirmed counts nowhere. One limit, one file.

mod allowance;
mod counted;
mod creations;
mod deletes;
mod first_contact;
mod followers;
mod groups;
mod guarded_plan;
mod held_before;
mod missing;
mod modifies;
mod moves;
mod renumbered;
mod replaced;
mod tally;
mod vanished;

pub use allowance::allowance;
pub use guarded_plan::GuardedPlan;
pub(crate) use guarded_plan::named_together;
pub use missing::{is_mass, largest_stretch, masses};

use super::Plan;
use super::approved::Approved;
use super::decide::block_dependent_renames;
use super::held_mass::HeldMasses;
use super::operation::{Operation, OperationState};
use super::reason::HoldReason;
use super::recent_writes::RecentWrites;
use crate::roster::Limit;

/// The guard's limits, what they look back on, and the approvals.
#[derive(Clone, Debug)]
pub struct Guard {
    /// Leavers' candidates that are deleted or moved; of the linked students on the roster and the leavers that
    /// are judged.
    pub max_delete: Limit,
    /// Students whose values are changed; of the linked students on the roster. Take-overs are measured against
    /// the number taken over.
    pub max_modify: Limit,
    /// Students who are taken out of a group; of the linked students on the roster.
    pub max_move: Limit,
    /// People who leave one group; of its size 24 hours ago.
    pub max_group: Limit,
    /// Who was written for in the last 24 hours.
    pub recent: RecentWrites,
    /// Who was held as part of too much before, and nobody has decided about.
    pub held_before: HeldMasses,
    /// Operations that a person let go ahead.
    pub approved: Approved,
}

impl Guard {
    /// Holds what is too much.
    #[must_use]
    pub fn judge(&self, mut plan: Plan) -> GuardedPlan {
        self.hold_creations(&mut plan);
        let renumbered = self.renumbered(&plan).map(|found| {
            // A mass is asked about as one.
            plan.asked.retain(|pair, asked| !asked.is_by_values || found.pairs.binary_search(pair).is_err());
            plan.paired = found.pairs;
            found.figures
        });
        self.hold_missing(&mut plan, renumbered.as_ref());
        self.hold_deletes(&mut plan);
        self.hold_vanished(&mut plan);
        self.hold_first_contact(&mut plan);
        self.hold_renumbered(&mut plan, renumbered);
        followers::skip_without_group(&mut plan);
        followers::skip_followers(&mut plan.operations);
        self.hold_overwrites(&mut plan);
        self.hold_login_changes(&mut plan);
        self.hold_modifies(&mut plan);
        self.hold_moves(&mut plan);
        self.hold_shrinking_groups(&mut plan);
        self.hold_again(&mut plan);
        self.skip_into_questioned(&mut plan);
        // What follows an add or a take-over that is held only now waits with it.
        followers::skip_followers(&mut plan.operations);
        block_dependent_renames(&mut plan.operations);
        self.hold_last_members(&mut plan);
        followers::skip_groups_of_held(&mut plan);
        GuardedPlan(plan)
    }

    /// Whether a limit has to judge this operation: it would go ahead, and nobody approved it.
    fn judges(&self, operation: &Operation) -> bool {
        operation.is_planned() && !self.approved.contains(operation)
    }

    fn hold(&self, plan: &mut Plan, reason: &HoldReason, concerns: impl Fn(&Operation) -> bool) {
        for operation in &mut plan.operations {
            if self.judges(operation) && concerns(operation) {
                operation.state = OperationState::Held(reason.clone());
            }
        }
    }
}
