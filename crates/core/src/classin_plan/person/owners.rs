//! Of one account: whose it is, and where else it is.

use super::Presence;
use super::planner::Planner;
use crate::classin_plan::enrolment::EnrolmentRecord;
use crate::roster::{ClassTarget, ClassinUid, StudentId};

impl Planner<'_> {
    /// Who it was enrolled for, and who else has the account: siblings may share one.
    pub(super) fn students_of(&self, record: &EnrolmentRecord) -> Vec<StudentId> {
        let mut students = vec![record.student.clone()];
        students.extend((self.view.owners)(record.uid).into_iter().filter(|one| *one != record.student));
        students
    }

    pub(super) fn whose_row_dangles(&self, record: &EnrolmentRecord) -> Option<StudentId> {
        let mut students = self.students_of(record).into_iter();
        students.find(|student| (self.view.presence)(student) == Presence::Dangling)
    }

    /// Whether another place is held by this very account, whatever account is wanted there: nobody waits for that one here.
    pub(super) fn is_there_by(&self, uid: ClassinUid, there: ClassTarget, here: ClassTarget) -> bool {
        let place = self.places.get(&there).filter(|_| there != here && here.class.is_some());
        let record = place.and_then(|place| place.recorded.get(&uid));
        record.is_some_and(|record| record.evidence.is_settled())
    }
}
