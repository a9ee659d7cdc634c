//! What waits for another row stands among the failures: told once, never tried in vain, closed when it is over.

use rosterd_core::failure::FailureState;
use rosterd_core::roster::Leavers;
use rosterd_testkit::*;

/// A newcomer with the login value of somebody who left and whose candidate is kept.
async fn with_a_waiting_newcomer() -> ExamSchool {
    with_a_newcomer(Leavers::Keep).await
}

/// The same, where leavers are deleted: whether the two are one person is asked beside the wait.
async fn with_a_newcomer_and_a_held_leaver() -> ExamSchool {
    with_a_newcomer(Leavers::Delete).await
}

async fn with_a_newcomer(leavers: Leavers) -> ExamSchool {
    let mut world = ExamSchool::in_step(students(6)).await;
    world.settings.exam.leavers = leavers;
    world.remove("s000").await;
    world.put(student("new").login("s000")).await;
    world
}

async fn rows(world: &ExamSchool) -> Vec<(String, String, FailureState, String)> {
    let rows = world.failures().await.into_iter();
    rows.map(|row| (row.student_id, row.code, row.state, row.owner.to_owned())).collect()
}

fn waiting(state: FailureState) -> Vec<(String, String, FailureState, String)> {
    vec![("new".to_owned(), "login-value-in-use".to_owned(), state, "office".to_owned())]
}

#[tokio::test]
async fn a_wait_for_anothers_candidate_is_told_once_and_kept_as_a_row() {
    let world = with_a_waiting_newcomer().await;
    let report = world.run().await;
    assert_eq!((report.skipped(), report.exit_code), ("1 add".to_owned(), 3), "the run that finds it");
    assert_eq!(rows(&world).await, waiting(FailureState::Waiting));
    let row = world.failures().await.remove(0);
    assert_eq!((row.attempts, row.due_at), (0, None), "nothing was tried");
    assert!(row.message.contains("s000"), "{}", row.message);
    world.later(HOUR);
    let report = world.run().await;
    assert_eq!((report.skipped(), report.exit_code), ("1 add".to_owned(), 0), "as it stood");
    assert_eq!(report.outcome.as_str(), "converged");
    assert_eq!(world.failures().await.remove(0).since, row.since, "since the first run");
}

/// The link of `s001` names a candidate that somebody else has.
async fn with_anothers_sid() -> ExamSchool {
    let mut world = ExamSchool::in_step(students(6)).await;
    let stranger =
        world.sandbox.insert_candidate(&[(NAME, "Stranger"), (LOGIN, "stranger")], &[world.foreign]);
    world.our_database(&format!("UPDATE links SET sid = {stranger} WHERE student_id = 's001'")).await;
    world.edit("s001", |it| it.named("Another name")).await;
    world
}

#[tokio::test]
async fn a_change_of_a_sid_that_shows_another_login_value_is_told_once_and_looked_at_again_now_and_then() {
    let world = with_anothers_sid().await;
    // The first run finds it. What waits unchanged is attention in each run after that, also where it is looked at again.
    for (at, exit_code) in [3, 0, 0, 0, 0].into_iter().enumerate() {
        let report = world.run().await;
        assert_eq!((report.writes(), report.exit_code), (0, exit_code), "run {at}: {report:?}");
        assert_eq!(report.skipped(), "1 modify", "run {at}");
        let rows = world.failures().await;
        assert_eq!((rows.len(), rows[0].code.as_str()), (1, "another-login-value"), "{rows:?}");
        assert_eq!(report.attention.get("withheld").map(|it| it.count), Some(1), "run {at}: {report:?}");
        world.later(if at == 1 { DAY } else { HOUR });
    }
}

#[tokio::test]
async fn a_change_that_was_withheld_goes_through_once_the_sid_is_the_students_again() {
    let mut world = with_anothers_sid().await;
    for exit_code in [3, 0] {
        assert_eq!(world.run().await.exit_code, exit_code);
    }
    world.edit("s001", |it| it.named("A third name")).await;
    assert_eq!(world.run().await.exit_code, 0, "the same cause");
    let sid = world.candidate("s001").sid;
    world.our_database(&format!("UPDATE links SET sid = {sid} WHERE student_id = 's001'")).await;
    world.later(DAY);
    assert_eq!(world.run().await.applied(), "1 modify");
    assert_eq!(world.run().await.planned(), "");
    assert!(world.failures().await.is_empty());
}

#[tokio::test]
async fn login_values_that_were_exchanged_by_hand_are_put_right_by_the_next_run() {
    let world = ExamSchool::in_step(students(6)).await;
    let sids = [world.sid("s001").await, world.sid("s002").await];
    for (sid, login) in [(sids[0], "for a moment"), (sids[1], "s001"), (sids[0], "s002")] {
        world.sandbox.edit_candidate(sid, &[(LOGIN, login)]);
    }
    let first = world.run().await;
    assert_eq!((first.writes(), first.exit_code), (0, 3), "{first:?}");
    let second = world.run().await;
    assert_eq!(second.exit_code, 0, "{second:?}");
    assert_eq!([world.candidate("s001").sid, world.candidate("s002").sid], sids);
    assert!(world.failures().await.is_empty());
    assert_eq!(world.run().await.planned(), "");
}

#[tokio::test]
async fn a_candidate_that_was_made_anew_by_hand_leaves_no_failure_of_the_one_before() {
    let world = ExamSchool::in_step(students(6)).await;
    world.sandbox.remove_candidate(world.sid("s001").await);
    world.sandbox.insert_candidate(&[(NAME, "Made anew"), (LOGIN, "s001")], &[world.gid("g1")]);
    for run in 1..=4 {
        let report = world.run().await;
        let codes: Vec<String> = world.failures().await.into_iter().map(|row| row.code).collect();
        let expected = if run == 1 { "candidate-gone" } else { "adoption" };
        assert_eq!(codes, [expected], "run {run}: {report:?}");
    }
}

#[tokio::test]
async fn a_wait_beside_the_leaver_who_is_asked_about_is_a_row_of_its_own() {
    let world = with_a_newcomer_and_a_held_leaver().await;
    let asked = ("s000".to_owned(), "same-person".to_owned(), FailureState::Held, "office".to_owned());
    for exit_code in [4, 0] {
        let report = world.run().await;
        assert_eq!((report.skipped(), report.held()), ("1 add".to_owned(), "1 delete".to_owned()));
        assert_eq!(report.exit_code, exit_code, "{report:?}");
        let mut rows = rows(&world).await;
        rows.sort_by(|one, other| one.0.cmp(&other.0));
        assert_eq!(rows, [waiting(FailureState::Waiting), vec![asked.clone()]].concat());
        world.later(HOUR);
    }
}

#[tokio::test]
async fn what_a_run_finds_that_is_cut_off_is_told_by_the_next_one_once() {
    let mut world = with_a_newcomer_and_a_held_leaver().await;
    for (number, exit_code) in [("1", 4), ("2", 0), ("3", 0)] {
        world.edit("s001", |person| person.phone(number)).await;
        if number != "2" {
            world.set("delay", "changeStuinfo:500");
            world.sandbox.clear_journal();
            world.crash_when(|| world.journal().iter().any(|call| call == "changeStuinfo")).await;
            world.sandbox.clear_faults();
        }
        assert_eq!(rows(&world).await.len(), 2, "cut off after it was found");
        let report = world.run().await;
        assert_eq!(
            (report.held(), report.exit_code),
            ("1 delete".to_owned(), exit_code),
            "{number}: {report:?}"
        );
    }
}

#[tokio::test]
async fn a_wait_ends_with_its_cause_and_its_row_is_closed() {
    let world = with_a_newcomer_and_a_held_leaver().await;
    let digest = world.run().await.held_digest.unwrap();
    let now_ms = world.clock.now_ms();
    let named = world.state.approvable(&digest).await.unwrap().into_iter();
    let granted: Vec<_> = named.map(|one| (one, now_ms + 5 * DAY)).collect();
    world.state.grant(&granted, now_ms).await.unwrap();
    let report = world.run().await;
    assert_eq!((report.planned(), report.exit_code), ("1 add".to_owned(), 0), "two people: the grace runs");
    assert_eq!(rows(&world).await, waiting(FailureState::Waiting));
    world.later(3 * DAY + HOUR);
    let report = world.run().await;
    assert_eq!(report.applied(), "1 delete", "whose the login value was");
    assert_eq!(world.run().await.applied(), "1 add");
    assert_eq!(rows(&world).await, []);
}

#[tokio::test]
async fn a_wait_that_is_no_longer_wanted_is_closed() {
    let mut world = with_a_waiting_newcomer().await;
    assert_eq!(world.run().await.exit_code, 3);
    world.edit("new", |it| it.login("of their own")).await;
    assert_eq!(world.run().await.applied(), "1 add");
    assert_eq!(rows(&world).await, []);
}

#[tokio::test]
async fn a_wait_for_another_candidate_than_before_is_news() {
    let mut world = with_a_waiting_newcomer().await;
    assert_eq!(world.run().await.exit_code, 3);
    assert_eq!(world.run().await.exit_code, 0);
    world.remove("s001").await;
    world.edit("new", |it| it.login("s001")).await;
    assert_eq!(world.run().await.exit_code, 3);
    assert!(world.failures().await.remove(0).message.contains("s001"));
}

#[tokio::test]
async fn a_silenced_wait_stays_silenced_while_it_stands() {
    let mut world = with_a_waiting_newcomer().await;
    assert_eq!(world.run().await.exit_code, 3);
    let id = world.failures().await.remove(0).id;
    let now_ms = world.clock.now_ms();
    world.state.change_failures(Some(&[id]), FailureState::Ignored, now_ms).await.unwrap();
    for _ in 0..2 {
        assert_eq!(world.run().await.exit_code, 0);
        assert_eq!(rows(&world).await, waiting(FailureState::Ignored));
    }
    let woken = world.state.change_failures(None, FailureState::Waiting, now_ms).await.unwrap();
    assert_eq!(woken, 0, "all of them leaves out what is silenced");
    world.edit("new", |it| it.login("of their own")).await;
    assert_eq!(world.run().await.applied(), "1 add", "what is silenced is the wait");
}

#[tokio::test]
async fn a_plan_shows_what_waits_and_writes_no_row() {
    let world = with_a_waiting_newcomer().await;
    let report = world.plan_report().await;
    assert_eq!(report.skipped(), "1 add");
    assert_eq!(rows(&world).await, []);
}
