//! ClassIn's part of a run: accounts first, then course by course what the roster wants against what we remember.
//!
//! ClassIn cannot be read back, so our memory is written before each call and after each answer.

mod account;
mod accounts_applied;
mod apply;
mod cause;
mod closed_classes;
mod context;
mod contradiction;
mod courses;
mod enrolments;
mod first_reading;
mod found_anew;
mod full_classes;
mod guard;
mod held_in_vain;
mod history;
mod lessons;
mod living;
mod owners;
mod plan;
mod put_back;
mod recheck;
mod record;
mod register;
mod registration_storm;
mod rename;
mod render;
mod repair;
mod rounds;
mod school;
mod server_errors;
mod service_account;
mod shared;
mod standing;
mod storm;
mod wrong_ids;

use std::time::Duration;

use super::Context;
use super::attention::{LEFT_IN_CLASSES, WAITING_LEAVERS, waiting_leavers};
use super::report::ServiceReport;
use crate::remote::classin::ClassinWriter;
use crate::remote::http::retry_limits::{BEFORE_REPEATING, BEYOND_A_DOUBLE, LONGEST_RETRY_AFTER};
use crate::run::delivery::ServiceStop;
use crate::run::rows_of_nobody::remember_unreadable;
use crate::run::severity::Severity;
use crate::settings::{ClassinSettings, GuardSettings};
use crate::store::{RosterError, StoreError};
use rosterd_core::classin_plan::{
    AccountChange, AccountKind, Approvals, EnrolmentOperation, SAME_PARAMETERS_MS, StaleEnrolments, Subject,
};
use rosterd_core::exam_plan::OperationLine;
use rosterd_core::failure::{HOUR_MS, Service};
use rosterd_core::roster::{Mode, RunId};

use super::in_one_line;
use accounts_applied::AccountsApplied;
use apply::{Applied, MayGoOn};
use context::ClassinApplyContext;
use plan::{ClassinPlan, Registering, plan_classin};
use school::School;
pub use service_account::{
    ConfirmedClassinAccount, SchoolChange, check_classin_account, classin_records_in_doubt,
    confirm_classin_account,
};
use standing::StandingEnrolments;

/// ClassIn: how to reach it and how to treat it.
pub struct ClassinSide {
    /// The transport, for its counters. What changes the school is not here: see [`Writers`](super::Writers).
    pub transport: crate::remote::http::Transport,
    /// `[classin]`
    pub settings: ClassinSettings,
    /// What the state remembers instead of the host, where the address is another one at each start.
    pub account_host: Option<&'static str>,
    /// `[guard]`
    pub guard: GuardSettings,
    /// How long a leaver keeps their classes, in milliseconds.
    pub delete_grace_ms: i64,
    /// Where a day begins, for what is counted by the day.
    pub time_zone: jiff::tz::TimeZone,
    /// How long a run waits before it asks again.
    pub retry_delays: ClassinRetryDelays,
}

/// How long a run waits before it asks ClassIn the same again.
#[derive(Clone, Copy, Debug)]
pub struct ClassinRetryDelays {
    /// Before a call is repeated whose answer was lost, where ClassIn names no time.
    pub before_repeating: Duration,
    /// Before a registration or a joining of the school is repeated: longer than ClassIn takes two for one.
    pub before_registering_again: Duration,
    /// All that a run waits for because ClassIn asks for it.
    pub longest_altogether: Duration,
}

impl Default for ClassinRetryDelays {
    fn default() -> Self {
        Self {
            before_repeating: BEFORE_REPEATING,
            before_registering_again: Duration::from_millis(SAME_PARAMETERS_MS) + BEYOND_A_DOUBLE,
            longest_altogether: LONGEST_RETRY_AFTER,
        }
    }
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
enum ClassinSyncError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Roster(#[from] RosterError),
    /// Uids and classes that are remembered mean something in another school.
    #[error(
        "this is another school than the one that the state belongs to: {host}, or its classin.sid, is not what it was \
         ({remembered}), and {records} enrolments and accounts are on record. ClassIn cannot be read, so nothing \
         proves that they hold here. Nothing was sent. Check classin.base_url and classin.sid. For another school use \
         another state database (state.database), or give this one to it: where only address or SID of the same school \
         changed, with `rosterd account confirm classin --same-school`, which keeps the records; where the school is \
         another one, with `rosterd account confirm classin --other-school`, which gives them up"
    )]
    AnotherAccount { remembered: String, host: String, records: u64 },
}

impl ClassinSyncError {
    fn severity(&self) -> Severity {
        match self {
            Self::AnotherAccount { .. } => Severity::Configuration,
            Self::Store(error) => Severity::of_store_error(error),
            Self::Roster(error) => Severity::of_roster_error(error),
        }
    }
}

/// ClassIn's turn. Never an `Err`: what goes wrong stands in the report.
///
/// Without a writer the plan is only shown.
pub(super) async fn sync_classin(
    context: &Context,
    writer: Option<&ClassinWriter>,
    run: RunId,
) -> (ServiceReport, EnrolmentLines) {
    let Some(side) = &context.classin else { return (ServiceReport::default(), EnrolmentLines::default()) };
    let mut report = ServiceReport::enabled();
    side.transport.reset();
    let lines = match pass(context, side, writer, run, &mut report).await {
        Ok(lines) => lines,
        Err(error) => {
            if let ClassinSyncError::Roster(_) = &error {
                report.roster_unread = Some(in_one_line(&error));
            }
            report.fail(error.severity(), format!("classin: {}", in_one_line(&error)));
            EnrolmentLines::default()
        }
    };
    report.take_calls(&side.transport.take_calls());
    report.doubt_credentials(Service::Classin, &side.transport);
    report.close();
    (report, lines)
}

/// What a run would do now, without a call and without anything written.
///
/// # Errors
/// A sentence, when the roster or our own database cannot be read.
pub async fn preview_classin(context: &Context, side: &ClassinSide) -> Result<EnrolmentLines, String> {
    let looked = async {
        let mut plan = plan_classin(context, side, Registering::ToDo, StaleEnrolments::none()).await?;
        guard::hold_excess(context, side, &mut plan).await?;
        Ok::<_, ClassinSyncError>(render::of(&plan))
    };
    looked.await.map_err(|error| in_one_line(&error))
}

async fn pass(
    context: &Context,
    side: &ClassinSide,
    writer: Option<&ClassinWriter>,
    run: RunId,
    report: &mut ServiceReport,
) -> Result<EnrolmentLines, ClassinSyncError> {
    context.roster.require_at_least(context.min_roster).await?;
    if writer.is_some() && context.exam.is_none() {
        // Else the exam side's turn has done it.
        mend_moments(context, side).await?;
    }
    let may_take = writer.is_some() && context.mode != Mode::Observe;
    let (state, now_ms) = (&context.state, context.clock.now_ms());
    report.notes.extend(service_account::require_own_account(state, side, may_take, now_ms).await?);
    let stale = if writer.is_none() {
        StaleEnrolments::none()
    } else {
        recheck::within_budget(context, side).await?
    };
    let mut plan = plan_classin(context, side, Registering::ToDo, stale).await?;
    report.observed = context.state.count_enrolments().await?;
    report.not_mirrored = plan.not_mirrored;
    report.leavers_waiting = plan.leavers_waiting;
    report.problems.extend(plan.problems.iter().map(ToString::to_string));
    report.roster_rows = Some(plan.roster_rows.clone());
    let approved = guard::hold_excess(context, side, &mut plan).await?;
    let waiting = guard::waiting_unheld(&plan);
    if waiting > 0 && context.exam.is_none() {
        // Else the exam side's turn tells it: they are largely the same people.
        let attention = waiting_leavers(waiting, plan.leavers_waiting_since_ms);
        report.attention.insert(WAITING_LEAVERS, attention);
    }
    if let Some(attention) = guard::left_by_mode(&plan) {
        // Leavers of the exam side have a line of their own.
        let kind = if context.exam.is_none() { "leavers" } else { LEFT_IN_CLASSES };
        report.attention.insert(kind, attention);
    }
    plan.standing = StandingEnrolments::before(context).await?.of(&plan);
    let lines = render::of(&plan);
    report.digest.clone_from(&lines.digest);
    report.least_calls = render::least_calls(&plan, side.settings.batch_size);
    report.complete = true;
    guard::describe_holds(&plan, report);
    let Some(writer) = writer else {
        count_unapplied(&plan, report);
        return Ok(lines);
    };
    let key = context.state.memory_key().await?;
    let terms = ClassinApplyContext { context, side, writer, run, token_key: &key };
    apply_all(terms, plan, approved, report).await?;
    Ok(lines)
}

/// What a clock that was ahead has put off for too long is due now, and what it has noted counts from now on.
async fn mend_moments(context: &Context, side: &ClassinSide) -> Result<(), StoreError> {
    const A_DAY_MS: i64 = 24 * HOUR_MS;
    let longest = context.retry.max_delay.max(context.retry.first_delay);
    let longest_ms = i64::try_from(longest.as_millis()).unwrap_or(i64::MAX).max(HOUR_MS);
    let now_ms = context.clock.now_ms();
    // No group is looked up without an exam side.
    context.state.mend_moments(now_ms, longest_ms, i64::MAX).await?;
    let longest_approval_ms = A_DAY_MS.saturating_add(side.delete_grace_ms);
    context.state.mend_looked_back(now_ms, A_DAY_MS, longest_approval_ms).await
}

/// Accounts, classes, names, and the nightly check, in this order.
async fn apply_all(
    terms: ClassinApplyContext<'_>,
    mut plan: ClassinPlan,
    mut approved: Approvals,
    report: &mut ServiceReport,
) -> Result<(), ClassinSyncError> {
    let ClassinApplyContext { context, run, .. } = terms;
    let school = School::new(terms);
    let registered = accounts_first(terms, &school, &mut plan, &mut approved, report).await?;
    if let Err(error) = lessons_first(terms, &mut plan, &mut approved, report).await {
        count_accounts(terms, &plan, &registered, &AccountsApplied::default(), report);
        count_enrolments_unapplied(&plan, report);
        return Err(error);
    }
    let now_ms = context.clock.now_ms();
    let recorded = match context.state.record_enrolments(&plan.changes, run, now_ms).await {
        Ok(()) => put_back::end_where_unwanted(context, &plan).await,
        Err(error) => Err(error),
    };
    if let Err(error) = recorded {
        count_accounts(terms, &plan, &registered, &AccountsApplied::default(), report);
        count_enrolments_unapplied(&plan, report);
        return Err(error.into());
    }
    let stopped = registered.stopped().cloned();
    let applied = Box::pin(enrol(terms, &school, (&plan, &approved), stopped, report)).await;
    let (mut anew, mut put_back) = (None, Vec::new());
    let applied = applied.map(|enrolled| {
        (anew, put_back) = (enrolled.anew, enrolled.put_back);
        enrolled.may_go_on
    });
    let renamed = match applied {
        Ok(MayGoOn::Yes) => {
            rename::run(terms, &school, (&plan.accounts, &approved)).await.map_err(Into::into)
        }
        Ok(MayGoOn::No) => Ok(AccountsApplied::default()),
        Err(error) => Err(error),
    };
    let renamed = match renamed {
        Ok(renamed) => renamed,
        Err(error) => {
            count_accounts(terms, &plan, &registered, &AccountsApplied::default(), report);
            return Err(error);
        }
    };
    count_accounts(terms, &plan, &registered, &renamed, report);
    let is_stopped = registered.stopped().is_some() || renamed.stopped().is_some();
    let may_go_on = !is_stopped && report.severity != Severity::Temporary;
    let was_accepted = terms.side.transport.was_accepted();
    AccountsApplied::describe([registered, renamed], was_accepted, report);
    let mut accounts = plan.accounts.operations.clone();
    plan.operations.extend(put_back);
    if let Some(anew) = anew {
        plan.operations.extend(anew.operations);
        accounts.extend(anew.accounts.operations);
    }
    record::close_superseded(context, &plan.operations, &accounts, now_ms).await?;
    record::end_unwanted_approvals(context, &plan).await?;
    if may_go_on {
        recheck::run(terms, plan.stale, (&plan.standing, &plan.codes), report).await
    } else {
        Ok(())
    }
}

/// How the enrolments of a run ended.
struct Enrolled {
    may_go_on: MayGoOn,
    /// What was done for those whose account was found anew.
    anew: Option<ClassinPlan>,
    /// Adds of those who were put back into a course.
    put_back: Vec<EnrolmentOperation>,
}

/// Carries the enrolments out, and those of whom ClassIn does not know the account any more by a new one.
async fn enrol(
    terms: ClassinApplyContext<'_>,
    school: &School<'_>,
    plan: (&ClassinPlan, &Approvals),
    stopped: Option<ServiceStop>,
    report: &mut ServiceReport,
) -> Result<Enrolled, ClassinSyncError> {
    let applied = apply::run(terms, school, plan, stopped, report).await?;
    let Applied { may_go_on, without_account, put_back } = applied;
    if may_go_on == MayGoOn::No {
        return Ok(Enrolled { may_go_on, anew: None, put_back });
    }
    let (anew, may_go_on) = found_anew::run(terms, school, (plan.0, &without_account), report).await?;
    Ok(Enrolled { may_go_on, anew, put_back })
}

/// Registers whoever has no account, and then plans the classes anew.
async fn accounts_first(
    terms: ClassinApplyContext<'_>,
    school: &School<'_>,
    plan: &mut ClassinPlan,
    approved: &mut Approvals,
    report: &mut ServiceReport,
) -> Result<AccountsApplied, ClassinSyncError> {
    if let Err(error) = begin(terms, plan).await {
        count_unapplied(plan, report);
        return Err(error.into());
    }
    if plan.accounts.applications.is_empty() {
        return Ok(AccountsApplied::default());
    }
    let registered = match register::run(terms, school, &plan.accounts).await {
        Ok(registered) => registered,
        Err(error) => {
            count_unapplied(plan, report);
            return Err(error.into());
        }
    };
    // Whoever has an account now is enrolled in this very run; siblings may turn out to share one.
    match replan(terms, plan, report).await {
        Ok(anew) => *approved = anew,
        Err(error) => {
            count_accounts(terms, plan, &registered, &AccountsApplied::default(), report);
            count_enrolments_unapplied(plan, report);
            return Err(error);
        }
    }
    Ok(registered)
}

/// Learns which classes take changes still, where no row names them or the guard has to know, and then plans the classes
/// anew.
async fn lessons_first(
    terms: ClassinApplyContext<'_>,
    plan: &mut ClassinPlan,
    approved: &mut Approvals,
    report: &mut ServiceReport,
) -> Result<(), ClassinSyncError> {
    if !plan.questions.is_empty() && lessons::ask(terms, plan, report).await? {
        *approved = replan(terms, plan, report).await?;
    }
    // What was learnt of lessons may have changed what is to be asked of the others.
    if plan.living.next_question().is_some() && living::ask(terms, plan, report).await? {
        *approved = replan(terms, plan, report).await?;
    }
    Ok(())
}

/// Bookkeeping about accounts that needs no call, and what is impossible until the roster changes.
async fn begin(terms: ClassinApplyContext<'_>, plan: &ClassinPlan) -> Result<(), StoreError> {
    let ClassinApplyContext { context, run, .. } = terms;
    record::store_apart(context, plan).await?;
    remember_unreadable(context, plan.unreadable_since_ms).await?;
    plan.class_rows_since.remember(context).await?;
    let now_ms = context.clock.now_ms();
    let changes: &[AccountChange] = &plan.accounts.changes;
    context.state.record_accounts(changes, run, now_ms).await?;
    shared::remember_approved(context).await?;
    plan.standing.record(context, &plan.decided, run, now_ms).await?;
    lessons::remember(context, &plan.asked).await?;
    if context.state.roster_class_ids().await? != plan.class_ids {
        context.state.remember_roster_class_ids(&plan.class_ids).await?;
    }
    if context.state.class_names().await? != plan.names {
        context.state.remember_class_names(&plan.names).await?;
    }
    record::impossible(terms, plan).await
}

/// Plans the classes anew, now that accounts have been registered. What was planned about accounts stays.
async fn replan(
    terms: ClassinApplyContext<'_>,
    plan: &mut ClassinPlan,
    report: &mut ServiceReport,
) -> Result<Approvals, ClassinSyncError> {
    let ClassinApplyContext { context, side, run, .. } = terms;
    let stale = std::mem::take(&mut plan.stale);
    let anew = plan_classin(context, side, Registering::Done, stale.anew()).await?;
    let accounts = std::mem::take(&mut plan.accounts);
    let standing = std::mem::take(&mut plan.standing);
    *plan = ClassinPlan { accounts, ..anew };
    let approved = guard::hold_excess(context, side, plan).await?;
    plan.standing = standing.of(plan);
    plan.standing.record(context, &plan.decided, run, context.clock.now_ms()).await?;
    report.holds.clear();
    guard::describe_holds(plan, report);
    Ok(approved)
}

fn count_unapplied(plan: &ClassinPlan, report: &mut ServiceReport) {
    for operation in &plan.accounts.operations {
        let (subject, state) = (Subject::from(operation), &operation.state);
        report.held_as_before += u64::from(plan.standing.is_known_hold(subject.clone(), state));
        report.count(operation.kind.as_str(), &plan.standing.outcome_without_call(subject, state, false));
    }
    count_enrolments_unapplied(plan, report);
}

fn count_enrolments_unapplied(plan: &ClassinPlan, report: &mut ServiceReport) {
    for operation in &plan.operations {
        let (subject, state) = (Subject::from(operation), &operation.state);
        report.held_as_before += u64::from(plan.standing.is_known_hold(subject, state));
        report.count(operation.kind.as_str(), &plan.standing.outcome_of(operation, false));
    }
}

fn count_accounts(
    terms: ClassinApplyContext<'_>,
    plan: &ClassinPlan,
    registered: &AccountsApplied,
    renamed: &AccountsApplied,
    report: &mut ServiceReport,
) {
    let is_stopping = terms.context.stop.is_cancelled();
    for (at, operation) in plan.accounts.operations.iter().enumerate() {
        let applied = match operation.kind {
            AccountKind::Register => registered,
            AccountKind::Rename => renamed,
        };
        let (subject, state) = (Subject::from(operation), &operation.state);
        let is_known_hold = plan.standing.is_known_hold(subject.clone(), state);
        let outcome = applied.outcome(at).cloned();
        let outcome =
            outcome.unwrap_or_else(|| plan.standing.outcome_without_call(subject, state, is_stopping));
        report.count(operation.kind.as_str(), &outcome);
        if is_known_hold {
            report.held_as_before += 1;
        } else {
            report.worsen(Severity::of_outcome(&outcome));
        }
    }
}
