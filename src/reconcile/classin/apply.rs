//! Applies ClassIn's operations: one call at a time within a course, courses side by side.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::stream::{self, StreamExt};

use super::gather::Gathered;
use super::guard::Approvals;
use super::record::{self, FailureKind, Why};
use super::send::{Item, Sending, Settled, Terms, send};
use super::{ClassinSide, StageError, class_key};
use crate::exit::Exit;
use crate::mirror::{
    Call, EnrolmentBatch, EnrolmentKind, EnrolmentOperation, EnrolmentState, ItemVerdict, Scope, batches,
    decide,
};
use crate::plan::FailureState;
use crate::reconcile::Context;
use crate::reconcile::report::{Ended, StageReport};
use crate::roster::{ClassTarget, ClassinUid, CourseId, RunId, StudentId};
use crate::store::{CallRecord, CondemnedClass, EnrolmentChange, Service, StoreError};

/// An account in one class, and what is done about it: what a verdict belongs to.
type Key = (EnrolmentKind, ClassTarget, Option<ClassinUid>);

/// After so many calls in a row that the service itself failed, it is not called any more in this run.
const BREAKER: u32 = 3;

/// How an operation ended, and why.
#[derive(Clone)]
struct End {
    ended: Ended,
    /// What it means for the exit code beyond its count.
    exit: Exit,
    /// Whether there is a failure to record.
    is_recorded: bool,
}

#[derive(Default)]
struct Work {
    ends: HashMap<Key, End>,
    stopped: Option<(Exit, String)>,
    condemned: BTreeMap<ClassTarget, i64>,
    full: BTreeSet<ClassTarget>,
    failures_in_a_row: u32,
    answered: bool,
    trouble: Option<String>,
    suspects: u32,
    batches: u64,
    broken: Option<StoreError>,
    errors: Vec<String>,
}

struct Applier<'a> {
    terms: Terms<'a>,
    /// Operations that end as another one does.
    followers: HashMap<Key, Vec<&'a EnrolmentOperation>>,
    approved: &'a Approvals,
    work: Mutex<Work>,
}

/// Applies the operations and counts each once.
pub(super) async fn run(
    context: &Context,
    side: &ClassinSide,
    run: RunId,
    gathered: &Gathered,
    approved: &Approvals,
    report: &mut StageReport,
) -> Result<(), StageError> {
    let key = context.state.memory_key().await?;
    let terms = Terms { context, side, run, token_key: &key };
    let applier = Applier::new(terms, &gathered.operations, approved);
    applier.record_impossible(&gathered.operations).await?;
    let mut courses: BTreeMap<CourseId, Vec<EnrolmentBatch>> = BTreeMap::new();
    for batch in batches(&gathered.operations, side.settings.batch_size, &BTreeSet::new()) {
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
        applier.fill_up(&batches).await;
    }))
    .buffer_unordered(in_flight)
    .collect::<Vec<()>>()
    .await;
    applier.finish(gathered, report).await
}

fn key(operation: &EnrolmentOperation) -> Key {
    (operation.kind, operation.target, operation.uid)
}

impl<'a> Applier<'a> {
    fn new(terms: Terms<'a>, operations: &'a [EnrolmentOperation], approved: &'a Approvals) -> Self {
        let mut followers: HashMap<Key, Vec<&EnrolmentOperation>> = HashMap::new();
        for operation in operations.iter().filter(|operation| operation.follows) {
            followers.entry(key(operation)).or_default().push(operation);
        }
        Self { terms, followers, approved, work: Mutex::new(Work::default()) }
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn record(&self, record: &CallRecord) -> Result<(), StoreError> {
        let now_ms = self.terms.context.clock.now_ms();
        self.terms.context.state.record_call(record, self.terms.run, now_ms).await
    }

    /// Notes who has no account, once for each thing that is wanted: nothing is attempted that could be counted.
    async fn record_impossible(&self, operations: &[EnrolmentOperation]) -> Result<(), StoreError> {
        let context = self.terms.context;
        let open = context.state.classin_holds().await?;
        let known: HashSet<(&str, &StudentId, u64)> = open
            .iter()
            .filter(|(_, _, _, hold)| hold.state == FailureState::Dead)
            .map(|(kind, student, _, hold)| (kind.as_str(), student, hold.want.0))
            .collect();
        let mut record = CallRecord::default();
        for operation in operations {
            let EnrolmentState::Cannot(reason) = &operation.state else { continue };
            if known.contains(&(operation.kind.as_str(), &operation.student, operation.want)) {
                continue;
            }
            let why = Why {
                call: "",
                code: "no-account".to_owned(),
                message: reason.to_string(),
                service_text: None,
                batch: None,
                index: None,
                kind: FailureKind::Permanent,
                wait: None,
            };
            record.failures.push(record::failure(context, operation, why).await?);
        }
        if record.failures.is_empty() { Ok(()) } else { self.record(&record).await }
    }

    async fn batch(&self, batch: &EnrolmentBatch) {
        if self.not_now(batch) {
            return;
        }
        let items: Vec<Item> = batch
            .operations
            .iter()
            .filter_map(|operation| {
                Some(Item { uid: operation.uid?, was: operation.recorded, operation: operation.clone() })
            })
            .collect();
        let number = {
            let mut work = self.work();
            work.batches += 1;
            work.batches
        };
        let done = match send(self.terms, items.clone(), 0).await {
            Ok(sending) => self.outcome(batch, &items, sending, number).await,
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            // It may have been sent, and nobody wrote down what came of it.
            let unknown = End { ended: Ended::Unknown, exit: Exit::Incomplete, is_recorded: false };
            let mut work = self.work();
            for item in &items {
                work.ends.entry(key(&item.operation)).or_insert_with(|| unknown.clone());
            }
            work.broken = Some(error);
        }
    }

    /// A class that was full, and from which somebody was removed since, takes so many of the others.
    async fn fill_up(&self, batches: &[EnrolmentBatch]) {
        if self.work().full.is_empty() {
            return;
        }
        let mut room: BTreeMap<ClassTarget, usize> = BTreeMap::new();
        for (key, end) in &self.work().ends {
            if key.0 == EnrolmentKind::Remove && end.ended == Ended::Applied {
                *room.entry(key.1).or_default() += 1;
            }
        }
        for batch in batches.iter().filter(|batch| batch.kind == EnrolmentKind::Enrol) {
            let Some(room) = room.get_mut(&batch.target) else { continue };
            let left: Vec<EnrolmentOperation> = {
                let mut work = self.work();
                if !work.full.remove(&batch.target) {
                    continue;
                }
                let is_done = |operation: &&EnrolmentOperation| {
                    work.ends.get(&key(operation)).is_some_and(|end| end.ended == Ended::Applied)
                };
                batch.operations.iter().filter(|one| !is_done(one)).take(*room).cloned().collect()
            };
            *room -= left.len();
            if !left.is_empty() {
                self.batch(&EnrolmentBatch { operations: left, ..*batch }).await;
            }
            if *room > 0 {
                self.work().full.insert(batch.target);
            }
        }
    }

    /// Whether a batch is left for another run; its operations then count as skipped.
    fn not_now(&self, batch: &EnrolmentBatch) -> bool {
        let work = self.work();
        let course = ClassTarget { class: None, ..batch.target };
        let full = batch.kind == EnrolmentKind::Enrol && work.full.contains(&batch.target);
        work.stopped.is_some()
            || work.broken.is_some()
            || full
            || work.condemned.contains_key(&batch.target)
            || work.condemned.contains_key(&course)
            || self.terms.context.stop.is_cancelled()
    }

    async fn outcome(
        &self,
        batch: &EnrolmentBatch,
        items: &[Item],
        sending: Sending,
        number: u64,
    ) -> Result<(), StoreError> {
        let mut record = CallRecord::default();
        let mut ends = Vec::new();
        for (index, (item, settled)) in items.iter().zip(&sending.items).enumerate() {
            let key = key(&item.operation);
            let end = end_of(settled, sending.stop.is_some());
            let followers = self.followers.get(&key).map_or(&[][..], Vec::as_slice);
            for operation in std::iter::once(&item.operation).chain(followers.iter().copied()) {
                if end.ended == Ended::Applied {
                    self.note_applied(&mut record, operation);
                } else if end.is_recorded {
                    let why = Why {
                        batch: Some(number),
                        index: u64::try_from(index).ok(),
                        ..record::explain(operation, settled)
                    };
                    record.failures.push(record::failure(self.terms.context, operation, why).await?);
                }
            }
            ends.push((key, end));
        }
        self.record(&record).await?;
        self.condemn(batch, &sending).await?;
        self.note_service(batch, &sending);
        self.work().ends.extend(ends);
        Ok(())
    }

    fn note_applied(&self, record: &mut CallRecord, operation: &EnrolmentOperation) {
        let kind = operation.kind.as_str();
        record.applied.push((Service::Classin, kind, operation.student.clone(), class_key(operation)));
        if operation.kind == EnrolmentKind::Remove {
            let approved = self.approved.contains(operation);
            record.departures.push((Service::Classin, operation.student.clone(), approved));
        }
    }

    async fn condemn(&self, batch: &EnrolmentBatch, sending: &Sending) -> Result<(), StoreError> {
        let mut changes = Vec::new();
        for condemnation in &sending.condemned {
            let target = match condemnation.scope {
                Scope::Class => batch.target,
                Scope::Course => ClassTarget { class: None, ..batch.target },
            };
            let known = self.work().condemned.insert(target, condemnation.code).is_some();
            if known {
                continue;
            }
            let call = match batch.kind {
                EnrolmentKind::Remove => Call::removing_from(batch.target),
                EnrolmentKind::Register | EnrolmentKind::Enrol => Call::adding_to(batch.target),
            };
            let message = decide(call, condemnation.code).message.to_owned();
            self.work().errors.push(format!("classin: {target}: {message} (code {})", condemnation.code));
            if condemnation.for_good {
                let condemned = CondemnedClass { target, code: condemnation.code, message };
                changes.push(EnrolmentChange::Condemn(condemned));
            }
        }
        let now_ms = self.terms.context.clock.now_ms();
        self.terms.context.state.record_enrolments(&changes, self.terms.run, now_ms).await
    }

    fn note_service(&self, batch: &EnrolmentBatch, sending: &Sending) {
        let mut work = self.work();
        if sending.full {
            work.full.insert(batch.target);
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
            let message =
                "ClassIn refuses the calls themselves for several students (code 100 or 155)".to_owned();
            work.stopped.get_or_insert((Exit::Failed, message));
        } else if work.failures_in_a_row >= BREAKER {
            let message =
                format!("{BREAKER} calls in a row failed: ClassIn is not called any more in this run");
            work.stopped.get_or_insert((Exit::Temporary, message));
        }
    }

    async fn finish(&self, gathered: &Gathered, report: &mut StageReport) -> Result<(), StageError> {
        let mut ended = Vec::new();
        for operation in &gathered.operations {
            let end = self.ended(operation, gathered);
            if matches!(end.ended, Ended::Applied | Ended::Failed | Ended::Unknown) {
                let kind = operation.kind.as_str();
                ended.push((Service::Classin, kind, operation.student.clone(), class_key(operation)));
            }
            report.count(operation.kind.as_str(), end.ended);
            report.exit = report.exit.worst(end.exit);
        }
        let broken = self.describe(report);
        self.terms.context.state.use_up_approvals(&ended).await?;
        broken.map_or(Ok(()), |error| Err(error.into()))
    }

    fn ended(&self, operation: &EnrolmentOperation, gathered: &Gathered) -> End {
        let end = |ended, exit| End { ended, exit, is_recorded: false };
        match &operation.state {
            EnrolmentState::Planned => self.work().ends.get(&key(operation)).cloned().unwrap_or_else(|| {
                let stopping = self.terms.context.stop.is_cancelled();
                end(Ended::Skipped, if stopping { Exit::Terminated } else { Exit::Incomplete })
            }),
            EnrolmentState::Held(_) => end(Ended::Held, Exit::Held),
            EnrolmentState::Cannot(_) => end(Ended::Failed, Exit::Incomplete),
            EnrolmentState::Waiting(_) if gathered.ignored.contains(&operation.want) => {
                end(Ended::Skipped, Exit::Done)
            }
            EnrolmentState::Waiting(_) => end(Ended::Skipped, Exit::Incomplete),
            EnrolmentState::Skipped(_) => end(Ended::Skipped, Exit::Done),
        }
    }

    /// What the report says beyond figures; and what broke our own database.
    fn describe(&self, report: &mut StageReport) -> Option<StoreError> {
        let mut work = self.work();
        for error in work.errors.drain(..) {
            report.fail(Exit::Incomplete, error);
        }
        if let Some((exit, message)) = work.stopped.take() {
            report.fail(exit, format!("classin: {message}"));
        }
        if let Some(message) = work.trouble.take() {
            // Not one answer in the whole run: the service is down, however few calls there were to make.
            let exit = if work.answered { Exit::Incomplete } else { Exit::Temporary };
            report.fail(exit, format!("classin: {message}"));
        }
        work.broken.take()
    }
}

/// How one item ended. What was not sent because the service is to be left alone does not count as an attempt.
fn end_of(settled: &Settled, stopped: bool) -> End {
    let (ended, is_recorded) = match settled.judged.verdict {
        ItemVerdict::Done { .. } | ItemVerdict::Already { .. } => (Ended::Applied, false),
        ItemVerdict::StopRun { .. } => (Ended::Skipped, false),
        ItemVerdict::Condemned { for_good: true, .. } => (Ended::Failed, false),
        ItemVerdict::Halve { .. } if stopped => (Ended::Skipped, false),
        ItemVerdict::Unknown | ItemVerdict::SendSingly => match &settled.trouble {
            Some(trouble) if !trouble.is_lost && stopped => (Ended::Skipped, false),
            Some(trouble) if !trouble.is_lost => (Ended::Failed, true),
            _ => (Ended::Unknown, true),
        },
        ItemVerdict::Condemned { .. }
        | ItemVerdict::Repair { .. }
        | ItemVerdict::Retry { .. }
        | ItemVerdict::Full { .. }
        | ItemVerdict::Student { .. }
        | ItemVerdict::Halve { .. } => (Ended::Failed, true),
    };
    let exit = if ended == Ended::Applied { Exit::Done } else { Exit::Incomplete };
    End { ended, exit, is_recorded }
}
