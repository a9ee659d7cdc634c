//! A pull that is interrupted or killed: the next one goes on, and the end is the same.

use std::process::Stdio;
use std::time::Duration;

use crate::program::Programs as _;
use rosterd::Exit;

use super::bench::*;
use rosterd_testkit::eventually;

const PAGES: usize = 8;

#[tokio::test]
async fn a_pull_killed_at_any_page_and_repeated_gives_the_same_while_results_arrive() {
    for page in 1..=PAGES {
        let school = school_with(700).await;
        school.set("results_arrive", "queryresults@1x6:3");
        cut_off_at(&school, page).await;
        let before = mirror(&school).await.len();
        let newest = school.sandbox.results()[0].clone();
        school.sandbox.insert_results(
            (1..=150).map(|by| rosterd_sandbox::ResultView { start: newest.start + by, ..newest.clone() }),
        );
        school.sandbox.clear_journal();
        let report = pull_to(&school, Exit::Done).await;
        assert_same(&school, &mirror(&school).await);
        assert_eq!(report.resumed, before > 0, "killed at page {page}");
        // What was read is not read again: the pages that were left, and those of what arrived.
        let left = (868 - before).div_ceil(99);
        assert!(pages_asked(&school) <= left + 6, "killed at page {page}: {}", pages_asked(&school));
        assert_eq!(pull_to(&school, Exit::Done).await.new, 0);
    }
}

#[tokio::test]
async fn a_pull_that_is_killed_again_and_again_still_comes_to_its_end() {
    let school = school_with(900).await;
    let mut pulls = 0;
    loop {
        school.sandbox.clear_journal();
        cut_off_at(&school, 3).await;
        pulls += 1;
        assert!(pulls < 30, "no progress: {} of 900", mirror(&school).await.len());
        if mirror(&school).await.len() == 900 {
            break;
        }
    }
    pull_as(&school, Exit::Done).await;
    assert_same(&school, &mirror(&school).await);
}

#[tokio::test]
async fn an_incremental_pull_that_is_killed_leaves_no_hole_above_what_was_known() {
    for page in 1..=5 {
        let school = school_with(300).await;
        pull_as(&school, Exit::Done).await;
        let newest = school.sandbox.results()[0].clone();
        let arrived =
            (1..=350).map(|by| rosterd_sandbox::ResultView { start: newest.start + by, ..newest.clone() });
        school.sandbox.insert_results(arrived);
        school.sandbox.clear_journal();
        cut_off_at(&school, page).await;
        school.sandbox.clear_journal();
        pull_as(&school, Exit::Done).await;
        assert_same(&school, &mirror(&school).await);
    }
}

#[tokio::test]
async fn results_deleted_between_the_kill_and_the_next_pull_do_not_hide_others() {
    for deleted in [1, 60, 250] {
        let school = school_with(600).await;
        cut_off_at(&school, 4).await;
        for _ in 0..deleted {
            school.sandbox.remove_result(0);
        }
        pull_as(&school, Exit::Done).await;
        let mirrored = mirror(&school).await;
        let missing = school.sandbox.results().into_iter().filter(|it| !mirrored.contains(it)).count();
        assert_eq!(missing, 0, "{deleted} deleted");
    }
}

#[tokio::test]
async fn rows_that_a_killed_pull_could_not_read_are_told_once_by_the_one_that_goes_on() {
    for cuts in [&[3][..], &[3, 3], &[2, 4, 2]] {
        let school = school_with(700).await;
        // In the first answer alone: nobody meets the row again.
        school.set("unreadable_row", "queryresults@1:50");
        for pages in cuts {
            cut_off_at(&school, *pages).await;
            school.sandbox.clear_journal();
        }
        let report = pull_to(&school, Exit::Incomplete).await;
        assert!(report.resumed, "{cuts:?}");
        assert_eq!(report.unreadable_rows, 1, "{cuts:?}: {:?}", report.errors);
        let [error] = report.errors.as_slice() else { panic!("{cuts:?}: {:?}", report.errors) };
        assert!(error.contains("the result at position 50 of queryresults"), "{error}");
        let report = pull_to(&school, Exit::Done).await;
        assert_eq!((report.errors.len(), report.unreadable_rows), (0, 1), "{cuts:?}: told once");
    }
}

#[tokio::test]
async fn rows_that_came_twice_in_a_killed_pull_are_told_once_by_the_one_that_goes_on() {
    let school = school_with(700).await;
    let newest = school.sandbox.results()[0].clone();
    school.sandbox.insert_results([newest]);
    // A page that shows a row twice is read three times.
    cut_off_at(&school, 5).await;
    let report = pull_to(&school, Exit::Incomplete).await;
    assert!(report.errors.iter().any(|error| error.contains("comes twice")), "{:?}", report.errors);
    let _again = pull(&school).await;
    let report = pull_to(&school, Exit::Done).await;
    assert!(report.errors.is_empty(), "{:?}", report.errors);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_killed_by_force_or_told_to_stop_loses_nothing() {
    for (signal, code) in [("KILL", None), ("TERM", Some(143))] {
        let school = school_with(1000).await;
        school.set("exam.latency_ms", "30");
        let mut child = school.command(&["results"]).stdout(Stdio::null()).spawn().unwrap();
        eventually("four pages", || pages_asked(&school) >= 4).await;
        let id = child.id().to_string();
        std::process::Command::new("kill").args([&format!("-{signal}"), id.as_str()]).status().unwrap();
        let ended = tokio::task::spawn_blocking(move || child.wait().unwrap()).await.unwrap();
        assert_eq!(ended.code(), code, "{signal}");
        school.set("exam.latency_ms", "0");
        tokio::time::sleep(Duration::from_millis(1)).await;
        let again = school.program(&["results", "--output", "json"]);
        assert_eq!(again.code, 0, "{again:?}");
        assert_eq!(again.json()["resumed"], true, "{signal}");
        assert_same(&school, &mirror(&school).await);
    }
}
