//! `backup` and `restore`: a copy is made beside a daemon at work, put back only where nobody works, and the next run
//! converges from it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rosterd::RunLock;
use rosterd_testkit::{Ended, School, eventually};

use crate::program::Programs as _;

/// Students in one group and one class, a schedule that is not due for months.
async fn school() -> School {
    let mut school = School::of_both().await;
    school.setting("SCHEDULE__CRON", "0 0 0 29 2 *");
    school.class("c1").await;
    school.fill("c1", 3).await;
    school.group_of_all().await;
    school
}

async fn newcomer(school: &School, id: &str) {
    let _uid = school.student(id).await;
    school.sql(&format!("INSERT INTO group_members VALUES ('{id}', 'g1')")).await;
    school.join(id, "c1").await;
}

fn said(ended: &Ended) -> String {
    format!("{}{}", ended.stdout, ended.stderr)
}

fn backup(school: &School, name: &str) -> PathBuf {
    let path = school.path(name);
    let ended = school.program(&["backup", path.to_str().unwrap()]);
    assert_eq!(ended.code, 0, "{ended:#?}");
    path
}

fn restore(school: &School, path: &Path) -> Ended {
    school.program(&["restore", path.to_str().unwrap()])
}

/// The states that restores have put aside.
fn put_aside(school: &School) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(school.path("state.db").parent().unwrap()).unwrap();
    let entries = entries.map(|entry| entry.unwrap().path());
    entries.filter(|path| path.to_string_lossy().contains(".before-restore-")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_made_beside_a_running_daemon_is_put_back_once_it_is_stopped_and_the_next_run_converges() {
    let school = school().await;
    let mut daemon = school.start(&[]);
    let _line = daemon.hear("next_run");
    daemon.signal("USR1");
    eventually("the first run", || school.sandbox.candidate_count() == 3).await;
    let _line = daemon.hear("engine: run finished");

    let copy = backup(&school, "copy.db");
    assert_eq!(copy.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    newcomer(&school, "s900").await;
    daemon.signal("USR1");
    eventually("the run after the copy", || school.sandbox.candidate_count() == 4).await;
    let _line = daemon.hear("engine: run finished");

    let refused = restore(&school, &copy);
    assert_eq!(refused.code, 75, "{refused:#?}");
    assert!(said(&refused).contains("systemctl stop rosterd"), "{refused:#?}");
    daemon.signal("TERM");
    assert_eq!(daemon.end().code, 0);

    let restored = school.program(&["restore", copy.to_str().unwrap(), "--output", "json"]);
    assert_eq!(restored.code, 0, "{restored:#?}");
    let restored = restored.json();
    assert_eq!(
        (&restored["newest_run"], &restored["newest_lost_run"]),
        (&1.into(), &2.into()),
        "{restored:#}"
    );
    assert_eq!(restored["lost_runs"], 1, "{restored:#}");
    assert_eq!(put_aside(&school), [PathBuf::from(restored["kept_as"].as_str().unwrap())]);
    let mode = school.path("state.db").metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    assert!(!said(&school.program(&["runs"])).contains("run 2"), "the run after the copy is forgotten");

    let adds = || school.calls("exam").iter().filter(|call| *call == "addStudents").count();
    let before = adds();
    let next = school.program(&["--sync-now", "--output", "json"]);
    assert_eq!(next.code, 0, "{next:#?}");
    assert_eq!(adds(), before, "nobody is entered twice: {next:#?}");
    assert_eq!(school.sandbox.candidate_count(), 4);
    let quiet = school.program(&["--sync-now", "--output", "json"]).json();
    assert_eq!(quiet["outcome"], "converged", "{quiet:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_says_what_is_kept_and_what_is_forgotten_within_eighty_columns() {
    let school = school().await;
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    let copy = backup(&school, "copy.db");
    let restored = restore(&school, &copy);
    assert_eq!(restored.code, 0, "{restored:#?}");
    let aside = put_aside(&school);
    for words in
        [aside[0].to_str().unwrap(), "found anew", "claim --class CODE", "forgotten", "config.toml plan"]
    {
        assert!(restored.stdout.contains(words), "{words}: {restored:#?}");
    }
    assert_eq!(aside.len(), 1, "its log is part of it: {aside:?}");
    // Paths are as long as they are.
    let folder = school.path("state.db").parent().unwrap().to_str().unwrap().to_owned();
    for line in restored.stdout.lines().filter(|line| !line.contains(&folder)) {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert_eq!(school.program(&["--sync-now"]).code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_put_back_while_a_run_is_under_way_and_a_copy_is_made_all_the_same() {
    let school = school().await;
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    let copy = {
        let _lock = RunLock::take(&school.path("state.db")).unwrap();
        let copy = backup(&school, "copy.db");
        let refused = restore(&school, &copy);
        assert_eq!(refused.code, 75, "{refused:#?}");
        assert!(said(&refused).contains("a run is under way"), "{refused:#?}");
        copy
    };
    assert!(put_aside(&school).is_empty());
    assert_eq!(restore(&school, &copy).code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_sound_copy_of_a_known_schema_changes_nothing() {
    let school = school().await;
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    let good = backup(&school, "copy.db");
    let path = |name: &str| school.path(name);
    let bytes = std::fs::read(&good).unwrap();
    std::fs::write(path("text.db"), "no database at all, but rather long\n".repeat(100)).unwrap();
    std::fs::write(path("cut.db"), &bytes[..bytes.len() / 2 / 4096 * 4096]).unwrap();
    let mut spoilt = bytes.clone();
    spoilt[8192..bytes.len() / 2].fill(0xa5);
    std::fs::write(path("spoilt.db"), spoilt).unwrap();
    std::fs::write(path("empty.db"), "").unwrap();
    std::fs::write(path("newer.db"), &bytes).unwrap();
    write(&path("newer.db"), "INSERT INTO _sqlx_migrations VALUES (9999, 'later', 0, 1, x'00', 0)").await;
    let before = std::fs::read(school.path("state.db")).unwrap();
    for (name, code, why) in [
        ("absent.db", 1, "there is no such file"),
        ("empty.db", 1, "there is no such file"),
        ("text.db", 1, "no copy of a state database"),
        ("cut.db", 1, "damaged"),
        ("spoilt.db", 1, "damaged"),
        ("newer.db", 78, "newer rosterd (schema 9999"),
        ("roster.db", 1, "it holds other tables"),
        ("state.db", 1, "is the state database itself"),
    ] {
        let refused = restore(&school, &path(name));
        assert_eq!(refused.code, code, "{name}: {refused:#?}");
        assert!(said(&refused).contains(why), "{name}: {refused:#?}");
        assert_eq!(std::fs::read(school.path("state.db")).unwrap(), before, "{name}");
        assert!(put_aside(&school).is_empty() && !path("state.db.restoring").exists(), "{name}");
    }
    assert_eq!(school.program(&["--sync-now"]).code, 0);
}

async fn write(path: &Path, sql: &'static str) {
    use sqlx::{ConnectOptions as _, Connection as _};
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut connection = options.connect().await.unwrap();
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_that_is_lost_or_damaged_comes_back_from_its_copy() {
    let school = school().await;
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    let copy = backup(&school, "copy.db");
    std::fs::remove_file(school.path("state.db")).unwrap();
    assert_eq!(school.program(&["status"]).code, 1, "it is lost");
    let restored = restore(&school, &copy);
    assert_eq!(restored.code, 0, "{restored:#?}");
    assert!(put_aside(&school).is_empty(), "there was nothing to keep");
    assert_eq!(school.program(&["--sync-now"]).code, 0);

    std::fs::write(school.path("state.db"), vec![0xa5; 50_000]).unwrap();
    assert_eq!(school.program(&["--sync-now"]).code, 1, "it is damaged");
    let restored = restore(&school, &copy);
    assert_eq!(restored.code, 0, "{restored:#?}");
    assert!(restored.stdout.contains("could not be read"), "{restored:#?}");
    assert_eq!(std::fs::read(&put_aside(&school)[0]).unwrap(), vec![0xa5; 50_000]);
    assert_eq!(school.program(&["--sync-now"]).code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_programs_database_is_not_moved_away_for_a_copy() {
    let mut school = school().await;
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    let copy = backup(&school, "copy.db");
    let other = school.path("library.db");
    std::fs::write(&other, "").unwrap();
    write(&other, "CREATE TABLE library (book TEXT)").await;
    let before = std::fs::read(&other).unwrap();
    school.setting("STATE__DATABASE", other.to_str().unwrap());
    let refused = restore(&school, &copy);
    assert_eq!(refused.code, 78, "{refused:#?}");
    assert_eq!(std::fs::read(&other).unwrap(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_makes_no_state_and_writes_over_nothing() {
    let school = school().await;
    let target = school.path("copy.db");
    let refused = school.program(&["backup", target.to_str().unwrap()]);
    assert_eq!(refused.code, 78, "{refused:#?}");
    assert!(!school.path("state.db").exists() && !target.exists());
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    std::fs::write(&target, "mine").unwrap();
    std::os::unix::fs::symlink(school.path("nowhere"), school.path("link.db")).unwrap();
    for name in ["copy.db", "roster.db", "state.db", "link.db", "absent/copy.db"] {
        let refused = school.program(&["backup", school.path(name).to_str().unwrap()]);
        assert_eq!(refused.code, 1, "{name}: {refused:#?}");
    }
    assert_eq!(std::fs::read_to_string(&target).unwrap(), "mine");
    assert!(!school.path("nowhere").exists());
    let left = std::fs::read_dir(school.path(".")).unwrap().map(|entry| entry.unwrap().path());
    let parts: Vec<_> = left.filter(|path| path.extension().is_some_and(|end| end == "part")).collect();
    assert!(parts.is_empty(), "{parts:?}");
}

#[test]
fn a_restore_that_no_configuration_is_named_for_is_refused_and_makes_no_state() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("b.db"), "").unwrap();
    let mut command = crate::program::bare(&["restore", "b.db"]);
    command.current_dir(folder.path());
    let ended = rosterd_testkit::ended(command);
    assert_eq!(ended.code, 78, "{ended:#?}");
    assert!(said(&ended).contains("rosterd --config FILE restore b.db"), "{ended:#?}");
    assert!(!folder.path().join("state.db").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_restore_that_a_backup_prints_can_be_typed_as_it_stands() {
    let school = school().await;
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    let copy = school.path("a copy.db");
    let config = school.config();
    let ended = school.program(&["backup", copy.to_str().unwrap()]);
    let words = [config.to_str().unwrap(), copy.to_str().unwrap()];
    let [config, copy] = words.map(rosterd_core::roster::shell_word);
    let typed = format!("    rosterd --config {config} restore {copy}");
    assert!(ended.code == 0 && ended.stdout.contains(&typed), "{typed}: {ended:#?}");
}
