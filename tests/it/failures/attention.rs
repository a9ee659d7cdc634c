//! What waits unchanged for a person, another row or a time ends one run otherwise than well, and is attention from
//! then on.

use rosterd::RunReport;
use rosterd_core::failure::FailureState;

use rosterd_testkit::*;

/// `dead-letters 1 office`: what waits, by kind.
fn attention(report: &RunReport) -> Vec<String> {
    let line = |(kind, it): (&&str, &rosterd::Attention)| format!("{kind} {} {}", it.count, it.owner);
    report.attention.iter().map(line).collect()
}

async fn with_a_dead_letter() -> ExamSchool {
    let mut world = ExamSchool::in_step(students(3)).await;
    world.settings.retry.max_attempts = 1;
    world.put(student("new").in_groups(["g1", "g2"])).await;
    world.set("refuse_item", "addStudents@*:0");
    world
}

#[tokio::test]
async fn a_dead_letter_counts_in_the_run_that_gives_it_up_and_is_attention_afterwards() {
    let world = with_a_dead_letter().await;
    let report = world.run().await;
    assert_eq!((report.failed(), report.exit_code), ("1 add".to_owned(), 3));
    assert_eq!(attention(&report), ["dead-letters 1 office"]);
    let since = report.attention["dead-letters"].since.clone();
    assert!(since.is_some());
    for _ in 0..3 {
        let report = world.run_later().await;
        assert_eq!((report.skipped(), report.exit_code), ("1 add, 1 move".to_owned(), 0), "{report:?}");
        assert_eq!(report.outcome.as_str(), "converged");
        assert_eq!(attention(&report), ["dead-letters 1 office"]);
        assert_eq!(report.attention["dead-letters"].since, since, "since it was given up");
    }
}

#[tokio::test]
async fn a_dead_letter_that_is_tried_again_counts_again() {
    let mut world = with_a_dead_letter().await;
    assert_eq!(world.run().await.exit_code, 3);
    assert_eq!(world.run().await.exit_code, 0);
    let now_ms = world.clock.now_ms();
    world.state.change_failures(None, FailureState::Waiting, now_ms).await.unwrap();
    assert_eq!(world.run().await.exit_code, 3, "a person said so");
    assert_eq!(world.run().await.exit_code, 0);
    world.edit("new", |it| it.phone("another")).await;
    assert_eq!(world.run().await.exit_code, 3, "its row changed");
}

#[tokio::test]
async fn a_dead_letter_that_a_person_silences_is_no_attention() {
    let world = with_a_dead_letter().await;
    let _report = world.run().await;
    world.state.change_failures(None, FailureState::Ignored, world.clock.now_ms()).await.unwrap();
    let report = world.run().await;
    assert_eq!((attention(&report), report.exit_code), (Vec::new(), 0));
}

#[tokio::test]
async fn what_a_row_makes_impossible_is_withheld_counts_once_and_counts_again_for_another_reason() {
    let mut world = ExamSchool::in_step(students(3)).await;
    world.put(student("new").in_groups([])).await;
    let report = world.run().await;
    assert_eq!((report.skipped(), report.failed(), report.exit_code), ("1 add".to_owned(), String::new(), 3));
    assert_eq!(world.failures().await[0].code, "no-group");
    for _ in 0..2 {
        let report = world.run_later().await;
        assert_eq!((report.skipped(), report.exit_code), ("1 add".to_owned(), 0));
        assert_eq!(attention(&report), ["withheld 1 office"]);
    }
    world.edit("new", |it| it.login("")).await;
    assert_eq!(world.run().await.exit_code, 3, "another reason is news");
    assert_eq!(world.failures().await[0].code, "no-login-value");
    assert_eq!(world.run().await.exit_code, 0);
    world.edit("new", |it| it.login("new").in_groups(["g1"])).await;
    let report = world.run().await;
    assert_eq!((report.applied(), attention(&report)), ("1 add".to_owned(), Vec::new()));
}

/// One of each: a dead letter, a hold about a single person, a bad row, a withheld student, a wait.
async fn with_one_of_each() -> ExamSchool {
    let mut world = with_a_dead_letter().await;
    let sid = world.sid("s002").await;
    world.sandbox.set_candidate_groups(sid, &[world.gid("g1"), world.foreign]);
    world.remove("s002").await;
    world.put(student("late").login("s002")).await;
    world.put(student("nologin").login("")).await;
    world
}

#[tokio::test]
async fn every_kind_of_waiting_is_attention_with_count_age_and_owner() {
    let world = with_one_of_each().await;
    world.sql("INSERT INTO group_members VALUES ('nobody', 'g1')").await;
    let mut exits = Vec::new();
    for run in 1..=4 {
        let report = world.run().await;
        exits.push(report.exit_code);
        if run > 1 {
            let found = [
                "bad-rows 1 office",
                "dead-letters 1 office",
                "held-people 1 office",
                "waits 1 office",
                "withheld 1 office",
            ];
            assert_eq!(attention(&report), found, "run {run}");
            assert!(report.attention.values().all(|it| it.since.is_some()), "{report:?}");
        }
        world.later(DAY);
    }
    assert_eq!(exits, [4, 0, 0, 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_line_of_status_says_how_much_waits_for_whom_and_how_long() {
    use crate::program::Programs as _;
    let school = School::builder().setting("CLASSIN__ENABLED", "false").build().await;
    for id in ["s1", "s2"] {
        school.student(id).await;
    }
    let _gid = school.group_of_all().await;
    school.student("nogroup").await;
    for code in [3, 0] {
        assert_eq!(school.program(&["--sync-now"]).code, code);
    }
    let status = school.program(&["status"]);
    let first = status.stdout.lines().next().unwrap();
    assert!(first.starts_with("healthy: "), "{first}");
    assert!(
        first.contains("attention: 1 for the school office, the oldest for less than a minute"),
        "{first}"
    );
    let json = school.program(&["status", "--output", "json"]).json();
    assert_eq!(json["attention"]["withheld"]["count"], 1, "{json:#}");
    assert_eq!(json["attention"]["withheld"]["owner"], "office", "{json:#}");
    let id = json["failures"][0]["id"].to_string();
    assert_eq!(school.program(&["failures", "ignore", &id]).code, 0);
    let status = school.program(&["status"]);
    assert!(!status.stdout.contains("attention"), "what is silenced is none: {}", status.stdout);
    assert_eq!(school.program(&["--sync-now"]).code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_line_of_status_counts_for_each_owner_what_failures_shows_for_them() {
    use crate::program::Programs as _;
    let school = School::builder().setting("CLASSIN__ENABLED", "false").build().await;
    for id in ["s1", "s2"] {
        school.student(id).await;
    }
    let _gid = school.group_of_all().await;
    school.student("nogroup").await;
    school
        .sql("INSERT INTO groups VALUES ('g9', 'nine', NULL); INSERT INTO group_members VALUES ('s2', 'g9')")
        .await;
    school.sql("INSERT INTO groups VALUES ('g8', 'eight', 'abc'); INSERT INTO group_members VALUES ('ghost', 'g1')").await;
    let _first = school.program(&["--sync-now"]);
    let rows = school.program(&["failures", "--output", "json"]).json();
    let of = |owner: &str| rows.as_array().unwrap().iter().filter(|row| row["owner"] == owner).count();
    let (office, it) = (of("office"), of("it"));
    assert!(office > 0 && it > 0, "{rows:#}");
    let status = school.program(&["status"]).stdout;
    let first = status.lines().next().unwrap();
    assert!(
        first.contains(&format!("attention: {}: {it} for IT, {office} for the school office", it + office)),
        "{first} {rows:#}"
    );
}

#[tokio::test]
async fn a_wrong_gid_is_one_matter_for_it_however_many_students_it_keeps_out() {
    let mut world = ExamSchool::in_step(students(20)).await;
    world.settings.retry.max_attempts = 1;
    world.groups.insert("g9".to_owned(), Some(999_999));
    for id in ["s003", "s011", "s017"] {
        world.edit(id, |it| it.in_groups(["g9"])).await;
    }
    world.edit("s005", |it| it.named("Somebody else")).await;
    let report = world.run().await;
    assert_eq!(attention(&report), ["dead-letters 1 it"]);
    assert_eq!(world.failures().await.len(), 3, "each student has a row");
}
