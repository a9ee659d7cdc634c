//! The counters and gauges that Prometheus reads. No label ever holds a person or a class.

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use jiff::SignedDuration;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use rosterd_core::situation::ShownAttentions;

use super::summary::{CallCount, Figures, OperationCount};

/// Upper bounds in seconds: a quiet run of a small school up to a first one of a large company.
const RUN_BUCKETS: [f64; 9] = [0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0];

/// A name that a label may hold is at most so long.
const LABEL_LENGTH: usize = 64;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByResult {
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByTarget {
    target: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByItem {
    target: &'static str,
    op: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByRequest {
    target: &'static str,
    endpoint: String,
    outcome: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByOwner {
    kind: String,
    who: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByReason {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByKind {
    kind: String,
}

type SecondsGauge = Gauge<f64, AtomicU64>;

/// Everything that is measured, and the registry it is printed from.
pub(super) struct Metrics {
    registry: Registry,
    runs: Family<ByResult, Counter>,
    results_pulls: Family<ByResult, Counter>,
    last_pull: SecondsGauge,
    run_seconds: Histogram,
    last_success: SecondsGauge,
    next_run: SecondsGauge,
    heartbeat: SecondsGauge,
    ready: Gauge,
    healthy: Gauge,
    attention: Family<ByOwner, Gauge>,
    attention_oldest: Family<ByKind, SecondsGauge>,
    items: Family<ByItem, Counter>,
    failed_items: Family<ByTarget, Gauge>,
    held_items: Gauge,
    requests: Family<ByRequest, Counter>,
    guard_stops: Counter,
    overlap_skipped: Counter,
    timer_restarts: Counter,
    pages_refused: Family<ByReason, Counter>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    pub(super) fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::default(),
            runs: Family::default(),
            results_pulls: Family::default(),
            last_pull: SecondsGauge::default(),
            run_seconds: Histogram::new(RUN_BUCKETS),
            last_success: SecondsGauge::default(),
            next_run: SecondsGauge::default(),
            heartbeat: SecondsGauge::default(),
            ready: Gauge::default(),
            healthy: Gauge::default(),
            attention: Family::default(),
            attention_oldest: Family::default(),
            items: Family::default(),
            failed_items: Family::default(),
            held_items: Gauge::default(),
            requests: Family::default(),
            guard_stops: Counter::default(),
            overlap_skipped: Counter::default(),
            timer_restarts: Counter::default(),
            pages_refused: Family::default(),
        };
        metrics.register_runs();
        metrics.register_work();
        metrics
    }

    /// The encoder adds `_info` and `_total` by itself.
    fn register_runs(&mut self) {
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        let to = &mut self.registry;
        to.register("rosterd_build", "The running version", build);
        to.register("rosterd_runs", "Runs by how they ended", self.runs.clone());
        to.register("rosterd_run_duration_seconds", "How long runs took", self.run_seconds.clone());
        let help = "Pulls of exam results by how they ended";
        to.register("rosterd_results_pulls", help, self.results_pulls.clone());
        let help = "When exam results were last surely complete; 0 is never";
        to.register("rosterd_results_last_success_timestamp_seconds", help, self.last_pull.clone());
        let help = "When the last good run ended, which read both sides completely; 0 is never";
        to.register("rosterd_last_success_timestamp_seconds", help, self.last_success.clone());
        let help = "When the next run is due; 0 is never";
        to.register("rosterd_next_run_timestamp_seconds", help, self.next_run.clone());
        let help = "When the scheduler last gave a sign of life";
        to.register("rosterd_heartbeat_timestamp_seconds", help, self.heartbeat.clone());
        let help = "Whether configuration and databases are usable";
        to.register("rosterd_ready", help, self.ready.clone());
        let help = "Whether every run that was due came and was good";
        to.register("rosterd_healthy", help, self.healthy.clone());
        let help = "Runs that were due while another was under way";
        to.register("rosterd_overlap_skipped", help, self.overlap_skipped.clone());
        let help = "How often the timer fell silent and was started anew; the daemon went on";
        to.register("rosterd_timer_restarts", help, self.timer_restarts.clone());
        let help = "Runs in which the guard held operations";
        to.register("rosterd_guard_stops", help, self.guard_stops.clone());
        let help = "Requests for pages that showed no token where one is demanded, or a wrong one";
        to.register("rosterd_pages_refused", help, self.pages_refused.clone());
    }

    fn register_work(&mut self) {
        let to = &mut self.registry;
        to.register("rosterd_items", "Operations by what became of them", self.items.clone());
        let help = "Failures that are open now";
        to.register("rosterd_failed_items", help, self.failed_items.clone());
        let help = "Operations that wait for approval now";
        to.register("rosterd_held_items", help, self.held_items.clone());
        let help = "What waits for a person, another row or a time, now";
        to.register("rosterd_attention_items", help, self.attention.clone());
        let help = "Since when the oldest of a kind waits";
        to.register("rosterd_attention_oldest_timestamp_seconds", help, self.attention_oldest.clone());
        to.register("rosterd_remote_requests", "Calls by what was answered", self.requests.clone());
    }

    pub(super) fn run_finished(&self, outcome: &'static str, took: Duration, figures: &Figures) {
        self.runs.get_or_create(&ByResult { result: outcome }).inc();
        self.run_seconds.observe(took.as_secs_f64());
        self.count(figures);
    }

    pub(super) fn results_pulled(&self, outcome: &'static str, figures: &Figures) {
        self.results_pulls.get_or_create(&ByResult { result: outcome }).inc();
        self.count(figures);
    }

    fn count(&self, figures: &Figures) {
        let Figures { operations, calls } = figures;
        for OperationCount { service, kind, outcome, count } in operations {
            let labels = ByItem { target: service, op: kind, outcome };
            self.items.get_or_create(&labels).inc_by(*count);
        }
        for CallCount { service, endpoint, outcome, count } in calls {
            let labels = ByRequest { target: service, endpoint: label(endpoint), outcome: label(outcome) };
            self.requests.get_or_create(&labels).inc_by(*count);
        }
    }

    pub(super) fn last_success(&self, at_ms: i64) {
        self.last_success.set(seconds(at_ms));
    }

    pub(super) fn last_good_pull(&self, at_ms: i64) {
        self.last_pull.set(seconds(at_ms));
    }

    pub(super) fn next_run(&self, at_ms: Option<i64>) {
        self.next_run.set(seconds(at_ms.unwrap_or(0)));
    }

    pub(super) fn heartbeat(&self, at_ms: i64) {
        self.heartbeat.set(seconds(at_ms));
    }

    pub(super) fn ready(&self, usable: bool) {
        self.ready.set(i64::from(usable));
    }

    pub(super) fn healthy(&self, healthy: bool) {
        self.healthy.set(i64::from(healthy));
    }

    /// A kind that waits no longer has no series any more.
    pub(super) fn attention(&self, attention: &ShownAttentions) {
        self.attention.clear();
        self.attention_oldest.clear();
        for (kind, shown) in attention {
            for (owner, count) in shown.by_owner() {
                let labels = ByOwner { kind: label(kind), who: label(owner) };
                self.attention.get_or_create(&labels).set(i64::try_from(count).unwrap_or(i64::MAX));
            }
            if let Some(since_ms) = shown.since_ms() {
                let labels = ByKind { kind: label(kind) };
                self.attention_oldest.get_or_create(&labels).set(seconds(since_ms));
            }
        }
    }

    pub(super) fn failures_open(&self, service: &'static str, count: u64) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.failed_items.get_or_create(&ByTarget { target: service }).set(count);
    }

    pub(super) fn held(&self, count: u64) {
        self.held_items.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    pub(super) fn guard_stop(&self) {
        self.guard_stops.inc();
    }

    pub(super) fn page_refused(&self, reason: &'static str) {
        self.pages_refused.get_or_create(&ByReason { reason }).inc();
    }

    pub(super) fn timer_restarted(&self) {
        self.timer_restarts.inc();
    }

    pub(super) fn overlap_skipped(&self) {
        self.overlap_skipped.inc();
    }

    /// Everything in the OpenMetrics text form.
    pub(super) fn render(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// Milliseconds as Prometheus seconds.
fn seconds(at_ms: i64) -> f64 {
    SignedDuration::from_millis(at_ms).as_secs_f64()
}

/// An endpoint or a code as it is, anything that does not look like one as `other`: a label is no place for
/// what a service made up, nor for a value of ours.
fn label(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let is_name = !text.is_empty() && text.len() <= LABEL_LENGTH && text.chars().all(plain);
    // A number of five or more digits may be a personal one: no code of either service is that long.
    let is_number = text.len() >= 5 && text.chars().all(|c| c.is_ascii_digit());
    if is_name && !is_number { text.to_owned() } else { "other".to_owned() }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rosterd_core::situation::ShownAttention;

    use super::*;

    #[test]
    fn seconds_keep_their_milliseconds_before_and_after_2038() {
        for (at_ms, expected) in
            [(0, 0.0), (1_500, 1.5), (1_800_000_000_250, 1_800_000_000.25), (5_000_000_000_500, 5e9 + 0.5)]
        {
            assert!((seconds(at_ms) - expected).abs() < 1e-6, "{at_ms}");
        }
    }

    #[test]
    fn a_label_never_holds_what_does_not_look_like_an_endpoint_or_a_code() {
        for (text, expected) in [
            ("getstudents", "getstudents"),
            ("addClassStudentMultiple", "addClassStudentMultiple"),
            ("166", "166"),
            ("13800138000", "other"),
            ("Zhang San", "other"),
            ("a@example.org", "other"),
            ("", "other"),
        ] {
            assert_eq!(label(text), expected, "{text}");
        }
        assert_eq!(label(&"x".repeat(65)), "other");
    }

    #[test]
    fn a_run_counts_its_operations_and_calls() {
        let metrics = Metrics::new();
        let figures = Figures {
            operations: vec![OperationCount { service: "exam", kind: "add", outcome: "applied", count: 30 }],
            calls: vec![CallCount {
                service: "exam",
                endpoint: "addstudent".to_owned(),
                outcome: "0".to_owned(),
                count: 2,
            }],
        };
        metrics.run_finished("applied", Duration::from_secs(2), &figures);
        metrics.run_finished("applied", Duration::from_secs(2), &figures);
        let text = metrics.render().unwrap();
        for line in [
            "rosterd_runs_total{result=\"applied\"} 2",
            "rosterd_run_duration_seconds_count 2",
            "rosterd_items_total{target=\"exam\",op=\"add\",outcome=\"applied\"} 60",
            "rosterd_remote_requests_total{target=\"exam\",endpoint=\"addstudent\",outcome=\"0\"} 4",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
        }
    }

    /// What Prometheus stores, where everything that is measured has happened once.
    fn everything() -> BTreeSet<String> {
        let metrics = Metrics::new();
        let figures = Figures {
            operations: vec![OperationCount { service: "exam", kind: "add", outcome: "applied", count: 1 }],
            calls: vec![CallCount {
                service: "exam",
                endpoint: "addstudent".to_owned(),
                outcome: "200".to_owned(),
                count: 1,
            }],
        };
        metrics.run_finished("applied", Duration::from_secs(1), &figures);
        metrics.results_pulled("applied", &figures);
        metrics.failures_open("exam", 1);
        metrics.page_refused("missing");
        let waits = ShownAttention {
            count: 1,
            since: Some("2027-01-04T08:20:00Z".to_owned()),
            owner: "office".to_owned(),
            owners: std::collections::BTreeMap::new(),
            what: "1 dead letter".to_owned(),
        };
        metrics.attention(&ShownAttentions::from([("dead-letters".to_owned(), waits)]));
        let text = super::super::exposition::as_prometheus(&metrics.render().unwrap());
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        samples.filter_map(|line| line.split(['{', ' ']).next().map(str::to_owned)).collect()
    }

    /// The names of metrics of ours in a text.
    fn named(text: &str) -> BTreeSet<String> {
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        words.filter(|word| word.starts_with("rosterd_")).map(str::to_owned).collect()
    }

    #[test]
    fn dashboard_and_alerts_name_what_is_served_and_each_of_it_is_shown_somewhere() {
        let served = everything();
        let dashboard = named(include_str!("../../deploy/grafana/rosterd.json"));
        let alerts = named(include_str!("../../deploy/prometheus/rosterd.rules.yml"));
        assert!(dashboard.len() > 10 && alerts.len() > 5, "{dashboard:?} {alerts:?}");
        let shown: BTreeSet<String> = dashboard.union(&alerts).cloned().collect();
        assert_eq!(shown.difference(&served).collect::<Vec<_>>(), Vec::<&String>::new(), "not served");
        let parts = ["_bucket", "_sum", "_count"];
        let unshown: Vec<&String> =
            served.difference(&shown).filter(|name| !parts.iter().any(|part| name.ends_with(part))).collect();
        assert_eq!(unshown, Vec::<&String>::new(), "served and shown nowhere");
    }
}
