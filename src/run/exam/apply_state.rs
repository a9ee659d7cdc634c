//! How far a plan is carried out: how each operation ended, and what that means for the calls to come.

use std::collections::{HashMap, HashSet};

use super::send::{Outcome, SendResult};
use super::skip_exit;
use crate::exit::Exit;
use crate::run::report::{OutcomeKind, ServiceReport};
use crate::store::StoreError;
use rosterd_core::exam_plan::{Call, Change, GuardedPlan, Operation, OperationState, SkipReason, Wave};
use rosterd_core::failure::FailureCode;
use rosterd_core::roster::{Gid, Sid, StudentId};

/// How an operation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum OperationOutcome {
    Applied,
    Failed,
    Unknown,
    Held,
    Skipped(SkipReason),
}

/// After so many calls in a row that the service itself failed, it is not called any more in this run.
const BREAKER: u32 = 3;

/// After so many adds in a row that were refused, the next one goes alone, to see whether the account is
/// full. Fewer may simply be bad rows.
const SUSPICIOUS_REFUSALS: usize = 5;

/// What changes while batches are under way.
#[derive(Default)]
pub(super) struct ApplyState {
    /// One for each operation of the plan.
    outcomes: Vec<Option<OperationOutcome>>,
    /// Calls that an operation still needs; it is applied when all of them were.
    calls_left: Vec<usize>,
    /// Sids that adds have brought.
    sids: HashMap<StudentId, Sid>,
    batches: u64,
    failures_in_a_row: u32,
    /// Adds in a row that were refused: which operations.
    refused_adds: Vec<usize>,
    stopped: Option<(Exit, String)>,
    full: bool,
    broken: Option<StoreError>,
}

impl ApplyState {
    pub(super) fn new(plan: &GuardedPlan, waves: &[Wave]) -> Self {
        let mut calls_left = vec![0; plan.operations.len()];
        for batch in waves.iter().flatten().filter(|batch| batch.call != Call::GiveWay) {
            for at in &batch.operations {
                if let Some(count) = calls_left.get_mut(*at) {
                    *count += 1;
                }
            }
        }
        let ends = plan.operations.iter().map(|operation| first_outcome(&operation.state)).collect();
        Self { outcomes: ends, calls_left, ..Self::default() }
    }

    pub(super) fn end(&mut self, at: usize, end: OperationOutcome) {
        if let Some(slot) = self.outcomes.get_mut(at) {
            *slot = Some(end);
        }
    }

    /// The same, where the operation has not ended otherwise.
    pub(super) fn end_open(&mut self, at: usize, end: &OperationOutcome) {
        if let Some(slot) = self.outcomes.get_mut(at) {
            slot.get_or_insert_with(|| end.clone());
        }
    }

    pub(super) fn is_open(&self, at: usize) -> bool {
        self.outcomes.get(at).is_some_and(Option::is_none)
    }

    pub(super) fn outcome(&self, at: usize) -> Option<&OperationOutcome> {
        self.outcomes.get(at)?.as_ref()
    }

    pub(super) fn sid(&self, student: &StudentId) -> Option<Sid> {
        self.sids.get(student).copied()
    }

    /// Notes one more applied call of an operation; says how many it still needs.
    pub(super) fn call_applied(&mut self, at: usize, student: &StudentId, sid: Option<Sid>) -> usize {
        if let Some(sid) = sid {
            self.sids.insert(student.clone(), sid);
        }
        let Some(left) = self.calls_left.get_mut(at) else { return 0 };
        *left = left.saturating_sub(1);
        *left
    }

    pub(super) fn next_batch(&mut self) -> u64 {
        self.batches += 1;
        self.batches
    }

    /// Our own database failed: what cannot be written down is not sent.
    pub(super) fn break_off(&mut self, error: StoreError) {
        self.broken.get_or_insert(error);
    }

    /// Whether a batch of adds is to begin with a single one.
    pub(super) fn suspects_full(&self) -> bool {
        self.refused_adds.len() >= SUSPICIOUS_REFUSALS
    }

    /// Why no further call of this kind is made; `None` when it is.
    pub(super) fn skip_reason(&self, call: &Call, told_to_stop: bool) -> Option<SkipReason> {
        if self.stopped.is_some() || self.broken.is_some() {
            Some(SkipReason::ServiceStopped)
        } else if told_to_stop {
            Some(SkipReason::Terminated)
        } else if self.full && *call == Call::Add {
            Some(SkipReason::AccountFull)
        } else {
            None
        }
    }

    /// The circuit breaker, and whether the account seems to be full.
    pub(super) fn note_service(&mut self, call: &Call, positions: &[usize], sent: &SendResult) {
        self.failures_in_a_row = if sent.service_failed { self.failures_in_a_row + 1 } else { 0 };
        if let Some(stop) = &sent.stop {
            self.stopped.get_or_insert(stop.clone());
        } else if self.failures_in_a_row >= BREAKER {
            let message =
                format!("{BREAKER} calls in a row failed: the service is not called any more in this run");
            self.stopped.get_or_insert((Exit::Temporary, message));
        }
        if *call != Call::Add {
            return;
        }
        let is_refused =
            |end: &Outcome| matches!(end, Outcome::Failed(cause) if cause.code == FailureCode::Refused);
        if sent.outcomes.iter().all(is_refused) {
            self.full = self.full || (self.suspects_full() && sent.outcomes.len() == 1);
            self.refused_adds.extend(positions);
        } else {
            // An account that fills up in the midst of a call takes the first ones of it.
            let refused = sent.outcomes.iter().rev().take_while(|end| is_refused(end)).count();
            self.refused_adds = positions.iter().rev().take(refused).copied().collect();
        }
    }

    /// Whether the last adds were refused because the account is full, where no further one was there to try: they
    /// go into groups that candidates of ours are in, so it is not the group.
    pub(super) fn close_adds(&mut self, plan: &GuardedPlan) {
        let gid = |operation: &Operation| match &operation.change {
            Change::Add(addition) => Some(addition.gid),
            Change::Adopt(_)
            | Change::Modify(_)
            | Change::Move(_)
            | Change::Delete(_)
            | Change::Impossible(_) => None,
        };
        let applied = plan.operations.iter().enumerate();
        let applied = applied.filter(|(at, _)| self.outcome(*at) == Some(&OperationOutcome::Applied));
        let mut good: HashSet<Gid> = applied.filter_map(|(_, operation)| gid(operation)).collect();
        good.extend(plan.totals.group_sizes.iter().filter(|(_, size)| **size > 0).map(|(gid, _)| *gid));
        let is_in_good_group =
            |at: &usize| plan.operations.get(*at).and_then(gid).is_some_and(|gid| good.contains(&gid));
        self.full = self.full || (self.suspects_full() && self.refused_adds.iter().all(is_in_good_group));
    }

    /// The adds for which the account has no room: refused, or not even tried.
    pub(super) fn without_room(&self) -> Vec<usize> {
        if !self.full {
            return Vec::new();
        }
        let untried = self.outcomes.iter().enumerate();
        let untried = untried
            .filter(|(_, end)| matches!(end, Some(OperationOutcome::Skipped(SkipReason::AccountFull))));
        untried.map(|(at, _)| at).chain(self.refused_adds.iter().copied()).collect()
    }

    /// Those of them that were tried.
    pub(super) fn refused_for_lack_of_room(&self) -> &[usize] {
        if self.full { &self.refused_adds } else { &[] }
    }

    /// Counts every operation once, and draws the exit code.
    pub(super) fn count(&self, plan: &GuardedPlan, report: &mut ServiceReport) {
        let unsent = OperationOutcome::Skipped(SkipReason::ServiceStopped);
        for (at, operation) in plan.operations.iter().enumerate() {
            let end = self.outcome(at).unwrap_or(&unsent);
            let counted = match end {
                OperationOutcome::Applied => OutcomeKind::Applied,
                OperationOutcome::Failed => OutcomeKind::Failed,
                OperationOutcome::Unknown => OutcomeKind::Unknown,
                OperationOutcome::Held => OutcomeKind::Held,
                OperationOutcome::Skipped(reason) => {
                    report.exit = report.exit.worst(skip_exit(reason));
                    OutcomeKind::Skipped
                }
            };
            report.count(operation.kind().as_str(), counted);
            if *end == OperationOutcome::Applied {
                report.notes.extend(left_behind(operation));
            }
        }
        if let Some((exit, message)) = &self.stopped {
            report.fail(*exit, format!("exam: {message}"));
        }
        if self.full {
            report.fail(
                Exit::Incomplete,
                format!(
                    "exam: the account seems to have reached its candidate number limit: {} more candidates are \
                     needed; no more are added until it is raised, everything else goes on",
                    self.without_room().len()
                ),
            );
        }
    }

    /// What broke off the work.
    pub(super) fn into_broken(self) -> Option<StoreError> {
        self.broken
    }
}

/// What a student with a new candidate leaves behind at an older one.
pub(super) fn left_behind(operation: &Operation) -> Option<String> {
    let (replaces, previous_sid) = match &operation.change {
        Change::Add(addition) => (addition.replaces, addition.previous_sid),
        Change::Adopt(adoption) => (adoption.replaces, adoption.previous_sid),
        Change::Modify(_) | Change::Move(_) | Change::Delete(_) | Change::Impossible(_) => (None, None),
    };
    let student = &operation.student;
    match (replaces, previous_sid) {
        (Some(sid), _) => Some(format!(
            "student {student} gets a new candidate: the one with sid {sid} had been deleted, and older results stay with it"
        )),
        (None, Some(sid)) => Some(format!(
            "student {student} is back and gets a new candidate: the one with sid {sid} was deleted after they had left, \
             and older results stay with it"
        )),
        (None, None) => None,
    }
}

fn first_outcome(state: &OperationState) -> Option<OperationOutcome> {
    match state {
        OperationState::Planned => None,
        OperationState::Held(_) => Some(OperationOutcome::Held),
        OperationState::Skipped(reason) => Some(OperationOutcome::Skipped(reason.clone())),
        OperationState::Cannot(_) => Some(OperationOutcome::Failed),
    }
}
