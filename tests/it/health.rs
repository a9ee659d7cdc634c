//! What the program says of its own health: by runs that were due and came, the same in every place.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::program::Programs as _;
use rosterd::{Exit, RunReport};
use rosterd_core::roster::Limit;
use rosterd_testkit::*;

/// Three students in one group, and a daemon that is not due for months.
async fn school() -> School {
    let school = School::builder()
        .setting("CLASSIN__ENABLED", "false")
        .setting("SCHEDULE__CRON", "0 0 0 29 2 *")
        .setting("HTTP__LISTEN", "127.0.0.1:0")
        .build()
        .await;
    for id in ["s000", "s001", "s002"] {
        let _uid = school.student(id).await;
    }
    let _gid = school.group_of_all().await;
    school
}

/// What the address at the end of the daemon's line answers to a GET: status and body.
pub(crate) fn get(line: &str, path: &str) -> (u16, String) {
    let from = line.find("http://").unwrap() + "http://".len();
    let host = line[from..].split(|c: char| c.is_whitespace() || c == '"').next().unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

fn first_line(school: &School) -> String {
    school.program(&["status"]).stdout.lines().next().unwrap().to_owned()
}

/// Whether the newest run of this world counts as good.
async fn is_good(world: &ExamSchool, report: &RunReport) -> bool {
    let newest = world.state.newest_run().await.unwrap().unwrap();
    assert_eq!(newest.run.0, report.run_id);
    assert_eq!(newest.is_good, report.is_good);
    let last_ms = world.state.last_good_run_ms(i64::MAX).await.unwrap();
    assert_eq!(last_ms == newest.finished_at_ms, newest.is_good);
    newest.is_good
}

#[tokio::test]
async fn a_run_is_good_when_it_read_both_sides_and_no_service_was_stopped_whatever_it_left() {
    let table = [
        ("nothing was to be done", 0, true),
        ("an item failed", 3, true),
        ("a student is withheld", 3, true),
        ("deletes are held", 4, true),
        ("the listing is doubtful", 3, false),
        ("the service fails call after call", 75, false),
        ("the credentials are refused", 77, false),
        ("the roster has too few", 1, false),
    ];
    for (name, exit, good) in table {
        let mut world = ExamSchool::in_step(students(9)).await;
        match name {
            "an item failed" => {
                world.put(student("new")).await;
                world.set("refuse_item", "addStudents@*:0");
            }
            "a student is withheld" => world.put(student("new").in_groups([])).await,
            "deletes are held" => {
                world.settings.guard.max_delete = Limit::Count(0);
                world.remove("s001").await;
            }
            "the listing is doubtful" => world.set("total_drifts", "getstulist@*:5"),
            "the service fails call after call" => {
                world.put(student("new")).await;
                world.set("exam.http_5xx", "*@*:503");
            }
            "the credentials are refused" => {
                world.settings.exam.code = Some("wrong".to_owned().into());
            }
            "the roster has too few" => world.settings.guard.min_roster = 100,
            _ => {}
        }
        world.leaves_work_behind();
        let report = world.run().await;
        assert_eq!(report.exit_code, exit, "{name}: {report:#?}");
        assert_eq!(is_good(&world, &report).await, good, "{name}: {report:#?}");
    }
}

#[tokio::test]
async fn a_lost_answer_of_classin_stands_among_the_failures_and_makes_no_run_bad() {
    for fault in ["lose_answer", "drop_request", "cut_body"] {
        let school = School::builder()
            .setting("EXAM__ENABLED", "false")
            .setting("CLASSIN__MAX_IN_FLIGHT", "1")
            .build()
            .await;
        let _ids = school.class("c1").await;
        let _ids = school.class("c2").await;
        let _uids = school.fill("c1", 2).await;
        school.run_as(Exit::Done).await;
        for (student, class) in [("new", "c1"), ("other", "c2")] {
            let _uid = school.student(student).await;
            school.join(student, class).await;
        }
        school.set(fault, "addClassStudentMultiple@1x3");
        let report = school.run_to(Exit::Incomplete).await;
        assert!(report.is_good && report.errors.is_empty(), "{fault}: {report:#?}");
        assert_eq!(school.failures().await.len(), 1, "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn status_is_red_after_a_run_that_was_refused_and_says_why_and_green_after_the_next_good_one() {
    let mut school = school().await;
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    school.setting("EXAM__CODE", "wrong");
    assert_eq!(school.program(&["--sync-now"]).code, 77);
    assert_eq!(school.program(&["status", "--check"]).code, 1);
    let line = first_line(&school);
    assert!(line.starts_with("NOT HEALTHY: the last run ended less than a minute ago"), "{line}");
    assert!(line.contains("(failed): exam: ") && line.contains("; the last good run was"), "{line}");
    school.usual("EXAM__CODE");
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    assert_eq!(school.program(&["status", "--check"]).code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_that_is_in_use_stops_no_runs_and_is_had_as_soon_as_it_is_free() {
    let mut school = school().await;
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    school.setting("HTTP__LISTEN", &other.local_addr().unwrap().to_string());
    let mut daemon = school.start(&[]);
    let line = daemon.hear("cannot be listened on");
    assert!(line.contains("another address as http.listen") && line.contains("tried again"), "{line}");
    daemon.signal("USR1");
    eventually("a run", || school.sandbox.candidate_count() == 3).await;
    let _line = daemon.hear("run finished");
    let status = school.program(&["status", "--output", "json"]).json();
    let unserved = &status["attention"]["page-not-served"];
    assert_eq!((&unserved["count"], &unserved["owner"]), (&1.into(), &"it".into()), "{status:#}");
    assert!(unserved["what"].as_str().unwrap().contains("http.listen"), "{status:#}");
    drop(other);
    let line = daemon.hear("health and metrics on");
    assert_eq!(get(&line, "/healthz").0, 200);
    let status = school.program(&["status", "--output", "json"]).json();
    assert!(status["attention"].get("page-not-served").is_none(), "{status:#}");
    daemon.signal("TERM");
    assert_eq!(daemon.end().code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_is_no_run_and_makes_nothing_healthy() {
    let mut school = school().await;
    for plan in [&["plan"][..], &["--sync-now", "--dry-run"]] {
        assert_eq!(school.program(plan).code, 0);
        assert!(first_line(&school).starts_with("NOT HEALTHY: there has been no good run yet"), "{plan:?}");
    }
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    school.setting("SCHEDULE__CRON", "0 0 * * * *");
    school.write("UPDATE runs SET finished_at_ms = finished_at_ms - 7200000").await;
    for plan in [&["plan"][..], &["--sync-now", "--dry-run"]] {
        assert_eq!(school.program(plan).code, 0);
        assert_eq!(school.program(&["status", "--check"]).code, 1, "a run was due, and {plan:?} came");
    }
    school.setting("EXAM__CODE", "wrong");
    assert_eq!(school.program(&["--sync-now"]).code, 77);
    school.usual("EXAM__CODE");
    school.setting("SCHEDULE__CRON", "0 0 0 29 2 *");
    assert_eq!(school.program(&["plan"]).code, 0);
    let line = first_line(&school);
    assert!(line.starts_with("NOT HEALTHY: the last run ended"), "a run failed, and a plan did not: {line}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn status_asks_whether_runs_that_were_due_came_and_never_how_long_ago() {
    let mut school = school().await;
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    school.write("UPDATE runs SET finished_at_ms = finished_at_ms - 3000000000").await;
    assert_eq!(school.program(&["status", "--check"]).code, 0, "34 days, and no run was due");
    school.setting("SCHEDULE__CRON", "0 0 * * * *");
    let status = school.program(&["status", "--check"]);
    assert_eq!(status.code, 1);
    assert!(status.stdout.starts_with("NOT HEALTHY: a run was due at "), "{}", status.stdout);
    school.setting("SCHEDULE__BLACKOUT", "[{ from = \"2020-01-01\", to = \"2999-01-01\" }]");
    assert_eq!(school.program(&["status", "--check"]).code, 0, "a blackout");
    school.usual("SCHEDULE__BLACKOUT");
    school.write("UPDATE runs SET finished_at_ms = finished_at_ms + 9000000000").await;
    let status = school.program(&["status", "--check"]);
    assert_eq!(status.code, 1, "a run of a clock that was ahead is none");
    assert!(status.stdout.starts_with("NOT HEALTHY: there has been no good run yet"), "{}", status.stdout);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_was_killed_is_not_under_way_and_excuses_no_run_that_was_due() {
    let mut school = school().await;
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    school.setting("SCHEDULE__CRON", "0 0 * * * *");
    school.write("UPDATE runs SET finished_at_ms = finished_at_ms - 7200000").await;
    // What a kill in mid-run leaves: a run that began and has no end.
    let began = "SELECT 'schedule', 'sync', finished_at_ms + 3600000 FROM runs";
    school.write(&format!("INSERT INTO runs (trigger, mode, started_at_ms) {began}")).await;
    let held = rosterd::RunLock::take(&school.path("state.db")).unwrap();
    let status = school.program(&["status", "--check"]);
    assert!(
        status.code == 0 && status.stdout.starts_with("healthy: a run is under way"),
        "{}",
        status.stdout
    );
    drop(held);
    let status = school.program(&["status", "--check"]);
    assert_eq!(status.code, 1, "{}", status.stdout);
    assert!(status.stdout.starts_with("NOT HEALTHY: a run was due at "), "{}", status.stdout);
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    assert_eq!(school.program(&["status", "--check"]).code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_stays_red_while_a_run_is_under_way_and_after_one_that_was_killed_or_told_to_stop() {
    let school = school().await;
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    school.set("http_5xx", "getstulist@*");
    for _ in 0..2 {
        assert_eq!(school.program(&["--sync-now"]).code, 75);
    }
    let is_red = |why: &str| {
        let status = school.program(&["status", "--check"]);
        assert_eq!(status.code, 1, "{why}: {}", status.stdout);
        assert!(status.stdout.starts_with("NOT HEALTHY: the last run ended "), "{why}: {}", status.stdout);
        let json = school.program(&["status", "--output", "json"]).json();
        assert_eq!(json["healthy"], false, "{why}: {json:#}");
    };
    is_red("after two runs that failed");
    // The third has begun.
    let began = "SELECT 'schedule', 'sync', max(finished_at_ms) + 1 FROM runs";
    school.write(&format!("INSERT INTO runs (trigger, mode, started_at_ms) {began}")).await;
    let held = rosterd::RunLock::take(&school.path("state.db")).unwrap();
    is_red("while the third is under way");
    drop(held);
    is_red("once it was killed");
    let daemon_says = |line: &str| get(line, "/metrics").1.contains("rosterd_healthy 0");
    let mut daemon = school.start(&[]);
    let line = daemon.hear("health and metrics on");
    let _line = daemon.hear("next_run");
    assert!(daemon_says(&line), "after a restart");
    daemon.signal("TERM");
    assert_eq!(daemon.end().code, 0);
    school.write("UPDATE runs SET outcome = 'interrupted', exit_code = 143, finished_at_ms = started_at_ms WHERE outcome IS NULL").await;
    is_red("once it was told to stop");
    school.sandbox.clear_faults();
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    assert_eq!(school.program(&["status", "--check"]).code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attention_has_an_exit_code_for_those_who_ask_for_it() {
    let school = school().await;
    assert_eq!(school.program(&["status", "--check", "--attention"]).code, 1);
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    assert_eq!(school.program(&["status", "--check", "--attention"]).code, 0);
    let _uid = school.student("nogroup").await;
    assert_eq!(school.program(&["--sync-now"]).code, 3);
    assert_eq!(school.program(&["status", "--check"]).code, 0);
    assert_eq!(school.program(&["status", "--check", "--attention"]).code, 3);
    assert_eq!(school.program(&["status", "--attention"]).code, 64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_can_be_listed_for_those_who_can_do_something_about_them() {
    let school = school().await;
    let _uid = school.student("nogroup").await;
    assert_eq!(school.program(&["--sync-now"]).code, 3);
    let listed = |who: &str| school.program(&["failures", "--for", who, "--output", "json"]).json();
    assert_eq!(listed("office").as_array().map(Vec::len), Some(1), "{:#}", listed("office"));
    assert_eq!(listed("office")[0]["student_id"], "nogroup");
    assert_eq!(listed("it").as_array().map(Vec::len), Some(0), "{:#}", listed("it"));
    assert_eq!(school.program(&["failures", "--for", "it"]).stdout.trim_end(), "Nothing waits for IT.");
    assert_eq!(school.program(&["failures", "--for", "somebody"]).code, 64);
    assert_eq!(school.program(&["failures", "--for", "office", "retry", "--all"]).code, 64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_limit_holds_is_attention_with_count_age_owner_and_command_until_it_is_approved() {
    for (setting, value, reason) in
        [("GUARD__MAX_DELETE", "0", "missing"), ("GUARD__MAX_MODIFY", "0", "max-modify")]
    {
        let mut school = school().await;
        assert_eq!(school.program(&["--sync-now"]).code, 0);
        school.setting(setting, value);
        match reason {
            "max-modify" => school.sql("UPDATE students SET name = 'Other' WHERE student_id = 's000'").await,
            _ => school.drop_student("s000").await,
        }
        assert_eq!(school.program(&["--sync-now"]).code, 4, "{reason}");
        let line = first_line(&school);
        assert!(line.contains("attention: 1 for IT, the oldest for less than a minute"), "{line}");
        assert_eq!(school.program(&["status", "--check"]).code, 0, "{reason}");
        assert_eq!(school.program(&["status", "--check", "--attention"]).code, 3, "{reason}");
        let status = school.program(&["status", "--output", "json"]).json();
        let held = &status["attention"]["held"];
        assert_eq!((&held["count"], &held["owner"]), (&1.into(), &"it".into()), "{status:#}");
        assert!(held["since"].is_string(), "{status:#}");
        let digest = status["holds"][0]["digest"].as_str().unwrap();
        let what = held["what"].as_str().unwrap();
        assert!(what.starts_with("1 operation is held by a limit"), "{what}");
        assert!(what.contains(reason) && what.contains(&format!("approve {digest}")), "{what}");
        assert_eq!(school.program(&["approve", digest]).code, 0, "{reason}");
        let _code = school.program(&["--sync-now"]);
        let status = school.program(&["status", "--output", "json"]).json();
        assert!(status["attention"].get("held").is_none(), "{status:#}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leavers_who_wait_for_their_grace_are_attention_until_they_are_back_or_dismissed() {
    let mut school = school().await;
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    school.setting("EXAM__DELETE_GRACE", "72h");
    school.sql("UPDATE students SET active = 0 WHERE student_id = 's000'").await;
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    let status = school.program(&["status", "--output", "json"]).json();
    let waiting = &status["attention"]["waiting-leavers"];
    assert_eq!((&waiting["count"], &waiting["owner"]), (&1.into(), &"office".into()), "{status:#}");
    assert!(waiting["since"].is_string(), "{status:#}");
    assert!(waiting["what"].as_str().unwrap().starts_with("1 leaver waits"), "{status:#}");
    assert_eq!(school.program(&["status", "--check", "--attention"]).code, 3);
    school.sql("UPDATE students SET active = 1 WHERE student_id = 's000'").await;
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    assert_eq!(school.program(&["status", "--check", "--attention"]).code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_daemon_knows_right_after_its_start_what_the_state_knows_and_says_the_same_as_status() {
    let mut school = school().await;
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    school.setting("GUARD__MAX_DELETE", "0");
    school.drop_student("s000").await;
    let _uid = school.student("nogroup").await;
    assert_eq!(school.program(&["--sync-now"]).code, 4);
    let mut daemon = school.start(&[]);
    let line = daemon.hear("health and metrics on");
    let metrics = get(&line, "/metrics").1;
    for expected in [
        "rosterd_attention_items{kind=\"held\",who=\"it\"} 1",
        "rosterd_held_items 1",
        "rosterd_healthy 1",
        "rosterd_failed_items{target=\"exam\"} 1",
        "rosterd_attention_items{kind=\"withheld\",who=\"office\"} 1",
    ] {
        assert!(metrics.lines().any(|line| line == expected), "{expected} is missing in\n{metrics}");
    }
    assert!(!metrics.contains("rosterd_last_success_timestamp_seconds 0"), "{metrics}");
    let status = first_line(&school);
    let page = get(&line, "/").1;
    assert!(page.contains(&format!(">{status}<")), "{status}\n{page}");
    let json: serde_json::Value = serde_json::from_str(&get(&line, "/api/v1/status").1).unwrap();
    assert_eq!((&json["healthy"], &json["held"]), (&true.into(), &1.into()), "{json:#}");
    let approve = school.program(&["status", "--output", "json"]).json()["holds"][0]["approve"].clone();
    let approve = approve.as_str().unwrap();
    assert!(approve.contains(" --config "), "{approve}");
    assert!(json["attention"]["held"]["what"].as_str().unwrap().contains(approve), "{json:#}");
    assert!(page.contains(approve), "{approve}\n{page}");
    assert_eq!(get(&line, "/readyz").0, 200);
    daemon.signal("TERM");
    assert_eq!(daemon.end().code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_start_of_a_daemon_makes_up_what_was_due_since_the_last_run_by_command() {
    let mut school = school().await;
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    school.setting("SCHEDULE__CRON", "0 0 0 * * *");
    school.write("UPDATE runs SET finished_at_ms = finished_at_ms - 400000000").await;
    assert_eq!(school.program(&["status", "--check"]).code, 1, "days ago");
    let mut daemon = school.start(&["--log-level", "info"]);
    let _line = daemon.hear("run finished");
    daemon.signal("TERM");
    assert_eq!(daemon.end().code, 0);
    assert_eq!(school.program(&["status", "--check"]).code, 0);
    let runs = school.program(&["runs", "--output", "json"]).json();
    assert_eq!(runs[0]["trigger"], "missed", "{runs:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_roster_that_is_not_there_stops_no_daemon_and_is_the_next_runs_business() {
    let school = school().await;
    let (here, away) = (school.path("roster.db"), school.path("away.db"));
    std::fs::rename(&here, &away).unwrap();
    assert_eq!(school.program(&["check", "--config-only"]).code, 0);
    assert_eq!(school.program(&["--sync-now"]).code, 78, "nobody has ever read it");
    let mut daemon = school.start(&[]);
    let line = daemon.hear("health and metrics on");
    let (status, body) = get(&line, "/readyz");
    assert!(status == 503 && body.contains("there is no such file"), "{status} {body}");
    std::fs::rename(&away, &here).unwrap();
    daemon.signal("USR1");
    eventually("a run has come", || get(&line, "/readyz").0 == 200).await;
    daemon.signal("TERM");
    assert_eq!(daemon.end().code, 0);
    std::fs::rename(&here, &away).unwrap();
    let ended = school.program(&["--sync-now"]);
    assert_eq!(ended.code, 75, "a run has read it: {ended:?}");
    let runs = school.program(&["runs", "--output", "json"]).json();
    assert_eq!((&runs[0]["outcome"], &runs[0]["exit_code"]), (&"failed".into(), &75.into()), "{runs:#}");
    let line = first_line(&school);
    assert!(line.starts_with("NOT HEALTHY") && line.contains("there is no such file"), "{line}");
    std::fs::rename(&away, &here).unwrap();
    assert_eq!(school.program(&["--sync-now"]).code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_roster_that_is_there_and_cannot_be_read_is_not_ready_until_a_run_has_read_it() {
    let mut school = school().await;
    let roster = school.path("roster.db");
    let whole = std::fs::read(&roster).unwrap();
    let mut damaged = whole.clone();
    for byte in damaged.iter_mut().skip(2 * 4096) {
        *byte = 0;
    }
    let mut daemon = school.start(&[]);
    let line = daemon.hear("health and metrics on");
    let _line = daemon.hear("next_run");
    daemon.signal("USR1");
    eventually("a run has come", || get(&line, "/").1.contains("applied")).await;
    assert_eq!(get(&line, "/readyz").0, 200);
    let replace = |bytes: &[u8]| {
        std::fs::write(school.path("new.db"), bytes).unwrap();
        std::fs::rename(school.path("new.db"), &roster).unwrap();
    };
    replace(&damaged);
    daemon.signal("USR1");
    eventually("a run has met it", || get(&line, "/readyz").0 == 503).await;
    let body = get(&line, "/readyz").1;
    assert!(body.contains("roster.database"), "{body}");
    replace(&whole);
    daemon.signal("USR1");
    eventually("a run has read it", || get(&line, "/readyz").0 == 200).await;
    daemon.signal("TERM");
    assert_eq!(daemon.end().code, 0);
    school.setting("GUARD__MIN_ROSTER", "100");
    let mut daemon = school.start(&[]);
    let line = daemon.hear("health and metrics on");
    let _line = daemon.hear("next_run");
    daemon.signal("USR1");
    eventually("too few students", || get(&line, "/readyz").0 == 503).await;
    assert!(get(&line, "/readyz").1.contains("min_roster"));
    daemon.signal("TERM");
    daemon.end();
}

/// Five years.
const YEARS: i64 = 5 * 365 * DAY;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_run_by_a_clock_that_was_years_ahead_nothing_is_healthy_or_late_for_years() {
    let mut school = school().await;
    school.setting("SCHEDULE__CRON", "0 0 * * * *");
    for (row, sql) in [
        (
            "the only run was ahead",
            "UPDATE runs SET started_at_ms = started_at_ms + {}, finished_at_ms = finished_at_ms + {}",
        ),
        (
            "so was the moment of the next one",
            "INSERT OR REPLACE INTO facts (name, value) SELECT 'schedule.next_due_at_ms', \
             CAST(CAST(max(finished_at_ms) AS TEXT) AS BLOB) FROM runs",
        ),
    ] {
        assert_eq!(school.program(&["--sync-now"]).code, 0, "{row}");
        school.write(&sql.replace("{}", &YEARS.to_string())).await;
        assert_eq!(
            school.program(&["status", "--check"]).code,
            i32::from(row.starts_with("the only")),
            "{row}"
        );
        let status = school.program(&["status", "--output", "json"]).json();
        let next = status["next_run_at"].as_str().unwrap_or_default().to_owned();
        let this_year = rosterd::Clock::system().now().to_string();
        assert!(next.is_empty() || next[..3] == this_year[..3], "{row}: {status:#}");
        let mut daemon = school.start(&[]);
        let line = daemon.hear("health and metrics on");
        let _line = daemon.hear("next_run");
        daemon.signal("USR1");
        eventually("a run has come", || get(&line, "/metrics").1.contains("rosterd_runs_total")).await;
        assert!(get(&line, "/metrics").1.contains("rosterd_healthy 1"), "{row}");
        let page = get(&line, "/").1;
        assert!(page.contains("healthy: the last good run was less than a minute ago"), "{row}: {page}");
        daemon.signal("TERM");
        assert_eq!(daemon.end().code, 0);
        // Hours later the run that did not come is told.
        school.write("UPDATE runs SET finished_at_ms = finished_at_ms - 7200000").await;
        let late = first_line(&school);
        assert!(late.starts_with("NOT HEALTHY") && late.contains("has not come"), "{row}: {late}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failed_runs_of_a_clock_that_was_ahead_are_not_counted_for_years() {
    let school = school().await;
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    school.set("exam.http_5xx", "*@*:503");
    let _uid = school.student("new").await;
    assert_eq!(school.program(&["--sync-now"]).code, 75);
    school
        .write(&format!("UPDATE runs SET finished_at_ms = finished_at_ms + {YEARS} WHERE is_good = 0"))
        .await;
    school.sandbox.clear_faults();
    assert!(school.program(&["--sync-now"]).code < 4);
    school.set("exam.http_5xx", "*@*:503");
    assert_eq!(school.program(&["--sync-now"]).code, 75);
    let line = first_line(&school);
    assert!(line.starts_with("NOT HEALTHY") && !line.contains("as were all"), "{line}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_run_that_was_cut_off_status_names_no_next_run_in_the_past() {
    let mut school = school().await;
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    school.setting("SCHEDULE__CRON", "* * * * * *");
    school.set("exam.latency_ms", "3000");
    let daemon = school.start(&[]);
    let before = school.calls("exam").len();
    eventually("a run is under way", || school.calls("exam").len() > before).await;
    daemon.signal("TERM");
    let _ended = daemon.end();
    school.set("exam.latency_ms", "0");
    school.setting("SCHEDULE__CRON", "0 0 0 29 2 *");
    let shown = school.program(&["status"]).stdout;
    assert!(!shown.contains("next run is due at"), "{shown}");
    let says = "was not finished: the daemon makes up for it when it starts.";
    assert!(shown.contains("No daemon is running; a run was due at ") && shown.contains(says), "{shown}");
    let status = school.program(&["status", "--output", "json"]).json();
    assert!(status["next_run_at"].is_null() && status["owed_run_at"].is_string(), "{status:#}");
    school.setting("SCHEDULE__MISSED", "skip");
    assert!(school.program(&["status"]).stdout.contains("schedule.missed = \"skip\" leaves it out"));
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    let shown = school.program(&["status"]).stdout;
    assert!(!shown.contains("No daemon is running"), "made up for by command: {shown}");
}
