//! The last members of a group leave when others have come there, and stay where those were refused.

use rosterd_core::exam_plan::{Batch, Call, GroupAction, Operation};
use rosterd_core::outcome::{Outcome, Unsent};
use rosterd_core::roster::Gid;

use super::apply::ExamApplier;
use crate::run::delivery::Applier as _;

impl ExamApplier<'_> {
    /// Ends the operations of a call that would take the last members out of a group into which nobody came; what is left of
    /// them.
    pub(super) fn without_last_members(&self, batch: &Batch, positions: Vec<usize>) -> Vec<usize> {
        if self.last_members.is_empty() {
            return positions;
        }
        let would_empty = |at: &usize| {
            let operation = self.operation(*at);
            operation
                .is_some_and(|operation| left_by(&batch.call, operation).any(|gid| self.is_deserted(gid)))
        };
        let (stays, goes): (Vec<usize>, Vec<usize>) = positions.into_iter().partition(would_empty);
        let mut state = self.state();
        stays.iter().for_each(|at| state.end_open(*at, &Outcome::Unsent(Unsent::Dependent)));
        goes
    }

    /// Whether nobody has come into a group whose last members are to leave, and nobody is on the way.
    fn is_deserted(&self, gid: Gid) -> bool {
        let Some(joins) = self.last_members.get(&gid) else { return false };
        let state = self.state();
        // What is still open is part of a circle of groups, or comes later in the same call.
        !joins.iter().any(|at| state.is_open(*at) || state.outcome(*at).is_some_and(Outcome::is_applied))
    }
}

/// The groups that a call takes the student of an operation out of.
fn left_by<'o>(call: &'o Call, operation: &'o Operation) -> impl Iterator<Item = Gid> + 'o {
    let leaves = |gid: &Gid| match call {
        Call::Group(GroupAction::DeleteFrom, gids) => gids.contains(gid),
        Call::Group(GroupAction::MoveTo, _) | Call::Delete => true,
        Call::Group(GroupAction::AddTo, _) | Call::Change | Call::GiveWay | Call::Add => false,
    };
    operation.groups_left.iter().copied().filter(leaves)
}
