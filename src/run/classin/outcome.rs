//! How an operation ended, whatever kind it is.

use super::send::Settled;
use crate::exit::Exit;
use crate::run::report::OutcomeKind;
use rosterd_core::classin_plan::{EnrolmentState, ItemVerdict};

/// How an operation ended, and why.
#[derive(Clone, Copy, Debug)]
pub(super) struct EnrolmentOutcome {
    pub(super) kind: OutcomeKind,
    /// What it means for the exit code beyond its count.
    pub(super) exit: Exit,
    /// Whether there is a failure to record.
    pub(super) is_recorded: bool,
}

impl EnrolmentOutcome {
    /// Without a failure to record.
    pub(super) fn of(ended: OutcomeKind) -> Self {
        let exit = if ended == OutcomeKind::Applied { Exit::Done } else { Exit::Incomplete };
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
            end(OutcomeKind::Skipped, if is_stopping { Exit::Terminated } else { Exit::Incomplete })
        }
        EnrolmentState::Held(_) => end(OutcomeKind::Held, Exit::Held),
        EnrolmentState::Cannot(_) => end(OutcomeKind::Failed, Exit::Incomplete),
        EnrolmentState::Waiting(_) if is_ignored => end(OutcomeKind::Skipped, Exit::Done),
        EnrolmentState::Waiting(_) => end(OutcomeKind::Skipped, Exit::Incomplete),
        EnrolmentState::Skipped(_) => end(OutcomeKind::Skipped, Exit::Done),
    }
}
