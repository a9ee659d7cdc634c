//! The daily digest for the office: once a day, in numbers, to whom it may concern, whatever the clock does.

use std::time::Duration;

use super::servers::{HookServer, MailServer, well};
use super::{daemon_of, only, run_once, school, tell_by_mail};
use crate::program::Programs as _;
use rosterd_testkit::{School, eventually};

/// A school whose office has something to do, and where nothing but the digest is told; its hour is past, whatever time it is.
async fn waiting_office(hooks: &HookServer) -> School {
    let mut school = school().await;
    school.setting("SCHEDULE__TIME_ZONE", "UTC");
    school.setting("NOTIFY__JSON_URL", &hooks.url("/json"));
    school.setting("NOTIFY__LEAST", "failing");
    school.setting("NOTIFY__DIGEST_AT", "00:00");
    school
        .sql("INSERT INTO students (student_id, name, login) VALUES ('nogroup', 'Zebulon Quartermain', 'quartermain-1')")
        .await;
    assert_eq!(school.program(&["--sync-now"]).code, 3);
    school.leaves_work_behind();
    school
}

/// From now on the office was told last for the day that is so many days from today.
async fn told_for(school: &School, days: &str) {
    let day = format!("CAST(date('now', '{days} days') AS BLOB)");
    school
        .write(&format!("INSERT OR REPLACE INTO facts (name, value) VALUES ('notify.digest_day', {day})"))
        .await;
}

async fn day_told(school: &School) -> String {
    school
        .word("SELECT CAST(julianday(CAST(value AS TEXT)) - julianday(date('now')) AS TEXT) FROM facts WHERE name = 'notify.digest_day'")
        .await
}

/// A daemon that has looked at the hour, and has delivered what there was.
async fn looked(school: &School) {
    let mut daemon = daemon_of(school);
    let _line = daemon.hear(" situation=\"");
    run_once(&mut daemon);
    tokio::time::sleep(Duration::from_secs(2)).await;
    daemon.signal("TERM");
    assert_eq!(daemon.end().code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_office_is_told_once_a_day_over_restarts_and_both_changes_of_the_clock() {
    let hooks = HookServer::start();
    let school = waiting_office(&hooks).await;
    for restart in 0..2 {
        looked(&school).await;
        assert_eq!(hooks.heard("/json").len(), 1, "restart {restart}");
    }
    let heard = hooks.heard("/json");
    let told = only(&heard).json();
    assert_eq!(
        (&told["purpose"], &told["subject"]),
        (&"digest".into(), &"No. 7 School: 1 waits for the school office".into()),
        "{told:#}"
    );
    let item = &told["items"][0];
    assert_eq!(
        (&item["kind"], &item["count"], &item["owner"]),
        (&"withheld".into(), &1.into(), &"office".into())
    );
    let command = item["command"].as_str().unwrap();
    assert!(
        command.starts_with("rosterd --config ") && command.ends_with(" failures --for office"),
        "{command}"
    );
    assert!(item["age"].is_string() && item["since"].as_str().unwrap().ends_with(" +00:00"), "{told:#}");
    assert!(!told.to_string().to_lowercase().contains("quartermain"), "{told:#}");
    for (name, days, heard, left) in [
        ("the next day came", "-1", 2, "0.0"),
        ("the clock leapt on over days", "-9", 3, "0.0"),
        ("the clock was set back over midnight", "+1", 3, "1.0"),
        ("the clock was ahead by weeks", "+20", 3, "0.0"),
    ] {
        told_for(&school, days).await;
        looked(&school).await;
        assert_eq!(hooks.heard("/json").len(), heard, "{name}");
        assert_eq!(day_told(&school).await, left, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_on_which_nothing_waits_is_told_only_where_that_is_wanted() {
    let hooks = HookServer::start();
    let mut school = waiting_office(&hooks).await;
    school.sql("DELETE FROM students WHERE student_id = 'nogroup'").await;
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    looked(&school).await;
    assert_eq!(hooks.heard("/json").len(), 0);
    assert_eq!(day_told(&school).await, "0.0", "what begins to wait in the afternoon is tomorrow's");
    school.setting("NOTIFY__DIGEST_EMPTY", "true");
    told_for(&school, "-1").await;
    looked(&school).await;
    let heard = hooks.heard("/json");
    assert_eq!(only(&heard).json()["subject"], "No. 7 School: nothing waits for the school office");
    school.usual("NOTIFY__DIGEST_AT");
    told_for(&school, "-1").await;
    looked(&school).await;
    assert_eq!(hooks.heard("/json").len(), 1, "without an hour there is none");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_digest_that_cannot_be_delivered_is_shown_tried_again_and_gives_way_to_the_next_one() {
    let hooks = HookServer::start();
    let school = waiting_office(&hooks).await;
    hooks.answers(|_| (503, "down for now"));
    looked(&school).await;
    let undelivered =
        || school.program(&["status", "--output", "json"]).json()["attention"]["undelivered"].clone();
    assert!(undelivered()["what"].as_str().unwrap().contains("1 message to json: it answered 503"));
    told_for(&school, "-1").await;
    looked(&school).await;
    assert_eq!(undelivered()["count"], 1, "yesterday's is nobody's any more");
    hooks.answers(well);
    let before = hooks.heard("/json").len();
    school.write("UPDATE notifications SET due_at_ms = 0").await;
    looked(&school).await;
    assert_eq!(hooks.heard("/json").len(), before + 1);
    assert!(undelivered().is_null());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_those_get_the_digest_who_are_named_for_it() {
    let (hooks, mail) = (HookServer::start(), MailServer::start());
    let mut school = waiting_office(&hooks).await;
    tell_by_mail(&mut school, &mail);
    school.setting("NOTIFY__DIGEST_TO", "mail");
    school.setting("NOTIFY__MAIL__DIGEST_TO", "office@school.example");
    looked(&school).await;
    eventually("a mail", || mail.heard().len() == 1).await;
    let session = mail.heard().remove(0);
    assert!(
        session.contains("RCPT TO:<office@school.example>") && !session.contains("it@school.example"),
        "{session}"
    );
    assert!(session.contains("Subject: No. 7 School: 1 waits for the school office"), "{session}");
    assert_eq!(hooks.heard("/json").len(), 0);
}
