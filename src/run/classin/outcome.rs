//! How an operation ends that no call was made for.

use rosterd_core::classin_plan::{EnrolmentState, Reason};
use rosterd_core::failure::FailureCode;
use rosterd_core::outcome::{FailureCause, Outcome, Unsent};

/// How an operation ends that no call was made for.
pub(super) fn outcome_without_call(state: &EnrolmentState, is_ignored: bool, is_stopping: bool) -> Outcome {
    match state {
        EnrolmentState::Planned if is_stopping => Outcome::Unsent(Unsent::Terminated),
        EnrolmentState::Planned => Outcome::Unsent(Unsent::ServiceStopped),
        EnrolmentState::Held(_) => Outcome::Held,
        EnrolmentState::Cannot(reason) => {
            Outcome::Failed(FailureCause::new(FailureCode::NoAccount, reason.to_string()).into())
        }
        EnrolmentState::Waiting(_) if !is_ignored => Outcome::Unsent(Unsent::LeftForLater),
        EnrolmentState::Skipped(Reason::Mode(_)) => Outcome::Unsent(Unsent::LeftByMode),
        EnrolmentState::Waiting(_) | EnrolmentState::Skipped(_) => Outcome::Unsent(Unsent::Unneeded),
    }
}
