//! A mistyped cell or id, and an ordinary end of a term: nobody loses a place by it, and nothing waits for ever.

use rosterd::Exit;
use rosterd_core::failure::FailureState;
use rosterd_sandbox::Role;

use super::{ADD, count, in_step, set_of};
use rosterd_testkit::{ClassIds, DAY, HOUR, School};

async fn ignore_all(school: &School) {
    // Named one by one: --all leaves out who would lose the place that they have.
    let ids: Vec<i64> = school.failures().await.iter().map(|row| row.id).collect();
    let state = school.state().await;
    state.change_failures(Some(&ids), FailureState::Ignored, school.clock.now_ms()).await.unwrap();
    state.close().await;
}

async fn uid_of(school: &School, id: &str, uid: i64) {
    school.sql(&format!("UPDATE students SET classin_uid = {uid} WHERE student_id = '{id}'")).await;
}

// A mistyped uid.

#[tokio::test]
async fn a_uid_that_classin_refuses_takes_nobody_out_until_a_person_says_so() {
    for (role, code) in [(None, "228"), (Some(Role::Teacher), "129"), (Some(Role::Auditor), "164")] {
        let (school, class, uids) = in_step(4).await;
        let slip = match role {
            None => school.sandbox.create_outside_account("Stranger", "13900000001"),
            Some(role) => {
                let uid = school.sandbox.create_account("Somebody", None);
                school.sandbox.set_role(class.course, Some(class.class), uid, role);
                uid
            }
        };
        uid_of(&school, "s000", slip).await;
        school.run_as(Exit::Incomplete).await;
        for _ in 0..2 {
            school.later(DAY);
            school.run_as(Exit::Done).await;
            assert!(school.members(class).contains(&uids[0]), "{code}");
        }
        assert_eq!(school.failures().await[0].code, code);
        uid_of(&school, "s000", uids[0]).await;
        school.run_as(Exit::Done).await;
        assert_eq!(school.members(class), set_of(&uids), "{code}");
        assert!(school.failures().await.is_empty(), "{code}");
        // Who ignores the refusal says that the new one is right.
        uid_of(&school, "s000", slip).await;
        school.run_as(Exit::Incomplete).await;
        ignore_all(&school).await;
        school.run_as(Exit::Done).await;
        assert!(!school.members(class).contains(&uids[0]), "{code}");
    }
}

#[tokio::test]
async fn a_guest_whom_a_slip_gave_to_a_student_is_named_by_the_account_and_the_student_stays() {
    let (school, class, uids) = in_step(3).await;
    let guest = school.sandbox.create_account("Guest", None);
    school.sandbox.insert_class_member(class.course, class.class, guest);
    uid_of(&school, "s000", guest).await;
    school.run_as(Exit::Done).await;
    uid_of(&school, "s000", uids[0]).await;
    school.run_as(Exit::Incomplete).await;
    let rows = school.failures().await;
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert!(row.message.contains(&guest.to_string()) && !row.message.contains("claim"), "{row:?}");
    assert_eq!(school.members(class), set_of(&[&uids[..], &[guest]].concat()));
    ignore_all(&school).await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&[&uids[..], &[guest]].concat()));
}

#[tokio::test]
async fn many_who_were_given_the_account_of_a_classmate_are_told_though_it_is_in_the_class() {
    let (school, class, uids) = in_step(1).await;
    for at in 1..20 {
        let id = format!("t{at:02}");
        let _uid = school.student(&id).await;
        uid_of(&school, &id, uids[0]).await;
        school.join(&id, "c1").await;
    }
    school.sandbox.clear_journal();
    school.run_as(Exit::Held).await;
    assert!(school.classin_calls().is_empty());
    let rows = school.failures().await;
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!((row.code.as_str(), row.state), ("shared-contact", FailureState::Held), "{row:?}");
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&uids));
}

#[tokio::test]
async fn three_of_one_account_are_siblings_and_a_fourth_is_told() {
    let (school, _, uids) = in_step(1).await;
    for id in ["ann", "ben"] {
        let _uid = school.student(id).await;
        uid_of(&school, id, uids[0]).await;
        school.join(id, "c1").await;
    }
    let report = school.run_to(Exit::Done).await;
    assert_eq!(report.outcome.as_str(), "converged");
    let _uid = school.student("cleo").await;
    uid_of(&school, "cleo", uids[0]).await;
    school.join("cleo", "c1").await;
    school.run_as(Exit::Held).await;
    assert_eq!(school.failures().await.len(), 1);
}

// A mistyped class.

/// Ten in a whole course, of whom four are moved into a class of it by these ids.
async fn moved_into(class: impl Fn(&School, i64) -> i64) -> (School, ClassIds, Vec<i64>) {
    let school = School::of_classin().await;
    let course = school.sandbox.create_course("whole");
    school.sql(&format!("INSERT INTO classes VALUES ('whole', 'Whole', {course}, NULL)")).await;
    let uids = school.fill("whole", 10).await;
    school.run_as(Exit::Done).await;
    let ids = ClassIds { course, class: class(&school, course) };
    school.name_class("c1", ids).await;
    for at in 0..4 {
        let id = format!("s{at:03}");
        school.leave(&id, "whole").await;
        school.join(&id, "c1").await;
    }
    school.sandbox.clear_journal();
    (school, ids, uids)
}

#[tokio::test]
async fn nobody_leaves_a_course_for_a_class_that_classin_does_not_take() {
    for how in ["typo", "over", "deleted"] {
        let (school, ids, uids) = moved_into(|school, course| match how {
            "typo" => 7_654_321,
            "over" => {
                let class = school.sandbox.create_class(course, "over");
                school.sandbox.end_class(course, class);
                class
            }
            _ => {
                let class = school.sandbox.create_class(course, "deleted");
                school.sandbox.delete_class(course, class);
                class
            }
        })
        .await;
        for _ in 0..3 {
            let _report = school.run().await;
            assert_eq!(school.sandbox.course_members(ids.course), set_of(&uids), "{how}");
            school.later(DAY);
        }
        assert!(!school.failures().await.is_empty(), "{how}: somebody is told");
        let right = ClassIds { class: school.sandbox.create_class(ids.course, "right"), ..ids };
        school.name_class("c1", right).await;
        school.run_as(Exit::Done).await;
        assert_eq!(school.sandbox.course_members(ids.course), set_of(&uids[4..]), "{how}");
        assert!(school.members(right).is_superset(&set_of(&uids[..4])), "{how}");
        assert!(school.failures().await.is_empty(), "{how}");
    }
}

#[tokio::test]
async fn a_class_that_nobody_is_in_yet_is_asked_once_and_then_the_course_is_left() {
    let (school, ids, uids) = moved_into(|school, course| school.sandbox.create_class(course, "new")).await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.classin_calls(), [ADD, super::REMOVE_FROM_COURSE, ADD]);
    assert_eq!(school.sandbox.course_members(ids.course), set_of(&uids[4..]));
    school.sandbox.clear_journal();
    school.run_as(Exit::Done).await;
    assert!(school.classin_calls().is_empty());
}

// The end of a term.

#[tokio::test]
async fn a_class_that_is_gone_from_roster_and_classin_is_over() {
    for whole in [false, true] {
        let (school, _, _) = in_step(4).await;
        if whole {
            school.sql("UPDATE classes SET class_id = NULL").await;
            school.run_as(Exit::Done).await;
        }
        school.sql("DELETE FROM class_members").await;
        school.sql("DELETE FROM classes").await;
        let code = if whole { "147" } else { "143" };
        let call = if whole { super::REMOVE_FROM_COURSE } else { super::REMOVE };
        school.set("refuse_call", &format!("{call}@*:{code}"));
        let report = school.run_to(Exit::Held).await;
        let state = school.state().await;
        state.approve(&report.digest, school.clock.now_ms() + DAY).await.unwrap();
        state.close().await;
        let _over = school.run().await;
        for _ in 0..2 {
            school.later(HOUR);
            let report = school.run_to(Exit::Done).await;
            assert_eq!(count(&report, "planned", "remove"), 0, "{code}");
        }
        assert!(school.failures().await.is_empty(), "{code}: {:?}", school.failures().await);
        assert_eq!(school.number("SELECT count(*) FROM enrolments WHERE evidence <> 'gone'").await, 0);
    }
}

#[tokio::test]
async fn a_lesson_whose_row_is_changed_before_it_is_held_stands_for_a_day_and_not_for_ever() {
    let (school, first, uids) = in_step(8).await;
    let second = ClassIds { class: school.sandbox.create_class(first.course, "second"), ..first };
    school.name_class("c1", second).await;
    school.run_as(Exit::Held).await;
    assert_eq!(school.members(second), set_of(&uids));
    school.sandbox.end_class(first.course, first.class);
    school.later(DAY + HOUR);
    school.sandbox.clear_journal();
    school.run_as(Exit::Done).await;
    assert_eq!(school.classin_calls(), [ADD], "asked once more");
    school.later(2 * DAY);
    school.sandbox.clear_journal();
    school.run_as(Exit::Done).await;
    assert!(school.classin_calls().is_empty());
}

#[tokio::test]
async fn a_class_whose_students_may_stay_as_they_are_in_the_whole_course_now_is_asked_once_and_never_again() {
    let (school, class, uids) = in_step(4).await;
    school.sql("UPDATE classes SET class_id = NULL").await;
    school.run_as(Exit::Done).await;
    for _ in 0..2 {
        school.later(2 * DAY);
        school.sandbox.clear_journal();
        school.run_as(Exit::Done).await;
        assert!(school.classin_calls().is_empty(), "{:?}", school.classin_calls());
    }
    assert_eq!(school.members(class), set_of(&uids));
}

// An old member row.

#[tokio::test]
async fn whom_an_old_member_row_keeps_in_a_class_is_told_until_the_row_is_gone() {
    let (school, class, uids) = in_step(3).await;
    let other = school.class("c2").await;
    school.join("s000", "OLDCLUB").await;
    school.run_as(Exit::Incomplete).await;
    ignore_all(&school).await;
    school.leave("s000", "c1").await;
    school.join("s000", "c2").await;
    for exit in [Exit::Incomplete, Exit::Done, Exit::Done] {
        // News in the run that finds it, whatever was ignored before.
        let report = school.run_to(exit).await;
        assert_eq!(report.attention["still-in-class"].count, 1);
        assert!(school.members(class).contains(&uids[0]) && school.members(other).contains(&uids[0]));
    }
    let rows = school.failures().await;
    let told = rows.iter().find(|row| row.class_code == "c1").expect("a row");
    assert!(told.message.contains("class_members"), "{told:?}");
    school.leave("s000", "OLDCLUB").await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&uids[1..]));
    assert!(school.failures().await.is_empty(), "{:?}", school.failures().await);
}

// A class that is over.

#[tokio::test]
async fn who_moves_into_a_class_that_is_over_keeps_the_old_one_until_its_ids_are_mended() {
    let (school, class, uids) = in_step(4).await;
    let over = ClassIds { class: school.sandbox.create_class(class.course, "over"), ..class };
    school.sandbox.end_class(over.course, over.class);
    school.name_class("c2", over).await;
    school.leave("s000", "c1").await;
    school.join("s000", "c2").await;
    school.run_as(Exit::Incomplete).await;
    for _ in 0..2 {
        school.later(DAY);
        school.run_as(Exit::Done).await;
        assert_eq!(school.members(class), set_of(&uids));
    }
    let next = ClassIds { class: school.sandbox.create_class(class.course, "next"), ..class };
    school.name_class("c2", next).await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&uids[1..]));
    assert_eq!(school.members(next), set_of(&uids[..1]));
    assert!(school.failures().await.is_empty());
}

// An approval, and a service that fails.

#[tokio::test]
async fn an_approval_outlives_a_lost_answer_and_a_service_that_fails() {
    for fault in ["lose_answer", "http_5xx:500", "refuse_call:114"] {
        let (school, class, uids) = in_step(20).await;
        for at in 0..8 {
            school.leave(&format!("s{at:03}"), "c1").await;
        }
        let report = school.run_to(Exit::Held).await;
        let state = school.state().await;
        state.approve(&report.digest, school.clock.now_ms() + DAY).await.unwrap();
        state.close().await;
        let (name, code) =
            fault.split_once(':').map_or((fault, String::new()), |(name, code)| (name, format!(":{code}")));
        school.set(name, &format!("{}@*{code}", super::REMOVE));
        let _failed = school.run().await;
        school.sandbox.clear_faults();
        school.later(HOUR);
        school.run_as(Exit::Done).await;
        assert_eq!(school.members(class), set_of(&uids[8..]), "{fault}");
        assert!(school.failures().await.is_empty(), "{fault}");
    }
}
