//! What is written down when an enrolment operation ends.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::account::AccountOperation;
use super::history::MixedFailure;
use super::plan::ClassinPlan;
use super::send::{ClassinApplyContext, Settled};
use crate::remote::classin::ClassinError;
use crate::run::Context;
use crate::store::{CallRecord, ClassinOpenFailure, FailureRecord, StoreError};
use rosterd_core::classin_plan::{
    Call, Code, EnrolmentKind, EnrolmentOperation, EnrolmentState, Reason, decide,
};
use rosterd_core::exam_plan::Fingerprint;
use rosterd_core::failure::{
    ClassinKind, ContactPart, EarlierAttempts, FailureCode, FailureState, NextAttempt, OpenFailure,
    OperationKey, RecordedHash, RecordedKind, Service,
};
use rosterd_core::roster::StudentId;

/// Why an operation was not done.
#[derive(Clone)]
pub(super) struct ClassinFailureCause {
    pub(super) call: &'static str,
    pub(super) code: FailureCode,
    pub(super) message: String,
    pub(super) service_text: Option<String>,
    pub(super) batch: Option<u64>,
    pub(super) index: Option<u64>,
    pub(super) next: NextAttempt,
    /// Not before so long from now, as the service asked.
    pub(super) wait: Option<Duration>,
    /// The phone number or e-mail address that the refusal depends on: with another one it is tried at once.
    pub(super) contact: Option<Fingerprint>,
}

impl ClassinFailureCause {
    /// About an account rather than a class.
    pub(super) fn of_account(
        call: &'static str,
        code: FailureCode,
        message: String,
        next: NextAttempt,
        service_text: Option<String>,
    ) -> Self {
        Self { call, code, message, service_text, batch: None, index: None, next, wait: None, contact: None }
    }

    /// The answer was lost.
    pub(super) fn lost(call: &'static str) -> Self {
        Self::of_account(call, FailureCode::LostAnswer, LOST.to_owned(), NextAttempt::NextRun, None)
    }

    /// The call was certainly not made.
    pub(super) fn not_sent(call: &'static str, error: &ClassinError) -> Self {
        let message = super::in_one_line(error);
        Self::of_account(call, FailureCode::NotSent, message, NextAttempt::AfterDelay, None)
    }
}

const LOST: &str = "the answer was lost; the call is repeated, which is safe";

/// What somebody wanted, as failures and approvals name it.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    pub(super) key: OperationKey,
    pub(super) desired_hash: u64,
}

impl From<&EnrolmentOperation> for Subject {
    fn from(operation: &EnrolmentOperation) -> Self {
        let (kind, student) = (operation.kind.into(), operation.student.clone());
        let key = OperationKey::in_class(kind, student, class_key(operation));
        Self { key, desired_hash: operation.desired_hash }
    }
}

impl From<&AccountOperation> for Subject {
    fn from(operation: &AccountOperation) -> Self {
        let key = OperationKey::of(ClassinKind::from(operation.kind), operation.student.clone());
        Self { key, desired_hash: operation.desired_hash }
    }
}

/// The class as failures and approvals name it: by the school's code, or by ClassIn's ids where it has none.
pub(super) fn class_key(operation: &EnrolmentOperation) -> String {
    match &operation.class_code {
        Some(code) => code.as_str().to_owned(),
        None => operation.target.to_string(),
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

/// Why an operation was not done: our own sentence, and how it goes on.
pub(super) fn explain(operation: &EnrolmentOperation, settled: &Settled) -> ClassinFailureCause {
    if let Some(cause) = &settled.mending {
        return cause.clone();
    }
    let verdict = settled.judged.verdict;
    let trouble = settled.trouble.as_ref();
    let (code, message, next) = match (verdict.code(), trouble) {
        (Some(code), _) => (
            FailureCode::Classin(code),
            decide(call(operation), code).sentence(),
            NextAttempt::after(verdict),
        ),
        (None, Some(trouble)) if !trouble.is_lost => {
            (FailureCode::NotSent, trouble.message.clone(), NextAttempt::AfterDelay)
        }
        (None, _) => (FailureCode::LostAnswer, LOST.to_owned(), NextAttempt::NextRun),
    };
    ClassinFailureCause {
        call: action(operation),
        code,
        message,
        service_text: settled.judged.text.clone(),
        batch: None,
        index: None,
        next,
        wait: trouble.and_then(|trouble| trouble.wait),
        contact: None,
    }
}

pub(super) async fn failure(
    context: &Context,
    subject: &Subject,
    cause: ClassinFailureCause,
) -> Result<FailureRecord, StoreError> {
    let Subject { key, desired_hash } = subject;
    // Who is not of the school waits for a contact also where the roster has none yet.
    let asks_for_membership = cause.code.classin().is_some_and(Code::asks_for_school_membership);
    let absent = asks_for_membership.then_some(ContactPart::ABSENT);
    let recorded = RecordedHash::with_contact(Fingerprint(*desired_hash), cause.contact.or(absent));
    let earlier = context.state.earlier_attempts(key).await?;
    let attempts = EarlierAttempts::with_another(earlier, recorded);
    let now_ms = context.clock.now_ms();
    let (state, due_at_ms) =
        context.retry.schedule(cause.next, attempts, now_ms, fastrand::f64(), cause.wait);
    Ok(FailureRecord {
        key: key.clone(),
        call: cause.call,
        code: cause.code,
        message: cause.message,
        service_text: cause.service_text,
        batch: cause.batch,
        index: cause.index,
        failure: OpenFailure { state, due_at_ms, recorded },
        attempts,
    })
}

/// Notes what is impossible until the roster changes, once for each thing that is wanted: nothing is attempted that
/// could be counted.
pub(super) async fn impossible(terms: ClassinApplyContext<'_>, plan: &ClassinPlan) -> Result<(), StoreError> {
    let ClassinApplyContext { context, run, .. } = terms;
    let enrolments = plan.operations.iter().filter_map(|operation| match &operation.state {
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
        let next = NextAttempt::ByHand;
        let cause = ClassinFailureCause::of_account("", code, reason.to_string(), next, None);
        record.failures.push(failure(context, &subject, cause).await?);
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
    let enrolments = operations.iter().filter(|operation| !is_condemned(operation)).map(Subject::from);
    let accounts = accounts.iter().map(Subject::from);
    let wanted: HashSet<OperationKey> = enrolments.chain(accounts).map(|subject| subject.key).collect();
    context.state.supersede_failures(Service::Classin, &wanted, now_ms).await.map(drop)
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
