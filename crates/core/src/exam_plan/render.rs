//! A plan as people and programs read it. Values are masked unless the reader asks for them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::group_change::{GroupChange, TargetGroup};
use super::group_creation::GroupCreation;
use super::guard::GuardedPlan;
use super::hold::with_student;
use super::kind::OperationKind;
use super::operation::{Change, Modification, Operation, OperationState};
use crate::roster::{Gid, Sid};

/// Whether a plan shows values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueDisplay {
    /// Only the names of fields.
    Masked,
    /// Names, login values and everything else, when asked for.
    Revealed,
}

/// A plan as JSON.
#[derive(Debug, Serialize)]
pub struct PlanDocument {
    /// The plan's digest.
    pub digest: String,
    /// The operations in the plan's order.
    pub operations: Vec<OperationLine>,
    /// Counts by kind, and within each by state.
    pub counts: BTreeMap<String, BTreeMap<String, u64>>,
    /// Active students on the roster.
    pub students: u64,
    /// Candidates that are ours.
    pub managed: u64,
    /// Candidates that are not.
    pub unmanaged: u64,
    /// Leavers within their grace.
    pub leavers_waiting: u64,
    /// The reason why the listing is doubtful.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doubt: Option<String>,
}

/// One operation as JSON.
#[derive(Clone, Debug, Serialize)]
pub struct OperationLine {
    /// `create`, `adopt`, `add`, `modify`, `move` or `delete`; for ClassIn `enrol` or `remove`.
    pub kind: &'static str,
    /// The student or the group.
    #[serde(flatten)]
    pub subject: OperationSubject,
    /// The group that a student is put into, or is taken out of where that is all: its code where the roster has one, else
    /// the gid. Of several the first.
    pub group: Option<String>,
    /// Of an enrolment the class: its code where the roster has one, else its ids.
    pub class: Option<String>,
    /// What changes of a student: columns of the roster, `groups`.
    pub fields: Vec<FieldLine>,
    /// Every group of the exam side that it concerns.
    #[serde(skip)]
    pub gids: BTreeSet<Gid>,
    /// `planned`, `held`, `skipped` or `cannot`.
    pub state: &'static str,
    /// The reason for a state other than planned.
    pub reason: Option<String>,
    /// The reason in a word for programs, where it has one.
    pub reason_code: Option<String>,
    /// Of what is held by a limit: how many there are of what is limited.
    pub count: Option<u64>,
    /// Of what is held by a limit: the limit.
    pub limit: Option<u64>,
    /// Of what is held: since when, as RFC 3339.
    pub since: Option<String>,
    /// The change, as part of a sentence.
    pub detail: String,
}

/// One field that an operation changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldLine {
    /// The column of the roster, or `groups`.
    pub name: String,
    /// The value until now; absent where it is not shown, or was only compared by its hash.
    pub old: Option<String>,
    /// The value from then on; absent where it is not shown.
    pub new: Option<String>,
}

impl FieldLine {
    /// A field whose values are not shown.
    #[must_use]
    pub fn masked(name: &str) -> Self {
        Self { name: name.to_owned(), old: None, new: None }
    }
}

/// What an operation concerns; in JSON `student_id` or `group_code`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationSubject {
    /// A student.
    StudentId(String),
    /// A group of the roster.
    GroupCode(String),
}

impl OperationSubject {
    /// The id or the code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::StudentId(id) | Self::GroupCode(id) => id,
        }
    }

    /// Whether it is this student.
    #[must_use]
    pub fn is_student(&self, id: &str) -> bool {
        matches!(self, Self::StudentId(own) if own == id)
    }
}

impl PlanDocument {
    /// The document of a plan.
    #[must_use]
    pub fn new(plan: &GuardedPlan, values: ValueDisplay) -> Self {
        let mut counts: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        let created = plan.creations.iter().map(creation_line);
        let operations: Vec<OperationLine> =
            created.chain(plan.operations.iter().map(|operation| line(operation, values))).collect();
        for operation in &operations {
            let by_state = counts.entry(operation.kind.to_owned()).or_default();
            *by_state.entry(operation.state.to_owned()).or_default() += 1;
        }
        Self {
            digest: plan.digest(),
            operations,
            counts,
            students: plan.totals.students,
            managed: plan.totals.managed,
            unmanaged: plan.totals.unmanaged,
            leavers_waiting: plan.totals.leavers_waiting,
            doubt: plan.doubt.as_ref().map(ToString::to_string),
        }
    }
}

fn creation_line(creation: &GroupCreation) -> OperationLine {
    OperationLine {
        kind: OperationKind::CreateGroup.as_str(),
        subject: OperationSubject::GroupCode(creation.code.as_str().to_owned()),
        group: None,
        class: None,
        fields: Vec::new(),
        gids: BTreeSet::new(),
        state: state_word(&creation.state),
        reason: reason(&creation.state),
        reason_code: reason_code(&creation.state),
        count: figures(&creation.state).map(|(count, _)| count),
        limit: figures(&creation.state).map(|(_, limit)| limit),
        since: None,
        detail: format!("create the group \"{}\" below gid {}", creation.title, creation.parent),
    }
}

fn line(operation: &Operation, values: ValueDisplay) -> OperationLine {
    OperationLine {
        kind: operation.kind().as_str(),
        subject: OperationSubject::StudentId(operation.student.as_str().to_owned()),
        group: group(operation),
        class: None,
        fields: fields(operation, values),
        gids: gids(operation),
        state: state_word(&operation.state),
        reason: reason(&operation.state).map(|reason| with_student(&reason, &operation.student)),
        reason_code: reason_code(&operation.state),
        count: figures(&operation.state).map(|(count, _)| count),
        limit: figures(&operation.state).map(|(_, limit)| limit),
        since: None,
        detail: detail(operation, values),
    }
}

fn state_word(state: &OperationState) -> &'static str {
    match state {
        OperationState::Planned => "planned",
        OperationState::Held(_) => "held",
        OperationState::Skipped(_) => "skipped",
        OperationState::Cannot(_) => "cannot",
    }
}

fn reason(state: &OperationState) -> Option<String> {
    match state {
        OperationState::Planned => None,
        OperationState::Held(reason) => Some(reason.to_string()),
        OperationState::Skipped(reason) => Some(reason.to_string()),
        OperationState::Cannot(reason) => Some(reason.to_string()),
    }
}

fn reason_code(state: &OperationState) -> Option<String> {
    match state {
        OperationState::Planned => None,
        OperationState::Held(reason) => Some(reason.code().to_owned()),
        OperationState::Skipped(reason) => reason.code().map(|code| code.to_string()),
        OperationState::Cannot(reason) => Some(reason.code().to_string()),
    }
}

fn figures(state: &OperationState) -> Option<(u64, u64)> {
    match state {
        OperationState::Held(reason) => reason.figures(),
        OperationState::Planned | OperationState::Skipped(_) | OperationState::Cannot(_) => None,
    }
}

fn fields(operation: &Operation, values: ValueDisplay) -> Vec<FieldLine> {
    let shown = |value: &str| (values == ValueDisplay::Revealed).then(|| value.to_owned());
    match &operation.change {
        Change::Modify(modification) => {
            let login = modification.login.iter().map(|login| FieldLine {
                name: login.column.clone(),
                old: shown(login.from.as_str()),
                new: shown(login.to.as_str()),
            });
            let others = modification
                .values
                .iter()
                .map(|value| FieldLine { new: shown(&value.value), ..FieldLine::masked(&value.column) });
            login.chain(others).collect()
        }
        Change::Move(group_move) => {
            let joined: Vec<String> = group_move.change().targets().map(ToString::to_string).collect();
            let left: Vec<String> = operation.groups_left.iter().map(ToString::to_string).collect();
            let list = |groups: Vec<String>| (!groups.is_empty()).then(|| groups.join(", "));
            vec![FieldLine { name: "groups".to_owned(), old: list(left), new: list(joined) }]
        }
        Change::Adopt(_) | Change::Add(_) | Change::Delete(_) | Change::Impossible(_) => Vec::new(),
    }
}

fn group(operation: &Operation) -> Option<String> {
    let named = |group: &TargetGroup| match group {
        TargetGroup::Existing(gid) => gid.to_string(),
        TargetGroup::New(code) => code.as_str().to_owned(),
    };
    match &operation.change {
        Change::Add(addition) => Some(named(&addition.group)),
        Change::Move(group_move) => {
            let joined = group_move.change().targets().next().map(named);
            joined.or_else(|| operation.groups_left.first().map(ToString::to_string))
        }
        Change::Adopt(_) | Change::Modify(_) | Change::Delete(_) | Change::Impossible(_) => None,
    }
}

fn gids(operation: &Operation) -> BTreeSet<Gid> {
    let joined = match &operation.change {
        Change::Add(addition) => addition.group.gid().into_iter().collect(),
        Change::Move(group_move) => group_move.change().groups_joined(),
        Change::Adopt(_) | Change::Modify(_) | Change::Delete(_) | Change::Impossible(_) => BTreeSet::new(),
    };
    operation.groups.iter().chain(&operation.groups_left).copied().chain(joined).collect()
}

fn detail(operation: &Operation, values: ValueDisplay) -> String {
    let shown = |text: &str| match values {
        ValueDisplay::Masked => String::new(),
        ValueDisplay::Revealed => format!(" as {text}"),
    };
    match &operation.change {
        Change::Adopt(adoption) => {
            let instead = match (adoption.replaces, adoption.previous_sid) {
                (Some(sid), _) => format!(" (sid {sid} no longer exists; older results stay with it)"),
                (None, Some(sid)) => returned(sid),
                (None, None) => String::new(),
            };
            format!(
                "adopt the candidate with sid {}{}{instead}",
                adoption.sid,
                shown(adoption.login.as_str())
            )
        }
        Change::Add(addition) => {
            let again = match (addition.replaces, addition.previous_sid) {
                (Some(sid), _) => {
                    format!(" again (sid {sid} was deleted by hand; older results stay with it)")
                }
                (None, Some(sid)) => returned(sid),
                (None, None) => String::new(),
            };
            format!("add to group {}{}{again}", addition.group, shown(addition.login.as_str()))
        }
        Change::Modify(modification) => modify_detail(modification, values),
        Change::Move(group_move) => match group_move.change() {
            GroupChange::MoveTo(group) => format!("move to group {group}"),
            GroupChange::Adjust { missing, surplus } => adjust_detail(missing, surplus),
        },
        Change::Delete(deletion) => format!("delete the candidate with sid {}", deletion.sid()),
        Change::Impossible(kind) => kind.to_string(),
    }
}

/// The detail for a student who is back after their candidate was deleted.
fn returned(sid: Sid) -> String {
    format!(" anew (sid {sid} was deleted when the student had left; older results stay with it)")
}

fn adjust_detail<'g>(
    missing: impl IntoIterator<Item = &'g TargetGroup>,
    surplus: impl IntoIterator<Item = &'g Gid>,
) -> String {
    let list = |gids: Vec<String>| gids.join(", ");
    let missing: Vec<String> = missing.into_iter().map(ToString::to_string).collect();
    let surplus: Vec<String> = surplus.into_iter().map(ToString::to_string).collect();
    match (missing.is_empty(), surplus.is_empty()) {
        (false, true) => format!("into group {}", list(missing)),
        (true, _) => format!("out of group {}", list(surplus)),
        (false, false) => format!("into group {}, out of group {}", list(missing), list(surplus)),
    }
}

fn modify_detail(modification: &Modification, values: ValueDisplay) -> String {
    let mut parts = Vec::new();
    if let Some(login) = &modification.login {
        parts.push(match values {
            ValueDisplay::Masked => format!("{} (login value)", login.column),
            ValueDisplay::Revealed => format!("{} {} → {}", login.column, login.from, login.to),
        });
    }
    for value in &modification.values {
        parts.push(match (values, value.value.is_empty()) {
            (_, true) => format!("{} (emptied)", value.column),
            (ValueDisplay::Masked, false) => value.column.clone(),
            (ValueDisplay::Revealed, false) => format!("{} → {}", value.column, value.value),
        });
    }
    let once_more = if modification.again {
        " once more, as the last write was changed there or not confirmed"
    } else {
        ""
    };
    format!("{}{once_more}", parts.join(", "))
}
