//! Odd candidates that are none of ours, and ours that the account keeps out of its listing: doubt is about reading,
//! and whoever else is there goes on.

use rosterd_testkit::*;

/// 250 candidates on three pages, one student to be added, one to be deleted.
async fn with_three_pages() -> ExamSchool {
    let mut world = ExamSchool::in_step(students(250)).await;
    world.put(student("new")).await;
    world.remove("s001").await;
    assert_eq!(world.run().await.applied(), "1 add");
    world.later(4 * DAY);
    world.put(student("newer")).await;
    world
}

/// Somebody enters a candidate by hand; an empty login value is none.
fn enter(world: &ExamSchool, login: &str) -> i64 {
    world.sandbox.insert_candidate(&[(NAME, "Stranger"), (LOGIN, login)], &[world.foreign])
}

#[tokio::test]
async fn odd_strangers_neither_stop_adds_and_deletes_nor_ask_for_a_second_reading() {
    for strangers in
        [&[""] as &[&str], &["", "", ""], &["x", "x "], &["\u{e9}", "e\u{301}"], &["", "x", " x\u{200b}"]]
    {
        let world = with_three_pages().await;
        for login in strangers {
            enter(&world, login);
        }
        let report = world.run().await;
        assert_eq!((report.applied().as_str(), report.exit_code), ("1 add, 1 delete", 0), "{strangers:?}");
        assert_eq!(report.calls("getstulist"), 3, "{strangers:?}");
        let count = u64::try_from(strangers.len()).unwrap();
        assert_eq!((report.exam.unmanaged, report.exam.observed), (count, 251 + count), "{strangers:?}");
        let report = world.run().await;
        assert_eq!((report.planned().as_str(), report.calls("getstulist")), ("", 3), "{strangers:?}");
    }
}

#[tokio::test]
async fn a_login_value_that_comes_twice_is_believed_after_three_readings_and_remembered() {
    let world = with_three_pages().await;
    enter(&world, "twin");
    enter(&world, "twin");
    let report = world.run().await;
    assert_eq!((report.applied().as_str(), report.exit_code), ("1 add, 1 delete", 0), "{report:?}");
    assert_eq!(report.calls("getstulist"), 9);
    assert_eq!(world.run().await.calls("getstulist"), 3, "just the same needs no second reading");
    let third = enter(&world, "twin");
    assert_eq!(world.run().await.calls("getstulist"), 9, "another picture is read again");
    assert_eq!(world.run().await.calls("getstulist"), 3);
    world.sandbox.remove_candidate(third);
    assert_eq!(world.run().await.calls("getstulist"), 9);
}

#[tokio::test]
async fn a_plan_believes_a_repeated_login_value_and_remembers_nothing() {
    let world = with_three_pages().await;
    enter(&world, "twin");
    enter(&world, "twin");
    for _ in 0..2 {
        let report = world.plan_report().await;
        assert_eq!((report.planned().as_str(), report.calls("getstulist")), ("1 add, 1 delete", 9));
    }
}

#[tokio::test]
async fn a_page_that_shifts_otherwise_each_time_is_not_believed() {
    let world = with_three_pages().await;
    for (reading, page) in [(0, 1), (1, 2), (2, 1)] {
        world.set("duplicate_row", &format!("getstulist@{}", reading * 3 + page));
    }
    let report = world.run().await;
    assert_eq!((report.applied().as_str(), report.exit_code), ("", 3), "{report:?}");
    assert!(report.skipped().starts_with("1 add, 1 delete"), "{report:?}");
}

#[tokio::test]
async fn only_students_who_want_an_ambiguous_login_value_are_withheld() {
    let mut world = with_three_pages().await;
    for login in ["s002 ", "wanted", "wanted\u{a0}", "\u{feff}s003"] {
        enter(&world, login);
    }
    world.put(student("wanted")).await;
    world.edit("s003", |it| it.named("Renamed")).await;
    world.edit("s004", |it| it.named("Renamed")).await;
    let report = world.run().await;
    assert_eq!(report.applied(), "1 add, 1 delete, 1 modify");
    assert_eq!(report.skipped(), "1 adopt, 2 modify");
    assert_eq!(
        world.candidate("s003").fields[&NAME],
        "Name of s003",
        "nobody guesses which of the two it is"
    );
    world.sandbox.clear_journal();
    let report = world.run().await;
    assert_eq!(report.skipped(), "1 adopt, 2 modify");
    assert_eq!(world.journal(), ["getstulist"; 3], "what stands as it stood costs no call");
}

#[tokio::test]
async fn an_archived_candidate_withholds_its_own_student_after_two_runs_and_nobody_else() {
    for archived in [1, 5] {
        let mut world = with_three_pages().await;
        for at in 0..archived {
            world.sandbox.unlist_candidate(world.sid(&format!("s01{at}")).await);
        }
        world.edit("s010", |it| it.named("Renamed")).await;
        for run in 1..=2 {
            let report = world.run().await;
            assert_eq!((report.applied().as_str(), report.exit_code), ("", 3), "run {run}: {report:?}");
            let sid = world.sid("s010").await;
            assert!(report.exam.errors[0].contains(&format!("sid {sid} of student s010")), "{report:?}");
        }
        let report = world.run().await;
        assert_eq!(report.applied(), "1 add, 1 delete", "{report:?}");
        assert_eq!(report.skipped(), format!("{archived} modify"));
        assert_eq!(report.exam.errors, Vec::<String>::new());
        world.sandbox.clear_journal();
        let report = world.run().await;
        assert_eq!((report.applied(), report.skipped()), (String::new(), format!("{archived} modify")));
        assert_eq!(world.journal(), ["getstulist"; 3], "what stands as it stood costs no call");
    }
}

#[tokio::test]
async fn one_more_archived_candidate_or_too_many_make_the_listing_doubtful_again() {
    let world = with_three_pages().await;
    let archive = async |id: &str| world.sandbox.unlist_candidate(world.sid(id).await);
    archive("s010").await;
    for expected in ["", "", "1 add, 1 delete"] {
        assert_eq!(world.run().await.applied(), expected);
    }
    for id in ["s011", "s012", "s013", "s014"] {
        archive(id).await;
    }
    for errors in [1, 1, 0] {
        assert_eq!(world.run().await.exam.errors.len(), errors);
    }
    archive("s015").await;
    for run in 1..=4 {
        assert_eq!(world.run().await.exam.errors.len(), 1, "six of 250 are not a few, run {run}");
    }
}

#[tokio::test]
async fn an_archived_leaver_is_withheld_and_one_that_is_listed_again_leaves() {
    let mut world = with_three_pages().await;
    let sid = world.sid("s010").await;
    world.sandbox.unlist_candidate(sid);
    world.remove("s010").await;
    for _ in 1..=3 {
        let _report = world.run().await;
    }
    world.later(4 * DAY);
    assert_eq!(world.run().await.skipped(), "1 delete");
    world.sandbox.list_first(sid);
    assert_eq!(world.run().await.applied(), "1 delete");
}

#[tokio::test]
async fn a_total_without_end_is_doubtful_after_a_few_calls() {
    for total in ["absurd", "growing"] {
        let world = with_three_pages().await;
        world.set("list_total", total);
        let report = world.run().await;
        assert_eq!((report.applied().as_str(), report.exit_code), ("", 3), "{total}: {report:?}");
        assert!(report.calls("getstulist") <= 30, "{total}: {}", report.calls("getstulist"));
        world.set("list_total", "counted");
        assert_eq!(world.run().await.applied(), "1 add, 1 delete", "{total}");
    }
}
