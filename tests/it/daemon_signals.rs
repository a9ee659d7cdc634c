//! The daemon of the real program and its signals: run now, read the configuration again.

use std::io::Write as _;
use std::net::TcpStream;

use crate::health::get;
use crate::program::Programs as _;
use rosterd_testkit::{School, eventually};

/// Three students in one group, a daemon whose schedule is not due for months.
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

fn configure(school: &School, from: &str, to: &str) {
    let text = std::fs::read_to_string(school.config()).unwrap();
    assert!(text.contains(from), "{text}");
    std::fs::write(school.config(), text.replace(from, to)).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigusr1_runs_now_and_sighup_reads_the_configuration_again_unless_it_is_wrong() {
    let school = school().await;
    configure(&school, "mode = \"sync\"", "mode = \"observe\"");
    let mut daemon = school.start(&[]);
    let _line = daemon.hear("next_run");
    let listed = || school.calls("exam").iter().filter(|call| *call == "getstulist").count();

    daemon.signal("USR1");
    eventually("a run that only observes", || listed() > 0).await;
    assert_eq!(school.sandbox.candidate_count(), 0);

    configure(&school, "mode = \"observe\"", "mode = \"sync\"");
    daemon.signal("HUP");
    let _line = daemon.hear("the configuration was read again");
    daemon.signal("USR1");
    eventually("a run under the new mode", || school.sandbox.candidate_count() == 3).await;

    configure(&school, "mode = \"sync\"", "mode = \"everything\"");
    daemon.signal("HUP");
    let line = daemon.hear("the new configuration is wrong; the old one stays");
    assert!(line.contains("sync.mode"), "{line}");
    let _uid = school.student("s003").await;
    school.sql("INSERT INTO group_members VALUES ('s003', 'g1')").await;
    daemon.signal("USR1");
    eventually("a run under the old mode", || school.sandbox.candidate_count() == 4).await;

    configure(&school, "mode = \"everything\"", "mode = \"sync\"");
    configure(&school, "listen = \"\"", "listen = \"127.0.0.1:0\"");
    daemon.signal("HUP");
    let line = daemon.hear("needs a restart");
    assert!(line.contains("http.listen"), "{line}");
    configure(&school, "mode = \"sync\"", "mode = \"everything\"");

    daemon.signal("TERM");
    let ended = daemon.end();
    assert!(ended.code == 0 || ended.code == 143, "{ended:?}");
    assert_eq!(school.program(&["--sync-now"]).code, 78, "a new start does not accept the wrong one");
}

/// Queries that do not fit the roster: the table, the query, and the cause that SQLite names.
const WRONG_QUERIES: [(&str, &str, &str); 4] = [
    ("students", "SELEKT * FROM students", "syntax error"),
    ("groups", "SELECT group_code, title FROM groups", "no column gid"),
    ("class_members", "SELECT * FROM attends", "no such table: attends"),
    ("group_members", "SELECT student_id, grp AS group_code FROM group_members", "no such column: grp"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_that_does_not_fit_the_roster_is_a_wrong_configuration_named_by_its_key() {
    for (table, query, cause) in WRONG_QUERIES {
        let mut school = school().await;
        school.setting(&format!("ROSTER__QUERIES__{}", table.to_uppercase()), query);
        let key = format!("roster.queries.{table}");
        for command in [&["--sync-now"][..], &["plan"], &["check", "--offline"]] {
            let ended = school.program(command);
            assert_eq!(ended.code, 78, "{command:?}: {ended:?}");
            let said = format!("{}{}", ended.flowing(), ended.stderr);
            assert!(said.contains(&key) && said.contains(cause), "{command:?}: {said}");
        }
        assert!(school.calls("exam").is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_daemon_with_a_query_that_does_not_fit_is_not_ready_and_says_why() {
    let mut school = school().await;
    school.setting("HTTP__LISTEN", "127.0.0.1:0");
    let (table, query, cause) = WRONG_QUERIES[2];
    let given = std::fs::read_to_string(school.config()).unwrap();
    std::fs::write(school.config(), format!("{given}\n[roster.queries]\n{table} = \"{query}\"\n")).unwrap();
    let mut daemon = school.start(&[]);
    let line = daemon.hear("health and metrics on");
    let _line = daemon.hear("next_run");
    let (head, body) = get(&line, "/readyz");
    assert_eq!(head, 503);
    assert!(body.contains(&format!("roster.queries.{table}")) && body.contains(cause), "{body}");
    std::fs::write(school.config(), given).unwrap();
    daemon.signal("HUP");
    let _line = daemon.hear("the configuration was read again");
    daemon.signal("USR1");
    eventually("it is ready", || get(&line, "/readyz").0 == 200).await;
    assert_eq!(school.sandbox.candidate_count(), 3);
    daemon.signal("TERM");
    let _ended = daemon.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_that_does_not_fit_is_refused_by_a_reload_and_the_old_roster_is_read_on() {
    let school = school().await;
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    let mut daemon = school.start(&[]);
    let _line = daemon.hear("next_run");
    let given = std::fs::read_to_string(school.config()).unwrap();
    for (table, query, cause) in WRONG_QUERIES {
        std::fs::write(school.config(), format!("{given}\n[roster.queries]\n{table} = \"{query}\"\n"))
            .unwrap();
        daemon.signal("HUP");
        let line = daemon.hear("the new configuration is wrong; the old one stays");
        assert!(line.contains(&format!("roster.queries.{table}")) && line.contains(cause), "{line}");
    }
    let _uid = school.student("s003").await;
    school.sql("INSERT INTO group_members VALUES ('s003', 'g1')").await;
    daemon.signal("USR1");
    eventually("a run with the old queries", || school.sandbox.candidate_count() == 4).await;
    let own =
        "SELECT student_id, name, gender, phone, email, password, classin_uid, active, login FROM students";
    std::fs::write(school.config(), format!("{given}\n[roster.queries]\nstudents = \"{own}\"\n")).unwrap();
    daemon.signal("HUP");
    let _line = daemon.hear("the configuration was read again");
    daemon.signal("TERM");
    let _ended = daemon.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_reload_is_shown_until_a_good_one_and_by_no_daemon_that_read_the_configuration_anew() {
    let mut school = school().await;
    school.setting("HTTP__LISTEN", "127.0.0.1:0");
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    let mut daemon = school.start(&[]);
    let line = daemon.hear("health and metrics on");
    let _line = daemon.hear("next_run");
    let api = || -> serde_json::Value { serde_json::from_str(&get(&line, "/api/v1/status").1).unwrap() };
    let is_shown = || !api()["attention"]["refused-reload"].is_null();
    assert!(!is_shown());
    for wrong in ["everything", "nothing"] {
        configure(&school, "mode = \"sync\"", &format!("mode = \"{wrong}\""));
        daemon.signal("HUP");
        let _line = daemon.hear("the new configuration is wrong; the old one stays");
        eventually("it is shown", || api()["attention"]["refused-reload"].to_string().contains(wrong)).await;
        configure(&school, &format!("mode = \"{wrong}\""), "mode = \"sync\"");
    }
    let refused = &api()["attention"]["refused-reload"];
    assert_eq!((&refused["count"], &refused["owner"]), (&1.into(), &"it".into()), "{refused:#}");
    let what = refused["what"].as_str().unwrap();
    assert!(what.contains("sync.mode") && what.contains("kill -HUP"), "{what}");
    assert!(get(&line, "/").1.contains("Attention, refused-reload"));
    assert!(get(&line, "/metrics").1.contains("kind=\"refused-reload\",who=\"it\"} 1"));
    let status = school.program(&["status", "--output", "json"]).json();
    assert_eq!(status["attention"]["refused-reload"]["what"], what, "{status:#}");
    assert_eq!(school.program(&["status", "--check"]).code, 0, "runs go on");
    assert_eq!(school.program(&["status", "--check", "--attention"]).code, 3);
    daemon.signal("HUP");
    eventually("it is over", || !is_shown()).await;
    assert_eq!(school.program(&["status", "--check", "--attention"]).code, 0);
    configure(&school, "mode = \"sync\"", "mode = \"everything\"");
    daemon.signal("HUP");
    eventually("it is shown again", is_shown).await;
    daemon.signal("TERM");
    assert_eq!(daemon.end().code, 0);
    configure(&school, "mode = \"everything\"", "mode = \"sync\"");
    let status = school.program(&["status", "--output", "json"]).json();
    assert!(status["attention"]["refused-reload"].is_null(), "there is no daemon any more: {status:#}");
    let mut daemon = school.start(&[]);
    let line = daemon.hear("health and metrics on");
    assert!(!get(&line, "/").1.contains("refused-reload"));
    daemon.signal("TERM");
    assert_eq!(daemon.end().code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_configuration_that_does_not_answer_keeps_no_daemon_from_runs_and_signals() {
    let school = school().await;
    let mut daemon = school.start(&[]);
    let _line = daemon.hear("next_run");
    let (config, aside) = (school.config(), school.path("aside.toml"));
    std::fs::rename(&config, &aside).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&config).status().unwrap().success());
    daemon.signal("HUP");
    let line = daemon.hear("the new configuration is wrong; the old one stays");
    assert!(line.contains("could not be read within"), "{line}");
    daemon.signal("USR1");
    eventually("a run under the old one", || school.sandbox.candidate_count() > 0).await;
    daemon.signal("TERM");
    let ended = daemon.end();
    assert!(ended.code == 0 || ended.code == 143, "{ended:?}");
    std::fs::remove_file(&config).unwrap();
    std::fs::rename(&aside, &config).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_daemon_ends_while_a_client_holds_half_a_request_open() {
    let mut school = school().await;
    school.setting("HTTP__LISTEN", "127.0.0.1:0");
    let mut daemon = school.start(&[]);
    let line = daemon.hear("health and metrics on");
    let from = line.find("http://").unwrap() + "http://".len();
    let address = line[from..].split(|c: char| c.is_whitespace() || c == '"').next().unwrap();
    let mut client = TcpStream::connect(address).unwrap();
    client.write_all(b"GET /healthz HTTP/1.1\r\nHos").unwrap();
    let _line = daemon.hear("the daemon is ready");
    daemon.signal("TERM");
    assert_eq!(daemon.end().code, 0);
    drop(client);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_a_terminal_stops_a_single_run_as_a_service_manager_does() {
    let school = school().await;
    school.set("exam.latency_ms", "1500");
    for signal in ["HUP", "TERM"] {
        let before = school.calls("exam").len();
        let run = school.start(&["--sync-now"]);
        eventually("the run has begun", || school.calls("exam").len() > before).await;
        run.signal(signal);
        let ended = run.end();
        assert_eq!(ended.code, 143, "{signal}: {ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_ends_a_daemon_at_once_and_the_next_run_goes_on() {
    for (first, second, code) in [("TERM", "TERM", 143), ("INT", "INT", 130), ("TERM", "INT", 130)] {
        let school = school().await;
        // Longer than a test waits: only a second signal ends it before its grace is over.
        school.set("delay", "addStudents:25000");
        let mut daemon = school.start(&[]);
        let _line = daemon.hear("the daemon is ready");
        daemon.signal("USR1");
        eventually("a write is under way", || school.calls("exam").iter().any(|call| call == "addStudents"))
            .await;
        daemon.signal(first);
        let _line = daemon.hear("stopping");
        let signalled = std::time::Instant::now();
        daemon.signal(second);
        let ended = daemon.end();
        assert_eq!(ended.code, code, "{first} {second}: {ended:?}");
        let runs = school.program(&["runs", "--output", "json"]).json();
        assert_eq!(
            (&runs[0]["outcome"], &runs[0]["exit_code"]),
            (&"interrupted".into(), &143.into()),
            "{first} {second}: {runs:#}"
        );
        assert!(
            signalled.elapsed() < std::time::Duration::from_secs(10),
            "{first} {second}: {:?}",
            signalled.elapsed()
        );
        school.set("delay", "addStudents:1");
        let mut converged = 0;
        eventually("the runs after it converge", || {
            converged = school.program(&["--sync-now"]).code;
            converged == 0 && school.sandbox.candidate_count() == 3
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_single_run_that_is_cut_short_stands_in_the_history_as_interrupted_and_the_next_one_goes_on() {
    let school = school().await;
    school.set("delay", "addStudents:25000");
    let run = school.start(&["--sync-now"]);
    eventually("a write is under way", || school.calls("exam").iter().any(|call| call == "addStudents"))
        .await;
    run.signal("TERM");
    let cut = || {
        run.signal("TERM");
        let runs = school.program(&["runs", "--output", "json"]).json();
        runs[0]["outcome"] == "interrupted" && runs[0]["finished_at"].is_string()
    };
    eventually("the history says so", cut).await;
    assert_eq!(run.end().code, 143);
    school.set("delay", "addStudents:1");
    let converges = || school.program(&["--sync-now"]).code == 0 && school.sandbox.candidate_count() == 3;
    eventually("the runs after it converge", converges).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_minute_after_one_signal_the_end_comes_whatever_a_call_is_allowed_to_take() {
    let mut by_daemon = school().await;
    let mut once = school().await;
    for school in [&mut by_daemon, &mut once] {
        school.setting("EXAM__TIMEOUT", "110s");
        school.set("delay", "addStudents:100000");
    }
    let mut daemon = by_daemon.start(&[]);
    let _line = daemon.hear("the daemon is ready");
    daemon.signal("USR1");
    let run = once.start(&["--sync-now"]);
    let writes = |school: &School| school.calls("exam").iter().any(|call| call == "addStudents");
    eventually("both write", || writes(&by_daemon) && writes(&once)).await;
    let signalled = std::time::Instant::now();
    daemon.signal("TERM");
    run.signal("TERM");
    let (daemon, run) = (daemon.end(), run.end());
    let took = signalled.elapsed();
    // The answer would come after a hundred seconds.
    assert!(took < std::time::Duration::from_secs(60), "{took:?}");
    assert_eq!((daemon.code, run.code), (143, 143), "{daemon:?} {run:?}");
    for school in [&by_daemon, &once] {
        let runs = school.program(&["runs", "--output", "json"]).json();
        assert_eq!(runs[0]["outcome"], "interrupted", "{runs:#}");
        school.set("delay", "addStudents:1");
        let converges = || school.program(&["--sync-now"]).code == 0 && school.sandbox.candidate_count() == 3;
        eventually("the next run enters nobody twice", converges).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_that_only_a_restart_could_take_over_says_what_would_become_of_it() {
    let school = school().await;
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    let mut daemon = school.start(&[]);
    let _line = daemon.hear("next_run");
    let given = std::fs::read_to_string(school.config()).unwrap();
    let before = school.path("state.db");
    std::fs::create_dir(school.path("folder")).unwrap();
    let worlds = [
        ("other.db", "would begin a new state"),
        ("missing/other.db", "A restart would refuse it too"),
        ("folder", "A restart would refuse it too"),
    ];
    for (database, told) in worlds {
        std::fs::write(school.config(), given.replace("\"state.db\"", &format!("\"{database}\""))).unwrap();
        daemon.signal("HUP");
        let line = daemon.hear("the new configuration is wrong; the old one stays");
        for words in ["state.database", database, before.to_str().unwrap(), "systemctl restart rosterd", told]
        {
            assert!(line.contains(words), "{database} without {words}: {line}");
        }
    }
    // What a restart would refuse anyway is told before.
    let unmasked = given
        .replace("\"state.db\"", "\"other.db\"")
        .replace("[sync]", "[roster.queries]\ngroups = \"SELECT 1\"\n[sync]");
    std::fs::write(school.config(), unmasked).unwrap();
    daemon.signal("HUP");
    let line = daemon.hear("the new configuration is wrong; the old one stays");
    assert!(line.contains("roster.queries.groups") && !line.contains("restart"), "{line}");
    std::fs::write(school.config(), given.replace("\"state.db\"", "\"other.db\"")).unwrap();
    daemon.signal("HUP");
    let _line = daemon.hear("the new configuration is wrong; the old one stays");
    std::fs::write(school.config(), &given).unwrap();
    let told = school.program(&["status"]).stdout;
    assert!(told.contains("systemctl restart rosterd") && !told.contains("reload once more"), "{told}");
    daemon.signal("HUP");
    let _line = daemon.hear("the configuration was read again");
    daemon.signal("TERM");
    let _ended = daemon.end();
}
