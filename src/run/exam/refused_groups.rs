//! Groups into which nobody could be put while other changes went through: their gid is wrong, and no student is.

use std::collections::BTreeMap;

use crate::run::delivery::ApplyState;
use crate::store::{StateStore, StoreError};
use rosterd_core::exam_plan::{Change, GuardedPlan, Operation, OperationKind};
use rosterd_core::failure::{FailureCode, OperationKey};
use rosterd_core::outcome::Outcome;
use rosterd_core::roster::Gid;

/// One refused student may be the fault of the student.
const FEWEST: usize = 2;

/// How it went with one group.
#[derive(Default)]
struct Group {
    added: Ended,
    moved: Ended,
}

/// How the changes of one kind into one group ended.
#[derive(Default)]
struct Ended {
    refused: Vec<OperationKey>,
    /// Whether any ended otherwise than refused.
    has_others: bool,
}

impl Ended {
    fn note(&mut self, operation: &Operation, outcome: &Outcome) {
        match outcome {
            Outcome::Failed(cause) if cause.code == FailureCode::Refused => {
                self.refused.push(operation.key())
            }
            Outcome::Applied(()) | Outcome::Failed(_) | Outcome::Unknown(_) => self.has_others = true,
            Outcome::Held | Outcome::Unsent(_) => {}
        }
    }
}

/// Blames the groups instead of their students.
pub(super) async fn blame(
    store: &StateStore,
    plan: &GuardedPlan,
    state: &ApplyState,
) -> Result<(), StoreError> {
    let mut groups: BTreeMap<Gid, Group> = BTreeMap::new();
    let (mut adds_accepted, mut any_accepted) = (false, false);
    for (at, operation) in plan.operations.iter().enumerate() {
        let Some(outcome) = state.outcome(at) else { continue };
        let is_sent = operation.kind() != OperationKind::Adopt;
        any_accepted |= is_sent && outcome.is_applied();
        adds_accepted |= operation.kind() == OperationKind::Add && outcome.is_applied();
        let Some(gid) = only_gid(operation) else { continue };
        let group = groups.entry(gid).or_default();
        let ended = if operation.kind() == OperationKind::Add { &mut group.added } else { &mut group.moved };
        ended.note(operation, outcome);
    }
    for (gid, Group { added, moved }) in groups {
        if added.has_others || moved.has_others || added.refused.len() + moved.refused.len() < FEWEST {
            continue;
        }
        // What is refused of an add may be a value, unless others are entered. A change of groups sends none.
        let mut refused = if any_accepted { moved.refused } else { Vec::new() };
        refused.extend(added.refused.into_iter().filter(|_| adds_accepted));
        let message = format!(
            "gid {gid}: the service puts nobody into this group, and other changes went through: correct the gid in groups"
        );
        store.blame_group(&refused, &message).await?;
    }
    Ok(())
}

/// The group that an operation puts its student into, where that is one.
fn only_gid(operation: &Operation) -> Option<Gid> {
    match &operation.change {
        Change::Add(addition) => addition.group.gid(),
        Change::Move(group_move) => {
            let mut joined = group_move.change().groups_joined().into_iter();
            joined.next().filter(|_| joined.next().is_none())
        }
        Change::Adopt(_) | Change::Modify(_) | Change::Delete(_) | Change::Impossible(_) => None,
    }
}
