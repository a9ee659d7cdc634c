//! Who was taken out of a whole course for a class of it that then took nobody, and could not be put back: the next runs try again.

use super::place::Place;
use super::planner::Planner;
use crate::classin_plan::enrolment::{
    EnrolmentKind, EnrolmentOperation, EnrolmentRecord, EnrolmentState, Reason,
};
use crate::roster::{Enrolment, Mode};

pub(super) const PUT_BACK_FIRST: &str = "the student was taken out of the whole course for a class that took nobody, and is put back into the course first";

impl Planner<'_> {
    /// Whether the course is owed to the account: it is in no class, and the roster still wants it in one of the course.
    pub(super) fn is_owed(&self, record: &EnrolmentRecord) -> bool {
        let is_in_doubt = record.target.class.is_none() && record.evidence.is_being_removed();
        let is_wanted_in_class = || {
            let mut classes = self.places.iter().filter(|(target, _)| target.class.is_some());
            classes.any(|(_, place)| place.wanted_uids.contains_key(&record.uid))
        };
        record.is_to_be_put_back && is_in_doubt && is_wanted_in_class()
    }

    /// The add that puts it back.
    pub(super) fn put_back(&self, record: &EnrolmentRecord, place: &Place<'_>) -> EnrolmentOperation {
        let add = EnrolmentOperation::taking_back(self.removal(record, place));
        let state = if self.view.mode < Mode::CreateOnly {
            EnrolmentState::Skipped(Reason::Mode(self.view.mode))
        } else if let Some(code) = (self.view.closed)(record.target) {
            EnrolmentState::Skipped(Reason::Closed(code))
        } else {
            self.due(add.desired_hash, EnrolmentKind::Enrol, record.target)
        };
        EnrolmentOperation { state, ..add }
    }

    /// Whether a wanted class waits as its account is put back into the course now: asked together, the class would say that they
    /// are there already, through the course.
    pub(super) fn comes_after_the_course(&self, row: &Enrolment) -> bool {
        let Some((course, uid)) = self.course().zip(row.uid).filter(|_| row.target.class.is_some()) else {
            return false;
        };
        let is_wanted = course.wanted_uids.contains_key(&uid);
        let owed = course.recorded.get(&uid).filter(|record| !is_wanted && self.is_owed(record));
        owed.is_some_and(|record| self.put_back(record, course).is_planned())
    }
}
