//! A plan for ClassIn's classes judged from outside, as [`exam_plan::audit`](crate::exam_plan::audit) does for the
//! exam side: every plan that a test makes passes through it.

use std::collections::{BTreeMap, BTreeSet};

use super::{EnrolmentBatch, EnrolmentKind, EnrolmentOperation};
use crate::roster::{ClassTarget, ClassinUid};

/// What no plan for classes may be. Accounts and classes are named by ClassIn's ids.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnrolmentViolation {
    /// Two operations that each need a call do the same to one account in one class.
    #[error("account {uid} in {target:?}: {} twice", kind.as_str())]
    Repeated {
        /// Whose.
        uid: ClassinUid,
        /// Where.
        target: ClassTarget,
        /// Which kind.
        kind: EnrolmentKind,
    },
    /// One account is to be put into a class and taken out of it.
    #[error("account {uid} in {target:?}: enrol and remove in one plan")]
    Opposed {
        /// Whose.
        uid: ClassinUid,
        /// Where.
        target: ClassTarget,
    },
    /// A call carries nobody, or more than it may.
    #[error("a call with {size} operations, {limit} are allowed")]
    BatchSize {
        /// How many it carries.
        size: usize,
        /// How many it may.
        limit: usize,
    },
    /// A call carries what may not go ahead, has no account, or is of another class or kind.
    #[error("account {uid:?} in {target:?} stands in a call where it does not belong")]
    Misplaced {
        /// Whose.
        uid: Option<ClassinUid>,
        /// Where.
        target: ClassTarget,
    },
    /// An operation that may go ahead stands in no call, or in several.
    #[error("account {uid} in {target:?}: {} is sent {times} times", kind.as_str())]
    Sent {
        /// Whose.
        uid: ClassinUid,
        /// Where.
        target: ClassTarget,
        /// Which kind.
        kind: EnrolmentKind,
        /// In how many calls.
        times: usize,
    },
}

/// Everything that is wrong with a plan for classes and its calls, which carry at most `batch_size` students each.
#[must_use]
pub fn audit_enrolments(
    operations: &[EnrolmentOperation],
    batches: &[EnrolmentBatch],
    batch_size: usize,
) -> Vec<EnrolmentViolation> {
    let mut found = against_each_other(operations);
    found.extend(batches.iter().flat_map(|batch| of_a_batch(batch, batch_size)));
    found.extend(times_sent(operations, batches));
    found
}

/// What needs a call of its own.
fn sent(operations: &[EnrolmentOperation]) -> impl Iterator<Item = (ClassinUid, &EnrolmentOperation)> {
    let own = operations.iter().filter(|it| it.is_planned() && !it.follows);
    let own = own.filter(|it| it.kind != EnrolmentKind::Register);
    own.filter_map(|operation| Some((operation.uid?, operation)))
}

fn against_each_other(operations: &[EnrolmentOperation]) -> Vec<EnrolmentViolation> {
    let mut seen: BTreeSet<(ClassTarget, ClassinUid, &str)> = BTreeSet::new();
    let mut found = Vec::new();
    for (uid, operation) in sent(operations) {
        let (target, kind) = (operation.target, operation.kind);
        let opposite = match kind {
            EnrolmentKind::Enrol => EnrolmentKind::Remove,
            EnrolmentKind::Remove | EnrolmentKind::Register => EnrolmentKind::Enrol,
        };
        if seen.contains(&(target, uid, opposite.as_str())) {
            found.push(EnrolmentViolation::Opposed { uid, target });
        }
        if !seen.insert((target, uid, kind.as_str())) {
            found.push(EnrolmentViolation::Repeated { uid, target, kind });
        }
    }
    found
}

fn of_a_batch(batch: &EnrolmentBatch, limit: usize) -> Vec<EnrolmentViolation> {
    let size = batch.operations.len();
    let mut found = Vec::new();
    if size == 0 || size > limit {
        found.push(EnrolmentViolation::BatchSize { size, limit });
    }
    let belongs = |it: &&EnrolmentOperation| {
        it.is_planned() && it.uid.is_some() && (it.target, it.kind) == (batch.target, batch.kind)
    };
    let strangers = batch.operations.iter().filter(|operation| !belongs(operation));
    found.extend(strangers.map(|it| EnrolmentViolation::Misplaced { uid: it.uid, target: it.target }));
    found
}

fn times_sent(operations: &[EnrolmentOperation], batches: &[EnrolmentBatch]) -> Vec<EnrolmentViolation> {
    let mut times: BTreeMap<(ClassTarget, ClassinUid, &str), usize> = BTreeMap::new();
    for operation in batches.iter().flat_map(|batch| &batch.operations) {
        if let Some(uid) = operation.uid {
            *times.entry((operation.target, uid, operation.kind.as_str())).or_default() += 1;
        }
    }
    let wrong = sent(operations).filter_map(|(uid, operation)| {
        let (target, kind) = (operation.target, operation.kind);
        let times = times.get(&(target, uid, kind.as_str())).copied().unwrap_or(0);
        (times != 1).then_some(EnrolmentViolation::Sent { uid, target, kind, times })
    });
    wrong.collect()
}

/// The plan of a test, which passes the audit whatever the rule of the test is.
#[cfg(test)]
pub(super) fn audited(plan: super::CoursePlan) -> super::CoursePlan {
    let calls = super::batches(&plan.operations, 2, &BTreeSet::new());
    assert_eq!(audit_enrolments(&plan.operations, &calls, 2), [], "{:#?}", plan.operations);
    plan
}
