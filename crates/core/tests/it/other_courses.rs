//! Who moves from one ClassIn course to another keeps the old place until the new one is settled.

use std::collections::BTreeSet;

use rosterd_core::classin_plan::{
    Condition, EnrolmentKind, EnrolmentOperation, EnrolmentState, Reason, await_other_courses,
};
use rosterd_core::roster::{ClassTarget, ClassinUid, CourseId, StudentId};

const UID: ClassinUid = ClassinUid(7);
const GIVEN_UP: u64 = 99;

fn course(number: i64) -> ClassTarget {
    ClassTarget { course: CourseId(number), class: None }
}

fn operation(kind: EnrolmentKind, in_course: i64, state: EnrolmentState) -> EnrolmentOperation {
    EnrolmentOperation {
        kind,
        student: StudentId::new("s1"),
        class_code: None,
        uid: Some(UID),
        target: course(in_course),
        state,
        recorded: None,
        follows: false,
        after: vec![],
        is_replaced: false,
        is_put_back: false,
        desired_hash: in_course.unsigned_abs(),
    }
}

fn add(in_course: i64, state: EnrolmentState) -> EnrolmentOperation {
    operation(EnrolmentKind::Enrol, in_course, state)
}

fn because() -> Reason {
    Reason::Other("of something".to_owned())
}

/// What becomes of the removal from course 1 beside these adds.
fn removal_beside(adds: Vec<EnrolmentOperation>, full: &[i64], state: EnrolmentState) -> EnrolmentOperation {
    let mut operations = vec![operation(EnrolmentKind::Remove, 1, state)];
    operations.extend(adds);
    let full: BTreeSet<ClassTarget> = full.iter().copied().map(course).collect();
    await_other_courses(&mut operations, &full, &BTreeSet::from([GIVEN_UP]));
    operations.swap_remove(0)
}

fn said(removal: &EnrolmentOperation) -> String {
    let after = removal.after.iter().map(|condition| match condition {
        Condition::Settled { target, uid } if *uid == UID => format!("after {}", target.course.0),
        Condition::Settled { .. } | Condition::Removed { .. } | Condition::SomebodyEnters => {
            format!("{condition:?}")
        }
    });
    let is_waiting = matches!(removal.state, EnrolmentState::Waiting(Reason::Follows(_)));
    if removal.state == EnrolmentState::Planned {
        after.chain(["goes".to_owned()]).collect::<Vec<_>>().join(", ")
    } else if is_waiting && removal.after.is_empty() {
        "waits".to_owned()
    } else {
        format!("{:?}", removal.state)
    }
}

#[test]
fn a_removal_waits_for_what_is_wanted_in_other_courses_and_not_settled() {
    use EnrolmentState::{Cannot, Held, Planned, Skipped, Waiting};
    let without_account = EnrolmentOperation { uid: None, ..add(2, Planned) };
    let another_students = EnrolmentOperation { student: StudentId::new("s2"), ..add(2, Planned) };
    let given_up = EnrolmentOperation { desired_hash: GIVEN_UP, ..add(2, Waiting(because())) };
    let removed_too = operation(EnrolmentKind::Remove, 2, Planned);
    for (row, adds, full, expected) in [
        ("nothing is wanted", vec![], &[][..], "goes"),
        ("an add goes", vec![add(2, Planned)], &[], "after 2, goes"),
        ("two go", vec![add(2, Planned), add(3, Planned)], &[], "after 2, after 3, goes"),
        ("in the same course", vec![add(1, Planned)], &[], "goes"),
        ("an add is held", vec![add(2, Held(because()))], &[], "waits"),
        ("it is impossible", vec![add(2, Cannot(because()))], &[], "waits"),
        ("it failed and is not due", vec![add(2, Waiting(because()))], &[], "waits"),
        ("it is a dead letter", vec![given_up], &[], "goes"),
        ("the mode leaves it alone", vec![add(2, Skipped(because()))], &[], "goes"),
        ("its account is not there yet", vec![without_account], &[], "waits"),
        ("it is another student's", vec![another_students], &[], "goes"),
        ("it is a removal too", vec![removed_too], &[], "goes"),
        ("one goes and one waits", vec![add(2, Planned), add(3, Held(because()))], &[], "waits"),
        ("both places are full", vec![add(2, Planned)], &[1, 2], "goes"),
        ("the new place is full", vec![add(2, Planned)], &[2], "after 2, goes"),
        ("the old place is full", vec![add(2, Planned)], &[1], "after 2, goes"),
    ] {
        assert_eq!(said(&removal_beside(adds, full, EnrolmentState::Planned)), expected, "{row}");
    }
}

#[test]
fn a_removal_that_does_not_go_ahead_stays_as_it_is() {
    for state in [EnrolmentState::Held(because()), EnrolmentState::Skipped(because())] {
        let removal = removal_beside(vec![add(2, EnrolmentState::Planned)], &[], state.clone());
        assert_eq!((removal.state, removal.after), (state, vec![]));
    }
}

#[test]
fn an_add_is_never_made_to_wait_for_another_course() {
    let mut operations =
        vec![operation(EnrolmentKind::Remove, 1, EnrolmentState::Planned), add(2, EnrolmentState::Planned)];
    await_other_courses(&mut operations, &BTreeSet::new(), &BTreeSet::new());
    assert_eq!(operations[1], add(2, EnrolmentState::Planned));
}
