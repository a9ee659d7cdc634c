//! Plans into calls: nothing lost, nothing twice, no call too many, nobody ever without a group.

use std::collections::BTreeMap;

use rosterd_core::exam_plan::{Call, GroupAction, OperationKind};
use rosterd_core::roster::Gid;

use crate::support::*;

fn sizes(world: &World, batch_size: usize) -> Vec<Vec<(Call, usize)>> {
    let stages = world.plan().waves(batch_size);
    stages
        .into_iter()
        .map(|stage| stage.into_iter().map(|batch| (batch.call, batch.operations.len())).collect())
        .collect()
}

fn group(action: GroupAction, gids: &[i64]) -> Call {
    Call::Group(action, gids.iter().copied().map(Gid).collect())
}

/// The goal's run: 37 adds, 50 modifies, 20 deletes and 30 moves into 3 groups.
fn busy_day() -> World {
    let mut world = crowd(200);
    for at in 0..50 {
        world.set(student(&format!("p{at:03}")).phone("1"));
    }
    for (at, group) in (50..80).zip(["g2", "g3", "g4"].into_iter().cycle()) {
        world.set(student(&format!("p{at:03}")).in_groups([group]));
    }
    for at in 80..100 {
        world.leave_for_good(&format!("p{at:03}"));
    }
    for at in 0..37 {
        world.set(student(&format!("new{at}")));
    }
    world
}

#[test]
fn a_busy_day_takes_as_many_calls_as_it_must_and_no_more() {
    let world = busy_day();
    assert_eq!(
        sizes(&world, 100),
        [
            vec![(Call::Change, 50)],
            vec![(Call::Add, 37)],
            [2, 3, 4].map(|gid| (group(GroupAction::MoveTo, &[gid]), 10)).to_vec(),
            vec![(Call::Delete, 20)],
        ]
    );
    assert_eq!(world.needs().sids.len(), 50, "whose groups change, and who is deleted");
    assert!(world.needs().logins.is_empty());
}

#[test]
fn batches_are_full_up_to_the_limit_and_none_is_larger() {
    for (size, expected) in
        [(49, vec![49, 1]), (50, vec![50]), (51, vec![50]), (1, vec![1; 50]), (0, vec![1; 50])]
    {
        let stages = busy_day().plan().waves(size);
        let counts: Vec<usize> = stages[0].iter().map(|batch| batch.operations.len()).collect();
        assert_eq!(counts, expected, "at most {size}");
    }
}

#[test]
fn batches_concatenate_to_what_is_planned_of_each_kind() {
    let world = busy_day();
    let plan = world.plan();
    let mut by_call: BTreeMap<OperationKind, Vec<usize>> = BTreeMap::new();
    for batch in plan.waves(7).into_iter().flatten() {
        for at in batch.operations {
            by_call.entry(plan.operations[at].kind()).or_default().push(at);
        }
    }
    let mut all: Vec<usize> = by_call
        .into_values()
        .flat_map(|mut positions| {
            positions.sort_unstable();
            positions
        })
        .collect();
    all.sort_unstable();
    let planned: Vec<usize> =
        (0..plan.operations.len()).filter(|at| plan.operations[*at].is_planned()).collect();
    assert_eq!(all, planned);
}

#[test]
fn what_is_not_planned_is_in_no_batch() {
    let mut world = busy_day();
    world.guard.max_delete = rosterd_core::roster::Limit::Count(0);
    world.guard.max_modify = rosterd_core::roster::Limit::Count(0);
    let calls: Vec<Call> = sizes(&world, 100).into_iter().flatten().map(|(call, _)| call).collect();
    assert!(!calls.contains(&Call::Change) && !calls.contains(&Call::Delete));
    assert_eq!(calls.len(), 4);
}

#[test]
fn a_converged_pair_has_no_stage_at_all() {
    assert!(crowd(3).plan().waves(100).is_empty());
}

#[test]
fn modifies_go_before_adds_adds_before_moves_and_deletes_last() {
    let mut world = converged(["s1", "s2", "s3", "s4"].map(student));
    world.set(student("s1").phone("1")).set(student("s2").in_groups(["g2"])).leave_for_good("s3");
    world.set(student("s5").in_groups(["g1", "g2"]));
    let calls: Vec<Call> = sizes(&world, 100).into_iter().flatten().map(|(call, _)| call).collect();
    assert_eq!(
        calls,
        [
            Call::Change,
            Call::Add,
            group(GroupAction::MoveTo, &[2]),
            group(GroupAction::AddTo, &[2]),
            Call::Delete
        ]
    );
}

#[test]
fn a_candidate_is_put_into_the_missing_groups_before_it_is_taken_out_of_the_surplus() {
    let mut world = converged([student("s1"), student("s2")]);
    world.set(student("s1").in_groups(["g2", "g3"]));
    assert_eq!(
        sizes(&world, 100),
        [vec![(group(GroupAction::AddTo, &[2, 3]), 1)], vec![(group(GroupAction::DeleteFrom, &[1]), 1)]]
    );
}

#[test]
fn candidates_with_equal_needs_share_a_call() {
    let mut world = crowd(10);
    for at in 0..6 {
        world.set(student(&format!("p{at:03}")).in_groups(["g1", "g2", "g3"]));
    }
    assert_eq!(sizes(&world, 100), [vec![(group(GroupAction::AddTo, &[2, 3]), 6)]]);
}

#[test]
fn where_needs_differ_each_group_has_its_own_call_if_that_takes_fewer() {
    let mut world = crowd(8);
    let needs = [["g2", "g3"], ["g2", "g4"], ["g3", "g4"]];
    for (at, [one, two]) in needs.into_iter().enumerate() {
        world.set(student(&format!("p{at:03}")).in_groups(["g1", one, two]));
    }
    world.set(student("p003").in_groups(["g1", "g2"])).set(student("p004").in_groups(["g1", "g3"]));
    let expected = [(2, 3), (3, 3), (4, 2)];
    let calls = expected.map(|(gid, members)| (group(GroupAction::AddTo, &[gid]), members)).to_vec();
    assert_eq!(sizes(&world, 100), [calls]);
}

#[test]
fn no_operation_is_twice_in_one_batch() {
    for batch in busy_day().plan().waves(9).into_iter().flatten() {
        let mut positions = batch.operations.clone();
        positions.sort_unstable();
        positions.dedup();
        assert_eq!(positions.len(), batch.operations.len());
    }
}

#[test]
fn the_rename_that_frees_a_login_value_goes_before_the_one_that_takes_it() {
    let mut world = converged([student("s1"), student("s2"), student("s3")]);
    world.set(student("s1").login("s2")).set(student("s2").login("s3")).set(student("s3").login("x"));
    let stages = world.plan().waves(100);
    let order: Vec<Vec<usize>> = stages.into_iter().flatten().map(|batch| batch.operations).collect();
    assert_eq!(order, [[2], [1], [0]]);
}

#[test]
fn a_circle_of_renames_is_opened_by_one_temporary_value() {
    let mut world = converged([student("s1"), student("s2"), student("s3")]);
    world.set(student("s1").login("s2")).set(student("s2").login("s3")).set(student("s3").login("s1"));
    let give_way: Vec<usize> = world
        .plan()
        .waves(100)
        .into_iter()
        .flatten()
        .filter(|batch| batch.call == Call::GiveWay)
        .flat_map(|batch| batch.operations)
        .collect();
    assert_eq!(give_way, [0]);
    let (_, violations) = world.run(100);
    assert!(violations.is_empty(), "{violations:?}");
    assert!(world.plan().is_empty());
}

#[test]
fn several_circles_and_chains_are_opened_together() {
    let mut world = converged(["a", "b", "c", "d", "e", "f", "g"].map(student));
    let wants = [("a", "b"), ("b", "a"), ("c", "d"), ("d", "e"), ("e", "c"), ("f", "g"), ("g", "x")];
    for (who, value) in wants {
        world.set(student(who).login(value));
    }
    world.approve();
    assert_eq!(sizes(&world, 100)[0], [(Call::GiveWay, 2)]);
    for size in [1, 2, 100] {
        let mut world = world.clone();
        let (_, violations) = world.run(size);
        assert!(violations.is_empty(), "{violations:?}");
        assert!(world.plan().is_empty(), "{size:?}");
    }
}
