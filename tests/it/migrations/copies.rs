//! The copy that an upgrade keeps of the state before rows are rewritten or dropped.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rosterd::{StateStore, StoreError};
use rosterd_testkit::School;
use sqlx::{AssertSqlSafe, Connection};

use super::every_version::full;
use super::{columns_of, made_by_version, migrate_to, raw, shipped};
use crate::program::Programs as _;

/// Every row of every table, as text.
async fn rows(path: &Path) -> Vec<String> {
    let mut connection = raw(path).await;
    let tables =
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut connection).await.unwrap();
    let mut all = Vec::new();
    for table in tables {
        let columns = columns_of(&mut connection, &table).await;
        let columns: Vec<String> = columns.iter().map(|column| format!("quote(\"{column}\")")).collect();
        let select = format!("SELECT '{table}: ' || {} FROM {table} ORDER BY 1", columns.join(" || ',' || "));
        let found: Vec<String> =
            sqlx::query_scalar(AssertSqlSafe(select)).fetch_all(&mut connection).await.unwrap();
        all.extend(found);
    }
    connection.close().await.unwrap();
    all
}

/// What upgrades have left beside the state, by name.
fn copies(state: &Path) -> Vec<String> {
    let name = format!("{}.before-", state.file_name().unwrap().to_str().unwrap());
    let entries = std::fs::read_dir(state.parent().unwrap()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> =
        names.filter_map(|file| file.strip_prefix(&name).map(str::to_owned)).collect();
    names.sort();
    names
}

fn copy(state: &Path, step: &str) -> PathBuf {
    PathBuf::from(format!("{}.before-{step}", state.display()))
}

/// The place of the migration with this number.
fn place(number: &str) -> usize {
    shipped().iter().position(|name| name.starts_with(number)).unwrap() + 1
}

async fn write(path: &Path, sql: &str) {
    let mut connection = raw(path).await;
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn an_upgrade_that_rewrites_rows_keeps_a_copy_from_before_and_a_second_start_makes_none() {
    for (version, step) in [(1, "0002"), (place("0019"), "0020"), (place("0028"), "0029")] {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state.db");
        full(&state, version).await;
        let before = rows(&state).await;
        StateStore::open(&state).await.unwrap().close().await;
        assert_eq!(copies(&state), [step], "from version {version}");
        let kept = copy(&state, step);
        assert_eq!(rows(&kept).await, before, "from version {version}");
        assert_eq!(kept.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let written = (kept.metadata().unwrap().modified().unwrap(), std::fs::read(&kept).unwrap());
        StateStore::open(&state).await.unwrap().close().await;
        assert_eq!(copies(&state), [step]);
        assert_eq!((kept.metadata().unwrap().modified().unwrap(), std::fs::read(&kept).unwrap()), written);
    }
}

#[tokio::test]
async fn an_upgrade_that_rewrites_nothing_keeps_no_copy() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state.db");
    StateStore::open(&state).await.unwrap().close().await;
    assert_eq!(copies(&state), Vec::<String>::new(), "a new state");
    let state = folder.path().join("older.db");
    full(&state, place("0055")).await;
    write(&state, "PRAGMA user_version = 2").await;
    StateStore::open(&state).await.unwrap().close().await;
    assert_eq!(copies(&state), Vec::<String>::new(), "only tables come");
    let state = folder.path().join("without-runs.db");
    made_by_version(&state, 1, &[]).await;
    StateStore::open(&state).await.unwrap().close().await;
    assert_eq!(copies(&state), Vec::<String>::new(), "no run has left anything");
}

#[tokio::test]
async fn ids_that_are_put_into_normal_form_are_kept_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state.db");
    full(&state, shipped().len()).await;
    let before = rows(&state).await;
    StateStore::open(&state).await.unwrap().close().await;
    assert_eq!(copies(&state), ["ids"]);
    assert_eq!(rows(&copy(&state, "ids")).await, before);
}

#[tokio::test]
async fn one_generation_is_kept_and_what_somebody_else_put_there_stays() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state.db");
    full(&state, place("0028")).await;
    for other in ["0002", "ids", "restore-20270101T000000Z", "0002.mine", "today"] {
        std::fs::write(copy(&state, other), "x").unwrap();
    }
    StateStore::open(&state).await.unwrap().close().await;
    assert_eq!(copies(&state), ["0002.mine", "0029", "restore-20270101T000000Z", "today"]);
}

#[tokio::test]
async fn an_upgrade_that_was_killed_keeps_the_copy_from_before_its_first_step() {
    // Between two migrations, and after the last one: the copy from before the whole upgrade is the one that counts.
    for (killed_at, step) in [(place("0019"), "0002"), (shipped().len(), "0002")] {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state.db");
        full(&state, 1).await;
        let before = rows(&state).await;
        let whole = folder.path().join("whole.db");
        std::fs::copy(&state, &whole).unwrap();
        StateStore::open(&whole).await.unwrap().close().await;
        // What is on the disk then.
        std::fs::rename(copy(&whole, step), copy(&state, step)).unwrap();
        write(&state, "INSERT INTO facts VALUES ('upgrade.copy', CAST('0002@1' AS BLOB))").await;
        migrate_to(&state, killed_at).await;
        StateStore::open(&state).await.unwrap().close().await;
        assert_eq!(copies(&state), [step]);
        assert_eq!(rows(&copy(&state, step)).await, before);
        // The next one begins anew.
        let facts = rows(&state).await;
        assert!(!facts.iter().any(|row| row.contains("upgrade.copy")), "{facts:#?}");
    }
}

#[tokio::test]
async fn a_copy_after_which_no_step_was_taken_is_of_an_older_day_and_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state.db");
    full(&state, 1).await;
    // The disk was full then; the version before has gone on with the state since.
    std::fs::copy(&state, copy(&state, "0002")).unwrap();
    write(&state, "INSERT INTO facts VALUES ('upgrade.copy', CAST('0002@1' AS BLOB))").await;
    write(&state, "INSERT INTO facts VALUES ('of a later run', CAST('1' AS BLOB))").await;
    let before = rows(&state).await;
    StateStore::open(&state).await.unwrap().close().await;
    assert_eq!(copies(&state), ["0002"]);
    assert_eq!(rows(&copy(&state, "0002")).await, before);
}

#[tokio::test]
async fn what_a_kill_left_of_a_copy_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state.db");
    full(&state, 1).await;
    let before = rows(&state).await;
    std::fs::write(copy(&state, "0002.part"), "half").unwrap();
    std::fs::write(copy(&state, "0002"), "of another day").unwrap();
    StateStore::open(&state).await.unwrap().close().await;
    assert_eq!(copies(&state), ["0002"]);
    assert_eq!(rows(&copy(&state, "0002")).await, before);
}

#[tokio::test]
async fn a_link_in_the_place_of_the_copy_is_replaced_and_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let (state, victim) = (folder.path().join("state.db"), folder.path().join("victim"));
    full(&state, 1).await;
    std::fs::write(&victim, "kept").unwrap();
    for planted in ["0002", "0002.part"] {
        std::os::unix::fs::symlink(&victim, copy(&state, planted)).unwrap();
    }
    StateStore::open(&state).await.unwrap().close().await;
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "kept");
    assert!(!copy(&state, "0002").is_symlink());
    assert_eq!(copies(&state), ["0002"]);
}

#[tokio::test]
async fn a_copy_that_cannot_be_made_stops_the_upgrade_before_it_begins() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state.db");
    full(&state, 1).await;
    let before = rows(&state).await;
    std::fs::create_dir(copy(&state, "0002.part")).unwrap();
    let error = StateStore::open(&state).await.unwrap_err();
    assert!(matches!(error, StoreError::Copy { .. }), "{error}");
    assert_eq!(rows(&state).await, before, "nothing was changed");
    std::fs::remove_dir(copy(&state, "0002.part")).unwrap();
    StateStore::open(&state).await.unwrap().close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_without_room_for_the_copy_refuses_the_upgrade_as_temporary_with_cause_and_cure() {
    let mut school = School::of_classin().await;
    let folder = school.path("small");
    std::fs::create_dir_all(&folder).unwrap();
    let mut mount = Command::new("mount");
    mount.args(["-t", "tmpfs", "-o", "size=2000k", "tmpfs"]).arg(&folder).stderr(Stdio::null());
    if !mount.status().is_ok_and(|done| done.success()) {
        eprintln!("NOT RUN, needs root and mounts: a disk without room for the copy");
        return;
    }
    let state = folder.join("state.db");
    full(&state, 1).await;
    write(&state, "PRAGMA journal_mode = WAL").await;
    let before = rows(&state).await;
    let used =
        std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum::<u64>();
    let filler = usize::try_from(2000 * 1024 - used).unwrap() - 300 * 1024;
    std::fs::write(folder.join("filler"), vec![0; filler]).unwrap();
    school.setting("STATE__DATABASE", state.to_str().unwrap());
    let refused = school.program(&["--sync-now"]);
    let (copies, unchanged) = (copies(&state), rows(&state).await == before);
    std::fs::remove_file(folder.join("filler")).unwrap();
    let opened = StateStore::open(&state).await.map(|_| ());
    let _left = Command::new("umount").arg("--lazy").arg(&folder).status();
    assert_eq!(refused.code, 75, "{refused:#?}");
    for words in ["first keeps a copy", "are free", "makes room"] {
        assert!(refused.stderr.contains(words), "{words}: {refused:#?}");
    }
    assert!(copies.is_empty() && unchanged, "{copies:?}");
    opened.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_copy_is_named_in_the_log_and_restore_takes_it() {
    let school = School::of_classin().await;
    let state = school.path("state.db");
    let run = "INSERT INTO runs (trigger, mode, started_at_ms) VALUES ('sync-now', 'sync', 0)";
    made_by_version(&state, 1, &[run]).await;
    let before = rows(&state).await;
    let ended = school.program(&["--sync-now"]);
    let kept = copy(&state, "0002");
    assert!(ended.stderr.contains(kept.to_str().unwrap()), "{ended:#?}");
    assert!(ended.stderr.contains(&format!("restore {}", kept.display())), "{ended:#?}");
    let restored = school.program(&["restore", kept.to_str().unwrap()]);
    assert_eq!(restored.code, 0, "{restored:#?}");
    assert_eq!(rows(&state).await, before, "as the version of before has left it");
}
