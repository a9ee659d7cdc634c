//! The transport against sockets that behave badly.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::clock::Clock;
use crate::settings::Endpoint;

const SECRET: &str = "S3CRET";
const PAUSES: RetryPacing = RetryPacing {
    attempts: 4,
    first_delay: Duration::from_millis(1),
    longest_delay: Duration::from_millis(4),
    longest_retry_after: Duration::from_millis(900),
    longest_altogether: Duration::from_secs(60),
};

/// The answer itself.
fn whole(reply: &Reply) -> Parsed<Reply> {
    Parsed::documented(reply.clone())
}

/// A server that answers the k-th connection with the k-th text, the last one again and again.
struct Fake {
    port: u16,
    connections: Arc<AtomicUsize>,
}

impl Fake {
    async fn answering(answers: Vec<Vec<u8>>, keeps_open: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let number = counter.fetch_add(1, Ordering::SeqCst);
                let answer = answers[number.min(answers.len() - 1)].clone();
                tokio::spawn(async move {
                    read_head(&mut stream).await;
                    let _ = stream.write_all(&answer).await;
                    if keeps_open {
                        std::future::pending::<()>().await;
                    }
                });
            }
        });
        Self { port, connections }
    }

    async fn closing_after(answers: &[&str]) -> Self {
        Self::answering(answers.iter().map(|answer| answer.as_bytes().to_vec()).collect(), false).await
    }

    fn transport(&self) -> Transport {
        transport(&endpoint(&format!("http://127.0.0.1:{}", self.port)))
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn read_head(stream: &mut TcpStream) {
    let mut head = Vec::new();
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
}

fn endpoint(base_url: &str) -> Endpoint {
    Endpoint {
        base_url: base_url.to_owned(),
        requests_per_second: 0.0,
        max_in_flight: 4,
        timeout: Duration::from_secs(5),
        ca_file: None,
    }
}

fn transport(endpoint: &Endpoint) -> Transport {
    Transport::with_retry_pacing(endpoint, Clock::system(), PAUSES).unwrap()
}

fn request(_: UnixSeconds) -> Request {
    Request { query: vec![("code", SECRET.to_owned())], ..Request::get("/x") }
}

fn everything_said(error: &dyn std::error::Error) -> String {
    let mut said = format!("{error} {error:?}");
    let mut next = error.source();
    while let Some(source) = next {
        said.push_str(&format!(" {source} {source:?}"));
        next = source.source();
    }
    assert!(!said.contains(SECRET) && !said.contains("://") && !said.contains("/x"), "{said}");
    said
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
const UNAVAILABLE: &str = "HTTP/1.1 503 Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let target = Fake::closing_after(&[OK]).await;
    let answer = format!(
        "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:{}/login\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        target.port
    );
    let fake = Fake::closing_after(&[&answer]).await;
    let reply = fake.transport().read("getFields", request, whole).await.unwrap();
    assert_eq!((reply.status, target.connections()), (302, 0));
}

#[tokio::test]
async fn a_read_is_repeated_until_it_is_answered() {
    let fake = Fake::closing_after(&[UNAVAILABLE, "", OK]).await;
    let transport = fake.transport();
    assert_eq!(transport.read("getFields", request, whole).await.unwrap().body, b"{}");
    let counted = |outcome: &str| (("getFields", outcome.to_owned()), 1);
    assert_eq!(transport.take_calls(), Calls::from(["503", "interrupted", "200"].map(counted)));
    assert!(transport.calls().is_empty());
}

#[tokio::test]
async fn a_read_is_given_up_after_four_attempts() {
    let fake = Fake::closing_after(&[UNAVAILABLE]).await;
    assert_eq!(fake.transport().read("getFields", request, whole).await.unwrap().status, 503);
    assert_eq!(fake.connections(), 4);
}

#[tokio::test]
async fn a_write_is_sent_once_whatever_becomes_of_it() {
    for answer in [UNAVAILABLE, "", "HTTP/1.1 408 Slow\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"] {
        let fake = Fake::closing_after(&[answer]).await;
        let _ = fake.transport().write("delStu", |_| Request::post("/x"), whole).await;
        assert_eq!(fake.connections(), 1, "{answer}");
    }
}

#[tokio::test]
async fn a_port_that_nobody_listens_on_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let transport = transport(&endpoint(&format!("http://127.0.0.1:{port}")));
    let error = transport.write("delStu", request, whole).await.unwrap_err();
    assert!(matches!(error, TransportError::Unreachable { .. }) && !error.may_have_been_sent());
    assert!(everything_said(&error).starts_with(&format!("127.0.0.1:{port} cannot be reached")));
    assert_eq!(transport.calls(), Calls::from([(("delStu", "unreachable".to_owned()), 1)]));
}

#[tokio::test]
async fn a_service_that_speaks_no_tls_is_unreachable() {
    let fake = Fake::closing_after(&["HTTP/1.1 400 Bad Request\r\n\r\n"]).await;
    let transport = transport(&endpoint(&format!("https://127.0.0.1:{}", fake.port)));
    let error = transport.write("delStu", request, whole).await.unwrap_err();
    assert!(matches!(error, TransportError::Unreachable { .. }), "{error:?}");
    everything_said(&error);
}

#[tokio::test]
async fn an_answer_that_does_not_come_or_does_not_end_is_a_timeout() {
    for begun in ["", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"] {
        let fake = Fake::answering(vec![begun.as_bytes().to_vec()], true).await;
        let mut endpoint = endpoint(&format!("http://127.0.0.1:{}", fake.port));
        endpoint.timeout = Duration::from_millis(200);
        let transport = transport(&endpoint);
        let error = transport.write("delStu", request, whole).await.unwrap_err();
        let is_timeout = matches!(error, TransportError::Interrupted { why: Interruption::Timeout, .. });
        assert!(is_timeout && error.may_have_been_sent(), "{begun} {error:?}");
        everything_said(&error);
        assert_eq!(transport.calls(), Calls::from([(("delStu", "timeout".to_owned()), 1)]));
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_interrupted() {
    let cut = [
        "",
        "HTTP/1.1 200 OK\r\ncontent-le",
        "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{",
        "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-encoding: gzip\r\n\r\nabc",
        "nonsense\r\n\r\n",
    ];
    for answer in cut {
        let fake = Fake::closing_after(&[answer]).await;
        let error = fake.transport().write("delStu", request, whole).await.unwrap_err();
        assert!(
            matches!(error, TransportError::Interrupted { why: Interruption::Cut, .. }),
            "{answer} {error:?}"
        );
        everything_said(&error);
    }
}

#[tokio::test]
async fn an_answer_that_grows_beyond_the_limit_while_it_is_unpacked_is_refused() {
    let packed = include_bytes!("../../../tests/fixtures/exam/blanks_33_mib.gz");
    let head =
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\ncontent-encoding: gzip\r\n\r\n", packed.len());
    let fake = Fake::answering(vec![[head.as_bytes(), packed].concat()], false).await;
    let error = fake.transport().write("getstulist", request, whole).await.unwrap_err();
    assert!(matches!(error, TransportError::Interrupted { why: Interruption::TooLarge, .. }), "{error:?}");
}

#[tokio::test]
async fn the_clock_is_read_once_an_attempt_and_the_services_clock_is_kept() {
    let dated = "HTTP/1.1 429 Slow down\r\ndate: Mon, 06 Dec 2021 05:35:35 GMT\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n";
    let fake = Fake::closing_after(&[dated]).await;
    let before = Clock::system().now_ms() / 1000;
    let reply = fake.transport().read("getFields", request, whole).await.unwrap();
    assert_eq!(reply.date, Some(UnixSeconds(1_638_768_935)));
    assert_eq!(reply.retry_after, Some(Duration::from_secs(7)));
    assert!(reply.sent_at.0 - before <= 5);
    assert_eq!(fake.connections(), 1, "it asked for more than we wait");
}

#[tokio::test]
async fn a_429_lowers_the_pace_until_the_next_run() {
    let too_soon = "HTTP/1.1 429 Slow down\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let fake = Fake::closing_after(&[too_soon, OK]).await;
    let transport = fake.transport();
    let started = tokio::time::Instant::now();
    transport.read("getFields", request, whole).await.unwrap();
    assert!(started.elapsed() >= Duration::from_millis(200), "{:?}", started.elapsed());
    transport.reset();
    assert_eq!(transport.write("getFields", request, whole).await.unwrap().status, 200);
}

#[tokio::test]
async fn no_more_requests_are_under_way_than_allowed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut endpoint = endpoint(&format!("http://{}", listener.local_addr().unwrap()));
    endpoint.max_in_flight = 2;
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (now_here, most_here) = (Arc::clone(&now), Arc::clone(&most));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (now, most) = (Arc::clone(&now_here), Arc::clone(&most_here));
            tokio::spawn(async move {
                read_head(&mut stream).await;
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(20)).await;
                now.fetch_sub(1, Ordering::SeqCst);
                let _ = stream.write_all(OK.as_bytes()).await;
            });
        }
    });
    let transport = transport(&endpoint);
    let sent = (0..8).map(|_| transport.write("getstulist", request, whole));
    assert!(futures_util::future::join_all(sent).await.iter().all(Result::is_ok));
    assert_eq!(most.load(Ordering::SeqCst), 2);
}

#[test]
fn an_unusable_setting_is_named_and_the_address_is_not_quoted() {
    let failure = |endpoint: &Endpoint| match Transport::new(endpoint, Clock::system()) {
        Ok(_) => panic!("{} is usable", endpoint.base_url),
        Err(error) => everything_said(&error),
    };
    for base_url in ["", "exam.test", "ftp://S3CRET@exam.test", "http://"] {
        assert!(failure(&endpoint(base_url)).contains("base_url"), "{base_url}");
    }
    let with_ca =
        |path: &std::path::Path| Endpoint { ca_file: Some(path.into()), ..endpoint("https://exam.test") };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("extra.pem");
    let said = Transport::new(&with_ca(&path), Clock::system()).err().unwrap().to_string();
    assert!(said.contains("exam.test") && said.contains("extra.pem: No such file"), "{said}");
    std::fs::write(&path, "no certificate").unwrap();
    let said = Transport::new(&with_ca(&path), Clock::system()).err().unwrap().to_string();
    assert!(said.ends_with("extra.pem: holds no certificate in PEM form"), "{said}");
}
