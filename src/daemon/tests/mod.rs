//! The loop with runs that do as they are told, a clock that the test turns, and tokio's time paused.

mod pulls;
mod silent_timer;

use std::collections::VecDeque;
use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use croner::parser::{CronParser, Seconds};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::systemd::ServiceStatus;
use super::*;
use crate::settings::Missed;

/// The behaviour of the next run.
enum Behaviour {
    EndAs(&'static str),
    WaitFor(Arc<Notify>),
    ObeyStop { exit: u8 },
    IgnoreStop,
    Panic,
}

#[derive(Debug, PartialEq, Eq)]
enum Event {
    Started(Trigger),
    Ended,
    Stored(Option<Timestamp>),
}

struct Obedient {
    clock: Clock,
    behaviours: Mutex<VecDeque<Behaviour>>,
    stored: Mutex<Option<Timestamp>>,
    reloads: Mutex<VecDeque<Result<Timetable, String>>>,
    pulled: Option<Timestamp>,
    under_way: AtomicUsize,
    events: mpsc::UnboundedSender<Event>,
}

impl RunHandler for Obedient {
    async fn run(&self, trigger: Trigger, stop: CancellationToken) -> RunSummary {
        assert_eq!(self.under_way.fetch_add(1, Ordering::SeqCst), 0, "two runs at once");
        self.events.send(Event::Started(trigger)).unwrap();
        let behaviour = self.behaviours.lock().unwrap().pop_front().unwrap_or(Behaviour::EndAs("converged"));
        let mut summary = RunSummary::failed(self.clock.now_ms());
        match behaviour {
            Behaviour::EndAs(outcome) => summary.outcome = outcome,
            Behaviour::WaitFor(gate) => gate.notified().await,
            Behaviour::ObeyStop { exit } => {
                stop.cancelled().await;
                summary.exit = exit;
            }
            Behaviour::IgnoreStop => pending().await,
            Behaviour::Panic => {
                self.under_way.fetch_sub(1, Ordering::SeqCst);
                panic!("a run that panics");
            }
        }
        summary.good = summary.outcome == "converged";
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        self.events.send(Event::Ended).unwrap();
        summary
    }

    async fn stored_next_due(&self) -> Option<i64> {
        self.stored.lock().unwrap().map(Timestamp::as_millisecond)
    }

    async fn last_pull(&self) -> Option<i64> {
        self.pulled.map(Timestamp::as_millisecond)
    }

    async fn store_next_due(&self, due_ms: Option<i64>) {
        let due = due_ms.map(|ms| Timestamp::from_millisecond(ms).unwrap());
        *self.stored.lock().unwrap() = due;
        let _ = self.events.send(Event::Stored(due));
    }

    async fn reload(&self) -> Result<Timetable, String> {
        self.reloads.lock().unwrap().pop_front().unwrap()
    }
}

struct World {
    handler: Arc<Obedient>,
    clock: Clock,
    health: Health,
    signals: mpsc::Sender<DaemonSignal>,
    statuses: Arc<Mutex<Vec<ServiceStatus>>>,
    events: mpsc::UnboundedReceiver<Event>,
    daemon: JoinHandle<ShutdownResult>,
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn cron(expression: &str) -> croner::Cron {
    CronParser::builder().seconds(Seconds::Optional).build().parse(expression).unwrap()
}

fn hourly() -> Timetable {
    Timetable::from(ScheduleSettings {
        expression: "0 0 * * * *".to_owned(),
        cron: cron("0 0 * * * *"),
        time_zone: TimeZone::UTC,
        missed: Missed::RunOnce,
        jitter: Duration::ZERO,
        blackout: Vec::new(),
    })
}

/// A daemon that starts at 08:20 with an hourly schedule.
fn started(behaviours: impl IntoIterator<Item = Behaviour>) -> World {
    started_with(hourly(), None, behaviours)
}

fn started_with(
    timetable: Timetable,
    stored: impl Into<Past>,
    behaviours: impl IntoIterator<Item = Behaviour>,
) -> World {
    started_by(Timer::of(|ticks, _| Ok(beating(ticks))), timetable, stored, behaviours)
}

/// Ticks each second of tokio's time, for as long as it is kept.
struct Beat(JoinHandle<()>);

fn beating(ticks: Arc<Notify>) -> Beat {
    Beat(tokio::spawn(async move {
        loop {
            ticks.notify_one();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }))
}

impl Drop for Beat {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What the last process left behind.
struct Past {
    /// When a run was due.
    stored: Option<Timestamp>,
    /// When results were pulled.
    pulled: Option<Timestamp>,
}

impl From<Option<&str>> for Past {
    fn from(stored: Option<&str>) -> Self {
        Self { stored: stored.map(at), pulled: None }
    }
}

fn started_by(
    timer: Timer,
    timetable: Timetable,
    past: impl Into<Past>,
    behaviours: impl IntoIterator<Item = Behaviour>,
) -> World {
    let Past { stored, pulled } = past.into();
    let clock = Clock::system();
    clock.shift_ms(at("2027-01-04T08:20:00Z").as_millisecond() - clock.now_ms());
    let (sender, events) = mpsc::unbounded_channel();
    let handler = Arc::new(Obedient {
        clock: clock.clone(),
        behaviours: Mutex::new(behaviours.into_iter().collect()),
        stored: Mutex::new(stored),
        reloads: Mutex::default(),
        under_way: AtomicUsize::new(0),
        pulled,
        events: sender,
    });
    let statuses = Arc::new(Mutex::new(Vec::new()));
    let taken = Arc::clone(&statuses);
    let notifier = Notifier::new(
        move |status| taken.lock().unwrap().push(status.clone()),
        Some(Duration::from_secs(60)),
    );
    let (signals, receiver) = signals::channel();
    let health = Health::new();
    let config = DaemonConfig {
        timetable,
        clock: clock.clone(),
        timer,
        health: health.clone(),
        notifier,
        signals: receiver,
        stop: CancellationToken::new(),
    };
    let daemon = tokio::spawn(run(Arc::clone(&handler), config));
    World { handler, clock, health, signals, statuses, events, daemon }
}

impl World {
    async fn next(&mut self) -> Event {
        let an_hour = Duration::from_secs(3600);
        tokio::time::timeout(an_hour, self.events.recv()).await.expect("nothing happened").unwrap()
    }

    async fn expect(&mut self, events: impl IntoIterator<Item = Event>) {
        for event in events {
            assert_eq!(self.next().await, event);
        }
    }

    fn turn_clock_to(&self, moment: &str) {
        self.clock.shift_ms(at(moment).as_millisecond() - self.clock.now_ms());
    }

    async fn tell(&self, signal: DaemonSignal) {
        self.signals.send(signal).await.unwrap();
    }

    async fn ended(mut self) -> (ShutdownResult, Vec<Event>) {
        let result = (&mut self.daemon).await.unwrap();
        let mut rest = Vec::new();
        while let Ok(event) = self.events.try_recv() {
            rest.push(event);
        }
        (result, rest)
    }

    /// Lets the heartbeat go on for so long.
    async fn pass(&self, seconds: u64) {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }
}

fn stored(moment: &str) -> Event {
    Event::Stored(Some(at(moment)))
}

const TERMINATE: DaemonSignal = DaemonSignal::Stop(StopSignal::Terminate);

#[tokio::test(start_paused = true)]
async fn a_run_starts_when_its_time_comes_and_the_next_one_is_stored_before() {
    let mut world = started([]);
    world.expect([stored("2027-01-04T09:00:00Z")]).await;
    world.turn_clock_to("2027-01-04T09:00:00Z");
    let run = [stored("2027-01-04T10:00:00Z"), Event::Started(Trigger::Schedule), Event::Ended];
    world.expect(run).await;
    world.pass(5).await;
    world.tell(TERMINATE).await;
    assert_eq!(world.ended().await, (ShutdownResult::Idle, vec![]));
}

#[tokio::test(start_paused = true)]
async fn ticks_missed_while_busy_become_one_run() {
    let gate = Arc::new(Notify::new());
    let mut world = started([Behaviour::WaitFor(Arc::clone(&gate))]);
    world.expect([stored("2027-01-04T09:00:00Z")]).await;
    world.turn_clock_to("2027-01-04T09:00:00Z");
    world.expect([stored("2027-01-04T10:00:00Z"), Event::Started(Trigger::Schedule)]).await;
    world.turn_clock_to("2027-01-04T10:00:00Z");
    world.expect([stored("2027-01-04T11:00:00Z")]).await;
    world.turn_clock_to("2027-01-04T11:00:00Z");
    world.expect([stored("2027-01-04T12:00:00Z")]).await;
    gate.notify_one();
    world.expect([Event::Ended, Event::Started(Trigger::Schedule), Event::Ended]).await;
    world.pass(5).await;
    assert!(world.health.metrics_text(0).unwrap().contains("rosterd_overlap_skipped_total 2"));
    world.tell(TERMINATE).await;
    assert_eq!(world.ended().await, (ShutdownResult::Idle, vec![]));
}

#[tokio::test(start_paused = true)]
async fn hours_asleep_become_one_run() {
    let mut world = started([]);
    world.expect([stored("2027-01-04T09:00:00Z")]).await;
    world.turn_clock_to("2027-01-05T07:30:00Z");
    let run = [stored("2027-01-05T08:00:00Z"), Event::Started(Trigger::Schedule), Event::Ended];
    world.expect(run).await;
    world.pass(5).await;
    world.tell(TERMINATE).await;
    assert_eq!(world.ended().await, (ShutdownResult::Idle, vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_was_set_back_does_not_silence_the_schedule() {
    let mut world = started([]);
    world.expect([stored("2027-01-04T09:00:00Z")]).await;
    world.turn_clock_to("2026-03-01T05:10:00Z");
    world.expect([stored("2026-03-01T06:00:00Z")]).await;
}

#[tokio::test(start_paused = true)]
async fn a_run_that_was_due_while_down_is_caught_up_once() {
    let mut world = started_with(hourly(), Some("2027-01-02T03:00:00Z"), []);
    let run = [stored("2027-01-04T09:00:00Z"), Event::Started(Trigger::Missed), Event::Ended];
    world.expect(run).await;
}

#[tokio::test(start_paused = true)]
async fn a_run_that_was_due_while_down_is_left_out_where_the_admin_says_skip() {
    let mut timetable = hourly();
    timetable.sync.missed = Missed::Skip;
    let mut world = started_with(timetable, Some("2027-01-02T03:00:00Z"), []);
    world.expect([stored("2027-01-04T09:00:00Z")]).await;
    world.pass(5).await;
    world.tell(TERMINATE).await;
    assert_eq!(world.ended().await, (ShutdownResult::Idle, vec![]));
}

#[tokio::test(start_paused = true)]
async fn sigusr1_runs_now_and_during_a_run_once_more_after_it() {
    let gate = Arc::new(Notify::new());
    let mut world = started([Behaviour::WaitFor(Arc::clone(&gate))]);
    world.expect([stored("2027-01-04T09:00:00Z")]).await;
    world.tell(DaemonSignal::RunNow).await;
    world.expect([Event::Started(Trigger::Signal)]).await;
    world.tell(DaemonSignal::RunNow).await;
    world.tell(DaemonSignal::RunNow).await;
    world.pass(5).await;
    gate.notify_one();
    world.expect([Event::Ended, Event::Started(Trigger::Signal), Event::Ended]).await;
    world.pass(5).await;
    world.tell(TERMINATE).await;
    assert_eq!(world.ended().await, (ShutdownResult::Idle, vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_failed_run_and_the_daemon_goes_on() {
    let mut world = started([Behaviour::Panic]);
    world.expect([stored("2027-01-04T09:00:00Z")]).await;
    world.tell(DaemonSignal::RunNow).await;
    world.expect([Event::Started(Trigger::Signal)]).await;
    world.pass(5).await;
    assert!(world.health.metrics_text(0).unwrap().contains("rosterd_runs_total{result=\"failed\"} 1"));
    world.tell(DaemonSignal::RunNow).await;
    world.expect([Event::Started(Trigger::Signal), Event::Ended]).await;
}

#[tokio::test(start_paused = true)]
async fn a_run_that_was_cut_short_is_interrupted_and_still_owed() {
    let mut world = started([Behaviour::ObeyStop { exit: 143 }]);
    world.expect([stored("2027-01-04T09:00:00Z")]).await;
    world.turn_clock_to("2027-01-04T09:00:00Z");
    world.expect([stored("2027-01-04T10:00:00Z"), Event::Started(Trigger::Schedule)]).await;
    world.tell(TERMINATE).await;
    let (result, rest) = world.ended().await;
    assert_eq!(result, ShutdownResult::Interrupted);
    assert_eq!(rest, [Event::Ended, stored("2027-01-04T09:00:00Z")]);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_ends_by_itself_in_time_was_not_interrupted() {
    let mut world = started([Behaviour::ObeyStop { exit: 0 }]);
    world.tell(DaemonSignal::RunNow).await;
    world.expect([stored("2027-01-04T09:00:00Z"), Event::Started(Trigger::Signal)]).await;
    world.tell(TERMINATE).await;
    let (result, rest) = world.ended().await;
    assert_eq!((result, rest), (ShutdownResult::Idle, vec![Event::Ended]));
}

#[tokio::test(start_paused = true)]
async fn a_run_that_does_not_end_in_thirty_seconds_is_cut_short() {
    let mut world = started([Behaviour::IgnoreStop]);
    world.tell(DaemonSignal::RunNow).await;
    world.expect([stored("2027-01-04T09:00:00Z"), Event::Started(Trigger::Signal)]).await;
    let before = tokio::time::Instant::now();
    world.tell(TERMINATE).await;
    let (result, _) = world.ended().await;
    assert_eq!((result, before.elapsed().as_secs()), (ShutdownResult::Interrupted, 30));
}

#[tokio::test(start_paused = true)]
async fn a_second_signal_ends_at_once() {
    for signal in [StopSignal::Interrupt, StopSignal::Terminate] {
        let mut world = started([Behaviour::IgnoreStop]);
        world.tell(DaemonSignal::RunNow).await;
        world.expect([stored("2027-01-04T09:00:00Z"), Event::Started(Trigger::Signal)]).await;
        let before = tokio::time::Instant::now();
        world.tell(DaemonSignal::Stop(signal)).await;
        world.tell(DaemonSignal::Stop(signal)).await;
        let (result, _) = world.ended().await;
        assert_eq!((result, before.elapsed()), (ShutdownResult::Forced(signal), Duration::ZERO));
    }
}

#[tokio::test(start_paused = true)]
async fn an_order_that_waits_when_the_end_comes_is_owed_to_the_next_start() {
    let mut world = started([Behaviour::ObeyStop { exit: 0 }]);
    world.tell(DaemonSignal::RunNow).await;
    world.expect([stored("2027-01-04T09:00:00Z"), Event::Started(Trigger::Signal)]).await;
    world.turn_clock_to("2027-01-04T09:00:00Z");
    world.expect([stored("2027-01-04T10:00:00Z")]).await;
    world.tell(TERMINATE).await;
    let (result, rest) = world.ended().await;
    assert_eq!((result, rest), (ShutdownResult::Idle, vec![Event::Ended, stored("2027-01-04T09:00:00Z")]));
}

#[tokio::test(start_paused = true)]
async fn a_new_configuration_changes_the_schedule_and_a_wrong_one_changes_nothing() {
    let mut world = started([]);
    world.expect([stored("2027-01-04T09:00:00Z")]).await;
    let mut daily = hourly();
    daily.sync.cron = cron("@daily");
    world
        .handler
        .reloads
        .lock()
        .unwrap()
        .extend([Err("exam.page_size: 0 is too small".to_owned()), Ok(daily)]);
    world.tell(DaemonSignal::Reload).await;
    world.tell(DaemonSignal::Reload).await;
    world.expect([stored("2027-01-05T00:00:00Z")]).await;
    world.tell(TERMINATE).await;
    let statuses = Arc::clone(&world.statuses);
    assert_eq!(world.ended().await, (ShutdownResult::Idle, vec![]));
    let mut told = statuses.lock().unwrap().clone();
    told.retain(|status| !matches!(status, ServiceStatus::Status(_) | ServiceStatus::Watchdog));
    let reload = [ServiceStatus::Reloading, ServiceStatus::Ready];
    let expected: Vec<_> = [ServiceStatus::Ready]
        .into_iter()
        .chain(reload.clone())
        .chain(reload)
        .chain([ServiceStatus::Stopping])
        .collect();
    assert_eq!(told, expected);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_waits_for_its_jitter_survives_a_reload() {
    let mut timetable = hourly();
    // Long enough that a draw below a second is out of the question for a test.
    timetable.sync.jitter = Duration::from_secs(10_000_000);
    let mut world = started_with(timetable, None, []);
    world.expect([stored("2027-01-04T09:00:00Z")]).await;
    world.turn_clock_to("2027-01-04T09:00:01Z");
    world.pass(2).await;
    world.handler.reloads.lock().unwrap().push_back(Ok(hourly()));
    world.tell(DaemonSignal::Reload).await;
    world.turn_clock_to("2027-06-01T00:00:00Z");
    world.expect([stored("2027-06-01T01:00:00Z"), Event::Started(Trigger::Schedule)]).await;
}

#[tokio::test(start_paused = true)]
async fn the_heartbeat_goes_on_during_a_long_run() {
    let mut world = started([Behaviour::IgnoreStop]);
    world.tell(DaemonSignal::RunNow).await;
    world.expect([stored("2027-01-04T09:00:00Z"), Event::Started(Trigger::Signal)]).await;
    let signs = |world: &World| {
        world.statuses.lock().unwrap().iter().filter(|status| **status == ServiceStatus::Watchdog).count()
    };
    let before = signs(&world);
    world.pass(600).await;
    assert!(world.health.is_alive(world.clock.now_ms()));
    let heard = signs(&world) - before;
    assert!((18..=22).contains(&heard), "{heard} signs of life in ten minutes");
}

#[tokio::test(start_paused = true)]
async fn the_status_line_names_the_last_run_and_the_next() {
    let mut world = started([Behaviour::EndAs("applied")]);
    world.expect([stored("2027-01-04T09:00:00Z")]).await;
    world.tell(DaemonSignal::RunNow).await;
    world.expect([Event::Started(Trigger::Signal), Event::Ended]).await;
    world.pass(2).await;
    let statuses = world.statuses.lock().unwrap().clone();
    let last = statuses.iter().rev().find_map(|status| match status {
        ServiceStatus::Status(line) => Some(line.clone()),
        ServiceStatus::Ready
        | ServiceStatus::Reloading
        | ServiceStatus::Watchdog
        | ServiceStatus::Stopping => None,
    });
    let last = last.unwrap();
    assert!(last.starts_with("last run applied at 2027-01-04 08:20:0"), "{last}");
    assert!(last.ends_with(", next 2027-01-04 09:00:00 UTC"), "{last}");
}
