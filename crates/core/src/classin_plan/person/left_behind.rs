//! Who is no longer wanted in a place and stays in it: not ours to take out, or in a class that rosterd cannot edit.

use super::place::Place;
use super::planner::Planner;
use crate::classin_plan::codes::Code;
use crate::classin_plan::enrolment::{
    EnrolmentOperation, EnrolmentRecord, EnrolmentState, LeftAsSet, LeftBehind, Reason,
};
use crate::roster::{Mode, Removals};

impl Planner<'_> {
    /// Who is no longer wanted, and whom we may not take out.
    pub(super) fn not_ours(&self, record: &EnrolmentRecord, place: &Place<'_>) -> EnrolmentOperation {
        self.left(record, place, || self.stays(record, place))
    }

    /// Somebody who stays, once their grace has ended, until a person has said so.
    fn left(
        &self,
        record: &EnrolmentRecord,
        place: &Place<'_>,
        stays: impl FnOnce() -> EnrolmentState,
    ) -> EnrolmentOperation {
        let removal = self.removal(record, place);
        let state = match (self.grace(record), self.view.holds.get(&removal.desired_hash)) {
            (Some(grace), _) => EnrolmentState::Waiting(grace),
            (None, Some(how)) => EnrolmentState::Waiting(Reason::HeldBack(*how)),
            (None, None) => stays(),
        };
        EnrolmentOperation { state, ..removal }
    }

    /// Who is no longer wanted in a class that goes on and that nobody can edit from here: a person takes them out. Where the class
    /// is another one by now, its students have moved there with it.
    pub(super) fn left_in_the_app(
        &self,
        record: &EnrolmentRecord,
        place: &Place<'_>,
    ) -> Option<EnrolmentOperation> {
        let lives = (self.view.closed)(record.target).is_some_and(Code::is_of_the_app);
        let is_named = (self.view.class_code)(record.target).is_some();
        if !lives || (!is_named && self.has_another_place(&record.student)) {
            return None;
        }
        let (evidence, whom) = (record.evidence, LeftBehind::InClassOfTheApp);
        Some(self.left(record, place, || EnrolmentState::Cannot(Reason::NotOurs { evidence, whom })))
    }

    /// Nobody of this evidence is taken out: because of the evidence, or because the configuration says so.
    fn stays(&self, record: &EnrolmentRecord, place: &Place<'_>) -> EnrolmentState {
        let evidence = record.evidence;
        let left = match (self.view.removals, self.view.mode) {
            (Removals::None, _) => LeftAsSet::NoRemovals(evidence),
            (Removals::Added | Removals::Presumed, Mode::Sync) => {
                let whom = self.left_behind(record, place);
                return EnrolmentState::Cannot(Reason::NotOurs { evidence, whom });
            }
            (Removals::Added | Removals::Presumed, mode) => LeftAsSet::Mode(mode, evidence),
        };
        EnrolmentState::Skipped(Reason::LeftAsSet(left))
    }

    fn left_behind(&self, record: &EnrolmentRecord, place: &Place<'_>) -> LeftBehind {
        let mut classes = self.places.iter().filter(|(target, _)| target.class.is_some());
        let is_course = record.target.class.is_none();
        if place.wanted_pairs.iter().any(|(student, _)| **student == record.student) {
            LeftBehind::Account(record.uid)
        } else if is_course && classes.any(|(_, place)| place.wanted_uids.contains_key(&record.uid)) {
            LeftBehind::PutsInClass
        } else {
            LeftBehind::Student
        }
    }
}
