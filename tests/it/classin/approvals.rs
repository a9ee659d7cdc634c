//! What a person says of an account that is another student's: the place by it is entered, and the place by the account
//! before is left.

use std::collections::BTreeSet;

use rosterd::Exit;
use rosterd_testkit::{ClassIds, DAY, School};

use super::{in_step, set_of};
use crate::program::Programs as _;

async fn uid_of(school: &School, id: &str, uid: i64) {
    school.sql(&format!("UPDATE students SET classin_uid = {uid} WHERE student_id = '{id}'")).await;
}

/// s000 to s003 in c1, and s001 in c2 and in the whole course `whole` too.
async fn world() -> (School, ClassIds, ClassIds, i64, Vec<i64>) {
    let (school, first, uids) = in_step(4).await;
    let second = school.class("c2").await;
    school.join("s001", "c2").await;
    let course = school.sandbox.create_course("whole");
    school.sql(&format!("INSERT INTO classes VALUES ('whole', 'Whole', {course}, NULL)")).await;
    school.join("s001", "whole").await;
    school.run_as(Exit::Done).await;
    (school, first, second, course, uids)
}

fn places(school: &School, at: (ClassIds, ClassIds, i64)) -> [BTreeSet<i64>; 3] {
    [school.members(at.0), school.members(at.1), school.sandbox.course_members(at.2)]
}

#[tokio::test]
async fn whoever_approves_a_filled_down_uid_moves_the_student_to_that_account_in_every_place() {
    for naming in [["--student", "s001"], ["--reason", "shared-contact"]] {
        let (school, first, second, course, uids) = world().await;
        uid_of(&school, "s001", uids[0]).await;
        let report = school.run_to(Exit::Held).await;
        let digest = report.held_digest.unwrap();
        assert_eq!(school.program(&["approve", &digest]).code, 1, "a digest alone does not cover it");
        let approved = school.program(&["approve", &digest, naming[0], naming[1]]);
        assert_eq!(approved.code, 0, "{approved:?}");
        school.run_as(Exit::Done).await;
        let siblings = set_of(&[uids[0]]);
        assert_eq!(
            places(&school, (first, second, course)),
            [set_of(&[uids[0], uids[2], uids[3]]), siblings.clone(), siblings],
            "{naming:?}"
        );
        assert!(school.failures().await.is_empty(), "{naming:?}: {:?}", school.failures().await);
        school.sandbox.clear_journal();
        for _ in 0..2 {
            let report = school.run_to(Exit::Done).await;
            assert!(report.holds.is_empty() && report.attention.is_empty(), "{naming:?}: {report:#?}");
            school.later(2 * DAY);
        }
        assert!(school.classin_calls().is_empty(), "{naming:?}: {:?}", school.classin_calls());
        // What was said stays true in a class that comes later.
        let third = school.class("c3").await;
        school.join("s001", "c3").await;
        school.run_as(Exit::Done).await;
        assert_eq!(school.members(third), set_of(&[uids[0]]), "{naming:?}");
    }
}

#[tokio::test]
async fn of_two_with_a_filled_down_uid_the_one_who_is_approved_goes_and_the_other_stays_until_the_cell_is_mended()
 {
    let (school, class, uids) = in_step(6).await;
    for id in ["s001", "s002"] {
        uid_of(&school, id, uids[0]).await;
    }
    let digest = school.run_to(Exit::Held).await.held_digest.unwrap();
    assert_eq!(school.program(&["approve", &digest, "--student", "s001"]).code, 0);
    let _report = school.run().await;
    let without =
        |gone: &[i64]| uids.iter().copied().filter(|uid| !gone.contains(uid)).collect::<BTreeSet<_>>();
    assert_eq!(school.members(class), without(&[uids[1]]));
    let held: Vec<String> = school.failures().await.into_iter().map(|row| row.message).collect();
    assert!(
        held.len() == 1 && held[0].contains("of whom s002 had another one before and keeps every class"),
        "{held:?}"
    );
    uid_of(&school, "s002", uids[2]).await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), without(&[uids[1]]));
    assert!(school.failures().await.is_empty());
}

#[tokio::test]
async fn a_uid_of_a_student_of_another_class_is_entered_once_it_is_approved() {
    let (school, class, uids) = in_step(4).await;
    let second = school.class("c2").await;
    let other = school.student("t").await;
    school.join("t", "c2").await;
    school.run_as(Exit::Done).await;
    uid_of(&school, "s000", other).await;
    let digest = school.run_to(Exit::Held).await.held_digest.unwrap();
    let approved = school.program(&["approve", &digest, "--student", "s000"]);
    assert_eq!(approved.code, 0, "{approved:?}");
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&[other, uids[1], uids[2], uids[3]]));
    assert_eq!(school.members(second), set_of(&[other]));
    // The cell was wrong after all, and is typed anew.
    uid_of(&school, "s000", uids[0]).await;
    let _report = school.run().await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&uids), "{:?}", school.failures().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_approved_is_shown_as_that_and_not_as_held() {
    for named in [false, true] {
        let (mut school, class, uids) = in_step(12).await;
        school.leaves_work_behind();
        if named {
            school.sql("INSERT INTO class_members VALUES ('ghost', 'c1')").await;
            school.leave("s000", "c1").await;
        } else {
            school.setting("GUARD__MAX_DELETE", "1");
            school.sql("DELETE FROM class_members WHERE student_id < 's003'").await;
        }
        school.run_as(Exit::Held).await;
        let read = |arguments: &[&str]| school.program(arguments).stdout;
        assert!(read(&["explain", "s000"]).contains("is held since"), "{named}");
        let status = school.program(&["status", "--output", "json"]).json();
        let digest = status["holds"][0]["digest"].as_str().unwrap().to_owned();
        // Of several by a limit the first alone, then all.
        let first = school.program(&["approve", &digest, "--student", "s000"]);
        assert_eq!(first.code, 0, "{first:?}");
        if !named {
            let said = read(&["status"]);
            assert!(said.contains("1 of the 3 are approved: the next run lets those happen"), "{said}");
            assert_eq!(school.program(&["approve", &digest]).code, 0);
        }
        let status = read(&["status"]);
        assert!(
            status.contains("approved until") && !status.contains("rosterd approve"),
            "{named}: {status}"
        );
        let explained = read(&["explain", "s000"]);
        for words in
            ["classin: remove from class c1 (planned: approved, goes with the next run)", "is approved until"]
        {
            assert!(explained.contains(words), "{named}: {explained}");
        }
        assert!(
            !explained.contains("is held since") && !explained.contains("rosterd approve"),
            "{explained}"
        );
        let failures = read(&["failures"]);
        assert_eq!(failures.contains("approved, goes with the next run"), named, "{failures}");
        let plan = read(&["plan", "--student", "s000"]);
        assert!(plan.contains("- s000  remove from class c1: approved, goes with the next run"), "{plan}");
        let plan = school.program(&["plan", "--output", "json"]).json();
        let lines = plan["operations"].as_array().unwrap();
        let approved = lines.iter().filter(|line| line["reason_code"] == "approved").count();
        assert_eq!(approved, if named { 1 } else { 3 }, "{plan:#}");
        let _goes = school.run().await;
        assert!(!school.members(class).contains(&uids[0]), "{named}");
    }
}
