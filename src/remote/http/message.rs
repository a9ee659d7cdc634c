//! What is sent and what comes back, as plain values.
//!
//! Neither prints its contents: requests hold secrets and personal data, and so do answers.

use std::fmt;
use std::time::Duration;

/// Whole seconds since 1970 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixSeconds(pub i64);

impl fmt::Display for UnixSeconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How a request is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Parameters in the query string.
    Get,
    /// Parameters in a form body.
    Post,
}

/// One request, without scheme and host: those belong to the [`Transport`](super::Transport).
#[derive(Clone)]
pub struct Request {
    pub method: Method,
    /// Path on the service, beginning with a slash.
    pub path: String,
    /// Query parameters, sent in this order.
    pub query: Vec<(&'static str, String)>,
    /// Form parameters, sent in this order; always the body of a POST, even when empty.
    pub form: Vec<(&'static str, String)>,
    /// The body of a POST instead of a form, where there is one: a JSON document.
    pub json: Option<String>,
    /// Further headers; all are treated as sensitive.
    pub headers: Vec<(&'static str, String)>,
}

impl Request {
    /// A GET of this path, without parameters.
    #[must_use]
    pub fn get(path: impl Into<String>) -> Self {
        Self {
            method: Method::Get,
            path: path.into(),
            query: vec![],
            form: vec![],
            json: None,
            headers: vec![],
        }
    }

    /// A POST to this path, with an empty form.
    #[must_use]
    pub fn post(path: impl Into<String>) -> Self {
        Self {
            method: Method::Post,
            path: path.into(),
            query: vec![],
            form: vec![],
            json: None,
            headers: vec![],
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.split('?').next().unwrap_or_default();
        f.debug_struct("Request").field("method", &self.method).field("path", &path).finish_non_exhaustive()
    }
}

/// One complete answer, whatever its status.
#[derive(Clone)]
pub struct Reply {
    pub status: u16,
    /// The body, decoded and complete; never more than
    /// [`LARGEST_BODY_BYTES`](super::transport::LARGEST_BODY_BYTES).
    pub body: Vec<u8>,
    /// `Retry-After`, as a span from now.
    pub retry_after: Option<Duration>,
    /// The service's own clock, from the `Date` header.
    pub date: Option<UnixSeconds>,
    /// The clock read that this request was built with.
    pub sent_at: UnixSeconds,
}

/// What a client makes of an answer.
#[derive(Clone, Debug)]
pub struct Parsed<T> {
    pub value: T,
    /// Whether the answer is one that the service is known to give. A login page is not, whatever its status.
    pub is_documented: bool,
}

impl<T> Parsed<T> {
    /// Of an answer that the service is known to give.
    #[must_use]
    pub fn documented(value: T) -> Self {
        Self { value, is_documented: true }
    }

    /// Of any other.
    #[must_use]
    pub fn malformed(value: T) -> Self {
        Self { value, is_documented: false }
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .field("retry_after", &self.retry_after)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_shows_its_method_and_path_only() {
        let mut request = Request::get("/partner?action=x&secret=S3CRET");
        request.query.push(("code", "S3CRET".to_owned()));
        request.form.push(("info", "S3CRET".to_owned()));
        request.headers.push(("Authorization", "S3CRET".to_owned()));
        let shown = format!("{request:?}");
        assert_eq!(shown, "Request { method: Get, path: \"/partner\", .. }");
    }

    #[test]
    fn a_reply_does_not_show_its_body() {
        let reply = Reply {
            status: 200,
            body: b"13800000000".to_vec(),
            retry_after: None,
            date: None,
            sent_at: UnixSeconds(0),
        };
        assert!(!format!("{reply:?}").contains("138"));
    }
}
