//! The exam side's part of a run: list, survey, look up, plan, guard, apply, record.

mod account_confirmation;
mod alike_ids;
mod apply;
mod apply_context;
mod apply_state;
mod approvals;
mod build_call;
mod decided;
mod delivery;
mod describe;
mod diff;
mod emptied_fields;
mod field_mapping;
mod first_look;
mod group_checks;
mod group_creation;
mod group_of_leavers;
mod last_members;
mod leavers;
mod listing;
mod lookup;
mod lost_deletes;
mod moments;
mod one_candidate;
mod partial_update;
mod policy;
mod proof;
mod read_back;
mod recall;
mod record;
mod refused_by_service;
mod refused_groups;
mod renamed_candidates;
mod second_writes;
mod service_account;
mod service_forms;
mod session;
mod standing;
mod storm;
mod temporary_logins;
mod turns;
mod twin_links;
mod unanswered_adds;
mod unapplied;
mod witnesses;
mod write_call;

pub use group_of_leavers::living_group_of_leavers;
pub use leavers::exam_account_is_shared;
pub use session::ExamRetryDelays;

pub use account_confirmation::{ConfirmedExamAccount, EmptyAccount, confirm_exam_account};
use apply_context::ApplyContext;
use approvals::WantedBefore;
use decided::{Decided, decide_by_one_file};
pub use emptied_fields::{EmptiedFields, emptied_fields};
pub use field_mapping::{
    ExamCheck, PasswordColumns, UncomparedColumn, check_exam_fields, login_column, password_columns,
    remembered_mapping, uncompared_columns, uncompared_columns_of,
};
use field_mapping::{FieldMemory, ResolveError};
pub use first_look::{AccountLook, ColumnFit, fit_columns, groups_of_some, look_at_account};
use group_creation::create_groups;
pub use one_candidate::{CandidatePresence, candidate_presence};
pub(super) use policy::leavers_group;
pub use service_account::{AccountError, check_exam_account};
pub(in crate::run) use service_account::{AccountQuestion, MayTake, require_own_account};
use session::ExamSession;
use standing::StandingOperations;
use unanswered_adds::Settling;
use unapplied::{count_operations_unapplied, count_unapplied, show};
use witnesses::Witness;

use super::delivery::Broken;
use super::report::ServiceReport;
use super::rows_of_nobody::remember_unreadable;
use super::severity::Severity;
use super::{Context, in_one_line};
use crate::remote::exam::{ExamError, ExamReader, ExamWriter};
use crate::settings::{ExamSettings, GuardSettings};
use crate::store::{RosterError, StoreError};
use rosterd_core::exam_plan::{
    Flaw, GuardedPlan, LinkNote, Listing, ListingCertificate, LookupResults, Mapping, MemoryKey, Observed,
};
use rosterd_core::failure::Service;
use rosterd_core::roster::{LoginValue, Mode, RunId};

/// The exam side: how to reach it and how to treat it.
pub struct ExamSide {
    /// What reads it. What changes it is not here: see [`Writers`](super::Writers).
    pub reader: ExamReader,
    /// `[exam]`
    pub settings: ExamSettings,
    /// What the state remembers instead of the host, where the address is another one at each start.
    pub account_host: Option<&'static str>,
    /// `[guard]`
    pub guard: GuardSettings,
    /// Whether a plan is to list the candidates that are not ours.
    pub keep_unmanaged: bool,
    /// How long it waits before it tries something again.
    pub retry_delays: ExamRetryDelays,
}

/// A plan that was made and not applied, or that was applied.
pub struct PlannedExam {
    pub plan: GuardedPlan,
    /// Login values of the candidates that are not ours, where they were asked for.
    pub unmanaged: Option<Vec<String>>,
}

/// Why the exam side's part of a run ends early.
#[derive(Debug, thiserror::Error)]
pub enum ExamSyncError {
    /// Our own database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The roster cannot be read.
    #[error(transparent)]
    Roster(#[from] RosterError),
    /// A call failed for good.
    #[error(transparent)]
    Exam(#[from] ExamError),
    /// The mapping does not fit the account.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// It is not certain that the account is the one that the state belongs to.
    #[error(transparent)]
    Account(AccountError),
    /// Nobody is listed although candidates are linked.
    #[error(
        "the listing is empty although {links} candidates are known: nothing was changed; check exam.code and exam.base_url, and where the account was emptied on purpose run `rosterd account confirm exam --empty`"
    )]
    EmptyListing {
        /// How many are linked.
        links: u64,
    },
    /// The run was told to stop.
    #[error("the run was told to stop while it was reading: nothing was changed")]
    Stopped,
}

impl ExamSyncError {
    /// What it means for how a run ends.
    pub fn severity(&self) -> Severity {
        match self {
            Self::Store(error) => Severity::of_store_error(error),
            Self::EmptyListing { .. } => Severity::Failed,
            Self::Roster(error) => Severity::of_roster_error(error),
            Self::Exam(error) => Severity::of_exam_error(error),
            Self::Account(
                AccountError::NotTold
                | AccountError::Contradicted
                | AccountError::Untold { .. }
                | AccountError::DoubtfulListing { .. },
            ) => Severity::Temporary,
            Self::Account(AccountError::Emptied { .. }) => Severity::Failed,
            Self::Resolve(_)
            | Self::Account(
                AccountError::Another { .. }
                | AccountError::Strangers { .. }
                | AccountError::MostlyStrangers { .. },
            ) => Severity::Configuration,
            Self::Stopped => Severity::Terminated,
        }
    }
}

impl From<Broken> for ExamSyncError {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Store(error) => Self::Store(error),
            Broken::Roster(error) => Self::Roster(error),
        }
    }
}

/// The exam side's turn. Never an `Err`: what goes wrong stands in the report, and ClassIn has its turn.
///
/// Without a writer the plan is only shown.
pub(super) async fn sync_exam(
    context: &Context,
    writer: Option<&ExamWriter>,
    run: RunId,
) -> (ServiceReport, Option<PlannedExam>) {
    let Some(side) = &context.exam else { return (ServiceReport::default(), None) };
    let mut report = ServiceReport::enabled();
    side.reader.transport().reset();
    let planned = match pass(context, side, writer, run, &mut report).await {
        Ok(planned) => Some(planned),
        Err(error) => {
            if let ExamSyncError::Roster(_) = &error {
                report.roster_unread = Some(in_one_line(&error));
            }
            report.fail(error.severity(), format!("exam: {}", in_one_line(&error)));
            None
        }
    };
    report.take_calls(&side.reader.transport().take_calls());
    report.doubt_credentials(Service::Exam, side.reader.transport());
    report.close();
    (report, planned)
}

/// What was read of the exam side, and what is needed to compare it with the roster.
struct Reading {
    fields: field_mapping::ResolvedFields,
    mapping: Mapping,
    observed: Observed,
    believed: Result<ListingCertificate, Flaw>,
    /// Login values, where somebody asked to see whose candidates are not ours.
    names: Vec<LoginValue>,
    key: MemoryKey,
    witnesses: Vec<Witness>,
}

/// The recipe.
async fn pass(
    context: &Context,
    side: &ExamSide,
    writer: Option<&ExamWriter>,
    run: RunId,
    report: &mut ServiceReport,
) -> Result<PlannedExam, ExamSyncError> {
    context.roster.require_at_least(context.min_roster).await?;
    if writer.is_some() {
        approvals::end_of_returned(context).await?;
    }
    let account = require_own_account(account_question(context, side, writer)).await?;
    report.notes.extend(account.said.clone());
    if writer.is_some() {
        moments::mend_moments(context, side).await?;
    }
    let (state, is_anothers) = (&context.state, account.fields_are_anothers);
    let memory = FieldMemory { state, keeps: writer.is_some(), is_anothers };
    let reading = unless_stopped(context, read(context, side, memory, report)).await?;
    account.accepted(&context.state, context.clock.now_ms()).await?;
    if writer.is_some() {
        moments::mend_looked_back(context, side).await?;
    }
    let settling = match writer {
        None => Settling::Shown,
        Some(_) => {
            twin_links::settle(context, &reading).await?;
            Settling::Linked
        }
    };
    let own_session = session(context, side, &reading);
    let open_adds =
        unanswered_adds::unanswered_adds(context, &own_session, (run, settling), &reading).await?;
    // On the heap, like what follows: a run is a deep one.
    let decided = Box::pin(decide_by_one_file(context, side, &reading, open_adds, report)).await;
    let are_strangers = matches!(
        &decided,
        Err(ExamSyncError::Account(AccountError::Strangers { .. } | AccountError::MostlyStrangers { .. }))
    );
    if are_strangers && writer.is_some() {
        service_account::remember_strangers(&context.state).await?;
    }
    let mut decided = decided?;
    let unpacked = std::mem::take(&mut decided.unpacked);
    let planned = match writer {
        None => show(context, side, reading, decided, report).await?,
        Some(writer) => Box::pin(apply_plan(context, side, writer, run, &reading, decided, report)).await?,
    };
    if writer.is_some() && ServiceReport::sum(&report.applied) == 0 {
        // It only spares the next run some reading: what hinders it is no trouble of this one.
        if let Err(error) = context.state.pack_links(&unpacked).await {
            tracing::warn!("links are not packed for the next run: {}", in_one_line(&error));
        }
    }
    let uncompared = uncompared_columns(&side.settings, &context.state).await?;
    report.notes.extend(uncompared.iter().map(ToString::to_string));
    let emptied = emptied_fields(&context.state, context.clock.now_ms()).await?;
    report.notes.extend(emptied.iter().map(ToString::to_string));
    Ok(planned)
}

/// Groups first, then everything that waits for none of them, and for those that were created.
async fn apply_plan(
    context: &Context,
    side: &ExamSide,
    writer: &ExamWriter,
    run: RunId,
    reading: &Reading,
    decided: Decided,
    report: &mut ServiceReport,
) -> Result<PlannedExam, ExamSyncError> {
    let Decided {
        plan,
        mut approved,
        notes,
        lookups,
        open_failures,
        groups,
        unlisted,
        unreadable_since_ms,
        roster_groups,
        sharing,
        to_remember,
        unpacked: _,
    } = decided;
    let now_ms = context.clock.now_ms();
    let remembered = async {
        lost_deletes::settle_deletes(context, run, &approved, (&notes, &lookups, &plan), report).await?;
        leavers::remember_sharing(context, sharing).await?;
        context.state.remember_roster_groups(&roster_groups, now_ms).await?;
        if plan.doubt.is_none() {
            let pairs = (&plan.asked, &plan.answered);
            context.state.remember_asked_pairs(pairs, &plan.paired, now_ms).await?;
        }
        remember(context, side, (&plan, &notes), &lookups, now_ms).await?;
        if plan.doubt.is_none() {
            // Who has left by now is noted.
            context.state.remember_wanted_logins(&plan.wanted_logins, now_ms).await?;
        }
        to_remember.remember(context, &plan).await?;
        if plan.empties_unnamed {
            partial_update::remember_emptying(&context.state).await?;
        }
        listing::remember(context, reading, unlisted.as_ref(), now_ms).await?;
        remember_unreadable(context, unreadable_since_ms).await?;
        group_creation::remember(context, side, run, &groups, report).await
    };
    if let Err(error) = remembered.await {
        count_unapplied(&plan, report);
        return Err(error.into());
    }
    let Reading { mapping, key, observed, witnesses, .. } = reading;
    let created = match create_groups(context, writer, run, &plan.creations, &approved, report).await {
        Ok(created) => created,
        Err(error) => {
            count_operations_unapplied(&plan, report);
            return Err(error);
        }
    };
    let before = WantedBefore::of(&plan);
    let plan = plan.with_created_groups(&created, key, &open_failures);
    let settled = async {
        before.carry(context, &plan, &mut approved).await?;
        before.end_unwanted(context, &plan).await?;
        StandingOperations::recorded(context, &plan, run, now_ms).await
    };
    let standing = match settled.await {
        Ok(standing) => standing,
        Err(error) => {
            count_operations_unapplied(&plan, report);
            return Err(error.into());
        }
    };
    let (plan_to_apply, approved, standing) = (&plan, &approved, &standing);
    let run_context = context;
    let apply_context = ApplyContext {
        run_context,
        side,
        writer,
        run,
        plan: plan_to_apply,
        lookups: &lookups,
        approved,
        standing,
        mapping,
        observed,
        witnesses,
        key,
    };
    apply::run(apply_context, report).await?;
    if report.complete {
        record::close_superseded(context, (&plan, &lookups.open_adds), run, now_ms).await?;
    }
    Ok(PlannedExam { plan, unmanaged: None })
}

/// A state without links takes an account for its own in the first run that may write there.
fn account_question<'a>(
    context: &'a Context,
    side: &'a ExamSide,
    writer: Option<&ExamWriter>,
) -> AccountQuestion<'a> {
    let may = match (writer, context.mode) {
        (None, _) => MayTake::Nothing,
        (Some(_), Mode::Observe) => MayTake::Proved,
        (Some(_), Mode::CreateOnly | Mode::Upsert | Mode::Sync) => MayTake::First,
    };
    let Context { state, stop, clock, .. } = context;
    AccountQuestion { state, side, stop, now_ms: clock.now_ms(), may }
}

/// Reads on until the run is told to stop: nothing is lost by dropping what was only read.
async fn unless_stopped<T>(
    context: &Context,
    reading: impl Future<Output = Result<T, ExamSyncError>>,
) -> Result<T, ExamSyncError> {
    context.stop.run_until_cancelled(reading).await.unwrap_or(Err(ExamSyncError::Stopped))
}

/// Lists the account and finds out what its fields mean.
async fn read(
    context: &Context,
    side: &ExamSide,
    memory: FieldMemory<'_>,
    report: &mut ServiceReport,
) -> Result<Reading, ExamSyncError> {
    let key = context.state.planner_key().await?;
    let mut names = Vec::new();
    let (fields, listing) = field_mapping::list(context, side, memory, &mut names, report).await?;
    let (observed, believed) = match listing {
        Listing::Complete(observed, proof) => (observed, Ok(proof)),
        Listing::Doubtful(observed, flaw) => (observed, Err(flaw)),
    };
    report.observed = u64::try_from(observed.len()).unwrap_or(u64::MAX).saturating_add(observed.nameless());
    let links = context.state.count_links().await?;
    if observed.is_empty() && links > 0 {
        return Err(ExamSyncError::EmptyListing { links });
    }
    let (mapping, warning) = field_mapping::mapping(side, memory, &fields, &observed).await?;
    if let Some(warning) = warning {
        tracing::warn!("{warning}");
        report.notes.push(warning);
    }
    let witnesses = witnesses::linked(&context.state, &observed).await?;
    Ok(Reading { fields, mapping, observed, believed, names, key, witnesses })
}

fn session<'a>(context: &'a Context, side: &'a ExamSide, reading: &'a Reading) -> ExamSession<'a> {
    let Reading { mapping, observed, witnesses, .. } = reading;
    let (login_field, observed) = (mapping.login_field(), Some(observed));
    ExamSession { side, login_field, observed, witnesses, stop: &context.stop }
}

/// What the reading alone brought, written down before anything is sent.
async fn remember(
    context: &Context,
    side: &ExamSide,
    (plan, notes): (&GuardedPlan, &[LinkNote]),
    lookups: &LookupResults,
    now_ms: i64,
) -> Result<(), StoreError> {
    context.state.apply_notes(notes, now_ms).await?;
    group_checks::remember_groups(context, side, (plan, notes), lookups).await?;
    let span_ms = i64::try_from(side.settings.verify_groups.as_millis()).unwrap_or(i64::MAX);
    context.state.bring_group_checks_forward(now_ms, span_ms).await
}
