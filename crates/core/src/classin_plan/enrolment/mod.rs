//! One enrolment: what we remember of it, and what is to be done about it.

mod batch;
mod condition;
mod evidence;
#[cfg(test)]
mod evidence_tests;
mod exchanged;
mod fingerprint;
mod reason;
mod shared;
mod stale;

pub use batch::{EnrolmentBatch, LARGEST_BATCH, batches};
pub use condition::Condition;
pub use evidence::{EvidenceChange, evidence_after, evidence_before};
pub use exchanged::Exchanges;
pub use fingerprint::{WantedEnrolment, class_hash, desired_hash};
pub use reason::{HeldBack, LeftAsSet, LeftBehind, OverLimit, Reason};
pub use shared::{
    AccountsOf, MOST_SIBLINGS, OthersAccounts, SharedContact, SharedContacts, SharedHolds, SharedKey,
};
pub use stale::StaleEnrolments;

use crate::roster::{ClassCode, ClassTarget, ClassinUid, Removals, StudentId};

/// The source of our knowledge of one account's membership. It is the only memory, as ClassIn cannot be read
/// back (docs/contracts/classin.md, 1.4, rule 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Evidence {
    /// We added it; ours to remove.
    Added,
    /// It was there when we first tried to add it; not ours to remove.
    Present,
    /// We tried to add it and do not know what became of that. A repeat is safe and settles it.
    Unknown,
    /// A repeated add of ours, after a lost answer, found it there: membership is certain, authorship is not.
    Presumed,
    /// We tried to remove it, as we were allowed to, and do not know what became of that. A repeat is safe.
    Removing,
    /// The same of a membership that is certain while its author is not.
    RemovingPresumed,
    /// It was there once and is out. For every decision the same as no record at all.
    Gone,
    /// The class takes no changes for good (over, deleted, made in the app): the membership stays as it is.
    /// Not ours to remove.
    Closed,
}

impl Evidence {
    /// Every kind, for tables and tests.
    pub const ALL: [Self; 8] = [
        Self::Added,
        Self::Present,
        Self::Unknown,
        Self::Presumed,
        Self::Removing,
        Self::RemovingPresumed,
        Self::Gone,
        Self::Closed,
    ];

    /// The word for it in tables and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Present => "present",
            Self::Unknown => "unknown",
            Self::Presumed => "presumed",
            Self::Removing => "removing",
            Self::RemovingPresumed => "removing presumed",
            Self::Gone => "gone",
            Self::Closed => "condemned",
        }
    }

    /// The evidence of this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|evidence| evidence.as_str() == word)
    }

    /// Whether a wanted enrolment needs nothing more: the account is surely there, or nothing can be done.
    #[must_use]
    pub fn is_settled(self) -> bool {
        match self {
            Self::Added | Self::Present | Self::Presumed | Self::Closed => true,
            Self::Unknown | Self::Removing | Self::RemovingPresumed | Self::Gone => false,
        }
    }

    /// Whether `[classin] removals` lets a student of this evidence be taken out.
    #[must_use]
    pub fn may_be_removed(self, removals: Removals) -> bool {
        match self {
            Self::Present | Self::Gone | Self::Closed => false,
            Self::Added | Self::Removing => removals >= Removals::Added,
            Self::Presumed | Self::Unknown | Self::RemovingPresumed => removals >= Removals::Presumed,
        }
    }

    /// Whether a removal was sent whose answer is not known.
    #[must_use]
    pub fn is_being_removed(self) -> bool {
        match self {
            Self::Removing | Self::RemovingPresumed => true,
            Self::Added | Self::Present | Self::Unknown | Self::Presumed | Self::Gone | Self::Closed => false,
        }
    }
}

/// The record of one account in one class. Evidence belongs to (uid, target): siblings may share an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrolmentRecord {
    /// The account.
    pub uid: ClassinUid,
    /// Where.
    pub target: ClassTarget,
    /// The student it was enrolled for.
    pub student: StudentId,
    /// The source of our knowledge.
    pub evidence: Evidence,
    /// When a run first saw that the student has left the roster; absent while they are on it.
    pub gone_since_ms: Option<i64>,
    /// When a run first saw that nobody wants the account there; absent while somebody does.
    pub unwanted_since_ms: Option<i64>,
    /// Whether what it rested on may be gone: a wanted one is added once more before it is believed.
    pub needs_proof: bool,
    /// Whether the account was taken out of the whole course for a class of it that then took nobody, and could not be put back
    /// yet.
    pub is_to_be_put_back: bool,
}

impl EnrolmentRecord {
    /// What is known of somebody who is on the roster and wanted there.
    #[must_use]
    pub fn new(uid: ClassinUid, target: ClassTarget, student: StudentId, evidence: Evidence) -> Self {
        Self {
            uid,
            target,
            student,
            evidence,
            gone_since_ms: None,
            unwanted_since_ms: None,
            needs_proof: false,
            is_to_be_put_back: false,
        }
    }

    /// Fingerprint of what the removal of just this wants ([`desired_hash`]).
    #[must_use]
    pub fn removal_hash(&self) -> u64 {
        desired_hash(&WantedEnrolment {
            kind: EnrolmentKind::Remove,
            student: &self.student,
            class_code: None,
            uid: Some(self.uid),
            target: self.target,
        })
    }
}

/// The kind of change for one student and one class. In the order of a report: registrations first, removals
/// last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EnrolmentKind {
    /// Obtain a ClassIn account.
    Register,
    /// Put into the class.
    Enrol,
    /// Take out of the class.
    Remove,
}

impl EnrolmentKind {
    /// The word for it in tables and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Enrol => "enrol",
            Self::Remove => "remove",
        }
    }
}

/// Whether an operation goes ahead, with the reason if not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnrolmentState {
    /// It is carried out.
    Planned,
    /// It is too much without a person's approval.
    Held(Reason),
    /// It is withheld, and no action is needed.
    Skipped(Reason),
    /// It is impossible until the roster changes.
    Cannot(Reason),
    /// It goes ahead later by itself, or after a person has looked at its failure.
    Waiting(Reason),
}

impl EnrolmentState {
    /// The reason for not going ahead; `None` for a planned operation.
    #[must_use]
    pub fn reason(&self) -> Option<&Reason> {
        match self {
            Self::Planned => None,
            Self::Held(reason) | Self::Skipped(reason) | Self::Cannot(reason) | Self::Waiting(reason) => {
                Some(reason)
            }
        }
    }
}

/// One intended change for one student and one class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrolmentOperation {
    /// What.
    pub kind: EnrolmentKind,
    /// The student.
    pub student: StudentId,
    /// The class, by the school's code; absent when the roster no longer has that class.
    pub class_code: Option<ClassCode>,
    /// The account; absent only where that is what is missing.
    pub uid: Option<ClassinUid>,
    /// The class, by ClassIn's ids.
    pub target: ClassTarget,
    /// Its state.
    pub state: EnrolmentState,
    /// The evidence before: the `was` of [`evidence_before`] and [`evidence_after`].
    pub recorded: Option<Evidence>,
    /// Another planned operation makes the call for the same account and target, and this one ends as that
    /// one does. It is in no batch.
    pub follows: bool,
    /// What must have happened before: all of it.
    pub after: Vec<Condition>,
    /// A removal of an account in whose place the student is wanted under another one. That no such account exists
    /// is as good as gone.
    pub is_replaced: bool,
    /// An add that takes back a removal from a whole course: it is tried again whatever ClassIn says.
    pub is_put_back: bool,
    /// Fingerprint of what is wanted ([`desired_hash`]): a failure holds only while it is the same.
    pub desired_hash: u64,
}

impl EnrolmentOperation {
    /// The add that takes back a removal from a whole course. What was ours stays ours, also where the answer is lost.
    #[must_use]
    pub fn taking_back(removal: Self) -> Self {
        let Self { student, class_code, uid, target, recorded, .. } = removal;
        let recorded = match evidence_before(EnrolmentKind::Remove, recorded) {
            EvidenceChange::Record(evidence) => Some(evidence),
            EvidenceChange::Forget => None,
        };
        let desired_hash = desired_hash(&WantedEnrolment {
            kind: EnrolmentKind::Enrol,
            student: &student,
            class_code: class_code.as_ref(),
            uid,
            target,
        });
        Self {
            kind: EnrolmentKind::Enrol,
            student,
            class_code,
            uid,
            target,
            state: EnrolmentState::Planned,
            recorded,
            follows: false,
            after: Vec::new(),
            is_replaced: false,
            is_put_back: true,
            desired_hash,
        }
    }

    /// Whether it goes ahead, by a call of its own or by following another.
    #[must_use]
    pub fn is_planned(&self) -> bool {
        self.state == EnrolmentState::Planned
    }

    /// Whether it rests on an operation in another course.
    #[must_use]
    pub fn follows_another_course(&self) -> bool {
        self.after.iter().any(|condition| match condition {
            Condition::Settled { target, .. } | Condition::Removed { target, .. } => {
                target.course != self.target.course
            }
            Condition::SomebodyEnters => false,
        })
    }

    /// Whether this operation ends as `leader` does.
    #[must_use]
    pub fn ends_with(&self, leader: &Self) -> bool {
        self.follows
            && !leader.follows
            && leader.is_planned()
            && (self.kind, self.uid, self.target) == (leader.kind, leader.uid, leader.target)
    }
}
