//! What was held as part of too much stays held, though what is left of it would be within the limit.

use std::collections::HashMap;

use super::modifies::MOST_LOGIN_CHANGES;
use super::{Guard, allowance};
use crate::exam_plan::Plan;
use crate::exam_plan::held_mass::{HeldMass, MassLimit};
use crate::exam_plan::operation::OperationState;
use crate::exam_plan::reason::{Excess, HoldReason};
use crate::roster::Limit;

/// How many people of each mass there still are.
pub(super) type MassSizes = HashMap<MassLimit, u64>;

impl Guard {
    /// Holds again what nobody has decided about.
    pub(super) fn hold_again(&self, plan: &mut Plan) {
        let sizes = self.held_before.people(plan);
        for operation in &mut plan.operations {
            let mass = self.held_before.of(operation).filter(|_| self.judges(operation));
            if let Some(reason) = mass.and_then(|mass| self.still_too_much(mass, &sizes)) {
                operation.state = OperationState::Held(reason);
            }
        }
    }

    /// Why such a mass is held still; `None` where its limit, as it is set now, allows what is left of it.
    pub(super) fn still_too_much(&self, mass: &HeldMass, sizes: &MassSizes) -> Option<HoldReason> {
        let HeldMass { limit, total } = *mass;
        let count = sizes.get(&limit).copied().unwrap_or(0);
        let allowed = allowance(self.setting(limit)?, total);
        let excess = Excess { count, recent: 0, total, limit: allowed };
        let reason = HoldReason::of_mass(limit, excess)?;
        (count > allowed).then(|| HoldReason::StillHeld(Box::new(reason)))
    }

    /// What an admin has set; `None` for first contact, which looks at both sides anew, and for ClassIn's.
    fn setting(&self, limit: MassLimit) -> Option<Limit> {
        match limit {
            MassLimit::Deletes | MassLimit::Missing | MassLimit::Vanished => Some(self.max_delete),
            MassLimit::Modifies | MassLimit::Overwrites => Some(self.max_modify),
            MassLimit::LoginChanges => Some(MOST_LOGIN_CHANGES),
            MassLimit::Moves => Some(self.max_move),
            MassLimit::Group(_) => Some(self.max_group),
            MassLimit::Class | MassLimit::FirstContact => None,
        }
    }
}
