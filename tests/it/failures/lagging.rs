//! Reads that lag behind: nobody is entered twice, and no link is given up within a quarter of an hour.

use rosterd_core::failure::FailureState;
use rosterd_testkit::*;

const LAGS: [(&str, &str); 3] = [("0", "1000"), ("1000", "0"), ("1000", "1000")];

fn lag(world: &ExamSchool, (list, info): (&str, &str), after: &str) {
    world.set("exam.lag_after", after);
    world.set("exam.list_lag_s", list);
    world.set("exam.info_lag_s", info);
}

#[tokio::test]
async fn whoever_was_just_added_and_is_not_shown_yet_is_neither_entered_twice_nor_given_up() {
    for lags in LAGS {
        for after in ["all", "add"] {
            let mut world = ExamSchool::in_step(students(30)).await;
            lag(&world, lags, after);
            for number in 0..3 {
                world.put(student(&format!("new{number}"))).await;
            }
            assert_eq!(world.run().await.applied(), "3 add", "{lags:?} {after}");
            let sids = [world.sid("new0").await, world.sid("new1").await, world.sid("new2").await];
            for minutes in [0, 1, 5, 8] {
                world.later(minutes * MINUTE);
                let report = world.run().await;
                assert_eq!(report.calls("addStudents"), 0, "{lags:?} {after}: {report:?}");
                let now = [world.sid("new0").await, world.sid("new1").await, world.sid("new2").await];
                assert_eq!(now, sids, "{lags:?} {after}");
            }
            lag(&world, ("0", "0"), "all");
            for _ in 0..3 {
                let report = world.run_later().await;
                assert_eq!(report.calls("addStudents"), 0, "{lags:?} {after}: {report:?}");
            }
            let report = world.run().await;
            assert_eq!((report.planned(), report.exit_code), (String::new(), 0), "{lags:?} {after}");
            assert_eq!(world.differences(&[]), Vec::<String>::new(), "{lags:?} {after}");
            assert_eq!(world.failures().await, [], "{lags:?} {after}");
        }
    }
}

#[tokio::test]
async fn a_lost_add_that_is_not_shown_yet_enters_nobody_twice() {
    for lags in LAGS {
        let mut world = ExamSchool::in_step(students(30)).await;
        lag(&world, lags, "add");
        world.put(student("new")).await;
        world.set("lose_answer", "addStudents");
        let _report = world.run().await;
        lag(&world, ("0", "0"), "all");
        for _ in 0..3 {
            let _report = world.run_later().await;
        }
        assert_eq!(world.run().await.planned(), "", "{lags:?}");
        assert_eq!(world.logins().iter().filter(|login| *login == "new").count(), 1, "{lags:?}");
        assert_eq!(world.differences(&[]), Vec::<String>::new(), "{lags:?}");
    }
}

#[tokio::test]
async fn an_add_that_a_kill_left_open_is_looked_for_by_its_login_value_and_not_in_the_listing_alone() {
    for lags in [("1000", "0"), ("0", "1000")] {
        let mut world = ExamSchool::in_step(students(30)).await;
        world.set("dup_on_add", "accept");
        world.put(student("new0")).await;
        world.put(student("new1").in_groups(["g2"])).await;
        lag(&world, lags, "add");
        world.set("delay", "addStudents:500");
        world.sandbox.clear_journal();
        world.crash_when(|| world.journal().iter().any(|call| call == "addStudents")).await;
        world.sandbox.clear_faults();
        // What waits unchanged is attention, and the adds stay open until somebody shows them.
        world.leaves_work_behind();
        for _ in 0..3 {
            let report = world.run().await;
            assert_eq!(report.calls("addStudents"), 0, "{lags:?} {report:?}");
        }
        lag(&world, ("0", "0"), "all");
        for _ in 0..3 {
            let _report = world.run_later().await;
        }
        assert_eq!(world.run().await.planned(), "", "{lags:?}");
        assert_eq!(world.differences(&[]), Vec::<String>::new(), "{lags:?}");
    }
}

/// However the answer to an add is lost; a kill loses it too.
const LOSSES: [Option<&str>; 4] = [None, Some("lose_answer"), Some("cut_body"), Some("apply_part")];

/// Two students whose add gets no answer in this way, on a service that takes a login value twice; both reads lag behind.
async fn lost_behind_a_lag(loss: Option<&str>) -> ExamSchool {
    let mut world = ExamSchool::in_step(students(30)).await;
    world.set("dup_on_add", "accept");
    world.put(student("new0")).await;
    world.put(student("new1").in_groups(["g2"])).await;
    lag(&world, ("1000", "1000"), "add");
    if let Some(fault) = loss {
        let value = if fault == "apply_part" { "addStudents:2" } else { "addStudents" };
        world.set(fault, value);
        let report = world.run().await;
        assert_eq!((report.exit_code, report.applied()), (3, String::new()), "{loss:?} {report:?}");
        return world;
    }
    world.set("delay", "addStudents:500");
    world.sandbox.clear_journal();
    world.crash_when(|| world.journal().iter().any(|call| call == "addStudents")).await;
    world.sandbox.clear_faults();
    world
}

#[tokio::test]
async fn an_add_without_an_answer_that_no_read_shows_is_not_sent_again_for_a_quarter_of_an_hour() {
    for loss in LOSSES {
        let mut world = lost_behind_a_lag(loss).await;
        for minutes in [0, 1, 5, 8] {
            world.later(minutes * MINUTE);
            let report = world.run().await;
            assert_eq!(report.calls("addStudents"), 0, "{loss:?} after {minutes} more minutes: {report:?}");
            let failures = world.failures().await;
            let named: Vec<&str> = failures.iter().map(|row| row.student_id.as_str()).collect();
            assert_eq!(named, ["new0", "new1"], "{loss:?} {failures:?}");
        }
        // The row may change meanwhile, and a person may want it now.
        world.edit("new0", |it| it.named("Another name")).await;
        let ids: Vec<i64> = world.failures().await.iter().map(|row| row.id).collect();
        let now = world.clock.now_ms();
        world.state.change_failures(Some(&ids), FailureState::Waiting, now).await.unwrap();
        assert_eq!(world.run().await.calls("addStudents"), 0, "{loss:?}");
        lag(&world, ("0", "0"), "all");
        for _ in 0..3 {
            assert_eq!(world.run_later().await.calls("addStudents"), 0, "{loss:?}");
        }
        let report = world.run().await;
        assert_eq!((report.planned(), report.exit_code), (String::new(), 0), "{loss:?}: {report:?}");
        assert_eq!(world.differences(&[]), Vec::<String>::new(), "{loss:?}");
        assert_eq!(world.failures().await, [], "{loss:?}");
    }
}

#[tokio::test]
async fn an_add_in_neither_list_that_no_read_shows_is_not_sent_again_for_a_quarter_of_an_hour() {
    for (fault, place) in
        [("item_in_neither_list", 0), ("item_in_neither_list", 1), ("item_in_both_lists", 1)]
    {
        let mut world = ExamSchool::in_step(students(30)).await;
        world.set("dup_on_add", "accept");
        world.put(student("new0")).await;
        world.put(student("new1").in_groups(["g2"])).await;
        lag(&world, ("1000", "1000"), "add");
        for call in [1, 2] {
            world.set(fault, &format!("addStudents@{call}:{}", if call == 1 { place } else { 0 }));
        }
        let _report = world.run().await;
        world.sandbox.clear_faults();
        for minutes in [0, 1, 2, 5, 6] {
            world.later(minutes * MINUTE);
            let report = world.run().await;
            assert_eq!(report.calls("addStudents"), 0, "{fault}:{place} after {minutes} more: {report:?}");
        }
        lag(&world, ("0", "0"), "all");
        for _ in 0..3 {
            assert_eq!(world.run_later().await.calls("addStudents"), 0, "{fault}:{place}");
        }
        assert_eq!(world.run().await.planned(), "", "{fault}:{place}");
        assert_eq!(world.differences(&[]), Vec::<String>::new(), "{fault}:{place}");
        assert_eq!(world.failures().await, [], "{fault}:{place}");
    }
}

#[tokio::test]
async fn an_add_that_never_arrived_is_sent_again_after_a_quarter_of_an_hour_and_says_so_before() {
    let mut world = ExamSchool::in_step(students(3)).await;
    world.put(student("new")).await;
    world.set("drop_request", "addStudents");
    assert_eq!(world.run().await.exit_code, 3);
    let sent_ms = world.number("SELECT sent_at_ms FROM intents").await;
    let due = |ms: i64| jiff::Timestamp::from_millisecond(ms).unwrap().to_string();
    let failures = world.failures().await;
    let rows: Vec<_> = failures.iter().map(|row| (row.code.as_str(), row.due_at.clone())).collect();
    let again = due((sent_ms + 15 * MINUTE) / 1000 * 1000);
    assert_eq!(rows, [("lost-answer", Some(again))], "{failures:?}");
    world.later(14 * MINUTE);
    assert_eq!(world.run().await.calls("addStudents"), 0);
    world.later(MINUTE);
    assert_eq!(world.run().await.applied(), "1 add");
    assert_eq!(world.failures().await, []);
}

#[tokio::test]
async fn changes_moves_and_deletes_that_are_not_shown_yet_come_in_step_when_they_are() {
    for lags in LAGS {
        let mut world = ExamSchool::in_step(students(30)).await;
        world.remove("s029").await;
        assert_eq!(world.run().await.planned(), "");
        world.later(4 * DAY);
        lag(&world, lags, "all");
        world.edit("s001", |it| it.named("Another name")).await;
        world.edit("s002", |it| it.in_groups(["g2"])).await;
        world.edit("s003", |it| it.login("another")).await;
        assert_eq!(world.run().await.applied(), "1 delete, 2 modify, 1 move", "{lags:?}");
        for _ in 0..3 {
            world.later(3 * MINUTE);
            let report = world.run().await;
            assert_eq!((report.calls("addStudents"), report.calls("delStu")), (0, 0), "{lags:?}: {report:?}");
        }
        lag(&world, ("0", "0"), "all");
        for _ in 0..3 {
            let _report = world.run_later().await;
        }
        let report = world.run().await;
        assert_eq!((report.planned(), report.exit_code), (String::new(), 0), "{lags:?}: {report:?}");
        assert_eq!(world.differences(&[]), Vec::<String>::new(), "{lags:?}");
    }
}
