//! A plan that is shown and not applied, or that our own database keeps from being applied.

use super::group_creation;
use super::standing::StandingOperations;
use super::{Decided, ExamSide, ExamSyncError, PlannedExam, Reading, diff, record};
use crate::run::Context;
use crate::run::report::ServiceReport;
use rosterd_core::exam_plan::{GuardedPlan, OperationKind, OperationState};
use rosterd_core::outcome::{Outcome, Unsent};

/// A plan that is only shown: counted, and announced.
pub(super) async fn show(
    context: &Context,
    side: &ExamSide,
    reading: Reading,
    decided: Decided,
    report: &mut ServiceReport,
) -> Result<PlannedExam, ExamSyncError> {
    let Decided { plan, groups, .. } = decided;
    group_creation::announce(&groups, report);
    let standing = StandingOperations::of(context, &plan).await?;
    let known = plan.operations.iter().filter(|operation| standing.is_known_hold(operation)).count();
    report.held_as_before = u64::try_from(known).unwrap_or(u64::MAX);
    count_unapplied(&plan, report);
    let unmanaged = match side.keep_unmanaged {
        true => Some(diff::unmanaged(context, &reading.mapping, reading.names).await?),
        false => None,
    };
    Ok(PlannedExam { plan, unmanaged })
}

/// A plan that is only shown ends with nothing applied: every operation that would go ahead counts as skipped.
pub(super) fn count_unapplied(plan: &GuardedPlan, report: &mut ServiceReport) {
    for creation in &plan.creations {
        report.count(OperationKind::CreateGroup.as_str(), &unapplied(&creation.state));
    }
    count_operations_unapplied(plan, report);
}

pub(super) fn count_operations_unapplied(plan: &GuardedPlan, report: &mut ServiceReport) {
    for operation in &plan.operations {
        if operation.is_planned() {
            report.notes.extend(record::left_behind(operation));
        }
        report.count(operation.kind().as_str(), &unapplied(&operation.state));
    }
}

fn unapplied(state: &OperationState) -> Outcome {
    Outcome::of_planned(state).unwrap_or(Outcome::Unsent(Unsent::Unneeded))
}
