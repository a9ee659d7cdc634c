//! What becomes of one operation: the one answer to that, from the judge of a call to the report of a run.

use std::sync::Arc;
use std::time::Duration;

use crate::exam_plan::{Fingerprint, OperationState, SkipReason};
use crate::failure::{FailureCode, NextAttempt};

/// What became of one operation, or of one item of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Outcome<G = ()> {
    /// Done, as the service confirmed; with what it gave for it, such as the sid of a new candidate.
    Applied(G),
    /// Not done. The items of one call share their cause.
    Failed(Arc<FailureCause>),
    /// It may be done; the next run finds out.
    Unknown(Arc<FailureCause>),
    /// The guard waits for an approval.
    Held,
    /// Not sent in this run.
    Unsent(Unsent),
}

/// Why an operation was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unsent {
    /// A person silenced it, or it is only shown: a run without it is complete.
    Unneeded,
    /// The mode does not allow it: a run without it is complete, and both sides still differ.
    LeftByMode,
    /// It is left for another run.
    LeftForLater,
    /// A row of the roster makes it impossible until that row is mended.
    Withheld,
    /// It is withheld, or given up, just as it was in the run before: that is no news, and a person has been told.
    Standing,
    /// What it builds on did not happen.
    Dependent,
    /// The account takes no more candidates.
    AccountFull,
    /// The service is not called any more in this run.
    ServiceStopped,
    /// The run was told to stop.
    Terminated,
}

/// Why an operation was not applied, and when it is tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureCause {
    /// What it is stored and counted under.
    pub code: FailureCode,
    /// Our own sentence, without personal data.
    pub message: String,
    /// The service's own text, masked.
    pub service_text: Option<String>,
    /// What has to happen before the next attempt; `None` where nothing is recorded, as for a class that is closed for
    /// good, which holds its operations back by itself.
    pub next: Option<NextAttempt>,
    /// Not sooner than so long from now, as the service asked.
    pub retry_after: Option<Duration>,
    /// Whether the call went without an answer. What was intended stays written down then, until a complete reading
    /// has shown that nothing was done: a look-up may lag behind.
    pub is_unanswered: bool,
    /// Whether it is the call that was refused, with not a word about any of its items.
    pub refused_as_whole: bool,
    /// The phone or e-mail that the failure depends on: with another one it is tried at once.
    pub contact: Option<Fingerprint>,
    /// The call that failed, where it is not the one that the operation itself needs.
    pub call: Option<&'static str>,
    /// Whom the call named beside this one, where it was sent in parts because the service failed over it.
    pub sent_with: SentWith,
}

/// Whom a call named that the service failed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SentWith {
    /// As the call itself says.
    #[default]
    Untold,
    /// It was a part with this one alone.
    Nobody,
    /// It was a part with others, or the whole.
    Others,
}

impl FailureCause {
    /// A cause in our own words, tried again after a growing delay.
    #[must_use]
    pub fn new(code: FailureCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            service_text: None,
            next: Some(NextAttempt::AfterDelay),
            retry_after: None,
            is_unanswered: false,
            refused_as_whole: false,
            contact: None,
            call: None,
            sent_with: SentWith::Untold,
        }
    }
}

impl Outcome {
    /// What a plan says itself of how an operation ends; nothing of one that is to be sent.
    #[must_use]
    pub fn of_planned(state: &OperationState) -> Option<Self> {
        match state {
            OperationState::Planned => None,
            OperationState::Held(_) => Some(Self::Held),
            OperationState::Skipped(reason) => Some(Self::Unsent(reason.into())),
            OperationState::Cannot(_) => Some(Self::Unsent(Unsent::Withheld)),
        }
    }
}

impl<G> Outcome<G> {
    /// Whether it is done.
    #[must_use]
    pub fn is_applied(&self) -> bool {
        matches!(self, Self::Applied(_))
    }

    /// Whether it was tried.
    #[must_use]
    pub fn is_tried(&self) -> bool {
        match self {
            Self::Applied(_) | Self::Failed(_) | Self::Unknown(_) => true,
            Self::Held | Self::Unsent(_) => false,
        }
    }

    /// Whether it has come to an end: an approval of it is used up, unless the service could not do its work.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match self {
            Self::Applied(_) | Self::Failed(_) => true,
            Self::Unknown(_) | Self::Held | Self::Unsent(_) => false,
        }
    }

    /// Why it failed or is unknown.
    #[must_use]
    pub fn cause(&self) -> Option<&FailureCause> {
        match self {
            Self::Failed(cause) | Self::Unknown(cause) => Some(cause),
            Self::Applied(_) | Self::Held | Self::Unsent(_) => None,
        }
    }

    /// The same without what the service gave.
    pub fn without_gain(&self) -> Outcome {
        match self {
            Self::Applied(_) => Outcome::Applied(()),
            Self::Failed(cause) => Outcome::Failed(Arc::clone(cause)),
            Self::Unknown(cause) => Outcome::Unknown(Arc::clone(cause)),
            Self::Held => Outcome::Held,
            Self::Unsent(why) => Outcome::Unsent(*why),
        }
    }
}

impl From<&SkipReason> for Unsent {
    fn from(reason: &SkipReason) -> Self {
        match reason {
            SkipReason::Mode(_) => Self::LeftByMode,
            SkipReason::Ignored => Self::Unneeded,
            // The group's own row makes the run incomplete, once.
            SkipReason::GroupRow(_) => Self::Standing,
            SkipReason::Depends(_) | SkipReason::GroupAsked(_) => Self::Dependent,
            SkipReason::AccountFull => Self::AccountFull,
            SkipReason::ServiceStopped => Self::ServiceStopped,
            SkipReason::Terminated => Self::Terminated,
            SkipReason::DoubtfulListing
            | SkipReason::NotDue { .. }
            | SkipReason::DeadLetter
            | SkipReason::LoginInUse(_)
            | SkipReason::ForeignCandidate(_)
            | SkipReason::LoginOfLeaver { .. }
            | SkipReason::AmbiguousLogin
            | SkipReason::LoginAlike(_)
            | SkipReason::Unlisted(_)
            | SkipReason::NotFoundOut
            | SkipReason::GroupsNotTold
            | SkipReason::TooNewToBeGone
            | SkipReason::AddNotShown { .. }
            | SkipReason::Contradicted
            | SkipReason::AnotherLogin
            | SkipReason::EnteredAnew { .. }
            | SkipReason::ClocksDiffer => Self::LeftForLater,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roster::{Sid, StudentId};

    #[test]
    fn whatever_leaves_a_run_incomplete_is_no_unneeded_operation() {
        let reasons = [
            SkipReason::Ignored,
            SkipReason::DoubtfulListing,
            SkipReason::NotDue { due_at_ms: 0 },
            SkipReason::DeadLetter,
            SkipReason::NotFoundOut,
            SkipReason::ServiceStopped,
            SkipReason::AccountFull,
            SkipReason::Terminated,
            SkipReason::GroupsNotTold,
            SkipReason::TooNewToBeGone,
            SkipReason::AddNotShown { again_at_ms: 0 },
            SkipReason::Contradicted,
            SkipReason::AnotherLogin,
            SkipReason::EnteredAnew { student: StudentId::new("s1"), gone: Sid(1), found: Sid(2) },
            SkipReason::ClocksDiffer,
        ];
        for reason in reasons {
            let is_unneeded = matches!(Unsent::from(&reason), Unsent::Unneeded | Unsent::LeftByMode);
            assert_eq!(is_unneeded, !reason.is_incomplete(), "{reason}");
        }
    }
}
