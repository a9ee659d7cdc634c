//! The guard: what is too much is held, the rest goes on. Every limit at, just under and just over.

use rosterd_core::exam_plan::{
    CountedWrite, Excess, HoldReason, LinkNote, OperationKind, OperationState, Origin,
};
use rosterd_core::roster::{Gid, Leavers, Limit};

use crate::support::*;

fn count(world: &World, kind: OperationKind, state: impl Fn(&OperationState) -> bool) -> usize {
    world.plan().operations.iter().filter(|one| one.kind() == kind && state(&one.state)).count()
}

fn held(world: &World, kind: OperationKind) -> usize {
    count(world, kind, |state| matches!(state, OperationState::Held(_)))
}

fn planned(world: &World, kind: OperationKind) -> usize {
    count(world, kind, |state| *state == OperationState::Planned)
}

/// A hundred converged students and the limits that are shipped.
fn school() -> World {
    let mut world = crowd(100);
    (world.guard.max_delete, world.guard.max_modify) = (Limit::Auto, Limit::Percent(30.0));
    world
}

fn nth(at: usize) -> String {
    format!("p{at:03}")
}

/// So many people, of whom nobody is here any more, were written for in the last 24 hours.
fn before(world: &mut World, write: CountedWrite, people: usize) {
    (0..people).for_each(|at| world.guard.recent.record(write, id(&format!("before{at}"))));
}

fn with_leavers(count: usize) -> World {
    let mut world = school();
    (0..count).for_each(|at| {
        world.leave_for_good(&nth(at));
    });
    world
}

fn with_modifies(count: usize) -> World {
    let mut world = school();
    (0..count).for_each(|at| {
        world.set(student(&nth(at)).phone("1"));
    });
    world
}

fn with_renames(count: usize) -> World {
    let mut world = school();
    (0..count).for_each(|at| {
        world.set(student(&nth(at)).login(&format!("new{at}")));
    });
    world
}

fn with_vanished(count: usize) -> World {
    let mut world = school();
    (0..count).for_each(|at| {
        world.vanish(&nth(at));
    });
    world
}

#[test]
fn deletes_up_to_the_limit_go_on_and_one_more_holds_them_all() {
    for (leavers, are_held) in [(19, 0), (20, 0), (21, 21)] {
        let world = with_leavers(leavers);
        assert_eq!(held(&world, OperationKind::Delete), are_held, "{leavers} of 100");
    }
}

#[test]
fn deletes_of_the_last_day_count_too_so_that_slices_do_not_get_by() {
    for (recent, are_held) in [(14, 0), (15, 0), (16, 5)] {
        let mut world = crowd(100 - recent);
        world.guard.max_delete = Limit::Auto;
        before(&mut world, CountedWrite::Dismissal, recent);
        (0..5).for_each(|at| {
            world.leave_for_good(&nth(at));
        });
        assert_eq!(held(&world, OperationKind::Delete), are_held, "{recent} before");
    }
}

#[test]
fn deletes_of_the_last_day_hold_nothing_where_nobody_is_deleted() {
    let mut world = with_modifies(1);
    before(&mut world, CountedWrite::Dismissal, 1_000);
    assert_eq!(world.lines(), ["modify p000 phone"]);
}

#[test]
fn moves_of_leavers_count_as_deletes() {
    for (leavers, are_held) in [(20, 0), (21, 21)] {
        let mut world = with_leavers(leavers);
        world.policy.leavers = Leavers::MoveTo(77);
        assert_eq!(held(&world, OperationKind::Move), are_held, "{leavers} of 100");
    }
}

#[test]
fn moves_of_students_who_stay_do_not_count_as_deletes() {
    let mut world = with_leavers(20);
    (20..50).for_each(|at| {
        world.set(student(&nth(at)).in_groups(["g2"]));
    });
    assert_eq!(held(&world, OperationKind::Delete) + held(&world, OperationKind::Move), 0);
}

#[test]
fn held_deletes_hold_no_adds_modifies_or_moves() {
    let mut world = with_leavers(30);
    world.set(student("new")).set(student("p050").phone("1")).set(student("p051").in_groups(["g2"]));
    let going = [OperationKind::Add, OperationKind::Modify, OperationKind::Move];
    assert_eq!(going.map(|kind| planned(&world, kind)), [1, 1, 1]);
    assert_eq!(held(&world, OperationKind::Delete), 30);
}

#[test]
fn modifies_up_to_the_limit_go_on_and_one_more_holds_them_all() {
    for (modifies, are_held) in [(29, 0), (30, 0), (31, 31)] {
        let world = with_modifies(modifies);
        assert_eq!(held(&world, OperationKind::Modify), are_held, "{modifies} of 100");
    }
}

/// Candidates that are there already, `overwritten` of them with another name than the roster's; the telephone numbers, which
/// nobody else has, say whose they are.
fn taken_over(world: &mut World, equal: usize, overwritten: usize) {
    for at in 0..equal + overwritten {
        let student = student(&format!("n{at:03}")).phone(&format!("7{at:03}"));
        let name = if at < overwritten { "Somebody" } else { &student.name };
        world.enter(candidate(&student.login).field(NAME, name).field(PHONE, &student.phone));
        world.set(student);
    }
}

#[test]
fn what_take_overs_overwrite_is_measured_against_the_number_taken_over() {
    for (equal, overwritten, are_held) in [(40, 18, 0), (40, 19, 19), (0, 5, 0), (0, 6, 6), (100, 43, 0)] {
        let mut world = with_modifies(30);
        taken_over(&mut world, equal, overwritten);
        assert_eq!(held(&world, OperationKind::Modify), are_held, "{overwritten} of {}", equal + overwritten);
        assert_eq!(
            planned(&world, OperationKind::Adopt),
            equal + overwritten,
            "the take-over itself goes on"
        );
        assert_eq!(planned(&world, OperationKind::Modify), 30 + overwritten - are_held);
    }
}

#[test]
fn what_a_take_over_left_undone_stays_held_in_the_next_run() {
    let mut world = school();
    taken_over(&mut world, 4, 6);
    world.run(100);
    assert_eq!(held(&world, OperationKind::Modify), 6, "{:?}", world.lines());
    world.look_back();
    assert_eq!(held(&world, OperationKind::Modify), 6, "{:?}", world.lines());
    world.approve();
    assert_eq!(planned(&world, OperationKind::Modify), 6);
}

#[test]
fn bringing_our_own_lost_add_in_line_counts_towards_no_limit() {
    let mut world = school();
    world.guard.max_modify = Limit::Count(0);
    taken_over(&mut world, 0, 3);
    world.our_lost_adds = (0..3).map(|at| id(&format!("n{at:03}"))).collect();
    assert_eq!(planned(&world, OperationKind::Modify), 3, "{:?}", world.lines());
}

#[test]
fn a_value_changed_by_hand_and_set_back_counts_towards_no_limit() {
    let mut world = school();
    world.guard.max_modify = Limit::Count(0);
    for at in 0..40 {
        world.of(&nth(at)).fields.insert(PHONE, "by hand".to_owned());
    }
    for at in 40..50 {
        world.of(&nth(at)).login = format!("by hand {at}");
    }
    assert_eq!(planned(&world, OperationKind::Modify), 50, "{:?}", world.lines());
    world.set(student("p000").phone("1"));
    assert_eq!((planned(&world, OperationKind::Modify), held(&world, OperationKind::Modify)), (49, 1));
}

#[test]
fn modifies_of_the_last_day_count_too_and_nobody_counts_twice() {
    for (recent, again, are_held) in [(0, 30, 0), (15, 15, 0), (16, 15, 15), (30, 1, 1)] {
        let mut world = with_modifies(again);
        before(&mut world, CountedWrite::Modify, recent);
        assert_eq!(held(&world, OperationKind::Modify), are_held, "{again} after {recent}");
    }
    let mut world = with_modifies(15);
    (0..30).for_each(|at| world.guard.recent.record(CountedWrite::Modify, id(&nth(at))));
    assert_eq!(held(&world, OperationKind::Modify), 0, "the same people once more");
    world.set(student("p030").phone("1"));
    assert_eq!(held(&world, OperationKind::Modify), 16);
}

#[test]
fn login_changes_of_the_last_day_count_too() {
    for (recent, are_held) in [(3, 0), (4, 2)] {
        let mut world = with_renames(2);
        before(&mut world, CountedWrite::LoginChange, recent);
        assert_eq!(held(&world, OperationKind::Modify), are_held, "{recent} before");
    }
}

#[test]
fn leavers_who_are_kept_blunt_no_limit() {
    let mut world = school();
    world.policy.leavers = Leavers::Keep;
    (40..100).for_each(|at| {
        world.leave_for_good(&nth(at));
    });
    (0..13).for_each(|at| {
        world.set(student(&nth(at)).phone("1"));
    });
    assert_eq!(held(&world, OperationKind::Modify), 13, "the limit is 30 % of 40");
    world.leave_for_good("p000").leave_for_good("p001");
    (2..8).for_each(|at| {
        world.set(student(&nth(at)).login(&format!("new{at}")));
    });
    assert_eq!(held(&world, OperationKind::Modify), 6, "the others are eleven, and 30 % of 38 is 12");
}

fn with_moves(count: usize) -> World {
    let mut world = school();
    world.guard.max_move = Limit::Percent(30.0);
    (0..count).for_each(|at| {
        world.set(student(&nth(at)).in_groups(["g2"]));
    });
    world
}

#[test]
fn people_taken_out_of_groups_beyond_the_limit_are_held() {
    for (moves, recent, are_held) in [(30, 0, 0), (31, 0, 31), (15, 15, 0), (15, 16, 15)] {
        let mut world = with_moves(moves);
        before(&mut world, CountedWrite::Move, recent);
        assert_eq!(held(&world, OperationKind::Move), are_held, "{moves} after {recent}");
    }
}

#[test]
fn people_put_into_further_groups_count_towards_no_limit() {
    let mut world = with_moves(0);
    world.guard.max_move = Limit::Count(0);
    (0..60).for_each(|at| {
        world.set(student(&nth(at)).in_groups(["g1", "g2"]));
    });
    assert_eq!(planned(&world, OperationKind::Move), 60);
    world.set(student("p070").in_groups(["g2"]));
    assert_eq!((planned(&world, OperationKind::Move), held(&world, OperationKind::Move)), (60, 1));
}

/// A hundred converged students, the first twelve of them in `g3`.
fn with_a_class_of_twelve() -> World {
    let mut world = school_in(&[(12, &["g3"])]);
    world.guard.max_group = Limit::Percent(50.0);
    world
}

#[test]
fn a_group_that_loses_more_than_half_its_people_at_once_is_held() {
    for (leaving, are_held) in [(6, 0), (7, 7)] {
        let mut world = with_a_class_of_twelve();
        (0..leaving).for_each(|at| {
            world.set(student(&nth(at)).in_groups(["g9"]));
        });
        assert_eq!(held(&world, OperationKind::Move), are_held, "{leaving} of 12");
    }
}

#[test]
fn leavers_and_movers_count_together_in_the_group_they_leave() {
    let mut world = with_a_class_of_twelve();
    (0..4).for_each(|at| {
        world.set(student(&nth(at)).in_groups(["g9"]));
        world.leave_for_good(&nth(at + 4));
    });
    world.set(student("p050").phone("1"));
    let kinds = [OperationKind::Move, OperationKind::Delete].map(|kind| held(&world, kind));
    assert_eq!((kinds, planned(&world, OperationKind::Modify)), ([4, 4], 1), "{:?}", world.lines());
}

#[test]
fn a_group_counts_who_left_it_in_the_last_day_and_had_that_size_then() {
    for (recent, leaving, are_held) in [(3, 5, 0), (3, 6, 6), (7, 3, 0), (7, 4, 4)] {
        let mut world = school_in(&[(12, &["g3"])]);
        world.guard.max_group = Limit::Percent(50.0);
        (0..recent).for_each(|at| world.guard.recent.record_left(Gid(3), id(&format!("before{at}"))));
        (0..leaving).for_each(|at| {
            world.set(student(&nth(at)).in_groups(["g9"]));
        });
        assert_eq!(held(&world, OperationKind::Move), are_held, "{leaving} after {recent}");
    }
}

#[test]
fn up_to_five_may_leave_a_small_group_under_a_percentage_and_none_under_a_count() {
    for (limit, leaving, are_held) in
        [(Limit::Percent(50.0), 5, 0), (Limit::Percent(50.0), 6, 6), (Limit::Count(2), 3, 3)]
    {
        let mut world = school_in(&[(7, &["g3"])]);
        world.guard.max_group = limit;
        (0..leaving).for_each(|at| {
            world.set(student(&nth(at)).in_groups(["g9"]));
        });
        assert_eq!(held(&world, OperationKind::Move), are_held, "{leaving} of 7 under {limit:?}");
    }
}

#[test]
fn login_values_changing_for_more_than_a_few_are_held() {
    for (renames, are_held) in [(4, 0), (5, 0), (6, 6)] {
        let world = with_renames(renames);
        assert_eq!(held(&world, OperationKind::Modify), are_held, "{renames} of 100");
    }
    let mut world = crowd(200);
    (0..10).for_each(|at| {
        world.set(student(&nth(at)).login(&format!("new{at}")));
    });
    assert_eq!(held(&world, OperationKind::Modify), 0, "5 % of 200");
    world.set(student("p010").login("new10"));
    assert_eq!(held(&world, OperationKind::Modify), 11);
}

#[test]
fn held_renames_hold_no_other_modifies() {
    let mut world = with_renames(6);
    world.set(student("p050").phone("1"));
    assert_eq!(planned(&world, OperationKind::Modify), 1);
}

#[test]
fn vanished_candidates_beyond_the_delete_limit_are_not_entered_again() {
    for (vanished, are_held) in [(19, 0), (20, 0), (21, 21)] {
        let mut world = with_vanished(vanished);
        world.set(student("newcomer"));
        assert_eq!(held(&world, OperationKind::Add), are_held, "{vanished} of 100");
        assert!(world.lines().contains(&"add newcomer in 1".to_owned()), "{vanished:?}");
    }
}

#[test]
fn vanished_candidates_stay_held_in_the_next_run() {
    let mut world = with_vanished(21);
    world.run(100);
    assert_eq!(held(&world, OperationKind::Add), 21);
}

#[test]
fn no_link_is_given_up_while_so_many_look_gone() {
    for (vanished, given_up) in [(19, 1), (20, 0)] {
        let mut world = with_vanished(vanished);
        world.leave_for_good(&nth(50));
        world.vanish(&nth(50));
        let plan = world.plan();
        let closed = plan.notes.iter().filter(|note| matches!(note, LinkNote::Close(_))).count();
        assert_eq!(closed, given_up, "{vanished} students and a leaver of 100");
        assert_eq!(held(&world, OperationKind::Delete), 1 - given_up, "the leaver is named");
    }
}

#[test]
fn a_column_mapped_long_after_a_take_over_is_measured_as_any_other_change() {
    for (linked_ago, are_held) in [(48 * HOUR, 0), (0, 10)] {
        let mut world = school();
        for at in 0..10 {
            world.set(student(&nth(at)).phone("1"));
            let linked_at_ms = world.now_ms - linked_ago;
            let link = world.link(&nth(at));
            link.origin = Origin::Adopted;
            link.linked_at_ms = linked_at_ms;
            link.confirmed.clear();
        }
        assert_eq!(held(&world, OperationKind::Modify), are_held, "taken over {linked_ago} ms ago");
    }
}

fn with_leavers_deleted_by_hand(count: usize) -> World {
    let mut world = school();
    (0..count).for_each(|at| {
        world.leave(&nth(at)).vanish(&nth(at));
    });
    world
}

#[test]
fn links_of_leavers_are_given_up_in_numbers_only_with_an_approval() {
    for (count, are_held) in [(20, 0), (21, 21)] {
        let mut world = with_leavers_deleted_by_hand(count);
        assert_eq!(held(&world, OperationKind::Delete), are_held, "{count} of 100");
        world.approve();
        let plan = world.plan();
        let closed = plan.notes.iter().filter(|note| matches!(note, LinkNote::Close(_))).count();
        assert_eq!((closed, plan.operations.len()), (count, 0), "{count} of 100");
    }
}

#[test]
fn vanished_candidates_of_the_last_day_count_too() {
    for (recent, are_held) in [(10, 0), (11, 10)] {
        let mut world = with_vanished(10);
        before(&mut world, CountedWrite::Vanished, recent);
        assert_eq!(held(&world, OperationKind::Add), are_held, "{recent} before");
    }
}

#[test]
fn a_candidate_that_a_delete_of_ours_explains_has_not_vanished() {
    let mut world = with_leavers_deleted_by_hand(40);
    (0..40).for_each(|at| world.guard.recent.record_sent_dismissal(id(&nth(at))));
    let closed = world.plan().notes.iter().filter(|note| matches!(note, LinkNote::Close(_))).count();
    assert_eq!((closed, held(&world, OperationKind::Delete)), (40, 0));
}

#[test]
fn replaced_candidates_count_as_vanished() {
    let mut world = school();
    for at in 0..21 {
        world.vanish(&nth(at));
        world.enter(candidate(&nth(at)));
        world.verified.insert(world.sid(&nth(at)));
    }
    assert_eq!(held(&world, OperationKind::Adopt), 21);
    assert_eq!(planned(&world, OperationKind::Modify), 0, "what follows an adoption waits with it");
    world.run(100);
    assert_eq!(held(&world, OperationKind::Adopt), 21);
}

#[test]
fn what_follows_a_held_add_waits_with_it() {
    let mut world = with_vanished(20);
    world.vanish("p020").set(student("p020").in_groups(["g1", "g2"]));
    assert!(world.lines().contains(&"move p020 +2 skipped: after add".to_owned()));
}

#[test]
fn a_rename_into_a_login_value_whose_owner_is_held_waits() {
    let mut world = with_renames(6);
    world.approve();
    world.set(student("p000").login("p001"));
    let want =
        world.unguarded().operations.iter().find(|one| one.student == id("p000")).unwrap().desired_hash;
    world.guard.approved.insert(id("p000"), OperationKind::Modify, want);
    (6..12).for_each(|at| {
        world.set(student(&nth(at)).login(&format!("new{at}")));
    });
    world.set(student("p001").login("another"));
    assert!(
        world.lines().contains(&"modify p000 login skipped: in use by p001".to_owned()),
        "{:?}",
        world.lines()
    );
}

#[test]
fn a_group_that_would_lose_its_last_member_keeps_it() {
    let mut world = converged([student("s1"), student("s2").in_groups(["g2"])]);
    world.set(student("s2"));
    assert_eq!(world.lines(), ["move s2 to 1 held: group to zero"]);
    world.set(student("s3").in_groups(["g2"]));
    assert_eq!(world.lines(), ["add s3 in 2", "move s2 to 1"]);
}

#[test]
fn a_group_that_keeps_one_member_lets_the_others_go() {
    let mut world = converged(["s1", "s2", "s3"].map(|id| student(id).in_groups(["g2"])));
    world.set(student("s1")).set(student("s2"));
    assert_eq!(world.lines(), ["move s1 to 1", "move s2 to 1"]);
    world.leave_for_good("s3");
    assert!(world.lines().iter().all(|line| line.ends_with("held: group to zero")));
}

#[test]
fn a_group_that_somebody_moves_into_may_lose_its_last_member() {
    for groups in [&["g2"][..], &["g1", "g2"]] {
        let mut world = converged([student("s1"), student("s2").in_groups(["g2"]), student("s3")]);
        let groups: std::collections::BTreeSet<String> =
            groups.iter().map(|code| (*code).to_owned()).collect();
        world.set(Person { groups: groups.clone(), ..student("s1") }).set(student("s2"));
        assert!(world.plan().holds().is_empty(), "{:?}", world.lines());
        assert_eq!(planned(&world, OperationKind::Move), 2, "{groups:?}");
    }
}

#[test]
fn a_group_is_not_filled_by_somebody_who_is_held_elsewhere() {
    let mut world = converged([student("s1").in_groups(["g1"]), student("s2").in_groups(["g2"])]);
    world.set(student("s1").in_groups(["g2"])).set(student("s2").in_groups(["g3"]));
    assert_eq!(world.lines(), ["move s1 to 2 held: group to zero", "move s2 to 3 held: group to zero"]);
}

#[test]
fn a_foreign_group_may_lose_anybody_and_the_group_of_leavers_too() {
    let mut world = converged([student("s1"), student("s2")]);
    world.policy.leavers = Leavers::MoveTo(77);
    world.leave_for_good("s1");
    world.run(100);
    world.set(student("s1"));
    assert_eq!(world.lines(), ["move s1 to 1"]);
}

#[test]
fn the_group_of_leavers_keeps_its_last_member_where_it_is_one_of_the_rosters_too() {
    for (leavers, line) in [(2, "move s2 to 1 held: group to zero"), (77, "move s2 to 1 held: group to zero")]
    {
        let mut world = converged([student("s1"), student("s2").in_groups(["g2"])]);
        world.policy.leavers = Leavers::MoveTo(leavers);
        world.set(student("s2"));
        assert_eq!(world.lines(), [line], "leavers go to {leavers}");
    }
}

#[test]
fn the_size_of_a_group_is_what_was_looked_up_in_this_run() {
    let mut world = converged([student("s1"), student("s2").in_groups(["g2"])]);
    world.link("s1").groups = Some(gids(&[2].into()));
    world.link("s2").groups = None;
    world.set(student("s2"));
    assert_eq!(world.lines(), ["move s2 to 1 held: group to zero"], "s1 turns out not to be in group 2");
}

#[test]
fn approved_operations_go_ahead_and_do_not_count() {
    for (held, mut world) in [
        ("deletes", with_leavers(21)),
        ("modifies", with_modifies(31)),
        ("login changes", with_renames(6)),
        ("vanished", with_vanished(21)),
    ] {
        world.approve();
        let states: Vec<_> = world.plan().operations.iter().map(|one| one.state.clone()).collect();
        assert!(states.iter().all(|state| *state == OperationState::Planned), "{held}");
    }
}

#[test]
fn what_came_after_an_approval_waits_for_its_own() {
    let mut world = with_leavers(21);
    world.approve();
    (30..46).for_each(|at| {
        world.leave_for_good(&nth(at));
    });
    assert_eq!(held(&world, OperationKind::Delete), 0, "sixteen more are within the limit of the other 79");
    world.leave_for_good("p050");
    assert_eq!(held(&world, OperationKind::Delete), 17);
}

#[test]
fn an_approval_of_an_emptied_group_lets_its_last_member_go() {
    let mut world = converged([student("s1"), student("s2").in_groups(["g2"])]);
    world.set(student("s2")).approve();
    assert_eq!(world.lines(), ["move s2 to 1"]);
}

#[test]
fn an_approval_is_for_one_want_only() {
    let mut world = with_modifies(31);
    world.approve();
    world.set(student("p000").phone("2"));
    assert_eq!(planned(&world, OperationKind::Modify), 31, "one unapproved modify is within the limit");
    world.guard.max_modify = Limit::Count(0);
    assert_eq!(held(&world, OperationKind::Modify), 1);
}

#[test]
fn a_hold_names_count_recent_total_and_limit() {
    let mut world = crowd(82);
    world.guard.max_delete = Limit::Auto;
    before(&mut world, CountedWrite::Dismissal, 18);
    (0..5).for_each(|at| {
        world.leave_for_good(&nth(at));
    });
    let plan = world.plan();
    let expected = HoldReason::TooManyDeletes(Excess { count: 5, recent: 18, total: 100, limit: 20 });
    assert_eq!(plan.operations[0].state, OperationState::Held(expected.clone()));
    assert_eq!(
        expected.to_string(),
        "5 leavers of 100 managed candidates, and 18 in the last 24 hours: more than the limit of 20 (guard.max_delete)"
    );
}

/// A hundred converged students, so many of the first in each of these groups, the others in `g9`.
fn school_in(groups: &[(usize, &[&str])]) -> World {
    let first = groups.iter().flat_map(|(count, codes)| std::iter::repeat_n(*codes, *count));
    let codes = first.chain(std::iter::repeat(&["g9"][..]));
    let people = codes.take(100).enumerate().map(|(at, codes)| {
        let groups = codes.iter().map(|code| (*code).to_owned()).collect();
        Person { groups, ..student(&nth(at)) }
    });
    let mut world = World::empty().with_converged(people);
    (world.guard.max_delete, world.guard.max_modify) = (Limit::Auto, Limit::Percent(30.0));
    world
}

/// The groups that each hold names, by gid and number of operations.
fn named(world: &World) -> Vec<Vec<(i64, u64)>> {
    let plan = world.plan();
    let groups =
        |(_, groups): (_, Vec<(Gid, u64)>)| groups.into_iter().map(|(gid, count)| (gid.0, count)).collect();
    plan.holds().into_iter().map(groups).collect()
}

#[test]
fn a_hold_names_the_three_groups_that_most_of_it_concerns_the_largest_first() {
    let mut world = school_in(&[(3, &["g4"]), (6, &["g2"]), (9, &["g3"]), (6, &["g1"])]);
    (0..24).for_each(|at| {
        world.leave_for_good(&nth(at));
    });
    assert_eq!(named(&world), [[(3, 9), (1, 6), (2, 6)]]);
    let plan = world.plan();
    let reasons: Vec<&HoldReason> = plan.holds().into_iter().map(|(reason, _)| reason).collect();
    assert!(matches!(reasons.as_slice(), [HoldReason::TooManyMissing(Excess { count: 24, .. })]));
}

#[test]
fn who_is_in_several_groups_counts_in_each_and_foreign_groups_are_not_named() {
    let mut world = school_in(&[(31, &["g1", "g2"])]);
    for at in 0..31 {
        world.of(&nth(at)).groups.insert(99);
        world.link(&nth(at)).groups = Some(gids(&[1, 2, 99].into()));
        let groups = ["g1", "g2"];
        world.set(student(&nth(at)).in_groups(groups).phone("1"));
    }
    assert_eq!(named(&world), [[(1, 31), (2, 31)]]);
}

#[test]
fn a_hold_of_students_in_no_group_names_the_groups_they_hold() {
    let mut world = school_in(&[(31, &["g1"])]);
    (0..31).for_each(|at| {
        world.set(student(&nth(at)).in_groups([]).phone("1"));
    });
    assert_eq!(named(&world), [[(1, 31)]]);
}

#[test]
fn a_hold_of_students_who_are_entered_again_names_the_groups_they_are_to_be_in() {
    let mut world = school_in(&[(21, &["g1"])]);
    for at in 0..21 {
        world.vanish(&nth(at)).set(student(&nth(at)).in_groups(["g2"]));
    }
    assert_eq!(named(&world), [[(2, 21)]]);
    for at in 0..21 {
        world.enter(candidate(&nth(at)));
        world.verified.insert(world.sid(&nth(at)));
    }
    assert_eq!(held(&world, OperationKind::Adopt), 21);
    assert_eq!(named(&world), [[(2, 21)]]);
}

#[test]
fn a_hold_for_a_groups_last_member_names_the_groups_left_and_joined() {
    let mut world = converged([student("s1"), student("s2").in_groups(["g2"])]);
    world.set(student("s2"));
    assert_eq!(named(&world), [[(1, 1), (2, 1)]]);
}

#[test]
fn each_reason_is_named_once_and_a_plan_without_holds_names_none() {
    let mut world = school_in(&[(21, &["g1"]), (31, &["g2"])]);
    (0..21).for_each(|at| {
        world.leave_for_good(&nth(at));
    });
    (21..52).for_each(|at| {
        world.set(student(&nth(at)).in_groups(["g2"]).phone("1"));
    });
    assert_eq!(named(&world), [[(1, 21)], [(2, 31)]]);
    assert!(school().plan().holds().is_empty());
}

#[test]
fn a_value_that_is_only_sent_once_more_counts_towards_no_limit() {
    let mut world = school();
    world.masking.insert(PHONE);
    (0..30).for_each(|at| {
        world.set(student(&nth(at)).phone("12345"));
    });
    world.run(100);
    world.guard.max_modify = Limit::Count(0);
    assert_eq!(planned(&world, OperationKind::Modify), 30, "it was let through when it was written first");
    world.set(student("p050").phone("1"));
    assert_eq!((planned(&world, OperationKind::Modify), held(&world, OperationKind::Modify)), (30, 1));
}

#[test]
fn holding_does_not_change_the_digest() {
    let world = with_leavers(21);
    assert_eq!(world.plan().digest(), world.unguarded().digest());
}

#[test]
fn skipped_operations_count_towards_no_limit() {
    let mut world = with_leavers(21);
    world.link("p000").gone_since_ms = Some(world.now_ms - 100 * HOUR);
    world.silent.insert(world.sid("p000"));
    assert_eq!(held(&world, OperationKind::Delete), 0);
}
