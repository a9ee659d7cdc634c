//! What is held is stored once, and an approval is good for it while it is wanted.

use rosterd_core::roster::Limit;
use rosterd_testkit::*;

/// Six of twenty students have left long enough ago, which is one too many.
async fn with_a_mass() -> ExamSchool {
    let mut world = ExamSchool::in_step(students(20)).await;
    world.settings.guard.max_delete = Limit::Count(5);
    for number in 0..6 {
        world.remove(&format!("s{number:03}")).await;
    }
    assert_eq!(world.run().await.applied(), "");
    world.later(4 * DAY);
    world
}

#[tokio::test]
async fn the_same_hold_has_one_digest_and_one_beginning_from_run_to_run() {
    let mut world = with_a_mass().await;
    let first = world.run().await;
    let hold = first.holds[0].clone();
    assert_eq!((hold.reason_code.as_str(), hold.limit, hold.operations), ("missing", Some(5), 6));
    assert_eq!(first.held_digest, Some(hold.digest.clone()));
    world.later(HOUR);
    // Something else happens meanwhile: the report has another digest, what is held has not.
    world.put(student("new")).await;
    let second = world.run().await;
    assert_eq!(second.applied(), "1 add");
    assert_ne!(second.digest, first.digest);
    assert_eq!(second.held_digest, first.held_digest);
    assert_eq!((&second.holds[0].since, &second.holds[0].digest), (&hold.since, &hold.digest));
    let planned = world.plan_report().await;
    assert_eq!((planned.held_digest, &planned.holds[0].since), (first.held_digest, &hold.since));
}

#[tokio::test]
async fn one_more_in_a_hold_is_another_digest_and_the_same_beginning() {
    let mut world = ExamSchool::in_step(students(20)).await;
    world.settings.guard.max_modify = Limit::Count(0);
    world.edit("s000", |it| it.named("Somebody else")).await;
    let first = world.run().await;
    world.later(HOUR);
    world.edit("s001", |it| it.named("Somebody else")).await;
    let second = world.run().await;
    assert_eq!(second.held(), "2 modify");
    assert_ne!(second.held_digest, first.held_digest);
    assert_eq!(second.holds[0].since, first.holds[0].since);
    // Under the older digest one was held: it covers that one and not the one that came later.
    let digest = first.held_digest.unwrap();
    assert_eq!(world.state.approve(&digest, world.clock.now_ms() + DAY).await.unwrap(), 1);
    let report = world.run().await;
    assert_eq!((report.applied(), report.held()), ("1 modify".to_owned(), "1 modify".to_owned()));
}

#[tokio::test]
async fn the_digests_of_report_plan_and_hold_all_name_what_is_held() {
    for which in 0..4 {
        let world = with_a_mass().await;
        let report = world.run().await;
        let planned = world.plan_report().await;
        let digests =
            [report.digest, report.held_digest.unwrap(), report.holds[0].digest.clone(), planned.digest];
        let covered = world.state.approve(&digests[which], world.clock.now_ms() + DAY).await.unwrap();
        assert_eq!(covered, 6, "{which}");
    }
}

#[tokio::test]
async fn a_student_who_is_back_and_leaves_again_needs_a_new_approval() {
    let mut world = with_a_mass().await;
    let digest = world.run().await.held_digest.unwrap();
    world.settings.guard.max_delete = Limit::Count(0);
    world.state.approve(&digest, world.clock.now_ms() + 30 * DAY).await.unwrap();
    for number in 0..6 {
        world.put(student(&format!("s{number:03}"))).await;
    }
    assert_eq!(world.run().await.applied(), "");
    for number in 0..6 {
        world.remove(&format!("s{number:03}")).await;
    }
    let _report = world.run().await;
    world.later(4 * DAY);
    assert_eq!(world.run().await.held(), "6 delete");
}

#[tokio::test]
async fn what_is_no_longer_held_cannot_be_approved() {
    let mut world = with_a_mass().await;
    let digest = world.run().await.held_digest.unwrap();
    for number in 0..6 {
        world.put(student(&format!("s{number:03}"))).await;
    }
    assert_eq!(world.run().await.planned(), "", "they are back");
    assert_eq!(world.state.approve(&digest, world.clock.now_ms() + DAY).await.unwrap(), 0);
    assert!(world.state.standing_holds(0).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_run_that_could_not_plan_leaves_standing_what_is_held() {
    let world = with_a_mass().await;
    let digest = world.run().await.held_digest.unwrap();
    world.set("exam.http_5xx", "*@*:503");
    let failed = world.run().await;
    assert_ne!(failed.exit_code, 4, "{failed:?}");
    world.sandbox.clear_faults();
    assert_eq!(world.state.standing_holds(0).await.unwrap()[0].digest, digest);
}

#[tokio::test]
async fn an_approved_change_that_was_cut_off_after_it_was_applied_is_not_approved_any_more() {
    let mut world = ExamSchool::in_step(students(20)).await;
    world.settings.guard.max_modify = Limit::Count(0);
    world.edit("s000", |it| it.named("Somebody else")).await;
    let digest = world.run().await.held_digest.unwrap();
    world.state.approve(&digest, world.clock.now_ms() + DAY).await.unwrap();
    assert_eq!(world.run().await.applied(), "1 modify");
    let left = world.word("SELECT CAST(count(*) AS TEXT) FROM approvals").await;
    assert_eq!(left, "0", "written with the outcome, not at the end of the run");
}
