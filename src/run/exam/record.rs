//! What is written down when an operation ends.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::apply::ApplyContext;
use super::lookup::next_group_check;
use super::send::FailureCause;
use crate::run::Context;
use crate::store::{FailureRecord, LinkWrite, NewLink, Service, StoreError};
use rosterd_core::exam_plan::{
    Addition, Adoption, Change, FailureState, Fingerprint, GroupChange, GroupMove, GuardedPlan, Link,
    Modification, Operation, OperationKind, Origin, PASSWORD_FIELD, Retry,
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
    call: &str,
    cause: &FailureCause,
    place: Place,
    unknown: bool,
) -> Result<FailureRecord, StoreError> {
    let kind = operation.kind().as_str();
    let earlier = terms.context.state.earlier_attempts(Service::Exam, kind, &operation.student, "").await?;
    let before = earlier
        .filter(|earlier| earlier.desired_hash == operation.desired_hash)
        .map_or(0, |earlier| earlier.attempts);
    let attempts = before.saturating_add(1);
    let now_ms = terms.context.clock.now_ms();
    let (state, due_at_ms) = match terms.context.retry.after(attempts, now_ms, fastrand::f64(), cause.asked) {
        // The next run's own reading finds out what became of it: nothing is gained by waiting.
        Retry::At(_) if unknown => (FailureState::Waiting, now_ms),
        Retry::At(due) => (FailureState::Waiting, due),
        Retry::Dead => (FailureState::Dead, now_ms),
    };
    Ok(FailureRecord {
        service: Service::Exam,
        kind,
        student: operation.student.clone(),
        class_code: String::new(),
        call: call.to_owned(),
        code: cause.code.to_owned(),
        message: cause.message.clone(),
        service_text: cause.service_text.clone(),
        batch: place.batch,
        index: place.index,
        desired_hash: operation.desired_hash,
        state,
        attempts,
        due_at_ms,
    })
}

/// An operation that a row of the roster makes impossible: a dead letter at once, until the row changes.
pub(super) fn impossible(operation: &Operation, code: &str, message: String, now_ms: i64) -> FailureRecord {
    FailureRecord {
        service: Service::Exam,
        kind: operation.kind().as_str(),
        student: operation.student.clone(),
        class_code: String::new(),
        call: String::new(),
        code: code.to_owned(),
        message,
        service_text: None,
        batch: None,
        index: None,
        desired_hash: operation.desired_hash,
        state: FailureState::Dead,
        attempts: 1,
        due_at_ms: now_ms,
    }
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
    let wanted: HashSet<(String, String, String)> = plan
        .operations
        .iter()
        .map(|operation| {
            (operation.kind().as_str().to_owned(), operation.student.as_str().to_owned(), String::new())
        })
        .collect();
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
