//! First sync, quiet runs, edits on both sides, modes.

use rosterd::LoginField;
use rosterd_core::roster::Mode;

use rosterd_testkit::*;

#[tokio::test]
async fn the_first_sync_brings_the_exam_side_exactly_in_line() {
    let mut people = students(230);
    people[3] = student("s003").in_groups(["g1", "g2", "g3"]);
    people[4] = student("s004").phone("").password("");
    let world = ExamSchool::with(people).await;
    let report = world.run().await;
    assert_eq!(report.applied(), "230 add, 1 move");
    assert_eq!((report.exit_code, report.outcome.as_str()), (0, "applied"));
    assert_eq!(world.differences(&[]), Vec::<String>::new());
    assert_eq!(report.calls("addStudents"), 3);
}

#[tokio::test]
async fn a_second_run_makes_the_listing_calls_and_no_others() {
    let world = ExamSchool::with(students(230)).await;
    let _first = world.run().await;
    world.sandbox.clear_journal();
    let report = world.run().await;
    assert_eq!((report.exit_code, report.outcome.as_str()), (0, "converged"));
    assert_eq!(report.planned(), "");
    assert_eq!(world.journal(), ["getstulist"; 3]);
}

#[tokio::test]
async fn a_run_makes_exactly_the_changes_that_the_plan_showed() {
    let mut world = ExamSchool::in_step(students(20)).await;
    let gone = world.sid("s010").await;
    world.put(student("new")).await;
    world.edit("s001", |it| it.named("Somebody else")).await;
    world.edit("s002", |it| it.login("renamed")).await;
    world.edit("s003", |it| it.in_groups(["g2"])).await;
    world.edit("s004", |it| it.in_groups(["g1", "g3"])).await;
    world.edit("s005", |it| it.phone("")).await;
    world.edit("s006", |it| it.password("another")).await;
    world.remove("s007").await;
    world.sandbox.edit_candidate(world.sid("s008").await, &[(PHONE, "by hand")]);
    world.sandbox.remove_candidate(gone);
    let planned = world.planned().await;
    let expected = [
        "add new planned",
        "add s010 planned",
        "modify s001 planned",
        "modify s002 planned",
        "modify s005 planned",
        "modify s006 planned",
        "modify s008 planned",
        "move s003 planned",
        "move s004 planned",
    ];
    let mut sorted = planned.clone();
    sorted.sort();
    assert_eq!(sorted, expected);
    let report = world.run().await;
    assert_eq!(report.applied(), "2 add, 5 modify, 2 move");
    assert_eq!(report.planned(), report.applied());
    assert_eq!(world.differences(&["s007"]), Vec::<String>::new());
    assert_eq!(world.run().await.planned(), "");
}

#[tokio::test]
async fn a_plan_writes_nothing_to_the_service_and_is_no_run_that_saw_somebody_gone() {
    let mut world = ExamSchool::in_step(students(3)).await;
    world.put(student("new")).await;
    world.remove("s001").await;
    world.sandbox.clear_journal();
    for _ in 0..3 {
        let report = world.plan_report().await;
        assert_eq!(report.writes(), 0);
    }
    assert!(world.journal().iter().all(|call| call.starts_with("get")));
    assert_eq!(world.link("s001").await.unwrap().gone_runs, 0);
    assert_eq!(world.logins(), ["s000", "s001", "s002"]);
}

#[tokio::test]
async fn equal_plans_have_equal_digests_and_another_plan_has_another() {
    let mut world = ExamSchool::in_step(students(3)).await;
    world.put(student("new")).await;
    let first = world.plan_report().await.digest;
    assert_eq!(world.plan_report().await.digest, first);
    world.put(student("newer")).await;
    assert_ne!(world.plan_report().await.digest, first);
}

#[tokio::test]
async fn observe_reads_and_plans_and_writes_nothing() {
    let mut world = ExamSchool::with(students(3)).await;
    world.sandbox.insert_candidate(&[(LOGIN, "s000"), (NAME, "x"), (GENDER, "f")], &[world.gid("g1")]);
    world.settings.mode = Mode::Observe;
    let report = world.run().await;
    assert_eq!((report.writes(), report.exit_code), (0, 0));
    assert_eq!(report.skipped(), "2 add, 1 adopt, 1 modify");
    assert_eq!((report.outcome.as_str(), report.exam.left_by_mode), ("observed", 4));
    assert_eq!(world.state.runs(1).await.unwrap()[0].outcome.as_deref(), Some("observed"));
    assert_eq!(world.state.count_links().await.unwrap(), 0);
}

#[tokio::test]
async fn create_only_adds_and_changes_nothing_else() {
    let mut world = ExamSchool::in_step(students(3)).await;
    world.settings.mode = Mode::CreateOnly;
    world.put(student("new")).await;
    world.edit("s000", |it| it.named("Somebody else")).await;
    world.edit("s001", |it| it.in_groups(["g2"])).await;
    let report = world.run().await;
    assert_eq!((report.applied(), report.skipped()), ("1 add".to_owned(), "1 modify, 1 move".to_owned()));
    assert_eq!((report.exit_code, report.outcome.as_str()), (0, "applied"));
    let report = world.run().await;
    assert_eq!((report.exit_code, report.outcome.as_str()), (0, "observed"), "nothing was left to add");
}

#[tokio::test]
async fn upsert_modifies_and_moves_and_never_deletes() {
    let mut world = ExamSchool::in_step(students(3)).await;
    world.settings.mode = Mode::Upsert;
    world.edit("s000", |it| it.named("Somebody else")).await;
    world.edit("s001", |it| it.in_groups(["g2"])).await;
    world.remove("s002").await;
    assert_eq!(world.run().await.applied(), "1 modify, 1 move");
    for _ in 0..3 {
        world.later(4 * DAY);
        let report = world.run().await;
        assert_eq!((report.writes(), report.exit_code), (0, 0));
    }
    assert_eq!(world.logins(), ["s000", "s001", "s002"]);
}

#[tokio::test]
async fn the_login_field_is_found_where_candidates_are_listed() {
    let mut world = ExamSchool::with(students(3)).await;
    world.settings.exam.login_field = LoginField::Auto;
    let report = world.run().await;
    assert_eq!(report.exit_code, 78, "an empty account shows no login field");
    assert_eq!(report.writes(), 0);
    let gid = world.gid("g1");
    world.sandbox.insert_candidate(&[(LOGIN, "other"), (NAME, "Other")], &[gid]);
    assert_eq!(world.run().await.applied(), "3 add");
    assert_eq!(world.differences(&["other"]), Vec::<String>::new());
}

#[tokio::test]
async fn an_empty_listing_while_candidates_are_known_is_a_failed_run_without_writes() {
    let mut world = ExamSchool::in_step(students(3)).await;
    world.put(student("new")).await;
    for candidate in world.sandbox.candidates() {
        world.sandbox.remove_candidate(candidate.sid);
    }
    let report = world.run().await;
    assert_eq!((report.exit_code, report.writes()), (1, 0));
    assert_eq!(world.state.count_links().await.unwrap(), 3);
}

#[tokio::test]
async fn a_roster_with_too_few_students_is_refused_before_anything_is_asked() {
    let mut world = ExamSchool::in_step(students(5)).await;
    world.settings.guard.min_roster = 3;
    for id in ["s000", "s001", "s002"] {
        world.remove(id).await;
    }
    world.sandbox.clear_journal();
    let report = world.run().await;
    assert_eq!(report.exit_code, 1);
    assert_eq!(world.journal(), Vec::<String>::new());
    assert_eq!(world.link("s000").await.unwrap().gone_runs, 0);
}

#[tokio::test]
async fn a_run_that_is_told_to_stop_sends_no_new_batch_and_ends_as_terminated() {
    let mut world = ExamSchool::in_step(students(3)).await;
    for id in ["new1", "new2", "new3"] {
        world.put(student(id)).await;
    }
    world.settings.exam.batch_size = 1;
    world.settings.exam.endpoint.max_in_flight = 1;
    world.set("exam.latency_ms", "50");
    world.sandbox.clear_journal();
    let told = async {
        while !world.journal().iter().any(|call| call.contains("addStudents")) {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        world.stop.cancel();
    };
    let (report, ()) = tokio::join!(world.run(), told);
    assert_eq!(report.exit_code, 143);
    assert_eq!((report.applied(), report.skipped()), ("1 add".to_owned(), "2 add".to_owned()));
    world.stop = tokio_util::sync::CancellationToken::new();
    assert_eq!(world.run().await.applied(), "2 add");
}

#[tokio::test]
async fn a_run_that_is_told_to_stop_before_it_has_read_does_nothing() {
    let mut world = ExamSchool::in_step(students(3)).await;
    world.put(student("new")).await;
    world.stop.cancel();
    let report = world.run().await;
    assert_eq!((report.exit_code, report.writes()), (143, 0));
    world.stop = tokio_util::sync::CancellationToken::new();
    assert_eq!(world.run().await.applied(), "1 add");
}
