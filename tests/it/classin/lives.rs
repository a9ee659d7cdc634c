//! The lives of classes and accounts: full, over, busy; cancelled, teaching, auditing.

use rosterd::Exit;
use rosterd_core::failure::FailureState;
use rosterd_sandbox::Role;

use super::{ADD, ADD_TO_COURSE, count, in_step, set_of};
use crate::program::Programs as _;
use rosterd_testkit::{ClassIds, DAY, HOUR, MINUTE, School};

/// A class of `n` with room for no more, and two who want in; at the beginning of an hour.
async fn full(n: usize) -> (School, ClassIds, Vec<i64>, Vec<i64>) {
    let (school, class, uids) = in_step(n).await;
    school.later(HOUR - school.clock.now_ms().rem_euclid(HOUR) + MINUTE);
    school.sandbox.set_class_capacity(class.course, class.class, n);
    let mut waiting = Vec::new();
    for id in ["w1", "w2"] {
        waiting.push(school.student(id).await);
        school.join(id, "c1").await;
    }
    (school, class, uids, waiting)
}

#[tokio::test]
async fn a_full_class_is_asked_with_delays_that_grow_to_an_hour_and_its_queue_never_dies() {
    // Refused as a whole, the call is halved until one alone finds no room: then nobody else is asked.
    for (level, calls) in [("items", vec![ADD]), ("top", vec![ADD, ADD])] {
        let (school, class, uids, waiting) = full(3).await;
        school.set("classin.full_level", level);
        for minutes in [1, 2, 4, 8, 16, 32, 60, 60, 60, 60] {
            let report = school.run_to(Exit::Incomplete).await;
            assert_eq!(count(&report, "failed", "enrol"), 2, "{level}, {minutes}");
            assert_eq!(school.classin_calls(), calls, "{level}, {minutes}");
            school.later(minutes * MINUTE - MINUTE / 2);
            let report = school.run_to(Exit::Done).await;
            assert_eq!(count(&report, "skipped", "enrol"), 2, "{level}, {minutes}");
            assert_eq!(report.attention["full-classes"].count, 2, "{level}, {minutes}");
            assert_eq!(school.classin_calls(), calls, "{level}: asked again within {minutes} minutes");
            school.later(MINUTE);
            school.sandbox.clear_journal();
        }
        assert!(
            school.failures().await.iter().all(|row| row.state == FailureState::Waiting && row.code == "157"),
            "{level:?}"
        );
        school.sandbox.set_class_capacity(class.course, class.class, 9);
        school.run_as(Exit::Done).await;
        assert_eq!(school.members(class), set_of(&[uids, waiting].concat()), "{level}");
        assert!(school.failures().await.is_empty(), "{level:?}");
        assert_eq!(school.number("SELECT count(*) FROM full_classes").await, 0, "{level:?}");
    }
}

#[tokio::test]
async fn a_full_class_is_one_line_for_people_and_a_row_a_student_for_programs() {
    let (school, _, _, _) = full(3).await;
    school.run_as(Exit::Incomplete).await;
    for command in ["failures", "status"] {
        let ended = school.program(&[command]);
        let lines: Vec<&str> = ended.stdout.lines().filter(|line| line.contains("c1")).collect();
        assert!(lines.len() == 1 && lines[0].contains("c1: 3 in, 2 wait (157"), "{command}: {ended:?}");
    }
    let ended = school.program(&["failures", "list", "--output", "json"]);
    assert_eq!(ended.json().as_array().unwrap().len(), 2, "{ended:?}");
}

#[tokio::test]
async fn whoever_does_not_fit_into_a_class_of_fifty_is_counted_though_not_sent() {
    let school = School::of_classin().await;
    let class = school.class("MATH10").await;
    school.sandbox.set_class_capacity(class.course, class.class, 50);
    school.fill("MATH10", 240).await;
    school.run_as(Exit::Incomplete).await;
    assert_eq!(school.members(class).len(), 50);
    let ended = school.program(&["failures"]);
    assert!(ended.stdout.contains("MATH10: 50 in, 190 wait"), "{ended:?}");
    let rows = school.failures().await;
    assert!(rows.len() == 190 && rows.iter().all(|row| row.code == "157"), "{}", rows.len());
    school.run_as(Exit::Done).await;
    let (_, intended) = school.plan().await;
    let waiting =
        intended.classin.operations.iter().filter(|line| line.reason_code.as_deref() == Some("class-full"));
    assert_eq!(waiting.count(), 190, "a row a student for programs");
    let plan = school.program(&["plan"]);
    let lines: Vec<&str> = plan.stdout.lines().filter(|line| line.starts_with('!')).collect();
    assert!(lines.len() == 1 && lines[0].starts_with("! MATH10: 50 in, 190 wait: "), "{lines:?}");
    assert!(!plan.stdout.contains("\n+"), "{plan:?}");
    school.sandbox.set_class_capacity(class.course, class.class, 300);
    school.later(2 * MINUTE);
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class).len(), 240);
}

#[tokio::test]
async fn a_full_class_is_asked_again_at_once_when_its_roster_changes_or_a_person_says_so() {
    let (school, class, _, _) = full(3).await;
    school.run_as(Exit::Incomplete).await;
    school.sandbox.clear_journal();
    let _uid = school.student("w3").await;
    school.join("w3", "c1").await;
    school.run_as(Exit::Incomplete).await;
    assert_eq!(school.classin_calls(), [ADD]);
    school.sandbox.clear_journal();
    school.run_as(Exit::Done).await;
    assert!(school.classin_calls().is_empty());
    school.sandbox.set_class_capacity(class.course, class.class, 0);
    let state = school.state().await;
    let waiting = rosterd_core::failure::FailureState::Waiting;
    state.change_failures(None, waiting, school.clock.now_ms()).await.unwrap();
    state.close().await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class).len(), 6);
}

#[tokio::test]
async fn in_a_class_that_was_full_whoever_leaves_goes_first() {
    let (school, class, uids, waiting) = full(3).await;
    school.run_as(Exit::Incomplete).await;
    school.leave("s000", "c1").await;
    school.sandbox.clear_journal();
    let report = school.run_to(Exit::Incomplete).await;
    assert_eq!(school.classin_calls(), [super::REMOVE, ADD]);
    assert_eq!((count(&report, "applied", "enrol"), count(&report, "failed", "enrol")), (1, 1));
    assert_eq!(school.members(class), set_of(&[uids[1], uids[2], waiting[0]]));
}

#[tokio::test]
async fn a_full_course_waits_as_a_full_class_does() {
    let school = School::of_classin().await;
    school.later(HOUR - school.clock.now_ms().rem_euclid(HOUR) + MINUTE);
    let course = school.sandbox.create_course("whole");
    school.sql(&format!("INSERT INTO classes VALUES ('c1', 'Whole', {course}, NULL)")).await;
    school.sandbox.set_course_capacity(course, 2);
    school.fill("c1", 3).await;
    school.run_as(Exit::Incomplete).await;
    assert_eq!(school.failures().await[0].code, "130");
    school.sandbox.clear_journal();
    school.later(MINUTE / 2);
    school.run_as(Exit::Done).await;
    assert!(school.classin_calls().is_empty());
    school.sandbox.set_course_capacity(course, 0);
    school.later(HOUR);
    school.run_as(Exit::Done).await;
    assert_eq!(school.classin_calls(), [ADD_TO_COURSE]);
}

#[tokio::test]
async fn a_course_that_somebody_else_is_adding_to_is_tried_again_later() {
    let school = School::of_classin().await;
    let course = school.sandbox.create_course("whole");
    school.sql(&format!("INSERT INTO classes VALUES ('c1', 'Whole', {course}, NULL)")).await;
    let uids = school.fill("c1", 3).await;
    for code in ["464", "460"] {
        school.set("refuse_call", &format!("{ADD_TO_COURSE}:{code}"));
        school.run_as(Exit::Incomplete).await;
        let failures = school.failures().await;
        assert!(
            failures.iter().all(|row| row.code == code && row.state == FailureState::Waiting),
            "{failures:?}"
        );
        school.later(HOUR);
    }
    school.run_as(Exit::Done).await;
    assert_eq!(school.sandbox.course_members(course), set_of(&uids));
}

/// What a person is told, by the role that stands in the way; the same in a class and in a whole course.
const IN_THE_WAY: [(Role, bool, &str, &str); 5] = [
    (Role::Teacher, true, "129", "teacher"),
    (Role::Auditor, false, "164", "auditing"),
    (Role::CoTeacher, true, "329", "co-teacher"),
    (Role::CoTeacher, false, "332", "teaches the course"),
    (Role::HeadTeacher, false, "333", "teaches the course"),
];

#[tokio::test]
async fn a_role_in_the_way_is_a_dead_letter_with_advice_until_it_is_gone() {
    for (role, of_class, code, said) in IN_THE_WAY {
        let (school, class, uids) = in_step(2).await;
        let uid = school.student("ann").await;
        school.join("ann", "c1").await;
        school.sandbox.set_role(class.course, of_class.then_some(class.class), uid, role);
        school.run_as(Exit::Incomplete).await;
        let failures = school.failures().await;
        assert_eq!(failures.len(), 1, "{code}: {failures:?}");
        assert_eq!((failures[0].code.as_str(), failures[0].state.as_str()), (code, "dead"), "{role:?}");
        let message = &failures[0].message;
        assert!(message.contains(said) && message.contains("ClassIn"), "{code}: {message}");
        school.sandbox.clear_journal();
        school.later(DAY);
        school.run_as(Exit::Done).await;
        assert!(school.classin_calls().is_empty(), "{code}");
        school.sandbox.clear_roles(class.course, uid);
        let state = school.state().await;
        let waiting = rosterd_core::failure::FailureState::Waiting;
        state.change_failures(None, waiting, school.clock.now_ms()).await.unwrap();
        state.close().await;
        school.run_as(Exit::Done).await;
        assert_eq!(school.members(class), set_of(&[uids, vec![uid]].concat()), "{code}");
    }
}

#[tokio::test]
async fn a_cancelled_account_waits_for_a_person_and_the_old_one_is_taken_out_for_the_new() {
    let (school, class, uids) = in_step(3).await;
    school.class("c2").await;
    school.sandbox.cancel_account(uids[0]);
    school.join("s000", "c2").await;
    school.run_as(Exit::Incomplete).await;
    let failures = school.failures().await;
    assert_eq!((failures[0].code.as_str(), failures[0].state.as_str()), ("886", "dead"));
    assert!(failures[0].message.contains("uid on the roster"), "{failures:?}");
    let fresh = school.sandbox.create_account("again", None);
    school.sql(&format!("UPDATE students SET classin_uid = {fresh} WHERE student_id = 's000'")).await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&[fresh, uids[1], uids[2]]));
    assert!(school.failures().await.is_empty());
}
