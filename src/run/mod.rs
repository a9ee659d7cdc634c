//! A run, from reading to recording: the imperative shell around the pure core.
//!
//! The schedule, `--sync-now`, a plan and a restart after a crash all come through [`reconcile`]. The two
//! services fail apart: whatever happens to one, the other has its turn.

mod classin;
mod exam;
mod progress;
mod report;
mod results;

use tokio_util::sync::CancellationToken;

pub use classin::{ClassinRetryDelays as ClassinPatience, ClassinSide, EnrolmentLines, preview_classin};
pub use exam::{ExamRetryDelays, ExamSide, PlannedExam, check_exam_fields, in_one_line};
pub use progress::Progress;
pub use report::{Counts, OutcomeKind, RunOutcome, RunReport, ServiceReport, moment};
pub use results::{ResultsPull, ResultsReport, pull_results};

use crate::clock::Clock;
use crate::exit::Exit;
use crate::store::{HeldOperation, RosterDatabase, RunRow, RunStart, Service, StateStore, StoreError};
use rosterd_core::exam_plan::{Digest, RetryPolicy};
use rosterd_core::roster::Mode;
use rosterd_core::roster::RunId;

/// What started a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// `--sync-now`.
    SyncNow,
    /// The schedule.
    Schedule,
    /// The schedule, for a moment that was missed.
    Missed,
    /// A signal.
    Signal,
    /// `plan`: nothing is written but the run's own row.
    Plan,
}

impl Trigger {
    /// The word in tables and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SyncNow => "sync-now",
            Self::Schedule => "schedule",
            Self::Missed => "missed",
            Self::Signal => "signal",
            Self::Plan => "plan",
        }
    }
}

/// Everything that a run works with.
pub struct Context {
    /// Our own database.
    pub state: StateStore,
    /// The school's roster.
    pub roster: RosterDatabase,
    /// The exam side, where it is enabled.
    pub exam: Option<ExamSide>,
    /// ClassIn, where it is enabled.
    pub classin: Option<ClassinSide>,
    /// What a run may do.
    pub mode: Mode,
    /// Fewer students than this is a broken export.
    pub min_roster: u64,
    /// How failures are retried.
    pub retry: RetryPolicy,
    /// The clock.
    pub clock: Clock,
    /// Where to show how far a run is.
    pub progress: Progress,
    /// Cancelled when no new batch is to be sent.
    pub stop: CancellationToken,
}

/// What a plan would do, for whoever asked for one.
#[derive(Default)]
pub struct Intended {
    /// The exam side's plan.
    pub exam: Option<PlannedExam>,
    /// ClassIn's operations.
    pub classin: EnrolmentLines,
}

/// One run.
///
/// # Errors
/// Only when our own database cannot be used: then nothing was sent that is not written down.
pub async fn reconcile(context: &Context, trigger: Trigger) -> Result<(RunReport, Intended), StoreError> {
    let started_at_ms = context.clock.now_ms();
    let start = RunStart { trigger: trigger.as_str(), mode: context.mode.as_str(), at_ms: started_at_ms };
    let run = context.state.begin_run(start).await?;
    tracing::info!(run.id = run.0, trigger = trigger.as_str(), mode = context.mode.as_str(), "run started");
    let (exam_report, exam_plan) = exam::sync_exam(context, run, trigger).await;
    let (classin_report, enrolments) = classin::sync_classin(context, run, trigger).await;
    let report = close(context, run, trigger, started_at_ms, exam_report, classin_report).await?;
    Ok((report, Intended { exam: exam_plan, classin: enrolments }))
}

async fn close(
    context: &Context,
    run: RunId,
    trigger: Trigger,
    started_at_ms: i64,
    mut exam: ServiceReport,
    mut classin: ServiceReport,
) -> Result<RunReport, StoreError> {
    for ((service, owner), count) in context.state.open_failures_by_owner().await? {
        let report = if service == Service::Exam.as_str() { &mut exam } else { &mut classin };
        report.failures_by_who.insert(owner.as_str(), count);
    }
    let finished_at_ms = context.clock.now_ms();
    let mut exit = exam.exit.worst(classin.exit);
    if context.stop.is_cancelled() && exit != Exit::Done {
        exit = exit.worst(Exit::Terminated);
    }
    let mut digest = Digest::open("run");
    digest.text(&exam.digest).text(&classin.digest);
    let digest = digest.finish_text();
    let held: Vec<HeldOperation> =
        exam.held_operations.iter().chain(&classin.held_operations).cloned().collect();
    if !held.is_empty() {
        context.state.remember_held(&digest, &held, finished_at_ms).await?;
    }
    let changed = ServiceReport::sum(&exam.applied) + ServiceReport::sum(&classin.applied) > 0;
    let complete = exam.complete;
    let report = RunReport {
        run_id: run.0,
        trigger: trigger.as_str().to_owned(),
        mode: context.mode.as_str().to_owned(),
        outcome: outcome(trigger, exit, changed, &exam, &classin),
        started_at: moment(started_at_ms),
        finished_at: moment(finished_at_ms),
        digest: digest.clone(),
        approve: (!held.is_empty()).then(|| format!("rosterd approve {digest}")),
        errors: exam.errors.iter().chain(&classin.errors).cloned().collect(),
        exam,
        classin,
        exit_code: exit.code(),
        exit,
    };
    let row = RunRow {
        run,
        trigger: report.trigger.clone(),
        mode: report.mode.clone(),
        started_at_ms,
        finished_at_ms: Some(finished_at_ms),
        outcome: Some(report.outcome.as_str().to_owned()),
        exit_code: Some(i64::from(exit.code())),
        report: serde_json::to_string(&report).ok(),
    };
    context.state.finish_run(&row, complete).await?;
    context.state.trim_runs(1000).await?;
    log_end(&report);
    Ok(report)
}

/// A plan that found something to do is neither converged nor applied.
fn outcome(
    trigger: Trigger,
    exit: Exit,
    changed: bool,
    exam: &ServiceReport,
    classin: &ServiceReport,
) -> RunOutcome {
    let found = ServiceReport::sum(&exam.planned) + ServiceReport::sum(&classin.planned) > 0;
    let outcome = RunOutcome::of(exit, changed);
    if outcome == RunOutcome::Converged && trigger == Trigger::Plan && found {
        RunOutcome::Planned
    } else {
        outcome
    }
}

fn log_end(report: &RunReport) {
    let applied = report.changes();
    let failed = ServiceReport::sum(&report.exam.failed) + ServiceReport::sum(&report.classin.failed);
    let held = ServiceReport::sum(&report.exam.held) + ServiceReport::sum(&report.classin.held);
    let outcome = report.outcome.as_str();
    for error in &report.errors {
        tracing::error!(run.id = report.run_id, "{error}");
    }
    tracing::info!(run.id = report.run_id, outcome, applied, failed, held, "run finished");
}
