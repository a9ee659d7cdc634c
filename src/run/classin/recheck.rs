//! The nightly check: adds the enrolments with the oldest evidence once more, so that it is fresh again.
//!
//! "Is there already" confirms; "done" says that somebody had taken the student out. Off by default, and never more
//! calls a day than the setting allows: what the halves of one cost beyond it, the next days make up for.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use jiff::civil::Date;
use tokio_util::sync::CancellationToken;

use super::closed_classes::WaitingForClosed;
use super::context::ClassinApplyContext;
use super::enrolments::{
    EnrolmentCall, EnrolmentItem, judge_answer, no_room, over_where_not_there, send, too_many,
};
use super::plan::ClassinPlan;
use super::record::{self, action};
use super::standing::StandingEnrolments;
use super::{ClassinSide, ClassinSyncError, cause};
use crate::remote::classin::{ClassinDisposition, ClassinError};
use crate::run::Context;
use crate::run::delivery::{
    Attempt, Broken, CallService, Items, Judged, Judgement, Part, Place, ServiceStop, Trouble, deliver,
    failure,
};
use crate::run::in_one_line;
use crate::run::report::ServiceReport;
use crate::run::severity::Severity;
use crate::store::{CallRecord, ClosedClass, EnrolmentChange, StoreError};
use rosterd_core::classin_plan::{
    CallAnswer, Closure, Code, EnrolmentKind, EnrolmentOperation, EnrolmentRecord, Evidence, ItemVerdict,
    JudgedItem, Scope, StaleEnrolments, Subject, decide,
};
use rosterd_core::counted::counted;
use rosterd_core::failure::{NextAttempt, Service};
use rosterd_core::outcome::{FailureCause, Outcome, Unsent};
use rosterd_core::roster::{ClassCode, ClassTarget};

/// The fact under which today's calls are counted: the day, then how many.
const USED: &str = "classin.verified";

/// The local day, and how many calls of it are used up.
#[derive(Clone)]
struct Day {
    date: String,
    used: usize,
}

impl Day {
    async fn read(context: &Context, side: &ClassinSide) -> Result<Self, StoreError> {
        let date = context.clock.now().to_zoned(side.time_zone.clone()).date();
        let stored = context.state.fact(USED).await?.unwrap_or_default();
        let used = match stored.split_once(' ').map(|(day, used)| (day.parse::<Date>(), used.parse())) {
            // A day that lies ahead is one of a clock that was wrong: its budget is none of this day's.
            Some((Ok(day), Ok(used))) if day <= date => {
                let days = usize::try_from((date - day).get_days()).unwrap_or(0);
                usize::saturating_sub(used, days.saturating_mul(budget(side)))
            }
            Some((Ok(day), Err(_))) if day == date => usize::MAX,
            Some(_) | None => 0,
        };
        let date = date.to_string();
        Ok(Self { date, used })
    }

    fn use_up(&mut self, calls: usize) {
        self.used = self.used.saturating_add(calls);
    }

    /// As it is stored.
    fn word(&self) -> String {
        format!("{} {}", self.date, self.used)
    }
}

/// Most calls a day.
fn budget(side: &ClassinSide) -> usize {
    usize::try_from(side.settings.verify_calls).unwrap_or(0)
}

/// As many as today's budget has left.
pub(super) async fn within_budget(
    context: &Context,
    side: &ClassinSide,
) -> Result<StaleEnrolments, StoreError> {
    let budget = budget(side);
    if budget == 0 {
        return Ok(StaleEnrolments::none());
    }
    let day = Day::read(context, side).await?;
    Ok(StaleEnrolments::at_most(budget.saturating_sub(day.used), side.settings.batch_size))
}

/// Makes the calls, each once: what is not confirmed today is older tomorrow.
pub(super) async fn run(
    terms: ClassinApplyContext<'_>,
    stale: StaleEnrolments,
    known: (&StandingEnrolments, &HashMap<ClassTarget, ClassCode>),
    report: &mut ServiceReport,
) -> Result<(), ClassinSyncError> {
    let calls = stale.into_calls();
    if calls.is_empty() {
        return Ok(());
    }
    let mut day = Day::read(terms.context, terms.side).await?;
    let budget = budget(terms.side);
    for operations in calls {
        if terms.context.stop.is_cancelled() {
            break;
        }
        // Calls that were too large for a class have cost more.
        if day.used >= budget {
            break;
        }
        day.use_up(1);
        terms.context.state.remember(USED, Some(&day.word())).await?;
        if !one_call((terms, &mut day), &operations, known, report).await? {
            break;
        }
    }
    if report.restored > 0 {
        report.notes.push(format!(
            "classin: {} had been taken out of a class or course by somebody else, and {} put back",
            counted(report.restored, "student"),
            if report.restored == 1 { "was" } else { "were" }
        ));
    }
    Ok(())
}

/// One call; says whether there may be another.
async fn one_call(
    (terms, day): (ClassinApplyContext<'_>, &mut Day),
    operations: &[EnrolmentOperation],
    known: (&StandingEnrolments, &HashMap<ClassTarget, ClassCode>),
    report: &mut ServiceReport,
) -> Result<bool, ClassinSyncError> {
    let calls = RecheckCalls::new(terms, Some(day.clone()));
    let call = EnrolmentCall(operations.iter().filter_map(EnrolmentItem::of).collect());
    let delivered = deliver(&calls, call).await?;
    if let Some(after) = calls.day.lock().unwrap_or_else(PoisonError::into_inner).take() {
        *day = after;
    }
    let mut refused = CallRecord::default();
    for (index, (operation, outcome)) in operations.iter().zip(&delivered.outcomes).enumerate() {
        match outcome {
            Outcome::Applied(Found::TakenOut) => {
                report.restored += 1;
                report.count(EnrolmentKind::Enrol.as_str(), outcome);
            }
            Outcome::Applied(Found::AsRemembered) => report.verified += 1,
            Outcome::Failed(cause) => {
                report.count(EnrolmentKind::Enrol.as_str(), outcome);
                report.worsen(Severity::of_outcome(&outcome.clone().without_gain()));
                let place = Place { index: u64::try_from(index).ok(), ..Place::at(action(operation)) };
                let subject = Subject::from(operation).into();
                refused.failures.extend(failure(terms.context, &subject, cause, place).await?);
            }
            Outcome::Unknown(_) | Outcome::Held | Outcome::Unsent(_) => {}
        }
    }
    if !refused.failures.is_empty() {
        let now_ms = terms.context.clock.now_ms();
        terms.context.state.record_call(&refused, terms.run, now_ms).await?;
    }
    let closed = calls.closed.into_inner().unwrap_or_else(PoisonError::into_inner);
    tell_closed(terms, &closed, known, report).await?;
    if let Some(stop) = &delivered.stop {
        report.fail(stop.severity(), format!("classin: {stop}"));
    }
    Ok(delivered.stop.is_none() && delivered.trouble.is_none())
}

/// A class that turned out to be deleted keeps everybody out who is wanted there: they stand among the failures.
async fn tell_closed(
    terms: ClassinApplyContext<'_>,
    closed: &[(ClassTarget, Code, String)],
    (standing, codes): (&StandingEnrolments, &HashMap<ClassTarget, ClassCode>),
    report: &mut ServiceReport,
) -> Result<(), ClassinSyncError> {
    let ClassinApplyContext { context, run, .. } = terms;
    for (target, code, sentence) in closed {
        report.notes.push(sentence.clone());
        if !code.is_deleted() {
            continue;
        }
        let mut waiting = WaitingForClosed::default();
        waiting.add_members(context, (*target, *code), codes, &HashSet::new()).await?;
        if !waiting.is_empty() {
            report.worsen(Severity::Incomplete);
            let names = context.state.class_names().await?;
            standing.record_closed(context, (waiting, &names), run, context.clock.now_ms()).await?;
        }
    }
    Ok(())
}

/// What ClassIn said of a class that was asked whether it takes changes.
pub(super) enum Answered {
    TakesChanges,
    /// Never again, which is written down.
    Closed,
    /// Its ids are not taken, or nothing is taken now: why, where ClassIn said so.
    Refused(Option<FailureCause>),
    /// Nothing that tells.
    Not,
}

/// Adds somebody once more who is recorded in a class, to learn whether the class takes changes.
pub(super) async fn ask_once(
    terms: ClassinApplyContext<'_>,
    question: &EnrolmentOperation,
    plan: &ClassinPlan,
    report: &mut ServiceReport,
) -> Result<Answered, ClassinSyncError> {
    let calls = RecheckCalls::new(terms, None);
    let call = EnrolmentCall(EnrolmentItem::of(question).into_iter().collect());
    let delivered = deliver(&calls, call).await?;
    let closed = std::mem::take(&mut *calls.closed.lock().unwrap_or_else(PoisonError::into_inner));
    tell_closed(terms, &closed, (&plan.standing, &plan.codes), report).await?;
    if let Some(stop) = &delivered.stop {
        report.fail(stop.severity(), format!("classin: {stop}"));
    } else if let Some(trouble) = &delivered.trouble {
        let target = question.target;
        report.fail(
            Severity::Incomplete,
            format!(
                "classin: whether {target} takes changes still is asked again by the next run: {trouble}"
            ),
        );
    }
    Ok(if calls.was_closed.into_inner() {
        Answered::Closed
    } else if delivered.stop.is_some() || delivered.trouble.is_some() {
        Answered::Not
    } else {
        match delivered.outcomes.first() {
            // Whoever is refused for their own sake is refused by a class that takes others.
            Some(Outcome::Applied(_) | Outcome::Failed(_)) => Answered::TakesChanges,
            Some(Outcome::Unknown(_) | Outcome::Held | Outcome::Unsent(_)) | None => {
                Answered::Refused(calls.refused.into_inner().unwrap_or_else(PoisonError::into_inner))
            }
        }
    })
}

/// How an enrolment was found that ClassIn confirms.
#[derive(Clone, Copy)]
enum Found {
    AsRemembered,
    /// Somebody had taken the student out; the call has put them back.
    TakenOut,
}

/// The calls of the check. None is repeated, but for one that is too large for what room there is: whatever becomes of
/// one, it can only put somebody back, so what we remember stays true.
struct RecheckCalls<'a> {
    terms: ClassinApplyContext<'a>,
    /// Classes and courses that take no changes any more, each with the code and in a sentence for the report.
    closed: Mutex<Vec<(ClassTarget, Code, String)>>,
    /// Whether one was closed for good.
    was_closed: AtomicBool,
    /// What was said last.
    refused: Mutex<Option<FailureCause>>,
    /// What is used up of the day's budget, where the call belongs to it.
    day: Mutex<Option<Day>>,
}

impl<'a> RecheckCalls<'a> {
    fn new(terms: ClassinApplyContext<'a>, day: Option<Day>) -> Self {
        Self {
            terms,
            closed: Mutex::default(),
            was_closed: AtomicBool::new(false),
            refused: Mutex::default(),
            day: Mutex::new(day),
        }
    }

    /// Two more calls, for the halves of one. What they are beyond the day's budget is taken from that of the days to come:
    /// else a class that needs more than one day's would be begun anew each day.
    async fn count_halves(&self) -> Result<(), StoreError> {
        let word = {
            let mut day = self.day.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(day) = day.as_mut() else { return Ok(()) };
            day.use_up(2);
            day.word()
        };
        self.terms.context.state.remember(USED, Some(&word)).await
    }

    /// Where ClassIn does not know the course of a class that no row names, its other classes are asked anew: their ids are wrong
    /// too, and nobody would be told.
    async fn prove_course(
        &self,
        target: ClassTarget,
        closed: Option<Closure>,
    ) -> Result<Vec<EnrolmentChange>, StoreError> {
        let is_of_course = closed.is_some_and(|it| it.scope == Scope::Course && it.code.is_not_there());
        if !is_of_course {
            return Ok(Vec::new());
        }
        let remembered = self.terms.context.state.enrolments_of_course(target.course).await?.into_iter();
        let others = remembered.map(|(record, _)| record).filter(|record| record.target != target);
        Ok(others
            .map(|EnrolmentRecord { uid, target, .. }| EnrolmentChange::NeedsProof { uid, target })
            .collect())
    }

    /// A class that is closed for good, written down; one that is over concerns nobody.
    fn close(&self, operation: &EnrolmentOperation, closure: Closure) -> EnrolmentChange {
        let target = match closure.scope {
            Scope::Class => operation.target,
            Scope::Course => ClassTarget { class: None, ..operation.target },
        };
        let message = decide(record::call(operation), closure.code).message.to_owned();
        if !closure.code.has_ended() {
            let mut closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
            closed.push((
                target,
                closure.code,
                format!("classin: {target}: {message} (code {})", closure.code),
            ));
        }
        EnrolmentChange::Close(ClosedClass { target, code: closure.code, message })
    }
}

impl CallService for RecheckCalls<'_> {
    type Call = EnrolmentCall;
    type Answer = CallAnswer;
    type Error = ClassinError;
    type Gain = Found;

    const SERVICE: Service = Service::Classin;

    fn failures_in_a_row(&self) -> Option<u32> {
        self.terms.side.transport.failures_in_a_row()
    }

    fn stop_signal(&self) -> &CancellationToken {
        &self.terms.context.stop
    }

    async fn send(&self, call: &EnrolmentCall) -> Result<CallAnswer, ClassinError> {
        send(self.terms, &call.0).await
    }

    async fn judge(&self, call: &mut EnrolmentCall, answer: CallAnswer) -> Result<Judged<Found>, Broken> {
        let mut judged = judge_answer(self.terms, &call.0, &answer);
        let unnamed = call.0.first().map(|first| &first.operation).filter(|one| one.class_code.is_none());
        let mut changes = Vec::new();
        if let Some(operation) = unnamed {
            changes = self.prove_course(operation.target, judged.closed).await?;
            over_where_not_there(&mut judged, operation.target);
        }
        if let (Some(item), Some(first)) = (call.0.first(), judged.items.first()) {
            let verdict = no_room(first.verdict);
            let said = cause::of_verdict(record::call(&item.operation), verdict, first.text.clone());
            *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = said;
        }
        let items = call.0.iter().zip(judged.verdicts());
        changes.extend(items.filter_map(|(item, verdict)| change(item, verdict)));
        if let (Some(closure), Some(first)) = (judged.closed.filter(|it| it.for_good), call.0.first()) {
            self.was_closed.store(true, Ordering::Relaxed);
            changes.push(self.close(&first.operation, closure));
        }
        let ClassinApplyContext { context, run, .. } = self.terms;
        context.state.record_enrolments(&changes, run, context.clock.now_ms()).await?;
        let stop = judged.stop.map(|(stop, code)| ServiceStop::ClassinCode { stop, code });
        let is_of_all = judged.items.iter().any(|judged| too_many(judged).is_some());
        if is_of_all {
            self.count_halves().await?;
        }
        let items = call.0.iter().zip(judged.items);
        let items = items.map(|(item, judged)| {
            let is_of_all = too_many(&judged).is_some();
            let otherwise = found(&item.operation, judged);
            // Of several, most are there and need no room.
            if is_of_all {
                Judgement::SendAgain { part: Part::Halves, otherwise }
            } else {
                Judgement::Settled(otherwise)
            }
        });
        Ok(Judged { stop, ..Judged::of(items.collect()) })
    }

    async fn after_error(
        &self,
        call: &mut EnrolmentCall,
        error: &ClassinError,
        _attempt: Attempt,
    ) -> Result<Judged<Found>, Broken> {
        let is_stop = matches!(error.disposition(), ClassinDisposition::Stop(_));
        let left = Judgement::Settled(Outcome::Unsent(Unsent::LeftForLater));
        Ok(Judged {
            stop: is_stop.then(|| ServiceStop::classin(error)),
            trouble: Some(Trouble { message: in_one_line(error), stop: None }),
            ..Judged::all(call.len(), left)
        })
    }
}

/// Who cannot be in the class after all is a failure: the next run that may try adds them once more, and does whatever
/// such an answer asks for. What says nothing about a student is asked again another day.
fn found(operation: &EnrolmentOperation, judged: JudgedItem) -> Outcome<Found> {
    let JudgedItem { verdict, text } = judged;
    let verdict = no_room(verdict);
    let refused = |next: Option<NextAttempt>| {
        let cause = cause::of_verdict(record::call(operation), verdict, text.clone());
        cause.map(|cause| FailureCause { next: next.or(cause.next), contact: None, ..cause })
    };
    let refused = match verdict {
        ItemVerdict::Done { .. } => return Outcome::Applied(Found::TakenOut),
        ItemVerdict::Already { .. } => return Outcome::Applied(Found::AsRemembered),
        ItemVerdict::Student { code } if code.says_no_account() => refused(Some(NextAttempt::AfterDelay)),
        ItemVerdict::Repair { .. } | ItemVerdict::Full { .. } | ItemVerdict::Student { .. } => refused(None),
        ItemVerdict::Repeat { .. }
        | ItemVerdict::Retry { .. }
        | ItemVerdict::Closed { .. }
        | ItemVerdict::StopRun { .. }
        | ItemVerdict::Unknown
        | ItemVerdict::SendSingly
        | ItemVerdict::Halve { .. } => None,
    };
    refused.map_or(Outcome::Unsent(Unsent::LeftForLater), cause::outcome)
}

/// What the answer does to our evidence. Only "done" and "already there" say anything: whatever else comes leaves what
/// we know as it is.
fn change(item: &EnrolmentItem, verdict: ItemVerdict) -> Option<EnrolmentChange> {
    let evidence = match verdict {
        ItemVerdict::Done { .. } => Evidence::Added,
        // Nobody is known to be in a class that is asked before students leave the course for it.
        ItemVerdict::Already { .. } => item.was.unwrap_or(Evidence::Present),
        ItemVerdict::Repair { .. }
        | ItemVerdict::Student { .. }
        | ItemVerdict::Full { .. }
        | ItemVerdict::Repeat { .. }
        | ItemVerdict::Retry { .. }
        | ItemVerdict::Closed { .. }
        | ItemVerdict::StopRun { .. }
        | ItemVerdict::Unknown
        | ItemVerdict::SendSingly
        | ItemVerdict::Halve { .. } => return None,
    };
    Some(EnrolmentChange::Know {
        record: EnrolmentRecord::new(
            item.uid,
            item.operation.target,
            item.operation.student.clone(),
            evidence,
        ),
        code: verdict.code(),
        is_confirmed: verdict.is_success(),
    })
}
