//! Reasons why an operation is impossible, in words that say what to do about it.

use std::fmt;

use crate::failure::FailureCode;
use crate::roster::{GroupCode, Sid, StudentId};

/// The reason why an operation is impossible until its cause is fixed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CannotReason {
    /// The student has no login value.
    NoLogin {
        /// The roster column that should hold it.
        column: String,
    },
    /// Several students have this login value.
    SharedLogin {
        /// In which roster column.
        column: String,
        /// The others, in ascending order; those whose row has another fault are left out.
        others: Vec<StudentId>,
    },
    /// A new student is in no group.
    NoGroup,
    /// A group has no gid.
    GroupWithoutGid(GroupCode),
    /// The login value belongs to a candidate that is not ours.
    LoginTaken,
    /// `exam.adopt` forbids taking over the candidate that has the login value.
    AdoptionOff,
    /// The row cannot be used as it is.
    UnusableRow(String),
    /// The student is in a group that the roster does not have.
    GroupNotThere(GroupCode),
    /// That, and the candidate that was the student's is not there any more.
    AndGone {
        /// What keeps the row from being used.
        reason: Box<Self>,
        /// Which candidate it was.
        sid: Sid,
    },
}

impl CannotReason {
    /// The code under which it is recorded as a failure.
    #[must_use]
    pub fn code(&self) -> FailureCode {
        match self {
            Self::NoLogin { .. } => FailureCode::NoLoginValue,
            Self::SharedLogin { .. } => FailureCode::SharedLoginValue,
            Self::NoGroup => FailureCode::NoGroup,
            Self::GroupWithoutGid(_) => FailureCode::GroupWithoutGid,
            Self::LoginTaken => FailureCode::LoginValueTaken,
            Self::AdoptionOff => FailureCode::AdoptionOff,
            Self::UnusableRow(_) | Self::GroupNotThere(_) => FailureCode::UnusableRow,
            Self::AndGone { reason, sid: _ } => reason.code(),
        }
    }
}

impl fmt::Display for CannotReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLogin { column } => {
                write!(f, "students.{column} is empty, and it holds the login value: enter one")
            }
            Self::SharedLogin { column, others } => {
                write!(f, "students.{column} holds the login value, and {}: make them differ", same(others))
            }
            Self::NoGroup => f.write_str("the student is in no group: add a row to group_members"),
            Self::GroupWithoutGid(code) => {
                write!(f, "groups.gid of {code} is empty: enter the group's id on the exam side")
            }
            Self::LoginTaken => f.write_str(
                "the login value belongs to a candidate that rosterd does not manage: change one of the two",
            ),
            Self::AdoptionOff => f.write_str(
                "a candidate with this login value is already there and exam.adopt is \"never\": delete it, or allow adoption",
            ),
            Self::UnusableRow(what) => f.write_str(what),
            Self::GroupNotThere(code) if code.as_str().is_empty() => f.write_str(
                "group_members has a row of the student without a group_code: the student keeps their groups until it is \
                 mended",
            ),
            Self::AndGone { reason, sid } => write!(
                f,
                "{reason}; and the candidate that was theirs (sid {sid}) is not on the exam side any more: once the row can be \
                 used, the student is added anew"
            ),
            Self::GroupNotThere(code) => write!(
                f,
                "group_members names group {code}, which is not in groups: the student keeps their groups until one of \
                 the two is mended"
            ),
        }
    }
}

/// The number of others that are named.
const NAMED: usize = 3;

fn same(others: &[StudentId]) -> String {
    let named: Vec<&str> = others.iter().take(NAMED).map(StudentId::as_str).collect();
    match (others.len(), named.join(", ")) {
        (0, _) => "another student has the same".to_owned(),
        (1, named) => format!("student {named} has the same"),
        (count, named) if count <= NAMED => format!("students {named} have the same"),
        (count, named) => format!("students {named} and {} more have the same", count - NAMED),
    }
}
