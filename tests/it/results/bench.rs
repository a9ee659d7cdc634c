//! A school whose exam account has results, and pulls of them in this process. Asserts nothing by itself but that a
//! mirror holds nothing twice.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use rosterd::Exit;
use rosterd::exam_side;
use rosterd::{ExamRetryDelays, Progress, ResultsPull, ResultsReport, pull_results};
use rosterd::{ResultFilter, StateStore, StudentResult};
use rosterd_sandbox::ResultView;

use rosterd_testkit::School;

/// The first moment at which somebody begins.
const FIRST: i64 = 1_700_000_000;

/// Results of `candidates` candidates, each with several attempts at several exams, handed in one after the other.
pub(crate) fn results(number: i64, candidates: &[i64]) -> Vec<ResultView> {
    (0..number)
        .zip(candidates.iter().cycle())
        .map(|(at, sid)| ResultView {
            eid: 107_000 + at % 3,
            sid: *sid,
            start: FIRST + at,
            end: FIRST + at + 30,
            score: at % 101,
            passed: i64::from(at % 101 >= 60),
            status: 1 + at % 4,
        })
        .collect()
}

/// A school with so many results of twenty candidates that are nobody's.
pub(crate) async fn school_with(number: i64) -> School {
    let school = School::with_credentials("xxx", "topsecret").await;
    let gid = school.sandbox.create_group("G");
    let login = school.sandbox.field_id("login").unwrap();
    let sids: Vec<i64> = (0..20)
        .map(|at| school.sandbox.insert_candidate(&[(1, "Quartermain"), (login, &format!("l{at}"))], &[gid]))
        .collect();
    school.sandbox.insert_results(results(number, &sids));
    school.sandbox.clear_journal();
    school
}

pub(crate) fn pull_of(school: &School, state: StateStore) -> ResultsPull {
    let mut exam = exam_side(&school.settings(), &school.clock).unwrap().unwrap();
    exam.retry_delays = ExamRetryDelays {
        between_readings: Duration::ZERO,
        before_sending_again: Duration::ZERO,
        ..ExamRetryDelays::default()
    };
    ResultsPull {
        state,
        exam,
        full_every: school.settings().results.full_every,
        clock: school.clock.clone(),
        progress: Progress::silent(),
        stop: school.stop.clone(),
        exit_code: rosterd::exit_code,
    }
}

/// One pull.
pub(crate) async fn pull(school: &School) -> ResultsReport {
    let state = school.state().await;
    let report = pull_results(&pull_of(school, state.clone())).await;
    state.close().await;
    report
}

/// A pull that must end like this.
pub(crate) async fn pull_to(school: &School, exit: Exit) -> ResultsReport {
    let report = pull(school).await;
    assert_eq!(Exit::from(report.severity), exit, "{report:#?}");
    report
}

/// The same, where nothing else of it is of interest.
pub(crate) async fn pull_as(school: &School, exit: Exit) {
    let _report = pull_to(school, exit).await;
}

/// A pull that is cut off as soon as so many pages were asked for in all.
pub(crate) async fn cut_off_at(school: &School, pages: usize) {
    let state = school.state().await;
    let pull = pull_of(school, state.clone());
    let reached = async {
        while pages_asked(school) < pages {
            tokio::time::sleep(Duration::from_micros(50)).await;
        }
    };
    tokio::select! { biased; () = reached => {}, _ = pull_results(&pull) => {} }
    drop(pull);
    state.close().await;
}

pub(crate) fn pages_asked(school: &School) -> usize {
    school.sandbox.journal().iter().filter(|entry| entry.endpoint == "queryresults").count()
}

/// Everything that is mirrored, newest first.
pub(crate) async fn stored(school: &School, filter: &ResultFilter) -> Vec<StudentResult> {
    let state = school.state().await;
    let rows = state.results(filter, None).try_collect().await.unwrap();
    state.close().await;
    rows
}

/// What is mirrored, as the service would show it.
pub(crate) async fn mirror(school: &School) -> BTreeSet<ResultView> {
    let rows = stored(school, &ResultFilter::default()).await;
    let count = rows.len();
    let views: BTreeSet<ResultView> = rows.into_iter().map(view).collect();
    assert_eq!(views.len(), count, "something is there twice");
    views
}

fn view(row: StudentResult) -> ResultView {
    let attempt = row.attempt;
    ResultView {
        eid: attempt.key.exam.0,
        sid: attempt.key.sid.0,
        start: attempt.key.started_at_ms / 1000,
        end: attempt.ended_at_ms.unwrap_or(0) / 1000,
        score: attempt.score.map_or(-1, |score| score.to_string().parse().unwrap()),
        passed: attempt.passed.map_or(-1, i64::from),
        status: attempt.status.code().unwrap_or(-1),
    }
}

/// Fails unless the mirror is exactly what the service has.
#[track_caller]
pub(crate) fn assert_same(school: &School, mirror: &BTreeSet<ResultView>) {
    let there: BTreeSet<ResultView> = school.sandbox.results().into_iter().collect();
    let missing: Vec<_> = there.difference(mirror).take(3).collect();
    let surplus: Vec<_> = mirror.difference(&there).take(3).collect();
    assert!(
        there == *mirror,
        "{} there, {} mirrored; missing {missing:?}, too much {surplus:?}",
        there.len(),
        mirror.len()
    );
}
