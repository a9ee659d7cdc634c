//! ClassIn's part of a run: class by class, what the roster wants against what we remember.
//!
//! ClassIn cannot be read back, so our memory is written before each call and after each answer.

mod apply;
mod gather;
mod guard;
mod record;
mod send;

use super::report::{Ended, StageReport};
use super::{Context, Trigger};
use crate::classin::ClassinClient;
use crate::exit::Exit;
use crate::mirror::{EnrolmentKind, EnrolmentOperation, EnrolmentState};
use crate::plan::{Digest, OperationLine};
use crate::roster::RunId;
use crate::settings::{ClassinSettings, GuardSettings};
use crate::store::{RosterError, StoreError};

use super::exam::{in_one_line, roster_exit};

/// ClassIn: how to reach it and how to treat it.
pub struct ClassinSide {
    /// The client.
    pub client: ClassinClient,
    /// The transport it uses, for its counters.
    pub transport: crate::http::Transport,
    /// `[classin]`
    pub settings: ClassinSettings,
    /// `[guard]`
    pub guard: GuardSettings,
    /// How long a leaver keeps their classes, in milliseconds.
    pub delete_grace_ms: i64,
}

/// ClassIn's operations for whoever asked for a plan.
#[derive(Debug, Default)]
pub struct EnrolmentLines {
    /// In the order of a report.
    pub operations: Vec<OperationLine>,
    /// The digest of this part.
    pub digest: String,
}

/// Why ClassIn's part of a run ends early.
#[derive(Debug, thiserror::Error)]
enum StageError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Roster(#[from] RosterError),
}

impl StageError {
    fn exit(&self) -> Exit {
        match self {
            Self::Store(_) => Exit::Failed,
            Self::Roster(error) => roster_exit(error),
        }
    }
}

/// ClassIn's turn. Never an `Err`: what goes wrong stands in the report.
pub(super) async fn stage(context: &Context, run: RunId, trigger: Trigger) -> (StageReport, EnrolmentLines) {
    let Some(side) = &context.classin else { return (StageReport::default(), EnrolmentLines::default()) };
    let mut report = StageReport::enabled();
    side.transport.start_of_run();
    let lines = match pass(context, side, run, trigger, &mut report).await {
        Ok(lines) => lines,
        Err(error) => {
            report.fail(error.exit(), format!("classin: {}", in_one_line(&error)));
            EnrolmentLines::default()
        }
    };
    report.take_calls(&side.transport.take_calls());
    report.settle();
    (report, lines)
}

async fn pass(
    context: &Context,
    side: &ClassinSide,
    run: RunId,
    trigger: Trigger,
    report: &mut StageReport,
) -> Result<EnrolmentLines, StageError> {
    context.roster.require_students(context.min_roster).await?;
    let mut gathered = gather::gather(context, side).await?;
    report.observed = context.state.count_enrolments().await?;
    report.not_mirrored = gathered.not_mirrored;
    report.leavers_waiting = gathered.leavers_waiting;
    report.problems.extend(gathered.problems.iter().map(ToString::to_string));
    let approved = guard::divide(context, side, &mut gathered.operations, report.observed).await?;
    let digest = digest(&gathered.operations);
    report.digest.clone_from(&digest);
    report.complete = true;
    guard::describe_holds(&gathered.operations, report);
    let lines = EnrolmentLines { operations: gathered.operations.iter().map(line).collect(), digest };
    if trigger == Trigger::Plan {
        for operation in &gathered.operations {
            report.count(operation.kind.as_str(), unapplied(operation));
        }
        return Ok(lines);
    }
    let now_ms = context.clock.now_ms();
    if let Err(error) = context.state.record_enrolments(&gathered.changes, run, now_ms).await {
        for operation in &gathered.operations {
            report.count(operation.kind.as_str(), unapplied(operation));
        }
        return Err(error.into());
    }
    apply::run(context, side, run, &gathered, &approved, report).await?;
    record::close_superseded(context, &gathered.operations, now_ms).await?;
    Ok(lines)
}

fn unapplied(operation: &EnrolmentOperation) -> Ended {
    match operation.state {
        EnrolmentState::Planned | EnrolmentState::Skipped(_) | EnrolmentState::Waiting(_) => Ended::Skipped,
        EnrolmentState::Held(_) => Ended::Held,
        EnrolmentState::Cannot(_) => Ended::Failed,
    }
}

/// The class as failures and approvals name it: by the school's code, or by ClassIn's ids where it has none.
fn class_key(operation: &EnrolmentOperation) -> String {
    match &operation.class_code {
        Some(code) => code.as_str().to_owned(),
        None => operation.target.to_string(),
    }
}

fn digest(operations: &[EnrolmentOperation]) -> String {
    let mut digest = Digest::open("enrolments");
    for operation in operations {
        digest
            .text(operation.kind.as_str())
            .text(operation.student.as_str())
            .text(&class_key(operation))
            .number(i64::from_le_bytes(operation.want.to_le_bytes()));
    }
    digest.finish_text()
}

fn line(operation: &EnrolmentOperation) -> OperationLine {
    let state = match operation.state {
        EnrolmentState::Planned => "planned",
        EnrolmentState::Held(_) => "held",
        EnrolmentState::Skipped(_) | EnrolmentState::Waiting(_) => "skipped",
        EnrolmentState::Cannot(_) => "cannot",
    };
    let class = class_key(operation);
    let detail = match operation.kind {
        EnrolmentKind::Register => "register an account".to_owned(),
        EnrolmentKind::Enrol => format!("enrol in class {class}"),
        EnrolmentKind::Remove => format!("remove from class {class}"),
    };
    OperationLine {
        kind: operation.kind.as_str(),
        student_id: operation.student.as_str().to_owned(),
        fields: vec![class],
        state,
        reason: operation.state.reason().map(ToString::to_string),
        detail,
    }
}
