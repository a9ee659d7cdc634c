//! How an operation ended, whatever kind it is.

use super::send::Settled;
use crate::exit::Exit;
use crate::run::report::Ended;
use rosterd_core::classin_plan::{EnrolmentState, ItemVerdict};

/// How an operation ended, and why.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    pub(super) ended: Ended,
    /// What it means for the exit code beyond its count.
    pub(super) exit: Exit,
    /// Whether there is a failure to record.
    pub(super) is_recorded: bool,
}

impl End {
    /// Without a failure to record.
    pub(super) fn of(ended: Ended) -> Self {
        let exit = if ended == Ended::Applied { Exit::Done } else { Exit::Incomplete };
        Self { ended, exit, is_recorded: false }
    }

    /// With one.
    pub(super) fn recorded(ended: Ended) -> Self {
        Self { is_recorded: true, ..Self::of(ended) }
    }
}

/// How one item of a call ended. What was not sent because the service is to be left alone does not count as an attempt.
pub(super) fn end_of(settled: &Settled, stopped: bool) -> End {
    match settled.judged.verdict {
        ItemVerdict::Done { .. } | ItemVerdict::Already { .. } => End::of(Ended::Applied),
        ItemVerdict::StopRun { .. } => End::of(Ended::Skipped),
        ItemVerdict::Condemned { for_good: true, .. } => End::of(Ended::Failed),
        ItemVerdict::Halve { .. } if stopped => End::of(Ended::Skipped),
        ItemVerdict::Unknown | ItemVerdict::SendSingly => match &settled.trouble {
            Some(trouble) if !trouble.is_lost && stopped => End::of(Ended::Skipped),
            Some(trouble) if !trouble.is_lost => End::recorded(Ended::Failed),
            _ => End::recorded(Ended::Unknown),
        },
        ItemVerdict::Condemned { .. }
        | ItemVerdict::Repair { .. }
        | ItemVerdict::Retry { .. }
        | ItemVerdict::Full { .. }
        | ItemVerdict::Student { .. }
        | ItemVerdict::Halve { .. } => End::recorded(Ended::Failed),
    }
}

/// How an operation ends that no call was made for.
pub(super) fn end_without_call(state: &EnrolmentState, is_ignored: bool, is_stopping: bool) -> End {
    let end = |ended, exit| End { ended, exit, is_recorded: false };
    match state {
        EnrolmentState::Planned => {
            end(Ended::Skipped, if is_stopping { Exit::Terminated } else { Exit::Incomplete })
        }
        EnrolmentState::Held(_) => end(Ended::Held, Exit::Held),
        EnrolmentState::Cannot(_) => end(Ended::Failed, Exit::Incomplete),
        EnrolmentState::Waiting(_) if is_ignored => end(Ended::Skipped, Exit::Done),
        EnrolmentState::Waiting(_) => end(Ended::Skipped, Exit::Incomplete),
        EnrolmentState::Skipped(_) => end(Ended::Skipped, Exit::Done),
    }
}
