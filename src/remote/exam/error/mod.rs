//! What went wrong with a call, named for what the caller can do about it.
//!
//! Contract: docs/contracts/onlineexammaker.md, 5: the service documents no error codes, so the table goes by what
//! arrives. Nothing here holds a URL, a value that was sent, or a value of an answer; a service's own text is kept
//! masked in `message` and never part of an error's sentence.

use std::fmt;
use std::time::Duration;

use super::call::ExamCall;
use crate::remote::http::{Reply, TransportError};
use rosterd_core::counted::counted_len;
use rosterd_core::failure::FailureCode;

/// A call without an answer that could be judged item by item.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExamError {
    /// The call could not even be tried.
    #[error("{call} cannot be sent")]
    Setup {
        call: ExamCall,
        /// What is in the way.
        source: TransportError,
    },
    /// Certainly not sent: no name resolution, connection or TLS.
    #[error("{call} was not sent")]
    Unreachable {
        call: ExamCall,
        /// What the attempt ended in.
        source: TransportError,
    },
    /// Certainly not sent: the service failed call after call and is left alone.
    #[error("{call} was not sent")]
    Stopped {
        call: ExamCall,
        /// After how many failures.
        source: TransportError,
    },
    /// Sent, but the answer was late, cut or too large.
    #[error("the answer to {call} was lost")]
    LostAnswer {
        call: ExamCall,
        /// How it was lost.
        source: TransportError,
    },
    /// Status 200, but not the documented JSON: a login page, a maintenance page, something cut.
    #[error("the answer to {call} is not the documented one: {what}")]
    Unreadable {
        call: ExamCall,
        /// Where it departs from the documents, without any of its values.
        what: String,
    },
    /// The call was refused as a whole: `status` is not `"ok"`, or 400, 409, 422.
    #[error("{call} with {} was refused as a whole (HTTP status {status})", counted_len(*items, "item"))]
    Refused {
        call: ExamCall,
        /// How many items it carried.
        items: usize,
        status: u16,
        /// The service's own text, masked.
        message: Option<String>,
    },
    /// The same for `getFields`, which carries nothing but our credentials.
    #[error(
        "getFields was refused (HTTP status {status}): the code is wrong, or the clock is, or the account's plan has \
         ended, or its API is switched off; {clock}"
    )]
    FieldsRefused {
        status: u16,
        /// How our clock stands to the service's.
        clock: ClockDifference,
        /// The service's own text, masked.
        message: Option<String>,
    },
    /// 3xx, which is never followed: a wrong base URL or a login redirect.
    #[error("{call} was redirected (HTTP status {status}): base_url is wrong, or the service wants a login")]
    Redirected { call: ExamCall, status: u16 },
    /// 401 or 403.
    #[error("{call} was not authorised (HTTP status {status}): check code, plan and clock; {clock}")]
    Unauthorized {
        call: ExamCall,
        status: u16,
        /// How our clock stands to the service's.
        clock: ClockDifference,
    },
    /// 404, 405, 415: a wrong base URL, or our mistake.
    #[error("{call} does not exist there (HTTP status {status}): check base_url")]
    WrongAddress { call: ExamCall, status: u16 },
    /// 413.
    #[error("{call} with {} is too large for the service", counted_len(*items, "item"))]
    TooLarge {
        call: ExamCall,
        /// How many items it carried.
        items: usize,
    },
    /// 408: the service gave up waiting for the request.
    #[error("the service gave up waiting for {call}")]
    TimedOut { call: ExamCall },
    /// 429.
    #[error("{call} came too soon after other calls")]
    RateLimited {
        call: ExamCall,
        /// When the service wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// 5xx: failure or maintenance.
    #[error("{call} failed at the service (HTTP status {status})")]
    ServiceFailed {
        call: ExamCall,
        status: u16,
        /// When the service wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// A status that the contract's table does not have.
    #[error("{call} was answered with the unexpected HTTP status {status}")]
    Unexpected { call: ExamCall, status: u16 },
}

/// How far our clock is ahead of the service's, by the answer's `Date` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockDifference(pub Option<i64>);

impl ClockDifference {
    /// By the answer's `Date` header and the clock read that signed the request.
    pub(super) fn of(reply: &Reply) -> Self {
        Self(reply.date.map(|there| reply.sent_at.0.saturating_sub(there.0)))
    }
}

impl fmt::Display for ClockDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("the answer does not say what time it is there"),
            Some(0) => f.write_str("our clock agrees with the service's"),
            Some(seconds @ 1..) => write!(f, "our clock is {seconds} s ahead of the service's"),
            Some(seconds) => write!(f, "our clock is {} s behind the service's", seconds.unsigned_abs()),
        }
    }
}

/// What to do about a failed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExamDisposition {
    /// Send it again in this run, a bounded number of times; after that the service is down. Only writes: a read
    /// that is reported as failed has been tried again already. Where
    /// [`ExamError::may_have_been_applied`], read back first.
    RetryNow,
    /// Its items fail now and are due again later.
    RetryLater,
    /// Send it again in two halves.
    HalveBatch,
    /// No further call to the service in this run.
    StopService(Stop),
}

/// Why a service is not called any more in this run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stop {
    /// Credentials, plan or clock (exit 77).
    Credentials,
    /// The address, or something else in our settings (exit 78).
    Configuration,
    /// The service is down or being maintained (exit 75).
    Temporary,
}

impl ExamError {
    /// A request that got no answer.
    pub(super) fn from_transport(call: ExamCall, source: TransportError) -> Self {
        match source {
            TransportError::Setup { .. } => Self::Setup { call, source },
            TransportError::Unreachable { .. } => Self::Unreachable { call, source },
            TransportError::Stopped { .. } => Self::Stopped { call, source },
            TransportError::Interrupted { .. } => Self::LostAnswer { call, source },
        }
    }

    /// What to do about it. Contract: docs/contracts/onlineexammaker.md, 5, column "action".
    #[must_use]
    pub fn disposition(&self) -> ExamDisposition {
        match self {
            Self::Unreachable { call, .. } | Self::TimedOut { call } => {
                if call.is_write() {
                    ExamDisposition::RetryNow
                } else {
                    ExamDisposition::StopService(Stop::Temporary)
                }
            }
            Self::LostAnswer { call, .. } | Self::ServiceFailed { call, .. } => {
                if call.is_write() {
                    ExamDisposition::RetryLater
                } else {
                    ExamDisposition::StopService(Stop::Temporary)
                }
            }
            Self::Refused { items, .. } | Self::TooLarge { items, .. } => {
                if *items > 1 {
                    ExamDisposition::HalveBatch
                } else {
                    ExamDisposition::RetryLater
                }
            }
            Self::Unreadable { .. } | Self::RateLimited { .. } | Self::Unexpected { .. } => {
                ExamDisposition::RetryLater
            }
            Self::Stopped { .. } => ExamDisposition::StopService(Stop::Temporary),
            Self::FieldsRefused { .. } | Self::Unauthorized { .. } => {
                ExamDisposition::StopService(Stop::Credentials)
            }
            Self::Setup { .. } | Self::Redirected { .. } | Self::WrongAddress { .. } => {
                ExamDisposition::StopService(Stop::Configuration)
            }
        }
    }

    /// Whether something else than the service answered.
    #[must_use]
    pub fn is_about_the_address(&self) -> bool {
        matches!(self, Self::Redirected { .. } | Self::WrongAddress { .. })
    }

    /// Whether the service may have done what it was asked, wholly or in part. Then nothing is sent again before
    /// it was read back. Never for reads.
    #[must_use]
    pub fn may_have_been_applied(&self) -> bool {
        match self {
            Self::LostAnswer { call, .. }
            | Self::Unreadable { call, .. }
            | Self::TimedOut { call }
            | Self::RateLimited { call, .. }
            | Self::ServiceFailed { call, .. } => call.is_write(),
            Self::Refused { call, items, .. } => call.is_write() && *items > 1,
            // Some kind of success that is not the documented one.
            Self::Unexpected { call, status } => call.is_write() && (200..300).contains(status),
            Self::Setup { .. }
            | Self::Stopped { .. }
            | Self::Unreachable { .. }
            | Self::FieldsRefused { .. }
            | Self::Redirected { .. }
            | Self::Unauthorized { .. }
            | Self::WrongAddress { .. }
            | Self::TooLarge { .. } => false,
        }
    }

    /// When the service wants to be asked again.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } | Self::ServiceFailed { retry_after, .. } => *retry_after,
            Self::Setup { .. }
            | Self::Stopped { .. }
            | Self::Unreachable { .. }
            | Self::LostAnswer { .. }
            | Self::Unreadable { .. }
            | Self::Refused { .. }
            | Self::FieldsRefused { .. }
            | Self::Redirected { .. }
            | Self::Unauthorized { .. }
            | Self::WrongAddress { .. }
            | Self::TooLarge { .. }
            | Self::TimedOut { .. }
            | Self::Unexpected { .. } => None,
        }
    }

    /// The service's own text, masked.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        match self {
            Self::Refused { message, .. } | Self::FieldsRefused { message, .. } => message.as_deref(),
            Self::Setup { .. }
            | Self::Stopped { .. }
            | Self::Unreachable { .. }
            | Self::LostAnswer { .. }
            | Self::Unreadable { .. }
            | Self::Redirected { .. }
            | Self::Unauthorized { .. }
            | Self::WrongAddress { .. }
            | Self::TooLarge { .. }
            | Self::TimedOut { .. }
            | Self::RateLimited { .. }
            | Self::ServiceFailed { .. }
            | Self::Unexpected { .. } => None,
        }
    }

    /// The code under which it is recorded as a failure.
    #[must_use]
    pub fn code(&self) -> FailureCode {
        match self {
            Self::Setup { .. } => FailureCode::Setup,
            Self::Unreachable { .. } => FailureCode::Unreachable,
            Self::Stopped { .. } => FailureCode::ServiceStopped,
            Self::LostAnswer { .. } => FailureCode::LostAnswer,
            Self::Unreadable { .. } => FailureCode::Unreadable,
            Self::Refused { .. } => FailureCode::Refused,
            Self::FieldsRefused { .. } => FailureCode::FieldsRefused,
            Self::Redirected { .. } => FailureCode::Redirected,
            Self::Unauthorized { .. } => FailureCode::Unauthorized,
            Self::WrongAddress { .. } => FailureCode::WrongAddress,
            Self::TooLarge { .. } => FailureCode::TooLarge,
            Self::TimedOut { .. } => FailureCode::TimedOut,
            Self::RateLimited { .. } => FailureCode::RateLimited,
            Self::ServiceFailed { .. } => FailureCode::ServiceFailed,
            Self::Unexpected { .. } => FailureCode::Unexpected,
        }
    }
}

#[cfg(test)]
mod tests;
