//! How far a plan is carried out.

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
    pub(super) fn next_batch(&mut self) -> u64 {
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

    pub(in crate::run) fn take_broken(&mut self) -> Option<Broken> {
        self.broken.take()
    }
}
