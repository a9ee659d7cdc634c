//! Applies ClassIn's enrolments through the delivery engine: the calls of one course follow one another, courses go
//! side by side. Closed classes are left alone, full ones are asked again after a removal.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::ClassinSyncError;
use super::cause::is_fault_of_service;
use super::context::ClassinApplyContext;
use super::enrolments::{EnrolmentCall, EnrolmentCalls, EnrolmentItem, nobody_leaves};
use super::found_anew::may_be_found_anew;
use super::plan::ClassinPlan;
use super::put_back::{self, LeavingForAClass};
use super::record::{action, call};
use super::rounds;
use super::school::School;
use super::storm::Turns;
use crate::run::Context;
use crate::run::delivery::{
    self, Applier, ApplyState, Broken, Delivered, Lanes, Place, ServiceStop, carry_out, send_call,
};
use crate::run::in_one_line;
use crate::run::report::ServiceReport;
use crate::run::severity::Severity;
use crate::store::{CallRecord, ClosedClass, EnrolmentChange, NotedWrite, REMOVAL, StoreError};
use rosterd_core::classin_plan::{
    AccountChange, Approvals, Closure, Code, Condition, EnrolmentBatch, EnrolmentKind, EnrolmentOperation,
    EnrolmentState, Reason, Scope, Subject, batches, decide,
};
use rosterd_core::failure::{NextAttempt, Service};
use rosterd_core::outcome::{FailureCause, Outcome, Unsent};
use rosterd_core::roster::{ClassTarget, ClassinUid, CourseId, RunId, StudentId};

/// Said of a class or course that no row names, by ids that ClassIn does not know.
const OVER: &str = "no row names it, and ClassIn does not know it any more: nobody is in it";

/// An account in one class, and what is done about it: what an outcome belongs to.
pub(super) type Key = (EnrolmentKind, ClassTarget, Option<ClassinUid>);

/// Whether ClassIn may be called any more in this run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MayGoOn {
    Yes,
    No,
}

/// How the enrolments of a plan ended as a whole.
pub(super) struct Applied {
    pub(super) may_go_on: MayGoOn,
    /// Who was to be added where by an account that ClassIn does not know (any more).
    pub(super) without_account: BTreeSet<(StudentId, ClassTarget)>,
    /// Adds beside the plan: of those who were put back into a course.
    pub(super) put_back: Vec<EnrolmentOperation>,
}

/// Carries the enrolments of one plan out.
pub(super) struct ClassinApplier<'a> {
    pub(super) terms: ClassinApplyContext<'a>,
    pub(super) plan: &'a ClassinPlan,
    approved: &'a Approvals,
    pub(super) calls: EnrolmentCalls<'a>,
    pub(super) turns: Turns,
    /// Which planned operations end together: the first makes the call.
    together: HashMap<Key, Vec<usize>>,
    leaving: LeavingForAClass,
    state: Mutex<ApplyState>,
    notes: Mutex<Notes>,
}

/// What the report is to say beyond figures.
#[derive(Default)]
pub(super) struct Notes {
    closed: BTreeMap<ClassTarget, Code>,
    /// Those of them that take no changes any more until their ids change.
    pub(super) ended: BTreeMap<ClassTarget, Code>,
    remarks: Vec<String>,
    trouble: Option<String>,
    without_account: BTreeSet<(StudentId, ClassTarget)>,
}

/// Applies the operations and counts each once.
pub(super) async fn run<'a>(
    terms: ClassinApplyContext<'a>,
    school: &'a School<'a>,
    (plan, approved): (&'a ClassinPlan, &'a Approvals),
    stopped: Option<ServiceStop>,
    report: &mut ServiceReport,
) -> Result<Applied, ClassinSyncError> {
    let ClassinApplyContext { context, side, .. } = terms;
    let applier = ClassinApplier::new(terms, school, (plan, approved), stopped);
    let mut courses: BTreeMap<CourseId, Vec<EnrolmentBatch>> = BTreeMap::new();
    for batch in batches(&plan.operations, side.settings.batch_size, &plan.full) {
        courses.entry(batch.target.course).or_default().push(batch);
    }
    let calls: usize = courses.values().map(Vec::len).sum();
    let bar = context.progress.bar("mirroring classes", u64::try_from(calls).unwrap_or(0));
    // Who moves from one course to another leaves the old one when the courses have had their turn.
    let leaves_for_another = |lane: &&Vec<EnrolmentBatch>| {
        lane.iter().flat_map(|batch| &batch.operations).any(EnrolmentOperation::follows_another_course)
    };
    let second: Lanes<EnrolmentBatch> = courses.values().filter(leaves_for_another).cloned().collect();
    let first: Lanes<EnrolmentBatch> = courses.into_values().collect();
    let in_flight = side.settings.endpoint.max_in_flight;
    carry_out(&applier, &[first.clone(), second], in_flight, &bar).await;
    rounds::go_on_over_courses(&applier, &first, (in_flight, &bar)).await;
    applier.judge_left_over().await;
    applier.end_without_room().await;
    let put_back = put_back::put_back(&applier, report).await?;
    Ok(Applied { put_back, ..applier.finish(report).await? })
}

pub(super) fn key(operation: &EnrolmentOperation) -> Key {
    (operation.kind, operation.target, operation.uid)
}

/// Whether nobody waits for it any more: a dead letter, but not of an account that does not exist. Whoever is to have
/// that one has only the old one.
fn is_given_up(cause: &FailureCause) -> bool {
    let is_dead = cause.next == Some(NextAttempt::ByHand);
    is_dead && !cause.code.classin().is_some_and(Code::has_no_account)
}

impl<'a> ClassinApplier<'a> {
    fn new(
        terms: ClassinApplyContext<'a>,
        school: &'a School<'a>,
        (plan, approved): (&'a ClassinPlan, &'a Approvals),
        stopped: Option<ServiceStop>,
    ) -> Self {
        let mut together: HashMap<Key, Vec<usize>> = HashMap::new();
        for (at, operation) in plan.operations.iter().enumerate().filter(|(_, it)| it.is_planned()) {
            let positions = together.entry(key(operation)).or_default();
            let place = if operation.follows { positions.len() } else { 0 };
            positions.insert(place, at);
        }
        let state = ApplyState::new(vec![None; plan.operations.len()], stopped);
        Self {
            terms,
            plan,
            approved,
            calls: EnrolmentCalls::new(terms, school, (&plan.outdated, &plan.leavers)),
            turns: Turns::default(),
            together,
            leaving: LeavingForAClass::of(&plan.operations),
            state: Mutex::new(state),
            notes: Mutex::default(),
        }
    }

    pub(super) fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn operation(&self, at: usize) -> Option<&'a EnrolmentOperation> {
        self.plan.operations.get(at)
    }

    /// The operation that makes the call for this one.
    pub(super) fn position(&self, operation: &EnrolmentOperation) -> Option<usize> {
        self.together.get(&key(operation))?.first().copied()
    }

    pub(super) fn is_applied(&self, operation: &EnrolmentOperation) -> bool {
        let state = self.state();
        let outcome = self.position(operation).and_then(|at| state.outcome(at));
        outcome.is_some_and(Outcome::is_applied)
    }

    /// Whether everything has happened that the operation rests on.
    pub(super) fn is_ready(&self, operation: &EnrolmentOperation) -> bool {
        operation.after.iter().all(|condition| self.is_met(operation, *condition))
    }

    pub(super) fn is_met(&self, operation: &EnrolmentOperation, condition: Condition) -> bool {
        match condition {
            Condition::Settled { target, uid } => {
                match self.outcome_of((EnrolmentKind::Enrol, target, Some(uid))) {
                    Some(Outcome::Applied(())) => true,
                    Some(Outcome::Failed(cause)) => {
                        let found_no_room = cause.code.classin().is_some_and(Code::is_full);
                        // Another account in this very place: the cell may be mistyped, so a person says first.
                        if target == operation.target { found_no_room } else { is_given_up(&cause) }
                    }
                    Some(Outcome::Unknown(_) | Outcome::Held | Outcome::Unsent(_)) | None => false,
                }
            }
            Condition::Removed { target, uid } => self
                .outcome_of((EnrolmentKind::Remove, target, Some(uid)))
                .is_some_and(|outcome| outcome.is_applied()),
            Condition::SomebodyEnters => {
                let mut adds = self.plan.operations.iter().filter(|one| one.target == operation.target);
                adds.any(|one| one.kind == EnrolmentKind::Enrol && self.is_applied(one))
            }
        }
    }

    /// Most students a call.
    pub(super) fn batch_size(&self) -> usize {
        self.terms.side.settings.batch_size
    }

    /// How the operation ended that makes the call for this.
    pub(super) fn outcome_of(&self, key: Key) -> Option<Outcome> {
        let at = self.together.get(&key)?.first().copied()?;
        self.state().outcome(at).cloned()
    }

    /// Sends it, whatever it rests on.
    pub(super) async fn send_now(&self, batch: &EnrolmentBatch) {
        if self.must_skip(batch) {
            return;
        }
        let item = |operation| Some((self.position(operation)?, EnrolmentItem::of(operation)?));
        let (positions, items): (Vec<usize>, Vec<EnrolmentItem>) =
            batch.operations.iter().filter_map(item).unzip();
        send_call(self, batch, &positions, EnrolmentCall(items)).await;
    }

    /// Whether a batch is left for another run; its operations then count as skipped.
    pub(super) fn must_skip(&self, batch: &EnrolmentBatch) -> bool {
        let course = ClassTarget { class: None, ..batch.target };
        let is_full =
            batch.kind == EnrolmentKind::Enrol && self.calls.classes().full.contains_key(&batch.target);
        let is_closed = {
            let closed = &self.notes().closed;
            closed.contains_key(&batch.target) || closed.contains_key(&course)
        };
        self.state().is_over() || is_full || is_closed || self.terms.context.stop.is_cancelled()
    }

    /// Writes down which classes take no changes any more.
    async fn close(&self, batch: &EnrolmentBatch) -> Result<(), StoreError> {
        let closures: Vec<(ClassTarget, Closure)> = {
            let mut classes = self.calls.classes();
            let (ours, others) = std::mem::take(&mut classes.closures)
                .into_iter()
                .partition(|(target, _)| target.course == batch.target.course);
            classes.closures = others;
            ours
        };
        let Some(first) = batch.operations.first() else { return Ok(()) };
        let mut changes = Vec::new();
        for (class, closure) in closures {
            let target = match closure.scope {
                Scope::Class => class,
                Scope::Course => ClassTarget { class: None, ..class },
            };
            if self.notes().closed.insert(target, closure.code).is_some() {
                continue;
            }
            let message = if closure.for_good && closure.code.is_not_there() {
                OVER.to_owned()
            } else {
                decide(call(first), closure.code).message.to_owned()
            };
            self.notes().remarks.push(format!(
                "classin: {}: {message} (code {})",
                self.plan.names.spoken(target),
                closure.code
            ));
            if closure.for_good {
                self.notes().ended.insert(target, closure.code);
                changes.push(EnrolmentChange::Close(ClosedClass { target, code: closure.code, message }));
            }
        }
        let ClassinApplyContext { context, run, .. } = self.terms;
        context.state.record_enrolments(&changes, run, context.clock.now_ms()).await
    }

    async fn finish(&self, report: &mut ServiceReport) -> Result<Applied, ClassinSyncError> {
        let mut ended = Vec::new();
        let mut held = Vec::new();
        for (at, operation) in self.plan.operations.iter().enumerate() {
            let outcome = self.outcome(at, operation);
            if outcome.is_final() && !is_fault_of_service(operation, &outcome) {
                ended.push(Subject::from(operation).key);
            }
            if outcome == Outcome::Held && operation.is_planned() {
                let removals = self.removals_from(operation.target);
                let state = EnrolmentState::Held(Reason::WouldEmpty { removals });
                held.push(EnrolmentOperation { state, ..operation.clone() });
            }
            report.count(operation.kind.as_str(), &outcome);
            if self.plan.standing.is_known_hold(Subject::from(operation), &operation.state) {
                report.held_as_before += 1;
            } else if !may_be_found_anew(operation, &outcome) {
                report.worsen(Severity::of_outcome(&outcome));
            }
        }
        self.blame_service().await?;
        self.describe_what_is_held(&held, report);
        self.terms.context.state.use_up_approvals(&ended).await?;
        self.remember_room().await?;
        if self.remember_ended().await? {
            report.worsen(Severity::Incomplete);
        }
        self.record_wrong_ids().await?;
        let may_go_on = if self.state().stopped().is_some() { MayGoOn::No } else { MayGoOn::Yes };
        self.describe(report);
        match self.state().take_broken() {
            Some(broken) => Err(broken.into()),
            None => {
                let without_account = std::mem::take(&mut self.notes().without_account);
                Ok(Applied { may_go_on, without_account, put_back: Vec::new() })
            }
        }
    }

    fn removals_from(&self, target: ClassTarget) -> usize {
        let here = self.plan.operations.iter().filter(|one| one.target == target && one.is_planned());
        here.filter(|one| one.kind == EnrolmentKind::Remove).count()
    }

    fn counted(&self, operation: &EnrolmentOperation) -> NotedWrite {
        let key = Subject::from(operation).key;
        let place = key.class_key.clone();
        NotedWrite { key, kind: REMOVAL, place, is_approved: self.approved.contains(operation) }
    }

    fn outcome(&self, at: usize, operation: &EnrolmentOperation) -> Outcome {
        let sent = self.state().outcome(at).cloned();
        sent.unwrap_or_else(|| {
            if self.waits_anyway(operation) {
                return Outcome::Unsent(Unsent::Dependent);
            }
            let is_stopping = self.terms.context.stop.is_cancelled();
            let may_be_sent = operation.is_planned() && !is_stopping && !self.state().is_over();
            if may_be_sent && let Some(unmet) = self.unmet(operation) {
                return match unmet {
                    Condition::SomebodyEnters if !self.may_have_been_entered(operation.target) => {
                        Outcome::Held
                    }
                    Condition::SomebodyEnters | Condition::Settled { .. } | Condition::Removed { .. } => {
                        Outcome::Unsent(Unsent::Dependent)
                    }
                };
            }
            if operation.kind == EnrolmentKind::Remove
                && operation.is_planned()
                && self.has_ended(operation.target)
            {
                return nobody_leaves();
            }
            self.plan.standing.outcome_of(operation, is_stopping)
        })
    }

    /// The classes and courses whose ids ClassIn does not take.
    pub(super) fn wrong(&self) -> BTreeMap<ClassTarget, Code> {
        let notes = self.notes();
        let ended = |target: &ClassTarget| notes.ended.contains_key(target);
        notes
            .closed
            .iter()
            .filter(|(target, _)| !ended(target))
            .map(|(target, code)| (*target, *code))
            .collect()
    }

    /// Whether it turned out that the class, or its course, takes no changes any more.
    fn has_ended(&self, target: ClassTarget) -> bool {
        let notes = self.notes();
        notes.ended.contains_key(&target) || notes.ended.contains_key(&ClassTarget { class: None, ..target })
    }

    /// What the operation rests on and has not happened: the last of its conditions.
    pub(super) fn unmet(&self, operation: &EnrolmentOperation) -> Option<Condition> {
        operation.after.iter().copied().rfind(|condition| !self.is_met(operation, *condition))
    }

    /// What the report says beyond figures.
    fn describe(&self, report: &mut ServiceReport) {
        let mut notes = self.notes();
        // Whoever is kept out by it stands among the failures, which makes the run incomplete.
        report.notes.append(&mut notes.remarks);
        let (is_stopped, is_fault_of_items) = {
            let state = self.state();
            (state.stopped().is_some(), state.is_fault_of_items())
        };
        if let Some(stop) = self.state().stopped() {
            report.fail(stop.severity(), format!("classin: {stop}"));
        }
        let (is_answered, server_error) = {
            let classes = self.calls.classes();
            (classes.is_answered, classes.server_error.as_ref().map(|error| in_one_line(error)))
        };
        // Where anything was answered, whoever ClassIn failed over stands among the failures.
        let trouble = notes.trouble.take().or(server_error.filter(|_| !is_answered));
        if let Some(message) = trouble {
            let message = format!("classin: {message}");
            match is_answered {
                true if is_stopped => report.fail(Severity::Incomplete, message),
                true => report.note_trouble(message),
                // What is known to fail by itself stands among the failures.
                false if is_fault_of_items && !is_stopped => report.note_trouble(message),
                // Not one answer in the whole run: the service is down, however few calls there were to make.
                false => report.fail(Severity::Temporary, message),
            }
        }
    }
}

impl Applier for ClassinApplier<'_> {
    const SERVICE: Service = Service::Classin;

    type Batch = EnrolmentBatch;
    type Call = EnrolmentCall;
    type Gain = ();

    fn context(&self) -> &Context {
        self.terms.context
    }

    fn run(&self) -> RunId {
        self.terms.run
    }

    fn state(&self) -> MutexGuard<'_, ApplyState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What rests on something that has not happened is left open.
    async fn send_batch(&self, batch: &EnrolmentBatch) {
        let is_open = |operation: &&EnrolmentOperation| self.outcome_of(key(operation)).is_none();
        let ready = batch.operations.iter().filter(is_open).filter(|operation| self.is_ready(operation));
        self.send_now(&EnrolmentBatch { operations: ready.cloned().collect(), ..*batch }).await;
    }

    /// What rests on these calls, and who found no room before somebody left.
    async fn after_lane(&self, lane: &[EnrolmentBatch]) {
        rounds::go_round(self, lane).await;
    }

    /// What is remembered of the enrolments before each sending is the intent; beside it stands what the limits count.
    async fn intend(&self, positions: &[usize], _number: u64) -> Result<(), Broken> {
        let operations = positions.iter().flat_map(|at| self.ending_together(*at));
        let removals = operations.filter_map(|at| self.operation(at));
        let removals = removals.filter(|operation| operation.kind == EnrolmentKind::Remove);
        let counted: Vec<NotedWrite> = removals.map(|operation| self.counted(operation)).collect();
        let ClassinApplyContext { context, run, .. } = self.terms;
        let sent = positions.iter().filter_map(|at| self.operation(*at));
        context.state.note_leaving_for_a_class(&self.leaving.among(sent)).await?;
        Ok(context.state.count_writes(&counted, run, context.clock.now_ms()).await?)
    }

    async fn deliver(&self, call: EnrolmentCall) -> Result<Delivered<()>, Broken> {
        // Each future of the engine holds those below it: a run's would not fit on a thread's stack.
        Box::pin(self.deliver_in_turn(call)).await
    }

    fn note_call(&self, batch: &EnrolmentBatch, positions: &[usize], delivered: &Delivered<()>) {
        if let Some(trouble) = &delivered.trouble {
            self.notes().trouble = Some(trouble.clone());
        }
        self.leave_over(batch, positions, &delivered.outcomes);
    }

    async fn after_call(&self, batch: &EnrolmentBatch) -> Result<(), Broken> {
        Ok(self.close(batch).await?)
    }

    fn place(&self, batch: &EnrolmentBatch, number: u64, index: usize) -> Place {
        Place::in_batch(batch.operations.first().map_or("", action), number, index)
    }

    fn subject(&self, position: usize) -> Option<delivery::Subject> {
        self.operation(position).map(|operation| Subject::from(operation).into())
    }

    fn ending_together(&self, position: usize) -> Vec<usize> {
        let together = self.operation(position).and_then(|operation| self.together.get(&key(operation)));
        together.cloned().unwrap_or_default()
    }

    fn note_applied(&self, _batch: &EnrolmentBatch, at: usize, (): &(), record: &mut CallRecord) -> bool {
        let Some(operation) = self.operation(at) else { return false };
        record.applied.push(Subject::from(operation).key);
        let student = operation.student.clone();
        match (operation.kind, operation.uid) {
            (EnrolmentKind::Enrol, Some(uid)) => {
                record.accounts.push(AccountChange::Accepted { student, uid });
            }
            (EnrolmentKind::Enrol, None) | (EnrolmentKind::Register | EnrolmentKind::Remove, _) => {}
        }
        true
    }

    /// An account that ClassIn does not know (any more) is remembered as such, so that it is found anew.
    fn note_not_applied(&self, position: usize, outcome: &Outcome, record: &mut CallRecord) {
        let (Some(operation), Outcome::Failed(cause)) = (self.operation(position), outcome) else { return };
        let code = cause.code.classin().filter(|code| code.says_no_account());
        if let (EnrolmentKind::Enrol, Some(uid), Some(code)) = (operation.kind, operation.uid, code) {
            record.accounts.push(AccountChange::Refused { student: operation.student.clone(), uid, code });
            self.notes().without_account.insert((operation.student.clone(), operation.target));
        }
    }
}
