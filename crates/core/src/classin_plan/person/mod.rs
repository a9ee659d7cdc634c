//! One student over all targets of a course: wanted enrolments against recorded ones. A class lies in its course.
//!
//! Of one account in one target, where nothing else is wanted or recorded in the course:
//!
//! | wanted | remembered | operation |
//! |---|---|---|
//! | yes | nothing, gone | enrol |
//! | yes | unknown, removing, removing presumed | enrol again: a repeat is safe and settles it |
//! | yes | added, present, presumed, condemned | none |
//! | yes | added, present, presumed, and ClassIn refused to confirm it, or what it rested on may be gone | enrol again |
//! | yes, without a uid | – | cannot |
//! | no, with rows that cannot be used | any | none: the class is kept |
//! | no | added, removing | remove, where `removals` is `added` or `presumed` |
//! | no | presumed, unknown, removing presumed | remove, where `removals` is `presumed`, else cannot |
//! | no | present | cannot: the record stays, and the student is named |
//! | no | condemned | none; the record is forgotten |
//! | no | gone | none |
//!
//! And across the targets of a course:
//!
//! | wanted in the course | recorded in the course | of the same account in a class |
//! |---|---|---|
//! | yes | any | no removal: who is in the whole course is in its classes |
//! | no | yes, to be removed | a removal follows the removal from the course; what is wanted and rests on "already there" is added again after it |
//! | no | yes, not to be removed | no removal: it would take a student of the course out of one lesson |
//! | no | no | as above |
//!
//! Whoever leaves the course for a class that nobody is known to be in stays in the course until one question
//! ([`CoursePlan::questions`]) has shown that the class takes somebody: its ids may be wrong.
//!
//! A removal waits while the same student is wanted in the course and not settled there: under another account, or
//! in another class ([`Condition::Settled`](super::enrolment::Condition::Settled)), or in another course
//! ([`await_other_courses`]). It waits for `delete_grace` and two runs when the student has left the
//! roster; a student who leaves only the class is removed at once. An account is not removed while any student of
//! the roster wants it there, nor while its student, or another one who has it, is wanted there with an account not yet
//! known or has rows that cannot be used.
//!
//! A class that no row of the roster names, and whose students are wanted elsewhere in the course, is probably a lesson
//! that is over: its removals wait until one question has told ([`CoursePlan::questions`]).

mod circle;
mod circles_of_waits;
mod left_behind;
mod lessons;
mod moves;
mod owners;
mod place;
mod planner;
#[cfg(test)]
mod properties;
mod put_back;
#[cfg(test)]
mod table;
#[cfg(test)]
mod tests;
mod waits;

use std::collections::{BTreeMap, BTreeSet};

pub use circle::circle;
pub use moves::await_other_courses;
pub use waits::{let_wait, let_wait_what_is_held_in_vain};

use super::codes::Code;
use super::enrolment::{EnrolmentOperation, EnrolmentRecord, HeldBack};
use crate::roster::{ClassCode, ClassTarget, ClassinUid, CourseId, Enrolment, StudentId};
use crate::roster::{Mode, Removals};

/// Whether a student is on the roster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// On the roster and active.
    OnRoster,
    /// On it, with rows that cannot be used: every class is kept.
    Unusable,
    /// On it, with a member row that names no class: every class is kept, and each that is no longer wanted is told.
    Dangling,
    /// Absent from it, or no longer active.
    Gone {
        /// Since when, in milliseconds since 1970 UTC.
        since_ms: i64,
        /// The number of runs that have seen that, this one included.
        runs: u32,
    },
}

/// The conditions of a plan for one course, besides the roster and our records.
#[derive(Clone, Copy)]
pub struct CourseView<'a> {
    /// The course. Rows and records of another one are ignored.
    pub course: CourseId,
    /// The school's code of a target, for removals; absent when the roster no longer has it. Where several codes name
    /// one target: the first.
    pub class_code: &'a dyn Fn(ClassTarget) -> Option<ClassCode>,
    /// The mode of the run.
    pub mode: Mode,
    /// The code for which a class or its course is condemned.
    pub closed: &'a dyn Fn(ClassTarget) -> Option<Code>,
    /// The evidence required before a removal.
    pub removals: Removals,
    /// Now.
    pub now_ms: i64,
    /// The time that a student must be gone before a removal, in milliseconds.
    pub delete_grace_ms: i64,
    /// Whether a target that no row names, or that nobody is known to be in, was found to take changes: it has been asked.
    pub was_asked: &'a dyn Fn(ClassTarget) -> bool,
    /// Whether a student shares contact or account with too many others.
    pub is_shared: &'a dyn Fn(&StudentId) -> bool,
    /// Whether a student is on the roster; asked for students of our records.
    pub presence: &'a dyn Fn(&StudentId) -> Presence,
    /// Who has an account on the roster, whatever else their rows say; asked for accounts that nobody is wanted with.
    pub owners: &'a dyn Fn(ClassinUid) -> Vec<StudentId>,
    /// Failures that are not due, by fingerprint: not yet due, dead or ignored.
    pub holds: &'a BTreeMap<u64, HeldBack>,
    /// Those of them that nobody waits for any more: dead letters, but not of an account that does not exist.
    pub given_up: &'a BTreeSet<u64>,
    /// Wanted enrolments, by fingerprint, that ClassIn refused: whoever it knew as settled is perhaps not in the class.
    pub refused: &'a BTreeSet<u64>,
}

/// A record whose account is now wanted for another student than it was enrolled for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handover {
    /// The account.
    pub uid: ClassinUid,
    /// Where.
    pub target: ClassTarget,
    /// The student that the record is to name from now on.
    pub student: StudentId,
}

/// The plan for one course.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct CoursePlan {
    /// Target by target, the whole course first; in each, enrolments in the order of class code and student, then
    /// removals in the order of account.
    pub operations: Vec<EnrolmentOperation>,
    /// Wanted rows that are known to be so.
    pub settled: usize,
    /// Records that stay although no wanted row of their target names their account: the course does, the setting
    /// does not let us remove them, or their student is wanted there with an account not known at the moment.
    pub kept: usize,
    /// Records that are dropped without a call: of what takes no changes any more, or went with a deleted class.
    pub to_forget: Vec<(ClassinUid, ClassTarget)>,
    /// Records that a person is asked to see to in ClassIn: they are believed no more once they are wanted again.
    pub to_prove: Vec<(ClassinUid, ClassTarget)>,
    /// Records to write another student into.
    pub handovers: Vec<Handover>,
    /// How many accounts are settled in each target and stay there.
    pub staying: BTreeMap<ClassTarget, usize>,
    /// Adds of who is recorded in a class already, one for each class that is probably over: the answer tells whether it
    /// takes changes still. And of who is to leave the whole course for a class that nobody is known to be in.
    pub questions: Vec<EnrolmentOperation>,
    /// Classes that are probably over and are not asked, as nobody may be taken out: how many are recorded in each.
    pub unasked: BTreeMap<ClassTarget, usize>,
}

/// Plans one course. A pure function; the order of rows and records does not matter.
pub fn plan_course(wanted: &[Enrolment], recorded: &[EnrolmentRecord], view: &CourseView<'_>) -> CoursePlan {
    planner::Planner::new(wanted, recorded, view).plan()
}
