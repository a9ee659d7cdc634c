//! A plan that the guard has been through.

use std::collections::{BTreeMap, BTreeSet};

use crate::counted::counted_len;
use crate::exam_plan::Plan;
use crate::exam_plan::hold::{HeldOperation, Hold};
use crate::exam_plan::hold_word::HoldWord;
use crate::exam_plan::operation::{Operation, OperationState};
use crate::exam_plan::reason::{HoldReason, RELINK_SUGGESTED};
use crate::failure::{OperationKey, Service};
use crate::roster::{Gid, StudentId};

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

    /// Each reason to hold once with what is held for it; those about single people once for each word.
    #[must_use]
    pub fn held(&self) -> Vec<Hold> {
        let mut holds: BTreeMap<String, (Hold, bool)> = BTreeMap::new();
        let mut hold = |reason: &HoldReason, operation: HeldOperation| {
            let name = reason.word().map_or_else(|| reason.to_string(), |word| word.to_string());
            let (hold, paired) = holds.entry(name).or_insert_with(|| (empty_hold(reason), false));
            *paired |= matches!(reason, HoldReason::SamePerson(doubt) if doubt.suggests_a_pair());
            hold.operations.push(operation);
        };
        for creation in &self.0.creations {
            if let OperationState::Held(reason) = &creation.state {
                let key = OperationKey::of_group(&creation.code);
                let desired_hash = creation.desired_hash;
                hold(reason, HeldOperation { key, desired_hash, of_leaver: false, named: reason.named() });
            }
        }
        for operation in &self.0.operations {
            if let OperationState::Held(reason) = &operation.state {
                let key = operation.key();
                let (desired_hash, of_leaver) = (operation.desired_hash, operation.of_leaver);
                hold(reason, HeldOperation { key, desired_hash, of_leaver, named: reason.named() });
            }
        }
        holds.into_values().map(|(hold, paired)| named_together(hold, paired)).collect()
    }

    /// The same plan with its operations changed, for what becomes known after the guard.
    pub(in crate::exam_plan) fn map_operations(self, change: impl FnMut(&mut Operation)) -> Self {
        let Self(mut plan) = self;
        plan.operations.iter_mut().for_each(change);
        Self(plan)
    }
}

fn empty_hold(reason: &HoldReason) -> Hold {
    let (count, limit) = reason.figures().unzip();
    Hold {
        service: Service::Exam,
        reason: reason.code(),
        word: reason.word(),
        message: reason.to_string(),
        count,
        limit,
        mass: reason.mass(),
        operations: Vec::new(),
    }
}

/// A hold about single people counts them; only one of them alone keeps the sentence about that one.
pub(crate) fn named_together(hold: Hold, paired: bool) -> Hold {
    let Some(word) = hold.word else { return hold };
    let people: BTreeSet<&StudentId> =
        hold.operations.iter().map(|operation| &operation.key.student).collect();
    let count = people.len();
    let message = match count {
        1 => hold.naming_digest(&hold.message),
        _ => about_several(word, count, paired),
    };
    Hold { message, count: u64::try_from(count).ok(), ..hold }
}

fn about_several(word: HoldWord, count: usize, paired: bool) -> String {
    let what = match word {
        HoldWord::SamePerson if paired => {
            return format!(
                "{count} students may be one person under two ids, or two under one: {RELINK_SUGGESTED} shows the pairs, \
                 and --yes carries them over; rosterd failures names each"
            );
        }
        HoldWord::SamePerson => "may be one person where it looks like two, or the other way round",
        HoldWord::ForeignGroup => "have left, and are also in groups that never stood on the roster",
        HoldWord::Adoption => "have candidates with their login values of which nothing else agrees",
        HoldWord::UnreadableIds => "may be meant by rows whose ids cannot be read",
        HoldWord::SharedContact => "share contacts or accounts with too many others",
    };
    format!("{} {what}: rosterd failures names each and says what to do", counted_len(count, "student"))
}

/// Enough groups to recognise what is held.
const GROUPS_NAMED: usize = 3;

impl std::ops::Deref for GuardedPlan {
    type Target = Plan;

    fn deref(&self) -> &Plan {
        &self.0
    }
}
