//! The truth table of one account over a course and a class of it: what is wanted, what is recorded in each, what is
//! done. With `removals = "added"`, a student of the roster, and no other in the course. *Then* says that the second
//! rests on the first.

use super::*;
use crate::classin_plan::enrolment::{EnrolmentKind, EnrolmentState, Evidence};
use crate::roster::ClassId;

const COURSE: ClassTarget = ClassTarget { course: CourseId(7), class: None };
const CLASS: ClassTarget = ClassTarget { course: CourseId(7), class: Some(ClassId(1)) };

fn evidence(word: &str) -> Option<Evidence> {
    (word != "none").then(|| Evidence::parse(word).unwrap())
}

fn wanted(word: &str) -> Vec<Enrolment> {
    let row = |target: ClassTarget, code: &str| Enrolment {
        student: StudentId::new("s1"),
        class_code: ClassCode::new(code),
        target,
        uid: Some(ClassinUid(1)),
    };
    match word {
        "course" => vec![row(COURSE, "whole")],
        "class" => vec![row(CLASS, "one")],
        "both" => vec![row(COURSE, "whole"), row(CLASS, "one")],
        _ => vec![],
    }
}

fn record(target: ClassTarget, evidence: Option<Evidence>) -> Option<EnrolmentRecord> {
    Some(EnrolmentRecord::new(ClassinUid(1), target, StudentId::new("s1"), evidence?))
}

fn said(operation: &EnrolmentOperation) -> String {
    let then = if operation.after.is_empty() { "" } else { "then " };
    let place = if operation.target == COURSE { "course" } else { "class" };
    match (operation.kind, &operation.state) {
        (EnrolmentKind::Enrol, EnrolmentState::Planned) => format!("{then}enrol in {place}"),
        (EnrolmentKind::Remove, EnrolmentState::Planned) => format!("{then}remove from {place}"),
        (EnrolmentKind::Remove, EnrolmentState::Cannot(_)) => format!("cannot leave {place}"),
        other => format!("{other:?}"),
    }
}

fn planned(wanted_in: &str, in_course: &str, in_class: &str) -> String {
    let records: Vec<EnrolmentRecord> =
        [record(COURSE, evidence(in_course)), record(CLASS, evidence(in_class))]
            .into_iter()
            .flatten()
            .collect();
    let view = CourseView {
        course: COURSE.course,
        class_code: &|_| None,
        mode: Mode::Sync,
        closed: &|_| None,
        removals: Removals::Added,
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
    let plan = crate::classin_plan::audit::audited(plan_course(&wanted(wanted_in), &records, &view));
    assert_eq!(plan.to_forget, [], "no record ends but by an answer");
    let said: Vec<String> = plan.operations.iter().map(said).collect();
    if said.is_empty() { "nothing".to_owned() } else { said.join(", ") }
}

macro_rules! rows {
    ($($name:ident: $wanted:ident, $course:ident, $class:ident => $expected:literal;)*) => {
        $(#[test]
        fn $name() {
            let (wanted, course, class) = (stringify!($wanted), stringify!($course), stringify!($class));
            assert_eq!(planned(wanted, course, class), $expected);
        })*
    };
}

rows! {
    wanted_in_course_with_added_in_the_course_and_added_in_the_class: course, added, added => "nothing";
    wanted_in_course_with_added_in_the_course_and_present_in_the_class: course, added, present => "nothing";
    wanted_in_course_with_added_in_the_course_and_presumed_in_the_class: course, added, presumed => "nothing";
    wanted_in_course_with_added_in_the_course_and_unknown_in_the_class: course, added, unknown => "nothing";
    wanted_in_course_with_added_in_the_course_and_none_in_the_class: course, added, none => "nothing";
    wanted_in_course_with_present_in_the_course_and_added_in_the_class: course, present, added => "nothing";
    wanted_in_course_with_present_in_the_course_and_present_in_the_class: course, present, present => "nothing";
    wanted_in_course_with_present_in_the_course_and_presumed_in_the_class: course, present, presumed => "nothing";
    wanted_in_course_with_present_in_the_course_and_unknown_in_the_class: course, present, unknown => "nothing";
    wanted_in_course_with_present_in_the_course_and_none_in_the_class: course, present, none => "nothing";
    wanted_in_course_with_presumed_in_the_course_and_added_in_the_class: course, presumed, added => "nothing";
    wanted_in_course_with_presumed_in_the_course_and_present_in_the_class: course, presumed, present => "nothing";
    wanted_in_course_with_presumed_in_the_course_and_presumed_in_the_class: course, presumed, presumed => "nothing";
    wanted_in_course_with_presumed_in_the_course_and_unknown_in_the_class: course, presumed, unknown => "nothing";
    wanted_in_course_with_presumed_in_the_course_and_none_in_the_class: course, presumed, none => "nothing";
    wanted_in_course_with_unknown_in_the_course_and_added_in_the_class: course, unknown, added => "enrol in course";
    wanted_in_course_with_unknown_in_the_course_and_present_in_the_class: course, unknown, present => "enrol in course";
    wanted_in_course_with_unknown_in_the_course_and_presumed_in_the_class: course, unknown, presumed => "enrol in course";
    wanted_in_course_with_unknown_in_the_course_and_unknown_in_the_class: course, unknown, unknown => "enrol in course";
    wanted_in_course_with_unknown_in_the_course_and_none_in_the_class: course, unknown, none => "enrol in course";
    wanted_in_course_with_none_in_the_course_and_added_in_the_class: course, none, added => "enrol in course";
    wanted_in_course_with_none_in_the_course_and_present_in_the_class: course, none, present => "enrol in course";
    wanted_in_course_with_none_in_the_course_and_presumed_in_the_class: course, none, presumed => "enrol in course";
    wanted_in_course_with_none_in_the_course_and_unknown_in_the_class: course, none, unknown => "enrol in course";
    wanted_in_course_with_none_in_the_course_and_none_in_the_class: course, none, none => "enrol in course";
    wanted_in_class_with_added_in_the_course_and_added_in_the_class: class, added, added => "remove from course, then enrol in class";
    wanted_in_class_with_added_in_the_course_and_present_in_the_class: class, added, present => "remove from course, then enrol in class";
    wanted_in_class_with_added_in_the_course_and_presumed_in_the_class: class, added, presumed => "remove from course, then enrol in class";
    wanted_in_class_with_added_in_the_course_and_unknown_in_the_class: class, added, unknown => "remove from course, then enrol in class";
    wanted_in_class_with_added_in_the_course_and_none_in_the_class: class, added, none => "remove from course, then enrol in class";
    wanted_in_class_with_present_in_the_course_and_added_in_the_class: class, present, added => "cannot leave course";
    wanted_in_class_with_present_in_the_course_and_present_in_the_class: class, present, present => "cannot leave course";
    wanted_in_class_with_present_in_the_course_and_presumed_in_the_class: class, present, presumed => "cannot leave course";
    wanted_in_class_with_present_in_the_course_and_unknown_in_the_class: class, present, unknown => "cannot leave course, enrol in class";
    wanted_in_class_with_present_in_the_course_and_none_in_the_class: class, present, none => "cannot leave course, enrol in class";
    wanted_in_class_with_presumed_in_the_course_and_added_in_the_class: class, presumed, added => "cannot leave course";
    wanted_in_class_with_presumed_in_the_course_and_present_in_the_class: class, presumed, present => "cannot leave course";
    wanted_in_class_with_presumed_in_the_course_and_presumed_in_the_class: class, presumed, presumed => "cannot leave course";
    wanted_in_class_with_presumed_in_the_course_and_unknown_in_the_class: class, presumed, unknown => "cannot leave course, enrol in class";
    wanted_in_class_with_presumed_in_the_course_and_none_in_the_class: class, presumed, none => "cannot leave course, enrol in class";
    wanted_in_class_with_unknown_in_the_course_and_added_in_the_class: class, unknown, added => "cannot leave course";
    wanted_in_class_with_unknown_in_the_course_and_present_in_the_class: class, unknown, present => "cannot leave course";
    wanted_in_class_with_unknown_in_the_course_and_presumed_in_the_class: class, unknown, presumed => "cannot leave course";
    wanted_in_class_with_unknown_in_the_course_and_unknown_in_the_class: class, unknown, unknown => "cannot leave course, enrol in class";
    wanted_in_class_with_unknown_in_the_course_and_none_in_the_class: class, unknown, none => "cannot leave course, enrol in class";
    wanted_in_class_with_none_in_the_course_and_added_in_the_class: class, none, added => "nothing";
    wanted_in_class_with_none_in_the_course_and_present_in_the_class: class, none, present => "nothing";
    wanted_in_class_with_none_in_the_course_and_presumed_in_the_class: class, none, presumed => "nothing";
    wanted_in_class_with_none_in_the_course_and_unknown_in_the_class: class, none, unknown => "enrol in class";
    wanted_in_class_with_none_in_the_course_and_none_in_the_class: class, none, none => "enrol in class";
    wanted_in_both_with_added_in_the_course_and_added_in_the_class: both, added, added => "nothing";
    wanted_in_both_with_added_in_the_course_and_present_in_the_class: both, added, present => "nothing";
    wanted_in_both_with_added_in_the_course_and_presumed_in_the_class: both, added, presumed => "nothing";
    wanted_in_both_with_added_in_the_course_and_unknown_in_the_class: both, added, unknown => "enrol in class";
    wanted_in_both_with_added_in_the_course_and_none_in_the_class: both, added, none => "enrol in class";
    wanted_in_both_with_present_in_the_course_and_added_in_the_class: both, present, added => "nothing";
    wanted_in_both_with_present_in_the_course_and_present_in_the_class: both, present, present => "nothing";
    wanted_in_both_with_present_in_the_course_and_presumed_in_the_class: both, present, presumed => "nothing";
    wanted_in_both_with_present_in_the_course_and_unknown_in_the_class: both, present, unknown => "enrol in class";
    wanted_in_both_with_present_in_the_course_and_none_in_the_class: both, present, none => "enrol in class";
    wanted_in_both_with_presumed_in_the_course_and_added_in_the_class: both, presumed, added => "nothing";
    wanted_in_both_with_presumed_in_the_course_and_present_in_the_class: both, presumed, present => "nothing";
    wanted_in_both_with_presumed_in_the_course_and_presumed_in_the_class: both, presumed, presumed => "nothing";
    wanted_in_both_with_presumed_in_the_course_and_unknown_in_the_class: both, presumed, unknown => "enrol in class";
    wanted_in_both_with_presumed_in_the_course_and_none_in_the_class: both, presumed, none => "enrol in class";
    wanted_in_both_with_unknown_in_the_course_and_added_in_the_class: both, unknown, added => "enrol in course";
    wanted_in_both_with_unknown_in_the_course_and_present_in_the_class: both, unknown, present => "enrol in course";
    wanted_in_both_with_unknown_in_the_course_and_presumed_in_the_class: both, unknown, presumed => "enrol in course";
    wanted_in_both_with_unknown_in_the_course_and_unknown_in_the_class: both, unknown, unknown => "enrol in course, enrol in class";
    wanted_in_both_with_unknown_in_the_course_and_none_in_the_class: both, unknown, none => "enrol in course, enrol in class";
    wanted_in_both_with_none_in_the_course_and_added_in_the_class: both, none, added => "enrol in course";
    wanted_in_both_with_none_in_the_course_and_present_in_the_class: both, none, present => "enrol in course";
    wanted_in_both_with_none_in_the_course_and_presumed_in_the_class: both, none, presumed => "enrol in course";
    wanted_in_both_with_none_in_the_course_and_unknown_in_the_class: both, none, unknown => "enrol in course, enrol in class";
    wanted_in_both_with_none_in_the_course_and_none_in_the_class: both, none, none => "enrol in course, enrol in class";
    wanted_in_neither_with_added_in_the_course_and_added_in_the_class: neither, added, added => "remove from course, then remove from class";
    wanted_in_neither_with_added_in_the_course_and_present_in_the_class: neither, added, present => "remove from course";
    wanted_in_neither_with_added_in_the_course_and_presumed_in_the_class: neither, added, presumed => "remove from course";
    wanted_in_neither_with_added_in_the_course_and_unknown_in_the_class: neither, added, unknown => "remove from course";
    wanted_in_neither_with_added_in_the_course_and_none_in_the_class: neither, added, none => "remove from course";
    wanted_in_neither_with_present_in_the_course_and_added_in_the_class: neither, present, added => "cannot leave course";
    wanted_in_neither_with_present_in_the_course_and_present_in_the_class: neither, present, present => "cannot leave course";
    wanted_in_neither_with_present_in_the_course_and_presumed_in_the_class: neither, present, presumed => "cannot leave course";
    wanted_in_neither_with_present_in_the_course_and_unknown_in_the_class: neither, present, unknown => "cannot leave course";
    wanted_in_neither_with_present_in_the_course_and_none_in_the_class: neither, present, none => "cannot leave course";
    wanted_in_neither_with_presumed_in_the_course_and_added_in_the_class: neither, presumed, added => "cannot leave course";
    wanted_in_neither_with_presumed_in_the_course_and_present_in_the_class: neither, presumed, present => "cannot leave course";
    wanted_in_neither_with_presumed_in_the_course_and_presumed_in_the_class: neither, presumed, presumed => "cannot leave course";
    wanted_in_neither_with_presumed_in_the_course_and_unknown_in_the_class: neither, presumed, unknown => "cannot leave course";
    wanted_in_neither_with_presumed_in_the_course_and_none_in_the_class: neither, presumed, none => "cannot leave course";
    wanted_in_neither_with_unknown_in_the_course_and_added_in_the_class: neither, unknown, added => "cannot leave course";
    wanted_in_neither_with_unknown_in_the_course_and_present_in_the_class: neither, unknown, present => "cannot leave course";
    wanted_in_neither_with_unknown_in_the_course_and_presumed_in_the_class: neither, unknown, presumed => "cannot leave course";
    wanted_in_neither_with_unknown_in_the_course_and_unknown_in_the_class: neither, unknown, unknown => "cannot leave course";
    wanted_in_neither_with_unknown_in_the_course_and_none_in_the_class: neither, unknown, none => "cannot leave course";
    wanted_in_neither_with_none_in_the_course_and_added_in_the_class: neither, none, added => "remove from class";
    wanted_in_neither_with_none_in_the_course_and_present_in_the_class: neither, none, present => "cannot leave class";
    wanted_in_neither_with_none_in_the_course_and_presumed_in_the_class: neither, none, presumed => "cannot leave class";
    wanted_in_neither_with_none_in_the_course_and_unknown_in_the_class: neither, none, unknown => "cannot leave class";
    wanted_in_neither_with_none_in_the_course_and_none_in_the_class: neither, none, none => "nothing";
}
