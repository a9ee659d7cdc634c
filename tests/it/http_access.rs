//! Who may see the page of the real daemon: everybody on loopback, elsewhere whoever shows the token of `http.token_file`.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use crate::program::Programs as _;
use rosterd_testkit::{Running, School, eventually};

const TOKEN: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";

/// `rosterd:` and the token, as a browser sends them.
const AS_BROWSERS_SEND_IT: &str = "cm9zdGVyZDowYTFiMmMzZDRlNWY2MDcxODI5M2E0YjVjNmQ3ZThmOQ==";

const GUARDED: [&str; 4] = ["/", "/style.css", "/api/v1/status", "/api/v1/nothing"];

const OPEN: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// A school whose daemon is not due for months, and listens there.
async fn school(listen: &str) -> School {
    School::builder()
        .setting("CLASSIN__ENABLED", "false")
        .setting("SCHEDULE__CRON", "0 0 0 29 2 *")
        .setting("HTTP__LISTEN", listen)
        .build()
        .await
}

fn put_token(school: &mut School, token: &str) {
    let file = school.path("http-token");
    std::fs::write(&file, token).unwrap();
    school.setting("HTTP__TOKEN_FILE", file.to_str().unwrap());
}

/// A daemon, and its port on 127.0.0.1 or [::1].
fn served(school: &School, host: &str) -> (Running, SocketAddr) {
    let mut daemon = school.start(&[]);
    let line = daemon.hear("health and metrics on");
    let from = line.find("http://").unwrap() + "http://".len();
    let bound: SocketAddr =
        line[from..].split(|c: char| c.is_whitespace() || c == '"').next().unwrap().parse().unwrap();
    (daemon, SocketAddr::new(host.parse().unwrap(), bound.port()))
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

/// What is answered to a GET with these headers.
fn get(address: SocketAddr, path: &str, headers: &[String]) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    let more: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\n{more}Connection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_lowercase(), body: body.to_owned() }
}

fn bearer(token: &str) -> Vec<String> {
    vec![format!("Authorization: Bearer {token}")]
}

fn end(daemon: Running) -> String {
    daemon.signal("TERM");
    let ended = daemon.end();
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.stderr
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_on_an_open_address_demand_the_token_and_health_and_metrics_do_not() {
    for (listen, host) in [("0.0.0.0:0", "127.0.0.1"), ("[::]:0", "127.0.0.1"), ("[::]:0", "::1")] {
        let mut school = school(listen).await;
        put_token(&mut school, &format!("\u{feff}{TOKEN}\r\n"));
        let (mut daemon, address) = served(&school, host);
        let _line = daemon.hear("the daemon is ready");
        for path in OPEN {
            let status = get(address, path, &[]).status;
            assert!(!matches!(status, 401 | 403), "{listen} {path}: {status}");
        }
        for path in GUARDED {
            let refused = get(address, path, &[]);
            assert_eq!(refused.status, 401, "{listen} {path}");
            assert!(refused.head.contains("www-authenticate: basic realm=\"rosterd\""), "{}", refused.head);
            assert!(
                refused.body.contains("http.token_file") && !refused.body.contains("<html"),
                "{}",
                refused.body
            );
            let status = if path.ends_with("nothing") { 404 } else { 200 };
            assert_eq!(get(address, path, &bearer(TOKEN)).status, status, "{listen} {path}");
            let basic = format!("Authorization: Basic {AS_BROWSERS_SEND_IT}");
            assert_eq!(get(address, path, &[basic]).status, status, "{listen} {path}");
        }
        let log = end(daemon);
        assert!(!log.contains(TOKEN) && !log.contains(AS_BROWSERS_SEND_IT), "{log}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_token_is_refused_counted_and_logged_once_a_minute_and_never_repeated() {
    let mut school = school("0.0.0.0:0").await;
    put_token(&mut school, TOKEN);
    let (daemon, address) = served(&school, "127.0.0.1");
    let nearly = &TOKEN[..31];
    for wrong in [nearly, "recognisable-guess", &format!("{TOKEN}0"), &TOKEN.to_uppercase()] {
        let refused = get(address, "/", &bearer(wrong));
        assert_eq!(refused.status, 401, "{wrong}");
        assert!(!refused.body.contains(wrong) && !refused.body.contains(TOKEN), "{}", refused.body);
    }
    assert_eq!(get(address, "/", &[]).status, 401);
    let metrics = get(address, "/metrics", &[]).body;
    for line in [
        "rosterd_pages_refused_total{reason=\"wrong\"} 4",
        "rosterd_pages_refused_total{reason=\"missing\"} 1",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line}\n{metrics}");
    }
    let log = end(daemon);
    assert_eq!(log.matches("with a wrong token were refused").count(), 1, "{log}");
    assert!(log.contains("127.0.0.1") && !log.contains(nearly) && !log.contains("recognisable"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loopback_demands_no_token_but_for_what_a_proxy_hands_on() {
    let mut school = school("127.0.0.1:0").await;
    for with_token in [false, true] {
        if with_token {
            put_token(&mut school, TOKEN);
        }
        let (daemon, address) = served(&school, "127.0.0.1");
        for path in ["/", "/style.css", "/api/v1/status"] {
            assert_eq!(get(address, path, &[]).status, 200, "{path}");
            let handed_on = vec!["X-Forwarded-For: 192.0.2.7".to_owned()];
            let status = if with_token { 401 } else { 200 };
            assert_eq!(get(address, path, &handed_on).status, status, "{path}");
            assert_eq!(get(address, path, &[handed_on, bearer(TOKEN)].concat()).status, 200, "{path}");
        }
        end(daemon);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_token_file_pages_on_an_open_address_are_refused_with_what_to_configure_and_the_start_goes_on()
 {
    let school = school("0.0.0.0:0").await;
    let check = school.program(&["check", "--config-only"]);
    assert_eq!(check.code, 0, "{check:?}");
    assert!(
        check.stdout.contains("warn  status page:") && check.stdout.contains("http.token_file"),
        "{check:?}"
    );
    let document = school.program(&["check", "--config-only", "--output", "json"]).json();
    let findings = document["findings"].as_array().unwrap();
    let finding = findings.iter().find(|finding| finding["what"] == "status page").unwrap();
    assert_eq!((&finding["ok"], &finding["warning"]), (&true.into(), &true.into()), "{document:#}");

    let (daemon, address) = served(&school, "127.0.0.1");
    for path in OPEN {
        assert_ne!(get(address, path, &[]).status, 403, "{path}");
    }
    for headers in [Vec::new(), bearer(""), bearer(TOKEN)] {
        for path in GUARDED {
            let refused = get(address, path, &headers);
            assert_eq!(refused.status, 403, "{path}");
            assert!(
                refused.body.contains("http.token_file") && refused.body.contains("openssl rand"),
                "{}",
                refused.body
            );
        }
    }
    let log = end(daemon);
    assert!(log.contains("http.token_file is not set"), "{log}");
    let mut school = self::school("127.0.0.1:0").await;
    let check = school.program(&["check", "--config-only"]);
    assert!(!check.stdout.contains("status page"), "{check:?}");
    put_token(&mut school, TOKEN);
    let check = school.program(&["check", "--config-only"]);
    assert!(check.stdout.contains("http.token_file: user") && !check.stdout.contains(TOKEN), "{check:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_token_holds_after_sighup_and_a_spoilt_file_changes_nothing() {
    let mut school = school("0.0.0.0:0").await;
    put_token(&mut school, TOKEN);
    let (mut daemon, address) = served(&school, "127.0.0.1");
    let _line = daemon.hear("the daemon is ready");
    let statuses = |new: &str| [TOKEN, new].map(|token| get(address, "/", &bearer(token)).status);
    let new = "another-token-of-this-school";
    assert_eq!(statuses(new), [200, 401]);
    for (spoilt, why) in
        [("\n", "empty"), ("too-short", "16 characters"), ("two words that are long", "blank")]
    {
        put_token(&mut school, spoilt);
        daemon.signal("HUP");
        let line = daemon.hear("the new configuration is wrong; the old one stays");
        assert!(line.contains("http.token_file") && line.contains(why), "{line}");
        assert!(spoilt.trim().is_empty() || !line.contains(spoilt), "{line}");
        assert_eq!(statuses(new), [200, 401], "{why}");
    }
    put_token(&mut school, new);
    daemon.signal("HUP");
    eventually("the new token holds", || statuses(new) == [401, 200]).await;
    end(daemon);
    put_token(&mut school, "\n");
    let refused = school.program(&["check", "--config-only"]);
    assert!(refused.code == 78 && refused.stdout.contains("http.token_file"), "{refused:?}");
}
