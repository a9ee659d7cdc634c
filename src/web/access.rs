//! Who may see the pages and `/api`: everybody on this machine's own address; on any other, whoever shows the token that
//! `http.token_file` names.
//!
//! Health, readiness and metrics stand outside of it: they say nothing that needs a token.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use axum::extract::connect_info::{ConnectInfo, Connected};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, HeaderMap, HeaderName, WWW_AUTHENTICATE};
use axum::http::{Response, StatusCode};
use axum::middleware::Next;
use axum::response::IntoResponse as _;
use axum::serve::IncomingStream;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};

use super::Shared;
use super::connections::LimitedListener;
use crate::settings::demands_token;

/// A browser asks for a name and a password; the name is not looked at.
const CHALLENGE: &str = r#"Basic realm="rosterd", charset="UTF-8""#;

const TOKEN_IS_WRONG: &str = "a token is demanded on this address: log in with any user name and the token as password, or send \
                              \"Authorization: Bearer TOKEN\"; whoever runs rosterd has it in the file of http.token_file\n";

const NO_TOKEN_IS_SET: &str = "pages and /api demand a token on any other address than loopback, and none is set. Whoever runs \
                               rosterd writes one into a file (openssl rand -hex 32), enters its path as http.token_file and \
                               reloads rosterd (SIGHUP), or sets http.listen = \"127.0.0.1:8480\" and restarts it\n";

/// A proxy says with one of these that it hands on a request of somebody else.
const OF_PROXIES: [&str; 4] = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

/// The shortest time between two lines in the log about wrong tokens, in milliseconds.
const BETWEEN_LINES_MS: i64 = 60_000;

/// The token that is demanded, shared with whoever reads the configuration again.
#[derive(Clone, Default)]
pub struct Access {
    token: Arc<RwLock<Option<blake3::Hash>>>,
    wrong: Arc<Mutex<WrongTokens>>,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").finish_non_exhaustive()
    }
}

/// What has not been said yet of wrong tokens.
#[derive(Debug, Default)]
struct WrongTokens {
    count: u64,
    said_ms: Option<i64>,
}

/// Why a request is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    NoTokenIsSet,
    Missing,
    Wrong,
}

impl Refusal {
    fn as_str(self) -> &'static str {
        match self {
            Self::NoTokenIsSet => "no-token-is-set",
            Self::Missing => "missing",
            Self::Wrong => "wrong",
        }
    }
}

/// The two ends of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    /// Ours; unknown once the client has gone.
    local: Option<SocketAddr>,
    peer: SocketAddr,
}

impl Connected<IncomingStream<'_, LimitedListener>> for Ends {
    fn connect_info(stream: IncomingStream<'_, LimitedListener>) -> Self {
        Self { local: stream.io().local_addr().ok(), peer: *stream.remote_addr() }
    }
}

impl Access {
    /// This token is demanded from now on; without one nobody gets in where one is demanded.
    #[must_use]
    pub fn with(token: Option<&SecretString>) -> Self {
        let access = Self::default();
        access.replace(token);
        access
    }

    /// The same for a server under way.
    pub fn replace(&self, token: Option<&SecretString>) {
        let digest = token.map(|token| blake3::hash(token.expose_secret().as_bytes()));
        *self.token.write().unwrap_or_else(PoisonError::into_inner) = digest;
    }

    fn judge(&self, headers: &HeaderMap, listen: SocketAddr, ends: Ends) -> Result<(), Refusal> {
        let token = *self.token.read().unwrap_or_else(PoisonError::into_inner);
        let is_of_proxy =
            OF_PROXIES.into_iter().any(|name| headers.contains_key(HeaderName::from_static(name)));
        let is_of_network = demands_token(listen) || ends.local.is_none_or(demands_token);
        match token {
            // On loopback without a token the log-in is the proxy's own business.
            None if is_of_network => Err(Refusal::NoTokenIsSet),
            None => Ok(()),
            Some(token) if is_of_network || is_of_proxy => is_shown(headers, token),
            Some(_) => Ok(()),
        }
    }

    /// Says in the log that tokens were wrong, once a minute at most.
    fn note_wrong(&self, peer: SocketAddr, now_ms: i64) {
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        wrong.count = wrong.count.saturating_add(1);
        // A clock that was set back must not keep it silent.
        if wrong.said_ms.is_some_and(|said| (0..BETWEEN_LINES_MS).contains(&now_ms.saturating_sub(said))) {
            return;
        }
        let count = std::mem::take(&mut wrong.count);
        wrong.said_ms = Some(now_ms);
        drop(wrong);
        tracing::warn!(
            count,
            "requests with a wrong token were refused, the last one from {}: http.token_file names the right one",
            peer.ip().to_canonical()
        );
    }
}

/// Compares digests, and those in constant time ([`blake3::Hash`] does): how long it takes tells nothing of the token.
fn is_shown(headers: &HeaderMap, token: blake3::Hash) -> Result<(), Refusal> {
    let Some(header) = headers.get(AUTHORIZATION) else { return Err(Refusal::Missing) };
    let shown = shown_token(header.as_bytes()).map(|shown| blake3::hash(&shown));
    if shown == Some(token) { Ok(()) } else { Err(Refusal::Wrong) }
}

/// What follows `Bearer`, or the password of `Basic`.
fn shown_token(header: &[u8]) -> Option<Vec<u8>> {
    let at = header.iter().position(|byte| *byte == b' ')?;
    let (scheme, rest) = header.split_at(at);
    let rest = rest.trim_ascii();
    if scheme.eq_ignore_ascii_case(b"bearer") {
        return Some(rest.to_vec());
    }
    if !scheme.eq_ignore_ascii_case(b"basic") {
        return None;
    }
    let decoded = STANDARD.decode(rest).ok()?;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    decoded.get(colon + 1..).map(<[u8]>::to_vec)
}

/// Lets pass whoever may see pages.
pub(super) async fn guard_pages(
    State(shared): State<Shared>,
    ConnectInfo(ends): ConnectInfo<Ends>,
    request: Request,
    next: Next,
) -> Response<axum::body::Body> {
    let refusal = match shared.access.judge(request.headers(), shared.listen, ends) {
        Ok(()) => return next.run(request).await,
        Err(refusal) => refusal,
    };
    shared.health.page_refused(refusal.as_str());
    match refusal {
        Refusal::NoTokenIsSet => (StatusCode::FORBIDDEN, NO_TOKEN_IS_SET).into_response(),
        Refusal::Missing => challenge(),
        Refusal::Wrong => {
            shared.access.note_wrong(ends.peer, shared.clock.now_ms());
            challenge()
        }
    }
}

fn challenge() -> Response<axum::body::Body> {
    (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, CHALLENGE)], TOKEN_IS_WRONG).into_response()
}

#[cfg(test)]
mod tests {
    use axum::http::header::HeaderValue;

    use super::*;

    const TOKEN: &str = "0123456789abcdef";

    fn headers(named: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = named
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()));
        pairs.collect()
    }

    fn judged(
        token: Option<&str>,
        named: &[(&'static str, &str)],
        listen: &str,
        local: &str,
    ) -> Result<(), Refusal> {
        let access = Access::with(token.map(|token| SecretString::from(token.to_owned())).as_ref());
        let local = local.parse().ok();
        let ends = Ends { local, peer: SocketAddr::from(([192, 0, 2, 7], 50_000)) };
        access.judge(&headers(named), listen.parse().unwrap(), ends)
    }

    #[test]
    fn loopback_is_what_is_listened_on_and_what_was_connected_to() {
        for (listen, local, is_open) in [
            ("127.0.0.1:8480", "127.0.0.1:8480", true),
            ("127.8.8.8:8480", "127.8.8.8:8480", true),
            ("[::1]:8480", "[::1]:8480", true),
            ("[::ffff:127.0.0.1]:8480", "[::ffff:127.0.0.1]:8480", true),
            ("[::]:8480", "[::ffff:127.0.0.1]:8480", false),
            ("0.0.0.0:8480", "127.0.0.1:8480", false),
            ("[::]:8480", "[::1]:8480", false),
            ("192.0.2.1:8480", "192.0.2.1:8480", false),
            ("[::ffff:192.0.2.1]:8480", "[::ffff:192.0.2.1]:8480", false),
            ("[fe80::1]:8480", "[fe80::1]:8480", false),
            ("127.0.0.1:8480", "192.0.2.1:8480", false),
            ("127.0.0.1:8480", "the client has gone", false),
        ] {
            let expected = if is_open { Ok(()) } else { Err(Refusal::Missing) };
            assert_eq!(judged(Some(TOKEN), &[], listen, local), expected, "{listen} {local}");
            let expected = if is_open { Ok(()) } else { Err(Refusal::NoTokenIsSet) };
            assert_eq!(judged(None, &[], listen, local), expected, "{listen} {local}");
        }
    }

    #[test]
    fn the_token_is_shown_as_a_bearer_or_as_the_password_of_any_name() {
        let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
        for (header, is_right) in [
            (format!("Bearer {TOKEN}"), true),
            (format!("bearer   {TOKEN} "), true),
            (basic(&format!("rosterd:{TOKEN}")), true),
            (basic(&format!(":{TOKEN}")), true),
            (basic(&format!("{TOKEN}:")), false),
            (basic(TOKEN), false),
            (basic(&format!("a:b:{TOKEN}")), false),
            (format!("Basic {TOKEN}"), false),
            (format!("Bearer {TOKEN}0"), false),
            ("Bearer 0123456789abcde".to_owned(), false),
            (format!("Bearer {}", TOKEN.to_uppercase()), false),
            ("Bearer ".to_owned(), false),
            ("Bearer".to_owned(), false),
            (TOKEN.to_owned(), false),
            (format!("Digest {TOKEN}"), false),
            ("Basic !!!".to_owned(), false),
            (String::new(), false),
        ] {
            let expected = if is_right { Ok(()) } else { Err(Refusal::Wrong) };
            let all = "0.0.0.0:8480";
            assert_eq!(judged(Some(TOKEN), &[("authorization", &header)], all, all), expected, "{header:?}");
            assert_eq!(judged(None, &[("authorization", &header)], all, all), Err(Refusal::NoTokenIsSet));
        }
    }

    #[test]
    fn what_a_proxy_on_this_machine_hands_on_does_not_come_from_loopback() {
        let here = "127.0.0.1:8480";
        for name in OF_PROXIES {
            assert_eq!(
                judged(Some(TOKEN), &[(name, "192.0.2.7")], here, here),
                Err(Refusal::Missing),
                "{name}"
            );
            assert_eq!(
                judged(None, &[(name, "192.0.2.7")], here, here),
                Ok(()),
                "the log-in is the proxy's: {name}"
            );
        }
    }

    #[test]
    fn a_new_token_holds_at_once_and_the_old_one_no_longer() {
        let access = Access::with(Some(&SecretString::from("the old one, once")));
        let shows = |token: &str| {
            is_shown(
                &headers(&[("authorization", &format!("Bearer {token}"))]),
                access.token.read().unwrap().unwrap(),
            )
        };
        assert_eq!(shows("the old one, once"), Ok(()));
        access.clone().replace(Some(&SecretString::from("another one, now")));
        assert_eq!((shows("the old one, once"), shows("another one, now")), (Err(Refusal::Wrong), Ok(())));
        assert!(!format!("{access:?}").contains("another"));
    }
}
