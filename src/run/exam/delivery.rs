//! What the exam side supplies to the delivery engine: its calls, its judge, and looking up what became of a call.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rosterd_core::exam_plan::{Refusals, WriteAnswer};
use rosterd_core::failure::{FailureCode, Service};
use rosterd_core::outcome::{FailureCause, Outcome, Unsent};
use tokio_util::sync::CancellationToken;

use super::read_back;
use super::session::ExamSession;
use super::write_call::{NewSid, WriteCall};
use crate::remote::exam::{ExamDisposition, ExamError, ExamWriter};
use crate::remote::http::retry_limits::LONGEST_EXAM_WAIT;
use crate::run::delivery::{
    Attempt, Broken, CallService, Items, Judged, Judgement, Part, ReadBack, ServiceStop,
};
use crate::run::in_one_line;

/// The calls that change the account.
#[derive(Clone)]
pub(super) struct ExamCalls<'a> {
    pub(super) session: ExamSession<'a>,
    pub(super) writer: &'a ExamWriter,
    /// What the answers of this run tell of each kind of call.
    pub(super) refusals: Arc<Mutex<HashMap<&'static str, Refusals>>>,
}

impl ExamCalls<'_> {
    /// What the answers to such calls tell so far.
    pub(super) fn refusals(&self, call: &WriteCall) -> Refusals {
        self.with_refusals(call, |refusals| refusals.clone())
    }

    pub(super) fn with_refusals<T>(&self, call: &WriteCall, read: impl FnOnce(&mut Refusals) -> T) -> T {
        // Each step leaves the figures whole.
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        read(refusals.entry(call.endpoint()).or_default())
    }

    /// From now on items of this endpoint are judged one by one.
    pub(super) fn judge_items(&self, endpoint: &'static str) {
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        refusals.entry(endpoint).or_default().judge_items();
    }

    /// Notes whether anything of a call was accepted.
    fn note_accepted(&self, call: &WriteCall, items: &[Judgement<NewSid>]) {
        if items.iter().any(|item| matches!(item, Judgement::Settled(Outcome::Applied(_)))) {
            self.with_refusals(call, Refusals::accept);
        }
    }
}

impl CallService for ExamCalls<'_> {
    type Call = WriteCall;
    type Answer = WriteAnswer;
    type Error = ExamError;
    type Gain = NewSid;

    const SERVICE: Service = Service::Exam;

    fn failures_in_a_row(&self) -> Option<u32> {
        self.session.side.reader.transport().failures_in_a_row()
    }

    fn stop_signal(&self) -> &CancellationToken {
        self.session.stop
    }

    async fn send(&self, call: &WriteCall) -> Result<WriteAnswer, ExamError> {
        call.send(self.writer).await
    }

    async fn judge(&self, call: &mut WriteCall, answer: WriteAnswer) -> Result<Judged<NewSid>, Broken> {
        let refused = refused(call, answer.message.clone());
        let untold = Arc::new(FailureCause { is_unanswered: true, ..refused.clone() });
        let refused = Arc::new(refused);
        let judgement = |(proven, may_be_done)| match proven {
            Some(sid) => Judgement::Settled(Outcome::Applied(sid)),
            None if may_be_done => Judgement::ReadBack { cause: Arc::clone(&untold), again: None },
            None => Judgement::ReadBack { cause: Arc::clone(&refused), again: None },
        };
        let told = call.judge(&answer).into_iter().zip(call.may_be_done(&answer));
        let items: Vec<_> = told.map(judgement).collect();
        self.note_accepted(call, &items);
        Ok(Judged::of(items))
    }

    async fn after_error(
        &self,
        call: &mut WriteCall,
        error: &ExamError,
        attempt: Attempt,
    ) -> Result<Judged<NewSid>, Broken> {
        if matches!(error, ExamError::Refused { .. }) && call.len() == 1 {
            self.with_refusals(call, Refusals::refuse_alone);
        }
        let transport = self.session.side.reader.transport();
        let longest = self.session.side.retry_delays.longest_altogether;
        let is_too_long = |wish| wish > LONGEST_EXAM_WAIT || !transport.may_wait(wish, longest);
        if error.retry_after().is_some_and(is_too_long) {
            // It is not asked before the time it names, and no run waits for that.
            return Ok(unanswered(call, error, None).stopped(ServiceStop::exam(error)));
        }
        Ok(match error.disposition() {
            ExamDisposition::StopService(_) => nothing_sent(call, error),
            ExamDisposition::HalveBatch => self.halve(call, error, attempt).await,
            disposition @ (ExamDisposition::RetryNow | ExamDisposition::RetryLater) => {
                let is_wanted_later = matches!(error, ExamError::RateLimited { .. });
                let again = disposition == ExamDisposition::RetryNow || is_wanted_later;
                let delay =
                    self.session.side.retry_delays.before_sending_again.saturating_mul(attempt.number);
                let pause = error.retry_after().unwrap_or(delay).min(LONGEST_EXAM_WAIT);
                unanswered(call, error, again.then_some(Part::Whole)).after(pause)
            }
        })
    }

    async fn read_back(&self, call: &WriteCall, items: Vec<Judgement<NewSid>>) -> ReadBack<NewSid> {
        let read_back = match call {
            WriteCall::Add { candidates, logins } => {
                read_back::added(&self.session, candidates, logins, items).await
            }
            WriteCall::Change(_) | WriteCall::Group { .. } | WriteCall::Delete(_) => {
                read_back::known(&self.session, call, items).await
            }
        };
        self.note_accepted(call, &read_back.items);
        read_back
    }
}

impl ExamCalls<'_> {
    /// A call refused as a whole goes again in two halves, until the culprit stands alone. Adds are read back
    /// first, because nothing proves that a refused call was not done in part.
    async fn halve(&self, call: &WriteCall, error: &ExamError, attempt: Attempt) -> Judged<NewSid> {
        if attempt.number == 1
            && let Err(error) = self.session.side.reader.fields().await
            && matches!(error.disposition(), ExamDisposition::StopService(_))
        {
            // It is not the items: we are refused, whatever we send.
            return nothing_sent(call, &error);
        }
        let divides = self.refusals(call).divides();
        // What is not halved is nobody's failure yet.
        let next = caused_by(error).next.filter(|_| divides);
        let cause = Arc::new(FailureCause { next, ..caused_by(error) });
        let judgement = match (call.is_add(), divides) {
            (true, divides) => Judgement::ReadBack { cause, again: divides.then_some(Part::Halves) },
            (false, true) => Judgement::SendAgain { part: Part::Halves, otherwise: Outcome::Failed(cause) },
            (false, false) => Judgement::Settled(Outcome::Failed(cause)),
        };
        Judged::all(call.len(), judgement)
    }
}

/// The service is not to be called any more, and nothing of this call was done.
fn nothing_sent(call: &WriteCall, error: &ExamError) -> Judged<NewSid> {
    let unsent = Judgement::Settled(Outcome::Unsent(Unsent::ServiceStopped));
    Judged::all(call.len(), unsent).stopped(ServiceStop::exam(error))
}

/// A call that has no answer to judge, and may be sent again in this way.
fn unanswered(call: &WriteCall, error: &ExamError, again: Option<Part>) -> Judged<NewSid> {
    let cause = Arc::new(caused_by(error));
    let judgement = match again {
        again if error.may_have_been_applied() => Judgement::ReadBack { cause, again },
        Some(part) => Judgement::SendAgain { part, otherwise: Outcome::Failed(cause) },
        None => Judgement::Settled(Outcome::Failed(cause)),
    };
    Judged::all(call.len(), judgement)
}

fn refused(call: &WriteCall, service_text: Option<String>) -> FailureCause {
    let message = match call {
        WriteCall::Add { .. } => {
            "the service refused this item and gave no reason: check the student's values on the roster, and the gid of \
             their group"
        }
        WriteCall::Group { .. } => {
            "the service refused to change the candidate's groups and gave no reason: check the gid of the group in \
             groups on the roster"
        }
        WriteCall::Change(_) | WriteCall::Delete(_) => {
            "the service refused this item and gave no reason: check the student's values on the roster"
        }
    };
    FailureCause { service_text, ..FailureCause::new(FailureCode::Refused, message) }
}

fn caused_by(error: &ExamError) -> FailureCause {
    FailureCause {
        service_text: error.message().map(str::to_owned),
        retry_after: error.retry_after(),
        is_unanswered: error.may_have_been_applied(),
        refused_as_whole: matches!(error, ExamError::Refused { .. }),
        ..FailureCause::new(error.code(), in_one_line(error))
    }
}
