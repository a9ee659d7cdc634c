//! What is done about accounts before and after the classes.

use crate::classin_plan::enrolment::EnrolmentState;
use crate::exam_plan::with_student;
use crate::roster::StudentId;

/// What is done about one student's account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccountKind {
    /// Obtain one, and have it taken into the school.
    Register,
    /// Write the student's new name at the school.
    Rename,
}

impl AccountKind {
    /// The word for it in tables and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Rename => "rename",
        }
    }
}

/// One intended change to one student's account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountOperation {
    /// Obtain or rename.
    pub kind: AccountKind,
    /// Whose account.
    pub student: StudentId,
    /// Whether it goes ahead.
    pub state: EnrolmentState,
    /// Fingerprint of what is wanted: a failure holds only while it is the same.
    pub desired_hash: u64,
}

impl AccountOperation {
    /// Whether it goes ahead.
    #[must_use]
    pub fn is_planned(&self) -> bool {
        self.state == EnrolmentState::Planned
    }

    /// Why it does not go ahead, for a person: with the command to type, where there is one.
    #[must_use]
    pub fn reason_text(&self) -> Option<String> {
        self.state.reason().map(|reason| with_student(&reason.to_string(), &self.student))
    }
}
