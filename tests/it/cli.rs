//! The program as an admin and a script meet it: standard output, standard error, exit codes, signals.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use crate::program::{Programs as _, bare};
use rosterd::RosterWriter;
use rosterd_testkit::{Ended, Running, School, ended, eventually, jsonl};
use serde_json::Value;

/// Three students in a group and a class, on both sides but for the people.
async fn small() -> School {
    let school = School::of_both().await;
    school.class("c1").await;
    school.fill("c1", 3).await;
    school.group_of_all().await;
    school
}

fn code(ended: &Ended, code: i32) {
    assert_eq!(ended.code, code, "{ended:#?}");
}

/// What the address answers to a GET: status and body.
fn get(address: &str, path: &str) -> (u16, String) {
    let host = address.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// The address at the end of a line.
fn address(line: &str) -> String {
    let from = line.find("http://").unwrap();
    line[from..].split(|c: char| c.is_whitespace() || c == '"').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sync_now_reports_as_one_json_document_with_every_specified_field() {
    let school = small().await;
    let ended = school.program(&["--sync-now", "--output", "json"]);
    code(&ended, 0);
    let report = ended.json();
    for field in
        ["run_id", "trigger", "mode", "outcome", "started_at", "finished_at", "digest", "exam", "classin"]
    {
        assert!(!report[field].is_null(), "{field} in {report:#}");
    }
    for stage in ["exam", "classin"] {
        for field in ["planned", "applied", "failed", "held", "unknown", "skipped", "calls"] {
            assert!(report[stage][field].is_object(), "{stage}.{field}");
        }
        for field in ["observed", "unmanaged"] {
            assert!(report[stage][field].is_u64(), "{stage}.{field}");
        }
        assert!(report[stage]["errors"].is_array(), "{stage}.errors");
    }
    assert_eq!((report["outcome"].as_str(), report["trigger"].as_str()), (Some("applied"), Some("sync-now")));
    assert_eq!(report["exam"]["applied"]["add"], 3);
    assert_eq!(report["classin"]["applied"]["enrol"], 3);
    assert!(report["digest"].as_str().unwrap().chars().all(|c| c.is_ascii_alphanumeric()));
    let again = school.program(&["--sync-now", "--output", "json"]).json();
    assert_eq!(again["outcome"], "converged");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_that_reports_does_so_as_one_json_document_and_logs_as_json_lines() {
    let school = small().await;
    let table: [(&[&str], i32); 9] = [
        (&["plan"], 0),
        (&["--sync-now", "--dry-run"], 0),
        (&["check"], 0),
        (&["check", "--offline"], 0),
        (&["--sync-now"], 0),
        (&["status"], 0),
        (&["runs"], 0),
        (&["runs", "1"], 0),
        (&["failures", "list"], 0),
    ];
    for (arguments, expected) in table {
        let formats = ["--output", "json", "--log-format", "json", "--log-level", "debug"];
        let ended = school.program(&[arguments, &formats[..]].concat());
        code(&ended, expected);
        ended.json();
        jsonl(&ended.stderr);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_at_debug_shows_run_service_batch_and_request_and_one_at_info_no_span() {
    let school = small().await;
    let ended = school.program(&["--sync-now", "--log-level", "debug", "--no-color"]);
    code(&ended, 0);
    let line = |words: &[&str]| ended.stderr.lines().any(|line| words.iter().all(|word| line.contains(word)));
    let batch = "batch{batch.index=1 batch.kind=\"addStudents\" batch.size=3}";
    for words in [
        &["run{run.id=1 trigger=\"sync-now\"}:service{peer=\"exam\"}", "service finished", "applied=3"][..],
        &["service{peer=\"classin\"}", "service finished", "applied=3"],
        &[batch, "batch finished applied=3 failed=0 unknown=0 unsent=0 duration_ms="],
        &[batch, "http{", "endpoint=\"addStudents\"", "http request finished"],
    ] {
        assert!(line(words), "no line with {words:?}:\n{}", ended.stderr);
    }
    let ended = school.program(&["--sync-now", "--no-color"]);
    assert!(!ended.stderr.contains("run{"), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_start_writes_only_one_message_to_standard_error() {
    let mut school = small().await;
    school.setting("ROSTER__DATABASE", "/nowhere/roster.db");
    let ended = school.program(&["--sync-now", "--output", "json", "--log-format", "json"]);
    code(&ended, 78);
    assert!(ended.json()["error"].as_str().unwrap().contains("/nowhere/roster.db"), "{}", ended.stdout);
    assert_eq!(ended.stderr.matches("/nowhere/roster.db").count(), 1, "{}", ended.stderr);
    jsonl(&ended.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_changes_nothing_and_shows_signs_ids_counts_and_digest() {
    let school = small().await;
    let ended = school.program(&["plan"]);
    code(&ended, 0);
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(lines.iter().filter(|line| line.starts_with("+ s00")).count(), 6, "{}", ended.stdout);
    let closing = lines.last().unwrap();
    assert!(closing.contains("3 add") && closing.contains("3 enrol"), "{closing}");
    let digest = school.program(&["plan", "--output", "json"]).json()["digest"].as_str().unwrap().to_owned();
    assert!(closing.contains(&digest), "the same plan has the same digest: {closing}");
    assert!(!ended.stdout.contains("login-s000"));
    assert!(school.program(&["plan", "--reveal"]).stdout.contains("login-s000"));
    assert_eq!(school.sandbox.candidate_count(), 0);
    assert!(school.calls("classin").is_empty());
    code(&school.program(&["plan", "--detailed-exitcode"]), 2);
    code(&school.program(&["--sync-now", "-n"]), 0);
    code(&school.program(&["--sync-now"]), 0);
    let ended = school.program(&["plan", "--detailed-exitcode"]);
    code(&ended, 0);
    assert!(ended.stdout.contains("nothing to do"), "{}", ended.stdout);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn removals_and_deletes_stand_last_in_a_plan() {
    let mut school = small().await;
    code(&school.program(&["--sync-now"]), 0);
    school.setting("EXAM__DELETE_GRACE", "0s");
    school.drop_student("s000").await;
    school.student("new").await;
    school.join("new", "c1").await;
    school.sql("INSERT INTO group_members VALUES ('new', 'g1')").await;
    school.program(&["--sync-now"]);
    school.leave("new", "c1").await;
    school.student("newer").await;
    school.join("newer", "c1").await;
    let plan = school.program(&["plan"]).stdout;
    let signs: Vec<char> =
        plan.lines().filter_map(|line| line.chars().next()).filter(|sign| "+-~>!=".contains(*sign)).collect();
    let first_minus = signs.iter().position(|sign| *sign == '-').unwrap();
    assert!(signs[first_minus..].iter().all(|sign| *sign == '-'), "{plan}");
    assert!(signs[..first_minus].contains(&'+'), "{plan}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unmanaged_lists_exactly_who_is_neither_linked_nor_on_the_roster() {
    let school = small().await;
    code(&school.program(&["--sync-now"]), 0);
    let gid = *school.sandbox.groups().keys().next().unwrap();
    let login = school.sandbox.field_id("login").unwrap();
    for name in ["stranger-1", "stranger-2"] {
        school.sandbox.insert_candidate(&[(1, "x"), (login, name)], &[gid]);
    }
    school.student("added").await;
    school.sandbox.insert_candidate(&[(1, "x"), (login, "login-added")], &[gid]);
    let plan = school.program(&["plan", "--unmanaged", "--reveal", "--output", "json"]).json();
    assert_eq!(plan["unmanaged_candidates"], serde_json::json!(["stranger-1", "stranger-2"]));
    let masked = school.program(&["plan", "--unmanaged"]);
    assert!(
        masked.stdout.contains("unmanaged: s…") && !masked.stdout.contains("stranger"),
        "{}",
        masked.stdout
    );
    assert_eq!(plan["unmanaged"], 2);
    assert!(school.program(&["plan"]).stdout.contains("2 unmanaged"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_of_the_history_reads_like_a_report_and_not_like_json() {
    let school = small().await;
    code(&school.program(&["--sync-now"]), 0);
    let now = school.program(&["runs", "1"]);
    code(&now, 0);
    assert!(now.stdout.contains("Run 1") && now.stdout.contains("ClassIn"), "{}", now.stdout);
    assert!(!now.stdout.contains('{'), "{}", now.stdout);
    let list = school.program(&["runs"]).stdout;
    assert!(list.contains("sync-now") && list.contains("applied"), "{list}");
    let missing = school.program(&["runs", "99"]);
    code(&missing, 1);
    assert!(missing.stderr.contains("no run 99"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_is_listed_retried_and_silenced() {
    let school = small().await;
    school.set("refuse_item", "addClassStudentMultiple@*:0/886");
    code(&school.program(&["--sync-now"]), 3);
    let rows = school.program(&["failures", "list", "--output", "json"]).json();
    let row = &rows[0];
    let keys = [
        "id",
        "service",
        "kind",
        "student_id",
        "class_code",
        "state",
        "code",
        "message",
        "batch",
        "index",
        "attempts",
        "due_at",
        "owner",
        "since",
    ];
    for key in keys {
        assert!(row.get(key).is_some(), "{key} in {row}");
    }
    assert_eq!(
        (row["service"].as_str(), row["state"].as_str(), row["code"].as_str()),
        (Some("classin"), Some("dead"), Some("886"))
    );
    let id = row["id"].to_string();
    let text = school.program(&["failures"]).stdout;
    assert!(text.contains("s000") && text.contains("c1"), "{text}");
    code(&school.program(&["failures", "retry", &id]), 0);
    assert_eq!(school.program(&["failures", "--output", "json"]).json()[0]["state"], "waiting");
    code(&school.program(&["failures", "ignore", "--all"]), 0);
    code(&school.program(&["--sync-now"]), 0);
    code(&school.program(&["failures", "retry", "4711"]), 1);
    code(&school.program(&["failures", "retry", "--all"]), 0);
    let left_alone = school.program(&["failures", "--output", "json"]).json();
    assert_eq!(left_alone[0]["state"], "ignored", "what is silenced wakes only by its number");
    code(&school.program(&["failures", "retry", &id]), 0);
    school.sandbox.clear_faults();
    code(&school.program(&["--sync-now"]), 0);
    assert_eq!(school.program(&["failures", "--output", "json"]).json(), serde_json::json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_held_plan_exits_4_and_goes_ahead_once_it_is_approved() {
    let mut school = small().await;
    code(&school.program(&["--sync-now"]), 0);
    school.setting("GUARD__MAX_DELETE", "0");
    school.leave("s000", "c1").await;
    let held = school.program(&["--sync-now", "--output", "json"]);
    code(&held, 4);
    let report = held.json();
    let (digest, of_what_is_held) = (report["digest"].clone(), report["held_digest"].clone());
    let (digest, of_what_is_held) = (digest.as_str().unwrap(), of_what_is_held.as_str().unwrap());
    assert_ne!(digest, of_what_is_held);
    let text = school.program(&["plan"]).stdout;
    let command = format!("rosterd --config {} approve {of_what_is_held}", school.config().display());
    assert!(text.contains("= s000") && text.contains(&command), "{text}");
    let status = school.program(&["status", "--output", "json"]).json();
    assert_eq!(status["holds"][0]["approve"], command, "{status}");
    code(&school.program(&["approve", "nonsense"]), 1);
    code(&school.program(&["approve", digest, "--student", "s001"]), 1);
    let approved = school.program(&["approve", digest, "--output", "json"]).json();
    assert_eq!(approved["covers"][0]["student_id"], "s000", "{approved}");
    code(&school.program(&["--sync-now"]), 0);
    code(&school.program(&["approve", digest]), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_for_programs_have_all_their_keys_and_null_where_there_is_nothing() {
    let school = small().await;
    let has_all = |document: &serde_json::Value, keys: &[&str]| {
        let document = document.as_object().unwrap();
        let missing: Vec<&&str> = keys.iter().filter(|key| !document.contains_key(**key)).collect();
        assert!(missing.is_empty(), "{missing:?} missing in {document:#?}");
    };
    let plan = school.program(&["plan", "--output", "json"]).json();
    has_all(&plan, &["digest", "held_digest", "operations", "counts"]);
    let keys = ["kind", "student_id", "group", "class", "fields", "state", "reason", "reason_code", "limit"];
    for operation in plan["operations"].as_array().unwrap() {
        has_all(operation, &keys);
        has_all(operation, &["count", "since"]);
    }
    school.sql("DELETE FROM group_members WHERE student_id = 's000'").await;
    let report = school.program(&["--sync-now", "--output", "json"]).json();
    has_all(&report, &["run_id", "trigger", "mode", "outcome", "started_at", "finished_at", "digest"]);
    has_all(&report, &["held_digest", "holds", "attention", "exam", "classin", "errors"]);
    let failures = school.program(&["failures", "--output", "json"]).json();
    let failures = failures.as_array().unwrap();
    assert!(!failures.is_empty());
    for failure in failures {
        has_all(
            failure,
            &["id", "service", "kind", "student_id", "class_code", "table", "key", "owner", "since"],
        );
        has_all(failure, &["state", "code", "message", "batch", "index", "attempts", "due_at"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_student_whose_id_changed_is_carried_over() {
    let school = small().await;
    code(&school.program(&["--sync-now"]), 0);
    school
        .sql(
            "UPDATE students SET student_id = 'x000' WHERE student_id = 's000'; \
                UPDATE class_members SET student_id = 'x000' WHERE student_id = 's000'; \
                UPDATE group_members SET student_id = 'x000' WHERE student_id = 's000'",
        )
        .await;
    code(&school.program(&["relink", "s000", "x000"]), 0);
    let report = school.program(&["--sync-now", "--output", "json"]).json();
    assert_eq!(report["outcome"], "converged", "{report:#}");
    code(&school.program(&["relink", "nobody", "x"]), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn status_is_healthy_after_a_good_run_and_not_before() {
    let school = small().await;
    code(&school.program(&["status"]), 0);
    code(&school.program(&["status", "--check"]), 1);
    code(&school.program(&["--sync-now"]), 0);
    code(&school.program(&["status", "--check"]), 0);
    assert_eq!(school.program(&["status", "--output", "json"]).json()["healthy"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_finds_what_is_wrong_and_calls_nobody_when_offline() {
    let mut school = small().await;
    code(&school.program(&["check", "--offline"]), 0);
    assert!(school.sandbox.journal().is_empty());
    let good = school.program(&["check"]);
    code(&good, 0);
    assert!(good.stdout.contains("clock"), "{}", good.stdout);
    school.setting("CLASSIN__SECRET", "wrong");
    let bad = school.program(&["check", "--output", "json"]);
    code(&bad, 77);
    let findings = bad.json();
    assert_eq!(findings["ok"], false);
    let failed: Vec<&Value> =
        findings["findings"].as_array().unwrap().iter().filter(|one| one["ok"] == false).collect();
    assert_eq!(failed.len(), 1, "{findings:#}");
    assert_eq!(failed[0]["what"], "ClassIn");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_says_that_leavers_would_be_put_among_students() {
    let mut school = small().await;
    let groups = school.sandbox.groups();
    let (gid, _) = groups.iter().find(|(_, title)| title.as_str() == "everyone").unwrap();
    school.setting("EXAM__LEAVERS", &gid.to_string());
    let checked = school.program(&["check"]);
    code(&checked, 78);
    assert!(checked.flowing().contains(&format!("FAIL  leavers: exam.leavers is gid {gid}")), "{checked:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_configuration_exits_78_with_every_problem_and_its_key() {
    let school = small().await;
    std::fs::write(school.config(), "[sync]\nmode = \"delete-all\"\n[exam]\npage_size = 0\ntypo = 1\n")
        .unwrap();
    for arguments in [&["--sync-now"][..], &["plan"], &["status"], &["check", "--offline"], &[]] {
        let ended = school.program(arguments);
        code(&ended, 78);
        let said = format!("{}{}", ended.flowing(), ended.stderr);
        for key in ["sync.mode", "exam.page_size", "exam.typo"] {
            assert_eq!(said.matches(key).count(), 1, "{key} in {said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_usage_exits_64_and_help_0() {
    code(&ended(bare(&["frobnicate"])), 64);
    code(&ended(bare(&["--sync-now", "plan"])), 64);
    let help = ended(bare(&["--help"]));
    code(&help, 0);
    assert!(help.stdout.contains("Exit codes") && help.stderr.is_empty());
    code(&ended(bare(&["-V"])), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn missing_credentials_are_a_wrong_configuration() {
    let mut school = small().await;
    school.setting("CLASSIN__SECRET", "");
    let ended = school.program(&["--sync-now"]);
    code(&ended, 78);
    assert!(ended.stderr.contains("classin.secret"), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_roster_that_cannot_be_used_is_named_and_nobody_is_called() {
    let school = small().await;
    let good = std::fs::read(school.path("roster.db")).unwrap();
    let table: [(&str, i32, &str); 7] = [
        ("DROP TABLE class_members", 78, "class_members"),
        ("ALTER TABLE students DROP COLUMN login", 78, "login"),
        ("DELETE FROM students", 1, "guard.min_roster"),
        ("missing", 78, "no such file"),
        ("folder", 78, "is a folder, and the roster is a file"),
        ("socket", 78, "is a pipe, a socket or a device"),
        ("corrupt", 1, "not a usable SQLite database"),
    ];
    for (what, expected, word) in table {
        let other = School::of_both().await;
        let path = other.path("roster.db");
        match what {
            "missing" => std::fs::remove_file(&path).unwrap(),
            "folder" => {
                std::fs::remove_file(&path).unwrap();
                std::fs::create_dir(&path).unwrap();
            }
            "socket" => {
                std::fs::remove_file(&path).unwrap();
                let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
            }
            "corrupt" => std::fs::write(&path, "x".repeat(good.len())).unwrap(),
            statement => other.sql(statement).await,
        }
        for arguments in [&["--sync-now"][..], &["check", "--offline"]] {
            let ended = other.program(arguments);
            code(&ended, expected);
            let said = format!("{}{}", ended.flowing(), ended.stderr);
            assert!(said.contains(word) && said.contains("roster.db"), "{what}: {said}");
        }
        let calls = other.sandbox.journal().into_iter().filter(|entry| entry.endpoint != "getFields").count();
        assert_eq!(calls, 0, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_roster_below_the_least_size_says_who_mends_it_and_what_to_type() {
    let mut school = small().await;
    school.setting("GUARD__MIN_ROSTER", "100");
    let ended = school.program(&["--sync-now"]);
    code(&ended, 1);
    for said in [
        "fewer than guard.min_roster = 100",
        "For the school office: export",
        "For IT:",
        "guard.min_roster = 3; then rosterd --config",
    ] {
        assert!(ended.stdout.contains(said), "{said}: {}", ended.stdout);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_of_the_roster_that_a_person_silenced_is_shown_as_ignored() {
    let school = small().await;
    school.sql("INSERT INTO group_members VALUES ('nobody', 'g1')").await;
    code(&school.program(&["--sync-now"]), 3);
    let id = school.program(&["failures", "--output", "json"]).json()[0]["id"].to_string();
    assert!(!school.program(&["failures"]).stdout.contains("ignored"));
    let ended = school.program(&["failures", "ignore", &id]);
    assert!(ended.stdout.starts_with("1 silenced until its row changes."), "{}", ended.stdout);
    let text = school.program(&["failures"]).stdout;
    assert!(
        text.contains("roster group_members") && text.contains("(ignored until it changes; for: "),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_roster_that_another_program_keeps_locked_is_temporary() {
    let school = small().await;
    school.sql("BEGIN EXCLUSIVE").await;
    let ended = school.program(&["--sync-now"]);
    code(&ended, 75);
    assert!(ended.stderr.contains("locked by another program"), "{}", ended.stderr);
    school.sql("ROLLBACK").await;
    code(&school.program(&["--sync-now"]), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_database_that_cannot_be_made_is_a_wrong_configuration() {
    let mut school = small().await;
    std::fs::write(school.path("file"), "").unwrap();
    let place = school.path("file").join("state.db");
    school.setting("STATE__DATABASE", place.to_str().unwrap());
    for arguments in [&["--sync-now"][..], &["check", "--offline"]] {
        let ended = school.program(arguments);
        code(&ended, 78);
        assert!(format!("{}{}", ended.flowing(), ended.stderr).contains("state.database"), "{ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_down_exits_75_and_the_other_has_its_turn() {
    let mut school = small().await;
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    school.setting("CLASSIN__BASE_URL", &format!("http://{gone}"));
    code(&school.program(&["--sync-now"]), 75);
    assert_eq!(school.sandbox.candidate_count(), 3);
    code(&school.program(&["check"]), 75);
    school.setting("EXAM__CODE", "wrong");
    code(&school.program(&["--sync-now"]), 77);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_instance_exits_75_a_signal_in_mid_run_143_and_the_next_run_converges() {
    let school = small().await;
    school.set("exam.latency_ms", "300");
    let running = school.start(&["--sync-now", "--output", "json"]);
    eventually("the run has begun", || !school.sandbox.journal().is_empty()).await;
    let second = school.program(&["--sync-now"]);
    code(&second, 75);
    assert!(second.stderr.contains("another rosterd"), "{}", second.stderr);
    eventually("a write is under way", || school.calls("exam").iter().any(|call| call == "addStudents"))
        .await;
    running.signal("TERM");
    let ended = running.end();
    code(&ended, 143);
    assert_eq!(ended.json()["outcome"], "interrupted");
    assert_eq!(school.program(&["runs", "--output", "json"]).json()[0]["outcome"], "interrupted");
    school.set("exam.latency_ms", "0");
    code(&school.program(&["--sync-now"]), 0);
    assert_eq!(school.sandbox.candidate_count(), 3);
    let again = school.program(&["--sync-now", "--output", "json"]).json();
    assert_eq!(again["outcome"], "converged", "{again:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_told_to_stop_while_it_reads_ends_at_once_with_143() {
    let school = small().await;
    school.set("delay", "getstulist:20000");
    let running = school.start(&["--sync-now", "--output", "json"]);
    eventually("the listing is under way", || !school.sandbox.journal().is_empty()).await;
    running.signal("TERM");
    let ended = running.end();
    code(&ended, 143);
    assert_eq!(ended.json()["exam"]["planned"], serde_json::json!({}));
    assert_eq!(school.sandbox.candidate_count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_writes_nothing_not_even_a_state_database() {
    let school = small().await;
    code(&school.program(&["check"]), 0);
    assert!(!school.path("state.db").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_before_the_first_run_says_what_the_run_would_say() {
    let mut school = small().await;
    school.setting("EXAM__LOGIN_FIELD", "auto");
    let checked = school.program(&["check"]);
    code(&checked, 78);
    assert!(checked.flowing().contains("the account lists no candidates to tell it by"), "{checked:?}");
    assert!(!school.path("state.db").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_killed_is_made_good_by_the_next() {
    let school = small().await;
    school.set("delay", "addStudents:60000");
    let running = school.start(&["--sync-now"]);
    eventually("a write is under way", || school.sandbox.candidate_count() == 3).await;
    drop(running);
    code(&school.program(&["--sync-now"]), 0);
    assert_eq!(school.sandbox.candidate_count(), 3, "nobody is entered twice");
    assert_eq!(school.program(&["--sync-now", "--output", "json"]).json()["outcome"], "converged");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_daemon_runs_on_schedule_answers_and_stops_with_0() {
    let mut school = small().await;
    school.setting("HTTP__LISTEN", "127.0.0.1:0");
    school.setting("SCHEDULE__CRON", "* * * * * *");
    let mut daemon = school.start(&[]);
    let address = address(&daemon.hear("health and metrics on"));
    eventually("it is alive", || get(&address, "/healthz").0 == 200).await;
    eventually("it is ready", || get(&address, "/readyz").0 == 200).await;
    eventually("the class is filled", || school.calls("classin").len() == 1).await;
    eventually("a run is counted", || get(&address, "/metrics").1.contains("rosterd_runs_total")).await;
    let runs = || {
        let metrics = get(&address, "/metrics").1;
        assert!(metrics.contains("rosterd_last_success_timestamp_seconds"), "{metrics}");
        let lines = metrics.lines().filter(|line| line.starts_with("rosterd_runs_total"));
        lines.map(str::to_owned).collect::<Vec<String>>()
    };
    // Just after a run there is none under way for most of a second.
    let before = runs();
    eventually("another run is counted", || runs() != before).await;
    daemon.signal("TERM");
    let ended = daemon.end();
    code(&ended, 0);
    assert_eq!(ended.stdout, "");
    assert_eq!(school.program(&["status", "--check"]).code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_daemon_that_is_stopped_in_mid_run_says_so() {
    let mut school = small().await;
    school.setting("SCHEDULE__CRON", "* * * * * *");
    school.set("exam.latency_ms", "400");
    let daemon = school.start(&[]);
    eventually("a write is under way", || school.calls("exam").iter().any(|call| call == "addStudents"))
        .await;
    daemon.signal("TERM");
    code(&daemon.end(), 143);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_daemon_that_cannot_work_says_so_at_once() {
    let mut school = small().await;
    school.setting("CLASSIN__SECRET", "");
    let ended = school.program(&[]);
    code(&ended, 78);
    assert!(ended.stderr.contains("classin.secret"), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rehearsal_in_one_process_is_in_step_the_second_time() {
    let folder = tempfile::tempdir().unwrap();
    let config =
        include_str!("../../config/demo.toml").replace("../target/demo", folder.path().to_str().unwrap());
    let path = folder.path().join("demo.toml");
    std::fs::write(&path, config.replace("students = 1000", "students = 40")).unwrap();
    let run = || ended(bare(&["--config", path.to_str().unwrap(), "--sync-now", "--output", "json"]));
    let first = run();
    code(&first, 0);
    assert_eq!(first.json()["outcome"], "applied");
    let second = run();
    code(&second, 0);
    assert_eq!(second.json()["outcome"], "converged");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rehearsal_in_two_processes_takes_the_ids_that_the_sandbox_gave_the_roster() {
    let folder = tempfile::tempdir().unwrap();
    let roster = folder.path().join("roster.db");
    RosterWriter::open_or_create(&roster).await.unwrap().close().await;
    import(&roster, folder.path());
    let arguments = ["sandbox", "--listen", "127.0.0.1:0", "--login-field", "1", "--provision"];
    let mut command = bare(&arguments);
    command.arg(&roster).args(["--log-format", "json", "--set", "exam.qps_limit=0"]).current_dir(&folder);
    let mut sandbox = Running::new(command);
    let address = address(&sandbox.hear("serving both services on"));
    let config = format!(
        "[roster]\ndatabase = \"roster.db\"\n[state]\ndatabase = \"state.db\"\n[sync]\nmode = \"sync\"\n\
         [exam]\nbase_url = \"{address}\"\nlogin_field = \"1\"\nrequests_per_second = 0\n[exam.fields]\nname = 1\n\
         [classin]\nenabled = true\nsid = \"2339736\"\nbase_url = \"{address}\"\n[http]\nlisten = \"\"\n"
    );
    let path = folder.path().join("config.toml");
    std::fs::write(&path, config).unwrap();
    let mut command = bare(&["--sync-now", "--output", "json", "--config", path.to_str().unwrap()]);
    command.envs([("ROSTERD__EXAM__CODE", "xxx"), ("ROSTERD__CLASSIN__SECRET", "topsecret")]);
    let report = ended(command);
    code(&report, 0);
    let report = report.json();
    assert_eq!(
        (&report["exam"]["applied"]["add"], &report["classin"]["applied"]["enrol"]),
        (&2.into(), &2.into())
    );
    sandbox.signal("INT");
    let ended = sandbox.end();
    code(&ended, 0);
    jsonl(&ended.stderr);
}

/// Fills a roster from CSV files by the program.
fn import(roster: &Path, folder: &Path) {
    let files = [
        ("students.csv", "student_id,name\na,Ann\nb,Bob\n"),
        ("groups.csv", "group_code,title\ng1,All\n"),
        ("group_members.csv", "student_id,group_code\na,g1\nb,g1\n"),
        ("classes.csv", "class_code,title\nc1,Class\n"),
        ("class_members.csv", "student_id,class_code\na,c1\nb,c1\n"),
    ];
    let mut command = bare(&["import", "csv", "--output", "json", "--database"]);
    command.arg(roster);
    for (name, text) in files {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        command.arg(path);
    }
    let done = ended(command);
    code(&done, 0);
    done.json();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_with_a_bad_row_changes_nothing_and_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let roster = folder.path().join("roster.db");
    RosterWriter::open_or_create(&roster).await.unwrap().close().await;
    let file = folder.path().join("students.csv");
    std::fs::write(&file, "student_id,name\na,Ann\n,Nobody\n").unwrap();
    let arguments =
        ["import", "csv", "--output", "json", "--database", roster.to_str().unwrap(), file.to_str().unwrap()];
    let bad = ended(bare(&arguments));
    code(&bad, 1);
    assert!(bad.json().to_string().contains("students.csv"), "{}", bad.stdout);
    let missing = folder.path().join("no.csv");
    let arguments = ["import", "csv", "--database", roster.to_str().unwrap(), missing.to_str().unwrap()];
    let bad = ended(bare(&arguments));
    assert!(bad.code != 0 && bad.stderr.contains("no.csv"), "{bad:?}");
    let bad = ended(bare(&[
        "import",
        "clever",
        folder.path().to_str().unwrap(),
        "--database",
        roster.to_str().unwrap(),
    ]));
    assert!(bad.code != 0, "{bad:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn observe_shows_in_a_plan_what_it_would_do() {
    let mut school = small().await;
    school.setting("SYNC__MODE", "observe");
    let plan = school.program(&["plan"]);
    code(&plan, 0);
    assert_eq!(plan.stdout.lines().filter(|line| line.starts_with("+ s00")).count(), 6, "{}", plan.stdout);
    assert!(plan.stdout.contains("observe"), "{}", plan.stdout);
    code(&school.program(&["--sync-now"]), 0);
    assert_eq!(school.sandbox.candidate_count(), 0);
}
