//! The auditor finds what is planted, and finds nothing in what planner and guard make.

use rosterd_core::exam_plan::audit::{MissingProof, Violation};
use rosterd_core::exam_plan::{
    Call, Change, CountedWrite, OperationKind, OperationState, Plan, SkipReason, Wave,
};
use rosterd_core::roster::{Gid, Limit};

use crate::support::{World, candidate, converged, crowd, id, student};

/// A plan with one operation of every kind but adoptions: `new` is entered and moved, `gone` deleted, `one` and `two`
/// swap their login values, `moved` and `along` change groups in one call.
fn world() -> World {
    let mut world = converged(["one", "two", "moved", "along", "gone", "stays"].map(student));
    world.set(student("one").login("two")).set(student("two").login("one"));
    world.set(student("moved").in_groups(["g2"])).set(student("along").in_groups(["g2"]));
    world.set(student("new").in_groups(["g1", "g3"]));
    world.leave_for_good("gone");
    world
}

/// What is wrong once a plan, or the calls made of it, are tampered with.
fn planted(tamper: impl FnOnce(&mut Plan, &mut Vec<Wave>)) -> Vec<Violation> {
    let world = world();
    let mut plan = world.unguarded();
    let mut waves = world.guard.judge(world.unguarded()).waves(100);
    tamper(&mut plan, &mut waves);
    world.violations_of(&plan, &waves, 100)
}

fn position(plan: &Plan, kind: OperationKind, student: &str) -> usize {
    let found = plan.operations.iter().position(|it| it.kind() == kind && it.student == id(student));
    found.unwrap_or_else(|| panic!("no {kind} of {student}"))
}

fn wave_of(waves: &[Wave], call: &Call) -> usize {
    waves
        .iter()
        .position(|wave| wave.iter().any(|batch| batch.call == *call))
        .unwrap_or_else(|| panic!("no {call:?}"))
}

#[test]
fn a_plan_of_every_kind_of_operation_passes_the_audit() {
    assert_eq!(planted(|_, _| {}), []);
}

#[test]
fn an_operation_that_stands_twice_is_found() {
    let found = planted(|plan, waves| {
        let at = position(plan, OperationKind::Delete, "gone");
        plan.operations.push(plan.operations[at].clone());
        let last = plan.operations.len() - 1;
        waves.last_mut().unwrap()[0].operations.push(last);
    });
    assert_eq!(found, [Violation::Repeated { student: id("gone"), kind: OperationKind::Delete }]);
}

#[test]
fn operations_out_of_order_are_found() {
    let found = planted(|plan, waves| {
        plan.operations.reverse();
        let last = plan.operations.len() - 1;
        waves.iter_mut().flatten().flat_map(|batch| &mut batch.operations).for_each(|at| *at = last - *at);
    });
    assert!(found.iter().any(|it| matches!(it, Violation::Unsorted { .. })), "{found:?}");
    assert!(found.iter().all(|it| matches!(it, Violation::Unsorted { .. })), "{found:?}");
}

#[test]
fn a_delete_beside_an_add_of_the_same_student_is_found() {
    let found = planted(|plan, _| {
        let at = position(plan, OperationKind::Add, "new");
        plan.operations[at].student = id("gone");
    });
    let (one, other) = (OperationKind::Add, OperationKind::Delete);
    assert!(found.contains(&Violation::Opposed { student: id("gone"), one, other }), "{found:?}");
}

#[test]
fn two_students_who_write_to_one_candidate_are_found() {
    let mut sid = None;
    let found = planted(|plan, _| {
        let one = position(plan, OperationKind::Modify, "one");
        let Change::Modify(taken) = plan.operations[one].change.clone() else { panic!("a modify") };
        let two = position(plan, OperationKind::Modify, "two");
        let Change::Modify(change) = &mut plan.operations[two].change else { panic!("a modify") };
        change.sid = taken.sid;
        sid = Some(taken.sid);
    });
    let shared = Violation::SharedCandidate { sid: sid.unwrap(), one: id("one"), other: id("two") };
    assert_eq!(found, [shared]);
}

#[test]
fn two_students_who_get_one_login_value_are_found() {
    let found = planted(|plan, _| {
        let add = position(plan, OperationKind::Add, "new");
        let Change::Add(addition) = &mut plan.operations[add].change else { panic!("an add") };
        addition.login = crate::support::login("two");
    });
    assert_eq!(found, [Violation::SharedLogin { one: id("one"), other: id("new") }]);
}

#[test]
fn a_call_above_its_limit_is_found() {
    let world = world();
    let plan = world.plan();
    let waves = plan.waves(100);
    let found = world.violations_of(&plan, &waves, 1);
    assert_eq!(found, [Violation::BatchSize { size: 2, limit: 1 }]);
}

#[test]
fn a_call_for_nobody_is_found() {
    let found = planted(|_, waves| waves.last_mut().unwrap()[0].operations.clear());
    assert!(found.contains(&Violation::BatchSize { size: 0, limit: 100 }), "{found:?}");
}

#[test]
fn a_call_that_names_no_operation_of_the_plan_is_found() {
    let found = planted(|_, waves| waves.last_mut().unwrap()[0].operations.push(99));
    assert_eq!(found, [Violation::Misplaced { position: 99 }]);
}

#[test]
fn an_operation_in_a_call_of_another_kind_is_found() {
    let mut add = 0;
    let found = planted(|plan, waves| {
        add = position(plan, OperationKind::Add, "new");
        waves.last_mut().unwrap()[0].operations.push(add);
    });
    assert!(found.contains(&Violation::Misplaced { position: add }), "{found:?}");
}

#[test]
fn a_held_or_skipped_operation_in_a_call_is_found() {
    let found = planted(|plan, _| {
        let at = position(plan, OperationKind::Delete, "gone");
        plan.operations[at].state = OperationState::Skipped(SkipReason::DeadLetter);
    });
    assert_eq!(found, [Violation::Unapproved { student: id("gone"), kind: OperationKind::Delete }]);
}

#[test]
fn what_may_go_ahead_and_is_in_no_call_is_found() {
    let found = planted(|_, waves| drop(waves.pop()));
    let (student, kind) = (id("gone"), OperationKind::Delete);
    assert_eq!(found, [Violation::Sent { student, kind, times: 0 }]);
}

#[test]
fn what_is_in_two_calls_is_found() {
    let found = planted(|_, waves| waves.push(waves.last().unwrap().clone()));
    let (student, kind) = (id("gone"), OperationKind::Delete);
    assert_eq!(found, [Violation::Sent { student, kind, times: 2 }]);
}

#[test]
fn a_move_sent_before_its_add_is_found() {
    let found = planted(|_, waves| {
        let add = wave_of(waves, &Call::Add);
        let wave = waves.remove(add);
        waves.push(wave);
    });
    assert_eq!(found, [Violation::TooEarly { student: id("new"), kind: OperationKind::Move }]);
}

#[test]
fn a_login_value_taken_before_it_is_given_up_is_found() {
    let found = planted(|_, waves| drop(waves.remove(wave_of(waves, &Call::GiveWay))));
    assert!(
        found.iter().any(|it| matches!(it, Violation::TooEarly { kind: OperationKind::Modify, .. })),
        "{found:?}"
    );
}

#[test]
fn a_delete_without_its_proof_is_found() {
    let unproven = |lacks| Violation::Unproven { student: id("gone"), kind: OperationKind::Delete, lacks };
    let seen_once = |tamper: fn(&mut World)| {
        let mut world = world();
        let plan = world.plan();
        tamper(&mut world);
        world.violations_of(&plan, &plan.waves(100), 100)
    };
    let too_soon =
        seen_once(|world| world.link("gone").gone_since_ms = Some(world.now_ms - crate::support::HOUR));
    assert_eq!(too_soon, [unproven(MissingProof::Grace)], "grace");
    let unseen = seen_once(|world| world.link("gone").gone_runs = 0);
    assert_eq!(unseen, [unproven(MissingProof::EarlierRun)], "earlier run");
    let doubtful = planted(|plan, _| {
        let mut other = world();
        other.total_is_wrong = true;
        plan.doubt = other.unguarded().doubt;
    });
    assert_eq!(doubtful, [unproven(MissingProof::Certificate)], "certificate");
}

/// A hundred students, limits as they are shipped, and a plan whose guard let everything go.
fn unheld(change: impl FnOnce(&mut World)) -> Vec<Violation> {
    let mut world = crowd(100);
    (world.guard.max_delete, world.guard.max_modify) = (Limit::Auto, Limit::Percent(30.0));
    (world.guard.max_move, world.guard.max_group) = (Limit::Percent(30.0), Limit::Percent(50.0));
    change(&mut world);
    let found = world.violations_of(&world.unguarded(), &[], 100).into_iter();
    found.filter(|it| !matches!(it, Violation::Sent { .. })).collect()
}

/// The same, with a change of the first so many students.
fn unheld_of(count: usize, change: impl Fn(&mut World, &str)) -> Vec<Violation> {
    unheld(|world| (0..count).for_each(|at| change(world, &format!("p{at:03}"))))
}

fn above(write: CountedWrite, people: u64, allowed: u64) -> Violation {
    Violation::AboveLimit { write, people, allowed }
}

#[test]
fn more_people_than_a_limit_allows_are_found() {
    let leaving = unheld_of(21, |world, who| {
        world.leave_for_good(who);
    });
    assert_eq!(leaving, [above(CountedWrite::Dismissal, 21, 20)]);
    let modified = unheld_of(16, |world, who| {
        world.set(student(who).phone("1"));
        world.guard.recent.record(CountedWrite::Modify, id(&format!("before {who}")));
    });
    assert_eq!(modified, [above(CountedWrite::Modify, 32, 30)]);
    let renamed = unheld_of(6, |world, who| {
        world.set(student(who).login(&format!("new {who}")));
    });
    assert_eq!(renamed, [above(CountedWrite::LoginChange, 6, 5)]);
    let vanished = unheld_of(21, |world, who| {
        world.vanish(who);
    });
    assert_eq!(vanished, [above(CountedWrite::Vanished, 21, 20)]);
}

#[test]
fn more_people_than_may_leave_groups_are_found() {
    let moved = unheld_of(51, |world, who| {
        world.set(student(who).in_groups(["g2"]));
    });
    let shrinks = Violation::GroupShrinks { gid: Gid(1), people: 51, allowed: 50 };
    assert_eq!(moved, [above(CountedWrite::Move, 51, 30), shrinks]);
}

#[test]
fn students_who_are_entered_among_strangers_are_found() {
    let found = unheld(|world| {
        *world = World::empty();
        for at in 0..12 {
            world.set(student(&format!("n{at}")));
            world.enter(candidate(&format!("x{at}")));
        }
    });
    assert_eq!(found, [Violation::AmongStrangers { adds: 12 }]);
}
