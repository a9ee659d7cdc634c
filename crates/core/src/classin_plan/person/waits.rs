//! What cannot go on in this run because what it rests on does not.

use std::collections::BTreeSet;

use crate::classin_plan::enrolment::{Condition, EnrolmentKind, EnrolmentOperation, EnrolmentState, Reason};
use crate::roster::{ClassTarget, ClassinUid};

const RESTS_ON_ANOTHER: &str = "what this rests on does not go ahead in this run";
const IN_THE_COURSE: &str = "the student is in the class as long as they are in the whole course";

/// Lets wait whatever is wanted in a full class that nobody leaves, and whatever rests on an operation that is not
/// planned. Whoever is to leave a whole course for classes of it stays while none of them takes anybody. A circle of full classes that exchange students goes on: there, each makes the other's room.
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
        let stay = without_a_class(operations);
        let mut is_changed = false;
        for operation in operations.iter_mut().filter(|operation| operation.is_planned()) {
            let stays = operation.uid.is_some_and(|uid| stay.contains(&(operation.target, uid)));
            let stays = (stays && operation.kind == EnrolmentKind::Remove)
                .then_some(EnrolmentState::Waiting(Reason::Follows(RESTS_ON_ANOTHER)));
            if let Some(state) = stays.or_else(|| waits(operation, &planned, &full)) {
                operation.state = state;
                is_changed = true;
            }
        }
        if !is_changed {
            return;
        }
    }
}

/// Who is to leave a whole course for classes of it, and is to be added to none of them in this run: they stay.
fn without_a_class(operations: &[EnrolmentOperation]) -> BTreeSet<(ClassTarget, ClassinUid)> {
    let (mut leaving, mut entering) = (BTreeSet::new(), BTreeSet::new());
    for add in operations.iter().filter(|one| one.kind == EnrolmentKind::Enrol) {
        for condition in &add.after {
            if let Condition::Removed { target, uid } = *condition {
                leaving.insert((target, uid));
                if add.is_planned() {
                    entering.insert((target, uid));
                }
            }
        }
    }
    leaving.difference(&entering).copied().collect()
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
