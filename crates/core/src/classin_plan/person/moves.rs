//! Moves from one course into another: the old place is kept until the new one is settled.

use std::collections::{BTreeMap, BTreeSet};

use super::circles_of_waits::break_circles;
use super::planner::failures_of;
use crate::classin_plan::enrolment::{Condition, EnrolmentKind, EnrolmentOperation, EnrolmentState, Reason};
use crate::roster::{ClassTarget, StudentId};

const FOLLOWS_ANOTHER_COURSE: &str = "the student is to be added in another course first: the removal follows, also once \
     that add is given up";

/// Lets the removals of students who are still on the roster wait for what is wanted of them in other courses and is not
/// settled. A dead letter of their own, an add that a person silenced, a class that takes no changes and one that the mode leaves alone
/// are waited for by nobody. Where both places are full, the removal makes the room: a circle of full classes would wait for
/// ever otherwise. So would removals that wait for one another: of each circle one goes.
///
/// `full` are the classes that had no room when they were last asked, `given_up` the failures that nobody waits for.
pub fn await_other_courses(
    operations: &mut [EnrolmentOperation],
    full: &BTreeSet<ClassTarget>,
    given_up: &BTreeSet<u64>,
) {
    let removals = operations.iter().filter(|one| one.kind == EnrolmentKind::Remove && one.is_planned());
    let leaving: BTreeSet<StudentId> = removals.map(|removal| removal.student.clone()).collect();
    let mut open: BTreeMap<StudentId, Vec<EnrolmentOperation>> = BTreeMap::new();
    for add in operations.iter().filter(|one| one.kind == EnrolmentKind::Enrol) {
        if leaving.contains(&add.student) && is_waited_for(add, given_up) {
            open.entry(add.student.clone()).or_default().push(add.clone());
        }
    }
    for removal in operations.iter_mut() {
        if removal.kind != EnrolmentKind::Remove || !removal.is_planned() {
            continue;
        }
        for add in open.get(&removal.student).into_iter().flatten() {
            let is_in_course = add.target.course == removal.target.course;
            if is_in_course || (full.contains(&add.target) && full.contains(&removal.target)) {
                continue;
            }
            match add.uid.filter(|_| add.is_planned()) {
                Some(uid) => removal.after.push(Condition::Settled { target: add.target, uid }),
                None => {
                    removal.state = EnrolmentState::Waiting(Reason::Follows(FOLLOWS_ANOTHER_COURSE));
                    removal.after.clear();
                    break;
                }
            }
        }
    }
    break_circles(operations);
}

fn is_waited_for(add: &EnrolmentOperation, given_up: &BTreeSet<u64>) -> bool {
    match add.state {
        EnrolmentState::Planned | EnrolmentState::Held(_) | EnrolmentState::Cannot(_) => true,
        EnrolmentState::Waiting(_) => {
            let hashes = failures_of(add.desired_hash, add.kind, add.target);
            !hashes.iter().any(|hash| given_up.contains(hash))
        }
        EnrolmentState::Skipped(_) => false,
    }
}
