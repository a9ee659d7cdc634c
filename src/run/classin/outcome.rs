//! How an operation ended, whatever kind it is.

use super::send::Settled;
use crate::run::severity::Severity;
use rosterd_core::classin_plan::{EnrolmentState, ItemVerdict};
use rosterd_core::failure::FailureCode;
use rosterd_core::outcome::{FailureCause, Outcome, Unsent};

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OutcomeKind {
    Applied,
    Failed,
    Held,
    Unknown,
    Skipped,
}

impl OutcomeKind {
    pub(super) fn outcome(self) -> Outcome {
        let cause = || FailureCause::new(FailureCode::NotSent, "").into();
        match self {
            Self::Applied => Outcome::Applied(()),
            Self::Failed => Outcome::Failed(cause()),
            Self::Held => Outcome::Held,
            Self::Unknown => Outcome::Unknown(cause()),
            Self::Skipped => Outcome::Unsent(Unsent::LeftForLater),
        }
    }
}

/// How an operation ended, and why.
#[derive(Clone, Copy, Debug)]
pub(super) struct EnrolmentOutcome {
    pub(super) kind: OutcomeKind,
    /// What it means for the exit code beyond its count.
    pub(super) exit: Severity,
    /// Whether there is a failure to record.
    pub(super) is_recorded: bool,
}

impl EnrolmentOutcome {
    /// Without a failure to record.
    pub(super) fn of(ended: OutcomeKind) -> Self {
        let exit = if ended == OutcomeKind::Applied { Severity::Done } else { Severity::Incomplete };
        Self { kind: ended, exit, is_recorded: false }
    }

    /// With one.
    pub(super) fn recorded(ended: OutcomeKind) -> Self {
        Self { is_recorded: true, ..Self::of(ended) }
    }
}

/// How one item of a call ended. What was not sent because the service is to be left alone does not count as an attempt.
pub(super) fn outcome_of(settled: &Settled, stopped: bool) -> EnrolmentOutcome {
    match settled.judged.verdict {
        ItemVerdict::Done { .. } | ItemVerdict::Already { .. } => EnrolmentOutcome::of(OutcomeKind::Applied),
        ItemVerdict::StopRun { .. } => EnrolmentOutcome::of(OutcomeKind::Skipped),
        ItemVerdict::Closed { for_good: true, .. } => EnrolmentOutcome::of(OutcomeKind::Failed),
        ItemVerdict::Halve { .. } if stopped => EnrolmentOutcome::of(OutcomeKind::Skipped),
        ItemVerdict::Unknown | ItemVerdict::SendSingly => match &settled.trouble {
            Some(trouble) if !trouble.is_lost && stopped => EnrolmentOutcome::of(OutcomeKind::Skipped),
            Some(trouble) if !trouble.is_lost => EnrolmentOutcome::recorded(OutcomeKind::Failed),
            _ => EnrolmentOutcome::recorded(OutcomeKind::Unknown),
        },
        ItemVerdict::Closed { .. }
        | ItemVerdict::Repair { .. }
        | ItemVerdict::Repeat { .. }
        | ItemVerdict::Retry { .. }
        | ItemVerdict::Full { .. }
        | ItemVerdict::Student { .. }
        | ItemVerdict::Halve { .. } => EnrolmentOutcome::recorded(OutcomeKind::Failed),
    }
}

/// How an operation ends that no call was made for.
pub(super) fn outcome_without_call(
    state: &EnrolmentState,
    is_ignored: bool,
    is_stopping: bool,
) -> EnrolmentOutcome {
    let end = |ended, exit| EnrolmentOutcome { kind: ended, exit, is_recorded: false };
    match state {
        EnrolmentState::Planned => {
            end(OutcomeKind::Skipped, if is_stopping { Severity::Terminated } else { Severity::Incomplete })
        }
        EnrolmentState::Held(_) => end(OutcomeKind::Held, Severity::Held),
        EnrolmentState::Cannot(_) => end(OutcomeKind::Failed, Severity::Incomplete),
        EnrolmentState::Waiting(_) if is_ignored => end(OutcomeKind::Skipped, Severity::Done),
        EnrolmentState::Waiting(_) => end(OutcomeKind::Skipped, Severity::Incomplete),
        EnrolmentState::Skipped(_) => end(OutcomeKind::Skipped, Severity::Done),
    }
}
