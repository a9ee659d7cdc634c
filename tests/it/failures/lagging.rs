//! Reads that lag behind: nobody is entered twice, and no link is given up within a quarter of an hour.

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
