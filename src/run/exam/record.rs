//! What is written down of an operation: before it is sent, and when it ends.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::apply_context::ApplyContext;
use super::group_checks::next_group_check;
use crate::run::Context;
use crate::store::{
    CallRecord, ENTERED, FailureRecord, Intent, JOINED, LEFT, LinkWrite, NewLink, NotedWrite, StoreError,
};
use rosterd_core::exam_plan::{
    Addition, Adoption, Approved, Call, CannotReason, Change, Fingerprint, GroupAction, GroupChange,
    GroupMove, GuardedPlan, Link, Modification, OpenAdd, Operation, OperationKind, OperationState, Origin,
    PASSWORD_FIELD, SentValues,
};
use rosterd_core::failure::{
    Attempts, FailureCode, FailureState, Fault, OpenFailure, OperationKey, RecordedHash, Service,
};
use rosterd_core::outcome::FailureCause;
use rosterd_core::roster::{FieldId, Gid, LoginValue, RunId, Sid, StudentId};

/// What is about to be sent for an operation.
pub(super) fn intent(context: &ApplyContext<'_>, operation: &Operation) -> Intent {
    Intent {
        key: operation.key(),
        desired_hash: operation.desired_hash,
        login: login_sent(operation),
        counted: counted(context.approved, operation),
        in_doubt: fields_sent(operation),
        sent: match &operation.change {
            Change::Add(addition) => {
                SentValues::of(context.key, context.mapping.login_field(), &addition.values)
            }
            Change::Adopt(_)
            | Change::Modify(_)
            | Change::Move(_)
            | Change::Delete(_)
            | Change::Impossible(_) => SentValues::default(),
        },
    }
}

/// What the guard's limits count it as.
fn counted(approved: &Approved, operation: &Operation) -> Vec<NotedWrite> {
    let is_approved = approved.contains(operation);
    let note = |kind, place: String| NotedWrite { key: operation.key(), kind, place, is_approved };
    let counted = operation.counted_writes().into_iter();
    let counted = counted.map(|write| note(write.as_str(), String::new()));
    let left = operation.groups_left.iter().copied().chain(replaced(operation));
    let joined = joined(operation).into_iter().map(|gid| note(JOINED, gid.to_string()));
    // Who is entered is known by the link; only that a person said so is not.
    let is_let_in = is_approved && matches!(operation.change, Change::Add(_));
    let let_in = is_let_in.then(|| note(ENTERED, String::new()));
    counted.chain(left.map(|gid| note(LEFT, gid.to_string()))).chain(joined).chain(let_in).collect()
}

/// The groups that a move puts a student into. Who is entered there is known by the link.
fn joined(operation: &Operation) -> BTreeSet<Gid> {
    match &operation.change {
        Change::Move(group_move) if !operation.of_leaver => group_move.change().groups_joined(),
        Change::Move(_)
        | Change::Adopt(_)
        | Change::Add(_)
        | Change::Modify(_)
        | Change::Delete(_)
        | Change::Impossible(_) => BTreeSet::new(),
    }
}

/// The groups that the roster gave another gid, in the place of which the student is put into that one.
fn replaced(operation: &Operation) -> impl Iterator<Item = Gid> {
    let replaced = match &operation.change {
        Change::Move(group_move) => Some(group_move.replaced().keys().copied()),
        Change::Adopt(_) | Change::Add(_) | Change::Modify(_) | Change::Delete(_) | Change::Impossible(_) => {
            None
        }
    };
    replaced.into_iter().flatten()
}

/// The groups that one call of a move takes its student out of; `None` where it is none.
pub(super) fn groups_left(call: &Call, operation: &Operation) -> Option<(OperationKey, Vec<Gid>)> {
    let left: Vec<Gid> = match call {
        Call::Group(GroupAction::DeleteFrom, gids) => {
            operation.groups_left.iter().copied().filter(|gid| gids.contains(gid)).collect()
        }
        Call::Group(GroupAction::MoveTo, _) => operation.groups_left.iter().copied().collect(),
        Call::Group(GroupAction::AddTo, _) => replaced(operation).collect(),
        Call::Change | Call::GiveWay | Call::Add | Call::Delete => Vec::new(),
    };
    (!left.is_empty()).then(|| (operation.key(), left))
}

/// The fields that a modify writes. The login value is not among them: candidates are found by what they show.
fn fields_sent(operation: &Operation) -> BTreeSet<FieldId> {
    match &operation.change {
        Change::Modify(modification) => modification.values.iter().map(|change| change.id).collect(),
        Change::Add(_) | Change::Adopt(_) | Change::Move(_) | Change::Delete(_) | Change::Impossible(_) => {
            BTreeSet::new()
        }
    }
}

/// The login value that an add sends.
fn login_sent(operation: &Operation) -> Option<LoginValue> {
    match &operation.change {
        Change::Add(addition) => Some(addition.login.clone()),
        Change::Adopt(_)
        | Change::Modify(_)
        | Change::Move(_)
        | Change::Delete(_)
        | Change::Impossible(_) => None,
    }
}

/// An operation that a row of the roster makes impossible: a dead letter at once, until the row changes.
pub(super) fn impossible(operation: &Operation, reason: &CannotReason, now_ms: i64) -> FailureRecord {
    FailureRecord {
        key: operation.key(),
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
        attempts: Attempts { own: 1, of_service: 0 },
        fault: Fault::Item,
    }
}

/// Notes everything that an applied operation changes.
pub(super) fn applied(
    context: &ApplyContext<'_>,
    operation: &Operation,
    sid: Option<Sid>,
    record: &mut CallRecord,
) {
    record.links.extend(link_write(context, operation, sid));
    // Nothing was sent for an adoption, so no intent has noted it.
    if operation.kind() == OperationKind::Adopt {
        record.counted.extend(counted(context.approved, operation));
    }
    record.settled.push(operation.key());
    record.applied.push(operation.key());
    record.details.extend(detail(operation).map(|detail| (operation.key(), detail)));
}

/// What of the student was changed: the roster's columns, or the groups that were left. Never a value.
fn detail(operation: &Operation) -> Option<String> {
    let columns = match &operation.change {
        Change::Modify(modification) => {
            let values = modification.values.iter().map(|change| change.column.clone());
            values.chain(modification.login.iter().map(|login| login.column.clone())).collect()
        }
        Change::Adopt(_) | Change::Add(_) | Change::Move(_) | Change::Delete(_) | Change::Impossible(_) => {
            Vec::new()
        }
    };
    let left = operation.groups_left.iter().map(|gid| format!("out of gid {gid}"));
    let parts: Vec<String> = columns.into_iter().chain(left).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// Nobody ever takes over another person's record, whatever the service answers.
pub(super) fn somebody_elses() -> FailureCause {
    let message = "the service answered with a candidate that is already another student's: make the login values differ";
    FailureCause::new(FailureCode::LoginValueTaken, message)
}

/// The candidate is not there any more.
pub(super) fn candidate_gone() -> FailureCause {
    let message = "the candidate no longer exists on the exam side; the next run finds out what to do";
    FailureCause::new(FailureCode::CandidateGone, message)
}

/// The candidate's groups are looked up by the next run, and with them whether it exists.
pub(super) fn check_soon(operation: &Operation) -> LinkWrite {
    LinkWrite::CheckSoon(operation.student.clone())
}

/// A candidate has another login value for the time being, or its old one back.
pub(super) fn gave_way(operation: &Operation, login: LoginValue) -> LinkWrite {
    LinkWrite::Values {
        student: operation.student.clone(),
        login: Some(login),
        confirmed: BTreeMap::new(),
        sent_twice: BTreeSet::new(),
    }
}

/// What one of several calls for an operation changes already.
pub(super) fn step_done(call: &Call, operation: &Operation) -> Option<LinkWrite> {
    let Call::Group(action, gids) = call else { return None };
    let gids: BTreeSet<_> = gids.iter().copied().collect();
    let student = operation.student.clone();
    match action {
        GroupAction::AddTo => Some(LinkWrite::Regroup { student, join: gids, leave: BTreeSet::new() }),
        GroupAction::DeleteFrom => Some(LinkWrite::Regroup { student, join: BTreeSet::new(), leave: gids }),
        GroupAction::MoveTo => None,
    }
}

/// The endpoint's name, for records.
pub(super) fn endpoint(call: &Call) -> &'static str {
    match call {
        Call::Change | Call::GiveWay => "changeStuinfo",
        Call::Add => "addStudents",
        Call::Group(..) => "movestugroup",
        Call::Delete => "delStu",
    }
}

/// The endpoint that operations of a kind are sent to, where there is one.
pub(super) fn endpoint_of(kind: OperationKind) -> Option<&'static str> {
    match kind {
        OperationKind::Add => Some("addStudents"),
        OperationKind::Modify => Some("changeStuinfo"),
        OperationKind::Move => Some("movestugroup"),
        OperationKind::Delete => Some("delStu"),
        OperationKind::Adopt | OperationKind::CreateGroup => None,
    }
}

/// What a student with a new candidate leaves behind at an older one.
pub(super) fn left_behind(operation: &Operation) -> Option<String> {
    let (replaces, previous_sid) = match &operation.change {
        Change::Add(addition) => (addition.replaces, addition.previous_sid),
        Change::Adopt(adoption) => (adoption.replaces, adoption.previous_sid),
        Change::Modify(_) | Change::Move(_) | Change::Delete(_) | Change::Impossible(_) => (None, None),
    };
    let student = &operation.student;
    match (replaces, previous_sid) {
        (Some(sid), _) => Some(format!(
            "student {student} gets a new candidate: the one with sid {sid} had been deleted, and older results stay with it"
        )),
        (None, Some(sid)) => Some(format!(
            "student {student} is back and gets a new candidate: the one with sid {sid} was deleted after they had left, \
             and older results stay with it"
        )),
        (None, None) => None,
    }
}

/// What an applied operation changes in our links.
fn link_write(context: &ApplyContext<'_>, operation: &Operation, sid: Option<Sid>) -> Option<LinkWrite> {
    let now_ms = context.run_context.clock.now_ms();
    let due = next_group_check(context.side, now_ms);
    let student = operation.student.clone();
    match &operation.change {
        Change::Adopt(adoption) => Some(LinkWrite::Make(Box::new(NewLink {
            link: adopted(student, adoption, now_ms),
            groups_due_at_ms: due,
        }))),
        Change::Add(addition) => Some(LinkWrite::Make(Box::new(NewLink {
            link: added(context, student, addition, sid?),
            groups_due_at_ms: due,
        }))),
        Change::Modify(modification) => Some(values_written(context, student, modification)),
        Change::Move(group_move) => Some(regrouped(student, group_move, due)),
        Change::Delete(_) => Some(LinkWrite::Forget(student)),
        Change::Impossible(_) => None,
    }
}

fn adopted(student: StudentId, adoption: &Adoption, now_ms: i64) -> Link {
    Link {
        student,
        sid: adoption.sid,
        login: adoption.login.clone(),
        origin: adoption.origin,
        confirmed: adoption.confirmed.clone(),
        unverified: BTreeSet::new(),
        suspected: BTreeMap::new(),
        sent_twice: BTreeMap::new(),
        rewritten: BTreeSet::new(),
        groups: adoption.groups.clone(),
        gone_since_ms: None,
        gone_runs: 0,
        linked_at_ms: now_ms,
        renamed_by_hand: false,
    }
}

fn added(context: &ApplyContext<'_>, student: StudentId, addition: &Addition, sid: Sid) -> Link {
    let confirmed: BTreeMap<FieldId, Fingerprint> =
        addition.values.iter().map(|(field, value)| (*field, context.key.value(*field, value))).collect();
    let unverified = confirmed.keys().copied().filter(|field| *field != PASSWORD_FIELD).collect();
    Link {
        student,
        sid,
        login: addition.login.clone(),
        origin: Origin::Added,
        confirmed,
        unverified,
        suspected: BTreeMap::new(),
        sent_twice: BTreeMap::new(),
        rewritten: BTreeSet::new(),
        groups: Some(addition.group.gid().into_iter().collect()),
        gone_since_ms: None,
        gone_runs: 0,
        linked_at_ms: context.run_context.clock.now_ms(),
        renamed_by_hand: false,
    }
}

fn values_written(context: &ApplyContext<'_>, student: StudentId, modification: &Modification) -> LinkWrite {
    let login = modification.login.as_ref();
    let login = login.map(|login| (login.id, context.key.value(login.id, login.to.as_str())));
    LinkWrite::Values {
        student,
        login: modification.login.as_ref().map(|login| login.to.clone()),
        confirmed: modification
            .values
            .iter()
            .map(|change| (change.id, context.key.value(change.id, &change.value)))
            .chain(login)
            .collect(),
        sent_twice: modification.second_writes.keys().copied().collect(),
    }
}

fn regrouped(student: StudentId, group_move: &GroupMove, due_at_ms: i64) -> LinkWrite {
    let joined = group_move.change().groups_joined();
    match group_move.change() {
        GroupChange::MoveTo(_) => LinkWrite::Groups { student, groups: joined, due_at_ms },
        GroupChange::Adjust { surplus, .. } => {
            LinkWrite::Regroup { student, join: joined, leave: surplus.clone() }
        }
    }
}

/// Closes failures that are no longer wanted, and intents that the complete reading has settled; not those of adds of
/// which it is open what became of them.
pub(super) async fn close_superseded(
    context: &Context,
    (plan, open_adds): (&GuardedPlan, &HashMap<StudentId, OpenAdd>),
    run: RunId,
    now_ms: i64,
) -> Result<(), StoreError> {
    let wanted: HashSet<OperationKey> = plan.operations.iter().map(Operation::key).collect();
    context.state.supersede_failures(Service::Exam, &wanted, now_ms).await?;
    // What was impossible, and is withheld or held for another reason now, stands for that one alone.
    let is_possible = |it: &&Operation| match &it.state {
        OperationState::Held(_) => true,
        OperationState::Skipped(reason) => reason.code().is_some(),
        OperationState::Planned | OperationState::Cannot(_) => false,
    };
    let possible: HashSet<OperationKey> =
        plan.operations.iter().filter(is_possible).map(Operation::key).collect();
    context.state.supersede_impossible(&possible, now_ms).await?;
    // What could not be done to a candidate that is gone is over once its student is to have another one.
    let is_another = |it: &&Operation| matches!(it.kind(), OperationKind::Adopt | OperationKind::Add);
    let with_another: HashSet<&StudentId> =
        plan.operations.iter().filter(is_another).map(|operation| &operation.student).collect();
    context.state.supersede_changes_of_gone(&with_another, now_ms).await?;
    // Whether our lost add entered somebody is settled by an adoption, or by the listing's not having them;
    // until either it is kept in mind.
    let open: HashSet<StudentId> = plan
        .operations
        .iter()
        .filter(|operation| matches!(operation.kind(), OperationKind::Adopt | OperationKind::Add))
        .filter(|operation| !operation.is_planned() && !matches!(operation.change, Change::Add(_)))
        .map(|operation| operation.student.clone())
        .chain(
            open_adds
                .iter()
                .filter(|(_, open)| open.is_to_be_found_out())
                .map(|(student, _)| student.clone()),
        )
        .collect();
    context.state.settle_exam_intents(run, &open).await
}
