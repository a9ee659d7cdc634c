//! Why a request has no answer. The one place where a `reqwest` error is looked at.
//!
//! Nothing here holds a URL, a header or a body: the host is all that is said about where a request went.

use std::error::Error;
use std::fmt;

/// A refused certificate may list a hundred names.
const LONGEST_CAUSE_CHARS: usize = 300;

/// A request that has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// Nothing was sent, and nothing will be until the settings or the program change.
    #[error("calls to {host} cannot be made: {what}")]
    Setup {
        host: String,
        /// What is in the way, with the setting where there is one.
        what: String,
    },
    /// Certainly not sent: so many calls in a row failed that the service is left alone for this run.
    #[error("{host} is not called any more in this run: {failures} calls in a row failed")]
    Stopped { host: String, failures: u32 },
    /// Certainly not sent: the name was not resolved, or no connection came about, TLS included.
    #[error("{host} cannot be reached")]
    Unreachable {
        host: String,
        /// What the attempt ended in.
        #[source]
        cause: Cause,
    },
    /// Sent, perhaps in part, without a readable answer: what the service did with it is unknown.
    #[error("{host} gave no complete answer: {why}")]
    Interrupted {
        host: String,
        /// How the answer was lost.
        why: Interruption,
        /// What the attempt ended in.
        #[source]
        cause: Cause,
    },
}

/// How an answer was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interruption {
    Timeout,
    /// The connection ended or broke, or the body could not be decoded.
    Cut,
    /// The decoded body is above [`LARGEST_BODY_BYTES`](super::transport::LARGEST_BODY_BYTES); it was not read on.
    TooLarge,
}

impl fmt::Display for Interruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timeout => "the deadline passed",
            Self::Cut => "the connection broke off",
            Self::TooLarge => "the answer is too large",
        })
    }
}

/// The technical reason as text, free of URLs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause(String);

impl Cause {
    /// A reason in our own words, without anything secret or personal.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The chain of an error's sources. A part that could be a URL is left out.
    fn of(error: &dyn Error) -> Self {
        let mut parts = vec![error.to_string()];
        let mut next = error.source();
        while let Some(source) = next {
            parts.push(source.to_string());
            next = source.source();
        }
        parts.retain(|part| !part.contains("://") && !part.contains('?'));
        parts.dedup();
        Self(parts.join(": ").chars().take(LONGEST_CAUSE_CHARS).collect())
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Cause {}

impl TransportError {
    /// Classifies what `reqwest` reports, and takes the URL out of it.
    #[expect(clippy::disallowed_types, reason = "this is the place the rule sends everybody else to")]
    pub(super) fn from_reqwest(error: reqwest::Error, host: &str) -> Self {
        let error = error.without_url();
        let host = host.to_owned();
        let cause = Cause::of(&error);
        if error.is_builder() {
            Self::Setup { host, what: cause.0 }
        } else if error.is_connect() {
            Self::Unreachable { host, cause }
        } else if error.is_timeout() {
            Self::Interrupted { host, why: Interruption::Timeout, cause }
        } else {
            Self::Interrupted { host, why: Interruption::Cut, cause }
        }
    }

    /// The word under which the attempt is counted.
    #[must_use]
    pub fn outcome(&self) -> &'static str {
        match self {
            Self::Setup { .. } | Self::Stopped { .. } => "not-sent",
            Self::Unreachable { .. } => "unreachable",
            Self::Interrupted { why: Interruption::Timeout, .. } => "timeout",
            Self::Interrupted { why: Interruption::Cut | Interruption::TooLarge, .. } => "interrupted",
        }
    }

    /// Whether the service may have received the request.
    #[must_use]
    pub fn may_have_been_sent(&self) -> bool {
        match self {
            Self::Setup { .. } | Self::Stopped { .. } | Self::Unreachable { .. } => false,
            Self::Interrupted { .. } => true,
        }
    }
}
