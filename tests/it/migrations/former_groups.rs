//! What an upgrade makes of groups and leavers that earlier versions remembered.

use rosterd::StateStore;
use rosterd_core::exam_plan::StoodGroup;
use rosterd_core::roster::{Gid, GroupCode};

use super::{of_version, raw};

async fn upgraded(link: Option<&str>) -> (Vec<StoodGroup>, Option<String>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    of_version(&path, 4).await;
    if let Some(link) = link {
        let mut connection = raw(&path).await;
        sqlx::raw_sql(sqlx::AssertSqlSafe(link.to_owned())).execute(&mut connection).await.unwrap();
        sqlx::Connection::close(connection).await.unwrap();
    }
    let store = StateStore::open(&path).await.unwrap();
    let found = (store.roster_groups().await.unwrap(), store.fact("exam.left_to_others").await.unwrap());
    store.close().await;
    found
}

#[tokio::test]
async fn a_group_that_an_earlier_version_created_counts_as_one_of_the_roster() {
    let (groups, _) = upgraded(None).await;
    let created = StoodGroup {
        gid: Gid(4),
        code: GroupCode::new("g1"),
        title: String::new(),
        until_ms: 5,
        is_settled: true,
    };
    assert_eq!(groups, [created]);
}

#[tokio::test]
async fn whether_somebody_was_left_to_others_is_asked_only_where_leavers_are_remembered() {
    let gone = "UPDATE links SET gone_since_ms = 5, gids = '[9]'";
    let rows = [(None, None), (Some("UPDATE links SET gids = '[9]'"), None), (Some(gone), Some("unknown"))];
    for (link, fact) in rows {
        let (_, found) = upgraded(link).await;
        assert_eq!(found.as_deref(), fact, "{link:?}");
    }
}
