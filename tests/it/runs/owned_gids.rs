//! One gid is one group: no two groups of the roster are ever put into one on the exam side.

use rosterd_testkit::*;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

/// `old0` and `old1` in `c7`, which has no gid and is created with the first run.
async fn a_created_class() -> (ExamSchool, i64) {
    let people = ["old0", "old1"].map(|id| student(id).in_groups(["c7"]));
    let mut world = ExamSchool::with(people).await;
    world.settings.exam.create_groups = true;
    world.groups.insert("c7".to_owned(), None);
    world.write_roster().await;
    let _first = world.run().await;
    let gid = world.candidate("old0").gids.first().copied().unwrap();
    (world, gid)
}

/// The pupils of `c7` are in `c8` now, and others are in `c7`.
async fn rolled_over(world: &mut ExamSchool, gid_of_c8: Option<i64>) {
    world.groups.insert("c8".to_owned(), gid_of_c8);
    for id in ["old0", "old1"] {
        world.edit(id, |it| it.in_groups(["c8"])).await;
    }
    for id in ["new0", "new1"] {
        world.put(student(id).in_groups(["c7"])).await;
    }
}

async fn same_titles(world: &ExamSchool) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(world.folder.path().join("roster.db"));
    let mut connection = options.connect().await.unwrap();
    let sql = "UPDATE groups SET title = 'Group c7' WHERE group_code = 'c8'".to_owned();
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

fn problems(report: &rosterd::RunReport) -> String {
    report.exam.problems.join("\n")
}

#[tokio::test]
async fn a_new_group_is_not_given_the_group_of_another_one_with_its_title() {
    let (mut world, gid) = a_created_class().await;
    rolled_over(&mut world, None).await;
    same_titles(&world).await;
    let report = world.run_later().await;
    assert!(
        problems(&report).contains("groups c8: has no gid, and the roster has another group of this title"),
        "{report:#?}"
    );
    assert_ne!(report.exit_code, 0, "{report:#?}");
    assert_eq!(world.candidate("new0").gids, [gid].into());
    // With a title of its own it is created, and its pupils are taken there.
    world.write_roster().await;
    let report = world.run_later().await;
    assert!(report.applied().contains("1 create") || report.held().contains("create"), "{report:#?}");
    let _settled = world.run_later().await;
    for id in ["old0", "old1"] {
        let gids = &world.candidate(id).gids;
        assert!(!gids.contains(&gid) || report.held().contains("move"), "{id}: {gids:?} {report:#?}");
    }
}

#[tokio::test]
async fn a_created_group_whose_gid_is_entered_at_another_code_is_that_ones_alone() {
    let (mut world, gid) = a_created_class().await;
    rolled_over(&mut world, Some(gid)).await;
    let report = world.run_later().await;
    assert!(problems(&report).contains("groups c7: has no gid"), "{report:#?}");
    assert_eq!(
        (report.applied(), report.exit_code),
        (String::new(), 3),
        "two classes are in one group: {report:#?}"
    );
    assert_eq!(world.candidate("old0").gids, [gid].into());
    let own = world.sandbox.create_group("another");
    world.groups.insert("c7".to_owned(), Some(own));
    world.write_roster().await;
    assert_eq!(world.run_later().await.applied(), "2 add");
    assert_eq!(world.candidate("new0").gids, [own].into());
    assert_eq!(world.run_later().await.outcome.as_str(), "converged");
}

#[tokio::test]
async fn a_code_that_comes_back_does_not_get_the_group_that_went_on_to_another() {
    let (mut world, gid) = a_created_class().await;
    // For one run the roster has the next year's code alone, with the title that the group has.
    world.groups.remove("c7");
    world.groups.insert("c8".to_owned(), None);
    for id in ["old0", "old1"] {
        world.edit(id, |it| it.in_groups(["c8"])).await;
    }
    same_titles(&world).await;
    let report = world.run_later().await;
    assert_eq!(
        (report.writes(), report.exit_code),
        (0, 0),
        "the group is taken on under the new code: {report:#?}"
    );
    world.groups.insert("c7".to_owned(), None);
    world.put(student("new0").in_groups(["c7"])).await;
    let report = world.run_later().await;
    assert!(problems(&report).contains("groups c7: has no gid"), "{report:#?}");
    assert_eq!(report.applied(), "", "two classes are in one group: {report:#?}");
    assert_eq!(world.candidate("old0").gids, [gid].into());
}

#[tokio::test]
async fn a_gid_that_is_remembered_for_two_groups_waits_for_a_person() {
    let (mut world, gid) = a_created_class().await;
    world.groups.insert("c8".to_owned(), None);
    world.put(student("new0").in_groups(["c8"])).await;
    let remembered = format!(
        "INSERT INTO known_groups (group_code, gid, origin, known_at_ms) VALUES ('c8', {gid}, 'created', 1)"
    );
    world.our_database(&remembered).await;
    let report = world.run_later().await;
    let said = problems(&report);
    assert!(
        said.contains(&format!("groups c8: has no gid, and gid {gid} has served for it and for c7 alike")),
        "{said}"
    );
    assert!(said.contains("groups c7: has no gid") && said.contains(&format!("enter gid {gid}")), "{said}");
    assert!(!world.logins().contains(&"new0".to_owned()) && report.writes() == 0, "{report:#?}");
    world.groups.insert("c7".to_owned(), Some(gid));
    world.write_roster().await;
    let report = world.run_later().await;
    assert_eq!(report.applied(), "1 add, 1 create", "{report:#?}");
    assert!(!world.candidate("new0").gids.contains(&gid));
}

async fn told(world: &ExamSchool) -> Vec<(String, String)> {
    world.failures().await.into_iter().map(|row| (row.code, row.message)).collect()
}

#[tokio::test]
async fn a_gid_for_leavers_that_is_not_there_is_put_right_in_the_configuration() {
    for leavers in [1, 2] {
        let mut world = ExamSchool::in_step(students(6)).await;
        world.settings.exam.delete_grace = std::time::Duration::ZERO;
        world.settings.exam.leavers = rosterd_core::roster::Leavers::MoveTo(7777);
        for number in 0..leavers {
            world.remove(&format!("s00{number}")).await;
        }
        for run in 0..3 {
            let _report = world.run_later().await;
            if run > 0 {
                let told = told(&world).await;
                assert_eq!(told.len(), leavers, "{told:?}");
                assert!(
                    told.iter().all(|(_, said)| said.contains("gid 7777") && said.contains("exam.leavers")),
                    "{told:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_created_group_that_was_deleted_there_is_named_with_its_code() {
    let (world, _) = a_created_class().await;
    world
        .our_database(
            "UPDATE known_groups SET gid = 99999 WHERE group_code = 'c7'; DELETE FROM roster_groups",
        )
        .await;
    let _report = world.run_later().await;
    let told = told(&world).await;
    let says = |said: &str| {
        said.contains("gid 99999") && said.contains("enter the gid of another one at c7 in groups")
    };
    assert!(told.len() == 2 && told.iter().all(|(_, said)| says(said)), "{told:?}");
}

#[tokio::test]
async fn a_wrong_gid_stays_one_cause_in_runs_that_have_nothing_else_to_do() {
    let mut world = ExamSchool::in_step(students(9)).await;
    world.groups.insert("g2".to_owned(), Some(99999));
    for number in 0..5 {
        world.edit(&format!("s00{number}"), |it| it.in_groups(["g2"])).await;
    }
    world.edit("s008", |it| it.in_groups(["g3"])).await;
    for run in 0..4 {
        let _report = world.run_later().await;
        let told = told(&world).await;
        let is_cause = |(code, said): &(String, String)| {
            code == "group-refused" && said.contains("correct the gid in groups")
        };
        assert!(told.len() == 5 && told.iter().all(is_cause), "run {run}: {told:?}");
        world.later(DAY);
    }
    let right = world.sandbox.create_group("the right one");
    world.groups.insert("g2".to_owned(), Some(right));
    world.write_roster().await;
    let _report = world.run_later().await;
    assert_eq!(told(&world).await, [], "the row changed");
}
