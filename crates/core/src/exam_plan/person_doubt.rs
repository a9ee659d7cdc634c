//! Doubts about who is who: one person under two ids, two people under one, or records that changed hands.
//!
//! Who is in doubt is held: a person says whether it is one or two.

use std::fmt;

use super::fingerprint::Digest;
use crate::roster::{StudentId, shell_word};

/// The reason to ask whether it is one person or two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PersonDoubt {
    /// A student on the roster wants the login value that a leaver's candidate has.
    LoginWanted {
        /// Who has left.
        leaver: StudentId,
        /// Who wants it.
        by: StudentId,
        /// Whether that student has a candidate already, to which no other can be carried over.
        has_candidate: bool,
    },
    /// A leaver's id and that of a student without a candidate differ in their spelling alone.
    AlikeIds {
        /// Who has left.
        leaver: StudentId,
        /// Who has come.
        newcomer: StudentId,
    },
    /// The same, and the other student has been entered since: a person said that they are somebody else, and nothing
    /// yet of the leaver.
    AlikeEntered {
        /// Who has left.
        leaver: StudentId,
        /// Who has a candidate of their own.
        other: StudentId,
    },
    /// Somebody gave a leaver's candidate another login value after they had left.
    RenamedByHand {
        /// Who has left.
        leaver: StudentId,
    },
    /// The rows of two students seem to have changed hands: one has the login value of the other's candidate and most of
    /// its values.
    Exchanged {
        /// Whose row it is.
        student: StudentId,
        /// With whose it seems to have changed hands.
        other: StudentId,
    },
    /// The candidate of the student shows the login value of another one, and that one's other values.
    ChangedHands {
        /// Whose candidate it is by its sid.
        student: StudentId,
        /// Whose login value it shows.
        other: StudentId,
    },
}

impl PersonDoubt {
    /// Whom it is about, and what is asked: whether two are one, or whether something changed hands.
    pub(super) fn take_into<'d>(&self, digest: &'d mut Digest) -> &'d mut Digest {
        match self {
            Self::LoginWanted { leaver, by: other, has_candidate: _ }
            | Self::AlikeIds { leaver, newcomer: other }
            | Self::AlikeEntered { leaver, other } => {
                digest.text("one or two").text(leaver.as_str()).text(other.as_str())
            }
            Self::RenamedByHand { leaver } => digest.text("renamed by hand").text(leaver.as_str()),
            Self::Exchanged { student, other } => {
                digest.text("exchanged").text(student.as_str()).text(other.as_str())
            }
            Self::ChangedHands { student, other } => {
                digest.text("changed hands").text(student.as_str()).text(other.as_str())
            }
        }
    }

    /// Whether it names two ids of which one can be carried over to the other.
    #[must_use]
    pub fn suggests_a_pair(&self) -> bool {
        match self {
            Self::LoginWanted { has_candidate, .. } => !has_candidate,
            Self::AlikeIds { .. } => true,
            Self::AlikeEntered { .. }
            | Self::RenamedByHand { .. }
            | Self::Exchanged { .. }
            | Self::ChangedHands { .. } => false,
        }
    }
}

impl fmt::Display for PersonDoubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let typed = |student: &StudentId| shell_word(student.as_str()).into_owned();
        match self {
            Self::LoginWanted { leaver, by, has_candidate } => {
                write!(f, "student {by} wants the login value of student {leaver}, who has left: ")?;
                if !has_candidate {
                    write!(f, "if they are one person, rosterd relink {} {}; ", typed(leaver), typed(by))?;
                }
                write!(f, "if they are two, rosterd approve DIGEST --student {}", typed(leaver))
            }
            Self::AlikeIds { leaver, newcomer } => write!(
                f,
                "the id of student {newcomer}, who is new, is that of student {leaver}, who has left, but for its spelling: \
                 if they are one person, rosterd relink {old} {new}; if they are two, \
                 rosterd approve DIGEST --student {old} {new}",
                old = typed(leaver),
                new = typed(newcomer)
            ),
            Self::AlikeEntered { leaver, other } => write!(
                f,
                "the id of student {other}, who has a candidate of their own, is that of student {leaver}, who has left, but \
                 for its spelling: if they are one person, keep the candidate of {leaver} (rosterd failures ignore) until one of \
                 the two is removed on the exam side; if they are two, rosterd approve DIGEST --student {}",
                typed(leaver)
            ),
            Self::RenamedByHand { leaver } => write!(
                f,
                "the candidate of student {leaver}, who has left, was given another login value on the exam side: \
                 if somebody else uses it now, keep it (rosterd failures ignore), or rosterd relink {typed} to the \
                 student whose it is; if not, rosterd approve DIGEST --student {typed}",
                typed = typed(leaver)
            ),
            Self::Exchanged { student, other } => write!(
                f,
                "what the roster has of student {student} and what the candidate of student {other} shows, or the other way \
                 round, is alike: if their ids were exchanged on the roster, put them right there; if not, \
                 rosterd approve DIGEST --student {} {}",
                typed(student),
                typed(other)
            ),
            Self::ChangedHands { student, other } => write!(
                f,
                "the candidate of student {student} shows the login value of student {other}, their records may have changed \
                 hands on the exam side: put them right there; if the exam side gave them new sids, rosterd account confirm exam; \
                 if each is to be written over with its own student's values, rosterd approve DIGEST --student {} {}",
                typed(student),
                typed(other)
            ),
        }
    }
}
