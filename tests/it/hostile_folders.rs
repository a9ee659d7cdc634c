//! What others put into the folder of the state, for root to stumble over: links, pipes, other files; and a state that
//! is replaced while a daemon uses it.

use std::os::unix::fs::{MetadataExt as _, chown, symlink};
use std::path::Path;

use crate::program::Programs as _;
use crate::rosters_of_others::{SERVICE, is_root, mode};
use rosterd_testkit::{School, eventually};

/// Three students, and a state in a folder that belongs to the service's user.
async fn school() -> School {
    let mut school = School::builder().setting("CLASSIN__ENABLED", "false").build().await;
    for id in ["s000", "s001", "s002"] {
        let _uid = school.student(id).await;
    }
    let _gid = school.group_of_all().await;
    let folder = school.path("state");
    std::fs::create_dir(&folder).unwrap();
    school.setting("STATE__DATABASE", folder.join("state.db").to_str().unwrap());
    school
}

fn owner(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().uid()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_command_of_roots_gives_away_or_makes_what_a_link_in_the_services_folder_names() {
    if !is_root("no_command_of_roots_gives_away_or_makes_what_a_link_in_the_services_folder_names") {
        return;
    }
    let school = school().await;
    school.leaves_work_behind();
    let (folder, victim, new) = (school.path("state"), school.path("victim"), school.path("new"));
    std::fs::write(&victim, "root's own").unwrap();
    mode(&victim, 0o644);
    chown(&folder, Some(SERVICE), Some(SERVICE)).unwrap();
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    for name in ["state.db", "state.db.lock"] {
        assert_eq!(owner(&folder.join(name)), SERVICE, "what root makes there is the service's: {name}");
    }
    let plant = |name: &str, target: &Path| {
        let _none = std::fs::remove_file(folder.join(name));
        symlink(target, folder.join(name)).unwrap();
        std::os::unix::fs::lchown(folder.join(name), Some(SERVICE), Some(SERVICE)).unwrap();
    };
    let unharmed = |row: &str| {
        assert_eq!(owner(&victim), 0, "{row}");
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "root's own", "{row}");
        assert!(!new.exists(), "{row}");
    };
    for target in [&victim, &new] {
        for name in ["state.db.lock", "state.db.daemon.lock", "state.db.intake.lock"] {
            plant(name, target);
        }
        for command in [&["--sync-now"][..], &["results"], &["status"], &["plan"], &["forget", "s000"], &[]] {
            // Reading needs no lock. What needs one says what is in its place.
            let ended = school.program(command);
            unharmed(&format!("{command:?}"));
            if matches!(command.first(), Some(&"--sync-now") | None) {
                assert_eq!(ended.code, 78, "{command:?}: {ended:?}");
                assert!(ended.stderr.contains("it is a link: remove it"), "{command:?}: {ended:?}");
            }
        }
    }
    for name in ["state.db.lock", "state.db.daemon.lock", "state.db.intake.lock"] {
        std::fs::remove_file(folder.join(name)).unwrap();
    }
    std::fs::hard_link(&victim, folder.join("state.db.lock")).unwrap();
    let ended = school.program(&["--sync-now"]);
    assert!(ended.code == 78 && ended.stderr.contains("another name as well"), "{ended:?}");
    unharmed("a hard link");
    std::fs::remove_file(folder.join("state.db.lock")).unwrap();
    for name in ["state.db", "state.db-wal", "state.db-shm"] {
        let _none = std::fs::remove_file(folder.join(name));
    }
    for target in [&victim, &new] {
        plant("state.db", target);
        for command in [&["status"][..], &["check", "--offline"], &["plan"], &["--sync-now"], &[]] {
            let ended = school.program(command);
            unharmed(&format!("{command:?}"));
            assert_eq!(ended.code, 78, "{command:?}: {ended:?}");
            let said = format!("{}{}", ended.flowing(), ended.stderr);
            assert!(said.contains("root follows no link of others"), "{command:?}: {ended:?}");
        }
    }
    std::fs::remove_file(folder.join("state.db")).unwrap();
    assert_eq!(school.program(&["--sync-now"]).code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pipe_in_the_place_of_a_lock_is_refused_by_name_and_waited_for_by_nobody() {
    let school = school().await;
    let lock = school.path("state").join("state.db.lock");
    assert!(std::process::Command::new("mkfifo").arg(&lock).status().unwrap().success());
    for command in [&["--sync-now"][..], &["results"]] {
        let ended = school.program(command);
        assert_eq!(ended.code, 78, "{command:?}: {ended:?}");
        assert!(
            ended.stderr.contains("state.db.lock") && ended.stderr.contains("no regular file"),
            "{ended:?}"
        );
    }
    let _any = school.program(&["status"]);
    std::fs::remove_file(&lock).unwrap();
    assert_eq!(school.program(&["--sync-now"]).code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_put_back_under_a_daemon_is_opened_whole_by_the_next_one() {
    let mut school = school().await;
    school.setting("SCHEDULE__CRON", "0 0 0 29 2 *");
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    let folder = school.path("state");
    let (state, backup) = (folder.join("state.db"), folder.join("backup.db"));
    std::fs::copy(&state, &backup).unwrap();
    let mut daemon = school.start(&[]);
    let _line = daemon.hear("the daemon is ready");
    let _uid = school.student("s003").await;
    school.sql("INSERT INTO group_members VALUES ('s003', 'g1')").await;
    daemon.signal("USR1");
    eventually("a run that writes", || school.sandbox.candidate_count() == 4).await;
    let _line = daemon.hear("run finished");
    std::fs::rename(&backup, &state).unwrap();
    daemon.signal("USR1");
    let line = daemon.hear("removed or replaced");
    assert!(line.contains("state.db-wal and") && line.contains("restart"), "{line}");
    daemon.signal("TERM");
    assert_eq!(daemon.end().code, 0);
    let log = std::fs::metadata(folder.join("state.db-wal")).map_or(0, |log| log.len());
    assert_eq!(log, 0, "the log of the file before would be played over this one");
    for _ in 0..2 {
        let ended = school.program(&["--sync-now"]);
        assert_eq!(ended.code, 0, "{ended:?}");
    }
    assert_eq!(school.sandbox.candidate_count(), 4, "nobody is entered twice");
    assert_eq!(school.program(&["status", "--check"]).code, 0);
    let runs = school.program(&["runs", "--output", "json"]);
    assert_eq!(runs.code, 0, "{runs:?}");
}
