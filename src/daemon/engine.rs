//! The loop behind [`super::run`]: woken at the moments at which something is due, one run at a time, notices in between.
//!
//! The moments are armed with the [`Timer`](super::Timer); whether something is due when it wakes is [`super::schedule`]'s,
//! which the clock alone decides: a moment that was worked out before the clock was set is neither missed nor met twice.

use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::{Instant, sleep};

use super::schedule::{Due, due_at_start, due_at_tick, in_words, next_due, start_at};
use super::systemd::ServiceStatus;
use super::timer::{SILENCE, Tick};
use super::{
    DaemonConfig, DaemonSignal, RunHandler, RunSummary, ShutdownResult, StopSignal, Timetable, Trigger,
};

/// The time that a run has to record calls in flight after the daemon was told to stop.
const GRACE: Duration = Duration::from_secs(30);

/// A clock that steps back by more than this was set; less is the usual correction.
const CLOCK_STEP: SignedDuration = SignedDuration::from_secs(2);

/// Exit code of a run that was cut short.
const EXIT_INTERRUPTED: u8 = 143;

pub(super) struct Engine<W> {
    handler: Arc<W>,
    config: DaemonConfig,
    planned: Planned,
    running: Option<Running>,
    waiting: Waiting,
    last_tick: Timestamp,
    /// Whether the last moment that was armed came in time.
    timer_ticks: bool,
    last_sign_of_life: Option<Instant>,
    last_run: Option<String>,
}

/// The next starts.
#[derive(Default)]
struct Planned {
    /// When the next run is due, as the expression says.
    due: Option<Timestamp>,
    /// The same with jitter.
    start_at: Option<Timestamp>,
    /// When results are pulled next.
    results_at: Option<Timestamp>,
}

/// Requests that came while a run was under way; any number of them becomes one run.
#[derive(Default)]
struct Waiting {
    run: Option<Ordered>,
    results: bool,
}

/// A run that was asked for.
#[derive(Clone, Copy)]
struct Ordered {
    trigger: Trigger,
    /// Since when it is owed; stored again if the run does not get done.
    due: Timestamp,
}

struct Running {
    ordered: Ordered,
    since: Instant,
    task: JoinHandle<RunSummary>,
}

/// The event that woke the loop.
enum Wake {
    Stop(StopSignal),
    Signal(DaemonSignal),
    Finished(Result<RunSummary, JoinError>),
    Tick(Tick),
}

impl<W: RunHandler> Engine<W> {
    pub(super) fn new(handler: Arc<W>, config: DaemonConfig) -> Self {
        let last_tick = config.clock.now();
        Self {
            handler,
            config,
            planned: Planned::default(),
            running: None,
            waiting: Waiting::default(),
            last_tick,
            timer_ticks: true,
            last_sign_of_life: None,
            last_run: None,
        }
    }

    pub(super) async fn run(mut self) -> ShutdownResult {
        self.start().await;
        if let Some(pause) = self.config.notifier.watchdog_pause() {
            self.config.timer.look_every(pause);
        }
        loop {
            let moments = [self.planned.start_at, self.planned.results_at];
            self.config.timer.arm(moments.into_iter().flatten(), self.config.clock.now());
            let wake = tokio::select! {
                biased;
                () = self.config.stop.cancelled() => Wake::Stop(StopSignal::Terminate),
                Some(signal) = self.config.signals.recv() => Wake::Signal(signal),
                result = joined(&mut self.running) => Wake::Finished(result),
                tick = self.config.timer.tick() => Wake::Tick(tick),
            };
            match wake {
                Wake::Stop(signal) | Wake::Signal(DaemonSignal::Stop(signal)) => {
                    return self.end(signal).await;
                }
                Wake::Signal(DaemonSignal::Reload) => self.reload().await,
                Wake::Signal(DaemonSignal::RunNow) => self.order(Trigger::Signal, self.config.clock.now()),
                Wake::Finished(result) => {
                    let _summary = self.finish(result);
                    self.start_what_waits();
                }
                Wake::Tick(tick) => self.tick(tick).await,
            }
        }
    }

    async fn start(&mut self) {
        let now = self.config.clock.now();
        self.config.health.heartbeat(now.as_millisecond());
        let stored = self.handler.stored_next_due().await.and_then(|ms| Timestamp::from_millisecond(ms).ok());
        let at_start = due_at_start(&self.config.timetable.sync, stored, now);
        self.plan(now).await;
        if let Due::Now { .. } = at_start {
            self.order(Trigger::Missed, stored.unwrap_or(now));
        }
        self.catch_up_with_results(now).await;
        self.plan_results(now);
        self.config.notifier.tell(&ServiceStatus::Ready);
        self.tell_status();
        tracing::info!(next_run = self.next_run_in_words(), "the daemon is ready");
    }

    /// The loop goes on without the timer, a few seconds late at most; that the timer is silent is said once and
    /// counted each time.
    fn watch_timer(&mut self, tick: Tick, now: Timestamp) {
        let is_due = |moment: Option<Timestamp>| moment.is_some_and(|moment| moment <= now);
        match tick {
            Tick::Moment if !self.timer_ticks => {
                tracing::info!("the timer ticks again");
                self.timer_ticks = true;
            }
            // A clock that was set back since has its moments still to come.
            Tick::Silent if is_due(self.planned.start_at) || is_due(self.planned.results_at) => {
                self.config.health.timer_restarted();
                if std::mem::take(&mut self.timer_ticks) {
                    let silent_s = SILENCE.as_secs();
                    tracing::error!(
                        silent_s,
                        "the timer did not tick; it is started anew, and the daemon goes on"
                    );
                }
            }
            Tick::Moment | Tick::Silent | Tick::Look => {}
        }
    }

    async fn tick(&mut self, tick: Tick) {
        let now = self.config.clock.now();
        self.watch_timer(tick, now);
        self.config.health.heartbeat(now.as_millisecond());
        self.give_sign_of_life();
        if now.duration_since(self.last_tick) < -CLOCK_STEP {
            tracing::warn!("the clock was set back; the next run is worked out anew");
            self.plan(now).await;
            self.plan_results(now);
            self.handler.clock_was_set().await;
        }
        self.last_tick = now;
        match due_at_tick(&self.config.timetable.sync, self.planned.start_at, now) {
            Due::Now { .. } => {
                let due = self.planned.due.unwrap_or(now);
                self.plan(now).await;
                self.order(Trigger::Schedule, due);
            }
            Due::Later(moment) if Some(moment) != self.planned.start_at => self.plan(now).await,
            Due::Never if self.planned.start_at.is_some() => self.plan(now).await,
            Due::Later(_) | Due::Never => {}
        }
        if self.planned.results_at.is_some_and(|at| at <= now) {
            self.plan_results(now);
            self.order(Trigger::Results, now);
        }
    }

    /// Starts a run, or remembers that one is wanted after the one under way.
    fn order(&mut self, trigger: Trigger, due: Timestamp) {
        if self.running.is_none() {
            self.begin(Ordered { trigger, due });
            return;
        }
        match trigger {
            Trigger::Results => self.waiting.results = true,
            Trigger::Schedule | Trigger::Missed | Trigger::Signal => {
                self.waiting.run.get_or_insert(Ordered { trigger, due });
            }
        }
        if trigger == Trigger::Schedule {
            self.config.health.overlap_skipped();
            tracing::warn!("a run was due while another is under way; it starts right after");
        }
    }

    fn begin(&mut self, ordered: Ordered) {
        let stop = self.config.stop.child_token();
        let handler = Arc::clone(&self.handler);
        let trigger = ordered.trigger;
        // A task of its own: a panic in a run ends that task and nothing else.
        let task = tokio::spawn(async move { handler.run(trigger, stop).await });
        self.running = Some(Running { ordered, since: Instant::now(), task });
        self.config.health.run_started(self.config.clock.now_ms());
        self.tell_status();
    }

    fn start_what_waits(&mut self) {
        let results = Ordered { trigger: Trigger::Results, due: self.config.clock.now() };
        if let Some(ordered) = self.waiting.run.take() {
            self.begin(ordered);
        } else if std::mem::take(&mut self.waiting.results) {
            self.begin(results);
        }
    }

    /// Records the end of the run under way, and says what it was.
    fn finish(&mut self, result: Result<RunSummary, JoinError>) -> RunSummary {
        let summary = result.unwrap_or_else(|error| {
            // The payload of a panic may hold anything, a person's data included: it is not repeated.
            tracing::error!(panicked = error.is_panic(), "the run broke off; the daemon goes on");
            RunSummary::failed(self.config.clock.now_ms())
        });
        let Some(Running { ordered, since, task: _ }) = self.running.take() else { return summary };
        let RunSummary { run_id, outcome, good, exit, finished_at_ms, why: _, figures: _ } = &summary;
        let trigger = ordered.trigger.as_str();
        if *exit == 0 {
            tracing::info!(run.id = run_id, trigger, outcome, "run finished");
        } else {
            let what = "run finished, but not everything is in step";
            tracing::warn!(run.id = run_id, trigger, outcome, exit, good, "{what}");
        }
        if ordered.trigger == Trigger::Results {
            self.config.health.results_pulled(&summary);
        } else {
            self.config.health.run_finished(&summary, since.elapsed());
            let ended = Timestamp::from_millisecond(*finished_at_ms).unwrap_or(Timestamp::UNIX_EPOCH);
            self.last_run = Some(format!("{outcome} at {}", self.in_words(ended)));
        }
        self.tell_status();
        summary
    }

    /// Works out the next run after `now` and stores when it is due. This comes before a run begins: one that
    /// takes the whole process down is not begun again by every restart.
    async fn plan(&mut self, now: Timestamp) {
        let due = next_due(&self.config.timetable.sync, now);
        let jitter = draw(self.config.timetable.sync.jitter);
        self.planned.due = due;
        self.planned.start_at = due.map(|moment| start_at(moment, jitter));
        self.config.health.next_run(self.planned.start_at.map(Timestamp::as_millisecond));
        self.handler.store_next_due(due.map(Timestamp::as_millisecond)).await;
    }

    /// A pull that was due while the daemon was down is caught up like a run.
    async fn catch_up_with_results(&mut self, now: Timestamp) {
        let Some(schedule) = self.config.timetable.results_schedule() else { return };
        let last = self.handler.last_pull().await.and_then(|ms| Timestamp::from_millisecond(ms).ok());
        let due = last.and_then(|last| next_due(&schedule, last));
        if let Due::Now { .. } = due_at_start(&schedule, due, now) {
            self.order(Trigger::Results, now);
        }
    }

    fn plan_results(&mut self, now: Timestamp) {
        let schedule = self.config.timetable.results_schedule();
        self.planned.results_at = schedule.and_then(|schedule| next_due(&schedule, now));
    }

    async fn reload(&mut self) {
        self.config.notifier.tell(&ServiceStatus::Reloading);
        let reloaded = AssertUnwindSafe(self.handler.reload()).catch_unwind().await;
        match reloaded.unwrap_or_else(|_| Err("reading it broke off".to_owned())) {
            Ok(timetable) => {
                self.follow(timetable).await;
                self.handler.note_reload(None).await;
            }
            Err(reason) => {
                tracing::error!(reason, "the new configuration is wrong; the old one stays");
                self.handler.note_reload(Some(&reason)).await;
            }
        }
        self.config.notifier.tell(&ServiceStatus::Ready);
        self.tell_status();
    }

    async fn follow(&mut self, timetable: Timetable) {
        self.config.timetable = timetable;
        let now = self.config.clock.now();
        // A due run that only waits for its jitter is still owed.
        if self.planned.due.is_none_or(|due| due > now) {
            self.plan(now).await;
        }
        self.plan_results(now);
        tracing::info!(next_run = self.next_run_in_words(), "the configuration was read again");
    }

    /// Lets the run under way record what is in flight, for as long as [`GRACE`] at most.
    async fn end(mut self, signal: StopSignal) -> ShutdownResult {
        // First of all: nothing can become due from here on.
        self.config.timer.stop();
        tracing::info!(?signal, running = self.running.is_some(), "stopping");
        self.config.notifier.tell(&ServiceStatus::Stopping);
        self.config.stop.cancel();
        let mut owed = self.waiting.run.map(|ordered| ordered.due);
        let mut result = ShutdownResult::Idle;
        if let Some(ordered) = self.running.as_ref().map(|running| running.ordered) {
            result = self.drain().await;
            if result == ShutdownResult::Interrupted && ordered.trigger != Trigger::Results {
                owed = Some(ordered.due);
            }
        }
        if let (ShutdownResult::Idle | ShutdownResult::Interrupted, Some(due)) = (result, owed) {
            // The next start finds it missed.
            self.handler.store_next_due(Some(due.as_millisecond())).await;
        }
        result
    }

    async fn drain(&mut self) -> ShutdownResult {
        let result = tokio::select! {
            biased;
            result = joined(&mut self.running) => result,
            signal = second_stop(&mut self.config.signals) => {
                self.abort();
                return ShutdownResult::Forced(signal);
            }
            () = sleep(GRACE) => {
                tracing::error!(grace_s = GRACE.as_secs(), "the run did not end in time and is cut short");
                self.abort();
                return ShutdownResult::Interrupted;
            }
        };
        if self.finish(result).exit == EXIT_INTERRUPTED {
            ShutdownResult::Interrupted
        } else {
            ShutdownResult::Idle
        }
    }

    fn abort(&mut self) {
        if let Some(running) = self.running.take() {
            running.task.abort();
        }
    }

    /// Sent by the loop as it ticks, not by a timer of its own: a stuck loop must be noticed.
    fn give_sign_of_life(&mut self) {
        let Some(pause) = self.config.notifier.watchdog_pause() else { return };
        // Half of it: the next look may be as late as the pause is long.
        if self.last_sign_of_life.is_none_or(|at| at.elapsed() >= pause / 2) {
            self.config.notifier.tell(&ServiceStatus::Watchdog);
            self.last_sign_of_life = Some(Instant::now());
        }
    }

    fn tell_status(&self) {
        let now = if self.running.is_some() { "a run is under way; " } else { "" };
        let last = self.last_run.as_deref().unwrap_or("none yet");
        let line = format!("{now}last run {last}, next {}", self.next_run_in_words());
        self.config.notifier.tell(&ServiceStatus::Status(line));
    }

    fn next_run_in_words(&self) -> String {
        self.planned.start_at.map_or_else(|| "never".to_owned(), |moment| self.in_words(moment))
    }

    fn in_words(&self, moment: Timestamp) -> String {
        in_words(moment, &self.config.timetable.sync.time_zone)
    }
}

/// The end of the run under way; for ever, while there is none.
async fn joined(running: &mut Option<Running>) -> Result<RunSummary, JoinError> {
    match running {
        Some(running) => (&mut running.task).await,
        None => pending().await,
    }
}

/// The next stop signal; everything else that arrives meanwhile is too late.
async fn second_stop(signals: &mut mpsc::Receiver<DaemonSignal>) -> StopSignal {
    loop {
        match signals.recv().await {
            Some(DaemonSignal::Stop(signal)) => return signal,
            Some(DaemonSignal::Reload | DaemonSignal::RunNow) => {}
            None => return pending().await,
        }
    }
}

/// A random part of the longest jitter.
fn draw(longest: Duration) -> Duration {
    let longest_ms = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(fastrand::u64(0..=longest_ms))
}
