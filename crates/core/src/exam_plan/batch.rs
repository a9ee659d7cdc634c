//! Guarded operations into calls, within the limits of the service and in the order they need.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::answer::GroupAction;
use super::group_change::{GroupChange, TargetGroup};
use super::guard::GuardedPlan;
use super::kind::OperationKind;
use super::operation::{Change, Operation};
use crate::roster::{Gid, StudentId};

/// The kind of a write call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Change values.
    Change,
    /// Set a login value that two or more candidates pass around to a temporary one.
    GiveWay,
    /// Enter candidates.
    Add,
    /// Change groups.
    Group(GroupAction, Vec<Gid>),
    /// Delete candidates.
    Delete,
}

/// One call and the operations it carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The kind of the call.
    pub call: Call,
    /// The operations, by their position in the plan; none twice.
    pub operations: Vec<usize>,
}

/// Batches that may be sent in any order among themselves; the next stage waits for all of them.
pub type Wave = Vec<Batch>;

impl GuardedPlan {
    /// The calls that carry the plan out, at most `batch_size` operations each.
    #[must_use]
    pub fn waves(&self, batch_size: usize) -> Vec<Wave> {
        let size = batch_size.max(1);
        let mut waves = modify_waves(self, size);
        waves.push(chunked(&Call::Add, &planned(self, OperationKind::Add), size));
        waves.extend(group_waves(self, size));
        waves.push(chunked(&Call::Delete, &planned(self, OperationKind::Delete), size));
        waves.retain(|wave| !wave.is_empty());
        waves
    }

    /// The groups of which the last members leave because others come, each with the operations that put those there, by their
    /// position in the plan.
    #[must_use]
    pub fn last_members_leave(&self) -> BTreeMap<Gid, BTreeSet<usize>> {
        let mut rests = self.groups_that_rest_on_joins();
        rests.retain(|_, joins| !joins.is_empty());
        rests
    }
}

fn planned(plan: &GuardedPlan, kind: OperationKind) -> Vec<usize> {
    planned_operations(plan).filter(|(_, operation)| operation.kind() == kind).map(|(at, _)| at).collect()
}

fn planned_operations(plan: &GuardedPlan) -> impl Iterator<Item = (usize, &Operation)> {
    // What waits for a group has no call yet: the calls are asked for once the plan's groups are created.
    let is_ready =
        |operation: &Operation| operation.is_planned() && operation.awaited_groups().next().is_none();
    plan.operations.iter().enumerate().filter(move |(_, operation)| is_ready(operation))
}

fn chunked(call: &Call, operations: &[usize], size: usize) -> Wave {
    operations.chunks(size).map(|chunk| Batch { call: call.clone(), operations: chunk.to_vec() }).collect()
}

/// A rename that frees a login value goes before the rename that takes it. A circle is opened by a temporary
/// value.
fn modify_waves(plan: &GuardedPlan, size: usize) -> Vec<Wave> {
    let modifies = planned(plan, OperationKind::Modify);
    let renames: HashMap<&StudentId, usize> = modifies
        .iter()
        .filter_map(|at| {
            let operation = plan.operations.get(*at)?;
            operation.change.login().map(|_| (&operation.student, *at))
        })
        .collect();
    let waits_for = |at: usize| -> Option<usize> {
        let owner = plan.operations.get(at)?.change.login()?.held_by.as_ref()?;
        renames.get(owner).copied().filter(|other| *other != at)
    };
    let giving_way = circle_openers(&modifies, &waits_for);
    let mut ranked: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for at in &modifies {
        let rank = rank(*at, &waits_for, &giving_way);
        ranked.entry(rank).or_default().push(*at);
    }
    let first = chunked(&Call::GiveWay, &Vec::from_iter(giving_way.iter().copied()), size);
    let rest = ranked.into_values().map(|operations| chunked(&Call::Change, &operations, size));
    std::iter::once(first).chain(rest).collect()
}

/// One operation of each circle of renames: the first one in plan order.
fn circle_openers(modifies: &[usize], waits_for: &impl Fn(usize) -> Option<usize>) -> BTreeSet<usize> {
    let mut openers = BTreeSet::new();
    let mut settled = BTreeSet::new();
    for start in modifies {
        let mut path = Vec::new();
        let mut at = Some(*start);
        while let Some(step) = at {
            if let Some(entry) = path.iter().position(|seen| *seen == step) {
                openers.extend(path.iter().skip(entry).min().copied());
                break;
            }
            if !settled.insert(step) {
                break;
            }
            path.push(step);
            at = waits_for(step);
        }
    }
    openers
}

/// The number of renames that must be finished before this one.
fn rank(start: usize, waits_for: &impl Fn(usize) -> Option<usize>, giving_way: &BTreeSet<usize>) -> usize {
    let mut rank = 0;
    let mut at = start;
    while let Some(next) = waits_for(at) {
        if giving_way.contains(&next) {
            break;
        }
        rank += 1;
        at = next;
    }
    rank
}

/// `moveto` by group; then into the missing groups, and only then out of the surplus ones. Out of a group whose last members
/// leave goes nobody before others have come there.
fn group_waves(plan: &GuardedPlan, size: usize) -> Vec<Wave> {
    let turns = MoveTurns::of(plan);
    let mut move_to: BTreeMap<(usize, Gid), Vec<usize>> = BTreeMap::new();
    let mut missing_sets: Vec<(usize, BTreeSet<Gid>)> = Vec::new();
    let mut surplus_sets: Vec<(usize, BTreeSet<Gid>)> = Vec::new();
    for (at, operation) in planned_operations(plan) {
        let Change::Move(group_move) = &operation.change else { continue };
        match group_move.change() {
            GroupChange::MoveTo(target) => {
                let turn = turns.of_operation(operation);
                target.gid().into_iter().for_each(|gid| move_to.entry((turn, gid)).or_default().push(at));
            }
            GroupChange::Adjust { missing, surplus } => {
                let missing: BTreeSet<Gid> = missing.iter().filter_map(TargetGroup::gid).collect();
                if !missing.is_empty() {
                    missing_sets.push((at, missing));
                }
                if !surplus.is_empty() {
                    surplus_sets.push((at, surplus.clone()));
                }
            }
        }
    }
    let mut by_turn: BTreeMap<usize, Wave> = BTreeMap::new();
    for ((turn, gid), members) in move_to {
        let wave = by_turn.entry(turn).or_default();
        wave.extend(chunked(&Call::Group(GroupAction::MoveTo, vec![gid]), &members, size));
    }
    let first = by_turn.remove(&0).unwrap_or_default();
    let into = fewest_calls(GroupAction::AddTo, &missing_sets, size);
    let out_of = fewest_calls(GroupAction::DeleteFrom, &surplus_sets, size);
    [first, into].into_iter().chain(by_turn.into_values()).chain([out_of]).collect()
}

/// In which turn `moveto` takes the last members out of a group: after those who come there.
struct MoveTurns(BTreeMap<Gid, usize>);

impl MoveTurns {
    fn of(plan: &GuardedPlan) -> Self {
        let rests = plan.last_members_leave();
        let mut turns = BTreeMap::new();
        for gid in rests.keys() {
            turn_of(plan, &rests, *gid, &mut turns);
        }
        Self(turns)
    }

    fn of_operation(&self, operation: &Operation) -> usize {
        operation.groups_left.iter().filter_map(|gid| self.0.get(gid)).copied().max().unwrap_or(0)
    }
}

/// Groups that exchange their members are a circle: it is opened where it is met.
fn turn_of(
    plan: &GuardedPlan,
    rests: &BTreeMap<Gid, BTreeSet<usize>>,
    gid: Gid,
    turns: &mut BTreeMap<Gid, usize>,
) -> usize {
    if let Some(turn) = turns.get(&gid) {
        return *turn;
    }
    turns.insert(gid, 0);
    let mut turn = 0;
    let joins = rests.get(&gid).into_iter().flatten().filter_map(|at| plan.operations.get(*at));
    for join in joins {
        let Change::Move(group_move) = &join.change else { continue };
        let before = match group_move.change() {
            GroupChange::MoveTo(_) => {
                let left = join.groups_left.iter().filter(|left| rests.contains_key(left));
                left.map(|left| turn_of(plan, rests, *left, turns)).max().unwrap_or(0)
            }
            GroupChange::Adjust { .. } => 0,
        };
        turn = turn.max(before + 1);
    }
    turns.insert(gid, turn);
    turn
}

/// One call carries one set of groups for many candidates. Either candidates with equal sets share calls, or
/// each group has its own call; the smaller number of calls wins.
fn fewest_calls(action: GroupAction, sets: &[(usize, BTreeSet<Gid>)], size: usize) -> Wave {
    let mut by_set: BTreeMap<&BTreeSet<Gid>, Vec<usize>> = BTreeMap::new();
    let mut by_group: BTreeMap<Gid, Vec<usize>> = BTreeMap::new();
    for (at, set) in sets {
        by_set.entry(set).or_default().push(*at);
        for gid in set {
            by_group.entry(*gid).or_default().push(*at);
        }
    }
    let calls = |members: &Vec<usize>| members.len().div_ceil(size);
    let shared: usize = by_set.values().map(calls).sum();
    let separate: usize = by_group.values().map(calls).sum();
    if shared <= separate {
        let call = |set: &BTreeSet<Gid>| Call::Group(action, set.iter().copied().collect());
        by_set.into_iter().flat_map(|(set, members)| chunked(&call(set), &members, size)).collect()
    } else {
        by_group
            .into_iter()
            .flat_map(|(gid, members)| chunked(&Call::Group(action, vec![gid]), &members, size))
            .collect()
    }
}
