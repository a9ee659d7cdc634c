//! Pulls of exam results in the loop.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_pull_of_results_never_runs_beside_a_run_and_is_no_good_run() {
    let gate = Arc::new(Notify::new());
    let timetable = Timetable { results: Some(cron("0 30 * * * *")), ..hourly() };
    let mut world = started_with(timetable, None, [Behaviour::WaitFor(Arc::clone(&gate))]);
    world.tell(DaemonSignal::RunNow).await;
    world.expect([stored("2027-01-04T09:00:00Z"), Event::Started(Trigger::Signal)]).await;
    world.turn_clock_to("2027-01-04T08:30:00Z");
    world.pass(5).await;
    gate.notify_one();
    world.expect([Event::Ended, Event::Started(Trigger::Results), Event::Ended]).await;
    world.pass(5).await;
    assert_eq!(world.health.picture(0).last_good_run_at, None);
    let text = world.health.metrics_text(0).unwrap();
    assert!(text.contains("rosterd_results_pulls_total{result=\"converged\"} 1"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_pull_that_was_due_while_down_is_caught_up_once_unless_the_admin_says_skip() {
    let stored_at = |pulled: &str| Past { stored: None, pulled: Some(at(pulled)) };
    for (pulled, missed, comes) in [
        ("2027-01-02T03:00:00Z", Missed::RunOnce, true),
        ("2027-01-02T03:00:00Z", Missed::Skip, false),
        ("2027-01-04T08:10:00Z", Missed::RunOnce, false),
    ] {
        let mut timetable = Timetable { results: Some(cron("0 30 * * * *")), ..hourly() };
        timetable.sync.missed = missed;
        let mut world = started_with(timetable, stored_at(pulled), []);
        world.expect([stored("2027-01-04T09:00:00Z")]).await;
        world.pass(5).await;
        world.tell(TERMINATE).await;
        let expected = if comes { vec![Event::Started(Trigger::Results), Event::Ended] } else { vec![] };
        assert_eq!(world.ended().await, (ShutdownResult::Idle, expected), "{pulled} {missed:?}");
    }
}
