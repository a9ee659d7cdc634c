//! A log or a journal that an earlier roster of the same name left: SQLite would play it over the new file, and the run
//! would read a mixture of two rosters.

#![expect(clippy::print_stderr, reason = "a test that cannot run here says so loudly")]

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

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

fn changed(path: &Path) -> SystemTime {
    let file = std::fs::metadata(path).unwrap();
    SystemTime::UNIX_EPOCH
        + Duration::new(file.ctime().try_into().unwrap(), file.ctime_nsec().try_into().unwrap())
}

/// Waits until the clock of the file system is beyond this moment.
fn wait_beyond(folder: &TempDir, moment: SystemTime) {
    let probe = folder.path().join("probe");
    loop {
        std::fs::write(&probe, "x").unwrap();
        if std::fs::metadata(&probe).unwrap().modified().unwrap() > moment {
            return;
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

#[tokio::test]
async fn a_roster_made_before_the_old_log_was_begun_is_not_read_with_it_once_it_has_taken_its_place() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("export")).unwrap();
    let [old, new, path] = ["old.db", "new.db", "export/roster.db"].map(|name| folder.path().join(name));
    roster(&new, 30, "NEW", "WAL").await;
    if !let_time_pass_since(&new) {
        return;
    }
    roster(&old, 40, "OLD", "WAL").await;
    killed(&old, &path, "UPDATE students SET name = 'OLDER'", "-wal").await;
    assert_eq!(open(&path, &folder).await.unwrap(), 40, "a log of its own is read");
    // More than the moment in which what is made stamps itself and its folder.
    wait_beyond(&folder, changed(&beside(&path, "-wal")) + Duration::from_millis(60));
    std::fs::rename(&new, &path).unwrap();
    let refused = open(&path, &folder).await.unwrap_err();
    assert!(
        matches!(refused, RosterError::Passing { .. }) && refused.to_string().contains("roster.db-wal"),
        "{refused}"
    );
    std::fs::remove_file(beside(&path, "-wal")).unwrap();
    assert_eq!(open(&path, &folder).await.unwrap(), 30);
}

#[tokio::test]
async fn new_rights_to_a_roster_make_its_own_log_no_other_ones() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("export")).unwrap();
    let [old, path] = ["old.db", "export/roster.db"].map(|name| folder.path().join(name));
    roster(&old, 40, "OLD", "WAL").await;
    killed(&old, &path, "UPDATE students SET name = 'OLDER'", "-wal").await;
    // More than the moment in which a rename stamps the file and its folder.
    wait_beyond(&folder, changed(&path.with_file_name("")) + Duration::from_millis(60));
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o640)).unwrap();
    assert_eq!(open(&path, &folder).await.unwrap(), 40);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_writes_nothing_into_a_roster_beside_the_log_of_another_one() {
    let folder = tempfile::tempdir().unwrap();
    let [old, path, list] = ["old.db", "roster.db", "students.csv"].map(|name| folder.path().join(name));
    roster(&path, 30, "NEW", "DELETE").await;
    roster(&old, 40, "OLD", "WAL").await;
    let mut owner = connect(&old).await;
    write(&mut owner, "UPDATE students SET name = 'OLDER'").await;
    std::fs::copy(beside(&old, "-wal"), beside(&path, "-wal")).unwrap();
    drop(owner);
    std::fs::write(&list, "student_id,name\ns001,Anna\n").unwrap();
    let bytes = || ["", "-wal"].map(|side| std::fs::read(beside(&path, side)).unwrap());
    let before = bytes();
    for more in [&[][..], &["--dry-run"]] {
        let mut command = crate::program::bare(&["import", "csv", list.to_str().unwrap(), "--database"]);
        command.arg(&path).args(more);
        let refused = rosterd_testkit::ended(command);
        assert_eq!(refused.code, 75, "{more:?}: {refused:#?}");
        assert!(
            refused.stderr.contains("roster.db-wal") && refused.stderr.contains("mixture of two rosters"),
            "{more:?}: {refused:#?}"
        );
        assert!(bytes() == before, "{more:?}: something was written");
    }
    std::fs::remove_file(beside(&path, "-wal")).unwrap();
    let mut command = crate::program::bare(&["import", "csv", list.to_str().unwrap(), "--database"]);
    command.arg(&path);
    assert_eq!(rosterd_testkit::ended(command).code, 0);
    assert_eq!(open(&path, &folder).await.unwrap(), 30);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_put_back_from_a_backup_is_not_used_with_the_log_of_the_one_before() {
    let mut school = School::of_both().await;
    school.setting("CLASSIN__ENABLED", "false");
    let _uid = school.student("s000").await;
    let _gid = school.group_of_all().await;
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    let (state, backup) = (school.path("state.db"), school.path("backup.db"));
    // A daemon that was killed leaves its log; then somebody puts the state of yesterday back.
    let mut daemon = connect(&state).await;
    write(&mut daemon, "INSERT INTO facts VALUES ('a fact', x'00')").await;
    std::fs::copy(beside(&state, "-wal"), school.path("log")).unwrap();
    daemon.close().await.unwrap();
    std::fs::copy(school.path("log"), beside(&state, "-wal")).unwrap();
    if !let_time_pass_since(&beside(&state, "-wal")) {
        return;
    }
    std::fs::copy(&state, &backup).unwrap();
    std::fs::rename(&backup, &state).unwrap();
    for command in [&["--sync-now"][..], &["plan"], &["status"], &["check", "--offline"]] {
        let refused = school.program(command);
        assert_eq!(refused.code, 78, "{command:?}: {refused:#?}");
        let said = format!("{}{}", refused.stdout, refused.stderr);
        assert!(
            said.contains("state.db-wal") && said.contains("put back from a backup"),
            "{command:?}: {said}"
        );
    }
    std::fs::remove_file(beside(&state, "-wal")).unwrap();
    assert_eq!(school.program(&["--sync-now"]).code, 0);
}
