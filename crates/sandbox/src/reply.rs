//! The answer of a service, before it is put on the wire.

use std::time::Duration;

use super::faults::Fired;
use super::form::Form;
use super::journal::ShownCandidate;
use super::json::{Escaping, Json};

/// A request, taken apart.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// Upper case.
    pub(crate) method: String,
    /// Without the query.
    pub(crate) path: String,
    /// Parameters in the URL.
    pub(crate) query: Form,
    /// Parameters in the body.
    pub(crate) form: Form,
    /// The header `Authorization`.
    pub(crate) authorization: String,
    /// The header `Host`.
    pub(crate) host: String,
    /// Whether the client takes gzip.
    pub(crate) takes_gzip: bool,
}

/// The body of an answer.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    /// JSON, still open to faults.
    Json(Json, Escaping),
    /// Plain text.
    Text(String),
    /// A page for people.
    Html(String),
}

/// How the answer is transmitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// As it should.
    Whole,
    /// Not at all: the connection is closed without a byte.
    Closed,
    /// Not at all: the connection is reset.
    Reset,
    /// Only this number of bytes of the body; `None` is half of it.
    Cut(Option<u64>),
    /// This number of bytes a second.
    Slow(u64),
    /// After a number of blanks.
    Huge {
        /// Blanks, after unpacking.
        bytes: u64,
        /// Whether they travel packed.
        gzip: bool,
    },
}

/// One answer and what the journal shall say about it.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    /// HTTP status.
    pub(crate) status: u16,
    /// Body.
    pub(crate) body: Body,
    /// Header `Retry-After`, in seconds.
    pub(crate) retry_after: Option<u64>,
    /// Header `Location`.
    pub(crate) location: Option<&'static str>,
    /// Seconds by which the header `Date` is ahead.
    pub(crate) date_offset_s: i64,
    /// How it is transmitted.
    pub(crate) delivery: Delivery,
    /// The wait before the transmission.
    pub(crate) delay: Duration,
    /// For the journal.
    pub(crate) answered: String,
    /// For the journal.
    pub(crate) items: usize,
    /// For the journal.
    pub(crate) start: Option<i64>,
    /// For the journal.
    pub(crate) applied: usize,
    /// For the journal.
    pub(crate) shown: Vec<ShownCandidate>,
    /// Things this call keeps busy until it is answered.
    pub(crate) holds: Vec<String>,
}

impl Reply {
    /// Status 200 and JSON.
    pub(crate) fn json(json: Json, escaping: Escaping) -> Reply {
        Reply::new(200, Body::Json(json, escaping), "ok")
    }

    /// Any status and body, and a word for the journal.
    pub(crate) fn new(status: u16, body: Body, answered: &str) -> Reply {
        Reply {
            status,
            body,
            retry_after: None,
            location: None,
            date_offset_s: 0,
            delivery: Delivery::Whole,
            delay: Duration::ZERO,
            answered: answered.to_owned(),
            items: 0,
            start: None,
            applied: 0,
            shown: Vec::new(),
            holds: Vec::new(),
        }
    }

    /// No answer at all.
    pub(crate) fn none(delivery: Delivery, answered: &str) -> Reply {
        Reply { delivery, ..Reply::new(500, Body::Text(String::new()), answered) }
    }

    /// The same with the journal's numbers.
    pub(crate) fn counting(self, items: usize, applied: usize) -> Reply {
        Reply { items, applied, ..self }
    }

    /// The same with the candidates whose sids it tells.
    pub(crate) fn showing(self, shown: Vec<ShownCandidate>) -> Reply {
        Reply { shown, ..self }
    }
}

/// The answer of a fault that keeps the call from its endpoint.
pub(crate) fn before_the_endpoint(fired: &Fired) -> Option<Reply> {
    if fired.has("drop_request") {
        return Some(Reply::none(Delivery::Closed, "dropped"));
    }
    if fired.get("reset").is_some_and(|argument| argument != "applied") {
        return Some(Reply::none(Delivery::Reset, "reset"));
    }
    if let Some(argument) = fired.get("http_429") {
        let reply = Reply::new(429, Body::Text("Too Many Requests".to_owned()), "429");
        return Some(Reply { retry_after: argument.parse().ok(), ..reply });
    }
    if let Some(status) = fired.number("http_5xx", 500) {
        let status = u16::try_from(status).unwrap_or(500);
        return Some(Reply::new(status, Body::Text("Server Error".to_owned()), &status.to_string()));
    }
    if fired.get("html_200").is_some_and(|argument| argument != "applied") {
        return Some(Reply::new(200, Body::Html(page("Sign in")), "html"));
    }
    if fired.has("maintenance") {
        return Some(Reply::new(503, Body::Html(page("Maintenance")), "maintenance"));
    }
    if fired.has("redirect") {
        let reply = Reply::new(302, Body::Html(page("Found")), "redirect");
        return Some(Reply { location: Some("/login"), ..reply });
    }
    None
}

/// The effect of faults on an answer that the endpoint has given.
pub(crate) fn after_the_endpoint(mut reply: Reply, fired: &Fired) -> Reply {
    if fired.has("wrong_type")
        && let Body::Json(json, _) = &mut reply.body
    {
        for key in ["data", "success", "fail"] {
            json.replace(key, Json::Map(Vec::new()));
        }
        "wrong_type".clone_into(&mut reply.answered);
    }
    if fired.has("html_200") {
        reply.body = Body::Html(page("Sign in"));
        "html".clone_into(&mut reply.answered);
    }
    if fired.has("empty_body") {
        reply.body = Body::Text(String::new());
        "empty".clone_into(&mut reply.answered);
    }
    if fired.has("not_json") {
        reply.body = Body::Text("Warning: unexpected end of input in index on line 1".to_owned());
        "not_json".clone_into(&mut reply.answered);
    }
    let (delivery, answered) = if fired.has("lose_answer") {
        (Delivery::Closed, "lost")
    } else if fired.has("reset") {
        (Delivery::Reset, "reset")
    } else if let Some(argument) = fired.get("cut_body") {
        (Delivery::Cut(argument.parse().ok()), "cut")
    } else if let Some(rate) = fired.number("slow_body", 10) {
        (Delivery::Slow(rate.max(1)), "slow")
    } else if let Some(bytes) = fired.number("huge_body", 1 << 30) {
        let gzip = fired.get("huge_body").is_some_and(|argument| argument.ends_with("/gzip"));
        (Delivery::Huge { bytes, gzip }, "huge")
    } else {
        (Delivery::Whole, "")
    };
    if delivery != Delivery::Whole {
        reply.delivery = delivery;
        answered.clone_into(&mut reply.answered);
    }
    if !is_readable(&reply) {
        reply.shown.clear();
    }
    if let Some(delay) = fired.number("delay", 1000) {
        reply.delay += Duration::from_millis(delay);
    }
    reply
}

/// Whether the caller can make anything of the answer's lists.
fn is_readable(reply: &Reply) -> bool {
    let arrives = matches!(reply.delivery, Delivery::Whole | Delivery::Slow(_) | Delivery::Huge { .. });
    arrives && reply.answered != "wrong_type" && matches!(reply.body, Body::Json(..))
}

/// A small page for people.
pub(crate) fn page(title: &str) -> String {
    format!("<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>")
}
