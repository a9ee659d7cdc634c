//! What stops the service for a run, and what the run then says.

use rosterd_core::failure::FailureState;
use rosterd_testkit::*;

#[tokio::test]
async fn a_wrong_code_ends_as_credentials_refused_whatever_form_the_refusal_takes() {
    for style in ["200_json", "4xx_json", "4xx_text", "401_json", "403_html"] {
        for known in [false, true] {
            let mut world = ExamSchool::in_step(students(2)).await;
            if !known {
                world = ExamSchool::with(students(2)).await;
            }
            world.set("auth_error_style", style);
            world.settings.exam.code = Some("wrong".into());
            let report = world.run().await;
            assert_eq!((report.exit_code, report.writes()), (77, 0), "{style}: {report:?}");
            assert!(!report.errors.is_empty(), "{known:?}");
        }
    }
}

#[tokio::test]
async fn a_plan_that_ends_in_mid_run_stops_the_run_and_loses_nothing() {
    let mut world = ExamSchool::in_step(students(5)).await;
    for number in 0..250 {
        world.people.insert(format!("new{number}"), student(&format!("new{number}")));
    }
    world.write_roster().await;
    world.settings.exam.endpoint.max_in_flight = 1;
    world.set("refuse_call", "addStudents@2x100");
    world.set("refuse_call", "getFields@1x100");
    let report = world.run().await;
    // A call was accepted in this very run, so the credentials are right.
    assert_eq!((report.applied(), report.exit_code), ("100 add".to_owned(), 75));
    assert_eq!(report.skipped(), "150 add");
    assert_eq!(report.calls("addStudents"), 2);
    world.sandbox.clear_faults();
    assert_eq!(world.run().await.applied(), "150 add");
    assert_eq!(world.differences(&[]), Vec::<String>::new());
}

#[tokio::test]
async fn an_address_that_has_answered_in_the_same_run_is_not_blamed_for_one_write_that_meets_another_host() {
    for (switch, fault) in [("http_5xx", "addStudents@2x100:404"), ("redirect", "addStudents@2x100")] {
        let mut world = ExamSchool::in_step(students(5)).await;
        for number in 0..150 {
            world.people.insert(format!("new{number}"), student(&format!("new{number}")));
        }
        world.write_roster().await;
        world.settings.exam.endpoint.max_in_flight = 1;
        world.set(switch, fault);
        let report = world.run().await;
        assert_eq!((report.applied(), report.exit_code), ("100 add".to_owned(), 75), "{switch}: {report:?}");
        assert!(report.errors.iter().any(|it| it.contains("earlier in this run")), "{:?}", report.errors);
        world.sandbox.clear_faults();
        assert_eq!(world.run().await.applied(), "50 add", "{switch}");
    }
}

#[tokio::test]
async fn a_service_that_cannot_be_reached_ends_as_temporary() {
    let mut world = ExamSchool::in_step(students(2)).await;
    world.put(student("new")).await;
    let nobodys = nobodys_address();
    let here = std::mem::replace(&mut world.settings.exam.endpoint.base_url, nobodys);
    let report = world.run().await;
    assert_eq!((report.exit_code, report.outcome.as_str()), (75, "failed"));
    world.settings.exam.endpoint.base_url = here;
    assert_eq!(world.run().await.applied(), "1 add");
}

#[tokio::test]
async fn a_service_that_fails_call_after_call_is_left_alone_for_the_rest_of_the_run() {
    let mut world = ExamSchool::in_step(students(12)).await;
    world.settings.exam.batch_size = 1;
    world.settings.exam.endpoint.max_in_flight = 1;
    for number in 0..10 {
        world.edit(&format!("s{number:03}"), |it| it.named("Somebody else")).await;
    }
    world.set("http_5xx", "changeStuinfo@*:500");
    let report = world.run().await;
    assert_eq!((report.failed(), report.skipped()), ("5 modify".to_owned(), "5 modify".to_owned()));
    assert_eq!((report.exit_code, report.calls("changeStuinfo")), (75, 5));
    world.sandbox.clear_faults();
    assert_eq!(world.run_later().await.applied(), "10 modify");
}

#[tokio::test]
async fn what_cannot_be_written_down_is_not_sent_and_every_operation_is_counted() {
    let mut world = ExamSchool::in_step(students(12)).await;
    world.settings.exam.batch_size = 2;
    world.settings.exam.endpoint.max_in_flight = 1;
    for number in 0..10 {
        world.edit(&format!("s{number:03}"), |it| it.named("Somebody else")).await;
    }
    world.break_our_database("INSERT ON intents WHEN NEW.batch = 3").await;
    let report = world.run().await;
    assert_eq!((report.applied(), report.skipped()), ("4 modify".to_owned(), "6 modify".to_owned()));
    assert_eq!((report.exit_code, report.calls("changeStuinfo")), (1, 2));
    world.mend_our_database().await;
    assert_eq!(world.run().await.applied(), "6 modify");
    assert_eq!(world.differences(&[]), Vec::<String>::new());
}

#[tokio::test]
async fn a_sent_call_that_could_not_be_recorded_is_unknown_and_settled_by_the_next_run() {
    let mut world = ExamSchool::with(students(12)).await;
    world.settings.exam.batch_size = 4;
    world.settings.exam.endpoint.max_in_flight = 1;
    world.break_our_database("INSERT ON links WHEN NEW.student_id = 's005'").await;
    let report = world.run().await;
    assert_eq!(
        (report.applied(), report.unknown(), report.skipped()),
        ("4 add".into(), "4 add".into(), "4 add".into())
    );
    assert_eq!(report.exit_code, 1);
    world.mend_our_database().await;
    let report = world.run().await;
    assert_eq!((report.applied(), report.exit_code), ("4 add".to_owned(), 0));
    assert_eq!(world.differences(&[]), Vec::<String>::new());
    assert_eq!(world.run().await.planned(), "");
}

#[tokio::test]
async fn a_full_account_stops_the_adds_and_nothing_else() {
    for style in ["fail_items", "refuse_call"] {
        let mut world = ExamSchool::in_step(students(20)).await;
        world.set("candidate_cap", "25");
        world.set("cap_style", style);
        world.settings.exam.batch_size = 10;
        world.settings.exam.endpoint.max_in_flight = 1;
        for number in 0..100 {
            world.people.insert(format!("new{number:03}"), student(&format!("new{number:03}")));
        }
        world.edit("s001", |it| it.named("Somebody else")).await;
        world.edit("s002", |it| it.in_groups(["g1", "g2"])).await;
        let report = world.run().await;
        assert_eq!(report.applied(), "5 add, 1 modify, 1 move", "{style}");
        assert_eq!(report.exit_code, 3, "{style:?}");
        assert!(
            report.skipped().ends_with(" add") && report.calls("addStudents") < 60,
            "{style}: {report:?}"
        );
        assert!(report.exam.notes.iter().any(|note| note.contains("candidate number limit")), "{report:?}");
        let short = report.exam.notes.iter().any(|note| note.contains("95 more candidates are needed"));
        assert!(short, "{style}: {:?}", report.exam.notes);
        assert!(report.is_good, "both sides were read: {report:?}");
        assert_eq!(report.attention["full-account"].owner, "quota", "{report:?}");
        let failures = world.failures().await;
        assert!(
            !failures.is_empty() && failures.iter().all(|row| row.who == "quota"),
            "{style}: {failures:?}"
        );
        assert!(failures.iter().all(|row| row.message.contains("no room")), "{style}");
        world.set("candidate_cap", "0");
        assert_eq!(world.run_later().await.exit_code, 0, "{style:?}");
        assert_eq!(world.differences(&[]), Vec::<String>::new(), "{style:?}");
    }
}

#[tokio::test]
async fn a_full_account_that_says_so_is_nobodys_fault_however_few_are_refused() {
    for switches in [
        [("cap_style", "refuse_call"), ("fail_style", "index")],
        [("cap_style", "fail_items"), ("fail_style", "object")],
    ] {
        let mut world = ExamSchool::in_step(students(5)).await;
        world.settings.retry.max_attempts = 2;
        world.set("candidate_cap", "5");
        switches.iter().for_each(|(name, value)| world.set(name, value));
        for number in 0..3 {
            world.people.insert(format!("new{number}"), student(&format!("new{number}")));
        }
        world.write_roster().await;
        for run in 0..4 {
            let report = world.run_later().await;
            assert!(
                report.exam.notes.iter().any(|note| note.contains("candidate number limit")),
                "{run}: {report:?}"
            );
            let failures = world.failures().await;
            assert!(!failures.is_empty(), "{switches:?}");
            assert!(
                failures.iter().all(|row| row.who == "quota" && row.state == FailureState::Waiting),
                "{switches:?} {run}: {failures:?}"
            );
        }
        world.set("candidate_cap", "0");
        assert_eq!(world.run_later().await.applied(), "3 add", "{switches:?}");
        assert_eq!(world.failures().await, [], "{switches:?}");
    }
}

#[tokio::test]
async fn a_group_that_the_roster_names_wrongly_fails_for_those_in_it_alone() {
    let mut world = ExamSchool::in_step(students(5)).await;
    world.groups.insert("g9".to_owned(), Some(999_999));
    world.put(student("new").in_groups(["g9"])).await;
    world.put(student("other")).await;
    world.edit("s001", |it| it.in_groups(["g9"])).await;
    let report = world.run().await;
    assert_eq!((report.applied(), report.failed()), ("1 add".to_owned(), "1 add, 1 move".to_owned()));
    assert_eq!(world.candidate("s001").gids, [world.gid("g1")].into());
}

#[tokio::test]
async fn an_account_that_stays_full_for_days_makes_nobody_a_dead_letter() {
    let mut world = ExamSchool::in_step(students(5)).await;
    world.settings.retry.max_attempts = 3;
    world.set("candidate_cap", "5");
    for number in 0..20 {
        world.people.insert(format!("new{number:03}"), student(&format!("new{number:03}")));
    }
    world.write_roster().await;
    for run in 0..6 {
        let report = world.run_later().await;
        assert_eq!((report.exit_code, report.writes() > 0), (3, true), "run {run}: {report:?}");
        assert!(
            report.exam.notes.iter().any(|note| note.contains("20 more candidates are needed")),
            "{report:?}"
        );
        assert!(world.failures().await.iter().all(|row| row.state == FailureState::Waiting), "run {run}");
    }
    world.set("candidate_cap", "0");
    assert_eq!(world.run_later().await.applied(), "20 add");
    assert_eq!(world.failures().await, []);
}

#[tokio::test]
async fn links_that_cannot_be_packed_for_the_next_run_are_no_trouble_of_this_one() {
    let world = ExamSchool::in_step(students(1_010)).await;
    world.our_database("DELETE FROM packed_links").await;
    world.break_our_database("INSERT ON packed_links").await;
    let report = world.run().await;
    assert_eq!((report.exit_code, report.planned()), (0, String::new()), "{report:?}");
}
