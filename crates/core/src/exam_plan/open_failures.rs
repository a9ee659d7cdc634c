//! Failures of earlier runs that keep an operation waiting.

use std::collections::{HashMap, HashSet};

use super::fingerprint::Fingerprint;
use super::kind::OperationKind;
use super::reason::SkipReason;
use crate::failure::{FailureState, OpenFailure};
use crate::roster::StudentId;

/// The open failures of the exam side, and what a person silenced of what is withheld or held.
#[derive(Clone, Debug, Default)]
pub struct OpenFailures {
    failed: HashMap<(StudentId, OperationKind), OpenFailure>,
    silenced: HashSet<(StudentId, OperationKind, Fingerprint)>,
}

impl OpenFailures {
    /// Adds one open failure.
    pub fn insert(&mut self, student: StudentId, kind: OperationKind, failure: OpenFailure) {
        self.failed.insert((student, kind), failure);
    }

    /// Adds something that stood among the failures without having been tried, and that a person silenced.
    pub fn insert_silenced(&mut self, student: StudentId, kind: OperationKind, desired_hash: Fingerprint) {
        self.silenced.insert((student, kind, desired_hash));
    }

    /// Whether a person silenced just this wait or hold. It says nothing about an attempt: what is withheld or held
    /// no longer goes ahead like anything else.
    #[must_use]
    pub fn is_silenced(&self, student: &StudentId, kind: OperationKind, desired_hash: Fingerprint) -> bool {
        self.silenced.contains(&(student.clone(), kind, desired_hash))
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
        match failure.state {
            FailureState::Waiting => Some(SkipReason::NotDue { due_at_ms: failure.due_at_ms }),
            FailureState::Dead => Some(SkipReason::DeadLetter),
            FailureState::Ignored => Some(SkipReason::Ignored),
            // A hold is decided by its approval, never by its row.
            FailureState::Held => None,
        }
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
        let failure = self.failed.get(&(student.clone(), kind));
        failure.filter(|failure| failure.recorded.hash == desired_hash)
    }
}
