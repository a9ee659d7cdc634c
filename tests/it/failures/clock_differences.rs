//! Clocks that differ, and what one that was ahead has left behind.

use rosterd_testkit::*;

/// Somebody has been gone for four days; one student is new.
async fn with_a_leaver() -> ExamSchool {
    let mut world = ExamSchool::in_step(students(9)).await;
    world.remove("s008").await;
    assert_eq!(world.run().await.planned(), "");
    world.later(4 * DAY);
    world.put(student("new")).await;
    world
}

/// The service's clock is so many seconds ahead of ours.
fn ahead(world: &ExamSchool, seconds: i64) {
    let ours_ms = world.clock.now_ms() - rosterd::Clock::system().now_ms();
    world.set("exam.date_offset_s", &(ours_ms.div_euclid(1000) + seconds).to_string());
}

#[tokio::test]
async fn nobody_is_dismissed_while_the_clocks_are_more_than_ten_minutes_apart_and_the_rest_goes_on() {
    for seconds in [11 * 60, -11 * 60, 9 * 24 * 3600] {
        let world = with_a_leaver().await;
        ahead(&world, seconds);
        let report = world.run().await;
        assert_eq!(
            (report.applied(), report.skipped()),
            ("1 add".to_owned(), "1 delete".to_owned()),
            "{seconds}"
        );
        assert_eq!((report.calls("delStu"), report.exit_code), (0, 3), "{seconds}");
        let row = world.failures().await.remove(0);
        assert_eq!((row.code.as_str(), row.owner), ("clocks-differ", "it"), "{seconds}");
        let report = world.run().await;
        assert_eq!((report.skipped(), report.exit_code), ("1 delete".to_owned(), 0), "{seconds}");
        assert_eq!(report.attention["withheld"].owner, "it", "{seconds}");
        ahead(&world, 0);
        assert_eq!(world.run().await.applied(), "1 delete", "{seconds}");
        assert_eq!(world.failures().await, [], "{seconds}");
    }
}

#[tokio::test]
async fn who_leaves_while_the_clocks_are_apart_is_named_with_the_clock_and_goes_when_they_agree() {
    for (seconds, said) in [(3600, "clock is 60 min behind"), (-1800, "clock is 30 min ahead of")] {
        let mut world = ExamSchool::in_step(students(9)).await;
        world.settings.exam.delete_grace = std::time::Duration::ZERO;
        ahead(&world, seconds);
        world.remove("s008").await;
        let report = world.run().await;
        assert_eq!((report.skipped(), report.exit_code), ("1 delete".to_owned(), 3), "{seconds}");
        assert!(report.exam.notes.iter().any(|note| note.contains(said)), "{:?}", report.exam.notes);
        let row = world.failures().await.remove(0);
        assert_eq!((row.code.as_str(), row.owner), ("clocks-differ", "it"), "{seconds}");
        let report = world.run().await;
        assert_eq!((report.exit_code, report.exam.leavers_waiting), (0, 0), "{seconds}");
        assert_eq!(report.attention["withheld"].owner, "it", "{seconds}");
        ahead(&world, 0);
        assert_eq!(world.run().await.planned(), "", "seen gone for the first time");
        assert_eq!(world.failures().await, [], "{seconds}");
        assert_eq!(world.run().await.applied(), "1 delete", "{seconds}");
    }
}

#[tokio::test]
async fn clocks_less_than_ten_minutes_apart_keep_nobody() {
    for seconds in [9 * 60, -9 * 60] {
        let world = with_a_leaver().await;
        ahead(&world, seconds);
        assert_eq!(world.run().await.applied(), "1 add, 1 delete", "{seconds}");
    }
}

#[tokio::test]
async fn a_failure_put_off_by_a_clock_that_was_ahead_is_due_now() {
    let mut world = ExamSchool::in_step(students(3)).await;
    world.later(9000 * DAY);
    world.put(student("new")).await;
    world.set("refuse_item", "addStudents:0");
    assert_eq!(world.run().await.exit_code, 3);
    world.later(-9000 * DAY);
    let report = world.run().await;
    assert_eq!((report.applied(), report.exit_code), ("1 add".to_owned(), 0), "{report:?}");
    assert_eq!(world.failures().await, []);
}

#[tokio::test]
async fn a_link_made_by_a_clock_that_was_ahead_is_not_too_new_for_ever() {
    let mut world = ExamSchool::in_step(students(3)).await;
    world.later(9000 * DAY);
    world.put(student("new")).await;
    assert_eq!(world.run().await.applied(), "1 add");
    world.later(-9000 * DAY);
    world.sandbox.remove_candidate(world.sid("new").await);
    assert_eq!(world.run().await.applied(), "", "as if it were linked now");
    world.later(16 * MINUTE);
    assert_eq!(world.run().await.applied(), "1 add");
}
