//! What became of what was to be done about accounts.

use std::sync::{Mutex, PoisonError};

use super::ClassinSyncError;
use crate::run::delivery::{ApplyState, Broken, ServiceStop};
use crate::run::report::ServiceReport;
use crate::run::severity::Severity;
use rosterd_core::outcome::Outcome;

/// What became of the registrations, or of the names.
#[derive(Default)]
pub(super) struct AccountsApplied {
    state: ApplyState,
    /// How the service itself failed.
    trouble: Option<String>,
}

impl AccountsApplied {
    /// # Errors
    /// What broke the work off.
    pub(super) fn unless_broken(
        state: Mutex<ApplyState>,
        trouble: Mutex<Option<String>>,
    ) -> Result<Self, Broken> {
        let mut state = state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let trouble = trouble.into_inner().unwrap_or_else(PoisonError::into_inner);
        match state.take_broken() {
            Some(broken) => Err(broken),
            None => Ok(Self { state, trouble }),
        }
    }

    /// What became of an operation that was sent, by its position.
    pub(super) fn outcome(&self, at: usize) -> Option<&Outcome> {
        self.state.outcome(at).filter(|outcome| outcome.is_tried())
    }

    /// Why ClassIn is left alone for the rest of this run.
    pub(super) fn stopped(&self) -> Option<&ServiceStop> {
        self.state.stopped()
    }

    /// What the report says beyond figures: first why ClassIn is left alone, of both, then how it failed. A service that
    /// took no call in the whole run is down.
    pub(super) fn describe(both: [Self; 2], was_accepted: bool, report: &mut ServiceReport) {
        for stop in both.iter().filter_map(Self::stopped) {
            report.fail(stop.severity(), format!("classin: {stop}"));
        }
        let severity = if was_accepted { Severity::Incomplete } else { Severity::Temporary };
        let is_stopped = both.iter().any(|one| one.stopped().is_some());
        let troubles = both.iter().filter_map(|one| Some((one, one.trouble.as_ref()?)));
        for (one, message) in troubles {
            let message = format!("classin: {message}");
            if (was_accepted || one.state.is_fault_of_items()) && !is_stopped {
                // What failed is recorded item by item.
                report.note_trouble(message);
            } else {
                report.fail(severity, message);
            }
        }
    }
}

impl From<Broken> for ClassinSyncError {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Store(error) => Self::Store(error),
            Broken::Roster(error) => Self::Roster(error),
        }
    }
}
