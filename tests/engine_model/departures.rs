//! Law 11: over any 24 hours no more than the limit leaves without an approval, whatever answers are lost and whatever
//! is restarted. Judged by who is gone that the service was asked to delete.

use std::collections::{BTreeMap, BTreeSet};

use rosterd_core::roster::Limit;

use crate::driver::Driver;
use crate::identity::sids;
use rosterd_testkit::DAY;

/// How long the driver's approvals are good.
pub const APPROVED_FOR: i64 = 5 * DAY;

/// Who left without an approval, and who may leave with one.
#[derive(Default)]
pub struct Departures {
    unapproved: Vec<(i64, String)>,
    approved_until: BTreeMap<String, i64>,
}

impl Driver {
    pub fn approve_of(&mut self, student: &str, now_ms: i64) {
        self.departures.approved_until.insert(student.to_owned(), now_ms + APPROVED_FOR);
    }

    pub fn is_approved(&self, student: &str) -> bool {
        let until = self.departures.approved_until.get(student);
        until.is_some_and(|until| self.world.clock.now_ms() < *until)
    }

    /// `before` are the sids of students before the run, which began at `began_ms`.
    pub fn no_more_leave_in_a_day_than_the_limit(&mut self, before: &BTreeMap<String, i64>, began_ms: i64) {
        let asked: BTreeSet<i64> = self
            .world
            .sandbox
            .journal()
            .iter()
            .filter(|call| call.endpoint == "delStu")
            .flat_map(|call| sids(call).collect::<Vec<_>>())
            .collect();
        let here: BTreeSet<i64> = self.world.sandbox.candidates().into_iter().map(|it| it.sid).collect();
        let left = before.iter().filter(|(_, sid)| asked.contains(sid) && !here.contains(sid));
        let (approved, unapproved): (Vec<String>, Vec<String>) =
            left.map(|(student, _)| student.clone()).partition(|student| self.is_approved(student));
        for student in approved {
            self.departures.approved_until.remove(&student);
        }
        if unapproved.is_empty() {
            return;
        }
        self.departures.unapproved.retain(|(at, _)| began_ms - at < DAY);
        self.departures.unapproved.extend(unapproved.into_iter().map(|student| (began_ms, student)));
        let on_roster = self.world.people.values().filter(|person| person.active).count();
        let leavers =
            before.keys().filter(|id| !self.world.people.get(*id).is_some_and(|it| it.active)).count();
        let recent = &self.departures.unapproved;
        let limit = self.world.settings.guard.max_delete;
        let within = is_within(limit, recent.len(), on_roster + leavers + recent.len());
        let law = "over any 24 h no more than the limit leaves without an approval";
        self.law(law, within, &(limit, recent, on_roster, leavers));
    }
}

/// Whether so many are no more than the limit allows of a base that is never smaller than the true one.
fn is_within(limit: Limit, count: usize, base: usize) -> bool {
    let share = |percent: f64| count <= 5 || ((count - 1) as f64) * 100.0 < percent * (base as f64);
    match limit {
        Limit::Count(most) => count <= usize::try_from(most).unwrap(),
        Limit::Percent(percent) => share(percent),
        // No account of these runs has more than 100 candidates of students.
        Limit::Auto => share(20.0),
    }
}
