//! Groups that a plan creates: shown and guarded with it, and what becomes of their students afterwards.

use std::collections::BTreeMap;

use rosterd_core::exam_plan::{GuardedPlan, OperationState};
use rosterd_core::roster::{Gid, GroupCode, Limit, Mode};

use crate::support::*;

/// `new` and `both` have no candidate yet, `s1` and `s2` have one in `g1`; group `h1` has no gid.
fn world() -> World {
    let mut world = World::empty().with_converged([student("s1"), student("s2")]);
    world.creates_groups = true;
    world.set(student("new").in_groups(["h1"])).set(student("both").in_groups(["g1", "h1"]));
    world.set(student("s1").in_groups(["h1"])).set(student("s2").in_groups(["g1", "h1"]));
    world
}

fn creation(plan: &GuardedPlan) -> &OperationState {
    let [creation] = plan.creations.as_slice() else { panic!("one creation: {:?}", plan.creations) };
    &creation.state
}

fn after(world: &World, created: &[(&str, i64)]) -> GuardedPlan {
    let created: BTreeMap<GroupCode, Gid> =
        created.iter().map(|(code, gid)| (GroupCode::new(*code), Gid(*gid))).collect();
    world.plan().with_created_groups(&created, &world.key(), &world.holds)
}

fn wants(plan: &GuardedPlan) -> Vec<(String, u64)> {
    plan.operations.iter().map(|it| (it.student.to_string(), it.desired_hash.0)).collect()
}

#[test]
fn students_of_a_new_group_wait_for_it_in_the_same_plan() {
    let world = world();
    assert_eq!(*creation(&world.plan()), OperationState::Planned);
    assert_eq!(
        world.lines(),
        [
            "add both in 1",
            "add new in h1 (new)",
            "move both +h1 (new)",
            "move s1 to h1 (new)",
            "move s2 +h1 (new)"
        ]
    );
    assert_eq!(world.plan().waves(100).len(), 1, "only who has a group already has a call");
}

#[test]
fn the_plan_of_a_created_group_is_that_of_a_group_with_a_gid() {
    let world = world();
    let plan = after(&world, &[("h1", 70)]);
    let mut known = self::world();
    known.group_table.insert("h1".to_owned(), Some(70));
    assert_eq!((lines(&plan), wants(&plan)), (known.lines(), wants(&known.plan())));
}

#[test]
fn students_of_a_group_that_was_not_created_are_those_of_a_group_without_a_gid() {
    let world = world();
    let plan = after(&world, &[]);
    let mut without = self::world();
    without.creates_groups = false;
    assert_eq!((lines(&plan), wants(&plan)), (without.lines(), wants(&without.plan())));
}

#[test]
fn no_group_is_created_where_mode_or_listing_forbid_adds() {
    let mut observing = world();
    observing.policy.mode = Mode::Observe;
    assert!(matches!(creation(&observing.plan()), OperationState::Skipped(_)));
    let mut doubtful = world();
    doubtful.total_is_wrong = true;
    assert!(matches!(creation(&doubtful.plan()), OperationState::Skipped(_)));
    assert!(doubtful.lines().contains(&"move s1 to h1 (new) skipped: after create".to_owned()));
}

#[test]
fn no_group_is_created_while_all_its_students_are_held() {
    let mut world = World::empty().with_converged([student("s1"), student("s2")]);
    world.creates_groups = true;
    world.guard.max_delete = Limit::Count(0);
    world.vanish("s1").set(student("s1").in_groups(["h1"]));
    assert_eq!(world.lines(), ["add s1 in h1 (new) again held: vanished"]);
    assert!(matches!(creation(&world.plan()), OperationState::Skipped(_)));
    world.set(student("new").in_groups(["h1"]));
    assert_eq!(*creation(&world.plan()), OperationState::Planned);
}

#[test]
fn no_group_is_created_for_a_move_that_waits_for_a_held_add() {
    let mut world = World::empty().with_converged([student("s1"), student("s2")]);
    world.creates_groups = true;
    world.guard.max_delete = Limit::Count(0);
    world.vanish("s1").set(student("s1").in_groups(["g1", "h1"]));
    assert_eq!(world.lines()[0], "add s1 in 1 again held: vanished");
    assert!(matches!(creation(&world.plan()), OperationState::Skipped(_)), "{:?}", world.lines());
}

#[test]
fn new_groups_beyond_the_limit_are_held_with_their_students() {
    for (count, are_held) in [(5, false), (6, true)] {
        let mut world = World::empty();
        world.group_table = (0..count).map(|at| (format!("n{at}"), None)).collect();
        world.creates_groups = true;
        world.set(student("new").in_groups(["n0"]));
        let plan = world.plan();
        let held = plan.creations.iter().filter(|it| matches!(it.state, OperationState::Held(_))).count();
        assert_eq!((held > 0, plan.holds().len()), (are_held, usize::from(are_held)), "{count} groups");
        assert_eq!(world.lines()[0].contains("after create"), are_held);
    }
}

#[test]
fn an_approval_lets_those_groups_go_ahead_that_it_names_and_no_others() {
    let mut world = World::empty();
    world.group_table = (0..12).map(|at| (format!("n{at:02}"), None)).collect();
    world.creates_groups = true;
    world.set(student("new").in_groups(["n00"]));
    let held = world.plan().creations.iter().map(|it| it.desired_hash).collect::<Vec<_>>();
    for hash in &held[..4] {
        world.guard.approved.insert_group(*hash);
    }
    let plan = world.plan();
    let planned: Vec<&str> =
        plan.creations.iter().filter(|it| it.is_planned()).map(|it| it.code.as_str()).collect();
    assert_eq!(planned, ["n00", "n01", "n02", "n03"]);
}
