//! Groups: ours, foreign ones, those without gid, and students in none.

use rosterd_core::exam_plan::{Change, LinkNote};
use rosterd_core::roster::Gid;
use rosterd_core::roster::Leavers;

use crate::support::*;

#[test]
fn a_candidate_held_in_a_foreign_group_is_moved_by_adding_first() {
    let mut world = converged([student("s1"), student("s2")]);
    world.of("s1").groups.insert(99);
    world.set(student("s1").in_groups(["g2"]));
    assert_eq!(world.lines(), ["move s1 +2 -1"]);
    let (_, violations) = world.run(100);
    assert!(violations.is_empty());
    assert_eq!(world.of("s1").groups, [2, 99].into());
    assert!(world.plan().is_empty());
}

#[test]
fn a_foreign_group_that_the_link_remembers_and_nobody_holds_any_more_is_no_obstacle() {
    let mut world = converged([student("s1"), student("s2")]);
    world.link("s1").groups = Some(gids(&[1, 99].into()));
    world.set(student("s1").in_groups(["g2"]));
    assert_eq!(world.lines(), ["move s1 to 2"]);
}

#[test]
fn groups_never_looked_up_are_looked_up_and_remembered() {
    let mut world = converged([student("s1"), student("s2")]);
    world.link("s1").groups = None;
    let plan = world.plan();
    assert!(plan.is_empty());
    assert_eq!(plan.notes, [LinkNote::Groups(id("s1"), gids(&[1].into()))]);
}

#[test]
fn a_move_whose_look_up_brought_nothing_waits() {
    let mut world = converged([student("s1"), student("s2")]);
    world.silent.insert(world.sid("s1"));
    world.set(student("s1").in_groups(["g2"]));
    assert_eq!(world.lines(), ["move s1 skipped: not found out"]);
}

#[test]
fn a_group_without_gid_concerns_only_the_students_in_it() {
    let mut world = converged([student("s1"), student("s2")]);
    world.set(student("s1").in_groups(["g1", "h1"])).set(student("s3").in_groups(["h1"])).set(student("s4"));
    assert_eq!(
        world.lines(),
        ["add s3 cannot: group-without-gid", "add s4 in 1", "move s1 cannot: group-without-gid"]
    );
}

#[test]
fn a_newcomer_goes_into_the_groups_that_have_a_gid_and_the_other_is_reported() {
    let mut world = converged([student("s1")]);
    world.set(student("s2").in_groups(["g2", "h1"]));
    assert_eq!(world.lines(), ["add s2 in 2", "move s2 cannot: group-without-gid"]);
}

#[test]
fn a_student_in_no_group_cannot_be_added_and_keeps_the_groups_they_hold() {
    let mut world = converged([student("s1"), student("s2")]);
    world.set(student("s1").in_groups([])).set(student("s3").in_groups([]));
    assert_eq!(world.lines(), ["add s3 cannot: no-group", "move s1 cannot: no-group"]);
}

#[test]
fn a_group_that_the_roster_no_longer_names_is_not_ours_to_take_anybody_out_of() {
    let mut world = converged([student("s1").in_groups(["g1", "g2"]), student("s2")]);
    world.group_table.remove("g2");
    world.set(student("s1").in_groups(["g1"]));
    assert!(world.plan().is_empty());
}

#[test]
fn further_groups_keep_their_want_when_the_add_is_through() {
    let mut world = converged([student("s1")]);
    world.set(student("s2").in_groups(["g1", "g2"]));
    let of_move = |world: &World| {
        let plan = world.plan();
        plan.operations
            .iter()
            .find(|one| one.kind() == rosterd_core::exam_plan::OperationKind::Move)
            .unwrap()
            .desired_hash
    };
    let first = of_move(&world);
    world.run(100);
    world.of("s2").groups.remove(&2);
    world.link("s2").groups = Some(gids(&[1].into()));
    assert_eq!(of_move(&world), first);
}

#[test]
fn groups_looked_up_before_the_pass_replace_remembered_ones_and_are_asked_once() {
    let mut world = converged([student("s1"), student("s2"), student("s3").in_groups(["g5"])]);
    world.of("s1").groups = [1, 99].into();
    world.of("s2").groups = [5].into();
    world.verified = [world.sid("s1"), world.sid("s2")].into();
    assert!(world.needs().sids.is_empty());
    assert_eq!(world.lines(), ["move s2 to 1"]);
    assert_eq!(world.plan().totals.group_sizes[&rosterd_core::roster::Gid(5)], 2);
}

#[test]
fn a_move_names_the_sid_of_its_candidate_and_none_where_the_same_plan_enters_it() {
    let mut world = converged([student("s1"), student("s2")]);
    world.set(student("s1").in_groups(["g2"])).set(student("s3").in_groups(["g1", "g3"]));
    let plan = world.plan();
    let sids: Vec<Option<i64>> = plan
        .operations
        .iter()
        .filter_map(|operation| match &operation.change {
            Change::Move(group_move) => Some(group_move.sid().map(|sid| sid.0)),
            Change::Adopt(_)
            | Change::Add(_)
            | Change::Modify(_)
            | Change::Delete(_)
            | Change::Impossible(_) => None,
        })
        .collect();
    assert_eq!(sids, [Some(1001), None]);
}

#[test]
fn a_group_is_named_by_its_first_code_and_one_that_is_not_on_the_roster_by_none() {
    let mut world = converged([student("s1")]);
    world.group_table.insert("b7".to_owned(), Some(7));
    world.policy.leavers = Leavers::MoveTo(77);
    let book = world.book();
    let code = |gid| book.code_of(Gid(gid)).map(ToString::to_string);
    assert_eq!([2, 7, 77, 99].map(code), [Some("g2".to_owned()), Some("b7".to_owned()), None, None]);
}

#[test]
fn whose_groups_a_look_up_does_not_tell_stays_where_they_are() {
    let mut world = converged([student("s1"), student("s2")]);
    world.set(student("s1").in_groups(["g2"])).set(student("s2").in_groups(["g1", "g2"]));
    world.of("s1").groups.insert(99);
    world.groupless = [world.sid("s1"), world.sid("s2")].into();
    assert_eq!(world.lines(), ["move s1 skipped: groupsnottold", "move s2 skipped: groupsnottold"]);
    world.groupless.clear();
    assert_eq!(world.lines(), ["move s1 +2 -1", "move s2 +2"]);
}

#[test]
fn who_is_taken_over_without_telling_their_groups_is_linked_and_not_moved() {
    let mut world = converged([student("s1")]);
    world.set(student("s1").in_groups(["g2"])).links.clear();
    world.groupless = [1001].into();
    assert_eq!(world.lines(), ["adopt s1", "move s1 skipped: groupsnottold"]);
    world.run(100);
    assert_eq!(world.links["s1"].groups, None, "nothing is remembered that was not told");
}
