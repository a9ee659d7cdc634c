//! What is written down when an operation ends.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::apply::ApplyContext;
use super::lookup::next_group_check;
use super::send::FailureCause;
use crate::run::Context;
use crate::store::{FailureRecord, LinkWrite, NewLink, StoreError};
use rosterd_core::exam_plan::{
    Addition, Adoption, CannotReason, Change, Fingerprint, GroupChange, GroupMove, GuardedPlan, Link,
    Modification, Operation, OperationKind, Origin, PASSWORD_FIELD,
};
use rosterd_core::failure::{
    EarlierAttempts, FailureState, NextAttempt, OpenFailure, OperationKey, RecordedHash, Service,
};
use rosterd_core::roster::{FieldId, RunId, Sid, StudentId};

/// Which batch and which item of it.
#[derive(Clone, Copy, Default)]
pub(super) struct Place {
    pub(super) batch: Option<u64>,
    pub(super) index: Option<u64>,
}

/// The failure of one operation: how often it was tried, and when it is due again.
pub(super) async fn failure(
    terms: &ApplyContext<'_>,
    operation: &Operation,
    call: &'static str,
    cause: &FailureCause,
    place: Place,
    unknown: bool,
) -> Result<FailureRecord, StoreError> {
    let key = key(operation);
    let recorded = RecordedHash::alone(operation.desired_hash);
    let earlier = terms.context.state.earlier_attempts(&key).await?;
    let attempts = EarlierAttempts::with_another(earlier, recorded);
    // The next run's own reading finds out what became of it: nothing is gained by waiting.
    let (next, asked) =
        if unknown { (NextAttempt::NextRun, None) } else { (NextAttempt::AfterDelay, cause.asked) };
    let now_ms = terms.context.clock.now_ms();
    let (state, due_at_ms) = terms.context.retry.schedule(next, attempts, now_ms, fastrand::f64(), asked);
    Ok(FailureRecord {
        key,
        call,
        code: cause.code.clone(),
        message: cause.message.clone(),
        service_text: cause.service_text.clone(),
        batch: place.batch,
        index: place.index,
        failure: OpenFailure { state, due_at_ms, recorded },
        attempts,
    })
}

/// An operation that a row of the roster makes impossible: a dead letter at once, until the row changes.
pub(super) fn impossible(operation: &Operation, reason: &CannotReason, now_ms: i64) -> FailureRecord {
    FailureRecord {
        key: key(operation),
        call: "",
        code: reason.code(),
        message: reason.to_string(),
        service_text: None,
        batch: None,
        index: None,
        failure: OpenFailure {
            state: FailureState::Dead,
            due_at_ms: now_ms,
            recorded: RecordedHash::alone(operation.desired_hash),
        },
        attempts: 1,
    }
}

/// How an operation is named in our tables.
pub(super) fn key(operation: &Operation) -> OperationKey {
    OperationKey::of(operation.kind(), operation.student.clone())
}

/// What an applied operation changes in our links.
pub(super) fn link_write(
    terms: &ApplyContext<'_>,
    operation: &Operation,
    sid: Option<Sid>,
) -> Option<LinkWrite> {
    let due = next_group_check(terms.side, terms.context.clock.now_ms());
    let student = operation.student.clone();
    match &operation.change {
        Change::Adopt(adoption) => Some(LinkWrite::Make(Box::new(NewLink {
            link: adopted(student, adoption),
            groups_due_at_ms: due,
        }))),
        Change::Add(addition) => Some(LinkWrite::Make(Box::new(NewLink {
            link: added(terms, student, addition, sid?),
            groups_due_at_ms: due,
        }))),
        Change::Modify(modification) => Some(values_written(terms, student, modification)),
        Change::Move(group_move) => Some(regrouped(student, group_move, due)),
        Change::Delete(_) => Some(LinkWrite::Forget(student)),
        Change::Impossible(_) => None,
    }
}

fn adopted(student: StudentId, adoption: &Adoption) -> Link {
    Link {
        student,
        sid: adoption.sid,
        login: adoption.login.clone(),
        origin: adoption.origin,
        confirmed: adoption.confirmed.clone(),
        unverified: BTreeSet::new(),
        suspected: BTreeMap::new(),
        rewritten: BTreeSet::new(),
        groups: Some(adoption.groups.clone()),
        gone_since_ms: None,
        gone_runs: 0,
    }
}

fn added(terms: &ApplyContext<'_>, student: StudentId, addition: &Addition, sid: Sid) -> Link {
    let login_field = terms.mapping.login_field();
    let confirmed: BTreeMap<FieldId, Fingerprint> = addition
        .values
        .iter()
        .filter(|(field, _)| *field != login_field)
        .map(|(field, value)| (*field, terms.key.value(*field, value)))
        .collect();
    let unverified = confirmed.keys().copied().filter(|field| *field != PASSWORD_FIELD).collect();
    Link {
        student,
        sid,
        login: addition.login.clone(),
        origin: Origin::Added,
        confirmed,
        unverified,
        suspected: BTreeMap::new(),
        rewritten: BTreeSet::new(),
        groups: Some(BTreeSet::from([addition.gid])),
        gone_since_ms: None,
        gone_runs: 0,
    }
}

fn values_written(terms: &ApplyContext<'_>, student: StudentId, modification: &Modification) -> LinkWrite {
    LinkWrite::Values {
        student,
        login: modification.login.as_ref().map(|login| login.to.clone()),
        confirmed: modification
            .values
            .iter()
            .map(|change| (change.id, terms.key.value(change.id, &change.value)))
            .collect(),
    }
}

fn regrouped(student: StudentId, group_move: &GroupMove, due_at_ms: i64) -> LinkWrite {
    match group_move.change() {
        GroupChange::MoveTo(gid) => LinkWrite::Groups { student, groups: BTreeSet::from([*gid]), due_at_ms },
        GroupChange::Adjust { missing, surplus } => {
            LinkWrite::Regroup { student, join: missing.clone(), leave: surplus.clone() }
        }
    }
}

/// Closes failures that are no longer wanted, and intents that the complete reading has settled.
pub(super) async fn close_superseded(
    context: &Context,
    plan: &GuardedPlan,
    run: RunId,
    now_ms: i64,
) -> Result<(), StoreError> {
    let wanted: HashSet<OperationKey> = plan.operations.iter().map(key).collect();
    context.state.supersede_failures(Service::Exam, &wanted, now_ms).await?;
    // Whether our lost add entered somebody is settled by an adoption, or by the listing's not having them;
    // until either it is kept in mind.
    let open: HashSet<StudentId> = plan
        .operations
        .iter()
        .filter(|operation| matches!(operation.kind(), OperationKind::Adopt | OperationKind::Add))
        .filter(|operation| !operation.is_planned() && !matches!(operation.change, Change::Add(_)))
        .map(|operation| operation.student.clone())
        .collect();
    context.state.settle_exam_intents(run, &open).await
}
