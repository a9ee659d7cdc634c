//! Operations put together into calls.

use std::collections::{BTreeMap, BTreeSet};

use super::{EnrolmentKind, EnrolmentOperation};
use crate::roster::{ClassTarget, CourseId};

/// Most students a call: "suggested not more than 30 at a time".
///
/// Contract: docs/contracts/classin.md, 1.2.
pub const LARGEST_BATCH: usize = 30;

/// One call. All its operations have this target and kind, have a uid and are planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrolmentBatch {
    /// Where.
    pub target: ClassTarget,
    /// Enrol or remove.
    pub kind: EnrolmentKind,
    /// The operations, in the order to be sent; never empty.
    pub operations: Vec<EnrolmentOperation>,
}

/// The calls that the planned operations need, course by course: first the whole course, then the adds to its classes,
/// then the removals from them, so that whoever moves has the new place before the old one is given up. Within one
/// target the adds come first, but the removals where the class is known to be full. At most `batch_size` (1 to
/// [`LARGEST_BATCH`]) students a call.
///
/// Two batches of one course must not be under way at once: ClassIn answers 464 to that.
#[must_use]
pub fn batches(
    operations: &[EnrolmentOperation],
    batch_size: usize,
    full: &BTreeSet<ClassTarget>,
) -> Vec<EnrolmentBatch> {
    let mut calls: BTreeMap<(CourseId, u8, ClassTarget, u8), Vec<&EnrolmentOperation>> = BTreeMap::new();
    for operation in operations.iter().filter(|operation| needs_a_call(operation)) {
        let rank = match operation.kind {
            EnrolmentKind::Register => continue,
            EnrolmentKind::Remove if full.contains(&operation.target) => 0,
            EnrolmentKind::Enrol => 1,
            EnrolmentKind::Remove => 2,
        };
        let target = operation.target;
        let turn = match (target.class, rank) {
            (None, _) => 0,
            (Some(_), 2) => 2,
            (Some(_), _) => 1,
        };
        calls.entry((target.course, turn, target, rank)).or_default().push(operation);
    }
    let size = batch_size.clamp(1, LARGEST_BATCH);
    let in_calls = calls.into_values().flat_map(|operations| in_batches(operations, size));
    in_calls.collect()
}

fn needs_a_call(operation: &EnrolmentOperation) -> bool {
    operation.is_planned() && !operation.follows && operation.uid.is_some()
}

fn in_batches(mut operations: Vec<&EnrolmentOperation>, size: usize) -> Vec<EnrolmentBatch> {
    let key = |operation: &EnrolmentOperation| {
        (operation.class_code.clone(), operation.student.clone(), operation.uid)
    };
    operations.sort_by_cached_key(|operation| key(operation));
    let batch = |chunk: &[&EnrolmentOperation]| {
        let first = chunk.first()?;
        let operations = chunk.iter().map(|operation| (*operation).clone()).collect();
        Some(EnrolmentBatch { target: first.target, kind: first.kind, operations })
    };
    operations.chunks(size).filter_map(batch).collect()
}
