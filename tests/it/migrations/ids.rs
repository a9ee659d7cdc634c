//! Ids of a state of before are put into the form in which the roster's are compared.

use rosterd::StateStore;
use sqlx::Connection;

use super::raw;

async fn ids(path: &std::path::Path, sql: &'static str) -> Vec<(i64, String)> {
    let mut connection = raw(path).await;
    let rows = sqlx::query_as(sql).fetch_all(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    rows
}

const LINKS: &str = "SELECT sid, student_id FROM links ORDER BY sid";

#[tokio::test]
async fn ids_of_an_earlier_state_are_put_into_normal_form_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    StateStore::open(&path).await.unwrap().close().await;
    let mut connection = raw(&path).await;
    sqlx::raw_sql(
        "PRAGMA user_version = 0;
         INSERT INTO runs (trigger, mode, started_at_ms) VALUES ('sync-now', 'sync', 1);
         INSERT INTO links (student_id, sid, login_value, origin, confirmed, written_run, groups_due_at_ms, linked_at_ms)
         VALUES ('a ', 1, 'login' || char(8203), 'added', x'', 1, 0, 0), ('b', 2, 'b', 'added', x'', 1, 0, 0),
             (char(8206) || 'b', 3, 'c', 'added', x'', 1, 0, 0), ('e' || char(769), 4, 'd', 'added', x'', 1, 0, 0),
             ('高一', 5, 'e', 'added', x'', 1, 0, 0);
         INSERT INTO enrolments (uid, course_id, class_id, student_id, evidence, changed_at_ms, run_id)
         VALUES (11, 1, 5, 'a' || char(10), 'added', 100, 1);
         INSERT INTO former_candidates VALUES (' h', 8, 5)",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    connection.close().await.unwrap();
    for _ in 0..2 {
        StateStore::open(&path).await.unwrap().close().await;
        let expected = [(1, "a"), (2, "b"), (3, "\u{200e}b"), (4, "\u{e9}"), (5, "高一")];
        assert_eq!(ids(&path, LINKS).await, expected.map(|(sid, id)| (sid, id.to_owned())));
        let enrolled = ids(&path, "SELECT uid, student_id FROM enrolments").await;
        assert_eq!(enrolled, [(11, "a".to_owned())]);
        let former = ids(&path, "SELECT sid, student_id FROM former_candidates").await;
        assert_eq!(former, [(8, "h".to_owned())]);
        let logins = ids(&path, "SELECT sid, login_value FROM links WHERE sid = 1").await;
        assert_eq!(logins, [(1, "login".to_owned())]);
    }
}

#[tokio::test]
async fn ids_that_were_numbers_with_a_fraction_become_whole_where_all_are_numbers() {
    for (other, becomes) in [("1003", ["1001", "1002", "1002 "]), ("S1003", ["1001.0", "1002", "1002.0"])] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        StateStore::open(&path).await.unwrap().close().await;
        let mut connection = raw(&path).await;
        let sql = format!(
            "PRAGMA user_version = 1;
             INSERT INTO runs (trigger, mode, started_at_ms) VALUES ('sync-now', 'sync', 1);
             INSERT INTO links (student_id, sid, login_value, origin, confirmed, written_run, groups_due_at_ms,
                 linked_at_ms)
             VALUES ('1001.0', 1, '13800000001.0', 'added', x'', 1, 0, 0), ('1002', 2, 'b', 'added', x'', 1, 0, 0),
                 ('1002.0', 3, 'c', 'added', x'', 1, 0, 0), ('{other}', 4, 'd', 'added', x'', 1, 0, 0);
             INSERT INTO enrolments (uid, course_id, class_id, student_id, evidence, changed_at_ms, run_id)
             VALUES (11, 1, 5, '1001.0', 'added', 100, 1)"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        for _ in 0..2 {
            StateStore::open(&path).await.unwrap().close().await;
            let [one, two, three] = becomes;
            let expected = [(1, one), (2, two), (3, three), (4, other)];
            assert_eq!(ids(&path, LINKS).await, expected.map(|(sid, id)| (sid, id.to_owned())));
            let enrolled = ids(&path, "SELECT uid, student_id FROM enrolments").await;
            assert_eq!(enrolled, [(11, one.to_owned())]);
            let logins = ids(&path, "SELECT sid, login_value FROM links WHERE sid = 1").await;
            assert_eq!(logins, [(1, "13800000001.0".to_owned())], "a login value is what the exam side has");
        }
    }
}
