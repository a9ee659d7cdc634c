//! The command: pulling, listing, exporting, the lock, the daemon's own schedule. Never a name.

use crate::program::Programs as _;
use rosterd::RunLock;
use rosterd_sandbox::ResultView;

use super::bench::*;
use rosterd_testkit::{School, eventually};

/// Two students in step, one with two attempts at one exam and one at another, one with an attempt in progress.
async fn school() -> School {
    let mut school = School::with_credentials("xxx", "topsecret").await;
    school.setting("CLASSIN__ENABLED", "false");
    for id in ["s1", "s2"] {
        school.student(id).await;
    }
    school.group_of_all().await;
    school.run_as(rosterd::Exit::Done).await;
    let sid = |login: &str| school.sandbox.candidate(login).unwrap().sid;
    let (one, two) = (sid("login-s1"), sid("login-s2"));
    let result = |eid, sid, start, score, status| ResultView {
        eid,
        sid,
        start,
        end: if status == 0 { 0 } else { start + 60 },
        score,
        passed: i64::from(score >= 60),
        status,
    };
    school.sandbox.insert_results([
        result(7, one, 1_793_491_200, 55, 1),
        result(7, one, 1_793_577_600, 80, 3),
        result(8, one, 1_793_664_000, 61, 2),
        result(8, two, 1_793_664_060, 0, 0),
    ]);
    school
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pull_says_what_it_brought_as_text_and_as_json() {
    let school = school().await;
    let ended = school.program(&["results"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stdout.contains("4 new, 0 changed"), "{}", ended.stdout);
    assert!(ended.stdout.contains("4 of students"), "{}", ended.stdout);
    let again = school.program(&["results", "--output", "json"]).json();
    assert_eq!(
        (&again["outcome"], &again["stored"], &again["exit_code"]),
        (&"converged".into(), &4.into(), &0.into())
    );
    assert_eq!(school.program(&["results", "--full", "--output", "json"]).json()["full"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn results_are_listed_by_exam_student_and_time_newest_first() {
    let school = school().await;
    school.program(&["results"]);
    let all = school.program(&["results", "list"]);
    assert_eq!(all.code, 0);
    let lines: Vec<&str> = all.stdout.lines().collect();
    assert_eq!(lines.len(), 5, "{}", all.stdout);
    assert!(lines[0].contains("exam 8  student s2") && lines[0].contains("in-progress"), "{}", lines[0]);
    assert!(lines[2].starts_with("2026-11-02T00:00:00Z"), "{}", lines[2]);
    assert!(lines[2].contains("score 80, passed, forced"), "{}", lines[2]);
    let count = |arguments: &[&str]| {
        let all = [&["results", "list", "--output", "json"], arguments].concat();
        school.program(&all).json().as_array().unwrap().len()
    };
    for (arguments, expected) in [
        (&["--exam", "7"][..], 2),
        (&["--student", "s1"], 3),
        (&["--student", "nobody"], 0),
        (&["--exam", "8", "--student", "s1"], 1),
        (&["--since", "2026-11-02"], 3),
        (&["--until", "2026-11-02"], 2),
        (&["--since", "2026-11-02", "--until", "2026-11-02"], 1),
        (&["--since", "2026-11-03T00:00:01Z"], 1),
        (&["--limit", "2"], 2),
    ] {
        assert_eq!(count(arguments), expected, "{arguments:?}");
    }
    let some = school.program(&["results", "list", "--limit", "1"]).stdout;
    assert!(some.contains("1 of 4 results"), "{some}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_is_a_table_or_one_array_and_shows_login_values_only_on_demand() {
    let school = school().await;
    let empty = school.program(&["results", "export", "json"]);
    assert_eq!(empty.json(), serde_json::json!([]));
    school.program(&["results"]);
    let text = school.program(&["results", "export", "csv", "--exam", "7"]).stdout;
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = "exam_id,student_id,candidate,sid,started_at,ended_at,status,score,passed,tid";
    assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>().join(","), header);
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 2);
    let cells: Vec<&str> = rows[0].iter().collect();
    assert_eq!((cells[1], cells[2], cells[4], cells[7]), ("s1", "managed", "2026-11-02T00:00:00Z", "80"));
    let json = school.program(&["results", "export", "json"]).json();
    assert_eq!(json.as_array().unwrap().len(), 4);
    assert!(json[0]["ended_at"].is_null() && json[0].get("login_value").is_none(), "{json}");
    let revealed = school.program(&["results", "export", "csv", "--reveal"]).stdout;
    assert!(revealed.lines().next().unwrap().ends_with(",login_value") && revealed.contains("login-s1"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_holds_nothing_that_a_spreadsheet_would_compute() {
    let school = school().await;
    school.program(&["results"]);
    let relinked = school.program(&["relink", "s1", "=2+3", "--force"]);
    assert_eq!(relinked.code, 0, "{relinked:?}");
    let text = school.program(&["results", "export", "csv"]).stdout;
    assert!(text.contains(",'=2+3,") && !text.contains(",=2+3"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_name_no_link_and_no_token_is_stored_logged_or_shown() {
    let school = school_with(250).await;
    school.set("html_200", "queryresults@2");
    let mut said = String::new();
    for arguments in
        [&["results"][..], &["results", "--full"], &["results", "list"], &["results", "export", "json"]]
    {
        let ended = school.program(&[arguments, &["--log-level", "trace"]].concat());
        assert_eq!(ended.code, 0, "{ended:?}");
        said.push_str(&ended.stdout);
        said.push_str(&ended.stderr);
    }
    for file in ["state.db", "state.db-wal"] {
        said.push_str(&String::from_utf8_lossy(&std::fs::read(school.path(file)).unwrap_or_default()));
    }
    for hidden in ["Quartermain", "transgetresult", "token=", "code=xxx"] {
        assert!(!said.contains(hidden), "{hidden} is there");
    }
    assert!(!school.program(&["results", "list"]).stdout.contains("login"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pull_and_a_run_exclude_each_other() {
    let school = school().await;
    let lock = RunLock::take(&school.path("state.db")).unwrap();
    assert_eq!(school.program(&["results"]).code, 75);
    assert_eq!(school.program(&["results", "list"]).code, 0, "looking needs no lock");
    drop(lock);
    assert_eq!(school.program(&["results"]).code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_daemon_pulls_on_the_results_own_schedule_and_that_is_no_run() {
    let mut school = school().await;
    school.setting("RESULTS__CRON", "* * * * * *");
    school.setting("HTTP__LISTEN", "127.0.0.1:0");
    school.setting("SCHEDULE__CRON", "0 0 0 1 1 *");
    let runs = school.number("SELECT count(*) FROM runs").await;
    school.sandbox.clear_journal();
    let mut daemon = school.start(&[]);
    let line = daemon.hear("health and metrics on");
    let address = line.split("http://").nth(1).unwrap().trim().to_owned();
    eventually("results are pulled", || pages_asked(&school) >= 3).await;
    let metrics = reqwest::get(format!("http://{address}/metrics")).await.unwrap().text().await.unwrap();
    assert!(
        metrics.contains("rosterd_items_total{target=\"exam\",op=\"result\",outcome=\"applied\"} 4"),
        "{metrics}"
    );
    assert!(metrics.contains("rosterd_results_pulls_total{result="), "{metrics}");
    assert!(!metrics.contains("rosterd_results_last_success_timestamp_seconds 0"), "{metrics}");
    assert_eq!(mirror(&school).await.len(), 4);
    daemon.signal("TERM");
    let ended = daemon.end();
    assert!(ended.code == 0 || ended.code == 143, "{ended:?}");
    assert_eq!(school.number("SELECT count(*) FROM runs").await, runs, "a pull is no run of the roster");
    assert!(school.sandbox.journal().iter().all(|entry| entry.endpoint == "queryresults"), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn results_are_pulled_in_every_mode_and_without_a_roster() {
    let mut school = school_with(5).await;
    school.setting("SYNC__MODE", "observe");
    school.setting("ROSTER__DATABASE", "nowhere.db");
    assert_eq!(school.program(&["results"]).code, 0);
    assert_same(&school, &mirror(&school).await);
}
