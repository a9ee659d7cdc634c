//! A failure that is open: it is tried again, waits for a person, or was silenced by one. Holds about single people
//! stand beside them.

use std::fmt;

use super::RecordedHash;

/// The state of an open failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailureState {
    /// Tried again when due.
    Waiting,
    /// Waits for a person, or for its row to change.
    Dead,
    /// Silenced by a person until its row changes.
    Ignored,
    /// Nothing has failed: a hold about single people waits for an approval.
    Held,
}

impl FailureState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Dead, Self::Ignored, Self::Held];

    /// The word in tables and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Dead => "dead",
            Self::Ignored => "ignored",
            Self::Held => "held",
        }
    }

    /// Reads [`FailureState::as_str`] back.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

impl fmt::Display for FailureState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for FailureState {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// One open failure, as far as planning needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenFailure {
    /// Its state.
    pub state: FailureState,
    /// When it is due again, in milliseconds since 1970 UTC. Counts while it waits.
    pub due_at_ms: i64,
    /// The hash of the failed change; only this change is held back.
    pub recorded: RecordedHash,
}

impl OpenFailure {
    /// Whether its operation may be tried now. The only rule of it, for both services.
    #[must_use]
    pub fn is_due(&self, now_ms: i64) -> bool {
        match self.state {
            FailureState::Waiting => self.due_at_ms <= now_ms,
            FailureState::Dead | FailureState::Ignored | FailureState::Held => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exam_plan::Fingerprint;

    #[test]
    fn only_a_waiting_failure_is_ever_due_and_not_before_its_moment() {
        let recorded = RecordedHash::alone(Fingerprint(1));
        let table = [
            ("waiting, a moment early", FailureState::Waiting, 999, false),
            ("waiting, at its moment", FailureState::Waiting, 1000, true),
            ("waiting, later", FailureState::Waiting, 1001, true),
            ("dead", FailureState::Dead, i64::MAX, false),
            ("ignored", FailureState::Ignored, i64::MAX, false),
            ("held", FailureState::Held, i64::MAX, false),
        ];
        for (name, state, now_ms, is_due) in table {
            assert_eq!(OpenFailure { state, due_at_ms: 1000, recorded }.is_due(now_ms), is_due, "{name}");
        }
    }
}
