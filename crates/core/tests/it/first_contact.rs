//! First contact with an account: adds are held where hardly anybody matches, and only there.

use rosterd_core::exam_plan::{OperationKind, OperationState};

use crate::support::*;

/// So many students without a link; their login values are telephone numbers with a country code.
fn newcomers(world: &mut World, count: usize) {
    (0..count).for_each(|at| {
        world.set(student(&format!("n{at:03}")).login(&format!("+8613800000{at:03}")));
    });
}

/// So many candidates without a link, whose login values are telephone numbers without one.
fn strangers(world: &mut World, count: usize) {
    (0..count).for_each(|at| {
        world.enter(candidate(&format!("13900000{at:03}")));
    });
}

/// Students and candidates without a link; so many of each match.
fn contact(links: usize, students: usize, candidates: usize, matching: usize) -> World {
    let mut world = crowd(links);
    newcomers(&mut world, students);
    strangers(&mut world, candidates - matching);
    (0..matching).for_each(|at| {
        let name = format!("name of n{at:03}");
        world.enter(candidate(&format!("+8613800000{at:03}")).field(NAME, &name));
    });
    world
}

fn adds(world: &World) -> (usize, usize) {
    let plan = world.plan();
    let adds = || plan.operations.iter().filter(|operation| operation.kind() == OperationKind::Add);
    let held = adds().filter(|operation| matches!(operation.state, OperationState::Held(_)));
    (adds().filter(|operation| operation.is_planned()).count(), held.count())
}

#[test]
fn adds_are_held_where_hardly_a_student_matches_a_candidate() {
    let rows = [
        ("another school's account", contact(0, 220, 240, 0), true),
        ("an empty account", contact(0, 220, 0, 0), false),
        ("nine candidates for trials", contact(0, 60, 9, 0), false),
        ("ten candidates, more than a tenth of the students", contact(0, 60, 10, 0), true),
        ("ten candidates, fewer than a tenth of the students", contact(0, 101, 10, 0), false),
        ("nine students", contact(0, 9, 100, 0), false),
        ("ten students", contact(0, 10, 100, 0), true),
        ("half of the students match", contact(0, 100, 200, 50), false),
        ("fewer than half of the students match", contact(0, 100, 200, 49), true),
        ("half of the candidates match", contact(0, 100, 40, 20), false),
        ("fewer than half of the candidates match", contact(0, 100, 40, 19), true),
        ("an intake of a quarter in a shared account", contact(80, 20, 200, 0), false),
        ("as many students with a link as without", contact(50, 50, 100, 0), false),
        ("most students have no link yet", contact(49, 50, 100, 0), true),
    ];
    for (what, world, is_held) in rows {
        let (planned, held) = adds(&world);
        assert_eq!((planned == 0, held > 0), (is_held, is_held), "{what}: {planned} planned, {held} held");
    }
}

#[test]
fn a_first_sync_that_was_cut_off_goes_on() {
    let mut world = contact(60, 160, 0, 0);
    assert_eq!(adds(&world), (160, 0));
    strangers(&mut world, 3);
    assert_eq!(adds(&world), (160, 0));
}

#[test]
fn the_hold_says_what_the_values_of_both_sides_look_like() {
    let world = contact(0, 220, 240, 0);
    let texts: Vec<String> = world.plan().holds().iter().map(|(reason, _)| reason.to_string()).collect();
    assert_eq!(
        texts,
        [
            "0 of 220 match one of 240 candidates: values there look like 1##########, yours like +86###########: \
          check exam.login_field and exam.code"
        ]
    );
}

#[test]
fn no_shape_is_shown_that_fewer_than_ten_share() {
    let mut world = World::empty();
    (0..12).for_each(|at| {
        world.set(student(&format!("n{at}")).login(&format!("n{at}@{at}.example")));
        world.enter(candidate(&format!("13900000{at:03}")));
    });
    let texts: Vec<String> = world.plan().holds().iter().map(|(reason, _)| reason.to_string()).collect();
    assert_eq!(
        texts,
        [
            "0 of 12 match one of 12 candidates: values there look like 1##########: check exam.login_field and exam.code"
        ]
    );
}

#[test]
fn the_values_of_linked_candidates_are_not_taken_for_theirs() {
    let world = contact(100, 150, 40, 0);
    let texts: Vec<String> = world.plan().holds().iter().map(|(reason, _)| reason.to_string()).collect();
    assert!(texts[0].contains("values there look like 1##########, yours"), "{texts:?}");
}

#[test]
fn who_matches_is_taken_over_all_the_same_and_what_follows_an_add_waits_with_it() {
    let mut world = contact(0, 100, 200, 49);
    world.set(student("n099").login("+8613800000099").in_groups(["g1", "g2"]));
    let plan = world.plan();
    let adopted = plan.operations.iter().filter(|it| it.kind() == OperationKind::Adopt && it.is_planned());
    assert_eq!(adopted.count(), 49);
    assert!(world.lines().contains(&"move n099 +2 skipped: after add".to_owned()), "{:?}", world.lines());
}

#[test]
fn adds_that_a_person_approved_go_on_and_those_that_came_later_wait() {
    let mut world = contact(0, 30, 40, 0);
    world.approve();
    assert_eq!(adds(&world), (30, 0));
    newcomers(&mut world, 31);
    assert_eq!(adds(&world), (30, 1));
    world.run(100);
    assert_eq!(adds(&world), (1, 0), "most students have a link by now");
}
