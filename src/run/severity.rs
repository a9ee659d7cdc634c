//! How badly a part of a run ended. Exit codes follow from it, at the command border.

use rosterd_core::outcome::{Outcome, Unsent};

use crate::remote::exam::{ExamDisposition, ExamError, Stop as ExamStop};
use crate::store::{RosterError, StoreError};

/// From good to bad. Where several apply, the largest counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[must_use]
pub enum Severity {
    /// Everything that was wanted is done.
    #[default]
    Done,
    /// Something is left for another run.
    Incomplete,
    /// Something waits for approval.
    Held,
    /// The work could not be done.
    Failed,
    /// A service is down; it passes by itself.
    Temporary,
    /// A service refused our credentials.
    Credentials,
    /// What answers at a service's address is not the service.
    Address,
    /// A setting is wrong.
    Configuration,
    /// A signal ended the run in its midst.
    Terminated,
}

impl Severity {
    /// What the outcome of one operation means beyond its figure.
    pub fn of_outcome<G>(outcome: &Outcome<G>) -> Self {
        match outcome {
            Outcome::Applied(_)
            | Outcome::Unsent(Unsent::Unneeded | Unsent::LeftByMode | Unsent::Standing) => Self::Done,
            Outcome::Held => Self::Held,
            Outcome::Unsent(Unsent::Terminated) => Self::Terminated,
            Outcome::Failed(_)
            | Outcome::Unknown(_)
            | Outcome::Unsent(
                Unsent::LeftForLater
                | Unsent::Withheld
                | Unsent::Dependent
                | Unsent::AccountFull
                | Unsent::ServiceStopped,
            ) => Self::Incomplete,
        }
    }

    /// What a call of the exam side that failed for good means.
    pub fn of_exam_error(error: &ExamError) -> Self {
        match error.disposition() {
            ExamDisposition::StopService(ExamStop::Credentials) => Self::Credentials,
            ExamDisposition::StopService(ExamStop::Configuration) if error.is_about_the_address() => {
                Self::Address
            }
            ExamDisposition::StopService(ExamStop::Configuration) => Self::Configuration,
            ExamDisposition::StopService(ExamStop::Temporary)
            | ExamDisposition::RetryNow
            | ExamDisposition::RetryLater
            | ExamDisposition::HalveBatch => Self::Temporary,
        }
    }

    /// What a state database that cannot be used means.
    pub fn of_store_error(error: &StoreError) -> Self {
        match error {
            error if error.passes() => Self::Temporary,
            StoreError::Schema { .. }
            | StoreError::Copy { .. }
            | StoreError::Open { .. }
            | StoreError::Prepare { .. }
            | StoreError::Foreign { .. }
            | StoreError::NoDatabase { .. }
            | StoreError::Linked { .. }
            | StoreError::MountedAlone { .. }
            | StoreError::StaleLog { .. }
            | StoreError::Denied { .. } => Self::Configuration,
            StoreError::Query { .. }
            | StoreError::Damaged { .. }
            | StoreError::Lost { .. }
            | StoreError::Row { .. }
            | StoreError::Full { .. }
            | StoreError::NoRoomForCopy { .. }
            | StoreError::Replaced { .. }
            | StoreError::RunElsewhere { .. }
            | StoreError::LockRemoved { .. } => Self::Failed,
        }
    }

    /// What a roster that cannot be read means.
    pub fn of_roster_error(error: &RosterError) -> Self {
        match error {
            RosterError::Schema { .. } | RosterError::Query { .. } | RosterError::Unreadable { .. } => {
                Self::Configuration
            }
            // It was there when the run began.
            RosterError::Missing { .. }
            | RosterError::Empty { .. }
            | RosterError::Locked { .. }
            | RosterError::Passing { .. } => Self::Temporary,
            RosterError::Corrupt { .. }
            | RosterError::TooFew { .. }
            | RosterError::Cut { .. }
            | RosterError::Incomplete { .. }
            | RosterError::Read { .. } => Self::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Severity;

    #[test]
    fn a_held_run_that_is_also_incomplete_is_held() {
        assert_eq!(Severity::Done.max(Severity::Incomplete).max(Severity::Held), Severity::Held);
    }
}
