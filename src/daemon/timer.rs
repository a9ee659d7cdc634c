//! The daemon's timer: a tick each second, from the library `tokio-cron-scheduler`.
//!
//! It knows nothing of what is due: that is [`super::schedule`]'s, in the admin's zone. The library holds one job, in
//! UTC, that only says "now": so neither its frozen zone offsets, nor runs that overlap, nor a moment that it reports
//! twice can reach a run.

use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

/// The one job of the library: each second, the finest step that an expression of the admin can name.
const EACH_SECOND: &str = "* * * * * *";

/// A tick is at most a second and a half behind the one before. Silence for so long means that it does not come by
/// itself any more: a task of the library ended, or the clock was set back, behind which the library waits.
pub(super) const SILENCE: Duration = Duration::from_secs(5);

/// Where ticks arrive. Any number that nobody waited for is one.
type Ticks = Arc<Notify>;

/// Starts something that ticks until what it answers is dropped.
type Start = Box<dyn FnMut(Ticks) -> io::Result<Box<dyn Send>> + Send>;

/// Ticks, for as long as it lives and is not stopped.
pub struct Timer {
    ticks: Ticks,
    start: Start,
    running: Option<Box<dyn Send>>,
    heard: Instant,
}

/// What the loop was woken by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tick {
    /// The timer's own tick.
    InTime,
    /// None came for [`SILENCE`]: the loop goes on without, and the timer was started anew.
    Silent,
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timer").field("running", &self.running.is_some()).finish_non_exhaustive()
    }
}

impl Timer {
    /// A tick each second from `tokio-cron-scheduler`, once the daemon starts it.
    #[must_use]
    pub fn each_second() -> Self {
        Self::of(|ticks| Scheduler::start(EACH_SECOND, ticks))
    }

    /// Ticks from anywhere.
    pub(super) fn of<R: Send + 'static>(
        mut start: impl FnMut(Ticks) -> io::Result<R> + Send + 'static,
    ) -> Self {
        let start: Start =
            Box::new(move |ticks| start(ticks).map(|running| Box::new(running) as Box<dyn Send>));
        Self { ticks: Ticks::default(), start, running: None, heard: Instant::now() }
    }

    /// Starts it, or starts it anew.
    pub(super) fn start(&mut self) {
        self.stop();
        match (self.start)(Arc::clone(&self.ticks)) {
            Ok(running) => self.running = Some(running),
            Err(error) => {
                tracing::error!(%error, "the timer cannot be started; it is tried again in {SILENCE:?}")
            }
        }
        self.heard = Instant::now();
    }

    /// Nothing ticks any more.
    pub(super) fn stop(&mut self) {
        self.running = None;
    }

    /// The next tick; after [`SILENCE`] it is started anew, and the caller hears of it. It may be dropped at any time.
    pub(super) async fn tick(&mut self) -> Tick {
        let tick = tokio::select! {
            biased;
            () = self.ticks.notified() => Tick::InTime,
            () = sleep_until(self.heard + SILENCE) => Tick::Silent,
        };
        match tick {
            Tick::InTime => self.heard = Instant::now(),
            Tick::Silent => self.start(),
        }
        tick
    }
}

/// The library in a runtime of its own, with one thread. Its `shutdown` waits for nothing, and its tasks hold one
/// another's channels and never end: with the runtime they do, and one that is stuck holds up no run.
struct Scheduler(Option<Runtime>);

impl Scheduler {
    fn start(expression: &'static str, ticks: Ticks) -> io::Result<Self> {
        let runtime =
            Builder::new_multi_thread().worker_threads(1).thread_name("timer").enable_time().build()?;
        runtime.spawn(async move {
            if let Err(error) = schedule(expression, ticks).await {
                tracing::error!(%error, "the timer did not take its job");
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

/// The closure must not panic: a panic in it would silence the job for ever.
async fn schedule(expression: &str, ticks: Ticks) -> Result<(), JobSchedulerError> {
    let scheduler = JobScheduler::new().await?;
    scheduler.add(Job::new(expression, move |_, _| ticks.notify_one())?).await?;
    scheduler.start().await
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Once a year: nobody waits for it.
    const HARDLY_EVER: &str = "0 0 0 29 2 *";

    #[tokio::test]
    async fn the_scheduler_library_ticks_each_second_and_not_after_the_stop() {
        let mut timer = Timer::each_second();
        timer.start();
        let before = Instant::now();
        for _ in 0..4 {
            assert_eq!(timer.tick().await, Tick::InTime);
        }
        let took = before.elapsed();
        assert!((Duration::from_millis(2900)..Duration::from_secs(8)).contains(&took), "{took:?}");
        timer.stop();
        // What was under way when it stopped.
        tokio::time::sleep(Duration::from_millis(50)).await;
        let _leftover = tokio::time::timeout(Duration::from_millis(1), timer.ticks.notified()).await;
        let late = tokio::time::timeout(Duration::from_secs(2), timer.ticks.notified()).await;
        assert!(late.is_err(), "a tick came after the stop");
    }

    #[tokio::test]
    async fn a_timer_that_falls_silent_is_started_anew_and_ticks_again() {
        let mut expressions = [HARDLY_EVER, EACH_SECOND].into_iter();
        let mut timer = Timer::of(move |ticks| Scheduler::start(expressions.next().unwrap(), ticks));
        timer.start();
        let before = Instant::now();
        assert_eq!(timer.tick().await, Tick::Silent);
        assert!(before.elapsed() >= SILENCE);
        assert_eq!(timer.tick().await, Tick::InTime);
        assert_eq!(timer.tick().await, Tick::InTime);
    }

    #[tokio::test(start_paused = true)]
    async fn a_timer_that_cannot_be_started_is_tried_again_and_the_loop_is_woken_meanwhile() {
        let mut refusals = 2;
        let mut timer = Timer::of(move |ticks| {
            if refusals > 0 {
                refusals -= 1;
                return Err(io::Error::other("no thread to be had"));
            }
            ticks.notify_one();
            Ok(())
        });
        timer.start();
        assert_eq!(timer.tick().await, Tick::Silent);
        assert_eq!(timer.tick().await, Tick::Silent);
        assert_eq!(timer.tick().await, Tick::InTime);
    }

    #[tokio::test(start_paused = true)]
    async fn ticks_that_nobody_waited_for_are_one() {
        let mut timer = Timer::of(|ticks| {
            ticks.notify_one();
            ticks.notify_one();
            Ok(())
        });
        timer.start();
        tokio::time::sleep(SILENCE * 3).await;
        assert_eq!(timer.tick().await, Tick::InTime, "a tick that waits goes before the silence");
        assert_eq!(timer.tick().await, Tick::Silent);
    }
}
