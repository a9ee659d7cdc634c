//! What the program's own database says, read from a copy, so that what comes next finds the files as the kill
//! left them.

use std::collections::BTreeMap;
use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};

/// How often something was tried: by service, kind, student and class.
pub type Attempts = BTreeMap<(String, String, String, String), i64>;

/// What is remembered.
#[derive(Debug, Default)]
pub struct Remembered {
    /// Calls on their way, as far as the database knows: what ClassIn has refused for good since then is not.
    pub open_calls: i64,
    pub failures: Attempts,
    /// Everything that must not be: what SQLite finds, doubles.
    pub faults: Vec<String>,
}

impl Remembered {
    /// Reads the database in this folder; nothing where there is none yet, or where it is not yet ours.
    pub async fn read(folder: &Path) -> Self {
        let copy = tempfile::tempdir().unwrap();
        for name in ["state.db", "state.db-wal"] {
            if folder.join(name).exists() {
                std::fs::copy(folder.join(name), copy.path().join(name)).unwrap();
            }
        }
        let path = copy.path().join("state.db");
        if !path.exists() {
            return Self::default();
        }
        let mut connection = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
        let remembered = Self::look(&mut connection).await;
        connection.close().await.unwrap();
        remembered
    }

    async fn look(connection: &mut SqliteConnection) -> Self {
        let check: Vec<String> =
            sqlx::query_scalar("PRAGMA integrity_check").fetch_all(&mut *connection).await.unwrap();
        let faults = check.into_iter().filter(|line| line != "ok").collect();
        let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_master WHERE name = 'enrolments'")
            .fetch_one(&mut *connection)
            .await
            .unwrap();
        if tables == 0 {
            return Self { faults, ..Self::default() };
        }
        let open_calls = sqlx::query_scalar(
            "SELECT (SELECT count(*) FROM intents) \
             + (SELECT count(*) FROM enrolments WHERE evidence IN ('unknown', 'removing') AND student_id NOT IN \
             (SELECT student_id FROM failures WHERE service = 'classin' AND state = 'dead'))",
        )
        .fetch_one(&mut *connection)
        .await
        .unwrap();
        let rows: Vec<(String, String, String, String, i64)> = sqlx::query_as(
            "SELECT service, kind, student_id, class_code, attempts FROM failures \
             WHERE state IN ('waiting', 'dead', 'ignored')",
        )
        .fetch_all(&mut *connection)
        .await
        .unwrap();
        let failures = rows.into_iter().map(|(a, b, c, d, attempts)| ((a, b, c, d), attempts)).collect();
        Self { open_calls, failures, faults }
    }
}

/// A quarter of an hour passes for adds that were sent and had no answer: none is sent again before that.
pub async fn a_quarter_of_an_hour_later(folder: &Path) {
    let path = folder.join("state.db");
    if !path.exists() {
        return;
    }
    let mut connection = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_master WHERE name = 'intents'")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    if tables > 0 {
        sqlx::raw_sql("UPDATE intents SET sent_at_ms = sent_at_ms - 900000")
            .execute(&mut connection)
            .await
            .unwrap();
    }
    connection.close().await.unwrap();
}
