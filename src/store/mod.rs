//! The only folder with SQL: the roster, read; and our own state, read and written.
//!
//! Statements are plain texts checked by the tests that run every one of them against the migrated
//! schema. Transactions that write take the write lock first, are short, and never span a call.

mod accounts;
mod approvals;
mod created_groups;
mod enrolments;
mod error;
mod evidence;
mod export;
mod failure_owner;
mod failures;
mod former_candidates;
mod intents;
mod key_values;
mod link_writes;
mod links;
mod lock;
mod outcomes;
mod result_passes;
mod results;
mod roster;
pub mod roster_writer;
mod runs;
mod state;

pub use accounts::{Account, AccountChange, AccountOrigin};
pub use approvals::HeldOperation;
pub use created_groups::{Creation, GroupOrigin, KnownGroup};
pub use enrolments::{ClosedClass, EnrolmentChange};
pub use error::StoreError;
pub use evidence::{EvidenceRow, EvidenceSummary, FullClass};
pub use export::{LINK_COLUMNS, RosterExport, TextRow};
pub use failure_owner::FailureOwner;
pub use failures::{ClassinOpenFailure, EarlierAttempts, FailureRecord, FailureRow, OwnerCounts, Service};
pub use intents::{Intent, LostIntents};
pub use links::{LinkWrite, NewLink};
pub use lock::{LockError, RunLock};
pub use outcomes::{CallRecord, OperationKey};
pub use result_passes::{FinishedPass, ResultsPass};
pub use results::{CandidateStatus, Met, ResultCounts, ResultFilter, StudentResult};
pub use roster::{
    ClassCursor, NamedStudent, RosterDatabase, RosterDetails, RosterError, RosterPerson, RosterRow,
    RosterSnapshot, StudentCursor, WantedClass,
};
pub use runs::{RunRow, RunStart};
pub use state::StateStore;
