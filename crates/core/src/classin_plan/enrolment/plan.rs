//! Plans one class: wanted enrolments against recorded ones.
//!
//! | wanted | remembered | operation |
//! |---|---|---|
//! | yes | nothing, gone | enrol |
//! | yes | unknown, removing | enrol again: a repeat is safe and settles it |
//! | yes | added, present, presumed, condemned | none |
//! | yes, without a uid | – | cannot |
//! | no, with rows that cannot be used | any | none: the class is kept |
//! | no | added, removing | remove, where `removals` is `added` or `presumed` |
//! | no | presumed, unknown | remove, where `removals` is `presumed` |
//! | no | present, condemned | none; the record is forgotten |
//! | no | gone | none |
//!
//! A removal waits for `delete_grace` and two runs when the student has left the roster; a student who leaves
//! only the class is removed at once. An account is not removed while any student of the roster wants it in
//! the class, nor while its student is wanted in the class with an account not yet known.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    EnrolmentKind, EnrolmentOperation, EnrolmentRecord, EnrolmentState, Evidence, Reason, Wanted,
    desired_hash,
};
use crate::classin_plan::codes::Code;
use crate::roster::{ClassCode, ClassTarget, ClassinUid, Enrolment, StudentId};
use crate::roster::{Mode, Removals};

/// The number of runs that must have seen a student gone before a removal (the specification's
/// `delete_grace`).
const LEAST_RUNS: u32 = 2;

/// Whether a student is on the roster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// On the roster and active.
    OnRoster,
    /// On it, with rows that cannot be used: every class is kept.
    Unusable,
    /// Absent from it, or no longer active.
    Gone {
        /// Since when, in milliseconds since 1970 UTC.
        since_ms: i64,
        /// The number of runs that have seen that, this one included.
        runs: u32,
    },
}

/// The conditions of a plan for one class, besides the roster and our records.
#[derive(Clone, Copy)]
pub struct ClassView<'a> {
    /// The class. Rows and records of another one are ignored.
    pub target: ClassTarget,
    /// The school's code of the class, for removals; absent when the roster no longer has it. Where several
    /// codes name one target: the first.
    pub class_code: Option<&'a ClassCode>,
    /// The mode of the run.
    pub mode: Mode,
    /// The code for which the class or its course is condemned.
    pub closed: Option<Code>,
    /// The evidence required before a removal.
    pub removals: Removals,
    /// Now.
    pub now_ms: i64,
    /// The time that a student must be gone before a removal, in milliseconds.
    pub delete_grace_ms: i64,
    /// Whether a student is on the roster; asked for students of our records.
    pub presence: &'a dyn Fn(&StudentId) -> Presence,
    /// Failures that are not due, by fingerprint: not yet due, dead or ignored, each with a sentence.
    pub holds: &'a BTreeMap<u64, String>,
}

/// A record whose account is now wanted for another student than it was enrolled for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handover {
    /// The account.
    pub uid: ClassinUid,
    /// The student that the record is to name from now on.
    pub student: StudentId,
}

/// The plan for one class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct ClassPlan {
    /// Enrolments in the order of class code and student, then removals in the order of account.
    pub operations: Vec<EnrolmentOperation>,
    /// Wanted rows that are known to be so.
    pub settled: usize,
    /// Records that stay although no wanted row names their account: the setting does not let us remove
    /// them, or their student is wanted here with an account not known at the moment.
    pub kept: usize,
    /// Accounts whose record is dropped without a call: not wanted and not ours, or gone with a deleted
    /// class.
    pub to_forget: Vec<ClassinUid>,
    /// Records to write another student into.
    pub handovers: Vec<Handover>,
}

/// Plans one class. A pure function; the order of rows and records does not matter.
pub fn plan_class(wanted: &[Enrolment], recorded: &[EnrolmentRecord], view: &ClassView<'_>) -> ClassPlan {
    let planner = Planner::new(wanted, recorded, view);
    let mut plan = ClassPlan::default();
    planner.plan_enrolments(&mut plan);
    planner.plan_removals(&mut plan);
    planner.hold_an_emptying(&mut plan);
    if view.mode == Mode::Observe {
        plan.to_forget.clear();
        plan.handovers.clear();
    }
    plan
}

struct Planner<'a> {
    view: &'a ClassView<'a>,
    /// In the order of class code and student.
    wanted: Vec<&'a Enrolment>,
    recorded: BTreeMap<ClassinUid, &'a EnrolmentRecord>,
    /// The enrolment that wants each account here; the first of several.
    wanted_uids: BTreeMap<ClassinUid, &'a Enrolment>,
    /// Every wanted pair of student and account.
    wanted_pairs: BTreeSet<(&'a StudentId, ClassinUid)>,
    /// Students wanted here whose account is not known.
    wanted_without_uid: BTreeSet<&'a StudentId>,
}

impl<'a> Planner<'a> {
    fn new(wanted: &'a [Enrolment], recorded: &'a [EnrolmentRecord], view: &'a ClassView<'a>) -> Self {
        let mut rows: Vec<&Enrolment> = wanted.iter().filter(|row| row.target == view.target).collect();
        rows.sort_by(|one, other| {
            (&one.class_code, &one.student, one.uid).cmp(&(&other.class_code, &other.student, other.uid))
        });
        rows.dedup();
        let here = recorded
            .iter()
            .filter(|record| record.target == view.target && record.evidence != Evidence::Gone);
        let mut wanted_uids = BTreeMap::new();
        for row in &rows {
            if let Some(uid) = row.uid {
                wanted_uids.entry(uid).or_insert(*row);
            }
        }
        let without_uid = rows.iter().filter(|row| row.uid.is_none());
        Self {
            view,
            recorded: here.map(|record| (record.uid, record)).collect(),
            wanted_uids,
            wanted_pairs: rows.iter().filter_map(|row| Some((&row.student, row.uid?))).collect(),
            wanted_without_uid: without_uid.map(|row| &row.student).collect(),
            wanted: rows,
        }
    }

    fn plan_enrolments(&self, plan: &mut ClassPlan) {
        let mut called = BTreeSet::new();
        for row in &self.wanted {
            let record = row.uid.and_then(|uid| self.recorded.get(&uid));
            let evidence = record.map(|record| record.evidence);
            if evidence.is_some_and(Evidence::is_settled) {
                plan.settled += 1;
                continue;
            }
            let mut operation = self.enrol(row, evidence);
            if let Some(uid) = row.uid.filter(|_| operation.is_planned()) {
                operation.follows = !called.insert(uid);
            }
            plan.operations.push(operation);
        }
    }

    fn enrol(&self, row: &Enrolment, recorded: Option<Evidence>) -> EnrolmentOperation {
        let desired_hash = desired_hash(&Wanted {
            kind: EnrolmentKind::Enrol,
            student: &row.student,
            class_code: Some(&row.class_code),
            uid: row.uid,
            target: row.target,
        });
        let state = if self.view.mode < Mode::CreateOnly {
            EnrolmentState::Skipped(Reason::Mode(self.view.mode))
        } else if let Some(code) = self.view.closed {
            EnrolmentState::Skipped(Reason::Closed(code))
        } else if row.uid.is_none() {
            EnrolmentState::Cannot(Reason::NoAccount)
        } else {
            self.due(desired_hash)
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
            desired_hash,
        }
    }

    fn plan_removals(&self, plan: &mut ClassPlan) {
        for record in self.recorded.values() {
            if let Some(row) = self.wanted_uids.get(&record.uid) {
                if !self.wanted_pairs.contains(&(&record.student, record.uid)) {
                    plan.handovers.push(Handover { uid: record.uid, student: row.student.clone() });
                }
            } else if self.wanted_without_uid.contains(&record.student)
                || (self.view.presence)(&record.student) == Presence::Unusable
            {
                // Their account may well be this one: an emptied cell must not cost a student the class.
                plan.kept += 1;
            } else if never_ours(record.evidence) || self.view.closed.is_some_and(Code::is_deleted) {
                plan.to_forget.push(record.uid);
            } else if self.may_remove(record.evidence) {
                plan.operations.push(self.remove(record));
            } else {
                plan.kept += 1;
            }
        }
    }

    fn may_remove(&self, evidence: Evidence) -> bool {
        match evidence {
            Evidence::Present | Evidence::Gone | Evidence::Closed => false,
            Evidence::Added | Evidence::Removing => self.view.removals >= Removals::Added,
            Evidence::Presumed | Evidence::Unknown => self.view.removals >= Removals::Presumed,
        }
    }

    fn remove(&self, record: &EnrolmentRecord) -> EnrolmentOperation {
        let desired_hash = desired_hash(&Wanted {
            kind: EnrolmentKind::Remove,
            student: &record.student,
            class_code: None,
            uid: Some(record.uid),
            target: record.target,
        });
        let state = if self.view.mode < Mode::Sync {
            EnrolmentState::Skipped(Reason::Mode(self.view.mode))
        } else if let Some(code) = self.view.closed {
            EnrolmentState::Skipped(Reason::Closed(code))
        } else if let Some(grace) = self.grace(record) {
            EnrolmentState::Waiting(grace)
        } else {
            self.due(desired_hash)
        };
        EnrolmentOperation {
            kind: EnrolmentKind::Remove,
            student: record.student.clone(),
            class_code: self.view.class_code.cloned(),
            uid: Some(record.uid),
            target: record.target,
            state,
            recorded: Some(record.evidence),
            follows: false,
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

    fn due(&self, desired_hash: u64) -> EnrolmentState {
        match self.view.holds.get(&desired_hash) {
            Some(why) => EnrolmentState::Waiting(Reason::Other(why.clone())),
            None => EnrolmentState::Planned,
        }
    }

    /// Holds the removals of this run if none of our students would be left in the class.
    fn hold_an_emptying(&self, plan: &mut ClassPlan) {
        let is_removal = |operation: &&EnrolmentOperation| {
            operation.kind == EnrolmentKind::Remove && operation.is_planned()
        };
        let removals = plan.operations.iter().filter(is_removal).count();
        let removed: BTreeSet<ClassinUid> =
            plan.operations.iter().filter(is_removal).filter_map(|operation| operation.uid).collect();
        let stays = |record: &&EnrolmentRecord| {
            !removed.contains(&record.uid)
                && (!never_ours(record.evidence) || self.wanted_uids.contains_key(&record.uid))
        };
        let enrols = plan.operations.iter().any(|one| one.kind == EnrolmentKind::Enrol && one.is_planned());
        if removals == 0 || enrols || self.recorded.values().copied().any(|record| stays(&record)) {
            return;
        }
        for operation in &mut plan.operations {
            if operation.kind == EnrolmentKind::Remove && operation.is_planned() {
                operation.state = EnrolmentState::Held(Reason::WouldEmpty { removals });
            }
        }
    }
}

/// Whether a membership is none that we could ever take away.
fn never_ours(evidence: Evidence) -> bool {
    matches!(evidence, Evidence::Present | Evidence::Closed)
}
