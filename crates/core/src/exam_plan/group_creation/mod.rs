//! Groups of the roster that have no gid: which are there already, which are to be created, which need a person.
//!
//! No call lists groups. One that somebody is in is seen when a candidate in it is looked up; an empty one is never
//! seen. So a title is looked for among the groups of its own students first. After an answer that was lost the
//! group, if it is there, is empty: nothing can prove what happened, so it is not asked for again, and a person decides
//! (docs/contracts/onlineexammaker.md, 3.9 and 4.5).

mod awaited;
mod decide;
mod known;
mod missing;
mod own_memory;

pub use awaited::CreatedGroups;
pub use decide::{FoundGroup, GroupDecisions, GroupEvidence, GroupsInput};
pub use known::{CreationOutcome, GroupOrigin, KnownGroup};
pub use missing::MissingGroups;
pub use own_memory::OwnMemory;

use super::fingerprint::Fingerprint;
use super::operation::OperationState;
use super::reason::SkipReason;
use crate::roster::{Gid, GroupCode};

/// Creating one group: an operation whose subject is a group of the roster, not a student.
#[derive(Clone, Debug)]
pub struct GroupCreation {
    /// The roster's group; it names the operation.
    pub code: GroupCode,
    /// What it is called.
    pub title: String,
    /// The group it is created below; 0 is the root.
    pub parent: Gid,
    /// How often its creation was refused before.
    pub refusals: u32,
    /// Whether it may go ahead.
    pub state: OperationState,
    /// Stands for title and parent: the same in every run.
    pub desired_hash: Fingerprint,
}

impl GroupCreation {
    /// Whether it may go ahead.
    #[must_use]
    pub fn is_planned(&self) -> bool {
        self.state == OperationState::Planned
    }

    /// What the roster's owner is told of a group that is not created in this run, where the reason is not a hold.
    #[must_use]
    pub fn left_undone(&self) -> Option<String> {
        match &self.state {
            OperationState::Skipped(SkipReason::Mode(_)) => Some(format!(
                "has no gid: a run that may add candidates creates the group (below gid {})",
                self.parent
            )),
            OperationState::Skipped(SkipReason::DoubtfulListing) => {
                Some("has no gid and is not created while the listing is doubtful".to_owned())
            }
            OperationState::Skipped(SkipReason::NotDue { .. }) => Some(format!(
                "has no gid, and creating it was refused {} times: it is tried again later",
                self.refusals
            )),
            OperationState::Planned
            | OperationState::Held(_)
            | OperationState::Skipped(_)
            | OperationState::Cannot(_) => None,
        }
    }
}
