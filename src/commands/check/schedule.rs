//! When runs come, in words, and what they cost at least.

use jiff::Timestamp;

use super::finding::{Finding, Findings, Group};
use crate::app::App;
use crate::daemon::schedule::next_due;
use crate::run::RosterShape;
use crate::settings::{ScheduleSettings, Settings, is_this_machine};
use rosterd_core::counted::{counted, grouped};
use rosterd_core::failure::FailureOwner;
use rosterd_core::least_calls::{ExamAmounts, enrolling};
use rosterd_core::situation::in_zone;

const WHAT: &str = "schedule";

/// Moments that are shown.
const SHOWN: usize = 5;

const DAY_S: i64 = 24 * 60 * 60;

/// More runs a day than this are not counted.
const MOST_RUNS: u64 = 3_000;

/// What the documents allow the account in a second, all its users together.
// Contract: docs/contracts/onlineexammaker.md, 1.2, "request rate": 10 a second by default.
const ALLOWED_A_SECOND: f64 = 10.0;

/// The schedule in words, with the moments that come next.
pub(super) fn schedule(settings: &Settings, now: Timestamp, findings: &mut Findings) {
    let schedule = &settings.schedule;
    let next = following(schedule, now, SHOWN);
    let zone = schedule.time_zone.iana_name().map_or_else(|| "its own zone".to_owned(), str::to_owned);
    let words = schedule.cron.describe();
    if next.is_empty() {
        let detail = format!("{:?} ({words}) names no moment that is still to come", schedule.expression);
        findings.add(
            Finding::warn(Group::Schedule, WHAT, detail).mended_by(FailureOwner::It, []).told_as_it_is(),
        );
        return;
    }
    let mut detail = format!("{words} ({:?}), in {zone}; the next runs:", schedule.expression);
    for moment in next {
        detail.push_str(&format!("\n    {}", in_zone(moment.as_millisecond(), &schedule.time_zone)));
    }
    findings.add(Finding::good(Group::Schedule, WHAT, detail).told_as_it_is());
}

fn following(schedule: &ScheduleSettings, now: Timestamp, most: usize) -> Vec<Timestamp> {
    std::iter::successors(next_due(schedule, now), |last| next_due(schedule, *last)).take(most).collect()
}

/// How many runs come within a day, and the shortest time between two of them.
fn density(schedule: &ScheduleSettings, now: Timestamp) -> (u64, Option<i64>) {
    let end = now.as_second().saturating_add(DAY_S);
    let (mut runs, mut shortest, mut last) = (0, None, None);
    let mut next = next_due(schedule, now);
    while let Some(moment) = next.filter(|moment| moment.as_second() <= end && runs < MOST_RUNS) {
        let apart = last.map(|last: i64| moment.as_second() - last);
        shortest = [shortest, apart].into_iter().flatten().min();
        (runs, last) = (runs + 1, Some(moment.as_second()));
        next = next_due(schedule, moment);
    }
    (runs, shortest)
}

/// What the roster costs in calls at least, beside what the accounts allow.
pub(super) struct Costs<'a> {
    pub(super) app: &'a App,
    pub(super) active: u64,
    pub(super) shape: &'a RosterShape,
    /// Candidates of the account, where it was asked.
    pub(super) candidates: Option<u64>,
    pub(super) linked: u64,
    pub(super) enrolled: u64,
}

impl Costs<'_> {
    pub(super) fn say(&self, findings: &mut Findings) {
        if self.app.settings.exam.enabled {
            self.exam(findings);
        }
        if self.app.settings.classin.enabled {
            self.classin(findings);
        }
    }

    fn exam(&self, findings: &mut Findings) {
        const CALLS: &str = "exam calls";
        let Settings { exam, schedule, .. } = &*self.app.settings;
        let amounts = ExamAmounts {
            students: self.active,
            linked: self.linked,
            in_further_groups: self.shape.in_further_groups,
            candidates: self.candidates.unwrap_or_else(|| self.linked.max(self.active)),
            page_size: u64::from(exam.page_size),
            batch_size: u64::try_from(exam.batch_size).unwrap_or(u64::MAX),
        };
        let (runs, shortest) = density(schedule, self.app.clock.now());
        let pace = exam.endpoint.requests_per_second;
        let (quiet, day) = (amounts.quiet_run(), amounts.quiet_day(runs, exam.verify_groups.as_secs()));
        let mut detail = String::from("at least ");
        if self.linked < self.active {
            let first = amounts.first_sync();
            detail.push_str(&format!(
                "{} for the first sync ({}), ",
                counted(first, "call"),
                spell(first, pace)
            ));
        }
        detail.push_str(&format!(
            "{} for a quiet run ({}), {} on a quiet day of {}",
            counted(quiet, "call"),
            spell(quiet, pace),
            grouped(day),
            counted(runs, "run")
        ));
        let is_too_long = shortest.is_some_and(|apart| seconds(quiet, pace) > whole(apart));
        let is_ours = is_this_machine(&exam.endpoint.base_url);
        let finding = if !is_ours && (pace > ALLOWED_A_SECOND || pace <= 0.0) {
            detail.push_str(
                "; exam.requests_per_second asks for more than the 10 a second that the service documents: it answers 429 then, \
                 unless it has agreed to more",
            );
            Finding::warn(Group::Schedule, CALLS, detail).mended_by(FailureOwner::It, [])
        } else if is_too_long {
            detail.push_str("; runs come faster than one can be made: set a longer schedule.cron");
            Finding::warn(Group::Schedule, CALLS, detail).mended_by(FailureOwner::It, [])
        } else {
            Finding::good(Group::Schedule, CALLS, detail)
        };
        findings.add(finding.told_as_it_is());
    }

    fn classin(&self, findings: &mut Findings) {
        let classin = &self.app.settings.classin;
        let batch = u64::try_from(classin.batch_size).unwrap_or(u64::MAX);
        let wanted: u64 = self.shape.class_sizes.iter().sum();
        let mut detail = String::from("none for a quiet run");
        if classin.verify_calls > 0 {
            detail.push_str(&format!(
                ", up to {} a day to confirm what is remembered",
                grouped(classin.verify_calls.into())
            ));
        }
        if self.enrolled < wanted {
            let first = enrolling(&self.shape.class_sizes, batch);
            let pace = spell(first, classin.endpoint.requests_per_second);
            detail.push_str(&format!(
                "; at least {} for the first sync ({pace}), accounts apart",
                counted(first, "call")
            ));
        }
        findings.add(Finding::good(Group::Schedule, "ClassIn calls", detail).told_as_it_is());
    }
}

fn whole(seconds: i64) -> u64 {
    u64::try_from(seconds).unwrap_or(0)
}

/// The seconds that so many calls last at this pace at least, rounded up.
fn seconds(calls: u64, pace: f64) -> u64 {
    if pace <= 0.0 {
        return 0;
    }
    let calls = f64::from(u32::try_from(calls).unwrap_or(u32::MAX));
    std::time::Duration::try_from_secs_f64((calls / pace).ceil()).map_or(u64::MAX, |lasts| lasts.as_secs())
}

fn spell(calls: u64, pace: f64) -> String {
    match seconds(calls, pace) {
        _ if pace <= 0.0 => "unpaced".to_owned(),
        lasts if lasts < 120 => format!("{lasts} s"),
        lasts => format!("{} min", lasts.div_ceil(60)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_last_as_long_as_the_pace_makes_them() {
        for (calls, pace, said) in [
            (1, 8.0, "1 s"),
            (80, 8.0, "10 s"),
            (81, 8.0, "11 s"),
            (9_600, 8.0, "20 min"),
            (5, 0.0, "unpaced"),
        ] {
            assert_eq!(spell(calls, pace), said, "{calls} at {pace}");
        }
    }
}
