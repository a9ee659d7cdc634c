//! What waits with something that is held.

use std::collections::{BTreeSet, HashMap};

use crate::exam_plan::Plan;
use crate::exam_plan::kind::OperationKind;
use crate::exam_plan::operation::{Operation, OperationState};
use crate::exam_plan::reason::SkipReason;
use crate::roster::{GroupCode, StudentId};

/// Skips the operations that put a student into a group that is not created now.
pub(super) fn skip_without_group(plan: &mut Plan) {
    let planned = plan.creations.iter().filter(|creation| creation.is_planned());
    let created: BTreeSet<&GroupCode> = planned.map(|creation| &creation.code).collect();
    for operation in plan.operations.iter_mut().filter(|operation| operation.is_planned()) {
        if operation.awaited_groups().any(|code| !created.contains(code)) {
            operation.state = OperationState::Skipped(SkipReason::Depends(OperationKind::CreateGroup));
        }
    }
}

/// Skips the operations that depend on a held add or adoption.
pub(super) fn skip_followers(operations: &mut [Operation]) {
    let waiting: HashMap<StudentId, OperationKind> = operations
        .iter()
        .filter(|operation| !operation.is_planned())
        .filter(|operation| matches!(operation.kind(), OperationKind::Add | OperationKind::Adopt))
        .map(|operation| (operation.student.clone(), operation.kind()))
        .collect();
    for operation in operations.iter_mut().filter(|operation| operation.is_planned()) {
        if let Some(kind) = waiting.get(&operation.student) {
            operation.state = OperationState::Skipped(SkipReason::Depends(*kind));
        }
    }
}

/// Skips the creation of a group while all operations that put students into it are held, or wait for a held one.
pub(super) fn skip_groups_of_held(plan: &mut Plan) {
    let (mut held, mut filled) = (BTreeSet::new(), BTreeSet::new());
    for operation in &plan.operations {
        let groups = operation.awaited_groups().cloned();
        match operation.state {
            OperationState::Planned => filled.extend(groups),
            OperationState::Held(_) | OperationState::Skipped(SkipReason::Depends(_)) => held.extend(groups),
            OperationState::Skipped(_) | OperationState::Cannot(_) => {}
        }
    }
    for creation in plan.creations.iter_mut().filter(|creation| creation.is_planned()) {
        if held.contains(&creation.code) && !filled.contains(&creation.code) {
            creation.state = OperationState::Skipped(SkipReason::Depends(OperationKind::Add));
        }
    }
}
