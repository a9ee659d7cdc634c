//! The daemon's health, shared between the loop, the runs and the HTTP server.
//!
//! It holds figures and times only. The one text in it is a reason, which is one of our own sentences: no
//! person, class or secret gets in.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::metrics::Metrics;
use super::summary::RunSummary;
use crate::files;
use rosterd_core::situation::{
    DaemonPresence, Facts, FailedRun, HealthFacts, LastRun, ShownAttentions, Situation, attention_in_short,
};

/// Runs shown on the page.
const REMEMBERED_RUNS: usize = 10;

/// A scheduler that was silent for so long is stuck; it looks around every half minute.
const SILENCE_MS: i64 = 180_000;

/// A handle on the health, cloned to every part that reports to it.
#[derive(Clone, Debug)]
pub struct Health {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    metrics: Metrics,
    run_ended: Notify,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    heartbeat: Option<Heartbeat>,
    not_ready: Option<String>,
    running_since_ms: Option<i64>,
    next_run_ms: Option<i64>,
    /// Without the run that is under way, without the disk and the next run.
    facts: Facts,
    /// Whose disk is looked at.
    state_folder: Option<PathBuf>,
    runs: VecDeque<RunLine>,
    failures_open: BTreeMap<&'static str, u64>,
    held: u64,
}

/// A sign of life, by the clock and by the time that has passed since, which nobody sets.
#[derive(Clone, Copy, Debug)]
struct Heartbeat {
    at_ms: i64,
    at: Instant,
}

impl Heartbeat {
    /// A clock that was set back must neither look like silence nor hide it: then the time counts that has passed since.
    fn is_fresh(self, now_ms: i64) -> bool {
        let silent_ms = match now_ms.saturating_sub(self.at_ms) {
            ..0 => i64::try_from(self.at.elapsed().as_millis()).unwrap_or(i64::MAX),
            silent_ms => silent_ms,
        };
        silent_ms < SILENCE_MS
    }
}

/// One line of the run history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunLine {
    /// The run's number, if it got one.
    pub run_id: Option<i64>,
    pub outcome: &'static str,
    /// Whether it read both sides completely and no service was stopped.
    pub good: bool,
    pub finished_at: String,
}

/// A picture of the health at one moment, as `/` and `/api/v1/status` show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HealthPicture {
    pub version: &'static str,
    /// Whether every run that was due came and was good.
    pub healthy: bool,
    /// Why, in one line.
    pub why: String,
    /// What is the matter, the worst thing first.
    pub situation: Situation,
    /// The school's zone.
    #[serde(skip)]
    pub zone: TimeZone,
    /// When the picture was made.
    #[serde(skip)]
    pub made_at_ms: i64,
    /// How much waits for whom, and for how long the oldest has.
    pub attention_in_short: Option<String>,
    /// What waits, by kind.
    pub attention: ShownAttentions,
    /// Whether the scheduler gave a sign of life lately.
    pub alive: bool,
    /// Whether configuration and databases are usable.
    pub ready: bool,
    /// The reason, if not ready.
    pub reason: Option<String>,
    /// Since when a run is under way.
    pub running_since: Option<String>,
    /// When the next run is due.
    pub next_run_at: Option<String>,
    /// When the last good run ended.
    pub last_good_run_at: Option<String>,
    /// The time since then.
    pub last_good_run_age_seconds: Option<i64>,
    /// The last runs, newest first.
    pub runs: Vec<RunLine>,
    /// Open failures by service.
    pub failures_open: BTreeMap<&'static str, u64>,
    /// Operations that wait for approval.
    pub held: u64,
}

impl Default for Health {
    fn default() -> Self {
        Self::new()
    }
}

impl Health {
    /// Alive as soon as the first heartbeat comes, ready when [`Health::ready`] says so.
    #[must_use]
    pub fn new() -> Self {
        let state = State { not_ready: Some("starting".to_owned()), ..State::default() };
        Self {
            inner: Arc::new(Inner {
                metrics: Metrics::new(),
                run_ended: Notify::new(),
                state: Mutex::new(state),
            }),
        }
    }

    /// The scheduler is alive.
    pub fn heartbeat(&self, now_ms: i64) {
        self.inner.metrics.heartbeat(now_ms);
        self.state().heartbeat = Some(Heartbeat { at_ms: now_ms, at: Instant::now() });
    }

    /// Whether configuration and databases are usable; `reason` says in our own words why they are not.
    pub fn ready(&self, usable: bool, reason: impl Into<String>) {
        self.inner.metrics.ready(usable);
        self.state().not_ready = if usable { None } else { Some(reason.into()) };
    }

    /// A run began.
    pub fn run_started(&self, now_ms: i64) {
        self.state().running_since_ms = Some(now_ms);
    }

    /// A run ended: counts it and what it did. The daemon calls this once for each run.
    pub fn run_finished(&self, summary: &RunSummary, took: Duration) {
        self.inner.metrics.run_finished(summary.outcome, took, &summary.figures);
        self.state().running_since_ms = None;
        self.remember(summary);
        self.inner.run_ended.notify_one();
    }

    /// A pull of exam results ended: counted apart, since it says nothing about rosters being in step.
    pub fn results_pulled(&self, summary: &RunSummary) {
        self.inner.metrics.results_pulled(summary.outcome, &summary.figures);
        if summary.good {
            self.last_good_pull(summary.finished_at_ms);
        }
        self.state().running_since_ms = None;
    }

    /// When exam results were last surely complete, where that is known without a summary.
    pub fn last_good_pull(&self, finished_at_ms: i64) {
        self.inner.metrics.last_good_pull(finished_at_ms);
    }

    /// Puts a run of the ledger into the history without counting it; a start does so, oldest first, so that
    /// the age of the last good run survives a restart.
    pub fn remember(&self, summary: &RunSummary) {
        let RunSummary { run_id, outcome, good, exit, finished_at_ms, why, figures: _ } = summary;
        let mut state = self.state();
        if *good {
            self.inner.metrics.last_success(*finished_at_ms);
            state.facts.health.last_good_ms = Some(*finished_at_ms);
            state.facts.health.failed = None;
        } else if !matches!(*outcome, "busy" | "interrupted") {
            // How many there were before it is the state's to say.
            let before = state.facts.health.failed.take();
            let (ended_at_ms, outcome, why) = (*finished_at_ms, (*outcome).to_owned(), why.clone());
            state.facts.health.failed = Some(FailedRun {
                ended_at_ms,
                first_ended_at_ms: before.as_ref().map_or(ended_at_ms, |before| before.first_ended_at_ms),
                runs: before.map_or(1, |before| before.runs),
                exit_code: Some(*exit),
                outcome,
                why,
            });
        }
        if !matches!(*outcome, "busy") {
            let known = state.facts.last_run.take().filter(|run| run.outcome == *outcome);
            let left_by_mode = known.map_or(0, |run| run.left_by_mode);
            state.facts.last_run = Some(LastRun { outcome: (*outcome).to_owned(), left_by_mode });
        }
        let line = RunLine { run_id: *run_id, outcome, good: *good, finished_at: to_text(*finished_at_ms) };
        state.runs.push_front(line);
        state.runs.truncate(REMEMBERED_RUNS);
    }

    /// What the state tells of the past: right after a start, after each run, and after the schedule has changed.
    pub fn known(&self, facts: Facts) {
        self.inner.metrics.last_success(facts.health.last_good_ms.unwrap_or(0));
        self.inner.metrics.attention(&facts.attention);
        self.state().facts = facts;
    }

    /// In which folder the state database is: its disk is looked at whenever somebody asks.
    pub fn watches(&self, state_folder: &Path) {
        self.state().state_folder = Some(state_folder.to_owned());
    }

    /// When the next run is due, if any is.
    pub fn next_run(&self, due_ms: Option<i64>) {
        self.inner.metrics.next_run(due_ms);
        self.state().next_run_ms = due_ms;
    }

    /// Sets the number of open failures of a service (`exam` or `classin`).
    pub fn failures_open(&self, service: &'static str, count: u64) {
        self.inner.metrics.failures_open(service, count);
        self.state().failures_open.insert(service, count);
    }

    /// Sets the number of operations that wait for approval.
    pub fn held(&self, count: u64) {
        self.inner.metrics.held(count);
        self.state().held = count;
    }

    /// The guard held operations of a run.
    pub fn guard_stop(&self) {
        self.inner.metrics.guard_stop();
    }

    /// A run was due while another was under way.
    pub fn overlap_skipped(&self) {
        self.inner.metrics.overlap_skipped();
    }

    /// A page was asked for by somebody who did not show the token; `reason` is one of few words.
    pub fn page_refused(&self, reason: &'static str) {
        self.inner.metrics.page_refused(reason);
    }

    /// The timer fell silent and was started anew.
    pub fn timer_restarted(&self) {
        self.inner.metrics.timer_restarted();
    }

    /// Whether the scheduler gave a sign of life within the last three minutes.
    #[must_use]
    pub fn is_alive(&self, now_ms: i64) -> bool {
        self.state().is_alive(now_ms)
    }

    /// The reason why configuration or databases are not usable, if they are not.
    #[must_use]
    pub fn not_ready(&self) -> Option<String> {
        self.state().not_ready.clone()
    }

    /// Everything at once.
    #[must_use]
    pub fn picture(&self, now_ms: i64) -> HealthPicture {
        let state = self.state();
        let situation = state.situation(now_ms);
        let last_good_ms = state.facts.health.last_good_ms;
        HealthPicture {
            healthy: situation.healthy,
            why: situation.why.clone(),
            situation,
            zone: state.facts.health.zone.clone().unwrap_or(TimeZone::UTC),
            made_at_ms: now_ms,
            attention_in_short: attention_in_short(&state.facts.attention, now_ms),
            attention: state.facts.attention.clone(),
            version: env!("CARGO_PKG_VERSION"),
            alive: state.is_alive(now_ms),
            ready: state.not_ready.is_none(),
            reason: state.not_ready.clone(),
            running_since: state.running_since_ms.map(to_text),
            next_run_at: state.next_run_ms.map(to_text),
            last_good_run_at: last_good_ms.map(to_text),
            last_good_run_age_seconds: last_good_ms.map(|at| now_ms.saturating_sub(at).max(0) / 1000),
            runs: state.runs.iter().cloned().collect(),
            failures_open: state.failures_open.clone(),
            held: state.held,
        }
    }

    /// Whether a run is under way.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.state().running_since_ms.is_some()
    }

    /// When the last good run ended, in milliseconds since 1970 UTC.
    #[must_use]
    pub fn last_good_ms(&self) -> Option<i64> {
        self.state().facts.health.last_good_ms
    }

    /// Waits for the end of a run, of one that ended since the last time at most.
    pub async fn run_ended(&self) {
        self.inner.run_ended.notified().await;
    }

    /// What is the matter, the worst thing first.
    pub fn situation(&self, now_ms: i64) -> Situation {
        self.state().situation(now_ms)
    }

    /// All metrics in the OpenMetrics text form, also for a file that another collector reads.
    ///
    /// # Errors
    /// When a metric cannot be written as text.
    pub fn metrics_text(&self, now_ms: i64) -> Result<String, std::fmt::Error> {
        self.inner.metrics.healthy(self.state().situation(now_ms).healthy);
        self.inner.metrics.render()
    }

    /// Nothing is left half done under this lock, so a panic elsewhere does not spoil it.
    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_alive(&self, now_ms: i64) -> bool {
        self.heartbeat.is_some_and(|heartbeat| heartbeat.is_fresh(now_ms))
    }

    fn situation(&self, now_ms: i64) -> Situation {
        let known = &self.facts.health;
        let first_due = self.next_run_ms.filter(|_| known.last_good_ms.is_none() && self.runs.is_empty());
        let health = HealthFacts {
            due_since_ms: known.due_since_ms.or(first_due),
            running_since_ms: self.running_since_ms,
            is_disk_full: self.state_folder.as_deref().is_some_and(files::is_full),
            next_due_ms: self.next_run_ms,
            daemon: DaemonPresence::Running,
            ..known.clone()
        };
        let facts = Facts { health, next_run_ms: self.next_run_ms, ..self.facts.clone() };
        Situation::of(&facts, now_ms)
    }
}

fn to_text(at_ms: i64) -> String {
    let whole_seconds = at_ms.div_euclid(1000);
    Timestamp::from_second(whole_seconds).map_or_else(|_| String::new(), |moment| moment.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(run_id: i64, outcome: &'static str, good: bool) -> RunSummary {
        RunSummary { run_id: Some(run_id), outcome, good, ..RunSummary::failed(run_id * 1000) }
    }

    #[test]
    fn a_scheduler_that_is_silent_for_three_minutes_is_not_alive() {
        let health = Health::new();
        assert!(!health.is_alive(0), "no heartbeat yet");
        health.heartbeat(1_000_000);
        for (later_ms, alive) in [(0, true), (179_999, true), (180_000, false), (-60_000, true)] {
            assert_eq!(health.is_alive(1_000_000 + later_ms), alive, "{later_ms}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_scheduler_that_falls_silent_under_a_clock_that_was_set_back_by_years_is_not_alive() {
        let (health, years_ms) = (Health::new(), 5 * 365 * 86_400_000);
        health.heartbeat(years_ms);
        for (later, alive) in [(0, true), (179, true), (1, false), (86_400, false)] {
            tokio::time::advance(Duration::from_secs(later)).await;
            assert_eq!(health.is_alive(1_000_000), alive, "{later}");
        }
        health.heartbeat(1_000_000);
        assert!(health.is_alive(1_000_000));
    }

    #[test]
    fn it_is_ready_only_when_the_app_says_so() {
        let health = Health::new();
        assert_eq!(health.not_ready().as_deref(), Some("starting"));
        health.ready(true, "");
        assert_eq!(health.not_ready(), None);
        health.ready(false, "state database: disk full");
        assert_eq!(health.not_ready().as_deref(), Some("state database: disk full"));
    }

    #[test]
    fn the_age_of_the_last_good_run_is_not_reset_by_a_bad_one() {
        let health = Health::new();
        health.run_finished(&summary(100, "converged", true), Duration::from_secs(1));
        health.run_finished(&summary(200, "failed", false), Duration::from_secs(1));
        let picture = health.picture(300_000);
        assert_eq!(picture.last_good_run_age_seconds, Some(200));
        assert_eq!(picture.runs.iter().map(|run| run.outcome).collect::<Vec<_>>(), ["failed", "converged"]);
    }

    #[test]
    fn only_the_last_ten_runs_are_shown_newest_first() {
        let health = Health::new();
        for run_id in 1..=25 {
            health.remember(&summary(run_id, "converged", true));
        }
        let shown: Vec<_> = health.picture(0).runs.iter().filter_map(|run| run.run_id).collect();
        assert_eq!(shown, (16..=25).rev().collect::<Vec<_>>());
    }

    #[test]
    fn remembered_runs_are_not_counted_again() {
        let health = Health::new();
        health.remember(&summary(1, "converged", true));
        let text = health.metrics_text(0).unwrap();
        assert!(!text.contains("rosterd_runs_total{"), "{text}");
        assert!(text.contains("rosterd_last_success_timestamp_seconds 1.0"), "{text}");
    }
}
