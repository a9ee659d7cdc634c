//! Doubts about who is who: one person under two ids, two people under one, or records that changed hands.
//!
//! Who is in doubt is held: a person says whether it is one or two.

use std::fmt;

use super::fingerprint::Digest;
use crate::roster::StudentId;

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
    /// Somebody gave a leaver's candidate another login value after they had left.
    RenamedByHand {
        /// Who has left.
        leaver: StudentId,
    },
    /// Every value of the student is what another student's candidate shows, and so round to the student's own.
    Exchanged {
        /// Whose row it is.
        student: StudentId,
        /// Whose candidate shows its values.
        other: StudentId,
    },
}

impl PersonDoubt {
    /// Whom it is about, and what is asked: whether two are one, or whether something changed hands.
    pub(super) fn take_into<'d>(&self, digest: &'d mut Digest) -> &'d mut Digest {
        match self {
            Self::LoginWanted { leaver, by: other, has_candidate: _ }
            | Self::AlikeIds { leaver, newcomer: other } => {
                digest.text("one or two").text(leaver.as_str()).text(other.as_str())
            }
            Self::RenamedByHand { leaver } => digest.text("renamed by hand").text(leaver.as_str()),
            Self::Exchanged { student, other } => {
                digest.text("exchanged").text(student.as_str()).text(other.as_str())
            }
        }
    }
}

impl fmt::Display for PersonDoubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LoginWanted { leaver, by, has_candidate } => {
                write!(f, "student {by} wants the login value of student {leaver}, who has left: ")?;
                if !has_candidate {
                    write!(f, "if they are one person, rosterd relink {leaver} {by}; ")?;
                }
                write!(f, "if they are two, rosterd approve DIGEST --student {leaver}")
            }
            Self::AlikeIds { leaver, newcomer } => write!(
                f,
                "the id of student {newcomer}, who is new, is that of student {leaver}, who has left, but for its spelling: \
                 if they are one person, rosterd relink {leaver} {newcomer}; if they are two, \
                 rosterd approve DIGEST --student {leaver} {newcomer}"
            ),
            Self::RenamedByHand { leaver } => write!(
                f,
                "the candidate of student {leaver}, who has left, was given another login value on the exam side: \
                 if somebody else uses it now, keep it (rosterd failures ignore), or rosterd relink {leaver} to the \
                 student whose it is; if not, rosterd approve DIGEST --student {leaver}"
            ),
            Self::Exchanged { student, other } => write!(
                f,
                "every value of student {student} is what the candidate of student {other} shows: \
                 if their ids were exchanged on the roster, put them right there; if not, rosterd approve DIGEST \
                 --student {student} {other}"
            ),
        }
    }
}
