//! Compares what is wanted in a course with what is recorded.

use std::collections::{BTreeMap, BTreeSet};

use super::lessons::{ASKED_FIRST, NO_CLASS_TAKES_THEM, PROBABLY_OVER, wait_for_the_answer};
use super::place::{Place, places};
use super::put_back::PUT_BACK_FIRST;
use super::{CoursePlan, CourseView, Handover, Presence};
use crate::classin_plan::codes::Code;
use crate::classin_plan::enrolment::{
    Condition, EnrolmentKind, EnrolmentOperation, EnrolmentRecord, EnrolmentState, Evidence, HeldBack,
    Reason, WantedEnrolment, class_hash, desired_hash,
};
use crate::roster::Mode;
use crate::roster::{ClassTarget, ClassinUid, Enrolment, StudentId};

/// The number of runs that must have seen a student gone before a removal (the specification's
/// `delete_grace`).
const LEAST_RUNS: u32 = 2;

const FOLLOWS_AN_ADD: &str =
    "the student is to be added to the course elsewhere or under another account first: the removal follows";
const FOLLOWS_THE_COURSE: &str =
    "the student is still in the whole course: the removal follows the one from there";

/// What becomes of an account that is recorded in the whole course and no longer wanted there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CourseEnd {
    /// It is removed from the course in this run.
    Removed,
    /// It is to be removed, and something holds that back.
    Waits,
    /// It is not ours to remove.
    Stays,
}

/// What is known of an account in a target.
#[derive(Clone, Copy)]
struct Known {
    evidence: Evidence,
    needs_proof: bool,
}

/// An enrolment that is wanted and not settled.
pub(super) struct Open {
    pub(super) target: ClassTarget,
    pub(super) uid: Option<ClassinUid>,
    pub(super) state: EnrolmentState,
    desired_hash: u64,
}

pub(super) struct Planner<'a> {
    pub(super) view: &'a CourseView<'a>,
    pub(super) places: BTreeMap<ClassTarget, Place<'a>>,
    /// What is wanted of each student, and not settled.
    open: BTreeMap<&'a StudentId, Vec<Open>>,
    /// Of accounts that are in the whole course without being wanted there.
    course_ends: BTreeMap<ClassinUid, CourseEnd>,
}

impl<'a> Planner<'a> {
    pub(super) fn new(
        wanted: &'a [Enrolment],
        recorded: &'a [EnrolmentRecord],
        view: &'a CourseView<'a>,
    ) -> Self {
        let places = places(view.course, wanted, recorded);
        let mut planner = Self { view, places, open: BTreeMap::new(), course_ends: BTreeMap::new() };
        planner.open = planner.open_enrolments();
        planner.course_ends = planner.ends_in_the_course();
        // What rests on the course is not settled when the account leaves it.
        planner.open = planner.open_enrolments();
        planner
    }

    pub(super) fn plan(&self) -> CoursePlan {
        let mut plan = CoursePlan::default();
        for (target, place) in &self.places {
            self.plan_enrolments(*target, place, &mut plan);
            self.plan_removals(*target, place, &mut plan);
            if target.class.is_none() {
                plan.questions.extend(self.before_leaving(place, &plan));
            }
            let Some(witness) = self.witness(*target, place) else { continue };
            if !self.is_asked(*target) {
                plan.unasked.insert(*target, place.recorded.len());
                // The class is told once, for all who are recorded there.
                let is_left =
                    |one: &EnrolmentOperation| matches!(one.state.reason(), Some(Reason::LeftAsSet(_)));
                plan.operations.retain(|one| one.target != *target || !is_left(one));
            } else if let Some(how) = self.view.holds.get(&class_hash(EnrolmentKind::Remove, *target)) {
                wait_for_the_answer(*target, &Reason::HeldBack(*how), &mut plan);
            } else if !(self.view.was_asked)(*target) {
                wait_for_the_answer(*target, &Reason::Follows(PROBABLY_OVER), &mut plan);
                plan.questions.push(self.question(witness, place));
            }
        }
        plan
    }

    /// The whole course, where anything is wanted or recorded in it.
    pub(super) fn course(&self) -> Option<&Place<'a>> {
        self.places.get(&ClassTarget { course: self.view.course, class: None })
    }

    fn open_enrolments(&self) -> BTreeMap<&'a StudentId, Vec<Open>> {
        let mut open: BTreeMap<&'a StudentId, Vec<Open>> = BTreeMap::new();
        for (target, place) in &self.places {
            for row in &place.wanted {
                let known = self.known_after_the_course(*target, place, row.uid);
                if self.is_settled(row, known) && !self.is_anothers(row, place) {
                    continue;
                }
                let EnrolmentOperation { state, desired_hash, .. } = self.enrol(row, None);
                let one = Open { target: *target, uid: row.uid, state, desired_hash };
                open.entry(&row.student).or_default().push(one);
            }
        }
        open
    }

    fn ends_in_the_course(&self) -> BTreeMap<ClassinUid, CourseEnd> {
        let mut ends = BTreeMap::new();
        let mut plan = CoursePlan::default();
        let Some(course) = self.course() else { return ends };
        self.plan_removals(ClassTarget { course: self.view.course, class: None }, course, &mut plan);
        for (uid, record) in &course.recorded {
            if course.wanted_uids.contains_key(uid) || record.evidence == Evidence::Closed {
                continue;
            }
            let removal = plan.operations.iter().find(|operation| operation.uid == Some(*uid));
            let end = match removal.map(|removal| &removal.state) {
                Some(_) if self.is_owed(record) => CourseEnd::Waits,
                Some(EnrolmentState::Planned) => CourseEnd::Removed,
                Some(EnrolmentState::Waiting(_) | EnrolmentState::Held(_) | EnrolmentState::Skipped(_)) => {
                    CourseEnd::Waits
                }
                Some(EnrolmentState::Cannot(_)) | None => CourseEnd::Stays,
            };
            ends.insert(*uid, end);
        }
        ends
    }

    fn plan_enrolments(&self, target: ClassTarget, place: &Place<'a>, plan: &mut CoursePlan) {
        let mut called = BTreeSet::new();
        let mut staying = BTreeSet::new();
        for row in &place.wanted {
            let known = self.known_after_the_course(target, place, row.uid);
            if self.is_settled(row, known) && !self.is_anothers(row, place) {
                plan.settled += 1;
                staying.extend(row.uid);
                continue;
            }
            let mut operation = self.enrol(row, known.map(|known| known.evidence));
            if let Some(uid) = row.uid.filter(|_| operation.is_planned()) {
                operation.follows = !called.insert(uid);
                if self.leaves_the_course(target, row.uid) {
                    let course = ClassTarget { class: None, ..target };
                    operation.after.push(Condition::Removed { target: course, uid });
                }
            }
            plan.operations.push(operation);
        }
        *plan.staying.entry(target).or_default() += staying.len();
    }

    /// Whether a wanted enrolment needs nothing more. Nobody is in a class that was deleted: whoever is wanted there waits
    /// for its ids to change. What the check was refused is wanted again, whatever was known.
    fn is_settled(&self, row: &Enrolment, known: Option<Known>) -> bool {
        let Some(known) = known.filter(|known| known.evidence.is_settled()) else { return false };
        if known.evidence == Evidence::Closed {
            return !(self.view.closed)(row.target).is_some_and(Code::is_deleted);
        }
        !known.needs_proof && !self.view.refused.contains(&desired_hash_of(row))
    }

    /// Whether the account is there for another student, and too many share it: whose it is, nobody knows.
    fn is_anothers(&self, row: &Enrolment, place: &Place<'_>) -> bool {
        let record = row.uid.and_then(|uid| place.recorded.get(&uid));
        record.is_some_and(|record| record.student != row.student) && (self.view.is_shared)(&row.student)
    }

    /// What is known of an account in a target once it has been taken out of the course, where it is to be: whoever is in
    /// the whole course is "already there" in its classes, until then, and may have been "added" to one without a place
    /// of their own.
    fn known_after_the_course(
        &self,
        target: ClassTarget,
        place: &Place<'_>,
        uid: Option<ClassinUid>,
    ) -> Option<Known> {
        let record = place.recorded.get(&uid?)?;
        let known = Known { evidence: record.evidence, needs_proof: record.needs_proof };
        if !self.leaves_the_course(target, uid) {
            return Some(known);
        }
        match known.evidence {
            Evidence::Present => None,
            Evidence::Presumed => Some(Known { evidence: Evidence::Unknown, ..known }),
            Evidence::Added => Some(Known { needs_proof: true, ..known }),
            Evidence::Unknown
            | Evidence::Removing
            | Evidence::RemovingPresumed
            | Evidence::Gone
            | Evidence::Closed => Some(known),
        }
    }

    /// Whether this is a class, and the account is being taken out of the whole course.
    fn leaves_the_course(&self, target: ClassTarget, uid: Option<ClassinUid>) -> bool {
        let end = uid.and_then(|uid| self.course_ends.get(&uid));
        target.class.is_some() && end == Some(&CourseEnd::Removed)
    }

    pub(super) fn enrol(&self, row: &Enrolment, recorded: Option<Evidence>) -> EnrolmentOperation {
        let desired_hash = desired_hash_of(row);
        let state = if self.view.mode < Mode::CreateOnly {
            EnrolmentState::Skipped(Reason::Mode(self.view.mode))
        } else if let Some(code) = (self.view.closed)(row.target) {
            EnrolmentState::Skipped(Reason::Closed(code))
        } else if row.uid.is_none() {
            EnrolmentState::Cannot(Reason::NoAccount)
        } else if self.comes_after_the_course(row) {
            EnrolmentState::Waiting(Reason::Follows(PUT_BACK_FIRST))
        } else {
            self.due(desired_hash, EnrolmentKind::Enrol, row.target)
        };
        EnrolmentOperation {
            kind: EnrolmentKind::Enrol,
            student: row.student.clone(),
            class_code: Some(row.class_code.clone()),
            uid: row.uid,
            target: row.target,
            state,
            recorded,
            follows: false,
            after: Vec::new(),
            is_replaced: false,
            is_put_back: false,
            desired_hash,
        }
    }

    fn plan_removals(&self, target: ClassTarget, place: &Place<'a>, plan: &mut CoursePlan) {
        for record in place.recorded.values() {
            if let Some(row) = place.wanted_uids.get(&record.uid) {
                if !place.wanted_pairs.contains(&(&record.student, record.uid)) {
                    let student = row.student.clone();
                    plan.handovers.push(Handover { uid: record.uid, target, student });
                }
            } else if self.is_owed(record) {
                plan.operations.push(self.put_back(record, place));
            } else if self.is_kept(record, place) {
                plan.kept += 1;
                *plan.staying.entry(target).or_default() += 1;
            } else if let Some(left) = self.left_in_the_app(record, place) {
                plan.operations.push(left);
            } else if record.evidence == Evidence::Closed
                || (self.view.closed)(target).is_some_and(Code::is_deleted)
            {
                plan.to_forget.push((record.uid, target));
            } else if let Some(student) = self.whose_row_dangles(record) {
                *plan.staying.entry(target).or_default() += 1;
                let state = EnrolmentState::Skipped(Reason::MemberRow);
                let record = EnrolmentRecord { student, ..(*record).clone() };
                plan.operations.push(EnrolmentOperation { state, ..self.removal(&record, place) });
            } else {
                match (self.may_remove(record.evidence), self.end_in_the_course(record)) {
                    (true, Some(CourseEnd::Removed | CourseEnd::Waits) | None) => {
                        plan.operations.push(self.remove(record, place));
                    }
                    (false, None) if (self.view.closed)(target).is_none() => {
                        let left = self.not_ours(record, place);
                        // A person is told to take them out.
                        if !record.needs_proof && !matches!(left.state.reason(), Some(Reason::Grace { .. })) {
                            plan.to_prove.push((record.uid, target));
                        }
                        plan.operations.push(left);
                    }
                    // Of who is in the whole course, the course is what is told.
                    (true, Some(CourseEnd::Stays)) | (false, _) => plan.kept += 1,
                }
            }
        }
    }

    /// Of who is remembered in a class: what becomes of them in the whole course, where they are without being wanted.
    fn end_in_the_course(&self, record: &EnrolmentRecord) -> Option<CourseEnd> {
        record.target.class.and_then(|_| self.course_ends.get(&record.uid)).copied()
    }

    /// Whether the account stays where it is, as far as the roster tells.
    fn is_kept(&self, record: &EnrolmentRecord, place: &Place<'_>) -> bool {
        let students = self.students_of(record);
        // Their account may well be this one: an emptied cell must not cost a student the class.
        let is_of_unknown_account = students.iter().any(|student| {
            place.wanted_without_uid.contains(student) || (self.view.presence)(student) == Presence::Unusable
        });
        let is_wanted_in_course = || {
            self.course().is_some_and(|course| {
                course.wanted_uids.contains_key(&record.uid)
                    || students.iter().any(|student| course.wanted_without_uid.contains(student))
            })
        };
        is_of_unknown_account || (record.target.class.is_some() && is_wanted_in_course())
    }

    fn may_remove(&self, evidence: Evidence) -> bool {
        evidence.may_be_removed(self.view.removals)
    }

    fn remove(&self, record: &EnrolmentRecord, place: &Place<'_>) -> EnrolmentOperation {
        let mut removal = self.removal(record, place);
        let end = self.end_in_the_course(record);
        removal.state = if self.view.mode < Mode::Sync {
            EnrolmentState::Skipped(Reason::Mode(self.view.mode))
        } else if let Some(code) = (self.view.closed)(record.target) {
            EnrolmentState::Skipped(Reason::Closed(code))
        } else if let Some(grace) = self.grace(record) {
            EnrolmentState::Waiting(grace)
        } else {
            match end {
                Some(CourseEnd::Waits) => EnrolmentState::Waiting(Reason::Follows(FOLLOWS_THE_COURSE)),
                Some(CourseEnd::Removed | CourseEnd::Stays) | None => {
                    self.due(removal.desired_hash, EnrolmentKind::Remove, record.target)
                }
            }
        };
        if removal.is_planned() && self.unheard_of(record).next().is_some() {
            removal.state = EnrolmentState::Waiting(Reason::Follows(ASKED_FIRST));
        }
        if removal.is_planned() {
            if end == Some(CourseEnd::Removed) {
                let course = ClassTarget { class: None, ..record.target };
                removal.after.push(Condition::Removed { target: course, uid: record.uid });
            }
            self.await_the_new_place(record, &mut removal);
        }
        removal
    }

    /// The removal waits for what is wanted of the same student in this course, and not settled.
    fn await_the_new_place(&self, record: &EnrolmentRecord, removal: &mut EnrolmentOperation) {
        let open = self.open.get(&record.student).map_or(&[][..], Vec::as_slice);
        if record.target.class.is_none() && self.is_refused_in_every_class(record, open) {
            removal.state = EnrolmentState::Waiting(Reason::Follows(NO_CLASS_TAKES_THEM));
            return;
        }
        for one in open {
            // From the whole course into a class of it: the class comes after.
            if record.target.class.is_none() && one.uid == Some(record.uid) {
                continue;
            }
            if self.is_there_by(record.uid, one.target, record.target) {
                continue;
            }
            match (&one.state, one.uid) {
                (EnrolmentState::Planned, Some(uid)) => {
                    removal.after.push(Condition::Settled { target: one.target, uid });
                }
                (EnrolmentState::Waiting(_), _) if self.is_given_up(one, record) => {}
                // Nobody is in a class that is over: without any other place they keep the old one.
                (EnrolmentState::Skipped(Reason::Closed(_)), _)
                    if !self.has_another_place(&record.student) =>
                {
                    removal.state = EnrolmentState::Waiting(Reason::Follows(FOLLOWS_AN_ADD));
                }
                (EnrolmentState::Skipped(_), _) => {}
                (
                    EnrolmentState::Planned
                    | EnrolmentState::Waiting(_)
                    | EnrolmentState::Held(_)
                    | EnrolmentState::Cannot(_),
                    _,
                ) => removal.state = EnrolmentState::Waiting(Reason::Follows(FOLLOWS_AN_ADD)),
            }
        }
    }

    /// Whether the student is, or will be, anywhere in the course where the roster wants them.
    pub(super) fn has_another_place(&self, student: &StudentId) -> bool {
        let open = self.open.get(student).map_or(&[][..], Vec::as_slice);
        let is_closed = |target: ClassTarget| {
            let mut here = open.iter().filter(|one| one.target == target);
            here.any(|one| matches!(one.state, EnrolmentState::Skipped(Reason::Closed(_))))
        };
        let mut wanted = self.places.iter().filter(|(target, _)| !is_closed(**target));
        wanted.any(|(_, place)| place.wanted.iter().any(|row| row.student == *student))
    }

    pub(super) fn removal(&self, record: &EnrolmentRecord, place: &Place<'_>) -> EnrolmentOperation {
        EnrolmentOperation {
            kind: EnrolmentKind::Remove,
            student: record.student.clone(),
            class_code: (self.view.class_code)(record.target),
            uid: Some(record.uid),
            target: record.target,
            state: EnrolmentState::Planned,
            recorded: Some(record.evidence),
            follows: false,
            after: Vec::new(),
            is_replaced: place.wanted_pairs.iter().any(|(student, _)| **student == record.student),
            is_put_back: false,
            desired_hash: record.removal_hash(),
        }
    }

    /// The reason why this student's removal has to wait; `None` when they are on the roster, or have been
    /// gone for long enough.
    pub(super) fn grace(&self, record: &EnrolmentRecord) -> Option<Reason> {
        let Presence::Gone { since_ms, runs } = (self.view.presence)(&record.student) else {
            return None;
        };
        // The later of the two, should the student have come back and left again.
        let since_ms = record.gone_since_ms.map_or(since_ms, |recorded| recorded.max(since_ms));
        // A moment that lies ahead is read as now: a clock was wrong.
        let since_ms = since_ms.min(self.view.now_ms);
        let until_ms = since_ms.saturating_add(self.view.delete_grace_ms);
        (runs < LEAST_RUNS || self.view.now_ms < until_ms).then_some(Reason::Grace { until_ms })
    }

    /// A failure of its own holds an operation back, or one of its class or course.
    pub(super) fn due(&self, desired_hash: u64, kind: EnrolmentKind, target: ClassTarget) -> EnrolmentState {
        let holds = failures_of(desired_hash, kind, target).into_iter();
        match holds.filter_map(|hash| self.view.holds.get(&hash)).next() {
            Some(how) => EnrolmentState::Waiting(Reason::HeldBack(*how)),
            None => EnrolmentState::Planned,
        }
    }

    /// Whether the removal of this record waits no more for what is open. Where another account is to take its very
    /// place, only a person says so: the cell may be mistyped, and then the old account is the right one.
    fn is_given_up(&self, open: &Open, record: &EnrolmentRecord) -> bool {
        let takes_its_place = open.target == record.target && open.uid != Some(record.uid);
        let mut hashes = failures_of(open.desired_hash, EnrolmentKind::Enrol, open.target).into_iter();
        hashes.any(|hash| match self.view.holds.get(&hash) {
            Some(HeldBack::Ignored) => true,
            Some(HeldBack::GivenUp | HeldBack::NotDue) | None => {
                !takes_its_place && self.view.given_up.contains(&hash)
            }
        })
    }
}

/// What the failures are about that hold an operation back: itself, its class, its course.
pub(super) fn failures_of(desired_hash: u64, kind: EnrolmentKind, target: ClassTarget) -> [u64; 3] {
    let course = ClassTarget { class: None, ..target };
    [desired_hash, class_hash(kind, target), class_hash(kind, course)]
}

fn desired_hash_of(row: &Enrolment) -> u64 {
    desired_hash(&WantedEnrolment {
        kind: EnrolmentKind::Enrol,
        student: &row.student,
        class_code: Some(&row.class_code),
        uid: row.uid,
        target: row.target,
    })
}
