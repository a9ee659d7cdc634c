//! Candidates that were there before us, that somebody changes by hand, or that are not ours.

use rosterd_core::exam_plan::Origin;
use rosterd_core::roster::{Adopt, Limit};

use rosterd_testkit::*;

#[tokio::test]
async fn a_candidate_that_is_already_there_is_taken_over_and_brought_in_line() {
    let world = ExamSchool::with(students(2)).await;
    let sid = world.sandbox.insert_candidate(
        &[(LOGIN, "s000"), (NAME, "Wrong"), (GENDER, "f"), (PASSWORD, "their own")],
        &[world.gid("g2")],
    );
    let report = world.run().await;
    assert_eq!(report.applied(), "1 add, 1 adopt, 1 modify, 1 move");
    let candidate = world.candidate("s000");
    assert_eq!(candidate.sid, sid);
    assert_eq!(candidate.fields[&NAME], "Name of s000");
    assert_eq!(candidate.fields[&PASSWORD], "their own", "people keep the password they have");
    assert_eq!(candidate.gids, [world.gid("g1")].into());
    assert_eq!(world.link("s000").await.unwrap().origin, Origin::Adopted);
    assert_eq!(world.run().await.planned(), "");
}

#[tokio::test]
async fn with_adopt_never_a_candidate_that_is_there_is_reported_and_left_alone() {
    let mut world = ExamSchool::with(students(2)).await;
    world.settings.exam.adopt = Adopt::Never;
    world.sandbox.insert_candidate(&[(LOGIN, "s000"), (NAME, "Wrong")], &[world.gid("g2")]);
    let report = world.run().await;
    assert_eq!((report.applied(), report.skipped()), ("1 add".to_owned(), "1 adopt".to_owned()));
    assert_eq!(report.exit_code, 3);
    assert_eq!(world.candidate("s000").fields[&NAME], "Wrong");
    let failures = world.failures().await;
    assert_eq!((failures[0].code.as_str(), failures[0].state.as_str()), ("adoption-off", "dead"));
}

#[tokio::test]
async fn unmanaged_candidates_are_counted_and_never_touched() {
    let mut world = ExamSchool::with(students(3)).await;
    let gids = [world.gid("g1")];
    for login in ["stranger", "another"] {
        world.sandbox.insert_candidate(&[(LOGIN, login), (NAME, "Not ours")], &gids);
    }
    let before = world.sandbox.candidates();
    assert_eq!(world.run().await.exam.unmanaged, 2);
    world.remove("s000").await;
    for _ in 0..3 {
        world.later(4 * DAY);
        let _report = world.run().await;
    }
    assert_eq!(world.logins(), ["another", "s001", "s002", "stranger"]);
    let after: Vec<_> = world.sandbox.candidates().into_iter().filter(|one| before.contains(one)).collect();
    assert_eq!(after, before);
}

#[tokio::test]
async fn a_candidate_deleted_by_hand_is_entered_again_and_linked_anew() {
    let world = ExamSchool::in_step(students(3)).await;
    let old = world.sid("s001").await;
    world.sandbox.remove_candidate(old);
    let report = world.run().await;
    assert_eq!(report.applied(), "1 add");
    assert!(report.exam.notes[0].contains("s001"), "{:?}", report.exam.notes);
    assert_ne!(world.sid("s001").await, old);
    assert_eq!(world.differences(&[]), Vec::<String>::new());
    assert_eq!(world.run().await.planned(), "");
}

#[tokio::test]
async fn a_candidate_entered_anew_by_hand_is_adopted_when_its_groups_are_looked_up() {
    let world = ExamSchool::in_step(students(3)).await;
    world.sandbox.remove_candidate(world.sid("s001").await);
    let new = world
        .sandbox
        .insert_candidate(&[(LOGIN, "s001"), (NAME, "By hand"), (GENDER, "f")], &[world.gid("g2")]);
    let report = world.run_later().await;
    assert_eq!(report.applied(), "1 adopt, 1 modify, 1 move");
    assert_eq!(world.sid("s001").await, new);
    let seen = world.candidate("s001");
    assert_eq!((seen.fields[&NAME].as_str(), seen.gids), ("Name of s001", [world.gid("g1")].into()));
    assert_eq!(world.run().await.planned(), "");
}

#[tokio::test]
async fn a_candidate_renamed_by_hand_keeps_its_link_and_gets_its_login_value_back() {
    let world = ExamSchool::in_step(students(3)).await;
    let sid = world.sid("s001").await;
    world.sandbox.edit_candidate(sid, &[(LOGIN, "by-hand")]);
    assert_eq!(world.run().await.applied(), "1 modify");
    assert_eq!(world.candidate("s001").sid, sid);
    assert_eq!(world.differences(&[]), Vec::<String>::new());
}

#[tokio::test]
async fn login_values_swapped_by_hand_are_put_right_without_touching_anything_else() {
    let world = ExamSchool::in_step(students(3)).await;
    let (one, two) = (world.sid("s000").await, world.sid("s001").await);
    world.sandbox.edit_candidate(one, &[(LOGIN, "s001")]);
    world.sandbox.edit_candidate(two, &[(LOGIN, "s000")]);
    for _ in 0..4 {
        let _report = world.run_later().await;
    }
    assert_eq!(world.differences(&[]), Vec::<String>::new());
    assert_eq!(world.run().await.planned(), "");
}

#[tokio::test]
async fn a_candidate_that_exists_but_is_not_listed_makes_the_listing_doubtful() {
    let mut world = ExamSchool::in_step(students(5)).await;
    world.remove("s004").await;
    for _ in 0..2 {
        world.later(4 * DAY);
        world.set("short_page", "getstulist@*:1");
        let report = world.run().await;
        assert_eq!((report.exit_code, report.writes()), (3, 0), "{report:?}");
        world.sandbox.clear_faults();
    }
    assert_eq!(world.logins().len(), 5);
    assert_eq!(world.link("s004").await.unwrap().gone_runs, 0);
}

#[tokio::test]
async fn more_vanished_candidates_than_a_few_are_held() {
    let mut world = ExamSchool::in_step(students(12)).await;
    world.settings.guard.max_delete = Limit::Auto;
    for id in ["s000", "s001", "s002", "s003", "s004", "s005"] {
        world.sandbox.remove_candidate(world.sid(id).await);
    }
    let report = world.run().await;
    assert_eq!((report.held(), report.exit_code), ("6 add".to_owned(), 4));
    assert_eq!(world.logins().len(), 6);
    let digest = report.digest.clone();
    world.state.approve(&digest, world.clock.now_ms() + DAY).await.unwrap();
    assert_eq!(world.run().await.applied(), "6 add");
    assert_eq!(world.differences(&[]), Vec::<String>::new());
}
