//! A course that has expired, or takes nothing for another reason that may pass, while a lesson of it went off the roster.

use rosterd::Exit;
use rosterd_core::failure::FailureState;
use rosterd_testkit::{ClassIds, DAY, HOUR, School};

use super::{ADD, count, in_step, set_of};
use crate::program::Programs as _;

/// Ten students in two lessons of a course that has expired; the row of the first is gone.
async fn expired() -> (School, ClassIds, ClassIds, Vec<i64>) {
    let (school, first, uids) = in_step(10).await;
    let second = ClassIds { class: school.sandbox.create_class(first.course, "two"), ..first };
    school.name_class("c2", second).await;
    school.sql("INSERT INTO class_members SELECT student_id, 'c2' FROM students").await;
    school.run_as(Exit::Done).await;
    school.sandbox.clear_journal();
    school.set("refuse_call", &format!("{ADD}@*:153"));
    school.later(2 * DAY);
    school
        .sql("DELETE FROM class_members WHERE class_code = 'c1'; DELETE FROM classes WHERE class_code = 'c1'")
        .await;
    (school, first, second, uids)
}

#[tokio::test]
async fn a_lesson_without_a_row_in_a_course_that_has_expired_is_told_once_and_asked_again_when_it_is_due() {
    let (school, first, second, uids) = expired().await;
    school.run_as(Exit::Incomplete).await;
    assert_eq!(school.classin_calls(), [ADD]);
    let rows = school.failures().await;
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!((row.code.as_str(), row.owner, row.state), ("153", "it", FailureState::Waiting), "{row:?}");
    assert!(row.message.contains("10 students"), "{}", row.message);
    let silences = format!("rosterd failures ignore {} leaves them there", row.id);
    assert!(row.message.contains(&silences), "{}", row.message);
    // Not before it is due.
    school.sandbox.clear_journal();
    school.run_as(Exit::Incomplete).await;
    assert!(school.classin_calls().is_empty(), "{:?}", school.classin_calls());
    // For as long as it is so, until a person is needed.
    for _ in 0..12 {
        school.later(DAY);
        let _report = school.run().await;
    }
    school.sandbox.clear_journal();
    let report = school.run_to(Exit::Done).await;
    assert!(school.classin_calls().is_empty());
    assert!(!report.attention.is_empty(), "{report:#?}");
    assert_eq!(school.failures().await.len(), 1);
    // The course is extended: who asks again is answered, and the removals go the usual way.
    school.sandbox.clear_faults();
    let id = school.failures().await[0].id.to_string();
    assert_eq!(school.program(&["failures", "retry", &id]).code, 0);
    let report = school.run_to(Exit::Held).await;
    assert_eq!(count(&report, "held", "remove"), 10);
    assert!(school.failures().await.is_empty(), "{:?}", school.failures().await);
    assert_eq!((school.members(first), school.members(second)), (set_of(&uids), set_of(&uids)));
}

#[tokio::test]
async fn who_ignores_such_a_lesson_leaves_everybody_in_it() {
    let (school, first, _, uids) = expired().await;
    school.run_as(Exit::Incomplete).await;
    let id = school.failures().await[0].id.to_string();
    assert_eq!(school.program(&["failures", "ignore", &id]).code, 0);
    school.sandbox.clear_journal();
    for _ in 0..2 {
        let report = school.run_to(Exit::Done).await;
        assert!(report.attention.is_empty(), "{:?}", report.attention);
        school.later(DAY + HOUR);
    }
    assert!(school.classin_calls().is_empty());
    assert_eq!(school.members(first), set_of(&uids));
}

#[tokio::test]
async fn a_lesson_whose_course_is_extended_is_over_with_its_row_when_it_is_asked_again() {
    let (school, first, _, _) = expired().await;
    school.run_as(Exit::Incomplete).await;
    school.sandbox.clear_faults();
    school.sandbox.end_class(first.course, first.class);
    school.later(DAY);
    school.run_as(Exit::Done).await;
    assert!(school.failures().await.is_empty(), "{:?}", school.failures().await);
    school.sandbox.clear_journal();
    school.run_as(Exit::Done).await;
    assert!(school.classin_calls().is_empty());
}
