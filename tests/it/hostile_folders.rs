//! A state that is replaced while a daemon uses it.

use crate::program::Programs as _;
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
