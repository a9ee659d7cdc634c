//! What a pull brings, and what it costs.

use crate::program::Programs as _;
use rosterd::Exit;
use rosterd::{CandidateStatus, ResultFilter};

use super::bench::*;
use rosterd_testkit::{DAY, School};

#[tokio::test]
async fn five_thousand_results_with_two_hundred_arriving_have_no_gap_and_no_double() {
    let school = school_with(5000).await;
    school.set("results_arrive", "queryresults@1x50:4");
    let report = pull_to(&school, Exit::Done).await;
    assert_eq!(school.sandbox.result_count(), 5200);
    assert_same(&school, &mirror(&school).await);
    assert_eq!((report.new, report.stored, report.outcome.as_str()), (5200, 5200, "applied"));
    assert!(pages_asked(&school) <= 58, "{} pages", pages_asked(&school));
    school.sandbox.clear_journal();
    let second = pull_to(&school, Exit::Done).await;
    assert_eq!((second.new, second.changed, second.outcome.as_str()), (0, 0, "converged"));
    assert_eq!(pages_asked(&school), 1);
}

#[tokio::test]
async fn results_that_arrive_at_every_single_page_are_all_there_once_they_stop() {
    for arriving in ["1", "99", "130"] {
        let school = school_with(700).await;
        school.set("results_arrive", &format!("queryresults@1x12:{arriving}"));
        pull_as(&school, Exit::Done).await;
        assert_same(&school, &mirror(&school).await);
    }
}

#[tokio::test]
async fn a_pull_stops_where_it_meets_only_known_settled_results() {
    let school = school_with(1000).await;
    pull_as(&school, Exit::Done).await;
    let newest = school.sandbox.results()[0].clone();
    let later = |by| rosterd_sandbox::ResultView { start: newest.start + by, ..newest.clone() };
    school.sandbox.insert_results([later(1), later(2), later(3)]);
    school.sandbox.clear_journal();
    let report = pull_to(&school, Exit::Done).await;
    assert_eq!((report.new, report.full), (3, false));
    assert!(pages_asked(&school) <= 3, "{}", pages_asked(&school));
    assert_same(&school, &mirror(&school).await);
}

#[tokio::test]
async fn attempts_in_progress_are_read_again_until_they_are_handed_in() {
    let school = school_with(350).await;
    for at in [0, 40, 120] {
        school.sandbox.edit_result(at, |result| (result.status, result.end) = (0, 0));
    }
    pull_as(&school, Exit::Done).await;
    assert_same(&school, &mirror(&school).await);
    for at in [0, 40, 120] {
        school.sandbox.edit_result(at, |result| {
            (result.status, result.end, result.score) = (2, result.start + 60, 77);
        });
    }
    let report = pull_to(&school, Exit::Done).await;
    assert_eq!((report.new, report.changed, report.full), (0, 3, false));
    assert_same(&school, &mirror(&school).await);
}

#[tokio::test]
async fn a_paper_marked_again_far_down_is_found_by_the_full_pass_on_its_own_schedule() {
    let school = school_with(900).await;
    pull_as(&school, Exit::Done).await;
    school.sandbox.edit_result(800, |result| result.score += 1);
    let report = pull_to(&school, Exit::Done).await;
    assert_eq!((report.changed, report.full), (0, false));
    school.later(DAY - 60_000);
    assert!(!pull_to(&school, Exit::Done).await.full);
    school.later(120_000);
    let report = pull_to(&school, Exit::Done).await;
    assert_eq!((report.changed, report.full, report.new), (1, true, 0));
    assert_same(&school, &mirror(&school).await);
    assert!(!pull_to(&school, Exit::Done).await.full);
}

#[tokio::test]
async fn a_full_pass_in_every_pull_is_one_and_no_more() {
    let mut school = school_with(250).await;
    school.setting("RESULTS__FULL_EVERY", "0s");
    for _ in 0..2 {
        school.sandbox.clear_journal();
        assert!(pull_to(&school, Exit::Done).await.full);
        assert!(pages_asked(&school) <= 4, "{}", pages_asked(&school));
    }
}

#[tokio::test]
async fn the_list_may_come_in_another_order_in_other_types_and_smaller_pages() {
    for (switch, value) in [
        ("results_order", "oldest_first"),
        ("results_types", "numbers"),
        ("empty_list", "absent"),
        ("start_beyond_total", "error"),
    ] {
        let school = school_with(420).await;
        school.set(switch, value);
        pull_as(&school, Exit::Done).await;
        school.set("results_arrive", "queryresults@1x3:7");
        pull_as(&school, Exit::Done).await;
        pull_as(&school, Exit::Done).await;
        assert_same(&school, &mirror(&school).await);
    }
    for size in ["1", "2", "7"] {
        let mut school = school_with(30).await;
        school.setting("EXAM__PAGE_SIZE", size);
        pull_as(&school, Exit::Done).await;
        assert_same(&school, &mirror(&school).await);
    }
}

#[tokio::test]
async fn an_account_without_results_is_no_error() {
    let school = school_with(0).await;
    let report = pull_to(&school, Exit::Done).await;
    assert_eq!((report.stored, report.outcome.as_str()), (0, "converged"));
}

#[tokio::test]
async fn results_that_the_service_no_longer_lists_are_kept() {
    let school = school_with(300).await;
    pull_as(&school, Exit::Done).await;
    let gone = school.sandbox.results()[250].clone();
    school.sandbox.remove_result(250);
    for later in [0, DAY] {
        school.later(later);
        let report = pull_to(&school, Exit::Done).await;
        assert_eq!((report.stored, report.no_longer_listed), (300, 1), "{later:?}");
    }
    assert!(mirror(&school).await.contains(&gone));
}

/// A school with students in step, each with an attempt.
async fn school_in_step() -> School {
    let mut school = School::with_credentials("xxx", "topsecret").await;
    school.setting("CLASSIN__ENABLED", "false");
    school.setting("EXAM__DELETE_GRACE", "0s");
    for id in ["s1", "s2", "s3"] {
        school.student(id).await;
    }
    school.group_of_all().await;
    school.run_as(Exit::Done).await;
    let login = school.sandbox.field_id("login").unwrap();
    let stranger = school.sandbox.insert_candidate(&[(login, "stranger")], &[1001]);
    let sids: Vec<i64> =
        ["login-s1", "login-s2", "login-s3"].map(|it| school.sandbox.candidate(it).unwrap().sid).into();
    school.sandbox.insert_results(results(6, &sids));
    school.sandbox.insert_results(results(1, &[stranger]));
    school
}

async fn whose(school: &School) -> Vec<(String, &'static str)> {
    let rows = stored(school, &ResultFilter::default()).await;
    let mut whose: Vec<_> = rows
        .into_iter()
        .map(|row| (row.student.map_or("-".to_owned(), |it| it.as_str().to_owned()), row.candidate.as_str()))
        .collect();
    whose.sort();
    whose
}

fn named(pairs: &[(&str, &'static str)]) -> Vec<(String, &'static str)> {
    pairs.iter().map(|(student, standing)| ((*student).to_owned(), *standing)).collect()
}

#[tokio::test]
async fn results_are_joined_to_students_and_others_are_kept_and_marked() {
    let school = school_in_step().await;
    let report = pull_to(&school, Exit::Done).await;
    assert_eq!((report.whose.managed, report.whose.deleted, report.whose.unmanaged), (6, 0, 1));
    let ours = [("s1", "managed"), ("s1", "managed"), ("s2", "managed"), ("s2", "managed")];
    let all = [&[("-", "unmanaged")], &ours[..], &[("s3", "managed"), ("s3", "managed")]].concat();
    assert_eq!(whose(&school).await, named(&all), "several attempts are kept apart");
    school.drop_student("s3").await;
    let _seen = school.run().await;
    let _deleted = school.run().await;
    assert!(school.sandbox.candidate("login-s3").is_none());
    let after = [&[("-", "unmanaged")], &ours[..], &[("s3", "deleted"), ("s3", "deleted")]].concat();
    assert_eq!(whose(&school).await, named(&after));
    pull_as(&school, Exit::Done).await;
    assert_eq!(whose(&school).await, named(&after));
}

#[tokio::test]
async fn a_candidate_deleted_before_the_first_pull_is_still_known_as_the_students() {
    let school = school_in_step().await;
    school.drop_student("s3").await;
    let _seen = school.run().await;
    let _deleted = school.run().await;
    let report = pull_to(&school, Exit::Done).await;
    assert_eq!((report.whose.managed, report.whose.deleted, report.whose.unmanaged), (4, 2, 1));
}

#[tokio::test]
async fn a_student_with_a_new_candidate_or_a_new_id_keeps_the_older_results() {
    let school = school_in_step().await;
    school.sandbox.remove_candidate(school.sandbox.candidate("login-s1").unwrap().sid);
    school.later(2 * DAY);
    let _again = school.run().await;
    let sid = school.sandbox.candidate("login-s1").unwrap().sid;
    school.sandbox.insert_results([rosterd_sandbox::ResultView {
        sid,
        start: 1_800_000_000,
        ..results(1, &[sid])[0].clone()
    }]);
    pull_as(&school, Exit::Done).await;
    let of = |student: &str| ResultFilter {
        student: Some(rosterd_core::roster::StudentId::new(student)),
        ..ResultFilter::default()
    };
    let standings: Vec<CandidateStatus> =
        stored(&school, &of("s1")).await.into_iter().map(|row| row.candidate).collect();
    assert_eq!(standings, [CandidateStatus::Managed, CandidateStatus::Deleted, CandidateStatus::Deleted]);
    let relinked = school.program(&["relink", "s1", "n1", "--force"]);
    assert_eq!(relinked.code, 0, "{relinked:?}");
    assert_eq!(stored(&school, &of("n1")).await.len(), 3);
    assert!(stored(&school, &of("s1")).await.is_empty());
}
