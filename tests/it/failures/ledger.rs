//! Every failed index is one row, tried again when due, and a dead letter in the end.

use rosterd_core::failure::FailureState;

use rosterd_testkit::*;

#[tokio::test]
async fn three_refused_items_of_a_hundred_are_recorded_by_index_and_entered_when_due() {
    for base in ["0", "1"] {
        let world = ExamSchool::switched(students(100), &[("index_base", base)]).await;
        world.set("refuse_item", "addStudents:0,49,99");
        let report = world.run().await;
        assert_eq!(
            (report.applied(), report.failed()),
            ("97 add".to_owned(), "3 add".to_owned()),
            "{base:?}"
        );
        assert_eq!((report.exit_code, report.outcome.as_str()), (3, "incomplete"), "{base:?}");
        let failures = world.failures().await;
        let rows: Vec<_> = failures
            .iter()
            .map(|row| {
                (
                    row.student_id.as_str(),
                    row.batch,
                    row.index,
                    row.code.as_str(),
                    row.state.as_str(),
                    row.attempts,
                )
            })
            .collect();
        let expected = [("s000", 0), ("s049", 49), ("s099", 99)]
            .map(|(id, index)| (id, Some(1), Some(index), "refused", "waiting", 1));
        assert_eq!(rows, expected, "{base:?}");
        assert!(failures.iter().all(|row| !row.message.is_empty() && row.due_at.is_some()), "{base:?}");
        let report = world.run().await;
        assert_eq!((report.skipped(), report.exit_code), ("3 add".to_owned(), 3), "not due yet");
        world.later(2 * MINUTE);
        let report = world.run().await;
        assert_eq!((report.applied(), report.exit_code), ("3 add".to_owned(), 0), "{base:?}");
        assert_eq!(world.failures().await, [], "{base:?}");
        assert_eq!(world.differences(&[]), Vec::<String>::new(), "{base:?}");
    }
}

#[tokio::test]
async fn delays_double_and_the_last_attempt_makes_a_dead_letter() {
    let mut world = ExamSchool::in_step(students(2)).await;
    world.settings.retry.max_attempts = 4;
    world.put(student("new")).await;
    world.set("refuse_item", "addStudents@*:0");
    let mut delays = Vec::new();
    for attempt in 1..=4 {
        let _report = world.run_later().await;
        let failure = world.failures().await.remove(0);
        assert_eq!(failure.attempts, attempt);
        let due = failure.due_at.map(|due| due.parse::<jiff::Timestamp>().unwrap().as_millisecond());
        delays.push(due.map(|due| (due - world.clock.now_ms()) / 1000));
        assert_eq!(failure.state, if attempt == 4 { FailureState::Dead } else { FailureState::Waiting });
    }
    assert!(delays[0] <= Some(60) && delays[1] > delays[0] && delays[2] > delays[1], "{delays:?}");
    assert_eq!(delays[3], None);
    world.sandbox.clear_faults();
    assert_eq!(world.run_later().await.skipped(), "1 add", "a dead letter waits for a person");
    assert_eq!(world.run().await.exit_code, 0, "it was told when it was given up");
}

#[tokio::test]
async fn a_dead_letter_is_tried_again_when_its_row_changes_or_a_person_says_so() {
    for by_hand in [false, true] {
        let mut world = ExamSchool::in_step(students(2)).await;
        world.settings.retry.max_attempts = 1;
        world.put(student("new")).await;
        world.set("refuse_item", "addStudents:0");
        assert_eq!(world.run().await.failed(), "1 add", "{by_hand:?}");
        assert_eq!(world.run().await.skipped(), "1 add", "{by_hand:?}");
        if by_hand {
            let now_ms = world.clock.now_ms();
            assert_eq!(
                world.state.change_failures(None, FailureState::Waiting, now_ms).await.unwrap(),
                1,
                "{by_hand:?}"
            );
        } else {
            world.edit("new", |it| it.phone("mended")).await;
        }
        assert_eq!(world.run().await.applied(), "1 add", "{by_hand:?}");
        assert_eq!(world.failures().await, [], "{by_hand:?}");
    }
}

#[tokio::test]
async fn an_ignored_failure_is_silent_and_no_longer_counts() {
    let mut world = ExamSchool::in_step(students(2)).await;
    world.put(student("new")).await;
    world.set("refuse_item", "addStudents:0");
    let _report = world.run().await;
    world.state.change_failures(None, FailureState::Ignored, world.clock.now_ms()).await.unwrap();
    let report = world.run_later().await;
    assert_eq!((report.skipped(), report.exit_code), ("1 add".to_owned(), 0));
    assert_eq!(world.failures().await[0].state, FailureState::Ignored);
}

#[tokio::test]
async fn a_failure_that_is_no_longer_wanted_is_closed() {
    let mut world = ExamSchool::in_step(students(2)).await;
    world.put(student("new")).await;
    world.set("refuse_item", "addStudents:0");
    let _report = world.run().await;
    world.remove("new").await;
    assert_eq!(world.run().await.planned(), "");
    assert_eq!(world.failures().await, []);
}

#[tokio::test]
async fn a_doubtful_listing_closes_no_failure() {
    let mut world = ExamSchool::in_step(students(2)).await;
    world.put(student("new")).await;
    world.set("refuse_item", "addStudents:0");
    let _report = world.run().await;
    world.remove("new").await;
    world.set("total_drifts", "getstulist@*:1");
    let _report = world.run().await;
    assert_eq!(world.failures().await.len(), 1);
}

#[tokio::test]
async fn a_waiting_time_that_the_service_asks_for_is_never_undercut() {
    let mut world = ExamSchool::in_step(students(2)).await;
    world.put(student("new")).await;
    world.set("http_429", "addStudents@*:3600");
    world.sandbox.clear_journal();
    let report = tokio::time::timeout(std::time::Duration::from_secs(5), async {
        // Told to stop while it waits, a run waits no longer.
        tokio::join!(world.run(), async {
            while !world.journal().iter().any(|call| call == "addStudents") {
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
            world.stop.cancel();
        })
        .0
    })
    .await
    .unwrap();
    assert_eq!((report.failed(), report.exit_code), ("1 add".to_owned(), 143));
    let due = world.failures().await[0].due_at.clone().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert!(due.as_millisecond() - world.clock.now_ms() > 50 * MINUTE, "{due}");
}

#[tokio::test]
async fn every_failure_says_who_can_do_something_about_it_and_the_report_counts_them() {
    let mut world = ExamSchool::in_step(students(5)).await;
    world.put(student("nologin").login("")).await;
    world.put(student("nogroup").in_groups([])).await;
    world.put(student("nogid").in_groups(["h1"])).await;
    world.put(student("refused")).await;
    world.edit("s001", |it| it.named("Somebody else")).await;
    world.set("refuse_item", "addStudents:0");
    world.set("http_5xx", "changeStuinfo:500");
    let report = world.run().await;
    let failures = world.failures().await;
    let mut rows: Vec<_> = failures
        .iter()
        .map(|row| (row.student_id.as_str(), row.code.as_str(), row.state.as_str(), row.who))
        .collect();
    rows.sort();
    assert_eq!(
        rows,
        [
            ("nogid", "group-without-gid", "dead", "it"),
            ("nogroup", "no-group", "dead", "school office"),
            ("nologin", "no-login-value", "dead", "school office"),
            ("refused", "refused", "waiting", "school office"),
            ("s001", "service-failed", "waiting", "service"),
        ]
    );
    let by_who: Vec<_> = report.exam.failures_by_who.iter().map(|(who, count)| (*who, *count)).collect();
    assert_eq!(by_who, [("it", 1), ("school office", 3), ("service", 1)]);
    let ids: Vec<i64> = failures.iter().map(|row| row.id).collect();
    world.state.change_failures(Some(&ids), FailureState::Ignored, world.clock.now_ms()).await.unwrap();
    assert!(world.plan_report().await.exam.failures_by_who.is_empty(), "what is silenced waits for nobody");
}

/// What the service did not do for days is for whoever can ask it why.
#[tokio::test]
async fn a_service_that_stays_away_stays_a_matter_of_the_service() {
    let mut world = ExamSchool::in_step(students(2)).await;
    world.settings.retry.max_attempts = 2;
    world.edit("s001", |it| it.named("Somebody else")).await;
    world.set("http_5xx", "changeStuinfo@*:500");
    let mut who = Vec::new();
    for _ in 0..4 {
        let _report = world.run_later().await;
        who.push(world.failures().await[0].who);
    }
    assert_eq!(who, ["service"; 4]);
}

#[tokio::test]
async fn delays_are_spread_so_that_failures_of_one_moment_do_not_come_due_in_one_moment() {
    let world = ExamSchool::with(students(40)).await;
    let refused: Vec<String> = (0..40).map(|at| at.to_string()).collect();
    world.set("refuse_item", &format!("addStudents:{}", refused.join(",")));
    world.state.remember("nothing", None).await.unwrap();
    let now = world.clock.now_ms();
    let _report = world.run().await;
    let mut due: Vec<i64> = world
        .failures()
        .await
        .iter()
        .map(|row| row.due_at.as_ref().unwrap().parse::<jiff::Timestamp>().unwrap().as_second())
        .collect();
    due.sort_unstable();
    due.dedup();
    assert!(due.len() > 3, "{due:?}");
    assert!(due.iter().all(|at| (47..=65).contains(&(at - now / 1000))), "{due:?}");
}
