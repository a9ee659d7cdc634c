//! One enrolment: what we remember of it, and what is to be done about it.

mod batch;
mod condition;
mod evidence;
#[cfg(test)]
mod evidence_tests;
mod fingerprint;
mod stale;

use std::fmt;

pub use batch::{EnrolmentBatch, LARGEST_BATCH, batches};
pub use condition::Condition;
pub use evidence::{EvidenceChange, evidence_after, evidence_before};
pub use fingerprint::{Wanted, desired_hash};
pub use stale::StaleEnrolments;

use super::codes::Code;
use crate::roster::{ClassCode, ClassTarget, ClassinUid, Mode, StudentId};

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
    /// It was there once and is out. For every decision the same as no record at all.
    Gone,
    /// The class takes no changes for good (over, deleted, made in the app): the membership stays as it is.
    /// Not ours to remove.
    Closed,
}

impl Evidence {
    /// Every kind, for tables and tests.
    pub const ALL: [Self; 7] =
        [Self::Added, Self::Present, Self::Unknown, Self::Presumed, Self::Removing, Self::Gone, Self::Closed];

    /// The word for it in tables and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Present => "present",
            Self::Unknown => "unknown",
            Self::Presumed => "presumed",
            Self::Removing => "removing",
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
            Self::Unknown | Self::Removing | Self::Gone => false,
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

/// The reason why an operation does not go ahead. Its text is a sentence without a full stop and without
/// personal data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The student has no uid.
    NoAccount,
    /// `[sync] mode` does not allow it.
    Mode(Mode),
    /// The class takes no changes, with the code that said so.
    Closed(Code),
    /// It would take the last member of ours out of the class.
    WouldEmpty {
        /// The number of removals that would empty it.
        removals: usize,
    },
    /// The student has left less than `delete_grace` ago, or fewer than two runs have seen it.
    Grace {
        /// When the grace ends, in milliseconds since 1970 UTC.
        until_ms: i64,
    },
    /// Too many would leave the class at once, with the figures.
    Shrinks(String),
    /// The roster contradicts itself about whether the student has left, in its own words.
    MayBeThere(String),
    /// The student is on the roster, and the class has member rows that name nobody: one of them may be theirs.
    RowsOfNobody {
        /// How many.
        rows: u64,
    },
    /// It is no longer wanted there, and the evidence does not let us take it out.
    NotOurs(Evidence),
    /// The reason of the ledger or the guard, in its own words.
    Other(String),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAccount => {
                f.write_str("no ClassIn account: enter the student's classin_uid on the roster")
            }
            Self::Mode(mode) => write!(f, "the mode {} does not allow it", mode.as_str()),
            Self::Closed(code) => write!(
                f,
                "ClassIn takes no changes to this class (code {code}) until its ids change on the roster"
            ),
            Self::WouldEmpty { removals } => write!(
                f,
                "a group or class that would go to zero: {removals} removals would leave nobody of ours in it"
            ),
            Self::Grace { .. } => {
                f.write_str("the student has left only recently: delete_grace and two runs must pass first")
            }
            Self::RowsOfNobody { rows } => write!(
                f,
                "{rows} row{} of class_members name{} nobody, and the student may be meant: mend or remove what names \
                 nobody, or approve that they left the class",
                if *rows == 1 { "" } else { "s" },
                if *rows == 1 { "s" } else { "" }
            ),
            Self::NotOurs(evidence) => write!(
                f,
                "still in the class and not ours to remove (evidence: {}): take them out in ClassIn, or let rosterd do \
                 it with `rosterd claim`",
                evidence.as_str()
            ),
            Self::Shrinks(text) | Self::MayBeThere(text) | Self::Other(text) => f.write_str(text),
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
    /// Fingerprint of what is wanted ([`desired_hash`]): a failure holds only while it is the same.
    pub desired_hash: u64,
}

impl EnrolmentOperation {
    /// Whether it goes ahead, by a call of its own or by following another.
    #[must_use]
    pub fn is_planned(&self) -> bool {
        self.state == EnrolmentState::Planned
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
