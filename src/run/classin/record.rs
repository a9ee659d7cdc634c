//! What is written down when an enrolment operation ends.

use std::collections::HashSet;
use std::time::Duration;

use super::account::AccountOperation;
use super::history::HOUR_MS;
use super::plan::ClassinPlan;
use super::send::{ClassinApplyContext, Settled};
use crate::remote::classin::ClassinError;
use crate::run::Context;
use crate::store::{CallRecord, FailureRecord, OperationKey, Service, StoreError};
use rosterd_core::classin_plan::{
    Call, Decision, EnrolmentKind, EnrolmentOperation, EnrolmentState, ItemVerdict, Reason, decide,
};
use rosterd_core::exam_plan::{FailureState, Fingerprint, Retry};
use rosterd_core::roster::StudentId;

/// Why an operation was not done.
#[derive(Clone)]
pub(super) struct ClassinFailureCause {
    pub(super) call: &'static str,
    pub(super) code: String,
    pub(super) message: String,
    pub(super) service_text: Option<String>,
    pub(super) batch: Option<u64>,
    pub(super) index: Option<u64>,
    pub(super) kind: FailureKind,
    /// Not before so long from now, as the service asked.
    pub(super) wait: Option<Duration>,
    /// Fingerprint of the phone or e-mail that the refusal depends on; 0 where there is none, or where it does not.
    /// It is taken into what is wanted, so that another one is tried at once.
    pub(super) contact: u64,
}

impl ClassinFailureCause {
    /// About an account rather than a class.
    pub(super) fn of_account(
        call: &'static str,
        code: String,
        message: String,
        kind: FailureKind,
        service_text: Option<String>,
    ) -> Self {
        Self { call, code, message, service_text, batch: None, index: None, kind, wait: None, contact: 0 }
    }

    /// The answer was lost.
    pub(super) fn lost(call: &'static str) -> Self {
        Self::of_account(call, LOST_ANSWER.to_owned(), LOST.to_owned(), FailureKind::Unknown, None)
    }

    /// The call was certainly not made.
    pub(super) fn not_sent(call: &'static str, error: &ClassinError) -> Self {
        let message = super::in_one_line(error);
        Self::of_account(call, NOT_SENT.to_owned(), message, FailureKind::Later, None)
    }
}

const LOST_ANSWER: &str = "lost-answer";
const NOT_SENT: &str = "not-sent";
const LOST: &str = "the answer was lost; the call is repeated, which is safe";

/// What somebody wanted, as failures and approvals name it.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    pub(super) kind: &'static str,
    pub(super) student: StudentId,
    /// The class; empty for accounts.
    pub(super) class_code: String,
    pub(super) desired_hash: u64,
}

impl From<&EnrolmentOperation> for Subject {
    fn from(operation: &EnrolmentOperation) -> Self {
        Self {
            kind: operation.kind.as_str(),
            student: operation.student.clone(),
            class_code: class_key(operation),
            desired_hash: operation.desired_hash,
        }
    }
}

impl From<&AccountOperation> for Subject {
    fn from(operation: &AccountOperation) -> Self {
        Self {
            kind: operation.kind.as_str(),
            student: operation.student.clone(),
            class_code: String::new(),
            desired_hash: operation.desired_hash,
        }
    }
}

impl Subject {
    /// The operation's name in tables.
    pub(super) fn key(&self) -> OperationKey {
        (Service::Classin, self.kind, self.student.clone(), self.class_code.clone())
    }
}

/// How a failure goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum FailureKind {
    /// Tried again with growing delays.
    Later,
    /// Tried again by the next run: a repeat is safe and settles it.
    Unknown,
    /// Waits for room; tried again in the next hour, however often.
    Room,
    /// Waits for a person, or for the row to change.
    Permanent,
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
    let (code, message, kind) = match (verdict.code(), trouble) {
        (Some(code), _) => {
            let decision = decide(call(operation), code);
            let kind = match verdict {
                ItemVerdict::Student { .. } => FailureKind::Permanent,
                ItemVerdict::Full { .. } => FailureKind::Room,
                ItemVerdict::Done { .. }
                | ItemVerdict::Already { .. }
                | ItemVerdict::Repair { .. }
                | ItemVerdict::Retry { .. }
                | ItemVerdict::Closed { .. }
                | ItemVerdict::StopRun { .. }
                | ItemVerdict::Unknown
                | ItemVerdict::SendSingly
                | ItemVerdict::Halve { .. } => FailureKind::Later,
            };
            (code.to_string(), sentence(decision, code), kind)
        }
        (None, Some(trouble)) if !trouble.is_lost => {
            (NOT_SENT.to_owned(), trouble.message.clone(), FailureKind::Later)
        }
        (None, _) => (LOST_ANSWER.to_owned(), LOST.to_owned(), FailureKind::Unknown),
    };
    ClassinFailureCause {
        call: action(operation),
        code,
        message,
        service_text: settled.judged.text.clone(),
        batch: None,
        index: None,
        kind,
        wait: trouble.and_then(|trouble| trouble.wait),
        contact: 0,
    }
}

/// Our own sentence on a code; with the number where nobody knows what it means.
pub(super) fn sentence(decision: Decision, code: i64) -> String {
    if decision.listed { decision.message.to_owned() } else { format!("{} (code {code})", decision.message) }
}

pub(super) async fn failure(
    context: &Context,
    subject: &Subject,
    cause: ClassinFailureCause,
) -> Result<FailureRecord, StoreError> {
    let Subject { kind, student, class_code, desired_hash } = subject;
    let earlier = context.state.earlier_attempts(Service::Classin, kind, student, class_code).await?;
    let desired_hash = Fingerprint(desired_hash ^ cause.contact);
    let attempts = earlier
        .filter(|earlier| earlier.desired_hash == desired_hash)
        .map_or(0, |earlier| earlier.attempts)
        .saturating_add(1);
    let now_ms = context.clock.now_ms();
    let retry = context.retry.after(attempts, now_ms, fastrand::f64(), cause.wait);
    let (state, due_at_ms) = match (cause.kind, retry) {
        (FailureKind::Room, _) => (FailureState::Waiting, next_hour(now_ms)),
        (FailureKind::Permanent, _) | (_, Retry::Dead) => (FailureState::Dead, now_ms),
        (FailureKind::Unknown, Retry::At(_)) if cause.wait.is_none() => (FailureState::Waiting, now_ms),
        (FailureKind::Later | FailureKind::Unknown, Retry::At(due)) => (FailureState::Waiting, due),
    };
    Ok(FailureRecord {
        service: Service::Classin,
        kind,
        student: student.clone(),
        class_code: class_code.clone(),
        call: cause.call.to_owned(),
        code: cause.code,
        message: cause.message,
        service_text: cause.service_text,
        batch: cause.batch,
        index: cause.index,
        desired_hash,
        state,
        attempts,
        due_at_ms,
    })
}

/// Notes what is impossible until the roster changes, once for each thing that is wanted: nothing is attempted that
/// could be counted.
pub(super) async fn impossible(terms: ClassinApplyContext<'_>, plan: &ClassinPlan) -> Result<(), StoreError> {
    let ClassinApplyContext { context, run, .. } = terms;
    let enrolments = plan.operations.iter().filter_map(|operation| match &operation.state {
        EnrolmentState::Cannot(reason) => Some((Subject::from(operation), reason, NO_ACCOUNT)),
        EnrolmentState::Planned
        | EnrolmentState::Held(_)
        | EnrolmentState::Skipped(_)
        | EnrolmentState::Waiting(_) => None,
    });
    let accounts = plan.accounts.operations.iter().filter_map(|operation| match &operation.state {
        EnrolmentState::Cannot(reason) => Some((Subject::from(operation), reason, NO_CONTACT)),
        EnrolmentState::Planned
        | EnrolmentState::Held(_)
        | EnrolmentState::Skipped(_)
        | EnrolmentState::Waiting(_) => None,
    });
    let subjects: Vec<(Subject, &Reason, &str)> = enrolments.chain(accounts).collect();
    if subjects.is_empty() {
        return Ok(());
    }
    let open = context.state.classin_open_failures().await?;
    let known: HashSet<(&str, &StudentId, u64)> = open
        .iter()
        .filter(|one| one.failure.state == FailureState::Dead)
        .map(|one| (one.kind.as_str(), &one.student, one.failure.desired_hash.0))
        .collect();
    let mut record = CallRecord::default();
    for (subject, reason, code) in subjects {
        if known.contains(&(subject.kind, &subject.student, subject.desired_hash)) {
            continue;
        }
        let kind = FailureKind::Permanent;
        let cause = ClassinFailureCause::of_account("", code.to_owned(), reason.to_string(), kind, None);
        record.failures.push(failure(context, &subject, cause).await?);
    }
    if record.failures.is_empty() {
        return Ok(());
    }
    context.state.record_call(&record, run, context.clock.now_ms()).await
}

const NO_ACCOUNT: &str = "no-account";
const NO_CONTACT: &str = "no-contact";

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
    let wanted: HashSet<(String, String, String)> = enrolments
        .chain(accounts.iter().map(Subject::from))
        .map(|Subject { kind, student, class_code, .. }| {
            (kind.to_owned(), student.as_str().to_owned(), class_code)
        })
        .collect();
    context.state.supersede_failures(Service::Classin, &wanted, now_ms).await.map(drop)
}

fn next_hour(now_ms: i64) -> i64 {
    now_ms.div_euclid(HOUR_MS).saturating_add(1).saturating_mul(HOUR_MS)
}
