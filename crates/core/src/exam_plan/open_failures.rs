//! Failures of earlier runs that keep an operation waiting.

use std::collections::{HashMap, HashSet};

use super::fingerprint::Fingerprint;
use super::hold_word::NamedHold;
use super::kind::OperationKind;
use super::link::Link;
use super::reason::{HoldReason, SkipReason};
use crate::failure::{FailureState, OpenFailure};
use crate::roster::StudentId;

/// The open failures of the exam side, and what a person silenced of what is withheld or held.
#[derive(Clone, Debug, Default)]
pub struct OpenFailures {
    failed: HashMap<(StudentId, OperationKind), OpenFailure>,
    silenced: HashSet<(StudentId, OperationKind, Fingerprint)>,
    silenced_holds: HashMap<(StudentId, OperationKind, Fingerprint), NamedHold>,
    /// Holds about single people that stand, of candidates that may be taken over.
    held_adoptions: HashSet<(StudentId, NamedHold)>,
    kept: HashSet<StudentId>,
    said_to_have_left: HashSet<StudentId>,
    of_another: HashSet<StudentId>,
}

/// A hold about single people that a person silenced.
#[derive(Clone, Copy, Debug)]
pub struct SilencedHold {
    /// What was held.
    pub kind: OperationKind,
    /// What it wanted.
    pub desired_hash: Fingerprint,
    /// For what it was held.
    pub named: NamedHold,
    /// Whether it takes something from a student who left.
    pub of_leaver: bool,
}

impl OpenFailures {
    /// Adds one open failure.
    pub fn insert(&mut self, student: StudentId, kind: OperationKind, failure: OpenFailure) {
        self.failed.insert((student, kind), failure);
    }

    /// Adds something that was withheld, and that a person silenced.
    pub fn insert_silenced(&mut self, student: StudentId, kind: OperationKind, desired_hash: Fingerprint) {
        self.silenced.insert((student, kind, desired_hash));
    }

    /// Adds a leaver of whom a person silenced what stands in the way of their dismissal: they stay, whatever is found later.
    pub fn insert_kept(&mut self, leaver: StudentId) {
        self.kept.insert(leaver);
    }

    /// Adds something that was held about single people, and that a person silenced. A leaver stays from then on,
    /// whatever else is found; who silenced that rows still name a leaver has said that they have left.
    pub fn insert_silenced_hold(&mut self, student: StudentId, hold: SilencedHold) {
        let SilencedHold { kind, desired_hash, named, of_leaver } = hold;
        if of_leaver && HoldReason::StillNamed.named() == Some(named) {
            self.said_to_have_left.insert(student);
            return;
        }
        if of_leaver {
            self.insert_kept(student.clone());
        }
        self.silenced_holds.insert((student, kind, desired_hash), named);
    }

    /// Adds a student whose candidate showed another login value than the listing: whose it is has to be looked up.
    pub fn insert_of_another(&mut self, student: StudentId) {
        self.of_another.insert(student);
    }

    /// Whether an earlier run saw another login value at the sid of this student.
    #[must_use]
    pub fn is_of_another(&self, student: &StudentId) -> bool {
        self.of_another.contains(student)
    }

    /// Whether a person said that this leaver stays, until they are back, `failures retry` or an approval.
    #[must_use]
    pub fn keeps(&self, leaver: &Link) -> bool {
        leaver.gone_since_ms.is_some() && self.kept.contains(&leaver.student)
    }

    /// Whether a person said that this student has left, although rows still name them.
    #[must_use]
    pub fn says_left(&self, leaver: &Link) -> bool {
        leaver.gone_since_ms.is_some() && self.said_to_have_left.contains(&leaver.student)
    }

    /// Whether a person silenced the hold of just this.
    #[must_use]
    pub fn is_silenced_hold(
        &self,
        student: &StudentId,
        kind: OperationKind,
        desired_hash: Fingerprint,
    ) -> bool {
        self.silenced_holds.contains_key(&(student.clone(), kind, desired_hash))
    }

    /// Adds a candidate that a person is asked about before it is taken over.
    pub fn insert_held_adoption(&mut self, student: StudentId, hold: NamedHold) {
        self.held_adoptions.insert((student, hold));
    }

    /// Whether a person said to leave a candidate with this student's login value alone, and has not been asked, or not
    /// answered, `anew` since.
    #[must_use]
    pub fn has_left_candidate(&self, student: &StudentId, anew: NamedHold) -> bool {
        let is_of = |(one, kind, _): &(StudentId, OperationKind, Fingerprint)| {
            one == student && *kind == OperationKind::Adopt
        };
        self.held_adoptions.contains(&(student.clone(), anew)) || self.silenced_holds.keys().any(is_of)
    }

    /// Whether a person silenced just this hold of just this.
    #[must_use]
    pub fn has_silenced(
        &self,
        student: &StudentId,
        kind: OperationKind,
        desired_hash: Fingerprint,
        hold: NamedHold,
    ) -> bool {
        self.silenced_holds.get(&(student.clone(), kind, desired_hash)) == Some(&hold)
    }

    /// Whether a person silenced just this wait. It says nothing about an attempt: what is withheld no longer goes
    /// ahead like anything else.
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

    /// Whether it is among the failures that just this was tried.
    pub(super) fn was_tried(
        &self,
        student: &StudentId,
        kind: OperationKind,
        desired_hash: Fingerprint,
    ) -> bool {
        self.of(student, kind, desired_hash).is_some()
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
