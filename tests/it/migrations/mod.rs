//! Our own database: made from nothing, opened again, refused when a newer version wrote it.

mod contact;
mod copies;
mod every_version;
mod former_groups;
mod holds;
mod ids;
mod rewritten_fields;

use std::path::Path;

use crate::program::Programs as _;
use rosterd::{StateStore, StoreError};
use rosterd_testkit::School;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqliteConnection};

async fn raw(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).connect().await.unwrap()
}

async fn schema(path: &Path) -> Vec<(String, Option<String>)> {
    let mut connection = raw(path).await;
    let rows = sqlx::query_as("SELECT name, sql FROM sqlite_master ORDER BY name");
    let rows = rows.fetch_all(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    rows
}

#[tokio::test]
async fn a_database_is_made_from_nothing_and_migrating_it_again_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("below").join("state.db");
    StateStore::open(&path).await.unwrap().close().await;
    let first = schema(&path).await;
    assert!(first.iter().any(|(name, _)| name == "links"));
    let store = StateStore::open(&path).await.unwrap();
    let key = store.memory_key().await.unwrap();
    store.close().await;
    let store = StateStore::open(&path).await.unwrap();
    assert_eq!(store.memory_key().await.unwrap(), key);
    store.close().await;
    assert_eq!(schema(&path).await, first);
}

#[tokio::test]
async fn every_table_of_ours_is_strict() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    StateStore::open(&path).await.unwrap().close().await;
    for (name, sql) in schema(&path).await {
        let Some(sql) = sql.filter(|sql| sql.starts_with("CREATE TABLE")) else { continue };
        assert!(name.starts_with("_sqlx") || name.starts_with("sqlite_") || sql.contains("STRICT"), "{name}");
    }
}

/// A database as the first version left it, with one row of everything that ClassIn's part remembers.
async fn of_the_first_version(path: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let first = "0001_remember_links_runs_and_failures.sql";
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/state").join(first);
    std::fs::copy(shipped, folder.path().join(first)).unwrap();
    let mut connection =
        SqliteConnectOptions::new().filename(path).create_if_missing(true).connect().await.unwrap();
    sqlx::migrate::Migrator::new(folder.path()).await.unwrap().run(&mut connection).await.unwrap();
    sqlx::raw_sql(
        "INSERT INTO runs (trigger, mode, started_at_ms) VALUES ('sync-now', 'sync', 1);
         INSERT INTO enrolments VALUES
             (11, 1, 5, 'a', 'added', 1, 100, 1, NULL, 0), (12, 1, 5, 'b', 'present', 166, 200, 1, 77, 3),
             (13, 1, 5, 'c', 'unknown', NULL, 300, 1, NULL, 0), (14, 1, 5, 'd', 'presumed', 166, 400, 1, NULL, 0),
             (15, 1, 5, 'e', 'removing', NULL, 500, 1, NULL, 0), (21, 1, 0, 'a', 'added', 1, 600, 1, NULL, 0),
             (12, 2, 6, 'b', 'added', 1, 50, 1, NULL, 0);
         INSERT INTO condemned_classes VALUES (2, 6, 145, 'over', 900, 1);
         INSERT INTO failures (service, kind, student_id, class_code, state, call, code, message, attempts,
             first_failed_at_ms, last_failed_at_ms, due_at_ms, want, run_id)
         VALUES ('classin', 'enrol', 'c', 'c1', 'waiting', 'x', '158', 'm', 2, 1, 2, 3, 4, 1);",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    connection.close().await.unwrap();
}

/// What each version added, with one row of everything that it remembers.
const ROWS: [&str; 4] = [
    "INSERT INTO facts VALUES ('memory-key', x'0102'), ('schedule.next_due_at_ms', x'37');
     INSERT INTO runs (trigger, mode, started_at_ms) VALUES ('sync-now', 'sync', 1);
     INSERT INTO links (student_id, sid, login_value, origin, confirmed, written_run, groups_due_at_ms, linked_at_ms)
         VALUES ('a', 1, 'login', 'added', x'', 1, 0, 0);
     INSERT INTO intents VALUES ('exam', 'add', 'b', '', 1, 1, -5, 'login-b', 9),
         ('classin', 'register', 'c', '', 1, 2, 5, NULL, 9);
     INSERT INTO departures VALUES ('d', 'exam', 4, 0), ('d', 'classin', 5, 1);
     INSERT INTO held_operations VALUES ('digest', 'classin', 'remove', 'e', 'c1', -9, 3, 99),
         ('digest', 'exam', 'delete', 'e', '', 9, 3, NULL);
     INSERT INTO enrolments (uid, course_id, class_id, student_id, evidence, changed_at_ms, run_id)
         VALUES (11, 1, 5, 'a', 'added', 100, 1);
     INSERT INTO condemned_classes VALUES (2, 6, 145, 'over', 900, 1);
     INSERT INTO failures (service, kind, student_id, class_code, state, call, code, message, attempts,
         first_failed_at_ms, last_failed_at_ms, due_at_ms, want, run_id)
     VALUES ('classin', 'enrol', 'waits', 'c1', 'waiting', 'x', '158', 'm', 2, 1, 2, 3, 4, 1),
         ('classin', 'enrol', 'dead', 'c1', 'dead', 'x', '228', 'm', 2, 1, 2, 3, -1, 1),
         ('classin', 'rename', 'silenced', '', 'ignored', 'x', 'not-sent', 'm', 2, 1, 2, 3, 6, 1),
         ('classin', 'enrol', 'closed', 'c1', 'resolved', 'x', '228', 'm', 2, 1, 2, 3, 7, 1),
         ('exam', 'add', 'waits', '', 'waiting', 'x', 'refused', 'm', 2, 1, 2, 3, 8, 1);",
    "INSERT INTO accounts VALUES ('z', 12, 'found', 1, 5, 6, 7, 1);
     INSERT INTO full_classes VALUES (3, 7, 157, 8, 900, 1);",
    "INSERT INTO results (eid, sid, started_at_ms, first_pass, first_seen_at_ms, changed_at_ms)
         VALUES (1, 1, 5, 1, 6, 6);
     INSERT INTO result_passes (is_full, started_at_ms) VALUES (1, 5);
     INSERT INTO result_owners VALUES (9, 'f');
     INSERT INTO known_groups VALUES ('g1', 4, 'created', 5);
     INSERT INTO group_creations (parent_gid, title, state, changed_at_ms, run_id) VALUES (1, 't', 'asked', 5, 1);",
    "INSERT INTO former_candidates VALUES ('h', 8, 5);",
];

/// A database as this version left it, with rows in every table.
async fn of_version(path: &Path, version: usize) {
    made_by_version(path, version, &ROWS).await;
}

/// The names of the migrations, in their order.
fn shipped() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/state");
    let names =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// Brings a database to this version, from any earlier one or none.
async fn migrate_to(path: &Path, version: usize) {
    let shipped_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/state");
    let folder = tempfile::tempdir().unwrap();
    for name in shipped().iter().take(version) {
        std::fs::copy(shipped_in.join(name), folder.path().join(name)).unwrap();
    }
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let mut connection = options.connect().await.unwrap();
    sqlx::migrate::Migrator::new(folder.path()).await.unwrap().run(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// A database made by this version, to which each version added these rows.
async fn made_by_version(path: &Path, version: usize, rows: &[&str]) {
    for at in 0..version {
        migrate_to(path, at + 1).await;
        let mut connection = raw(path).await;
        let rows = rows.get(at).copied().unwrap_or_default().to_owned();
        sqlx::raw_sql(AssertSqlSafe(rows)).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }
}

async fn columns_of(connection: &mut SqliteConnection, table: &str) -> Vec<String> {
    let sql = "SELECT name FROM pragma_table_info(?) ORDER BY cid";
    sqlx::query_scalar(sql).bind(table).fetch_all(connection).await.unwrap()
}

/// Takes a database back to an earlier version, with all that this version has a place for.
async fn back_to_version(path: &Path, version: usize) {
    let old = path.with_extension("old");
    made_by_version(&old, version, &[]).await;
    let mut connection = raw(&old).await;
    let attach = format!("ATTACH '{}' AS newer", path.display());
    sqlx::query(AssertSqlSafe(attach)).execute(&mut connection).await.unwrap();
    let both = "SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_sqlx%' ESCAPE '\\' \
                AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
                AND name IN (SELECT name FROM newer.sqlite_master WHERE type = 'table') ORDER BY name = 'runs' DESC";
    let tables: Vec<String> = sqlx::query_scalar(both).fetch_all(&mut connection).await.unwrap();
    for table in tables {
        let columns = columns_of(&mut connection, &table).await.join(", ");
        let copy = format!("INSERT INTO main.{table} ({columns}) SELECT {columns} FROM newer.{table}");
        if let Err(error) = sqlx::query(AssertSqlSafe(copy)).execute(&mut connection).await {
            assert!(error.to_string().contains("no such column"), "{table}: {error}");
        }
    }
    connection.close().await.unwrap();
    for suffix in ["", "-wal", "-shm"] {
        let _absent = std::fs::remove_file(format!("{}{suffix}", path.display()));
    }
    std::fs::rename(&old, path).unwrap();
}

#[tokio::test]
async fn a_populated_database_of_the_first_version_keeps_every_row() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    of_the_first_version(&path).await;
    StateStore::open(&path).await.unwrap().close().await;
    let mut connection = raw(&path).await;
    type Row = (i64, i64, i64, String, String, Option<i64>, i64, Option<i64>, Option<i64>, i64);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT uid, course_id, class_id, student_id, evidence, code, changed_at_ms, confirmed_at_ms, \
         gone_since_ms, gone_runs FROM enrolments ORDER BY course_id, class_id, uid",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    let row = |uid, class, student: &str, evidence: &str, code, changed, confirmed| {
        (uid, 1, class, student.to_owned(), evidence.to_owned(), code, changed, confirmed, None, 0)
    };
    let mut expected: Vec<Row> = vec![
        row(21, 0, "a", "added", Some(1), 600, Some(600)),
        row(11, 5, "a", "added", Some(1), 100, Some(100)),
        row(12, 5, "b", "present", Some(166), 200, Some(200)),
        row(13, 5, "c", "unknown", None, 300, None),
        row(14, 5, "d", "presumed", Some(166), 400, Some(400)),
        row(15, 5, "e", "removing", None, 500, None),
        row(12, 6, "b", "condemned", Some(1), 50, Some(50)),
    ];
    (expected[2].8, expected[2].9) = (Some(77), 3);
    expected[6].1 = 2;
    assert_eq!(rows, expected);
    let accounts: Vec<(String, i64, String, i64)> =
        sqlx::query_as("SELECT student_id, uid, origin, school_student FROM accounts ORDER BY student_id")
            .fetch_all(&mut connection)
            .await
            .unwrap();
    let account = |student: &str, uid| (student.to_owned(), uid, "roster".to_owned(), 1);
    assert_eq!(accounts, [account("a", 21), account("b", 12), account("d", 14)], "the newest of two counts");
    let failures: i64 =
        sqlx::query_scalar("SELECT count(*) FROM failures").fetch_one(&mut connection).await.unwrap();
    assert_eq!(failures, 1);
    let broken: Vec<(String, i64, String, i64)> =
        sqlx::query_as("PRAGMA foreign_key_check").fetch_all(&mut connection).await.unwrap();
    assert!(broken.is_empty(), "{broken:?}");
    connection.close().await.unwrap();
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused_in_plain_words_and_left_as_it_is() {
    let school = School::of_classin().await;
    let path = school.path("state.db");
    StateStore::open(&path).await.unwrap().close().await;
    let mut connection = raw(&path).await;
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 VALUES (9999, 'from the future', 1, x'00', 0)";
    sqlx::query(AssertSqlSafe(newer)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let error = StateStore::open(&path).await.unwrap_err();
    assert!(matches!(error, StoreError::Schema { .. }), "{error}");
    assert!(error.to_string().contains("another version of rosterd"), "{error}");
    for arguments in [&["--sync-now"][..], &["status"], &["check", "--offline"]] {
        let ended = school.program(arguments);
        assert_eq!(ended.code, 78, "{ended:?}");
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert_eq!(said.matches("another version of rosterd").count(), 1, "{said}");
    }
    assert!(school.sandbox.journal().is_empty());
}

#[tokio::test]
async fn a_database_of_an_earlier_version_is_read_as_it_will_be_and_left_as_it_is() {
    for version in [1, shipped().len() - 1] {
        let school = School::of_classin().await;
        school.student("s1").await;
        let path = school.path("state.db");
        let run = "INSERT INTO runs (run_id, trigger, mode, started_at_ms) VALUES (7, 'sync-now', 'sync', 0)";
        made_by_version(&path, version, &[run]).await;
        let before = std::fs::read(&path).unwrap();
        for arguments in
            [&["check", "--offline"][..], &["status"], &["runs", "7"], &["failures"], &["account"]]
        {
            let ended = school.program(arguments);
            assert_eq!(ended.code, 0, "{version} {arguments:?} {ended:?}");
        }
        let checked = school.program(&["check", "--offline"]).flowing();
        assert!(checked.contains("of an older version: the next run brings it up to date"), "{checked}");
        assert_eq!(std::fs::read(&path).unwrap(), before, "{version}");
        assert_eq!(school.program(&["approve", "nothing"]).code, 1);
        assert!(school.program(&["check", "--offline"]).stdout.contains("ok    state database: "));
        assert_ne!(std::fs::read(&path).unwrap(), before, "{version}");
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_as_it_is() {
    let school = School::of_classin().await;
    let path = school.path("state.db");
    let text = "not a database at all, but something that somebody may want to keep\n".repeat(40);
    std::fs::write(&path, &text).unwrap();
    let ended = school.program(&["--sync-now"]);
    assert_eq!(ended.code, 78, "{ended:?}");
    assert!(ended.stderr.contains("state.database"), "{ended:?}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[tokio::test]
async fn a_candidate_that_comes_and_goes_is_remembered_each_time_for_its_results() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    StateStore::open(&path).await.unwrap().close().await;
    let mut connection = raw(&path).await;
    for sid in [1, 2, 1, 2] {
        let sql = format!(
            "INSERT INTO links (student_id, sid, login_value, origin, confirmed, written_run, groups_due_at_ms, \
             linked_at_ms) VALUES ('s1', {sid}, 'login', 'added', x'', 1, 0, 0) \
             ON CONFLICT (student_id) DO UPDATE SET sid = excluded.sid"
        );
        sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    }
    sqlx::query("DELETE FROM links").execute(&mut connection).await.unwrap();
    let owners: Vec<(i64, String)> = sqlx::query_as("SELECT sid, student_id FROM result_owners ORDER BY sid")
        .fetch_all(&mut connection)
        .await
        .unwrap();
    assert_eq!(owners, [(1, "s1".to_owned()), (2, "s1".to_owned())]);
    connection.close().await.unwrap();
}
