//! The check between plan and apply: holds operations above the limits and lets the rest go on.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::Plan;
use super::approved::Approved;
use super::decide::block_dependent_renames;
use super::group_creation::GroupCreation;
use super::kind::OperationKind;
use super::link::LinkNote;
use super::operation::{Change, Operation, OperationState};
use super::reason::{HoldReason, SkipReason};
use crate::roster::Limit;
use crate::roster::{Gid, GroupCode, StudentId};

/// The guard's limits and approvals.
#[derive(Clone, Debug)]
pub struct Guard {
    /// Deletes a run, and in 24 hours.
    pub max_delete: Limit,
    /// Modifies a run.
    pub max_modify: Limit,
    /// Deletes (and moves of leavers) of the last 24 hours, approved ones not counted.
    pub recent_deletes: u64,
    /// Operations that a person let go ahead.
    pub approved: Approved,
}

/// A plan that the guard has been through. Only this can be applied.
#[derive(Debug)]
pub struct GuardedPlan(Plan);

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
    pub(super) fn map_operations(self, change: impl FnMut(&mut Operation)) -> Self {
        let Self(mut plan) = self;
        plan.operations.iter_mut().for_each(change);
        Self(plan)
    }
}

/// New groups in one plan, of the roster's groups; more look like a roster that lost its gids.
const MOST_NEW_GROUPS_PERCENT: f64 = 50.0;

/// So many new groups are never too many.
const LEAST_GROUP_LIMIT: u64 = 5;

/// Enough groups to recognise what is held.
const GROUPS_NAMED: usize = 3;

impl std::ops::Deref for GuardedPlan {
    type Target = Plan;

    fn deref(&self) -> &Plan {
        &self.0
    }
}

/// The number of operations that a limit allows for `total`.
#[must_use]
pub fn allowance(limit: Limit, total: u64) -> u64 {
    let share = |percent: u64| total.saturating_mul(percent).div_ceil(100);
    match limit {
        Limit::Count(count) => count,
        Limit::Percent(percent) => percent_of(percent, total),
        Limit::Auto if total <= 100 => share(20).max(5),
        Limit::Auto if total <= 1000 => share(10).max(5),
        Limit::Auto => share(5).max(5),
    }
}

/// A percentage with up to two decimals, rounded up to a whole candidate.
fn percent_of(percent: f64, total: u64) -> u64 {
    let hundredths = (percent.clamp(0.0, 100.0) * 100.0).round();
    let hundredths = (0_u64..=10_000).find(|whole| (*whole as f64) >= hundredths).unwrap_or(10_000);
    total.saturating_mul(hundredths).div_ceil(10_000)
}

impl Guard {
    /// Holds what is too much.
    #[must_use]
    pub fn judge(&self, mut plan: Plan) -> GuardedPlan {
        self.hold_creations(&mut plan);
        self.hold_deletes(&mut plan);
        self.hold_vanished(&mut plan);
        self.hold_login_changes(&mut plan);
        self.hold_modifies(&mut plan);
        skip_without_group(&mut plan);
        skip_followers(&mut plan.operations);
        block_dependent_renames(&mut plan.operations);
        self.hold_last_members(&mut plan);
        skip_groups_of_held(&mut plan);
        GuardedPlan(plan)
    }

    fn unapproved<'p>(
        &'p self,
        plan: &'p Plan,
        concerns: impl Fn(&Operation) -> bool + 'p,
    ) -> impl Iterator<Item = &'p Operation> + 'p {
        plan.operations.iter().filter(move |operation| {
            operation.is_planned() && concerns(operation) && !self.approved.contains(operation)
        })
    }

    fn hold(&self, plan: &mut Plan, reason: &HoldReason, concerns: impl Fn(&Operation) -> bool) {
        for operation in &mut plan.operations {
            if operation.is_planned() && concerns(operation) && !self.approved.contains(operation) {
                operation.state = OperationState::Held(reason.clone());
            }
        }
    }

    /// More new groups than max(5, half of the roster's groups).
    fn hold_creations(&self, plan: &mut Plan) {
        let total = plan.totals.groups;
        let limit = percent_of(MOST_NEW_GROUPS_PERCENT, total).max(LEAST_GROUP_LIMIT);
        let counts = |it: &GroupCreation| it.is_planned() && !self.approved.contains_group(it);
        // The roster counts codes, so what is set against it does too: one title may stand for several.
        let count = plan.creations.iter().filter(|creation| counts(creation));
        let count = u64::try_from(count.flat_map(GroupCreation::codes).count()).unwrap_or(u64::MAX);
        if count > limit {
            for creation in plan.creations.iter_mut().filter(|creation| counts(creation)) {
                creation.state = OperationState::Held(HoldReason::TooManyGroups { count, total, limit });
            }
        }
    }

    fn hold_deletes(&self, plan: &mut Plan) {
        let total = plan.totals.managed;
        let limit = allowance(self.max_delete, total);
        let count = count(self.unapproved(plan, takes_from_leaver));
        if count > 0 && count.saturating_add(self.recent_deletes) > limit {
            let reason = HoldReason::TooManyDeletes { count, recent: self.recent_deletes, total, limit };
            self.hold(plan, &reason, takes_from_leaver);
        }
    }

    fn hold_vanished(&self, plan: &mut Plan) {
        let total = plan.totals.managed;
        let limit = allowance(self.max_delete, total);
        let lost = plan.notes.iter().filter(|note| matches!(note, LinkNote::Lost(_))).count();
        let lost = u64::try_from(lost).unwrap_or(u64::MAX);
        let count = count(self.unapproved(plan, enters_again)).saturating_add(lost);
        if count > limit {
            self.hold(plan, &HoldReason::TooManyVanished { count, total, limit }, enters_again);
            // With another account's code every candidate looks gone, so that alone never closes a link.
            plan.notes.retain(|note| !matches!(note, LinkNote::Lost(_) | LinkNote::Close(_)));
        }
    }

    /// Login values changing for more than max(5, 5 %): a mapping mistake looks like that.
    fn hold_login_changes(&self, plan: &mut Plan) {
        let total = plan.totals.managed;
        let limit = percent_of(5.0, total).max(5);
        let changes_login = |operation: &Operation| operation.change.login().is_some();
        let count = count(self.unapproved(plan, changes_login));
        if count > limit {
            self.hold(plan, &HoldReason::TooManyLoginChanges { count, total, limit }, changes_login);
        }
    }

    fn hold_modifies(&self, plan: &mut Plan) {
        let total = plan.totals.managed;
        let limit = allowance(self.max_modify, total);
        let adopted: HashSet<StudentId> = plan
            .operations
            .iter()
            .filter(|operation| operation.kind() == OperationKind::Adopt)
            .map(|operation| operation.student.clone())
            .collect();
        // Bringing a candidate in line that is being taken over is part of the take-over, and what was let
        // through when it was written first is not new when it is sent once more.
        let modifies = |operation: &Operation| match &operation.change {
            Change::Modify(modification) => !modification.again && !adopted.contains(&operation.student),
            Change::Impossible(OperationKind::Modify) => !adopted.contains(&operation.student),
            Change::Impossible(_)
            | Change::Adopt(_)
            | Change::Add(_)
            | Change::Move(_)
            | Change::Delete(_) => false,
        };
        let count = count(self.unapproved(plan, modifies));
        if count > limit {
            self.hold(plan, &HoldReason::TooManyModifies { count, total, limit }, modifies);
        }
    }

    /// A group that would lose its last member keeps all members who are to leave it. A held move joins no
    /// other group either, so another group may then lose its last member.
    fn hold_last_members(&self, plan: &mut Plan) {
        loop {
            let emptied = emptied_groups(plan);
            let mut found = false;
            for operation in &mut plan.operations {
                let gid = operation.groups_left.iter().find(|gid| emptied.contains(gid)).copied();
                if let Some(gid) = gid
                    && operation.is_planned()
                    && !self.approved.contains(operation)
                {
                    operation.state = OperationState::Held(HoldReason::GroupToZero(gid));
                    found = true;
                }
            }
            if !found {
                return;
            }
        }
    }
}

/// The groups that more are planned to leave than stay or join.
fn emptied_groups(plan: &Plan) -> BTreeSet<Gid> {
    let mut leaving: BTreeMap<Gid, u64> = BTreeMap::new();
    let mut joined: BTreeSet<Gid> = BTreeSet::new();
    for operation in plan.operations.iter().filter(|operation| operation.is_planned()) {
        for gid in &operation.groups_left {
            *leaving.entry(*gid).or_default() += 1;
        }
        joined.extend(groups_joined(operation));
    }
    leaving
        .into_iter()
        .filter(|(gid, count)| {
            *count >= plan.totals.group_sizes.get(gid).copied().unwrap_or(0) && !joined.contains(gid)
        })
        .map(|(gid, _)| gid)
        .collect()
}

fn count<'p>(operations: impl Iterator<Item = &'p Operation>) -> u64 {
    u64::try_from(operations.count()).unwrap_or(u64::MAX)
}

fn takes_from_leaver(operation: &Operation) -> bool {
    operation.of_leaver || operation.kind() == OperationKind::Delete
}

/// Whether this replaces a linked candidate that no longer exists.
fn enters_again(operation: &Operation) -> bool {
    match &operation.change {
        Change::Add(addition) => addition.replaces.is_some(),
        Change::Adopt(adoption) => adoption.replaces.is_some(),
        Change::Modify(_) | Change::Move(_) | Change::Delete(_) | Change::Impossible(_) => false,
    }
}

fn groups_joined(operation: &Operation) -> BTreeSet<Gid> {
    match &operation.change {
        Change::Add(addition) => addition.group.gid().into_iter().collect(),
        Change::Move(group_move) => group_move.change().groups_joined(),
        Change::Adopt(_) | Change::Modify(_) | Change::Delete(_) | Change::Impossible(_) => BTreeSet::new(),
    }
}

/// Skips the operations that put a student into a group that is not created now.
fn skip_without_group(plan: &mut Plan) {
    let planned = plan.creations.iter().filter(|creation| creation.is_planned());
    let created: BTreeSet<&GroupCode> = planned.map(|creation| &creation.code).collect();
    for operation in plan.operations.iter_mut().filter(|operation| operation.is_planned()) {
        if operation.awaited_groups().any(|code| !created.contains(code)) {
            operation.state = OperationState::Skipped(SkipReason::Depends(OperationKind::CreateGroup));
        }
    }
}

/// Skips the creation of a group while all operations that put students into it are held, or wait for a held one.
fn skip_groups_of_held(plan: &mut Plan) {
    let (mut held, mut filled) = (BTreeSet::new(), BTreeSet::new());
    for operation in &plan.operations {
        let groups = operation.awaited_groups().cloned();
        match operation.state {
            OperationState::Planned => filled.extend(groups),
            OperationState::Held(_) | OperationState::Skipped(SkipReason::Depends(_)) => held.extend(groups),
            OperationState::Skipped(_) | OperationState::Cannot(_) => {}
        }
    }
    for creation in plan.creations.iter_mut().filter(|creation| creation.is_planned()) {
        if held.contains(&creation.code) && !filled.contains(&creation.code) {
            creation.state = OperationState::Skipped(SkipReason::Depends(OperationKind::Add));
        }
    }
}

/// Skips the operations that depend on a held add or adoption.
fn skip_followers(operations: &mut [Operation]) {
    let waiting: HashMap<StudentId, OperationKind> = operations
        .iter()
        .filter(|operation| !operation.is_planned())
        .filter(|operation| matches!(operation.kind(), OperationKind::Add | OperationKind::Adopt))
        .map(|operation| (operation.student.clone(), operation.kind()))
        .collect();
    for operation in operations.iter_mut().filter(|operation| operation.is_planned()) {
        if let Some(kind) = waiting.get(&operation.student) {
            operation.state = OperationState::Skipped(SkipReason::Depends(*kind));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_automatic_limit_grows_with_the_number_of_managed_candidates() {
        let table = [(0, 5), (10, 5), (25, 5), (26, 6), (100, 20), (101, 11), (1000, 100), (1001, 51)];
        for (managed, allowed) in table {
            assert_eq!(allowance(Limit::Auto, managed), allowed, "of {managed}");
        }
    }

    #[test]
    fn a_percentage_is_rounded_up_to_a_whole_candidate() {
        assert_eq!(allowance(Limit::Percent(30.0), 3), 1);
        assert_eq!(allowance(Limit::Percent(8.0), 100), 8);
        assert_eq!(allowance(Limit::Percent(0.0), 100), 0);
        assert_eq!(allowance(Limit::Percent(0.5), 1000), 5);
    }

    #[test]
    fn a_count_is_a_count() {
        assert_eq!(allowance(Limit::Count(12), 1_000_000), 12);
    }
}
