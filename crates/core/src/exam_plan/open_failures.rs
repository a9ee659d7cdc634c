//! Failures of earlier runs that keep an operation waiting.

use std::collections::HashMap;

use super::fingerprint::Fingerprint;
use super::kind::OperationKind;
use super::reason::SkipReason;
use crate::failure::{FailureState, OpenFailure};
use crate::roster::StudentId;

/// The open failures of the exam side.
#[derive(Clone, Debug, Default)]
pub struct OpenFailures(HashMap<(StudentId, OperationKind), OpenFailure>);

impl OpenFailures {
    /// Adds one open failure.
    pub fn insert(&mut self, student: StudentId, kind: OperationKind, failure: OpenFailure) {
        self.0.insert((student, kind), failure);
    }

    /// The reason not to try this operation in this run; `None` when it may be tried.
    ///
    /// A failure whose desired hash has changed since holds nothing back: its row changed, so it is due at once.
    #[must_use]
    pub fn skip(
        &self,
        student: &StudentId,
        kind: OperationKind,
        desired_hash: Fingerprint,
        now_ms: i64,
    ) -> Option<SkipReason> {
        let failure = self.of(student, kind, desired_hash).filter(|failure| !failure.is_due(now_ms))?;
        Some(match failure.state {
            FailureState::Waiting => SkipReason::NotDue { due_at_ms: failure.due_at_ms },
            FailureState::Dead => SkipReason::DeadLetter,
            FailureState::Ignored => SkipReason::Ignored,
        })
    }

    /// Whether a person silenced just this.
    #[must_use]
    pub fn is_ignored(&self, student: &StudentId, kind: OperationKind, desired_hash: Fingerprint) -> bool {
        self.of(student, kind, desired_hash).is_some_and(|failure| failure.state == FailureState::Ignored)
    }

    fn of(
        &self,
        student: &StudentId,
        kind: OperationKind,
        desired_hash: Fingerprint,
    ) -> Option<&OpenFailure> {
        // No failure of the exam side depends on a contact.
        self.0.get(&(student.clone(), kind)).filter(|failure| failure.recorded.hash == desired_hash)
    }
}
