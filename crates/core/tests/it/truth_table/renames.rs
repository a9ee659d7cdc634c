//! Login values that change, in chains and in circles, and who has to wait for whom.

use rosterd_core::exam_plan::LinkNote;

use crate::support::*;

#[test]
fn a_swap_of_two_login_values_is_two_modifies_that_go_together() {
    let mut world = converged([student("s1"), student("s2")]);
    world.set(student("s1").login("s2")).set(student("s2").login("s1"));
    assert_eq!(world.lines(), ["modify s1 login", "modify s2 login"]);
    let (_, violations) = world.run(100);
    assert!(violations.is_empty(), "{violations:?}");
    assert_eq!(world.sid("s1"), 1001);
    assert_eq!(world.of("s1").login, "s2");
    assert!(world.plan().is_empty());
}

#[test]
fn a_chain_of_renames_goes_through_in_one_run() {
    let mut world = converged([student("s1"), student("s2"), student("s3")]);
    world.set(student("s1").login("s2")).set(student("s2").login("s3")).set(student("s3").login("x"));
    let (_, violations) = world.run(100);
    assert!(violations.is_empty(), "{violations:?}");
    assert!(world.plan().is_empty());
}

#[test]
fn a_rename_into_the_login_value_of_an_unmanaged_candidate_is_impossible() {
    let mut world = converged([student("s1")]);
    world.enter(candidate("taken"));
    world.set(student("s1").login("taken"));
    assert_eq!(world.lines(), ["modify s1 cannot: login-value-taken"]);
}

#[test]
fn a_rename_into_the_login_value_of_a_student_who_keeps_it_waits() {
    let mut world = converged([student("s1"), student("s2")]);
    world.set(student("s1").login("s2")).set(student("s2").unusable());
    assert_eq!(world.lines(), ["modify s1 skipped: in use by s2", "modify s2 cannot: unusable-row"]);
}

#[test]
fn a_rename_into_a_leavers_login_value_waits_until_that_candidate_is_gone() {
    let mut world = converged([student("s1"), student("s2")]);
    world.leave("s2").set(student("s1").login("s2"));
    let waits = ["modify s1 skipped: login of leaver s2", "delete s2 held: same person"];
    assert_eq!(world.lines(), waits);
}

#[test]
fn a_chain_whose_last_link_is_stuck_is_stuck_as_a_whole() {
    let mut world = converged([student("s1"), student("s2"), student("s3")]);
    world.enter(candidate("taken"));
    world.set(student("s1").login("s2")).set(student("s2").login("s3")).set(student("s3").login("taken"));
    assert_eq!(
        world.lines(),
        [
            "modify s1 login skipped: in use by s2",
            "modify s2 login skipped: in use by s3",
            "modify s3 cannot: login-value-taken"
        ]
    );
}

#[test]
fn a_newcomer_waits_for_a_login_value_that_somebody_is_renamed_away_from() {
    let mut world = converged([student("s1")]);
    world.set(student("s1").login("x")).set(student("s2").login("s1"));
    assert_eq!(world.lines(), ["modify s1 login", "add s2 skipped: in use by s1"]);
    world.run(100);
    assert_eq!(world.lines(), ["add s2 in 1"]);
}

#[test]
fn a_newcomer_waits_for_a_leavers_login_value() {
    let mut world = converged([student("s1"), student("s3")]);
    world.leave_for_good("s1").set(student("s2").login("s1"));
    let waits = "add s2 skipped: login of leaver s1";
    assert_eq!(world.lines(), [waits, "delete s1 held: same person"]);
    world.approve();
    assert_eq!(world.lines(), [waits, "delete s1"]);
    world.run(100);
    assert_eq!(world.lines(), ["add s2 in 1"]);
}

#[test]
fn a_rename_brings_the_other_values_along() {
    let mut world = converged([student("s1")]);
    world.set(student("s1").login("x").phone("1"));
    assert_eq!(world.lines(), ["modify s1 login phone"]);
}

#[test]
fn a_rename_waits_for_the_one_that_followed_its_candidate() {
    let mut world = converged([student("s1"), student("s2")]);
    world.of("s1").login = "x".to_owned();
    world.set(student("s1").login("y")).set(student("s2").login("x"));
    assert_eq!(world.lines(), ["modify s1 login", "modify s2 login"]);
    let (_, violations) = world.run(100);
    assert!(violations.is_empty(), "{violations:?}");
    assert!(world.plan().is_empty());
}

#[test]
fn two_login_values_swapped_on_the_exam_side_are_swapped_back_after_a_look_up() {
    let mut world = converged([student("s1"), student("s2")]);
    world.of("s1").login = "s2".to_owned();
    world.of("s2").login = "s1".to_owned();
    for student in ["s1", "s2"] {
        world.link(student).groups = None;
    }
    assert_eq!(world.lines(), ["modify s1 login", "modify s2 login"]);
    let (_, violations) = world.run(100);
    assert!(violations.is_empty(), "{violations:?}");
    assert_eq!(world.of("s1").login, "s1");
    assert!(world.plan().is_empty());
}

#[test]
fn a_swap_on_the_exam_side_is_not_mistaken_for_a_service_that_rewrites_values() {
    let mut world = converged([student("s1"), student("s2")]);
    world.of("s1").login = "s2".to_owned();
    world.of("s2").login = "s1".to_owned();
    for _ in 0..3 {
        world.run(100);
    }
    assert_eq!(
        (world.of("s1").login.clone(), world.of("s2").login.clone()),
        ("s1".to_owned(), "s2".to_owned())
    );
    assert!(world.link("s1").rewritten.is_empty() && world.plan().is_empty());
}

#[test]
fn nobody_is_renamed_before_a_look_up_has_found_the_candidate_where_its_link_says() {
    let mut world = converged([student("s1"), student("s2"), student("s3")]);
    world.set(student("s1").login("x"));
    assert_eq!(world.needs().sids.len(), 1);
    world.silent.insert(world.sid("s1"));
    assert_eq!(world.lines(), ["modify s1 skipped: not found out"]);
}

#[test]
fn a_rename_is_not_made_into_the_place_of_somebody_who_was_moved_there() {
    let mut world = converged([student("s0"), student("s1"), student("s5")]);
    world.of("s1").login = "s5".to_owned();
    world.of("s5").login = "s1".to_owned();
    world.set(student("s0").login("s5")).set(student("s5").login("s0"));
    for _ in 0..5 {
        let (plan, violations) = world.run(1);
        assert!(violations.is_empty(), "{violations:?} by {:?}", lines(&plan));
    }
    assert!(world.plan().is_empty(), "{:?}", world.lines());
}

#[test]
fn a_doubtful_listing_allows_no_new_login_value_even_to_who_was_looked_up() {
    let mut world = converged([student("s1"), student("s2"), student("s3")]);
    world.total_is_wrong = true;
    world.set(student("s1").login("x").in_groups(["g2"]));
    assert_eq!(world.lines(), ["modify s1 login skipped: doubtful", "move s1 to 2"]);
}

#[test]
fn a_login_value_that_our_own_lost_change_wrote_is_no_sign_of_another_account() {
    let mut world = converged([student("s1"), student("s2"), student("s3")]);
    for (known, wanted) in [("s1", "new1"), ("s2", "new2")] {
        world.roster.get_mut(known).unwrap().login = wanted.to_owned();
        world.of(known).login = wanted.to_owned();
    }
    *world.of("s3") = candidate("somebody");
    let plan = world.plan();
    assert_eq!(plan.totals.another_login, 1, "{:?}", lines(&plan));
    assert!(plan.notes.contains(&LinkNote::Follow(id("s1"), login("new1"))), "{:?}", plan.notes);
}
