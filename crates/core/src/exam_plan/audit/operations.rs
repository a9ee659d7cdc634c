//! Operations by themselves: each once, in order, none against another.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Violation, login_given};
use crate::exam_plan::Plan;
use crate::exam_plan::kind::OperationKind;
use crate::exam_plan::operation::{Change, Operation};
use crate::roster::{LoginValue, Sid, StudentId};

/// Pairs that no student has in one plan: who is deleted needs nothing else, and who is entered has all values.
const OPPOSED: [(OperationKind, OperationKind); 6] = [
    (OperationKind::Adopt, OperationKind::Add),
    (OperationKind::Modify, OperationKind::Add),
    (OperationKind::Adopt, OperationKind::Delete),
    (OperationKind::Modify, OperationKind::Delete),
    (OperationKind::Add, OperationKind::Delete),
    (OperationKind::Move, OperationKind::Delete),
];

pub(super) fn violations(plan: &Plan) -> Vec<Violation> {
    let mut found = repeated(plan);
    found.extend(unsorted(plan));
    found.extend(opposed(plan));
    found.extend(shared_candidates(plan));
    found.extend(shared_logins(plan));
    found
}

fn planned(plan: &Plan) -> impl Iterator<Item = &Operation> {
    plan.operations.iter().filter(|operation| operation.is_planned())
}

fn repeated(plan: &Plan) -> Vec<Violation> {
    let mut seen = BTreeSet::new();
    plan.operations
        .iter()
        .filter(|operation| !seen.insert((&operation.student, operation.kind())))
        .map(|operation| Violation::Repeated { student: operation.student.clone(), kind: operation.kind() })
        .collect()
}

fn unsorted(plan: &Plan) -> Vec<Violation> {
    let key = |operation: &Operation| (operation.kind(), operation.student.clone());
    plan.operations
        .iter()
        .zip(plan.operations.iter().skip(1))
        .filter(|(one, next)| key(one) > key(next))
        .map(|(_, next)| Violation::Unsorted { student: next.student.clone(), kind: next.kind() })
        .collect()
}

fn opposed(plan: &Plan) -> Vec<Violation> {
    let mut kinds: BTreeMap<&StudentId, BTreeSet<OperationKind>> = BTreeMap::new();
    for operation in planned(plan) {
        kinds.entry(&operation.student).or_default().insert(operation.kind());
    }
    let mut found = Vec::new();
    for (student, kinds) in kinds {
        let pairs = OPPOSED.iter().filter(|(one, other)| kinds.contains(one) && kinds.contains(other));
        found.extend(pairs.map(|(one, other)| Violation::Opposed {
            student: student.clone(),
            one: *one,
            other: *other,
        }));
    }
    found
}

/// The candidate that an operation writes to, where it is there already.
fn candidate(change: &Change) -> Option<Sid> {
    match change {
        Change::Adopt(adoption) => Some(adoption.sid),
        Change::Modify(modification) => Some(modification.sid),
        Change::Move(group_move) => group_move.sid(),
        Change::Delete(deletion) => Some(deletion.sid()),
        Change::Add(_) | Change::Impossible(_) => None,
    }
}

fn shared_candidates(plan: &Plan) -> Vec<Violation> {
    let mut writers: BTreeMap<Sid, &StudentId> = BTreeMap::new();
    let mut found = Vec::new();
    for operation in planned(plan) {
        let Some(sid) = candidate(&operation.change) else { continue };
        let one = *writers.entry(sid).or_insert(&operation.student);
        if *one != operation.student {
            let other = operation.student.clone();
            found.push(Violation::SharedCandidate { sid, one: one.clone(), other });
        }
    }
    found
}

fn shared_logins(plan: &Plan) -> Vec<Violation> {
    let mut given: HashMap<&LoginValue, &StudentId> = HashMap::new();
    let mut found = Vec::new();
    for operation in planned(plan) {
        let Some(login) = login_given(&operation.change) else { continue };
        let one = *given.entry(login).or_insert(&operation.student);
        if *one != operation.student {
            found.push(Violation::SharedLogin { one: one.clone(), other: operation.student.clone() });
        }
    }
    found
}
