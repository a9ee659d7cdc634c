//! One call on its way: sent, judged, read back where the answer proves nothing, halved where it was
//! refused as a whole. No write is ever repeated blindly.

use std::time::Duration;

use futures_util::future::BoxFuture;

use super::session::ExamSession;
use super::write_call::WriteCall;
use super::{exam_exit, in_one_line, read_back};
use crate::exit::Exit;
use crate::remote::exam::{ExamDisposition, ExamError};
use rosterd_core::roster::Sid;

/// Why an item was not done, in our own words.
#[derive(Clone, Debug)]
pub(super) struct FailureCause {
    /// A short stable word.
    pub(super) code: &'static str,
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
            code: "refused",
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
pub(super) async fn send(courier: ExamSession<'_>, parcel: WriteCall) -> SendResult {
    send_once(courier, parcel, 1).await
}

/// Ends: every further sending has either a higher number, up to [`SENDINGS`], or fewer items.
fn send_once(courier: ExamSession<'_>, parcel: WriteCall, sending: u32) -> BoxFuture<'_, SendResult> {
    Box::pin(async move {
        match parcel.send(&courier.side.client).await {
            Ok(answer) => {
                let verdicts = parcel.judge(&answer);
                let why = FailureCause::refused(answer.message.clone());
                read_back::read_back(courier, &parcel, verdicts, &why, read_back::Answered::Yes).await
            }
            Err(error) => after_error(courier, parcel, sending, &error).await,
        }
    })
}

async fn after_error(
    courier: ExamSession<'_>,
    parcel: WriteCall,
    sending: u32,
    error: &ExamError,
) -> SendResult {
    let why = FailureCause::error(error);
    let disposition = error.disposition();
    if let ExamDisposition::StopService(_) = disposition {
        return SendResult::stopped(parcel.len(), error);
    }
    if disposition == ExamDisposition::HalveBatch {
        return halve(courier, parcel, sending, &why).await;
    }
    let rate_limited = matches!(error, ExamError::RateLimited { .. });
    let again = sending < SENDINGS && (disposition == ExamDisposition::RetryNow || rate_limited);
    let again = again && {
        let patience = courier.side.retry_delays.before_sending_again.saturating_mul(sending);
        courier.wait(error.retry_after().unwrap_or(patience).min(LONGEST_WAIT)).await
    };
    if !error.may_have_been_applied() {
        if again {
            return send_once(courier, parcel, sending + 1).await;
        }
        // A refusal says something about the items, not about the service.
        let refusal = matches!(error, ExamError::Refused { .. } | ExamError::TooLarge { .. });
        let ends = vec![Outcome::Failed(why); parcel.len()];
        return SendResult { outcomes: ends, stop: None, service_failed: !refusal };
    }
    let undecided = vec![None; parcel.len()];
    let mut delivery = read_back::read_back(courier, &parcel, undecided, &why, read_back::Answered::No).await;
    if again && delivery.stop.is_none() {
        return send_failed_again(courier, &parcel, delivery, sending).await;
    }
    delivery.service_failed = !rate_limited;
    delivery
}

/// Sends again only what the look-up has just shown not to be done.
async fn send_failed_again(
    courier: ExamSession<'_>,
    parcel: &WriteCall,
    mut delivery: SendResult,
    sending: u32,
) -> SendResult {
    let open = delivery.failed_items();
    if open.is_empty() {
        return delivery;
    }
    let again = send_once(courier, parcel.subset(&open), sending + 1).await;
    delivery.put_back(&open, again.outcomes);
    SendResult { outcomes: delivery.outcomes, stop: again.stop, service_failed: again.service_failed }
}

/// A call refused as a whole goes again in two halves, until the culprit stands alone. Adds are read back
/// first, because nothing proves that a refused call was not done in part.
async fn halve(courier: ExamSession<'_>, parcel: WriteCall, sending: u32, why: &FailureCause) -> SendResult {
    if sending == 1
        && let Err(error) = courier.side.client.fields().await
        && matches!(error.disposition(), ExamDisposition::StopService(_))
    {
        // It is not the items: we are refused, whatever we send.
        return SendResult::stopped(parcel.len(), &error);
    }
    let mut delivery = if parcel.is_add() {
        let undecided = vec![None; parcel.len()];
        read_back::read_back(courier, &parcel, undecided, why, read_back::Answered::No).await
    } else {
        SendResult::answered(vec![Outcome::Failed(why.clone()); parcel.len()], None)
    };
    let open = delivery.failed_items();
    let (first, second) = open.split_at(open.len().div_ceil(2));
    for half in [first, second] {
        if delivery.stop.is_some() {
            delivery.put_back(half, vec![Outcome::Unsent; half.len()]);
        } else if !half.is_empty() {
            let answered = send_once(courier, parcel.subset(half), SENDINGS).await;
            delivery.put_back(half, answered.outcomes);
            delivery.stop = answered.stop;
            delivery.service_failed = answered.service_failed;
        }
    }
    delivery
}
