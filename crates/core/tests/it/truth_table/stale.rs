//! Candidates that are gone by sid while another one is listed under their login value.

use rosterd_core::exam_plan::{Change, Flaw, LinkNote};
use rosterd_core::roster::{Adopt, Sid};

use crate::support::*;

/// Somebody deletes a candidate and enters a new one under the same login value.
fn replaced(world: &mut World, student: &str) -> i64 {
    world.vanish(student);
    let sid = world.enter(candidate(student).field(PHONE, "552"));
    world.verified.insert(world.sid(student));
    sid
}

#[test]
fn a_candidate_entered_anew_under_the_same_login_value_is_adopted() {
    let mut world = converged([student("s1"), student("s2")]);
    let sid = replaced(&mut world, "s1");
    let plan = world.plan();
    assert_eq!(lines(&plan), ["adopt s1"]);
    let Change::Adopt(adoption) = &plan.operations[0].change else { panic!("an adoption") };
    assert_eq!(adoption.sid.0, sid);
    world.run(100);
    assert_eq!(world.sid("s1"), sid);
    assert!(world.plan().is_empty());
}

#[test]
fn a_candidate_entered_anew_is_compared_as_one_that_was_never_ours() {
    let mut world = converged([student("s1").password("pw"), student("s2").password("pw")]);
    replaced(&mut world, "s1");
    assert_eq!(world.lines(), ["adopt s1"], "no password is sent to a candidate that is taken over");
}

#[test]
fn a_candidate_found_gone_while_its_groups_are_looked_up_is_never_written_to() {
    let mut world = converged([student("s1"), student("s2")]);
    replaced(&mut world, "s1");
    world.verified.clear();
    world.set(student("s1").in_groups(["g2"]).phone("1"));
    assert_eq!(world.lines(), ["adopt s1", "modify s1 phone", "move s1 to 2"]);
    let sid = world.sid("s1");
    let writes_to_the_old_one = world.plan().operations.iter().any(
        |operation| matches!(&operation.change, Change::Modify(modification) if modification.sid.0 == sid),
    );
    assert!(!writes_to_the_old_one);
}

#[test]
fn a_student_renamed_away_from_a_replaced_candidate_is_added_anew() {
    let mut world = converged([student("s1"), student("s2")]);
    replaced(&mut world, "s1");
    world.set(student("s1").login("x"));
    assert_eq!(world.lines(), ["add s1 in 1 again"]);
    assert_eq!(world.plan().totals.unmanaged, 1, "the new candidate is nobody's");
}

#[test]
fn a_leaver_whose_candidate_was_replaced_is_withheld_until_the_new_one_is_gone_too() {
    let mut world = converged([student("s1"), student("s2")]);
    replaced(&mut world, "s1");
    world.leave_for_good("s1");
    let plan = world.plan();
    assert_eq!(lines(&plan), ["delete s1 skipped: entered anew"]);
    assert_eq!(plan.notes, [LinkNote::Gone(id("s1"))]);
    assert_eq!(plan.totals.unmanaged, 1);
    world.approve();
    assert_eq!(
        world.lines(),
        ["delete s1 skipped: entered anew"],
        "no approval deletes what is not shown to be s1's"
    );
    let new = *world.candidates.iter().find(|(_, one)| one.login == "s1").unwrap().0;
    world.candidates.remove(&new);
    assert_eq!(world.plan().notes, [LinkNote::Close(id("s1"))]);
}

#[test]
fn a_replaced_candidate_of_a_leaver_whose_login_value_is_wanted_is_for_the_one_who_wants_it_once_approved() {
    for wanted in [student("new").login("s1"), student("s2").login("s1")] {
        let mut world = converged([student("s1"), student("s2")]);
        replaced(&mut world, "s1");
        world.leave_for_good("s1").set(wanted);
        let lines = world.lines();
        assert!(!lines.contains(&"delete s1 skipped: entered anew".to_owned()), "{lines:?}");
        world.approve();
        assert!(world.plan().notes.contains(&LinkNote::Close(id("s1"))), "{:?}", world.lines());
    }
}

#[test]
fn a_replaced_candidate_not_to_be_adopted_is_reported_and_the_link_dropped() {
    let mut world = converged([student("s1"), student("s2")]);
    replaced(&mut world, "s1");
    world.policy.adopt = Adopt::Never;
    assert_eq!(world.lines(), ["adopt s1 cannot: adoption-off"]);
    assert_eq!(world.plan().notes, [LinkNote::Lost(id("s1"))]);
}

#[test]
fn a_student_who_still_owns_the_login_value_does_not_block_the_adoption() {
    let mut world = converged([student("s1"), student("s2")]);
    replaced(&mut world, "s1");
    assert_eq!(world.links["s1"].login, login("s1"), "the link is still there when owners are asked for");
    assert_eq!(world.lines(), ["adopt s1"]);
}

#[test]
fn a_candidate_known_to_be_gone_and_not_listed_is_added_again_without_a_look_up() {
    let mut world = converged([student("s1"), student("s2")]);
    world.verified.insert(world.sid("s1"));
    world.vanish("s1");
    assert!(world.needs().sids.is_empty());
    assert_eq!(world.lines(), ["add s1 in 1 again"]);
}

#[test]
fn of_two_links_that_claim_one_candidate_the_look_up_says_which_is_out_of_date() {
    for tells_login in [true, false] {
        let mut world = converged([student("s1"), student("s2"), student("s3")]);
        world.tells_login = tells_login;
        world.vanish("s1").link("s1").login = login("s2");
        world.set(student("s1").login("x"));
        assert_eq!(world.lines(), ["add s1 in 1 again"], "login field told: {tells_login}");
        world.silent.insert(world.sid("s1"));
        assert_eq!(world.lines(), ["modify s1 skipped: not found out"], "{tells_login:?}");
    }
}

#[test]
fn links_that_swapped_candidates_are_not_modified_through_each_other() {
    let mut world = converged([student("s1"), student("s2"), student("s3")]);
    world.link("s1").login = login("s2");
    world.tells_login = false;
    world.set(student("s1").phone("1"));
    assert_eq!(world.lines(), ["modify s1 skipped: not found out"], "s2's candidate is not s1's");
}

#[test]
fn a_candidate_renamed_into_the_place_of_a_deleted_one_is_not_taken_for_it() {
    let mut world = converged([student("s1"), student("s2"), student("s3")]);
    world.vanish("s2").of("s1").login = "s2".to_owned();
    assert_eq!(world.lines(), ["modify s1 login", "modify s2 skipped: not found out"]);
    world.run(100);
    assert_eq!(world.lines(), ["add s2 in 1 again"]);
}

#[test]
fn a_contested_candidate_belongs_to_the_sid_that_shows_the_login_value() {
    let mut world = converged([student("s1"), student("s2"), student("s3")]);
    world.vanish("s1").link("s1").login = login("s2");
    world.silent_logins.insert("s2".to_owned());
    world.set(student("s2").phone("1"));
    assert_eq!(world.lines(), ["modify s1 skipped: not found out", "modify s2 phone"]);
    world.tells_login = false;
    assert_eq!(world.lines(), ["modify s1 skipped: not found out", "modify s2 skipped: not found out"]);
    world.silent_logins.clear();
    assert_eq!(world.lines(), ["modify s2 phone", "add s1 in 1 again"], "both look-ups say so");
}

#[test]
fn a_link_never_follows_to_the_candidate_that_merely_has_the_wanted_login_value() {
    for tells_login in [true, false] {
        let mut world = converged([student("s1"), student("s2"), student("s3")]);
        world.tells_login = tells_login;
        world.unlisted.insert(world.sid("s1"));
        world.enter(candidate("x"));
        world.set(student("s1").login("x"));
        let plan = world.plan();
        let unlisted = vec![(id("s1"), Sid(world.sid("s1")))];
        assert_eq!(plan.doubt, Some(Flaw::Incomplete { unlisted }), "login field told: {tells_login}");
        assert!(plan.notes.is_empty(), "{:?}", plan.notes);
        assert_eq!(lines(&plan), ["modify s1 skipped: doubtful"], "{tells_login:?}");
        world.silent.insert(world.sid("s1"));
        assert_eq!(world.lines(), ["modify s1 skipped: not found out"], "nobody said that it exists");
    }
}

#[test]
fn a_candidate_in_a_gone_ones_place_is_unmanaged_unless_its_login_value_is_wanted() {
    let unmanaged = |now: Option<Person>| {
        let mut world = converged([student("s1"), student("s2")]);
        replaced(&mut world, "s1");
        world.leave("s1");
        now.into_iter().for_each(|person| {
            world.set(person);
        });
        world.plan().totals.unmanaged
    };
    assert_eq!(unmanaged(Some(student("s1"))), 0, "its own student");
    assert_eq!(unmanaged(Some(student("s2").login("s1"))), 0, "a rename");
    assert_eq!(unmanaged(Some(student("s9").login("s1"))), 0, "a newcomer");
    for others in [None, Some(student("s2").phone("1")), Some(student("s9").login("z"))] {
        assert_eq!(unmanaged(others.clone()), 1, "{others:?}");
    }
}
