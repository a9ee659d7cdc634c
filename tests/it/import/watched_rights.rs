//! Watched folders of several users: the office uploads, the service imports, and root runs the program now and then.
//!
//! What needs a second user runs as root, and says so where it does not run.

use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};

use rosterd::RosterWriter;
use rosterd_testkit::{Ended, ended};
use serde_json::Value;
use tempfile::TempDir;

use crate::rosters_of_others::{OWNER, SERVICE, as_user, is_root, mode};

/// Roster and state of the service, and a folder in which somebody else puts files.
struct Place(TempDir);

impl Place {
    async fn new(rights: u32) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        mode(place.0.path(), 0o755);
        for folder in ["data", "inbox"] {
            std::fs::create_dir(place.path(folder)).unwrap();
        }
        RosterWriter::open_or_create(&place.path("data/roster.db")).await.unwrap().close().await;
        for name in ["data", "data/roster.db"] {
            chown(place.path(name), Some(SERVICE), Some(SERVICE)).unwrap();
        }
        chown(place.path("inbox"), Some(OWNER), Some(SERVICE)).unwrap();
        mode(&place.path("inbox"), rights);
        let config = "[roster]\ndatabase = \"data/roster.db\"\n[state]\ndatabase = \"data/state.db\"\n\
                      [exam]\nbase_url = \"http://127.0.0.1:1\"\n[http]\nlisten = \"\"\n\
                      [import.weekly]\nwatch = \"inbox\"\nsettle = \"0s\"\n";
        std::fs::write(place.path("config.toml"), config).unwrap();
        // The build folder need not be open to others.
        std::fs::copy(crate::program::BINARY, place.path("rosterd")).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// As an upload leaves it: somebody else's, readable for the group.
    fn upload(&self, name: &str, text: &str) {
        let path = self.path("inbox").join(name);
        std::fs::write(&path, text).unwrap();
        mode(&path, 0o640);
        chown(&path, Some(OWNER), Some(SERVICE)).unwrap();
    }

    fn run(&self, user: Option<u32>, arguments: &[&str]) -> Ended {
        let mut command = rosterd_testkit::bare(self.path("rosterd").to_str().unwrap(), arguments);
        command.arg("--config").arg(self.path("config.toml")).env("ROSTERD__EXAM__CODE", "xxx");
        match user {
            Some(user) => ended(as_user(command, user)),
            None => ended(command),
        }
    }

    /// What lies below a folder and belongs to root.
    fn of_root(&self, folder: &str) -> Vec<PathBuf> {
        below(&self.path(folder))
            .into_iter()
            .filter(|path| path.symlink_metadata().unwrap().uid() == 0)
            .collect()
    }
}

fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        if entry.path().is_dir() {
            found.extend(below(&entry.path()));
        }
        found.push(entry.path());
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_root_imports_from_a_watched_folder_leaves_nothing_that_the_service_may_not_use() {
    if !is_root("what_root_imports_from_a_watched_folder_leaves_nothing_that_the_service_may_not_use") {
        return;
    }
    let place = Place::new(0o2770).await;
    place.upload("list.csv", "student_id,name\nS1,One\n");
    let first = place.run(None, &["--sync-now"]);
    assert!(first.stderr.contains("list.csv: imported"), "{first:#?}");
    place.upload("bad.csv", "student_id,name\n,Nobody\n");
    let second = place.run(None, &["--sync-now"]);
    assert!(second.stderr.contains("bad.csv: refused"), "{second:#?}");
    assert_eq!((place.of_root("data"), place.of_root("inbox")), (vec![], vec![]));
    place.upload("later.csv", "student_id,name\nS2,Two\n");
    let third = place.run(Some(SERVICE), &["--sync-now"]);
    assert!(third.stderr.contains("later.csv: imported"), "{third:#?}");
    let attention = place.run(Some(SERVICE), &["status", "--output", "json"]).json()["attention"].clone();
    let said = attention["refused-files"]["what"].as_str().unwrap_or_default().to_owned();
    assert!(said.contains("1 bad row"), "the service reads root's report: {attention}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watched_folder_that_is_not_the_services_to_write_is_named_with_the_command_to_type() {
    if !is_root("a_watched_folder_that_is_not_the_services_to_write_is_named_with_the_command_to_type") {
        return;
    }
    for (rights, cure) in [(0o755, "chmod 2770 "), (0o1777, "chmod -t ")] {
        let place = Place::new(rights).await;
        place.upload("list.csv", "student_id,name\nS1,One\n");
        let ended = place.run(Some(SERVICE), &["--sync-now"]);
        let cure = format!("{cure}{}", place.path("inbox").display());
        assert!(ended.stderr.contains(&cure), "{rights:o}: {ended:#?}");
        if rights == 0o755 {
            assert!(ended.stderr.contains(&format!("chgrp {SERVICE} ")), "{ended:#?}");
        }
        assert!(place.path("inbox/list.csv").exists(), "nothing was taken that cannot be imported");
        let attention = place.run(Some(SERVICE), &["status", "--output", "json"]).json()["attention"].clone();
        assert_ne!(attention["watched-folders"], Value::Null, "{attention}");
    }
}
