//! To the version that stores once what is held: what a person approved stays approved.

use rosterd::StateStore;

use super::{of_version, raw};

/// The first version that stores what is held once, and approvals apart from it.
const APART: usize = 8;

#[tokio::test]
async fn what_a_person_approved_before_the_upgrade_stays_approved() {
    for version in 1..=4 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        of_version(&path, version).await;
        StateStore::open(&path).await.unwrap().close().await;
        let mut connection = raw(&path).await;
        type Row = (String, String, String, String, i64, String, i64, i64);
        let approvals: Vec<Row> = sqlx::query_as(
            "SELECT service, kind, student_id, class_code, want, word, of_leaver, until_ms FROM approvals",
        )
        .fetch_all(&mut connection)
        .await
        .unwrap();
        let text = str::to_owned;
        let expected = (text("classin"), text("remove"), text("e"), text("c1"), -9, text(""), 0, 99);
        assert_eq!(approvals, [expected], "{version}: what was held and not approved is no approval");
        let held: i64 = sqlx::query_scalar("SELECT count(*) FROM held_operations")
            .fetch_one(&mut connection)
            .await
            .unwrap();
        assert_eq!(held, 0, "{version}: the next run finds again what is held");
    }
}

#[tokio::test]
async fn what_was_taken_from_leavers_before_the_upgrade_still_counts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    of_version(&path, 4).await;
    StateStore::open(&path).await.unwrap().close().await;
    let mut connection = raw(&path).await;
    type Row = (String, String, String, String, i64, i64, i64);
    let counted: Vec<Row> = sqlx::query_as(
        "SELECT service, operation, student_id, kind, at_ms, approved, is_settled FROM counted_writes ORDER BY at_ms",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    let row = |service: &str, operation: &str, kind: &str, at_ms, approved| {
        let text = str::to_owned;
        (text(service), text(operation), text("d"), text(kind), at_ms, approved, 1)
    };
    assert_eq!(
        counted,
        [row("exam", "delete", "dismissal", 4, 0), row("classin", "remove", "removal", 5, 1)]
    );
}

#[tokio::test]
async fn what_failed_before_the_upgrade_is_nothing_that_only_waits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    of_version(&path, 4).await;
    StateStore::open(&path).await.unwrap().close().await;
    let mut connection = raw(&path).await;
    let standing: i64 = sqlx::query_scalar("SELECT count(*) FROM failures WHERE is_standing = 1")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    let all: i64 =
        sqlx::query_scalar("SELECT count(*) FROM failures").fetch_one(&mut connection).await.unwrap();
    assert_eq!((standing, all), (0, 5));
    let version: i64 = sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert!(version >= i64::try_from(APART).unwrap());
}
