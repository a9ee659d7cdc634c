//! A listing that cannot be believed: nobody is added or deleted because of it.

use rosterd_testkit::*;

/// 450 candidates on five pages, one student to be added, one to be deleted, one to be changed.
async fn with_five_pages() -> ExamSchool {
    let mut world = ExamSchool::in_step(students(450)).await;
    world.put(student("new")).await;
    world.remove("s001").await;
    assert_eq!(world.run().await.applied(), "1 add");
    world.later(4 * DAY);
    world.put(student("newer")).await;
    world.edit("s002", |it| it.named("Somebody else")).await;
    world
}

#[tokio::test]
async fn a_page_that_does_not_add_up_wherever_it_is_leads_to_no_add_and_no_delete() {
    let world = with_five_pages().await;
    let mut page = 1;
    for (fault, argument) in
        [("short_page", ":1"), ("short_page", ":49"), ("duplicate_row", ""), ("total_drifts", ":1")]
    {
        for _ in 1..=5 {
            // The same page in each of the three readings.
            for reading in 0..3 {
                world.set(fault, &format!("getstulist@{}{argument}", page + reading * 5));
            }
            page = page % 5 + 1;
            let report = world.run().await;
            world.sandbox.clear_faults();
            assert_eq!((report.calls("addStudents"), report.calls("delStu")), (0, 0), "{fault}: {report:?}");
            assert_eq!(report.exit_code, 3, "{fault}: {report:?}");
            assert_eq!(report.calls("getstulist"), 15, "{fault}");
        }
    }
    assert_eq!(world.run().await.applied(), "1 add, 1 delete");
    assert_eq!(world.differences(&[]), Vec::<String>::new());
}

#[tokio::test]
async fn a_page_without_rows_below_the_total_ends_a_listing_that_is_doubtful() {
    for empty in 2..=5 {
        let mut world = with_five_pages().await;
        world.settings.exam.endpoint.max_in_flight = 1;
        for reading in 1..=3 {
            world.set("short_page", &format!("getstulist@{}:100", reading * empty));
        }
        let report = world.run().await;
        assert_eq!((report.calls("addStudents"), report.calls("delStu")), (0, 0), "{empty}: {report:?}");
        assert_eq!((report.exit_code, report.calls("getstulist")), (3, 3 * empty), "{empty}: {report:?}");
    }
}

#[tokio::test]
async fn a_list_that_changes_while_it_is_read_adds_and_deletes_no_other_candidate() {
    for change in ["delete", "insert", "reorder"] {
        let world = with_five_pages().await;
        world.set("list_changes", &format!("getstulist@2x14:{change}"));
        let report = world.run().await;
        assert_eq!((report.calls("addStudents"), report.calls("delStu")), (0, 0), "{change}: {report:?}");
    }
}

#[tokio::test]
async fn a_listing_that_adds_up_when_it_is_read_again_is_believed() {
    let world = with_five_pages().await;
    world.set("short_page", "getstulist@3:7");
    let report = world.run().await;
    assert_eq!(report.applied(), "1 add, 1 delete, 1 modify");
    assert_eq!(report.calls("getstulist"), 10);
}

#[tokio::test]
async fn a_doubtful_listing_still_lets_values_be_put_right() {
    let world = with_five_pages().await;
    world.set("total_drifts", "getstulist@*:1");
    let report = world.run().await;
    assert_eq!((report.applied(), report.skipped()), ("1 modify".to_owned(), "1 add, 1 delete".to_owned()));
    assert_eq!(world.link("s001").await.unwrap().gone_runs, 1);
}

#[tokio::test]
async fn a_page_that_fails_once_is_read_again_and_nothing_else_happens() {
    let world = ExamSchool::in_step(students(420)).await;
    for (fault, argument) in [
        ("exam.drop_request", ""),
        ("exam.lose_answer", ""),
        ("exam.cut_body", ""),
        ("exam.reset", ""),
        ("exam.http_5xx", ""),
        ("exam.http_429", ""),
        ("exam.maintenance", ""),
    ] {
        for page in 1..=5 {
            world.set(fault, &format!("getstulist@{page}{argument}"));
            let report = world.run().await;
            assert_eq!((report.planned(), report.exit_code), (String::new(), 0), "{fault}: {report:?}");
            assert_eq!(report.calls("getstulist"), 6, "{fault}");
        }
    }
}

#[tokio::test]
async fn a_page_that_cannot_be_had_is_a_failed_run_without_writes() {
    let world = with_five_pages().await;
    for (fault, argument, exit) in [
        ("exam.drop_request", "", 75),
        ("exam.http_5xx", ":503", 75),
        ("exam.maintenance", "", 75),
        ("exam.html_200", "", 75),
        ("exam.not_json", "", 75),
        ("exam.wrong_type", "", 75),
        ("exam.redirect", "", 75),
        ("exam.huge_body", ":40000000", 75),
        ("exam.huge_body", ":40000000/gzip", 75),
    ] {
        world.set(fault, &format!("getstulist@3x100{argument}"));
        let report = world.run().await;
        world.sandbox.clear_faults();
        assert_eq!((report.exit_code, report.writes()), (exit, 0), "{fault}: {report:?}");
        assert_eq!(world.link("s001").await.unwrap().gone_runs, 1, "{fault:?}");
    }
}
