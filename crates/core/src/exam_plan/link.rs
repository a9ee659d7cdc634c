//! What the state remembers of a student's candidate.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::fingerprint::Fingerprint;
use crate::roster::{FieldId, Gid, LoginValue, Sid, StudentId};

/// How a candidate came under management.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// We entered it.
    Added,
    /// It was there already and was taken over.
    Adopted,
}

impl Origin {
    /// The word in tables and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Adopted => "adopted",
        }
    }

    /// Reads [`Origin::as_str`] back.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Added, Self::Adopted].into_iter().find(|origin| origin.as_str() == word)
    }
}

/// The tie between a student and a candidate.
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    /// The student.
    pub student: StudentId,
    /// The candidate.
    pub sid: Sid,
    /// Under which login value it was last seen.
    pub login: LoginValue,
    /// How it came under management.
    pub origin: Origin,
    /// Values the service confirmed, as fingerprints.
    pub confirmed: BTreeMap<FieldId, Fingerprint>,
    /// Fields written since the last complete listing: what the next one shows in them tells whether
    /// the service keeps values as they are sent.
    pub unverified: BTreeSet<FieldId>,
    /// Fields that came back changed from a confirmed write, with the value that came back. Once may be an
    /// edit by hand.
    pub suspected: BTreeMap<FieldId, Fingerprint>,
    /// Suspected fields whose second write was confirmed, with the number of listings that have shown the suspected
    /// value since.
    pub sent_twice: BTreeMap<FieldId, u32>,
    /// Fields that the service masks or rewrites: compared with `confirmed` instead of the listing.
    /// As long as the suspected value is shown.
    pub rewritten: BTreeSet<FieldId>,
    /// The candidate's groups when last looked up; absent when never.
    pub groups: Option<BTreeSet<Gid>>,
    /// Since when the student has been gone from the roster, in milliseconds since 1970 UTC.
    pub gone_since_ms: Option<i64>,
    /// In how many runs with complete reads the student has been gone.
    pub gone_runs: u32,
    /// When the link was made, in milliseconds since 1970 UTC.
    pub linked_at_ms: i64,
    /// Whether somebody gave the candidate another login value after the student had left.
    pub renamed_by_hand: bool,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("student", &self.student)
            .field("sid", &self.sid)
            .field("origin", &self.origin)
            .field("groups", &self.groups)
            .field("gone_since_ms", &self.gone_since_ms)
            .finish_non_exhaustive()
    }
}

/// A change to what is remembered that needs no call: it follows from what was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkNote {
    /// The student is gone from the roster (again): one more run has seen it.
    Gone(StudentId),
    /// The student is back.
    Returned(StudentId),
    /// The candidate has another login value now.
    Follow(StudentId, LoginValue),
    /// The candidate of a student who has left was given another login value by hand.
    RenamedByHand(StudentId),
    /// The candidate no longer exists and is not wanted either.
    Close(StudentId),
    /// The candidate no longer exists, and the one that took its login value may not be taken over.
    Lost(StudentId),
    /// Fields that came back changed from a confirmed write, with what came back; they are sent once more.
    Suspected(StudentId, BTreeMap<FieldId, Fingerprint>),
    /// Suspected fields that a listing shows as before, after they were sent once more.
    SeenAgain(StudentId, BTreeSet<FieldId>),
    /// Fields that are compared as any other: they show another value than the suspected one, or another is wanted.
    Cleared(StudentId, BTreeSet<FieldId>),
    /// Fields that came back changed from the second write too: the service rewrites them.
    Rewritten(StudentId, BTreeSet<FieldId>),
    /// Values found equal, or left alone on purpose, and remembered.
    Confirm(StudentId, BTreeMap<FieldId, Fingerprint>),
    /// Groups as looked up in this run.
    Groups(StudentId, BTreeSet<Gid>),
}

impl LinkNote {
    /// The student of the link.
    #[must_use]
    pub fn student(&self) -> &StudentId {
        match self {
            Self::Gone(student)
            | Self::Returned(student)
            | Self::Follow(student, _)
            | Self::RenamedByHand(student)
            | Self::Close(student)
            | Self::Lost(student)
            | Self::Suspected(student, _)
            | Self::SeenAgain(student, _)
            | Self::Cleared(student, _)
            | Self::Rewritten(student, _)
            | Self::Confirm(student, _)
            | Self::Groups(student, _) => student,
        }
    }
}
