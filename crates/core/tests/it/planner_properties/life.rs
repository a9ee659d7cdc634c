//! Whole lives: weeks of edits on both sides, runs that are killed, listings that do not add up and look-ups
//! without an answer. At the end both sides agree, and nothing happened on the way that must not.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use rosterd_core::exam_plan::{Change, GuardedPlan, Link, Origin};
use rosterd_core::roster::{Adopt, Leavers};

use super::{Event, PEOPLE, config, event, on_the_exam_side, on_the_roster, pair, value, waits_for_somebody};
use crate::support::*;

/// What may come next in a life.
#[derive(Clone, Debug)]
enum Step {
    Happens(Event),
    Returns(usize),
    Wait(i64),
    Run(usize),
    Killed(usize, Kill),
    /// The roster has something else, the run that brings it along is killed, and the roster is as before again.
    TakenBack(usize, Event, Kill),
    /// A run whose listing does not add up.
    Doubtful(usize),
    /// A run whose listing adds up and leaves somebody out.
    Gap(usize, usize),
    /// A run in which look-ups of somebody get no answer.
    Silent(usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    let size = 1_usize..5;
    let kill = (0_usize..4, any::<u32>()).prop_map(|(batch, arrived)| Kill { batch, arrived });
    // What fakes the passage of time is not for a life in which time passes.
    let happens = event().prop_filter("time passes", |event| !matches!(event, Event::LeaveForGood(_)));
    let edit = (0..PEOPLE).prop_flat_map(|who| {
        prop_oneof![
            2 => Just(Event::Phone(who)),
            2 => Just(Event::Password(who, 1)),
            1 => any::<u8>().prop_map(move |bits| Event::Regroup(who, bits)),
            1 => (0..PEOPLE + 4).prop_map(move |to| Event::Rename(who, to)),
            1 => Just(Event::Leave(who)),
        ]
    });
    let taken_back = (size.clone(), edit, kill.clone());
    prop_oneof![
        3 => taken_back.prop_map(|(size, edit, kill)| Step::TakenBack(size, edit, kill)),
        8 => happens.prop_map(Step::Happens),
        1 => (0..PEOPLE).prop_map(Step::Returns),
        2 => (1_i64..50).prop_map(Step::Wait),
        3 => size.clone().prop_map(Step::Run),
        5 => (size.clone(), kill).prop_map(|(size, kill)| Step::Killed(size, kill)),
        1 => size.clone().prop_map(Step::Doubtful),
        1 => (size.clone(), 0..PEOPLE).prop_map(|(size, who)| Step::Gap(size, who)),
        1 => (size, 0..PEOPLE).prop_map(|(size, who)| Step::Silent(size, who)),
    ]
}

fn beginning() -> impl Strategy<Value = World> {
    let leavers =
        prop_oneof![3 => Just(Leavers::Delete), 1 => Just(Leavers::Keep), 1 => Just(Leavers::MoveTo(9))];
    let adopt = prop_oneof![4 => Just(Adopt::Auto), 1 => Just(Adopt::Never)];
    (pair(), leavers, adopt, prop::sample::select(vec![0, 1, 72])).prop_map(
        |(mut world, leavers, adopt, grace_hours)| {
            world.policy.leavers = leavers;
            world.policy.adopt = adopt;
            world.policy.delete_grace_ms = grace_hours * HOUR;
            // A person approves all that is held, and foreign groups are to stay as they are.
            world.policy.shared = true;
            world
        },
    )
}

/// A world with what its own observer knows of it, apart from anything that plans are made from.
struct Life {
    world: World,
    /// Since when each student is off the roster.
    left_at: BTreeMap<String, i64>,
    /// Whose candidate was once given another one's login value by hand: until that is noticed, the password listed
    /// there is taken for theirs.
    mistaken: BTreeSet<String>,
    /// How many runs have begun since then.
    runs_since: BTreeMap<String, u32>,
    /// What went on, for whoever has to understand a failure.
    trail: Vec<String>,
}

impl Life {
    fn of(world: World) -> Self {
        let mistaken = BTreeSet::new();
        Self { world, left_at: BTreeMap::new(), mistaken, runs_since: BTreeMap::new(), trail: Vec::new() }
    }

    fn take(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Happens(event) => self.happens(event),
            Step::Returns(who) => {
                self.world.roster.entry(value(*who)).or_insert_with(|| student(&value(*who)).password("pw"));
            }
            Step::Wait(hours) => self.world.now_ms += hours * HOUR,
            Step::Run(size) => self.run(*size, None)?,
            Step::Killed(size, kill) => self.run(*size, Some(*kill))?,
            Step::TakenBack(size, edit, kill) => {
                let before = self.world.roster.clone();
                self.happens(edit);
                self.keep_count_of_leavers();
                self.run(*size, Some(*kill))?;
                self.world.roster = before;
            }
            Step::Doubtful(size) => {
                self.world.total_is_wrong = true;
                self.run(*size, None)?;
                self.world.total_is_wrong = false;
            }
            Step::Gap(size, who) => {
                self.world.unlisted = self.unnoticed(&value(*who)).into_iter().collect();
                self.run(*size, None)?;
                self.world.unlisted.clear();
            }
            Step::Silent(size, who) => {
                let login = value(*who);
                let asked = self.world.candidates.iter().filter(|(_, candidate)| candidate.login == login);
                self.world.silent = asked.map(|(sid, _)| *sid).collect();
                self.world.silent.extend(self.world.links.get(&login).map(|link| link.sid.0));
                self.run(*size, None)?;
                self.world.silent.clear();
            }
        }
        self.keep_count_of_leavers();
        Ok(())
    }

    /// The candidate of a student of whom only the listing's gap is odd. That of somebody who is renamed at the
    /// same time, or whose row cannot be used, is not looked up and cannot be told from a free login value.
    fn unnoticed(&self, student: &str) -> Option<i64> {
        let link = self.world.links.get(student)?;
        let is_there = self.world.candidates.get(&link.sid.0)?.login == link.login.as_str();
        let wanting = |login: &str| self.world.roster.values().filter(|person| person.login == login).count();
        let person = self.world.roster.get(student);
        let is_plain = person.is_none_or(|person| {
            person.problem.is_none() && person.login == link.login.as_str() && wanting(&person.login) == 1
        });
        (is_there && is_plain).then_some(link.sid.0)
    }

    fn happens(&mut self, event: &Event) {
        self.trail.push(format!("{event:?}"));
        if let Event::SwappedThere(one, two) = event {
            self.mistaken.extend([value(*one), value(*two)]);
        }
        on_the_roster(&mut self.world, event);
        let concerns_a_link = match event {
            Event::Vanish(who) | Event::Replace(who) | Event::ForgetGroups(who) => {
                self.world.links.contains_key(&value(*who))
            }
            _ => true,
        };
        if concerns_a_link {
            on_the_exam_side(&mut self.world, event);
        }
    }

    fn keep_count_of_leavers(&mut self) {
        let Self { world, left_at, .. } = self;
        for student in world.links.keys().filter(|student| !world.roster.contains_key(*student)) {
            left_at.entry(student.clone()).or_insert(world.now_ms);
        }
    }

    /// One run, with everything that must hold of any.
    fn run(&mut self, batch_size: usize, kill: Option<Kill>) -> Result<(), TestCaseError> {
        for student in self.left_at.keys().filter(|student| !self.world.roster.contains_key(*student)) {
            *self.runs_since.entry(student.clone()).or_default() += 1;
        }
        self.world.approve();
        let before = self.world.clone();
        let (plan, violations) = self.world.live(batch_size, kill);
        self.trail.push(format!("{kill:?} {:?} doubt: {:?}", lines(&plan), plan.doubt));
        // Who came back and left again between two runs was never seen to be back.
        if plan.doubt.is_none() {
            let Self { world, left_at, runs_since, .. } = &mut *self;
            left_at.retain(|student, _| !world.roster.contains_key(student));
            runs_since.retain(|student, _| !world.roster.contains_key(student));
        }
        prop_assert!(violations.is_empty(), "{:?} after {:#?}", violations, self.trail);
        self.nobody_on_the_roster_lost_a_candidate(&before)?;
        self.only_leavers_whose_time_had_come_were_deleted(&before, &plan)?;
        self.strangers_were_left_alone(&before)?;
        if plan.doubt.is_some() {
            let sids = |world: &World| world.candidates.keys().copied().collect::<Vec<i64>>();
            prop_assert_eq!(sids(&before), sids(&self.world), "a doubtful listing: {:#?}", self.trail);
        }
        Ok(())
    }

    fn nobody_on_the_roster_lost_a_candidate(&self, before: &World) -> Result<(), TestCaseError> {
        for (student, link) in &before.links {
            if before.roster.contains_key(student) && before.candidates.contains_key(&link.sid.0) {
                prop_assert!(
                    self.world.candidates.contains_key(&link.sid.0),
                    "{} lost {} after {:#?}",
                    student,
                    link.sid,
                    self.trail
                );
            }
        }
        Ok(())
    }

    fn only_leavers_whose_time_had_come_were_deleted(
        &self,
        before: &World,
        plan: &GuardedPlan,
    ) -> Result<(), TestCaseError> {
        let gone: BTreeSet<i64> = before
            .candidates
            .keys()
            .filter(|sid| !self.world.candidates.contains_key(sid))
            .copied()
            .collect();
        let mut accounted = BTreeSet::new();
        for operation in plan.operations.iter().filter(|operation| operation.is_planned()) {
            let Change::Delete(deletion) = &operation.change else { continue };
            let student = operation.student.as_str();
            let since = self.left_at.get(student).copied().unwrap_or(i64::MAX);
            let runs = self.runs_since.get(student).copied().unwrap_or(0);
            prop_assert!(
                before.now_ms.saturating_sub(since) >= before.policy.delete_grace_ms && runs >= 2,
                "{} is deleted too early, in run {}: {:#?}",
                student,
                runs,
                self.trail
            );
            prop_assert_eq!(before.policy.leavers, Leavers::Delete);
            accounted.insert(deletion.sid().0);
        }
        prop_assert!(gone.is_subset(&accounted), "{:?} went without a delete: {:#?}", gone, self.trail);
        Ok(())
    }

    fn strangers_were_left_alone(&self, before: &World) -> Result<(), TestCaseError> {
        let ours: BTreeSet<i64> = before.links.values().map(|link| link.sid.0).collect();
        let wanted: BTreeSet<&String> =
            before.roster.values().map(|person| &person.login).chain(before.sent_adds.values()).collect();
        for (sid, candidate) in &before.candidates {
            let now = self.world.candidates.get(sid);
            if !ours.contains(sid) && !wanted.contains(&candidate.login) {
                prop_assert_eq!(now, Some(candidate), "a stranger was touched: {:#?}", self.trail);
            }
            if candidate.groups.contains(&99) {
                prop_assert!(now.is_some_and(|now| now.groups.contains(&99)), "{}: {:#?}", sid, self.trail);
            }
        }
        Ok(())
    }

    /// Nothing goes wrong any more: good runs until nothing is left to do.
    fn calm_down(&mut self) -> Result<(), TestCaseError> {
        for _ in 0..12 {
            // In good time everybody's groups are looked up.
            self.world.verified = self.world.links.values().map(|link| link.sid.0).collect();
            self.run(3, None)?;
            self.world.now_ms += 30 * HOUR;
            self.keep_count_of_leavers();
            let plan = self.world.plan();
            let is_at_rest = plan.operations.iter().all(|operation| waits_for_somebody(&operation.state));
            if is_at_rest && plan.notes.is_empty() {
                break;
            }
        }
        let rest = self.world.plan();
        prop_assert!(
            rest.operations.iter().all(|operation| waits_for_somebody(&operation.state)),
            "{:?} is left after {:#?}",
            lines(&rest),
            self.trail
        );
        self.both_sides_agree(&rest)
    }

    fn both_sides_agree(&self, rest: &GuardedPlan) -> Result<(), TestCaseError> {
        let world = &self.world;
        let waiting: BTreeSet<&str> = rest.operations.iter().map(|one| one.student.as_str()).collect();
        for (student, person) in
            world.roster.iter().filter(|(student, _)| !waiting.contains(student.as_str()))
        {
            let candidate = world.links.get(student).and_then(|link| world.candidates.get(&link.sid.0));
            let Some(candidate) = candidate else {
                return Err(TestCaseError::fail(format!("{student} has no candidate: {:#?}", self.trail)));
            };
            prop_assert_eq!(&candidate.login, &person.login, "{:#?}", self.trail);
            prop_assert_eq!(candidate.fields.get(&PHONE), Some(&person.phone), "{:#?}", self.trail);
            // A password of somebody else's making stays where it is listed.
            let is_ours = world.links[student].origin == Origin::Added && !self.mistaken.contains(student);
            if is_ours && !person.password.is_empty() {
                prop_assert_eq!(candidate.fields.get(&PASSWORD), Some(&person.password), "{:#?}", self.trail);
            }
            let wanted: BTreeSet<i64> =
                person.groups.iter().filter_map(|code| world.group_table[code]).collect();
            let held: BTreeSet<i64> = candidate.groups.iter().copied().filter(|gid| *gid <= 9).collect();
            if !wanted.is_empty() {
                prop_assert_eq!(held, wanted, "{}: {:#?}", student, self.trail);
            }
        }
        self.nobody_is_there_twice()
    }

    /// A candidate that we entered is somebody's for as long as it is there, or we know that we may have entered it.
    fn nobody_is_there_twice(&self) -> Result<(), TestCaseError> {
        let linked: Vec<i64> = self.world.links.values().map(|link| link.sid.0).collect();
        let distinct: BTreeSet<i64> = linked.iter().copied().collect();
        prop_assert_eq!(linked.len(), distinct.len(), "one candidate, two students: {:#?}", self.trail);
        for sid in self.world.entered_by_us.iter().filter(|sid| self.world.candidates.contains_key(sid)) {
            let is_in_mind =
                self.world.sent_adds.values().any(|sent| *sent == self.world.candidates[sid].login);
            prop_assert!(distinct.contains(sid) || is_in_mind, "{} is nobody's: {:#?}", sid, self.trail);
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn whatever_happens_and_wherever_runs_are_killed_both_sides_agree_in_the_end(
        world in beginning(),
        steps in prop::collection::vec(step(), 1..25),
    ) {
        let mut life = Life::of(world);
        for step in &steps {
            life.take(step)?;
        }
        life.calm_down()?;
    }

    #[test]
    fn a_run_killed_in_any_batch_is_made_good_by_those_that_follow(
        world in super::world(),
        size in 1_usize..4,
        arrived in any::<u32>(),
    ) {
        // Every batch of this run in turn; leavers here left long ago.
        for batch in 0..world.plan().waves(size).iter().map(Vec::len).sum() {
            let mut life = Life::of(world.clone());
            life.world.policy.shared = true;
            let long_ago = |link: &&Link| link.gone_since_ms.is_some();
            for link in world.links.values().filter(long_ago) {
                life.left_at.insert(link.student.to_string(), 0);
                life.runs_since.insert(link.student.to_string(), 2);
            }
            life.keep_count_of_leavers();
            life.take(&Step::Killed(size, Kill { batch, arrived }))?;
            life.calm_down()?;
        }
    }
}

/// Steps that once led astray, each by a way that was not expected.
fn lived(world: World, steps: &[Step]) -> Life {
    let mut life = Life::of(world);
    for step in steps {
        life.take(step).unwrap();
    }
    life.calm_down().unwrap();
    life
}

const ARRIVED: Kill = Kill { batch: 0, arrived: u32::MAX };

fn with_passwords() -> World {
    World::empty().with_converged(["s0", "s1"].map(|id| student(id).password("pw")))
}

#[test]
fn a_password_changed_by_a_lost_call_and_back_is_sent_again_even_if_hidden() {
    for hidden in [true, false] {
        let mut world = with_passwords();
        world.hidden = hidden.then_some(PASSWORD).into_iter().collect();
        let mut life = lived(world, &[Step::TakenBack(1, Event::Password(0, 1), ARRIVED)]);
        assert_eq!(life.world.of("s0").fields[&PASSWORD], "pw", "hidden: {hidden}");
    }
}

#[test]
fn a_leaver_entered_again_by_a_lost_call_is_known_and_deleted_in_time() {
    let steps = [Step::Happens(Event::Vanish(0)), Step::Killed(1, ARRIVED), Step::Happens(Event::Leave(0))];
    let life = lived(with_passwords(), &steps);
    let logins: Vec<&str> =
        life.world.candidates.values().map(|candidate| candidate.login.as_str()).collect();
    assert_eq!(logins, ["s1"]);
}

#[test]
fn who_was_moved_by_a_lost_call_and_is_wanted_where_they_were_is_moved_back() {
    let steps = [Step::TakenBack(1, Event::Regroup(0, 4), ARRIVED)];
    let mut life = lived(with_passwords(), &steps);
    assert_eq!(life.world.of("s0").groups, [1].into());
}

/// The groups of whoever is in a foreign one, after these events in a shared account.
fn groups_of_shared(events: [Event; 3]) -> Vec<BTreeSet<i64>> {
    let mut world = with_passwords();
    world.policy.shared = true;
    let life = lived(world, &events.map(Step::Happens));
    let candidates = life.world.candidates.values();
    let shared = candidates.filter(|candidate| candidate.groups.contains(&99));
    shared.map(|candidate| candidate.groups.clone()).collect()
}

#[test]
fn a_leaver_renamed_by_hand_and_shared_with_others_is_taken_out_of_our_groups_alone() {
    let left = groups_of_shared([Event::RenamedThere(1), Event::ForeignGroup(1), Event::Leave(1)]);
    assert_eq!(left, [[99].into()]);
}

#[test]
fn a_leaver_whose_candidate_shows_the_login_value_of_a_student_stays_in_all_groups() {
    let left = groups_of_shared([Event::SwappedThere(1, 0), Event::ForeignGroup(1), Event::Leave(1)]);
    assert!(left.len() == 1 && left[0].len() > 1, "{left:?}");
}
