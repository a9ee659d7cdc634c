//! Results that come twice: one where nothing tells them apart, two where something does, and no end of a pull.

use rosterd::Exit;
use rosterd_sandbox::ResultView;
use rosterd_testkit::School;

use super::bench::*;
use crate::program::Programs as _;

/// 350 results, of which the one at position 150 of the list comes a second time with another score or the same.
async fn school_with_a_twin(score: i64) -> School {
    let school = school_with(200).await;
    let sid = school.sandbox.results()[0].sid;
    let later = |at: i64| ResultView {
        eid: 9,
        sid,
        start: 1_800_000_000 + at,
        end: 1_800_000_090,
        score: 5,
        passed: 0,
        status: 1,
    };
    let twin = ResultView { score, ..later(0) };
    school.sandbox.insert_results([later(0), twin].into_iter().chain((1..150).map(later)));
    school
}

#[tokio::test]
async fn a_result_that_is_listed_twice_is_kept_once_and_told_once_and_keeps_nothing_below_it_away() {
    let school = school_with_a_twin(5).await;
    let report = pull_to(&school, Exit::Incomplete).await;
    assert_eq!((report.stored, report.listed, report.doubled_rows), (350, Some(351), 1));
    assert_eq!(report.errors.len(), 1, "{:?}", report.errors);
    assert!(report.errors[0].contains("position 150 of queryresults"), "{:?}", report.errors);
    assert_same(&school, &mirror(&school).await);
    let report = pull_to(&school, Exit::Done).await;
    assert_eq!(
        (report.full, report.new, report.changed, report.errors.len()),
        (true, 0, 0, 0),
        "once more in full"
    );
    school.sandbox.clear_journal();
    let report = pull_to(&school, Exit::Done).await;
    assert_eq!((report.full, report.new, report.doubled_rows, pages_asked(&school)), (false, 0, 1, 1));
}

#[tokio::test]
async fn two_results_of_one_second_with_different_values_are_two_and_stay_so() {
    let school = school_with_a_twin(77).await;
    let report = pull_to(&school, Exit::Incomplete).await;
    assert_eq!((report.stored, report.doubled_rows), (351, 1), "{report:#?}");
    assert!(report.errors[0].contains("both are kept"), "{:?}", report.errors);
    assert_same(&school, &mirror(&school).await);
    for day in 0..2 {
        let report = pull_to(&school, Exit::Done).await;
        assert_eq!((report.new, report.changed, report.errors.len()), (0, 0, 0), "{day}: {report:#?}");
        school.later(25 * 60 * 60 * 1000);
    }
    assert_same(&school, &mirror(&school).await);
}

#[tokio::test]
async fn what_a_doubled_row_stands_in_the_place_of_is_brought_by_the_next_reading() {
    let school = school_with(450).await;
    // For as long as the pull lasts the last row of each page is its first one again.
    school.set("duplicate_row", "queryresults@*");
    let report = pull_to(&school, Exit::Incomplete).await;
    assert!(report.stored >= 440, "{report:#?}");
    school.sandbox.clear_faults();
    pull_as(&school, Exit::Done).await;
    assert_same(&school, &mirror(&school).await);
}

#[tokio::test]
async fn results_that_are_counted_and_not_listed_are_told_once_and_are_attention_afterwards() {
    let school = school_with(250).await;
    school.set("total_drifts", "queryresults@*:7");
    let report = pull_to(&school, Exit::Incomplete).await;
    assert_eq!(report.stored, 250);
    assert_eq!(report.errors.len(), 1, "{:?}", report.errors);
    assert!(report.errors[0].contains("counts 7 more results than it lists"), "{:?}", report.errors);
    assert!(pull_to(&school, Exit::Done).await.full, "once more in full");
    assert!(!pull_to(&school, Exit::Done).await.full);
    let status = school.program(&["status", "--output", "json"]).json();
    assert_eq!(status["attention"]["unlisted-results"]["count"], 7, "{status:#}");
    assert!(status["attention"]["failing-results"].is_null(), "{status:#}");
    school.sandbox.clear_faults();
    school.later(25 * 60 * 60 * 1000);
    pull_as(&school, Exit::Done).await;
    let status = school.program(&["status", "--output", "json"]).json();
    assert!(status["attention"]["unlisted-results"].is_null(), "{status:#}");
}
