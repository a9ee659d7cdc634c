//! Rows that cannot be used: each is reported, concerns only whom it names, and never becomes a delete.

use rosterd_core::failure::FailureState;
use rosterd_testkit::*;

#[tokio::test]
async fn students_who_share_a_login_value_are_reported_and_all_others_go_through() {
    let mut people = students(5);
    people[1] = student("s001").login("same");
    people[2] = student("s002").login("same");
    let mut world = ExamSchool::with(people).await;
    let report = world.run().await;
    assert_eq!(
        (report.applied(), report.failed(), report.exit_code),
        ("3 add".to_owned(), "2 add".to_owned(), 3)
    );
    let codes: Vec<String> = world.failures().await.into_iter().map(|failure| failure.code).collect();
    assert_eq!(codes, ["shared-login-value"; 2]);
    world.edit("s002", |it| it.login("s002")).await;
    assert_eq!(world.run().await.applied(), "2 add");
    assert_eq!(world.failures().await, []);
}

#[tokio::test]
async fn a_candidate_whose_student_comes_to_share_a_login_value_is_kept() {
    let mut world = ExamSchool::in_step(students(3)).await;
    world.edit("s002", |it| it.login("s001")).await;
    for _ in 0..3 {
        world.later(4 * DAY);
        let report = world.run().await;
        assert_eq!((report.writes(), report.exit_code), (0, 3));
    }
    assert_eq!(world.logins(), ["s000", "s001", "s002"]);
}

#[tokio::test]
async fn a_missing_login_value_is_reported_and_the_candidate_kept() {
    let mut world = ExamSchool::in_step(students(3)).await;
    world.edit("s001", |it| it.login("")).await;
    world.put(student("new").login("")).await;
    for _ in 0..2 {
        world.later(4 * DAY);
        let report = world.run().await;
        assert_eq!((report.failed(), report.exit_code), ("1 add, 1 modify".to_owned(), 3));
    }
    assert_eq!(world.logins(), ["s000", "s001", "s002"]);
    assert_eq!(world.failures().await.len(), 2);
}

#[tokio::test]
async fn an_ignored_row_is_silent_until_it_changes() {
    let mut world = ExamSchool::in_step(students(3)).await;
    world.put(student("new").in_groups([])).await;
    let _report = world.run().await;
    let failure = world.failures().await[0].id;
    let ignored = rosterd_core::failure::FailureState::Ignored;
    world.state.change_failures(Some(&[failure]), ignored, world.clock.now_ms()).await.unwrap();
    let report = world.run().await;
    assert_eq!((report.skipped(), report.exit_code), ("1 add".to_owned(), 0));
    assert_eq!(world.failures().await[0].state, FailureState::Ignored);
    world.edit("new", |it| it.in_groups(["g1"])).await;
    assert_eq!(world.run().await.applied(), "1 add");
}
