//! Leavers judged while they wait: a mass is held in the run that first sees it, what nobody could call one goes on.

use rosterd_core::exam_plan::{Excess, HoldReason, OperationKind, OperationState};
use rosterd_core::roster::{Leavers, Limit, Mode};

use crate::support::*;

const DAY: i64 = 24 * HOUR;

/// A hundred converged students and the limit that is shipped: twenty.
fn school() -> World {
    let mut world = crowd(100);
    world.guard.max_delete = Limit::Auto;
    world
}

fn nth(at: usize) -> String {
    format!("p{at:03}")
}

fn leave(world: &mut World, students: std::ops::Range<usize>) {
    students.for_each(|at| {
        world.leave(&nth(at));
    });
}

fn states(world: &World, kind: OperationKind) -> (usize, usize) {
    let plan = world.plan();
    let of_kind = || plan.operations.iter().filter(|operation| operation.kind() == kind);
    let held = of_kind().filter(|operation| matches!(operation.state, OperationState::Held(_)));
    (of_kind().filter(|operation| operation.is_planned()).count(), held.count())
}

fn deletes(world: &World) -> (usize, usize) {
    states(world, OperationKind::Delete)
}

#[test]
fn a_mass_of_leavers_is_held_in_the_run_that_first_sees_it() {
    for (leavers, held) in [(19, 0), (20, 0), (21, 21), (60, 60)] {
        let mut world = school();
        leave(&mut world, 0..leavers);
        assert_eq!(deletes(&world), (0, held), "{leavers} of 100");
    }
}

#[test]
fn the_hold_names_how_many_went_missing_and_what_is_allowed() {
    let mut world = school();
    leave(&mut world, 0..21);
    let plan = world.plan();
    let excess = Excess { count: 21, recent: 0, total: 100, limit: 20 };
    assert_eq!(plan.operations[0].state, OperationState::Held(HoldReason::TooManyMissing(excess)));
    assert_eq!(
        HoldReason::TooManyMissing(excess).to_string(),
        "21 leavers of 100 managed candidates: more than the limit of 20 (guard.max_delete); they went missing \
         within 24 hours of one another: is the export broken?"
    );
    let holds = plan.holds();
    assert_eq!(holds[0].1.iter().map(|(gid, count)| (gid.0, *count)).collect::<Vec<_>>(), [(1, 21)]);
}

#[test]
fn a_mass_stays_held_in_every_run_until_its_grace_has_ended_and_after() {
    let mut world = school();
    leave(&mut world, 0..21);
    for hours in [0, 1, 23, 30, 70, 100, 500] {
        world.run(100);
        world.now_ms += hours * HOUR;
        assert_eq!(deletes(&world), (0, 21), "{hours} hours later");
    }
    assert_eq!(world.candidates.len(), 100);
}

#[test]
fn a_mass_that_goes_missing_in_slices_within_a_day_is_one() {
    let mut world = school();
    for slice in 0..3 {
        leave(&mut world, slice * 7..slice * 7 + 7);
        assert_eq!(deletes(&world), (0, if slice == 2 { 21 } else { 0 }), "slice {slice}");
        world.run(100);
        world.now_ms += 10 * HOUR;
    }
}

#[test]
fn as_many_as_the_limit_allows_may_leave_day_by_day() {
    let mut world = school();
    for day in 0..5 {
        leave(&mut world, day * 8..day * 8 + 8);
        assert_eq!(deletes(&world).1, 0, "day {day}");
        world.run(100);
        world.now_ms += DAY;
    }
}

#[test]
fn who_left_at_another_time_goes_on_while_a_mass_waits() {
    let mut world = school();
    leave(&mut world, 90..92);
    world.run(100);
    world.now_ms += 2 * DAY;
    leave(&mut world, 0..30);
    world.run(100);
    world.now_ms += 2 * DAY;
    assert_eq!(deletes(&world), (2, 30), "{:?}", world.lines());
}

#[test]
fn a_mass_that_is_partly_back_is_none_any_more() {
    let mut world = school();
    leave(&mut world, 0..40);
    world.run(100);
    (0..23).for_each(|at| {
        world.set(student(&nth(at)));
    });
    assert_eq!(deletes(&world), (0, 0));
}

#[test]
fn an_approval_of_a_waiting_mass_holds_until_its_time_has_come() {
    let mut world = school();
    leave(&mut world, 0..21);
    world.approve();
    assert!(world.lines().is_empty(), "they wait as any leaver does: {:?}", world.lines());
    assert_eq!(world.plan().totals.leavers_waiting, 21);
    world.run(100);
    world.now_ms += 3 * DAY;
    assert_eq!(deletes(&world), (21, 0));
    leave(&mut world, 30..50);
    assert_eq!(deletes(&world), (21, 20), "those who came later wait for their own");
}

#[test]
fn leavers_who_are_to_be_moved_are_judged_alike_and_those_who_are_kept_are_not() {
    for (leavers, held) in [(Leavers::MoveTo(77), 21), (Leavers::Keep, 0)] {
        let mut world = school();
        world.policy.leavers = leavers;
        leave(&mut world, 0..21);
        assert_eq!(states(&world, OperationKind::Move), (0, held), "{leavers:?}");
        assert_eq!(deletes(&world), (0, 0));
    }
}

#[test]
fn leavers_who_were_moved_long_ago_belong_to_no_mass() {
    let mut world = school();
    world.policy.leavers = Leavers::MoveTo(77);
    leave(&mut world, 0..30);
    world.approve();
    world.run(100);
    world.now_ms += 3 * DAY;
    world.run(100);
    assert_eq!(states(&world, OperationKind::Move), (0, 0), "{:?}", world.lines());
}

#[test]
fn a_mode_that_deletes_nobody_holds_no_leaver() {
    for mode in [Mode::Observe, Mode::CreateOnly, Mode::Upsert] {
        let mut world = school();
        world.policy.mode = mode;
        leave(&mut world, 0..60);
        assert_eq!(deletes(&world), (0, 0), "{mode:?}");
        assert_eq!(world.plan().totals.leavers_waiting, 60);
    }
}

#[test]
fn the_hold_does_not_depend_on_the_order_in_which_leavers_are_met() {
    let mut world = school();
    leave(&mut world, 0..30);
    let lines = world.lines();
    world.cases_backwards = true;
    world.listed_backwards = true;
    assert_eq!(world.lines(), lines);
}

#[test]
fn what_the_approval_of_a_waiting_leaver_wants_is_what_the_delete_wants() {
    for groups in [Some([1].into()), None] {
        let mut world = school();
        leave(&mut world, 0..21);
        for at in 0..21 {
            world.link(&nth(at)).groups = groups.clone().map(|held| gids(&held));
        }
        let waiting: Vec<_> = world.plan().operations.iter().map(|it| it.desired_hash).collect();
        world.run(100);
        world.now_ms += 4 * DAY;
        let due: Vec<_> = world.plan().operations.iter().map(|it| it.desired_hash).collect();
        assert_eq!(waiting, due);
    }
}
