//! What ClassIn is asked before anybody is taken out: whether a class that is probably over takes changes still, and whether
//! a class takes anybody at all that students of its course are to be in instead.

use super::place::Place;
use super::planner::{Open, Planner, failures_of};
use super::{CoursePlan, EnrolmentRecord};
use crate::classin_plan::enrolment::{
    EnrolmentKind, EnrolmentOperation, EnrolmentState, Evidence, HeldBack, Reason,
};
use crate::roster::{ClassTarget, Mode, Removals};

pub(super) const PROBABLY_OVER: &str =
    "no row names this class, which is probably over: ClassIn is asked first whether it takes changes still";
pub(super) const NO_CLASS_TAKES_THEM: &str = "no class of the course takes the student in which the roster wants them: they stay in the whole course until one does";
pub(super) const ASKED_FIRST: &str = "the student is wanted in a class of the course that is not known to take anybody: the removal follows when it does";

impl Planner<'_> {
    /// Of a class that is probably over: somebody who is recorded there, and is wanted elsewhere in the course.
    pub(super) fn witness<'p>(
        &self,
        target: ClassTarget,
        place: &'p Place<'_>,
    ) -> Option<&'p EnrolmentRecord> {
        let is_named = (self.view.class_code)(target).is_some() || !place.wanted.is_empty();
        if target.class.is_none() || is_named || (self.view.closed)(target).is_some() {
            return None;
        }
        let is_elsewhere = |record: &&&EnrolmentRecord| {
            let mut rows = self.places.values().flat_map(|place| &place.wanted);
            rows.any(|row| row.student == record.student)
        };
        let mut settled = place.recorded.values().filter(|record| record.evidence.is_settled());
        settled.find(is_elsewhere).map(|record| &**record)
    }

    /// Whether a class takes changes still: the witness is added once more.
    pub(super) fn question(&self, witness: &EnrolmentRecord, place: &Place<'_>) -> EnrolmentOperation {
        let add = self.removal(witness, place);
        EnrolmentOperation { kind: EnrolmentKind::Enrol, is_replaced: false, ..add }
    }

    /// Whether ClassIn is asked about a class that is probably over: where nobody is taken out the answer changes nothing.
    pub(super) fn is_asked(&self, target: ClassTarget) -> bool {
        self.view.mode == Mode::Sync
            && self.view.removals > Removals::None
            && (self.view.closed)(target).is_none()
    }

    /// One add for each class that nobody is known to be in, of somebody who is to be in it and not in the whole course any more.
    pub(super) fn before_leaving(&self, course: &Place<'_>, plan: &CoursePlan) -> Vec<EnrolmentOperation> {
        let waits = |one: &&EnrolmentOperation| {
            matches!(one.state, EnrolmentState::Waiting(Reason::Follows(ASKED_FIRST)))
        };
        let leaving = plan.operations.iter().filter(waits).filter_map(|one| one.uid);
        let leaving = leaving.filter_map(|uid| course.recorded.get(&uid));
        let mut questions: Vec<EnrolmentOperation> = Vec::new();
        for record in leaving {
            for (target, place) in self.unheard_of(record) {
                let row = place.wanted_uids.get(&record.uid);
                let add = row.map(|row| self.enrol(row, None)).filter(EnrolmentOperation::is_planned);
                if !questions.iter().any(|one| one.target == target) {
                    questions.extend(add);
                }
            }
        }
        questions
    }

    /// Of who is in the whole course and is to be in classes of it instead: those of the classes that nobody is known to be in,
    /// and that were not asked. Their ids may be wrong, and then the students would be nowhere.
    pub(super) fn unheard_of<'p>(
        &'p self,
        record: &'p EnrolmentRecord,
    ) -> impl Iterator<Item = (ClassTarget, &'p Place<'p>)> {
        let is_course = record.target.class.is_none();
        let classes = self.places.iter().filter(move |(target, place)| {
            is_course && target.class.is_some() && place.wanted_uids.contains_key(&record.uid)
        });
        let is_known = move |target: ClassTarget, place: &Place<'_>| {
            let mut evidence = place.recorded.values().map(|record| record.evidence);
            evidence.any(|one| one.is_settled() && one != Evidence::Closed) || (self.view.was_asked)(target)
        };
        let is_ignored = move |target: ClassTarget, place: &Place<'_>| {
            let row = place.wanted_uids.get(&record.uid);
            let hashes =
                row.map(|row| failures_of(self.enrol(row, None).desired_hash, EnrolmentKind::Enrol, target));
            let mut holds = hashes.into_iter().flatten().filter_map(|hash| self.view.holds.get(&hash));
            holds.any(|how| *how == HeldBack::Ignored)
        };
        let unheard_of =
            classes.filter(move |(target, place)| !is_known(**target, place) && !is_ignored(**target, place));
        unheard_of.map(|(target, place)| (*target, place))
    }

    /// Of who is to be in classes of the course instead of all of it: whether none of those is to be asked now, and they have
    /// a place of their own in none. A person who ignores the add says that the old place is to go.
    pub(super) fn is_refused_in_every_class(&self, record: &EnrolmentRecord, open: &[Open]) -> bool {
        let is_of_account = |one: &&Open| one.target.class.is_some() && one.uid == Some(record.uid);
        let wanted = self.places.iter().filter(|(target, place)| {
            target.class.is_some() && place.wanted_pairs.contains(&(&record.student, record.uid))
        });
        let is_tried = |one: &Open| match one.state {
            EnrolmentState::Planned => true,
            EnrolmentState::Waiting(Reason::HeldBack(how)) => how == HeldBack::Ignored,
            EnrolmentState::Skipped(Reason::Closed(_))
            | EnrolmentState::Waiting(_)
            | EnrolmentState::Held(_)
            | EnrolmentState::Cannot(_) => false,
            EnrolmentState::Skipped(_) => true,
        };
        let refused = open.iter().filter(is_of_account).filter(|one| !is_tried(one)).count();
        refused > 0 && refused == wanted.count()
    }
}

/// Nobody leaves a class that is probably over, and nobody is told about it, before that is known: ClassIn is asked, or was and
/// did not say, which is told of the class.
pub(super) fn wait_for_the_answer(target: ClassTarget, reason: &Reason, plan: &mut CoursePlan) {
    for operation in plan.operations.iter_mut().filter(|operation| operation.target == target) {
        if matches!(operation.state, EnrolmentState::Planned | EnrolmentState::Cannot(_)) {
            operation.state = EnrolmentState::Waiting(reason.clone());
        }
    }
}
