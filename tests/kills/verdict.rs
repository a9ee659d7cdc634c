//! Whether everything is in step again, and nothing was lost or done twice on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use fastrand::Rng;
use serde_json::Value;

use crate::people::{Pupil, Trouble};
use crate::school::{Ended, School};
use crate::service::{Call, Candidate};
use crate::state::{Remembered, a_quarter_of_an_hour_later};

/// A leaver needs two complete runs, and who waits for a leaver's login value a third.
const MOST_RUNS: usize = 4;

/// A flood of new login values, however many are held of it.
const CHANGES: &str = "would change";
/// What is said of one leaver, and of several, whose login value was given to somebody who stays.
const WANTED: &str = "wants the login value of student";
const SEVERAL: &str = "may be one person";
/// What is said of a leaver whose login value we changed ourselves just before: a kill took the answer, and the student left
/// before a run looked. A person is asked, and nobody is deleted.
const RENAMED: &str = "was given another login value on the exam side";

/// Fields of the exam account.
const NAME: i64 = 1;
const GENDER: i64 = 2;
const PHONE: i64 = 4;
const PASSWORD: i64 = 10;

impl School {
    /// Runs again until all is done, and asserts that both services equal the roster, that the ledger holds what
    /// cannot be done and nothing else, and that then nothing is left to do.
    pub async fn is_made_good(&mut self, _chance: &mut Rng, runs_needed: &mut BTreeMap<usize, u64>) {
        let runs = self.run_until_done().await;
        *runs_needed.entry(runs).or_default() += 1;
        self.equals_the_roster();
        self.ledger_is_honest().await;
        if self.mend().await {
            let _runs = self.run_until_done().await;
            self.equals_the_roster();
            self.ledger_is_honest().await;
        }
        self.is_quiet();
        self.nobody_was_entered_anew();
        self.log.clear();
    }

    /// How many runs it takes until one leaves nothing undone but what cannot be done.
    async fn run_until_done(&mut self) -> usize {
        a_quarter_of_an_hour_later(self.folder()).await;
        for run in 1..=MOST_RUNS {
            let mut ended = self.run();
            // A hold about single people ends a run with 4 once, and stands until somebody decides.
            while ended.holds_anybody() {
                self.holds_only_login_values(&ended);
                let digest = ended.report["digest"].as_str().expect("a digest").to_owned();
                self.approve(&digest, &ended);
                ended = self.run();
            }
            assert!([0, 3].contains(&ended.code), "{ended:#?}\n{:#?}", self.log);
            let open = Remembered::read(self.folder()).await.open_calls;
            if self.wants_nothing(&ended) && open == 0 {
                return run;
            }
            // ClassIn may refuse what it was asked just before.
            std::thread::sleep(Duration::from_millis(300));
        }
        panic!("not in step after {MOST_RUNS} runs: {:?}\n{:#?}", self.differences(), self.log);
    }

    /// The guard is set so that it holds nothing but a flood of new login values, and leavers whose login value was given to
    /// somebody who stays.
    fn holds_only_login_values(&self, ended: &Ended) {
        let holds = [&ended.report["exam"]["holds"], &ended.report["classin"]["holds"]];
        let holds: Vec<&str> =
            holds.iter().filter_map(|it| it.as_array()).flatten().filter_map(Value::as_str).collect();
        let is_legitimate =
            |hold: &&str| [CHANGES, WANTED, SEVERAL, RENAMED].iter().any(|it| hold.contains(it));
        let legitimate = !holds.is_empty() && holds.iter().all(is_legitimate);
        assert!(legitimate, "{holds:?}\n{:#?}", self.log);
    }

    fn wants_nothing(&self, ended: &Ended) -> bool {
        let waits = |service: &str| ended.report[service]["leavers_waiting"].as_u64().unwrap_or(0);
        waits("exam") == 0 && self.differences().is_empty()
    }

    /// How the services differ from the roster.
    pub fn differences(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut candidates: BTreeMap<String, Candidate> = BTreeMap::new();
        for candidate in self.service.candidates() {
            if let Some(twin) = candidates.insert(candidate.login_value.clone(), candidate) {
                found.push(format!("{} is there twice", twin.login_value));
            }
        }
        for pupil in self.people.students() {
            if matches!(pupil.trouble, Some(Trouble::Group | Trouble::Login)) {
                continue;
            }
            match candidates.remove(&pupil.email) {
                None => found.push(format!("{} is missing", pupil.id)),
                Some(candidate) => found.extend(self.difference(pupil, &candidate)),
            }
        }
        found.extend(candidates.into_keys().map(|login| format!("{login} is not on the roster")));
        found.extend(self.class_differences());
        found
    }

    fn difference(&self, pupil: &Pupil, candidate: &Candidate) -> Option<String> {
        let gids: BTreeSet<i64> = pupil.groups.iter().map(|at| self.people.groups[*at]).collect();
        let wanted = [
            (NAME, Some(&pupil.name)),
            (GENDER, pupil.gender.as_ref()),
            (PHONE, pupil.phone.as_ref()),
            (PASSWORD, Some(&pupil.password)),
        ];
        let differs = |(field, value): &(i64, Option<&String>)| candidate.fields.get(field) != *value;
        let differs = wanted.iter().any(differs) || candidate.gids != gids;
        differs.then(|| format!("{pupil:?} differs from {candidate:?}, wanted in {gids:?}"))
    }

    fn class_differences(&self) -> Vec<String> {
        let courses = self.service.courses();
        let mut found = Vec::new();
        for (at, ids) in self.people.classes.iter().enumerate() {
            let wanted: BTreeSet<i64> = self
                .people
                .students()
                .filter(|pupil| pupil.classes.contains(&at) && pupil.trouble != Some(Trouble::Uid))
                .map(|pupil| pupil.uid)
                .collect();
            let course = &courses[&ids.course];
            let seen = if ids.class == 0 { &course.students } else { &course.classes[&ids.class] };
            if wanted != *seen {
                let (missing, surplus): (Vec<_>, Vec<_>) =
                    (wanted.difference(seen).collect(), seen.difference(&wanted).collect());
                found.push(format!("class {at}: {missing:?} are missing, {surplus:?} are too many"));
            }
        }
        found
    }

    fn equals_the_roster(&self) {
        assert_eq!(self.differences(), Vec::<String>::new(), "{:#?}", self.log);
    }

    /// Whoever is not in step is in the ledger, nobody else is, and no call is on its way.
    async fn ledger_is_honest(&mut self) {
        let _open = self.looks_sound().await;
        let remembered = Remembered::read(self.folder()).await;
        assert_eq!(remembered.open_calls, 0, "{:#?}", self.log);
        let failures: BTreeSet<(String, String)> =
            remembered.failures.into_keys().map(|(service, _, student, _)| (service, student)).collect();
        assert_eq!(failures, self.people.troubled(), "{:#?}", self.log);
    }

    /// Takes every trouble away; says whether there was any.
    async fn mend(&mut self) -> bool {
        let any = self.people.pupils.iter().any(|pupil| pupil.trouble.is_some());
        for pupil in &mut self.people.pupils {
            pupil.trouble = None;
        }
        self.write().await;
        if any {
            self.log.push("mended".to_owned());
        }
        any
    }

    /// The next run plans nothing, and the one after it sends nothing that changes anything.
    fn is_quiet(&mut self) {
        let ended = self.run();
        let planned = |service: &str| ended.report[service]["planned"].as_object().map_or(0, |it| it.len());
        assert_eq!(
            (ended.code, planned("exam"), planned("classin")),
            (0, 0, 0),
            "{ended:#?}\n{:#?}",
            self.log
        );
        self.service.clear_journal();
        let ended = self.run();
        let writes: Vec<Call> = self.service.journal().into_iter().filter(Call::is_write).collect();
        assert!(ended.code == 0 && writes.is_empty(), "{writes:?}: {ended:#?}\n{:#?}", self.log);
    }

    /// Whoever stayed on the roster is still the same candidate: their results are still theirs.
    fn nobody_was_entered_anew(&mut self) {
        let sids: BTreeMap<String, i64> =
            self.service.candidates().into_iter().map(|it| (it.login_value, it.sid)).collect();
        let mut now = BTreeMap::new();
        for pupil in self.people.pupils.iter_mut().filter(|pupil| pupil.is_student()) {
            let sid = sids[&pupil.email];
            if let Some(before) = self.sids.get(&pupil.id).filter(|_| pupil.stayed) {
                assert_eq!(*before, sid, "{}: {:#?}", pupil.id, self.log);
            }
            pupil.stayed = true;
            now.insert(pupil.id.clone(), sid);
        }
        self.sids = now;
    }
}
