//! The exam side: twenty links prove the account.

use super::*;
use rosterd::Exit;
use rosterd_core::roster::Mode;

#[tokio::test]
async fn a_state_at_another_account_sends_nothing_to_strangers() {
    let mut world = ExamSchool::in_step(students(20)).await;
    swap_account(&world, 10);
    let _serving = moved(&mut world).await;
    for id in ["s001", "s002", "s003"] {
        world.edit(id, |it| it.named("Another name")).await;
    }
    world.remove("s004").await;
    let before = by_sid(&world);
    for _ in 0..3 {
        assert_refused(&world.run().await);
        world.later(4 * DAY);
    }
    assert_eq!(by_sid(&world), before);
}

#[tokio::test]
async fn another_code_for_another_account_sends_nothing() {
    let mut world = ExamSchool::in_step(students(5)).await;
    world.write("UPDATE service_accounts SET fingerprint = 1").await;
    swap_account(&world, 0);
    world.edit("s001", |it| it.named("Another name")).await;
    assert_refused(&world.run().await);
}

#[tokio::test]
async fn a_server_that_was_moved_is_proved_once_and_said_so() {
    let mut world = ExamSchool::in_step(students(30)).await;
    let _serving = moved(&mut world).await;
    world.edit("s001", |it| it.named("Another name")).await;
    let report = world.run().await;
    assert_eq!((report.exit_code, report.applied()), (0, "1 modify".to_owned()), "{report:#?}");
    let said = report.exam.notes.join("\n");
    assert!(said.contains("20 of 20 linked candidates"), "{said}");
    let quiet = world.run().await;
    assert_eq!((quiet.exit_code, quiet.exam.notes.as_slice()), (0, [].as_slice()), "{quiet:#?}");
    assert_eq!(quiet.calls("getstudentsinfo"), 0, "{quiet:#?}");
}

#[tokio::test]
async fn a_new_code_of_the_same_account_is_proved_and_taken() {
    let world = ExamSchool::in_step(students(3)).await;
    world.write("UPDATE service_accounts SET fingerprint = 1, since_ms = 7").await;
    let report = world.run().await;
    assert_eq!(report.exit_code, 0, "{report:#?}");
    assert!(report.exam.notes.join("\n").contains("the same account"), "{report:#?}");
    assert_eq!(world.number("SELECT since_ms FROM service_accounts").await, 7, "it is the same account");
    assert_ne!(world.number("SELECT fingerprint FROM service_accounts").await, 1);
}

#[tokio::test]
async fn two_strangers_of_twenty_are_tolerated_and_three_are_not() {
    for (strangers, exit) in [(2, None), (3, Some(78))] {
        let mut world = ExamSchool::in_step(students(20)).await;
        for (at, candidate) in world.sandbox.candidates().into_iter().enumerate().take(strangers) {
            world.sandbox.edit_candidate(candidate.sid, &[(LOGIN, &format!("renamed-{at}"))]);
        }
        let _serving = moved(&mut world).await;
        let report = world.plan_report().await;
        assert_eq!((report.exit_code == 78).then_some(78), exit, "{strangers}: {report:#?}");
    }
}

#[tokio::test]
async fn an_account_that_was_wiped_and_moved_is_not_taken() {
    let mut world = ExamSchool::in_step(students(4)).await;
    for candidate in world.sandbox.candidates() {
        world.sandbox.remove_candidate(candidate.sid);
    }
    let _serving = moved(&mut world).await;
    let report = world.run().await;
    assert_refused(&report);
    assert!(report.errors.join("\n").contains("--empty"), "{report:#?}");
    assert_eq!(world.sandbox.candidate_count(), 0);
}

#[tokio::test]
async fn login_values_that_look_ups_hide_are_asked_for_one_by_one() {
    for fields in ["without_login", "name_only"] {
        let mut world = ExamSchool::in_step(students(6)).await;
        world.set("exam.info_fields", fields);
        let _serving = moved(&mut world).await;
        let report = world.run().await;
        assert_eq!(report.exit_code, 0, "{fields}: {report:#?}");
        assert!(report.exam.notes.join("\n").contains("6 of 6 linked candidates"), "{fields}: {report:#?}");
        swap_account(&world, 6);
        let _again = moved(&mut world).await;
        assert_refused(&world.run().await);
    }
}

#[tokio::test]
async fn doubt_is_no_proof_of_another_account() {
    for fault in ["nobody", "http_5xx", "html_200", "maintenance"] {
        let mut world = ExamSchool::in_step(students(3)).await;
        let _serving = moved(&mut world).await;
        world.edit("s001", |it| it.named("Another name")).await;
        world.set(fault, "getstudentsinfo@*");
        let report = world.run().await;
        assert_eq!((report.exit_code, report.writes()), (75, 0), "{fault}: {report:#?}");
        world.sandbox.clear_faults();
        let report = world.run().await;
        assert_eq!((report.exit_code, report.applied()), (0, "1 modify".to_owned()), "{fault}: {report:#?}");
    }
}

#[tokio::test]
async fn a_plan_judges_too_and_takes_nothing() {
    let mut world = ExamSchool::in_step(students(3)).await;
    let before = world.number("SELECT fingerprint FROM service_accounts").await;
    let _serving = moved(&mut world).await;
    let report = world.plan_report().await;
    assert_eq!(report.exit_code, 0, "{report:#?}");
    assert!(report.exam.notes.join("\n").contains("3 of 3"), "{report:#?}");
    assert_eq!(world.number("SELECT fingerprint FROM service_accounts").await, before);
    swap_account(&world, 3);
    assert_refused(&world.plan_report().await);
}

#[tokio::test]
async fn a_state_of_the_version_before_is_proved_the_same_way_once() {
    let world = ExamSchool::in_step(students(3)).await;
    world.write("DELETE FROM service_accounts").await;
    let report = world.run().await;
    assert_eq!(report.exit_code, 0, "{report:#?}");
    assert!(report.exam.notes.join("\n").contains("3 of 3 linked candidates"), "{report:#?}");
    assert_eq!(world.run().await.calls("getstudentsinfo"), 0);
    world.write("DELETE FROM service_accounts").await;
    swap_account(&world, 2);
    assert_refused(&world.run().await);
}

#[tokio::test]
async fn a_state_without_links_takes_the_account_with_the_first_run_that_may_write() {
    let mut world = ExamSchool::with(students(2)).await;
    world.settings.mode = Mode::Observe;
    let _plan = world.plan_report().await;
    let _observed = world.run().await;
    assert_eq!(world.number("SELECT count(*) FROM service_accounts").await, 0);
    let _serving = moved(&mut world).await;
    world.settings.mode = Mode::CreateOnly;
    let report = world.run().await;
    assert_eq!((report.exit_code, report.applied()), (0, "2 add".to_owned()), "{report:#?}");
    assert_eq!(world.number("SELECT count(*) FROM service_accounts").await, 1);
}

#[tokio::test]
async fn what_was_learnt_about_fields_stays_in_the_account_it_was_learnt_in() {
    let mut world = ExamSchool::with(students(2)).await;
    world.write("INSERT INTO facts VALUES ('exam.login_field', CAST('77' AS BLOB))").await;
    world.settings.mode = Mode::Observe;
    let _observed = world.run().await;
    assert_eq!(world.number("SELECT count(*) FROM facts WHERE name = 'exam.login_field'").await, 0);
    let _serving = moved(&mut world).await;
    world.write("INSERT INTO facts VALUES ('exam.login_field', CAST('77' AS BLOB))").await;
    let _observed = world.run().await;
    assert_eq!(world.number("SELECT count(*) FROM facts WHERE name = 'exam.login_field'").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn results_of_another_account_are_not_kept_under_our_sids() {
    use crate::program::Programs as _;
    let school = School::builder().setting("CLASSIN__ENABLED", "false").build().await;
    school.student("s1").await;
    let gid = school.group_of_all().await;
    school.run_as(Exit::Done).await;
    let sid = school.sandbox.candidate("login-s1").unwrap().sid;
    school.sandbox.remove_candidate(sid);
    let login = school.sandbox.field_id("login").unwrap();
    assert!(school.sandbox.insert_candidate_as(sid, &[(login, "stranger")], &[gid]));
    school.sandbox.insert_attempt(sid, 5, 1_700_000_000, 90, 1);
    school.write("UPDATE service_accounts SET fingerprint = 1").await;
    let ended = school.program(&["results"]);
    assert_eq!(ended.code, 78, "{ended:?}");
    assert_eq!(school.number("SELECT count(*) FROM results").await, 0);
}

#[tokio::test]
async fn a_mistyped_code_leaves_nothing_behind() {
    let mut world = ExamSchool::with(students(2)).await;
    let right = world.settings.exam.code.clone();
    world.settings.exam.code = Some("mistyped".to_owned().into());
    assert_eq!(world.run().await.exit_code, 77);
    assert_eq!(world.number("SELECT count(*) FROM service_accounts").await, 0);
    world.settings.exam.code = right;
    let report = world.run().await;
    assert_eq!((report.exit_code, report.applied()), (0, "2 add".to_owned()), "{report:#?}");
    assert!(report.exam.notes.is_empty(), "{report:#?}");
    assert_eq!(world.number("SELECT count(*) FROM service_accounts").await, 1);
}

#[tokio::test]
async fn a_small_school_whose_sids_were_permuted_is_at_another_account() {
    let people =
        (0..6).map(|at| student(&format!("s{at:03}")).in_groups([if at % 2 == 0 { "g1" } else { "g2" }]));
    let mut world = ExamSchool::in_step(people).await;
    world.settings.guard.max_delete = rosterd_core::roster::Limit::Auto;
    world.set("account", "permuted");
    world.remove("s002").await;
    let before = by_sid(&world);
    for _ in 0..3 {
        world.later(2 * DAY);
        let report = world.run().await;
        assert_eq!((report.exit_code, report.writes()), (78, 0), "{report:#?}");
    }
    assert_eq!(by_sid(&world), before);
}
