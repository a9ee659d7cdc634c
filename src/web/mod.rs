//! Health, metrics and the status page over HTTP: read-only, and without anything about persons.
//!
//! The contents come from [`Health`], which the daemon and the runs fill. This module changes nothing.

mod access;
mod connections;
mod exposition;
mod health;
mod host;
mod metrics;
mod page;
mod summary;

use std::io;
use std::net::SocketAddr;

use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderName, HeaderValue,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, Response, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::invocation::{self, Written};

pub use access::Access;
pub use health::Health;
pub use summary::{CallCount, Figures, OperationCount, RunSummary};

use crate::clock::Clock;
use access::Ends;
use connections::{LimitedListener, Limits};

/// The longest wait for clients at the end.
const GRACE: Duration = Duration::from_secs(2);

/// No scripts, no outside resources, no framing.
const CONTENT_POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The reason why nothing is served.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// The address is taken, or not ours.
    #[error("http.listen: {listen} cannot be listened on")]
    Bind {
        /// The address asked for.
        listen: SocketAddr,
        /// The operating system's error.
        #[source]
        source: io::Error,
    },
}

/// A server under way.
#[derive(Debug)]
pub struct BoundAddress {
    address: SocketAddr,
    served: JoinHandle<()>,
}

impl BoundAddress {
    /// The address it listens on: with port 0, the port that the system chose.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until the last answer is out after the stop token was cancelled, for as long as [`GRACE`] at most: a client
    /// that does not go keeps no process.
    pub async fn finished(self) {
        let Self { address: _, mut served } = self;
        match tokio::time::timeout(GRACE, &mut served).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "the health server ended badly"),
            Err(_) => {
                tracing::debug!("a client is still connected; it is left");
                served.abort();
            }
        }
    }
}

#[derive(Clone, Debug)]
struct Shared {
    health: Health,
    clock: Clock,
    access: Access,
    /// What is listened on.
    listen: SocketAddr,
}

/// Serves health, metrics and the status page on `listen` until `stop` is cancelled. Where `listen` is not loopback, the page
/// and `/api` demand the token of `access`; health, readiness and metrics never do.
///
/// # Errors
/// [`WebError::Bind`] when the address cannot be had.
pub async fn serve(
    listen: SocketAddr,
    health: Health,
    access: Access,
    clock: Clock,
    stop: CancellationToken,
) -> Result<BoundAddress, WebError> {
    serve_within(Limits::default(), Shared { health, clock, access, listen }, stop).await
}

async fn serve_within(
    limits: Limits,
    shared: Shared,
    stop: CancellationToken,
) -> Result<BoundAddress, WebError> {
    let listen = shared.listen;
    let bind = |source| WebError::Bind { listen, source };
    let listener = TcpListener::bind(listen).await.map_err(bind)?;
    let address = listener.local_addr().map_err(bind)?;
    let listener = LimitedListener::new(listener, limits);
    let service = router(shared).into_make_service_with_connect_info::<Ends>();
    let served = tokio::spawn(async move {
        let stopped = async move { stop.cancelled().await };
        if let Err(error) = axum::serve(listener, service).with_graceful_shutdown(stopped).await {
            tracing::error!(%error, "the health server ended badly");
        }
    });
    Ok(BoundAddress { address, served })
}

/// Only GET (and HEAD, which every GET implies) is answered. A new route belongs to the guarded ones, unless machines without
/// a token need it.
fn router(shared: Shared) -> Router {
    let guarded: Router<Shared> = Router::new()
        .route("/", get(status_page))
        .route("/style.css", get(style))
        .route("/api/v1/status", get(status_json))
        .fallback(|| async { (StatusCode::NOT_FOUND, "not found\n") })
        .layer(middleware::from_fn_with_state(shared.clone(), access::guard_pages));
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics_text))
        .merge(guarded)
        .layer(middleware::from_fn(guard_host))
        .with_state(shared)
}

/// Refuses names that are not ours, and adds the headers that every answer carries.
async fn guard_host(request: Request, next: Next) -> impl IntoResponse {
    let host = request.headers().get(HOST).and_then(|value| value.to_str().ok());
    let mut response = if host.is_some_and(host::is_ours) {
        next.run(request).await
    } else {
        (StatusCode::MISDIRECTED_REQUEST, "this server answers to its address and to localhost only\n")
            .into_response()
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, CONTENT_POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn healthz(State(shared): State<Shared>) -> impl IntoResponse {
    if shared.health.is_alive(shared.clock.now_ms()) {
        (StatusCode::OK, "alive\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the scheduler is silent\n")
    }
}

async fn readyz(State(shared): State<Shared>) -> impl IntoResponse {
    match shared.health.not_ready() {
        None => (StatusCode::OK, "ready\n".to_owned()),
        Some(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {reason}\n")),
    }
}

async fn metrics_text(State(shared): State<Shared>, headers: HeaderMap) -> impl IntoResponse {
    let Ok(text) = shared.health.metrics_text(shared.clock.now_ms()) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let accept = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let (kind, text) = if exposition::wants_openmetrics(accept) {
        (exposition::OPENMETRICS, text)
    } else {
        (exposition::PROMETHEUS, exposition::as_prometheus(&text))
    };
    ([(CONTENT_TYPE, kind), (VARY, "accept")], text).into_response()
}

async fn status_page(State(shared): State<Shared>) -> Response<axum::body::Body> {
    match page::render(&shared.health.picture(shared.clock.now_ms())) {
        Ok(html) => Html(html).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn status_json(State(shared): State<Shared>) -> Response<axum::body::Body> {
    match serde_json::to_string(&shared.health.picture(shared.clock.now_ms())) {
        Ok(json) => {
            let json = invocation::complete(&json, Written::Json).into_owned();
            ([(CONTENT_TYPE, "application/json")], json).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn style() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], page::STYLE)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    use rosterd_core::situation::{Facts, ShownAttention, ShownAttentions};

    use super::*;

    struct Served {
        health: Health,
        clock: Clock,
        address: SocketAddr,
        stop: CancellationToken,
        bound: BoundAddress,
    }

    async fn served() -> Served {
        served_within(Limits::default()).await
    }

    async fn served_within(limits: Limits) -> Served {
        let (health, clock, stop) = (Health::new(), Clock::system(), CancellationToken::new());
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let shared = Shared {
            health: health.clone(),
            clock: clock.clone(),
            access: Access::default(),
            listen: anywhere,
        };
        let bound = serve_within(limits, shared, stop.clone()).await.unwrap();
        Served { address: bound.address(), health, clock, stop, bound }
    }

    /// One exchange as it goes over the wire.
    async fn ask(address: SocketAddr, method: &str, path: &str, host: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    fn status(answer: &str) -> &str {
        answer.split(' ').nth(1).unwrap()
    }

    #[tokio::test]
    async fn healthz_says_whether_the_scheduler_ticks() {
        let served = served().await;
        assert_eq!(status(&ask(served.address, "GET", "/healthz", "localhost").await), "503");
        served.health.heartbeat(served.clock.now_ms());
        assert_eq!(status(&ask(served.address, "GET", "/healthz", "localhost").await), "200");
        served.clock.shift_ms(181_000);
        assert_eq!(status(&ask(served.address, "GET", "/healthz", "localhost").await), "503");
    }

    #[tokio::test]
    async fn readyz_gives_the_reason() {
        let served = served().await;
        served.health.ready(false, "state database: locked");
        let answer = ask(served.address, "GET", "/readyz", "127.0.0.1").await;
        assert_eq!(status(&answer), "503");
        assert!(answer.ends_with("not ready: state database: locked\n"), "{answer}");
        served.health.ready(true, "");
        assert_eq!(status(&ask(served.address, "GET", "/readyz", "127.0.0.1").await), "200");
    }

    #[tokio::test]
    async fn metrics_have_every_documented_name_and_the_form_that_is_asked_for() {
        let served = served().await;
        served.health.guard_stop();
        served.health.overlap_skipped();
        served.health.failures_open("classin", 2);
        let waits = ShownAttention {
            count: 2,
            since: Some("2027-01-04T08:20:00Z".to_owned()),
            owner: "office".to_owned(),
            owners: std::collections::BTreeMap::new(),
            what: "2 dead letters".to_owned(),
        };
        let attention = ShownAttentions::from([("dead-letters".to_owned(), waits)]);
        served.health.known(Facts { attention, ..Facts::default() });
        let figures = Figures {
            operations: vec![OperationCount { service: "exam", kind: "add", outcome: "failed", count: 1 }],
            calls: vec![CallCount {
                service: "exam",
                endpoint: "e".to_owned(),
                outcome: "200".to_owned(),
                count: 1,
            }],
        };
        let summary = RunSummary { figures, ..RunSummary::failed(1_000) };
        served.health.run_finished(&summary, std::time::Duration::from_secs(1));
        let answer = ask(served.address, "GET", "/metrics", "localhost").await;
        assert!(answer.contains(exposition::PROMETHEUS) && !answer.contains("# EOF"), "{answer}");
        for name in [
            "rosterd_build_info{",
            "rosterd_runs_total{",
            "rosterd_run_duration_seconds_bucket{",
            "rosterd_last_success_timestamp_seconds ",
            "rosterd_results_last_success_timestamp_seconds ",
            "rosterd_next_run_timestamp_seconds ",
            "rosterd_items_total{",
            "rosterd_failed_items{",
            "rosterd_held_items ",
            "rosterd_remote_requests_total{",
            "rosterd_healthy ",
            "rosterd_attention_items{",
            "rosterd_attention_oldest_timestamp_seconds{",
            "rosterd_guard_stops_total 1",
            "rosterd_overlap_skipped_total 1",
            "rosterd_timer_restarts_total 0",
        ] {
            assert!(answer.lines().any(|line| line.starts_with(name)), "{name} is missing in\n{answer}");
        }
        let host = "localhost\r\nAccept: application/openmetrics-text; version=1.0.0";
        let answer = ask(served.address, "GET", "/metrics", host).await;
        assert!(answer.contains(exposition::OPENMETRICS) && answer.ends_with("# EOF\n"), "{answer}");
    }

    #[tokio::test]
    async fn the_page_may_load_nothing_and_run_nothing() {
        let served = served().await;
        let answer = ask(served.address, "GET", "/", "[::1]").await;
        assert_eq!(status(&answer), "200");
        let policy = format!("content-security-policy: {CONTENT_POLICY}");
        assert!(answer.lines().any(|line| line == policy), "{answer}");
        assert!(!answer.contains("<script") && !answer.contains("http://"), "{answer}");
    }

    #[tokio::test]
    async fn the_status_document_is_json_with_the_same_facts() {
        let served = served().await;
        served.health.held(4);
        let answer = ask(served.address, "GET", "/api/v1/status", "localhost").await;
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        let document: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(document["held"], 4);
        assert_eq!(document["ready"], false);
    }

    #[tokio::test]
    async fn a_page_that_rebinds_its_name_to_us_is_refused() {
        let served = served().await;
        for path in ["/", "/healthz", "/metrics"] {
            let answer = ask(served.address, "GET", path, "evil.example").await;
            assert_eq!(status(&answer), "421", "{path}");
        }
    }

    #[tokio::test]
    async fn nothing_but_get_is_answered() {
        let served = served().await;
        for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
            assert_eq!(status(&ask(served.address, method, "/", "localhost").await), "405", "{method}");
        }
        assert_eq!(status(&ask(served.address, "GET", "/elsewhere", "localhost").await), "404");
    }

    #[tokio::test]
    async fn a_taken_port_is_an_error_that_names_its_key() {
        let served = served().await;
        let (health, clock, stop) = (Health::new(), Clock::system(), CancellationToken::new());
        let error = serve(served.address, health, Access::default(), clock, stop).await.unwrap_err();
        assert_eq!(error.to_string(), format!("http.listen: {} cannot be listened on", served.address));
    }

    #[tokio::test]
    async fn clients_that_hold_every_connection_and_say_nothing_are_let_go_and_others_have_their_turn() {
        let silence = Duration::from_millis(50);
        let life = Duration::from_millis(200);
        let served = served_within(Limits { connections: 2, silence, life }).await;
        served.health.heartbeat(served.clock.now_ms());
        let mut held = Vec::new();
        for _ in 0..6 {
            let mut stream = TcpStream::connect(served.address).await.unwrap();
            stream.write_all(b"GET /healthz HTTP/1.1\r\nHos").await.unwrap();
            held.push(stream);
        }
        assert_eq!(status(&ask(served.address, "GET", "/healthz", "localhost").await), "200");
        for mut stream in held {
            let mut rest = Vec::new();
            let _ended = stream.read_to_end(&mut rest).await;
        }
    }

    #[tokio::test]
    async fn health_is_answered_at_once_however_many_clients_connect_and_say_nothing() {
        let silence = Duration::from_secs(600);
        let served = served_within(Limits { connections: 4, silence, life: silence }).await;
        served.health.heartbeat(served.clock.now_ms());
        let mut held = Vec::new();
        for round in 0..30 {
            let mut stream = TcpStream::connect(served.address).await.unwrap();
            if round % 2 == 0 {
                stream.write_all(b"GET /healthz HTTP/1.1\r\nHos").await.unwrap();
            }
            held.push(stream);
            let asked = ask(served.address, "GET", "/healthz", "localhost");
            let answer = tokio::time::timeout(Duration::from_secs(5), asked).await;
            assert_eq!(answer.as_deref().map(status), Ok("200"), "after {} silent clients", held.len());
        }
        // Those that were silent for longest have made room; the others were left alone.
        let mut ended = 0;
        for stream in &mut held {
            let read = tokio::time::timeout(Duration::from_millis(20), stream.read(&mut [0; 64])).await;
            ended += usize::from(read.is_ok());
        }
        assert!((26..30).contains(&ended), "{ended} of 30 were ended");
    }

    #[tokio::test]
    async fn a_client_that_sends_a_byte_now_and_then_is_let_go_too() {
        let silence = Duration::from_secs(60);
        let served =
            served_within(Limits { connections: 1, silence, life: Duration::from_millis(100) }).await;
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        while stream.write_all(b"G").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    #[tokio::test]
    async fn it_ends_although_a_client_stays() {
        let served = served().await;
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHos").await.unwrap();
        served.stop.cancel();
        served.bound.finished().await;
        drop(stream);
    }

    #[tokio::test]
    async fn it_ends_when_it_is_told_to() {
        let served = served().await;
        served.stop.cancel();
        served.bound.finished().await;
        assert!(TcpStream::connect(served.address).await.is_err());
    }
}
