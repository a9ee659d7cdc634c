//! The file of the state database: never somebody else's, and never made by a command that only reads.

use std::path::Path;

use crate::program::Programs as _;
use rosterd_testkit::{Ended, School};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

async fn small() -> School {
    let school = School::of_both().await;
    school.class("c1").await;
    school.fill("c1", 2).await;
    school.group_of_all().await;
    school
}

fn said(ended: &Ended) -> String {
    format!("{}{}", ended.flowing(), ended.stderr)
}

/// Every command that opens the state, each in the way that needs least.
const COMMANDS: [&[&str]; 12] = [
    &["--sync-now"],
    &["plan"],
    &["check", "--offline"],
    &["status"],
    &["runs"],
    &["failures"],
    &["failures", "retry", "--all"],
    &["explain", "s000"],
    &["account"],
    &["approve", "nothing"],
    &["export", "links"],
    &["results", "list"],
];

async fn tables(path: &Path) -> Vec<String> {
    let mut connection = SqliteConnectOptions::new().filename(path).read_only(true).connect().await.unwrap();
    let names = sqlx::query_scalar("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        .fetch_all(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    names
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_with_a_second_name_is_refused_under_both_until_there_is_one() {
    let mut school = small().await;
    school.leaves_work_behind();
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    std::fs::hard_link(school.path("state.db"), school.path("other.db")).unwrap();
    for name in ["state.db", "other.db"] {
        school.setting("STATE__DATABASE", school.path(name).to_str().unwrap());
        for command in [&["--sync-now"][..], &["status"]] {
            let ended = school.program(command);
            assert_eq!(ended.code, 78, "{name}: {ended:#?}");
            assert!(
                said(&ended).contains("hard link") && said(&ended).contains("-samefile"),
                "{name}: {ended:#?}"
            );
        }
    }
    std::fs::remove_file(school.path("other.db")).unwrap();
    school.setting("STATE__DATABASE", school.path("state.db").to_str().unwrap());
    assert_eq!(school.program(&["--sync-now"]).code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_that_is_the_roster_is_a_wrong_configuration_under_whichever_name() {
    let mut school = small().await;
    let roster = school.path("roster.db");
    let before = std::fs::read(&roster).unwrap();
    std::os::unix::fs::symlink(&roster, school.path("symbolic.db")).unwrap();
    std::fs::hard_link(&roster, school.path("hard.db")).unwrap();
    let folder = roster.parent().unwrap().to_owned();
    std::os::unix::fs::symlink(&folder, school.path("folder")).unwrap();
    std::fs::create_dir(school.path("sub")).unwrap();
    for name in
        ["roster.db", "symbolic.db", "hard.db", "folder/roster.db", "sub/../roster.db", "roster.db-wal"]
    {
        school.setting("STATE__DATABASE", school.path(name).to_str().unwrap());
        for arguments in COMMANDS {
            let ended = school.program(arguments);
            assert_eq!(ended.code, 78, "{name} {arguments:?} {ended:#?}");
            let said = said(&ended);
            assert!(said.contains("state.database") && said.contains("roster.database"), "{name}: {said}");
        }
        assert_eq!(std::fs::read(&roster).unwrap(), before, "{name}");
    }
    assert!(school.sandbox.journal().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_that_is_another_file_of_the_configuration_is_refused() {
    let mut school = small().await;
    let code = school.path("code.txt");
    std::fs::write(&code, "xxx\n").unwrap();
    school.setting("EXAM__CODE_FILE", code.to_str().unwrap());
    school.setting("STATE__DATABASE", code.to_str().unwrap());
    let ended = school.program(&["check", "--offline"]);
    assert_eq!(ended.code, 78, "{ended:#?}");
    assert!(
        ended.flowing().contains("state.database") && ended.flowing().contains("exam.code_file"),
        "{ended:#?}"
    );
    assert_eq!(std::fs::read_to_string(&code).unwrap(), "xxx\n");
    school.usual("EXAM__CODE_FILE");
    school.setting("STATE__DATABASE", school.config().to_str().unwrap());
    assert!(school.program(&["check"]).flowing().contains("the configuration file itself"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_of_something_else_is_refused_and_left_as_it_is() {
    let mut school = small().await;
    let table = [
        ("another table", "CREATE TABLE library (book TEXT)"),
        ("in a log", "PRAGMA journal_mode = wal; CREATE TABLE library (book TEXT)"),
        (
            "another program's migrations",
            "CREATE TABLE library (book TEXT); CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, \
             description TEXT NOT NULL, installed_on TIMESTAMP, success BOOLEAN, checksum BLOB, execution_time BIGINT); \
             INSERT INTO _sqlx_migrations VALUES (1, 'library', NULL, 1, x'00', 0)",
        ),
    ];
    for (name, sql) in table {
        let path = school.path(&format!("{}.db", name.replace(' ', "-")));
        let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
        let mut connection = options.connect().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
        let before = tables(&path).await;
        school.setting("STATE__DATABASE", path.to_str().unwrap());
        for arguments in COMMANDS {
            let ended = school.program(arguments);
            assert_eq!(ended.code, 78, "{name} {arguments:?} {ended:#?}");
            assert!(said(&ended).contains("not a state database of rosterd"), "{name}: {ended:#?}");
        }
        assert_eq!(tables(&path).await, before, "{name}");
        connection.close().await.unwrap();
    }
    assert!(school.sandbox.journal().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_only_reads_makes_no_state() {
    let school = small().await;
    let table: [(&[&str], i32); 15] = [
        (&["check"], 0),
        (&["check", "--offline"], 0),
        (&["status"], 0),
        (&["status", "--check"], 1),
        (&["explain", "s000"], 0),
        (&["export", "links"], 0),
        (&["export", "failures"], 0),
        (&["runs"], 78),
        (&["failures"], 78),
        (&["account"], 78),
        (&["results", "list"], 78),
        (&["failures", "retry", "--all"], 78),
        (&["approve", "nothing"], 78),
        (&["forget", "s000"], 78),
        (&["relink", "--suggested"], 78),
    ];
    for (arguments, code) in table {
        let ended = school.program(arguments);
        assert_eq!(ended.code, code, "{arguments:?} {ended:#?}");
        let said = said(&ended);
        assert!(said.contains("state.db") && said.contains("first run creates it"), "{arguments:?} {said}");
        let made: Vec<_> = std::fs::read_dir(school.path("state.db").parent().unwrap())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .filter(|name| name.to_string_lossy().starts_with("state.db"))
            .collect();
        assert!(made.is_empty(), "{arguments:?} {made:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_imported_into_the_state() {
    let school = small().await;
    std::fs::write(school.path("students.csv"), "student_id,name\ns1,Ada\n").unwrap();
    let (file, state) = (school.path("students.csv"), school.path("state.db"));
    let arguments = ["import", "csv", file.to_str().unwrap(), "--database", state.to_str().unwrap()];
    let ended = school.program(&arguments);
    assert_eq!(ended.code, 64, "{ended:#?}");
    assert!(ended.stderr.contains("state.database") && !state.exists(), "{ended:#?}");
}
