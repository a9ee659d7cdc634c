//! A roster that cannot be read, or not all of it, or that is a broken export: nobody is deleted, and the error names the
//! file and the table.

use rosterd::RosterDatabase;
use rosterd::RosterQueries;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use rosterd_testkit::*;

/// Students in step, one of them gone long enough to be deleted by the next run.
async fn with_a_leaver() -> ExamSchool {
    let mut world = ExamSchool::in_step(students(40)).await;
    world.remove("s001").await;
    assert_eq!(world.run().await.exam.leavers_waiting, 1);
    world.later(4 * DAY);
    world
}

async fn sql(world: &ExamSchool, statement: &str) {
    let options = SqliteConnectOptions::new().filename(world.folder.path().join("roster.db"));
    let mut connection = options.connect().await.unwrap();
    sqlx::query(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// Opens the roster anew, as every run of the program does.
async fn open_again(world: &mut ExamSchool, students: Option<&str>) -> Result<(), rosterd::RosterError> {
    let queries = RosterQueries { students: students.map(str::to_owned), ..RosterQueries::default() };
    let columns: Vec<String> = world.settings.exam.fields.iter().map(|field| field.column.clone()).collect();
    let path = world.folder.path().join("roster.db");
    world.database = RosterDatabase::open(&path, &queries, &columns, &world.settings.state.database).await?;
    Ok(())
}

/// A run in this state of the roster takes nothing from anybody, ends with this exit code, and says why.
async fn refuses(world: &ExamSchool, what: &str, exit: u8, words: &[&str]) {
    let (logins, links) = (world.logins(), world.state.count_links().await.unwrap());
    let report = world.run().await;
    assert_eq!((report.exit_code, report.writes()), (exit, 0), "{what}: {report:?}");
    for word in words {
        assert!(report.errors.iter().any(|error| error.contains(word)), "{what}: {:?}", report.errors);
    }
    assert_eq!(world.logins(), logins, "{what}");
    assert_eq!(world.state.count_links().await.unwrap(), links, "{what}");
    assert_eq!(world.link("s001").await.unwrap().gone_runs, 1, "{what}: no run that saw somebody gone");
}

#[tokio::test]
async fn no_students_or_too_few_are_a_broken_export_and_no_roster() {
    for kept in [0, 1, 30] {
        let mut world = with_a_leaver().await;
        world.settings.guard.min_roster = 31;
        world.people = std::mem::take(&mut world.people).into_iter().take(kept).collect();
        world.write_roster().await;
        let count = format!("has {kept} active student{}", if kept == 1 { "" } else { "s" });
        refuses(&world, &count, 1, &["roster.db", &count, "guard.min_roster = 31"]).await;
    }
}

#[tokio::test]
async fn everybody_inactive_is_a_broken_export() {
    let mut world = with_a_leaver().await;
    for person in world.people.values_mut() {
        person.active = false;
    }
    world.write_roster().await;
    refuses(&world, "everybody inactive", 1, &["has 0 active students"]).await;
}

#[tokio::test]
async fn a_table_that_is_gone_is_named() {
    for table in ["students", "groups", "group_members", "classes", "class_members"] {
        let world = with_a_leaver().await;
        sql(&world, &format!("DROP TABLE {table}")).await;
        refuses(&world, table, 1, &["roster.db", table]).await;
        let mut world = world;
        let error = open_again(&mut world, None).await.unwrap_err().to_string();
        assert!(error.contains("roster.db") && error.contains(&format!("no table {table}")), "{error}");
    }
}

#[tokio::test]
async fn a_column_that_is_gone_is_named() {
    let mut world = with_a_leaver().await;
    sql(&world, "ALTER TABLE students DROP COLUMN phone").await;
    refuses(&world, "a column", 1, &["roster.db", "students", "phone"]).await;
    let error = open_again(&mut world, None).await.unwrap_err().to_string();
    assert!(error.contains("has no column phone"), "{error}");
}

/// The query fails at one row in the midst of them all: who comes after it did not leave.
#[tokio::test]
async fn a_query_that_fails_midway_deletes_nobody() {
    for at in ["s000", "s002", "s020", "s039"] {
        let mut world = with_a_leaver().await;
        let query = format!(
            "SELECT student_id, login, name, gender, phone, password, active, classin_uid, \
             CASE WHEN student_id = '{at}' THEN abs(-9223372036854775808) END AS overflow FROM students"
        );
        let columns = query.replace("END AS overflow", "END AS broken");
        // The failing value stands in a column that is read.
        let query = columns.replace("gender,", "").replace("AS broken", "AS gender");
        open_again(&mut world, Some(&query)).await.unwrap();
        refuses(&world, at, 1, &["roster.db", "students"]).await;
    }
}

/// A query of the school's that says less than the tables hold is the roster: but never half of one.
#[tokio::test]
async fn a_file_that_was_cut_deletes_nobody() {
    let mut world = with_a_leaver().await;
    world.database.close().await;
    let path = world.folder.path().join("roster.db");
    let bytes = std::fs::read(&path).unwrap();
    let mut cases = 0;
    // In the midst of every page, at the end of every page, and one byte before the end of the file.
    for kept in (0..bytes.len()).step_by(2048).chain([bytes.len() - 1, bytes.len() - 100]) {
        std::fs::write(&path, &bytes[..kept]).unwrap();
        match open_again(&mut world, None).await {
            Err(error) => assert!(error.to_string().contains("roster.db"), "{kept}: {error}"),
            Ok(()) => {
                refuses(&world, &format!("{kept} bytes of {}", bytes.len()), 1, &["roster.db"]).await;
                world.database.close().await;
            }
        }
        assert_eq!(world.logins().len(), 40, "{kept}");
        cases += 1;
    }
    println!("a cut roster: {cases} cases");
    std::fs::write(&path, &bytes).unwrap();
    open_again(&mut world, None).await.unwrap();
    assert_eq!(world.run().await.applied(), "1 delete");
}

#[tokio::test]
async fn a_file_that_is_something_else_deletes_nobody() {
    let mut world = with_a_leaver().await;
    world.database.close().await;
    std::fs::write(world.folder.path().join("roster.db"), "student_id,name\ns000,Somebody\n").unwrap();
    let error = open_again(&mut world, None).await.unwrap_err().to_string();
    assert!(error.contains("roster.db") && error.contains("not a usable SQLite database"), "{error}");
}

#[tokio::test]
async fn a_file_that_is_missing_is_named_with_what_to_do() {
    let mut world = with_a_leaver().await;
    world.database.close().await;
    std::fs::remove_file(world.folder.path().join("roster.db")).unwrap();
    let error = open_again(&mut world, None).await.unwrap_err().to_string();
    assert!(error.contains("roster.db: there is no such file"), "{error}");
}

/// An export that holds its lock while it writes: the run ends as temporary, and the next one is well.
#[tokio::test]
async fn a_roster_that_is_locked_ends_as_temporary() {
    let world = with_a_leaver().await;
    let options = SqliteConnectOptions::new().filename(world.folder.path().join("roster.db"));
    let mut exporter = options.connect().await.unwrap();
    sqlx::query("PRAGMA locking_mode = EXCLUSIVE").execute(&mut exporter).await.unwrap();
    sqlx::query("BEGIN EXCLUSIVE").execute(&mut exporter).await.unwrap();
    sqlx::query("DELETE FROM students WHERE student_id > 's003'").execute(&mut exporter).await.unwrap();
    refuses(&world, "locked", 75, &["roster.db", "is locked by another program"]).await;
    sqlx::query("ROLLBACK").execute(&mut exporter).await.unwrap();
    exporter.close().await.unwrap();
    assert_eq!(world.run().await.applied(), "1 delete");
}

/// Whoever is only found missing from a table of memberships has not left the school.
#[tokio::test]
async fn empty_groups_and_memberships_take_nobody_out_of_anything() {
    for table in ["group_members", "groups"] {
        let world = ExamSchool::in_step(students(40)).await;
        sql(&world, &format!("DELETE FROM {table}")).await;
        for _ in 0..2 {
            let report = world.run_later().await;
            assert_eq!(report.writes(), 0, "{table}: {report:?}");
        }
        let g1 = world.gid("g1");
        assert!(world.sandbox.candidates().iter().all(|candidate| candidate.gids == [g1].into()), "{table}");
    }
}
