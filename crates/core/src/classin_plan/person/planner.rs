//! Compares what is wanted in a course with what is recorded.

use std::collections::{BTreeMap, BTreeSet};

use super::place::{Place, places};
use super::{CoursePlan, CourseView, Handover, Presence};
use crate::classin_plan::codes::Code;
use crate::classin_plan::enrolment::{
    Condition, EnrolmentKind, EnrolmentOperation, EnrolmentRecord, EnrolmentState, Evidence, LeftAsSet,
    Reason, Wanted, class_hash, desired_hash,
};
use crate::roster::{ClassTarget, ClassinUid, Enrolment, StudentId};
use crate::roster::{Mode, Removals};

/// The number of runs that must have seen a student gone before a removal (the specification's
/// `delete_grace`).
const LEAST_RUNS: u32 = 2;

const FOLLOWS_AN_ADD: &str =
    "the student is to be added to the course elsewhere or under another account first: the removal follows";
const PROBABLY_OVER: &str =
    "no row names this class, which is probably over: ClassIn is asked first whether it takes changes still";
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
struct Open {
    target: ClassTarget,
    uid: Option<ClassinUid>,
    state: EnrolmentState,
    desired_hash: u64,
}

pub(super) struct Planner<'a> {
    view: &'a CourseView<'a>,
    places: BTreeMap<ClassTarget, Place<'a>>,
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
            let Some(witness) = self.witness(*target, place) else { continue };
            if !self.is_asked(*target) {
                plan.unasked.insert(*target, place.recorded.len());
                // The class is told once, for all who are recorded there.
                let is_left =
                    |one: &EnrolmentOperation| matches!(one.state.reason(), Some(Reason::LeftAsSet(_)));
                plan.operations.retain(|one| one.target != *target || !is_left(one));
            } else if !(self.view.was_asked)(*target) {
                wait_for_the_answer(*target, &mut plan);
                plan.questions.push(self.question(witness, place));
            }
        }
        plan
    }

    /// Of a class that is probably over: somebody who is recorded there, and is wanted elsewhere in the course.
    fn witness<'p>(&self, target: ClassTarget, place: &'p Place<'_>) -> Option<&'p EnrolmentRecord> {
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
    fn question(&self, witness: &EnrolmentRecord, place: &Place<'_>) -> EnrolmentOperation {
        let add = self.removal(witness, place);
        EnrolmentOperation { kind: EnrolmentKind::Enrol, is_replaced: false, ..add }
    }

    /// The whole course, where anything is wanted or recorded in it.
    fn course(&self) -> Option<&Place<'a>> {
        self.places.get(&ClassTarget { course: self.view.course, class: None })
    }

    fn open_enrolments(&self) -> BTreeMap<&'a StudentId, Vec<Open>> {
        let mut open: BTreeMap<&'a StudentId, Vec<Open>> = BTreeMap::new();
        for (target, place) in &self.places {
            for row in &place.wanted {
                let known = self.known_after_the_course(*target, place, row.uid);
                if self.is_settled(row, known) {
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
            if self.is_settled(row, known) {
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

    fn enrol(&self, row: &Enrolment, recorded: Option<Evidence>) -> EnrolmentOperation {
        let desired_hash = desired_hash_of(row);
        let state = if self.view.mode < Mode::CreateOnly {
            EnrolmentState::Skipped(Reason::Mode(self.view.mode))
        } else if let Some(code) = (self.view.closed)(row.target) {
            EnrolmentState::Skipped(Reason::Closed(code))
        } else if row.uid.is_none() {
            EnrolmentState::Cannot(Reason::NoAccount)
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
            } else if self.is_kept(record, place) {
                plan.kept += 1;
                *plan.staying.entry(target).or_default() += 1;
            } else if record.evidence == Evidence::Closed
                || (self.view.closed)(target).is_some_and(Code::is_deleted)
            {
                plan.to_forget.push((record.uid, target));
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
        // Their account may well be this one: an emptied cell must not cost a student the class.
        let is_of_unknown_account = place.wanted_without_uid.contains(&record.student)
            || (self.view.presence)(&record.student) == Presence::Unusable;
        let is_wanted_in_course = || {
            self.course().is_some_and(|course| {
                course.wanted_uids.contains_key(&record.uid)
                    || course.wanted_without_uid.contains(&record.student)
            })
        };
        is_of_unknown_account || (record.target.class.is_some() && is_wanted_in_course())
    }

    fn may_remove(&self, evidence: Evidence) -> bool {
        evidence.may_be_removed(self.view.removals)
    }

    /// Whether ClassIn is asked about a class that is probably over: where nobody is taken out the answer changes nothing.
    fn is_asked(&self, target: ClassTarget) -> bool {
        self.view.mode == Mode::Sync
            && self.view.removals > Removals::None
            && (self.view.closed)(target).is_none()
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
        for one in open {
            // From the whole course into a class of it: the class comes after.
            if record.target.class.is_none() && one.uid == Some(record.uid) {
                continue;
            }
            match (&one.state, one.uid) {
                (EnrolmentState::Planned, Some(uid)) => {
                    removal.after.push(Condition::Settled { target: one.target, uid });
                }
                (EnrolmentState::Waiting(_), _) if self.is_given_up(one) => {}
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

    /// Who is no longer wanted, and whom we may not take out.
    fn not_ours(&self, record: &EnrolmentRecord, place: &Place<'_>) -> EnrolmentOperation {
        let removal = self.removal(record, place);
        let state = match (self.grace(record), self.view.holds.get(&removal.desired_hash)) {
            (Some(grace), _) => EnrolmentState::Waiting(grace),
            (None, Some(how)) => EnrolmentState::Waiting(Reason::HeldBack(*how)),
            (None, None) => self.stays(record),
        };
        EnrolmentOperation { state, ..removal }
    }

    /// Nobody of this evidence is taken out: because of the evidence, or because the configuration says so.
    fn stays(&self, record: &EnrolmentRecord) -> EnrolmentState {
        let evidence = record.evidence;
        let left = match (self.view.removals, self.view.mode) {
            (Removals::None, _) => LeftAsSet::NoRemovals(evidence),
            (Removals::Added | Removals::Presumed, Mode::Sync) => {
                let puts_in_class = self.puts_in_class(record);
                return EnrolmentState::Cannot(Reason::NotOurs { evidence, puts_in_class });
            }
            (Removals::Added | Removals::Presumed, mode) => LeftAsSet::Mode(mode, evidence),
        };
        EnrolmentState::Skipped(Reason::LeftAsSet(left))
    }

    /// Whether this is the whole course, and the account is wanted in a class of it.
    fn puts_in_class(&self, record: &EnrolmentRecord) -> bool {
        let mut classes = self.places.iter().filter(|(target, _)| target.class.is_some());
        record.target.class.is_none() && classes.any(|(_, place)| place.wanted_uids.contains_key(&record.uid))
    }

    fn removal(&self, record: &EnrolmentRecord, place: &Place<'_>) -> EnrolmentOperation {
        let desired_hash = desired_hash(&Wanted {
            kind: EnrolmentKind::Remove,
            student: &record.student,
            class_code: None,
            uid: Some(record.uid),
            target: record.target,
        });
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
            desired_hash,
        }
    }

    /// The reason why this student's removal has to wait; `None` when they are on the roster, or have been
    /// gone for long enough.
    fn grace(&self, record: &EnrolmentRecord) -> Option<Reason> {
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
    fn due(&self, desired_hash: u64, kind: EnrolmentKind, target: ClassTarget) -> EnrolmentState {
        let holds = failures_of(desired_hash, kind, target).into_iter();
        match holds.filter_map(|hash| self.view.holds.get(&hash)).next() {
            Some(how) => EnrolmentState::Waiting(Reason::HeldBack(*how)),
            None => EnrolmentState::Planned,
        }
    }

    fn is_given_up(&self, open: &Open) -> bool {
        let mut hashes = failures_of(open.desired_hash, EnrolmentKind::Enrol, open.target).into_iter();
        hashes.any(|hash| self.view.given_up.contains(&hash))
    }
}

/// What the failures are about that hold an operation back: itself, its class, its course.
pub(super) fn failures_of(desired_hash: u64, kind: EnrolmentKind, target: ClassTarget) -> [u64; 3] {
    let course = ClassTarget { class: None, ..target };
    [desired_hash, class_hash(kind, target), class_hash(kind, course)]
}

fn desired_hash_of(row: &Enrolment) -> u64 {
    desired_hash(&Wanted {
        kind: EnrolmentKind::Enrol,
        student: &row.student,
        class_code: Some(&row.class_code),
        uid: row.uid,
        target: row.target,
    })
}

/// Nobody leaves a class that is probably over, and nobody is told about it, before that is known.
fn wait_for_the_answer(target: ClassTarget, plan: &mut CoursePlan) {
    for operation in plan.operations.iter_mut().filter(|operation| operation.target == target) {
        if matches!(operation.state, EnrolmentState::Planned | EnrolmentState::Cannot(_)) {
            operation.state = EnrolmentState::Waiting(Reason::Follows(PROBABLY_OVER));
        }
    }
}
