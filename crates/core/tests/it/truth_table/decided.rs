//! What a person decided holds: an approval and an ignore mean what was shown, no more and no less.

use rosterd_core::exam_plan::{HoldReason, OperationKind, OperationState, PersonDoubt, SilencedHold};
use rosterd_core::roster::{Gid, Leavers, Limit, Mode};

use crate::support::*;

/// Somebody who left, whose candidate is also in gid 99, as remembered and as it is.
fn in_a_foreign_group() -> World {
    let mut world = converged([student("s1"), student("s2"), student("s3")]);
    share(&mut world, "s1");
    world.leave_for_good("s1");
    world
}

fn share(world: &mut World, who: &str) {
    world.of(who).groups.insert(99);
    world.link(who).groups = Some(gids(&[1, 99].into()));
}

/// The foreign group is gone, and a look-up that was due has shown it.
fn unshare(world: &mut World, who: &str) {
    world.of(who).groups.remove(&99);
    let sid = world.sid(who);
    world.verified.insert(sid);
}

/// What is held of the leaver `s1`, and for what.
fn asked(world: &World) -> Option<(OperationKind, HoldReason)> {
    let plan = world.plan();
    let held = plan.operations.iter().find(|it| it.student.as_str() == "s1" && it.of_leaver)?;
    let OperationState::Held(reason) = &held.state else { return None };
    Some((held.kind(), reason.clone()))
}

fn line(world: &World) -> String {
    world.lines().into_iter().find(|line| line.split(' ').nth(1) == Some("s1")).unwrap_or_default()
}

#[test]
fn a_leaver_whom_a_person_said_to_keep_stays_when_the_reason_of_the_hold_has_passed() {
    let mut foreign = in_a_foreign_group();
    foreign.ignore();
    unshare(&mut foreign, "s1");
    let mut wanted = converged([student("s1"), student("s2")]);
    wanted.leave_for_good("s1").set(student("new").login("s1")).ignore();
    wanted.set(student("new").login("another"));
    for mut world in [foreign, wanted] {
        for _ in 0..3 {
            assert_eq!(line(&world), "delete s1 skipped: ignored");
            assert_eq!(world.plan().totals.kept.stay, 1);
            let sid = world.links["s1"].sid;
            assert!(!world.needs().sids.contains(&sid), "who stays costs no look-up");
            world.run(100);
            world.now_ms += 30 * HOUR;
        }
    }
}

#[test]
fn who_is_kept_stays_whatever_stands_in_the_way_in_one_run_or_is_set_otherwise() {
    let mut world = in_a_foreign_group();
    world.ignore();
    unshare(&mut world, "s1");
    let mut others: Vec<World> = (0..5).map(|_| world.clone()).collect();
    others[0].clocks_differ = true;
    others[1].policy.leavers = Leavers::MoveTo(77);
    others[2].policy.shared = true;
    others[3].set(student("new").login("s1"));
    let sid = world.sid("s1");
    others[4].silent.insert(sid);
    for (number, other) in others.iter().enumerate() {
        assert!(line(other).ends_with("skipped: ignored"), "{number}: {:?}", other.lines());
        assert_eq!(other.plan().totals.kept.stay, 1, "{number}");
    }
}

#[test]
fn a_mass_that_a_person_said_to_keep_is_not_deleted_when_its_reason_has_passed() {
    let mut world = crowd(100);
    world.guard.max_delete = Limit::Auto;
    let who: Vec<String> = (0..18).map(|at| format!("p{at:03}")).collect();
    for student in &who {
        share(&mut world, student);
        world.leave_for_good(student);
    }
    world.ignore();
    who.iter().for_each(|student| unshare(&mut world, student));
    assert!(world.lines().iter().all(|line| line.ends_with("skipped: ignored")), "{:?}", world.lines());
    assert_eq!(world.plan().totals.kept.stay, 18);
}

#[test]
fn who_was_kept_is_back_and_leaves_again_is_a_leaver_like_any_other() {
    let mut world = in_a_foreign_group();
    world.ignore();
    world.set(student("s1"));
    world.run(100);
    world.leave("s1");
    unshare(&mut world, "s1");
    assert_eq!(line(&world), "", "a new grace runs");
    assert_eq!(world.plan().totals.leavers_waiting, 1);
}

#[test]
fn who_silenced_that_rows_still_name_a_leaver_has_said_that_they_have_left() {
    let mut world = converged([student("s1"), student("s2")]);
    world.leave_for_good("s1");
    let plan = world.plan();
    let delete = &plan.operations[0];
    let (kind, desired_hash) = (delete.kind(), delete.desired_hash);
    let rows = [
        (HoldReason::StillNamed, "delete s1", 0),
        (HoldReason::UnreadableIds, "delete s1 skipped: ignored", 1),
        (HoldReason::TwinOf(world.links["s1"].sid), "delete s1 skipped: ignored", 1),
    ];
    for (reason, expected, kept) in rows {
        let mut world = world.clone();
        let named = reason.named().unwrap();
        let hold = SilencedHold { kind, desired_hash, named, of_leaver: true };
        world.holds.insert_silenced_hold(id("s1"), hold);
        world.still_named = ["s1".to_owned()].into();
        assert_eq!(line(&world), expected, "{reason}");
        assert_eq!(world.plan().totals.kept.stay, kept, "{reason}");
    }
    let mut asked = world.clone();
    asked.still_named = ["s1".to_owned()].into();
    assert_eq!(line(&asked), "delete s1 held: still named");
    asked.approve();
    assert_eq!(line(&asked), "delete s1");
}

#[test]
fn an_approved_move_lets_no_delete_through() {
    for (leavers, moved) in [(Leavers::Delete, "move s1 -1"), (Leavers::MoveTo(77), "move s1 -1")] {
        let mut world = in_a_foreign_group();
        world.policy.shared = true;
        world.policy.leavers = leavers;
        world.set(student("new").login("s1"));
        assert_eq!(line(&world), format!("{moved} held: same person"));
        world.approve();
        assert_eq!(line(&world), moved, "what was approved");
        world.of("s1").groups.remove(&99);
        let other = line(&world);
        assert!(other.ends_with("held: same person") && !other.starts_with(moved), "{other}");
        world.approve();
        assert!(!line(&world).contains("held"), "{:?}", world.lines());
    }
}

#[test]
fn leavers_approved_as_moves_are_judged_again_when_they_would_be_deleted() {
    let mut world = crowd(100);
    world.guard.max_delete = Limit::Auto;
    world.policy.shared = true;
    let who: Vec<String> = (0..30).map(|at| format!("p{at:03}")).collect();
    for student in &who {
        share(&mut world, student);
        world.leave(student);
    }
    world.approve();
    world.run(100);
    world.now_ms += 80 * HOUR;
    assert!(world.lines().iter().all(|line| line.starts_with("move") && !line.contains("held")));
    for student in &who {
        world.of(student).groups.remove(&99);
    }
    let lines = world.lines();
    assert!(
        lines.iter().all(|line| line.starts_with("delete") && line.ends_with("held: missing")),
        "{lines:?}"
    );
}

#[test]
fn an_approval_says_nothing_about_a_doubt_that_was_not_shown() {
    let mut world = converged([student("0001"), student("s2")]);
    world.leave_for_good("0001").set(student("sibling").login("0001"));
    world.approve();
    assert!(world.lines().contains(&"delete 0001".to_owned()), "{:?}", world.lines());
    let mut again = world.clone();
    again.set(student("1").login("a new phone"));
    let mut sibling = world.clone();
    sibling.set(student("a second one").login("0001"));
    for mut other in [again, sibling] {
        assert!(other.lines().contains(&"delete 0001 held: same person".to_owned()), "{:?}", other.lines());
        assert!(other.needs().sids.is_empty(), "who is asked about is not looked up: {:?}", other.needs());
        other.approve();
        assert!(other.lines().contains(&"delete 0001".to_owned()), "{:?}", other.lines());
    }
    world.of("0001").login = "by hand".to_owned();
    world.run(100);
    world.now_ms += HOUR;
    assert!(world.lines().contains(&"delete 0001 held: same person".to_owned()), "{:?}", world.lines());
}

#[test]
fn an_approval_for_one_foreign_group_says_nothing_about_another() {
    let mut world = in_a_foreign_group();
    world.approve();
    assert_eq!(line(&world), "delete s1");
    world.of("s1").groups.insert(98);
    let reason = HoldReason::ForeignGroup([Gid(98), Gid(99)].into());
    assert_eq!(asked(&world), Some((OperationKind::Delete, reason)));
    world.approve();
    assert_eq!(line(&world), "delete s1");
}

#[test]
fn one_question_about_one_pair_is_asked_once() {
    let mut world = converged([student("01"), student("s2")]);
    world.leave_for_good("01").set(student("1").login("01"));
    world.approve();
    assert!(!world.lines().iter().any(|line| line.contains("held")), "{:?}", world.lines());
}

#[test]
fn each_doubt_about_a_take_over_is_approved_for_the_same_operation() {
    let mut world = converged([student("01"), student("other")]);
    world.enter(candidate("there").field(NAME, "somebody else").field(PHONE, "1"));
    world.policy.mode = Mode::Sync;
    world.leave_for_good("01").set(student("1").login("there"));
    let hash = |world: &World| {
        let plan = world.plan();
        let adopt = plan.operations.iter().find(|it| it.kind() == OperationKind::Adopt).unwrap();
        let OperationState::Held(reason) = &adopt.state else { panic!("{:?}", world.lines()) };
        (adopt.desired_hash, reason.clone())
    };
    let (first, reason) = hash(&world);
    assert!(matches!(reason, HoldReason::SamePerson(PersonDoubt::AlikeIds { .. })), "{reason}");
    world.approve();
    let (second, reason) = hash(&world);
    assert!(matches!(reason, HoldReason::NothingAgrees { .. }), "{reason}");
    assert_eq!(first, second);
    world.approve();
    assert!(world.lines().contains(&"adopt 1".to_owned()), "{:?}", world.lines());
    let sid = *world.candidates.keys().next_back().unwrap();
    let there = world.candidates.remove(&sid).unwrap();
    world.enter(there);
    let (_, reason) = hash(&world);
    assert!(matches!(reason, HoldReason::NothingAgrees { .. }), "another candidate: {reason}");
}

#[test]
fn a_reading_that_tells_nothing_leaves_open_what_is_wanted() {
    let mut world = converged([student("s1"), student("s2"), student("s3")]);
    world.set(student("s1").in_groups(["g2"])).set(student("s2").in_groups(["g2"]));
    let sid = world.sid("s1");
    world.groupless.insert(sid);
    let plan = world.plan();
    assert_eq!(lines(&plan), ["move s1 skipped: groupsnottold", "move s2 to 2"]);
    assert_eq!(plan.left_open().into_iter().collect::<Vec<_>>(), [&id("s1")]);
}
