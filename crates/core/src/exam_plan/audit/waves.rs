//! The calls of a plan: within their limits, with all that may go ahead and nothing else, in the order they need.

use std::collections::{BTreeSet, HashMap};

use super::{Audit, Violation};
use crate::exam_plan::batch::{Batch, Call, Wave};
use crate::exam_plan::kind::OperationKind;
use crate::roster::StudentId;

pub(super) fn violations(audit: &Audit<'_>) -> Vec<Violation> {
    let mut found: Vec<Violation> =
        audit.waves.iter().flatten().flat_map(|batch| of_a_batch(audit, batch)).collect();
    found.extend(times_sent(audit));
    found.extend(sent_too_early(audit));
    found
}

fn of_a_batch(audit: &Audit<'_>, batch: &Batch) -> Vec<Violation> {
    let mut found = Vec::new();
    let (size, limit) = (batch.operations.len(), audit.batch_size.max(1));
    if size == 0 || size > limit {
        found.push(Violation::BatchSize { size, limit });
    }
    let mut seen = BTreeSet::new();
    for position in &batch.operations {
        let operation = audit.plan.operations.get(*position);
        match operation.filter(|it| kind_of(&batch.call) == it.kind() && seen.insert(*position)) {
            None => found.push(Violation::Misplaced { position: *position }),
            Some(operation) if !operation.is_planned() => {
                let student = operation.student.clone();
                found.push(Violation::Unapproved { student, kind: operation.kind() });
            }
            Some(_) => {}
        }
    }
    found
}

fn kind_of(call: &Call) -> OperationKind {
    match call {
        Call::Change | Call::GiveWay => OperationKind::Modify,
        Call::Add => OperationKind::Add,
        Call::Group(..) => OperationKind::Move,
        Call::Delete => OperationKind::Delete,
    }
}

/// Adoptions need no call; moves may need several, and everything else exactly one. A temporary login value is a
/// call more.
fn times_sent(audit: &Audit<'_>) -> Vec<Violation> {
    let mut times: HashMap<usize, usize> = HashMap::new();
    let batches = audit.waves.iter().flatten().filter(|batch| batch.call != Call::GiveWay);
    for position in batches.flat_map(|batch| &batch.operations) {
        *times.entry(*position).or_default() += 1;
    }
    let planned = audit.plan.operations.iter().enumerate().filter(|(_, it)| it.is_planned());
    planned
        .filter_map(|(position, operation)| {
            let times = times.get(&position).copied().unwrap_or(0);
            let is_right = match operation.kind() {
                // What waits for a group has no call before the group is created.
                _ if operation.awaited_groups().next().is_some() => times == 0,
                OperationKind::CreateGroup | OperationKind::Adopt => times == 0,
                OperationKind::Move => times >= 1,
                OperationKind::Add | OperationKind::Modify | OperationKind::Delete => times == 1,
            };
            let (student, kind) = (operation.student.clone(), operation.kind());
            (!is_right).then_some(Violation::Sent { student, kind, times })
        })
        .collect()
}

/// In which wave each operation is first sent.
fn first_waves(waves: &[Wave]) -> HashMap<usize, usize> {
    let mut first = HashMap::new();
    for (number, wave) in waves.iter().enumerate() {
        for position in wave.iter().flat_map(|batch| &batch.operations) {
            first.entry(*position).or_insert(number);
        }
    }
    first
}

/// Who is entered is moved afterwards; who takes a login value waits until its holder has given it up.
fn sent_too_early(audit: &Audit<'_>) -> Vec<Violation> {
    let first = first_waves(audit.waves);
    let planned = audit.plan.operations.iter().enumerate().filter(|(_, it)| it.is_planned());
    let positions: HashMap<(OperationKind, &StudentId), usize> =
        planned.map(|(position, it)| ((it.kind(), &it.student), position)).collect();
    let wave_of =
        |kind, student| positions.get(&(kind, student)).and_then(|position| first.get(position).copied());
    let changes = last_changes(audit.waves);
    let sent = audit.plan.operations.iter().enumerate();
    sent.filter_map(|(position, operation)| {
        let (student, kind) = (&operation.student, operation.kind());
        let needed = match kind {
            OperationKind::Move => wave_of(OperationKind::Add, student),
            OperationKind::Modify => {
                let holder = operation.change.login()?.held_by.as_ref()?;
                wave_of(OperationKind::Modify, holder)
            }
            OperationKind::CreateGroup
            | OperationKind::Adopt
            | OperationKind::Add
            | OperationKind::Delete => None,
        };
        let is_early = needed? >= *changes.get(&position)?;
        is_early.then(|| Violation::TooEarly { student: student.clone(), kind })
    })
    .collect()
}

/// In which wave each operation is sent for good, a temporary login value left aside.
fn last_changes(waves: &[Wave]) -> HashMap<usize, usize> {
    let mut last = HashMap::new();
    for (number, wave) in waves.iter().enumerate() {
        for batch in wave.iter().filter(|batch| batch.call != Call::GiveWay) {
            for position in &batch.operations {
                last.entry(*position).or_insert(number);
            }
        }
    }
    last
}
