//! What is looked up for a plan, and what is not: every look-up costs a call, and a missing one costs a decision.

use rosterd_core::roster::{Adopt, Leavers, Mode};

use crate::support::*;

/// What would be looked up: `sid 1001`, `login s1`, `owner s1`.
fn asked(world: &World) -> Vec<String> {
    let needs = world.needs();
    let sids = needs.sids.iter().map(|sid| format!("sid {sid}"));
    let logins = needs.logins.iter().map(|login| format!("login {login}"));
    let owners = needs.owners.iter().map(|login| format!("owner {login}"));
    sids.chain(logins).chain(owners).collect()
}

const NOTHING: [&str; 0] = [];

fn pair() -> World {
    converged([student("s1"), student("s2")])
}

#[test]
fn nothing_is_asked_of_who_is_as_wanted_or_differs_only_in_values() {
    let mut world = pair();
    assert_eq!(asked(&world), NOTHING);
    world.set(student("s1").phone("1"));
    assert_eq!(asked(&world), NOTHING);
}

#[test]
fn a_newcomer_is_looked_up_only_where_somebody_is_listed_under_the_login_value() {
    let mut world = pair();
    world.set(student("s3"));
    assert_eq!(asked(&world), NOTHING);
    world.enter(candidate("s3"));
    assert_eq!(asked(&world), ["login s3", "owner s3"]);
}

#[test]
fn a_candidate_not_to_be_adopted_is_looked_up_only_if_we_may_have_entered_it() {
    let mut world = pair();
    world.enter(candidate("s3"));
    world.set(student("s3")).policy.adopt = Adopt::Never;
    assert_eq!(asked(&world), ["owner s3"]);
    world.our_lost_adds.insert(id("s3"));
    assert_eq!(asked(&world), ["login s3", "owner s3"]);
}

#[test]
fn groups_that_change_or_are_unknown_are_looked_up_once_in_a_run() {
    let mut world = pair();
    world.set(student("s1").in_groups(["g2"]));
    assert_eq!(asked(&world), ["sid 1001"]);
    world.verified.insert(1001);
    assert_eq!(asked(&world), NOTHING);
    world.verified.clear();
    world.set(student("s1")).link("s1").groups = None;
    assert_eq!(asked(&world), ["sid 1001"]);
}

#[test]
fn a_rename_is_looked_up_before_it_is_made_unless_the_listing_is_doubtful() {
    let mut world = pair();
    world.set(student("s1").login("x"));
    assert_eq!(asked(&world), ["sid 1001"]);
    world.verified.insert(1001);
    assert_eq!(
        asked(&world),
        ["sid 1001"],
        "where its groups were looked up, its login value was not compared"
    );
    world.total_is_wrong = true;
    assert_eq!(asked(&world), NOTHING);
}

#[test]
fn a_rename_into_a_listed_login_value_asks_whose_it_is() {
    let mut world = pair();
    world.set(student("s1").login("s2"));
    world.set(student("s2").login("x"));
    assert_eq!(asked(&world), ["sid 1001", "sid 1002", "owner s2"]);
}

#[test]
fn a_missing_student_is_looked_up_by_sid_unless_known_or_the_listing_is_doubtful() {
    let mut world = pair();
    world.vanish("s1");
    assert_eq!(asked(&world), ["sid 1001"]);
    world.total_is_wrong = true;
    assert_eq!(asked(&world), NOTHING);
    world.total_is_wrong = false;
    world.verified.insert(1001);
    assert_eq!(asked(&world), NOTHING);
}

#[test]
fn who_is_missing_while_the_wanted_login_value_is_listed_is_looked_up_by_both() {
    let mut world = pair();
    world.of("s1").login = "x".to_owned();
    world.set(student("s1").login("x"));
    assert_eq!(asked(&world), ["sid 1001", "login x", "owner x"]);
    world.total_is_wrong = true;
    assert_eq!(asked(&world), ["owner x"]);
}

#[test]
fn a_value_that_came_back_changed_makes_its_candidate_looked_up() {
    let mut world = pair();
    world.masking.insert(PHONE);
    world.set(student("s1").phone("12345"));
    world.run(100);
    assert_eq!(asked(&world), ["sid 1001"]);
    world.total_is_wrong = true;
    assert_eq!(asked(&world), ["sid 1001"]);
}

#[test]
fn of_two_links_that_claim_one_candidate_both_are_looked_up_by_sid_and_login_value() {
    let mut world = converged([student("s1"), student("s2"), student("s3")]);
    world.link("s1").login = login("s2");
    assert_eq!(asked(&world), ["sid 1001", "sid 1002", "login s2", "owner s1"]);
    world.set(student("s1").phone("1")).leave("s2");
    assert_eq!(asked(&world), ["sid 1001", "sid 1002", "login s2", "owner s1"], "of a leaver too");
}

#[test]
fn a_leaver_is_looked_up_when_due_and_not_before() {
    let mut world = pair();
    world.leave("s1");
    assert_eq!(asked(&world), NOTHING);
    let now = world.now_ms;
    for (since, runs, is_asked) in
        [(now - 72 * HOUR, 1, true), (now - 72 * HOUR + 1, 1, false), (now - 72 * HOUR, 0, false)]
    {
        let link = world.link("s1");
        (link.gone_since_ms, link.gone_runs) = (Some(since), runs);
        assert_eq!(asked(&world).len(), usize::from(is_asked), "since {since}, {runs} runs");
    }
}

#[test]
fn a_due_leaver_is_not_looked_up_where_nothing_could_come_of_it() {
    let due = || {
        let mut world = pair();
        world.leave_for_good("s1");
        world
    };
    assert_eq!(asked(&due()), ["sid 1001"]);
    let mut world = due();
    world.policy.mode = Mode::Upsert;
    assert_eq!(asked(&world), NOTHING, "only sync dismisses leavers");
    let mut world = due();
    world.policy.leavers = Leavers::Keep;
    assert_eq!(asked(&world), NOTHING);
    let mut world = due();
    world.total_is_wrong = true;
    assert_eq!(asked(&world), NOTHING, "nobody is dismissed by a doubtful listing");
    let mut world = due();
    world.verified.insert(1001);
    assert_eq!(asked(&world), NOTHING, "its groups were looked up in this run");
    let mut world = due();
    world.link("s1").groups = Some(gids(&[99].into()));
    assert_eq!(asked(&world), NOTHING, "it is in no group of ours any more");
}

#[test]
fn a_missing_leaver_is_looked_up_in_any_mode_unless_known_or_listing_is_doubtful() {
    let mut world = pair();
    world.leave("s1").vanish("s1").policy.mode = Mode::CreateOnly;
    assert_eq!(asked(&world), ["sid 1001"]);
    world.total_is_wrong = true;
    assert_eq!(asked(&world), NOTHING);
    world.total_is_wrong = false;
    world.verified.insert(1001);
    assert_eq!(asked(&world), NOTHING);
}

#[test]
fn the_candidate_that_took_a_gone_ones_place_is_looked_up_by_login_value() {
    let mut world = pair();
    world.vanish("s1");
    world.enter(candidate("s1"));
    world.verified.insert(1001);
    assert_eq!(world.lines(), ["adopt s1", "modify s1 phone"]);
}

#[test]
fn only_candidates_of_whom_a_written_value_came_back_changed_are_doubted() {
    let mut world = pair();
    world.masking.insert(PHONE);
    world.set(student("s1").phone("12345"));
    assert!(world.doubted().is_empty(), "nothing was written yet");
    world.run(100);
    world.set(student("s2").name("another")).set(student("s3"));
    assert_eq!(world.doubted(), [1001]);
}

#[test]
fn newcomers_are_students_without_a_link_whether_or_not_somebody_is_listed_for_them() {
    let mut world = pair();
    world.enter(candidate("s4"));
    world.set(student("s3")).set(student("s4")).set(student("s1").phone("1"));
    world.vanish("s2").enter(candidate("s2"));
    world.verified.insert(1002);
    world.set(student("s5").unusable());
    assert_eq!(world.newcomers(), ["s3", "s4"].map(str::to_owned).into(), "s2 had one that is gone");
}
