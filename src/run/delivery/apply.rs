//! Carries a plan out, batch by batch: intent before a call, its outcomes right after it, one outcome for every
//! operation, whatever happens.

use std::future::Future;
use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, StreamExt};
use rosterd_core::exam_plan::Fingerprint;
use rosterd_core::failure::{FailureCode, OperationKey, Service};
use rosterd_core::outcome::{FailureCause, Outcome};
use rosterd_core::roster::RunId;
use tracing::Instrument;

use super::broken::Broken;
use super::deliver::Delivered;
use super::record::{self, Place};
use super::service::Items;
use super::state::ApplyState;
use crate::run::Context;
use crate::run::progress::Bar;
use crate::store::CallRecord;

/// Lanes that may overlap; the batches of one lane follow one another.
pub(in crate::run) type Lanes<B> = Vec<Vec<B>>;

/// One operation as failures and approvals name it.
#[derive(Clone, Debug)]
pub(in crate::run) struct Subject {
    pub(in crate::run) key: OperationKey,
    /// Fingerprint of what is wanted: a failure holds only while it is the same.
    pub(in crate::run) desired_hash: Fingerprint,
}

/// What a service supplies to carry a plan out. Operations are named by their position in the plan.
pub(in crate::run) trait Applier: Sync {
    const SERVICE: Service;

    type Batch: Send + Sync;
    type Call: Items;
    /// What the service gives for an item that is applied.
    type Gain: Clone + Send + Sync;

    fn context(&self) -> &Context;

    fn run(&self) -> RunId;

    /// Never held across a call.
    fn state(&self) -> MutexGuard<'_, ApplyState>;

    /// Sends what is open of a batch, in as many calls as are wise; each through [`send_call`].
    fn send_batch(&self, batch: &Self::Batch) -> impl Future<Output = ()> + Send;

    /// What follows when a lane has gone.
    fn after_lane(&self, _lane: &[Self::Batch]) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Writes down what is about to be sent.
    fn intend(&self, positions: &[usize], number: u64) -> impl Future<Output = Result<(), Broken>> + Send;

    fn deliver(&self, call: Self::Call)
    -> impl Future<Output = Result<Delivered<Self::Gain>, Broken>> + Send;

    /// Learns from a call for those to come.
    fn note_call(&self, batch: &Self::Batch, positions: &[usize], delivered: &Delivered<Self::Gain>);

    /// Looks at the outcomes once more before they are written down.
    fn check_outcomes(
        &self,
        _positions: &[usize],
        outcomes: Vec<Outcome<Self::Gain>>,
    ) -> impl Future<Output = Result<Vec<Outcome<Self::Gain>>, Broken>> + Send {
        async { Ok(outcomes) }
    }

    /// What follows when a call is written down.
    fn after_call(&self, _batch: &Self::Batch) -> impl Future<Output = Result<(), Broken>> + Send {
        async { Ok(()) }
    }

    /// Where an item stood, for records.
    fn place(&self, batch: &Self::Batch, number: u64, index: usize) -> Place;

    fn subject(&self, position: usize) -> Option<Subject>;

    /// The operations that end as this one does, itself among them.
    fn ending_together(&self, position: usize) -> Vec<usize> {
        vec![position]
    }

    /// Notes what an applied item changes. `false`: the operation needs further calls.
    fn note_applied(
        &self,
        batch: &Self::Batch,
        position: usize,
        gain: &Self::Gain,
        record: &mut CallRecord,
    ) -> bool;

    /// Notes what follows from an outcome other than applied, beside the failure itself.
    fn note_not_applied(&self, position: usize, outcome: &Outcome<Self::Gain>, record: &mut CallRecord);
}

/// Sends all batches. A wave waits for the one before; of its lanes at most so many are under way at once.
pub(in crate::run) async fn carry_out<A: Applier>(
    applier: &A,
    waves: &[Lanes<A::Batch>],
    in_flight: usize,
    bar: &Bar,
) {
    for wave in waves {
        let lanes: Vec<BoxFuture<'_, ()>> =
            wave.iter().map(|lane| send_lane(applier, lane, bar).boxed()).collect();
        stream::iter(lanes).buffer_unordered(in_flight.max(1)).collect::<Vec<()>>().await;
    }
    if let Err(error) = record::settle_faults(applier).await {
        applier.state().break_off(error);
    }
}

async fn send_lane<A: Applier>(applier: &A, lane: &[A::Batch], bar: &Bar) {
    for batch in lane {
        applier.send_batch(batch).await;
        bar.advance(1);
    }
    applier.after_lane(lane).await;
}

/// One call, from intent to outcome.
pub(in crate::run) async fn send_call<A: Applier>(
    applier: &A,
    batch: &A::Batch,
    positions: &[usize],
    call: A::Call,
) {
    if positions.is_empty() {
        return;
    }
    let number = applier.state().next_batch();
    if let Err(error) = applier.intend(positions, number).await {
        return applier.state().break_off(error);
    }
    let span = tracing::debug_span!(
        "batch",
        batch.index = number,
        batch.kind = applier.place(batch, number, 0).call,
        batch.size = positions.len()
    );
    let delivery = deliver_and_record(applier, batch, positions, call, number).instrument(span);
    if let Err(error) = delivery.await {
        // It may have been sent, and what came of it is not written down. The next run finds out.
        let mut state = applier.state();
        let unknown = Outcome::Unknown(Arc::new(not_written_down()));
        let ended = positions.iter().flat_map(|at| applier.ending_together(*at));
        ended.for_each(|at| state.end_open(at, &unknown));
        state.break_off(error);
    }
}

async fn deliver_and_record<A: Applier>(
    applier: &A,
    batch: &A::Batch,
    positions: &[usize],
    call: A::Call,
    number: u64,
) -> Result<(), Broken> {
    let started = Instant::now();
    let delivered = applier.deliver(call).await?;
    log_delivered(&delivered.outcomes, started.elapsed());
    if let Some(stop) = &delivered.stop {
        applier.state().stop(stop.clone());
    }
    applier.note_call(batch, positions, &delivered);
    let outcomes = applier.check_outcomes(positions, delivered.outcomes).await?;
    let ended = record::outcomes(applier, batch, positions, outcomes, number).await?;
    {
        let mut state = applier.state();
        ended.into_iter().for_each(|(at, outcome)| state.end(at, outcome));
    }
    applier.after_call(batch).await
}

/// One event a batch: counts, never lists.
fn log_delivered<G>(outcomes: &[Outcome<G>], took: Duration) {
    let count = |wanted: fn(&Outcome<G>) -> bool| outcomes.iter().filter(|outcome| wanted(outcome)).count();
    let applied = count(|outcome| matches!(outcome, Outcome::Applied(_)));
    let failed = count(|outcome| matches!(outcome, Outcome::Failed(_)));
    let unknown = count(|outcome| matches!(outcome, Outcome::Unknown(_)));
    let unsent = count(|outcome| matches!(outcome, Outcome::Unsent(_)));
    let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    tracing::debug!(applied, failed, unknown, unsent, duration_ms, "batch finished");
}

fn not_written_down() -> FailureCause {
    let message = "what came of it could not be written down";
    FailureCause { next: None, ..FailureCause::new(FailureCode::LostAnswer, message) }
}
