//! What is remembered of accounts, and what changes it.

use super::doubt::Doubt;
use crate::classin_plan::codes::Code;
use crate::exam_plan::Fingerprint;
use crate::roster::{ClassinUid, StudentId};

/// How an account became known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountOrigin {
    /// Its uid stood on the roster.
    Roster,
    /// We had it registered.
    Registered,
    /// It was there when we tried to register it.
    Found,
}

impl AccountOrigin {
    /// The word in tables and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Roster => "roster",
            Self::Registered => "registered",
            Self::Found => "found",
        }
    }

    /// Reads [`AccountOrigin::as_str`] back.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Roster, Self::Registered, Self::Found].into_iter().find(|origin| origin.as_str() == word)
    }
}

/// The record of one student's account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The student.
    pub student: StudentId,
    /// Which.
    pub uid: ClassinUid,
    /// How it became known.
    pub origin: AccountOrigin,
    /// Whether ClassIn has shown that it is a student of the school.
    pub is_school_student: bool,
    /// Of the phone number or e-mail address that it was obtained by.
    pub contact: Option<Fingerprint>,
    /// Of the name at the school, as last confirmed or first seen.
    pub school_name: Option<Fingerprint>,
    /// By which answer; absent for one that the roster names, and where an earlier version obtained it.
    pub obtained: Option<Obtained>,
    /// The code by which ClassIn said that there is no such account (any more).
    pub refused: Option<Code>,
    /// Of the contact by which it was found anew after such a code.
    pub found_anew: Option<Fingerprint>,
}

/// The answer that told of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obtained {
    /// The call, by its name on the wire.
    pub call: String,
    /// What it answered.
    pub code: Code,
    /// When, in milliseconds since 1970 UTC.
    pub at_ms: i64,
}

impl Account {
    /// The account that ClassIn named when it was asked by `contact`, with what was thought of the one before it.
    #[must_use]
    pub fn obtained_by(
        (student, uid): (StudentId, ClassinUid),
        contact: Fingerprint,
        obtained: Obtained,
        before: Option<&Doubt>,
    ) -> Self {
        let dead = match before {
            Some(Doubt::NoSuchAccount { uid, code }) => Some((*uid, *code)),
            Some(Doubt::AnotherContact { .. }) | None => None,
        };
        Self {
            student,
            uid,
            origin: if obtained.code.was_registered() {
                AccountOrigin::Registered
            } else {
                AccountOrigin::Found
            },
            is_school_student: false,
            contact: Some(contact),
            school_name: None,
            obtained: Some(obtained),
            refused: dead.filter(|(dead, _)| *dead == uid).map(|(_, code)| code),
            found_anew: dead.map(|_| contact),
        }
    }
}

/// A change to what is remembered of accounts.
#[derive(Clone, Debug)]
pub enum AccountChange {
    /// An account was registered or found. Whether it is a student of the school is not known yet.
    Obtained(Account),
    /// The account that is remembered of this student is a student of the school.
    Joined {
        /// The student.
        student: StudentId,
    },
    /// ClassIn has taken the account into a class for this student.
    Accepted {
        /// The student.
        student: StudentId,
        /// Which.
        uid: ClassinUid,
    },
    /// ClassIn says that there is no such account (any more). Counts for accounts of our own finding.
    Refused {
        /// The student.
        student: StudentId,
        /// Which.
        uid: ClassinUid,
        /// The code.
        code: Code,
    },
    /// The name at the school, confirmed or seen for the first time.
    Named {
        /// The student.
        student: StudentId,
        /// Of the name.
        name: Fingerprint,
    },
}
