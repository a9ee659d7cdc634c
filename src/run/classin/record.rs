//! What is written down when an enrolment operation ends.

use std::collections::{HashMap, HashSet};

use super::context::ClassinApplyContext;
use super::history::MixedFailure;
use super::plan::ClassinPlan;
use super::wrong_ids::ids_key;
use crate::run::Context;
use crate::run::delivery::{self, Place, failure};
use crate::store::{CallRecord, ClassinOpenFailure, StoreError};
use rosterd_core::classin_plan::{
    AccountOperation, Call, EnrolmentKind, EnrolmentOperation, EnrolmentState, Reason, Subject, class_hash,
};
use rosterd_core::exam_plan::Fingerprint;
use rosterd_core::failure::{
    FailureCode, FailureState, NextAttempt, OperationKey, RecordedHash, RecordedKind, Service,
};
use rosterd_core::outcome::FailureCause;
use rosterd_core::roster::{ClassTarget, StudentId};

impl From<Subject> for delivery::Subject {
    fn from(Subject { key, desired_hash }: Subject) -> Self {
        Self { key, desired_hash: Fingerprint(desired_hash) }
    }
}

/// The call that an operation needs.
pub(super) fn call(operation: &EnrolmentOperation) -> Call {
    match operation.kind {
        EnrolmentKind::Register | EnrolmentKind::Enrol => Call::adding_to(operation.target),
        EnrolmentKind::Remove => Call::removing_from(operation.target),
    }
}

/// The action's name on the wire, for records.
pub(super) fn action(operation: &EnrolmentOperation) -> &'static str {
    match (operation.kind, operation.target.class.is_some()) {
        (EnrolmentKind::Remove, true) => "delClassStudentMultiple",
        (EnrolmentKind::Remove, false) => "delCourseStudentMultiple",
        (EnrolmentKind::Register | EnrolmentKind::Enrol, true) => "addClassStudentMultiple",
        (EnrolmentKind::Register | EnrolmentKind::Enrol, false) => "addCourseStudentMultiple",
    }
}

/// Notes what is impossible until the roster changes, once for each thing that is wanted: nothing is attempted that
/// could be counted.
pub(super) async fn impossible(terms: ClassinApplyContext<'_>, plan: &ClassinPlan) -> Result<(), StoreError> {
    let ClassinApplyContext { context, run, .. } = terms;
    let enrolments = plan.operations.iter().filter_map(|operation| match &operation.state {
        EnrolmentState::Cannot(Reason::NotOurs { .. }) => None,
        EnrolmentState::Cannot(reason) => Some((Subject::from(operation), reason, FailureCode::NoAccount)),
        EnrolmentState::Planned
        | EnrolmentState::Held(_)
        | EnrolmentState::Skipped(_)
        | EnrolmentState::Waiting(_) => None,
    });
    let accounts = plan.accounts.operations.iter().filter_map(|operation| match &operation.state {
        EnrolmentState::Cannot(reason) => Some((Subject::from(operation), reason, FailureCode::NoContact)),
        EnrolmentState::Planned
        | EnrolmentState::Held(_)
        | EnrolmentState::Skipped(_)
        | EnrolmentState::Waiting(_) => None,
    });
    let subjects: Vec<(Subject, &Reason, FailureCode)> = enrolments.chain(accounts).collect();
    if subjects.is_empty() {
        return Ok(());
    }
    let open = context.state.classin_open_failures().await?;
    let is_known = |one: &&ClassinOpenFailure| {
        let recorded = one.failure.recorded;
        one.failure.state == FailureState::Dead && recorded.is_same_as(RecordedHash::alone(recorded.hash))
    };
    let known: HashSet<(RecordedKind, &StudentId, u64)> = open
        .iter()
        .filter(is_known)
        .map(|one| (one.key.kind, &one.key.student, one.failure.recorded.hash.0))
        .collect();
    let mut record = CallRecord::default();
    for (subject, reason, code) in subjects {
        if known.contains(&(subject.key.kind, &subject.key.student, subject.desired_hash)) {
            continue;
        }
        let cause = FailureCause::new(code, reason.to_string());
        let cause = FailureCause { next: Some(NextAttempt::ByHand), ..cause };
        record.failures.extend(failure(context, &subject.into(), &cause, Place::default()).await?);
    }
    if record.failures.is_empty() {
        return Ok(());
    }
    context.state.record_call(&record, run, context.clock.now_ms()).await
}

/// Closes failures that are no longer wanted, and those of classes that take no changes any more.
pub(super) async fn close_superseded(
    context: &Context,
    operations: &[EnrolmentOperation],
    accounts: &[AccountOperation],
    now_ms: i64,
) -> Result<(), StoreError> {
    let is_condemned = |operation: &&EnrolmentOperation| {
        matches!(operation.state, EnrolmentState::Skipped(Reason::Closed(_)))
    };
    let wanted = || operations.iter().filter(|operation| !is_condemned(operation));
    let enrolments = wanted().map(Subject::from);
    let accounts = accounts.iter().map(Subject::from);
    let mut wanted: HashSet<OperationKey> = wanted().map(ids_key).collect();
    wanted.extend(enrolments.chain(accounts).map(|subject| subject.key));
    // The ids of a class were mended: whatever else is wanted in it, the failure of the ids before is over.
    let of_ids: HashSet<(OperationKey, u64)> = operations.iter().flat_map(failures_of_ids).collect();
    for open in context.state.classin_open_failures().await? {
        let recorded = open.failure.recorded.hash.0;
        if open.key.student.as_str().is_empty() && !of_ids.contains(&(open.key.clone(), recorded)) {
            wanted.remove(&open.key);
        }
    }
    context.state.supersede_failures(Service::Classin, &wanted, now_ms).await.map(drop)
}

/// What fails for the ids of its class or course, and not for the student.
fn failures_of_ids(operation: &EnrolmentOperation) -> [(OperationKey, u64); 2] {
    let course = ClassTarget { class: None, ..operation.target };
    [operation.target, course].map(|target| (ids_key(operation), class_hash(operation.kind, target)))
}

/// Ends the approvals of what the plan no longer wants.
pub(super) async fn end_unwanted_approvals(context: &Context, plan: &ClassinPlan) -> Result<(), StoreError> {
    // Of a leaver who waits, an approval is good until the grace has ended.
    let enrolments = plan.operations.iter().chain(&plan.in_grace).map(Subject::from);
    let subjects = enrolments.chain(plan.accounts.operations.iter().map(Subject::from));
    let wanted: HashSet<(OperationKey, Fingerprint)> =
        subjects.map(|subject| (subject.key, Fingerprint(subject.desired_hash))).collect();
    context.state.end_unwanted_approvals(Service::Classin, &wanted, &HashSet::new()).await
}

/// Stores in parts the failures of an earlier version that are seen to match now: see [`RecordedHash`].
pub(super) async fn store_apart(context: &Context, plan: &ClassinPlan) -> Result<(), StoreError> {
    if plan.mixed.is_empty() {
        return Ok(());
    }
    let by_key: HashMap<&OperationKey, &MixedFailure> =
        plan.mixed.iter().map(|one| (&one.key, one)).collect();
    let enrolments = plan.operations.iter().map(Subject::from);
    let subjects = enrolments.chain(plan.accounts.operations.iter().map(Subject::from));
    let taken_apart: Vec<(i64, RecordedHash)> = subjects
        .filter_map(|Subject { key, desired_hash }| {
            let mixed = by_key.get(&key)?;
            let parts = mixed.recorded.taken_apart(Fingerprint(desired_hash), mixed.contact_today)?;
            Some((mixed.id, parts))
        })
        .collect();
    context.state.store_apart(&taken_apart).await
}
