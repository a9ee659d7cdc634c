//! Adds of earlier runs that had no answer, where a candidate is there under the login value that was sent: it is met like
//! any other one, also where the roster has another login value by now.

use std::collections::BTreeSet;

use rosterd_core::exam_plan::{Change, OpenAdd, Origin};
use rosterd_core::failure::FailureState;
use rosterd_core::roster::{Adopt, Gid, Sid, StudentId};

use crate::support::*;

const ALL_AGREES: &str = "adopt s2";
const RENAMED: [&str; 2] = [ALL_AGREES, "modify s2 login"];

/// `s2`, whom an earlier run sent under `sent_as`, beside the candidate that is there under that.
fn sent(sent_as: &str, found: Candidate) -> World {
    let mut world = converged([student("s1")]);
    let sid = Sid(world.enter(found));
    let there = OpenAdd::There { login: login(sent_as), sid, groups: Some(BTreeSet::from([Gid(1)])) };
    world.set(student("s2")).open_adds.insert(id("s2"), there);
    world
}

/// As `s2` was sent before the roster had another login value.
fn as_sent() -> Candidate {
    candidate("old").field(NAME, "name of s2").field(PHONE, "552")
}

fn is_ours(world: &mut World) {
    world.our_lost_adds.insert(id("s2"));
}

fn origin(world: &World) -> Option<Origin> {
    let plan = world.plan();
    plan.operations.iter().find_map(|operation| {
        if let Change::Adopt(adoption) = &operation.change { Some(adoption.origin) } else { None }
    })
}

#[test]
fn a_candidate_under_the_login_value_that_was_sent_is_adopted_and_given_the_new_one() {
    let world = sent("old", as_sent());
    assert_eq!(world.lines(), RENAMED);
    assert_eq!(origin(&world), Some(Origin::Adopted));
}

#[test]
fn a_candidate_that_a_lost_add_entered_is_ours_whatever_adoption_is_set_to() {
    for adopt in [Adopt::Auto, Adopt::Never] {
        let mut world = sent("old", as_sent());
        world.policy.adopt = adopt;
        is_ours(&mut world);
        assert_eq!(world.lines(), RENAMED, "{adopt:?}");
        assert_eq!(origin(&world), Some(Origin::Added), "{adopt:?}");
    }
}

#[test]
fn a_candidate_that_no_lost_add_entered_keeps_its_student_out_where_adoption_is_off() {
    let mut world = sent("old", as_sent());
    world.policy.adopt = Adopt::Never;
    let lines = world.lines();
    assert!(lines.len() == 1 && lines[0].starts_with("adopt s2 cannot"), "{lines:?}");
}

#[test]
fn a_candidate_under_the_rosters_own_login_value_is_adopted_in_the_usual_way() {
    let world = sent("s2", candidate("s2").field(PHONE, "552"));
    assert_eq!(world.lines(), [ALL_AGREES]);
}

#[test]
fn a_candidate_of_whom_nothing_agrees_is_held_and_once_silenced_somebody_elses() {
    let mut world = sent("old", candidate("old").field(PHONE, "1"));
    let held = world.lines();
    assert_eq!(held[0], "adopt s2 held: nothing agrees");
    assert!(held[1..].iter().all(|line| line.ends_with("skipped: after adopt")), "{held:?}");
    world.ignore();
    assert_eq!(world.lines(), ["add s2 in 1"]);
    is_ours(&mut world);
    assert_eq!(
        world.lines(),
        [ALL_AGREES, "modify s2 login name phone"],
        "what we entered ourselves is no doubt"
    );
}

#[test]
fn a_login_value_that_a_stranger_has_meanwhile_is_not_given_to_the_candidate_that_was_met() {
    let mut world = sent("old", as_sent());
    world.enter(candidate("s2"));
    let lines = world.lines();
    assert!(lines.len() == 2 && lines[0] == ALL_AGREES, "{lines:?}");
    assert!(lines[1].starts_with("modify s2 cannot"), "{lines:?}");
}

#[test]
fn a_login_value_that_another_student_gives_up_in_this_run_is_waited_for() {
    let mut world = sent("old", as_sent()).with_converged([student("s3").login("s2")]);
    world.set(student("s3").login("three"));
    assert_eq!(world.lines(), [ALL_AGREES, "modify s2 login", "modify s3 login"]);
    let plan = world.plan();
    let of_s2 = plan.operations.iter().filter(|operation| operation.student == id("s2"));
    let rename = of_s2.into_iter().find_map(|operation| {
        if let Change::Modify(modification) = &operation.change { modification.login.clone() } else { None }
    });
    assert_eq!(rename.unwrap().held_by, Some(StudentId::new("s3")));
}

#[test]
fn an_add_that_is_not_shown_and_stands_as_a_failure_waits_like_one() {
    let mut world = converged([student("s1")]);
    let again_at_ms = world.now_ms + 1;
    world.set(student("s2")).open_adds.insert(id("s2"), OpenAdd::NotShown { again_at_ms });
    let now_ms = world.now_ms;
    world.fail(FailureState::Waiting, now_ms);
    assert_eq!(world.lines(), ["add s2 in 1 skipped: not due"]);
}

#[test]
fn only_what_a_later_run_can_tell_is_to_be_found_out() {
    let there = OpenAdd::There { login: login("old"), sid: Sid(1), groups: None };
    for (open, expected) in
        [(OpenAdd::Untold, true), (OpenAdd::NotShown { again_at_ms: 0 }, true), (there, false)]
    {
        assert_eq!(open.is_to_be_found_out(), expected, "{open:?}");
    }
}
