//! The meaning of each answer code of ClassIn: the decision table as one piece of data.
//!
//! It says what a code means at a call, not which students of a call it concerns: that is
//! [`judge`](super::judge()).
//!
//! # Where the oldest document is not followed
//!
//! The English document this project started from (docs/contracts/classin.md, 9) reads three
//! codes differently. The current Chinese documentation (revision 6.0.5) is followed instead:
//!
//! - **143**: there "cell phone number is illegal", now "no such class". Students have been named by uid
//!   alone since 2021-01-05, so a call carries no phone number that could be illegal. With the old meaning,
//!   every student of a mistyped class would become a dead letter, instead of one closed class.
//! - **144**: there "no information about this section", now "the school has no such course": the course is
//!   condemned with all its classes, not the one class.
//! - **164**: there "the same phone number already exists in the course", now "is an auditor of the course".
//!   The change that brought it (2018-02-07) speaks of auditors, so the old text is a mistranslation. With
//!   the old meaning it would count as membership, and a student who cannot take part would look enrolled.

mod code;
mod table;
#[cfg(test)]
mod tests;

pub use code::Code;

use crate::roster::ClassTarget;
use table::{NOT_LISTED, TABLE, UNEXPECTED_HERE};

/// The calls whose codes are judged, free of wire spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Call {
    /// Adds students to one class.
    ClassAdd,
    /// Removes students from one class.
    ClassRemove,
    /// Adds students to a whole course.
    CourseAdd,
    /// Removes students from a whole course.
    CourseRemove,
    /// Obtains one account's uid.
    Register,
    /// The same for up to ten accounts.
    RegisterMultiple,
    /// Makes one account a student of the school.
    SchoolStudent,
    /// Writes the name of one student of the school.
    SchoolName,
}

impl Call {
    /// Every call, for tables and tests.
    pub const ALL: [Self; 8] = [
        Self::ClassAdd,
        Self::ClassRemove,
        Self::CourseAdd,
        Self::CourseRemove,
        Self::Register,
        Self::RegisterMultiple,
        Self::SchoolStudent,
        Self::SchoolName,
    ];

    /// The call that puts students into this class, or into the whole course.
    #[must_use]
    pub fn adding_to(target: ClassTarget) -> Self {
        if target.class.is_some() { Self::ClassAdd } else { Self::CourseAdd }
    }

    /// The call that takes students out of it.
    #[must_use]
    pub fn removing_from(target: ClassTarget) -> Self {
        if target.class.is_some() { Self::ClassRemove } else { Self::CourseRemove }
    }

    /// Whether this call takes memberships away.
    #[must_use]
    pub fn is_removal(self) -> bool {
        match self {
            Self::ClassRemove | Self::CourseRemove => true,
            Self::ClassAdd
            | Self::CourseAdd
            | Self::Register
            | Self::RegisterMultiple
            | Self::SchoolStudent
            | Self::SchoolName => false,
        }
    }

    /// Whether the answer has one item per student. The others carry their one code at the top.
    ///
    /// Contract: docs/contracts/classin.md, 4.3, 4.5 and 4.9.
    #[must_use]
    pub fn answers_by_item(self) -> bool {
        match self {
            Self::ClassAdd
            | Self::ClassRemove
            | Self::CourseAdd
            | Self::CourseRemove
            | Self::RegisterMultiple => true,
            Self::Register | Self::SchoolStudent | Self::SchoolName => false,
        }
    }
}

/// The reason why ClassIn is not called any more in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stop {
    /// We sent something we should not send.
    OurMistake,
    /// The credentials are refused (102).
    NoPermission,
    /// The service is closed for maintenance (901).
    Maintenance,
}

/// The class of a code: docs/contracts/classin.md, 6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CodeClass {
    /// It is so now, by us.
    Done,
    /// It was so before: there already, or (for removals) gone already.
    Already,
    /// Fix the cause once, then try once more. A second time it counts as [`CodeClass::Student`].
    Repair,
    /// Later, with growing delays, a limited number of times.
    Retry,
    /// No room: no more adds to this class, removals first, the rest stays pending.
    Full,
    /// Permanent for this student here, until the row changes.
    Student,
    /// Condemns the class.
    Class {
        /// Until its ids change on the roster; otherwise for this run.
        for_good: bool,
    },
    /// Condemns the course and all its classes.
    Course {
        /// Until its ids change on the roster; otherwise for this run.
        for_good: bool,
    },
    /// Stops ClassIn for this run.
    Run(Stop),
}

impl CodeClass {
    /// Whether it concerns more than the students of one call: the class, the course or the run.
    #[must_use]
    pub fn is_whole(self) -> bool {
        match self {
            Self::Class { .. } | Self::Course { .. } | Self::Run(_) => true,
            Self::Done | Self::Already | Self::Repair | Self::Retry | Self::Full | Self::Student => false,
        }
    }
}

/// The meaning of one code at one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Decision {
    /// The code itself.
    pub code: Code,
    /// Its class.
    pub class: CodeClass,
    /// For the school office: the meaning, and who can do what about it. One sentence, no full stop, no
    /// personal data.
    pub message: &'static str,
    /// Whether the table knows this code at this call. Show an unlisted code's number beside the message.
    pub listed: bool,
}

impl Decision {
    /// The message; with the number where nobody knows what it means.
    #[must_use]
    pub fn sentence(&self) -> String {
        let Self { code, class: _, message, listed } = self;
        if *listed { (*message).to_owned() } else { format!("{message} (code {code})") }
    }
}

/// Looks a code up. A code that is not in the table, or that claims success at a call it does not belong to,
/// is a failure of its students ([`CodeClass::Student`]), never a success.
pub fn decide(call: Call, code: Code) -> Decision {
    let Some(row) = TABLE.iter().find(|row| row.code == code) else {
        return Decision { code, class: CodeClass::Student, message: NOT_LISTED, listed: false };
    };
    if let Some(exception) = row.exception.filter(|exception| exception.calls.contains(&call)) {
        return Decision { code, class: exception.class, message: exception.message, listed: true };
    }
    if !row.calls.contains(&call) {
        return Decision { code, class: CodeClass::Student, message: UNEXPECTED_HERE, listed: false };
    }
    Decision { code, class: row.class, message: row.message, listed: true }
}
