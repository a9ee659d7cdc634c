//! The plan as it is shown, its digest, and how many calls it needs at least.

use std::collections::{BTreeMap, BTreeSet};

use super::EnrolmentLines;
use super::plan::ClassinPlan;
use rosterd_core::classin_plan::{
    AccountKind, AccountOperation, ClassNames, EnrolmentKind, EnrolmentOperation, EnrolmentState,
    LARGEST_BATCH, LARGEST_REGISTRATION, Reason, class_key,
};
use rosterd_core::exam_plan::{Digest, FieldLine, OperationLine, OperationSubject};
use rosterd_core::roster::{ClassTarget, ClassinUid};

/// All operations as lines, accounts first.
pub(super) fn of(plan: &ClassinPlan) -> EnrolmentLines {
    let accounts = plan.accounts.operations.iter().map(account_line);
    let enrolments = plan.operations.iter().map(|operation| enrolment_line(operation, &plan.names));
    EnrolmentLines { operations: accounts.chain(enrolments).collect(), digest: digest(plan) }
}

fn digest(plan: &ClassinPlan) -> String {
    let mut digest = Digest::open("enrolments");
    let signed = |hash: u64| i64::from_le_bytes(hash.to_le_bytes());
    for operation in &plan.accounts.operations {
        digest
            .text(operation.kind.as_str())
            .text(operation.student.as_str())
            .number(signed(operation.desired_hash));
    }
    for operation in &plan.operations {
        digest
            .text(operation.kind.as_str())
            .text(operation.student.as_str())
            .text(&class_key(operation))
            .number(signed(operation.desired_hash));
    }
    digest.finish_text()
}

fn word(state: &EnrolmentState) -> &'static str {
    match state {
        EnrolmentState::Planned => "planned",
        EnrolmentState::Held(_) => "held",
        EnrolmentState::Skipped(_) | EnrolmentState::Waiting(_) => "skipped",
        EnrolmentState::Cannot(_) => "cannot",
    }
}

/// Of what a limit holds: the count, and the limit.
fn figures(state: &EnrolmentState) -> (Option<u64>, Option<u64>) {
    state.reason().and_then(Reason::figures).unzip()
}

/// Of a limit its hold has the word.
fn reason_code(state: &EnrolmentState) -> Option<String> {
    state.reason().and_then(Reason::code).map(ToOwned::to_owned)
}

fn account_line(operation: &AccountOperation) -> OperationLine {
    let (field, detail) = match operation.kind {
        AccountKind::Register => ("account", "register a ClassIn account"),
        AccountKind::Rename => ("name", "write the new name at the school in ClassIn"),
    };
    let (count, limit) = figures(&operation.state);
    OperationLine {
        kind: operation.kind.as_str(),
        subject: OperationSubject::StudentId(operation.student.as_str().to_owned()),
        group: None,
        class: None,
        fields: vec![FieldLine::masked(field)],
        gids: BTreeSet::new(),
        state: word(&operation.state),
        reason: operation.reason_text(),
        reason_code: reason_code(&operation.state),
        count,
        limit,
        since: None,
        detail: detail.to_owned(),
    }
}

fn enrolment_line(operation: &EnrolmentOperation, names: &ClassNames) -> OperationLine {
    let class = class_key(operation);
    let noun = operation.target.noun();
    let (count, limit) = figures(&operation.state);
    // A class that no row names any more is told by what it was called.
    let called = names.code_and_title(operation.target).filter(|_| operation.class_code.is_none());
    let called = called.map_or_else(|| class.clone(), |called| format!("{called} ({class})"));
    let detail = match operation.kind {
        EnrolmentKind::Register => "register an account".to_owned(),
        EnrolmentKind::Enrol => format!("enrol in {noun} {called}"),
        EnrolmentKind::Remove => format!("remove from {noun} {called}"),
    };
    OperationLine {
        kind: operation.kind.as_str(),
        subject: OperationSubject::StudentId(operation.student.as_str().to_owned()),
        group: None,
        class: Some(class),
        fields: Vec::new(),
        gids: BTreeSet::new(),
        state: word(&operation.state),
        reason: operation.reason_text(),
        reason_code: reason_code(&operation.state),
        count,
        limit,
        since: None,
        detail,
    }
}

/// The fewest calls that can do all of it: as many students a call as are allowed, an account once, a class by
/// itself, and a question for each lesson that is probably over. A run without trouble makes just these; accounts that
/// were there before need one more each.
pub(super) fn least_calls(plan: &ClassinPlan, batch_size: usize) -> u64 {
    let size = batch_size.clamp(1, LARGEST_BATCH);
    let mut classes: BTreeMap<(ClassTarget, EnrolmentKind), (BTreeSet<ClassinUid>, usize)> = BTreeMap::new();
    for operation in plan.operations.iter().filter(|operation| operation.is_planned()) {
        let (known, unknown) = classes.entry((operation.target, operation.kind)).or_default();
        match operation.uid {
            Some(uid) => {
                known.insert(uid);
            }
            None => *unknown += 1,
        }
    }
    let of_classes: usize =
        classes.values().map(|(known, unknown)| (known.len() + unknown).div_ceil(size)).sum();
    let accounts = &plan.accounts;
    let (joining, registering): (Vec<_>, Vec<_>) =
        accounts.applications.iter().partition(|application| application.known.is_some());
    let names = accounts.operations.iter().filter(|operation| {
        operation.kind == AccountKind::Rename && operation.state == EnrolmentState::Planned
    });
    let of_accounts = joining.len() + registering.len().div_ceil(LARGEST_REGISTRATION) + names.count();
    u64::try_from(of_classes + of_accounts + plan.questions.len()).unwrap_or(u64::MAX)
}
