//! A run, from reading to recording: the imperative shell around the pure core.
//!
//! The schedule, `--sync-now` and a restart after a crash all come through [`reconcile`]; [`plan`] goes the same way
//! and applies nothing, for it has no [`Writers`]. The two services fail apart: whatever happens to one, the other has
//! its turn.

mod attention;
mod classin;
mod delivery;
mod exam;
mod one_line;
mod progress;
mod report;
mod results;
mod roster_check;
mod roster_files;
mod rows_of_nobody;
mod severity;
mod unusable_rows;

use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

pub use attention::{Attention, Attentions, is_waiting_kind, waiting_attention};
pub(crate) use attention::{REFUSED_FILES, WATCHED_FOLDERS};
pub use classin::{
    ClassinRetryDelays as ClassinPatience, ClassinSide, ConfirmedClassinAccount, EnrolmentLines,
    SchoolChange, check_classin_account, classin_records_in_doubt, confirm_classin_account, preview_classin,
};
pub use exam::{
    AccountLook, CandidatePresence, ColumnFit, ConfirmedExamAccount, EmptiedFields, EmptyAccount, ExamCheck,
    ExamRetryDelays, ExamSide, PasswordColumns, PlannedExam, UncomparedColumn, candidate_presence,
    check_exam_account, check_exam_fields, confirm_exam_account, emptied_fields, exam_account_is_shared,
    fit_columns, groups_of_some, living_group_of_leavers, login_column, look_at_account, password_columns,
    remembered_mapping, uncompared_columns, uncompared_columns_of,
};
pub use one_line::in_one_line;
pub use progress::Progress;
pub use report::{Counts, HoldLine, RunOutcome, RunReport, ServiceReport, moment};
pub use results::{
    ResultsPull, ResultsReport, failing_pulls, last_pull, pull_results, remember_pull, remember_schedule,
    unlisted_results,
};
pub use roster_check::{RosterCheck, RosterShape, check_roster};
pub use roster_files::{FileOutcome, RosterFile};
pub use severity::Severity;

use crate::clock::Clock;
use crate::remote::classin::ClassinWriter;
use crate::remote::exam::ExamWriter;
use crate::store::{PLAN, PlannedService, RosterDatabase, RunRow, RunStart, StateStore, StoreError};
use rosterd_core::account::ServiceAccount;
use rosterd_core::exam_plan::{Digest, MemoryKey};
use rosterd_core::exam_plan::{Hold, IGNORE, RELINK_SUGGESTED, held_digest, with_failure};
use rosterd_core::failure::{RetryPolicy, Service};
use rosterd_core::roster::Mode;
use rosterd_core::roster::RunId;

/// What started a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// `--sync-now`.
    SyncNow,
    Schedule,
    /// The schedule, for a moment that was missed.
    Missed,
    Signal,
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
        }
    }
}

/// Everything that a plan is made with. Nothing in it can change a service.
pub struct Context {
    pub state: StateStore,
    pub roster: RosterDatabase,
    /// The exam side, where it is enabled.
    pub exam: Option<ExamSide>,
    /// ClassIn, where it is enabled.
    pub classin: Option<ClassinSide>,
    /// What a run may do.
    pub mode: Mode,
    /// Fewer students than this is a broken export.
    pub min_roster: u64,
    /// How long the state keeps what is over.
    pub keep: Duration,
    /// How failures are retried.
    pub retry: RetryPolicy,
    pub clock: Clock,
    /// Where to show how far a run is.
    pub progress: Progress,
    /// Cancelled when no new batch is to be sent.
    pub stop: CancellationToken,
    /// The number under which reports and the history show how badly a run ended: a matter of the command line, whose
    /// exit code it is.
    pub exit_code: fn(Severity) -> u8,
    /// What became of the files of watched folders since the last run.
    pub roster_files: Vec<RosterFile>,
    /// What waits for somebody in the watched folders.
    pub folders: Vec<(&'static str, Attention)>,
}

/// What changes the two services, for those that are enabled. Whatever shows a plan is built without it.
pub struct Writers {
    /// Changes the exam account.
    pub exam: Option<ExamWriter>,
    /// Changes the school on ClassIn.
    pub classin: Option<ClassinWriter>,
}

/// The accounts that the settings lead to, as a state database remembers them. No call.
pub struct ConfiguredAccounts {
    /// The exam side's, where it is enabled.
    pub exam: Option<ServiceAccount>,
    pub classin: Option<ServiceAccount>,
}

/// See [`ConfiguredAccounts`].
pub fn configured_accounts(
    exam: Option<&ExamSide>,
    classin: Option<&ClassinSide>,
    key: &MemoryKey,
) -> ConfiguredAccounts {
    ConfiguredAccounts {
        exam: exam.map(|side| side.account(key)),
        classin: classin.map(|side| side.account(key)),
    }
}

/// What a plan would do, for whoever asked for one.
#[derive(Default)]
pub struct Intended {
    /// The exam side's plan.
    pub exam: Option<PlannedExam>,
    pub classin: EnrolmentLines,
}

/// One run.
///
/// # Errors
/// Only when our own database cannot be used: then nothing was sent that is not written down.
pub async fn reconcile(
    context: &Context,
    writers: &Writers,
    trigger: Trigger,
) -> Result<RunReport, StoreError> {
    let (report, _) = reconcile_with_plan(context, writers, trigger).await?;
    Ok(report)
}

/// The same, with the plan that was carried out.
///
/// # Errors
/// As [`reconcile`].
pub async fn reconcile_with_plan(
    context: &Context,
    writers: &Writers,
    trigger: Trigger,
) -> Result<(RunReport, Intended), StoreError> {
    let Writers { exam, classin } = writers;
    pass(context, trigger.as_str(), exam.as_ref(), classin.as_ref()).await
}

/// What a run would do. Nothing is written but the run's own row, and what an approval of its holds would cover.
///
/// # Errors
/// Only when our own database cannot be used.
pub async fn plan(context: &Context) -> Result<(RunReport, Intended), StoreError> {
    pass(context, PLAN, None, None).await
}

/// Gives each service its turn; without a writer a service is read and nothing more. On the heap: a run is a deep one, and
/// whoever waits for it would hold all of it on the stack.
fn pass<'a>(
    context: &'a Context,
    trigger: &'static str,
    exam: Option<&'a ExamWriter>,
    classin: Option<&'a ClassinWriter>,
) -> BoxFuture<'a, Result<(RunReport, Intended), StoreError>> {
    Box::pin(give_turns(context, trigger, exam, classin))
}

async fn give_turns(
    context: &Context,
    trigger: &'static str,
    exam: Option<&ExamWriter>,
    classin: Option<&ClassinWriter>,
) -> Result<(RunReport, Intended), StoreError> {
    let run = begin(context, trigger).await?;
    let id = run.id;
    let turns = async {
        let exam = turn(Service::Exam, exam::sync_exam(context, exam, id)).await;
        (exam, turn(Service::Classin, classin::sync_classin(context, classin, id)).await)
    };
    let span = tracing::debug_span!("run", run.id = id.0, trigger);
    let ((exam, exam_plan), (classin, enrolments)) = turns.instrument(span).await;
    if trigger != PLAN {
        end_failures_of_switched_off(context, [(Service::Exam, &exam), (Service::Classin, &classin)]).await?;
    }
    let report = close(context, run, exam, classin).await?;
    Ok((report, Intended { exam: exam_plan, classin: enrolments }))
}

async fn end_failures_of_switched_off(
    context: &Context,
    services: [(Service, &ServiceReport); 2],
) -> Result<(), StoreError> {
    for (service, _) in services.into_iter().filter(|(_, report)| !report.enabled) {
        context.state.end_failures_of_switched_off(service, context.clock.now_ms()).await?;
    }
    Ok(())
}

/// One service's part of a run, in a span of its own.
async fn turn<P>(service: Service, sync: impl Future<Output = (ServiceReport, P)>) -> (ServiceReport, P) {
    let started = Instant::now();
    let span = tracing::debug_span!("service", peer = service.as_str());
    let (report, plan) = sync.instrument(span.clone()).await;
    if report.enabled {
        let sum = ServiceReport::sum;
        let (planned, applied, failed) = (sum(&report.planned), sum(&report.applied), sum(&report.failed));
        let (held, unknown, skipped) = (sum(&report.held), sum(&report.unknown), sum(&report.skipped));
        let duration_ms = millis(started.elapsed());
        span.in_scope(|| {
            tracing::debug!(
                duration_ms,
                planned,
                applied,
                failed,
                held,
                unknown,
                skipped,
                "service finished"
            );
        });
    }
    (report, plan)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A run, or a plan, that has begun.
struct Begun {
    id: RunId,
    trigger: &'static str,
    started_at_ms: i64,
}

async fn begin(context: &Context, trigger: &'static str) -> Result<Begun, StoreError> {
    let started_at_ms = context.clock.now_ms();
    let start = RunStart { trigger, mode: context.mode.as_str(), at_ms: started_at_ms };
    let id = context.state.begin_run(start).await?;
    tracing::info!(run.id = id.0, trigger, mode = context.mode.as_str(), "run started");
    Ok(Begun { id, trigger, started_at_ms })
}

async fn close(
    context: &Context,
    run: Begun,
    mut exam: ServiceReport,
    mut classin: ServiceReport,
) -> Result<RunReport, StoreError> {
    let Begun { id: run, trigger, started_at_ms } = run;
    for ((service, owner), count) in context.state.open_failures_by_owner().await? {
        let report = match service {
            Service::Exam => &mut exam,
            Service::Classin => &mut classin,
            Service::Roster => continue,
        };
        report.failures_by_who.insert(owner.as_str(), count);
    }
    if trigger != PLAN && (exam.roster_rows.is_some() || classin.roster_rows.is_some()) {
        context.state.remember_read(context.roster.path()).await?;
    }
    let finished_at_ms = context.clock.now_ms();
    let mut severity = exam.severity.max(classin.severity);
    let refused: Vec<String> = refused_files(context);
    if !refused.is_empty() {
        severity = severity.max(Severity::Incomplete);
    }
    if trigger != PLAN && remember_roster_rows(context, [&exam, &classin], finished_at_ms).await? > 0 {
        severity = severity.max(Severity::Incomplete);
    }
    if context.stop.is_cancelled() && severity != Severity::Done {
        severity = Severity::Terminated;
    }
    let exit_code = (context.exit_code)(severity);
    let mut digest = Digest::open("run");
    digest.text(&exam.digest).text(&classin.digest);
    let digest = digest.finish_text();
    name_failures(context, [&mut exam, &mut classin]).await?;
    let Held { held_digest, approve, lines } = remember_holds(
        context,
        [(Service::Exam, &exam), (Service::Classin, &classin)],
        &digest,
        finished_at_ms,
    )
    .await?;
    let mut attention = waiting_attention(&context.state, context.retry.max_delay, finished_at_ms).await?;
    attention.extend(exam.attention.iter().chain(&classin.attention).map(|(kind, it)| (*kind, it.clone())));
    attention.extend(context.folders.iter().cloned());
    let changed = ServiceReport::sum(&exam.applied) + ServiceReport::sum(&classin.applied) > 0;
    let complete = exam.complete;
    let is_good = severity <= Severity::Held && exam.is_good() && classin.is_good();
    let report = RunReport {
        run_id: run.0,
        trigger: trigger.to_owned(),
        mode: context.mode.as_str().to_owned(),
        outcome: outcome(trigger, severity, changed, &exam, &classin),
        started_at: moment(started_at_ms),
        finished_at: moment(finished_at_ms),
        digest: digest.clone(),
        held_digest,
        approve,
        holds: lines,
        attention,
        errors: exam.errors.iter().chain(&classin.errors).cloned().chain(refused).collect(),
        imports: context.roster_files.clone(),
        exam,
        classin,
        exit_code,
        severity,
        is_good,
    };
    let row = RunRow {
        run,
        trigger: report.trigger.clone(),
        mode: report.mode.clone(),
        started_at_ms,
        finished_at_ms: Some(finished_at_ms),
        outcome: Some(report.outcome.as_str().to_owned()),
        exit_code: Some(i64::from(exit_code)),
        is_good,
        report: serde_json::to_string(&report).ok(),
    };
    context.state.finish_run(&row, complete).await?;
    context.state.trim_runs(1000).await?;
    if trigger != PLAN {
        context.state.forget_what_is_over(context.keep, finished_at_ms).await?;
    }
    log_end(&report);
    Ok(report)
}

/// Files that were refused since the last run: it works with an older roster than somebody meant.
fn refused_files(context: &Context) -> Vec<String> {
    let refused = context.roster_files.iter().filter(|file| file.outcome == FileOutcome::Refused);
    refused.map(ToString::to_string).collect()
}

/// What is held about one student names the failure by which it is silenced, where a run has recorded one.
async fn name_failures(context: &Context, reports: [&mut ServiceReport; 2]) -> Result<(), StoreError> {
    let is_unnamed = |text: &String| text.contains(IGNORE);
    if !reports.iter().any(|report| report.holds.iter().any(is_unnamed)) {
        return Ok(());
    }
    let rows = context.state.open_failures().await?;
    for report in reports {
        for hold in &mut report.held_for {
            let mut keys = hold.operations.iter().map(|operation| &operation.key);
            let (first, others) = (keys.next(), keys.next());
            let only = first.filter(|_| others.is_none());
            let row = rows.iter().find(|row| only.is_some_and(|key| row.is_of(key)));
            let named = with_failure(&hold.message, row.map(|row| row.id));
            for text in report.holds.iter_mut().filter(|text| **text == hold.message) {
                text.clone_from(&named);
            }
            hold.message = named;
        }
        report.holds.iter_mut().for_each(|text| *text = with_failure(text, None));
    }
    Ok(())
}

/// What a report says of what is held.
struct Held {
    held_digest: Option<String>,
    approve: Option<String>,
    lines: Vec<HoldLine>,
}

/// Stores what is held, each reason once, and says since when it is.
async fn remember_holds(
    context: &Context,
    services: [(Service, &ServiceReport); 2],
    digest: &str,
    now_ms: i64,
) -> Result<Held, StoreError> {
    let holds: Vec<Hold> = services.iter().flat_map(|(_, report)| report.held_for.iter().cloned()).collect();
    // A service that could not be planned for holds what it held.
    let is_planned = |report: &ServiceReport| !report.enabled || !report.digest.is_empty();
    let planned = services.iter().filter(|(_, report)| is_planned(report));
    let planned: Vec<PlannedService> = planned
        .map(|(service, report)| PlannedService { service: *service, is_complete: report.complete })
        .collect();
    let held_digest = held_digest(&holds);
    let shown: Vec<&str> = [Some(digest), held_digest.as_deref()].into_iter().flatten().collect();
    let since = context.state.remember_holds(&planned, &holds, &shown, now_ms).await?;
    let lines: Vec<HoldLine> =
        holds.iter().zip(since).map(|(hold, since_ms)| HoldLine::found(hold, since_ms)).collect();
    let is_limit = holds.iter().any(|hold| hold.word.is_none());
    let first = lines.iter().find(|line| line.approve == RELINK_SUGGESTED);
    let approve = match (&held_digest, first.or(lines.first())) {
        (_, Some(line)) if line.approve == RELINK_SUGGESTED => Some(line.approve.clone()),
        (Some(digest), _) if is_limit => Some(format!("rosterd approve {digest}")),
        (_, first) => first.map(|hold: &HoldLine| hold.approve.clone()),
    };
    Ok(Held { held_digest, approve, lines })
}

/// Remembers the rows of the roster that cannot be used, once every service has read it. Says how many are new.
async fn remember_roster_rows(
    context: &Context,
    reports: [&ServiceReport; 2],
    now_ms: i64,
) -> Result<u64, StoreError> {
    let mut rows = Vec::new();
    for report in reports.into_iter().filter(|report| report.enabled) {
        match &report.roster_rows {
            Some(read) => rows.extend(read.iter().cloned()),
            None => return Ok(0),
        }
    }
    context.state.record_roster_rows(&rows, now_ms).await
}

/// A plan that found something to do is neither converged nor applied; a run that left something to another mode is not
/// converged.
fn outcome(
    trigger: &str,
    severity: Severity,
    changed: bool,
    exam: &ServiceReport,
    classin: &ServiceReport,
) -> RunOutcome {
    let found = ServiceReport::sum(&exam.planned) + ServiceReport::sum(&classin.planned) > 0;
    let outcome = RunOutcome::of(severity, changed);
    let left_by_mode = exam.left_by_mode + classin.left_by_mode;
    if outcome != RunOutcome::Converged {
        outcome
    } else if trigger == PLAN && found {
        RunOutcome::Planned
    } else if left_by_mode > 0 {
        RunOutcome::Observed
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
