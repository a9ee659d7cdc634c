//! No secret and no personal data leaves through logs, errors, reports, metrics or files. Everybody here has values
//! that can be found again wherever they turn up.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::program::Programs as _;
use rosterd_testkit::{School, eventually};

const CODE: &str = "ExamCodeQQ77";
const SECRET: &str = "ClassinSecretZZ88";

/// What must be found nowhere. The first letters are enough where a value has a number at its end.
const HIDDEN: [&str; 7] =
    ["Quartermain", "quartermain", "1391112", "mail.example", "Hidd3n", "ExamCodeQQ", "ClassinSecretZZ"];

/// A school whose people are recognisable, with faults on both sides.
async fn school() -> School {
    let school = School::with_credentials(CODE, SECRET).await;
    let group = school.sandbox.create_group("G");
    school.sql(&format!("INSERT INTO groups VALUES ('g1', 'Group', {group})")).await;
    school.class("c1").await;
    for at in 0..12 {
        let (id, phone) = (format!("s{at:03}"), format!("1391112{at:04}"));
        let uid = school.sandbox.create_account("Quartermain", Some(&phone));
        school
            .sql(&format!(
                "INSERT INTO students (student_id, name, phone, email, password, login, classin_uid) VALUES \
                 ('{id}', 'Zebulon Quartermain {at}', '{phone}', 'quartermain{at}@mail.example', 'Hidd3n-{at}', 'l{at}', {uid}); \
                 INSERT INTO group_members VALUES ('{id}', 'g1')"
            ))
            .await;
        school.join(&id, "c1").await;
    }
    school
}

/// Faults whose answers, texts and halves of answers could carry something out.
fn trouble(school: &School) {
    for (fault, value) in [
        ("refuse_item", "addStudents:0,3"),
        ("lose_answer", "addStudents@2"),
        ("not_json", "getstulist@2"),
        ("refuse_item", "addClassStudentMultiple:1/158"),
        ("lose_answer", "addClassStudentMultiple@2"),
        ("html_200", "getstudentsinfo"),
        ("cut_body", "changeStuinfo"),
        ("http_5xx", "delStu"),
        ("classin.error_text", "misleading"),
    ] {
        school.set(fault, value);
    }
}

fn assert_clean(what: &str, text: &str) {
    for hidden in HIDDEN {
        if let Some(at) = text.find(hidden) {
            let (from, to) =
                (text.floor_char_boundary(at.saturating_sub(200)), text.ceil_char_boundary(at + 100));
            panic!("{hidden} stands in {what}: …{}…", &text[from..to]);
        }
    }
    let runs = text.split(|c: char| !c.is_ascii_hexdigit()).find(|run| run.len() == 32);
    assert!(runs.is_none(), "{what} holds what looks like a token or signature: {runs:?}");
}

fn run(school: &School, arguments: &[&str]) {
    for format in ["text", "json"] {
        let more = ["--log-level", "trace", "--log-format", format, "--output", format];
        let ended = school.program(&[arguments, &more[..]].concat());
        assert_clean(&format!("standard output of {arguments:?} as {format}"), &ended.stdout);
        assert_clean(&format!("standard error of {arguments:?} as {format}"), &ended.stderr);
    }
}

/// The raw bytes of every file that the program wrote beside the configuration and the roster.
fn assert_files_clean(folder: &Path) {
    let mut seen = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.starts_with("state.db") {
            let bytes = std::fs::read(&path).unwrap();
            for hidden in HIDDEN {
                let found = bytes.windows(hidden.len()).any(|window| window == hidden.as_bytes());
                assert!(!found, "{hidden} stands in {name}");
            }
            let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{name} can be read by others");
            seen.push(name);
        }
    }
    assert!(seen.contains(&"state.db".to_owned()), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_personal_and_no_secret_is_logged_reported_or_stored_whatever_goes_wrong() {
    let mut school = school().await;
    trouble(&school);
    run(&school, &["plan"]);
    run(&school, &["--sync-now"]);
    school.sandbox.clear_faults();
    for id in ["s000", "s001", "s002"] {
        school.sql(&format!("UPDATE students SET name = name || ' changed', phone = phone || '9', password = 'Hidd3n-new' WHERE student_id = '{id}'")).await;
    }
    school.setting("EXAM__DELETE_GRACE", "0s");
    school.drop_student("s011").await;
    run(&school, &["plan"]);
    // Only who asks for values sees them; and what is searched for would be found.
    assert!(school.program(&["plan", "--reveal"]).stdout.contains("Quartermain"));
    trouble(&school);
    run(&school, &["--sync-now"]);
    run(&school, &["--sync-now"]);
    for arguments in
        [&["runs"][..], &["runs", "1"], &["runs", "2"], &["failures"], &["status"], &["check"], &["plan"]]
    {
        run(&school, arguments);
    }
    assert_files_clean(school.folder.path());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_credentials_and_broken_settings_do_not_show_the_secrets() {
    let mut school = school().await;
    school.setting("EXAM__CODE", "ExamCodeQQ-wrong");
    school.setting("CLASSIN__SECRET", "ClassinSecretZZ-wrong");
    for arguments in [&["--sync-now"][..], &["check"], &["plan"]] {
        run(&school, arguments);
    }
    school.setting("EXAM__PAGE_SIZE", "0");
    run(&school, &["--sync-now"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_cannot_be_used_are_named_by_their_key_alone() {
    let school = school().await;
    school
        .sql(
            "UPDATE students SET login = 'l1' WHERE student_id = 's002'; \
             UPDATE students SET login = NULL WHERE student_id = 's003'; \
             UPDATE students SET name = x'ff' || CAST('Quartermain' AS BLOB) WHERE student_id = 's004'; \
             INSERT INTO group_members VALUES ('ghost', 'g1'); UPDATE groups SET gid = 'Quartermain'",
        )
        .await;
    for arguments in [&["--sync-now"][..], &["plan"], &["failures"]] {
        run(&school, arguments);
    }
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_and_pages_of_the_daemon_name_no_person_and_its_files_are_private() {
    let mut school = school().await;
    school.setting("HTTP__LISTEN", "127.0.0.1:0");
    school.setting("SCHEDULE__CRON", "* * * * * *");
    trouble(&school);
    let mut daemon = school.start(&["--log-level", "trace"]);
    let line = daemon.hear("health and metrics on");
    let from = line.find("http://").unwrap() + "http://".len();
    let address: String = line.chars().skip(from).take_while(|c| !c.is_whitespace() && *c != '/').collect();
    eventually("a run is counted", || get(&address, "/metrics").contains("rosterd_runs_total{")).await;
    for path in ["/metrics", "/", "/api/v1/status", "/readyz", "/healthz"] {
        assert_clean(path, &get(&address, path));
    }
    assert_files_clean(school.folder.path());
    daemon.signal("TERM");
    let ended = daemon.end();
    assert_clean("the daemon's log", &ended.stderr);
}
