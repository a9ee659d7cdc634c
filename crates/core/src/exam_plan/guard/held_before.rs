//! What was held as part of too much stays held, though what is left of it would be within the limit: who is back, or was
//! approved by name, says nothing about the others.

use std::collections::HashMap;
use std::sync::Arc;

use super::allowance::allowance_of_leavers;
use super::modifies::MOST_LOGIN_CHANGES;
use super::{Guard, allowance};
use crate::exam_plan::Plan;
use crate::exam_plan::held_mass::{HeldMass, MassLimit};
use crate::exam_plan::operation::OperationState;
use crate::exam_plan::reason::{Excess, HoldReason};
use crate::exam_plan::renumbered::Renumbered;
use crate::roster::Limit;

/// How many people of each mass there still are.
pub(super) type MassSizes = HashMap<MassLimit, u64>;

impl Guard {
    /// Holds again what nobody has decided about.
    pub(super) fn hold_again(&self, plan: &mut Plan) {
        let sizes = self.held_before.people(plan);
        let is_open = self.is_anybody_missing_still(plan);
        for operation in &mut plan.operations {
            let mass = self.held_before.of(operation).filter(|_| self.judges(operation));
            let reason = mass.and_then(|mass| match mass.limit {
                MassLimit::Renumbered => is_open.then(|| still_renumbered(mass, &sizes)),
                MassLimit::Deletes
                | MassLimit::Missing
                | MassLimit::Modifies
                | MassLimit::LoginChanges
                | MassLimit::Vanished
                | MassLimit::Moves
                | MassLimit::Group(_)
                | MassLimit::Class
                | MassLimit::Overwrites
                | MassLimit::NewGroups
                | MassLimit::FirstContact => self.still_too_much(mass, &sizes),
            });
            if let Some(reason) = reason {
                operation.state = OperationState::Held(reason);
            }
        }
    }

    /// Whether anybody is left of those who went missing together: a newcomer may be one of them under another id.
    fn is_anybody_missing_still(&self, plan: &Plan) -> bool {
        self.judged_leavers(plan).into_iter().any(|leaver| {
            let mass = self.held_before.of_leaver(leaver.student());
            mass.is_some_and(|mass| mass.limit == MassLimit::Missing)
        })
    }

    /// Why such a mass is held still; `None` where its limit, as it is set now, allows the whole of it.
    pub(super) fn still_too_much(&self, mass: &HeldMass, sizes: &MassSizes) -> Option<HoldReason> {
        let HeldMass { limit, total, size } = *mass;
        let left = sizes.get(&limit).copied().unwrap_or(0);
        let setting = self.setting(limit)?;
        let allowed = match limit {
            MassLimit::Deletes | MassLimit::Missing => allowance_of_leavers(setting, size, total),
            MassLimit::Modifies
            | MassLimit::LoginChanges
            | MassLimit::Vanished
            | MassLimit::Moves
            | MassLimit::Group(_)
            | MassLimit::Class
            | MassLimit::Overwrites
            | MassLimit::FirstContact
            | MassLimit::NewGroups
            | MassLimit::Renumbered => allowance(setting, total),
        };
        let excess = Excess { count: size, recent: 0, total, limit: allowed };
        let reason = Box::new(HoldReason::of_mass(limit, excess)?);
        (size > allowed).then_some(HoldReason::StillHeld { reason, left })
    }

    /// What an admin has set; `None` for first contact, which looks at both sides anew, and for ClassIn's.
    fn setting(&self, limit: MassLimit) -> Option<Limit> {
        match limit {
            MassLimit::Deletes | MassLimit::Missing | MassLimit::Vanished => Some(self.max_delete),
            MassLimit::Modifies | MassLimit::Overwrites => Some(self.max_modify),
            MassLimit::LoginChanges => Some(MOST_LOGIN_CHANGES),
            MassLimit::Moves => Some(self.max_move),
            MassLimit::Group(_) => Some(self.max_group),
            MassLimit::Class | MassLimit::FirstContact | MassLimit::NewGroups | MassLimit::Renumbered => None,
        }
    }
}

/// Newcomers who had the values of leavers: who has been carried over since says nothing about the others.
fn still_renumbered(mass: &HeldMass, sizes: &MassSizes) -> HoldReason {
    let left = sizes.get(&mass.limit).copied().unwrap_or(0);
    let renumbered = Renumbered { newcomers: mass.total, agree: mass.size, columns: Vec::new() };
    let reason = Box::new(HoldReason::Renumbered(Arc::new(renumbered)));
    HoldReason::StillHeld { reason, left }
}
