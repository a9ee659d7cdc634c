//! `explain` for whoever knows a student by something else than the id, what both sides have, and what was changed by which
//! run; and what the office gets of the failures.

use crate::program::Programs as _;
use rosterd_testkit::School;

async fn school() -> School {
    let school = School::builder().setting("CLASSIN__ENABLED", "false").build().await;
    for id in ["s000", "s001", "s002"] {
        let _uid = school.student(id).await;
    }
    school.applicant("caller", "+86 138-0000-0001").await;
    let _gid = school.group_of_all().await;
    school
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_student_is_found_by_name_login_value_or_telephone_number_and_several_are_listed() {
    let school = school().await;
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    for (typed, id) in [
        ("s001", "s001"),
        ("name of S001", "s001"),
        ("LOGIN-s002", "s002"),
        ("13800000001", "caller"),
        (" of caller", "caller"),
    ] {
        let ended = school.program(&["explain", typed, "--output", "json"]);
        assert_eq!(ended.code, 0, "{typed}: {ended:?}");
        assert_eq!(ended.json()["student_id"], id, "{typed}");
        assert!(
            !ended.stdout.contains("Name of"),
            "a name is shown only where it is asked for: {}",
            ended.stdout
        );
    }
    let several = school.program(&["explain", "Name of s00", "--output", "json"]).json();
    let ids: Vec<&str> =
        several["found"].as_array().unwrap().iter().map(|one| one["student_id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["s000", "s001", "s002"]);
    let text = school.program(&["explain", "Name of s00"]).stdout;
    assert!(text.contains(" explain s001\n") && !text.contains("Name of s001"), "{text}");
    let text = school.program(&["explain", "Name of s00", "--reveal"]).stdout;
    assert!(text.contains("Name of s001"), "{text}");
    let ended = school.program(&["explain", "Quartermain"]);
    assert!(
        ended.code == 1 && ended.stderr.contains("by id, name, login value or telephone number"),
        "{ended:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_changes_of_a_student_are_told_with_their_run_and_without_a_value() {
    let school = school().await;
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    school.sql("UPDATE students SET name = 'Zebulon Quartermain' WHERE student_id = 's001'").await;
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    let told = school.program(&["explain", "s001", "--output", "json"]).json();
    let changes: Vec<(i64, &str, Option<&str>)> = told["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| {
            (change["run_id"].as_i64().unwrap(), change["kind"].as_str().unwrap(), change["what"].as_str())
        })
        .collect();
    assert_eq!(changes, [(2, "modify", Some("name")), (1, "add", None)], "{told:#}");
    assert_eq!(told["groups"]["wanted"][0]["group_code"], "g1", "{told:#}");
    let text = school.program(&["explain", "s001"]).stdout;
    assert!(text.contains(" ago), run 2: exam modify: name\n"), "{text}");
    assert!(!text.contains("Quartermain"), "{text}");
    let kept = school.word("SELECT group_concat(detail || kind || student_id) FROM student_changes").await;
    assert!(!kept.contains("Quartermain"), "{kept}");
    let other = school.program(&["explain", "s000", "--output", "json"]).json();
    assert_eq!(other["changes"].as_array().unwrap().len(), 1, "{other:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_history_goes_along_when_an_id_changes_and_is_forgotten_in_the_end() {
    let school = school().await;
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    school.sql("UPDATE students SET student_id = 'new' WHERE student_id = 's001'").await;
    school.sql("UPDATE group_members SET student_id = 'new' WHERE student_id = 's001'").await;
    let ended = school.program(&["relink", "s001", "new"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let told = school.program(&["explain", "new", "--output", "json"]).json();
    assert_eq!(told["changes"][0]["kind"], "add", "{told:#}");
    school.write("UPDATE student_changes SET changed_at_ms = 1").await;
    // What is over was forgotten two days ago.
    school
        .write(
            "INSERT OR REPLACE INTO facts (name, value) VALUES ('state.forgotten_at_ms', \
             CAST(CAST((strftime('%s', 'now') - 172800) * 1000 AS TEXT) AS BLOB))",
        )
        .await;
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    let told = school.program(&["explain", "new", "--output", "json"]).json();
    assert_eq!(told["changes"].as_array().unwrap().len(), 0, "{told:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leaver_is_told_what_comes_and_not_before_which_day() {
    let mut school = school().await;
    school.setting("SCHEDULE__TIME_ZONE", "Asia/Shanghai");
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    school.drop_student("s002").await;
    let _ended = school.program(&["--sync-now"]);
    let text = school.program(&["explain", "s002"]).stdout;
    assert!(
        text.contains("not before ") && text.contains(" +08:00 (in 2 days), and once two runs"),
        "{text}"
    );
    assert!(text.contains("the candidate is deleted, with its exam results"), "{text}");
    school.leaves_work_behind();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_office_gets_failures_with_name_groups_owner_and_age() {
    let school = school().await;
    let _uid = school.student("nogroup").await;
    assert_eq!(school.program(&["--sync-now"]).code, 3);
    let rows = school.program(&["export", "failures", "--output", "json"]).json();
    let row = &rows[0];
    assert_eq!(
        (&row["name"], &row["groups"], &row["who"]),
        (&"Name of nogroup".into(), &"".into(), &"school office".into()),
        "{rows:#}"
    );
    assert!(row["since"].as_str().unwrap().ends_with('Z'), "{rows:#}");
    let text = school.program(&["failures"]).stdout;
    assert!(text.contains("less than a minute ago"), "{text}");
    school.leaves_work_behind();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_that_rosterd_created_is_named_with_its_gid() {
    let settings = School::builder().setting("CLASSIN__ENABLED", "false");
    let school = settings.setting("EXAM__CREATE_GROUPS", "true").build().await;
    school.fill("c1", 3).await;
    school.sql("DELETE FROM class_members").await;
    school.sql("INSERT INTO groups (group_code, title) VALUES ('n1', 'New one'), ('n2', 'Another')").await;
    school.sql("INSERT INTO group_members SELECT student_id, 'n1' FROM students").await;
    let before = school.program(&["explain", "s001"]).stdout;
    assert!(before.contains("  groups: n1"), "{before}");
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    let gid = school.number("SELECT gid FROM known_groups WHERE group_code = 'n1'").await;
    let explained = school.program(&["explain", "s001"]).stdout;
    let said =
        format!("the roster wants n1 (gid {gid}); the candidate is in {gid}: is in all that are wanted");
    assert!(explained.contains(&said), "{explained}");
    school.sql("INSERT INTO group_members VALUES ('s001', 'n2')").await;
    let explained = school.program(&["explain", "s001"]).stdout;
    assert!(explained.contains("n2 (no gid yet)") && explained.contains("is not in all"), "{explained}");
}
