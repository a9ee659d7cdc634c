//! Sends one request at a time, within pace, number in flight, deadline and size.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, Url};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tracing::Instrument;

use super::breaker::{Access, Breaker, Health};
use super::counters::{Calls, Counters};
use super::error::{Cause, Interruption, TransportError};
use super::message::{Method, Parsed, Reply, Request, UnixSeconds};
use super::pace::Pacer;
use super::retry::RetryPacing;
use super::wishes::Wishes;
use super::{install_crypto, moment};
use crate::clock::Clock;
use crate::settings::Endpoint;

/// No decoded body is read beyond this many bytes. The largest documented answer, a page of 100 candidates,
/// has about 24 kB.
pub const LARGEST_BODY_BYTES: usize = 32 * 1024 * 1024;

/// An announced length is believed up to this; beyond it the buffer grows with what really comes.
const LARGEST_RESERVATION_BYTES: usize = 256 * 1024;
/// A connection that takes longer is not going to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Shorter than servers usually keep idle connections, so that no write meets one that is just being closed.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(20);
const USER_AGENT: &str = concat!("rosterd/", env!("CARGO_PKG_VERSION"));

/// The way to one service. Clones share connections, pace and counters.
#[derive(Clone)]
pub struct Transport {
    shared: Arc<Shared>,
    access: Access,
}

struct Shared {
    client: Client,
    base_url: String,
    host: String,
    clock: Clock,
    pacer: Pacer,
    in_flight: Semaphore,
    retry: RetryPacing,
    counters: Counters,
    breaker: Breaker,
    clock_difference: Mutex<Option<i64>>,
    is_accepted: AtomicBool,
    wishes: Wishes,
}

impl Transport {
    /// Prepares calls to a service; nothing is sent yet.
    ///
    /// # Errors
    /// [`TransportError::Setup`] when the address or the extra certificate is unusable, or the system has no
    /// trusted certificates.
    pub fn new(endpoint: &Endpoint, clock: Clock) -> Result<Self, TransportError> {
        Self::with_retry_pacing(endpoint, clock, RetryPacing::default())
    }

    /// The same with other delays between the attempts of a read.
    ///
    /// # Errors
    /// As [`Transport::new`].
    pub fn with_retry_pacing(
        endpoint: &Endpoint,
        clock: Clock,
        retry: RetryPacing,
    ) -> Result<Self, TransportError> {
        install_crypto();
        let base_url = endpoint.base_url.trim_end_matches('/').to_owned();
        let url = parse_base_url(&base_url)?;
        let host = peer_name(&url);
        let client = client_builder(endpoint, &url, &host)?
            .build()
            .map_err(|error| TransportError::from_reqwest(error, &host))?;
        let pacer = Pacer::new(endpoint.requests_per_second);
        let in_flight = Semaphore::new(endpoint.max_in_flight.clamp(1, Semaphore::MAX_PERMITS));
        let (counters, breaker) = (Counters::default(), Breaker::default());
        let clock_difference = Mutex::default();
        let shared = Shared {
            client,
            base_url,
            host,
            clock,
            pacer,
            in_flight,
            retry,
            counters,
            breaker,
            clock_difference,
            is_accepted: AtomicBool::new(false),
            wishes: Wishes::default(),
        };
        Ok(Self { shared: Arc::new(shared), access: Access::Write })
    }

    /// The same way, for parts of a call over which the service failed (5xx). That it fails over a part too tells nothing
    /// new of the service, so the breaker does not count it: the part may hold what it fails over.
    #[must_use]
    pub fn for_parts(&self) -> Self {
        Self { access: Access::Part, ..self.clone() }
    }

    /// Makes exactly one attempt at a call that may change something. `name` is the endpoint's name for counters and
    /// logs; `make` gets the one clock read that belongs to this attempt, taken when its turn has come.
    ///
    /// Any status is an answer, redirects included: they are not followed.
    ///
    /// # Errors
    /// [`TransportError`], by whether the service may have received the request; [`TransportError::Stopped`] once
    /// too many calls in a row have failed, until [`Transport::reset`].
    pub async fn write<T>(
        &self,
        name: &'static str,
        make: impl Fn(UnixSeconds) -> Request,
        parse: impl Fn(&Reply) -> Parsed<T>,
    ) -> Result<T, TransportError> {
        self.shared.closed(self.access)?;
        let result = self.shared.attempt(name, 1, &make, &parse).await;
        self.shared.conclude(self.access, result)
    }

    /// Sends a read, and again where that may help: no connection, a lost answer, 408, 429 and 5xx, and an answer that
    /// is not the documented one. What the last attempt ended in is returned. Never for writes.
    ///
    /// # Errors
    /// As [`Transport::write`].
    pub async fn read<T>(
        &self,
        name: &'static str,
        make: impl Fn(UnixSeconds) -> Request,
        parse: impl Fn(&Reply) -> Parsed<T>,
    ) -> Result<T, TransportError> {
        let mut attempt = 1;
        loop {
            self.shared.closed(Access::Read)?;
            let result = self.shared.attempt(name, attempt, &make, &parse).await;
            let Some(delay) = self.shared.retry.delay_after(attempt, &result, fastrand::f64()) else {
                return self.shared.conclude(Access::Read, result);
            };
            let asked = result.as_ref().ok().and_then(|(reply, _)| reply.retry_after);
            let longest = self.shared.retry.longest_altogether;
            if asked.is_some_and(|asked| !self.may_wait(asked, longest)) {
                return self.shared.conclude(Access::Read, result);
            }
            tokio::time::sleep(delay).await;
            attempt += 1;
        }
    }

    /// How many calls in a row have failed, where that is too many for another write in this run.
    #[must_use]
    pub fn failures_in_a_row(&self) -> Option<u32> {
        self.shared.breaker.open(Access::Write)
    }

    /// Returns to the configured pace, and calls a service again that was left alone.
    pub fn reset(&self) {
        self.shared.pacer.reset();
        self.shared.breaker.reset();
        self.shared.is_accepted.store(false, Ordering::Relaxed);
        self.shared.wishes.reset();
    }

    /// Whether a run may wait so long because the service asks for it: all such waits since the last [`Transport::reset`]
    /// together, of reads and writes, are no longer than `longest`. Then the wait counts.
    pub fn may_wait(&self, asked: Duration, longest: Duration) -> bool {
        self.shared.wishes.grant(asked, longest)
    }

    /// The service has taken a call for one with the right credentials.
    pub fn note_accepted(&self) {
        self.shared.is_accepted.store(true, Ordering::Relaxed);
    }

    /// Whether it has since the last [`Transport::reset`].
    #[must_use]
    pub fn was_accepted(&self) -> bool {
        self.shared.is_accepted.load(Ordering::Relaxed)
    }

    /// How many seconds our clock is ahead of the service's, as its last answer that says what time it is there shows.
    #[must_use]
    pub fn clock_difference(&self) -> Option<i64> {
        *self.shared.clock_difference.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The service's host, with its port where one is configured.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.shared.host
    }

    /// Attempts so far, by endpoint and outcome.
    #[must_use]
    pub fn calls(&self) -> Calls {
        self.shared.counters.read()
    }

    /// Attempts since the last time they were taken.
    #[must_use]
    pub fn take_calls(&self) -> Calls {
        self.shared.counters.take()
    }
}

impl Shared {
    /// Whether the breaker lets such calls through.
    fn closed(&self, access: Access) -> Result<(), TransportError> {
        match self.breaker.open(access) {
            Some(failures) => Err(TransportError::Stopped { host: self.host.clone(), failures }),
            None => Ok(()),
        }
    }

    /// Tells the breaker how a call ended.
    fn conclude<T>(
        &self,
        access: Access,
        result: Result<(Reply, Parsed<T>), TransportError>,
    ) -> Result<T, TransportError> {
        let health = match &result {
            Ok((reply, _)) if access == Access::Part && reply.status >= 500 => Health::Untold,
            Ok((reply, parsed)) => Health::of_answer(reply.status, parsed.is_documented),
            Err(error) => Health::of_error(error),
        };
        self.breaker.record(access, health);
        result.map(|(_, parsed)| parsed.value)
    }

    async fn attempt<T>(
        &self,
        name: &'static str,
        attempt: u32,
        make: &impl Fn(UnixSeconds) -> Request,
        parse: &impl Fn(&Reply) -> Parsed<T>,
    ) -> Result<(Reply, Parsed<T>), TransportError> {
        // The place first, then the turn: the other way round, turns would be saved up while waiting for a place.
        let Ok(place) = self.in_flight.acquire().await else {
            return Err(self.setup("the queue is closed, which nothing does"));
        };
        self.pacer.turn().await;
        let sent_at = UnixSeconds(self.clock.now_ms().div_euclid(1000));
        let request = self.build(make(sent_at))?;
        let span = tracing::debug_span!("http", peer = %self.host, endpoint = name, attempt);
        let started = Instant::now();
        let result = self.exchange(request, sent_at).instrument(span.clone()).await;
        // Nothing is in flight any more: the next request leaves before this answer is worked on.
        drop(place);
        let outcome = match &result {
            Ok(reply) => reply.status.to_string(),
            Err(error) => error.outcome().to_owned(),
        };
        let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        span.in_scope(|| tracing::debug!(status = %outcome, duration_ms, "http request finished"));
        self.counters.count(name, outcome);
        self.record(&result);
        result.map(|reply| {
            let parsed = parse(&reply);
            (reply, parsed)
        })
    }

    /// A service that says 429 is called less often, and not before the moment it names.
    fn record(&self, result: &Result<Reply, TransportError>) {
        let Ok(reply) = result else { return };
        if let Some(there) = reply.date {
            let ahead = reply.sent_at.0.saturating_sub(there.0);
            *self.clock_difference.lock().unwrap_or_else(PoisonError::into_inner) = Some(ahead);
        }
        if reply.status != 429 {
            return;
        }
        let now = Instant::now();
        self.pacer.lower(now);
        if let Some(span) = reply.retry_after.filter(|span| *span <= self.retry.longest_retry_after) {
            self.pacer.hold(now, span);
        }
    }

    fn build(&self, request: Request) -> Result<reqwest::Request, TransportError> {
        let Request { method, path, query, form, json, headers } = request;
        let url = format!("{}{path}", self.base_url);
        let mut builder = match (method, json) {
            (Method::Get, _) => self.client.get(url),
            (Method::Post, None) => self.client.post(url).form(&form),
            (Method::Post, Some(json)) => {
                self.client.post(url).header(CONTENT_TYPE, "application/json; charset=utf-8").body(json)
            }
        };
        if !query.is_empty() {
            builder = builder.query(&query);
        }
        for (name, value) in headers {
            let Ok(mut value) = HeaderValue::from_str(&value) else {
                return Err(self.setup("a header's value has characters that no header can carry"));
            };
            value.set_sensitive(true);
            let Ok(name) = HeaderName::try_from(name) else {
                return Err(self.setup("a header's name has characters that no header can carry"));
            };
            builder = builder.header(name, value);
        }
        builder.build().map_err(|error| TransportError::from_reqwest(error, &self.host))
    }

    async fn exchange(
        &self,
        request: reqwest::Request,
        sent_at: UnixSeconds,
    ) -> Result<Reply, TransportError> {
        let mut response = self
            .client
            .execute(request)
            .await
            .map_err(|error| TransportError::from_reqwest(error, &self.host))?;
        let status = response.status().as_u16();
        let date = header(response.headers(), &DATE).and_then(moment::http_date);
        let retry_after = header(response.headers(), &RETRY_AFTER)
            .and_then(|value| moment::retry_after(value, date.unwrap_or(sent_at)));
        let announced = response.content_length().and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(0);
        let mut body = Vec::with_capacity(announced.min(LARGEST_RESERVATION_BYTES));
        while let Some(chunk) =
            response.chunk().await.map_err(|error| TransportError::from_reqwest(error, &self.host))?
        {
            if body.len().saturating_add(chunk.len()) > LARGEST_BODY_BYTES {
                return Err(self.too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Reply { status, body, retry_after, date, sent_at })
    }

    fn setup(&self, what: &str) -> TransportError {
        TransportError::Setup { host: self.host.clone(), what: what.to_owned() }
    }

    fn too_large(&self) -> TransportError {
        let cause = Cause::new(format!("more than {LARGEST_BODY_BYTES} bytes"));
        TransportError::Interrupted { host: self.host.clone(), why: Interruption::TooLarge, cause }
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn parse_base_url(base_url: &str) -> Result<Url, TransportError> {
    // The address itself is not quoted: it may hold a password.
    let unusable =
        |what: &str| TransportError::Setup { host: "the service".to_owned(), what: what.to_owned() };
    let url = Url::parse(base_url).map_err(|_| unusable("base_url is not an address"))?;
    if !url.has_host() || !matches!(url.scheme(), "http" | "https") {
        return Err(unusable("base_url is not an http or https address"));
    }
    Ok(url)
}

fn peer_name(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn client_builder(endpoint: &Endpoint, url: &Url, host: &str) -> Result<ClientBuilder, TransportError> {
    let plain = url.scheme() == "http";
    let mut builder = Client::builder()
        .user_agent(USER_AGENT)
        .https_only(!plain)
        // A redirect would carry the form, and in `Referer` the query with its secret, to another host.
        .redirect(Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .gzip(true)
        .timeout(endpoint.timeout)
        // Ahead of the overall deadline, so that a connection that hangs is known not to have been used.
        .connect_timeout(CONNECT_TIMEOUT.min(endpoint.timeout.mul_f64(0.9)))
        .pool_idle_timeout(POOL_IDLE_TIMEOUT);
    if is_loopback(url) {
        builder = builder.no_proxy();
    }
    if plain {
        // Without TLS the system's certificates need not be there, nor be read.
        return Ok(builder.tls_certs_only([]));
    }
    if let Some(path) = &endpoint.ca_file {
        builder = builder.tls_certs_merge(extra_certificates(path, host)?);
    }
    Ok(builder)
}

fn extra_certificates(path: &std::path::Path, host: &str) -> Result<Vec<Certificate>, TransportError> {
    let unusable = |why: &dyn std::fmt::Display| TransportError::Setup {
        host: host.to_owned(),
        what: format!("ca_file {}: {why}", path.display()),
    };
    let pem = std::fs::read(path).map_err(|error| unusable(&error))?;
    match Certificate::from_pem_bundle(&pem) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) | Err(_) => Err(unusable(&"holds no certificate in PEM form")),
    }
}
