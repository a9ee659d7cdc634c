//! What an operation counts as.

use crate::exam_plan::kind::OperationKind;
use crate::exam_plan::link::{LinkNote, Origin};
use crate::exam_plan::operation::{Adoption, Change, Operation};
use crate::exam_plan::recent_writes::CountedWrite;

impl Operation {
    /// What carrying this out counts as; the groups that it counts in are [`Operation::groups_left`].
    #[must_use]
    pub fn counted_writes(&self) -> Vec<CountedWrite> {
        if self.of_leaver || self.kind() == OperationKind::Delete {
            return vec![CountedWrite::Dismissal];
        }
        match &self.change {
            Change::Adopt(adoption) => of_adoption(adoption),
            Change::Add(addition) => addition.replaces.map(|_| CountedWrite::Vanished).into_iter().collect(),
            Change::Modify(modification) => modification.counts_as.clone(),
            Change::Move(group_move) if self.groups_left.is_empty() && group_move.replaced().is_empty() => {
                Vec::new()
            }
            // What a take-over undoes of somebody's work is measured against the number taken over.
            Change::Move(_) if self.change.is_take_over() => vec![CountedWrite::Overwrite],
            Change::Move(_) => vec![CountedWrite::Move],
            Change::Delete(_) | Change::Impossible(_) => Vec::new(),
        }
    }

    /// Whether carrying this out counts as such a write.
    #[must_use]
    pub fn counts_as(&self, write: CountedWrite) -> bool {
        self.counted_writes().contains(&write)
    }
}

/// A candidate that a call of our own entered is not taken over from anybody.
fn of_adoption(adoption: &Adoption) -> Vec<CountedWrite> {
    let taken_over = (adoption.origin == Origin::Adopted).then_some(CountedWrite::TakeOver);
    let vanished = adoption.replaces.map(|_| CountedWrite::Vanished);
    taken_over.into_iter().chain(vanished).collect()
}

impl LinkNote {
    /// What noting this counts as.
    #[must_use]
    pub fn counts_as(&self) -> Option<CountedWrite> {
        match self {
            Self::Close(_) | Self::Lost(_) => Some(CountedWrite::Vanished),
            Self::Gone(_)
            | Self::Returned(_)
            | Self::Follow(..)
            | Self::RenamedByHand(_)
            | Self::Suspected(..)
            | Self::SeenAgain(..)
            | Self::Cleared(..)
            | Self::Rewritten(..)
            | Self::Confirm(..)
            | Self::Groups(..) => None,
        }
    }
}
