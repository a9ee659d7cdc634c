//! One student's ClassIn account: where it is found, how it is named, what an answer about it proves.
//!
//! Siblings who share a phone number share an account. A uid comes only from a registration; the `data` of an
//! answer about joining the school is never a uid. An account is remembered with its reason, and asked for anew when the
//! reason is gone.
//!
//! Contract: docs/contracts/classin.md, 4.3 to 4.5 and 4.9.

mod contact;
mod doubt;
mod name;
mod operation;
mod plan;
mod record;
mod registration;
#[cfg(test)]
mod tests;
mod verdict;

pub use contact::{Contact, ContactFault, ContactKind, ContactProblem, ContactReading};
pub use doubt::{Doubt, Doubts};
pub use name::{NameChange, SchoolName};
pub use operation::{AccountKind, AccountOperation};
pub use plan::{AccountPlan, AccountPlanner, Application, ContactChanges, NameDecision, Renaming};
pub use record::{Account, AccountChange, AccountOrigin, Obtained};
pub use registration::{
    Applicant, LARGEST_REGISTRATION, Registration, SAME_PARAMETERS_MS, registration_batches, registrations,
};
pub use verdict::{
    AccountVerdict, JudgedAccount, JudgedAccounts, Membership, judge_name, judge_registrations,
    judge_school_student,
};
