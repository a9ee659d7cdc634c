//! Whether the daemon is healthy: whether every run that was due since the last good one came, never how many minutes
//! passed. Pure; `status`, `status --check`, the page, its JSON form and the metrics all ask here.

use std::fmt::Write as _;

use jiff::Timestamp;

/// A run that is due starts within so long, whatever the machine is busy with.
const START_MS: i64 = 60_000;

/// A run that has been under way for longer excuses no run that was due meanwhile.
const LONGEST_RUN_MS: i64 = 6 * 60 * 60 * 1000;

/// A clock is put right by less than this without being called wrong; a last good run further ahead is none.
pub const CLOCK_MARGIN_MS: i64 = 60_000;

/// What health is judged by. Everything in it is known right after a start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HealthFacts {
    /// When the last good run ended, in milliseconds since 1970 UTC.
    pub last_good_ms: Option<i64>,
    /// The first moment after it at which a run was due, jitter included; where none was good, the first due one ever.
    pub due_since_ms: Option<i64>,
    /// Since when a run is under way.
    pub running_since_ms: Option<i64>,
    /// The newest run, where it ended after the last good one and was not good.
    pub failed: Option<FailedRun>,
    /// Whether the disk of the state database is full: a run that fails over that cannot even be written down.
    pub is_disk_full: bool,
}

/// How a run ended that was not good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedRun {
    pub ended_at_ms: i64,
    /// Its outcome, in the word of the history.
    pub outcome: String,
    /// Why, in our own words.
    pub why: Option<String>,
}

/// The judgement.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Verdict {
    pub healthy: bool,
    /// In one line.
    pub why: String,
}

/// Judges these facts at this moment.
pub fn judge(facts: &HealthFacts, now_ms: i64) -> Verdict {
    let HealthFacts { last_good_ms, due_since_ms, running_since_ms, failed, is_disk_full } = facts;
    let last_good = last_good_ms.filter(|at| *at <= now_ms.saturating_add(CLOCK_MARGIN_MS));
    let is_running = running_since_ms.is_some_and(|since| now_ms.saturating_sub(since) < LONGEST_RUN_MS);
    let missed = due_since_ms.filter(|due| due.saturating_add(START_MS) <= now_ms);
    let good = last_good.map(|at| format!("the last good run was {} ago", ago(at, now_ms)));
    let after = good
        .as_ref()
        .map_or_else(|| "; there has been no good run yet".to_owned(), |good| format!("; {good}"));
    if *is_disk_full {
        let why = format!(
            "the disk of the state database is full: make room there, and the next run goes on{after}"
        );
        return Verdict { healthy: false, why };
    }
    match (failed, missed) {
        (Some(failed), _) => Verdict { healthy: false, why: format!("{}{after}", failure(failed, now_ms)) },
        (None, Some(_)) if is_running => Verdict { healthy: true, why: format!("a run is under way{after}") },
        (None, Some(due)) => {
            let why = format!("a run was due at {} and has not come{after}", moment(due));
            Verdict { healthy: false, why }
        }
        (None, None) => match good {
            Some(why) => Verdict { healthy: true, why },
            None if is_running => Verdict { healthy: true, why: "the first run is under way".to_owned() },
            None if due_since_ms.is_some() => {
                Verdict { healthy: true, why: "the first run is not due yet".to_owned() }
            }
            None => Verdict { healthy: false, why: "there has been no good run yet".to_owned() },
        },
    }
}

fn failure(failed: &FailedRun, now_ms: i64) -> String {
    let FailedRun { ended_at_ms, outcome, why } = failed;
    let mut text =
        format!("the last run ended {} ago and was not good ({outcome})", ago(*ended_at_ms, now_ms));
    if let Some(why) = why {
        let _infallible = write!(text, ": {why}");
    }
    text
}

fn ago(at_ms: i64, now_ms: i64) -> String {
    span(now_ms.saturating_sub(at_ms).max(0))
}

/// A span of time as people say it.
#[must_use]
pub fn span(ms: i64) -> String {
    let minutes = ms / 60_000;
    match minutes {
        0 => "less than a minute".to_owned(),
        1..120 => format!("{minutes} min"),
        120..2880 => format!("{} h", minutes / 60),
        _ => format!("{} days", minutes / 1440),
    }
}

fn moment(at_ms: i64) -> String {
    Timestamp::from_millisecond(at_ms).map_or_else(|_| at_ms.to_string(), |at| format!("{at:.0}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;
    const HOUR: i64 = 60 * MINUTE;
    const NOW: i64 = 1_800_000_000_000;

    fn facts(last_good: Option<i64>, due: Option<i64>, running: Option<i64>) -> HealthFacts {
        let (last_good_ms, due_since_ms) = (last_good.map(|ago| NOW - ago), due.map(|ago| NOW - ago));
        HealthFacts {
            last_good_ms,
            due_since_ms,
            running_since_ms: running.map(|ago| NOW - ago),
            failed: None,
            is_disk_full: false,
        }
    }

    #[test]
    fn a_full_disk_is_no_health_whatever_the_last_run_was() {
        let facts = HealthFacts { is_disk_full: true, ..facts(Some(MINUTE), Some(-MINUTE), None) };
        let Verdict { healthy, why } = judge(&facts, NOW);
        assert!(!healthy && why.contains("full"), "{why}");
    }

    #[test]
    fn it_is_healthy_as_long_as_no_run_that_was_due_has_failed_to_come() {
        let table = [
            ("next due later", facts(Some(5 * MINUTE), Some(-10 * MINUTE), None), true),
            ("the night, or a blackout", facts(Some(40 * 24 * HOUR), Some(-HOUR), None), true),
            ("due a moment ago", facts(Some(15 * MINUTE), Some(MINUTE - 1), None), true),
            ("due a minute ago", facts(Some(16 * MINUTE), Some(MINUTE), None), false),
            ("due and under way", facts(Some(HOUR), Some(45 * MINUTE), Some(44 * MINUTE)), true),
            ("under way for a day", facts(Some(30 * HOUR), Some(25 * HOUR), Some(24 * HOUR)), false),
            ("never again due", facts(Some(90 * 24 * HOUR), None, None), true),
            ("the first run is due later", facts(None, Some(-HOUR), None), true),
            ("the first run is under way", facts(None, Some(5 * MINUTE), Some(4 * MINUTE)), true),
            ("the first run did not come", facts(None, Some(5 * MINUTE), None), false),
            ("nothing is known", facts(None, None, None), false),
        ];
        for (name, facts, healthy) in table {
            assert_eq!(judge(&facts, NOW).healthy, healthy, "{name}: {}", judge(&facts, NOW).why);
        }
    }

    #[test]
    fn a_last_good_run_in_the_future_is_none() {
        for (ahead, known) in
            [(0, true), (CLOCK_MARGIN_MS, true), (CLOCK_MARGIN_MS + 1, false), (720 * HOUR, false)]
        {
            let verdict = judge(&facts(Some(-ahead), None, None), NOW);
            assert_eq!(verdict.healthy, known, "{ahead}");
            assert!(!verdict.why.contains('-'), "{}", verdict.why);
        }
    }

    #[test]
    fn a_run_that_was_not_good_is_said_first_with_its_reason() {
        let failed = FailedRun {
            ended_at_ms: NOW - 5 * MINUTE,
            outcome: "failed".to_owned(),
            why: Some("exam: cannot be reached".to_owned()),
        };
        let facts = HealthFacts { failed: Some(failed), ..facts(Some(2 * HOUR), Some(-MINUTE), None) };
        let Verdict { healthy, why } = judge(&facts, NOW);
        assert!(!healthy);
        assert_eq!(
            why,
            "the last run ended 5 min ago and was not good (failed): exam: cannot be reached; the last good run was 2 h ago"
        );
    }
}
