//! What the calls of a plan tell for those to come: which sids adds brought, and whether the account is full.

use std::collections::{HashMap, HashSet};

use rosterd_core::exam_plan::{Batch, Call, Change, GuardedPlan, Operation, Wave, says_account_is_full};
use rosterd_core::failure::FailureCode;
use rosterd_core::outcome::{Outcome, Unsent};
use rosterd_core::roster::{Gid, Sid, StudentId};

use super::lookup::LookupOutcome;
use super::write_call::NewSid;
use crate::remote::exam::CandidateInfo;
use crate::remote::http::retry_limits::REFUSED_ADDS_IN_A_ROW;
use crate::run::delivery::ApplyState;
use crate::run::report::ServiceReport;

/// What changes while batches are under way, beside how each operation ended.
#[derive(Default)]
pub(super) struct ExamState {
    /// Calls that an operation still needs; it is applied when all of them were.
    calls_left: Vec<usize>,
    /// Sids that adds have brought.
    sids: HashMap<StudentId, Sid>,
    /// Adds in a row that were refused: which operations.
    refused_adds: Vec<usize>,
    is_full: bool,
    /// Candidates that a look-up just before a call has shown to be their students'.
    proven: HashSet<Sid>,
    /// Candidates that showed another login value just before a call.
    strangers: HashSet<Sid>,
    /// As looked up just before a call; kept until it is known whether a change keeps what it does not name.
    rows: HashMap<Sid, CandidateInfo>,
    /// Changes that were sent alone to find that out.
    lone_changes: usize,
    /// Parts of batches that were refused as a whole while nothing was ever accepted, and not halved yet.
    left_over: Vec<(Batch, Vec<usize>)>,
}

impl ExamState {
    pub(super) fn new(plan: &GuardedPlan, waves: &[Wave]) -> Self {
        let mut calls_left = vec![0; plan.operations.len()];
        for batch in waves.iter().flatten().filter(|batch| batch.call != Call::GiveWay) {
            for at in &batch.operations {
                if let Some(count) = calls_left.get_mut(*at) {
                    *count += 1;
                }
            }
        }
        Self { calls_left, ..Self::default() }
    }

    pub(super) fn sid(&self, student: &StudentId) -> Option<Sid> {
        self.sids.get(student).copied()
    }

    /// Notes one more applied call of an operation; says how many it still needs.
    pub(super) fn call_applied(&mut self, at: usize, student: &StudentId, sid: NewSid) -> usize {
        if let Some(sid) = sid {
            self.sids.insert(student.clone(), sid);
        }
        let Some(left) = self.calls_left.get_mut(at) else { return 0 };
        *left = left.saturating_sub(1);
        *left
    }

    pub(super) fn is_proven(&self, sid: Sid) -> bool {
        self.proven.contains(&sid)
    }

    pub(super) fn note_proven(&mut self, sids: impl Iterator<Item = Sid>) {
        self.proven.extend(sids);
    }

    /// Notes candidates that showed another login value; says how many have by now.
    pub(super) fn note_strangers(&mut self, sids: HashSet<Sid>) -> u64 {
        self.strangers.extend(sids);
        u64::try_from(self.strangers.len()).unwrap_or(u64::MAX)
    }

    pub(super) fn note_rows(&mut self, rows: HashMap<Sid, LookupOutcome>) {
        self.rows = rows
            .into_iter()
            .filter_map(|(sid, outcome)| match outcome {
                LookupOutcome::Row(row) => Some((sid, row)),
                LookupOutcome::Gone => None,
            })
            .chain(std::mem::take(&mut self.rows))
            .collect();
    }

    /// Takes out what is known of these candidates from the look-up just before the call.
    pub(super) fn take_rows(&mut self, sids: &[Sid]) -> HashMap<Sid, CandidateInfo> {
        sids.iter().filter_map(|sid| Some((*sid, self.rows.remove(sid)?))).collect()
    }

    /// Whether one more change is sent alone to find out what it keeps; counts it.
    pub(super) fn may_change_alone(&mut self, most: usize) -> bool {
        self.lone_changes += 1;
        self.lone_changes <= most
    }

    pub(super) fn leave_over(&mut self, batch: Batch, positions: Vec<usize>) {
        self.left_over.push((batch, positions));
    }

    pub(super) fn take_left_over(&mut self) -> Vec<(Batch, Vec<usize>)> {
        std::mem::take(&mut self.left_over)
    }

    /// Whether the account takes no more candidates.
    pub(super) fn is_full(&self) -> bool {
        self.is_full
    }

    /// Whether a batch of adds is to begin with a single one.
    pub(super) fn suspects_full(&self) -> bool {
        self.refused_adds.len() >= REFUSED_ADDS_IN_A_ROW
    }

    /// Learns from a call of adds whether the account seems to be full.
    pub(super) fn note_adds(&mut self, positions: &[usize], outcomes: &[Outcome<NewSid>]) {
        let is_refused = |outcome: &Outcome<NewSid>| matches!(outcome, Outcome::Failed(cause) if cause.code == FailureCode::Refused);
        let says_full = |outcome: &Outcome<NewSid>| {
            let text = outcome.cause().and_then(|cause| cause.service_text.as_deref());
            is_refused(outcome) && text.is_some_and(says_account_is_full)
        };
        if outcomes.iter().any(says_full) {
            self.is_full = true;
            let told = positions.iter().zip(outcomes).filter(|(_, outcome)| says_full(outcome));
            self.refused_adds.extend(told.map(|(at, _)| *at));
        } else if outcomes.iter().all(is_refused) {
            self.is_full = self.is_full || (self.suspects_full() && outcomes.len() == 1);
            self.refused_adds.extend(positions);
        } else {
            // An account that fills up in the midst of a call takes the first ones of it.
            let refused = outcomes.iter().rev().take_while(|outcome| is_refused(outcome)).count();
            self.refused_adds = positions.iter().rev().take(refused).copied().collect();
        }
    }

    /// Whether the last adds were refused because the account is full, where no further one was there to try: they
    /// go into groups that candidates of ours are in, so it is not the group.
    pub(super) fn close_adds(&mut self, plan: &GuardedPlan, state: &ApplyState) {
        let applied = plan.operations.iter().enumerate();
        let applied = applied.filter(|(at, _)| state.outcome(*at).is_some_and(Outcome::is_applied));
        let mut good: HashSet<Gid> = applied.filter_map(|(_, operation)| first_group(operation)).collect();
        good.extend(plan.totals.group_sizes.iter().filter(|(_, size)| **size > 0).map(|(gid, _)| *gid));
        let is_in_good_group = |at: &usize| {
            plan.operations.get(*at).and_then(first_group).is_some_and(|gid| good.contains(&gid))
        };
        self.is_full =
            self.is_full || (self.suspects_full() && self.refused_adds.iter().all(is_in_good_group));
    }

    /// The adds that were refused because the account has no room.
    pub(super) fn refused_for_lack_of_room(&self) -> &[usize] {
        if self.is_full { &self.refused_adds } else { &[] }
    }

    /// Says that the account has no room, where it has none.
    pub(super) fn describe(&self, plan: &GuardedPlan, state: &ApplyState, report: &mut ServiceReport) {
        if !self.is_full {
            return;
        }
        let is_untried = |at: &usize| state.outcome(*at) == Some(&Outcome::Unsent(Unsent::AccountFull));
        let without_room = (0..plan.operations.len()).filter(is_untried).count() + self.refused_adds.len();
        report.note_trouble(format!(
            "the account seems to have reached its candidate number limit: {without_room} more candidates are needed; no more \
             are added until it is raised, everything else goes on"
        ));
    }
}

/// The group that an add enters its candidate into.
fn first_group(operation: &Operation) -> Option<Gid> {
    match &operation.change {
        Change::Add(addition) => addition.group.gid(),
        Change::Adopt(_)
        | Change::Modify(_)
        | Change::Move(_)
        | Change::Delete(_)
        | Change::Impossible(_) => None,
    }
}
