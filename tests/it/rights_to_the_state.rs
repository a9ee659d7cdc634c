//! A right to our own files that is missing: every command says which, whose file it is and what to do, and none says that
//! there was nothing.
//!
//! What needs a second user runs as root, and says so where it does not run.

use std::os::unix::fs::chown;
use std::path::PathBuf;

use rosterd::RosterWriter;
use rosterd_testkit::{Ended, ended};
use tempfile::TempDir;

use crate::rosters_of_others::{OWNER, SERVICE, as_user, is_root, mode};

/// Every command that looks at the state, the daemon last.
const COMMANDS: [&[&str]; 9] = [
    &["--sync-now"],
    &["plan"],
    &["status"],
    &["check", "--offline"],
    &["runs"],
    &["failures"],
    &["approve", "abcd"],
    &["account"],
    &[],
];

/// The service's folder, with a roster for all to read and a folder for the state.
struct Place(TempDir);

impl Place {
    async fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        mode(place.0.path(), 0o755);
        RosterWriter::open_or_create(&place.path("roster.db")).await.unwrap().close().await;
        mode(&place.path("roster.db"), 0o644);
        let config = "[roster]\ndatabase = \"roster.db\"\n[state]\ndatabase = \"state/state.db\"\n\
                      [exam]\nbase_url = \"http://127.0.0.1:1\"\n[http]\nlisten = \"\"\n";
        std::fs::write(place.path("config.toml"), config).unwrap();
        // The build folder need not be open to others.
        std::fs::copy(crate::program::BINARY, place.path("rosterd")).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A state that the service made itself.
    fn with_a_state(&self) {
        let _absent = std::fs::remove_dir_all(self.path("state"));
        std::fs::create_dir(self.path("state")).unwrap();
        chown(self.path("state"), Some(SERVICE), Some(SERVICE)).unwrap();
        let first = self.run(&["--sync-now"]);
        assert!(self.path("state/state.db").exists(), "{first:#?}");
    }

    fn give(&self, name: &str, user: u32, rights: u32) {
        let path = self.path(name);
        if !path.exists() {
            std::fs::write(&path, "").unwrap();
        }
        chown(&path, Some(user), Some(user)).unwrap();
        mode(&path, rights);
    }

    /// The program as the service's user.
    fn run(&self, arguments: &[&str]) -> Ended {
        let mut command = rosterd_testkit::bare(self.path("rosterd").to_str().unwrap(), arguments);
        command.arg("--config").arg(self.path("config.toml")).env("ROSTERD__EXAM__CODE", "xxx");
        ended(as_user(command, SERVICE))
    }
}

fn says_the_cause(row: &str, arguments: &[&str], ended: &Ended, cause: &str) {
    let said = format!("{}{}", ended.flowing(), ended.stderr);
    assert_eq!(ended.code, 78, "{row}, {arguments:?}: {ended:#?}");
    assert!(
        said.contains(&format!("user {SERVICE} has no permission to {cause}")),
        "{row}, {arguments:?}: {said}"
    );
    assert!(
        said.contains("chown") && said.contains("or run rosterd as user"),
        "{row}, {arguments:?}: {said}"
    );
    for wrong in
        ["No run yet", "not there yet", "there is no state", "restore", "another version", "code: 14"]
    {
        assert!(!said.contains(wrong), "{row}, {arguments:?}: {said}");
    }
}

#[tokio::test]
async fn whoever_may_not_use_the_state_is_told_which_right_is_missing_by_every_command() {
    if !is_root("whoever_may_not_use_the_state_is_told_which_right_is_missing_by_every_command") {
        return;
    }
    let place = Place::new().await;
    let rows: [(&str, &str, u32, u32, &str); 8] = [
        ("a folder that may not be written", "state", 0, 0o755, "write "),
        ("a folder that may not be entered", "state", 0, 0o700, "enter "),
        ("a file without a right", "state/state.db", SERVICE, 0o000, "write "),
        ("a file that may only be read", "state/state.db", SERVICE, 0o400, "write "),
        ("a file of another user", "state/state.db", OWNER, 0o600, "write "),
        ("a file of another user for all to read", "state/state.db", OWNER, 0o644, "write "),
        ("a log of another user", "state/state.db-wal", 0, 0o600, "write "),
        ("an index of the log of another user", "state/state.db-shm", 0, 0o600, "write "),
    ];
    for (row, name, user, rights, cause) in rows {
        place.with_a_state();
        place.give(name, user, rights);
        let cause = format!("{cause}{}", place.path(name).display());
        for arguments in COMMANDS {
            // The daemon meets its lock file first, which lies in the same folder.
            says_the_cause(row, arguments, &place.run(arguments), &cause);
        }
        chown(place.path(name), Some(SERVICE), Some(SERVICE)).unwrap();
        mode(&place.path(name), if name == "state" { 0o700 } else { 0o600 });
        let after = place.run(&["status"]);
        assert_eq!(after.code, 0, "{row}: not healed: {after:#?}");
    }
}

#[tokio::test]
async fn a_folder_in_which_the_first_run_cannot_make_a_state_is_found_by_check() {
    if !is_root("a_folder_in_which_the_first_run_cannot_make_a_state_is_found_by_check") {
        return;
    }
    let place = Place::new().await;
    std::fs::create_dir(place.path("state")).unwrap();
    let cause = format!("write {}", place.path("state").display());
    for arguments in [&["check", "--offline"][..], &["--sync-now"], &["plan"], &[]] {
        says_the_cause("no state yet", arguments, &place.run(arguments), &cause);
    }
    let status = place.run(&["status"]);
    assert_eq!((status.code, status.stdout.contains("No run yet")), (0, true), "{status:#?}");
}

#[tokio::test]
async fn a_run_of_root_in_the_folder_of_the_service_leaves_nothing_that_the_service_may_not_use() {
    if !is_root("a_run_of_root_in_the_folder_of_the_service_leaves_nothing_that_the_service_may_not_use") {
        return;
    }
    let place = Place::new().await;
    std::fs::create_dir(place.path("state")).unwrap();
    chown(place.path("state"), Some(SERVICE), Some(SERVICE)).unwrap();
    let mut command = rosterd_testkit::bare(place.path("rosterd").to_str().unwrap(), &["--sync-now"]);
    command.arg("--config").arg(place.path("config.toml")).env("ROSTERD__EXAM__CODE", "xxx");
    let by_root = ended(command);
    let by_service = place.run(&["--sync-now"]);
    // The roster is empty: whoever runs it, that is all that is wrong.
    assert_eq!((by_root.code, by_service.code), (1, 1), "{by_root:#?} {by_service:#?}");
}
