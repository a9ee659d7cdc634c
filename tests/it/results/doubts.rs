//! Pages that fail, are short, cut or something else: never a gap, and a pull that is not sure says so.

use crate::program::Programs as _;
use rosterd::Exit;
use rosterd::Settings;

use super::bench::*;

#[tokio::test]
async fn a_page_that_fails_once_is_asked_for_again() {
    for fault in [
        "short_page=queryresults@2:30",
        "short_page=queryresults@5:1",
        "short_page=queryresults@3:100",
        "duplicate_row=queryresults@3",
        "total_drifts=queryresults@2",
        "total_drifts=queryresults@5",
        "cut_body=queryresults@3",
        "not_json=queryresults@3",
        "html_200=queryresults@3",
        "maintenance=queryresults@3",
        "http_5xx=queryresults@3:502",
        "reset=queryresults@3",
        "drop_request=queryresults@3",
        "lose_answer=queryresults@3",
        "http_429=queryresults@3",
        "wrong_type=queryresults@3",
        "results_change=queryresults@3:delete/0",
        "results_change=queryresults@4:delete/200",
        "results_change=queryresults@3:score/5",
        "stale_read=queryresults@3:0",
    ] {
        let school = school_with(450).await;
        let before = school.sandbox.results();
        let (name, value) = fault.split_once('=').unwrap();
        school.set(name, value);
        pull_as(&school, Exit::Done).await;
        let mirrored = mirror(&school).await;
        if fault.starts_with("results_change") {
            // A result that was marked again or deleted after it had been read is as it was then.
            let missing: Vec<_> = before.iter().filter(|it| !mirrored.contains(it)).collect();
            assert!(missing.len() <= 1, "{fault}: {missing:?}");
        } else {
            assert_same(&school, &mirrored);
        }
    }
}

#[tokio::test]
async fn a_page_that_keeps_failing_ends_the_pull_accordingly_and_the_next_one_goes_on() {
    for (fault, value, exit) in [
        ("html_200", "queryresults@3x999", Exit::Temporary),
        ("cut_body", "queryresults@3x999", Exit::Temporary),
        ("not_json", "queryresults@3x999", Exit::Temporary),
        ("wrong_type", "queryresults@3x999", Exit::Temporary),
        ("http_5xx", "queryresults@3x999", Exit::Temporary),
        ("drop_request", "queryresults@3x999", Exit::Temporary),
        ("http_429", "queryresults@3x999", Exit::Temporary),
        ("refuse_call", "queryresults@3x999", Exit::Temporary),
        ("redirect", "queryresults@3x999", Exit::Temporary),
        ("short_page", "queryresults@3x999:99", Exit::Incomplete),
        ("total_drifts", "queryresults@3x999:5", Exit::Incomplete),
    ] {
        let school = school_with(450).await;
        school.set(fault, value);
        let report = pull_to(&school, exit).await;
        assert_eq!(report.errors.len(), 1, "{fault}: {:?}", report.errors);
        assert!(report.stored < 450 || exit == Exit::Incomplete, "{fault}");
        school.sandbox.clear_faults();
        let report = pull_to(&school, Exit::Done).await;
        assert!(report.full, "{fault}: a pass that was not sure is followed by a full one");
        assert_same(&school, &mirror(&school).await);
    }
}

#[tokio::test]
async fn refused_credentials_end_with_77_whatever_the_refusal_looks_like() {
    for style in ["200_json", "401_json", "403_html", "4xx_json"] {
        let mut school = school_with(120).await;
        school.set("auth_error_style", style);
        school.setting("EXAM__CODE", "another");
        pull_as(&school, Exit::Credentials).await;
        assert!(mirror(&school).await.is_empty(), "{style:?}");
    }
}

#[tokio::test]
async fn a_list_that_is_empty_all_at_once_is_not_believed() {
    let school = school_with(120).await;
    pull_as(&school, Exit::Done).await;
    while school.sandbox.result_count() > 0 {
        school.sandbox.remove_result(0);
    }
    let report = pull_to(&school, Exit::Incomplete).await;
    assert!(report.errors[0].contains("exam.code"), "{:?}", report.errors);
    assert_eq!(report.stored, 120);
}

#[tokio::test]
async fn a_service_that_takes_start_for_the_number_of_a_page_is_named_as_such() {
    let school = school_with(450).await;
    school.set("start_semantics", "page0");
    let report = pull_to(&school, Exit::Incomplete).await;
    assert!(report.errors[0].contains("number of a page"), "{:?}", report.errors);
    school.set("start_semantics", "offset");
    pull_as(&school, Exit::Done).await;
    assert_same(&school, &mirror(&school).await);
}

#[tokio::test]
async fn a_gap_that_the_total_betrays_is_closed_by_a_full_pass() {
    let school = school_with(400).await;
    pull_as(&school, Exit::Done).await;
    // As if a row had never come: nothing of the first page tells, but the service counts one more than we have.
    school.forget_a_result().await;
    let report = pull_to(&school, Exit::Done).await;
    assert_eq!((report.new, report.full), (1, true));
    assert_same(&school, &mirror(&school).await);
}

trait Forget {
    async fn forget_a_result(&self);
}

impl Forget for rosterd_testkit::School {
    async fn forget_a_result(&self) {
        use sqlx::{ConnectOptions as _, Connection as _};
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(self.path("state.db"));
        let mut connection = options.connect().await.unwrap();
        let sql = "DELETE FROM results WHERE started_at_ms = (SELECT min(started_at_ms) FROM results)";
        sqlx::query(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_disabled_exam_side_has_no_results_to_pull() {
    let mut school = school_with(1).await;
    school.setting("EXAM__ENABLED", "false");
    let _settings: Settings = school.settings();
    let ended = school.program(&["results"]);
    assert_eq!(ended.code, 78, "{ended:?}");
    assert!(ended.stderr.contains("exam.enabled"), "{ended:?}");
}

#[tokio::test]
async fn rows_that_cannot_be_read_are_told_once_by_their_place_and_stop_nothing() {
    let school = school_with(350).await;
    school.set("unreadable_row", "queryresults@*:50");
    let report = pull_to(&school, Exit::Incomplete).await;
    assert_eq!((report.stored, report.unreadable_rows), (346, 4), "{:?}", report.errors);
    assert!(report.errors[0].contains("the result at position 50 of queryresults"), "{:?}", report.errors);
    assert_eq!(report.errors.len(), 4, "three are named: {:?}", report.errors);
    let report = pull_to(&school, Exit::Done).await;
    assert_eq!((report.new, report.unreadable_rows, report.errors.len()), (0, 4, 0));
    let status = school.program(&["status", "--output", "json"]).json();
    assert_eq!(status["attention"]["unreadable-results"]["count"], 4, "{status:#}");
    school.sandbox.clear_faults();
    school.later(25 * 60 * 60 * 1000);
    let report = pull_to(&school, Exit::Done).await;
    assert_eq!((report.new, report.stored, report.unreadable_rows), (4, 350, 0));
    assert_same(&school, &mirror(&school).await);
}

#[tokio::test]
async fn a_page_that_is_never_read_keeps_no_new_results_away() {
    let school = school_with(350).await;
    pull_as(&school, Exit::Done).await;
    school.later(25 * 60 * 60 * 1000);
    let sid = school.sandbox.results()[0].sid;
    // The third page of a full reading is never answered, nor is it where the next pull goes on: four times each.
    for (pull, fault) in [(0, "queryresults@3x4"), (1, "queryresults@1x4")] {
        school.set("html_200", fault);
        school.sandbox.insert_results((0..20).map(|at| rosterd_sandbox::ResultView {
            eid: 9,
            sid,
            start: 1_800_000_000 + pull * 100 + at,
            end: 1_800_000_090 + pull * 100 + at,
            score: 5,
            passed: 0,
            status: 1,
        }));
        let report = pull_to(&school, Exit::Temporary).await;
        assert_eq!(report.new, 20, "pull {pull}: {report:?}");
        school.sandbox.clear_faults();
    }
    pull_as(&school, Exit::Done).await;
    assert_same(&school, &mirror(&school).await);
}

#[tokio::test]
async fn pulls_that_fail_are_attention_with_an_age_and_an_owner_until_one_succeeds() {
    let school = school_with(50).await;
    for (switch, value, owner) in [("http_5xx", "queryresults@*", "service"), ("exam.plan", "expired", "it")]
    {
        school.set(switch, value);
        let report = pull(&school).await;
        assert!(report.exit_code > 3, "{switch}: {report:?}");
        let status = school.program(&["status", "--output", "json"]).json();
        let failing = &status["attention"]["failing-results"];
        assert_eq!(
            (&failing["count"], &failing["owner"]),
            (&1.into(), &owner.into()),
            "{switch}: {status:#}"
        );
        let since = failing["since"].clone();
        school.later(5 * 60 * 60 * 1000);
        let _failed_again = pull(&school).await;
        let status = school.program(&["status", "--output", "json"]).json();
        assert_eq!(status["attention"]["failing-results"]["since"], since, "{switch}");
        school.sandbox.clear_faults();
        school.set("exam.plan", "premium");
        pull_as(&school, Exit::Done).await;
        let status = school.program(&["status", "--output", "json"]).json();
        assert!(status["attention"]["failing-results"].is_null(), "{switch}: {status:#}");
    }
}

#[tokio::test]
async fn results_that_arrive_faster_than_they_can_be_read_end_a_pull() {
    for arriving in ["60", "150"] {
        let school = school_with(300).await;
        school.set("results_arrive", &format!("queryresults@*:{arriving}"));
        let report = pull(&school).await;
        assert!(report.exit_code == 0 || report.exit_code == 3, "{arriving}: {report:?}");
        assert!(pages_asked(&school) < 1000, "{arriving}: {}", pages_asked(&school));
    }
}

#[tokio::test]
async fn a_pull_that_was_due_and_has_not_come_is_attention_until_one_does() {
    let mut school = school_with(50).await;
    school.setting("RESULTS__CRON", "0 30 2 * * *");
    let days = 3 * 24 * 60 * 60 * 1000;
    school.later(-days);
    pull_as(&school, Exit::Done).await;
    let status = school.program(&["status", "--output", "json"]).json();
    let late = &status["attention"]["late-results"];
    assert_eq!((&late["count"], &late["owner"]), (&1.into(), &"it".into()), "{status:#}");
    assert!(late["what"].as_str().unwrap().contains("has not come"), "{late}");
    school.later(days);
    pull_as(&school, Exit::Done).await;
    let status = school.program(&["status", "--output", "json"]).json();
    assert!(status["attention"]["late-results"].is_null(), "{status:#}");
}
