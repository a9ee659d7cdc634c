//! Holds about single people: a row each, told once, let go by a person who names them, and ended by one who ignores them.

use rosterd::Exit;
use rosterd_core::failure::FailureState;
use rosterd_testkit::{ClassIds, DAY, School};

use super::{count, in_step};
use crate::program::Programs as _;

/// The member row of `s001` names nobody any more.
async fn with_a_row_of_nobody() -> (School, ClassIds, i64) {
    let (school, class, uids) = in_step(4).await;
    school.sql("UPDATE class_members SET student_id = NULL WHERE student_id = 's001'").await;
    (school, class, uids[1])
}

async fn rows(school: &School) -> Vec<(String, String, FailureState)> {
    let rows = school.failures().await.into_iter().filter(|row| row.table.is_none());
    rows.map(|row| (row.student_id, row.code, row.state)).collect()
}

async fn id_of(school: &School) -> String {
    let rows = school.failures().await;
    rows.iter().find(|row| row.table.is_none()).unwrap().id.to_string()
}

fn held(state: FailureState) -> Vec<(String, String, FailureState)> {
    vec![("s001".to_owned(), "unreadable-ids".to_owned(), state)]
}

#[tokio::test]
async fn such_a_hold_counts_in_the_run_that_finds_it_and_stays_in_sight() {
    let (school, class, uid) = with_a_row_of_nobody().await;
    let report = school.run_to(Exit::Held).await;
    assert_eq!(report.holds[0].reason_code, "unreadable-ids");
    assert_eq!(rows(&school).await, held(FailureState::Held));
    for _ in 0..2 {
        school.later(DAY);
        let report = school.run_to(Exit::Done).await;
        assert_eq!((count(&report, "held", "remove"), report.holds.len()), (1, 1));
        assert_eq!(report.attention["held-people"].count, 1, "{:?}", report.attention);
    }
    assert!(school.members(class).contains(&uid));
    let plan = school.program(&["plan"]);
    assert!(plan.code == 0 && plan.stdout.contains("= s001  remove"), "{plan:?}");
}

#[tokio::test]
async fn a_digest_alone_does_not_cover_it_and_a_name_or_the_reason_does() {
    for naming in [["--student", "s001"], ["--reason", "unreadable-ids"]] {
        let (school, class, uid) = with_a_row_of_nobody().await;
        let digest = school.run_to(Exit::Held).await.held_digest.unwrap();
        for refused in [
            &["approve", digest.as_str()][..],
            &["approve", digest.as_str(), "--reason", "shared-contact"],
            &["approve", digest.as_str(), "--student", "s002"],
        ] {
            assert_eq!(school.program(refused).code, 1, "{refused:?}");
        }
        school.run_as(Exit::Done).await;
        assert!(school.members(class).contains(&uid), "nothing was approved");
        assert_eq!(school.program(&["approve", &digest, naming[0], naming[1]]).code, 0);
        let report = school.run_to(Exit::Done).await;
        assert_eq!(count(&report, "applied", "remove"), 1, "{naming:?}");
        assert!(!school.members(class).contains(&uid) && rows(&school).await.is_empty());
    }
}

#[tokio::test]
async fn who_ignores_it_leaves_the_student_in_the_class() {
    let (school, class, uid) = with_a_row_of_nobody().await;
    school.run_as(Exit::Held).await;
    let id = id_of(&school).await;
    assert_eq!(school.program(&["failures", "ignore", &id]).code, 0);
    for _ in 0..2 {
        let report = school.run_to(Exit::Done).await;
        assert_eq!((count(&report, "held", "remove"), count(&report, "skipped", "remove")), (0, 1));
        assert!(!report.attention.contains_key("held-people"), "{:?}", report.attention);
        assert_eq!(rows(&school).await, held(FailureState::Ignored));
    }
    assert!(school.members(class).contains(&uid));
    // The row is mended: nothing is held any more, and nothing is left of it.
    school.sql("UPDATE class_members SET student_id = 's001' WHERE student_id IS NULL").await;
    school.run_as(Exit::Done).await;
    assert_eq!(rows(&school).await, []);
}

#[tokio::test]
async fn who_ignores_that_rows_name_a_leaver_says_that_they_have_left() {
    let (school, class, uids) = in_step(4).await;
    school.sql("DELETE FROM students WHERE student_id = 's001'").await;
    let _first = school.run().await;
    school.later(4 * DAY);
    school.run_as(Exit::Held).await;
    assert_eq!(rows(&school).await, held(FailureState::Held));
    let id = id_of(&school).await;
    assert_eq!(school.program(&["failures", "ignore", &id]).code, 0);
    let report = school.run_to(Exit::Done).await;
    assert_eq!(count(&report, "applied", "remove"), 1);
    assert!(!school.members(class).contains(&uids[1]));
}

/// Whoever silences everything has not looked at this one: it would take the student out.
#[tokio::test]
async fn who_ignores_everything_says_of_nobody_that_they_have_left() {
    let (school, class, uids) = in_step(8).await;
    school.sql("UPDATE class_members SET student_id = 'sX2' WHERE student_id = 's002'").await;
    school.sql("DELETE FROM students WHERE student_id = 's003'").await;
    let _first = school.run().await;
    school.later(4 * DAY);
    let _held = school.run().await;
    let said = school.program(&["failures", "ignore", "--all"]);
    assert_eq!(said.code, 0, "{said:?}");
    let of = |student: &str| {
        format!("rows still name student {student}, and to ignore that says that they have left")
    };
    assert!(said.stdout.contains(&of("s003")) && !said.stdout.contains("s002"), "{said:?}");
    for _ in 0..2 {
        let _held = school.run().await;
        school.later(DAY);
        assert!(school.members(class).contains(&uids[3]) && school.members(class).contains(&uids[2]));
    }
    // The command that it names.
    let command = said.stdout.lines().last().unwrap().rsplit("rosterd ").next().unwrap().to_owned();
    assert_eq!(school.program(&command.split(' ').collect::<Vec<_>>()).code, 0, "{command}");
    let _left = school.run().await;
    assert!(!school.members(class).contains(&uids[3]) && school.members(class).contains(&uids[2]));
}

#[tokio::test]
async fn a_mass_beside_it_is_approved_by_the_digest_and_it_is_not() {
    let (school, class, uids) = in_step(20).await;
    school.sql("UPDATE students SET active = 0 WHERE student_id >= 's010'").await;
    school.sql("DELETE FROM students WHERE student_id = 's001'").await;
    let _first = school.run().await;
    school.later(4 * DAY);
    let digest = school.run_to(Exit::Held).await.held_digest.unwrap();
    let state = school.state().await;
    assert_eq!(state.approve(&digest, school.clock.now_ms() + DAY).await.unwrap(), 10);
    state.close().await;
    let report = school.run_to(Exit::Done).await;
    assert_eq!((count(&report, "applied", "remove"), count(&report, "held", "remove")), (10, 1));
    assert!(school.members(class).contains(&uids[1]));
}

/// `s001` stands on the roster as `S001`, and nobody knows whether that is somebody else.
async fn retyped() -> (School, ClassIds, i64) {
    let school = School::of_both().await;
    let class = school.class("c1").await;
    let uids = school.fill("c1", 8).await;
    school.group_of_all().await;
    school.run_as(Exit::Done).await;
    assert!(school.members(class).contains(&uids[1]));
    for table in ["group_members", "class_members"] {
        school.sql(&format!("UPDATE {table} SET student_id = 'S001' WHERE student_id = 's001'")).await;
    }
    school.sql("UPDATE students SET student_id = 'S001', classin_uid = NULL WHERE student_id = 's001'").await;
    (school, class, uids[1])
}

#[tokio::test]
async fn a_leaver_who_may_be_one_with_a_student_stays_in_class_until_a_person_has_answered() {
    let (school, class, uid) = retyped().await;
    for _ in 0..6 {
        let report = school.run().await;
        assert!(report.holds.iter().any(|hold| hold.reason_code == "same-person"), "{:#?}", report.holds);
        assert!(school.members(class).contains(&uid));
        school.later(DAY);
    }
    let (_, intended) = school.plan().await;
    let removal = intended.classin.operations.iter().find(|line| line.kind == "remove").unwrap();
    assert!(format!("{removal:?}").contains("may be on the roster under another id"), "{removal:?}");
    assert_eq!(school.program(&["relink", "s001", "S001"]).code, 0);
    for _ in 0..3 {
        school.later(DAY);
        let report = school.run().await;
        assert_eq!(count(&report, "applied", "remove"), 0);
    }
    assert!(school.members(class).contains(&uid), "relink carries the enrolment over");
}

#[tokio::test]
async fn a_leaver_who_is_said_to_be_somebody_else_leaves_the_class_too() {
    let (school, class, uid) = retyped().await;
    let digest = school.run().await.held_digest.unwrap();
    let approved = school.program(&["approve", &digest, "--student", "s001"]);
    assert_eq!(approved.code, 0, "{approved:?}");
    for _ in 0..6 {
        school.later(DAY);
        let _report = school.run().await;
    }
    assert!(!school.members(class).contains(&uid));
}

/// Something that makes a run ask about `s001`, and what ends it without saying anything of them.
const PASSING: [(&str, &str); 3] = [
    (
        "UPDATE class_members SET student_id = NULL WHERE student_id = 's001'",
        "DELETE FROM class_members WHERE student_id IS NULL",
    ),
    (
        "CREATE TABLE kept AS SELECT * FROM classes; UPDATE classes SET course_id = 'abc'; \
         DELETE FROM class_members WHERE student_id = 's001'",
        "DELETE FROM classes; INSERT INTO classes SELECT * FROM kept",
    ),
    (
        "UPDATE students SET student_id = NULL WHERE student_id = 's001'; DELETE FROM class_members WHERE student_id = 's001'",
        "DELETE FROM students WHERE student_id IS NULL",
    ),
];

#[tokio::test]
async fn who_is_left_in_the_class_stays_there_when_the_reason_for_asking_passes() {
    for (reason, passes) in PASSING {
        let (school, class, uids) = in_step(8).await;
        school.sql(reason).await;
        for _ in 0..3 {
            let _run = school.run().await;
            school.later(2 * DAY);
        }
        let asked: Vec<_> = school.failures().await;
        let Some(row) = asked.iter().find(|row| row.student_id == "s001" && row.code == "unreadable-ids")
        else {
            panic!("{reason}: {asked:?}")
        };
        assert_eq!(school.program(&["failures", "ignore", &row.id.to_string()]).code, 0);
        let _run = school.run().await;
        school.sql(passes).await;
        for _ in 0..4 {
            let report = school.run_to(Exit::Done).await;
            assert!(report.attention.is_empty() && report.holds.is_empty(), "{reason}: {report:#?}");
            assert!(school.members(class).contains(&uids[1]), "{reason}");
            school.later(2 * DAY);
        }
        // Until a person says otherwise.
        assert_eq!(school.program(&["failures", "retry", &row.id.to_string()]).code, 0);
        school.run_as(Exit::Done).await;
        assert!(!school.members(class).contains(&uids[1]), "{reason}");
        assert!(school.failures().await.is_empty(), "{reason}");
    }
}
