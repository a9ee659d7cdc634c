//! How far a plan is carried out.

use std::collections::{BTreeSet, HashSet};

use rosterd_core::failure::OperationKey;
use rosterd_core::outcome::Outcome;

use super::broken::Broken;
use super::stop::ServiceStop;

/// How each operation of a plan ended, and whether any more calls are made.
#[derive(Default)]
pub(in crate::run) struct ApplyState {
    /// One for each operation of the plan.
    outcomes: Vec<Option<Outcome>>,
    batches: u64,
    stopped: Option<ServiceStop>,
    broken: Option<Broken>,
    faults: Faults,
    is_fault_of_items: bool,
}

/// What the calls of a run tell about whose doing a failure is.
#[derive(Default)]
pub(super) struct Faults {
    /// Calls of which something was accepted.
    pub(super) accepted: BTreeSet<&'static str>,
    /// Operations that failed by the service's doing and were sent alone, each with its call.
    pub(super) alone: Vec<(OperationKey, &'static str)>,
    /// All operations that failed by the service's doing.
    pub(super) of_service: HashSet<OperationKey>,
}

impl ApplyState {
    /// With what the plan itself says of its operations.
    pub(in crate::run) fn new(outcomes: Vec<Option<Outcome>>, stopped: Option<ServiceStop>) -> Self {
        Self { outcomes, stopped, ..Self::default() }
    }

    pub(in crate::run) fn end(&mut self, at: usize, outcome: Outcome) {
        if let Some(slot) = self.outcomes.get_mut(at) {
            *slot = Some(outcome);
        }
    }

    /// The same, where the operation has not ended otherwise.
    pub(in crate::run) fn end_open(&mut self, at: usize, outcome: &Outcome) {
        if let Some(slot) = self.outcomes.get_mut(at) {
            slot.get_or_insert_with(|| outcome.clone());
        }
    }

    /// It is sent once more after all.
    pub(in crate::run) fn reopen(&mut self, at: usize) {
        if let Some(slot) = self.outcomes.get_mut(at) {
            *slot = None;
        }
    }

    pub(in crate::run) fn is_open(&self, at: usize) -> bool {
        self.outcomes.get(at).is_some_and(Option::is_none)
    }

    pub(in crate::run) fn outcome(&self, at: usize) -> Option<&Outcome> {
        self.outcomes.get(at)?.as_ref()
    }

    /// The number of the next batch, for records.
    pub(in crate::run) fn next_batch(&mut self) -> u64 {
        self.batches += 1;
        self.batches
    }

    /// No further call is made in this run. The first reason counts.
    pub(in crate::run) fn stop(&mut self, stop: ServiceStop) {
        self.stopped.get_or_insert(stop);
    }

    /// One of our own databases failed: what cannot be written down is not sent.
    pub(in crate::run) fn break_off(&mut self, error: impl Into<Broken>) {
        self.broken.get_or_insert(error.into());
    }

    /// Whether no further call is made.
    pub(in crate::run) fn is_over(&self) -> bool {
        self.stopped.is_some() || self.broken.is_some()
    }

    pub(in crate::run) fn stopped(&self) -> Option<&ServiceStop> {
        self.stopped.as_ref()
    }

    pub(super) fn note_faults(&mut self, faults: Faults) {
        let Faults { accepted, alone, of_service } = faults;
        self.faults.accepted.extend(accepted);
        self.faults.alone.extend(alone);
        self.faults.of_service.extend(of_service);
    }

    /// Nothing was answered, and what was sent is known to fail by itself: the service is not down.
    pub(super) fn blame_items_alone(&mut self) {
        self.is_fault_of_items = true;
    }

    /// Whether nothing was answered because of the items alone that were sent.
    pub(in crate::run) fn is_fault_of_items(&self) -> bool {
        self.is_fault_of_items
    }

    pub(super) fn take_faults(&mut self) -> Faults {
        std::mem::take(&mut self.faults)
    }

    pub(in crate::run) fn take_broken(&mut self) -> Option<Broken> {
        self.broken.take()
    }
}
