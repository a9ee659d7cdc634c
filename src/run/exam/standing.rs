//! What is withheld, and what is held about single people: told once, and kept among the failures while it stands.

use std::collections::{HashMap, HashSet};

use crate::run::Context;
use crate::store::{Standing, StandingRows, StoreError};
use rosterd_core::exam_plan::{
    GuardedPlan, Hold, MemoryKey, NamedHold, Operation, OperationKind, OperationState, SkipReason,
    desired_withheld,
};
use rosterd_core::failure::{FailureCode, FailureState, OperationKey, Service};
use rosterd_core::outcome::{Outcome, Unsent};
use rosterd_core::roster::RunId;

/// What stands in one plan, beside what stood before it.
pub(super) struct StandingOperations {
    before: StandingRows,
    now: Vec<Standing>,
    /// Operations that stand just as they stood before: they no longer make a run end otherwise than well.
    known: HashSet<OperationKey>,
}

impl StandingOperations {
    /// Reads what stood before this plan.
    pub(super) async fn of(context: &Context, plan: &GuardedPlan) -> Result<Self, StoreError> {
        let before = context.state.standing(Service::Exam).await?;
        let held = plan.held();
        let holds: HashMap<&OperationKey, &Hold> =
            held.iter().flat_map(|hold| hold.operations.iter().map(move |one| (&one.key, hold))).collect();
        let standing_now = plan.operations.iter().filter_map(standing);
        let now: Vec<Standing> = standing_now.map(|one| with_command(one, &holds)).collect();
        let standing = now.iter().filter(|one| before.knows(one)).map(|one| one.key.clone());
        let over = plan.operations.iter().filter(|operation| is_told(&before, operation)).map(Operation::key);
        let known = standing.chain(over).collect();
        Ok(Self { before, now, known })
    }

    /// The same, written down.
    pub(super) async fn recorded(
        context: &Context,
        plan: &GuardedPlan,
        run: RunId,
        now_ms: i64,
    ) -> Result<Self, StoreError> {
        let standing = Self::of(context, plan).await?;
        standing.record(context, plan, run, now_ms).await?;
        Ok(standing)
    }

    /// Writes down what stands now. What no longer stands is closed where the plan is complete.
    async fn record(
        &self,
        context: &Context,
        plan: &GuardedPlan,
        run: RunId,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        context.state.record_standing(&self.before, &self.now, run, now_ms).await?;
        if plan.doubt.is_some() {
            return Ok(());
        }
        let is_undone = |operation: &&Operation| matches!(operation.state, OperationState::Skipped(_));
        let undone: HashSet<OperationKey> =
            plan.operations.iter().filter(is_undone).map(Operation::key).collect();
        let left_open = plan.left_open();
        let is_left = |key: &OperationKey| undone.contains(key) || left_open.contains(&key.student);
        context.state.close_standing(&self.before, &self.now, is_left, now_ms).await
    }

    /// Whether just this was left alone before, because a look-up right before the call said nothing of its candidate.
    pub(super) fn is_known_unproven(&self, operation: &Operation) -> bool {
        self.before.is_unproven(&operation.key(), operation.desired_hash)
    }

    /// Withholds all that is wanted of a student, as the next plan will, because a look-up right before a call showed another
    /// login value at their sid. Says whether that is no news.
    pub(super) async fn withhold_another(
        &self,
        context: &Context,
        memory_key: &MemoryKey,
        operation: &Operation,
        run: RunId,
    ) -> Result<bool, StoreError> {
        let (reason, kind) = (SkipReason::AnotherLogin, OperationKind::Modify);
        let student = &operation.student;
        let standing = Standing {
            key: OperationKey::of(kind, student.clone()),
            state: FailureState::Waiting,
            code: FailureCode::AnotherLoginValue,
            message: reason.to_string(),
            desired_hash: desired_withheld(memory_key, student, kind, &reason),
            about: None,
            of_leaver: operation.of_leaver,
        };
        let (is_known, now_ms) = (self.before.knows(&standing), context.clock.now_ms());
        context.state.record_standing(&self.before, &[standing], run, now_ms).await?;
        Ok(is_known)
    }

    /// Whether this is held about single people as it was before.
    pub(super) fn is_known_hold(&self, operation: &Operation) -> bool {
        matches!(&operation.state, OperationState::Held(reason) if !reason.is_limit())
            && self.known.contains(&operation.key())
    }

    /// What a plan says itself of how an operation ends; nothing of one that is to be sent.
    pub(super) fn first_outcome(&self, operation: &Operation) -> Option<Outcome> {
        let follows = |kind: OperationKind| OperationKey::of(kind, operation.student.clone());
        let is_known = match &operation.state {
            OperationState::Skipped(SkipReason::Depends(kind)) => self.known.contains(&follows(*kind)),
            OperationState::Skipped(_) | OperationState::Cannot(_) => self.known.contains(&operation.key()),
            OperationState::Planned | OperationState::Held(_) => false,
        };
        if is_known {
            return Some(Outcome::Unsent(Unsent::Standing));
        }
        Outcome::of_planned(&operation.state)
    }
}

/// Whether a person has been told before that this is not done: it was given up, it is impossible as it was, nothing was
/// said of its candidate, or that person said to leave it.
fn is_told(before: &StandingRows, operation: &Operation) -> bool {
    match &operation.state {
        OperationState::Skipped(SkipReason::DeadLetter | SkipReason::Ignored) => true,
        OperationState::Cannot(_) => before.is_dead(&operation.key(), operation.desired_hash),
        OperationState::Skipped(SkipReason::NotDue { .. }) => {
            before.is_unproven(&operation.key(), operation.desired_hash)
        }
        OperationState::Planned | OperationState::Held(_) | OperationState::Skipped(_) => false,
    }
}

/// What is held says what to type, with the digest.
fn with_command(standing: Standing, holds: &HashMap<&OperationKey, &Hold>) -> Standing {
    match holds.get(&standing.key) {
        Some(hold) => Standing { message: hold.naming_digest(&standing.message), ..standing },
        None => standing,
    }
}

/// What stands in the way of an operation, where it is withheld or held about single people.
fn standing(operation: &Operation) -> Option<Standing> {
    let (state, code, message, about) = match &operation.state {
        OperationState::Held(reason) => {
            let NamedHold { word, about } = reason.named()?;
            (FailureState::Held, word.code(), reason.about(&operation.student), Some(about))
        }
        OperationState::Skipped(reason) => (FailureState::Waiting, reason.code()?, reason.to_string(), None),
        OperationState::Planned | OperationState::Cannot(_) => return None,
    };
    let (desired_hash, of_leaver) = (operation.desired_hash, operation.of_leaver);
    Some(Standing { key: operation.key(), state, code, message, desired_hash, about, of_leaver })
}
