//! Decisions for ClassIn, pure: what its codes mean, what an answer proves, what a class needs.
//!
//! Nothing here reads, writes, waits or looks at a clock. ClassIn cannot be read back, so these three parts
//! work on our own record alone: [`plan_course`] compares it with the roster, [`judge()`] says what an answer
//! proves about each student sent, [`evidence_after`] says what the record holds from then on.

mod account;
mod answer;
mod audit;
mod class_ids;
mod class_names;
mod codes;
mod enrolment;
mod guard;
mod judge;
mod person;
mod subject;

pub use account::{
    Account, AccountChange, AccountKind, AccountOperation, AccountOrigin, AccountPlan, AccountPlanner,
    AccountVerdict, Applicant, Application, Contact, ContactChanges, ContactFault, ContactKind,
    ContactProblem, ContactReading, Doubt, Doubts, JudgedAccount, JudgedAccounts, LARGEST_REGISTRATION,
    Membership, NameChange, NameDecision, Obtained, Registration, Renaming, SAME_PARAMETERS_MS, SchoolName,
    judge_name, judge_registrations, judge_school_student, registration_batches, registrations,
};
pub use answer::{AnswerItem, CallAnswer, Token};
pub use audit::{EnrolmentViolation, audit_enrolments};
pub use class_ids::{RememberedClass, RememberedClasses, keep_lost_class_ids, lost_all_ids};
pub use class_names::{ClassName, ClassNames};
pub use codes::{Call, Code, CodeClass, Decision, Stop, decide};
pub use enrolment::{
    AccountsOf, Condition, EnrolmentBatch, EnrolmentKind, EnrolmentOperation, EnrolmentRecord,
    EnrolmentState, Evidence, EvidenceChange, Exchanges, HeldBack, LARGEST_BATCH, LeftAsSet, LeftBehind,
    MOST_SIBLINGS, OthersAccounts, OverLimit, Reason, SharedContact, SharedContacts, SharedHolds, SharedKey,
    StaleEnrolments, WantedEnrolment, batches, class_hash, desired_hash, evidence_after, evidence_before,
};
pub use guard::{Approvals, ClassSize, ClassinGuard, HeldSubjects, LivingBase, classin_holds};
pub use judge::{Closure, ItemVerdict, Judged, JudgedItem, Scope, Sent, Split, judge};
pub use person::{
    CoursePlan, CourseView, Handover, Presence, await_other_courses, circle, let_wait,
    let_wait_what_is_held_in_vain, plan_course,
};
pub use subject::{Subject, class_key};
