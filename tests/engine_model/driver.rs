//! The steps, and what the model remembers of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use fastrand::Rng;
use rosterd::{EmptyAccount, RunReport, confirm_exam_account};
use rosterd_core::failure::FailureState;
use rosterd_core::roster::{Limit, Mode, StudentId};
use rosterd_sandbox::CandidateView;

use crate::departures::{APPROVED_FOR, Departures};
use crate::edits::tagged;
use crate::troubles::{SWITCHES, draw};
use rosterd_testkit::chance::{happens, one_of};
use rosterd_testkit::*;

/// How often each kind of step was made.
pub type Tally = BTreeMap<&'static str, u64>;

pub struct Driver {
    pub world: ExamSchool,
    pub chance: Rng,
    pub tally: Tally,
    /// Every step so far, for whoever looks for a cause.
    pub log: Vec<String>,
    /// Rows as they were before their last change.
    pub before: BTreeMap<String, Person>,
    /// Candidates that are not ours, as they must stay.
    pub strangers: BTreeMap<i64, CandidateView>,
    /// Login values of candidates that are not ours yet, and may be the day the roster names them.
    pub adoptable: Vec<String>,
    /// Since when students have been off the roster, and how many runs have seen it.
    pub gone: BTreeMap<String, (i64, u32)>,
    /// Every login value that each student ever had.
    pub logins: BTreeMap<String, BTreeSet<String>>,
    pub departures: Departures,
    /// Whether a fault is armed with which somebody else edits the account.
    pub disturbed: bool,
    digest: Option<String>,
    counter: u32,
}

impl Driver {
    pub async fn new(seed: u64) -> Self {
        let mut chance = Rng::with_seed(seed);
        let echo = one_of(&mut chance, &["on", "on", "off", "masked"]);
        let sandbox_seed = chance.u32(..).to_string();
        let people = (0..chance.u32(5..25)).map(|number| tagged(&format!("s{number:04}")));
        let switches = [("exam.echo_password", echo), ("seed", sandbox_seed.as_str())];
        let mut world = ExamSchool::switched(people, &switches).await;
        world.settings.exam.batch_size = one_of(&mut chance, &[3, 7, 100]);
        world.settings.exam.page_size = one_of(&mut chance, &[4, 10, 100]);
        world.settings.exam.endpoint.timeout = Duration::from_secs(3);
        let limits = [Limit::Count(1), Limit::Count(3), Limit::Percent(100.0)];
        world.settings.guard.max_delete = limits[usize::try_from(seed % 3).unwrap()];
        let mut driver = Self {
            world,
            chance,
            tally: Tally::new(),
            log: vec![format!("ROSTERD_SEED={seed} echo_password={echo}")],
            before: BTreeMap::new(),
            strangers: BTreeMap::new(),
            adoptable: Vec::new(),
            gone: BTreeMap::new(),
            logins: BTreeMap::new(),
            departures: Departures::default(),
            disturbed: false,
            digest: None,
            counter: 100,
        };
        driver.remember_logins();
        driver
    }

    pub fn fresh(&mut self) -> u32 {
        self.counter += 1;
        self.counter
    }

    fn note(&mut self, kind: &'static str, what: String) {
        *self.tally.entry(kind).or_default() += 1;
        self.log.push(what);
    }

    pub fn remember_stranger(&mut self, sid: i64) {
        let view = self.world.sandbox.candidates().into_iter().find(|it| it.sid == sid).unwrap();
        self.strangers.insert(sid, view);
    }

    /// One step, whatever it is.
    pub async fn step(&mut self) {
        match self.chance.u32(0..100) {
            0..28 => self.roster_step().await,
            28..38 => {
                let what = self.edit_account().await;
                self.note("by hand", what);
            }
            38..50 => self.trouble(),
            50..56 => self.quiet(),
            56..60 => self.pass_time(),
            60..62 => self.change_policy(),
            62..65 => self.approve().await,
            65..69 => self.change_failures().await,
            69..72 => self.plan().await,
            72..82 => self.crash().await,
            _ => drop(self.run().await),
        }
        self.nobody_is_there_twice();
    }

    async fn roster_step(&mut self) {
        for _ in 0..self.chance.u32(1..4) {
            let what = self.edit_roster();
            self.note("roster", what);
        }
        self.world.write_roster().await;
        self.note_who_left();
        self.remember_logins();
    }

    /// Since when who is off the roster. Who returned and left again before a run looked never returned as far as it can tell.
    /// A candidate that the roster names now is nobody's stranger.
    pub fn note_who_left(&mut self) {
        let now = self.world.clock.now_ms();
        let here = self.here();
        let ever: BTreeSet<String> = self
            .tags()
            .into_keys()
            .chain(self.before.keys().cloned())
            .filter(|id| !here.contains(id))
            .collect();
        for id in ever {
            self.gone.entry(id).or_insert((now, 0));
        }
        let named: BTreeSet<&String> =
            self.world.people.values().filter(|it| it.active).filter_map(|it| it.login.as_ref()).collect();
        self.strangers.retain(|_, view| !named.contains(&view.login_value));
    }

    /// Who is on the roster.
    pub fn here(&self) -> BTreeSet<String> {
        self.world.people.values().filter(|it| it.active).map(|it| it.id.clone()).collect()
    }

    fn trouble(&mut self) {
        if happens(&mut self.chance, 60) {
            let (fault, value) = draw(&mut self.chance);
            if self.world.sandbox.set(&format!("exam.{}", fault.name), &value).is_ok() {
                self.disturbed |= fault.by_hand;
                self.note("fault", format!("{}={value}", fault.name));
            }
        } else {
            let (name, values) = one_of(&mut self.chance, SWITCHES);
            let value = one_of(&mut self.chance, values);
            self.world.set(&format!("exam.{name}"), value);
            self.note("switch", format!("exam.{name}={value}"));
        }
    }

    /// The service is well again.
    pub fn quiet(&mut self) {
        self.world.sandbox.clear_faults();
        for (name, values) in SWITCHES {
            self.world.set(&format!("exam.{name}"), values[0]);
        }
        self.disturbed = false;
        self.note("quiet", "the service is well".to_owned());
    }

    fn pass_time(&mut self) {
        let span = one_of(&mut self.chance, &[MINUTE, 10 * MINUTE, HOUR, 7 * HOUR, DAY, 4 * DAY]);
        self.world.later(span);
        self.note("time", format!("{} minutes pass", span / MINUTE));
    }

    fn change_policy(&mut self) {
        let limit = one_of(&mut self.chance, &[Limit::Count(1), Limit::Count(2), Limit::Percent(100.0)]);
        self.world.settings.guard.max_delete = limit;
        let modes = [Mode::Sync, Mode::Sync, Mode::Upsert, Mode::CreateOnly, Mode::Observe];
        self.world.settings.mode = one_of(&mut self.chance, &modes);
        self.note("policy", format!("max_delete {limit:?}, {:?}", self.world.settings.mode));
    }

    pub async fn approve(&mut self) {
        let Some(digest) = self.digest.clone() else { return };
        let now = self.world.clock.now_ms();
        // Whoever approves names the people too, where that is asked for.
        let held = self.world.state.approvable(&digest).await.unwrap();
        held.iter().for_each(|one| self.approve_of(one.key.student.as_str(), now));
        let granted: Vec<_> = held.into_iter().map(|one| (one, now + APPROVED_FOR)).collect();
        self.world.state.grant(&granted, now).await.unwrap();
        self.note("approval", format!("{} approved", granted.len()));
    }

    async fn change_failures(&mut self) {
        let now = self.world.clock.now_ms();
        let open: Vec<i64> = self.world.failures().await.iter().map(|row| row.id).collect();
        if open.is_empty() {
            return;
        }
        let one = [one_of(&mut self.chance, &open)];
        let (ids, to) = match self.chance.u32(0..3) {
            0 => (None, FailureState::Waiting),
            1 => (Some(&one[..]), FailureState::Waiting),
            _ => (Some(&one[..]), FailureState::Ignored),
        };
        let count = self.world.state.change_failures(ids, to, now).await.unwrap();
        self.note("failures", format!("{count} failures {to:?}"));
    }

    async fn plan(&mut self) {
        let (before, disturbed) = (self.world.sandbox.candidates(), self.disturbed);
        self.world.sandbox.clear_journal();
        let report = self.world.plan_report().await;
        self.note("plan", format!("plan: {} {}", report.exit_code, report.planned()));
        self.law("a plan writes nothing", report.writes() == 0, &report);
        let same = disturbed || before == self.world.sandbox.candidates();
        self.law("a plan changes nothing", same, &report);
        self.note_strangers_if_disturbed();
    }

    async fn crash(&mut self) {
        let before = self.tags();
        let began_ms = self.world.clock.now_ms();
        self.world.sandbox.clear_journal();
        if happens(&mut self.chance, 30) {
            let delay = one_of(&mut self.chance, &["addStudents", "changeStuinfo", "delStu", "movestugroup"]);
            self.world.set("exam.delay", &format!("{delay}:300"));
            self.world.crash_when(|| self.world.journal().iter().any(|call| call == delay)).await;
            self.note("crash", format!("cut off while {delay} was under way, if it ever was"));
        } else if happens(&mut self.chance, 50) {
            let calls = self.chance.usize(1..12);
            self.world.crash_when(|| self.world.sandbox.journal().len() >= calls).await;
            self.note("crash", format!("cut off after call {calls}"));
        } else {
            let delay = Duration::from_micros(self.chance.u64(500..60_000));
            self.world.crash_after(delay).await;
            self.note("crash", format!("cut off after {delay:?}"));
        }
        self.somebody_looked();
        self.laws_of_a_run(&before, began_ms, None);
        self.note_strangers_if_disturbed();
    }

    /// One run, with everything that must be true of it.
    pub async fn run(&mut self) -> RunReport {
        let (before, began_ms) = (self.tags(), self.world.clock.now_ms());
        self.world.sandbox.clear_journal();
        let report = self.world.run().await;
        let (exit, planned, applied) = (report.exit_code, report.planned(), report.applied());
        self.note(
            "run",
            format!("run: exit {exit}, planned {planned}, applied {applied}: {:?}", report.errors),
        );
        self.digest = report.approve.is_some().then(|| report.digest.clone());
        if [0, 3, 4].contains(&exit) {
            let here = self.here();
            self.gone.retain(|id, _| !here.contains(id));
        }
        self.somebody_looked();
        self.laws_of_a_run(&before, began_ms, Some(&report));
        self.laws_of_a_report(&report);
        self.note_strangers_if_disturbed();
        if exit == 78 {
            self.confirm_account().await;
        }
        report
    }

    /// So many candidates show other login values that it may be another account: a person says that it is the same one.
    /// Whoever is given up by that is nobody's from then on: the person has been told so.
    async fn confirm_account(&mut self) {
        let linked = self.linked().await;
        let (side, state, now) = (self.world.exam_side(), &self.world.state, self.world.clock.now_ms());
        let confirmed =
            confirm_exam_account(&side, state, EmptyAccount::Refused, &self.world.stop, now).await;
        if let Ok((_, taking)) = confirmed {
            state.take_accounts(&[taking], now).await.unwrap();
            let kept = self.linked().await;
            for sid in linked.difference(&kept) {
                self.world.sandbox.edit_candidate(*sid, &[(GENDER, "")]);
            }
            self.note("account", "the account is confirmed".to_owned());
        }
    }

    /// The candidates that are linked.
    async fn linked(&self) -> BTreeSet<i64> {
        let mut linked = BTreeSet::new();
        for (id, sid) in self.tags() {
            let link = self.world.state.link_of(&StudentId::new(id)).await.unwrap();
            linked.extend(link.filter(|link| link.sid.0 == sid).map(|_| sid));
        }
        linked
    }

    fn somebody_looked(&mut self) {
        self.gone.values_mut().for_each(|(_, runs)| *runs += 1);
    }

    pub fn note_strangers_if_disturbed(&mut self) {
        if self.disturbed {
            self.remember_logins_by_hand();
            let now = self.world.sandbox.candidates();
            let tagged: BTreeSet<i64> = self.tags().into_values().collect();
            let strangers = now.into_iter().filter(|it| self.strangers.contains_key(&it.sid));
            self.strangers =
                strangers.filter(|it| !tagged.contains(&it.sid)).map(|it| (it.sid, it)).collect();
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("{:#?}", self.log);
            self.world.sandbox.candidates().iter().for_each(|candidate| println!("{candidate:?}"));
            println!("gone: {:?}", self.gone);
        }
    }
}
