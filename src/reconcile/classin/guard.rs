//! What is too much at once: removals beyond `guard.max_delete`, and classes that would be left empty.

use std::collections::{BTreeSet, HashSet};

use super::{ClassinSide, class_key};
use crate::mirror::{EnrolmentKind, EnrolmentOperation, EnrolmentState, Reason};
use crate::plan::{Fingerprint, allowance};
use crate::reconcile::Context;
use crate::reconcile::report::StageReport;
use crate::store::{HeldOperation, Service, StoreError};

/// What a person let go ahead: kind, student, class and want.
pub(super) struct Approvals(HashSet<(String, String, String, u64)>);

impl Approvals {
    /// Whether this operation is among it.
    pub(super) fn contains(&self, operation: &EnrolmentOperation) -> bool {
        let kind = operation.kind.as_str().to_owned();
        let student = operation.student.as_str().to_owned();
        self.0.contains(&(kind, student, class_key(operation), operation.want))
    }
}

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Removals count against `guard.max_delete` of what we hold in ClassIn.
pub(super) async fn divide(
    context: &Context,
    side: &ClassinSide,
    operations: &mut [EnrolmentOperation],
    held: u64,
) -> Result<Approvals, StoreError> {
    let now_ms = context.clock.now_ms();
    let approved = Approvals(context.state.approved_in_classin(now_ms).await?);
    for operation in operations.iter_mut() {
        if matches!(operation.state, EnrolmentState::Held(_)) && approved.contains(operation) {
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
        return Ok(approved);
    }
    let reason = format!(
        "{count} removals of {held} enrolments, and {recent} in the last 24 hours: more than the limit of {limit} (guard.max_delete)"
    );
    for operation in operations.iter_mut().filter(|operation| concerns(operation)) {
        operation.state = EnrolmentState::Held(Reason::Other(reason.clone()));
    }
    Ok(approved)
}

/// Says why operations are held, and remembers them for an approval.
pub(super) fn describe_holds(operations: &[EnrolmentOperation], report: &mut StageReport) {
    let reasons: BTreeSet<String> = operations
        .iter()
        .filter_map(|operation| match &operation.state {
            EnrolmentState::Held(reason @ Reason::WouldEmpty { .. }) => {
                Some(format!("class {}: {reason}", class_key(operation)))
            }
            EnrolmentState::Held(reason) => Some(reason.to_string()),
            EnrolmentState::Planned
            | EnrolmentState::Skipped(_)
            | EnrolmentState::Cannot(_)
            | EnrolmentState::Waiting(_) => None,
        })
        .collect();
    report.holds.extend(reasons);
    report.held_operations = held_operations(operations);
}

fn held_operations(operations: &[EnrolmentOperation]) -> Vec<HeldOperation> {
    operations
        .iter()
        .filter(|operation| matches!(operation.state, EnrolmentState::Held(_)))
        .map(|operation| HeldOperation {
            service: Service::Classin,
            kind: operation.kind.as_str(),
            student: operation.student.clone(),
            class_code: class_key(operation),
            want: Fingerprint(operation.want),
        })
        .collect()
}
