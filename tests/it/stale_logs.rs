//! A log or a journal that an earlier roster of the same name left: SQLite would play it over the new file, and the run
//! would read a mixture of two rosters.

#![expect(clippy::print_stderr, reason = "a test that cannot run here says so loudly")]

use std::path::{Path, PathBuf};

use crate::program::Programs as _;
use rosterd::{RosterDatabase, RosterError, RosterQueries};
use rosterd_testkit::School;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqliteConnection};
use tempfile::TempDir;

const OUR_TABLES: &str = include_str!("../../migrations/roster/0001_create_roster.sql");

async fn connect(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).create_if_missing(true).connect().await.unwrap()
}

async fn write(connection: &mut SqliteConnection, statements: &str) {
    sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(connection).await.unwrap();
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    path.with_file_name(format!("{}{ending}", path.file_name().unwrap().to_str().unwrap()))
}

/// A roster of so many students under these names, closed.
async fn roster(path: &Path, students: u32, name: &str, journal: &str) {
    let mut connection = connect(path).await;
    let statements = format!(
        "{OUR_TABLES} WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {students}) \
         INSERT INTO students (student_id, name) SELECT printf('s%03d', i), '{name}' FROM n; \
         PRAGMA journal_mode = {journal};"
    );
    write(&mut connection, &statements).await;
    connection.close().await.unwrap();
}

/// What a program leaves that is killed in the middle of its work: the database, and this beside it.
async fn killed(from: &Path, to: &Path, statements: &str, side: &str) {
    let mut owner = connect(from).await;
    write(&mut owner, statements).await;
    for side in ["", side] {
        std::fs::copy(beside(from, side), beside(to, side)).unwrap();
    }
    drop(owner);
}

/// Waits until a file that is made now is younger than this one, by the clock of the file system.
fn let_time_pass_since(path: &Path) -> bool {
    let born = |path: &Path| std::fs::metadata(path).unwrap().created().ok();
    let Some(first) = born(path) else {
        eprintln!("NOT RUN, needs a file system that knows when a file was made: {}", path.display());
        return false;
    };
    let probe = beside(path, ".probe");
    loop {
        std::fs::write(&probe, "").unwrap();
        let now = born(&probe).unwrap();
        std::fs::remove_file(&probe).unwrap();
        if now > first {
            return true;
        }
    }
}

async fn open(path: &Path, folder: &TempDir) -> Result<u64, RosterError> {
    let state = folder.path().join("state.db");
    let database =
        RosterDatabase::open(path, &RosterQueries::default(), &["name".to_owned()], &state).await?;
    let count = database.require_students(1).await;
    database.close().await;
    count
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_roster_beside_the_log_of_the_old_one_is_not_read_and_the_sentence_says_what_to_remove() {
    let mut school = School::of_both().await;
    school.setting("CLASSIN__ENABLED", "false");
    for id in ["s000", "s001", "s002"] {
        let _uid = school.student(id).await;
    }
    let _gid = school.group_of_all().await;
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    let (roster, owner) = (school.path("roster.db"), school.path("owner.db"));
    std::fs::copy(&roster, &owner).unwrap();
    let mut old = connect(&owner).await;
    write(&mut old, "PRAGMA journal_mode = WAL; UPDATE students SET name = 'OLD ' || student_id").await;
    std::fs::copy(beside(&owner, "-wal"), beside(&roster, "-wal")).unwrap();
    for command in [&["--sync-now"][..], &["plan"]] {
        let refused = school.program(command);
        assert_eq!(refused.code, 75, "{command:?}: {refused:#?}");
        assert!(
            refused.stderr.contains("roster.db-wal") && refused.stderr.contains("mixture of two rosters"),
            "{command:?}: {refused:#?}"
        );
    }
    std::fs::remove_file(beside(&roster, "-wal")).unwrap();
    let after = school.program(&["--sync-now", "--output", "json"]);
    assert_eq!((after.code, &after.json()["outcome"]), (0, &"converged".into()), "{after:#?}");
    old.close().await.unwrap();
}

#[tokio::test]
async fn a_new_roster_in_wal_mode_is_not_read_with_the_log_that_was_there_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let [old, path, new] = ["old.db", "roster.db", "new.db"].map(|name| folder.path().join(name));
    roster(&old, 40, "OLD", "WAL").await;
    killed(&old, &path, "UPDATE students SET name = 'OLDER'", "-wal").await;
    assert_eq!(open(&path, &folder).await.unwrap(), 40, "a log of its own is read");
    if !let_time_pass_since(&beside(&path, "-wal")) {
        return;
    }
    roster(&new, 30, "NEW", "WAL").await;
    std::fs::rename(&new, &path).unwrap();
    let refused = open(&path, &folder).await.unwrap_err();
    assert!(
        matches!(refused, RosterError::Passing { .. }) && refused.to_string().contains("roster.db-wal"),
        "{refused}"
    );
    std::fs::write(beside(&path, "-wal"), "").unwrap();
    assert_eq!(open(&path, &folder).await.unwrap(), 30, "an empty log has nothing to play");
}

#[tokio::test]
async fn a_new_roster_is_not_taken_back_by_the_journal_that_was_there_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let [old, path, new] = ["old.db", "roster.db", "new.db"].map(|name| folder.path().join(name));
    roster(&old, 400, "OLD", "DELETE").await;
    let unfinished = "PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN IMMEDIATE; \
                      UPDATE students SET name = 'OLDER', phone = hex(zeroblob(400));";
    killed(&old, &path, unfinished, "-journal").await;
    assert_eq!(open(&path, &folder).await.unwrap(), 400, "a journal of its own is taken back, in a copy");
    if !let_time_pass_since(&beside(&path, "-journal")) {
        return;
    }
    roster(&new, 30, "NEW", "DELETE").await;
    std::fs::rename(&new, &path).unwrap();
    let refused = open(&path, &folder).await.unwrap_err();
    assert!(
        matches!(refused, RosterError::Passing { .. }) && refused.to_string().contains("roster.db-journal"),
        "{refused}"
    );
}
