//! First contact with an account: where hardly a student matches a candidate, adding them all would enter the school
//! a second time.

use std::sync::Arc;

use super::Guard;
use crate::exam_plan::Plan;
use crate::exam_plan::held_mass::MassLimit;
use crate::exam_plan::operation::{Change, Operation};
use crate::exam_plan::reason::HoldReason;

impl Guard {
    /// Holds the adds; who matches a candidate is taken over all the same.
    pub(super) fn hold_first_contact(&self, plan: &mut Plan) {
        let contact = plan.contact.looking_back();
        if contact.is_strange() || self.was_strange(plan) {
            let reason = HoldReason::FirstContact(Arc::new(contact));
            let enters = |operation: &Operation| matches!(&operation.change, Change::Add(add) if add.replaces.is_none());
            self.hold(plan, &reason, enters);
        }
    }

    /// Whether it was held before and is none by the figures of today alone: who was let go one by one makes the account no
    /// better known to the others.
    fn was_strange(&self, plan: &Plan) -> bool {
        let held_of = |operation: &Operation| {
            let held = self.held_before.of(operation).filter(|_| self.judges(operation));
            held.filter(|mass| mass.limit == MassLimit::FirstContact).map(|mass| mass.total)
        };
        let Some(most) = plan.operations.iter().filter_map(held_of).max() else { return false };
        // Those who came in before the first was held are long on the roster when the day is over.
        let since = most.saturating_sub(plan.contact.students);
        let let_go = self.held_before.decided(MassLimit::FirstContact);
        plan.contact.before(let_go.max(since)).is_strange()
    }
}
