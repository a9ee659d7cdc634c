//! Who is told when something is the matter: each form against a server that the test owns, and the daemon's own telling.

mod digest;
pub(crate) mod servers;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use serde_json::{Value, json};

use crate::program::Programs as _;
use rosterd_testkit::{Running, School, eventually};
use servers::{Heard, HookServer, MailServer, well};

/// Three students in one group, and a daemon that is not due for months.
async fn school() -> School {
    let school = School::builder()
        .setting("CLASSIN__ENABLED", "false")
        .setting("SCHEDULE__CRON", "0 0 0 29 2 *")
        .setting("SCHEDULE__TIME_ZONE", "Asia/Shanghai")
        .setting("NOTIFY__TITLE", "No. 7 School")
        .build()
        .await;
    for id in ["s000", "s001", "s002"] {
        let _uid = school.student(id).await;
    }
    let _gid = school.group_of_all().await;
    school
}

/// Everybody is told: six hooks, mail and a ping.
fn tell_everybody(school: &mut School, hooks: &HookServer, mail: &MailServer) {
    for form in ["wecom", "dingtalk", "feishu", "slack", "teams", "json", "ping"] {
        let url = hooks.url(&format!("/{form}/recognisable-path?key=recognisable-key"));
        school.setting(&format!("NOTIFY__{}_URL", form.to_uppercase()), &url);
    }
    school.setting("NOTIFY__DINGTALK_SECRET", "recognisable-dingtalk");
    school.setting("NOTIFY__FEISHU_SECRET", "recognisable-feishu");
    school.setting("NOTIFY__JSON_TOKEN", "recognisable-token");
    tell_by_mail(school, mail);
}

fn tell_by_mail(school: &mut School, mail: &MailServer) {
    for (name, value) in [
        ("SERVER", "127.0.0.1"),
        ("PORT", &mail.port()),
        ("TLS", "none"),
        ("USER", "robot"),
        ("PASSWORD", "recognisable-password"),
        ("FROM", "rosterd@school.example"),
        ("TO", "it@school.example, office@school.example"),
    ] {
        school.setting(&format!("NOTIFY__MAIL__{name}"), value);
    }
}

/// Only a program of the school's own is told, and a ping is made.
fn tell_a_program(school: &mut School, hooks: &HookServer) {
    school.setting("NOTIFY__JSON_URL", &hooks.url("/json"));
    school.setting("NOTIFY__PING_URL", &hooks.url("/ping"));
}

/// HMAC-SHA256 in base64, as DingTalk and Feishu document it.
fn signature(key: &str, text: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    STANDARD.encode(hmac::sign(&key, text.as_bytes()))
}

fn only(heard: &[Heard]) -> &Heard {
    assert_eq!(heard.len(), 1, "{heard:?}");
    &heard[0]
}

/// A daemon that listens to signals.
fn daemon_of(school: &School) -> Running {
    let mut daemon = school.start(&[]);
    let _line = daemon.hear("the daemon is ready");
    daemon
}

/// A daemon that has made a run, and has told what there was to tell.
fn run_once(daemon: &mut Running) {
    daemon.signal("USR1");
    // The daemon's own line, behind that of the run.
    let _line = daemon.hear("trigger=\"signal\" outcome=");
}

/// Sources: developer.work.weixin.qq.com/document/path/91770 (WeCom),
/// open.dingtalk.com/document/robots/customize-robot-security-settings (DingTalk),
/// open.feishu.cn/document/client-docs/bot-v3/add-custom-bot (Feishu),
/// docs.slack.dev/messaging/sending-messages-using-incoming-webhooks (Slack),
/// learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using (Teams),
/// healthchecks.io/docs/http_api (ping), RFC 3834 and 4616 (mail).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_sends_one_of_each_as_its_service_documents_it_and_says_what_was_answered() {
    let (hooks, mail) = (HookServer::start(), MailServer::start());
    let mut school = school().await;
    tell_everybody(&mut school, &hooks, &mail);
    let ended = school.program(&["notify", "--test"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    for target in ["wecom", "dingtalk", "feishu", "slack", "teams", "json", "mail", "ping"] {
        assert!(ended.stdout.contains(&format!("ok    {target} (")), "{target}: {ended:?}");
    }
    assert!(
        ended.stdout.contains("office@school.example by 127.0.0.1): 127.0.0.1 answered 250"),
        "{ended:?}"
    );
    assert!(!format!("{ended:?}").contains("recognisable"), "{ended:?}");
    let heard = |form: &str| only(&hooks.heard(&format!("/{form}/recognisable-path"))).clone();
    for form in ["wecom", "dingtalk", "feishu", "slack", "teams", "json"] {
        let heard = heard(form);
        assert_eq!(
            (heard.method.as_str(), heard.parameter("key").unwrap().as_str()),
            ("POST", "recognisable-key")
        );
        assert!(
            heard.headers.contains(&"content-type: application/json; charset=utf-8".to_owned()),
            "{heard:?}"
        );
        assert!(heard.body.contains("No. 7 School: test"), "{heard:?}");
    }
    let text = heard("wecom").json()["text"]["content"].as_str().unwrap().to_owned();
    assert!(text.starts_with("No. 7 School: test\n\n") && text.contains(" +08:00: this is a test"), "{text}");
    assert_eq!(heard("wecom").json(), json!({ "msgtype": "text", "text": { "content": text } }));

    let dingtalk = heard("dingtalk");
    assert_eq!(dingtalk.json(), json!({ "msgtype": "text", "text": { "content": text } }));
    let timestamp = dingtalk.parameter("timestamp").unwrap();
    assert_eq!(timestamp.len(), 13, "milliseconds");
    let signed = signature("recognisable-dingtalk", &format!("{timestamp}\nrecognisable-dingtalk"));
    assert_eq!(dingtalk.parameter("sign").unwrap(), signed);

    let feishu = heard("feishu").json();
    let timestamp = feishu["timestamp"].as_str().unwrap();
    assert_eq!(timestamp.len(), 10, "seconds");
    let signed = signature(&format!("{timestamp}\nrecognisable-feishu"), "");
    let expected =
        json!({ "timestamp": timestamp, "sign": signed, "msg_type": "text", "content": { "text": text } });
    assert_eq!(feishu, expected);

    assert_eq!(heard("slack").json(), json!({ "text": text }));
    let teams = heard("teams").json();
    let card = &teams["attachments"][0];
    assert_eq!(
        (&teams["type"], &card["contentType"]),
        (&"message".into(), &"application/vnd.microsoft.card.adaptive".into())
    );
    assert_eq!(
        (&card["content"]["type"], &card["content"]["body"][0]["text"]),
        (&"AdaptiveCard".into(), &"No. 7 School: test".into())
    );
    let program = heard("json");
    assert_eq!((&program.json()["purpose"], &program.json()["text"]), (&"test".into(), &Value::from(text)));
    assert!(program.headers.contains(&"authorization: Bearer recognisable-token".to_owned()), "{program:?}");
    assert_eq!(heard("ping").method, "GET");

    let sessions = mail.heard();
    let session = &sessions[0];
    let login = STANDARD.encode("\0robot\0recognisable-password");
    for line in [
        "EHLO school.example",
        &format!("AUTH PLAIN {login}"),
        "MAIL FROM:<rosterd@school.example>",
        "RCPT TO:<it@school.example>",
        "RCPT TO:<office@school.example>",
        "From: \"No. 7 School\" <rosterd@school.example>",
        "Subject: No. 7 School: test",
        "Auto-Submitted: auto-generated",
    ] {
        assert!(session.lines().any(|heard| heard.starts_with(line)), "{line} is missing in\n{session}");
    }
    assert!(session.contains("Message-ID: <rosterd.") && session.contains("\nDate: "), "{session}");
    assert!(session.contains("text/plain; charset=utf-8"), "{session}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_says_who_refused_and_why_without_repeating_a_secret() {
    let (hooks, mail) = (HookServer::start(), MailServer::start());
    let mut school = school().await;
    tell_everybody(&mut school, &hooks, &mail);
    school.setting("NOTIFY__MAIL__PORT", "1");
    hooks.answers(|path| match path.split('/').nth(1).unwrap() {
        "wecom" => (200, r#"{"errcode":93000,"errmsg":"invalid webhook url recognisable-key"}"#),
        "slack" => (403, "invalid_token recognisable-path"),
        _ => well(path),
    });
    let ended = school.program(&["notify", "--test"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.stdout.contains("FAIL  wecom (127.0.0.1:"), "{ended:?}");
    assert!(ended.stdout.contains("it answered code 93000: invalid webhook url …"), "{ended:?}");
    assert!(ended.stdout.contains("it answered 403: invalid_token …"), "{ended:?}");
    assert!(ended.stdout.contains("FAIL  mail ("), "{ended:?}");
    assert!(ended.stdout.contains("ok    teams ("), "{ended:?}");
    assert!(!format!("{ended:?}").contains("recognisable"), "{ended:?}");
    let tried = school.program(&["notify", "--test", "--output", "json"]).json();
    assert_eq!((&tried[0]["target"], &tried[0]["ok"]), (&"wecom".into(), &false.into()), "{tried:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_says_how_it_stands_and_no_dead_mans_switch_takes_it_for_a_good_run() {
    let hooks = HookServer::start();
    let mut school = school().await;
    tell_a_program(&mut school, &hooks);
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    assert_eq!(school.program(&["notify", "--test"]).code, 0);
    assert!(only(&hooks.heard("/json")).body.contains("messages arrive. Now healthy"));
    assert_eq!((hooks.heard("/ping").len(), hooks.heard("/ping/fail").len()), (1, 0));
    school.set("exam.http_5xx", "*@*:503");
    assert_eq!(school.program(&["--sync-now"]).code, 75);
    let ended = school.program(&["notify", "--test"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stdout.contains("as runs are not good now"), "{ended:?}");
    assert!(hooks.heard("/json").last().unwrap().body.contains("Now NOT HEALTHY"));
    assert_eq!((hooks.heard("/ping").len(), hooks.heard("/ping/fail").len()), (1, 1));
    std::fs::write(school.path("state.db"), "no database any more, and nothing is known").unwrap();
    let _ended = school.program(&["notify", "--test"]);
    assert!(hooks.heard("/json").last().unwrap().body.contains("cannot be told"));
    assert_eq!((hooks.heard("/ping").len(), hooks.heard("/ping/fail").len()), (1, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nobody_is_told_a_test_says_so_and_check_names_who_is() {
    let (hooks, mail) = (HookServer::start(), MailServer::start());
    let mut school = school().await;
    let ended = school.program(&["notify", "--test"]);
    assert!(ended.code == 78 && ended.stdout.contains("Nobody is told"), "{ended:?}");
    assert_eq!(school.program(&["notify"]).code, 64);
    tell_everybody(&mut school, &hooks, &mail);
    let ended = school.program(&["check", "--offline"]);
    let text = ended.flowing();
    let line = text.lines().find(|line| line.contains("notifications: ")).unwrap();
    assert!(line.starts_with("ok    notifications: wecom (127.0.0.1:"), "{line}");
    assert!(line.contains("mail (it@school.example, office@school.example by 127.0.0.1), ping ("), "{line}");
    assert!(!ended.stdout.contains("recognisable"), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_is_told_once_over_every_restart_again_for_another_cause_and_once_when_it_is_over() {
    let hooks = HookServer::start();
    let mut school = school().await;
    tell_a_program(&mut school, &hooks);
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    assert_eq!(hooks.heard("/json").len(), 0, "a run by hand tells nobody");

    school.setting("EXAM__CODE", "wrong");
    for (round, _) in ["a daemon", "its restart"].iter().enumerate() {
        let mut daemon = daemon_of(&school);
        for _ in 0..2 {
            run_once(&mut daemon);
        }
        eventually("the ping that a run failed", || hooks.heard("/ping/fail").len() > round).await;
        eventually("a message", || !hooks.heard("/json").is_empty()).await;
        daemon.signal("TERM");
        assert_eq!(daemon.end().code, 0);
    }
    let heard = hooks.heard("/json");
    let alarm = only(&heard).json();
    assert_eq!(
        (&alarm["purpose"], &alarm["subject"]),
        (&"alarm".into(), &"No. 7 School: failing (credentials exam)".into())
    );
    let item = &alarm["items"][0];
    assert_eq!(
        (&item["kind"], &item["owner"], &item["change"]),
        (&"failing".into(), &"it".into(), &"began".into()),
        "{alarm:#}"
    );
    let command = item["command"].as_str().unwrap();
    assert!(command.starts_with("rosterd --config ") && command.ends_with(" check"), "{command}");
    let status = school.program(&["status"]);
    assert!(
        status.stdout.lines().nth(1).unwrap().starts_with("for IT: enter the credentials"),
        "{}",
        status.stdout
    );

    school.usual("EXAM__CODE");
    school.set("exam.http_5xx", "*@*:503");
    let mut daemon = daemon_of(&school);
    run_once(&mut daemon);
    eventually("the other cause", || hooks.heard("/json").len() == 2).await;
    let changed = hooks.heard("/json")[1].json();
    assert_eq!(
        (&changed["items"][0]["change"], &changed["items"][0]["cause"]),
        (&"changed".into(), &"outage exam".into()),
        "{changed:#}"
    );
    assert_eq!(hooks.heard("/ping").len(), 0, "no run was good");

    school.sandbox.clear_faults();
    run_once(&mut daemon);
    eventually("the recovery", || hooks.heard("/json").len() == 3).await;
    let over = hooks.heard("/json")[2].json();
    assert_eq!(
        (&over["purpose"], &over["items"][0]["change"]),
        (&"recovery".into(), &"ended".into()),
        "{over:#}"
    );
    assert!(over["heading"].as_str().unwrap().starts_with("healthy: "), "{over:#}");
    eventually("the ping of a good run", || hooks.heard("/ping").len() == 1).await;
    run_once(&mut daemon);
    eventually("one more ping", || hooks.heard("/ping").len() == 2).await;
    daemon.signal("TERM");
    assert_eq!(daemon.end().code, 0);
    assert_eq!(hooks.heard("/json").len(), 3, "all is well, and that is no news");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_delivered_holds_up_no_run_is_shown_and_comes_as_soon_as_it_can() {
    let hooks = HookServer::start();
    let mut school = school().await;
    tell_a_program(&mut school, &hooks);
    school.usual("NOTIFY__PING_URL");
    hooks.answers(|_| (503, "down for now"));
    let _uid = school.student("nogroup").await;
    let mut daemon = daemon_of(&school);
    run_once(&mut daemon);
    let line = daemon.hear("could not be delivered");
    assert!(line.contains("it answered 503: down for now"), "{line}");
    assert_eq!(school.sandbox.candidate_count(), 3, "the run went on");
    let status = school.program(&["status", "--output", "json"]).json();
    let undelivered = &status["attention"]["undelivered"];
    assert_eq!((&undelivered["count"], &undelivered["owner"]), (&1.into(), &"it".into()), "{status:#}");
    assert!(
        undelivered["what"].as_str().unwrap().contains("1 message to json: it answered 503"),
        "{status:#}"
    );
    assert_eq!(school.program(&["status", "--check"]).code, 0, "health is another matter");

    hooks.answers(well);
    school.write("UPDATE notifications SET due_at_ms = 0").await;
    run_once(&mut daemon);
    eventually("the message", || hooks.heard("/json").len() >= 2).await;
    eventually("nothing waits", || {
        school.program(&["status", "--output", "json"]).json()["attention"].get("undelivered").is_none()
    })
    .await;
    daemon.signal("TERM");
    assert_eq!(daemon.end().code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_and_what_is_held_is_told_by_number_and_never_by_name() {
    let (hooks, mail) = (HookServer::start(), MailServer::start());
    let mut school = school().await;
    tell_everybody(&mut school, &hooks, &mail);
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    school.setting("GUARD__MAX_MODIFY", "0");
    school
        .sql(
            "UPDATE students SET name = 'Zebulon Quartermain'; \
             INSERT INTO students (student_id, name, login) VALUES ('nogroup', 'Zebulon Quartermain', 'quartermain-1')",
        )
        .await;
    let mut daemon = daemon_of(&school);
    run_once(&mut daemon);
    eventually("a message and a mail", || {
        !hooks.heard("/json/recognisable-path").is_empty() && !mail.heard().is_empty()
    })
    .await;
    daemon.signal("TERM");
    let ended = daemon.end();
    let told = hooks.heard("/json/recognisable-path");
    let told = only(&told).json();
    let kinds: Vec<(&str, u64)> = told["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["kind"].as_str().unwrap(), item["count"].as_u64().unwrap()))
        .collect();
    assert_eq!(kinds, [("held", 3), ("withheld", 1)], "{told:#}");
    assert!(told["items"][0]["command"].as_str().unwrap().contains(" approve "), "{told:#}");
    let mut everything = format!("{ended:?}{:?}", mail.heard());
    for form in ["wecom", "dingtalk", "feishu", "slack", "teams", "json", "ping"] {
        everything.push_str(&format!("{:?}", hooks.heard(&format!("/{form}/recognisable-path"))));
    }
    for hidden in ["Quartermain", "quartermain"] {
        assert!(!everything.contains(hidden), "{everything}");
    }
    assert!(!ended.stderr.contains("recognisable"), "{}", ended.stderr);
    school.leaves_work_behind();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn addresses_come_from_files_and_no_problem_repeats_one() {
    let mut school = school().await;
    let hooks = HookServer::start();
    std::fs::write(school.path("hook"), format!("{}\n", hooks.url("/slack/recognisable"))).unwrap();
    school.setting("NOTIFY__SLACK_URL_FILE", school.path("hook").to_str().unwrap());
    assert_eq!(school.program(&["notify", "--test"]).code, 0);
    assert_eq!(hooks.heard("/slack/recognisable").len(), 1);
    for wrong in [
        "hooks.slack.com/recognisable",
        "http://hooks.slack.com/recognisable",
        "https://a:recognisable@b.c/d",
    ] {
        std::fs::write(school.path("hook"), wrong).unwrap();
        let ended = school.program(&["check", "--config-only"]);
        assert_eq!(ended.code, 78, "{ended:?}");
        assert!(ended.stdout.contains("notify.slack_url_file: "), "{ended:?}");
        assert!(!format!("{ended:?}").contains("recognisable"), "{ended:?}");
    }
}
