//! Lessons that are over while their rows stay on the roster: they make no removal a small one. Where it matters, ClassIn is
//! asked first whether the others take changes still.

use rosterd::Exit;
use rosterd_testkit::{ClassIds, DAY, HOUR, School};

use super::{ADD, REMOVE, count, set_of};

/// Five lessons of one course with the same 72 students, of which so many are over by now.
async fn lessons(over: usize) -> (School, ClassIds, Vec<i64>) {
    let school = School::of_classin().await;
    let first = school.class("l0").await;
    let uids = school.fill("l0", 72).await;
    let mut others = Vec::new();
    for at in 1..5 {
        let ids = ClassIds { class: school.sandbox.create_class(first.course, "lesson"), ..first };
        school.name_class(&format!("l{at}"), ids).await;
        school.sql(&format!("INSERT INTO class_members SELECT student_id, 'l{at}' FROM students")).await;
        others.push(ids);
    }
    school.run_as(Exit::Done).await;
    school.later(2 * DAY);
    for ids in &others[..over] {
        school.sandbox.end_class(ids.course, ids.class);
    }
    school.sandbox.clear_journal();
    (school, first, uids)
}

async fn leave(school: &School, n: usize) {
    let last = format!("s{n:03}");
    school.sql(&format!("DELETE FROM class_members WHERE class_code = 'l0' AND student_id < '{last}'")).await;
}

#[tokio::test]
async fn half_of_the_only_lesson_that_lives_is_held_however_many_others_are_over() {
    let (school, first, uids) = lessons(4).await;
    leave(&school, 36).await;
    let report = school.run_to(Exit::Held).await;
    assert_eq!(count(&report, "held", "remove"), 36);
    let [hold] = report.holds.as_slice() else { panic!("{:?}", report.holds) };
    assert!(hold.reason.contains("36 removals of 288 enrolments"), "{}", hold.reason);
    assert_eq!(school.members(first), set_of(&uids));
    assert_eq!(school.classin_calls(), [ADD], "with one of them over it is too many already");
    assert!(school.failures().await.is_empty(), "a lesson that is over wakes nobody");
    school.sandbox.clear_journal();
    for _ in 0..2 {
        school.later(HOUR);
        school.run_as(Exit::Held).await;
        assert!(school.classin_calls().is_empty());
    }
}

#[tokio::test]
async fn lessons_that_take_changes_are_asked_as_far_as_is_needed_and_the_removals_go_on() {
    let (school, first, uids) = lessons(0).await;
    leave(&school, 20).await;
    let (_, intended) = school.plan().await;
    let waits =
        |line: &&rosterd_core::exam_plan::OperationLine| line.reason_code.as_deref() == Some("follows");
    assert_eq!(intended.classin.operations.iter().filter(waits).count(), 20);
    assert!(school.classin_calls().is_empty(), "a plan asks nobody");
    let report = school.run_to(Exit::Done).await;
    assert_eq!(count(&report, "applied", "remove"), 20);
    // 15 of 144 may go, and 22 of 216.
    assert_eq!(school.classin_calls(), [ADD, ADD, REMOVE]);
    assert_eq!(school.members(first), set_of(&uids[20..]));
    school.sandbox.clear_journal();
    school.run_as(Exit::Done).await;
    assert!(school.classin_calls().is_empty());
}

#[tokio::test]
async fn so_many_as_may_leave_the_lesson_itself_cost_no_question() {
    let (school, first, uids) = lessons(4).await;
    leave(&school, 15).await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.classin_calls(), [REMOVE]);
    assert_eq!(school.members(first), set_of(&uids[15..]));
}

#[tokio::test]
async fn a_lesson_that_does_not_say_whether_it_takes_changes_counts_for_nothing_and_is_asked_once_a_day() {
    let (school, first, uids) = lessons(0).await;
    leave(&school, 36).await;
    school.set("refuse_call", &format!("{ADD}@*:143"));
    for (hours, calls) in [(0, 1), (1, 0), (12, 0), (24, 1)] {
        school.later(hours * HOUR);
        let report = school.run_to(Exit::Held).await;
        assert_eq!(count(&report, "held", "remove"), 36, "{hours}");
        assert_eq!(school.classin_calls(), vec![ADD; calls], "{hours}");
        school.sandbox.clear_journal();
    }
    assert_eq!(school.members(first), set_of(&uids));
    school.sandbox.clear_faults();
    school.later(DAY);
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(first), set_of(&uids[36..]));
}

// Who comes in the same change.

/// Four classes of ten; of the first, nine go to the others.
async fn nine_change_class() -> (School, Vec<ClassIds>, Vec<i64>) {
    let school = School::of_classin().await;
    let (mut classes, mut first) = (Vec::new(), Vec::new());
    for code in ["a", "b", "c", "d"] {
        classes.push(school.class(code).await);
        for at in 0..10 {
            let id = format!("{code}{at}");
            let uid = school.student(&id).await;
            school.join(&id, code).await;
            first.extend((code == "a").then_some(uid));
        }
    }
    school.run_as(Exit::Done).await;
    for (at, code) in (0..9).zip(["b", "c", "d"].into_iter().cycle()) {
        let id = format!("a{at}");
        school.leave(&id, "a").await;
        school.join(&id, code).await;
    }
    (school, classes, first)
}

#[tokio::test]
async fn who_is_enrolled_by_the_same_change_makes_no_room_for_the_removals_that_are_held() {
    let (mut school, classes, first) = nine_change_class().await;
    school.setting("GUARD__MAX_GROUP", "100%");
    let report = school.run_to(Exit::Held).await;
    assert_eq!((count(&report, "applied", "enrol"), count(&report, "held", "remove")), (9, 9));
    for hours in [0, 1, 30] {
        school.later(hours * HOUR);
        let report = school.run_to(Exit::Held).await;
        assert_eq!(count(&report, "held", "remove"), 9, "{hours}");
        assert_eq!(school.members(classes[0]), set_of(&first), "{hours}");
    }
    let report = school.run().await;
    let state = school.state().await;
    state.approve(&report.digest, school.clock.now_ms() + DAY).await.unwrap();
    state.close().await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(classes[0]), set_of(&first[9..]));
}

#[tokio::test]
async fn who_joins_a_class_makes_no_room_for_more_who_leave_it() {
    let (mut school, classes, first) = nine_change_class().await;
    school.setting("GUARD__MAX_DELETE", "100%");
    for at in 0..9 {
        let id = format!("new{at}");
        let _uid = school.student(&id).await;
        school.join(&id, "a").await;
    }
    for _ in 0..3 {
        let report = school.run_to(Exit::Held).await;
        assert_eq!(count(&report, "held", "remove"), 9);
        assert!(school.members(classes[0]).is_superset(&set_of(&first)));
    }
}

// Leavers who wait.

/// A class of thirty that lives, and four lessons of 72 others, of which so many are over.
async fn beside_lessons(over: usize) -> (School, ClassIds, Vec<i64>) {
    let (school, _, _) = lessons(over).await;
    let class = school.class("c").await;
    let mut uids = Vec::new();
    for at in 0..30 {
        let id = format!("t{at:02}");
        uids.push(school.student(&id).await);
        school.join(&id, "c").await;
    }
    school.run_as(Exit::Done).await;
    school.later(2 * DAY);
    school.sandbox.clear_journal();
    (school, class, uids)
}

async fn twenty_leave_the_school(school: &School) {
    for at in 0..20 {
        school.drop_student(&format!("t{at:02}")).await;
    }
}

#[tokio::test]
async fn leavers_who_wait_are_judged_by_the_lessons_that_live_in_the_run_that_first_sees_them() {
    let (school, class, uids) = beside_lessons(4).await;
    twenty_leave_the_school(&school).await;
    let report = school.run_to(Exit::Held).await;
    assert_eq!(count(&report, "held", "remove"), 20);
    assert_eq!(report.holds[0].reason_code, "missing", "{:?}", report.holds);
    assert!(!school.classin_calls().is_empty() && school.classin_calls().len() <= 4);
    assert!(school.classin_calls().iter().all(|call| call == ADD));
    school.sandbox.clear_journal();
    for _ in 0..5 {
        school.later(DAY);
        let report = school.run_to(Exit::Held).await;
        assert_eq!(count(&report, "held", "remove"), 20);
    }
    assert!(school.classin_calls().is_empty(), "{:?}", school.classin_calls());
    assert_eq!(school.members(class), set_of(&uids));
}

#[tokio::test]
async fn leavers_who_are_few_of_the_lessons_that_live_wait_and_cost_a_few_questions_a_day() {
    let (mut school, class, uids) = beside_lessons(0).await;
    school.setting("GUARD__MAX_GROUP", "100%");
    twenty_leave_the_school(&school).await;
    let report = school.run_to(Exit::Done).await;
    assert_eq!(report.attention["waiting-leavers"].count, 20);
    assert_eq!(school.classin_calls(), [ADD, ADD, ADD], "20 of 246 may leave, and not of 174");
    school.sandbox.clear_journal();
    for _ in 0..4 {
        school.later(HOUR);
        school.run_as(Exit::Done).await;
    }
    assert!(school.classin_calls().is_empty(), "{:?}", school.classin_calls());
    school.later(4 * DAY);
    let _report = school.run().await;
    assert_eq!(school.members(class), set_of(&uids[20..]));
}
