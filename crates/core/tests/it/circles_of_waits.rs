//! No operation waits for itself by way of others, whatever courses, classes, siblings and accounts change at once.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use rosterd_core::classin_plan::{
    Condition, CourseView, EnrolmentKind, EnrolmentOperation, EnrolmentRecord, EnrolmentState, Evidence,
    Presence, Reason, await_other_courses, let_wait, plan_course,
};
use rosterd_core::roster::{
    ClassCode, ClassId, ClassTarget, ClassinUid, CourseId, Enrolment, Mode, Removals, StudentId,
};

const COURSES: i64 = 3;

/// A course, and nothing or a class of it; a student, and an account.
type Place = (i64, i64, u8, i64);

fn target(course: i64, class: i64) -> ClassTarget {
    ClassTarget { course: CourseId(course), class: (class != 0).then_some(ClassId(class)) }
}

fn student(number: u8) -> StudentId {
    StudentId::new(format!("s{number}"))
}

fn wanted(&(course, class, number, uid): &Place) -> Enrolment {
    Enrolment {
        student: student(number),
        class_code: ClassCode::new(format!("c{course}-{class}")),
        target: target(course, class),
        uid: Some(ClassinUid(uid)),
    }
}

fn recorded(&(course, class, number, uid): &Place, evidence: Evidence) -> EnrolmentRecord {
    EnrolmentRecord::new(ClassinUid(uid), target(course, class), student(number), evidence)
}

/// What a run would do, once everything about waiting is settled.
fn plan(rows: &[Place], records: &[(Place, Evidence)]) -> Vec<EnrolmentOperation> {
    let mut operations = Vec::new();
    for course in 1..=COURSES {
        let view = CourseView {
            course: CourseId(course),
            class_code: &|target| {
                let class = target.class.map_or(0, |class| class.0);
                Some(ClassCode::new(format!("c{}-{class}", target.course.0)))
            },
            mode: Mode::Sync,
            closed: &|_| None,
            removals: Removals::Presumed,
            now_ms: 0,
            delete_grace_ms: 0,
            was_asked: &|_| true,
            is_shared: &|_| false,
            presence: &|_| Presence::OnRoster,
            owners: &|_| Vec::new(),
            holds: &BTreeMap::new(),
            given_up: &BTreeSet::new(),
            refused: &BTreeSet::new(),
        };
        let here = rows.iter().filter(|(of, ..)| *of == course);
        let mut here: Vec<Enrolment> = here.map(wanted).collect();
        here.sort_by_key(|row| (row.target, row.class_code.clone(), row.student.clone()));
        let known = records.iter().filter(|((of, ..), _)| *of == course);
        let known: Vec<EnrolmentRecord> = known.map(|(place, how)| recorded(place, *how)).collect();
        operations.extend(plan_course(&here, &known, &view).operations);
    }
    await_other_courses(&mut operations, &BTreeSet::new(), &BTreeSet::new());
    let_wait(&mut operations, &BTreeSet::new());
    operations
}

/// Carries out whatever is ready, again and again; what is left over waits in a circle.
fn left_over(operations: &[EnrolmentOperation]) -> Vec<&EnrolmentOperation> {
    let mut left: Vec<&EnrolmentOperation> =
        operations.iter().filter(|one| one.is_planned() && !one.follows).collect();
    let mut done: BTreeSet<(EnrolmentKind, ClassTarget, ClassinUid)> = BTreeSet::new();
    loop {
        let is_met = |condition: &Condition| match *condition {
            Condition::Settled { target, uid } => done.contains(&(EnrolmentKind::Enrol, target, uid)),
            Condition::Removed { target, uid } => done.contains(&(EnrolmentKind::Remove, target, uid)),
            Condition::SomebodyEnters => true,
        };
        let (ready, waiting): (Vec<_>, Vec<_>) =
            left.iter().copied().partition(|one| one.after.iter().all(is_met));
        if ready.is_empty() {
            return waiting;
        }
        done.extend(ready.iter().filter_map(|one| Some((one.kind, one.target, one.uid?))));
        left = waiting;
    }
}

fn places() -> impl Strategy<Value = Vec<Place>> {
    prop::collection::vec((1..=COURSES, 0..=2_i64, 1..=3_u8, 1..=3_i64), 0..9).prop_map(|places| {
        // One account a student; each account once in a place.
        let mut accounts: BTreeMap<u8, i64> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        let one = |(course, class, number, uid): Place| {
            let uid = *accounts.entry(number).or_insert(uid);
            seen.insert((course, class, number)).then_some((course, class, number, uid))
        };
        places.into_iter().filter_map(one).collect()
    })
}

fn records() -> impl Strategy<Value = Vec<(Place, Evidence)>> {
    let evidence = prop::sample::select(vec![Evidence::Added, Evidence::Presumed, Evidence::Present]);
    prop::collection::vec((places(), evidence), 1..3).prop_map(|lists| {
        let mut seen = BTreeSet::new();
        let all = lists.into_iter().flat_map(|(places, how)| places.into_iter().map(move |it| (it, how)));
        all.filter(|((course, class, _, uid), _)| seen.insert((*course, *class, *uid))).collect()
    })
}

proptest! {
    #[test]
    fn whatever_changes_no_operation_waits_for_itself(rows in places(), known in records()) {
        let operations = plan(&rows, &known);
        let left = left_over(&operations);
        prop_assert!(left.is_empty(), "{left:#?}");
    }
}

const IN_BOTH: [(Place, Evidence); 2] = [((1, 0, 1, 7), Evidence::Added), ((2, 0, 1, 7), Evidence::Added)];

#[test]
fn who_leaves_two_whole_courses_for_a_class_of_each_goes_through_one_after_the_other() {
    let operations = plan(&[(1, 1, 1, 7), (2, 1, 1, 7)], &IN_BOTH);
    assert_eq!(operations.iter().filter(|one| one.is_planned()).count(), 4, "{operations:#?}");
    assert!(left_over(&operations).is_empty());
    let free = operations.iter().filter(|one| one.after.is_empty()).count();
    assert_eq!(free, 1, "the other course is left when the first class has taken them: {operations:#?}");
}

#[test]
fn who_is_to_leave_a_whole_course_stays_while_its_class_is_full() {
    let mut operations = plan(&[(1, 1, 1, 7)], &IN_BOTH[..1]);
    let_wait(&mut operations, &BTreeSet::from([target(1, 1)]));
    for one in &operations {
        let waits = matches!(one.state, EnrolmentState::Waiting(Reason::NoRoom | Reason::Follows(_)));
        assert!(waits, "{one:#?}");
    }
}
