//! Groups that lose too many at once, or their last member.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::Guard;
use super::tally::{Tally, whole};
use crate::exam_plan::Plan;
use crate::exam_plan::operation::{Change, Operation, OperationState};
use crate::exam_plan::reason::{Excess, HoldReason};
use crate::roster::{Gid, StudentId};

impl Guard {
    /// Groups that more people leave, of their size 24 hours ago, than one group loses in a day. Leavers count too.
    pub(super) fn hold_shrinking_groups(&self, plan: &mut Plan) {
        let shrinking = self.shrinking_groups(plan);
        if shrinking.is_empty() {
            return;
        }
        for operation in plan.operations.iter_mut().filter(|operation| self.judges(operation)) {
            let reason = groups_behind(operation).find_map(|(gid, replaced_by)| {
                let excess = *shrinking.get(&gid)?;
                Some(match replaced_by {
                    Some(now) => HoldReason::GroupReplaced { was: gid, now, excess },
                    None => HoldReason::GroupShrinks(gid, excess),
                })
            });
            if let Some(reason) = reason {
                operation.state = OperationState::Held(reason);
            }
        }
    }

    fn shrinking_groups(&self, plan: &Plan) -> BTreeMap<Gid, Excess> {
        let mut leaving: BTreeMap<Gid, HashSet<&StudentId>> = BTreeMap::new();
        for operation in plan.operations.iter().filter(|operation| self.judges(operation)) {
            for (gid, _) in groups_behind(operation) {
                leaving.entry(gid).or_default().insert(&operation.student);
            }
        }
        let excess = |(gid, people): (Gid, HashSet<&StudentId>)| {
            let there = plan.totals.group_sizes.get(&gid).copied().unwrap_or(0);
            // Who came today makes no room, and is not missed in what the group was yesterday. Where all came today, nothing
            // else is known. Of those who were deleted nobody knows when they came.
            let since_yesterday = there.saturating_sub(self.recent.count_newcomers(gid));
            let is_new = since_yesterday == 0;
            let counts = |student: &&&StudentId| is_new || !self.recent.came(gid, student);
            let people: HashSet<&StudentId> = people.iter().filter(counts).copied().collect();
            let known = people.iter().filter(|student| self.recent.has_left(gid, student)).count();
            let recent = self.recent.count_left(gid).saturating_sub(whole(known));
            let size = if is_new { there } else { since_yesterday }.saturating_add(recent);
            let excess = Tally { count: whole(people.len()), recent }.excess(self.max_group, size)?;
            Some((gid, excess))
        };
        leaving.into_iter().filter_map(excess).collect()
    }

    /// A group that would lose its last member keeps all members who are to leave it. A held move joins no
    /// other group either, so another group may then lose its last member.
    pub(super) fn hold_last_members(&self, plan: &mut Plan) {
        loop {
            let emptied = emptied_groups(plan);
            let mut found = false;
            for operation in plan.operations.iter_mut().filter(|operation| self.judges(operation)) {
                let gid = operation.groups_left.iter().find(|gid| emptied.contains(gid)).copied();
                if let Some(gid) = gid {
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

/// The groups that somebody leaves, and those that are theirs no more because the roster gives the group another gid, with
/// that one.
fn groups_behind(operation: &Operation) -> impl Iterator<Item = (Gid, Option<Gid>)> {
    let replaced = match &operation.change {
        Change::Move(group_move) => Some(group_move.replaced()),
        Change::Adopt(_) | Change::Add(_) | Change::Modify(_) | Change::Delete(_) | Change::Impossible(_) => {
            None
        }
    };
    let replaced = replaced.into_iter().flatten().map(|(was, now)| (*was, Some(*now)));
    operation.groups_left.iter().map(|gid| (*gid, None)).chain(replaced)
}

/// The groups that all are planned to leave, and that nobody is to join.
fn emptied_groups(plan: &Plan) -> BTreeSet<Gid> {
    let emptied = plan.groups_that_rest_on_joins().into_iter().filter(|(_, joins)| joins.is_empty());
    emptied.map(|(gid, _)| gid).collect()
}

impl Plan {
    /// Who would leave a group, or be put into another one in its place.
    #[must_use]
    pub fn people_out_of_groups(&self) -> Vec<&StudentId> {
        let leave = |it: &&Operation| it.is_planned() && groups_behind(it).next().is_some();
        self.operations.iter().filter(leave).map(|it| &it.student).collect()
    }

    /// The groups that as many are planned to leave as are in them, each with the operations that put somebody there, by their
    /// places: who leaves waits until one of those has happened. Of the groups of candidates that are taken over the other
    /// members are not known, so such a candidate alone never shows a last one.
    pub(in crate::exam_plan) fn groups_that_rest_on_joins(&self) -> BTreeMap<Gid, BTreeSet<usize>> {
        let mut leaving: BTreeMap<Gid, u64> = BTreeMap::new();
        let mut joined: BTreeMap<Gid, BTreeSet<usize>> = BTreeMap::new();
        let mut known: BTreeSet<Gid> = BTreeSet::new();
        let planned = self.operations.iter().enumerate().filter(|(_, operation)| operation.is_planned());
        for (at, operation) in planned {
            for gid in &operation.groups_left {
                *leaving.entry(*gid).or_default() += 1;
            }
            if !operation.change.is_take_over() {
                known.extend(&operation.groups_left);
            }
            for gid in groups_joined(operation) {
                joined.entry(gid).or_default().insert(at);
            }
        }
        let is_emptied = |(gid, count): &(Gid, u64)| {
            *count >= self.totals.group_sizes.get(gid).copied().unwrap_or(0)
                && known.contains(gid)
                && !self.totals.closed_groups.contains(gid)
        };
        let emptied = leaving.into_iter().filter(is_emptied);
        emptied.map(|(gid, _)| (gid, joined.remove(&gid).unwrap_or_default())).collect()
    }
}

pub(super) fn groups_joined(operation: &Operation) -> BTreeSet<Gid> {
    match &operation.change {
        Change::Add(addition) => addition.group.gid().into_iter().collect(),
        Change::Move(group_move) => group_move.change().groups_joined(),
        Change::Adopt(_) | Change::Modify(_) | Change::Delete(_) | Change::Impossible(_) => BTreeSet::new(),
    }
}
