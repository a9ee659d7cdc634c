//! rosterd keeps two online services in step with a school's own roster.
//!
//! In reading order: the crate `rosterd-core` has the words and decides, `run` does what it decided with the
//! help of `remote` and `store`. `ARCHITECTURE.md` has the map.
//!
//! The modules are private, so that the compiler reports what nobody uses. What the tests and benches need
//! stands in the list below, and nowhere else.

#![expect(
    missing_docs,
    reason = "an application: what is public here serves its own program, tests and benches"
)]
#![allow(
    rustdoc::private_intra_doc_links,
    reason = "the documentation is built with what is private: it is for whoever changes the program"
)]
#![allow(
    unreachable_pub,
    reason = "the modules are private as a whole; within them `pub` marks what a module offers to others"
)]

mod remote;
mod store;

mod run;

mod app;
mod cli;
mod clock;
mod commands;
mod daemon;
mod exit;
mod files;
mod invocation;
mod notify;
mod program;
mod settings;
mod telemetry;
mod web;

mod demo;

pub use app::{AppError, exam_side, roster, run_context};
pub use clock::Clock;
pub use commands::import::{ImportError, ImportKind, ImportReport, ImportRequest, import};
pub use demo::generator::generate;
pub use exit::{Exit, exit_code};
pub use files::Arrival;
pub use program::main;
pub use remote::classin::{
    AddItem, ClassinConnection, ClassinDisposition, ClassinError, ClassinProbe, ClassinWriter, ClockReading,
    PasswordSource, StopCause,
};
pub use remote::exam::{
    CandidateChange, ExamConnection, ExamDisposition, ExamError, ExamField, ExamReader, ExamWriter,
    LookupKey, NewCandidate, Stop,
};
pub use remote::http::{Calls, RetryPacing, Transport};
pub use run::{
    Attention, ClassinPatience, Context, Counts, EmptyAccount, ExamRetryDelays, ExamSide, Intended,
    PlannedExam, Progress, ResultsPull, ResultsReport, RunReport, ServiceReport, Severity, Trigger, Writers,
    check_exam_fields, confirm_exam_account, plan, pull_results, reconcile, reconcile_with_plan,
};
pub use settings::{
    ConfigSource, Endpoint, ExamSettings, FieldMapping, FieldRef, GuardSettings, LoginField, Origin, Problem,
    RetrySettings, RosterQueries, Settings,
};
pub use store::roster_writer::{
    Commit, Completeness, RosterWriteError, RosterWriter, history_of, previous_of, undo,
};
pub use store::{
    CandidateStatus, FailureRow, ResultFilter, RosterDatabase, RosterError, RosterRow, RunLock, StateStore,
    StoreError, StudentResult,
};

/// Doors for fuzzing: each reads the body of an answer as the clients do.
pub mod fuzzing {
    pub use crate::remote::classin::fuzzing::answer;
    pub use crate::remote::exam::fuzzing::{fields, hashed_page, lookup, page, write};
}
