//! One state, one account of each service: another address or code is proved, or nothing is sent.

mod classin;
mod confirm;
mod exam;

use std::collections::BTreeMap;

use rosterd::{RunReport, Severity};
use rosterd_sandbox::{CandidateView, Serving};
use rosterd_testkit::*;

/// The exam side under another address. The answers are what the sandbox gives now.
async fn moved(world: &mut ExamSchool) -> Serving {
    let serving = world.sandbox.serve(([127, 0, 0, 1], 0).into()).await.unwrap();
    world.settings.exam.endpoint.base_url = serving.base_url();
    serving
}

/// The account is another one from now on: strangers have the first `strangers` of the old sids, and everybody of the
/// old account is there under another sid.
fn swap_account(world: &ExamSchool, strangers: usize) {
    let before = world.sandbox.candidates();
    for candidate in &before {
        world.sandbox.remove_candidate(candidate.sid);
    }
    let gid = world.gid("g1");
    for (at, candidate) in before.iter().take(strangers).enumerate() {
        let login = format!("stranger-{at}");
        let fields = [(NAME, "Somebody else"), (LOGIN, login.as_str())];
        assert!(world.sandbox.insert_candidate_as(candidate.sid, &fields, &[gid]));
    }
    for candidate in before {
        let fields: Vec<(i64, &str)> =
            candidate.fields.iter().map(|(id, value)| (*id, value.as_str())).collect();
        let gids: Vec<i64> = candidate.gids.iter().copied().collect();
        world.sandbox.insert_candidate(&fields, &gids);
    }
}

fn by_sid(world: &ExamSchool) -> BTreeMap<i64, CandidateView> {
    world.sandbox.candidates().into_iter().map(|candidate| (candidate.sid, candidate)).collect()
}

/// A run that meets another account: nothing is sent, and the sentence says what can be done.
#[track_caller]
fn assert_refused(report: &RunReport) {
    assert_eq!((report.severity, report.exit_code), (Severity::Configuration, 78), "{report:#?}");
    assert_eq!((report.writes(), report.planned()), (0, String::new()), "{report:#?}");
    let [error] = report.errors.as_slice() else { panic!("{report:#?}") };
    assert!(error.contains("state.database") && error.contains("rosterd account confirm"), "{error}");
}
