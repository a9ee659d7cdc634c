//! Clocks that were wrong: nobody goes sooner for it, and no limit counts for longer.

use rosterd_core::roster::Limit;

use rosterd_testkit::*;

const MINUTE: i64 = 60_000;

#[tokio::test]
async fn a_clock_that_is_behind_for_one_run_ends_no_grace() {
    let mut world = ExamSchool::in_step(students(9)).await;
    world.remove("s001").await;
    let _seen = world.run().await;
    world.clock.shift_ms(-4 * DAY);
    let _behind = world.run().await;
    world.clock.shift_ms(4 * DAY);
    world.later(HOUR);
    assert_eq!(world.run().await.planned(), "", "gone for an hour, and the grace is three days");
    world.later(4 * DAY);
    assert_eq!(world.run().await.applied(), "1 delete");
}

#[tokio::test]
async fn a_clock_that_was_ahead_lets_nobody_go_who_may_be_in_an_unreadable_row() {
    let world = ExamSchool::in_step(students(9)).await;
    world.sql("UPDATE students SET student_id = NULL WHERE student_id = 's001'").await;
    world.sql("DELETE FROM group_members WHERE student_id = 's001'").await;
    world.clock.shift_ms(9 * MINUTE);
    let _ahead = world.run().await;
    world.clock.shift_ms(-9 * MINUTE);
    let _right = world.run().await;
    world.later(4 * DAY);
    let report = world.run().await;
    assert_eq!((report.applied(), report.held().as_str()), (String::new(), "1 delete"));
}

/// Runs with the clock a year ahead, then a quiet one with the right one.
async fn changed_a_year_ahead(world: &mut ExamSchool, ids: std::ops::Range<usize>) {
    const YEAR: i64 = 365 * DAY;
    world.clock.shift_ms(YEAR);
    change(world, ids.clone()).await;
    assert_eq!(world.run().await.applied(), format!("{} modify", ids.len()));
    world.clock.shift_ms(-YEAR);
    assert_eq!(world.run().await.planned(), "");
}

async fn change(world: &mut ExamSchool, ids: std::ops::Range<usize>) {
    for number in ids {
        world.edit(&format!("s{number:03}"), |person| person.phone("13900000000")).await;
    }
}

#[tokio::test]
async fn writes_by_a_clock_that_was_ahead_count_for_a_day_and_no_longer() {
    let mut world = ExamSchool::in_step(students(20)).await;
    world.settings.guard.max_modify = Limit::Count(5);
    changed_a_year_ahead(&mut world, 0..5).await;
    change(&mut world, 5..10).await;
    assert_eq!(world.run().await.held(), "5 modify", "on the same day");
    world.later(2 * DAY);
    assert_eq!(world.run().await.applied(), "5 modify");
}

#[tokio::test]
async fn a_clock_that_is_behind_makes_no_limit_forget() {
    let mut world = ExamSchool::in_step(students(20)).await;
    world.settings.guard.max_modify = Limit::Count(5);
    change(&mut world, 0..5).await;
    assert_eq!(world.run().await.applied(), "5 modify");
    world.clock.shift_ms(-4 * DAY);
    let _behind = world.run().await;
    world.clock.shift_ms(4 * DAY);
    change(&mut world, 5..10).await;
    assert_eq!(world.run().await.held(), "5 modify");
}

#[tokio::test]
async fn an_approval_by_a_clock_that_was_ahead_is_good_for_no_longer_than_one_by_the_right_clock() {
    for ahead in [60 * HOUR, 365 * DAY] {
        let mut world = ExamSchool::in_step(students(20)).await;
        world.settings.guard.max_delete = Limit::Count(3);
        for number in 0..8 {
            world.remove(&format!("s{number:03}")).await;
        }
        let report = world.run().await;
        let digest = report.held_digest.as_deref().unwrap();
        world.clock.shift_ms(ahead);
        let now_ms = world.clock.now_ms();
        let held = world.state.approvable(digest).await.unwrap().into_iter();
        let granted: Vec<_> = held.map(|one| (one, now_ms + DAY)).collect();
        assert_eq!(granted.len(), 8);
        world.state.grant(&granted, now_ms).await.unwrap();
        world.clock.shift_ms(-ahead);
        assert_eq!(world.run().await.applied(), "");
        world.later(3 * DAY + HOUR);
        let report = world.run().await;
        assert_eq!((report.applied(), report.held()), (String::new(), "8 delete".to_owned()), "{ahead}");
    }
}

#[tokio::test]
async fn what_a_clock_that_was_ahead_found_held_is_held_since_now() {
    let mut world = ExamSchool::in_step(students(20)).await;
    world.settings.guard.max_delete = Limit::Count(3);
    for number in 0..8 {
        world.remove(&format!("s{number:03}")).await;
    }
    world.later(50 * HOUR);
    assert_eq!(world.run().await.held(), "8 delete");
    world.later(-50 * HOUR);
    let report = world.run().await;
    assert_eq!(report.held(), "8 delete");
    let since: jiff::Timestamp = report.holds[0].since.parse().unwrap();
    assert!(since.as_millisecond() <= world.clock.now_ms(), "{since}");
}

#[tokio::test]
async fn an_add_that_was_lost_under_a_clock_that_was_ahead_is_sent_again_after_a_quarter_of_an_hour() {
    let mut world = ExamSchool::in_step(students(20)).await;
    world.put(student("newcomer")).await;
    world.set("drop_request", "addStudents@*");
    world.later(400 * DAY);
    assert_eq!(world.run().await.applied(), "");
    world.later(-400 * DAY);
    world.sandbox.clear_faults();
    assert_eq!(world.run().await.applied(), "", "it may still turn out to have been done");
    world.later(8 * HOUR);
    assert_eq!(world.run().await.applied(), "1 add");
    assert_eq!(world.sandbox.candidate_count(), 21);
}
