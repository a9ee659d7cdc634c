//! What is too much at once: removals beyond `guard.max_delete`, and classes that would be left empty.

use std::collections::{BTreeSet, HashSet};

use super::ClassinSide;
use super::account::{AccountKind, AccountOperation};
use super::plan::ClassinPlan;
use super::record::{Subject, class_key};
use crate::run::Context;
use crate::run::report::ServiceReport;
use crate::store::{HeldOperation, StoreError};
use rosterd_core::classin_plan::{EnrolmentKind, EnrolmentOperation, EnrolmentState, Reason};
use rosterd_core::exam_plan::{Fingerprint, allowance};
use rosterd_core::failure::{OperationKey, Service};

/// What a person let go ahead, and what each of it wants.
pub(super) struct Approvals(HashSet<(OperationKey, Fingerprint)>);

impl Approvals {
    /// Whether this is among it.
    pub(super) fn contains(&self, operation: impl Into<Subject>) -> bool {
        let Subject { key, desired_hash } = operation.into();
        self.0.contains(&(key, Fingerprint(desired_hash)))
    }
}

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// So many names are never too many: a small school has a wedding too.
const LEAST_NAMES: u64 = 5;

/// Removals count against `guard.max_delete` of what we hold in ClassIn, names against `guard.max_modify` of the
/// accounts that we know.
pub(super) async fn hold_excess(
    context: &Context,
    side: &ClassinSide,
    plan: &mut ClassinPlan,
    held: u64,
) -> Result<Approvals, StoreError> {
    let now_ms = context.clock.now_ms();
    let approved = Approvals(context.state.approved_in_classin(now_ms).await?);
    hold_removals(context, side, &mut plan.operations, held, &approved).await?;
    let is_rename = |operation: &&mut AccountOperation| {
        operation.kind == AccountKind::Rename
            && operation.state == EnrolmentState::Planned
            && !approved.contains(&**operation)
    };
    let names: Vec<&mut AccountOperation> = plan.accounts.operations.iter_mut().filter(is_rename).collect();
    let (count, known) =
        (u64::try_from(names.len()).unwrap_or(u64::MAX), context.state.count_accounts().await?);
    let limit = allowance(side.guard.max_modify, known).max(LEAST_NAMES);
    if count > limit {
        let reason =
            format!("{count} names of {known} accounts: more than the limit of {limit} (guard.max_modify)");
        for operation in names {
            operation.state = EnrolmentState::Held(Reason::Other(reason.clone()));
        }
    }
    Ok(approved)
}

async fn hold_removals(
    context: &Context,
    side: &ClassinSide,
    operations: &mut [EnrolmentOperation],
    held: u64,
    approved: &Approvals,
) -> Result<(), StoreError> {
    let now_ms = context.clock.now_ms();
    for operation in operations.iter_mut() {
        if matches!(operation.state, EnrolmentState::Held(_)) && approved.contains(&*operation) {
            operation.state = EnrolmentState::Planned;
        }
    }
    let concerns = |operation: &EnrolmentOperation| {
        operation.kind == EnrolmentKind::Remove && operation.is_planned() && !approved.contains(operation)
    };
    let count =
        u64::try_from(operations.iter().filter(|operation| concerns(operation)).count()).unwrap_or(u64::MAX);
    let recent = context.state.recent_departures(Service::Classin, now_ms.saturating_sub(DAY_MS)).await?;
    let limit = allowance(side.guard.max_delete, held);
    if count == 0 || count.saturating_add(recent) <= limit {
        return Ok(());
    }
    let reason = format!(
        "{count} removals of {held} enrolments, and {recent} in the last 24 hours: more than the limit of {limit} (guard.max_delete)"
    );
    for operation in operations.iter_mut().filter(|operation| concerns(operation)) {
        operation.state = EnrolmentState::Held(Reason::Other(reason.clone()));
    }
    Ok(())
}

/// Says why operations are held, and remembers them for an approval.
pub(super) fn describe_holds(plan: &ClassinPlan, report: &mut ServiceReport) {
    let mut reasons = BTreeSet::new();
    let mut held = Vec::new();
    for operation in &plan.operations {
        if let EnrolmentState::Held(reason) = &operation.state {
            reasons.insert(match reason {
                Reason::WouldEmpty { .. } => format!("class {}: {reason}", class_key(operation)),
                Reason::NoAccount
                | Reason::Mode(_)
                | Reason::Closed(_)
                | Reason::Grace { .. }
                | Reason::Other(_) => reason.to_string(),
            });
            held.push(Subject::from(operation));
        }
    }
    for operation in &plan.accounts.operations {
        if let EnrolmentState::Held(reason) = &operation.state {
            reasons.insert(reason.to_string());
            held.push(Subject::from(operation));
        }
    }
    report.holds.extend(reasons);
    report.held_operations = held.into_iter().map(held_operation).collect();
}

fn held_operation(subject: Subject) -> HeldOperation {
    let Subject { key, desired_hash } = subject;
    HeldOperation { key, desired_hash: Fingerprint(desired_hash) }
}
