//! What look-ups said of people who stand as they stood is remembered, and nothing is written on the strength of it.

use std::time::Duration;

use rosterd_core::failure::FailureState;
use rosterd_testkit::*;

use crate::program::Programs as _;

const SOMEBODY: [(i64, &str); 3] = [(NAME, "Somebody"), (GENDER, "m"), (PHONE, "none")];

/// A take-over that is held as nothing agrees, and about which nobody is asked any more.
async fn with_a_take_over_that_stands() -> ExamSchool {
    let mut world = ExamSchool::in_step(students(5)).await;
    world.leaves_work_behind();
    world.sandbox.insert_candidate(&[&SOMEBODY[..], &[(LOGIN, "taken")]].concat(), &[world.gid("g1")]);
    world.put(student("taken")).await;
    for _ in 1..=3 {
        assert_eq!(world.run().await.applied(), "");
    }
    asks(&world, false).await;
    world
}

/// Whether a run that writes nothing asks about anybody.
async fn asks(world: &ExamSchool, expected: bool) {
    world.sandbox.clear_journal();
    let report = world.run().await;
    assert_eq!(report.applied(), "", "{report:#?}");
    assert_eq!(world.journal().contains(&"getstudentsinfo".to_owned()), expected, "{:?}", world.journal());
}

async fn approve_the_hold(world: &ExamSchool) {
    let digest = world.plan_report().await.held_digest.unwrap();
    let ended = world.school.program(&["approve", &digest, "--student", "taken"]);
    assert_eq!(ended.code, 0, "{ended:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_approved_is_looked_up_in_the_run_that_does_it() {
    let world = with_a_take_over_that_stands().await;
    let before = world.candidate("taken").sid;
    approve_the_hold(&world).await;
    let report = world.run().await;
    assert!(report.applied().starts_with("1 adopt"), "{report:#?}");
    assert!(world.journal().contains(&"getstudentsinfo".to_owned()));
    assert_eq!(world.sid("taken").await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_candidate_that_was_exchanged_unseen_is_not_taken_over_for_the_remembered_one() {
    let world = with_a_take_over_that_stands().await;
    approve_the_hold(&world).await;
    world.sandbox.remove_candidate(world.candidate("taken").sid);
    let other =
        world.sandbox.insert_candidate(&[&SOMEBODY[..], &[(LOGIN, "taken")]].concat(), &[world.gid("g1")]);
    let report = world.run().await;
    assert_eq!((report.applied().as_str(), report.held().as_str()), ("", "1 adopt"), "{report:#?}");
    assert!(world.link("taken").await.is_none());
    assert_eq!(world.candidate("taken").fields[&NAME], "Somebody", "{other}");
}

#[tokio::test]
async fn who_stands_is_asked_about_when_row_or_listing_change_when_they_are_to_be_tried_or_after_a_while() {
    let mut world = with_a_take_over_that_stands().await;
    world.edit("taken", |it| it.phone("another")).await;
    asks(&world, true).await;
    asks(&world, true).await;
    asks(&world, false).await;
    let row = world.failures().await.into_iter().find(|row| row.student_id == "taken").unwrap().id;
    world.state.change_failures(Some(&[row]), FailureState::Waiting, world.clock.now_ms()).await.unwrap();
    asks(&world, true).await;
    asks(&world, true).await;
    asks(&world, false).await;
    world.settings.exam.verify_groups = Duration::from_secs(3600);
    world.state.bring_group_checks_forward(world.clock.now_ms(), 365 * DAY).await.unwrap();
    world.later(2 * HOUR);
    asks(&world, true).await;
    let sid = world.candidate("taken").sid;
    world.sandbox.edit_candidate(sid, &[(NAME, "Name of taken")]);
    let report = world.run().await;
    assert!(report.applied().starts_with("1 adopt"), "one value agrees: {report:#?}");
}

#[tokio::test]
async fn an_answer_that_leaves_something_open_is_asked_for_again() {
    let mut world = with_a_take_over_that_stands().await;
    world.settings.exam.shared = Some(true);
    world.set("groups_missing", "getstudentsinfo@*:absent");
    world.edit("taken", |it| it.phone("another")).await;
    for _ in 0..4 {
        asks(&world, true).await;
    }
}
