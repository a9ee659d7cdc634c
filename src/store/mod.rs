//! The only folder with SQL: the roster, read; and our own state, read and written.
//!
//! Statements are plain texts checked by the tests that run every one of them against the migrated
//! schema. Transactions that write take the write lock first, are short, and never span a call.
//!
//! # Errors
//!
//! Every function of [`StateStore`] fails with [`StoreError::Query`] when the database cannot be read or written, and
//! with [`StoreError::Row`] when a row holds what we never write. Only what fails otherwise says so itself.

#![expect(
    missing_docs,
    reason = "no border of the crate: columns are explained in the migrations, fields where it helps"
)]

mod accepted_contacts;
mod accounts;
mod approvals;
mod asked_pairs;
mod class_names;
mod copies;
mod counted_writes;
mod created_groups;
mod enrolments;
mod error;
mod evidence;
mod export;
mod failure_changes;
mod failures;
mod former_candidates;
mod held_masses;
mod holds;
mod ids_in_normal_form;
mod intents;
mod key_values;
mod keys;
mod link_codec;
mod link_text;
mod link_writes;
mod links;
mod listing_memory;
mod lock;
mod moments;
mod notifications;
mod outcomes;
mod packed_links;
mod pool;
mod put_back;
mod recognition;
mod refused_relinks;
mod result_passes;
mod results;
mod retention;
mod rewritten_fields;
mod room;
mod roster;
mod roster_class_ids;
mod roster_groups;
mod roster_rows;
pub mod roster_writer;
mod row_blocks;
mod row_counts;
mod run_holder;
mod runs;
mod service_accounts;
mod service_faults;
mod standing;
mod standing_answers;
mod state;
#[cfg(test)]
mod statements;
mod student_changes;
mod told_apart;
mod twin_links;
mod upgrade_copy;
mod waiting;

pub use approvals::Approvable;
pub use copies::{CopyError, KnownRun, copy_state, restore_state};
pub use counted_writes::{CONTACT, ENTERED, JOINED, LEFT, NAME, NotedWrite, REMOVAL};
pub use enrolments::{ClosedClass, EnrolmentChange};
pub use error::StoreError;
pub use evidence::{EvidenceRow, FullClass, FullClassFigures};
pub use export::{LINK_COLUMNS, RosterExport, TextRow};
pub use failures::{ClassinOpenFailure, FailureRecord, FailureRow};
pub use holds::{PlannedService, StandingHold, StudentHold};
pub use intents::{Intent, LostAdd};
pub use link_text::{LinkTextReader, groups_of};
pub use link_writes::{LinkWrite, NewLink};
pub use links::{LookedUpGroups, WayGiven};
pub use lock::{DaemonLock, IntakeLock, LockError, RunLock};
pub use notifications::{Notification, Telling};
pub use outcomes::CallRecord;
#[cfg(test)]
pub(crate) use packed_links::PackSizes;
pub use packed_links::UnpackedLinks;
pub use put_back::LeftForAClass;
pub use recognition::StateFile;
pub use result_passes::{Anchor, OddRow, ResultsPass};
pub use results::{CandidateStatus, Met, ResultCounts, ResultFilter, StudentResult};
pub use rewritten_fields::UncomparedField;
pub use roster::{
    ClassCursor, ListedPerson, Odd, PopulatedGroup, RosterDatabase, RosterDetails, RosterError, RosterRow,
    RosterSnapshot, StudentCursor, StudentTextReader, WantedClass, student_columns,
};
pub use roster_rows::former_group_key;
pub use row_blocks::row_channel;
pub use runs::{PLAN, RunRow, RunStart};
pub use service_accounts::{AccountTaking, OtherRecords, ProvableLink, RememberedAccount, STRANGERS_FACT};
pub use standing::{Standing, StandingRows};
pub use state::StateStore;
pub use student_changes::StudentChange;
pub use twin_links::SettledTwin;
pub use waiting::{Waiting, WaitingKind};
