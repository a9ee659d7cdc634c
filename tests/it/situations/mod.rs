//! The twelve situations of a school, each brought about in a real one and looked at in every place that shows it: what is the
//! matter, the worst first, since when, how many, who must act, what to type, and when the next run is due are the same in
//! the text of `status`, its JSON form, the page, `/api/v1/status`, the message and the log.

mod told;

use crate::health::get;
use crate::notify::servers::HookServer;
use crate::program::Programs as _;
use rosterd_testkit::{Running, School, eventually};
use told::{Told, normal};

/// What is done to a school of three students in one group, before the daemon looks at it.
struct Situation {
    name: &'static str,
    /// The one word for it.
    kind: &'static str,
    /// Settings over those of the school.
    settings: &'static [(&'static str, &'static str)],
    /// Whether the school is in step before.
    is_in_step: bool,
    /// What changes on the roster then.
    roster: &'static str,
    /// A switch of the sandbox.
    switch: Option<(&'static str, &'static str)>,
    /// Whether the daemon makes a run.
    runs: bool,
}

const QUIET: Situation = Situation {
    name: "",
    kind: "in-step",
    settings: &[],
    is_in_step: true,
    roster: "",
    switch: None,
    runs: true,
};

/// A daemon that is not due for months.
async fn school(situation: &Situation, hooks: &HookServer) -> School {
    let mut school = School::builder()
        .setting("CLASSIN__ENABLED", "false")
        .setting("SCHEDULE__CRON", "0 0 0 29 2 *")
        .setting("SCHEDULE__TIME_ZONE", "Asia/Shanghai")
        .setting("HTTP__LISTEN", "127.0.0.1:0")
        .setting("NOTIFY__TITLE", "No. 7 School")
        .setting("NOTIFY__JSON_URL", &hooks.url("/json"))
        .build()
        .await;
    for id in ["s000", "s001", "s002"] {
        let _uid = school.student(id).await;
    }
    let _gid = school.group_of_all().await;
    if situation.is_in_step {
        assert_eq!(school.program(&["--sync-now"]).code, 0);
    }
    for (name, value) in situation.settings {
        school.setting(name, value);
    }
    if !situation.roster.is_empty() {
        school.sql(situation.roster).await;
    }
    if let Some((name, value)) = situation.switch {
        school.set(name, value);
    }
    school
}

/// A daemon that serves its page; the line that says where.
fn daemon_of(school: &School, situation: &Situation) -> (Running, String) {
    let mut daemon = school.start(&[]);
    let served = daemon.hear("health and metrics on");
    if !served.contains("ready") {
        let _line = daemon.hear("the daemon is ready");
    }
    if situation.runs {
        daemon.signal("USR1");
        let _line = daemon.hear("trigger=\"signal\" outcome=");
    } else {
        let _line = daemon.hear(" situation=\"");
    }
    (daemon, served)
}

/// Looks at a situation everywhere, and holds every place against the JSON form of `status`.
async fn is_told_alike(situation: Situation) -> Told {
    let hooks = HookServer::start();
    let school = school(&situation, &hooks).await;
    shown_alike(&situation, &school, &hooks).await
}

async fn shown_alike(situation: &Situation, school: &School, hooks: &HookServer) -> Told {
    let name = situation.name;
    let (daemon, served) = daemon_of(school, situation);
    let status = school.program(&["status", "--output", "json"]).json();
    let expected = Told::of_document(&status["situation"]);
    assert_eq!(expected.kind, situation.kind, "{name}: {status:#}");
    eventually("the daemon has told it", || {
        let (_, answer) = get(&served, "/api/v1/status");
        let document: serde_json::Value = serde_json::from_str(&answer).unwrap();
        Told::of_document(&document["situation"]) == expected
    })
    .await;
    let text = school.program(&["status"]).stdout;
    assert_eq!(Told::of_text(&text, &expected), expected, "{name}: {text}");
    let (_, page) = get(&served, "/");
    assert_eq!(Told::of_page(&page, &expected), expected, "{name}: {page}");
    if expected.is_told() {
        eventually("a message", || !hooks.heard("/json").is_empty()).await;
        let message = hooks.heard("/json").last().unwrap().json();
        assert_eq!(Told::of_message(&message, &expected), expected.as_told(), "{name}: {message:#}");
    }
    daemon.signal("TERM");
    let ended = daemon.end();
    assert_eq!(Told::of_log(&ended.stderr, &expected), expected, "{name}: {}", ended.stderr);
    if !expected.is_told() {
        assert_eq!(hooks.heard("/json").len(), 0, "{name}: nobody needs to be told");
    }
    school.leaves_work_behind();
    expected
}

fn snapshot(told: &Told) -> String {
    normal(&told.to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn before_the_first_run_it_is_told_alike_everywhere() {
    let told = is_told_alike(Situation {
        name: "before the first run",
        kind: "before-first-run",
        is_in_step: false,
        runs: false,
        ..QUIET
    });
    insta::assert_snapshot!(snapshot(&told.await), @r"
    before-first-run: healthy: the first run is not due yet
    next run: known
    ");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_in_step_is_told_alike_everywhere() {
    let told = is_told_alike(Situation { name: "in step", ..QUIET });
    insta::assert_snapshot!(snapshot(&told.await), @r"
    in-step: healthy: the last good run was <age> ago; no run is due until 2028-02-29 00:00 +08:00
    next run: known
    ");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_only_observed_is_told_alike_everywhere() {
    let told = is_told_alike(Situation {
        name: "observed",
        kind: "observed",
        settings: &[("SYNC__MODE", "observe")],
        is_in_step: false,
        ..QUIET
    });
    insta::assert_snapshot!(snapshot(&told.await), @r"
    observed: healthy: the last good run was <age> ago; no run is due until 2028-02-29 00:00 +08:00; 3 changes are left undone by sync.mode
    next run: known
    ");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_applied_is_told_alike_everywhere() {
    let told = is_told_alike(Situation { name: "applied", kind: "applied", is_in_step: false, ..QUIET });
    insta::assert_snapshot!(snapshot(&told.await), @r"
    applied: healthy: the last good run was <age> ago; no run is due until 2028-02-29 00:00 +08:00
    next run: known
    ");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_held_is_told_alike_everywhere() {
    let told = is_told_alike(Situation {
        name: "held",
        kind: "held",
        settings: &[("GUARD__MAX_MODIFY", "0")],
        roster: "UPDATE students SET name = 'Zebulon Quartermain'",
        ..QUIET
    });
    insta::assert_snapshot!(snapshot(&told.await), @r"
    held: healthy: the last good run was <age> ago; no run is due until 2028-02-29 00:00 +08:00; attention: 3 for IT, the oldest for <age>
    held (exam max-modify), 3 for IT, since known, told: rosterd --config <path> approve <digest>
    next run: known
    ");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_credentials_are_told_alike_everywhere() {
    let told = is_told_alike(Situation {
        name: "credentials",
        kind: "failing",
        settings: &[("EXAM__CODE", "wrong")],
        ..QUIET
    });
    insta::assert_snapshot!(snapshot(&told.await), @r"
    failing: NOT HEALTHY: the last run ended <age> ago and was not good (failed): exam: getFields was refused (HTTP status 200): the code is wrong, or the clock is, or the account's plan has ended, or its API is switched off; our clock agrees with the service's; the last good run was <age> ago
    failing (credentials exam), 1 for IT, since known, told: rosterd --config <path> check
    next run: known
    ");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_is_told_alike_everywhere() {
    let told = is_told_alike(Situation {
        name: "outage",
        kind: "failing",
        switch: Some(("exam.http_5xx", "*@*:503")),
        ..QUIET
    });
    insta::assert_snapshot!(snapshot(&told.await), @r"
    failing: NOT HEALTHY: the last run ended <age> ago and was not good (failed): exam: getstulist failed at the service (HTTP status 503); the last good run was <age> ago
    failing (outage exam), 1 for the service itself, since known, told: rosterd --config <path> runs
    next run: known
    ");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_roster_that_cannot_be_used_is_told_alike_everywhere() {
    let told = is_told_alike(Situation {
        name: "roster",
        kind: "failing",
        roster: "DROP TABLE group_members",
        ..QUIET
    });
    insta::assert_snapshot!(snapshot(&told.await), @r"
    failing: NOT HEALTHY: the last run ended <age> ago and was not good (failed): roster.database <path> there is no table group_members: enter the right path, create it with `rosterd --config <path> import csv FILE…`, or name the school's own table in roster.queries.group_members (no such table: group_members); the last good run was <age> ago
    failing (roster), 1 for IT, since known, told: rosterd --config <path> check --offline
    next run: known
    ");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dead_letters_for_the_office_are_told_alike_everywhere() {
    let told = is_told_alike(Situation {
        name: "dead letters",
        kind: "waiting",
        settings: &[("RETRY__MAX_ATTEMPTS", "1")],
        roster: "INSERT INTO students (student_id, name, login) VALUES ('s003', 'A', 'a'), ('s004', 'B', 'b'); \
                 INSERT INTO group_members VALUES ('s003', 'g1'), ('s004', 'g1')",
        switch: Some(("exam.refuse_item", "addStudents@*:0")),
        ..QUIET
    });
    insta::assert_snapshot!(snapshot(&told.await), @r"
    waiting: healthy: the last good run was <age> ago; no run is due until 2028-02-29 00:00 +08:00; attention: 1 for the school office, the oldest for <age>
    dead-letters (office), 1 for the school office, since known, told: rosterd --config <path> failures
    next run: known
    ");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_class_is_told_alike_everywhere() {
    let hooks = HookServer::start();
    let situation = Situation { name: "full class", kind: "waiting", ..QUIET };
    let mut school = school(&situation, &hooks).await;
    school.setting("CLASSIN__ENABLED", "true");
    let class = school.class("c1").await;
    for id in ["s000", "s001", "s002"] {
        school.join(id, "c1").await;
    }
    school.sandbox.set_class_capacity(class.course, class.class, 1);
    insta::assert_snapshot!(snapshot(&shown_alike(&situation, &school, &hooks).await), @r"
    waiting: healthy: the last good run was <age> ago; no run is due until 2028-02-29 00:00 +08:00; attention: 2 for more room at the service (quota), the oldest for <age>
    full-classes (quota), 2 for more room at the service (quota), since known, told: rosterd --config <path> failures
    next run: known
    ");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_night_and_a_blackout_are_told_alike_everywhere() {
    let told = is_told_alike(Situation { name: "night", ..QUIET }).await;
    assert!(told.heading.contains("no run is due until "), "{told}");
    let told = is_told_alike(Situation {
        name: "blackout",
        settings: &[("SCHEDULE__BLACKOUT", "[{ from = \"2020-01-01\", to = \"2999-01-01\" }]")],
        ..QUIET
    });
    insta::assert_snapshot!(snapshot(&told.await), @r"
    in-step: healthy: the last good run was <age> ago; schedule.blackout: no run is due until 3004-02-29 00:00 +08:00
    next run: known
    ");
}

/// Nobody is there who could serve a page, write a log or send a message: `status` in both forms says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_daemon_that_is_gone_is_told_alike_in_text_and_json() {
    let hooks = HookServer::start();
    let mut school = school(&QUIET, &hooks).await;
    school.setting("SCHEDULE__CRON", "0 0 * * * *");
    school.write("UPDATE runs SET finished_at_ms = finished_at_ms - 7200000").await;
    let status = school.program(&["status", "--output", "json"]).json();
    let expected = Told::of_document(&status["situation"]);
    let text = school.program(&["status"]).stdout;
    assert_eq!(Told::of_text(&text, &expected), expected, "{text}");
    assert!(expected.heading.contains("no daemon is running"), "{expected}");
    let shown = snapshot(&expected);
    let (_, shown) = shown.split_once(" and has not come").unwrap();
    insta::assert_snapshot!(shown, @r"
    , and no daemon is running; the last good run was 2 h ago
    late (), 1 for IT, since known, told: systemctl status rosterd
    next run: none
    ");
}
