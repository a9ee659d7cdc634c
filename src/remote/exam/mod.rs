//! The exam platform as it is known: what it offers, its limits, and how its answers are read.
//!
//! This folder does not know why an operation was chosen; it sends what it is given and says what came back.

mod call;
mod client;
mod error;
#[doc(hidden)]
pub mod fuzzing;
mod redaction;
mod seen_groups;
mod signature;
mod wire;

pub use client::{ExamConnection, ExamReader, ExamWriter};
pub use error::{ClockDifference, ExamDisposition, ExamError, Stop};

pub use rosterd_core::exam_plan::{GroupAction, WriteAnswer};

use std::collections::{BTreeMap, BTreeSet};

use rosterd_core::exam_plan::ListedPage;
use rosterd_core::roster::{Attempt, FieldId, Gid, LoginValue, Sid};

/// One field of the account, as `getFields` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExamField {
    pub id: FieldId,
    /// Its label; localised and editable by the account's administrators.
    pub label: String,
}

/// One page of `getstulist`.
#[derive(Clone, Default)]
pub struct Page {
    /// Candidates of the whole account, as this page states it.
    pub total: u64,
    /// The rows, in the order they came.
    pub rows: Vec<ListedCandidate>,
    /// The labels that stand beside values, each once for a field.
    pub labels: Vec<(FieldId, String)>,
}

/// One page of `getstulist`, hashed while it was read.
pub struct HashedPage {
    /// Candidates of the whole account, as this page states it.
    pub total: u64,
    pub rows: ListedPage,
    /// The labels that stand beside values, each once for a field.
    pub labels: Vec<(FieldId, String)>,
}

/// One row of the listing. It has neither `sid` nor groups: only a look-up has those.
#[derive(Clone)]
pub struct ListedCandidate {
    /// As the service wrote it; not normalised.
    pub login_value: String,
    /// Field values as the service wrote them; empty fields are left out by the service.
    pub fields: Vec<(FieldId, String)>,
}

/// One row of `getstudentsinfo`.
#[derive(Clone)]
pub struct CandidateInfo {
    pub sid: Sid,
    /// Field values as returned; possibly fewer than the listing shows.
    pub fields: Vec<(FieldId, String)>,
    /// All groups the candidate is in, ours and foreign ones; never an empty set. Absent where the answer does not
    /// tell.
    pub groups: Option<BTreeSet<Gid>>,
}

/// What `getstudentsinfo` said.
#[derive(Clone, Default)]
pub struct LookupAnswer {
    /// Rows found. Their order means nothing.
    pub rows: Vec<CandidateInfo>,
    /// The sids or login values that the service says it could not resolve, as text.
    pub unresolved: BTreeSet<String>,
    /// What the groups of the rows are called.
    pub group_titles: BTreeMap<Gid, String>,
}

/// One row of `queryresults`.
#[derive(Clone, Debug, PartialEq)]
pub enum ResultsRow {
    Attempt(Attempt),
    /// It does not say whose result of which exam it is, or is no row at all.
    Unreadable {
        /// Of what it shows, its link left out, which is another one at every reading.
        digest: String,
        /// What is wrong with it.
        what: &'static str,
    },
}

impl ResultsRow {
    /// The attempt, where it is one.
    #[must_use]
    pub fn attempt(&self) -> Option<&Attempt> {
        match self {
            Self::Attempt(attempt) => Some(attempt),
            Self::Unreadable { .. } => None,
        }
    }
}

/// One page of `queryresults`.
#[derive(Clone, Debug, Default)]
pub struct ResultsPage {
    /// Attempts of the whole account, as this page states it.
    pub total: u64,
    /// Its rows, in the order they came.
    pub rows: Vec<ResultsRow>,
    /// Values that should be numbers and are not; they are left out.
    pub unreadable: u64,
}

/// One candidate to add.
#[derive(Clone)]
pub struct NewCandidate {
    pub gid: Gid,
    /// All values, the login field's among them.
    pub values: Vec<(FieldId, String)>,
}

/// Values to change of one candidate.
#[derive(Clone)]
pub struct CandidateChange {
    pub sid: Sid,
    /// The changed fields only; an empty value clears.
    pub values: Vec<(FieldId, String)>,
}

/// Which candidates a look-up asks for.
#[derive(Clone, Copy)]
pub enum LookupKey<'a> {
    Sids(&'a [Sid]),
    LoginValues(&'a [LoginValue]),
}
