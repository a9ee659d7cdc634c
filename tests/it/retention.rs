//! What is over is forgotten after `state.keep`, and the state grows no further.

use rosterd_testkit::*;

/// Rows of a table, and pages of the file.
async fn size(world: &ExamSchool) -> (i64, i64, i64) {
    let runs = world.number("SELECT count(*) FROM runs").await;
    let failures = world.number("SELECT count(*) FROM failures").await;
    (runs, failures, world.number("PRAGMA page_count").await)
}

/// Lets so many days pass without a run. A clock that jumps is believed when runs have gone on behind it for a week.
async fn after_a_pause(world: &mut ExamSchool, days: i64) {
    world.later((days - 8) * DAY);
    let _jumped = world.run().await;
    world.later(8 * DAY);
    let _report = world.run().await;
}

/// What is over and could be forgotten.
async fn history(world: &ExamSchool) -> Vec<i64> {
    let mut counts = Vec::new();
    for table in ["runs", "failures", "former_candidates", "results", "enrolments"] {
        counts.push(world.number(&format!("SELECT count(*) FROM {table}")).await);
    }
    counts
}

#[tokio::test]
async fn a_run_with_a_clock_years_ahead_forgets_nothing_and_what_it_dated_is_over_since_now() {
    let mut world = ExamSchool::in_step(students(4)).await;
    world.leaves_work_behind();
    let sid = world.sid("s001").await;
    let result = "INSERT INTO results (eid, sid, started_at_ms, first_pass, first_seen_at_ms, changed_at_ms)";
    world.write(&format!("{result} VALUES (1, {sid}, 5, 1, 6, 6)")).await;
    world.remove("s001").await;
    let _seen_gone = world.run().await;
    world.later(4 * DAY);
    world.put(student("new")).await;
    world.set("refuse_item", "addStudents@1:0");
    let _refused = world.run().await;
    world.sandbox.clear_faults();
    world.later(5 * DAY);
    let _settled = world.run().await;
    let before = history(&world).await;
    assert!(before.iter().take(4).all(|count| *count > 0), "{before:?}");

    // Two runs before somebody sets the clock, the second a day later.
    let (ahead, mut runs) = (9000 * DAY, 0);
    for wait in [ahead, DAY + HOUR] {
        world.later(wait);
        let _far_ahead = world.run().await;
        runs += 1;
    }
    world.later(-ahead);
    let _right = world.run().await;
    runs += 1;
    let mut kept = history(&world).await;
    kept[0] -= runs;
    assert_eq!(kept, before);

    // From here on it goes as it always does.
    for _ in 0..2 {
        after_a_pause(&mut world, 410).await;
    }
    let now_ms = world.clock.now_ms();
    let after = history(&world).await;
    assert_eq!((after[1], after[2], after[3]), (0, 0, 0), "{before:?} {after:?}");
    let ahead = format!("SELECT count(*) FROM runs WHERE started_at_ms > {now_ms}");
    assert_eq!(world.number(&ahead).await, 2, "runs keep their own date");
}

#[tokio::test]
async fn a_clock_that_jumped_is_believed_when_runs_have_gone_on_behind_it_for_a_week() {
    let mut world = ExamSchool::in_step(students(2)).await;
    after_a_pause(&mut world, 10).await;
    world.later(500 * DAY);
    for (days, forgotten) in [(0, false), (3, false), (3, false), (2, true)] {
        world.later(days * DAY);
        let _report = world.run().await;
        let oldest = world.number("SELECT min(started_at_ms) FROM runs").await;
        assert_eq!(oldest > world.clock.now_ms() - 450 * DAY, forgotten, "after {days} more days");
    }
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
    for (days, left) in [(10, 2), (300, 2), (110, 1), (1000, 1)] {
        after_a_pause(&mut world, days).await;
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
    after_a_pause(&mut world, 10).await;
    world.put(row).await;
    assert_eq!(world.run().await.applied(), "1 add");
    for days in [500, 500] {
        after_a_pause(&mut world, days).await;
        assert_eq!(world.number("SELECT count(*) FROM results").await, 1, "the student is there");
    }
    world.remove("s001").await;
    let _seen_gone = world.run().await;
    world.later(4 * DAY);
    assert_eq!(world.run().await.applied(), "1 delete");
    for (days, left) in [(10, 1), (397, 1), (10, 0)] {
        after_a_pause(&mut world, days).await;
        assert_eq!(world.number("SELECT count(*) FROM results").await, left, "after {days} more days");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_account_of_whom_nothing_else_is_left_is_forgotten_and_nobody_elses() {
    let school = School::builder().build().await;
    let _class = school.class("C1").await;
    let _gid = school.group_of_all().await;
    for id in ["gone", "here"] {
        let _uid = school.student(id).await;
        school.join(id, "C1").await;
        school.sql(&format!("INSERT INTO group_members VALUES ('{id}', 'g1')")).await;
    }
    assert_eq!(school.run().await.exit_code, 0);
    let long_ago = school.clock.now_ms() - 500 * DAY;
    let forgotten_at = school.clock.now_ms() - DAY - 1;
    // Left more than state.keep ago; what each of the other records has forgotten since is gone.
    school
        .sql("DELETE FROM students WHERE student_id = 'gone'; DELETE FROM group_members WHERE student_id = 'gone'; \
              DELETE FROM class_members WHERE student_id = 'gone'")
        .await;
    school
        .write(&format!(
            "UPDATE accounts SET changed_at_ms = {long_ago};
             DELETE FROM links WHERE student_id = 'gone';
             DELETE FROM enrolments WHERE student_id = 'gone';
             INSERT OR REPLACE INTO facts (name, value)
             VALUES ('state.forgotten_at_ms', CAST('{forgotten_at}' AS BLOB))"
        ))
        .await;
    let _report = school.run().await;
    let left = school.word("SELECT json_group_array(student_id) FROM accounts").await;
    assert_eq!(left, r#"["here"]"#);
}
