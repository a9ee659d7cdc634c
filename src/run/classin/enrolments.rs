//! Students into classes and out of them: one call, remembered before it is sent and after it is answered.
//!
//! ClassIn cannot be read back, so our memory is the intent, and a repeat of the call, which is safe, is what settles a
//! lost answer.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use super::cause::{self, CallKind, FailedCall};
use super::context::ClassinApplyContext;
use super::record::{self, action, call};
use super::repair;
use super::school::School;
use super::server_errors::ServerErrors;
use super::storm::undivided;
use crate::remote::classin::{AddItem, ClassinError};
use crate::run::delivery::{
    Attempt, Broken, CallService, Items, Judged, Judgement, Part, Repaired, ServiceStop,
};
use crate::store::EnrolmentChange;
use rosterd_core::classin_plan::{
    Call, CallAnswer, Closure, Code, EnrolmentKind, EnrolmentOperation, EnrolmentRecord, Evidence,
    EvidenceChange, ItemVerdict, Judged as JudgedAnswer, JudgedItem, Scope, Sent, Subject, Token,
    evidence_after, evidence_before, judge,
};
use rosterd_core::exam_plan::{Fingerprint, Refusals};
use rosterd_core::failure::{OperationKey, Service};
use rosterd_core::outcome::{Outcome, Unsent};
use rosterd_core::roster::{ClassTarget, ClassinUid, CourseId, StudentId};

/// One operation with what is remembered of it now.
#[derive(Clone)]
pub(super) struct EnrolmentItem {
    pub(super) operation: EnrolmentOperation,
    pub(super) uid: ClassinUid,
    pub(super) was: Option<Evidence>,
    /// By which contact its account was taken into the school in this run.
    pub(super) joined_by: Option<Fingerprint>,
    /// Whether ClassIn failed again and again over a call that named it with others.
    pub(super) is_divided: bool,
    /// Whether it was in a call that was refused as a whole for want of room.
    pub(super) is_of_too_many: bool,
}

impl EnrolmentItem {
    /// Absent where the account is not known.
    pub(super) fn of(operation: &EnrolmentOperation) -> Option<Self> {
        let (uid, was) = (operation.uid?, operation.recorded);
        Some(Self {
            operation: operation.clone(),
            uid,
            was,
            joined_by: None,
            is_divided: false,
            is_of_too_many: false,
        })
    }

    /// The answer to a call that names it was lost.
    pub(super) fn lose_answer(&mut self) {
        let change = evidence_after(self.operation.kind, self.was, ItemVerdict::Unknown);
        self.was = Some(evidence_of(change).unwrap_or(Evidence::Unknown));
    }
}

/// Students of one class or course, to be added or removed.
pub(super) struct EnrolmentCall(pub(super) Vec<EnrolmentItem>);

impl Items for EnrolmentCall {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn part(&self, positions: &[usize]) -> Self {
        Self(positions.iter().filter_map(|at| self.0.get(*at).cloned()).collect())
    }
}

/// What the calls so far tell of classes and of ClassIn.
#[derive(Default)]
pub(super) struct Classes {
    /// Classes without room, each with the code.
    pub(super) full: BTreeMap<ClassTarget, Code>,
    /// Classes that somebody was to be added to, and that answered.
    pub(super) asked: BTreeSet<ClassTarget>,
    /// Closed classes and courses that are not written down yet, by the class that was called.
    pub(super) closures: Vec<(ClassTarget, Closure)>,
    /// Whether it is the students that ClassIn refuses, or the calls themselves.
    pub(super) refusals: BTreeMap<Call, Refusals>,
    /// What calls tell over which ClassIn failed (5xx), by course.
    pub(super) server_errors: BTreeMap<CourseId, ServerErrors>,
    /// How it failed last over a call that was repeated.
    pub(super) server_error: Option<ClassinError>,
    /// Whether ClassIn answered anything that could be judged.
    pub(super) is_answered: bool,
}

/// The calls that add and remove.
pub(super) struct EnrolmentCalls<'a> {
    pub(super) terms: ClassinApplyContext<'a>,
    pub(super) school: &'a School<'a>,
    /// Accounts of students who have another one by now.
    outdated: &'a HashSet<(StudentId, ClassinUid)>,
    /// Who has left the roster, and since when.
    leavers: &'a BTreeMap<StudentId, i64>,
    classes: Mutex<Classes>,
}

impl<'a> EnrolmentCalls<'a> {
    pub(super) fn new(
        terms: ClassinApplyContext<'a>,
        school: &'a School<'a>,
        (outdated, leavers): (&'a HashSet<(StudentId, ClassinUid)>, &'a BTreeMap<StudentId, i64>),
    ) -> Self {
        Self { terms, school, outdated, leavers, classes: Mutex::default() }
    }

    /// Where a removal finds no such account, and its student has another one by now, it is as good as gone. So it is where the
    /// student has left the roster and ClassIn once had the account in the class: no cell is left that anybody could mend.
    fn gone_where_outdated(&self, call: &EnrolmentCall, judged: &mut JudgedAnswer) {
        for (item, judged) in call.0.iter().zip(&mut judged.items) {
            if let ItemVerdict::Student { code } = judged.verdict
                && item.operation.kind == EnrolmentKind::Remove
                && (self.is_outdated(item) && code.has_no_account()
                    || self.has_left(item) && code.says_no_account())
            {
                judged.verdict = ItemVerdict::Already { code };
            }
        }
    }

    fn is_outdated(&self, item: &EnrolmentItem) -> bool {
        self.outdated.contains(&(item.operation.student.clone(), item.uid))
    }

    fn has_left(&self, item: &EnrolmentItem) -> bool {
        let was_there = matches!(
            item.operation.recorded,
            Some(Evidence::Added | Evidence::Present | Evidence::Presumed | Evidence::Removing)
        );
        was_there && self.leavers.contains_key(&item.operation.student)
    }

    /// Never held across a call.
    pub(super) fn classes(&self) -> MutexGuard<'_, Classes> {
        self.classes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn remember(&self, changes: Vec<EnrolmentChange>) -> Result<(), Broken> {
        let ClassinApplyContext { context, run, .. } = self.terms;
        Ok(context.state.record_enrolments(&changes, run, context.clock.now_ms()).await?)
    }

    /// The code of a class that is known to be full, for the rest of a call that was too large for it.
    fn without_room(&self, call: &EnrolmentCall) -> Option<Code> {
        let first = call.0.first().filter(|item| item.is_of_too_many)?;
        self.classes().full.get(&first.operation.target).copied()
    }

    fn note(&self, call: &EnrolmentCall, judged: &JudgedAnswer) {
        let Some(EnrolmentItem { operation, .. }) = call.0.first() else { return };
        let mut classes = self.classes();
        classes.is_answered = true;
        classes.server_errors.entry(operation.target.course).or_default().answer();
        classes.closures.extend(judged.closed.map(|closure| (operation.target, closure)));
        classes.full.extend(judged.full.map(|code| (operation.target, code)));
        let refusals = classes.refusals.entry(record::call(operation)).or_default();
        if judged.verdicts().any(|verdict| verdict.code().is_some_and(|code| !code.may_be_one_value())) {
            refusals.accept();
        } else if judged.suspect.is_some() {
            refusals.refuse_alone();
        }
        if operation.kind == EnrolmentKind::Enrol {
            classes.asked.insert(operation.target);
        }
    }
}

impl CallService for EnrolmentCalls<'_> {
    type Call = EnrolmentCall;
    type Answer = CallAnswer;
    type Error = ClassinError;
    type Gain = ();

    const SERVICE: Service = Service::Classin;

    fn failures_in_a_row(&self) -> Option<u32> {
        self.terms.side.transport.failures_in_a_row()
    }

    fn stop_signal(&self) -> &CancellationToken {
        &self.terms.context.stop
    }

    async fn before_sending(&self, call: &EnrolmentCall) -> Result<(), Broken> {
        let before = |item: &EnrolmentItem| known(item, evidence_before(item.operation.kind, item.was), None);
        self.remember(call.0.iter().map(before).collect()).await
    }

    async fn send(&self, call: &EnrolmentCall) -> Result<CallAnswer, ClassinError> {
        match self.without_room(call) {
            // One of them was refused alone: what is left of the call needs no asking.
            Some(code) => Ok(CallAnswer { top: Some(code.0), ..CallAnswer::default() }),
            None => send(self.terms, &call.0).await,
        }
    }

    async fn judge(&self, call: &mut EnrolmentCall, answer: CallAnswer) -> Result<Judged<()>, Broken> {
        let mut judged = judge_answer(self.terms, &call.0, &answer);
        self.gone_where_outdated(call, &mut judged);
        let mut changes = Vec::with_capacity(call.0.len());
        let mut still_there = Vec::new();
        for (item, verdict) in call.0.iter_mut().zip(judged.verdicts()) {
            still_there.extend(removal_that_never_was(item, verdict));
            let change = evidence_after(item.operation.kind, item.was, verdict);
            changes.push(known(item, change, Some(verdict)));
            item.was = evidence_of(change);
        }
        self.remember(changes).await?;
        self.terms.context.state.take_back_writes(&still_there, self.terms.context.clock.now_ms()).await?;
        if judged.order_differs {
            tracing::debug!("ClassIn answered in another order than it was asked");
        }
        self.note(call, &judged);
        let stop = judged.stop.map(|(stop, code)| ServiceStop::ClassinCode { stop, code });
        let divides = {
            let classes = self.classes();
            call.what().and_then(|what| classes.refusals.get(&what)).is_none_or(Refusals::divides)
        };
        let is_full = self.without_room(call).is_some();
        let items = call.0.iter_mut().zip(judged.items);
        let items = items.map(|(item, judged)| match too_many(&judged) {
            Some(_) if !is_full => {
                item.is_of_too_many = true;
                halves(item, judged)
            }
            Some(_) | None => judgement(item, judged, divides),
        });
        Ok(Judged { stop, ..Judged::of(items.collect()) })
    }

    async fn after_error(
        &self,
        call: &mut EnrolmentCall,
        error: &ClassinError,
        attempt: Attempt,
    ) -> Result<Judged<()>, Broken> {
        if error.is_lost() {
            call.0.iter_mut().for_each(EnrolmentItem::lose_answer);
        } else {
            // Nothing was changed there, so what is remembered goes back to what it was.
            let back = |item: &EnrolmentItem| {
                known(item, item.was.map_or(EvidenceChange::Forget, EvidenceChange::Record), None)
            };
            self.remember(call.0.iter().map(back).collect()).await?;
        }
        if let Some(judged) = self.after_server_error(call, error, attempt) {
            return Ok(judged);
        }
        let pause = self.terms.side.retry_delays.before_repeating;
        let action = call.0.first().map_or("", |item| action(&item.operation));
        let failed = FailedCall { kind: CallKind::Enrolment, action, items: call.len(), error };
        Ok(cause::without_an_answer(failed, pause, self.terms.side))
    }

    async fn repair(&self, call: &mut EnrolmentCall, positions: &[usize]) -> Result<Repaired<()>, Broken> {
        repair::repair(self.terms, self.school, call, positions).await
    }
}

/// Makes the call.
pub(super) async fn send(
    terms: ClassinApplyContext<'_>,
    items: &[EnrolmentItem],
) -> Result<CallAnswer, ClassinError> {
    let Some(first) = items.first() else { return Ok(CallAnswer::default()) };
    let target = first.operation.target;
    let writer = if first.is_divided { terms.writer.for_parts() } else { terms.writer.clone() };
    if first.operation.kind == EnrolmentKind::Remove {
        let uids: Vec<ClassinUid> = items.iter().map(|item| item.uid).collect();
        return writer.remove_from_class(target, &uids).await;
    }
    let sent: Vec<AddItem> = items
        .iter()
        .zip(tokens(terms, items))
        .map(|(item, token)| AddItem { uid: item.uid, token })
        .collect();
    writer.add_to_class(target, &sent).await
}

/// Judges what came back.
pub(super) fn judge_answer(
    terms: ClassinApplyContext<'_>,
    items: &[EnrolmentItem],
    answer: &CallAnswer,
) -> JudgedAnswer {
    let Some(first) = items.first() else { return JudgedAnswer::default() };
    let what = call(&first.operation);
    if first.operation.kind == EnrolmentKind::Remove {
        let mut judged = judge(what, Sent::Positions(items.len()), answer);
        if first.operation.class_code.is_none() {
            over_where_not_there(&mut judged, first.operation.target);
        }
        for (item, judged) in items.iter().zip(&mut judged.items) {
            if let ItemVerdict::Student { code } = judged.verdict
                && item.operation.is_replaced
                && code.has_no_account()
            {
                judged.verdict = ItemVerdict::Already { code };
            }
        }
        return judged;
    }
    judge(what, Sent::Tokens(&tokens(terms, items)), answer)
}

/// Of a class or a course that no row of the roster names: by ids that ClassIn does not know, nobody is anywhere. What it says
/// of the course of a class is over for that class alone: rows may name the course, or others of its classes.
pub(super) fn over_where_not_there(judged: &mut JudgedAnswer, target: ClassTarget) {
    let reach = |scope: Scope| if target.class.is_some() { Scope::Class } else { scope };
    if let Some(closure) = judged.closed.as_mut().filter(|closure| closure.code.is_not_there()) {
        *closure = Closure { scope: reach(closure.scope), for_good: true, ..*closure };
    }
    for item in &mut judged.items {
        if let ItemVerdict::Closed { scope, for_good, code } = &mut item.verdict
            && code.is_not_there()
        {
            (*scope, *for_good) = (reach(*scope), true);
        }
    }
}

fn tokens(terms: ClassinApplyContext<'_>, items: &[EnrolmentItem]) -> Vec<Token> {
    let token = |item: &EnrolmentItem| {
        Token::derive(terms.token_key, &item.operation.student, item.operation.class_code.as_ref())
    };
    items.iter().map(token).collect()
}

/// Nobody leaves a class any more that takes no changes for good: its members are forgotten, and there is nothing to do.
pub(super) fn nobody_leaves<G>() -> Outcome<G> {
    Outcome::Unsent(Unsent::Unneeded)
}

/// The code of a call that was refused as a whole for want of room.
pub(super) fn too_many(judged: &JudgedItem) -> Option<Code> {
    let ItemVerdict::Halve { code } = judged.verdict else { return None };
    code.is_full().then_some(code)
}

/// Half of them may find room.
fn halves(item: &EnrolmentItem, judged: JudgedItem) -> Judgement<()> {
    let otherwise = cause::of_verdict(call(&item.operation), no_room(judged.verdict), judged.text);
    let otherwise = cause::outcome(otherwise.unwrap_or_else(cause::lost));
    Judgement::SendAgain { part: Part::Halves, otherwise }
}

/// Want of room waits for room, also where it was said of a whole call.
pub(super) fn no_room(verdict: ItemVerdict) -> ItemVerdict {
    if let ItemVerdict::Halve { code } = verdict
        && code.is_full()
    {
        return ItemVerdict::Full { code };
    }
    verdict
}

fn judgement(item: &EnrolmentItem, judged: JudgedItem, divides: bool) -> Judgement<()> {
    let JudgedItem { verdict, text } = judged;
    let verdict = no_room(verdict);
    let failed = || {
        let cause = cause::of_verdict(call(&item.operation), verdict, text.clone());
        let cause = cause.unwrap_or_else(cause::lost);
        cause::outcome(if item.operation.is_put_back { cause::until_put_back(cause) } else { cause })
    };
    match verdict {
        ItemVerdict::Done { .. } | ItemVerdict::Already { .. } => Judgement::Settled(Outcome::Applied(())),
        ItemVerdict::StopRun { .. } => Judgement::Settled(Outcome::Unsent(Unsent::ServiceStopped)),
        ItemVerdict::Closed { for_good: true, .. } if item.operation.kind == EnrolmentKind::Remove => {
            Judgement::Settled(nobody_leaves())
        }
        ItemVerdict::Repair { .. } => match item.joined_by {
            Some(contact) => Judgement::Settled(repair::joined_in_vain(contact)),
            None => Judgement::Repair(failed()),
        },
        ItemVerdict::Unknown => Judgement::SendAgain { part: Part::Whole, otherwise: failed() },
        ItemVerdict::SendSingly => Judgement::SendAgain { part: Part::Single, otherwise: failed() },
        ItemVerdict::Halve { .. } if !divides => Judgement::Settled(undivided()),
        ItemVerdict::Halve { .. } => Judgement::SendAgain { part: Part::Halves, otherwise: failed() },
        ItemVerdict::Repeat { .. }
        | ItemVerdict::Retry { .. }
        | ItemVerdict::Full { .. }
        | ItemVerdict::Student { .. }
        | ItemVerdict::Closed { .. } => Judgement::Settled(failed()),
    }
}

/// The removal that was sent before, where an add shows that the student is still there.
fn removal_that_never_was(item: &EnrolmentItem, verdict: ItemVerdict) -> Option<OperationKey> {
    let is_add = item.operation.kind == EnrolmentKind::Enrol;
    let was_sent = item.was.is_some_and(Evidence::is_being_removed);
    let is_there = matches!(verdict, ItemVerdict::Already { .. });
    (is_add && was_sent && is_there).then(|| {
        let removal = EnrolmentOperation { kind: EnrolmentKind::Remove, ..item.operation.clone() };
        Subject::from(&removal).key
    })
}

fn evidence_of(change: EvidenceChange) -> Option<Evidence> {
    match change {
        EvidenceChange::Record(evidence) => Some(evidence),
        EvidenceChange::Forget => None,
    }
}

/// What is remembered from now on; without a verdict, that a call is about to be made, or was not.
fn known(item: &EnrolmentItem, change: EvidenceChange, verdict: Option<ItemVerdict>) -> EnrolmentChange {
    let (uid, target) = (item.uid, item.operation.target);
    let code = verdict.and_then(|verdict| verdict.code());
    let is_success = verdict.is_some_and(|verdict| verdict.is_success());
    match change {
        EvidenceChange::Record(evidence) => EnrolmentChange::Know {
            record: EnrolmentRecord::new(uid, target, item.operation.student.clone(), evidence),
            code,
            is_confirmed: is_success && item.operation.kind == EnrolmentKind::Enrol,
        },
        EvidenceChange::Forget if verdict.is_some() && item.operation.kind == EnrolmentKind::Remove => {
            EnrolmentChange::Out { uid, target, code }
        }
        EvidenceChange::Forget => EnrolmentChange::Forget { uid, target },
    }
}
