//! Another account that takes the place of ours while a run goes on: nobody there is written to.

use std::time::Duration;

use rosterd::RunReport;
use rosterd_core::roster::Limit;

use rosterd_testkit::*;

/// A run during whose listing another account takes the place of ours.
async fn run_with_swap(world: &ExamSchool, account: &str) -> RunReport {
    world.set("delay", "getstulist:800");
    world.sandbox.clear_journal();
    let swap = async {
        while !world.journal().iter().any(|call| call == "getstulist") {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        world.set("exam.account", account);
    };
    tokio::join!(world.run(), swap).0
}

async fn with_changes() -> ExamSchool {
    let mut world = ExamSchool::in_step(students(30)).await;
    world.settings.guard.max_delete = Limit::Auto;
    for number in 0..20 {
        world.edit(&format!("s{number:03}"), |it| it.named("Another name")).await;
    }
    world
}

#[tokio::test]
async fn more_sids_with_other_login_values_than_could_leave_are_another_account() {
    for account in ["permuted", "strangers"] {
        let world = with_changes().await;
        let report = run_with_swap(&world, account).await;
        assert_eq!((report.writes(), report.exit_code), (0, 78), "{account}: {report:?}");
        assert!(report.errors[0].contains("another account"), "{account}: {:?}", report.errors);
        world.set("exam.account", "own");
        for _ in 0..2 {
            let _report = world.run_later().await;
        }
        assert_eq!(world.differences(&[]), Vec::<String>::new(), "{account}");
        assert_eq!(world.run().await.planned(), "", "{account}");
    }
}

#[tokio::test]
async fn nobody_is_written_to_in_an_account_of_the_same_people_under_other_sids_or_of_nobody() {
    for account in ["renumbered", "empty"] {
        let world = with_changes().await;
        let report = run_with_swap(&world, account).await;
        assert_eq!(report.writes(), 0, "{account}: {report:?}");
        assert_ne!(report.exit_code, 0, "{account}: {report:?}");
        world.set("exam.account", "own");
        for _ in 0..3 {
            let _report = world.run_later().await;
        }
        assert_eq!(world.differences(&[]), Vec::<String>::new(), "{account}");
    }
}

#[tokio::test]
async fn a_candidate_that_nobody_finds_by_its_login_value_is_not_called_another_ones() {
    let mut world = ExamSchool::in_step(students(3)).await;
    world.set("exam.info_fields", "without_login");
    world.edit("s001", |it| it.named("Another name")).await;
    let sid = world.sid("s001").await;
    world.set("delay", "getstulist:500");
    world.sandbox.clear_journal();
    let renamed_meanwhile = async {
        while !world.journal().iter().any(|call| call == "getstulist") {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        world.sandbox.edit_candidate(sid, &[(LOGIN, "by-hand")]);
    };
    let report = tokio::join!(world.run(), renamed_meanwhile).0;
    assert_eq!((report.calls("changeStuinfo"), report.exit_code), (0, 3), "{report:?}");
    let rows = world.failures().await;
    assert_eq!((rows.len(), rows[0].code.as_str()), (1, "not-found-out"), "{rows:?}");
}
