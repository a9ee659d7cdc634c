//! When a run is due: cron expression, time zone, days without runs, what was missed. Pure.
//!
//! It starts nothing and asks no clock; the loop of [`super::run`] does both.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};

use crate::settings::{Missed, ScheduleSettings};

/// What a start does, given the due time that the last process left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Due {
    /// A run starts at once; `missed` says that it was due while the daemon was down.
    Now {
        /// Always true at a start; a tick of the running daemon says false.
        missed: bool,
    },
    /// The next run is due then.
    Later(Timestamp),
    /// The expression names no further moment.
    Never,
}

/// The first moment strictly after `after` that the expression names in the admin's zone and that lies on
/// no blackout day.
///
/// A time of day that the clock skips in spring runs at the end of the gap, one that comes twice in autumn runs
/// once; an interval (`*/30`) runs through both passes.
#[must_use]
pub fn next_due(schedule: &ScheduleSettings, after: Timestamp) -> Option<Timestamp> {
    let mut from = after.to_zoned(schedule.time_zone.clone());
    let mut inclusive = false;
    // Each turn but the last jumps past the end of one blackout, which bounds the number of turns.
    for _ in 0..=schedule.blackout.len() {
        let found = schedule.cron.find_next_occurrence(&from, inclusive).ok()?;
        let Some(free_from) = blackout_end(schedule, found.date()) else {
            return Some(found.timestamp()).filter(|moment| *moment > after);
        };
        from = free_from.to_zoned(schedule.time_zone.clone()).ok()?;
        inclusive = true;
    }
    None
}

/// The first moment after `since_ms` by which a run that was due has surely begun, the longest jitter included.
#[must_use]
pub fn due_since(schedule: &ScheduleSettings, since_ms: i64) -> Option<i64> {
    let since = Timestamp::from_millisecond(since_ms).ok()?;
    let due = next_due(schedule, since)?;
    Some(start_at(due, schedule.jitter).as_millisecond())
}

/// Each span of days without runs, as its first and last millisecond since 1970 UTC.
#[must_use]
pub fn blackouts_ms(schedule: &ScheduleSettings) -> Vec<(i64, i64)> {
    let start_of =
        |day: civil::Date| Some(day.to_zoned(schedule.time_zone.clone()).ok()?.timestamp().as_millisecond());
    let spans = schedule.blackout.iter();
    spans.filter_map(|span| Some((start_of(span.from)?, start_of(span.to.tomorrow().ok()?)? - 1))).collect()
}

/// Whether `now` lies on a day without runs, in the admin's zone.
#[must_use]
pub fn is_blackout(schedule: &ScheduleSettings, now: Timestamp) -> bool {
    let today = now.to_zoned(schedule.time_zone.clone()).date();
    schedule.blackout.iter().any(|span| span.from <= today && today <= span.to)
}

/// What a start does about the due time that was stored, if any.
///
/// A stored time in the future says nothing: the expression may have changed since, so it is worked out anew.
/// However many runs were missed, they become one, and none on a blackout day.
pub fn due_at_start(schedule: &ScheduleSettings, stored: Option<Timestamp>, now: Timestamp) -> Due {
    let was_missed = stored.is_some_and(|due| due <= now);
    match schedule.missed {
        Missed::RunOnce if was_missed && !is_blackout(schedule, now) => Due::Now { missed: true },
        Missed::RunOnce | Missed::Skip => next_due(schedule, now).map_or(Due::Never, Due::Later),
    }
}

/// What a tick of the running daemon does about a run that starts at `start_at` (jitter included).
pub fn due_at_tick(schedule: &ScheduleSettings, start_at: Option<Timestamp>, now: Timestamp) -> Due {
    match start_at {
        None => Due::Never,
        Some(moment) if moment > now => Due::Later(moment),
        Some(_) if is_blackout(schedule, now) => next_due(schedule, now).map_or(Due::Never, Due::Later),
        Some(_) => Due::Now { missed: false },
    }
}

/// When the run that is due at `due` starts, given the jitter that was drawn for it.
#[must_use]
pub fn start_at(due: Timestamp, jitter: Duration) -> Timestamp {
    due.checked_add(jitter).unwrap_or(due)
}

/// The moment as people in that zone write it.
#[must_use]
pub fn in_words(moment: Timestamp, time_zone: &TimeZone) -> String {
    moment.to_zoned(time_zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}

/// The start of the first day after the blackout that `day` lies in, if it lies in one.
fn blackout_end(schedule: &ScheduleSettings, day: civil::Date) -> Option<civil::Date> {
    let last = schedule
        .blackout
        .iter()
        .filter(|span| span.from <= day && day <= span.to)
        .map(|span| span.to)
        .max()?;
    Some(last.tomorrow().unwrap_or(civil::Date::MAX))
}

#[cfg(test)]
mod tests {
    use croner::parser::{CronParser, Seconds};
    use jiff::civil::date;

    use super::*;
    use crate::settings::Blackout;

    fn schedule(expression: &str, zone: &str) -> ScheduleSettings {
        ScheduleSettings {
            expression: expression.to_owned(),
            cron: CronParser::builder().seconds(Seconds::Optional).build().parse(expression).unwrap(),
            time_zone: TimeZone::get(zone).unwrap(),
            missed: Missed::RunOnce,
            jitter: Duration::ZERO,
            blackout: Vec::new(),
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn following(schedule: &ScheduleSettings, after: &str, count: usize) -> Vec<String> {
        let mut moments = Vec::new();
        let mut last = at(after);
        while moments.len() < count {
            last = next_due(schedule, last).unwrap();
            moments.push(last.to_string());
        }
        moments
    }

    #[test]
    fn a_schedule_keeps_the_local_time_of_day_when_the_clocks_change() {
        let table = [
            (
                "the daily run stays at 02:05 over the end of summer time",
                "0 5 2 * * *",
                "2026-10-23T12:00:00Z",
                vec!["2026-10-24T01:05:00Z", "2026-10-25T02:05:00Z", "2026-10-26T02:05:00Z"],
            ),
            (
                "the daily run stays at 02:05 over the start of summer time",
                "0 5 2 * * *",
                "2027-03-26T12:00:00Z",
                vec!["2027-03-27T02:05:00Z", "2027-03-28T01:05:00Z", "2027-03-29T01:05:00Z"],
            ),
            (
                "a time that comes twice runs once",
                "30 1 * * *",
                "2026-10-24T12:00:00Z",
                vec!["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"],
            ),
            (
                "a time that does not exist runs when the gap ends",
                "30 1 * * *",
                "2027-03-27T12:00:00Z",
                vec!["2027-03-28T01:00:00Z", "2027-03-29T00:30:00Z"],
            ),
            (
                "an interval runs through both passes of a doubled hour",
                "*/30 * * * *",
                "2026-10-25T00:00:00Z",
                vec!["2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z"],
            ),
        ];
        for (row, expression, after, expected) in table {
            let schedule = schedule(expression, "Europe/Dublin");
            assert_eq!(following(&schedule, after, expected.len()), expected, "{row}");
        }
    }

    #[test]
    fn five_and_six_fields_and_nicknames_are_understood() {
        for (expression, expected) in [
            ("*/15 * * * *", "2027-01-04T08:15:00Z"),
            ("10 */15 * * * *", "2027-01-04T08:00:10Z"),
            ("@daily", "2027-01-04T16:00:00Z"),
            ("0 0 3 * * MON", "2027-01-10T19:00:00Z"),
        ] {
            let schedule = schedule(expression, "Asia/Shanghai");
            assert_eq!(next_due(&schedule, at("2027-01-04T08:00:00Z")), Some(at(expected)), "{expression}");
        }
    }

    #[test]
    fn the_next_moment_is_always_after_the_one_asked_about() {
        let schedule = schedule("* * * * * *", "UTC");
        for after in ["2027-01-04T08:00:00Z", "2027-01-04T08:00:00.001Z", "2027-01-04T08:00:00.999Z"] {
            assert_eq!(next_due(&schedule, at(after)), Some(at("2027-01-04T08:00:01Z")), "{after}");
        }
    }

    #[test]
    fn no_run_is_due_on_a_blackout_day_and_both_ends_are_included() {
        let mut schedule = schedule("0 0 12 * * *", "Pacific/Auckland");
        schedule.blackout = vec![Blackout { from: date(2027, 7, 2), to: date(2027, 7, 4) }];
        // 12:00 in Auckland in July is 00:00 UTC.
        let expected = ["2027-07-01T00:00:00Z", "2027-07-05T00:00:00Z", "2027-07-06T00:00:00Z"];
        assert_eq!(following(&schedule, "2027-06-30T00:00:00Z", 3), expected);
    }

    #[test]
    fn a_run_at_midnight_right_after_a_blackout_is_due() {
        let mut schedule = schedule("@daily", "Europe/Dublin");
        schedule.blackout = vec![Blackout { from: date(2027, 7, 2), to: date(2027, 7, 4) }];
        assert_eq!(next_due(&schedule, at("2027-07-01T12:00:00Z")), Some(at("2027-07-04T23:00:00Z")));
    }

    #[test]
    fn blackouts_that_overlap_or_touch_are_skipped_together() {
        let mut schedule = schedule("0 0 12 * * *", "UTC");
        schedule.blackout = vec![
            Blackout { from: date(2027, 7, 6), to: date(2027, 7, 8) },
            Blackout { from: date(2027, 7, 2), to: date(2027, 7, 4) },
            Blackout { from: date(2027, 7, 4), to: date(2027, 7, 5) },
        ];
        assert_eq!(next_due(&schedule, at("2027-07-01T12:00:00Z")), Some(at("2027-07-09T12:00:00Z")));
    }

    #[test]
    fn a_blackout_without_end_leaves_no_run() {
        let mut schedule = schedule("0 0 12 * * *", "UTC");
        schedule.blackout = vec![Blackout { from: date(2027, 1, 1), to: civil::Date::MAX }];
        assert_eq!(next_due(&schedule, at("2027-07-01T12:00:00Z")), None);
    }

    #[test]
    fn runs_missed_while_down_become_one_or_none_as_the_admin_wishes() {
        let mut hourly = schedule("0 0 * * * *", "UTC");
        let now = at("2027-01-04T08:20:00Z");
        let next = Due::Later(at("2027-01-04T09:00:00Z"));
        let table = [
            ("first start ever", None, Missed::RunOnce, next),
            ("due in the future", Some("2027-01-04T09:00:00Z"), Missed::RunOnce, next),
            ("due just now", Some("2027-01-04T08:20:00Z"), Missed::RunOnce, Due::Now { missed: true }),
            ("due a week ago", Some("2026-12-28T08:00:00Z"), Missed::RunOnce, Due::Now { missed: true }),
            ("due a week ago, skip", Some("2026-12-28T08:00:00Z"), Missed::Skip, next),
            ("far in the future, from an older expression", Some("2030-01-01T00:00:00Z"), Missed::Skip, next),
        ];
        for (row, stored, missed, expected) in table {
            hourly.missed = missed;
            assert_eq!(due_at_start(&hourly, stored.map(at), now), expected, "{row}");
        }
    }

    #[test]
    fn a_missed_run_is_not_caught_up_on_a_blackout_day() {
        let mut hourly = schedule("0 0 * * * *", "UTC");
        hourly.blackout = vec![Blackout { from: date(2027, 1, 4), to: date(2027, 1, 4) }];
        let now = at("2027-01-04T08:20:00Z");
        let midnight = Due::Later(at("2027-01-05T00:00:00Z"));
        assert_eq!(due_at_start(&hourly, Some(at("2027-01-03T08:00:00Z")), now), midnight);
        assert_eq!(due_at_tick(&hourly, Some(at("2027-01-04T08:00:00Z")), now), midnight);
    }

    #[test]
    fn a_tick_starts_what_is_due_and_nothing_before() {
        let hourly = schedule("0 0 * * * *", "UTC");
        let due = at("2027-01-04T08:00:00Z");
        let start = start_at(due, Duration::from_secs(30));
        assert_eq!(due_at_tick(&hourly, Some(start), due), Due::Later(start));
        assert_eq!(due_at_tick(&hourly, Some(start), start), Due::Now { missed: false });
        assert_eq!(due_at_tick(&hourly, None, start), Due::Never);
    }

    #[test]
    fn times_are_written_in_the_zone_of_the_schedule() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        assert_eq!(in_words(at("2027-01-04T08:00:00Z"), &zone), "2027-01-04 16:00:00 CST");
    }
}
