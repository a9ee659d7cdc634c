//! One candidate's attempt at one exam, as the exam side tells of it. Never with a name.

use std::fmt;

use super::{ExamId, LoginValue, Sid};

/// Identifies an attempt: exam, candidate and moment of the start. Contract:
/// docs/contracts/onlineexammaker.md, 3.8: an attempt has no id of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptKey {
    /// The exam.
    pub exam: ExamId,
    /// The candidate, which may be gone.
    pub sid: Sid,
    /// When it began, in milliseconds since 1970 UTC; 0 where the service does not say.
    pub started_at_ms: i64,
    /// The id from its link, only if the service does not say when the attempt began. Else empty.
    pub untimed: String,
}

/// One attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// Its identity.
    pub key: AttemptKey,
    /// The id in the result's link; the link itself is never kept.
    pub tid: Option<String>,
    /// The candidate's login value.
    pub login: Option<LoginValue>,
    /// Points.
    pub score: Option<f64>,
    /// Whether it was passed.
    pub passed: Option<bool>,
    /// Its progress.
    pub status: AttemptStatus,
    /// When it ended, in milliseconds since 1970 UTC; absent while it is in progress.
    pub ended_at_ms: Option<i64>,
}

impl Attempt {
    /// Whether the two say the same. What the links call them does not count: it may differ at every reading.
    #[must_use]
    pub fn agrees_with(&self, other: &Self) -> bool {
        let Self { key, tid: _, login, score, passed, status, ended_at_ms } = self;
        *key == other.key
            && *login == other.login
            && *score == other.score
            && *passed == other.passed
            && *status == other.status
            && *ended_at_ms == other.ended_at_ms
    }
}

/// The progress of an attempt. Contract: docs/contracts/onlineexammaker.md, 3.8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptStatus {
    /// Not handed in yet.
    InProgress,
    /// Handed in by the candidate.
    Submitted,
    /// Handed in because the time was over.
    TimedOut,
    /// Handed in because an administrator said so.
    Forced,
    /// Handed in by the system.
    BySystem,
    /// A code that is not documented.
    Other(i64),
    /// The service does not say.
    Unstated,
}

impl AttemptStatus {
    /// By the service's code.
    #[must_use]
    pub fn of(code: Option<i64>) -> Self {
        match code {
            None => Self::Unstated,
            Some(0) => Self::InProgress,
            Some(1) => Self::Submitted,
            Some(2) => Self::TimedOut,
            Some(3) => Self::Forced,
            Some(4) => Self::BySystem,
            Some(other) => Self::Other(other),
        }
    }

    /// The service's code.
    #[must_use]
    pub fn code(self) -> Option<i64> {
        match self {
            Self::InProgress => Some(0),
            Self::Submitted => Some(1),
            Self::TimedOut => Some(2),
            Self::Forced => Some(3),
            Self::BySystem => Some(4),
            Self::Other(code) => Some(code),
            Self::Unstated => None,
        }
    }

    /// Whether it is handed in, so that only a correction changes it. An undocumented code may mean an
    /// attempt in progress.
    #[must_use]
    pub fn is_settled(self) -> bool {
        match self {
            Self::Submitted | Self::TimedOut | Self::Forced | Self::BySystem => true,
            Self::InProgress | Self::Other(_) | Self::Unstated => false,
        }
    }
}

impl fmt::Display for AttemptStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InProgress => f.write_str("in-progress"),
            Self::Submitted => f.write_str("submitted"),
            Self::TimedOut => f.write_str("timed-out"),
            Self::Forced => f.write_str("forced"),
            Self::BySystem => f.write_str("by-system"),
            Self::Other(code) => write!(f, "code-{code}"),
            Self::Unstated => f.write_str("unstated"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::AttemptStatus;

    #[test]
    fn every_documented_code_has_a_name_and_the_others_keep_their_number() {
        let named = [None, Some(0), Some(1), Some(2), Some(3), Some(4), Some(7)].map(|code| {
            let status = AttemptStatus::of(code);
            assert_eq!(status.code(), code);
            (status.to_string(), status.is_settled())
        });
        let expected = [
            ("unstated", false),
            ("in-progress", false),
            ("submitted", true),
            ("timed-out", true),
            ("forced", true),
            ("by-system", true),
            ("code-7", false),
        ];
        assert_eq!(named, expected.map(|(name, settled)| (name.to_owned(), settled)));
    }
}
