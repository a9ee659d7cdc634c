//! From versions that mixed a refused contact into what was wanted, to one that keeps it in a column of its own.

use std::path::Path;
use std::time::Duration;

use rosterd::Exit;
use rosterd::StateStore;
use rosterd_core::exam_plan::Fingerprint;
use rosterd_core::failure::{ContactPart, FailureState};
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

use super::{back_to_version, columns_of, of_version, raw};
use crate::program::Programs as _;
use rosterd_testkit::{DAY, School};

/// The newest version that mixed the contact in.
const LAST_MIXED: usize = 4;

type Stored = (i64, String, String, i64, Option<i64>, String);

async fn stored(path: &Path) -> Vec<Stored> {
    let mut connection = raw(path).await;
    let rows = sqlx::query_as(
        "SELECT failure_id, state, code, want, contact, contact_form FROM failures ORDER BY failure_id",
    );
    let rows = rows.fetch_all(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    rows
}

/// Everything that a version with this schema knows of a table, as text.
async fn rows_of(connection: &mut SqliteConnection, table: &str, columns: &[String]) -> Vec<String> {
    let columns: Vec<String> = columns.iter().map(|column| format!("quote(\"{column}\")")).collect();
    let sql = format!("SELECT {} AS row FROM {table} ORDER BY row", columns.join(" || ',' || "));
    sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(connection).await.unwrap()
}

/// Takes a state back to what the last version that mixed would have written of it.
async fn mixed_again(school: &School) {
    let mix = "UPDATE failures SET want = (want | coalesce(contact, 0)) & ~(want & coalesce(contact, 0));";
    school.write(mix).await;
    back_to_version(&school.path("state.db"), LAST_MIXED).await;
}

/// Three students whom ClassIn refuses for their contacts: without one, with that of another account, and with one
/// that has no account; the last of them silenced.
async fn refused_for_their_contacts() -> School {
    let school = School::of_classin().await;
    let class = school.class("c1").await;
    school.fill("c1", 2).await;
    school.sandbox.create_outside_account("other", "13800000006");
    for (id, phone) in [("none", ""), ("other", "13800000006"), ("unknown", "13800000007")] {
        let outside = school.sandbox.create_outside_account(id, "");
        school.applicant(id, phone).await;
        school.sql(&format!("UPDATE students SET classin_uid = {outside} WHERE student_id = '{id}'")).await;
        school.join(id, "c1").await;
    }
    school.run_as(Exit::Incomplete).await;
    let failures = school.failures().await;
    let codes: Vec<(&str, &str, FailureState)> =
        failures.iter().map(|row| (row.student_id.as_str(), row.code.as_str(), row.state)).collect();
    let dead = FailureState::Dead;
    assert_eq!(codes, [("none", "228", dead), ("other", "228", dead), ("unknown", "113", dead)]);
    let ids: Vec<i64> = failures.iter().filter(|row| row.student_id == "unknown").map(|row| row.id).collect();
    let state = school.state().await;
    state.change_failures(Some(&ids), FailureState::Ignored, school.clock.now_ms()).await.unwrap();
    state.close().await;
    assert!(!school.members(class).is_empty());
    school.sandbox.clear_journal();
    school
}

#[tokio::test]
async fn after_the_upgrade_no_silenced_failure_wakes_and_no_dead_letter_is_tried() {
    let school = refused_for_their_contacts().await;
    let before = stored(&school.path("state.db")).await;
    assert!(before.iter().all(|(.., contact, form)| contact.is_some() && form == "apart"), "{before:?}");
    mixed_again(&school).await;
    for day in 1..=2 {
        school.later(DAY);
        school.run_as(Exit::Done).await;
        assert!(school.classin_calls().is_empty(), "day {day}: {:?}", school.classin_calls());
        assert_eq!(
            stored(&school.path("state.db")).await,
            before,
            "the first match stores them in parts again"
        );
    }
}

#[tokio::test]
async fn after_the_upgrade_another_contact_wakes_what_depended_on_the_former_one() {
    for id in ["none", "other", "unknown"] {
        let school = refused_for_their_contacts().await;
        mixed_again(&school).await;
        school.sql(&format!("UPDATE students SET phone = '13800000009' WHERE student_id = '{id}'")).await;
        school.run_as(Exit::Incomplete).await;
        assert!(!school.classin_calls().is_empty(), "{id}");
    }
}

#[tokio::test]
async fn a_plan_writes_nothing_of_the_upgrade_but_the_marks() {
    let school = refused_for_their_contacts().await;
    mixed_again(&school).await;
    let _planned = school.plan().await;
    let forms: Vec<String> =
        stored(&school.path("state.db")).await.into_iter().map(|(.., form)| form).collect();
    assert_eq!(forms, ["mixed", "mixed", "perhaps mixed"]);
}

#[tokio::test]
async fn a_populated_database_of_every_earlier_version_keeps_failures_and_intents_as_they_are() {
    for version in 1..=LAST_MIXED {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        of_version(&path, version).await;
        let tables = ["runs", "links", "intents", "failures", "facts"];
        let mut before = Vec::new();
        let mut connection = raw(&path).await;
        for table in tables {
            let columns = columns_of(&mut connection, table).await;
            let rows = rows_of(&mut connection, table, &columns).await;
            assert!(!rows.is_empty(), "{version}: {table}");
            before.push((table, columns, rows));
        }
        connection.close().await.unwrap();
        StateStore::open(&path).await.unwrap().close().await;
        let mut connection = raw(&path).await;
        for (table, columns, rows) in before {
            assert_eq!(rows_of(&mut connection, table, &columns).await, rows, "{version}: {table}");
        }
        connection.close().await.unwrap();
    }
}

#[tokio::test]
async fn only_open_failures_of_classin_are_marked_and_by_their_code() {
    for version in 1..=LAST_MIXED {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        of_version(&path, version).await;
        let state = StateStore::open(&path).await.unwrap();
        let marks: Vec<_> = state
            .classin_open_failures()
            .await
            .unwrap()
            .into_iter()
            .map(|open| {
                (open.key.student.to_string(), open.failure.recorded.hash, open.failure.recorded.contact)
            })
            .collect();
        let mark = |id: &str, hash, contact| (id.to_owned(), Fingerprint(hash), contact);
        assert_eq!(
            marks,
            [
                mark("waits", 4, ContactPart::PerhapsMixed),
                mark("dead", u64::MAX, ContactPart::Mixed),
                mark("silenced", 6, ContactPart::PerhapsMixed),
            ],
            "{version}"
        );
        state.close().await;
        let marked = stored(&path).await.into_iter().filter(|(.., form)| form != "apart").count();
        assert_eq!(marked, 3, "closed ones and the exam side's are left alone");
    }
}

async fn is_upgraded(path: &Path) -> bool {
    let mut connection = raw(path).await;
    let columns = columns_of(&mut connection, "failures").await;
    let version: i64 = sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    let has_column = columns.iter().any(|column| column == "contact_form");
    assert_eq!(has_column, version > 4, "version {version}: {columns:?}");
    if has_column {
        let unmarked: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM failures WHERE service = 'classin' AND contact_form = 'apart' \
             AND state IN ('waiting', 'dead', 'ignored')",
        )
        .fetch_one(&mut connection)
        .await
        .unwrap();
        assert_eq!(unmarked, 0);
    }
    connection.close().await.unwrap();
    has_column
}

#[tokio::test]
async fn an_upgrade_that_is_cut_off_before_its_end_leaves_the_state_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    of_version(&path, LAST_MIXED).await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("migrations/state/0005_keep_a_refused_contact_beside_what_was_wanted.sql");
    let script = std::fs::read_to_string(script).unwrap();
    let mut connection = raw(&path).await;
    let mut transaction = connection.begin().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut *transaction).await.unwrap();
    drop(transaction);
    connection.close().await.unwrap();
    assert!(!is_upgraded(&path).await);
    StateStore::open(&path).await.unwrap().close().await;
    assert!(is_upgraded(&path).await);
}

#[tokio::test]
async fn an_upgrade_that_is_killed_at_any_moment_is_whole_or_never_was() {
    let school = School::of_classin().await;
    let old = school.path("old.db");
    of_version(&old, LAST_MIXED).await;
    let mut connection = raw(&old).await;
    let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000) \
                INSERT INTO failures (service, kind, student_id, class_code, state, call, code, message, attempts, \
                first_failed_at_ms, last_failed_at_ms, due_at_ms, want, run_id) \
                SELECT 'classin', 'enrol', 'many' || i, 'c1', 'dead', 'x', '228', 'm', 1, 1, 1, 1, i, 1 FROM n";
    sqlx::query(many).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let path = school.path("state.db");
    // Later and later, until the upgrade is over before the kill: some of the moments lie within it.
    let mut killed = [0, 0];
    for moment in 0..100 {
        if killed[1] == 2 {
            break;
        }
        for part in ["state.db-wal", "state.db-shm"] {
            let _absent = std::fs::remove_file(school.path(part));
        }
        std::fs::copy(&old, &path).unwrap();
        let mut child =
            school.command(&["approve", "nothing"]).stdout(std::process::Stdio::null()).spawn().unwrap();
        tokio::time::sleep(Duration::from_millis(25 * moment)).await;
        child.kill().unwrap();
        child.wait().unwrap();
        killed[usize::from(is_upgraded(&path).await)] += 1;
        StateStore::open(&path).await.unwrap().close().await;
        assert!(is_upgraded(&path).await);
        let kept: i64 = school.word("SELECT CAST(count(*) AS TEXT) FROM failures").await.parse().unwrap();
        assert!(kept > 60_000, "{kept}");
    }
    assert!(killed[0] > 0 && killed[1] > 0, "{killed:?}");
}
