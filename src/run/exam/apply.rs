//! Applies a guarded plan through the delivery engine: which operations go together, what is written down of them, and
//! what each outcome means for those to come.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use rosterd_core::exam_plan::{Batch, Call, Change, Operation, OperationKind, OperationState, Wave};
use rosterd_core::failure::{FailureCode, OperationKey, Service};
use rosterd_core::outcome::{Outcome, Unsent};
use rosterd_core::roster::{Gid, RunId, Sid, StudentId};
use tokio::sync::OnceCell;

use super::apply_context::ApplyContext;
use super::apply_state::ExamState;
use super::delivery::ExamCalls;
use super::session::ExamSession;
use super::turns::{ExamTurns, is_undivided, left_for_later};
use super::write_call::{NewSid, WriteCall};
use super::{ExamSyncError, record, refused_by_service, refused_groups};
use crate::run::Context;
use crate::run::delivery::{
    Applier, ApplyState, Broken, Delivered, Items, Lanes, Place, ServiceStop, Subject, carry_out, send_call,
};
use crate::run::report::ServiceReport;
use crate::run::severity::Severity;
use crate::store::{CallRecord, StoreError};

/// Carries one plan out.
pub(super) struct ExamApplier<'a> {
    pub(super) context: ApplyContext<'a>,
    pub(super) calls: ExamCalls<'a>,
    /// Where in the plan a student's rename stands.
    pub(super) renames: HashMap<&'a StudentId, usize>,
    /// How often the service failed over a call that an operation was part of.
    failed_over: HashMap<OperationKey, u32>,
    /// Held by a batch that is to show something to those that come after it.
    pub(super) turns: ExamTurns,
    /// Where in the plan a candidate's values are changed.
    pub(super) modified: OnceLock<HashMap<Sid, usize>>,
    /// Groups whose last members leave because others come, with the operations that put those there.
    pub(super) last_members: BTreeMap<Gid, BTreeSet<usize>>,
    /// What a changed field explains of refused writes, once it was asked.
    pub(super) changed_fields: OnceCell<Option<ServiceStop>>,
    state: Mutex<ApplyState>,
    exam: Mutex<ExamState>,
}

/// Applies the plan and counts every operation once, whatever happens.
///
/// # Errors
/// When our own database fails in the midst: then nothing more was sent.
pub(super) async fn run(context: ApplyContext<'_>, report: &mut ServiceReport) -> Result<(), ExamSyncError> {
    let waves = context.plan.waves(context.side.settings.batch_size);
    let mut applier = ExamApplier::new(context, &waves);
    match applier.begin().await {
        Ok(()) => applier.carry_out(waves).await,
        Err(error) => applier.state().break_off(error),
    }
    applier.finish(report).await
}

impl<'a> ExamApplier<'a> {
    fn new(context: ApplyContext<'a>, waves: &[Wave]) -> Self {
        let renames = context
            .plan
            .operations
            .iter()
            .enumerate()
            .filter(|(_, operation)| operation.change.login().is_some())
            .map(|(at, operation)| (&operation.student, at))
            .collect();
        let (side, stop) = (context.side, &context.run_context.stop);
        let (login_field, observed) = (context.mapping.login_field(), Some(context.observed));
        let witnesses = context.witnesses;
        let session = ExamSession { side, login_field, observed, witnesses, stop };
        let calls = ExamCalls { session, writer: context.writer, refusals: Arc::default() };
        let operations = context.plan.operations.iter();
        let outcomes = operations.map(|operation| context.standing.first_outcome(operation)).collect();
        Self {
            context,
            calls,
            renames,
            failed_over: HashMap::new(),
            turns: ExamTurns::default(),
            modified: OnceLock::new(),
            last_members: context.plan.last_members_leave(),
            changed_fields: OnceCell::new(),
            state: Mutex::new(ApplyState::new(outcomes, None)),
            exam: Mutex::new(ExamState::new(context.plan, waves)),
        }
    }

    /// What the calls so far tell. Never held across a call.
    pub(super) fn exam(&self) -> MutexGuard<'_, ExamState> {
        // Nothing panics while holding it; if something did, the figures are still whole.
        self.exam.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn operation(&self, at: usize) -> Option<&'a Operation> {
        self.context.plan.operations.get(at)
    }

    /// What needs no call: operations that a row makes impossible, and candidates that are taken over.
    async fn begin(&mut self) -> Result<(), StoreError> {
        self.failed_over = self.context.run_context.state.failed_over().await?;
        let now_ms = self.context.run_context.clock.now_ms();
        let mut record = CallRecord::default();
        let mut adopted = Vec::new();
        for (at, operation) in self.context.plan.operations.iter().enumerate() {
            match &operation.state {
                OperationState::Cannot(reason) => {
                    record.failures.push(record::impossible(operation, reason, now_ms));
                }
                OperationState::Planned if operation.kind() == OperationKind::Adopt => {
                    record::applied(&self.context, operation, None, &mut record);
                    adopted.push(at);
                }
                OperationState::Planned | OperationState::Held(_) | OperationState::Skipped(_) => {}
            }
        }
        self.context.run_context.state.record_call(&record, self.context.run, now_ms).await?;
        let mut state = self.state();
        adopted.into_iter().for_each(|at| state.end(at, Outcome::Applied(())));
        Ok(())
    }

    async fn carry_out(&self, waves: Vec<Wave>) {
        let calls: usize = waves.iter().map(Vec::len).sum();
        let bar = self.context.run_context.progress.bar("applying", u64::try_from(calls).unwrap_or(0));
        let in_flight = self.context.side.settings.endpoint.max_in_flight;
        let lanes = |wave: Wave| wave.into_iter().map(|batch| vec![batch]).collect();
        let waves: Vec<Lanes<Batch>> = waves.into_iter().map(lanes).collect();
        carry_out(self, &waves, in_flight, &bar).await;
        Box::pin(self.divide_left_over()).await;
        self.take_back_ways_given(waves.iter().flatten().flatten()).await;
        Box::pin(self.end_ways_given()).await;
    }

    /// Why no further call of this kind is made; `None` when it is.
    pub(super) fn unsent(&self, call: &Call) -> Option<Unsent> {
        if self.state().is_over() {
            Some(Unsent::ServiceStopped)
        } else if self.context.run_context.stop.is_cancelled() {
            Some(Unsent::Terminated)
        } else if *call == Call::Add && self.exam().is_full() {
            Some(Unsent::AccountFull)
        } else {
            None
        }
    }

    /// Ends operations that are not sent any more in this run; says whether they are not.
    fn leave(&self, call: &Call, positions: &[usize]) -> bool {
        let Some(why) = self.unsent(call) else { return false };
        let mut state = self.state();
        positions.iter().for_each(|at| state.end_open(*at, &Outcome::Unsent(why)));
        true
    }

    /// Sends some operations of a batch; the first of them alone, where the account seems to be full.
    pub(super) async fn send_portion(&self, batch: &Batch, positions: Vec<usize>) {
        if positions.is_empty() || self.leave(&batch.call, &positions) {
            return;
        }
        let positions = self.without_last_members(batch, positions);
        let positions = Box::pin(self.prove(batch, positions)).await;
        if positions.is_empty() || self.leave(&batch.call, &positions) {
            return;
        }
        let (positions, write_call) = self.build_call(&batch.call, positions);
        let is_probed = batch.call == Call::Add && self.exam().suspects_full() && positions.len() > 1;
        if !is_probed {
            send_call(self, batch, &positions, write_call).await;
            return Box::pin(self.look_after_second_writes(batch, &positions)).await;
        }
        let (first, rest) = positions.split_at(1);
        send_call(self, batch, first, write_call.part(&[0])).await;
        if !self.leave(&batch.call, rest) {
            let others: Vec<usize> = (1..positions.len()).collect();
            send_call(self, batch, rest, write_call.part(&others)).await;
        }
    }

    /// How often the service failed over calls that this operation was part of.
    pub(super) fn times_failed_over(&self, at: usize) -> Option<u32> {
        let operation = self.operation(at)?;
        self.failed_over.get(&operation.key()).copied()
    }

    /// Counts every operation.
    async fn finish(self, report: &mut ServiceReport) -> Result<(), ExamSyncError> {
        let Self { context, state, exam, .. } = self;
        let mut state = state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut exam = exam.into_inner().unwrap_or_else(PoisonError::into_inner);
        exam.close_adds(context.plan, &state);
        count(&context, &state, report);
        exam.describe(context.plan, &state, report);
        let refused = exam.refused_for_lack_of_room().iter();
        let refused: Vec<OperationKey> =
            refused.filter_map(|at| context.plan.operations.get(*at)).map(Operation::key).collect();
        if let Some(error) = state.take_broken() {
            return Err(error.into());
        }
        context.run_context.state.blame_account(&refused).await?;
        refused_groups::blame(&context.run_context.state, context.side, context.plan, &state).await?;
        Ok(refused_by_service::blame(context.run_context, context.plan, &state).await?)
    }

    /// Whose the candidates are that adds have brought: a service may hand out one that is linked already.
    async fn owners_of(&self, outcomes: &[Outcome<NewSid>]) -> Result<HashMap<Sid, StudentId>, StoreError> {
        let brought = outcomes.iter().filter_map(|outcome| match outcome {
            Outcome::Applied(sid) => *sid,
            Outcome::Failed(_) | Outcome::Unknown(_) | Outcome::Held | Outcome::Unsent(_) => None,
        });
        self.context.run_context.state.sid_owners(brought).await
    }
}

/// Counts every operation once, and what that means for how the run ends.
fn count(context: &ApplyContext<'_>, state: &ApplyState, report: &mut ServiceReport) {
    let unsent = Outcome::Unsent(Unsent::ServiceStopped);
    for (at, operation) in context.plan.operations.iter().enumerate() {
        let outcome = state.outcome(at).unwrap_or(&unsent);
        report.count(operation.kind().as_str(), outcome);
        if context.standing.is_known_hold(operation) {
            report.held_as_before += 1;
        } else {
            report.worsen(Severity::of_outcome(outcome));
        }
        if outcome.is_applied() {
            report.notes.extend(record::left_behind(operation));
        }
    }
    if let Some(stop) = state.stopped() {
        report.fail(stop.severity(), format!("exam: {stop}"));
    }
}

impl Applier for ExamApplier<'_> {
    const SERVICE: Service = Service::Exam;

    type Batch = Batch;
    type Call = WriteCall;
    type Gain = NewSid;

    fn context(&self) -> &Context {
        self.context.run_context
    }

    fn run(&self) -> RunId {
        self.context.run
    }

    fn state(&self) -> MutexGuard<'_, ApplyState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn send_batch(&self, batch: &Batch) {
        let open: Vec<usize> = {
            let state = self.state();
            batch.operations.iter().copied().filter(|at| state.is_open(*at)).collect()
        };
        for portion in self.portions(open) {
            self.send_portion(batch, portion).await;
        }
    }

    async fn intend(&self, positions: &[usize], number: u64) -> Result<(), Broken> {
        let operations = positions.iter().filter_map(|at| self.operation(*at));
        let intents: Vec<_> = operations.map(|operation| record::intent(&self.context, operation)).collect();
        let Context { state, clock, .. } = self.context.run_context;
        Ok(state.record_intents(self.context.run, number, clock.now_ms(), &intents).await?)
    }

    async fn deliver(&self, call: WriteCall) -> Result<Delivered<NewSid>, Broken> {
        // Each future of the engine holds those below it: a run's would not fit on a thread's stack.
        Box::pin(self.deliver_in_turn(call)).await
    }

    fn note_call(&self, batch: &Batch, positions: &[usize], delivered: &Delivered<NewSid>) {
        // A call that was refused as a whole says nothing of the account's room yet.
        if batch.call == Call::Add && !delivered.outcomes.iter().any(is_undivided) {
            self.exam().note_adds(positions, &delivered.outcomes);
        }
        let undivided = positions.iter().zip(&delivered.outcomes);
        let undivided = undivided.filter(|(_, outcome)| is_undivided(outcome));
        let undivided: Vec<usize> = undivided.map(|(at, _)| *at).collect();
        if !undivided.is_empty() {
            self.exam().leave_over(batch.clone(), undivided);
        }
    }

    async fn check_outcomes(
        &self,
        positions: &[usize],
        outcomes: Vec<Outcome<NewSid>>,
    ) -> Result<Vec<Outcome<NewSid>>, Broken> {
        let owners = self.owners_of(&outcomes).await?;
        let is_anothers = |at: &usize, outcome: &Outcome<NewSid>| match (self.operation(*at), outcome) {
            (Some(operation), Outcome::Applied(Some(sid))) => {
                owners.get(sid).is_some_and(|owner| *owner != operation.student)
            }
            _ => false,
        };
        let checked = |(at, outcome): (&usize, Outcome<NewSid>)| {
            if is_anothers(at, &outcome) {
                Outcome::Failed(record::somebody_elses().into())
            } else {
                left_for_later(outcome)
            }
        };
        Ok(positions.iter().zip(outcomes).map(checked).collect())
    }

    fn place(&self, batch: &Batch, number: u64, index: usize) -> Place {
        Place::in_batch(record::endpoint(&batch.call), number, index)
    }

    fn subject(&self, position: usize) -> Option<Subject> {
        let operation = self.operation(position)?;
        Some(Subject { key: operation.key(), desired_hash: operation.desired_hash })
    }

    /// An applied item ends its operation when it was the last call that the operation needed.
    fn note_applied(&self, batch: &Batch, position: usize, sid: &NewSid, record: &mut CallRecord) -> bool {
        let Some(operation) = self.operation(position) else { return false };
        if batch.call == Call::GiveWay {
            let Change::Modify(modification) = &operation.change else { return false };
            record.links.push(record::gave_way(operation, self.temporary_login(modification)));
            return false;
        }
        if self.exam().call_applied(position, &operation.student, *sid) > 0 {
            record.links.extend(record::step_done(&batch.call, operation));
            record.left.extend(record::groups_left(&batch.call, operation));
            return false;
        }
        record::applied(&self.context, operation, *sid, record);
        true
    }

    fn note_not_applied(&self, position: usize, outcome: &Outcome<NewSid>, record: &mut CallRecord) {
        let Some(operation) = self.operation(position) else { return };
        if outcome.cause().is_some_and(|cause| cause.code == FailureCode::CandidateGone) {
            record.links.push(record::check_soon(operation));
        }
        // Otherwise the intent stays: what this call did is not known, or not for sure.
        let is_settled = match outcome {
            Outcome::Failed(cause) => !cause.is_unanswered,
            Outcome::Unsent(_) => true,
            Outcome::Applied(_) | Outcome::Unknown(_) | Outcome::Held => false,
        };
        if is_settled {
            record.settled.push(operation.key());
        }
    }
}
