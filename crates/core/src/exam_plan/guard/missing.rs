//! Leavers judged while they wait: a broken export is known when it is first read, not when the grace has ended.

use std::collections::{BTreeSet, HashMap};

use super::allowance::allowance_of_leavers;
use super::held_before::MassSizes;
use super::{Guard, tally};
use crate::exam_plan::operation::{Change, Operation, OperationState};
use crate::exam_plan::reason::{Excess, HoldReason, SkipReason};
use crate::exam_plan::renumbered::Renumbered;
use crate::exam_plan::{DesiredDismissal, MissingLeaver, Plan};
use crate::roster::{Limit, StudentId};

/// Who goes missing less than this apart may belong to one mass.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

impl Guard {
    /// Holds leavers of whom more went missing within 24 hours than `max_delete` allows, until they are back,
    /// dismissed or approved, whether their grace has ended or not. Who left at another time goes on.
    pub(super) fn hold_missing(&self, plan: &mut Plan, renumbered: Option<&Renumbered>) {
        let mut judged = self.judged_leavers(plan);
        judged.sort_by(|one, two| (one.since_ms, one.student()).cmp(&(two.since_ms, two.student())));
        let since: Vec<i64> = judged.iter().map(|leaver| leaver.since_ms).collect();
        let mut held: HashMap<StudentId, Excess> = HashMap::new();
        let mut waiting: Vec<(DesiredDismissal, Excess)> = Vec::new();
        let is_too_many = |people| self.excess_of(people, plan.totals.linked).is_some();
        for range in masses(&since, is_too_many) {
            let Some(excess) = self.excess_of(range.len(), plan.totals.linked) else { continue };
            for leaver in judged.get(range).into_iter().flatten() {
                held.insert(leaver.student().clone(), excess);
                waiting.extend(leaver.waits.then(|| (leaver.dismissal.clone(), excess)));
            }
        }
        let held_before = self.held_before(&judged, &held, &self.held_before.people(plan));
        if held.is_empty() && held_before.is_empty() {
            return;
        }
        let waiting_still = judged.iter().filter(|leaver| leaver.waits);
        let waiting_still: Vec<(DesiredDismissal, HoldReason)> = waiting_still
            .filter_map(|leaver| Some((leaver.dismissal.clone(), held_before.get(leaver.student())?.clone())))
            .collect();
        let paired = paired(plan, &held).max(renumbered.map_or(0, |renumbered| renumbered.agree));
        let reason = |excess: Excess| match paired {
            0 => HoldReason::TooManyMissing(excess),
            paired => HoldReason::TooManyMissingPaired { excess, paired },
        };
        // A mass is a mass whatever else is asked about its people: that is asked when the mass is let go.
        for operation in plan.operations.iter_mut().filter(|operation| may_go_or_is_asked_about(operation)) {
            let fresh = held.get(&operation.student).map(|excess| reason(*excess));
            let reason = fresh.or_else(|| held_before.get(&operation.student).cloned());
            if let Some(reason) = reason.filter(|_| operation.of_leaver) {
                operation.state = OperationState::Held(reason);
            }
        }
        let fresh = waiting.into_iter().map(|(dismissal, excess)| (dismissal, reason(excess)));
        let shown = fresh.chain(waiting_still).map(|(dismissal, reason)| held_dismissal(dismissal, reason));
        plan.operations.extend(shown);
        plan.sort();
    }

    /// Leavers whom nobody has decided about. What counts is what the plan would do to them; where it would do nothing yet,
    /// what was shown while they wait.
    pub(super) fn judged_leavers<'p>(&self, plan: &'p Plan) -> Vec<&'p MissingLeaver> {
        let of_leavers = plan.operations.iter().filter(|operation| operation.of_leaver);
        let mut decided: HashMap<&StudentId, bool> = HashMap::new();
        for operation in of_leavers {
            let is_ignored = matches!(operation.state, OperationState::Skipped(SkipReason::Ignored));
            let is_done_nothing = matches!(operation.change, Change::Impossible(_));
            if is_ignored || !is_done_nothing {
                decided.insert(&operation.student, is_ignored || self.approved.contains(operation));
            }
        }
        let is_judged = |leaver: &&MissingLeaver| {
            let DesiredDismissal { student, kind, desired_hash, groups: _ } = &leaver.dismissal;
            let is_decided = decided.get(student).copied();
            !is_decided.unwrap_or_else(|| self.approved.contains_key(student, *kind, *desired_hash))
        };
        plan.missing.iter().filter(is_judged).collect()
    }

    /// Those of a mass that was held before, and is none by the figures of today.
    fn held_before(
        &self,
        judged: &[&MissingLeaver],
        held: &HashMap<StudentId, Excess>,
        sizes: &MassSizes,
    ) -> HashMap<StudentId, HoldReason> {
        let others =
            judged.iter().map(|leaver| leaver.student()).filter(|student| !held.contains_key(*student));
        let before = others.filter_map(|student| {
            let mass = self.held_before.of_leaver(student)?;
            Some((student.clone(), self.still_too_much(mass, sizes)?))
        });
        before.collect()
    }

    pub(super) fn excess_of(&self, people: usize, linked: u64) -> Option<Excess> {
        excess_of(self.max_delete, people, linked)
    }
}

/// Whether so many leavers within 24 hours are more than this limit allows beside so many linked students.
#[must_use]
pub fn is_mass(max_delete: Limit, people: usize, linked: u64) -> bool {
    excess_of(max_delete, people, linked).is_some()
}

fn excess_of(max_delete: Limit, people: usize, linked: u64) -> Option<Excess> {
    let count = tally::whole(people);
    let total = linked.saturating_add(count);
    let limit = allowance_of_leavers(max_delete, count, total);
    (count > limit).then_some(Excess { count, recent: 0, total, limit })
}

/// The stretches of these moments (ascending) in which too many lie within 24 hours.
pub fn masses(since: &[i64], is_too_many: impl Fn(usize) -> bool) -> Vec<std::ops::Range<usize>> {
    let mut stretches: Vec<std::ops::Range<usize>> = Vec::new();
    let mut end = 0;
    for (start, first) in since.iter().enumerate() {
        while since.get(end).is_some_and(|last| last.saturating_sub(*first) < DAY_MS) {
            end += 1;
        }
        if !is_too_many(end - start) {
            continue;
        }
        match stretches.last_mut() {
            Some(last) if last.end >= start => last.end = end,
            _ => stretches.push(start..end),
        }
    }
    stretches
}

/// Where the most of these moments (ascending) lie within 24 hours.
#[must_use]
pub fn largest_stretch(since: &[i64]) -> std::ops::Range<usize> {
    let (mut largest, mut end) = (0..0, 0);
    for (start, first) in since.iter().enumerate() {
        while since.get(end).is_some_and(|last| last.saturating_sub(*first) < DAY_MS) {
            end += 1;
        }
        if end - start > largest.len() {
            largest = start..end;
        }
    }
    largest
}

/// Whether nothing but a limit or a hold about single people keeps an operation from going ahead.
fn may_go_or_is_asked_about(operation: &Operation) -> bool {
    match &operation.state {
        OperationState::Planned => true,
        OperationState::Held(reason) => !reason.is_limit(),
        OperationState::Skipped(_) | OperationState::Cannot(_) => false,
    }
}

/// How many of these leavers are probably on the roster under another id.
fn paired(plan: &Plan, held: &HashMap<StudentId, Excess>) -> u64 {
    let is_paired = |operation: &&Operation| match &operation.state {
        OperationState::Held(HoldReason::SamePerson(doubt)) => {
            operation.of_leaver && doubt.suggests_a_pair() && held.contains_key(&operation.student)
        }
        OperationState::Planned
        | OperationState::Held(_)
        | OperationState::Skipped(_)
        | OperationState::Cannot(_) => false,
    };
    tally::whole(plan.operations.iter().filter(is_paired).count())
}

/// A dismissal that is only shown: it is not known yet how it is done, or there is nothing left to do it to.
pub(super) fn held_dismissal(dismissal: DesiredDismissal, reason: HoldReason) -> Operation {
    let DesiredDismissal { student, kind, desired_hash, groups } = dismissal;
    Operation {
        student,
        change: Change::Impossible(kind),
        state: OperationState::Held(reason),
        desired_hash,
        of_leaver: true,
        groups_left: BTreeSet::new(),
        groups,
    }
}
