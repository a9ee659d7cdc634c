//! A state database that is damaged, cut off, empty or gone: every command says so, and none begins anew in silence.

use std::fs::OpenOptions;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;

use rosterd_testkit::{Ended, School};

use crate::program::Programs as _;

/// Every command that opens the state, the daemon last.
const COMMANDS: [&[&str]; 12] = [
    &["--sync-now"],
    &["plan"],
    &["status"],
    &["status", "--check"],
    &["check", "--offline"],
    &["runs"],
    &["failures"],
    &["failures", "retry", "--all"],
    &["approve", "nothing"],
    &["explain", "s000"],
    &["results"],
    &[],
];

/// A school whose state has seen a run.
async fn school() -> School {
    let mut school = School::of_both().await;
    school.setting("CLASSIN__ENABLED", "false");
    school.setting("SCHEDULE__CRON", "0 0 0 29 2 *");
    for number in 0..30 {
        let _uid = school.student(&format!("s{number:03}")).await;
    }
    let _gid = school.group_of_all().await;
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    school
}

fn said(ended: &Ended) -> String {
    format!("{}{}", ended.flowing(), ended.stderr)
}

fn overwrite(path: &Path, at: u64, bytes: &[u8]) {
    let mut file = OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(bytes).unwrap();
}

fn cut(path: &Path, bytes: u64) {
    OpenOptions::new().write(true).open(path).unwrap().set_len(bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_state_is_said_by_every_command_with_cause_owner_and_what_to_type() {
    let school = school().await;
    school.leaves_work_behind();
    let state = school.path("state.db");
    let whole = std::fs::read(&state).unwrap();
    let length = u64::try_from(whole.len()).unwrap();
    let calls = school.calls("exam").len();
    let table: [(&str, &dyn Fn()); 5] = [
        ("all pages but the first are written over", &|| {
            overwrite(&state, 4096, &vec![0xa5; whole.len() - 4096]);
        }),
        ("all pages but the first are zeros", &|| overwrite(&state, 4096, &vec![0; whole.len() - 4096])),
        ("cut in half", &|| cut(&state, length / 2 / 4096 * 4096)),
        ("cut off in its first page", &|| cut(&state, 700)),
        ("no database", &|| std::fs::write(&state, vec![0xa5; 50_000]).unwrap()),
    ];
    for (row, damage) in table {
        std::fs::write(&state, &whole).unwrap();
        damage();
        for arguments in COMMANDS {
            let ended = school.program(arguments);
            assert_eq!(ended.code, 1, "{row}, {arguments:?}: {ended:#?}");
            let said = said(&ended);
            for word in ["state.db: is damaged", "whoever looks after this machine", "mv ", "rm -f "] {
                assert!(said.contains(word), "{row}, {arguments:?}: {word}: {said}");
            }
        }
    }
    assert_eq!(school.calls("exam").len(), calls, "something was sent");
    std::fs::write(&state, &whole).unwrap();
    assert_eq!(school.program(&["--sync-now"]).code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_single_page_that_is_damaged_is_found_by_check_and_never_lets_a_command_succeed_in_silence_over_it()
{
    let school = school().await;
    school.leaves_work_behind();
    let state = school.path("state.db");
    let whole = std::fs::read(&state).unwrap();
    let pages = u64::try_from(whole.len()).unwrap() / 4096;
    for page in 1..pages {
        std::fs::write(&state, &whole).unwrap();
        overwrite(&state, page * 4096, &[0xa5; 4096]);
        let ended = school.program(&["check", "--offline"]);
        assert_eq!(ended.code, 1, "page {page}: {ended:#?}");
        assert!(said(&ended).contains("state.db: is damaged"), "page {page}: {ended:#?}");
        if page % 8 == 1 {
            for arguments in [&["--sync-now"][..], &["status"]] {
                let ended = school.program(arguments);
                let is_untouched = ended.code == 0;
                assert!(
                    is_untouched || (ended.code == 1 && said(&ended).contains("is damaged")),
                    "page {page}, {arguments:?}: {ended:#?}"
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_that_was_there_and_is_empty_or_gone_is_not_taken_for_a_new_one() {
    let school = school().await;
    school.leaves_work_behind();
    let state = school.path("state.db");
    let whole = std::fs::read(&state).unwrap();
    let calls = school.calls("exam").len();
    for (row, word) in [("empty", "is empty"), ("gone", "is not there")] {
        match row {
            "empty" => std::fs::write(&state, "").unwrap(),
            _ => std::fs::remove_file(&state).unwrap(),
        }
        for arguments in COMMANDS {
            let ended = school.program(arguments);
            assert_eq!(ended.code, 1, "{row}, {arguments:?}: {ended:#?}");
            let said = said(&ended);
            let lock = school.path("state.db.lock");
            for word in [word, lock.to_str().unwrap(), "puts it back", "rm -f "] {
                assert!(said.contains(word), "{row}, {arguments:?}: {word}: {said}");
            }
            assert!(!said.contains("first run creates it"), "{row}, {arguments:?}: {said}");
        }
        assert!(!state.metadata().is_ok_and(|file| file.len() > 0), "{row}: a new one was made");
    }
    assert_eq!(school.calls("exam").len(), calls, "something was sent");
    std::fs::write(&state, &whole).unwrap();
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    // As the sentence says, where a new one is meant.
    for name in ["state.db", "state.db.lock"] {
        std::fs::remove_file(school.path(name)).unwrap();
    }
    assert_eq!(school.program(&["--sync-now"]).code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_file_that_an_admin_made_for_the_first_start_becomes_the_state() {
    let school = School::of_both().await;
    let _uid = school.student("s000").await;
    let _gid = school.group_of_all().await;
    std::fs::write(school.path("state.db"), "").unwrap();
    assert_eq!(school.program(&["--sync-now"]).code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_something_else_where_no_state_has_been_is_a_wrong_path() {
    let school = School::of_both().await;
    let letter = "Dear parents, ".repeat(100);
    std::fs::write(school.path("state.db"), &letter).unwrap();
    for arguments in [&["--sync-now"][..], &["plan"], &["status"], &["check", "--offline"], &[]] {
        let ended = school.program(arguments);
        assert_eq!(ended.code, 78, "{arguments:?}: {ended:#?}");
        assert!(said(&ended).contains("no SQLite database"), "{arguments:?}: {ended:#?}");
    }
    assert_eq!(std::fs::read_to_string(school.path("state.db")).unwrap(), letter);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_that_others_may_read_is_named_by_check() {
    use std::os::unix::fs::PermissionsExt as _;
    let school = school().await;
    let check = || said(&school.program(&["check", "--offline"]));
    assert!(!check().contains("chmod 600"));
    for mode in [0o640, 0o604] {
        std::fs::set_permissions(school.path("state.db"), std::fs::Permissions::from_mode(mode)).unwrap();
        let said = check();
        assert!(said.contains(&format!("mode {mode:04o}")) && said.contains("chmod 600"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_daemon_whose_state_is_damaged_meanwhile_is_not_ready_and_says_why() {
    let school = school().await;
    school.leaves_work_behind();
    let mut daemon = school.start(&[]);
    let _line = daemon.hear("next_run");
    let state = school.path("state.db");
    let length = usize::try_from(state.metadata().unwrap().len()).unwrap();
    overwrite(&state, 4096, &vec![0xa5; length - 4096]);
    daemon.signal("USR1");
    let line = daemon.hear("is damaged");
    assert!(line.contains("whoever looks after this machine"), "{line}");
    daemon.signal("TERM");
    daemon.end();
}
