//! What a report and a plan say of ClassIn: a whole course is called one, and every limit is a number.

use rosterd::Exit;
use rosterd_testkit::{DAY, School};
use serde_json::Value;

use super::in_step;
use crate::program::Programs as _;

/// So many students in the whole course `whole`.
async fn whole_course(n: usize) -> (School, i64, Vec<i64>) {
    let school = School::of_classin().await;
    let course = school.sandbox.create_course("whole");
    school.sql(&format!("INSERT INTO classes VALUES ('whole', 'Whole', {course}, NULL)")).await;
    let uids = school.fill("whole", n).await;
    school.run_as(Exit::Done).await;
    (school, course, uids)
}

/// Sentences that name `whole` or its place must not call it a class.
fn calls_it_a_course(what: &str, text: &str) {
    for line in text.lines() {
        for wrong in
            ["class whole", "the class", "this class", "enrol in class", "from class", "class or group"]
        {
            assert!(!line.contains(wrong), "{what}: {wrong}: {line}");
        }
    }
}

fn everything_told(school: &School) -> Vec<(&'static str, String)> {
    let mut told = Vec::new();
    for (name, arguments) in [
        ("plan", &["plan"][..]),
        ("status", &["status"]),
        ("failures", &["failures"]),
        ("runs", &["runs"]),
        ("explain", &["explain", "s000"]),
    ] {
        told.push((name, school.program(arguments).stdout));
    }
    told
}

#[tokio::test]
async fn whatever_is_told_of_a_whole_course_calls_it_a_course() {
    for world in ["adds", "not ours", "zero", "half", "full", "over", "set", "leaves"] {
        let (mut school, course, uids) = whole_course(12).await;
        school.setting("GUARD__MAX_DELETE", "100%");
        match world {
            "adds" => {
                let _uid = school.student("new").await;
                school.join("new", "whole").await;
            }
            "not ours" => {
                school.write("UPDATE enrolments SET evidence = 'present'").await;
                school.leave("s000", "whole").await;
            }
            "zero" => school.sql("DELETE FROM class_members").await,
            "half" => school.sql("DELETE FROM class_members WHERE student_id > 's003'").await,
            "full" => {
                school.sandbox.set_course_capacity(course, uids.len());
                let _uid = school.student("new").await;
                school.join("new", "whole").await;
            }
            "over" => {
                school.sandbox.set_course_status(course, rosterd_sandbox::CourseStatus::Deleted);
                let _uid = school.student("new").await;
                school.join("new", "whole").await;
            }
            "set" => {
                school.setting("CLASSIN__REMOVALS", "none");
                school.leave("s000", "whole").await;
            }
            _ => school.leave("s000", "whole").await,
        }
        if world != "adds" && world != "leaves" {
            let _report = school.run().await;
        }
        let (_, intended) = school.plan().await;
        for line in &intended.classin.operations {
            calls_it_a_course(world, line.reason.as_deref().unwrap_or_default());
            calls_it_a_course(world, &line.detail);
        }
        for (name, text) in everything_told(&school) {
            calls_it_a_course(&format!("{world}: {name}"), &text);
        }
    }
}

#[tokio::test]
async fn a_class_is_called_a_class() {
    let (school, _, _) = in_step(4).await;
    school.write("UPDATE enrolments SET evidence = 'present'").await;
    school.leave("s000", "c1").await;
    let _report = school.run().await;
    let text = school.program(&["failures"]).stdout;
    assert!(text.contains("still in the class and not ours to remove"), "{text}");
    let (_, intended) = school.plan().await;
    assert!(intended.classin.operations.iter().any(|line| line.detail.contains("class c1")));
}

// Figures.

fn is_figure(what: &str, hold: &Value) {
    for name in ["count", "limit"] {
        assert!(hold[name].is_u64(), "{what}: {name}: {hold:#}");
    }
    assert!(hold["since"].is_string(), "{what}: {hold:#}");
}

#[tokio::test]
async fn every_hold_by_a_limit_has_its_count_its_limit_and_its_beginning_in_json() {
    for world in ["max-delete", "missing", "max-group", "class-to-zero", "max-modify"] {
        let (mut school, _, _) = in_step(24).await;
        if world == "max-group" || world == "class-to-zero" {
            school.setting("GUARD__MAX_DELETE", "100%");
        }
        match world {
            "max-delete" => {
                school.setting("GUARD__MAX_GROUP", "100%");
                school.sql("DELETE FROM class_members WHERE student_id < 's012'").await;
            }
            "missing" => school.sql("UPDATE students SET active = 0 WHERE student_id < 's012'").await,
            "max-group" => school.sql("DELETE FROM class_members WHERE student_id < 's015'").await,
            "class-to-zero" => school.sql("DELETE FROM class_members").await,
            _ => {
                // The names at the school are seen first.
                school.run_as(Exit::Done).await;
                school.sql("UPDATE students SET name = 'New ' || name").await;
            }
        }
        let report = school.run_to(Exit::Held).await;
        let document = serde_json::to_value(&report).unwrap();
        let hold = &document["holds"][0];
        assert_eq!(hold["reason_code"], world, "{hold:#}");
        is_figure(world, hold);
        let plan = school.program(&["plan", "--output", "json"]).json();
        is_figure(world, &plan["held"][0]);
        let operations = plan["operations"].as_array().unwrap();
        let held: Vec<&Value> = operations.iter().filter(|one| one["state"] == "held").collect();
        assert!(!held.is_empty(), "{world}: {plan:#}");
        held.iter().for_each(|one| is_figure(world, one));
        let status = school.program(&["status", "--output", "json"]).json();
        is_figure(world, &status["holds"][0]);
        school.later(DAY);
        let again = serde_json::to_value(school.run_to(Exit::Held).await).unwrap();
        assert_eq!(again["holds"][0]["since"], hold["since"], "{world}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_read_of_a_class_by_its_title_and_its_code_and_once() {
    let (school, class, _) = in_step(3).await;
    school.leaves_work_behind();
    school.sql("UPDATE classes SET title = 'Mathematics 10'").await;
    school.sandbox.end_class(class.course, class.class);
    let _uid = school.student("late").await;
    school.join("late", "c1").await;
    school.run_as(Exit::Incomplete).await;
    for arguments in [&["failures"][..], &["status"], &["runs", "2"]] {
        let said = school.program(arguments).stdout;
        assert!(said.contains("class c1 \"Mathematics 10\" (course "), "{arguments:?}: {said}");
    }
    let said = school.program(&["status"]).stdout;
    assert_eq!(said.matches("Mathematics 10").count(), 1, "one line a class: {said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_class_that_no_row_names_any_more_is_told_by_what_it_was_called() {
    let (mut school, class, _) = in_step(4).await;
    school.leaves_work_behind();
    let next =
        rosterd_testkit::ClassIds { class: school.sandbox.create_class(class.course, "next"), ..class };
    school.sql("UPDATE classes SET title = 'Lesson\n1'").await;
    school.run_as(Exit::Done).await;
    school.name_class("c2", next).await;
    school
        .sql("UPDATE class_members SET class_code = 'c2'; DELETE FROM classes WHERE class_code = 'c1'")
        .await;
    school.setting("SYNC__MODE", "upsert");
    let _over = school.run().await;
    let called = format!("class c1 \"Lesson 1\" (course {} class {})", class.course, class.class);
    let said = school.program(&["failures"]).stdout;
    assert!(said.contains(&called), "{said}");
    school.setting("SYNC__MODE", "sync");
    let said = school.program(&["plan"]).stdout;
    let line = format!("from class c1 \"Lesson 1\" (course {} class {})", class.course, class.class);
    assert!(said.contains(&line), "{said}");
}
