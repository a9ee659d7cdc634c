//! What became of the items of a call, written down before anything else is sent for them.

use rosterd_core::failure::{EarlierAttempts, OpenFailure, RecordedHash};
use rosterd_core::outcome::{FailureCause, Outcome};

use super::apply::{Applier, Subject};
use super::broken::Broken;
use crate::run::Context;
use crate::store::{CallRecord, FailureRecord, StoreError};

/// Where an item stood: in which call, in which batch of the run, at which position of it.
#[derive(Clone, Copy, Default)]
pub(in crate::run) struct Place {
    pub(in crate::run) call: &'static str,
    pub(in crate::run) batch: Option<u64>,
    pub(in crate::run) index: Option<u64>,
}

impl Place {
    /// In a batch.
    pub(in crate::run) fn in_batch(call: &'static str, number: u64, index: usize) -> Self {
        Self { call, batch: Some(number), index: u64::try_from(index).ok() }
    }

    /// In a call for one.
    pub(in crate::run) fn at(call: &'static str) -> Self {
        Self { call, batch: None, index: None }
    }
}

/// Records the outcome of every item, in one transaction. Says which operations have ended by it, and how.
pub(super) async fn outcomes<A: Applier>(
    applier: &A,
    batch: &A::Batch,
    positions: &[usize],
    outcomes: Vec<Outcome<A::Gain>>,
    number: u64,
) -> Result<Vec<(usize, Outcome)>, Broken> {
    let mut record = CallRecord::default();
    let mut ended = Vec::new();
    for (index, (at, outcome)) in positions.iter().zip(outcomes).enumerate() {
        let place = applier.place(batch, number, index);
        for at in applier.ending_together(*at) {
            match &outcome {
                Outcome::Applied(gain) => {
                    if !applier.note_applied(batch, at, gain, &mut record) {
                        continue;
                    }
                }
                Outcome::Failed(_) | Outcome::Unknown(_) | Outcome::Held | Outcome::Unsent(_) => {
                    let subject = applier.subject(at);
                    if let (Some(cause), Some(subject)) = (outcome.cause(), subject) {
                        let failure = failure(applier.context(), &subject, cause, place).await?;
                        record.failures.extend(failure);
                    }
                    applier.note_not_applied(at, &outcome, &mut record);
                }
            }
            if is_undone(&outcome) {
                record.undone.extend(applier.subject(at).map(|subject| subject.key));
            }
            if outcome.is_tried() {
                record.ended.extend(applier.subject(at).map(|subject| subject.key));
            }
            ended.push((at, outcome.without_gain()));
        }
    }
    let now_ms = applier.context().clock.now_ms();
    applier.context().state.record_call(&record, applier.run(), now_ms).await?;
    Ok(ended)
}

/// Whether it is known not to have happened: refused, or never sent. Where the answer was lost, a look-up may lag behind,
/// so it counts as written until a complete reading shows otherwise.
fn is_undone<G>(outcome: &Outcome<G>) -> bool {
    match outcome {
        Outcome::Failed(cause) => !cause.is_unanswered,
        Outcome::Unsent(_) => true,
        Outcome::Applied(_) | Outcome::Unknown(_) | Outcome::Held => false,
    }
}

/// The failure of one operation: how often it was tried, and when it is due again. `None` where its cause is not
/// recorded.
pub(in crate::run) async fn failure(
    context: &Context,
    subject: &Subject,
    cause: &FailureCause,
    place: Place,
) -> Result<Option<FailureRecord>, StoreError> {
    let Some(next) = cause.next else { return Ok(None) };
    let Subject { key, desired_hash } = subject;
    let recorded = RecordedHash::with_contact(*desired_hash, cause.contact);
    let earlier = context.state.earlier_attempts(key).await?;
    let attempts = EarlierAttempts::with_another(earlier, recorded);
    let now_ms = context.clock.now_ms();
    let (state, due_at_ms) =
        context.retry.schedule(next, attempts, now_ms, fastrand::f64(), cause.retry_after);
    Ok(Some(FailureRecord {
        key: key.clone(),
        call: cause.call.unwrap_or(place.call),
        code: cause.code.clone(),
        message: cause.message.clone(),
        service_text: cause.service_text.clone(),
        batch: place.batch,
        index: place.index,
        failure: OpenFailure { state, due_at_ms, recorded },
        attempts,
    }))
}
