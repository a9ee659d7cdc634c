//! Files of our own: a full disk, a right that is missing, a state that goes away, two daemons, output that cannot be
//! written.
//!
//! What needs a small disk runs as root, and says so where it does not run.

#![expect(clippy::print_stderr, reason = "a test that cannot run here says so loudly")]

use std::fs::OpenOptions;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::health::get;
use crate::program::{BINARY, Programs as _, bare};
use rosterd::{RosterWriter, StateStore, StoreError};
use rosterd_testkit::{School, ended, eventually};

/// Three students in one group, and a schedule that is not due for months.
async fn school() -> School {
    let mut school = School::of_both().await;
    school.setting("CLASSIN__ENABLED", "false");
    school.setting("SCHEDULE__CRON", "0 0 0 29 2 *");
    for id in ["s000", "s001", "s002"] {
        let _uid = school.student(id).await;
    }
    let _gid = school.group_of_all().await;
    school
}

/// A disk of its own, as small as that.
struct Disk(PathBuf);

impl Disk {
    fn new(folder: &Path, kib: u32, test: &str) -> Option<Self> {
        std::fs::create_dir_all(folder).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={kib}k"), "tmpfs"]).arg(folder);
        let mounted = mount.stderr(Stdio::null()).status().is_ok_and(|done| done.success());
        if !mounted {
            eprintln!("NOT RUN, needs root and mounts: {test}");
        }
        mounted.then(|| Self(folder.to_owned()))
    }

    /// Takes all the room that is left.
    fn fill(&self) {
        let zeros = vec![0_u8; 4096];
        let mut file = std::fs::File::create(self.0.join("filler")).unwrap();
        while std::io::Write::write_all(&mut file, &zeros).is_ok() {}
    }

    fn free(&self) {
        std::fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _left = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_temporary_named_and_lets_nothing_be_sent() {
    let mut school = school().await;
    school.leaves_work_behind();
    let folder = school.path("small");
    for (row, kib) in [("too small for a state", 100), ("too small for its schema", 300)] {
        let Some(disk) = Disk::new(&folder, kib, "a_full_disk_is_temporary_named_and_lets_nothing_be_sent")
        else {
            return;
        };
        school.setting("STATE__DATABASE", folder.join("state.db").to_str().unwrap());
        let ended = school.program(&["--sync-now"]);
        assert_eq!(ended.code, 75, "{row}: {ended:#?}");
        assert!(
            ended.stderr.contains("small/state.db") && ended.stderr.contains("full"),
            "{row}: {ended:#?}"
        );
        assert!(!ended.stderr.contains("version"), "{row}: {ended:#?}");
        drop(disk);
    }
    let Some(disk) = Disk::new(&folder, 1200, "") else { return };
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    assert_eq!(school.sandbox.candidate_count(), 3);
    let _uid = school.student("s003").await;
    school.sql("INSERT INTO group_members VALUES ('s003', 'g1')").await;
    disk.fill();
    let ended = school.program(&["--sync-now"]);
    assert_eq!(ended.code, 75, "{ended:#?}");
    assert!(ended.stderr.contains("small/state.db") && ended.stderr.contains("full"), "{ended:#?}");
    assert_eq!(school.sandbox.candidate_count(), 3, "sent without an intent");
    let ended = school.program(&["status", "--check"]);
    assert_ne!(ended.code, 0, "no run can be written down: {ended:#?}");
    assert!(format!("{}{}", ended.flowing(), ended.stderr).contains("full"), "{ended:#?}");
    disk.free();
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    assert_eq!(school.sandbox.candidate_count(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_daemon_on_a_full_disk_is_alive_and_neither_healthy_nor_ready_until_there_is_room() {
    let mut school = school().await;
    school.leaves_work_behind();
    let folder = school.path("small");
    let test = "a_daemon_on_a_full_disk_is_alive_and_neither_healthy_nor_ready_until_there_is_room";
    let Some(disk) = Disk::new(&folder, 1600, test) else { return };
    school.setting("STATE__DATABASE", folder.join("state.db").to_str().unwrap());
    school.setting("HTTP__LISTEN", "127.0.0.1:0");
    let mut daemon = school.start(&[]);
    let line = daemon.hear("health and metrics on");
    let healthy = |healthy: u8| {
        get(&line, "/metrics").1.lines().any(|line| line == format!("rosterd_healthy {healthy}"))
    };
    daemon.signal("USR1");
    let _line = daemon.hear("run finished");
    eventually("a good run", || healthy(1)).await;
    // What the log of the state has on the disk already would be enough for another run.
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.join("state.db"));
    let mut state = sqlx::ConnectOptions::connect(&options).await.unwrap();
    sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut state).await.unwrap();
    sqlx::Connection::close(state).await.unwrap();

    disk.fill();
    assert!(healthy(0), "before any run has failed");
    assert!(get(&line, "/").1.contains("disk of the state database is full"), "{}", get(&line, "/").1);
    assert_eq!(get(&line, "/healthz").0, 200, "the loop goes on");
    let _uid = school.student("s003").await;
    school.sql("INSERT INTO group_members VALUES ('s003', 'g1')").await;
    daemon.signal("USR1");
    let said = daemon.hear("its disk is full");
    assert!(said.contains("small/state.db"), "{said}");
    eventually("it is not ready", || get(&line, "/readyz").0 == 503).await;
    assert!(
        get(&line, "/readyz").1.contains("its disk is full: make room there"),
        "{}",
        get(&line, "/readyz").1
    );
    assert!(get(&line, "/metrics").1.lines().any(|line| line == "rosterd_ready 0"));
    assert_eq!(get(&line, "/healthz").0, 200);

    disk.free();
    daemon.signal("USR1");
    eventually("the run after it is good", || school.sandbox.candidate_count() == 4 && healthy(1)).await;
    assert_eq!(get(&line, "/readyz").0, 200);
    daemon.signal("TERM");
    assert_eq!(daemon.end().code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_size_limit_is_temporary_named_and_no_death_by_a_signal() {
    let school = school().await;
    school.leaves_work_behind();
    let limited = |kib: u32, arguments: &[&str]| {
        let program = school.command(arguments);
        let mut command = Command::new("bash");
        command.args(["-c", &format!("ulimit -f {kib}; exec \"$0\" \"$@\"")]);
        command.arg(program.get_program()).args(program.get_args()).env_clear();
        for (name, value) in program.get_envs() {
            command.env(name, value.unwrap());
        }
        ended(command)
    };
    let require_named = |row: &str, refused: &rosterd_testkit::Ended| {
        assert_eq!(refused.code, 75, "{row}: {refused:#?}");
        assert!(
            refused.stderr.contains("file size limit of") && refused.stderr.contains("ulimit -f"),
            "{row}: {refused:#?}"
        );
    };
    require_named("a state that cannot grow to its schema", &limited(64, &["--sync-now"]));
    assert_eq!(school.sandbox.candidate_count(), 0, "sent without an intent");
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    let _uid = school.student("s003").await;
    school.sql("INSERT INTO group_members VALUES ('s003', 'g1')").await;
    for kib in [1, 4, 8] {
        require_named("a log that cannot grow", &limited(kib, &["--sync-now"]));
        assert_eq!(school.sandbox.candidate_count(), 3, "{kib}: sent without an intent");
    }
    let list = school.path("students.csv");
    let rows: String =
        (0..400).map(|n| format!("t{n:03},A student with a name of some length,139{n:08}\n")).collect();
    std::fs::write(&list, format!("student_id,name,phone\n{rows}")).unwrap();
    let before = std::fs::read(school.path("roster.db")).unwrap();
    let refused = limited(8, &["import", "csv", list.to_str().unwrap()]);
    assert_eq!(refused.code, 75, "{refused:#?}");
    assert!(refused.stderr.contains("ulimit -f"), "{refused:#?}");
    assert_eq!(std::fs::read(school.path("roster.db")).unwrap(), before);
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    assert_eq!(school.sandbox.candidate_count(), 4);
}

#[tokio::test]
async fn a_state_whose_disk_was_full_is_written_again_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let small = folder.path().join("small");
    let Some(disk) =
        Disk::new(&small, 1200, "a_state_whose_disk_was_full_is_written_again_when_there_is_room")
    else {
        return;
    };
    let state = StateStore::open(&small.join("state.db")).await.unwrap();
    for _ in 0..3 {
        disk.fill();
        let mut refused = None;
        for number in 0..2000 {
            if let Err(error) = state.remember(&format!("fact {number}"), Some(&"x".repeat(400))).await {
                refused = Some(error);
                break;
            }
        }
        let refused = refused.expect("the disk is never full");
        assert!(matches!(refused, StoreError::Full { .. }) && refused.passes(), "{refused:?}");
        disk.free();
        state.remember("room", Some("again")).await.unwrap();
        for number in 0..2000 {
            state.remember(&format!("fact {number}"), None).await.unwrap();
        }
        state.remember("room", None).await.unwrap();
    }
    state.close().await;
}

#[tokio::test]
async fn nothing_is_written_to_a_state_that_was_removed_or_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let state = StateStore::open(&path).await.unwrap();
    state.remember("a", Some("1")).await.unwrap();
    let aside = folder.path().join("aside.db");
    std::fs::rename(&path, &aside).unwrap();
    let refused = state.remember("a", Some("2")).await.unwrap_err();
    assert!(matches!(refused, StoreError::Replaced { .. }) && refused.passes(), "{refused:?}");
    std::fs::write(&path, "another").unwrap();
    let refused = state.remember("a", Some("2")).await.unwrap_err();
    assert!(refused.to_string().contains("removed or replaced"), "{refused}");
    std::fs::rename(&aside, &path).unwrap();
    state.remember("a", Some("3")).await.unwrap();
    state.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_daemon_whose_state_is_taken_away_sends_nothing_and_says_so() {
    let school = school().await;
    school.leaves_work_behind();
    let mut daemon = school.start(&[]);
    let _line = daemon.hear("next_run");
    for name in ["state.db", "state.db-wal", "state.db-shm"] {
        let _absent = std::fs::remove_file(school.path(name));
    }
    daemon.signal("USR1");
    let line = daemon.hear("removed or replaced");
    assert!(line.contains("restart"), "{line}");
    assert!(!school.calls("exam").iter().any(|call| call == "addStudents"));
    daemon.signal("TERM");
    daemon.end();
    assert!(!school.path("state.db").exists(), "a new state was made in its place");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_second_daemon_on_one_state_ends_and_a_run_beside_it_does_not() {
    let mut school = school().await;
    let mut daemon = school.start(&[]);
    let _line = daemon.hear("next_run");
    symlink(school.path("state.db"), school.path("linked.db")).unwrap();
    for path in ["state.db", "linked.db"] {
        school.setting("STATE__DATABASE", school.path(path).to_str().unwrap());
        let second = school.program(&[]);
        assert_eq!(second.code, 75, "{path}: {second:#?}");
        assert!(second.stderr.contains("another rosterd daemon"), "{path}: {second:#?}");
    }
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    daemon.signal("TERM");
    assert_eq!(daemon.end().code, 0);
    let mut after = school.start(&[]);
    let _line = after.hear("next_run");
    after.signal("TERM");
    assert_eq!(after.end().code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_written_to_standard_output_ends_with_1_and_a_closed_pipe_does_not() {
    let school = school().await;
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    for arguments in [
        &["export", "roster"][..],
        &["export", "roster", "--output", "json"],
        &["export", "links"],
        &["results", "export", "csv"],
        &["plan"],
        &["plan", "--output", "json"],
        &["status"],
        &["check", "--offline"],
        &["runs"],
    ] {
        let mut command = school.command(arguments);
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let ended = command.stdout(full).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.contains("standard output cannot be written"), "{arguments:?}: {said}");

        let mut command = school.command(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let ended = child.wait_with_output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(
            (ended.status.code(), said.contains("standard output")),
            (Some(0), false),
            "{arguments:?}: {said}"
        );
    }
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    assert_eq!(bare(&["--help"]).stdout(full).status().unwrap().code(), Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_for_people_never_replaces_a_file_of_our_own() {
    let mut school = school().await;
    std::fs::write(school.path("more.pem"), "").unwrap();
    school.setting("CLASSIN__CA_FILE", school.path("more.pem").to_str().unwrap());
    let config = school.config().file_name().unwrap().to_str().unwrap().to_owned();
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    for name in ["roster.db.imports", "roster.db.previous"] {
        std::fs::write(school.path(name), "kept").unwrap();
    }
    let whole = |name: &str| std::fs::read(school.path(name)).ok();
    for (name, why) in [
        ("roster.db", "roster.database"),
        ("roster.db-wal", "roster.database"),
        ("roster.db-journal", "roster.database"),
        ("roster.db.imports", "roster.database"),
        ("roster.db.previous", "roster.database"),
        ("state.db", "state.database"),
        ("state.db-wal", "state.database"),
        ("state.db-shm", "state.database"),
        ("state.db.lock", "state.database"),
        ("state.db.daemon.lock", "state.database"),
        ("state.db.intake.lock", "state.database"),
        ("more.pem", "classin.ca_file"),
        (config.as_str(), "the configuration file"),
    ] {
        let before = whole(name);
        let path = school.path(name).to_str().unwrap().to_owned();
        for arguments in [
            &["export", "roster", "--to", &path][..],
            &["export", "links", "--replace", "--to", &path],
            &["export", "failures", "--replace", "--to", &path],
            &["plan", "--replace", "--html", &path],
        ] {
            let refused = school.program(arguments);
            assert_eq!(refused.code, 1, "{arguments:?}: {refused:#?}");
            assert!(
                refused.stderr.contains(why) && refused.stderr.contains("name another file"),
                "{arguments:?}: {refused:#?}"
            );
        }
        // What reads the state makes and removes what stands beside it.
        assert!(name.starts_with("state.db-") || whole(name) == before, "{name}");
    }
    let secret = school.path("code.txt");
    std::fs::write(&secret, "xxx").unwrap();
    let mut command = school.command(&["export", "links", "--replace", "--to", secret.to_str().unwrap()]);
    command.env_remove("ROSTERD__EXAM__CODE").env("ROSTERD__EXAM__CODE_FILE", &secret);
    let refused = ended(command);
    assert!(refused.code == 1 && refused.stderr.contains("the file of exam.code_file"), "{refused:#?}");
    assert_eq!(school.program(&["--sync-now"]).code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_replaces_a_regular_file_when_told_to_and_nothing_else() {
    let school = school().await;
    let (file, link) = (school.path("students.csv"), school.path("link.csv"));
    std::fs::write(&file, "old").unwrap();
    let refused = school.program(&["export", "roster", "--to", file.to_str().unwrap()]);
    assert_eq!((refused.code, std::fs::read_to_string(&file).unwrap().as_str()), (1, "old"), "{refused:#?}");
    assert!(refused.stderr.contains("is there already: name another file, remove it, or add --replace"));
    symlink(&file, &link).unwrap();
    let refused = school.program(&["export", "roster", "--to", link.to_str().unwrap()]);
    assert_eq!((refused.code, std::fs::read_to_string(&file).unwrap().as_str()), (1, "old"), "{refused:#?}");
    assert!(refused.stderr.contains("is a link"), "{refused:#?}");
    let refused = school.program(&["export", "roster", "--to", "/dev/null"]);
    assert!(refused.code == 1 && refused.stderr.contains("no regular file"), "{refused:#?}");
    let written = school.program(&["export", "roster", "--replace", "--to", file.to_str().unwrap()]);
    assert_eq!(written.code, 0, "{written:#?}");
    assert_eq!(std::fs::read_to_string(&file).unwrap().lines().count(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn made_up_ids_are_written_neither_into_the_roster_of_real_services_nor_into_a_file_that_is_not_there()
{
    let folder = tempfile::tempdir().unwrap();
    let (roster, config) = (folder.path().join("roster.db"), folder.path().join("config.toml"));
    RosterWriter::open_or_create(&roster).await.unwrap().close().await;
    std::fs::write(&config, "[roster]\ndatabase = \"roster.db\"\n[state]\ndatabase = \"state.db\"\n")
        .unwrap();
    symlink(&roster, folder.path().join("link.db")).unwrap();
    let before = std::fs::read(&roster).unwrap();
    for (row, name, why) in [
        ("the configured roster", "roster.db", "exam.base_url is real"),
        ("a link to it", "link.db", "exam.base_url is real"),
        ("a typing mistake", "rooster.db", "no such file"),
    ] {
        let mut command = bare(&["sandbox", "--listen", "127.0.0.1:0", "--provision", name]);
        command.current_dir(&folder).arg("--config").arg(&config);
        let refused = ended(command);
        assert_eq!(refused.code, 64, "{row}: {refused:#?}");
        assert!(refused.stderr.contains(why), "{row}: {refused:#?}");
    }
    assert_eq!(std::fs::read(&roster).unwrap(), before);
    assert!(!folder.path().join("rooster.db").exists());
}

/// Every run must come to its end although the disk is busy: a thread writes and syncs without a pause.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_on_a_busy_disk_exit_after_their_last_line() {
    let school = school().await;
    let busy = school.path("busy");
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let stopped = std::sync::Arc::clone(&stop);
    let writer = std::thread::spawn(move || {
        let block = vec![7_u8; 256 * 1024];
        while !stopped.load(std::sync::atomic::Ordering::Relaxed) {
            let mut file = std::fs::File::create(&busy).unwrap();
            std::io::Write::write_all(&mut file, &block).unwrap();
            file.sync_all().unwrap();
        }
    });
    for number in 0..20 {
        let mut command = school.command(&["--sync-now"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // A minute and more is no end at all.
        let mut code = None;
        eventually(&format!("run {number} of {BINARY} exits"), || {
            code = child.try_wait().unwrap();
            code.is_some()
        })
        .await;
        assert_eq!(code.unwrap().code(), Some(0), "run {number}");
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    writer.join().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_removes_the_lock_file_lets_no_second_run_begin_beside_the_first() {
    let school = school().await;
    school.leaves_work_behind();
    school.set("dup_on_add", "accept");
    school.set("delay", "addStudents:2000");
    let first = school.start(&["--sync-now"]);
    eventually("a write is under way", || school.sandbox.candidate_count() == 3).await;
    std::fs::remove_file(school.path("state.db.lock")).unwrap();
    let second = school.program(&["--sync-now"]);
    assert_eq!(second.code, 75, "{second:?}");
    assert!(
        second.stderr.contains("in the middle of a run") && second.stderr.contains(".lock file"),
        "{second:?}"
    );
    assert_eq!(school.program(&["plan"]).code, 0, "a plan may be made beside it");
    let first = first.end();
    assert_eq!(first.code, 75, "{first:?}");
    assert!(first.stderr.contains("state.db.lock was removed while a run was under way"), "{first:?}");
    school.set("delay", "addStudents:1");
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    assert_eq!(school.sandbox.candidate_count(), 3, "nobody is entered twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approval_that_cannot_be_shown_is_not_given() {
    let school = school().await;
    for id in 3..12 {
        let _uid = school.student(&format!("s{id:03}")).await;
    }
    school.sql("INSERT OR IGNORE INTO group_members SELECT student_id, 'g1' FROM students").await;
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    school.sql("UPDATE students SET active = 0 WHERE student_id > 's004'").await;
    let held = school.program(&["--sync-now", "--output", "json"]);
    assert_eq!(held.code, 4, "{held:?}");
    let digest = held.json()["held_digest"].as_str().unwrap().to_owned();
    let mut command = school.command(&["approve", &digest]);
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let ended = command.stdout(full).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(1));
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(said.contains("nothing was approved"), "{said}");
    let approved = school.number("SELECT count(*) FROM approvals").await;
    assert_eq!(approved, 0);
    assert_eq!(school.program(&["--sync-now"]).code, 4);
    let offered = school.program(&["status"]).stdout;
    assert!(offered.contains("To let") && !offered.contains("approved until"), "{offered}");
    assert_eq!(school.program(&["approve", &digest]).code, 0);
    let approved = school.program(&["status"]).stdout;
    assert!(!approved.contains("approve ") && approved.contains("approved until"), "{approved}");
    assert!(school.program(&["status", "--output", "json"]).json()["holds"][0]["approved_until"].is_string());
}
