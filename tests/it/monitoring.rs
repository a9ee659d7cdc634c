//! Metrics as Prometheus' own tools see them, and the alerts that ship. Where `promtool` is not there, it says so loudly.

#![expect(clippy::print_stderr, reason = "a test that cannot run here says so loudly")]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::health::get;
use crate::program::Programs as _;
use rosterd_testkit::School;

/// What `promtool` says, and whether it is content; `None` where it is not there.
fn promtool(arguments: &[&str], input: &str) -> Option<(bool, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/prometheus");
    let started = Command::new("promtool")
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = started else {
        eprintln!("NOT RUN, there is no promtool: {arguments:?}");
        return None;
    };
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
}

#[test]
fn the_alerts_fire_when_they_should_and_not_before() {
    if let Some((is_content, said)) = promtool(&["test", "rules", "rosterd.rules.test.yml"], "") {
        assert!(is_content, "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promtool_finds_no_fault_with_the_metrics_of_a_daemon_that_has_run() {
    let mut school = School::of_both().await;
    school.setting("HTTP__LISTEN", "127.0.0.1:0");
    school.setting("SCHEDULE__CRON", "0 0 0 29 2 *");
    school.setting("GUARD__MAX_DELETE", "0");
    school.class("c1").await;
    school.fill("c1", 3).await;
    school.group_of_all().await;
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    school.leave("s000", "c1").await;
    school.sql("UPDATE students SET name = '' WHERE student_id = 's001'").await;
    let mut daemon = school.start(&[]);
    let line = daemon.hear("health and metrics on");
    daemon.signal("USR1");
    let _line = daemon.hear("run finished");
    rosterd_testkit::eventually("the run is counted", || {
        get(&line, "/metrics").1.contains("rosterd_runs_total{")
    })
    .await;
    let metrics = get(&line, "/metrics").1;
    for name in ["rosterd_build_info{", "rosterd_attention_items{", "rosterd_remote_requests_total{"] {
        assert!(metrics.lines().any(|line| line.starts_with(name)), "{name}: {metrics}");
    }
    assert!(!metrics.contains("# EOF"), "a reader that asks for nothing gets Prometheus' own form");
    if let Some((is_content, said)) = promtool(&["check", "metrics"], &metrics) {
        assert!(is_content && said.trim().is_empty(), "{said}\n{metrics}");
    }
    school.program_ended(4);
}
