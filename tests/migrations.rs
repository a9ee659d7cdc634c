//! Our own database: made from nothing, opened again, refused when a newer version wrote it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

mod cli_support;

use std::path::Path;

use cli_support::School;
use rosterd::store::{StateStore, StoreError};
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
