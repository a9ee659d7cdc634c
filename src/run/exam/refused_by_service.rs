//! What was refused by a service that refuses everything: no attempt of any student's.
//!
//! Of twenty items and more the run says so itself and stops ([`super::storm`]). Fewer are judged as items; where every call
//! of a kind was refused with one and the same answer and none went through, that says nothing about any of them either.

use std::collections::BTreeMap;

use super::record;
use crate::run::Context;
use crate::run::delivery::{ApplyState, ServiceStop};
use crate::store::StoreError;
use rosterd_core::exam_plan::{GuardedPlan, Operation, OperationKind};
use rosterd_core::failure::{Attempts, FailureCode, FailureOwner, Fault, NextAttempt, OperationKey};
use rosterd_core::outcome::{FailureCause, Outcome};

/// Blames the service instead of the students.
pub(super) async fn blame(
    context: &Context,
    plan: &GuardedPlan,
    state: &ApplyState,
) -> Result<(), StoreError> {
    if let Some(ServiceStop::RefusedItems { call, .. }) = state.stopped() {
        return context.state.blame_service(&refused_to_the_last(plan, state, call)).await;
    }
    let now_ms = context.clock.now_ms();
    let decide = |attempts: Attempts| {
        let next = NextAttempt::AfterDelay;
        context.retry.schedule(next, attempts, Fault::Service, now_ms, fastrand::f64(), None)
    };
    context.state.excuse_items(&refused_alike(plan, state), decide).await
}

/// What was refused of the kind of call over which the run was stopped.
fn refused_to_the_last(plan: &GuardedPlan, state: &ApplyState, call: &str) -> Vec<OperationKey> {
    let is_refused = |at: usize, operation: &Operation| {
        let cause = state.outcome(at).and_then(Outcome::cause);
        record::endpoint_of(operation.kind()) == Some(call)
            && cause.is_some_and(|cause| cause.code == FailureCode::Refused)
    };
    let refused = plan.operations.iter().enumerate().filter(|(at, operation)| is_refused(*at, operation));
    refused.map(|(_, operation)| operation.key()).collect()
}

/// What was refused of kinds of call of which nothing went through, where each call of the kind was refused with the same
/// words: that other kinds are taken says nothing of these. Nothing of a kind of which any answer told one item from another.
fn refused_alike(plan: &GuardedPlan, state: &ApplyState) -> Vec<OperationKey> {
    let mut kinds: BTreeMap<&str, Alike<'_>> = BTreeMap::new();
    for (at, operation) in plan.operations.iter().enumerate() {
        // For an adoption nothing is sent.
        if operation.kind() == OperationKind::Adopt {
            continue;
        }
        let (Some(call), Some(outcome)) = (record::endpoint_of(operation.kind()), state.outcome(at)) else {
            continue;
        };
        kinds.entry(call).or_default().note(operation, outcome);
    }
    kinds.into_values().filter(|alike| !alike.is_told_apart).flat_map(|alike| alike.refused).collect()
}

/// How the calls of one kind were answered.
#[derive(Default)]
struct Alike<'o> {
    refused: Vec<OperationKey>,
    first: Option<&'o FailureCause>,
    /// Something was accepted, or an answer was about single items.
    is_told_apart: bool,
}

impl<'o> Alike<'o> {
    fn note(&mut self, operation: &Operation, outcome: &'o Outcome) {
        match outcome {
            Outcome::Applied(()) => self.is_told_apart = true,
            Outcome::Failed(cause) if cause.refused_as_whole => {
                self.is_told_apart |= self.first.get_or_insert(cause).service_text != cause.service_text;
                self.refused.push(operation.key());
            }
            Outcome::Failed(cause) => {
                self.is_told_apart |= !FailureOwner::is_service_fault(operation.key().kind, &cause.code);
            }
            Outcome::Unknown(_) | Outcome::Held | Outcome::Unsent(_) => {}
        }
    }
}
