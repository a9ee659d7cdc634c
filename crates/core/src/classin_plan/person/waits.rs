//! What cannot go on in this run because what it rests on does not.

use std::collections::BTreeSet;

use crate::classin_plan::enrolment::{Condition, EnrolmentKind, EnrolmentOperation, EnrolmentState, Reason};
use crate::roster::{ClassTarget, ClassinUid};

const RESTS_ON_ANOTHER: &str = "what this rests on does not go ahead in this run";
const IN_THE_COURSE: &str = "the student is in the class as long as they are in the whole course";

/// Lets wait whatever is wanted in a full class that nobody leaves, and whatever rests on an operation that is not
/// planned. A circle of full classes that exchange students goes on: there, each makes the other's room.
pub fn let_wait(operations: &mut [EnrolmentOperation], full: &BTreeSet<ClassTarget>) {
    loop {
        let planned: BTreeSet<(EnrolmentKind, ClassTarget, ClassinUid)> = operations
            .iter()
            .filter(|operation| operation.is_planned())
            .filter_map(|operation| Some((operation.kind, operation.target, operation.uid?)))
            .collect();
        let is_left = |target: ClassTarget| {
            planned.iter().any(|(kind, place, _)| *kind == EnrolmentKind::Remove && *place == target)
        };
        let full: BTreeSet<ClassTarget> = full.iter().copied().filter(|target| !is_left(*target)).collect();
        let mut is_changed = false;
        for operation in operations.iter_mut().filter(|operation| operation.is_planned()) {
            if let Some(state) = waits(operation, &planned, &full) {
                operation.state = state;
                is_changed = true;
            }
        }
        if !is_changed {
            return;
        }
    }
}

fn waits(
    operation: &EnrolmentOperation,
    planned: &BTreeSet<(EnrolmentKind, ClassTarget, ClassinUid)>,
    full: &BTreeSet<ClassTarget>,
) -> Option<EnrolmentState> {
    if operation.kind == EnrolmentKind::Enrol && full.contains(&operation.target) {
        return Some(EnrolmentState::Waiting(Reason::NoRoom));
    }
    operation.after.iter().find_map(|condition| match *condition {
        Condition::Settled { target, uid } => (!planned.contains(&(EnrolmentKind::Enrol, target, uid)))
            .then_some(EnrolmentState::Waiting(Reason::Follows(RESTS_ON_ANOTHER))),
        Condition::Removed { target, uid } if !planned.contains(&(EnrolmentKind::Remove, target, uid)) => {
            Some(match operation.kind {
                EnrolmentKind::Enrol => EnrolmentState::Skipped(Reason::Follows(IN_THE_COURSE)),
                EnrolmentKind::Register | EnrolmentKind::Remove => {
                    EnrolmentState::Waiting(Reason::Follows(RESTS_ON_ANOTHER))
                }
            })
        }
        Condition::Removed { .. } | Condition::SomebodyEnters => None,
    })
}
