//! Who has left the roster.

use rosterd_core::exam_plan::{LinkNote, OperationState};
use rosterd_core::roster::{Gid, Leavers, Mode};

use crate::support::*;

#[test]
fn a_student_who_left_is_deleted_once_grace_has_run_out_and_two_runs_have_seen_it() {
    let mut world = converged([student("s1"), student("s2")]);
    world.leave("s1");
    let now = world.now_ms;
    let rows = [
        ("never seen gone", None, 0, false),
        ("gone long, no earlier run", Some(now - 72 * HOUR), 0, false),
        ("a millisecond too early", Some(now - 72 * HOUR + 1), 1, false),
        ("just in time", Some(now - 72 * HOUR), 1, true),
    ];
    for (name, since, runs, is_deleted) in rows {
        let link = world.link("s1");
        (link.gone_since_ms, link.gone_runs) = (since, runs);
        let expected: Vec<&str> = if is_deleted { vec!["delete s1"] } else { vec![] };
        assert_eq!(world.lines(), expected, "{name}");
        assert_eq!(world.plan().totals.leavers_waiting, u64::from(!is_deleted), "{name}");
    }
}

#[test]
fn an_inactive_student_has_left() {
    let mut world = converged([student("s1"), student("s2")]);
    world.set(student("s1").inactive());
    assert_eq!(world.plan().notes, [LinkNote::Gone(id("s1"))]);
}

#[test]
fn without_any_grace_the_second_run_deletes() {
    let mut world = converged([student("s1"), student("s2")]);
    world.policy.delete_grace_ms = 0;
    world.leave("s1");
    assert!(world.run(100).0.is_empty());
    assert_eq!(world.lines(), ["delete s1"]);
}

#[test]
fn who_comes_back_starts_a_new_grace_when_leaving_again() {
    let mut world = converged([student("s1"), student("s2")]);
    world.leave_for_good("s1").set(student("s1"));
    assert_eq!(world.plan().notes, [LinkNote::Returned(id("s1"))]);
    world.run(100);
    world.leave("s1");
    assert!(world.plan().is_empty());
}

#[test]
fn in_a_shared_account_a_leaver_in_a_foreign_group_leaves_ours_and_is_left_alone() {
    let mut world = converged([student("s1").in_groups(["g1", "g2"]), student("s2").in_groups(["g1", "g2"])]);
    world.of("s1").groups.insert(99);
    world.leave_for_good("s1").policy.shared = true;
    assert_eq!(world.lines(), ["move s1 -1 -2"]);
    world.run(100);
    assert!(world.plan().is_empty());
    let kept = world.plan().totals.kept.clone();
    assert_eq!((kept.stay, kept.groups), (1, [(Gid(99), 1)].into()), "no leaver stays without a word");
    assert!(world.needs().sids.is_empty(), "who is done with is not looked up for ever");
}

#[test]
fn kept_leavers_stay_as_they_are_and_are_not_looked_up() {
    let mut world = converged([student("s1"), student("s2")]);
    world.leave_for_good("s1").policy.leavers = Leavers::Keep;
    assert!(world.plan().is_empty());
    assert!(world.needs().sids.is_empty());
    assert!(!world.policy.leaver_is_due(&world.links["s1"], world.now_ms));
}

#[test]
fn leavers_can_be_moved_to_a_group_once_and_for_all() {
    let mut world = converged([student("s1"), student("s2")]);
    world.leave_for_good("s1").policy.leavers = Leavers::MoveTo(77);
    assert_eq!(world.lines(), ["move s1 to 77"]);
    world.run(100);
    assert_eq!(world.of("s1").groups, [77].into());
    assert!(world.plan().is_empty());
    assert!(world.needs().sids.is_empty());
}

#[test]
fn a_move_of_leavers_elsewhere_is_another_want() {
    let mut world = converged([student("s1"), student("s2")]);
    world.leave_for_good("s1").policy.leavers = Leavers::MoveTo(77);
    let first = world.plan().digest();
    world.policy.leavers = Leavers::MoveTo(78);
    assert_ne!(world.plan().digest(), first);
}

#[test]
fn who_comes_back_from_the_group_of_leavers_is_moved_back() {
    let mut world = converged([student("s1"), student("s2")]);
    world.leave_for_good("s1").policy.leavers = Leavers::MoveTo(77);
    world.run(100);
    world.set(student("s1"));
    assert_eq!(world.lines(), ["move s1 to 1"]);
}

#[test]
fn a_leaver_deleted_by_hand_is_forgotten_at_once() {
    let mut world = converged([student("s1"), student("s2")]);
    world.leave("s1").vanish("s1");
    let plan = world.plan();
    assert!(plan.is_empty());
    assert_eq!(plan.notes, [LinkNote::Close(id("s1"))]);
}

#[test]
fn a_leaver_renamed_on_the_exam_side_is_followed_and_deleted_by_sid_once_approved() {
    let mut world = converged([student("s1"), student("s2")]);
    world.of("s1").login = "other".to_owned();
    world.leave_for_good("s1");
    let plan = world.plan();
    assert_eq!(lines(&plan), ["delete s1 held: same person"]);
    // The field of the login value is on record with the one that the link had before.
    let confirmed = plan.notes.first().cloned().unwrap();
    assert!(
        matches!(&confirmed, LinkNote::Confirm(student, fields) if *student == id("s1") && fields.len() == 1)
    );
    let notes = [
        confirmed,
        LinkNote::Follow(id("s1"), login("other")),
        LinkNote::RenamedByHand(id("s1")),
        LinkNote::Gone(id("s1")),
    ];
    assert_eq!(plan.notes, notes);
    assert_eq!(plan.totals.another_login, 0, "its other values are what they were");
    world.approve();
    assert_eq!(world.lines(), ["delete s1 skipped: anotherlogin"], "not before a run has followed it");
    world.run(100);
    assert_eq!(world.lines(), ["delete s1"]);
}

#[test]
fn a_leaver_who_exists_and_is_listed_nowhere_makes_the_listing_doubtful() {
    let mut world = converged([student("s1"), student("s2"), student("s3")]);
    world.unlisted.insert(world.sid("s1"));
    world.leave("s1").leave_for_good("s2");
    assert_eq!(world.lines(), ["delete s2 skipped: doubtful"]);
    assert!(world.plan().notes.is_empty(), "a doubtful listing sees nobody gone");
}

#[test]
fn a_leaver_of_whom_the_look_up_says_nothing_is_not_deleted() {
    let mut world = converged([student("s1"), student("s2")]);
    world.silent.insert(world.sid("s1"));
    world.leave_for_good("s1");
    assert_eq!(world.lines(), ["delete s1 skipped: not found out"]);
    world.policy.leavers = Leavers::MoveTo(77);
    assert_eq!(world.lines(), ["move s1 skipped: not found out"]);
}

#[test]
fn a_leaver_last_seen_in_a_foreign_group_too_leaves_our_groups_and_is_not_deleted() {
    let mut world = converged([student("s1"), student("s2")]);
    world.link("s1").groups = Some(gids(&[1, 99].into()));
    world.silent.insert(world.sid("s1"));
    world.leave_for_good("s1");
    assert_eq!(world.lines(), ["delete s1 held: foreign group"]);
    world.approve();
    assert_eq!(world.lines(), ["delete s1 skipped: not found out"]);
    world.policy.shared = true;
    assert_eq!(world.lines(), ["move s1 skipped: not found out"]);
}

#[test]
fn only_the_mode_that_handles_leavers_moves_them() {
    for is_looked_up in [false, true] {
        let mut world = converged([student("s1"), student("s2")]);
        world.leave_for_good("s1").policy.leavers = Leavers::MoveTo(77);
        if is_looked_up {
            world.verified.insert(world.sid("s1"));
        }
        world.policy.mode = Mode::Upsert;
        assert_eq!(world.lines().len(), 1, "{is_looked_up:?}");
        assert!(world.lines()[0].ends_with("skipped: mode"), "{:?}", world.lines());
        world.policy.mode = Mode::Sync;
        assert_eq!(world.lines(), ["move s1 to 77"], "{is_looked_up:?}");
    }
}

#[test]
fn a_candidate_linked_under_a_twin_of_an_id_is_held_and_its_sid_named() {
    let mut world = converged([student("s1"), student("s1 ").login("twin")]);
    let sid = world.sid("s1 ");
    world.leave_for_good("s1 ");
    let plan = world.plan();
    let [operation] = plan.operations.as_slice() else { panic!("{:?}", world.lines()) };
    let OperationState::Held(reason) = &operation.state else { panic!("{:?}", operation.state) };
    assert!(reason.to_string().contains(&format!("sid {sid}")), "{reason}");
}

#[test]
fn who_is_missing_while_an_id_cannot_be_read_is_held_and_who_is_marked_as_left_is_not() {
    let mut world = converged([student("s1"), student("s2"), student("s3")]);
    let since_ms = world.now_ms - 73 * HOUR;
    for (unreadable_since_ms, is_held) in [(None, false), (Some(since_ms + 1), false), (Some(since_ms), true)]
    {
        world.unreadable_since_ms = unreadable_since_ms;
        if world.roster.contains_key("s1") {
            world.leave_for_good("s1");
        }
        let held = world.plan().operations.iter().any(|one| matches!(one.state, OperationState::Held(_)));
        assert_eq!(held, is_held, "{unreadable_since_ms:?}");
    }
    world.set(student("s1").inactive());
    assert_eq!(world.lines(), ["delete s1"]);
}

#[test]
fn a_leaver_whose_groups_a_look_up_does_not_tell_is_not_dismissed() {
    for (leavers, kind) in [(Leavers::Delete, "delete"), (Leavers::MoveTo(77), "move")] {
        let mut world = converged([student("s1"), student("s2")]);
        world.leave_for_good("s1").policy.leavers = leavers;
        world.of("s1").groups.insert(99);
        world.groupless = [1001].into();
        assert_eq!(world.lines(), [format!("{kind} s1 skipped: groupsnottold")]);
    }
}
