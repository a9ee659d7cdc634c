//! A student as far as an account needs it.

use std::fmt;

use super::StudentId;

/// A student's name and contacts, for an account. Personal: never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct RosterPerson {
    /// The student.
    pub student: StudentId,
    /// Normalised; empty when absent.
    pub name: String,
    /// As it was entered; absent when empty.
    pub phone: Option<String>,
    /// As it was entered, without blanks around it; absent when empty.
    pub email: Option<String>,
}

impl fmt::Debug for RosterPerson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RosterPerson").field("student", &self.student).finish_non_exhaustive()
    }
}
