//! A plan once its groups were created, or were not.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::exam_plan::desired_hash::{desired_add, desired_impossible, desired_move};
use crate::exam_plan::fingerprint::MemoryKey;
use crate::exam_plan::group_change::{GroupChange, TargetGroup};
use crate::exam_plan::guard::GuardedPlan;
use crate::exam_plan::kind::OperationKind;
use crate::exam_plan::open_failures::OpenFailures;
use crate::exam_plan::operation::{Addition, Change, GroupMove, Operation, OperationState};
use crate::exam_plan::reason::{CannotReason, SkipReason};
use crate::roster::{Gid, GroupCode, StudentId};

/// The groups of a plan that were created, by the code they were created under.
pub type CreatedGroups = BTreeMap<GroupCode, Gid>;

impl GuardedPlan {
    /// The same plan with the gids of its new groups. Where a group was not created, its students are treated as
    /// those of any group without a gid.
    pub fn with_created_groups(
        self,
        created: &CreatedGroups,
        key: &MemoryKey,
        open_failures: &OpenFailures,
    ) -> Self {
        let mut settling = Settling { created, key, open_failures, not_added: HashSet::new() };
        self.map_operations(|operation| settling.settle(operation))
    }
}

struct Settling<'a> {
    created: &'a CreatedGroups,
    key: &'a MemoryKey,
    open_failures: &'a OpenFailures,
    /// Students whose add turned out to be impossible; their moves come after it in the plan.
    not_added: HashSet<StudentId>,
}

impl Settling<'_> {
    fn settle(&mut self, operation: &mut Operation) {
        if !operation.is_planned() {
            return;
        }
        let Some(awaited) = operation.awaited_groups().next().cloned() else { return };
        match &operation.change {
            Change::Add(addition) => match self.created.get(&awaited) {
                Some(gid) => {
                    let group = TargetGroup::Existing(*gid);
                    operation.desired_hash =
                        desired_add(self.key, &operation.student, &group, &addition.values);
                    operation.change = Change::Add(Addition { group, ..addition.clone() });
                }
                None => {
                    self.not_added.insert(operation.student.clone());
                    self.make_impossible(operation, awaited);
                }
            },
            Change::Move(_) if self.not_added.contains(&operation.student) => {
                operation.state = OperationState::Skipped(SkipReason::Depends(OperationKind::Add));
            }
            Change::Move(group_move) => match self.possible(group_move) {
                Some(possible) => {
                    operation.desired_hash = desired_move(self.key, &operation.student, possible.wanted());
                    operation.change = Change::Move(possible);
                }
                None => self.make_impossible(operation, awaited),
            },
            Change::Adopt(_) | Change::Modify(_) | Change::Delete(_) | Change::Impossible(_) => {}
        }
    }

    /// The move without the groups that were not created, where anything is left of it.
    fn possible(&self, group_move: &GroupMove) -> Option<GroupMove> {
        let there = |groups: &BTreeSet<TargetGroup>| -> BTreeSet<TargetGroup> {
            groups.iter().filter_map(|group| self.existing(group)).map(TargetGroup::Existing).collect()
        };
        let wanted = there(group_move.wanted());
        let change = match group_move.change() {
            // Nobody is taken out of the groups they hold when there is none to put them into.
            _ if wanted.is_empty() => return None,
            GroupChange::MoveTo(group) => GroupChange::MoveTo(TargetGroup::Existing(self.existing(group)?)),
            GroupChange::Adjust { missing, surplus } => {
                GroupChange::Adjust { missing: there(missing), surplus: surplus.clone() }
            }
        };
        let is_nothing = matches!(&change, GroupChange::Adjust { missing, surplus } if missing.is_empty() && surplus.is_empty());
        (!is_nothing).then(|| group_move.with_change(change, wanted))
    }

    fn existing(&self, group: &TargetGroup) -> Option<Gid> {
        match group {
            TargetGroup::Existing(gid) => Some(*gid),
            TargetGroup::New(code) => self.created.get(code).copied(),
        }
    }

    fn make_impossible(&self, operation: &mut Operation, code: GroupCode) {
        let (kind, reason) = (operation.kind(), CannotReason::GroupWithoutGid(code));
        operation.desired_hash = desired_impossible(self.key, &operation.student, kind, &reason);
        operation.state = if self.open_failures.is_ignored(&operation.student, kind, operation.desired_hash) {
            OperationState::Skipped(SkipReason::Ignored)
        } else {
            OperationState::Cannot(reason)
        };
        operation.change = Change::Impossible(kind);
        operation.groups_left.clear();
    }
}
