//! What must be true whatever happened, and how everything comes to rest.

use std::collections::{BTreeMap, BTreeSet};

use rosterd::RunReport;
use rosterd_core::exam_plan::HoldWord;
use rosterd_core::exam_plan::Origin;
use rosterd_core::failure::FailureState;
use rosterd_core::roster::{Limit, Mode};

use crate::driver::Driver;
use rosterd_testkit::*;

/// Runs until all is done: leavers take two, whoever waits for their login value one more, approvals their own.
const MOST_RUNS: usize = 8;

impl Driver {
    /// Sids by the student whose candidate they are.
    pub fn tags(&self) -> BTreeMap<String, i64> {
        let candidates = self.world.sandbox.candidates().into_iter();
        candidates.filter_map(|it| Some((it.fields.get(&GENDER)?.clone(), it.sid))).collect()
    }

    #[track_caller]
    pub fn law(&self, law: &str, holds: bool, shown: &impl std::fmt::Debug) {
        assert!(holds, "{law}: {shown:#?}");
    }

    pub fn nobody_is_there_twice(&self) {
        let mut seen = BTreeSet::new();
        for candidate in self.world.sandbox.candidates() {
            let Some(tag) = candidate.fields.get(&GENDER) else { continue };
            self.law("nobody is there twice", seen.insert(tag.clone()), &candidate);
        }
    }

    /// Nobody else's doing: what went is what a complete listing and a roster long without them let go.
    pub fn laws_of_a_run(
        &mut self,
        before: &BTreeMap<String, i64>,
        began_ms: i64,
        report: Option<&RunReport>,
    ) {
        self.nobody_is_there_twice();
        self.strangers_are_as_they_were();
        self.every_write_meets_its_student(before);
        if self.disturbed {
            return;
        }
        self.candidates_stay_their_students(before);
        self.no_more_leave_in_a_day_than_the_limit(before, began_ms);
        let now_ms = self.world.clock.now_ms();
        let grace = i64::try_from(self.world.settings.exam.delete_grace.as_millis()).unwrap();
        let (after, here) = (self.tags(), self.here());
        for (id, sid) in before {
            match after.get(id) {
                Some(now) => self.law("nobody is entered anew who is there", sid == now, &(id, sid, now)),
                None => {
                    let (since, runs) = self.gone.get(id).copied().unwrap_or((i64::MAX, 0));
                    let long_gone = !here.contains(id) && now_ms.saturating_sub(since) >= grace && runs >= 2;
                    self.law("nobody is deleted but long after leaving", long_gone, &(id, since, runs));
                    self.law("only sync deletes", self.world.settings.mode == Mode::Sync, id);
                    let complete = report.is_none_or(|report| report.exam.complete);
                    self.law("nobody is deleted on a doubtful listing", complete, &report);
                }
            }
        }
    }

    fn strangers_are_as_they_were(&self) {
        if self.disturbed {
            return;
        }
        let now: BTreeMap<i64, _> =
            self.world.sandbox.candidates().into_iter().map(|it| (it.sid, it)).collect();
        for (sid, view) in &self.strangers {
            self.law("who is not ours is left alone", now.get(sid) == Some(view), &(view, now.get(sid)));
        }
    }

    pub fn laws_of_a_report(&self, report: &RunReport) {
        let exam = &report.exam;
        let ends = (report.failed(), report.held(), report.unknown());
        let exit = report.exit_code;
        let worse: &[u8] = &[143, 78, 77, 75, 1];
        // A hold about single people counts in the run that finds it; the others count in every run.
        let by_limit = report.holds.iter().any(|hold| HoldWord::parse(&hold.reason_code).is_none());
        let nothing_left = !by_limit && (&ends.0, &ends.2) == (&String::new(), &String::new());
        self.law(
            "0 means that nothing is left",
            exit != 0 || (nothing_left && report.errors.is_empty()),
            report,
        );
        let held = !by_limit || exit == 4 || worse.contains(&exit);
        self.law("what a limit holds makes 4", held, report);
        self.law("4 means that something is held", exit != 4 || !ends.1.is_empty(), report);
        let left = (ends.0.is_empty() && ends.2.is_empty()) || exit != 0;
        self.law("what failed makes 3", left, report);
        self.law("the exit code is one of ours", [0, 1, 3, 4, 75, 77, 78].contains(&exit), report);
        if !exam.complete {
            let writes = report.calls("delStu") + report.calls("addStudents");
            self.law("without a complete listing nobody is added or deleted", writes == 0, report);
        }
        let allowed = match self.world.settings.mode {
            Mode::Observe => report.writes() == 0,
            Mode::CreateOnly => report.calls("delStu") + report.calls("changeStuinfo") == 0,
            Mode::Upsert => report.calls("delStu") == 0,
            Mode::Sync => true,
        };
        self.law("no mode does more than it may", allowed, report);
    }

    /// Faults stop, rows are mended, time passes: then all is in step, nothing is planned, nothing is written.
    pub async fn comes_to_rest(&mut self) {
        self.quiet();
        self.mend();
        self.world.write_roster().await;
        self.note_who_left();
        self.remember_logins();
        for _ in 0..MOST_RUNS {
            self.wake_failures().await;
            let report = self.run().await;
            if !report.holds.is_empty() {
                self.approve().await;
            } else {
                self.world.later(4 * DAY);
            }
            if report.planned().is_empty() && report.exam.leavers_waiting == 0 {
                break;
            }
        }
        let quiet = self.run().await;
        let failures = self.world.failures().await;
        let nothing = quiet.exit_code == 0 && quiet.planned().is_empty();
        self.law("then nothing is planned", nothing, &(&quiet, &failures));
        self.law("and nothing written", quiet.writes() == 0, &quiet);
        self.leave_passwords_of_the_taken_over().await;
        let known = self.known_logins();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let differences = self.world.differences(&known);
        self.law("the account equals the roster", differences.is_empty(), &differences);
        let failures = self.world.failures().await;
        self.law("no failure is left open", failures.is_empty(), &failures);
        let intents = self.world.state.lost_adds().await.unwrap();
        self.law("no call is left open", intents.is_empty(), &intents);
        self.nobody_is_there_twice();
    }

    /// All that is open is due, each by its number: what a person silenced wakes in no other way.
    async fn wake_failures(&self) {
        let ids: Vec<i64> = self.world.failures().await.iter().map(|row| row.id).collect();
        if !ids.is_empty() {
            let now = self.world.clock.now_ms();
            self.world.state.change_failures(Some(&ids), FailureState::Waiting, now).await.unwrap();
        }
    }

    /// Taking a candidate over sends no password: whatever the candidate has is right.
    async fn leave_passwords_of_the_taken_over(&mut self) {
        let candidates = self.world.sandbox.candidates();
        for id in self.world.people.keys().cloned().collect::<Vec<_>>() {
            let Some(link) = self.world.link(&id).await else { continue };
            let candidate = candidates.iter().find(|it| it.sid == link.sid.0);
            if let (Origin::Adopted, Some(candidate)) = (link.origin, candidate) {
                let password = candidate.fields.get(&PASSWORD).cloned();
                self.world.people.entry(id).and_modify(|person| person.password = password);
            }
        }
    }

    /// Whatever a row makes impossible is put right: a login value that somebody keeps who is not ours to rename, too.
    fn mend(&mut self) {
        self.world.settings.mode = Mode::Sync;
        self.world.settings.guard.max_delete = Limit::Percent(100.0);
        let candidates = self.world.sandbox.candidates();
        let foreign = self.world.foreign;
        let tags = self.tags();
        let kept_by_another = |person: &Person| {
            let holder = candidates.iter().find(|it| Some(&it.login_value) == person.login.as_ref());
            holder.is_some_and(|it| match it.fields.get(&GENDER) {
                // Taken over by a newcomer, but never by somebody who has a candidate already.
                None => tags.contains_key(&person.id),
                Some(tag) => *tag != person.id && it.gids.contains(&foreign),
            })
        };
        let agreed = |person: &Person| {
            let mut holders = candidates.iter().filter(|it| Some(&it.login_value) == person.login.as_ref());
            let holder = holders.find(|it| !it.fields.contains_key(&GENDER))?;
            holder.fields.get(&NAME).cloned()
        };
        for person in self.world.people.values_mut() {
            if let Some(name) = agreed(person) {
                person.name = name;
            }
            if person.login.is_none() || kept_by_another(person) {
                person.login = Some(format!("mended-{}", person.id));
            }
            if !["g1", "g2", "g3"].iter().any(|code| person.groups.contains(*code)) {
                person.groups = ["g1".to_owned()].into();
            }
        }
        self.log.push("the roster is mended".to_owned());
    }

    /// Whom the roster has nothing to do with: strangers, and leavers who are in another school's group too.
    fn known_logins(&self) -> Vec<String> {
        let ours: BTreeSet<i64> = self.world.groups.values().flatten().copied().collect();
        let candidates = self.world.sandbox.candidates();
        let not_ours = candidates.into_iter().filter(|it| {
            self.strangers.contains_key(&it.sid)
                || (it.gids.contains(&self.world.foreign) && it.gids.is_disjoint(&ours))
                || !it.fields.contains_key(&GENDER)
        });
        not_ours.map(|it| it.login_value).collect()
    }
}
