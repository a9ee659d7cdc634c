//! One student over a whole course and its classes. Who is in a class is read in the sandbox, not in our record.

use std::collections::BTreeSet;

use crate::program::Programs as _;
use rosterd::Exit;
use rosterd_core::failure::FailureState;
use rosterd_testkit::{ClassIds, DAY, HOUR, School};

use super::{ADD, ADD_TO_COURSE, REMOVE, REMOVE_FROM_COURSE, count, in_step, set_of, settle};

/// A course with a row of its own, `whole`, and two classes, `one` and `two`.
async fn course() -> (School, ClassIds, ClassIds) {
    let school = School::of_classin().await;
    let one = school.class("one").await;
    let two = ClassIds { course: one.course, class: school.sandbox.create_class(one.course, "two") };
    school.name_class("two", two).await;
    school.sql(&format!("INSERT INTO classes VALUES ('whole', 'All', {}, NULL)", one.course)).await;
    (school, one, two)
}

/// Who may enter a class: its transfer students, and the students of the course who are not out of it.
fn attending(school: &School, ids: ClassIds) -> BTreeSet<i64> {
    let transfer = school.members(ids);
    transfer.union(&school.sandbox.course_members(ids.course)).copied().collect()
}

/// Further students `from…` in a class.
async fn more(school: &School, code: &str, ids: &[&str]) -> Vec<i64> {
    let mut uids = Vec::new();
    for id in ids {
        uids.push(school.student(id).await);
        school.join(id, code).await;
    }
    uids
}

#[tokio::test]
async fn who_leaves_the_whole_course_and_stays_in_one_class_is_in_that_class_afterwards() {
    let (school, one, _) = course().await;
    let uid = school.student("s").await;
    school.join("s", "whole").await;
    school.join("s", "one").await;
    more(&school, "whole", &["a", "b", "c"]).await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.evidence(one).await[&uid], "present", "whoever is in the course is in the class");
    school.leave("s", "whole").await;
    school.sandbox.clear_journal();
    school.run_as(Exit::Done).await;
    assert!(!school.sandbox.course_members(one.course).contains(&uid));
    assert!(school.members(one).contains(&uid), "the class still wants them");
    assert_eq!(school.classin_calls(), [REMOVE_FROM_COURSE, ADD]);
    school.sandbox.clear_journal();
    school.run_as(Exit::Done).await;
    assert!(school.classin_calls().is_empty());
}

#[tokio::test]
async fn who_leaves_a_class_and_stays_in_the_whole_course_is_not_taken_out_of_the_lesson() {
    let (school, one, _) = course().await;
    let uid = school.student("s").await;
    school.join("s", "one").await;
    more(&school, "one", &["a", "b", "c"]).await;
    school.run_as(Exit::Done).await;
    school.join("s", "whole").await;
    school.run_as(Exit::Done).await;
    school.leave("s", "one").await;
    school.sandbox.clear_journal();
    school.run_as(Exit::Done).await;
    assert!(school.classin_calls().is_empty(), "{:?}", school.classin_calls());
    assert!(attending(&school, one).contains(&uid));
    school.leave("s", "whole").await;
    school.run_as(Exit::Done).await;
    assert!(!attending(&school, one).contains(&uid), "nothing of them is left in the class");
    assert_eq!(school.classin_calls(), [REMOVE_FROM_COURSE, REMOVE]);
}

#[tokio::test]
async fn a_removal_from_the_course_whose_answer_is_lost_leaves_nobody_out_of_a_class_that_wants_them() {
    let (school, one, _) = course().await;
    let uid = school.student("s").await;
    school.join("s", "whole").await;
    school.join("s", "one").await;
    more(&school, "whole", &["a", "b"]).await;
    school.run_as(Exit::Done).await;
    school.leave("s", "whole").await;
    school.set("lose_answer", &format!("{REMOVE_FROM_COURSE}@1x3"));
    settle(&school).await;
    assert!(school.members(one).contains(&uid));
    assert!(!school.sandbox.course_members(one.course).contains(&uid));
}

#[tokio::test]
async fn course_rows_and_class_rows_together_cost_the_fewest_calls() {
    let (school, _, _) = course().await;
    let ids = ["a", "b", "c", "d"];
    more(&school, "whole", &ids).await;
    for id in ids {
        school.join(id, "one").await;
        school.join(id, "two").await;
    }
    let report = school.run_to(Exit::Done).await;
    assert_eq!(school.classin_calls(), [ADD_TO_COURSE, ADD, ADD]);
    assert_eq!(report.classin.least_calls, 3);
    school.sandbox.clear_journal();
    // One moves from the course to a class, one the other way, one changes the class.
    for (id, code) in [("a", "whole"), ("a", "two"), ("b", "one"), ("c", "one"), ("d", "whole"), ("d", "one")]
    {
        school.leave(id, code).await;
    }
    let report = school.run_to(Exit::Done).await;
    assert_eq!(school.classin_calls(), [REMOVE_FROM_COURSE, ADD, ADD]);
    assert_eq!(report.classin.least_calls, 3);
    school.sandbox.clear_journal();
    school.run_as(Exit::Done).await;
    assert!(school.classin_calls().is_empty());
}

#[tokio::test]
async fn a_mistyped_uid_costs_nobody_the_class() {
    let (school, class, uids) = in_step(4).await;
    school.sql("UPDATE students SET classin_uid = 99 WHERE student_id = 's000'").await;
    school.run_as(Exit::Incomplete).await;
    for _ in 0..3 {
        school.later(DAY);
        let _report = school.run().await;
    }
    assert_eq!(school.members(class), set_of(&uids), "the old account stays until the new one is in");
    school.sql(&format!("UPDATE students SET classin_uid = {} WHERE student_id = 's000'", uids[0])).await;
    settle(&school).await;
    assert_eq!(school.members(class), set_of(&uids));
    assert!(school.failures().await.is_empty());
}

#[tokio::test]
async fn an_old_account_stays_when_the_new_one_is_given_up_for_another_reason_until_a_person_says_so() {
    let (school, class, uids) = in_step(4).await;
    let teacher = school.sandbox.create_account("A teacher", None);
    school.sandbox.set_role(class.course, Some(class.class), teacher, rosterd_sandbox::Role::Teacher);
    school.sql(&format!("UPDATE students SET classin_uid = {teacher} WHERE student_id = 's000'")).await;
    school.run_as(Exit::Incomplete).await;
    school.later(DAY);
    school.run_as(Exit::Done).await;
    assert!(school.members(class).contains(&uids[0]), "the cell may be mistyped");
    let ids: Vec<i64> = school.failures().await.iter().map(|row| row.id).collect();
    let state = school.state().await;
    state.change_failures(Some(&ids), FailureState::Ignored, school.clock.now_ms()).await.unwrap();
    state.close().await;
    school.run_as(Exit::Done).await;
    assert!(!school.members(class).contains(&uids[0]));
}

#[tokio::test]
async fn who_moves_to_a_full_class_keeps_the_old_place_until_there_is_room() {
    let (school, one, two) = course().await;
    let uid = more(&school, "one", &["s"]).await[0];
    more(&school, "one", &["a", "b"]).await;
    more(&school, "two", &["c", "d"]).await;
    school.sandbox.set_class_capacity(two.course, two.class, 2);
    school.run_as(Exit::Done).await;
    school.leave("s", "one").await;
    school.join("s", "two").await;
    school.run_as(Exit::Incomplete).await;
    school.later(DAY);
    school.run_as(Exit::Incomplete).await;
    assert!(school.members(one).contains(&uid), "in the old class as long as the new one is full");
    school.sandbox.set_class_capacity(two.course, two.class, 3);
    school.later(DAY);
    school.run_as(Exit::Done).await;
    assert!(!school.members(one).contains(&uid) && school.members(two).contains(&uid));
}

#[tokio::test]
async fn full_classes_that_exchange_students_exchange_them_in_one_run() {
    let (school, one, two) = course().await;
    let in_one = more(&school, "one", &["a", "b"]).await;
    let in_two = more(&school, "two", &["c", "d"]).await;
    for class in [one, two] {
        school.sandbox.set_class_capacity(class.course, class.class, 2);
    }
    school.run_as(Exit::Done).await;
    for (id, old, new) in [("a", "one", "two"), ("c", "two", "one")] {
        school.leave(id, old).await;
        school.join(id, new).await;
    }
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(one), set_of(&[in_one[1], in_two[0]]));
    assert_eq!(school.members(two), set_of(&[in_two[1], in_one[0]]));
    school.sandbox.clear_journal();
    school.run_as(Exit::Done).await;
    assert!(school.classin_calls().is_empty());
}

#[tokio::test]
async fn a_new_account_in_a_full_class_takes_the_room_of_the_old_one() {
    let (school, class, uids) = in_step(3).await;
    school.sandbox.set_class_capacity(class.course, class.class, 3);
    let fresh = school.sandbox.create_account("again", None);
    school.sql(&format!("UPDATE students SET classin_uid = {fresh} WHERE student_id = 's000'")).await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&[fresh, uids[1], uids[2]]));
}

#[tokio::test]
async fn a_replaced_account_that_does_not_exist_counts_as_gone() {
    let (school, class, uids) = in_step(3).await;
    let fresh = school.sandbox.create_account("again", None);
    school.sql(&format!("UPDATE students SET classin_uid = {fresh} WHERE student_id = 's000'")).await;
    school.set("refuse_item", &format!("{REMOVE}:0/400"));
    school.run_as(Exit::Done).await;
    assert!(school.failures().await.is_empty());
    assert_eq!(
        school.evidence(class).await.keys().copied().collect::<BTreeSet<_>>(),
        set_of(&[fresh, uids[1], uids[2]])
    );
}

#[tokio::test]
async fn a_class_is_not_emptied_for_a_newcomer_who_can_not_get_in() {
    let (school, class, uids) = in_step(20).await;
    school.sql("DELETE FROM class_members").await;
    school.sql("INSERT INTO students (student_id, name, classin_uid) VALUES ('new', 'n', 99)").await;
    school.join("new", "c1").await;
    let mut school = school;
    school.setting("GUARD__MAX_DELETE", "100%");
    school.setting("GUARD__MAX_GROUP", "100%");
    let report = school.run_to(Exit::Held).await;
    assert_eq!(school.members(class), set_of(&uids));
    assert_eq!(count(&report, "held", "remove"), 20);
    assert!(
        report.classin.holds.iter().any(|hold| hold.contains("would go to zero")),
        "{:?}",
        report.classin.holds
    );
    school.later(HOUR);
    school.run_as(Exit::Held).await;
    assert_eq!(school.members(class), set_of(&uids));
}

#[tokio::test]
async fn a_column_of_wrong_uids_empties_no_class() {
    let (school, class, uids) = in_step(20).await;
    let mut school = school;
    school.setting("GUARD__MAX_DELETE", "100%");
    school.setting("GUARD__MAX_GROUP", "100%");
    school.sql("UPDATE students SET classin_uid = classin_uid + 500000").await;
    for _ in 0..3 {
        let _report = school.run().await;
        school.later(DAY);
    }
    assert_eq!(school.members(class), set_of(&uids));
    school.sql("UPDATE students SET classin_uid = classin_uid - 500000").await;
    settle(&school).await;
    assert_eq!(school.members(class), set_of(&uids));
}

#[tokio::test]
async fn a_removal_whose_answer_was_lost_stays_ours_when_the_student_comes_back_and_leaves_again() {
    let (school, class, uids) = in_step(4).await;
    school.leave("s000", "c1").await;
    school.set("drop_request", &format!("{REMOVE}@1x3"));
    let _report = school.run().await;
    school.join("s000", "c1").await;
    school.later(HOUR);
    settle(&school).await;
    assert_eq!(school.evidence(class).await[&uids[0]], "added");
    school.leave("s000", "c1").await;
    settle(&school).await;
    assert!(!school.members(class).contains(&uids[0]));
}

#[tokio::test]
async fn leavers_who_were_in_a_class_before_rosterd_are_named_and_stay_on_record() {
    let school = School::of_classin().await;
    let class = school.class("c1").await;
    let uids = school.fill("c1", 6).await;
    for uid in &uids {
        school.sandbox.insert_class_member(class.course, class.class, *uid);
    }
    school.run_as(Exit::Done).await;
    school.drop_student("s000").await;
    school.run_as(Exit::Done).await;
    school.later(4 * DAY);
    let report = school.run_to(Exit::Incomplete).await;
    assert_eq!(count(&report, "skipped", "remove"), 1);
    let failures = school.failures().await;
    assert_eq!(failures.len(), 1);
    assert!(failures[0].message.contains("take them out in ClassIn"), "{}", failures[0].message);
    let (_, intended) = school.plan().await;
    let line = intended.classin.operations.iter().find(|line| line.kind == "remove").unwrap();
    assert_eq!(line.state, "cannot");
    school.run_as(Exit::Done).await;
    assert_eq!(school.evidence(class).await[&uids[0]], "present");
    let id = failures[0].id.to_string();
    assert_eq!(school.program(&["failures", "ignore", &id]).code, 0);
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&uids));
}

/// A class of ten that gets another class id on the roster; the first and the second lesson.
async fn renewed() -> (School, ClassIds, ClassIds, Vec<i64>) {
    let school = School::of_classin().await;
    let first = school.class("math").await;
    let uids = school.fill("math", 10).await;
    school.run_as(Exit::Done).await;
    let second = ClassIds { class: school.sandbox.create_class(first.course, "math again"), ..first };
    school.name_class("math", second).await;
    school.sandbox.clear_journal();
    (school, first, second, uids)
}

#[tokio::test]
async fn a_lesson_that_is_over_costs_one_question_and_holds_nothing() {
    let (school, first, second, uids) = renewed().await;
    school.sandbox.end_class(first.course, first.class);
    let (report, _) = school.plan().await;
    assert_eq!(report.classin.least_calls, 2);
    school.run_as(Exit::Done).await;
    assert_eq!(school.classin_calls(), [ADD, ADD], "the question, and the new lesson");
    assert_eq!(school.members(second), set_of(&uids));
    assert!(school.evidence(first).await.is_empty(), "what is over is forgotten");
    school.sandbox.clear_journal();
    school.run_as(Exit::Done).await;
    assert!(school.classin_calls().is_empty());
}

#[tokio::test]
async fn a_lesson_that_is_not_over_is_asked_once_and_its_removals_are_held_like_any_other() {
    let (school, first, second, uids) = renewed().await;
    school.run_as(Exit::Held).await;
    assert_eq!(school.classin_calls(), [ADD, ADD]);
    school.sandbox.clear_journal();
    school.run_as(Exit::Held).await;
    assert!(school.classin_calls().is_empty(), "asked once");
    assert_eq!((school.members(first), school.members(second)), (set_of(&uids), set_of(&uids)));
    // Named once more and dropped once more: asked anew, as it is over by now.
    school.name_class("old", first).await;
    school.run_as(Exit::Held).await;
    school.sql("DELETE FROM classes WHERE class_code = 'old'").await;
    school.sandbox.end_class(first.course, first.class);
    school.run_as(Exit::Done).await;
    assert_eq!(school.classin_calls(), [ADD]);
    assert!(school.evidence(first).await.is_empty());
}

#[tokio::test]
async fn a_question_about_a_lesson_that_gets_no_answer_is_asked_again() {
    let (school, first, second, uids) = renewed().await;
    school.sandbox.end_class(first.course, first.class);
    school.set("drop_request", &format!("{ADD}@1x3"));
    school.run_as(Exit::Incomplete).await;
    assert_eq!(school.evidence(first).await.len(), 10, "an answer that is lost forgets nobody");
    school.later(HOUR);
    settle(&school).await;
    assert!(school.evidence(first).await.is_empty());
    assert_eq!(school.members(second), set_of(&uids));
}

#[tokio::test]
async fn a_year_with_a_typo_a_move_a_full_class_siblings_and_a_renewed_lesson_ends_with_the_roster_in_classin()
 {
    let (school, one, two) = course().await;
    let in_one = more(&school, "one", &["a", "b", "c", "d"]).await;
    let in_two = more(&school, "two", &["g", "h", "ann"]).await;
    school
        .sql(&format!(
            "INSERT INTO students (student_id, name, classin_uid) VALUES ('bob', 'n', {})",
            in_two[2]
        ))
        .await;
    school.join("bob", "two").await;
    school.run_as(Exit::Done).await;
    // A typo, and a move into a class that is full.
    school.sql("UPDATE students SET classin_uid = 99 WHERE student_id = 'a'").await;
    school.sandbox.set_class_capacity(two.course, two.class, 3);
    school.leave("b", "one").await;
    school.join("b", "two").await;
    for _ in 0..2 {
        school.run_as(Exit::Incomplete).await;
        school.later(DAY);
    }
    assert_eq!(school.members(one), set_of(&in_one), "nobody has lost a place");
    // The typo is mended, one sibling leaves, a student leaves and makes the room.
    school.sql(&format!("UPDATE students SET classin_uid = {} WHERE student_id = 'a'", in_one[0])).await;
    school.leave("ann", "two").await;
    school.leave("g", "two").await;
    settle(&school).await;
    assert_eq!(school.members(one), set_of(&[in_one[0], in_one[2], in_one[3]]));
    assert_eq!(school.members(two), set_of(&[in_one[1], in_two[1], in_two[2]]), "bob wants it still");
    // A lesson is renewed, and the other sibling leaves.
    let three = ClassIds { class: school.sandbox.create_class(one.course, "three"), ..one };
    school.sandbox.end_class(one.course, one.class);
    school.name_class("one", three).await;
    school.leave("bob", "two").await;
    settle(&school).await;
    assert_eq!(school.members(three), set_of(&[in_one[0], in_one[2], in_one[3]]));
    assert_eq!(school.members(two), set_of(&[in_one[1], in_two[1]]));
    assert!(school.failures().await.is_empty());
    school.sandbox.clear_journal();
    school.run_as(Exit::Done).await;
    assert!(school.classin_calls().is_empty());
}

#[tokio::test]
async fn who_may_be_out_of_the_course_is_not_already_there_in_its_classes() {
    let (school, one, _) = course().await;
    let uid = more(&school, "whole", &["s", "a", "b", "c"]).await[0];
    school.join("s", "one").await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.evidence(one).await[&uid], "present");
    // They leave the course, and the answer to that is lost.
    school.leave("s", "whole").await;
    school.set("lose_answer", &format!("{REMOVE_FROM_COURSE}@*"));
    let _lost = school.run().await;
    school.sandbox.clear_faults();
    assert!(!school.sandbox.course_members(one.course).contains(&uid));
    // They are wanted in the course again, their uid is emptied, so that nothing is repeated, and a sibling who is new is
    // wanted in the class by the same account.
    school.join("s", "whole").await;
    school.leave("s", "one").await;
    school.sql("UPDATE students SET classin_uid = NULL WHERE student_id = 's'").await;
    school
        .sql(&format!("INSERT INTO students (student_id, name, classin_uid) VALUES ('sibling', 'n', {uid})"))
        .await;
    school.join("sibling", "one").await;
    for _ in 0..3 {
        let _report = school.run().await;
    }
    assert!(attending(&school, one).contains(&uid), "{:?}", school.evidence(one).await);
}
