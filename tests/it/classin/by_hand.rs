//! Students whom a person put into a course or a class, or took out there: what a row advises, and what is true after that.

use rosterd::Exit;
use rosterd_core::failure::FailureState;
use rosterd_sandbox::Role;

use super::{ADD, REMOVE_FROM_COURSE, set_of};
use crate::program::Programs as _;
use rosterd_testkit::{ClassIds, DAY, School};

/// A course with a row of its own, a class of it with somebody in it, and a student whom a person put into the course. The
/// roster had them in the course, and now has them in the class.
async fn moved_into_a_class_of_the_course() -> (School, ClassIds, i64) {
    let school = School::of_classin().await;
    let class = school.class("c1").await;
    school.sql(&format!("INSERT INTO classes VALUES ('whole', 'Whole', {}, NULL)", class.course)).await;
    let _other = school.fill("c1", 1).await;
    let uid = school.student("ann").await;
    school.sandbox.set_role(class.course, None, uid, Role::CourseStudent);
    school.join("ann", "whole").await;
    school.run_as(Exit::Done).await;
    school.leave("ann", "whole").await;
    school.join("ann", "c1").await;
    school.run_as(Exit::Incomplete).await;
    (school, class, uid)
}

async fn ignore_all(school: &School) {
    let state = school.state().await;
    state.change_failures(None, FailureState::Ignored, school.clock.now_ms()).await.unwrap();
    state.close().await;
}

#[tokio::test]
async fn who_is_in_a_class_through_a_course_by_hand_is_taken_over_and_nobody_is_told_to_take_them_out() {
    let (school, class, uid) = moved_into_a_class_of_the_course().await;
    let rows = school.failures().await;
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert!(row.message.contains("`rosterd claim ann whole`"), "{row:?}");
    assert!(!row.message.contains("take them out in ClassIn") && !row.message.contains("ignore"), "{row:?}");
    assert!(school.program(&["claim", "ann", "whole"]).code == 0);
    school.run_as(Exit::Done).await;
    assert!(school.sandbox.course_members(class.course).is_empty());
    assert!(school.members(class).contains(&uid));
    assert!(school.failures().await.is_empty());
}

#[tokio::test]
async fn who_was_taken_out_of_a_course_by_hand_is_added_to_the_class_they_were_in_through_it() {
    for switch in ["166", "1"] {
        let (school, class, uid) = moved_into_a_class_of_the_course().await;
        school.set("classin.course_student_at_class_add", switch);
        school.sandbox.remove_course_member(class.course, uid);
        ignore_all(&school).await;
        school.sandbox.clear_journal();
        school.run_as(Exit::Done).await;
        assert_eq!(school.classin_calls(), [ADD], "{switch}");
        assert!(school.members(class).contains(&uid), "{switch}");
        school.sandbox.clear_journal();
        school.run_as(Exit::Done).await;
        assert!(school.classin_calls().is_empty(), "{switch}");
    }
}

#[tokio::test]
async fn who_was_left_in_a_class_until_a_person_takes_them_out_is_added_again_when_wanted_again() {
    for is_ignored in [true, false] {
        let school = School::of_classin().await;
        let class = school.class("c1").await;
        let uids = school.fill("c1", 3).await;
        school.sandbox.insert_class_member(class.course, class.class, uids[0]);
        school.run_as(Exit::Done).await;
        school.leave("s000", "c1").await;
        school.run_as(Exit::Incomplete).await;
        // As the row says.
        school.sandbox.remove_class_member(class.course, class.class, uids[0]);
        if is_ignored {
            ignore_all(&school).await;
            school.run_as(Exit::Done).await;
        }
        school.later(DAY);
        school.join("s000", "c1").await;
        // Should the service be down in the run that finds the student wanted, the next one still asks.
        school.set("classin.maintenance", "http_901");
        school.run_as(Exit::Temporary).await;
        school.set("classin.maintenance", "off");
        school.run_as(Exit::Done).await;
        assert_eq!(school.members(class), set_of(&uids), "{is_ignored}");
        assert!(school.failures().await.is_empty(), "{is_ignored}");
    }
}

#[tokio::test]
async fn who_was_added_to_a_class_inside_the_course_is_in_it_after_leaving_the_course() {
    for switch in ["166", "1"] {
        let school = School::of_classin().await;
        school.set("classin.course_student_at_class_add", switch);
        let class = school.class("c1").await;
        school.sql(&format!("INSERT INTO classes VALUES ('whole', 'Whole', {}, NULL)", class.course)).await;
        let _others = school.fill("whole", 2).await;
        let uid = school.student("ann").await;
        school.join("ann", "whole").await;
        school.run_as(Exit::Done).await;
        school.join("ann", "c1").await;
        school.run_as(Exit::Done).await;
        school.leave("ann", "whole").await;
        school.sandbox.clear_journal();
        school.run_as(Exit::Done).await;
        assert_eq!(school.classin_calls(), [REMOVE_FROM_COURSE, ADD], "{switch}");
        assert!(school.members(class).contains(&uid), "{switch}");
        assert!(!school.sandbox.course_members(class.course).contains(&uid), "{switch}");
        school.sandbox.clear_journal();
        school.run_as(Exit::Done).await;
        assert!(school.classin_calls().is_empty(), "{switch}");
    }
}

#[tokio::test]
async fn who_was_ours_in_a_class_of_the_course_stays_ours_to_remove() {
    let school = School::of_classin().await;
    let class = school.class("c1").await;
    school.sql(&format!("INSERT INTO classes VALUES ('whole', 'Whole', {}, NULL)", class.course)).await;
    let _others = school.fill("whole", 3).await;
    let uid = school.student("ann").await;
    school.join("ann", "c1").await;
    school.run_as(Exit::Done).await;
    school.join("ann", "whole").await;
    school.run_as(Exit::Done).await;
    school.leave("ann", "whole").await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.evidence(class).await[&uid], "added");
    school.leave("ann", "c1").await;
    school.run_as(Exit::Done).await;
    assert!(!school.members(class).contains(&uid));
    assert!(school.failures().await.is_empty());
}
