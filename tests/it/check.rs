//! `check` as the doctor: it looks at everything that a run needs, says who mends what and what to type, and writes nowhere.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rosterd_testkit::School;
use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};

use crate::program::Programs as _;

/// Three students in one group and one class.
async fn school() -> School {
    let school = School::of_both().await;
    school.class("c1").await;
    school.fill("c1", 3).await;
    school.group_of_all().await;
    school
}

/// Every file below a folder, with its contents and the time of its last change.
fn all_of(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(all_of(&path));
        } else {
            let modified = entry.metadata().unwrap().modified().unwrap();
            found.insert(path.clone(), (std::fs::read(&path).unwrap(), modified));
        }
    }
    found
}

fn names(files: &BTreeMap<PathBuf, (Vec<u8>, SystemTime)>) -> Vec<&Path> {
    files.keys().map(PathBuf::as_path).collect()
}

/// The findings about something.
fn findings(school: &School, arguments: &[&str], what: &str) -> Vec<Value> {
    let ended = school.program(&[&["check", "--output", "json"], arguments].concat());
    let all = ended.json()["findings"].as_array().unwrap().clone();
    all.into_iter().filter(|finding| finding["what"] == what).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_changes_no_byte_and_no_time_and_leaves_no_log_behind() {
    let school = school().await;
    school.sql("PRAGMA journal_mode = WAL").await;
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    let folder = school.path("");
    let before = all_of(&folder);
    assert!(before.keys().all(|path| !path.to_string_lossy().ends_with("-wal")), "{:?}", names(&before));
    for arguments in [&["check"][..], &["check", "--offline"], &["check", "--config-only"]] {
        assert_eq!(school.program(arguments).code, 0, "{arguments:?}");
        let after = all_of(&folder);
        assert_eq!(names(&after), names(&before), "{arguments:?}");
        assert!(after == before, "{arguments:?} changed a file");
    }
}

/// What is on the disk when the program is killed: a log that nobody has taken into its database.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_leaves_the_log_of_a_rosterd_that_was_killed_as_it_is() {
    let school = school().await;
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    let state = school.path("state.db");
    let mut connection = SqliteConnectOptions::new().filename(&state).connect().await.unwrap();
    connection.execute("INSERT INTO facts VALUES ('of-the-log', x'37')").await.unwrap();
    let sides = ["-wal", "-shm"].map(|side| PathBuf::from(format!("{}{side}", state.display())));
    let bytes: Vec<Vec<u8>> = sides.iter().map(|side| std::fs::read(side).unwrap()).collect();
    let database = std::fs::read(&state).unwrap();
    connection.close().await.unwrap();
    std::fs::write(&state, &database).unwrap();
    for (side, bytes) in sides.iter().zip(&bytes) {
        std::fs::write(side, bytes).unwrap();
    }
    assert_eq!(school.program(&["check"]).code, 0);
    assert!(std::fs::read(&state).unwrap() == database, "the log was taken into it");
    assert!(std::fs::read(&sides[0]).unwrap() == bytes[0], "the log was changed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_everybody_may_write_is_told_with_the_command_that_mends_it() {
    let school = school().await;
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    let rights = findings(&school, &["--offline"], "rights");
    assert_eq!(rights.len(), 1, "{rights:#?}");
    assert!(rights[0]["warning"].is_null(), "{rights:#?}");
    let (state, roster) = (school.path("state.db"), school.path("roster.db"));
    let folder = state.parent().unwrap().to_owned();
    for (path, open, right) in [(&roster, 0o666, 0o600), (&folder, 0o777, 0o700)] {
        std::fs::set_permissions(path, PermissionsExt::from_mode(open)).unwrap();
        let rights = findings(&school, &["--offline"], "rights");
        let command = format!("chmod o-w {}", path.display());
        let told: Vec<&Value> = rights.iter().filter(|it| it["commands"][0] == command.as_str()).collect();
        assert!(!told.is_empty(), "{}: {rights:#?}", path.display());
        assert_eq!((&told[0]["warning"], &told[0]["owner"]), (&true.into(), &"it".into()));
        std::fs::set_permissions(path, PermissionsExt::from_mode(right)).unwrap();
    }
    std::fs::set_permissions(&state, PermissionsExt::from_mode(0o644)).unwrap();
    let said = school.program(&["check", "--offline"]);
    assert_eq!(said.code, 0, "a warning stops nothing: {said:#?}");
    assert!(said.stdout.contains(&format!("          chmod 600 {}", state.display())), "{said:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_without_gid_and_classes_without_ids_are_counted_named_and_told_to_the_office() {
    let mut school = school().await;
    school
        .sql(
            "INSERT INTO groups VALUES ('g8', 'title', NULL), ('g9', 'title', NULL);
             INSERT INTO classes VALUES ('c8', 'title', NULL, NULL), ('c9', 'title', 77, NULL);",
        )
        .await;
    let groups = findings(&school, &["--offline"], "groups");
    let said = groups[0]["detail"].as_str().unwrap();
    assert!(said.starts_with("2 groups of 3 without gid (g8, g9)"), "{said}");
    assert_eq!(groups[0]["warning"], true);
    let classes = findings(&school, &["--offline"], "classes");
    let said: Vec<&str> = classes.iter().map(|it| it["detail"].as_str().unwrap()).collect();
    assert!(said[0].starts_with("1 class of 3 without course_id (c8)"), "{said:?}");
    assert_eq!(classes[0]["owner"], "office");
    assert_eq!(said[1], "1 class without class_id stands for the whole course");
    school.setting("EXAM__CREATE_GROUPS", "true");
    let groups = findings(&school, &["--offline"], "groups");
    assert!(groups[0]["warning"].is_null(), "the next run creates them: {groups:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_schedule_is_said_in_words_with_the_next_five_moments_in_its_zone() {
    let mut school = school().await;
    school.setting("SCHEDULE__CRON", "0 30 2 1 1 *");
    school.setting("SCHEDULE__TIME_ZONE", "Asia/Shanghai");
    let schedule = findings(&school, &["--offline"], "schedule");
    let said = schedule[0]["detail"].as_str().unwrap();
    assert!(said.contains("Asia/Shanghai") && said.contains("\"0 30 2 1 1 *\""), "{said}");
    let moments: Vec<&str> = said.lines().skip(1).map(str::trim).collect();
    assert_eq!(moments.len(), 5, "{said}");
    assert!(moments.iter().all(|moment| moment.ends_with("-01-01 02:30 +08:00")), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_are_estimated_from_below_as_a_real_first_sync_makes_them() {
    let school = school().await;
    let calls = findings(&school, &[], "exam calls");
    let said = calls[0]["detail"].as_str().unwrap();
    assert!(said.starts_with("at least 3 calls for the first sync"), "{said}");
    assert!(said.contains("1 call for a quiet run"), "{said}");
    let before = school.calls("exam").len();
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    assert_eq!(school.calls("exam").len() - before, 3, "fields, listing, adds");
    let calls = findings(&school, &["--offline"], "exam calls");
    let said = calls[0]["detail"].as_str().unwrap();
    assert!(said.starts_with("at least 1 call for a quiet run"), "all are linked: {said}");
    let calls = findings(&school, &["--offline"], "ClassIn calls");
    assert!(calls[0]["detail"].as_str().unwrap().starts_with("none for a quiet run"), "{calls:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_network_everything_local_is_still_said_and_what_could_not_be_asked_is_named() {
    let mut school = school().await;
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    school.setting("EXAM__BASE_URL", &format!("http://{gone}"));
    school.setting("CLASSIN__BASE_URL", &format!("http://{gone}"));
    let ended = school.program(&["check", "--output", "json"]);
    assert_eq!(ended.code, 75, "{ended:#?}");
    let document = ended.json();
    let all = document["findings"].as_array().unwrap();
    let what = |what: &str| all.iter().filter(|it| it["what"] == what).collect::<Vec<_>>();
    for local in
        ["configuration", "rights", "disk", "state database", "roster", "journal", "schedule", "exam calls"]
    {
        assert!(what(local).iter().all(|it| it["ok"] == true), "{local}: {document:#}");
        assert!(!what(local).is_empty(), "{local}: {document:#}");
    }
    for service in ["exam side", "ClassIn"] {
        assert_eq!(what(service)[0]["ok"], false, "{document:#}");
    }
    let clocks = what("clock");
    assert_eq!(clocks.len(), 2, "{document:#}");
    assert!(clocks.iter().all(|it| it["detail"].as_str().unwrap().contains("broke off")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_check_says_fits_a_terminal_and_stands_in_groups() {
    let school = school().await;
    school.sql("INSERT INTO groups VALUES ('g8', 'title', NULL)").await;
    let ended = school.program(&["check"]);
    assert_eq!(ended.code, 0, "{ended:#?}");
    let headings: Vec<&str> = ended
        .stdout
        .lines()
        .filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()) && !line.starts_with("FAIL"))
        .collect();
    assert_eq!(
        headings,
        ["Configuration", "Files and disk", "State", "Roster", "Exam side", "ClassIn", "Schedule and calls"]
    );
    // Paths are as long as they are.
    let folder = school.path("state.db").parent().unwrap().to_str().unwrap().to_owned();
    for line in ended.stdout.lines().filter(|line| !line.contains(&folder)) {
        assert!(line.chars().count() <= 80, "{line}");
    }
}
