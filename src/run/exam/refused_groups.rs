//! Groups into which nobody could be entered while others went through: their gid is wrong, and no student is.

use std::collections::BTreeMap;

use super::record::key;
use crate::run::delivery::ApplyState;
use crate::store::{StateStore, StoreError};
use rosterd_core::exam_plan::{Change, GuardedPlan, Operation};
use rosterd_core::failure::{FailureCode, OperationKey};
use rosterd_core::outcome::Outcome;
use rosterd_core::roster::Gid;

/// One refused student may be the fault of the student.
const FEWEST: usize = 2;

/// How the adds into one group ended.
#[derive(Default)]
struct Adds {
    refused: Vec<OperationKey>,
    /// Whether any add ended otherwise than refused.
    has_others: bool,
}

/// Blames the groups instead of their students.
pub(super) async fn blame(
    store: &StateStore,
    plan: &GuardedPlan,
    state: &ApplyState,
) -> Result<(), StoreError> {
    let mut groups: BTreeMap<Gid, Adds> = BTreeMap::new();
    let mut is_accepted = false;
    for (at, operation) in plan.operations.iter().enumerate() {
        let (Some(gid), Some(outcome)) = (first_gid(operation), state.outcome(at)) else { continue };
        is_accepted |= outcome.is_applied();
        let adds = groups.entry(gid).or_default();
        match outcome {
            Outcome::Failed(cause) if cause.code == FailureCode::Refused => adds.refused.push(key(operation)),
            Outcome::Applied(()) | Outcome::Failed(_) | Outcome::Unknown(_) => adds.has_others = true,
            Outcome::Held | Outcome::Unsent(_) => {}
        }
    }
    if !is_accepted {
        return Ok(());
    }
    for (gid, Adds { refused, has_others }) in groups {
        if refused.len() < FEWEST || has_others {
            continue;
        }
        let message = format!(
            "gid {gid}: all {} students of this group were refused, and others were entered: correct the gid in groups",
            refused.len()
        );
        store.blame_group(&refused, &message).await?;
    }
    Ok(())
}

fn first_gid(operation: &Operation) -> Option<Gid> {
    if let Change::Add(addition) = &operation.change { addition.group.gid() } else { None }
}
