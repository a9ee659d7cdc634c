//! What an upgrade makes of fields that an earlier version found to be rewritten.

use rosterd::StateStore;
use rosterd_core::roster::RunId;

use super::{of_version, raw};

#[tokio::test]
async fn fields_that_an_earlier_version_does_not_compare_stay_so_without_a_date() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    of_version(&path, 4).await;
    let mut connection = raw(&path).await;
    sqlx::query("UPDATE links SET rewritten = '[4,1]'").execute(&mut connection).await.unwrap();
    sqlx::Connection::close(connection).await.unwrap();
    let store = StateStore::open(&path).await.unwrap();
    let students = store.count_links().await.unwrap();
    let found = store.uncompared_fields().await.unwrap();
    let found: Vec<_> = found.into_iter().map(|it| (it.field.0, it.students, it.since_ms)).collect();
    assert_eq!(found, [(1, students, None), (4, students, None)]);
    let recognised = store.fields_to_recognise(RunId(i64::MAX)).await.unwrap();
    assert_eq!(recognised.into_iter().map(|field| field.0).collect::<Vec<_>>(), [1, 4]);
    store.close().await;
}
