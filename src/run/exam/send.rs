//! One call on its way: sent, judged, read back where the answer proves nothing, halved where it was
//! refused as a whole. No write is ever repeated blindly.

use std::time::Duration;

use futures_util::future::BoxFuture;

use super::session::ExamSession;
use super::write_call::WriteCall;
use super::{exam_exit, in_one_line, read_back};
use crate::exit::Exit;
use crate::remote::exam::{ExamDisposition, ExamError, ExamWriter};
use rosterd_core::failure::FailureCode;
use rosterd_core::roster::Sid;

/// Why an item was not done, in our own words.
#[derive(Clone, Debug)]
pub(super) struct FailureCause {
    /// A short stable word.
    pub(super) code: FailureCode,
    /// Our own sentence.
    pub(super) message: String,
    /// The service's own text, masked.
    pub(super) service_text: Option<String>,
    /// When the service wants to be asked again.
    pub(super) asked: Option<Duration>,
    /// Whether the call went without an answer: a look-up that shows nothing done may lag behind.
    pub(super) unanswered: bool,
}

impl FailureCause {
    fn refused(service_text: Option<String>) -> Self {
        Self {
            code: FailureCode::Refused,
            message:
                "the service refused this item and gave no reason: check the student's values on the roster"
                    .to_owned(),
            service_text,
            asked: None,
            unanswered: false,
        }
    }

    fn error(error: &ExamError) -> Self {
        Self {
            code: error.code(),
            message: in_one_line(error),
            service_text: error.message().map(str::to_owned),
            asked: error.retry_after(),
            unanswered: error.may_have_been_applied(),
        }
    }
}

/// What became of one item of a call.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    /// Done; an add brings its sid.
    Applied(Option<Sid>),
    /// Not done.
    Failed(FailureCause),
    /// Nobody can say yet.
    Unknown(FailureCause),
    /// Never sent.
    Unsent,
}

/// What became of a call.
pub(super) struct SendResult {
    /// One for each item, in their order.
    pub(super) outcomes: Vec<Outcome>,
    /// Why no further call is to be made to the service in this run.
    pub(super) stop: Option<(Exit, String)>,
    /// Whether the service itself failed, for the circuit breaker.
    pub(super) service_failed: bool,
}

impl SendResult {
    /// Of a call that the service answered.
    pub(super) fn answered(ends: Vec<Outcome>, stop: Option<(Exit, String)>) -> Self {
        Self { outcomes: ends, stop, service_failed: false }
    }

    /// Of a call after which the service is not to be called any more; nothing of it was done.
    pub(super) fn stopped(items: usize, error: &ExamError) -> Self {
        let stop = Some((exam_exit(error), in_one_line(error)));
        Self { outcomes: vec![Outcome::Unsent; items], stop, service_failed: true }
    }

    /// Takes in what became of the items that were sent after these.
    pub(super) fn append(&mut self, later: Self) {
        self.outcomes.extend(later.outcomes);
        self.stop = self.stop.take().or(later.stop);
        self.service_failed = later.service_failed;
    }

    fn failed_items(&self) -> Vec<usize> {
        let failed = |(_, end): &(usize, &Outcome)| matches!(end, Outcome::Failed(_));
        self.outcomes.iter().enumerate().filter(failed).map(|(at, _)| at).collect()
    }

    fn put_back(&mut self, positions: &[usize], values: Vec<Outcome>) {
        for (at, value) in positions.iter().zip(values) {
            if let Some(end) = self.outcomes.get_mut(*at) {
                *end = value;
            }
        }
    }
}

/// A call that certainly was not done, or that the service asked to repeat, is sent so many times in all.
const SENDINGS: u32 = 3;

/// The longest a run waits because the service asks it to.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Sends a call and finds out what became of each item.
pub(super) async fn send(session: ExamSession<'_>, writer: &ExamWriter, write_call: WriteCall) -> SendResult {
    send_once(session, writer, write_call, 1).await
}

/// Ends: every further sending has either a higher number, up to [`SENDINGS`], or fewer items.
fn send_once<'a>(
    session: ExamSession<'a>,
    writer: &'a ExamWriter,
    write_call: WriteCall,
    sending: u32,
) -> BoxFuture<'a, SendResult> {
    Box::pin(async move {
        match write_call.send(writer).await {
            Ok(answer) => {
                let verdicts = write_call.judge(&answer);
                let cause = FailureCause::refused(answer.message.clone());
                read_back::read_back(session, &write_call, verdicts, &cause, read_back::Answered::Yes).await
            }
            Err(error) => after_error(session, writer, write_call, sending, &error).await,
        }
    })
}

async fn after_error(
    session: ExamSession<'_>,
    writer: &ExamWriter,
    write_call: WriteCall,
    sending: u32,
    error: &ExamError,
) -> SendResult {
    let cause = FailureCause::error(error);
    let disposition = error.disposition();
    if let ExamDisposition::StopService(_) = disposition {
        return SendResult::stopped(write_call.len(), error);
    }
    if disposition == ExamDisposition::HalveBatch {
        return halve(session, writer, write_call, sending, &cause).await;
    }
    let rate_limited = matches!(error, ExamError::RateLimited { .. });
    let again = sending < SENDINGS && (disposition == ExamDisposition::RetryNow || rate_limited);
    let again = again && {
        let retry_delays = session.side.retry_delays.before_sending_again.saturating_mul(sending);
        session.wait(error.retry_after().unwrap_or(retry_delays).min(LONGEST_WAIT)).await
    };
    if !error.may_have_been_applied() {
        if again {
            return send_once(session, writer, write_call, sending + 1).await;
        }
        // A refusal says something about the items, not about the service.
        let refusal = matches!(error, ExamError::Refused { .. } | ExamError::TooLarge { .. });
        let ends = vec![Outcome::Failed(cause); write_call.len()];
        return SendResult { outcomes: ends, stop: None, service_failed: !refusal };
    }
    let undecided = vec![None; write_call.len()];
    let mut sent =
        read_back::read_back(session, &write_call, undecided, &cause, read_back::Answered::No).await;
    if again && sent.stop.is_none() {
        return send_failed_again(session, writer, &write_call, sent, sending).await;
    }
    sent.service_failed = !rate_limited;
    sent
}

/// Sends again only what the look-up has just shown not to be done.
async fn send_failed_again(
    session: ExamSession<'_>,
    writer: &ExamWriter,
    write_call: &WriteCall,
    mut sent: SendResult,
    sending: u32,
) -> SendResult {
    let open = sent.failed_items();
    if open.is_empty() {
        return sent;
    }
    let again = send_once(session, writer, write_call.subset(&open), sending + 1).await;
    sent.put_back(&open, again.outcomes);
    SendResult { outcomes: sent.outcomes, stop: again.stop, service_failed: again.service_failed }
}

/// A call refused as a whole goes again in two halves, until the culprit stands alone. Adds are read back
/// first, because nothing proves that a refused call was not done in part.
async fn halve(
    session: ExamSession<'_>,
    writer: &ExamWriter,
    write_call: WriteCall,
    sending: u32,
    cause: &FailureCause,
) -> SendResult {
    if sending == 1
        && let Err(error) = session.side.reader.fields().await
        && matches!(error.disposition(), ExamDisposition::StopService(_))
    {
        // It is not the items: we are refused, whatever we send.
        return SendResult::stopped(write_call.len(), &error);
    }
    let mut sent = if write_call.is_add() {
        let undecided = vec![None; write_call.len()];
        read_back::read_back(session, &write_call, undecided, cause, read_back::Answered::No).await
    } else {
        SendResult::answered(vec![Outcome::Failed(cause.clone()); write_call.len()], None)
    };
    let open = sent.failed_items();
    let (first, second) = open.split_at(open.len().div_ceil(2));
    for half in [first, second] {
        if sent.stop.is_some() {
            sent.put_back(half, vec![Outcome::Unsent; half.len()]);
        } else if !half.is_empty() {
            let answered = send_once(session, writer, write_call.subset(half), SENDINGS).await;
            sent.put_back(half, answered.outcomes);
            sent.stop = answered.stop;
            sent.service_failed = answered.service_failed;
        }
    }
    sent
}
