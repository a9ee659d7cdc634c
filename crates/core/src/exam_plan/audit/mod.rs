//! A plan judged from outside, by rules that were written down apart from the code that plans.
//!
//! Planner and guard keep these rules by construction. This says so of any plan, and every plan that a test makes
//! passes through it. Not part of a run: what decides at run time is the guard.

mod leavers;
mod limits;
mod operations;
mod waves;

use std::collections::HashMap;

use super::Plan;
use super::batch::Wave;
use super::guard::Guard;
use super::kind::OperationKind;
use super::recent_writes::CountedWrite;
use crate::roster::{Gid, LoginValue, Sid, StudentId};

/// A plan, the calls that are to carry it out, and what is remembered of those who left.
#[derive(Clone, Copy)]
pub struct Audit<'a> {
    /// The plan, as the guard left it.
    pub plan: &'a Plan,
    /// The calls, see [`GuardedPlan::waves`](super::GuardedPlan::waves).
    pub waves: &'a [Wave],
    /// So many operations a call carries at most.
    pub batch_size: usize,
    /// Who was off the roster before this run.
    pub departures: &'a HashMap<StudentId, Departure>,
    /// The limits that the plan was judged by, where they are known.
    pub guard: Option<&'a Guard>,
    /// How long a student must be gone before a delete, in milliseconds.
    pub delete_grace_ms: i64,
    /// When the plan was made, in milliseconds since 1970 UTC.
    pub now_ms: i64,
}

/// Since when a student is off the roster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Departure {
    /// In milliseconds since 1970 UTC.
    pub since_ms: i64,
    /// How many earlier runs saw it.
    pub runs: u32,
}

/// What no plan may be. Students and kinds are named, values are not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// One student has two operations of one kind.
    #[error("{student}: {kind} twice")]
    Repeated {
        /// Whose.
        student: StudentId,
        /// Which kind.
        kind: OperationKind,
    },
    /// The operations are not in the order of kind and student.
    #[error("{student}: {kind} stands too late")]
    Unsorted {
        /// Whose.
        student: StudentId,
        /// Which kind.
        kind: OperationKind,
    },
    /// Two planned operations of one student work against each other.
    #[error("{student}: {one} and {other} in one plan")]
    Opposed {
        /// Whose.
        student: StudentId,
        /// The first.
        one: OperationKind,
        /// The second.
        other: OperationKind,
    },
    /// Operations of two students write to one candidate.
    #[error("candidate {sid}: written for {one} and for {other}")]
    SharedCandidate {
        /// Which candidate.
        sid: Sid,
        /// The first student.
        one: StudentId,
        /// The second.
        other: StudentId,
    },
    /// Two students are to get the same login value.
    #[error("{one} and {other} get the same login value")]
    SharedLogin {
        /// The first student.
        one: StudentId,
        /// The second.
        other: StudentId,
    },
    /// A call carries nobody, or more than it may.
    #[error("a call with {size} operations, {limit} are allowed")]
    BatchSize {
        /// How many it carries.
        size: usize,
        /// How many it may.
        limit: usize,
    },
    /// A call names an operation that the plan does not have, or one twice.
    #[error("operation {position} stands in a call where it does not belong")]
    Misplaced {
        /// The position in the plan.
        position: usize,
    },
    /// A call carries out an operation that is held, skipped or impossible.
    #[error("{student}: {kind} is sent and may not go ahead")]
    Unapproved {
        /// Whose.
        student: StudentId,
        /// Which kind.
        kind: OperationKind,
    },
    /// An operation that may go ahead stands in too few calls, or in too many.
    #[error("{student}: {kind} is sent {times} times")]
    Sent {
        /// Whose.
        student: StudentId,
        /// Which kind.
        kind: OperationKind,
        /// In how many calls.
        times: usize,
    },
    /// A call goes out before one that it needs.
    #[error("{student}: {kind} is sent too early")]
    TooEarly {
        /// Whose.
        student: StudentId,
        /// Which kind.
        kind: OperationKind,
    },
    /// More people than a limit allows.
    #[error("{}: {people} people within 24 hours, {allowed} are allowed", write.as_str())]
    AboveLimit {
        /// What they count as.
        write: CountedWrite,
        /// How many, with those of the last 24 hours.
        people: u64,
        /// How many may.
        allowed: u64,
    },
    /// More people leave one group than may.
    #[error("group {gid}: {people} people leave within 24 hours, {allowed} may")]
    GroupShrinks {
        /// Which group.
        gid: Gid,
        /// How many, with those of the last 24 hours.
        people: u64,
        /// How many may.
        allowed: u64,
    },
    /// Students are entered although hardly any of them matches a candidate.
    #[error("{adds} are entered, and hardly anybody matches a candidate")]
    AmongStrangers {
        /// How many.
        adds: u64,
    },
    /// Something is taken from a leaver without the proof for it.
    #[error("{student}: {kind} of a leaver, {lacks}")]
    Unproven {
        /// Whose.
        student: StudentId,
        /// Which kind.
        kind: OperationKind,
        /// What is missing.
        lacks: MissingProof,
    },
}

/// What a leaver's operation needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MissingProof {
    /// Both sides read completely.
    #[error("and the listing is doubtful")]
    Certificate,
    /// An earlier run that saw the student gone.
    #[error("and no earlier run saw them gone")]
    EarlierRun,
    /// A grace that has run out.
    #[error("and their grace has not run out")]
    Grace,
}

/// Everything that is wrong with a plan; nothing, where planner and guard are right.
#[must_use]
pub fn audit(audit: &Audit<'_>) -> Vec<Violation> {
    let mut found = operations::violations(audit.plan);
    found.extend(waves::violations(audit));
    found.extend(leavers::violations(audit));
    found.extend(limits::violations(audit));
    found
}

/// The login value that an operation gives to its student.
fn login_given(change: &super::operation::Change) -> Option<&LoginValue> {
    use super::operation::Change;
    match change {
        Change::Add(addition) => Some(&addition.login),
        Change::Modify(modification) => modification.login.as_ref().map(|login| &login.to),
        Change::Adopt(_) | Change::Move(_) | Change::Delete(_) | Change::Impossible(_) => None,
    }
}
