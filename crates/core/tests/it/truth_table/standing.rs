//! What stands as it stood: ambiguous keys and candidates that the account keeps out of its listing.

use rosterd_core::roster::Leavers;

use crate::support::*;

/// So many candidates out of 60 are a few.
const FEW: usize = 5;

#[test]
fn only_students_who_want_an_ambiguous_login_value_are_withheld() {
    let mut world = converged([student("s1"), student("s2"), student("s3")]);
    for strange in ["s1 ", "new\u{200b}", "\u{3000}new", ""] {
        world.enter(candidate(strange));
    }
    world.set(student("s2").phone("1")).set(student("new")).set(student("s4")).leave_for_good("s3");
    assert_eq!(
        world.lines(),
        [
            "adopt new skipped: ambiguous",
            "modify s1 skipped: ambiguous",
            "modify s2 phone",
            "add s4 in 1",
            "delete s3"
        ]
    );
    let needs = world.needs();
    assert!(needs.logins.is_empty() && needs.owners.is_empty(), "{needs:?}");
    assert_eq!(needs.sids.len(), 1, "only the leaver is looked up: {needs:?}");
    assert_eq!(world.plan().totals.unmanaged, 3, "one of the two is wanted");
}

#[test]
fn a_student_may_leave_an_ambiguous_login_value_for_another_one() {
    let mut world = converged([student("s1"), student("s2")]);
    world.enter(candidate("s1 "));
    world.set(student("s1").login("other"));
    assert_eq!(world.lines(), ["modify s1 login"]);
}

#[test]
fn a_few_candidates_that_stay_unlisted_withhold_their_students_and_nobody_else() {
    let mut world = crowd(60);
    for at in 0..FEW {
        let sid = world.sid(&format!("p{at:03}"));
        world.unlisted.insert(sid);
        world.known_unlisted.insert(sid);
    }
    world.leave_for_good("p000").leave_for_good("p010").set(student("s1"));
    world.set(student("p001").phone("1")).set(student("p011").phone("1"));
    let expected = [
        "modify p001 skipped: unlisted",
        "modify p002 skipped: unlisted",
        "modify p003 skipped: unlisted",
        "modify p004 skipped: unlisted",
        "modify p011 phone",
        "add s1 in 1",
        "delete p000 skipped: unlisted",
        "delete p010",
    ];
    assert_eq!(world.lines(), expected);
    assert_eq!(world.needs().sids.len(), 1, "who stays unlisted is not asked for: {:?}", world.needs());
    world.policy.leavers = Leavers::Keep;
    assert!(!world.lines().iter().any(|line| line.contains("p000")), "a kept leaver asks for nothing");
}

#[test]
fn one_new_unlisted_candidate_or_one_too_many_makes_the_listing_doubtful() {
    for (known, unlisted, is_doubt) in [(0, 1, true), (5, 5, false), (5, 6, true), (6, 6, true), (4, 5, true)]
    {
        let mut world = crowd(60);
        for at in 0..unlisted {
            let sid = world.sid(&format!("p{at:03}"));
            world.unlisted.insert(sid);
            if at < known {
                world.known_unlisted.insert(sid);
            }
        }
        world.set(student("s1"));
        assert_eq!(world.plan().doubt.is_some(), is_doubt, "{unlisted} unlisted, {known} known");
    }
}

#[test]
fn a_hundredth_of_a_large_account_may_stay_unlisted() {
    for (unlisted, is_doubt) in [(7, false), (8, true)] {
        let mut world = crowd(700);
        for at in 0..unlisted {
            let sid = world.sid(&format!("p{at:03}"));
            world.unlisted.insert(sid);
            world.known_unlisted.insert(sid);
        }
        assert_eq!(world.plan().doubt.is_some(), is_doubt, "{unlisted}");
    }
}

#[test]
fn an_unlisted_candidate_that_is_listed_again_is_brought_in_line() {
    let mut world = converged([student("s1"), student("s2")]);
    world.known_unlisted.insert(world.sid("s1"));
    world.set(student("s1").phone("1"));
    assert_eq!(world.lines(), ["modify s1 phone"]);
}

#[test]
fn an_unlisted_candidate_that_a_due_look_up_finds_deleted_is_entered_again() {
    let mut world = converged([student("s1"), student("s2")]);
    let sid = world.sid("s1");
    world.known_unlisted.insert(sid);
    world.vanish("s1").verified.insert(sid);
    assert_eq!(world.lines(), ["add s1 in 1 again"]);
}
