//! One call to ClassIn: remembered before it is sent, judged, remembered again; repeated where only a
//! repeat can tell, which is safe here.

use std::time::Duration;

use futures_util::future::BoxFuture;

use super::ClassinSide;
use super::record::{ClassinFailureCause, call};
use crate::remote::classin::{AddItem, ClassinDisposition, ClassinError, ClassinWriter, StopCause};
use crate::run::Context;
use crate::run::severity::Severity;
use crate::store::{EnrolmentChange, StoreError};
use rosterd_core::classin_plan::{
    Code, EnrolmentKind, EnrolmentOperation, EnrolmentRecord, Evidence, EvidenceChange, ItemVerdict, Judged,
    JudgedItem, Sent, Stop, Token, codes_of_one_value, evidence_after, evidence_before, judge,
};
use rosterd_core::roster::{ClassinUid, RunId};

/// What a call is sent under.
#[derive(Clone, Copy)]
pub(super) struct ClassinApplyContext<'a> {
    pub(super) context: &'a Context,
    pub(super) side: &'a ClassinSide,
    pub(super) writer: &'a ClassinWriter,
    pub(super) run: RunId,
    pub(super) token_key: &'a [u8; 32],
}

/// What became of a batch.
#[derive(Default)]
pub(super) struct ClassinSendResult {
    /// One for each operation.
    pub(super) items: Vec<Settled>,
    /// Classes and courses that take no changes any more.
    pub(super) closed: Vec<rosterd_core::classin_plan::Closure>,
    /// No more adds to this class in this run.
    pub(super) full: Option<Code>,
    /// A code that is our mistake when it comes for several students alone.
    pub(super) suspects: u32,
    /// Why no further call is made in this run.
    pub(super) stop: Option<(Severity, String)>,
    /// Whether ClassIn answered anything that could be judged.
    pub(super) answered: bool,
    /// How the service itself failed.
    pub(super) trouble: Option<Trouble>,
}

/// What came of one operation.
#[derive(Clone)]
pub(super) struct Settled {
    /// What is proven.
    pub(super) judged: JudgedItem,
    /// Why there was no answer to judge.
    pub(super) trouble: Option<Trouble>,
    /// Why mending did not help, where it was tried.
    pub(super) mending: Option<ClassinFailureCause>,
}

/// A call without an answer that could be judged.
#[derive(Clone)]
pub(super) struct Trouble {
    /// Whether the call may have taken effect.
    pub(super) is_lost: bool,
    /// Our own sentence.
    pub(super) message: String,
    /// ClassIn wants to be left alone for so long.
    pub(super) wait: Option<Duration>,
}

/// A lost answer is settled by the same call again, so many times in a run.
pub(super) const REPEATS: u32 = 2;

/// The longest a run waits because ClassIn asks it to; for more, the operation waits for a later run.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// One operation with what is remembered of it now.
#[derive(Clone)]
pub(super) struct EnrolmentItem {
    pub(super) operation: EnrolmentOperation,
    pub(super) uid: ClassinUid,
    pub(super) was: Option<Evidence>,
}

/// Sends one batch, all of one target and kind.
pub(super) fn send<'a>(
    terms: ClassinApplyContext<'a>,
    items: Vec<EnrolmentItem>,
    repeat: u32,
) -> BoxFuture<'a, Result<ClassinSendResult, StoreError>> {
    Box::pin(async move {
        remember(terms, &items, |item| evidence_before(item.operation.kind, item.was)).await?;
        match answer(terms, &items).await {
            Ok(judged) => apply_verdicts(terms, items, judged, repeat).await,
            Err(error) => after_error(terms, items, &error, repeat).await,
        }
    })
}

/// Makes the call, and judges what came back.
pub(super) async fn answer(
    terms: ClassinApplyContext<'_>,
    items: &[EnrolmentItem],
) -> Result<Judged, ClassinError> {
    let Some(first) = items.first() else { return Ok(Judged::default()) };
    let target = first.operation.target;
    let what = call(&first.operation);
    if first.operation.kind == EnrolmentKind::Remove {
        let uids: Vec<ClassinUid> = items.iter().map(|item| item.uid).collect();
        let answer = terms.writer.remove_from_class(target, &uids).await?;
        return Ok(judge(what, Sent::Positions(uids.len()), &answer));
    }
    let tokens: Vec<Token> = items
        .iter()
        .map(|item| {
            Token::derive(terms.token_key, &item.operation.student, item.operation.class_code.as_ref())
        })
        .collect();
    let sent: Vec<AddItem> = items
        .iter()
        .zip(&tokens)
        .map(|(item, token)| AddItem { uid: item.uid, token: token.clone() })
        .collect();
    let answer = terms.writer.add_to_class(target, &sent).await?;
    Ok(judge(what, Sent::Tokens(&tokens), &answer))
}

/// Remembers what the answer proved, and asks again for what it did not.
async fn apply_verdicts(
    terms: ClassinApplyContext<'_>,
    items: Vec<EnrolmentItem>,
    judged: Judged,
    repeat: u32,
) -> Result<ClassinSendResult, StoreError> {
    let verdicts: Vec<ItemVerdict> = judged.verdicts().collect();
    let settled: Vec<(EnrolmentItem, ItemVerdict)> =
        items.iter().cloned().zip(verdicts.iter().copied()).collect();
    remember_verdicts(terms, &settled).await?;
    if judged.order_differs {
        tracing::debug!("ClassIn answered in another order than it was asked");
    }
    let items_of = |judged: JudgedItem| Settled { judged, trouble: None, mending: None };
    let mut sending = ClassinSendResult {
        items: judged.items.into_iter().map(items_of).collect(),
        closed: judged.closed.into_iter().collect(),
        full: judged.full,
        suspects: u32::from(judged.suspect.is_some()),
        stop: judged.stop.map(|(stop, code)| stopped(stop, code)),
        answered: true,
        trouble: None,
    };
    let after = |at: &usize| -> Option<EnrolmentItem> {
        let (item, verdict) = settled.get(*at)?;
        let was = match evidence_after(item.operation.kind, item.was, *verdict) {
            EvidenceChange::Record(evidence) => Some(evidence),
            EvidenceChange::Forget => None,
        };
        Some(EnrolmentItem { was, ..item.clone() })
    };
    let at = |wanted: fn(&ItemVerdict) -> bool| -> Vec<usize> {
        verdicts.iter().enumerate().filter(|(_, verdict)| wanted(verdict)).map(|(at, _)| at).collect()
    };
    let singly = at(|verdict| matches!(verdict, ItemVerdict::SendSingly));
    let halved = at(|verdict| matches!(verdict, ItemVerdict::Halve { .. }));
    let lost = at(|verdict| matches!(verdict, ItemVerdict::Unknown));
    let mut parts: Vec<Vec<usize>> = singly.into_iter().map(|at| vec![at]).collect();
    let (first, second) = halved.split_at(halved.len().div_ceil(2));
    parts.extend([first.to_vec(), second.to_vec()]);
    if repeat < REPEATS {
        parts.push(lost);
    }
    for part in parts.into_iter().filter(|part| !part.is_empty()) {
        if sending.stop.is_some() || terms.context.stop.is_cancelled() {
            break;
        }
        let again: Vec<EnrolmentItem> = part.iter().filter_map(after).collect();
        let more = send(terms, again, repeat + 1).await?;
        sending.take(&part, more);
    }
    Ok(sending)
}

impl ClassinSendResult {
    /// Puts the verdicts of a part where its items stand.
    pub(super) fn take(&mut self, positions: &[usize], part: ClassinSendResult) {
        for (at, item) in positions.iter().zip(part.items) {
            if let Some(slot) = self.items.get_mut(*at) {
                *slot = item;
            }
        }
        self.closed.extend(part.closed);
        self.full = self.full.or(part.full);
        self.suspects += part.suspects;
        self.stop = self.stop.take().or(part.stop);
        self.answered |= part.answered;
        self.trouble = part.trouble.or(self.trouble.take());
    }

    /// Nothing could be judged of any of these.
    fn without_an_answer(items: usize, trouble: Trouble, stop: Option<(Severity, String)>) -> Self {
        let judged = JudgedItem { verdict: ItemVerdict::Unknown, text: None };
        let settled = Settled { judged, trouble: Some(trouble.clone()), mending: None };
        Self { items: vec![settled; items], stop, trouble: Some(trouble), ..Self::default() }
    }
}

async fn after_error(
    terms: ClassinApplyContext<'_>,
    items: Vec<EnrolmentItem>,
    error: &ClassinError,
    repeat: u32,
) -> Result<ClassinSendResult, StoreError> {
    let is_lost = error.is_lost();
    if !is_lost {
        // Nothing was changed there, so what is remembered goes back to what it was.
        remember(terms, &items, |item| match item.was {
            Some(evidence) => EvidenceChange::Record(evidence),
            None => EvidenceChange::Forget,
        })
        .await?;
    }
    let was = |item: &EnrolmentItem| if is_lost { Some(lost(item)) } else { item.was };
    let again: Vec<EnrolmentItem> =
        items.iter().map(|item| EnrolmentItem { was: was(item), ..item.clone() }).collect();
    let mut trouble = Trouble { is_lost, message: super::in_one_line(error), wait: None };
    let mut pause = terms.side.retry_delays.before_repeating;
    match error.disposition() {
        ClassinDisposition::Stop(cause) => {
            let stop = Some((stop_exit(cause), trouble.message.clone()));
            return Ok(ClassinSendResult::without_an_answer(items.len(), trouble, stop));
        }
        ClassinDisposition::SmallerBatch if items.len() > 1 => {
            return send_halves(terms, &again, repeat).await;
        }
        ClassinDisposition::Retry { after: Some(after) } if after > LONGEST_WAIT => {
            let stop = Some((Severity::Temporary, trouble.message.clone()));
            trouble.wait = Some(after);
            return Ok(ClassinSendResult::without_an_answer(items.len(), trouble, stop));
        }
        ClassinDisposition::Retry { after } => pause = after.unwrap_or(pause),
        ClassinDisposition::RetryThenStop | ClassinDisposition::SmallerBatch => {}
    }
    if repeat < REPEATS && waited(terms, pause).await {
        return send(terms, again, repeat + 1).await;
    }
    let stops = error.disposition() == ClassinDisposition::RetryThenStop;
    let stop = stops.then(|| (Severity::Temporary, trouble.message.clone()));
    Ok(ClassinSendResult::without_an_answer(items.len(), trouble, stop))
}

/// Waits before a repeat; false when the program is told to stop meanwhile.
pub(super) async fn waited(terms: ClassinApplyContext<'_>, pause: Duration) -> bool {
    tokio::select! {
        () = terms.context.stop.cancelled() => false,
        () = tokio::time::sleep(pause) => true,
    }
}

async fn send_halves(
    terms: ClassinApplyContext<'_>,
    items: &[EnrolmentItem],
    repeat: u32,
) -> Result<ClassinSendResult, StoreError> {
    let (first, second) = items.split_at(items.len().div_ceil(2));
    let mut sending = send(terms, first.to_vec(), repeat).await?;
    let mut rest = if sending.stop.is_some() || terms.context.stop.is_cancelled() {
        let message = "ClassIn is not called any more in this run".to_owned();
        ClassinSendResult::without_an_answer(
            second.len(),
            Trouble { is_lost: false, message, wait: None },
            None,
        )
    } else {
        send(terms, second.to_vec(), repeat).await?
    };
    sending.items.append(&mut rest.items);
    sending.take(&[], rest);
    Ok(sending)
}

fn lost(item: &EnrolmentItem) -> Evidence {
    match evidence_after(item.operation.kind, item.was, ItemVerdict::Unknown) {
        EvidenceChange::Record(evidence) => evidence,
        EvidenceChange::Forget => Evidence::Unknown,
    }
}

pub(super) fn stop_exit(cause: StopCause) -> Severity {
    match cause {
        StopCause::Temporary => Severity::Temporary,
        StopCause::Credentials => Severity::Credentials,
        StopCause::Settings => Severity::Configuration,
    }
}

/// What a code means that came for several who were alone in their calls: the calls are wrong, not they.
pub(super) fn refuses_the_calls(several: &str) -> (Severity, String) {
    let codes = codes_of_one_value();
    (Severity::Failed, format!("ClassIn refuses the calls themselves for several {several} (code {codes})"))
}

pub(super) fn stopped(stop: Stop, code: Code) -> (Severity, String) {
    match stop {
        Stop::OurMistake => (Severity::Failed, format!("ClassIn refuses the call itself (code {code})")),
        Stop::NoPermission => {
            (Severity::Credentials, format!("ClassIn refuses the credentials (code {code})"))
        }
        Stop::Maintenance => {
            (Severity::Temporary, format!("ClassIn is closed for maintenance (code {code})"))
        }
    }
}

async fn remember(
    terms: ClassinApplyContext<'_>,
    items: &[EnrolmentItem],
    change: impl Fn(&EnrolmentItem) -> EvidenceChange,
) -> Result<(), StoreError> {
    let changes: Vec<EnrolmentChange> = items.iter().map(|item| known(item, change(item), None)).collect();
    let now_ms = terms.context.clock.now_ms();
    terms.context.state.record_enrolments(&changes, terms.run, now_ms).await
}

async fn remember_verdicts(
    terms: ClassinApplyContext<'_>,
    settled: &[(EnrolmentItem, ItemVerdict)],
) -> Result<(), StoreError> {
    let changes: Vec<EnrolmentChange> = settled
        .iter()
        .map(|(item, verdict)| {
            known(item, evidence_after(item.operation.kind, item.was, *verdict), Some(*verdict))
        })
        .collect();
    let now_ms = terms.context.clock.now_ms();
    terms.context.state.record_enrolments(&changes, terms.run, now_ms).await
}

/// What is remembered from now on; without a verdict, that a call is about to be made, or was not.
fn known(item: &EnrolmentItem, change: EvidenceChange, verdict: Option<ItemVerdict>) -> EnrolmentChange {
    let target = item.operation.target;
    let code = verdict.and_then(|verdict| verdict.code());
    let is_success = verdict.is_some_and(|verdict| verdict.is_success());
    match change {
        EvidenceChange::Record(evidence) => EnrolmentChange::Know {
            record: EnrolmentRecord {
                uid: item.uid,
                target,
                student: item.operation.student.clone(),
                evidence,
                gone_since_ms: None,
            },
            code,
            is_confirmed: is_success && item.operation.kind == EnrolmentKind::Enrol,
        },
        EvidenceChange::Forget if verdict.is_some() && item.operation.kind == EnrolmentKind::Remove => {
            EnrolmentChange::Out { uid: item.uid, target, code }
        }
        EvidenceChange::Forget => EnrolmentChange::Forget { uid: item.uid, target },
    }
}
