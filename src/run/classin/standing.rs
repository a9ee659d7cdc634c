//! Who is no longer wanted in a class and not ours to take out: told once, and kept among the failures while it is so.

use std::collections::HashSet;

use super::plan::ClassinPlan;
use crate::run::Context;
use crate::store::{Standing, StandingRows, StoreError};
use rosterd_core::classin_plan::{EnrolmentOperation, EnrolmentState, Reason, Subject};
use rosterd_core::exam_plan::Fingerprint;
use rosterd_core::failure::{FailureCode, FailureState, OperationKey, Service};
use rosterd_core::outcome::{Outcome, Unsent};
use rosterd_core::roster::RunId;

/// What stands in one plan, beside what stood before it.
#[derive(Default)]
pub(super) struct StandingEnrolments {
    before: StandingRows,
    now: Vec<Standing>,
    /// What stands just as it stood before: it no longer makes a run end otherwise than well.
    known: HashSet<OperationKey>,
}

impl StandingEnrolments {
    /// Reads what stood before this plan.
    pub(super) async fn of(context: &Context, operations: &[EnrolmentOperation]) -> Result<Self, StoreError> {
        let before = context.state.standing(Service::Classin).await?;
        let now: Vec<Standing> = operations.iter().filter_map(standing).collect();
        let known = now.iter().filter(|one| before.knows(one)).map(|one| one.key.clone()).collect();
        Ok(Self { before, now, known })
    }

    /// Writes down what stands now. What no longer stands is closed with the failures that nobody wants any more.
    pub(super) async fn record(&self, context: &Context, run: RunId, now_ms: i64) -> Result<(), StoreError> {
        context.state.record_standing(&self.before, &self.now, run, now_ms).await
    }

    fn outcome(&self, operation: &EnrolmentOperation) -> Outcome {
        let is_known = self.known.contains(&Subject::from(operation).key);
        Outcome::Unsent(if is_known { Unsent::Standing } else { Unsent::LeftForLater })
    }
}

/// How an enrolment ends that no call was made for.
pub(super) fn outcome_without_call(
    plan: &ClassinPlan,
    operation: &EnrolmentOperation,
    is_ignored: bool,
    is_stopping: bool,
) -> Outcome {
    if matches!(operation.state, EnrolmentState::Cannot(Reason::NotOurs(_))) {
        return plan.standing.outcome(operation);
    }
    super::outcome::outcome_without_call(&operation.state, is_ignored, is_stopping)
}

fn standing(operation: &EnrolmentOperation) -> Option<Standing> {
    let EnrolmentState::Cannot(reason @ Reason::NotOurs(_)) = &operation.state else { return None };
    let Subject { key, desired_hash } = Subject::from(operation);
    Some(Standing {
        key,
        state: FailureState::Waiting,
        code: FailureCode::NotOurs,
        message: reason.to_string(),
        desired_hash: Fingerprint(desired_hash),
        about: None,
        of_leaver: false,
    })
}
