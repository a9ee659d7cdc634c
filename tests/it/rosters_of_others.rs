//! Rosters that belong to somebody else: read without a file left behind, without locking their owner out, and never
//! as they stood at no moment.
//!
//! What needs a second user runs as root, and says so where it does not run.

#![expect(clippy::print_stderr, reason = "a test that cannot run here says so loudly")]
#![expect(
    clippy::disallowed_methods,
    reason = "a process that this test starts is told by its environment what to do"
)]

use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::mounted_states::Mounted;
use rosterd::{RosterDatabase, RosterError, RosterQueries};
use rosterd_testkit::{Ended, ended, eventually};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqliteConnection};
use tempfile::TempDir;

const OUR_TABLES: &str = include_str!("../../migrations/roster/0001_create_roster.sql");

/// Two users that need no entry anywhere.
pub(crate) const OWNER: u32 = 54_320;
pub(crate) const SERVICE: u32 = 54_321;

/// Names the roster to the process that [`the_owner_of_a_roster_at_work`] becomes.
const ROSTER_OF_THE_OWNER: &str = "ROSTERD_TEST_ROSTER_OF_THE_OWNER";

/// How that process keeps its journal; WAL, where it is not said.
const JOURNAL_OF_THE_OWNER: &str = "ROSTERD_TEST_JOURNAL_OF_THE_OWNER";

pub(crate) fn is_root(test: &str) -> bool {
    let is_root =
        std::fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0);
    if !is_root {
        eprintln!("NOT RUN, needs root: {test}");
    }
    is_root
}

/// A folder that other users may go through, with a roster in it and a folder for the state.
struct Place {
    folder: TempDir,
}

impl Place {
    async fn new(statements: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        mode(folder.path(), 0o755);
        let place = Self { folder };
        for name in ["roster", "state"] {
            std::fs::create_dir(place.path(name)).unwrap();
        }
        let mut connection = place.connect().await;
        write(&mut connection, &format!("{OUR_TABLES} {statements}")).await;
        connection.close().await.unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn roster(&self) -> PathBuf {
        self.path("roster/roster.db")
    }

    fn state(&self) -> PathBuf {
        self.path("state/state.db")
    }

    async fn connect(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.roster()).create_if_missing(true);
        options.connect().await.unwrap()
    }

    async fn in_wal_mode(self) -> Self {
        let mut connection = self.connect().await;
        write(&mut connection, "PRAGMA journal_mode = WAL").await;
        connection.close().await.unwrap();
        assert_eq!(self.beside(), ["roster.db"]);
        self
    }

    /// Gives the roster to its owner and the state to the service.
    fn shared(self, folder: u32, file: u32) -> Self {
        for (path, user) in [("roster", OWNER), ("roster/roster.db", OWNER), ("state", SERVICE)] {
            chown(self.path(path), Some(user), Some(user)).unwrap();
        }
        mode(&self.roster(), file);
        mode(&self.path("roster"), folder);
        self
    }

    async fn open(&self) -> Result<RosterDatabase, RosterError> {
        RosterDatabase::open(&self.roster(), &RosterQueries::default(), &["name".to_owned()], &self.state())
            .await
    }

    /// What stands in the roster's folder.
    fn beside(&self) -> Vec<String> {
        names(&self.path("roster"))
    }

    /// The program as the service's user.
    fn as_service(&self, arguments: &[&str]) -> Ended {
        // The build folder need not be open to others.
        let program = self.path("rosterd");
        if !program.exists() {
            std::fs::copy(crate::program::BINARY, &program).unwrap();
            mode(&program, 0o755);
        }
        let config = format!(
            "[roster]\ndatabase = \"{}\"\n[state]\ndatabase = \"{}\"\n[http]\nlisten = \"\"\n",
            self.roster().display(),
            self.state().display()
        );
        std::fs::write(self.path("config.toml"), config).unwrap();
        let mut command = rosterd_testkit::bare(program.to_str().unwrap(), arguments);
        command.arg("--config").arg(self.path("config.toml")).env("ROSTERD__EXAM__CODE", "xxx");
        ended(as_user(command, SERVICE))
    }
}

pub(crate) fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

pub(crate) fn as_user(mut command: Command, user: u32) -> Command {
    command.uid(user).gid(user).current_dir("/");
    command
}

async fn write(connection: &mut SqliteConnection, statements: &str) {
    sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(connection).await.unwrap();
}

const THREE: &str = "INSERT INTO students (student_id, name) VALUES ('a', 'A'), ('b', 'B'), ('c', 'C');";

/// This test's own program again, to run a test that is ignored otherwise.
fn another_process(test: &str, roster: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "--ignored", test]).env(ROSTER_OF_THE_OWNER, roster);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// The process of a roster's owner, ended with this.
struct Owner(Child);

impl Owner {
    fn at_work(roster: &Path) -> Self {
        Self(another_process("rosters_of_others::the_owner_of_a_roster_at_work", roster).spawn().unwrap())
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

/// What the owner begins with.
const COMMIT_0: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40) \
                        INSERT INTO students (student_id, name) SELECT 's' || i, '0' FROM n";

/// How many students the owner's commit of this number leaves.
fn students_of_commit(number: i64) -> i64 {
    40 + number % 13
}

#[tokio::test]
#[ignore = "what the owner of a roster does in a process of its own; others start it"]
async fn the_owner_of_a_roster_at_work() {
    let Ok(roster) = std::env::var(ROSTER_OF_THE_OWNER) else { return };
    let is_wal = std::env::var(JOURNAL_OF_THE_OWNER).is_err();
    let journal = if is_wal { SqliteJournalMode::Wal } else { SqliteJournalMode::Delete };
    let options = SqliteConnectOptions::new().filename(&roster).journal_mode(journal);
    let mut connection = options.connect().await.unwrap();
    for number in 1_i64.. {
        // Every row says which commit it is of, and together they fill many pages.
        let statements = format!(
            "BEGIN IMMEDIATE; DELETE FROM students; \
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) \
             INSERT INTO students (student_id, name, phone) SELECT 's' || i, '{number}', hex(zeroblob(200)) FROM n; COMMIT",
            students_of_commit(number)
        );
        write(&mut connection, &statements).await;
        if !is_wal {
            // On a share nobody could read a file that is never at rest.
            tokio::time::sleep(std::time::Duration::from_millis(40)).await;
            continue;
        }
        let how = ["PASSIVE", "FULL", "RESTART", "TRUNCATE"][usize::try_from(number % 4).unwrap()];
        // A reader may be in the way of all but the first: then it is done the next time.
        let _busy = sqlx::query(AssertSqlSafe(format!("PRAGMA wal_checkpoint({how})")))
            .fetch_all(&mut connection)
            .await;
    }
}

/// The commit that one reading shows; fails where it shows none that the owner made.
async fn commit_of(database: &RosterDatabase) -> Result<i64, RosterError> {
    let mut snapshot = database.snapshot().await?;
    let mut students = snapshot.students().await?;
    let mut commits = Vec::new();
    while let Some(row) = students.next().await? {
        commits.push(row.student.values[0].as_str().parse::<i64>().unwrap());
    }
    drop(students);
    snapshot.close().await?;
    let commit = commits[0];
    assert!(commits.iter().all(|other| *other == commit), "rows of several commits: {commits:?}");
    assert_eq!(i64::try_from(commits.len()).unwrap(), students_of_commit(commit), "half of commit {commit}");
    Ok(commit)
}

/// Reads a thousand times while the owner writes and checkpoints without a pause. A roster that changes all the time
/// may be left for another run, and is never read as it never was.
async fn read_a_thousand_times(place: &Place) {
    let owner = Owner::at_work(&place.roster());
    eventually("the owner writes", || place.beside().iter().any(|name| name.ends_with("-wal"))).await;
    let (mut last, mut read, mut left) = (0, 0, 0);
    let database = loop {
        match place.open().await {
            Ok(database) => break database,
            Err(RosterError::Passing { .. }) if left < 1000 => left += 1,
            Err(error) => panic!("{error}"),
        }
    };
    while read + left < 1000 {
        match commit_of(&database).await {
            Ok(commit) => {
                assert!(commit >= last, "commit {commit} after {last}");
                (last, read) = (commit, read + 1);
            }
            Err(RosterError::Passing { .. }) => left += 1,
            Err(error) => panic!("{error}"),
        }
    }
    eprintln!("read {read}, left for later {left}, last commit {last}");
    assert!(last > 1, "the owner wrote nothing");
    assert!(read > 0, "nothing could be read");
    database.close().await;
    drop(owner);
    assert_eq!(names(&place.path("state")), [""; 0], "a copy stayed");
}

#[tokio::test]
async fn each_of_a_thousand_readings_beside_a_writing_owner_is_one_of_its_commits() {
    let place = Place::new(COMMIT_0).await.in_wal_mode().await;
    read_a_thousand_times(&place).await;
}

#[tokio::test]
async fn each_of_a_thousand_private_copies_beside_a_writing_owner_is_one_of_its_commits() {
    if !is_root("each_of_a_thousand_private_copies_beside_a_writing_owner_is_one_of_its_commits") {
        return;
    }
    // Root is not the owner, so the roster is read by copies.
    let place = Place::new(COMMIT_0).await.in_wal_mode().await.shared(0o777, 0o666);
    read_a_thousand_times(&place).await;
}

fn copies(place: &Place) -> Vec<String> {
    let mut names = names(&place.path("state"));
    names.retain(|name| name.contains("roster-copy"));
    names
}

#[tokio::test]
async fn a_roster_in_wal_mode_that_nobody_has_open_is_read_without_a_trace() {
    let place = Place::new(THREE).await.in_wal_mode().await;
    let database = place.open().await.unwrap();
    assert_eq!(database.require_students(1).await.unwrap(), 3);
    assert_eq!(place.beside(), ["roster.db"]);
    let copies = copies(&place);
    assert_eq!(copies.len(), 1, "{copies:?}");
    let copy = std::fs::metadata(place.path("state").join(&copies[0])).unwrap();
    assert_eq!(copy.permissions().mode() & 0o777, 0o600, "personal data for others to read");
    // Another program writes: the next reading is of the roster as it is then.
    let mut writer = place.connect().await;
    write(&mut writer, "DELETE FROM students WHERE student_id = 'a'").await;
    assert_eq!(database.require_students(1).await.unwrap(), 2);
    database.close().await;
    assert_eq!(names(&place.path("state")), [""; 0]);
    // Whoever writes it closes it and tidies up, as soon as our last reading has let go.
    writer.close().await.unwrap();
    let mut times = 0;
    while place.beside() != ["roster.db"] {
        assert!(times < 1000, "{:?}", place.beside());
        times += 1;
        let mut writer = place.connect().await;
        write(&mut writer, "UPDATE students SET name = name").await;
        writer.close().await.unwrap();
    }
}

#[tokio::test]
async fn what_a_crash_left_in_the_log_is_read() {
    let left = with_a_log().await;
    let before = std::fs::read(left.path("roster/roster.db-wal")).unwrap();
    assert!(!before.is_empty());
    let database = left.open().await.unwrap();
    assert_eq!(database.require_students(1).await.unwrap(), 2);
    database.close().await;
    assert_eq!(left.beside(), ["roster.db", "roster.db-wal"]);
    assert_eq!(std::fs::read(left.path("roster/roster.db-wal")).unwrap(), before);
}

/// A roster whose program died in mid-write: part of the write is in the file, and the journal takes it back.
async fn with_a_hot_journal() -> Place {
    let place = Place::new(THREE).await;
    let left = Place::new("").await;
    let mut writer = place.connect().await;
    let junk = "INSERT INTO junk VALUES (zeroblob(4000));".repeat(60);
    let statements = format!(
        "PRAGMA cache_size = 1; BEGIN IMMEDIATE; CREATE TABLE junk (x); {junk} \
         DELETE FROM students WHERE student_id <> 'a'; {junk}"
    );
    write(&mut writer, &statements).await;
    for side in ["", "-journal"] {
        let name = format!("roster/roster.db{side}");
        std::fs::copy(place.path(&name), left.path(&name)).unwrap();
    }
    write(&mut writer, "ROLLBACK").await;
    left
}

#[tokio::test]
async fn a_write_that_broke_off_is_not_read_and_not_taken_back_in_place() {
    let place = with_a_hot_journal().await;
    let files = || {
        ["", "-journal"].map(|side| std::fs::read(place.path(&format!("roster/roster.db{side}"))).unwrap())
    };
    let before = files();
    let database = place.open().await.unwrap();
    assert_eq!(database.require_students(1).await.unwrap(), 3);
    assert!(database.why_copied().await.unwrap().contains("journal"));
    database.close().await;
    assert!(files() == before, "the journal was played back in place");
    assert_eq!(names(&place.path("state")), [""; 0]);
}

#[tokio::test]
async fn a_copy_that_a_killed_process_left_is_removed_and_one_in_use_is_not() {
    let place = Place::new(THREE).await;
    let state = place.path("state");
    for name in [
        "state.db.roster-copy-1-0",
        "state.db.roster-copy-1-0-wal",
        "state.db.roster-copy-2-0",
        "state.db",
        "x",
    ] {
        std::fs::write(state.join(name), "x").unwrap();
    }
    let in_use = std::fs::File::open(state.join("state.db.roster-copy-2-0")).unwrap();
    in_use.lock().unwrap();
    place.open().await.unwrap().close().await;
    assert_eq!(names(&state), ["state.db", "state.db.roster-copy-2-0", "x"]);
}

/// The rosterd of before left such copies: root's own, in a folder of the service.
#[tokio::test]
async fn a_copy_of_roots_that_was_left_behind_is_removed_by_the_service_once_no_run_can_use_it() {
    if !is_root("a_copy_of_roots_that_was_left_behind_is_removed_by_the_service_once_no_run_can_use_it") {
        return;
    }
    let place = Place::new(THREE).await.shared(0o755, 0o644);
    let state = place.path("state");
    let mut gone = Command::new("true").spawn().unwrap();
    let dead = gone.id();
    gone.wait().unwrap();
    let living = std::process::id();
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(2 * 24 * 60 * 60);
    for (process, number, is_old) in [(dead, 0, true), (dead, 1, false), (living, 0, true)] {
        let copy = state.join(format!("state.db.roster-copy-{process}-{number}"));
        std::fs::write(&copy, "x").unwrap();
        mode(&copy, 0o600);
        if is_old {
            std::fs::File::options().write(true).open(&copy).unwrap().set_modified(long_ago).unwrap();
        }
    }
    let checked = place.as_service(&["check", "--offline"]);
    assert_eq!(checked.code, 0, "{checked:?}");
    let mut left = [format!("state.db.roster-copy-{dead}-1"), format!("state.db.roster-copy-{living}-0")];
    left.sort();
    assert_eq!(names(&state), left);
}

#[tokio::test]
async fn a_copy_that_root_makes_is_the_services_to_remove() {
    use std::os::unix::fs::MetadataExt as _;
    if !is_root("a_copy_that_root_makes_is_the_services_to_remove") {
        return;
    }
    let place = with_a_log().await.shared(0o755, 0o644);
    let database = place.open().await.unwrap();
    let copies = copies(&place);
    assert_eq!(copies.len(), 1, "{copies:?}");
    let owner = std::fs::metadata(place.path("state").join(&copies[0])).unwrap().uid();
    assert_eq!(owner, SERVICE);
    database.close().await;
}

#[tokio::test]
async fn a_service_of_another_user_leaves_nothing_beside_a_roster_and_reads_it_whatever_its_mode() {
    if !is_root("a_service_of_another_user_leaves_nothing_beside_a_roster_and_reads_it_whatever_its_mode") {
        return;
    }
    for (row, folder, file) in [
        ("a folder for all, a file to read", 0o777, 0o644),
        ("a folder for all, a file for all", 0o777, 0o666),
        ("a folder to read, a file to read", 0o755, 0o644),
    ] {
        for (mode, is_wal) in [("WAL", true), ("a rollback journal", false)] {
            let place = Place::new(THREE).await;
            let place = if is_wal { place.in_wal_mode().await } else { place }.shared(folder, file);
            for arguments in [vec!["check", "--offline"], vec!["export", "roster"], vec!["explain", "a"]] {
                let ended = place.as_service(&arguments);
                assert_eq!(ended.code, 0, "{row}, {mode}, {arguments:?}: {ended:#?}");
                assert_eq!(place.beside(), ["roster.db"], "{row}, {mode}, {arguments:?}");
                assert_eq!(copies(&place), [""; 0], "{row}, {mode}, {arguments:?}");
            }
        }
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_said_with_its_cause_and_nobody_is_told_to_restore_it() {
    if !is_root("what_cannot_be_read_is_said_with_its_cause_and_nobody_is_told_to_restore_it") {
        return;
    }
    let secret = Place::new(THREE).await.shared(0o755, 0o600);
    let closed = Place::new(THREE).await.shared(0o700, 0o644);
    let log = with_a_log().await.shared(0o755, 0o644);
    mode(&log.path("roster/roster.db-wal"), 0o600);
    let journal = with_a_hot_journal().await.shared(0o755, 0o644);
    mode(&journal.path("roster/roster.db-journal"), 0o600);
    for (row, place, cause) in [
        ("the file", &secret, "no permission to read"),
        ("the folder", &closed, "no permission to enter"),
        ("the log", &log, "roster.db-wal, which belongs to user 0"),
        ("the journal", &journal, "roster.db-journal, which belongs to user 0"),
    ] {
        let ended = place.as_service(&["check", "--offline"]);
        assert_eq!(ended.code, 78, "{row}: {ended:#?}");
        assert!(
            ended.flowing().contains("user 54321") && ended.flowing().contains(cause),
            "{row}: {}",
            ended.stdout
        );
        for wrong in ["restore", "no such file", "usable SQLite"] {
            assert!(!ended.flowing().contains(wrong), "{row}: {}", ended.stdout);
        }
    }
}

/// A roster in WAL mode with a log that is not yet in the file, and no index of it.
async fn with_a_log() -> Place {
    let place = Place::new(THREE).await.in_wal_mode().await;
    let left = Place::new("").await;
    let mut writer = place.connect().await;
    write(&mut writer, "DELETE FROM students WHERE student_id = 'a'").await;
    // What stands on the disk while the program is at work is what its crash would leave.
    for side in ["", "-wal"] {
        let name = format!("roster/roster.db{side}");
        std::fs::copy(place.path(&name), left.path(&name)).unwrap();
    }
    writer.close().await.unwrap();
    left
}

#[tokio::test]
async fn a_roster_on_a_mount_that_is_read_only_is_read_with_its_log() {
    const TEST: &str = "a_roster_on_a_mount_that_is_read_only_is_read_with_its_log";
    if !is_root(TEST) {
        return;
    }
    let left = with_a_log().await;
    let place = Place::new("").await;
    let folder = place.path("roster");
    let mount = |options: &str| {
        let done = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&folder).status();
        done.is_ok_and(|done| done.success())
    };
    if !mount("size=4m") {
        eprintln!("NOT RUN, needs mounts: {TEST}");
        return;
    }
    for name in ["roster.db", "roster.db-wal"] {
        std::fs::copy(left.path("roster").join(name), folder.join(name)).unwrap();
    }
    let is_read_only = mount("remount,ro");
    let read = async {
        let database = place.open().await?;
        let students = database.require_students(1).await;
        database.close().await;
        students
    };
    let read = read.await;
    let unmounted = Command::new("umount").arg(&folder).status().unwrap();
    assert!(is_read_only && unmounted.success());
    assert_eq!(read.unwrap(), 2);
}

/// The same folder as another machine has it that shares it: no lock is seen there, and what was read is kept for a while.
struct Share(PathBuf);

impl Share {
    fn of(folder: &Path, at: PathBuf, test: &str) -> Option<Self> {
        std::fs::create_dir(&at).unwrap();
        let mounted = Command::new("bindfs")
            .arg("--no-allow-other")
            .arg(folder)
            .arg(&at)
            .stderr(Stdio::null())
            .status();
        let mounted = mounted.is_ok_and(|done| done.success());
        if !mounted {
            eprintln!("NOT RUN, needs bindfs and the right to mount: {test}");
        }
        mounted.then_some(Self(at))
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let _left = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// A file that is mounted alone, over an empty one.
fn mounted_alone(file: &Path, at: PathBuf, test: &str) -> Option<Mounted> {
    std::fs::write(&at, "").unwrap();
    Mounted::of(file, at, test)
}

#[tokio::test]
async fn a_roster_in_wal_mode_whose_log_lies_beside_another_name_is_refused_with_cause_and_cure() {
    const TEST: &str =
        "a_roster_in_wal_mode_whose_log_lies_beside_another_name_is_refused_with_cause_and_cure";
    let place = with_a_log().await;
    let (roster, linked) = (place.path("roster/roster.db"), place.path("linked.db"));
    let open = async |path: &Path| {
        let columns = ["name".to_owned()];
        RosterDatabase::open(path, &RosterQueries::default(), &columns, &place.state()).await.map(drop)
    };
    std::fs::hard_link(&roster, &linked).unwrap();
    let refused = open(&linked).await.unwrap_err().to_string();
    assert!(refused.contains("hard link") && refused.contains("journal_mode"), "{refused}");
    open(&roster).await.unwrap();
    std::fs::remove_file(&linked).unwrap();
    std::os::unix::fs::symlink(&roster, &linked).unwrap();
    open(&linked).await.unwrap();
    let Some(mounted) = mounted_alone(&roster, place.path("a file.db"), TEST) else { return };
    let refused = open(&mounted.0).await.unwrap_err().to_string();
    assert!(refused.contains("single file") && refused.contains("mount the whole folder"), "{refused}");
    // Without a log nothing is missed.
    let closed = Place::new(THREE).await;
    let Some(mounted) = mounted_alone(&closed.path("roster/roster.db"), place.path("closed.db"), TEST) else {
        return;
    };
    open(&mounted.0).await.unwrap();
}

#[tokio::test]
async fn a_roster_on_a_network_share_is_read_in_place_or_refused_with_cause_and_cure() {
    const TEST: &str = "a_roster_on_a_network_share_is_read_in_place_or_refused_with_cause_and_cure";
    let program = |place: &Place, share: &Share| {
        let (roster, state) = (share.0.join("roster.db"), place.state());
        let (roster, state) = (roster.display(), state.display());
        let config = format!("[roster]\ndatabase = \"{roster}\"\n[state]\ndatabase = \"{state}\"\n");
        std::fs::write(place.path("config.toml"), config).unwrap();
        let mut command = rosterd_testkit::bare(crate::program::BINARY, &["export", "roster"]);
        command.arg("--config").arg(place.path("config.toml")).env("ROSTERD__EXAM__CODE", "xxx");
        ended(command)
    };
    for (row, place, code, cause, cure) in [
        ("a rollback journal", Place::new(THREE).await, 0, "", ""),
        ("WAL mode", with_a_log().await, 78, "network share (FUSE)", "journal_mode = DELETE"),
        ("a write that broke off", with_a_hot_journal().await, 75, "network share (FUSE)", "tried again"),
    ] {
        let before = place.beside();
        let Some(share) = Share::of(&place.path("roster"), place.path("share"), TEST) else { return };
        let ended = program(&place, &share);
        assert_eq!(ended.code, code, "{row}: {ended:#?}");
        assert!(ended.stderr.contains(cause) && ended.stderr.contains(cure), "{row}: {ended:#?}");
        assert!(!ended.stderr.contains("restore"), "{row}: {ended:#?}");
        assert_eq!(ended.stdout.lines().count(), if code == 0 { 4 } else { 0 }, "{row}: {ended:#?}");
        assert_eq!((place.beside(), copies(&place)), (before, vec![]), "{row}");
    }
}

#[tokio::test]
async fn each_reading_of_a_roster_on_a_share_beside_its_writing_owner_is_one_of_its_commits() {
    const TEST: &str = "each_reading_of_a_roster_on_a_share_beside_its_writing_owner_is_one_of_its_commits";
    let place = Place::new(COMMIT_0).await;
    let Some(share) = Share::of(&place.path("roster"), place.path("share"), TEST) else { return };
    let owner = Owner(
        another_process("rosters_of_others::the_owner_of_a_roster_at_work", &place.roster())
            .env(JOURNAL_OF_THE_OWNER, "DELETE")
            .spawn()
            .unwrap(),
    );
    let roster = share.0.join("roster.db");
    let open = || async {
        let (queries, columns) = (RosterQueries::default(), ["name".to_owned()]);
        RosterDatabase::open(&roster, &queries, &columns, &place.state()).await
    };
    let (mut last, mut read, mut left) = (0, 0, 0);
    while read < 200 {
        assert!(left < 20_000, "nothing can be read beside the owner: {read} readings");
        let commit = match open().await {
            Ok(database) => {
                let commit = commit_of(&database).await;
                database.close().await;
                commit
            }
            Err(error) => Err(error),
        };
        match commit {
            Ok(commit) => {
                assert!(commit >= last, "commit {commit} after {last}");
                (last, read) = (commit, read + 1);
            }
            // Its file may be seen before its first page is, or in mid-write.
            Err(RosterError::Passing { .. } | RosterError::Locked { .. }) => left += 1,
            Err(error) => panic!("{error}"),
        }
    }
    eprintln!("read {read}, left for later {left}, last commit {last}");
    assert!(last > 1 && left > 0, "the owner was never in the way: {left} left, last commit {last}");
    drop(owner);
}
