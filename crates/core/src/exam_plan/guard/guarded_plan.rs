//! A plan that the guard has been through.

use std::collections::BTreeMap;

use crate::exam_plan::Plan;
use crate::exam_plan::operation::{Operation, OperationState};
use crate::exam_plan::reason::HoldReason;
use crate::roster::Gid;

/// A plan that the guard has been through. Only this can be applied.
#[derive(Debug)]
pub struct GuardedPlan(pub(super) Plan);

impl GuardedPlan {
    /// The plan, each operation in the state the guard left it in.
    pub fn plan(&self) -> &Plan {
        &self.0
    }

    /// Each reason to hold once, with the groups that most of its operations concern: largest first, at most
    /// three.
    #[must_use]
    pub fn holds(&self) -> Vec<(&HoldReason, Vec<(Gid, u64)>)> {
        let mut by_reason: BTreeMap<String, (&HoldReason, BTreeMap<Gid, u64>)> = BTreeMap::new();
        for operation in &self.0.operations {
            let OperationState::Held(reason) = &operation.state else { continue };
            let (_, groups) =
                by_reason.entry(reason.to_string()).or_insert_with(|| (reason, BTreeMap::new()));
            for gid in &operation.groups {
                *groups.entry(*gid).or_default() += 1;
            }
        }
        for creation in &self.0.creations {
            let OperationState::Held(reason) = &creation.state else { continue };
            by_reason.entry(reason.to_string()).or_insert_with(|| (reason, BTreeMap::new()));
        }
        let largest = |groups: BTreeMap<Gid, u64>| {
            let mut groups: Vec<(Gid, u64)> = groups.into_iter().collect();
            groups.sort_by_key(|(gid, count)| (std::cmp::Reverse(*count), *gid));
            groups.truncate(GROUPS_NAMED);
            groups
        };
        by_reason.into_values().map(|(reason, groups)| (reason, largest(groups))).collect()
    }

    /// The same plan with its operations changed, for what becomes known after the guard.
    pub(in crate::exam_plan) fn map_operations(self, change: impl FnMut(&mut Operation)) -> Self {
        let Self(mut plan) = self;
        plan.operations.iter_mut().for_each(change);
        Self(plan)
    }
}

/// Enough groups to recognise what is held.
const GROUPS_NAMED: usize = 3;

impl std::ops::Deref for GuardedPlan {
    type Target = Plan;

    fn deref(&self) -> &Plan {
        &self.0
    }
}
