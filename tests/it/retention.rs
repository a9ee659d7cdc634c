//! What is over is forgotten after `state.keep`, and the state grows no further.

use rosterd_testkit::*;

/// Rows of a table, and pages of the file.
async fn size(world: &ExamSchool) -> (i64, i64, i64) {
    let runs = world.number("SELECT count(*) FROM runs").await;
    let failures = world.number("SELECT count(*) FROM failures").await;
    (runs, failures, world.number("PRAGMA page_count").await)
}

#[tokio::test]
async fn five_years_leave_no_more_behind_than_two() {
    const FORTNIGHT: i64 = 14 * DAY;
    let mut world = ExamSchool::in_step(students(4)).await;
    world.leaves_work_behind();
    let (mut sizes, mut quiet) = (Vec::new(), Vec::new());
    for step in 1..=130 {
        if step % 26 == 0 {
            sizes.push(size(&world).await);
            let _settled = world.run().await;
            let report = world.run().await;
            assert_eq!((report.planned(), report.exit_code), (String::new(), 0), "{report:?}");
            quiet.push(report.exam.calls);
        }
        world.put(student(&format!("new{step}"))).await;
        if step > 2 {
            world.remove(&format!("new{}", step - 2)).await;
        }
        world.set("refuse_item", "addStudents@1:0");
        let _refused = world.run().await;
        world.sandbox.clear_faults();
        world.later(HOUR);
        let _entered = world.run().await;
        world.later(FORTNIGHT);
    }
    let ((runs, failures, pages), (last_runs, last_failures, last_pages)) = (sizes[1], sizes[4]);
    assert!(last_runs <= runs && runs < 80, "{sizes:?}");
    assert!(last_failures <= failures && failures < 80, "{sizes:?}");
    assert!(last_pages <= pages + pages / 10, "{sizes:?}");
    assert_eq!(quiet[4], quiet[1]);
}

#[tokio::test]
async fn results_of_people_who_left_go_when_they_have_been_gone_for_long_and_no_others() {
    let mut world = ExamSchool::in_step(students(3)).await;
    for id in ["s001", "s002"] {
        let sid = world.sid(id).await;
        world
            .write(&format!(
                "INSERT INTO results (eid, sid, started_at_ms, first_pass, first_seen_at_ms, changed_at_ms)
                 VALUES (1, {sid}, 5, 1, 6, 6)"
            ))
            .await;
    }
    assert_eq!(world.number("SELECT count(*) FROM results").await, 2);
    world.remove("s001").await;
    let _seen_gone = world.run().await;
    world.later(4 * DAY);
    assert_eq!(world.run().await.applied(), "1 delete");
    for (days, left) in [(2, 2), (300, 2), (101, 1), (1000, 1)] {
        world.later(days * DAY);
        let _report = world.run().await;
        assert_eq!(world.number("SELECT count(*) FROM results").await, left, "after {days} more days");
    }
    assert_eq!(world.number("SELECT count(*) FROM result_owners WHERE student_id <> ''").await, 0);
}

#[tokio::test]
async fn results_of_a_student_who_came_back_stay_under_the_candidate_of_then() {
    let mut world = ExamSchool::in_step(students(3)).await;
    let sid = world.sid("s001").await;
    world
        .write(&format!(
            "INSERT INTO results (eid, sid, started_at_ms, first_pass, first_seen_at_ms, changed_at_ms)
             VALUES (1, {sid}, 5, 1, 6, 6)"
        ))
        .await;
    let row = student("s001");
    world.remove("s001").await;
    let _seen_gone = world.run().await;
    world.later(4 * DAY);
    assert_eq!(world.run().await.applied(), "1 delete");
    world.later(2 * DAY);
    let _noted = world.run().await;
    world.put(row).await;
    assert_eq!(world.run().await.applied(), "1 add");
    for days in [500, 500] {
        world.later(days * DAY);
        let _report = world.run().await;
        assert_eq!(world.number("SELECT count(*) FROM results").await, 1, "the student is there");
    }
    world.remove("s001").await;
    let _seen_gone = world.run().await;
    world.later(4 * DAY);
    assert_eq!(world.run().await.applied(), "1 delete");
    for (days, left) in [(2, 1), (397, 1), (3, 0)] {
        world.later(days * DAY);
        let _report = world.run().await;
        assert_eq!(world.number("SELECT count(*) FROM results").await, left, "after {days} more days");
    }
}
