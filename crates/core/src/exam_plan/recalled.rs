//! About whom answers of earlier runs are believed in this one.

use std::collections::HashSet;

use crate::roster::{LoginValue, Sid, StudentId};

/// The students about whom remembered answers are believed in this run.
#[derive(Clone, Debug, Default)]
pub struct Recalled {
    pub(super) students: HashSet<StudentId>,
    pub(super) sids: HashSet<Sid>,
    pub(super) logins: HashSet<LoginValue>,
    /// Those students, and whoever has to do with one of their sids or login values.
    pub(super) concerned: HashSet<StudentId>,
}

impl Recalled {
    /// The students.
    #[must_use]
    pub fn students(&self) -> &HashSet<StudentId> {
        &self.students
    }

    /// Whether this candidate was not asked about in this run.
    #[must_use]
    pub fn has(&self, sid: Sid) -> bool {
        self.sids.contains(&sid)
    }
}
