//! A state database that is mounted without its folder: log and lock would lie beside each of its places. What mounts runs as
//! root, and says so where it does not run.

#![expect(clippy::print_stderr, reason = "a test that cannot run here says so loudly")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::program::Programs as _;
use rosterd_testkit::School;

/// What is mounted at this place, until it is dropped.
pub(crate) struct Mounted(pub(crate) PathBuf);

impl Mounted {
    pub(crate) fn of(what: &Path, at: PathBuf, test: &str) -> Option<Self> {
        let mounted = Command::new("mount").arg("--bind").arg(what).arg(&at).stderr(Stdio::null()).status();
        let mounted = mounted.is_ok_and(|done| done.success());
        if !mounted {
            eprintln!("NOT RUN, needs root and mounts: {test}");
        }
        mounted.then_some(Self(at))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _left = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_that_is_mounted_as_a_single_file_is_refused_and_one_whose_folder_is_mounted_is_not() {
    const TEST: &str =
        "a_state_that_is_mounted_as_a_single_file_is_refused_and_one_whose_folder_is_mounted_is_not";
    let mut school = School::builder().setting("CLASSIN__ENABLED", "false").build().await;
    school.student("s000").await;
    let _gid = school.group_of_all().await;
    let own = school.path("own");
    std::fs::create_dir(&own).unwrap();
    school.setting("STATE__DATABASE", own.join("state.db").to_str().unwrap());
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    for folder in ["other", "a folder of ä"] {
        let place = school.path(folder).join("state.db");
        std::fs::create_dir(school.path(folder)).unwrap();
        std::fs::write(&place, "").unwrap();
        let Some(mounted) = Mounted::of(&own.join("state.db"), place, TEST) else { return };
        school.setting("STATE__DATABASE", mounted.0.to_str().unwrap());
        for command in ["--sync-now", "status"] {
            let ended = school.program(&[command]);
            assert_eq!(ended.code, 78, "{folder} {command}: {ended:#?}");
            let said = ended.stderr;
            assert!(said.contains("as a single file") && said.contains("mount the whole folder"), "{said}");
        }
        assert!(!mounted.0.with_extension("db-wal").exists(), "{folder}");
    }
    let whole = school.path("whole");
    std::fs::create_dir(&whole).unwrap();
    let Some(mounted) = Mounted::of(&own, whole, TEST) else { return };
    school.setting("STATE__DATABASE", mounted.0.join("state.db").to_str().unwrap());
    assert_eq!(school.program(&["--sync-now"]).code, 0);
}
