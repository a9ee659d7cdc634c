//! What waits unchanged for a person, another row or room counts in the run that finds it, and is attention from then on.

use rosterd::Exit;
use rosterd_core::failure::FailureState;
use rosterd_sandbox::Role;
use rosterd_testkit::{DAY, HOUR, School};

use super::accounts::registering;
use super::{count, in_step};
use crate::program::Programs as _;

/// The run that finds it is incomplete, the next ones are good, make no call and have it in sight.
async fn counts_once(school: &School, kind: &str, what: &str) {
    school.run_as(Exit::Incomplete).await;
    school.sandbox.clear_journal();
    for _ in 0..2 {
        school.later(HOUR / 600);
        let report = school.run_to(Exit::Done).await;
        assert_eq!(report.outcome.as_str(), "converged", "{what}: {report:#?}");
        assert!(school.classin_calls().is_empty(), "{what}: {:?}", school.classin_calls());
        let attention =
            report.attention.get(kind).unwrap_or_else(|| panic!("{what}: {:?}", report.attention));
        assert!(attention.count == 1 && attention.since.is_some(), "{what}: {attention:?}");
    }
    assert_eq!(school.failures().await.len(), 1, "{what}");
    let id = school.failures().await[0].id.to_string();
    assert_eq!(school.program(&["failures", "ignore", &id]).code, 0, "{what}");
    let report = school.run_to(Exit::Done).await;
    assert!(report.attention.is_empty(), "{what}: silenced, and still {:?}", report.attention);
}

#[tokio::test]
async fn a_dead_letter_counts_once_and_a_person_ends_it() {
    let (school, class, _) = in_step(3).await;
    let teacher = school.student("t").await;
    school.sandbox.set_role(class.course, Some(class.class), teacher, Role::CoTeacher);
    school.join("t", "c1").await;
    counts_once(&school, "dead-letters", "a teacher").await;
}

#[tokio::test]
async fn what_a_row_makes_impossible_counts_once_and_a_person_ends_it() {
    let (school, _, _) = in_step(3).await;
    school.sql("INSERT INTO students (student_id, name) VALUES ('nobody', 'n')").await;
    school.join("nobody", "c1").await;
    counts_once(&school, "withheld", "no account").await;
    let (school, _) = registering().await;
    school.applicant("slip", "1380013800").await;
    school.join("slip", "c1").await;
    counts_once(&school, "withheld", "no contact").await;
}

#[tokio::test]
async fn who_waits_for_room_counts_when_the_class_was_asked_and_a_person_ends_it() {
    let (school, class, _) = in_step(3).await;
    school.sandbox.set_class_capacity(class.course, class.class, 3);
    school.student("late").await;
    school.join("late", "c1").await;
    counts_once(&school, "full-classes", "no room").await;
}

#[tokio::test]
async fn who_is_not_ours_to_take_out_counts_once_and_claim_or_a_person_ends_it() {
    for ends in ["ignore", "claim"] {
        let school = School::of_classin().await;
        let class = school.class("c1").await;
        let uids = school.fill("c1", 4).await;
        uids.iter().for_each(|uid| school.sandbox.insert_class_member(class.course, class.class, *uid));
        school.run_as(Exit::Done).await;
        school.leave("s000", "c1").await;
        if ends == "ignore" {
            counts_once(&school, "still-in-class", "not ours").await;
            assert!(school.members(class).contains(&uids[0]));
        } else {
            school.run_as(Exit::Incomplete).await;
            assert_eq!(school.program(&["claim", "--class", "c1"]).code, 0);
            let report = school.run_to(Exit::Done).await;
            assert_eq!(count(&report, "applied", "remove"), 1);
            assert!(!school.members(class).contains(&uids[0]) && report.attention.is_empty());
        }
    }
}

/// Where a person reads of who is still in a class: plan, report, `status`, `explain`, `failures`.
fn named(school: &School, student: &str, reason: &str) {
    let read = |arguments: &[&str]| school.program(arguments).stdout;
    let plan = read(&["plan"]);
    let line = plan.lines().find(|line| line.starts_with(&format!("! {student} "))).unwrap_or_default();
    assert!(line.contains("c1") && line.contains(reason), "{plan}");
    for (arguments, said) in [
        (&["runs", "2"][..], "attention: 1 student still in a class where they are no longer wanted"),
        (&["status"], "attention: 1 student still in a class where they are no longer wanted"),
        (&["status"], reason),
        (&["failures"], reason),
        (&["explain", student], reason),
    ] {
        let text = read(arguments);
        assert!(text.contains(said), "{arguments:?}: {text}");
    }
}

#[tokio::test]
async fn who_stays_in_a_class_because_the_configuration_takes_nobody_out_is_named_and_a_person_ends_it() {
    let none = ("CLASSIN__REMOVALS", "none");
    let upsert = ("SYNC__MODE", "upsert");
    for ((setting, value), is_ours, reason) in [
        (
            none,
            true,
            "still in the class (evidence: added), and classin.removals = \"none\" takes nobody out",
        ),
        (
            none,
            false,
            "still in the class (evidence: present), and classin.removals = \"none\" takes nobody out",
        ),
        (upsert, false, "still in the class (evidence: present), and the mode upsert takes nobody out"),
    ] {
        let mut school = School::of_classin().await;
        let class = school.class("c1").await;
        let uids = school.fill("c1", 4).await;
        if !is_ours {
            uids.iter().for_each(|uid| school.sandbox.insert_class_member(class.course, class.class, *uid));
        }
        school.run_as(Exit::Done).await;
        school.setting(setting, value);
        school.leave("s000", "c1").await;
        let report = school.run_to(Exit::Done).await;
        assert_eq!(count(&report, "skipped", "remove"), 1, "as the configuration says: {report:#?}");
        assert_eq!(report.attention["still-in-class"].count, 1, "{value}: {:?}", report.attention);
        named(&school, "s000", reason);
        assert!(school.members(class).contains(&uids[0]), "{value}");
        let id = school.failures().await[0].id.to_string();
        assert_eq!(school.program(&["failures", "ignore", &id]).code, 0);
        assert!(school.run_to(Exit::Done).await.attention.is_empty(), "{value}");
        school.join("s000", "c1").await;
        school.run_as(Exit::Done).await;
        assert!(school.failures().await.is_empty(), "{value}: back on the roster");
    }
}

#[tokio::test]
async fn what_is_no_longer_so_is_no_attention_any_more() {
    let school = School::of_classin().await;
    let class = school.class("c1").await;
    let uids = school.fill("c1", 4).await;
    uids.iter().for_each(|uid| school.sandbox.insert_class_member(class.course, class.class, *uid));
    school.run_as(Exit::Done).await;
    school.leave("s000", "c1").await;
    school.run_as(Exit::Incomplete).await;
    school.join("s000", "c1").await;
    let report = school.run_to(Exit::Done).await;
    assert!(school.failures().await.is_empty() && report.attention.is_empty(), "{report:#?}");
}

#[tokio::test]
async fn a_failure_that_is_tried_again_by_itself_makes_every_run_incomplete_until_it_succeeds() {
    let (school, _, _) = in_step(3).await;
    school.student("late").await;
    school.join("late", "c1").await;
    school.set("refuse_item", "addClassStudentMultiple@*:0/114");
    for _ in 0..3 {
        school.run_as(Exit::Incomplete).await;
    }
    school.sandbox.clear_faults();
    school.later(24 * HOUR);
    school.run_as(Exit::Done).await;
}

#[tokio::test]
async fn a_class_that_is_over_is_one_row_for_all_who_wait_for_it_and_a_person_ends_it() {
    let (school, class, _) = in_step(3).await;
    school.sandbox.end_class(class.course, class.class);
    for id in ["w1", "w2"] {
        school.student(id).await;
        school.join(id, "c1").await;
    }
    let report = school.run_to(Exit::Incomplete).await;
    assert_eq!((report.attention["ended-classes"].count, report.errors.len()), (1, 0), "{report:#?}");
    let report = school.run_to(Exit::Done).await;
    assert_eq!(report.attention["ended-classes"].count, 1, "{:?}", report.attention);
    let rows = school.failures().await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(
        (rows[0].code.as_str(), rows[0].state, rows[0].owner),
        ("145", FailureState::Waiting, "office")
    );
    assert!(rows[0].message.contains("2 of its students are not in it"), "{}", rows[0].message);
    let id = rows[0].id.to_string();
    assert_eq!(school.program(&["failures", "ignore", &id]).code, 0);
    assert!(school.run_to(Exit::Done).await.attention.is_empty());
    for id in ["w1", "w2"] {
        school.leave(id, "c1").await;
    }
    school.run_as(Exit::Done).await;
    assert!(school.failures().await.is_empty(), "nobody waits for it any more");
}

#[tokio::test]
async fn each_student_who_joins_a_class_that_is_over_counts_in_the_run_that_finds_them() {
    let (school, class, _) = in_step(3).await;
    school.sandbox.end_class(class.course, class.class);
    let join = async |id: &str| {
        school.student(id).await;
        school.join(id, "c1").await;
    };
    join("w1").await;
    school.run_as(Exit::Incomplete).await;
    school.run_as(Exit::Done).await;
    join("w2").await;
    let report = school.run_to(Exit::Incomplete).await;
    assert_eq!((report.attention["ended-classes"].count, report.errors.len()), (1, 0), "{report:#?}");
    let report = school.run_to(Exit::Done).await;
    assert_eq!(report.attention["ended-classes"].count, 1, "{:?}", report.attention);
    let rows = school.failures().await;
    assert!(rows.len() == 1 && rows[0].message.contains("2 of its students"), "{rows:?}");
    // What a person silenced is about those who waited then.
    let ignored = school.program(&["failures", "ignore", &rows[0].id.to_string()]);
    assert_eq!(ignored.code, 0, "{ignored:?}");
    assert!(school.run_to(Exit::Done).await.attention.is_empty());
    join("w3").await;
    school.run_as(Exit::Incomplete).await;
    let rows = school.failures().await;
    assert!(rows.len() == 1 && rows[0].state == FailureState::Waiting, "{rows:?}");
    school.run_as(Exit::Done).await;
    // Who goes, or stays, is no news.
    school.leave("w1", "c1").await;
    let report = school.run_to(Exit::Done).await;
    assert_eq!(report.attention["ended-classes"].count, 1, "{:?}", report.attention);
    assert!(school.failures().await[0].message.contains("2 of its students"));
}

#[tokio::test]
async fn who_leaves_a_lesson_that_is_over_is_forgotten_there_and_nothing_is_to_be_done() {
    for is_deleted in [false, true] {
        let (school, class, uids) = in_step(8).await;
        if is_deleted {
            school.sandbox.delete_class(class.course, class.class);
        } else {
            school.sandbox.end_class(class.course, class.class);
        }
        for id in ["s000", "s001"] {
            school.leave(id, "c1").await;
        }
        // Who is wanted in a deleted class is in none.
        let exit = if is_deleted { Exit::Incomplete } else { Exit::Done };
        let report = school.run_to(exit).await;
        assert_eq!(count(&report, "skipped", "remove"), 2, "{report:#?}");
        assert!(report.errors.is_empty(), "{report:#?}");
        let rows = school.failures().await;
        assert_eq!(rows.len(), usize::from(is_deleted), "{rows:#?}");
        assert!(rows.iter().all(|row| row.message.contains("6 of its students are not in it")), "{rows:#?}");
        assert_eq!(school.number("SELECT count(*) FROM counted_writes").await, 0, "nobody left");
        school.sandbox.clear_journal();
        let report = school.run_to(Exit::Done).await;
        assert_eq!(count(&report, "planned", "remove"), 0);
        assert!(school.classin_calls().is_empty() && uids.len() == 8);
    }
}

#[tokio::test]
async fn a_lesson_that_is_probably_over_is_attention_where_nobody_may_be_taken_out() {
    for (setting, value) in [("SYNC__MODE", "upsert"), ("CLASSIN__REMOVALS", "none")] {
        let (mut school, first, _) = in_step(4).await;
        school.setting(setting, value);
        let second =
            rosterd_testkit::ClassIds { class: school.sandbox.create_class(first.course, "again"), ..first };
        school.name_class("c1", second).await;
        for _ in 0..2 {
            let report = school.run_to(Exit::Done).await;
            assert_eq!(report.attention["ended-classes"].count, 1, "{value}: {:?}", report.attention);
        }
        let rows = school.failures().await;
        assert_eq!((rows.len(), rows[0].code.as_str()), (1, "probably-over"), "{value}: {rows:?}");
        assert!(rows[0].message.contains("4 are still recorded in it"), "{}", rows[0].message);
        let id = rows[0].id.to_string();
        assert_eq!(school.program(&["failures", "ignore", &id]).code, 0);
        assert!(school.run_to(Exit::Done).await.attention.is_empty(), "{value}");
        // Where it may be asked, the question settles it.
        school.usual(setting);
        school.sandbox.end_class(first.course, first.class);
        school.run_as(Exit::Done).await;
        assert!(school.failures().await.is_empty(), "{value}");
    }
}

#[tokio::test]
async fn a_plan_shows_what_waits_as_what_cannot_be_done_with_the_reason() {
    let (school, class, _) = in_step(3).await;
    let teacher = school.student("t").await;
    school.sandbox.set_role(class.course, Some(class.class), teacher, Role::CoTeacher);
    school.join("t", "c1").await;
    school.run_as(Exit::Incomplete).await;
    let plan = school.program(&["plan"]);
    assert_eq!(plan.code, 0, "{plan:?}");
    assert!(plan.stdout.contains("! t  enrol in class c1: failed for good"), "{plan:?}");
    let plan = school.program(&["plan", "--output", "json"]);
    let line = &plan.json()["operations"][0];
    assert_eq!(
        (line["state"].as_str(), line["reason_code"].as_str()),
        (Some("skipped"), Some("dead-letter"))
    );
}

#[tokio::test]
async fn a_class_with_wrong_ids_is_one_cause_for_it_and_not_one_for_each_student() {
    for (course, code) in [(false, "143"), (true, "144")] {
        let (mut school, class, _) = in_step(3).await;
        school.setting("RETRY__MAX_ATTEMPTS", "2");
        let wrong = if course { 9_999_999 } else { class.course };
        school.name_class("typo", rosterd_testkit::ClassIds { course: wrong, class: 7_654_321 }).await;
        for at in 0..40 {
            let id = format!("w{at:02}");
            school.student(&id).await;
            school.join(&id, "typo").await;
        }
        let good = school.student("good").await;
        school.join("good", "c1").await;
        school.run_as(Exit::Incomplete).await;
        assert!(school.members(class).contains(&good), "{code}");
        let rows = school.failures().await;
        assert_eq!(rows.len(), 1, "{code}: {rows:#?}");
        let row = &rows[0];
        assert_eq!((row.student_id.as_str(), row.class_code.as_str()), ("", "typo"), "{row:#?}");
        assert_eq!((row.code.as_str(), row.owner), (code, "it"), "{row:#?}");
        assert!(row.message.contains("40 students") && row.message.contains(&wrong.to_string()), "{row:#?}");
        // Not due: no call. Due: one call, and then it waits for a person.
        school.sandbox.clear_journal();
        school.run_as(Exit::Incomplete).await;
        assert!(school.classin_calls().is_empty(), "{code}");
        school.later(DAY);
        school.run_as(Exit::Incomplete).await;
        assert_eq!(school.classin_calls().len(), 1, "{code}");
        school.later(DAY);
        school.run_as(Exit::Done).await;
        let rows = school.failures().await;
        assert!(rows.len() == 1 && rows[0].state == FailureState::Dead, "{code}: {rows:#?}");
        // The ids are mended.
        let right = school.class("right").await;
        school.sql("DELETE FROM classes WHERE class_code = 'right'").await;
        school.name_class("typo", right).await;
        school.run_as(Exit::Done).await;
        assert_eq!(school.members(right).len(), 40, "{code}");
        assert!(school.failures().await.is_empty(), "{code}");
    }
}

/// A school with a class in each of two courses; s000 to s003 are in the first.
async fn two_courses() -> (School, rosterd_testkit::ClassIds, rosterd_testkit::ClassIds, Vec<i64>) {
    let (school, first, uids) = in_step(4).await;
    let second = school.class("c2").await;
    assert_ne!(first.course, second.course);
    (school, first, second, uids)
}

async fn moves(school: &School, id: &str) {
    school.leave(id, "c1").await;
    school.join(id, "c2").await;
}

#[tokio::test]
async fn who_moves_to_another_course_keeps_the_old_place_until_the_new_one_is_settled() {
    let (school, first, second, uids) = two_courses().await;
    moves(&school, "s000").await;
    school.run_as(Exit::Done).await;
    assert!(
        !school.members(first).contains(&uids[0]) && school.members(second).contains(&uids[0]),
        "one run does it"
    );
    moves(&school, "s001").await;
    school.set("refuse_item", "addClassStudentMultiple:0/158");
    school.run_as(Exit::Incomplete).await;
    assert!(school.members(first).contains(&uids[1]), "the new place is not settled");
    school.later(DAY);
    school.run_as(Exit::Done).await;
    assert!(!school.members(first).contains(&uids[1]) && school.members(second).contains(&uids[1]));
    // Who only leaves is not kept.
    school.leave("s002", "c1").await;
    school.run_as(Exit::Done).await;
    assert!(!school.members(first).contains(&uids[2]));
}

#[tokio::test]
async fn a_new_course_that_nobody_waits_for_any_more_does_not_keep_the_old_place_for_ever() {
    let (mut school, first, second, uids) = two_courses().await;
    school.setting("RETRY__MAX_ATTEMPTS", "2");
    school.set("classin.poison", "none");
    // A teacher of the new course cannot be a student of it: a dead letter at once.
    school.sandbox.set_role(second.course, Some(second.class), uids[0], Role::CoTeacher);
    moves(&school, "s000").await;
    school.run_as(Exit::Incomplete).await;
    school.later(DAY);
    school.run_as(Exit::Done).await;
    assert!(!school.members(first).contains(&uids[0]), "given up: {:?}", school.failures().await);
    // A lesson that is over is not waited for either.
    school.sandbox.end_class(second.course, second.class);
    moves(&school, "s001").await;
    school.run_as(Exit::Incomplete).await;
    school.later(DAY);
    school.run_as(Exit::Done).await;
    assert!(!school.members(first).contains(&uids[1]), "over");
}

#[tokio::test]
async fn full_classes_of_two_courses_exchange_students_in_the_end() {
    let (school, first, second, uids) = two_courses().await;
    for id in ["t1", "t2"] {
        school.student(id).await;
        school.join(id, "c2").await;
    }
    school.run_as(Exit::Done).await;
    school.sandbox.set_class_capacity(first.course, first.class, school.members(first).len());
    school.sandbox.set_class_capacity(second.course, second.class, school.members(second).len());
    let there = *school.members(second).iter().next().unwrap();
    moves(&school, "s000").await;
    school.leave("t1", "c2").await;
    school.join("t1", "c1").await;
    for _ in 0..5 {
        let _report = school.run().await;
        school.later(DAY);
    }
    school.run_as(Exit::Done).await;
    assert!(school.members(second).contains(&uids[0]) && !school.members(first).contains(&uids[0]));
    assert!(school.members(first).len() == 4 && there > 0, "{:?}", school.members(first));
}
