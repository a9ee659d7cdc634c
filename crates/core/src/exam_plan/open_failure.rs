//! Failures of earlier runs that keep an operation waiting.

use std::collections::HashMap;

use super::fingerprint::Fingerprint;
use super::kind::OperationKind;
use super::reason::SkipReason;
use crate::roster::StudentId;

/// The state of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureState {
    /// Tried again when due.
    Waiting,
    /// Waits for a person, or for its row to change.
    Dead,
    /// Silenced by a person until its row changes.
    Ignored,
}

impl FailureState {
    /// The word in tables and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Dead => "dead",
            Self::Ignored => "ignored",
        }
    }

    /// Reads [`FailureState::as_str`] back.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Waiting, Self::Dead, Self::Ignored].into_iter().find(|state| state.as_str() == word)
    }
}

/// One open failure, as far as planning needs it.
#[derive(Clone, Copy, Debug)]
pub struct OpenFailure {
    /// Its state.
    pub state: FailureState,
    /// When it is due again, in milliseconds since 1970 UTC.
    pub due_at_ms: i64,
    /// The hash of the desired change that failed.
    pub desired_hash: Fingerprint,
}

/// The open failures of the exam side.
#[derive(Clone, Debug, Default)]
pub struct OpenFailures(HashMap<(StudentId, OperationKind), OpenFailure>);

impl OpenFailures {
    /// Adds one open failure.
    pub fn insert(&mut self, student: StudentId, kind: OperationKind, open_failure: OpenFailure) {
        self.0.insert((student, kind), open_failure);
    }

    /// The reason not to try this operation in this run; `None` when it may be tried.
    ///
    /// A failure whose desired hash has changed since holds nothing back: its row changed, so it is due at
    /// once.
    #[must_use]
    pub fn skip(
        &self,
        student: &StudentId,
        kind: OperationKind,
        desired_hash: Fingerprint,
        now_ms: i64,
    ) -> Option<SkipReason> {
        let open_failure = self.with_desired_hash(student, kind, desired_hash)?;
        match open_failure.state {
            FailureState::Waiting if open_failure.due_at_ms <= now_ms => None,
            FailureState::Waiting => Some(SkipReason::NotDue { due_at_ms: open_failure.due_at_ms }),
            FailureState::Dead => Some(SkipReason::DeadLetter),
            FailureState::Ignored => Some(SkipReason::Ignored),
        }
    }

    /// Whether a person silenced this very want.
    #[must_use]
    pub fn is_ignored(&self, student: &StudentId, kind: OperationKind, desired_hash: Fingerprint) -> bool {
        self.with_desired_hash(student, kind, desired_hash)
            .is_some_and(|open_failure| open_failure.state == FailureState::Ignored)
    }

    fn with_desired_hash(
        &self,
        student: &StudentId,
        kind: OperationKind,
        desired_hash: Fingerprint,
    ) -> Option<&OpenFailure> {
        self.0.get(&(student.clone(), kind)).filter(|open_failure| open_failure.desired_hash == desired_hash)
    }
}
