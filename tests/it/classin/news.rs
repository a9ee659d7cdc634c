//! Whoever joins a class that takes nobody is news, and everybody whom that concerns is counted.

use rosterd::Exit;
use rosterd_core::failure::FailureState;
use rosterd_sandbox::CourseStatus;

use super::in_step;
use rosterd_testkit::{ClassIds, DAY, School};

/// A class of two whose ids ClassIn does not take, which nobody tries any more.
async fn given_up(course: bool) -> School {
    let (mut school, class, _) = in_step(3).await;
    school.setting("RETRY__MAX_ATTEMPTS", "2");
    let course = if course { 9_999_999 } else { class.course };
    school.name_class("typo", ClassIds { course, class: 7_654_321 }).await;
    for id in ["ann", "ben"] {
        let _uid = school.student(id).await;
        school.join(id, "typo").await;
    }
    for _ in 0..2 {
        school.run_as(Exit::Incomplete).await;
        school.later(DAY);
    }
    school.run_as(Exit::Done).await;
    assert_eq!(school.failures().await[0].state, FailureState::Dead);
    school.sandbox.clear_journal();
    school
}

#[tokio::test]
async fn who_joins_a_class_with_wrong_ids_that_was_given_up_is_news_for_one_call() {
    for course in [false, true] {
        for is_ignored in [false, true] {
            let school = given_up(course).await;
            if is_ignored {
                let state = school.state().await;
                state.change_failures(None, FailureState::Ignored, school.clock.now_ms()).await.unwrap();
                state.close().await;
                school.run_as(Exit::Done).await;
            }
            let _uid = school.student("cleo").await;
            school.join("cleo", "typo").await;
            school.run_as(Exit::Incomplete).await;
            assert_eq!(school.classin_calls().len(), 1, "{course}");
            let rows = school.failures().await;
            let [row] = rows.as_slice() else { panic!("{rows:?}") };
            assert!(row.state == FailureState::Dead && row.message.contains("3 students"), "{row:?}");
            school.later(DAY);
            school.run_as(Exit::Done).await;
            school.leave("cleo", "typo").await;
            school.run_as(Exit::Done).await;
            assert_eq!(school.classin_calls().len(), 1, "{course}: who leaves is no news");
        }
    }
}

#[tokio::test]
async fn who_is_in_a_class_with_wrong_ids_and_has_a_failure_of_their_own_is_no_news_twice() {
    let school = given_up(false).await;
    school.sql("INSERT INTO students (student_id, name, login) VALUES ('dan', 'Dan', 'dan')").await;
    school.join("dan", "typo").await;
    let _first = school.run().await;
    school.sandbox.clear_journal();
    for _ in 0..2 {
        school.later(DAY);
        school.run_as(Exit::Done).await;
        assert!(school.classin_calls().is_empty());
    }
}

#[tokio::test]
async fn a_deleted_course_counts_everybody_in_it_and_in_its_classes_once() {
    let (school, class, _) = in_step(3).await;
    let course = class.course;
    school.sql(&format!("INSERT INTO classes VALUES ('whole', 'Whole', {course}, NULL)")).await;
    for id in ["ann", "ben"] {
        let _uid = school.student(id).await;
        school.join(id, "whole").await;
    }
    school.run_as(Exit::Done).await;
    school.sandbox.set_course_status(course, CourseStatus::Deleted);
    let _uid = school.student("new").await;
    school.join("new", "whole").await;
    school.run_as(Exit::Incomplete).await;
    let told = |rows: Vec<rosterd::FailureRow>| {
        let mut told: Vec<(String, String, bool)> = Vec::new();
        for row in rows {
            let is_counted = row.message.contains("3 of its students are not in it");
            told.push((row.class_code, row.code, is_counted));
        }
        told.sort();
        told
    };
    let expected = [("c1".to_owned(), "149".to_owned(), true), ("whole".to_owned(), "149".to_owned(), true)];
    assert_eq!(told(school.failures().await), expected);
    school.run_as(Exit::Done).await;
    assert_eq!(told(school.failures().await), expected, "nobody is news twice");
    // The class goes on in another course.
    let next = school.class("next").await;
    school.sql("DELETE FROM classes WHERE class_code IN ('next', 'whole')").await;
    school.sql("DELETE FROM class_members WHERE class_code = 'whole'").await;
    school.name_class("c1", next).await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(next).len(), 3);
    assert!(school.failures().await.is_empty());
}

#[tokio::test]
async fn the_check_counts_everybody_of_a_deleted_course_too() {
    let (mut school, class, _) = in_step(3).await;
    school.sql("UPDATE classes SET class_id = NULL").await;
    school.run_as(Exit::Done).await;
    school.setting("CLASSIN__VERIFY_CALLS", "1");
    school.sandbox.set_course_status(class.course, CourseStatus::Deleted);
    school.later(2 * DAY);
    school.run_as(Exit::Incomplete).await;
    let rows = school.failures().await;
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert!(row.code == "149" && row.message.contains("3 of its students are not in it"), "{row:?}");
    school.run_as(Exit::Done).await;
}
