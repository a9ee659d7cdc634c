//! Students whose ids and login values changed on one day: they are not entered beside the leavers that they were.

use rosterd_core::exam_plan::{HoldReason, OperationKind, OperationState};
use rosterd_core::roster::{Leavers, Limit, Mode};

use crate::support::*;

/// So many converged students and the limit that is shipped.
fn school(count: usize) -> World {
    let mut world = crowd(count);
    world.guard.max_delete = Limit::Auto;
    world
}

/// These students have another id and a login value that is written otherwise from now on.
fn renumber(world: &mut World, students: std::ops::Range<usize>) {
    for at in students {
        let person = world.roster.get(&format!("p{at:03}")).cloned();
        let Some(person) = person else { panic!("nobody has number {at}") };
        world.leave(&person.id);
        let (id, login) = (format!("2027{at:03}"), format!("+86{}", person.login));
        world.set(Person { id, login, ..person });
    }
}

/// So many people leave, the last ones first, and so many come whom nobody knows.
fn graduate(world: &mut World, leavers: std::ops::Range<usize>, newcomers: usize) {
    leavers.for_each(|at| {
        world.leave(&format!("p{at:03}"));
    });
    (0..newcomers).for_each(|at| {
        world.set(student(&format!("n{at:03}")));
    });
}

/// How many adds are planned, and how many are held.
fn adds(world: &World) -> (usize, usize) {
    let plan = world.plan();
    let adds = || plan.operations.iter().filter(|operation| operation.kind() == OperationKind::Add);
    let held =
        adds().filter(|operation| matches!(operation.state, OperationState::Held(HoldReason::Renumbered(_))));
    (adds().filter(|operation| operation.is_planned()).count(), held.count())
}

#[test]
fn a_school_with_new_ids_and_other_login_values_is_not_entered_twice() {
    let mut world = school(100);
    renumber(&mut world, 0..100);
    assert_eq!(adds(&world), (0, 100));
    let said: Vec<String> = world.plan().holds().iter().map(|(reason, _)| reason.to_string()).collect();
    let said = said.join("\n");
    assert!(
        said.contains("100 of 100 newcomers have the name and phone of students who have left"),
        "{said}"
    );
    assert!(said.contains("100 of 100 leavers are probably on the roster under another id"), "{said}");
    assert_eq!(said.matches("rosterd relink --suggested").count(), 2, "{said}");
}

#[test]
fn a_real_intake_beside_a_graduation_is_entered() {
    let rows = [
        ("an intake as large as the graduation", 66..100, 34, (34, 0)),
        ("hardly an intake", 66..100, 3, (3, 0)),
        ("an intake three times as large", 66..100, 100, (100, 0)),
    ];
    for (what, leavers, newcomers, expected) in rows {
        let mut world = school(100);
        graduate(&mut world, leavers, newcomers);
        assert_eq!(adds(&world), expected, "{what}");
    }
}

#[test]
fn namesakes_of_a_few_leavers_hold_no_intake() {
    let mut world = school(100);
    graduate(&mut world, 66..100, 34);
    for at in 0..11 {
        let namesake = format!("name of p{:03}", 66 + at);
        world.set(student(&format!("n{at:03}")).name(&namesake));
    }
    assert_eq!(adds(&world), (34, 0), "11 of 34 are fewer than a third");
}

#[test]
fn new_ids_beside_a_graduation_and_an_intake_are_found_all_the_same() {
    let mut world = school(90);
    renumber(&mut world, 0..60);
    graduate(&mut world, 60..90, 30);
    assert_eq!(adds(&world), (0, 90));
}

#[test]
fn what_everybody_shares_makes_nobody_look_renumbered() {
    let mut world = school(100);
    for at in 66..100 {
        let fingerprints = world.link(&format!("p{at:03}")).confirmed.clone();
        assert!(fingerprints.len() > 1, "a name and a phone are remembered");
    }
    graduate(&mut world, 66..100, 34);
    // All phones are one and the same.
    assert_eq!(adds(&world), (34, 0));
}

#[test]
fn a_change_of_name_or_of_phone_hides_no_new_id() {
    let changes: [fn(Person) -> Person; 2] = [
        |it| it.phone("another"),
        |it| {
            let name = format!("{}, renamed", it.name);
            it.name(&name)
        },
    ];
    for (at, change) in changes.into_iter().enumerate() {
        let mut world = school(100);
        for (id, person) in world.roster.clone() {
            let phone = format!("77{id}");
            world.roster.insert(id, person.phone(&phone));
        }
        let everybody: Vec<Person> = world.roster.values().cloned().collect();
        let guard = world.guard.clone();
        let mut world = World::empty().with_converged(everybody);
        world.guard = guard;
        renumber(&mut world, 0..100);
        for (id, person) in world.roster.clone() {
            world.roster.insert(id, change(person));
        }
        assert_eq!(adds(&world), (0, 100), "change {at}");
    }
}

#[test]
fn who_is_approved_to_have_left_holds_nobody() {
    let mut world = school(100);
    renumber(&mut world, 0..100);
    world.approve();
    assert_eq!(adds(&world), (100, 0));
}

#[test]
fn few_new_ids_are_no_mass() {
    let mut world = school(100);
    renumber(&mut world, 0..20);
    assert_eq!(adds(&world), (20, 0));
}

#[test]
fn a_mass_that_is_kept_is_not_entered_twice_either() {
    let settings: [fn(&mut World); 3] = [
        |world| world.policy.leavers = Leavers::Keep,
        |world| world.policy.mode = Mode::Upsert,
        |world| world.policy.mode = Mode::CreateOnly,
    ];
    for set in settings {
        let mut world = school(100);
        set(&mut world);
        renumber(&mut world, 0..100);
        assert_eq!(adds(&world), (0, 100));
    }
}

#[test]
fn old_leavers_who_stay_hold_no_intake_with_many_of_their_names() {
    let mut world = school(400);
    world.policy.leavers = Leavers::Keep;
    graduate(&mut world, 0..300, 0);
    for at in 0..60 {
        world.set(student(&format!("n{at:03}")).name(&format!("name of p{at:03}")));
    }
    assert_eq!(adds(&world), (60, 0), "60 of 300 leavers are no school that was numbered anew");
}

#[test]
fn who_is_left_of_the_renumbered_is_entered_by_no_run_while_the_pairs_are_carried_over() {
    let mut world = school(40);
    renumber(&mut world, 0..12);
    assert_eq!(adds(&world), (0, 12));
    world.remember_held();
    for at in 0..12 {
        // As `relink` does it.
        let (old, new) = (format!("p{at:03}"), format!("2027{at:03}"));
        let Some(mut link) = world.links.remove(&old) else { panic!("{old} has no link") };
        link.student = id(&new);
        link.gone_since_ms = None;
        world.links.insert(new, link);
        let (planned, held) = moves_of_people(&world);
        assert_eq!((planned, held), (0, 2 * (11 - at)), "{} are carried over", at + 1);
    }
}

/// How many adds and deletes are planned, and how many are held.
fn moves_of_people(world: &World) -> (usize, usize) {
    let plan = world.plan();
    let people = plan
        .operations
        .iter()
        .filter(|operation| matches!(operation.kind(), OperationKind::Add | OperationKind::Delete));
    let people: Vec<_> = people.collect();
    let held = people.iter().filter(|it| matches!(it.state, OperationState::Held(_)));
    (people.iter().filter(|operation| operation.is_planned()).count(), held.count())
}
