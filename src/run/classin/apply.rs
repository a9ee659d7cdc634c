//! Applies ClassIn's operations: one call at a time within a course, courses side by side.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::stream::{self, StreamExt};

use super::ClassinSyncError;
use super::guard::Approvals;
use super::outcome::OutcomeKind;
use super::outcome::{EnrolmentOutcome, outcome_of, outcome_without_call};
use super::plan::ClassinPlan;
use super::record::{self, ClassinFailureCause, Subject};
use super::repair::repair;
use super::school::School;
use super::send::{ClassinApplyContext, ClassinSendResult, EnrolmentItem, refuses_the_calls, send};
use crate::run::severity::Severity;
use crate::run::report::ServiceReport;
use crate::store::{
    AccountChange, CallRecord, ClosedClass, Departure, EnrolmentChange, FullClass, StoreError,
};
use rosterd_core::classin_plan::{
    Call, Code, EnrolmentBatch, EnrolmentKind, EnrolmentOperation, Scope, batches, decide,
};
use rosterd_core::failure::Service;
use rosterd_core::roster::{ClassTarget, ClassinUid, CourseId};

/// An account in one class, and what is done about it: what a verdict belongs to.
type Key = (EnrolmentKind, ClassTarget, Option<ClassinUid>);

/// After so many calls in a row that the service itself failed, it is not called any more in this run.
const BREAKER: u32 = 3;

/// Whether ClassIn may be called any more in this run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MayGoOn {
    Yes,
    No,
}

#[derive(Default)]
struct ClassinApplyState {
    ends: HashMap<Key, EnrolmentOutcome>,
    stopped: Option<(Severity, String)>,
    closed: BTreeMap<ClassTarget, Code>,
    /// Classes without room, each with the code.
    full: BTreeMap<ClassTarget, Code>,
    /// Classes that somebody was to be added to, and that answered.
    asked: BTreeSet<ClassTarget>,
    failures_in_a_row: u32,
    answered: bool,
    trouble: Option<String>,
    suspects: u32,
    batches: u64,
    broken: Option<ClassinSyncError>,
    errors: Vec<String>,
}

struct ClassinApplier<'a> {
    terms: ClassinApplyContext<'a>,
    school: &'a School<'a>,
    /// Operations that end as another one does.
    followers: HashMap<Key, Vec<&'a EnrolmentOperation>>,
    approved: &'a Approvals,
    state: Mutex<ClassinApplyState>,
}

/// Applies the operations and counts each once.
pub(super) async fn run(
    terms: ClassinApplyContext<'_>,
    school: &School<'_>,
    plan: &ClassinPlan,
    approved: &Approvals,
    stopped: Option<(Severity, String)>,
    report: &mut ServiceReport,
) -> Result<MayGoOn, ClassinSyncError> {
    let ClassinApplyContext { context, side, .. } = terms;
    let applier = ClassinApplier::new(terms, school, plan, approved, stopped);
    let mut courses: BTreeMap<CourseId, Vec<EnrolmentBatch>> = BTreeMap::new();
    for batch in batches(&plan.operations, side.settings.batch_size, &plan.full) {
        courses.entry(batch.target.course).or_default().push(batch);
    }
    let calls: usize = courses.values().map(Vec::len).sum();
    let bar = context.progress.bar("mirroring classes", u64::try_from(calls).unwrap_or(0));
    let in_flight = side.settings.endpoint.max_in_flight.max(1);
    let applier = &applier;
    let bar = &bar;
    stream::iter(courses.into_values().map(|batches| async move {
        for batch in &batches {
            applier.batch(batch).await;
            bar.advance(1);
        }
        applier.fill_up(&batches, plan).await;
    }))
    .buffer_unordered(in_flight)
    .collect::<Vec<()>>()
    .await;
    applier.finish(plan, report).await
}

fn key(operation: &EnrolmentOperation) -> Key {
    (operation.kind, operation.target, operation.uid)
}

impl<'a> ClassinApplier<'a> {
    fn new(
        terms: ClassinApplyContext<'a>,
        school: &'a School<'a>,
        plan: &'a ClassinPlan,
        approved: &'a Approvals,
        stopped: Option<(Severity, String)>,
    ) -> Self {
        let mut followers: HashMap<Key, Vec<&EnrolmentOperation>> = HashMap::new();
        for operation in plan.operations.iter().filter(|operation| operation.follows) {
            followers.entry(key(operation)).or_default().push(operation);
        }
        let work = Mutex::new(ClassinApplyState { stopped, ..ClassinApplyState::default() });
        Self { terms, school, followers, approved, state: work }
    }

    fn state(&self) -> MutexGuard<'_, ClassinApplyState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn record(&self, record: &CallRecord) -> Result<(), StoreError> {
        let now_ms = self.terms.context.clock.now_ms();
        self.terms.context.state.record_call(record, self.terms.run, now_ms).await
    }

    async fn batch(&self, batch: &EnrolmentBatch) {
        if self.must_skip(batch) {
            return;
        }
        let items: Vec<EnrolmentItem> = batch
            .operations
            .iter()
            .filter_map(|operation| {
                Some(EnrolmentItem {
                    uid: operation.uid?,
                    was: operation.recorded,
                    operation: operation.clone(),
                })
            })
            .collect();
        let number = {
            let mut work = self.state();
            work.batches += 1;
            work.batches
        };
        if let Err(error) = self.send(batch, &items, number).await {
            // It may have been sent, and nobody wrote down what came of it.
            let mut work = self.state();
            for item in &items {
                work.ends.entry(key(&item.operation)).or_insert(EnrolmentOutcome::of(OutcomeKind::Unknown));
            }
            work.broken = Some(error);
        }
    }

    async fn send(
        &self,
        batch: &EnrolmentBatch,
        items: &[EnrolmentItem],
        number: u64,
    ) -> Result<(), ClassinSyncError> {
        let mut sending = send(self.terms, items.to_vec(), 0).await?;
        if batch.kind == EnrolmentKind::Enrol {
            repair(self.terms, self.school, items, &mut sending).await?;
        }
        Ok(self.outcome(batch, items, sending, number).await?)
    }

    /// A class that was full, and from which somebody was removed since, takes so many of the others.
    async fn fill_up(&self, batches: &[EnrolmentBatch], plan: &ClassinPlan) {
        if self.state().full.is_empty() {
            return;
        }
        let mut room: BTreeMap<ClassTarget, usize> = BTreeMap::new();
        for (key, end) in &self.state().ends {
            if key.0 == EnrolmentKind::Remove && end.kind == OutcomeKind::Applied {
                *room.entry(key.1).or_default() += 1;
            }
        }
        // Where the removals came first, the room is taken.
        let late = |batch: &&EnrolmentBatch| {
            batch.kind == EnrolmentKind::Enrol && !plan.full.contains(&batch.target)
        };
        for batch in batches.iter().filter(late) {
            let Some(room) = room.get_mut(&batch.target) else { continue };
            let left: Vec<EnrolmentOperation> = {
                let mut work = self.state();
                if work.full.remove(&batch.target).is_none() {
                    continue;
                }
                let is_done = |operation: &&EnrolmentOperation| {
                    work.ends.get(&key(operation)).is_some_and(|end| end.kind == OutcomeKind::Applied)
                };
                batch.operations.iter().filter(|one| !is_done(one)).take(*room).cloned().collect()
            };
            *room -= left.len();
            if !left.is_empty() {
                self.batch(&EnrolmentBatch { operations: left, ..*batch }).await;
            }
            if *room > 0 {
                self.state().full.entry(batch.target).or_insert(Code::NO_ROOM);
            }
        }
    }

    /// Whether a batch is left for another run; its operations then count as skipped.
    fn must_skip(&self, batch: &EnrolmentBatch) -> bool {
        let work = self.state();
        let course = ClassTarget { class: None, ..batch.target };
        let full = batch.kind == EnrolmentKind::Enrol && work.full.contains_key(&batch.target);
        work.stopped.is_some()
            || work.broken.is_some()
            || full
            || work.closed.contains_key(&batch.target)
            || work.closed.contains_key(&course)
            || self.terms.context.stop.is_cancelled()
    }

    async fn outcome(
        &self,
        batch: &EnrolmentBatch,
        items: &[EnrolmentItem],
        sending: ClassinSendResult,
        number: u64,
    ) -> Result<(), StoreError> {
        let mut record = CallRecord::default();
        let mut ends = Vec::new();
        for (index, (item, settled)) in items.iter().zip(&sending.items).enumerate() {
            let key = key(&item.operation);
            let end = outcome_of(settled, sending.stop.is_some());
            let followers = self.followers.get(&key).map_or(&[][..], Vec::as_slice);
            for operation in std::iter::once(&item.operation).chain(followers.iter().copied()) {
                if end.kind == OutcomeKind::Applied {
                    self.note_applied(&mut record, operation);
                } else if end.is_recorded {
                    let cause = ClassinFailureCause {
                        batch: Some(number),
                        index: u64::try_from(index).ok(),
                        ..record::explain(operation, settled)
                    };
                    let subject = Subject::from(operation);
                    record.failures.push(record::failure(self.terms.context, &subject, cause).await?);
                }
            }
            ends.push((key, end));
        }
        self.record(&record).await?;
        self.close(batch, &sending).await?;
        self.note_service(batch, &sending);
        self.state().ends.extend(ends);
        Ok(())
    }

    fn note_applied(&self, record: &mut CallRecord, operation: &EnrolmentOperation) {
        record.applied.push(Subject::from(operation).key);
        if let (EnrolmentKind::Enrol, Some(uid)) = (operation.kind, operation.uid) {
            record.accounts.push(AccountChange::Accepted { student: operation.student.clone(), uid });
        }
        if operation.kind == EnrolmentKind::Remove {
            let is_approved = self.approved.contains(operation);
            let student = operation.student.clone();
            record.departures.push(Departure { service: Service::Classin, student, is_approved });
        }
    }

    async fn close(&self, batch: &EnrolmentBatch, sending: &ClassinSendResult) -> Result<(), StoreError> {
        let mut changes = Vec::new();
        for closure in &sending.closed {
            let target = match closure.scope {
                Scope::Class => batch.target,
                Scope::Course => ClassTarget { class: None, ..batch.target },
            };
            let known = self.state().closed.insert(target, closure.code).is_some();
            if known {
                continue;
            }
            let call = match batch.kind {
                EnrolmentKind::Remove => Call::removing_from(batch.target),
                EnrolmentKind::Register | EnrolmentKind::Enrol => Call::adding_to(batch.target),
            };
            let message = decide(call, closure.code).message.to_owned();
            self.state().errors.push(format!("classin: {target}: {message} (code {})", closure.code));
            if closure.for_good {
                let closed = ClosedClass { target, code: closure.code, message };
                changes.push(EnrolmentChange::Close(closed));
            }
        }
        let now_ms = self.terms.context.clock.now_ms();
        self.terms.context.state.record_enrolments(&changes, self.terms.run, now_ms).await
    }

    fn note_service(&self, batch: &EnrolmentBatch, sending: &ClassinSendResult) {
        let mut work = self.state();
        if let Some(code) = sending.full {
            work.full.insert(batch.target, code);
        }
        if batch.kind == EnrolmentKind::Enrol && sending.answered {
            work.asked.insert(batch.target);
        }
        work.suspects += sending.suspects;
        work.answered |= sending.answered;
        work.failures_in_a_row = if sending.trouble.is_some() { work.failures_in_a_row + 1 } else { 0 };
        if let Some(trouble) = &sending.trouble {
            work.trouble = Some(trouble.message.clone());
        }
        if let Some(stop) = &sending.stop {
            work.stopped.get_or_insert(stop.clone());
        } else if work.suspects > 1 {
            work.stopped.get_or_insert(refuses_the_calls("students"));
        } else if work.failures_in_a_row >= BREAKER {
            let message =
                format!("{BREAKER} calls in a row failed: ClassIn is not called any more in this run");
            work.stopped.get_or_insert((Severity::Temporary, message));
        }
    }

    async fn finish(
        &self,
        plan: &ClassinPlan,
        report: &mut ServiceReport,
    ) -> Result<MayGoOn, ClassinSyncError> {
        let mut ended = Vec::new();
        for operation in &plan.operations {
            let end = self.outcome_of(operation, plan);
            if matches!(end.kind, OutcomeKind::Applied | OutcomeKind::Failed | OutcomeKind::Unknown) {
                ended.push(Subject::from(operation).key);
            }
            report.count(operation.kind.as_str(), &end.kind.outcome());
            report.severity = report.severity.max(end.exit);
        }
        self.terms.context.state.use_up_approvals(&ended).await?;
        self.remember_room(plan).await?;
        let may_go_on = if self.state().stopped.is_some() { MayGoOn::No } else { MayGoOn::Yes };
        self.describe(report).map_or(Ok(may_go_on), Err)
    }

    /// Remembers which classes have no room, so that they are not asked at every run.
    async fn remember_room(&self, plan: &ClassinPlan) -> Result<(), StoreError> {
        let at_ms = self.terms.context.clock.now_ms();
        let (full, others) = {
            let work = self.state();
            let full: Vec<FullClass> = work
                .full
                .iter()
                .filter_map(|(target, code)| {
                    let wanted = *plan.rosters.get(target)?;
                    Some(FullClass { target: *target, code: *code, wanted, at_ms })
                })
                .collect();
            let others: Vec<ClassTarget> =
                work.asked.iter().filter(|target| !work.full.contains_key(target)).copied().collect();
            (full, others)
        };
        self.terms.context.state.remember_full(&full, &others, self.terms.run).await
    }

    fn outcome_of(&self, operation: &EnrolmentOperation, plan: &ClassinPlan) -> EnrolmentOutcome {
        let made = operation.is_planned().then(|| self.state().ends.get(&key(operation)).copied()).flatten();
        made.unwrap_or_else(|| {
            let is_ignored = plan.ignored.contains(&operation.desired_hash);
            outcome_without_call(&operation.state, is_ignored, self.terms.context.stop.is_cancelled())
        })
    }

    /// What the report says beyond figures; and what broke our own database.
    fn describe(&self, report: &mut ServiceReport) -> Option<ClassinSyncError> {
        let mut work = self.state();
        for error in work.errors.drain(..) {
            report.fail(Severity::Incomplete, error);
        }
        if let Some((exit, message)) = work.stopped.take() {
            report.fail(exit, format!("classin: {message}"));
        }
        if let Some(message) = work.trouble.take() {
            // Not one answer in the whole run: the service is down, however few calls there were to make.
            let exit = if work.answered { Severity::Incomplete } else { Severity::Temporary };
            report.fail(exit, format!("classin: {message}"));
        }
        work.broken.take()
    }
}
