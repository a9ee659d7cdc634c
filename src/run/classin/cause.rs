//! Why something was not done on ClassIn, and what a call without an answer means for its items.

use std::sync::Arc;
use std::time::Duration;

use super::ClassinSide;
use crate::remote::classin::{ClassinDisposition, ClassinError};
use crate::remote::http::retry_limits::LONGEST_CLASSIN_WAIT;
use crate::run::delivery::{Judged, Judgement, Part, ServiceStop, Trouble};
use crate::run::in_one_line;
use rosterd_core::classin_plan::{Call, Code, EnrolmentOperation, ItemVerdict, Subject, decide};
use rosterd_core::exam_plan::Fingerprint;
use rosterd_core::failure::{ContactPart, FailureCode, FailureOwner, NextAttempt};
use rosterd_core::outcome::{FailureCause, Outcome, SentWith, Unsent};

const LOST: &str = "the answer was lost; the call is repeated, which is safe";

/// The answer was lost.
pub(super) fn lost() -> FailureCause {
    FailureCause {
        next: Some(NextAttempt::NextRun),
        is_unanswered: true,
        ..FailureCause::new(FailureCode::LostAnswer, LOST)
    }
}

/// ClassIn failed over a call (5xx), and over its repeat.
pub(super) fn server_error(error: &ClassinError, action: &'static str, sent_with: SentWith) -> FailureCause {
    let call = Some(action);
    match sent_with {
        SentWith::Nobody => FailureCause {
            call,
            sent_with,
            code: FailureCode::ServiceFailed,
            message: format!("{}, also when this student is sent alone", in_one_line(error)),
            ..lost()
        },
        SentWith::Others | SentWith::Untold => FailureCause { call, sent_with, ..lost() },
    }
}

/// The call was certainly not made.
fn not_sent(error: &ClassinError) -> FailureCause {
    FailureCause::new(FailureCode::NotSent, in_one_line(error))
}

/// ClassIn answered with a code that is no success; `None` where it answered without one.
pub(super) fn of_verdict(call: Call, verdict: ItemVerdict, text: Option<String>) -> Option<FailureCause> {
    let code = verdict.code()?;
    // A class that is closed holds its operations back by itself, or by one failure for all of them.
    let is_closed = matches!(verdict, ItemVerdict::Closed { .. });
    let cause = FailureCause::new(FailureCode::Classin(code), decide(call, code).sentence());
    Some(FailureCause {
        service_text: text,
        next: (!is_closed).then(|| NextAttempt::after(verdict)),
        // Only an add waits for a contact: whoever is to be removed joins nothing.
        contact: if call.is_removal() { None } else { contact_asked_for(code) },
        ..cause
    })
}

/// Whom nothing took instead of the course is tried again, also after a refusal that is final for anybody else.
pub(super) fn until_put_back(cause: FailureCause) -> FailureCause {
    let next = match cause.next {
        Some(NextAttempt::ByHand) => Some(NextAttempt::AfterDelay),
        next => next,
    };
    let message =
        format!("to be put back into the whole course, as no class of it took them: {}", cause.message);
    FailureCause { next, message, ..cause }
}

/// Who is not of the school waits for a contact also where the roster has none yet.
fn contact_asked_for(code: Code) -> Option<Fingerprint> {
    code.asks_for_school_membership().then_some(ContactPart::ABSENT)
}

/// An account that is not of the school, and that only a person can have taken into it.
pub(super) fn not_of_the_school(message: &str) -> FailureCause {
    let code = Code::NOT_A_SCHOOL_STUDENT;
    FailureCause {
        next: Some(NextAttempt::ByHand),
        contact: contact_asked_for(code),
        ..FailureCause::new(FailureCode::Classin(code), message)
    }
}

/// What ClassIn itself did not do has not ended, and is approved still.
pub(super) fn is_fault_of_service(operation: &EnrolmentOperation, outcome: &Outcome) -> bool {
    let kind = Subject::from(operation).key.kind;
    let may_be =
        |cause: &&FailureCause| matches!(cause.next, Some(NextAttempt::AfterDelay | NextAttempt::NextRun));
    outcome.cause().filter(may_be).is_some_and(|cause| FailureOwner::is_service_fault(kind, &cause.code))
}

/// The cause as the outcome of a failed operation; a lost answer leaves it unknown.
pub(super) fn outcome<G>(cause: FailureCause) -> Outcome<G> {
    let is_unknown = cause.next == Some(NextAttempt::NextRun);
    let cause = Arc::new(cause);
    if is_unknown { Outcome::Unknown(cause) } else { Outcome::Failed(cause) }
}

/// What kind of call it was.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum CallKind {
    /// Students into a class, or out of it.
    Enrolment,
    Registration,
    /// For one student of the school.
    School,
}

/// A call as it failed.
#[derive(Clone, Copy)]
pub(super) struct FailedCall<'a> {
    pub(super) kind: CallKind,
    /// Its name, for records.
    pub(super) action: &'static str,
    pub(super) items: usize,
    pub(super) error: &'a ClassinError,
}

/// What it means that a call has no answer to judge. `pause` is ours, before it goes again. ClassIn is asked again at the time
/// that it names, and for more than a run may wait, altogether, it is left alone.
pub(super) fn without_an_answer<G: Clone>(
    call: FailedCall<'_>,
    pause: Duration,
    side: &ClassinSide,
) -> Judged<G> {
    let FailedCall { kind, items, error, .. } = call;
    let longest = side.retry_delays.longest_altogether;
    let is_too_long = |wish: Duration| wish > LONGEST_CLASSIN_WAIT || !side.transport.may_wait(wish, longest);
    let is_enrolment = kind == CallKind::Enrolment;
    match error.disposition() {
        ClassinDisposition::Stop(_) => at_a_stop(call, None),
        ClassinDisposition::Retry { after: Some(after) } if is_too_long(after) => {
            at_a_stop(call, Some(after))
        }
        ClassinDisposition::SmallerBatch if is_enrolment && items > 1 => {
            let otherwise = outcome(call.cause());
            Judged::all(items, Judgement::SendAgain { part: Part::Halves, otherwise })
        }
        ClassinDisposition::Retry { after: Some(after) } if is_enrolment => again(call, after),
        // ClassIn must not take two of these calls for one.
        ClassinDisposition::Retry { after: Some(after) } => again(call, after.max(pause)),
        ClassinDisposition::Retry { after: None }
        | ClassinDisposition::RetryThenStop
        | ClassinDisposition::SmallerBatch => again(call, pause),
    }
}

impl FailedCall<'_> {
    fn cause(self) -> FailureCause {
        let cause = if self.error.is_lost() { lost() } else { not_sent(self.error) };
        FailureCause { call: Some(self.action), ..cause }
    }
}

fn at_a_stop<G: Clone>(call: FailedCall<'_>, retry_after: Option<Duration>) -> Judged<G> {
    let FailedCall { kind, items, error, .. } = call;
    let outcome = if error.is_lost() && kind != CallKind::School {
        outcome(FailureCause { retry_after, ..call.cause() })
    } else {
        Outcome::Unsent(Unsent::ServiceStopped)
    };
    let trouble = Trouble { message: in_one_line(error), stop: None };
    Judged {
        trouble: (kind == CallKind::Enrolment).then_some(trouble),
        ..Judged::all(items, Judgement::Settled(outcome)).stopped(ServiceStop::classin(error))
    }
}

fn again<G: Clone>(call: FailedCall<'_>, pause: Duration) -> Judged<G> {
    let FailedCall { kind, items, error, .. } = call;
    // A service that keeps failing so, or that asks for fewer calls at the third call still, is left alone.
    let is_given_up = error.disposition() == ClassinDisposition::RetryThenStop
        || matches!(error, ClassinError::Busy { status: 429, .. });
    let stops = kind == CallKind::Enrolment && is_given_up;
    let otherwise = if stops && !error.is_lost() {
        Outcome::Unsent(Unsent::ServiceStopped)
    } else {
        outcome(call.cause())
    };
    let stop = stops.then(|| ServiceStop::classin(error));
    Judged {
        pause,
        trouble: Some(Trouble { message: in_one_line(error), stop }),
        ..Judged::all(items, Judgement::SendAgain { part: Part::Whole, otherwise })
    }
}
