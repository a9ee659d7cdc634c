//! What is written down when an enrolment operation ends.

use std::collections::HashSet;
use std::time::Duration;

use super::class_key;
use super::send::Settled;
use crate::mirror::{Call, EnrolmentKind, EnrolmentOperation, EnrolmentState, ItemVerdict, Reason, decide};
use crate::plan::{FailureState, Fingerprint, Retry};
use crate::reconcile::Context;
use crate::store::{FailureRecord, Service, StoreError};

/// Why an enrolment was not done.
pub(super) struct Why {
    pub(super) call: &'static str,
    pub(super) code: String,
    pub(super) message: String,
    pub(super) service_text: Option<String>,
    pub(super) batch: Option<u64>,
    pub(super) index: Option<u64>,
    pub(super) kind: FailureKind,
    /// Not before so long from now, as the service asked.
    pub(super) wait: Option<Duration>,
}

/// How a failure goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum FailureKind {
    /// Tried again with growing delays.
    Later,
    /// Tried again by the next run: a repeat is safe and settles it.
    Unknown,
    /// Waits for a person, or for the row to change.
    Permanent,
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
pub(super) fn explain(operation: &EnrolmentOperation, settled: &Settled) -> Why {
    let verdict = settled.judged.verdict;
    let trouble = settled.trouble.as_ref();
    let (code, message, kind) = match (verdict.code(), trouble) {
        (Some(code), _) => {
            let decision = decide(call(operation), code);
            let permanent = matches!(verdict, ItemVerdict::Student { .. });
            let kind = if permanent { FailureKind::Permanent } else { FailureKind::Later };
            let mut message = decision.message.to_owned();
            if !decision.listed {
                message = format!("{message} (code {code})");
            }
            (code.to_string(), message, kind)
        }
        (None, Some(trouble)) if !trouble.is_lost => {
            ("not-sent".to_owned(), trouble.message.clone(), FailureKind::Later)
        }
        (None, _) => {
            let message = "the answer was lost; the call is repeated, which is safe".to_owned();
            ("lost-answer".to_owned(), message, FailureKind::Unknown)
        }
    };
    Why {
        call: action(operation),
        code,
        message,
        service_text: settled.judged.text.clone(),
        batch: None,
        index: None,
        kind,
        wait: trouble.and_then(|trouble| trouble.wait),
    }
}

pub(super) async fn failure(
    context: &Context,
    operation: &EnrolmentOperation,
    why: Why,
) -> Result<FailureRecord, StoreError> {
    let key = class_key(operation);
    let kind = operation.kind.as_str();
    let earlier = context.state.earlier_attempts(Service::Classin, kind, &operation.student, &key).await?;
    let want = Fingerprint(operation.want);
    let attempts = earlier
        .filter(|earlier| earlier.want == want)
        .map_or(0, |earlier| earlier.attempts)
        .saturating_add(1);
    let now_ms = context.clock.now_ms();
    let retry = context.retry.after(attempts, now_ms, fastrand::f64(), why.wait);
    let (state, due_at_ms) = match (why.kind, retry) {
        (FailureKind::Permanent, _) | (_, Retry::Dead) => (FailureState::Dead, now_ms),
        (FailureKind::Unknown, Retry::At(_)) if why.wait.is_none() => (FailureState::Waiting, now_ms),
        (FailureKind::Later | FailureKind::Unknown, Retry::At(due)) => (FailureState::Waiting, due),
    };
    Ok(FailureRecord {
        service: Service::Classin,
        kind,
        student: operation.student.clone(),
        class_code: key,
        call: why.call.to_owned(),
        code: why.code,
        message: why.message,
        service_text: why.service_text,
        batch: why.batch,
        index: why.index,
        want,
        state,
        attempts,
        due_at_ms,
    })
}

/// Closes failures that are no longer wanted, and those of classes that take no changes any more.
pub(super) async fn close_superseded(
    context: &Context,
    operations: &[EnrolmentOperation],
    now_ms: i64,
) -> Result<(), StoreError> {
    let is_condemned = |operation: &&EnrolmentOperation| {
        matches!(operation.state, EnrolmentState::Skipped(Reason::Condemned(_)))
    };
    let wanted: HashSet<(String, String, String)> = operations
        .iter()
        .filter(|operation| !is_condemned(operation))
        .map(|operation| {
            let student = operation.student.as_str().to_owned();
            (operation.kind.as_str().to_owned(), student, class_key(operation))
        })
        .collect();
    context.state.supersede_failures(Service::Classin, &wanted, now_ms).await.map(drop)
}
