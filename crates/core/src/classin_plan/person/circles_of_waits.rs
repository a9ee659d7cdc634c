//! Operations that wait for one another in a circle: none of them would ever go.
//!
//! Whoever leaves two whole courses for a class of each waits in either for the other: the class takes nobody who is still in
//! its whole course. One removal of each circle does not wait then. The account has another place meanwhile, which
//! is what it waited for.

use std::collections::{BTreeMap, BTreeSet};

use crate::classin_plan::enrolment::{Condition, EnrolmentKind, EnrolmentOperation};
use crate::roster::{ClassTarget, ClassinUid};

type Key = (EnrolmentKind, ClassTarget, ClassinUid);

/// Lets one removal of each circle go without waiting for a new place: first one that makes way for an add in its own course.
pub(super) fn break_circles(operations: &mut [EnrolmentOperation]) {
    let places: BTreeMap<Key, usize> = operations
        .iter()
        .enumerate()
        .filter(|(_, one)| one.is_planned() && !one.follows)
        .filter_map(|(at, one)| Some(((one.kind, one.target, one.uid?), at)))
        .collect();
    let making_way: BTreeSet<(ClassTarget, ClassinUid)> = operations
        .iter()
        .filter(|one| one.kind == EnrolmentKind::Enrol && one.is_planned())
        .flat_map(|one| &one.after)
        .filter_map(|condition| match *condition {
            Condition::Removed { target, uid } => Some((target, uid)),
            Condition::Settled { .. } | Condition::SomebodyEnters => None,
        })
        .collect();
    let mut done = BTreeSet::new();
    let waiting: Vec<usize> = places.values().copied().collect();
    for root in waiting {
        while let Some(circle) = circle_from(root, operations, &places, &mut done) {
            let may_go = |(at, condition): &&(usize, Condition)| {
                let is_removal = operations.get(*at).is_some_and(|one| one.kind == EnrolmentKind::Remove);
                is_removal && matches!(condition, Condition::Settled { .. })
            };
            let makes_way = |(at, _): &&(usize, Condition)| {
                let place = operations.get(*at).and_then(|one| Some((one.target, one.uid?)));
                place.is_some_and(|place| making_way.contains(&place))
            };
            let mut candidates = circle.iter().filter(may_go).filter(makes_way);
            let chosen = candidates.next().or_else(|| circle.iter().find(may_go)).copied();
            let Some((at, condition)) = chosen else {
                // Of removals alone: each rests on one in the whole course, which rests on none.
                done.extend(circle.iter().map(|(at, _)| *at));
                break;
            };
            if let Some(removal) = operations.get_mut(at) {
                removal.after.retain(|one| *one != condition);
            }
        }
    }
}

/// What an operation waits for.
fn waited_for(
    at: usize,
    operations: &[EnrolmentOperation],
    places: &BTreeMap<Key, usize>,
) -> Vec<(usize, Condition)> {
    let after = operations.get(at).map_or(&[][..], |one| one.after.as_slice());
    let key = |condition: &Condition| match *condition {
        Condition::Settled { target, uid } => Some((EnrolmentKind::Enrol, target, uid)),
        Condition::Removed { target, uid } => Some((EnrolmentKind::Remove, target, uid)),
        Condition::SomebodyEnters => None,
    };
    after.iter().filter_map(|one| Some((*places.get(&key(one)?)?, *one))).collect()
}

/// A circle that can be reached from here: each operation in it with the condition by which it waits for the next. What is
/// found to reach none is `done`.
fn circle_from(
    root: usize,
    operations: &[EnrolmentOperation],
    places: &BTreeMap<Key, usize>,
    done: &mut BTreeSet<usize>,
) -> Option<Vec<(usize, Condition)>> {
    if done.contains(&root) {
        return None;
    }
    // The way from the root: each with what it waits for and was not looked at yet.
    let mut way: Vec<(usize, Vec<(usize, Condition)>)> = vec![(root, waited_for(root, operations, places))];
    let mut steps: Vec<(usize, Condition)> = Vec::new();
    loop {
        let (at, left) = way.last_mut()?;
        let at = *at;
        let Some((next, condition)) = left.pop() else {
            done.insert(at);
            way.pop();
            steps.pop();
            continue;
        };
        if done.contains(&next) {
            continue;
        }
        steps.push((at, condition));
        if let Some(begin) = way.iter().position(|(on_way, _)| *on_way == next) {
            return Some(steps.split_off(begin));
        }
        way.push((next, waited_for(next, operations, places)));
    }
}
