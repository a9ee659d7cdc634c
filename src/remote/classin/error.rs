//! Why a call has no answer that could be judged, and what to do about it.
//!
//! Contract: docs/contracts/classin.md, 6.3 and 7. No variant holds a body, a field or a URL.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

use crate::remote::http::{TransportError, UnixSeconds};
use rosterd_core::classin_plan::{Call, Code, decide};

/// A call without an answer that could be judged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClassinError {
    /// No call can be made with these settings.
    #[error("ClassIn cannot be called with these settings")]
    Setup(#[source] TransportError),
    /// This machine gives no random numbers, so no account can be asked for; nothing was sent.
    #[error("this machine gives no random numbers for a first password")]
    NoRandomness,
    /// Certainly not sent.
    #[error("ClassIn cannot be reached")]
    Unreachable(#[source] TransportError),
    /// Sent, and the answer was lost.
    #[error("ClassIn's answer was lost")]
    Interrupted(#[source] TransportError),
    /// The credentials are refused, for one of seven reasons that the service does not tell apart.
    #[error("{} (code {}); {clock}", decide(Call::ClassAdd, Code::NO_PERMISSION).message, Code::NO_PERMISSION)]
    NoPermission {
        /// Both clocks, as the time stamp is among the reasons.
        clock: ClockReading,
    },
    /// Maintenance as code or as HTTP status, or a page for people where an answer was due.
    #[error(
        "ClassIn is closed for maintenance: it answers with {}",
        if *.page { "a web page".to_owned() } else { Code::MAINTENANCE.to_string() }
    )]
    Maintenance {
        /// Whether it was a page, which does not say what became of the call.
        page: bool,
    },
    /// HTTP 403.
    #[error(
        "ClassIn's host refuses the call (HTTP 403): it is asked without https, or something in between \
         intercepts it; check classin.base_url"
    )]
    Forbidden,
    /// HTTP 404.
    #[error(
        "this is not ClassIn's host (HTTP 404); check classin.base_url, which is normally https://api.eeo.cn"
    )]
    NotFound,
    /// HTTP 413.
    #[error("ClassIn's host finds the call too large (HTTP 413)")]
    TooLarge,
    /// HTTP 408, 429 and 5xx: what became of the call is unknown.
    #[error("ClassIn's host cannot answer now (HTTP {status})")]
    Busy {
        status: u16,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
    /// HTTP 200 without the documented JSON.
    #[error("ClassIn's answer cannot be read: {what}")]
    Malformed {
        /// What is wrong with it.
        what: &'static str,
    },
    /// Any other HTTP status, redirects included.
    #[error("ClassIn's host answers with HTTP {status}, which it is not known to do; check classin.base_url")]
    UnexpectedStatus { status: u16 },
}

/// What to do about a [`ClassinError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClassinDisposition {
    /// Again later, with growing delays, a limited number of times.
    Retry {
        /// Not sooner than this.
        after: Option<Duration>,
    },
    /// Again once; when it comes again, leave ClassIn alone for this run, as it is down.
    RetryThenStop,
    /// Again with fewer students a call.
    SmallerBatch,
    /// Leave ClassIn alone for this run.
    Stop(StopCause),
}

/// Why ClassIn is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopCause {
    /// It passes by itself.
    Temporary,
    /// The school's credentials are refused.
    Credentials,
    /// The address or another setting is wrong.
    Settings,
}

impl ClassinError {
    /// What to do about it.
    #[must_use]
    pub fn disposition(&self) -> ClassinDisposition {
        match self {
            Self::Setup(_) | Self::Forbidden | Self::NotFound => {
                ClassinDisposition::Stop(StopCause::Settings)
            }
            Self::NoRandomness => ClassinDisposition::Stop(StopCause::Temporary),
            Self::Unreachable(_) | Self::Malformed { .. } => ClassinDisposition::RetryThenStop,
            Self::Interrupted(_) => ClassinDisposition::Retry { after: None },
            Self::NoPermission { .. } => ClassinDisposition::Stop(StopCause::Credentials),
            Self::Maintenance { .. } => ClassinDisposition::Stop(StopCause::Temporary),
            Self::TooLarge => ClassinDisposition::SmallerBatch,
            Self::Busy { retry_after, .. } => ClassinDisposition::Retry { after: *retry_after },
            Self::UnexpectedStatus { status: 300.. } => ClassinDisposition::Stop(StopCause::Settings),
            Self::UnexpectedStatus { .. } => ClassinDisposition::RetryThenStop,
        }
    }

    /// Whether the host failed over the call (5xx): all of it may be down, or one value of the call be what it fails over.
    #[must_use]
    pub fn is_server_error(&self) -> bool {
        matches!(self, Self::Busy { status: 500..=599, .. })
    }

    /// Whether the call may have taken effect: then every student of it is unknown, and repeating is safe.
    /// Otherwise nothing was changed.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        match self {
            Self::Interrupted(_) | Self::Busy { .. } | Self::Malformed { .. } => true,
            Self::Maintenance { page } => *page,
            Self::UnexpectedStatus { status } => *status < 300,
            Self::Setup(_)
            | Self::NoRandomness
            | Self::Unreachable(_)
            | Self::NoPermission { .. }
            | Self::Forbidden
            | Self::NotFound
            | Self::TooLarge => false,
        }
    }
}

impl From<TransportError> for ClassinError {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::Setup { .. } => Self::Setup(error),
            TransportError::Unreachable { .. } | TransportError::Stopped { .. } => Self::Unreachable(error),
            TransportError::Interrupted { .. } => Self::Interrupted(error),
        }
    }
}

/// This machine's clock beside ClassIn's, at one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockReading {
    /// What this machine's clock said when the call was signed.
    pub here: UnixSeconds,
    /// What the answer's `Date` header said; absent when there was none.
    pub there: Option<UnixSeconds>,
}

impl ClockReading {
    /// By how many seconds this machine's clock is ahead of ClassIn's; negative when it is behind.
    #[must_use]
    pub fn ahead_seconds(&self) -> Option<i64> {
        self.there.map(|there| self.here.0.saturating_sub(there.0))
    }
}

impl fmt::Display for ClockReading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Timestamp::from_second(self.here.0) {
            Ok(here) => write!(f, "this machine's clock says {here}")?,
            Err(_) => write!(f, "this machine's clock says {} seconds since 1970", self.here)?,
        }
        match self.ahead_seconds() {
            None => f.write_str(", and ClassIn did not tell its own time"),
            Some(0) => f.write_str(", the same as ClassIn's"),
            Some(ahead) if ahead > 0 => write!(f, ", which is {ahead} s ahead of ClassIn's"),
            Some(behind) => write!(f, ", which is {} s behind ClassIn's", behind.unsigned_abs()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(here: i64, there: Option<i64>) -> ClockReading {
        ClockReading { here: UnixSeconds(here), there: there.map(UnixSeconds) }
    }

    #[test]
    fn a_clock_reading_says_which_clock_is_ahead_and_by_how_much() {
        let table = [
            (clock(1_795_281_986, Some(1_795_280_786)), "2026-11-21T", "1200 s ahead"),
            (clock(1_795_281_986, Some(1_795_282_000)), "2026-11-21T", "14 s behind"),
            (clock(1_795_281_986, Some(1_795_281_986)), "2026-11-21T", "the same as ClassIn's"),
            (clock(1_795_281_986, None), "2026-11-21T", "did not tell"),
            (clock(i64::MAX, Some(i64::MIN)), "seconds since 1970", "ahead"),
        ];
        for (reading, here, there) in table {
            let text = reading.to_string();
            assert!(text.contains(here) && text.contains(there), "{text}");
        }
    }

    #[test]
    fn a_refusal_names_all_seven_causes_and_both_clocks() {
        let error = ClassinError::NoPermission { clock: clock(1_795_281_986, Some(1_795_280_000)) };
        let text = error.to_string();
        let causes = ["SID", "signature", "mistyped", "20 minutes", "API permission", "retired", "arrears"];
        for part in causes.into_iter().chain(["1986 s ahead", "102"]) {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
