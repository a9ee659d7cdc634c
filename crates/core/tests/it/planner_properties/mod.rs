//! What holds for every world, however it came about.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "clippy.toml relaxes the first two in test functions only; each side picks its own of the events"
)]

mod decisions;
mod life;
mod limits;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use rosterd_core::exam_plan::{
    AddVerdict, Call, Fingerprint, GuardedPlan, HoldReason, LookupRequests, OperationKind, OperationState,
    PlanDocument, SkipReason, ValueDisplay, Verdict, WriteAnswer, judge_add, judge_by_sid,
};
use rosterd_core::roster::{Adopt, Leavers, Mode};
use rosterd_core::roster::{Sid, StudentId};

use crate::support::*;

const PEOPLE: usize = 8;

/// 400 cases unless `PROPTEST_CASES` says otherwise. What once failed is kept and tried first from then on.
fn config() -> ProptestConfig {
    let said = ProptestConfig::default();
    let kept = FileFailurePersistence::Direct("tests/it/planner_properties/regressions");
    ProptestConfig {
        // The library's own number: nobody said any.
        cases: if said.cases == 256 { 400 } else { said.cases },
        failure_persistence: said.failure_persistence.and(Some(Box::new(kept))),
        ..said
    }
}

/// Something that happens to a converged world. Numbers pick whom, modulo who there is.
#[derive(Clone, Debug)]
enum Event {
    Phone(usize),
    /// Another password, which may be an earlier one.
    Password(usize, usize),
    Rename(usize, usize),
    Swap(usize, usize),
    Regroup(usize, u8),
    Leave(usize),
    LeaveForGood(usize),
    Unusable(usize),
    Newcomer(usize, usize, u8),
    Stranger(usize),
    ForeignGroup(usize),
    Vanish(usize),
    Replace(usize),
    RenamedThere(usize),
    SwappedThere(usize, usize),
    RegroupedThere(usize, u8),
    ForgetGroups(usize),
}

fn event() -> impl Strategy<Value = Event> {
    let who = 0..PEOPLE;
    let value = 0..PEOPLE + 4;
    prop_oneof![
        who.clone().prop_map(Event::Phone),
        (who.clone(), 0_usize..3).prop_map(|(who, which)| Event::Password(who, which)),
        (who.clone(), value.clone()).prop_map(|(who, value)| Event::Rename(who, value)),
        (who.clone(), who.clone()).prop_map(|(one, two)| Event::Swap(one, two)),
        (who.clone(), any::<u8>()).prop_map(|(who, bits)| Event::Regroup(who, bits)),
        who.clone().prop_map(Event::Leave),
        who.clone().prop_map(Event::LeaveForGood),
        who.clone().prop_map(Event::Unusable),
        (0..4_usize, value.clone(), any::<u8>())
            .prop_map(|(who, value, bits)| Event::Newcomer(who, value, bits)),
        value.prop_map(Event::Stranger),
        who.clone().prop_map(Event::ForeignGroup),
        who.clone().prop_map(Event::Vanish),
        who.clone().prop_map(Event::Replace),
        who.clone().prop_map(Event::RenamedThere),
        (who.clone(), who.clone()).prop_map(|(one, two)| Event::SwappedThere(one, two)),
        (who.clone(), any::<u8>()).prop_map(|(who, bits)| Event::RegroupedThere(who, bits)),
        who.prop_map(Event::ForgetGroups),
    ]
}

/// `s0` to `s7` belong to students, the others to nobody yet.
fn value(at: usize) -> String {
    format!("s{at}")
}

fn codes(bits: u8) -> BTreeSet<String> {
    (1..=4).filter(|gid| bits & (1 << gid) != 0).map(|gid| format!("g{gid}")).collect()
}

fn gids_of(bits: u8) -> BTreeSet<i64> {
    let gids: BTreeSet<i64> = (1..=4).filter(|gid| bits & (1 << gid) != 0).collect();
    if gids.is_empty() { [1].into() } else { gids }
}

fn is_free(world: &World, login: &str) -> bool {
    world.candidates.values().all(|candidate| candidate.login != login)
}

fn on_the_roster(world: &mut World, event: &Event) {
    let mut person = |who: usize, change: &dyn Fn(&mut Person)| {
        if let Some(person) = world.roster.get_mut(&value(who)) {
            change(person);
        }
    };
    match *event {
        Event::Phone(who) => person(who, &|person| person.phone.push('7')),
        Event::Password(who, which) => {
            person(who, &|person| person.password = ["pw", "pw-2", "pw-3"][which].to_owned());
        }
        Event::Rename(who, to) => person(who, &|person| person.login = value(to)),
        Event::Regroup(who, bits) => person(who, &|person| person.groups = codes(bits)),
        Event::Unusable(who) => person(who, &|person| *person = person.clone().unusable()),
        Event::Swap(one, two) => {
            let logins =
                [one, two].map(|who| world.roster.get(&value(who)).map(|person| person.login.clone()));
            if let [Some(first), Some(second)] = logins {
                world.roster.get_mut(&value(one)).unwrap().login = second;
                world.roster.get_mut(&value(two)).unwrap().login = first;
            }
        }
        Event::Leave(who) => {
            world.roster.remove(&value(who));
        }
        Event::LeaveForGood(who)
            if world.roster.contains_key(&value(who)) && world.links.contains_key(&value(who)) =>
        {
            world.leave_for_good(&value(who));
        }
        Event::Newcomer(who, login, bits) => {
            let newcomer = student(&format!("new{who}")).login(&value(login));
            world.set(Person { groups: codes(bits), ..newcomer });
        }
        _ => {}
    }
}

fn on_the_exam_side(world: &mut World, event: &Event) {
    let sid = |world: &World, who: usize| {
        let sid = world.links.get(&value(who)).map(|link| link.sid.0)?;
        world.candidates.contains_key(&sid).then_some(sid)
    };
    match *event {
        Event::Stranger(login) if is_free(world, &value(login)) => {
            world.enter(candidate(&value(login)));
        }
        Event::ForeignGroup(who) => {
            if let Some(sid) = sid(world, who) {
                world.candidates.get_mut(&sid).unwrap().groups.insert(99);
            }
        }
        Event::Vanish(who) => {
            world.vanish(&value(who));
        }
        Event::Replace(who) => {
            let sid = world.sid(&value(who));
            if let Some(gone) = world.candidates.remove(&sid) {
                world.enter(gone);
                world.verified.insert(sid);
            }
        }
        Event::RenamedThere(who) if is_free(world, &format!("there{who}")) => {
            if let Some(sid) = sid(world, who) {
                world.candidates.get_mut(&sid).unwrap().login = format!("there{who}");
            }
        }
        Event::SwappedThere(one, two) => {
            if let (Some(one), Some(two)) = (sid(world, one), sid(world, two)) {
                let first = world.candidates[&one].login.clone();
                let second = world.candidates[&two].login.clone();
                world.candidates.get_mut(&one).unwrap().login = second;
                world.candidates.get_mut(&two).unwrap().login = first;
            }
        }
        Event::RegroupedThere(who, bits) => {
            if let Some(sid) = sid(world, who) {
                world.candidates.get_mut(&sid).unwrap().groups = gids_of(bits);
                world.verified.insert(sid);
            }
        }
        Event::ForgetGroups(who) => world.link(&value(who)).groups = None,
        _ => {}
    }
}

fn pair() -> impl Strategy<Value = World> {
    (prop::collection::vec(1_u8..32, PEOPLE), any::<bool>(), any::<bool>()).prop_map(
        |(groups, hides_password, listed_backwards)| {
            let people = groups.into_iter().enumerate().map(|(at, bits)| {
                let groups = if codes(bits).is_empty() { codes(2) } else { codes(bits) };
                Person { groups, ..student(&value(at)).password("pw") }
            });
            let mut world = World::empty().with_converged(people);
            world.listed_backwards = listed_backwards;
            if hides_password {
                world.hidden.insert(PASSWORD);
            }
            world
        },
    )
}

fn world() -> impl Strategy<Value = World> {
    let leavers = prop_oneof![Just(Leavers::Delete), Just(Leavers::Keep), Just(Leavers::MoveTo(9))];
    let adopt = prop_oneof![4 => Just(Adopt::Auto), 1 => Just(Adopt::Never)];
    (pair(), prop::collection::vec(event(), 0..8), leavers, adopt).prop_map(
        |(mut world, events, leavers, adopt)| {
            world.policy.leavers = leavers;
            world.policy.adopt = adopt;
            for event in &events {
                on_the_roster(&mut world, event);
                on_the_exam_side(&mut world, event);
            }
            world
        },
    )
}

fn planned(plan: &GuardedPlan) -> HashSet<(StudentId, OperationKind, Fingerprint)> {
    let going = plan.operations.iter().filter(|operation| operation.is_planned());
    going.map(|operation| (operation.student.clone(), operation.kind(), operation.desired_hash)).collect()
}

/// Whether it waits for a person to mend the roster or the exam side, or for another student.
fn waits_for_somebody(state: &OperationState) -> bool {
    matches!(
        state,
        OperationState::Cannot(_)
            | OperationState::Held(HoldReason::NothingAgrees { .. })
            | OperationState::Skipped(
                SkipReason::LoginInUse(_)
                    | SkipReason::LoginOfLeaver { .. }
                    | SkipReason::Depends(OperationKind::Modify | OperationKind::Adopt)
                    | SkipReason::AnotherLogin
                    | SkipReason::EnteredAnew { .. }
            )
    )
}

/// An answer to a write that says anything at all, with sids of the batch's among others.
fn write_answer() -> impl Strategy<Value = WriteAnswer> {
    let sid = prop_oneof![3 => 1000_i64..1015, 1 => any::<i64>()];
    let index = prop_oneof![4 => -1_i64..6, 1 => any::<i64>()];
    (
        prop::collection::vec((sid.clone().prop_map(Sid), index.clone()), 0..6),
        prop::collection::vec(sid.clone().prop_map(Sid), 0..6),
        prop::collection::vec(prop_oneof![index, sid], 0..6),
        0_usize..2,
    )
        .prop_map(|(added, changed, fail, fail_unreadable)| WriteAnswer {
            added,
            changed,
            fail,
            fail_unreadable,
            ..WriteAnswer::default()
        })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn planning_a_converged_pair_is_empty_and_asks_nothing(world in pair()) {
        let plan = world.plan();
        prop_assert!(plan.is_empty() && plan.notes.is_empty(), "{:?}", lines(&plan));
        prop_assert_eq!(world.needs(), LookupRequests::default());
    }

    #[test]
    fn applying_plans_comes_to_rest_and_does_nothing_twice(mut world in world(), batch_size in 1_usize..5) {
        let mut last = HashSet::new();
        let mut trail = Vec::new();
        for _ in 0..12 {
            world.approve();
            let (plan, violations) = world.run(batch_size);
            prop_assert!(violations.is_empty(), "{:?} by {:?}", violations, lines(&plan));
            trail.push(lines(&plan));
            let going = planned(&plan);
            let again: Vec<_> = going.intersection(&last).filter(|one| one.1 != OperationKind::Modify).collect();
            prop_assert!(again.is_empty(), "twice: {:?} in {:?}", again, trail);
            last = going;
            // Who left at first is dealt with in good time.
            world.now_ms += 30 * HOUR;
        }
        let rest = world.plan();
        prop_assert!(
            rest.operations.iter().all(|operation| waits_for_somebody(&operation.state)),
            "{:?} after {:#?}", lines(&rest), trail
        );
    }

    #[test]
    fn input_order_never_changes_the_plan_or_its_digest(mut world in world()) {
        let plan = world.plan();
        world.listed_backwards = !world.listed_backwards;
        world.cases_backwards = true;
        let turned = world.plan();
        prop_assert_eq!(lines(&plan), lines(&turned));
        prop_assert_eq!(plan.digest(), turned.digest());
        prop_assert_eq!(&plan.notes, &turned.notes);
    }

    #[test]
    fn a_leaver_in_a_foreign_group_is_not_touched_unless_a_person_says_so(mut world in world()) {
        world.guard.max_delete = rosterd_core::roster::Limit::Percent(100.0);
        let before = world.candidates.clone();
        for _ in 0..4 {
            world.run(3);
            for (sid, candidate) in before.iter().filter(|(_, candidate)| candidate.groups.contains(&99)) {
                let now = world.candidates.get(sid);
                prop_assert!(now.is_some_and(|now| now.groups.contains(&99)), "{}: {:?}", sid, candidate);
            }
            world.now_ms += 30 * HOUR;
        }
    }

    #[test]
    fn unmanaged_candidates_and_foreign_groups_are_never_touched(mut world in world()) {
        world.policy.shared = true;
        let ours: BTreeSet<i64> = world.links.values().map(|link| link.sid.0).collect();
        let before = world.candidates.clone();
        for _ in 0..4 {
            let wanted: BTreeSet<String> = world.roster.values().map(|person| person.login.clone()).collect();
            world.approve();
            world.run(3);
            for (sid, candidate) in &before {
                let now = world.candidates.get(sid);
                if !ours.contains(sid) && !wanted.contains(&candidate.login) {
                    prop_assert_eq!(now, Some(candidate));
                }
                if candidate.groups.contains(&99) {
                    prop_assert!(now.is_some_and(|now| now.groups.contains(&99)), "{}", sid);
                }
            }
        }
    }

    #[test]
    fn nothing_but_a_complete_listing_lets_adds_and_deletes_go_ahead(
        mut world in world(),
        missing in prop::option::of(0..PEOPLE),
    ) {
        // Either a gap that only a look-up can prove, or a total that does not add up.
        world.unlisted.extend(missing.map(|who| world.links[&value(who)].sid.0));
        world.total_is_wrong = world.plan().doubt.is_none();
        let plan = world.plan();
        for operation in plan.operations.iter().filter(|operation| operation.is_planned()) {
            prop_assert!(!matches!(operation.kind(), OperationKind::Add | OperationKind::Delete));
            prop_assert!(!operation.of_leaver);
        }
    }

    #[test]
    fn every_student_has_at_most_one_operation_of_a_kind_and_the_counts_add_up(world in world()) {
        let plan = world.plan();
        let mut seen = HashSet::new();
        for operation in &plan.operations {
            prop_assert!(seen.insert((&operation.student, operation.kind())), "{:?}", lines(&plan));
        }
        let document = PlanDocument::new(&plan, ValueDisplay::Masked);
        let counted: u64 = document.counts.values().flat_map(BTreeMap::values).sum();
        prop_assert_eq!(usize::try_from(counted).unwrap(), plan.operations.len());
        let sorted: Vec<_> = plan.operations.iter().map(|one| (one.kind(), one.student.clone())).collect();
        prop_assert!(sorted.is_sorted());
    }

    #[test]
    fn every_planned_operation_is_carried_out_by_batches_within_the_limit(
        world in world(),
        batch_size in 0_usize..6,
    ) {
        let plan = world.plan();
        let mut carried = BTreeSet::new();
        for batch in plan.waves(batch_size).into_iter().flatten() {
            prop_assert!(!batch.operations.is_empty() && batch.operations.len() <= batch_size.max(1));
            let distinct: BTreeSet<_> = batch.operations.iter().copied().collect();
            prop_assert_eq!(distinct.len(), batch.operations.len());
            carried.extend(distinct);
        }
        let wanted: BTreeSet<usize> = plan
            .operations
            .iter()
            .enumerate()
            .filter(|(_, one)| one.is_planned() && one.kind() != OperationKind::Adopt)
            .map(|(at, _)| at)
            .collect();
        prop_assert_eq!(carried, wanted);
    }

    #[test]
    fn every_operation_has_one_verdict_a_call_whatever_the_answers_say(
        world in world(),
        batch_size in 1_usize..6,
        answers in prop::collection::vec(write_answer(), 1..8),
    ) {
        let plan = world.plan();
        let mut answers = answers.iter().cycle();
        for batch in plan.waves(batch_size).into_iter().flatten() {
            let answer = answers.next().unwrap();
            let operations = batch.operations.iter().map(|at| &plan.operations[*at]);
            let sids: Vec<Sid> = operations.map(|one| addressed(one).unwrap_or(Sid(-7))).collect();
            let applied: Vec<bool> = match batch.call {
                Call::Add => {
                    let verdicts = judge_add(batch.operations.len(), answer);
                    verdicts.iter().map(|verdict| matches!(verdict, AddVerdict::Applied(_))).collect()
                }
                _ => judge_by_sid(&sids, answer).iter().map(|one| *one == Verdict::Applied).collect(),
            };
            prop_assert_eq!(applied.len(), batch.operations.len());
            // What no list of successes names is never taken for done.
            let named = answer.added.len() + answer.changed.len();
            prop_assert!(applied.iter().filter(|applied| **applied).count() <= named * sids.len());
            for (sid, applied) in sids.iter().zip(&applied).filter(|_| batch.call != Call::Add) {
                let is_named = answer.changed.contains(sid) || answer.added.iter().any(|(named, _)| named == sid);
                prop_assert!(is_named || !applied);
            }
        }
    }

    #[test]
    fn nobody_on_the_roster_is_ever_deleted_and_nobody_loses_a_group_as_a_leaver(mut world in world()) {
        for _ in 0..4 {
            world.approve();
            let plan = world.plan();
            for operation in plan.operations.iter().filter(|one| one.of_leaver || one.kind() == OperationKind::Delete) {
                let person = world.roster.get(operation.student.as_str());
                prop_assert!(person.is_none(), "{:?}", lines(&plan));
            }
            world.run(3);
        }
    }

    #[test]
    fn a_mode_that_writes_nothing_plans_nothing(mut world in world()) {
        world.policy.mode = Mode::Observe;
        prop_assert!(planned(&world.plan()).is_empty());
    }
}
