//! Carries a plan out, batch by batch: intent before a call, its outcomes right after it, one outcome for every
//! operation, whatever happens.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, StreamExt};
use rosterd_core::failure::FailureCode;
use rosterd_core::outcome::{FailureCause, Outcome};
use tracing::Instrument;

use super::applier::{Applier, Lanes};
use super::broken::Broken;
use super::record;
use crate::run::progress::Bar;

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
