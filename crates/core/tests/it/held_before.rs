//! A mass once held stays held, person by person: figures that change decide about nobody.

use rosterd_core::exam_plan::{CountedWrite, LinkNote, OperationKind, OperationState};
use rosterd_core::roster::Limit;

use crate::support::*;

fn nth(at: usize) -> String {
    format!("p{at:03}")
}

/// So many converged students, the limits that are shipped, and everybody else's groups beside the point.
fn school(count: usize) -> World {
    let mut world = crowd(count);
    let limits = (Limit::Auto, Limit::Percent(30.0), Limit::Percent(30.0));
    (world.guard.max_delete, world.guard.max_modify, world.guard.max_move) = limits;
    world
}

fn states(world: &World, kind: OperationKind) -> (usize, usize) {
    let plan = world.plan();
    let of_kind = || plan.operations.iter().filter(|operation| operation.kind() == kind);
    let held = of_kind().filter(|operation| matches!(operation.state, OperationState::Held(_)));
    (of_kind().filter(|operation| operation.is_planned()).count(), held.count())
}

fn leavers(count: usize, of: usize) -> World {
    let mut world = school(of);
    (0..count).for_each(|at| {
        world.leave(&nth(at));
    });
    world
}

/// What a mass of this kind is made of, one student of it.
type Change = fn(&mut World, &str);

/// Each mass that is held by person: how it looks, how many of a hundred are too many, and one of its people.
const MASSES: [(&str, OperationKind, usize, Change); 5] = [
    ("leavers who wait", OperationKind::Delete, 21, |world, it| {
        world.leave(it);
    }),
    ("leavers whose time has come", OperationKind::Delete, 21, |world, it| {
        world.leave_for_good(it);
    }),
    ("changed values", OperationKind::Modify, 31, |world, it| {
        world.set(student(it).phone("1"));
    }),
    ("changed login values", OperationKind::Modify, 6, |world, it| {
        world.set(student(it).login(&format!("new-{it}")));
    }),
    ("moves", OperationKind::Move, 31, |world, it| {
        world.set(student(it).in_groups(["g2"]));
    }),
];

fn mass(count: usize, change: Change) -> World {
    let mut world = school(100);
    (0..count).for_each(|at| change(&mut world, &nth(at)));
    world
}

#[test]
fn who_is_left_of_a_mass_stays_held_when_others_are_back_or_mended() {
    for (what, kind, count, change) in MASSES {
        for (back, held) in [(0, count), (1, count - 1), (count - 1, 1), (count, 0)] {
            let mut world = mass(count, change);
            assert_eq!(states(&world, kind), (0, count), "{what}");
            world.remember_held();
            for at in 0..back {
                world.set(student(&nth(at)));
                world.link(&nth(at)).gone_since_ms = None;
            }
            assert_eq!(states(&world, kind).1, held, "{what}: {back} are as they were");
        }
    }
}

#[test]
fn who_is_left_of_a_mass_stays_held_when_others_are_approved() {
    for (what, kind, count, change) in MASSES {
        let mut world = mass(count, change);
        world.remember_held().approve_only(|student| student < nth(3).as_str());
        let (planned, held) = states(&world, kind);
        assert_eq!(held, count - 3, "{what}: {planned} go ahead");
    }
}

#[test]
fn who_is_left_of_a_mass_stays_held_when_what_was_approved_of_it_is_done() {
    let mut world = leavers(21, 100);
    world.remember_held().approve_only(|student| student < nth(3).as_str());
    (0..3).for_each(|at| {
        world.links.remove(&nth(at));
    });
    assert_eq!(states(&world, OperationKind::Delete), (0, 18));
}

#[test]
fn too_many_only_with_those_of_yesterday_are_no_mass() {
    let mut world = leavers(5, 100);
    world.guard.recent.record(CountedWrite::Dismissal, id("before"));
    world.guard.max_delete = Limit::Count(5);
    assert!(world.plan().held().iter().all(|hold| hold.mass.is_none()));
}

#[test]
fn a_first_contact_stays_one_when_some_are_approved_and_entered() {
    let mut world = World::empty();
    (0..12).for_each(|at| {
        world.set(student(&nth(at)));
        world.enter(candidate(&format!("139000000{at:02}")));
    });
    assert_eq!(states(&world, OperationKind::Add), (0, 12));
    world.remember_held().approve_only(|student| student < nth(3).as_str());
    world = world.with_converged((0..3).map(|at| student(&nth(at))));
    assert_eq!(states(&world, OperationKind::Add), (0, 9));
}

#[test]
fn newcomers_let_no_mass_of_leavers_go() {
    let mut world = leavers(20, 80);
    assert_eq!(states(&world, OperationKind::Delete), (0, 20), "20 of 80, the limit is 16");
    let mut forgetful = leavers(20, 80);
    world.remember_held();
    for world in [&mut world, &mut forgetful] {
        *world = world.clone().with_converged((0..20).map(|at| student(&format!("new{at:03}"))));
    }
    assert_eq!(
        states(&forgetful, OperationKind::Delete),
        (0, 0),
        "20 of 100 alone would be within the limit"
    );
    assert_eq!(states(&world, OperationKind::Delete), (0, 20));
    assert_eq!(
        world.plan().holds()[0].0.to_string(),
        "20 leavers of 80 managed candidates: more than the limit of 16 (guard.max_delete); they went missing within 24 \
         hours of one another: is the export broken? (20 are left of that, and nobody has decided about them)"
    );
}

#[test]
fn a_limit_that_is_raised_to_allow_a_mass_lets_it_go() {
    for (raised, held) in [(20, 21), (21, 0)] {
        let mut world = leavers(21, 100);
        world.remember_held();
        world.guard.max_delete = Limit::Count(raised);
        assert_eq!(states(&world, OperationKind::Delete).1, held, "a limit of {raised}");
    }
}

#[test]
fn another_value_in_another_cell_lets_nobody_of_a_mass_go() {
    let mut world = mass(31, |world, it| {
        world.set(student(it).phone("1"));
    });
    world.remember_held();
    world.set(student("p000").phone("1").name("another"));
    assert_eq!(states(&world, OperationKind::Modify), (0, 31));
    world.set(student("p000").in_groups(["g2"]));
    assert_eq!(states(&world, OperationKind::Move), (1, 0), "that is no part of it");
    (0..31).for_each(|at| {
        world.set(student(&nth(at)));
    });
    world.set(student("p000").phone("2"));
    assert_eq!(states(&world, OperationKind::Modify), (0, 1), "nobody has said that it is right now");
}

#[test]
fn a_mass_that_has_grown_is_held_by_its_figures_of_today() {
    let mut world = leavers(21, 100);
    world.remember_held();
    (30..40).for_each(|at| {
        world.leave(&nth(at));
    });
    let plan = world.plan();
    let holds = plan.holds();
    assert_eq!(holds.len(), 1, "{holds:?}");
    assert!(holds[0].0.to_string().starts_with("31 leavers of 100"), "{holds:?}");
}

#[test]
fn what_is_left_of_a_mass_keeps_the_word_of_its_limit_and_its_figures() {
    let mut world = leavers(22, 100);
    world.remember_held().approve_only(|student| student == "p000");
    let held = world.plan().held();
    let [hold] = held.as_slice() else { panic!("{held:?}") };
    assert_eq!((hold.reason, hold.word, hold.count, hold.limit), ("missing", None, Some(21), Some(20)));
    world.approve_only(|student| student < nth(5).as_str());
    let held = world.plan().held();
    let [hold] = held.as_slice() else { panic!("{held:?}") };
    assert_eq!((hold.reason, hold.word, hold.count, hold.limit), ("missing", None, Some(22), Some(20)));
    assert_eq!((hold.mass.expect("figures").total, hold.operations.len()), (100, 17));
}

/// So many candidates that were deleted and are there again under another sid, three of them with another phone.
fn entered_anew(count: usize) -> World {
    let mut world = school(100);
    for at in 0..count {
        world.vanish(&nth(at));
        world.enter(candidate(&nth(at)));
        world.verified.insert(world.sid(&nth(at)));
    }
    world
}

#[test]
fn what_follows_a_take_over_that_stays_held_waits_with_it() {
    let mut world = entered_anew(21);
    for at in 1..4 {
        world.set(student(&nth(at)).phone("1"));
    }
    assert_eq!(states(&world, OperationKind::Adopt), (0, 21));
    world.remember_held().approve_only(|student| student == "p000");
    assert_eq!(states(&world, OperationKind::Adopt), (1, 20), "one was approved by name");
    assert_eq!(states(&world, OperationKind::Modify).0, 0, "nothing is sent to a candidate that is held");
}

#[test]
fn links_of_leavers_stay_when_newcomers_have_raised_the_number_that_they_are_measured_against() {
    let closed =
        |world: &World| world.plan().notes.iter().filter(|note| matches!(note, LinkNote::Close(_))).count();
    let mut world = school(100);
    world.guard.max_delete = Limit::Percent(20.0);
    for at in 0..21 {
        world.leave(&nth(at)).vanish(&nth(at));
    }
    assert_eq!((closed(&world), states(&world, OperationKind::Delete)), (0, (0, 21)));
    world.remember_held();
    world = world.with_converged((0..30).map(|at| student(&format!("q{at:03}"))));
    assert_eq!((closed(&world), states(&world, OperationKind::Delete)), (0, (0, 21)), "nobody decided");
    world.approve();
    assert_eq!(closed(&world), 21);
}
