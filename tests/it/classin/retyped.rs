//! Cells that are typed anew: a uid that is somebody else's, a class id that is gone, a course that is another one, a row
//! that comes back.

use rosterd::Exit;
use rosterd_core::failure::FailureState;
use rosterd_sandbox::CourseStatus;
use rosterd_testkit::{ClassIds, DAY, HOUR, MINUTE, School};

use super::accounts::{apply, registering, uid};
use super::{ADD, count, in_step, set_of};
use crate::program::Programs as _;

async fn uid_of(school: &School, id: &str, uid: i64) {
    school.sql(&format!("UPDATE students SET classin_uid = {uid} WHERE student_id = '{id}'")).await;
}

// A uid that is another student's.

/// Nothing is sent, and one row names everybody; in the next run it is attention.
async fn is_held(school: &School, named: &[&str]) {
    school.sandbox.clear_journal();
    school.run_as(Exit::Held).await;
    let rows = school.failures().await;
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!((row.code.as_str(), row.state), ("shared-contact", FailureState::Held), "{row:?}");
    assert!(named.iter().all(|id| row.message.contains(id)), "{}", row.message);
    school.later(DAY);
    school.run_as(Exit::Done).await;
    assert!(school.classin_calls().is_empty(), "{:?}", school.classin_calls());
}

#[tokio::test]
async fn a_uid_that_is_filled_down_over_two_rows_takes_nobody_out_until_it_is_mended() {
    let (school, class, uids) = in_step(6).await;
    for id in ["s001", "s002"] {
        uid_of(&school, id, uids[0]).await;
    }
    is_held(&school, &["s000", "s001", "s002", &uids[0].to_string()]).await;
    assert_eq!(school.members(class), set_of(&uids));
    uid_of(&school, "s001", uids[1]).await;
    uid_of(&school, "s002", uids[2]).await;
    school.run_as(Exit::Done).await;
    assert!(school.failures().await.is_empty() && school.classin_calls().is_empty());
}

#[tokio::test]
async fn the_uid_of_a_student_of_another_class_enters_nobody_in_the_place_of_the_right_one() {
    let (school, class, uids) = in_step(4).await;
    let second = school.class("c2").await;
    let other = school.student("t").await;
    school.join("t", "c2").await;
    school.run_as(Exit::Done).await;
    uid_of(&school, "s000", other).await;
    is_held(&school, &["s000", "t"]).await;
    assert_eq!((school.members(class), school.members(second)), (set_of(&uids), set_of(&[other])));
    // Also where the student is to be in a further class.
    school.join("s000", "c2").await;
    let _report = school.run().await;
    assert!(school.classin_calls().is_empty());
    assert_eq!(school.members(class), set_of(&uids));
}

#[tokio::test]
async fn uids_that_slip_down_behind_a_new_one_stay_held_when_the_first_has_moved_on() {
    let (school, class, uids) = in_step(3).await;
    let fresh = school.sandbox.create_account("Somebody", None);
    for (id, uid) in [("s000", fresh), ("s001", uids[0]), ("s002", uids[1])] {
        uid_of(&school, id, uid).await;
    }
    school.run_as(Exit::Held).await;
    for _ in 0..3 {
        school.later(DAY);
        school.run_as(Exit::Done).await;
        assert!(school.members(class).is_superset(&set_of(&uids)), "{:?}", school.members(class));
        assert!(school.failures().await.iter().any(|row| row.code == "shared-contact"));
    }
}

#[tokio::test]
async fn a_typed_uid_that_was_found_for_another_student_is_held_too() {
    let (school, class) = registering().await;
    apply(&school, 3).await;
    school.run_as(Exit::Done).await;
    let members = school.members(class);
    uid_of(&school, "a01", uid(&school, 0)).await;
    is_held(&school, &["a00", "a01"]).await;
    assert_eq!(school.members(class), members);
}

#[tokio::test]
async fn whoever_ignores_it_leaves_the_student_with_the_account_they_had() {
    let (school, class, uids) = in_step(4).await;
    uid_of(&school, "s001", uids[0]).await;
    school.run_as(Exit::Held).await;
    let id = school.failures().await[0].id.to_string();
    assert_eq!(school.program(&["failures", "ignore", &id]).code, 0);
    for _ in 0..2 {
        let report = school.run_to(Exit::Done).await;
        assert!(report.attention.is_empty() && report.holds.is_empty(), "{report:#?}");
    }
    assert_eq!(school.members(class), set_of(&uids));
}

// A class id that is gone.

/// Two classes of one course: s000 to s003 in the first, three others in the second.
async fn two_classes() -> (School, ClassIds, ClassIds, Vec<i64>) {
    let (school, first, uids) = in_step(4).await;
    let second = ClassIds { class: school.sandbox.create_class(first.course, "two"), ..first };
    school.name_class("c2", second).await;
    for id in ["t0", "t1", "t2"] {
        let _uid = school.student(id).await;
        school.join(id, "c2").await;
    }
    school.run_as(Exit::Done).await;
    school.sandbox.clear_journal();
    (school, first, second, uids)
}

#[tokio::test]
async fn a_class_that_loses_its_class_id_while_another_of_its_course_has_one_stays_what_it_was() {
    let (school, first, second, uids) = two_classes().await;
    school.sql("UPDATE classes SET class_id = NULL WHERE class_code = 'c1'").await;
    school.run_as(Exit::Incomplete).await;
    for _ in 0..2 {
        let rows = school.failures().await;
        let [row] = rows.as_slice() else { panic!("{rows:?}") };
        assert_eq!(
            (row.table.as_deref(), row.key.as_deref(), row.owner),
            (Some("classes"), Some("c1"), "it")
        );
        assert!(row.message.contains(&first.class.to_string()), "{}", row.message);
        school.later(DAY);
        school.run_as(Exit::Done).await;
        assert!(school.classin_calls().is_empty());
    }
    assert!(school.sandbox.course_members(first.course).is_empty());
    // The class goes on as it was.
    let fresh = school.student("u").await;
    school.join("u", "c1").await;
    school.leave("s000", "c1").await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(first), set_of(&[&uids[1..], &[fresh]].concat()));
    assert_eq!(school.members(second).len(), 3);
    school.name_class("c1", first).await;
    school.sandbox.clear_journal();
    school.run_as(Exit::Done).await;
    assert!(school.failures().await.is_empty() && school.classin_calls().is_empty());
}

#[tokio::test]
async fn two_classes_of_a_course_that_lose_their_class_ids_together_stay_what_they_were() {
    let (school, first, second, uids) = two_classes().await;
    school.sql("UPDATE classes SET class_id = NULL").await;
    school.run_as(Exit::Incomplete).await;
    assert_eq!(school.failures().await.len(), 2);
    assert!(school.classin_calls().is_empty());
    assert!(school.sandbox.course_members(first.course).is_empty());
    assert_eq!((school.members(first), school.members(second).len()), (set_of(&uids), 3));
}

#[tokio::test]
async fn an_emptied_column_of_class_ids_enrols_nobody_in_whole_courses() {
    let (school, first, uids) = in_step(3).await;
    let second = school.class("c2").await;
    let other = school.student("t").await;
    school.join("t", "c2").await;
    school.run_as(Exit::Done).await;
    school.sandbox.clear_journal();
    school.sql("UPDATE classes SET class_id = NULL").await;
    school.run_as(Exit::Incomplete).await;
    school.run_as(Exit::Done).await;
    assert!(school.classin_calls().is_empty());
    assert_eq!(school.failures().await.len(), 2);
    assert_eq!((school.members(first), school.members(second)), (set_of(&uids), set_of(&[other])));
}

#[tokio::test]
async fn a_row_of_the_whole_course_beside_its_classes_is_no_slip() {
    let (school, first, _, uids) = two_classes().await;
    let course = first.course;
    school.sql(&format!("INSERT INTO classes VALUES ('whole', 'Whole', {course}, NULL)")).await;
    school.join("s000", "whole").await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.sandbox.course_members(course), set_of(&uids[..1]));
    // Under another code the class is the whole course, as somebody has said so.
    school.sql(&format!("INSERT INTO classes VALUES ('c1-all', 'Whole', {course}, NULL)")).await;
    school.sql("UPDATE class_members SET class_code = 'c1-all' WHERE class_code = 'c1'").await;
    school.sql("DELETE FROM classes WHERE class_code = 'c1'").await;
    let _report = school.run().await;
    assert_eq!(school.sandbox.course_members(course), set_of(&uids));
}

#[tokio::test]
async fn class_ids_that_were_lost_together_and_are_entered_again_one_by_one_enrol_nobody_in_a_whole_course() {
    for courses in [2, 3] {
        let school = School::of_classin().await;
        let mut classes = Vec::new();
        for at in 0..courses {
            let (code, student) = (format!("k{at}"), format!("of-k{at}"));
            let class = school.class(&code).await;
            let uid = school.student(&student).await;
            school.join(&student, &code).await;
            classes.push((code, class, uid));
        }
        school.run_as(Exit::Done).await;
        school.sql("UPDATE classes SET class_id = NULL").await;
        school.run_as(Exit::Incomplete).await;
        for (code, class, _) in &classes {
            school.name_class(code, *class).await;
            school.later(DAY);
            for _ in 0..2 {
                school.run_as(Exit::Done).await;
                for (_, class, uid) in &classes {
                    let there = (school.sandbox.course_members(class.course), school.members(*class));
                    assert_eq!(there, (set_of(&[]), set_of(&[*uid])), "{courses}: {code} is mended");
                }
            }
        }
        assert!(school.failures().await.is_empty());
        // Of a class whose id is there again, an emptied cell means what it meant before.
        let (code, class, uid) = &classes[0];
        school.sql(&format!("UPDATE classes SET class_id = NULL WHERE class_code = '{code}'")).await;
        school.run_as(Exit::Done).await;
        assert_eq!(school.sandbox.course_members(class.course), set_of(&[*uid]));
    }
}

#[tokio::test]
async fn a_class_that_lost_its_class_id_beside_another_stays_what_it_was_whatever_becomes_of_the_rows() {
    let delete =
        "DELETE FROM class_members WHERE class_code = 'c2'; DELETE FROM classes WHERE class_code = 'c2'";
    let recode = "UPDATE classes SET class_code = 'c3' WHERE class_code = 'c2'; \
                  UPDATE class_members SET class_code = 'c3' WHERE class_code = 'c2'";
    let course = "UPDATE classes SET course_id = NULL";
    let garbled = "UPDATE classes SET class_id = 'abc' WHERE class_code = 'c1'";
    for what in [delete, recode, course, garbled] {
        let (school, first, _, uids) = two_classes().await;
        school.sql("UPDATE classes SET class_id = NULL").await;
        school.run_as(Exit::Incomplete).await;
        school.sql(what).await;
        let _run = school.run().await;
        school.sql(&format!("UPDATE classes SET course_id = {}", first.course)).await;
        school.sql("UPDATE classes SET class_id = NULL WHERE class_code = 'c1'").await;
        for _ in 0..2 {
            school.later(DAY);
            let _run = school.run().await;
            let course = school.sandbox.course_members(first.course);
            assert!(uids.iter().all(|uid| !course.contains(uid)), "{what}");
            assert_eq!(school.members(first), set_of(&uids), "{what}");
            let rows = school.failures().await;
            assert!(rows.iter().any(|row| row.key.as_deref() == Some("c1")), "{what}: {rows:?}");
        }
    }
}

// Another course.

#[tokio::test]
async fn a_course_id_that_classin_does_not_know_takes_nobody_out_of_the_old_course_until_a_person_says_so() {
    for (level, code) in [("class", "144"), ("course", "147")] {
        let (mut school, class, uids) = in_step(2).await;
        let is_whole = level == "course";
        if is_whole {
            school.sql("UPDATE classes SET class_id = NULL").await;
            school.run_as(Exit::Done).await;
            assert_eq!(school.sandbox.course_members(class.course), set_of(&uids));
        }
        school.setting("RETRY__MAX_ATTEMPTS", "2");
        school.sql("UPDATE classes SET course_id = 987654321").await;
        for _ in 0..5 {
            let _report = school.run().await;
            school.later(DAY);
        }
        let rows = school.failures().await;
        let [row] = rows.as_slice() else { panic!("{rows:?}") };
        assert_eq!((row.code.as_str(), row.state), (code, FailureState::Dead), "{row:?}");
        school.run_as(Exit::Done).await;
        let there = |school: &School| match is_whole {
            true => school.sandbox.course_members(class.course),
            false => school.members(class),
        };
        assert_eq!(there(&school), set_of(&uids), "{code}: the old place is kept");
        // Whoever ignores it says that the new ids are right.
        let id = row.id.to_string();
        assert_eq!(school.program(&["failures", "ignore", &id]).code, 0);
        school.run_as(Exit::Done).await;
        assert!(there(&school).is_empty(), "{code}");
    }
}

#[tokio::test]
async fn a_course_id_that_is_corrected_moves_everybody_and_one_who_is_refused_there_stays_until_then() {
    let (school, class, uids) = in_step(2).await;
    let right = school.class("right").await;
    school.sql("DELETE FROM classes WHERE class_code = 'right'").await;
    // One of them has an account that the new course does not take.
    school.set("refuse_item", &format!("{ADD}:0/400"));
    school.name_class("c1", right).await;
    school.run_as(Exit::Incomplete).await;
    assert_eq!(school.members(right).len(), 1);
    school.sandbox.clear_faults();
    let stays: Vec<i64> = uids.iter().copied().filter(|uid| !school.members(right).contains(uid)).collect();
    assert_eq!(school.members(class), set_of(&stays), "who is in neither would be nowhere");
    let id = school.failures().await[0].id.to_string();
    school.later(DAY);
    assert_eq!(school.program(&["failures", "retry", &id]).code, 0);
    let _report = school.run().await;
    assert_eq!(school.members(right), set_of(&uids));
}

#[tokio::test]
async fn ids_that_are_not_taken_hold_nothing_and_keep_everybody_but_those_who_left() {
    let table = [
        "course_id = {other}",
        "class_id = 987654",
        "course_id = 987654321",
        "course_id = {other}, class_id = 987654",
    ];
    for wrong in table {
        for at_most in [None, Some("auto")] {
            let (mut school, class, uids) = in_step(8).await;
            if let Some(limit) = at_most {
                school.setting("GUARD__MAX_DELETE", limit);
            }
            let other = school.sandbox.create_course("other").to_string();
            school.sql(&format!("UPDATE classes SET {}", wrong.replace("{other}", &other))).await;
            school.leave("s000", "c1").await;
            for at in 0..6 {
                let report = school.run().await;
                assert_eq!(
                    (&report.holds, count(&report, "held", "remove")),
                    (&vec![], 0),
                    "{wrong}, run {at}"
                );
                school.later(if at % 2 == 0 { MINUTE / 2 } else { 2 * HOUR });
            }
            assert_eq!(school.members(class), set_of(&uids[1..]), "{wrong}");
            let rows = school.failures().await;
            let [row] = rows.as_slice() else { panic!("{wrong}: {rows:?}") };
            assert!(row.owner == "it" && row.message.contains("on the roster"), "{wrong}: {row:?}");
            school.name_class("c1", class).await;
            school.run_as(Exit::Done).await;
            assert!(school.failures().await.is_empty(), "{wrong}");
            assert_eq!(school.members(class), set_of(&uids[1..]), "{wrong}");
        }
    }
}

#[tokio::test]
async fn the_failure_of_ids_that_were_mended_ends_whatever_else_is_open_in_the_class() {
    for wrong in ["class_id = 987654", "course_id = 987654321"] {
        let (school, class, uids) = in_step(4).await;
        school.sql(&format!("UPDATE classes SET {wrong}")).await;
        let _refused = school.run().await;
        assert_eq!(school.failures().await.len(), 1, "{wrong}");
        school.sql("INSERT INTO students (student_id, name) VALUES ('none', 'No account')").await;
        school.join("none", "c1").await;
        school.name_class("c1", class).await;
        for _ in 0..2 {
            let _run = school.run().await;
            let rows = school.failures().await;
            assert!(rows.len() == 1 && rows[0].student_id == "none", "{wrong}: {rows:?}");
        }
        assert_eq!(school.members(class), set_of(&uids), "{wrong}");
    }
}

// What a question finds closed.

#[tokio::test]
async fn a_course_that_a_question_about_an_old_lesson_finds_gone_is_told_once_and_is_attention_then() {
    let (mut school, first, uids) = in_step(10).await;
    school.setting("RETRY__MAX_ATTEMPTS", "2");
    let second = ClassIds { class: school.sandbox.create_class(first.course, "again"), ..first };
    school.name_class("c1", second).await;
    school.run_as(Exit::Held).await;
    school.sandbox.set_course_status(first.course, CourseStatus::Deleted);
    school.later(DAY + HOUR);
    let report = school.run_to(Exit::Incomplete).await;
    let rows = school.failures().await;
    let [row] = rows.as_slice() else { panic!("{rows:?}\n{report:#?}") };
    assert!(row.code == "144" && row.message.contains("10 students"), "{row:?}");
    assert_eq!(school.evidence(second).await.len(), uids.len(), "a refusal forgets nobody");
    school.later(DAY);
    school.run_as(Exit::Incomplete).await;
    for _ in 0..2 {
        school.later(DAY);
        let report = school.run_to(Exit::Done).await;
        assert!(!report.attention.is_empty(), "{report:#?}");
        assert_eq!(school.failures().await.len(), 1);
    }
}

// A row that comes back.

#[tokio::test]
async fn a_class_that_was_given_up_without_a_row_is_asked_anew_when_a_row_names_it_again() {
    for whole in [false, true] {
        let (school, class, uids) = in_step(4).await;
        if whole {
            school.sql("UPDATE classes SET class_id = NULL").await;
            school.run_as(Exit::Done).await;
        }
        school.sql("CREATE TABLE kept AS SELECT * FROM classes; DELETE FROM classes").await;
        let code = if whole { "147" } else { "143" };
        let call = if whole { super::REMOVE_FROM_COURSE } else { super::REMOVE };
        school.set("refuse_call", &format!("{call}@*:{code}"));
        // Nobody is held for a row that names no class: the members go with the class.
        school.sql("CREATE TABLE members AS SELECT * FROM class_members; DELETE FROM class_members").await;
        let report = school.run_to(Exit::Held).await;
        let state = school.state().await;
        state.approve(&report.digest, school.clock.now_ms() + DAY).await.unwrap();
        state.close().await;
        let _over = school.run().await;
        assert_eq!(school.number("SELECT count(*) FROM condemned_classes").await, 1, "{code}");
        school.sandbox.clear_faults();
        school.later(DAY);
        school
            .sql("INSERT INTO classes SELECT * FROM kept; INSERT INTO class_members SELECT * FROM members")
            .await;
        school.sandbox.clear_journal();
        school.run_as(Exit::Done).await;
        assert_eq!(school.classin_calls().len(), 1, "{code}: {:?}", school.classin_calls());
        assert!(school.failures().await.is_empty(), "{code}: {:?}", school.failures().await);
        assert_eq!(school.number("SELECT count(*) FROM condemned_classes").await, 0, "{code}");
        let there = if whole { school.sandbox.course_members(class.course) } else { school.members(class) };
        assert_eq!(there, set_of(&uids), "{code}");
        assert_eq!(
            school.number("SELECT count(*) FROM enrolments WHERE evidence = 'present'").await,
            4,
            "{code}: they were there"
        );
        school.sandbox.clear_journal();
        school.run_as(Exit::Done).await;
        assert!(school.classin_calls().is_empty());
    }
}

#[tokio::test]
async fn a_wrong_id_that_comes_back_is_told_as_a_wrong_id_and_tried_again() {
    let (school, _, _) = in_step(4).await;
    school.sql("CREATE TABLE kept AS SELECT * FROM classes; DELETE FROM classes").await;
    school.sql("CREATE TABLE members AS SELECT * FROM class_members; DELETE FROM class_members").await;
    school.set("refuse_call", &format!("{}@*:143", super::REMOVE));
    let report = school.run_to(Exit::Held).await;
    let state = school.state().await;
    state.approve(&report.digest, school.clock.now_ms() + DAY).await.unwrap();
    state.close().await;
    let _over = school.run().await;
    school
        .sql("INSERT INTO classes SELECT * FROM kept; INSERT INTO class_members SELECT * FROM members")
        .await;
    school.set("refuse_call", &format!("{ADD}@*:143"));
    let report = school.run_to(Exit::Incomplete).await;
    assert_eq!(count(&report, "failed", "enrol"), 4);
    let rows = school.failures().await;
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!((row.code.as_str(), row.state), ("143", FailureState::Waiting), "{row:?}");
    school.sandbox.clear_faults();
    school.later(DAY);
    school.run_as(Exit::Done).await;
    assert!(school.failures().await.is_empty());
}
