//! What a person decided holds in every world: who is to stay stays, and nothing is done to a leaver about whom somebody
//! has to be asked, unless just that was held and approved.

use std::collections::BTreeSet;

use proptest::prelude::*;
use rosterd_core::exam_plan::{GuardedPlan, HoldReason, Operation, OperationState, PersonDoubt};
use rosterd_core::roster::Gid;

use super::{Event, config, event, on_the_exam_side, on_the_roster, value, world};
use crate::support::*;

/// Leavers about whom a person is asked in this plan.
fn asked(plan: &GuardedPlan) -> BTreeSet<String> {
    let is_asked = |operation: &&Operation| {
        operation.of_leaver
            && matches!(&operation.state, OperationState::Held(reason) if reason.named().is_some())
    };
    plan.operations.iter().filter(is_asked).map(|operation| operation.student.to_string()).collect()
}

/// What the world itself says has to be asked before anything is done to this leaver, apart from how plans are made.
fn doubts(world: &World, student: &str) -> Vec<HoldReason> {
    let Some(candidate) = world.candidates.get(&world.sid(student)) else { return Vec::new() };
    let wants = |person: &&Person| {
        let is_new_to_them =
            world.links.get(&person.id).is_none_or(|link| link.login.as_str() != person.login);
        person.active && person.login == candidate.login && is_new_to_them
    };
    let wanted = world.roster.values().filter(wants).map(|person| {
        let has_candidate = world.links.contains_key(&person.id);
        let (leaver, by) = (id(student), id(&person.id));
        HoldReason::SamePerson(PersonDoubt::LoginWanted { leaver, by, has_candidate })
    });
    let foreign: BTreeSet<Gid> = candidate.groups.iter().filter(|gid| **gid > 9).copied().map(Gid).collect();
    let foreign = (!foreign.is_empty() && !world.policy.shared).then_some(HoldReason::ForeignGroup(foreign));
    wanted.chain(foreign).collect()
}

/// Events that find everybody's candidate where it is, whoever has been dismissed by then.
fn leaves_candidates_there(event: &Event) -> bool {
    !matches!(event, Event::Vanish(_) | Event::Replace(_) | Event::LeaveForGood(_) | Event::ForgetGroups(_))
}

fn happen(world: &mut World, events: &[Event]) {
    for event in events {
        on_the_roster(world, event);
        on_the_exam_side(world, event);
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn who_was_ignored_is_never_dismissed(
        mut world in world(),
        shared in any::<bool>(),
        later in prop::collection::vec(event(), 0..8),
        clocks_differ in any::<bool>(),
    ) {
        world.policy.shared = shared;
        world.run(3);
        world.now_ms += 80 * HOUR;
        world.run(3);
        let kept = asked(&world.plan());
        world.ignore();
        let there: BTreeSet<String> = kept.iter().filter(|student| world.links.contains_key(*student)).cloned().collect();
        // What others do by hand is theirs; what we do is the question.
        let later: Vec<Event> = later.into_iter().filter(leaves_candidates_there).collect();
        happen(&mut world, &later);
        world.clocks_differ = clocks_differ;
        for _ in 0..4 {
            world.approve();
            let (plan, _) = world.run(3);
            for operation in plan.operations.iter().filter(|it| it.of_leaver && it.is_planned()) {
                prop_assert!(!there.contains(operation.student.as_str()), "{:?}", lines(&plan));
            }
            for student in &there {
                prop_assert!(world.candidates.contains_key(&world.sid(student)), "{}", student);
            }
            world.clocks_differ = false;
            world.now_ms += 30 * HOUR;
        }
    }

    #[test]
    fn nothing_is_done_to_a_leaver_but_what_was_held_and_approved_for_each_reason_that_stands(
        mut world in world(),
        shared in any::<bool>(),
        later in prop::collection::vec(event(), 0..5),
    ) {
        world.policy.shared = shared;
        for _ in 0..3 {
            world.approve();
        }
        happen(&mut world, &later);
        for _ in 0..3 {
            let plan = world.plan();
            for operation in plan.operations.iter().filter(|it| it.of_leaver && it.is_planned()) {
                for reason in doubts(&world, operation.student.as_str()) {
                    let named = reason.named().unwrap();
                    let (student, kind) = (&operation.student, operation.kind());
                    let is_approved = world.guard.approved.names(student, kind, operation.desired_hash, named);
                    prop_assert!(is_approved, "{} of {}: {}", kind, student, reason);
                }
            }
            world.run(3);
            world.now_ms += 30 * HOUR;
        }
    }
}

#[test]
fn a_leaver_in_a_foreign_group_has_to_be_asked_about() {
    let mut world = converged([student("s0"), student("s1")]);
    world.of("s0").groups.insert(99);
    world.leave_for_good("s0").set(student("new").login(&value(0)));
    assert_eq!(doubts(&world, "s0").len(), 2);
}
