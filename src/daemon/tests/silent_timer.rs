//! The loop with a timer that falls silent, never ticks, or ticks on.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_daemon_whose_timer_falls_silent_starts_it_anew_and_misses_no_run() {
    let mut silent_once = true;
    let timer = Timer::of(move |ticks, _| Ok((!std::mem::take(&mut silent_once)).then(|| beating(ticks))));
    let mut world = started_by(timer, hourly(), None, []);
    world.expect([stored("2027-01-04T09:00:00Z")]).await;
    // Ten seconds before the moment, which the next look arms for.
    world.turn_clock_to("2027-01-04T08:59:50Z");
    world.pass(31).await;
    let before = tokio::time::Instant::now();
    world.turn_clock_to("2027-01-04T09:00:00Z");
    let run = [stored("2027-01-04T10:00:00Z"), Event::Started(Trigger::Schedule), Event::Ended];
    world.expect(run).await;
    assert!(before.elapsed() <= Duration::from_secs(16), "{:?}", before.elapsed());
    world.pass(600).await;
    assert!(world.health.is_alive(world.clock.now_ms()));
    let text = world.health.metrics_text(0).unwrap();
    assert!(text.contains("rosterd_timer_restarts_total 1"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_daemon_whose_timer_never_ticks_goes_on_and_keeps_its_watchdog() {
    let mut world = started_by(Timer::of(|_, _| Ok(())), hourly(), None, []);
    world.expect([stored("2027-01-04T09:00:00Z")]).await;
    for hour in 9..12 {
        world.turn_clock_to(&format!("2027-01-04T{hour:02}:00:00Z"));
        let next = format!("2027-01-04T{:02}:00:00Z", hour + 1);
        let before = tokio::time::Instant::now();
        world.expect([stored(&next), Event::Started(Trigger::Schedule), Event::Ended]).await;
        assert!(before.elapsed() <= Duration::from_secs(30), "a look sees it: {:?}", before.elapsed());
    }
    let before = signs_of_life(&world);
    world.pass(600).await;
    let signs = signs_of_life(&world) - before;
    assert!((18..=22).contains(&signs), "{signs} signs of life in ten minutes");
    world.tell(TERMINATE).await;
    assert_eq!(world.ended().await, (ShutdownResult::Idle, vec![]));
}

fn signs_of_life(world: &World) -> usize {
    world.statuses.lock().unwrap().iter().filter(|told| **told == ServiceStatus::Watchdog).count()
}

#[tokio::test(start_paused = true)]
async fn the_timer_is_stopped_before_the_run_under_way_is_waited_for() {
    let beats = Arc::new(AtomicUsize::new(0));
    let kept = Arc::clone(&beats);
    let timer = Timer::of(move |ticks, _| {
        kept.fetch_add(1, Ordering::SeqCst);
        Ok((beating(ticks), Counted(Arc::clone(&kept))))
    });
    let mut world = started_by(timer, hourly(), None, [Behaviour::IgnoreStop]);
    world.tell(DaemonSignal::RunNow).await;
    world.expect([stored("2027-01-04T09:00:00Z"), Event::Started(Trigger::Signal)]).await;
    assert_eq!(beats.load(Ordering::SeqCst), 1);
    world.tell(TERMINATE).await;
    world.pass(10).await;
    assert_eq!(beats.load(Ordering::SeqCst), 0, "it ticks into the drain");
    assert!(!world.daemon.is_finished());
    assert_eq!(world.ended().await.0, ShutdownResult::Interrupted);
}

/// One less when it is dropped.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
