//! The daemon's timer: the library `tokio-cron-scheduler`, with a job of its own for each moment at which something is due.
//!
//! It knows nothing of what is due: that is [`super::schedule`]'s, in the admin's zone. The library is given one-shot jobs that
//! only say "now": so neither its frozen zone offsets, nor runs that overlap, nor a moment that it reports twice can reach a run.
//!
//! The library looks at its jobs twice a second. So it is there only while a moment is near, and nothing of it is while the
//! daemon is idle: then the loop wakes once every [`LOOK`], for the watchdog and for a clock that was set.

use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use jiff::{SignedDuration, Timestamp};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

/// The loop wakes so often, whatever is due: a clock that was set is seen then.
pub(super) const LOOK: Duration = Duration::from_secs(30);

/// A moment is near if it may come before the second look from now. A clock that went further than [`LOOK`] since the last one
/// (it is put right step by step, or the machine slept) is expected to do so again.
const NEAR_IN_LOOKS: i32 = 3;

/// A job is at most a second and a half late. After so long it does not come by itself any more: a task of the library ended.
pub(super) const SILENCE: Duration = Duration::from_secs(5);

/// Where jobs say that their moment has come. Any number that nobody waited for is one.
type Ticks = Arc<Notify>;

/// Starts something that ticks after each of these numbers of seconds, until what it answers is dropped.
type Start = Box<dyn FnMut(Ticks, &[u64]) -> io::Result<Box<dyn Send>> + Send>;

/// Wakes the loop at the moments that it is armed for.
pub struct Timer {
    ticks: Ticks,
    start: Start,
    armed: Option<Armed>,
    look: Duration,
    next_look: Instant,
    /// When it was last armed, by both clocks, at least half a look ago.
    seen: Option<(Instant, Timestamp)>,
    near: SignedDuration,
}

/// Jobs that wait for their moments.
struct Armed {
    moments: Vec<Timestamp>,
    silent_at: Instant,
    _running: Option<Box<dyn Send>>,
}

/// What the loop was woken by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tick {
    /// A job.
    Moment,
    /// Nothing: the time for a look has come.
    Look,
    /// No job came for [`SILENCE`] after its moment: the loop goes on without, and the jobs are made anew.
    Silent,
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timer").field("is_armed", &self.armed.is_some()).finish_non_exhaustive()
    }
}

impl Timer {
    /// One-shot jobs of `tokio-cron-scheduler`, once the daemon arms it.
    #[must_use]
    pub fn of_jobs() -> Self {
        Self::of(Scheduler::start)
    }

    /// Ticks from anywhere.
    pub(super) fn of<R: Send + 'static>(
        mut start: impl FnMut(Ticks, &[u64]) -> io::Result<R> + Send + 'static,
    ) -> Self {
        let start: Start = Box::new(move |ticks, seconds| {
            start(ticks, seconds).map(|running| Box::new(running) as Box<dyn Send>)
        });
        Self {
            ticks: Ticks::default(),
            start,
            armed: None,
            look: LOOK,
            next_look: Instant::now() + LOOK,
            seen: None,
            near: SignedDuration::MAX,
        }
    }

    /// Looks at least so often.
    pub(super) fn look_every(&mut self, longest: Duration) {
        self.look = LOOK.min(longest);
        self.next_look = Instant::now() + self.look;
    }

    /// Makes a job for each of these moments that is near. Those that wait already go on waiting.
    pub(super) fn arm(&mut self, moments: impl IntoIterator<Item = Timestamp>, now: Timestamp) {
        self.watch_clock(now);
        let near = self.near;
        let mut moments: Vec<Timestamp> =
            moments.into_iter().filter(|moment| moment.duration_since(now) <= near).collect();
        moments.sort_unstable();
        moments.dedup();
        let Some(first) = moments.first() else {
            self.armed = None;
            return;
        };
        let left = Duration::try_from(first.duration_since(now)).unwrap_or(Duration::ZERO);
        let silent_at = Instant::now().checked_add(left.saturating_add(SILENCE)).unwrap_or(self.next_look);
        if let Some(armed) = self.armed.as_mut().filter(|armed| armed.moments == moments) {
            // The clock may have been set since.
            armed.silent_at = silent_at;
            return;
        }
        // What was armed before ends first.
        self.armed = None;
        let seconds: Vec<u64> = moments.iter().map(|moment| whole_seconds(now, *moment)).collect();
        let started = (self.start)(Arc::clone(&self.ticks), &seconds);
        let running = started.inspect_err(|error| {
            tracing::error!(%error, "the timer cannot be started; the daemon looks by itself what is due");
        });
        self.armed = Some(Armed { moments, silent_at, _running: running.ok() });
    }

    /// How far the clock goes from one look to the next says how far ahead a moment is near.
    fn watch_clock(&mut self, now: Timestamp) {
        match self.seen {
            Some((at, _)) if at.elapsed() < self.look / 2 => return,
            Some((_, then)) => {
                let look = SignedDuration::try_from(self.look).unwrap_or(SignedDuration::MAX);
                self.near = now.duration_since(then).max(look).saturating_mul(NEAR_IN_LOOKS);
            }
            None => {}
        }
        self.seen = Some((Instant::now(), now));
    }

    /// Nothing comes any more.
    pub(super) fn stop(&mut self) {
        self.armed = None;
    }

    /// The next tick. It may be dropped at any time.
    pub(super) async fn tick(&mut self) -> Tick {
        let silent_at = self.armed.as_ref().map(|armed| armed.silent_at);
        let (until, then) = match silent_at {
            Some(at) if at < self.next_look => (at, Tick::Silent),
            Some(_) | None => (self.next_look, Tick::Look),
        };
        let tick = tokio::select! {
            biased;
            () = self.ticks.notified() => Tick::Moment,
            () = sleep_until(until) => then,
        };
        match tick {
            Tick::Moment => {}
            Tick::Look => self.next_look = Instant::now() + self.look,
            Tick::Silent => self.armed = None,
        }
        tick
    }
}

/// After how many seconds the library's job is due, which counts whole ones only: never before the moment.
fn whole_seconds(now: Timestamp, moment: Timestamp) -> u64 {
    let started = moment.as_second().saturating_add(i64::from(moment.subsec_nanosecond() > 0));
    u64::try_from(started.saturating_sub(now.as_second())).unwrap_or(0)
}

/// The library in a runtime of its own, with one thread. Its `shutdown` waits for nothing, and its tasks hold one
/// another's channels and never end: with the runtime they do, and one that is stuck holds up no run.
struct Scheduler(Option<Runtime>);

impl Scheduler {
    fn start(ticks: Ticks, seconds: &[u64]) -> io::Result<Self> {
        let runtime =
            Builder::new_multi_thread().worker_threads(1).thread_name("timer").enable_time().build()?;
        let seconds = seconds.to_vec();
        runtime.spawn(async move {
            if let Err(error) = schedule(seconds, ticks).await {
                tracing::error!(%error, "the timer did not take its jobs");
            }
        });
        Ok(Self(Some(runtime)))
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // Waits for nothing: this is called within another runtime.
            runtime.shutdown_background();
        }
    }
}

/// The closures must not panic: a panic in one would silence its job for ever.
async fn schedule(seconds: Vec<u64>, ticks: Ticks) -> Result<(), JobSchedulerError> {
    let scheduler = JobScheduler::new().await?;
    for seconds in seconds {
        let ticks = Arc::clone(&ticks);
        let job = Job::new_one_shot(Duration::from_secs(seconds), move |_, _| ticks.notify_one())?;
        scheduler.add(job).await?;
    }
    scheduler.start().await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn after(now: Timestamp, seconds: i64) -> Timestamp {
        now.checked_add(SignedDuration::from_secs(seconds)).unwrap()
    }

    #[tokio::test]
    async fn a_job_of_the_scheduler_library_comes_at_its_moment_once_and_not_after_the_stop() {
        let mut timer = Timer::of_jobs();
        let clock = crate::clock::Clock::system();
        let due = after(clock.now(), 2);
        timer.arm([due], clock.now());
        assert_eq!(timer.tick().await, Tick::Moment);
        let now = clock.now();
        let late = now.duration_since(due);
        assert!(!late.is_negative() && late < SignedDuration::from_secs(6), "{late}");
        // Both of these are armed, and stopped before they come.
        timer.arm([after(now, 1), after(now, 2)], now);
        timer.stop();
        let late = tokio::time::timeout(Duration::from_secs(3), timer.ticks.notified()).await;
        assert!(late.is_err(), "a job came after the stop, or twice");
    }

    #[test]
    fn a_job_is_never_due_before_its_moment() {
        let now = at("2027-01-04T08:00:10.7Z");
        for (moment, seconds) in [
            ("2027-01-04T08:00:20Z", 10),
            ("2027-01-04T08:00:20.7Z", 11),
            ("2027-01-04T08:00:10.8Z", 1),
            ("2027-01-04T08:00:10Z", 0),
            ("2027-01-04T07:00:00Z", 0),
        ] {
            // The library cuts the fraction off: 10.7 and 10 are 20.
            assert_eq!(whole_seconds(now, at(moment)), seconds, "{moment}");
        }
    }

    /// Notes for how many jobs it is started each time, and never ticks.
    fn noting() -> (Timer, Arc<std::sync::Mutex<Vec<usize>>>) {
        let starts = Arc::new(std::sync::Mutex::new(Vec::new()));
        let noted = Arc::clone(&starts);
        let timer = Timer::of(move |_, seconds| {
            noted.lock().unwrap().push(seconds.len());
            Ok(())
        });
        (timer, starts)
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_timer_has_no_job_and_wakes_for_a_look_alone() {
        let (mut timer, starts) = noting();
        let mut now = at("2027-01-04T08:00:00Z");
        let due = after(now, 3600);
        timer.arm([due], now);
        assert!(timer.armed.is_some(), "how far the clock goes is not known yet");
        let began = Instant::now();
        for _ in 0..100 {
            assert_eq!(timer.tick().await, Tick::Look);
            now = after(now, 30);
            timer.arm([due], now);
            assert!(timer.armed.is_none());
        }
        assert_eq!(began.elapsed(), LOOK * 100);
        while timer.armed.is_none() {
            assert_eq!(timer.tick().await, Tick::Look);
            now = after(now, 30);
            timer.arm([due], now);
        }
        assert_eq!(due.duration_since(now), SignedDuration::from_secs(90));
        assert_eq!(*starts.lock().unwrap(), [1, 1]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_goes_fast_has_its_moments_armed_early_enough() {
        let (mut timer, _starts) = noting();
        let mut now = at("2027-01-04T08:00:00Z");
        timer.arm([], now);
        // 1,200 times as fast as it should.
        for _ in 0..3 {
            assert_eq!(timer.tick().await, Tick::Look);
            now = after(now, 36_000);
            timer.arm([after(now, 100_000)], now);
            assert!(timer.armed.is_some());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn moments_that_wait_go_on_waiting_and_others_take_their_place() {
        let (mut timer, starts) = noting();
        let now = at("2027-01-04T08:00:00Z");
        let (first, second) = (after(now, 10), after(now, 20));
        timer.arm([first, second, first], now);
        timer.arm([second, first], after(now, 1));
        assert_eq!(*starts.lock().unwrap(), [2]);
        timer.arm([second], after(now, 11));
        assert_eq!(*starts.lock().unwrap(), [2, 1]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_that_does_not_come_wakes_the_loop_and_is_made_anew() {
        let mut silent_once = true;
        let mut timer = Timer::of(move |ticks: Ticks, _| {
            if !std::mem::take(&mut silent_once) {
                ticks.notify_one();
            }
            Ok(())
        });
        let now = at("2027-01-04T08:00:00Z");
        timer.arm([after(now, 10)], now);
        let began = Instant::now();
        assert_eq!(timer.tick().await, Tick::Silent);
        assert_eq!(began.elapsed(), Duration::from_secs(10) + SILENCE);
        timer.arm([after(now, 20)], after(now, 15));
        assert_eq!(timer.tick().await, Tick::Moment);
    }

    #[tokio::test(start_paused = true)]
    async fn a_timer_that_cannot_be_started_is_tried_again_and_the_loop_is_woken_meanwhile() {
        let mut refusals = 2;
        let mut timer = Timer::of(move |ticks: Ticks, _| {
            if refusals > 0 {
                refusals -= 1;
                return Err(io::Error::other("no thread to be had"));
            }
            ticks.notify_one();
            Ok(())
        });
        let now = at("2027-01-04T08:00:00Z");
        for expected in [Tick::Silent, Tick::Silent, Tick::Moment] {
            timer.arm([now], now);
            assert_eq!(timer.tick().await, expected);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn ticks_that_nobody_waited_for_are_one() {
        let mut timer = Timer::of(|ticks: Ticks, _| {
            ticks.notify_one();
            ticks.notify_one();
            Ok(())
        });
        let now = at("2027-01-04T08:00:00Z");
        timer.arm([now], now);
        tokio::time::sleep(SILENCE * 3).await;
        assert_eq!(timer.tick().await, Tick::Moment, "a tick that waits goes before the silence");
        assert_eq!(timer.tick().await, Tick::Silent);
    }
}
