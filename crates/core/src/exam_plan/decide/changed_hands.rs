//! Records that changed hands on the exam side: both students are held, each on a line of its own.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::Decider;
use super::whose::Whose;
use crate::exam_plan::diff::{PriorKnowledge, Wanted};
use crate::exam_plan::kind::OperationKind;
use crate::exam_plan::link::Link;
use crate::exam_plan::operation::{Operation, OperationState};
use crate::exam_plan::person_doubt::PersonDoubt;
use crate::exam_plan::reason::{HoldReason, SkipReason};
use crate::roster::{LoginValue, StudentId};

/// By students whose login value another one's candidate shows: that other one, the first by id.
pub(super) fn accusers(whose: &HashMap<StudentId, Whose>) -> BTreeMap<StudentId, StudentId> {
    let mut accusers: BTreeMap<StudentId, StudentId> = BTreeMap::new();
    for (student, whose) in whose {
        if let Whose::Anothers(other) = whose {
            let first = accusers.entry(other.clone()).or_insert_with(|| student.clone());
            if student < first {
                *first = student.clone();
            }
        }
    }
    accusers
}

impl Decider<'_> {
    /// The doubt whether the record of this student has changed hands with another one's.
    pub(super) fn changed_hands(&self, student: &StudentId) -> Option<HoldReason> {
        let (other, shows_others) = match (self.whose.get(student), self.accusers.get(student)) {
            (Some(Whose::Anothers(other)), _) => (other, true),
            (_, Some(accuser)) => (accuser, false),
            (_, None) => return None,
        };
        let one_left = self.doubts.has_left(student) || self.doubts.has_left(other);
        let (student, other) = (student.clone(), other.clone());
        Some(HoldReason::SamePerson(PersonDoubt::ChangedHands { student, other, shows_others, one_left }))
    }

    /// The student's candidate shows what is another one's: the link does not follow. Where both are on the roster, a
    /// person may let it be written over; where one has left, nothing is.
    pub(super) fn hold_elsewhere(
        &mut self,
        wanted: &Wanted,
        link: Link,
        login: LoginValue,
        prior: PriorKnowledge,
    ) {
        let student = link.student.clone();
        let Some(reason) = self.changed_hands(&student) else { return };
        if matches!(reason, HoldReason::SamePerson(PersonDoubt::ChangedHands { one_left: true, .. })) {
            return self.hold_without_change(&student, &reason);
        }
        let (operations, notes) = (self.operations.len(), self.notes.len());
        self.follow(wanted, link, login, prior);
        self.notes.truncate(notes);
        self.hold_from(operations, &reason);
        self.hold_impossible_from(operations, &student, &reason);
    }

    /// What cannot be done as long as records may have changed hands waits for the same person as the rest.
    fn hold_impossible_from(&mut self, first: usize, student: &StudentId, reason: &HoldReason) {
        let is_left = |operation: &Operation| !matches!(operation.state, OperationState::Cannot(_));
        let (left, impossible): (Vec<_>, Vec<_>) =
            self.operations.drain(first..).partition(|operation| is_left(operation));
        // One operation of a kind for each student.
        let is_held = left.iter().any(|operation| operation.kind() == OperationKind::Modify);
        if !is_held && (!impossible.is_empty() || left.is_empty()) {
            self.hold_without_change(student, reason);
        }
        self.operations.extend(left);
    }

    /// Nothing can be done to the student's candidate, whatever is approved.
    pub(super) fn hold_without_change(&mut self, student: &StudentId, reason: &HoldReason) {
        let kind = OperationKind::Modify;
        let desired_hash = self.desired_digest(student, kind).text("changed hands").finish();
        let held = self.input.held_about_people(student, kind, desired_hash, reason.clone());
        let goes_ahead = held == OperationState::Planned;
        let state = if goes_ahead { OperationState::Skipped(SkipReason::AnotherLogin) } else { held };
        self.push_without_change(student.clone(), kind, desired_hash, state, false);
    }

    /// Students of whom nothing differs, and whose login value another one's candidate shows.
    pub(super) fn hold_silent_partners(&mut self, known: &HashSet<StudentId>) {
        let partners: Vec<StudentId> =
            self.accusers.keys().filter(|student| !known.contains(*student)).cloned().collect();
        for student in partners {
            if let Some(reason) = self.changed_hands(&student) {
                self.hold_without_change(&student, &reason);
            }
        }
    }
}
