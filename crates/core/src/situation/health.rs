//! Whether all is healthy: whether every run that was due since the last good one came, never how many minutes passed.
//! `status --check` and the metrics ask here; what else there is to say is the situation's.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::spoken_time::spoken;

/// A run that is due starts within so long, whatever the machine is busy with.
const START_MS: i64 = 60_000;

/// A run that has been under way for longer excuses no run that was due meanwhile.
const LONGEST_RUN_MS: i64 = 6 * 60 * 60 * 1000;

/// A next run that is further away than this is worth a word.
const LONG_WAIT_MS: i64 = 2 * 60 * 60 * 1000;

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
    /// When the next run is due.
    pub next_due_ms: Option<i64>,
    /// Days without runs, each as its first and last millisecond.
    pub blackouts_ms: Vec<(i64, i64)>,
    /// Whether there is a daemon.
    pub daemon: DaemonPresence,
    /// The school's zone, in which moments are said; absent: as RFC 3339.
    pub zone: Option<TimeZone>,
}

/// Whether there is a daemon that starts the runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DaemonPresence {
    /// Nobody looked.
    #[default]
    Unknown,
    /// It holds its lock.
    Running,
    /// Nobody holds its lock.
    Absent,
}

/// How a run ended that was not good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedRun {
    /// When the newest of them ended, in milliseconds since 1970 UTC.
    pub ended_at_ms: i64,
    /// When the first of the runs ended that were not good since the last good one.
    pub first_ended_at_ms: i64,
    /// How many they are, at least 1.
    pub runs: u64,
    /// The exit code of the newest, where it is known.
    pub exit_code: Option<u8>,
    /// Its outcome, in the word of the history.
    pub outcome: String,
    /// Why, in our own words.
    pub why: Option<String>,
}

/// The judgement.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Verdict {
    /// Whether every run that was due came and was good.
    pub healthy: bool,
    /// In one line.
    pub why: String,
}

/// Judges these facts at this moment.
pub fn judge(facts: &HealthFacts, now_ms: i64) -> Verdict {
    let HealthFacts { last_good_ms, due_since_ms, running_since_ms, failed, is_disk_full, .. } = facts;
    let last_good = last_good_ms.filter(|at| *at <= now_ms.saturating_add(CLOCK_MARGIN_MS));
    // One that a clock dated ahead would excuse what is missed for as long.
    let is_running = running_since_ms
        .is_some_and(|since| (-CLOCK_MARGIN_MS..LONGEST_RUN_MS).contains(&now_ms.saturating_sub(since)));
    let missed = missed(facts, now_ms);
    // What was due after a run that a clock dated years ahead says nothing of now.
    let is_ahead = last_good.is_none() && last_good_ms.is_some();
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
            let absent = match facts.daemon {
                DaemonPresence::Absent => ", and no daemon is running",
                DaemonPresence::Running | DaemonPresence::Unknown => "",
            };
            let why = format!(
                "a run was due at {} and has not come{absent}{after}",
                spoken(due, facts.zone.as_ref())
            );
            Verdict { healthy: false, why }
        }
        (None, None) => match good {
            Some(good) => {
                Verdict { healthy: true, why: format!("{good}{}", quiet(facts, now_ms).unwrap_or_default()) }
            }
            None if is_running => Verdict { healthy: true, why: "the first run is under way".to_owned() },
            None if due_since_ms.is_some() && !is_ahead => {
                Verdict { healthy: true, why: "the first run is not due yet".to_owned() }
            }
            None => Verdict { healthy: false, why: "there has been no good run yet".to_owned() },
        },
    }
}

/// The moment of a run that was due and has not come.
pub(super) fn missed(facts: &HealthFacts, now_ms: i64) -> Option<i64> {
    facts.due_since_ms.filter(|due| due.saturating_add(START_MS) <= now_ms)
}

/// Why no run comes for a while: a day without runs, or a night.
fn quiet(facts: &HealthFacts, now_ms: i64) -> Option<String> {
    let is_blackout = facts.blackouts_ms.iter().any(|(from, to)| (*from..=*to).contains(&now_ms));
    let next = facts.next_due_ms.filter(|next| *next > now_ms.saturating_add(LONG_WAIT_MS));
    let said = |next: i64| spoken(next, facts.zone.as_ref());
    match (is_blackout, next.or(facts.next_due_ms)) {
        (true, Some(next)) => Some(format!("; schedule.blackout: no run is due until {}", said(next))),
        (true, None) => Some("; schedule.blackout: no run is due".to_owned()),
        (false, _) => next.map(|next| format!("; no run is due until {}", said(next))),
    }
}

fn failure(failed: &FailedRun, now_ms: i64) -> String {
    let FailedRun { ended_at_ms, first_ended_at_ms, runs, exit_code: _, outcome, why } = failed;
    let mut text =
        format!("the last run ended {} ago and was not good ({outcome})", ago(*ended_at_ms, now_ms));
    if *runs > 1 {
        let since = ago(*first_ended_at_ms, now_ms);
        let _infallible = write!(text, ", as were all {runs} since {since} ago");
    }
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

/// A moment as RFC 3339, to the second.
#[must_use]
pub fn moment(at_ms: i64) -> String {
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
            ..HealthFacts::default()
        }
    }

    fn failed(runs: u64, why: &str) -> FailedRun {
        FailedRun {
            ended_at_ms: NOW - 5 * MINUTE,
            first_ended_at_ms: NOW - 35 * MINUTE,
            runs,
            exit_code: Some(75),
            outcome: "failed".to_owned(),
            why: Some(why.to_owned()),
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
    fn a_clock_that_was_years_ahead_makes_nothing_healthy_for_years() {
        let years = 5 * 365 * 24 * HOUR;
        let table = [
            ("a last good run and the next due one of then", facts(Some(-years), Some(-years - HOUR), None)),
            ("a run that began then and is still under way", facts(Some(HOUR), Some(HOUR / 2), Some(-years))),
        ];
        for (row, facts) in table {
            let Verdict { healthy, why } = judge(&facts, NOW);
            assert!(!healthy, "{row}: {why}");
        }
    }

    #[test]
    fn a_run_that_was_not_good_is_said_first_with_its_reason() {
        let failed = Some(failed(1, "exam: cannot be reached"));
        let facts = HealthFacts { failed, ..facts(Some(2 * HOUR), Some(-MINUTE), None) };
        let Verdict { healthy, why } = judge(&facts, NOW);
        assert!(!healthy);
        assert_eq!(
            why,
            "the last run ended 5 min ago and was not good (failed): exam: cannot be reached; the last good run was 2 h ago"
        );
    }

    #[test]
    fn runs_that_were_not_good_one_after_another_are_counted() {
        let failed = Some(failed(3, "exam: cannot be reached"));
        let why = judge(&HealthFacts { failed, ..facts(Some(2 * HOUR), None, None) }, NOW).why;
        let expected = "and was not good (failed), as were all 3 since 35 min ago: exam: cannot be reached;";
        assert!(why.contains(expected), "{why}");
    }

    #[test]
    fn a_night_and_a_blackout_say_until_when_no_run_is_due() {
        let quiet = |next: i64, blackouts_ms: Vec<(i64, i64)>| {
            let facts = facts(Some(10 * HOUR), Some(-next), None);
            let facts = HealthFacts { next_due_ms: Some(NOW + next), blackouts_ms, ..facts };
            let Verdict { healthy, why } = judge(&facts, NOW);
            assert!(healthy);
            why.strip_prefix("the last good run was 10 h ago").unwrap().to_owned()
        };
        assert_eq!(quiet(15 * MINUTE, vec![]), "");
        assert_eq!(quiet(9 * HOUR, vec![]), "; no run is due until 2027-01-15T17:00:00Z");
        let day = (NOW - HOUR, NOW + HOUR);
        let expected = "; schedule.blackout: no run is due until 2027-01-15T17:00:00Z";
        assert_eq!(quiet(9 * HOUR, vec![day]), expected);
        assert_eq!(quiet(15 * MINUTE, vec![(NOW + 1, NOW + HOUR)]), "", "it begins later");
    }

    #[test]
    fn a_run_that_has_not_come_says_whether_a_daemon_could_have_made_it() {
        for (daemon, says) in [
            (DaemonPresence::Absent, true),
            (DaemonPresence::Running, false),
            (DaemonPresence::Unknown, false),
        ] {
            let facts = HealthFacts { daemon, ..facts(Some(HOUR), Some(30 * MINUTE), None) };
            let why = judge(&facts, NOW).why;
            assert_eq!(why.contains("and has not come, and no daemon is running;"), says, "{why}");
        }
    }
}
