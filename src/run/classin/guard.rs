//! Reads what ClassIn's guard needs, and reports what it held.

use super::ClassinSide;
use super::plan::ClassinPlan;
use crate::run::Context;
use crate::run::report::ServiceReport;
use crate::store::{HeldOperation, StoreError};
use rosterd_core::classin_plan::{Approvals, ClassinGuard, ClassinHolds, Subject};
use rosterd_core::exam_plan::Fingerprint;
use rosterd_core::failure::Service;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Removals count against `guard.max_delete` of what we hold in ClassIn, names against `guard.max_modify` of the
/// accounts that we know.
pub(super) async fn hold_excess(
    context: &Context,
    side: &ClassinSide,
    plan: &mut ClassinPlan,
    held: u64,
) -> Result<Approvals, StoreError> {
    let (state, now_ms) = (&context.state, context.clock.now_ms());
    let guard = ClassinGuard {
        max_delete: side.guard.max_delete,
        max_modify: side.guard.max_modify,
        approved: Approvals::new(state.approved_in_classin(now_ms).await?),
        recent_removals: state.recent_departures(Service::Classin, now_ms.saturating_sub(DAY_MS)).await?,
        enrolments: held,
        accounts: state.count_accounts().await?,
    };
    guard.judge(&mut plan.operations, &mut plan.accounts.operations);
    Ok(guard.approved)
}

/// Says why operations are held, and remembers them for an approval.
pub(super) fn describe_holds(plan: &ClassinPlan, report: &mut ServiceReport) {
    let ClassinHolds { reasons, operations } = ClassinHolds::of(&plan.operations, &plan.accounts.operations);
    report.holds.extend(reasons);
    report.held_operations = operations.into_iter().map(held_operation).collect();
}

fn held_operation(subject: Subject) -> HeldOperation {
    let Subject { key, desired_hash } = subject;
    HeldOperation { key, desired_hash: Fingerprint(desired_hash) }
}
