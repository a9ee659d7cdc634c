//! What cannot go on in this run because what it rests on does not.

use std::collections::{BTreeMap, BTreeSet};

use crate::classin_plan::enrolment::{Condition, EnrolmentKind, EnrolmentOperation, EnrolmentState, Reason};
use crate::roster::{ClassTarget, ClassinUid};

const RESTS_ON_ANOTHER: &str = "what this rests on does not go ahead in this run";
const NO_NEW_PLACE: &str = "the student keeps this place, as the new one has not been had yet";
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
        // Whoever leaves only once somebody has come makes no room for them.
        let makes_room = |one: &EnrolmentOperation| {
            one.kind == EnrolmentKind::Remove
                && one.is_planned()
                && !one.after.contains(&Condition::SomebodyEnters)
        };
        let left: BTreeSet<ClassTarget> =
            operations.iter().filter(|one| makes_room(one)).map(|one| one.target).collect();
        let is_left = |target: ClassTarget| left.contains(&target);
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

/// Nobody need decide about a removal whose new place cannot come: whoever is refused there keeps the old one, until that is
/// settled or a person has a word. An add was `tried` when it failed, or its answer was lost, and it is to be tried again. One
/// that finds no room may need just this removal, or others of its class: there a person is asked. Where all would leave a
/// class for somebody who cannot come, a person is asked too.
pub fn let_wait_what_is_held_in_vain(
    operations: &mut [EnrolmentOperation],
    tried: impl Fn(&EnrolmentOperation) -> bool,
) {
    let adds = || operations.iter().filter(|one| one.kind == EnrolmentKind::Enrol);
    let coming: BTreeSet<(ClassTarget, ClassinUid)> = adds()
        .filter(|add| add.is_planned() && !tried(add))
        .filter_map(|add| Some((add.target, add.uid?)))
        .collect();
    let entered: BTreeSet<ClassTarget> =
        adds().filter(|add| add.is_planned()).map(|add| add.target).collect();
    let mut removals: BTreeMap<ClassTarget, usize> = BTreeMap::new();
    for one in operations.iter().filter(|one| one.kind == EnrolmentKind::Remove) {
        if matches!(one.state, EnrolmentState::Planned | EnrolmentState::Held(_)) {
            *removals.entry(one.target).or_default() += 1;
        }
    }
    let without_room: BTreeSet<(ClassTarget, ClassinUid)> = adds()
        .filter(|add| {
            add.state == EnrolmentState::Waiting(Reason::NoRoom) && removals.contains_key(&add.target)
        })
        .filter_map(|add| Some((add.target, add.uid?)))
        .collect();
    let is_in_vain = |condition: &Condition| match *condition {
        Condition::Settled { target, uid } => {
            !coming.contains(&(target, uid)) && !without_room.contains(&(target, uid))
        }
        Condition::Removed { .. } | Condition::SomebodyEnters => false,
    };
    for operation in operations.iter_mut().filter(|one| one.kind == EnrolmentKind::Remove) {
        if is_held_by_a_limit(operation) && operation.after.iter().any(is_in_vain) {
            operation.state = EnrolmentState::Waiting(Reason::Follows(NO_NEW_PLACE));
        } else if operation.is_planned()
            && operation.after.contains(&Condition::SomebodyEnters)
            && !entered.contains(&operation.target)
        {
            let removals = removals.get(&operation.target).copied().unwrap_or(1);
            operation.state = EnrolmentState::Held(Reason::WouldEmpty { removals });
        }
    }
}

fn is_held_by_a_limit(operation: &EnrolmentOperation) -> bool {
    matches!(&operation.state, EnrolmentState::Held(reason) if reason.named().is_none())
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
