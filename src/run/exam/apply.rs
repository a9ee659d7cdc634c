//! Applies a guarded plan batch by batch: intent before a call, outcome right after it, one end for
//! every operation.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, StreamExt};

use super::apply_state::{ApplyState, OperationOutcome};
use super::record::{self, key};
use super::send::{SendResult, send};
use super::session::ExamSession;
use super::write_call::WriteCall;
use super::{ExamSide, ExamSyncError};
use crate::remote::exam::ExamWriter;
use crate::run::Context;
use crate::run::report::ServiceReport;
use crate::store::{CallRecord, Departure, Intent, StoreError};
use rosterd_core::exam_plan::{
    Approved, Batch, Call, Change, GuardedPlan, Mapping, MemoryKey, Operation, OperationKind, OperationState,
    SkipReason, Wave,
};
use rosterd_core::failure::{OperationKey, Service};
use rosterd_core::roster::{FieldId, LoginValue, RunId, Sid, StudentId};

/// What a plan is applied under.
#[derive(Clone, Copy)]
pub(super) struct ApplyContext<'a> {
    pub(super) context: &'a Context,
    pub(super) side: &'a ExamSide,
    pub(super) writer: &'a ExamWriter,
    pub(super) run: RunId,
    pub(super) plan: &'a GuardedPlan,
    pub(super) approved: &'a Approved,
    pub(super) mapping: &'a Mapping,
    pub(super) key: &'a MemoryKey,
}

/// Carries one plan out.
pub(super) struct ExamApplier<'a> {
    pub(super) context: ApplyContext<'a>,
    pub(super) session: ExamSession<'a>,
    /// Where in the plan a student's rename stands.
    pub(super) renames: HashMap<&'a StudentId, usize>,
    /// How often the service failed over a call that an operation was part of.
    failed_over: HashMap<OperationKey, u32>,
    state: Mutex<ApplyState>,
}

/// Applies the plan and counts every operation once, whatever happens.
///
/// # Errors
/// When our own database fails in the midst: then nothing more was sent.
pub(super) async fn run(terms: ApplyContext<'_>, report: &mut ServiceReport) -> Result<(), ExamSyncError> {
    let waves = terms.plan.waves(terms.side.settings.batch_size);
    let failed_over = terms.context.state.failed_over().await;
    let mut applier = ExamApplier::new(terms, &waves);
    match failed_over {
        Ok(failed_over) => applier.failed_over = failed_over,
        Err(error) => applier.state().break_off(error),
    }
    match applier.begin().await {
        Ok(()) => applier.carry_out(&waves).await,
        Err(error) => applier.state().break_off(error),
    }
    applier.finish(report).await
}

impl<'a> ExamApplier<'a> {
    fn new(terms: ApplyContext<'a>, waves: &[Wave]) -> Self {
        let renames = terms
            .plan
            .operations
            .iter()
            .enumerate()
            .filter(|(_, operation)| operation.change.login().is_some())
            .map(|(at, operation)| (&operation.student, at))
            .collect();
        let session = ExamSession {
            side: terms.side,
            login_field: terms.mapping.login_field(),
            stop: &terms.context.stop,
        };
        let work = Mutex::new(ApplyState::new(terms.plan, waves));
        Self { context: terms, session, renames, failed_over: HashMap::new(), state: work }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, ApplyState> {
        // Nothing panics while holding it; if something did, the figures are still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn operation(&self, at: usize) -> Option<&'a Operation> {
        self.context.plan.operations.get(at)
    }

    /// What needs no call: operations that a row makes impossible, and candidates that are taken over.
    async fn begin(&self) -> Result<(), StoreError> {
        let now_ms = self.context.context.clock.now_ms();
        let mut record = CallRecord::default();
        let mut adopted = Vec::new();
        for (at, operation) in self.context.plan.operations.iter().enumerate() {
            match &operation.state {
                OperationState::Cannot(reason) => {
                    let failure = record::impossible(operation, reason, now_ms);
                    record.failures.push(failure);
                }
                OperationState::Planned if operation.kind() == OperationKind::Adopt => {
                    self.note_applied(&mut record, operation, None);
                    adopted.push(at);
                }
                OperationState::Planned | OperationState::Held(_) | OperationState::Skipped(_) => {}
            }
        }
        self.record(record).await?;
        let mut work = self.state();
        adopted.into_iter().for_each(|at| work.end(at, OperationOutcome::Applied));
        Ok(())
    }

    async fn carry_out(&self, waves: &[Wave]) {
        let calls: usize = waves.iter().map(Vec::len).sum();
        let bar = self.context.context.progress.bar("applying", u64::try_from(calls).unwrap_or(0));
        let in_flight = self.context.side.settings.endpoint.max_in_flight.max(1);
        for wave in waves {
            let calls: Vec<BoxFuture<'_, ()>> = wave.iter().map(|batch| self.batch(batch).boxed()).collect();
            let mut sent = stream::iter(calls).buffer_unordered(in_flight);
            while sent.next().await.is_some() {
                bar.advance(1);
            }
        }
        self.take_back_ways_given(waves).await;
    }

    /// Writes down what a call brought; nothing to write is no transaction.
    pub(super) async fn record(&self, record: CallRecord) -> Result<(), StoreError> {
        let CallRecord { links, accounts, failures, applied, settled, departures } = &record;
        let is_empty = links.is_empty()
            && accounts.is_empty()
            && failures.is_empty()
            && applied.is_empty()
            && settled.is_empty()
            && departures.is_empty();
        if is_empty {
            return Ok(());
        }
        let now_ms = self.context.context.clock.now_ms();
        self.context.context.state.record_call(&record, self.context.run, now_ms).await
    }

    /// Notes everything that an applied operation changes.
    pub(super) fn note_applied(&self, record: &mut CallRecord, operation: &Operation, sid: Option<Sid>) {
        record.links.extend(record::link_write(&self.context, operation, sid));
        if operation.of_leaver {
            let is_approved = self.context.approved.contains(operation);
            let student = operation.student.clone();
            record.departures.push(Departure { service: Service::Exam, student, is_approved });
        }
        record.settled.push(key(operation));
        record.applied.push(key(operation));
    }

    /// One batch, from intent to outcome.
    async fn batch(&self, batch: &Batch) {
        let positions: Vec<usize> = {
            let work = self.state();
            batch.operations.iter().copied().filter(|at| work.is_open(*at)).collect()
        };
        for portion in self.portions(positions) {
            self.portion(&batch.call, portion).await;
        }
    }

    /// What the service failed over (5xx) before goes in smaller and smaller portions: it may be one item that it
    /// trips over, or more items than it takes. Sending a part again in the same run could enter somebody twice,
    /// as a look-up may lag behind; so each attempt is one of the ledger's.
    fn portions(&self, positions: Vec<usize>) -> Vec<Vec<usize>> {
        let mut portions: Vec<Vec<usize>> = Vec::new();
        let mut whole = Vec::with_capacity(positions.len());
        let mut tried: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for at in positions {
            match self.operation(at).and_then(|operation| self.failed_over.get(&key(operation))) {
                Some(attempts) => tried.entry(*attempts).or_default().push(at),
                None => whole.push(at),
            }
        }
        portions.push(whole);
        let largest = self.context.side.settings.batch_size.max(1);
        for (attempts, positions) in tried {
            let size = largest.checked_div(10_usize.saturating_pow(attempts)).unwrap_or(1).max(1);
            portions.extend(positions.chunks(size).map(<[usize]>::to_vec));
        }
        portions
    }

    async fn portion(&self, call: &Call, positions: Vec<usize>) {
        if positions.is_empty() || self.leave(call, &positions) {
            return;
        }
        let (positions, write_call) = self.build_call(call, positions);
        let probe = *call == Call::Add && self.state().suspects_full() && positions.len() > 1;
        if !probe {
            return self.send(call, &positions, write_call).await;
        }
        let (first, rest) = positions.split_at(1);
        self.send(call, first, write_call.subset(&[0])).await;
        if !self.leave(call, rest) {
            let others: Vec<usize> = (1..positions.len()).collect();
            self.send(call, rest, write_call.subset(&others)).await;
        }
    }

    /// Ends operations that are not sent any more in this run; says whether they are not.
    fn leave(&self, call: &Call, positions: &[usize]) -> bool {
        let mut work = self.state();
        let Some(reason) = work.skip_reason(call, self.context.context.stop.is_cancelled()) else {
            return false;
        };
        let end = OperationOutcome::Skipped(reason);
        positions.iter().for_each(|at| work.end_open(*at, &end));
        true
    }

    async fn send(&self, call: &Call, positions: &[usize], write_call: WriteCall) {
        if positions.is_empty() {
            return;
        }
        let number = self.state().next_batch();
        if let Err(error) = self.intend(positions, number).await {
            return self.state().break_off(error);
        }
        let sent = self.send_call(write_call).await;
        self.state().note_service(call, positions, &sent);
        if let Err(error) = self.outcome(call, positions, &sent.outcomes, number).await {
            // It was sent and cannot be written down: the intent is there, and the next run finds out.
            let mut work = self.state();
            positions.iter().for_each(|at| work.end_open(*at, &OperationOutcome::Unknown));
            work.break_off(error);
        }
    }

    pub(super) async fn send_call(&self, write_call: WriteCall) -> SendResult {
        match write_call {
            WriteCall::Change(items) => self.change(items).await,
            write_call @ (WriteCall::Add(_) | WriteCall::Group(..) | WriteCall::Delete(_)) => {
                send(self.session, self.context.writer, write_call).await
            }
        }
    }

    async fn intend(&self, positions: &[usize], number: u64) -> Result<(), StoreError> {
        let intents: Vec<Intent> = positions
            .iter()
            .filter_map(|at| self.operation(*at))
            .map(|operation| Intent {
                key: key(operation),
                desired_hash: operation.desired_hash,
                login: login_sent(operation),
                in_doubt: fields_sent(operation),
            })
            .collect();
        let now_ms = self.context.context.clock.now_ms();
        self.context.context.state.record_intents(self.context.run, number, now_ms, &intents).await
    }

    /// Counts every operation, and uses up the approvals of those that ended.
    async fn finish(self, report: &mut ServiceReport) -> Result<(), ExamSyncError> {
        let terms = self.context;
        let mut work = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        work.close_adds(terms.plan);
        work.count(terms.plan, report);
        let used_up: Vec<OperationKey> = terms
            .plan
            .operations
            .iter()
            .enumerate()
            .filter(|(at, _)| {
                matches!(
                    work.outcome(*at),
                    Some(OperationOutcome::Applied | OperationOutcome::Failed | OperationOutcome::Unknown)
                )
            })
            .filter(|(_, operation)| operation.is_planned() && terms.approved.contains(operation))
            .map(|(_, operation)| key(operation))
            .collect();
        let refused = work.refused_for_lack_of_room().iter().filter_map(|at| terms.plan.operations.get(*at));
        let refused: Vec<OperationKey> = refused.map(key).collect();
        if let Some(error) = work.into_broken() {
            return Err(error.into());
        }
        terms.context.state.blame_account(&refused).await?;
        Ok(terms.context.state.use_up_approvals(&used_up).await?)
    }

    /// Why an operation is not sent although its turn has come: what it builds on did not happen.
    pub(super) fn depends_in_vain(&self, call: &Call, operation: &Operation) -> Option<SkipReason> {
        if *call != Call::Change {
            return None;
        }
        let owner = operation.change.login()?.held_by.as_ref()?;
        let other = self.renames.get(owner).copied()?;
        let failed = self.state().outcome(other).is_some_and(|end| *end != OperationOutcome::Applied);
        failed.then_some(SkipReason::Depends(OperationKind::Modify))
    }
}

/// The fields that a modify writes. The login value is not among them: candidates are found by what they show.
fn fields_sent(operation: &Operation) -> BTreeSet<FieldId> {
    match &operation.change {
        Change::Modify(modification) => modification.values.iter().map(|change| change.id).collect(),
        Change::Add(_) | Change::Adopt(_) | Change::Move(_) | Change::Delete(_) | Change::Impossible(_) => {
            BTreeSet::new()
        }
    }
}

/// The login value that an add sends.
fn login_sent(operation: &Operation) -> Option<LoginValue> {
    match &operation.change {
        Change::Add(addition) => Some(addition.login.clone()),
        Change::Adopt(_)
        | Change::Modify(_)
        | Change::Move(_)
        | Change::Delete(_)
        | Change::Impossible(_) => None,
    }
}
