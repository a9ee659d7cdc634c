//! What became of the items of a call, written down before anything else is sent for them.

use rosterd_core::failure::{
    EarlierAttempts, FailureOwner, Fault, NextAttempt, OpenFailure, OperationKey, RecordedHash, Service,
};
use rosterd_core::outcome::{FailureCause, Outcome, SentWith};

use super::applier::{Applier, Place, Subject};
use super::broken::Broken;
use super::state::Faults;
use crate::run::Context;
use crate::store::{CallRecord, FailureRecord, StoreError};

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
    let mut faults = Faults::default();
    let is_accepted = outcomes.iter().any(Outcome::is_applied);
    let is_alone = positions.len() == 1;
    for (index, (at, outcome)) in positions.iter().zip(outcomes).enumerate() {
        let place = applier.place(batch, number, index);
        for at in applier.ending_together(*at) {
            let mut is_service_fault = false;
            match &outcome {
                Outcome::Applied(gain) => {
                    faults.accepted.insert(place.call);
                    if !applier.note_applied(batch, at, gain, &mut record) {
                        continue;
                    }
                }
                Outcome::Failed(_) | Outcome::Unknown(_) | Outcome::Held | Outcome::Unsent(_) => {
                    let subject = applier.subject(at);
                    if let (Some(cause), Some(subject)) = (outcome.cause(), subject) {
                        // A code of ClassIn's for one item is its own answer, whoever else is in the call.
                        let is_told_apart = is_alone
                            || cause.sent_with == SentWith::Nobody
                            || (is_accepted && cause.code.classin().is_some());
                        let failure = failure(applier.context(), &subject, cause, place).await?;
                        if let Some(failure) = failure {
                            is_service_fault = failure.fault == Fault::Service;
                            if is_service_fault {
                                faults.of_service.insert(failure.key.clone());
                            }
                            if is_service_fault && is_told_apart && failure.code.may_be_of_one_item() {
                                faults.alone.push((failure.key.clone(), failure.call));
                            }
                            record.failures.push(failure);
                        }
                    }
                    applier.note_not_applied(at, &outcome, &mut record);
                }
            }
            if is_undone(&outcome) {
                record.undone.extend(applier.subject(at).map(|subject| subject.key));
            }
            if outcome.is_final() && !is_service_fault {
                record.ended.extend(applier.subject(at).map(|subject| subject.key));
            }
            ended.push((at, outcome.without_gain()));
        }
    }
    let now_ms = applier.context().clock.now_ms();
    applier.context().state.record_call(&record, applier.run(), now_ms).await?;
    applier.state().note_faults(faults);
    Ok(ended)
}

/// Settles in the end whose doing the failures of this run were: a service that has done such work once does not keep
/// what waits for it any longer, and what failed alone beside it is at fault itself. So is what fails alone where nothing
/// else was sent, once the service has done such work since it failed first.
pub(super) async fn settle_faults<A: Applier>(applier: &A) -> Result<(), Broken> {
    let Faults { accepted, alone, of_service } = applier.state().take_faults();
    let (context, run) = (applier.context(), applier.run());
    let (state, now_ms) = (&context.state, context.clock.now_ms());
    let obtains_accounts = accepted.iter().any(|call| ACCOUNT_CALLS.contains(call));
    let alike = ACCOUNT_CALLS.into_iter().filter(|_| obtains_accounts);
    let calls: Vec<&'static str> = accepted.iter().copied().chain(alike).collect();
    state.wake_service_faults(A::SERVICE, &calls, run, now_ms).await?;
    for call in &accepted {
        state.remember(&last_accepted(A::SERVICE, call), Some(&now_ms.to_string())).await?;
    }
    let is_accepted = |call: &str| accepted.iter().any(|one| work(one) == work(call));
    let (beside, by_itself): (Vec<_>, Vec<_>) = alone.into_iter().partition(|(_, call)| is_accepted(call));
    let mut at_fault: Vec<OperationKey> = beside.into_iter().map(|(key, _)| key).collect();
    // Where others failed with it, the service may be down.
    if accepted.is_empty() && of_service.len() == by_itself.len() && !by_itself.is_empty() {
        let mut known = Vec::new();
        for (key, call) in &by_itself {
            let moments = CALLS.iter().filter(|one| work(one) == work(call));
            let mut accepted_ms = None;
            for call in moments.copied().chain([*call]) {
                let told = state.fact(&last_accepted(A::SERVICE, call)).await?;
                accepted_ms = accepted_ms.max(told.and_then(|told| told.parse().ok()));
            }
            if state.fails_by_itself(key, accepted_ms).await? {
                known.push(key.clone());
            }
        }
        if known.len() == by_itself.len() {
            at_fault.extend(known);
            applier.state().blame_items_alone();
        }
    }
    let decide = |attempts| {
        let next = NextAttempt::AfterDelay;
        context.retry.schedule(next, attempts, Fault::Item, now_ms, fastrand::f64(), None)
    };
    Ok(state.blame_items(&at_fault, run, decide).await?)
}

/// Calls that do one work under two names.
const CALLS: [&str; 2] = ["register", "registerMultiple"];

/// The calls by which accounts are obtained. Who has one now has gone through them, so what waits for any of them is due.
const ACCOUNT_CALLS: [&str; 3] = ["register", "registerMultiple", "addSchoolStudent"];

/// The work that a call does.
fn work(call: &str) -> &str {
    if CALLS.contains(&call) { "register" } else { call }
}

/// The fact that tells when such a call was last accepted.
fn last_accepted(service: Service, call: &str) -> String {
    format!("{}.accepted.{call}", service.as_str())
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
    let may_be_service = matches!(next, NextAttempt::AfterDelay | NextAttempt::NextRun);
    let is_service = may_be_service && FailureOwner::is_service_fault(key.kind, &cause.code);
    let fault = if is_service { Fault::Service } else { Fault::Item };
    let attempts = EarlierAttempts::with_another(earlier, recorded, fault);
    let now_ms = context.clock.now_ms();
    let (state, due_at_ms) =
        context.retry.schedule(next, attempts, fault, now_ms, fastrand::f64(), cause.retry_after);
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
        fault,
    }))
}
