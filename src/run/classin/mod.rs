//! ClassIn's part of a run: accounts first, then class by class what the roster wants against what we remember.
//!
//! ClassIn cannot be read back, so our memory is written before each call and after each answer.

mod account;
mod apply;
mod ends;
mod gather;
mod guard;
mod lines;
mod memory;
mod record;
mod register;
mod rename;
mod repair;
mod school;
mod send;
mod verify;

use std::time::Duration;

use super::report::StageReport;
use super::{Context, Trigger};
use crate::exit::Exit;
use crate::remote::classin::ClassinClient;
use crate::settings::{ClassinSettings, GuardSettings};
use crate::store::{AccountChange, RosterError, StoreError};
use rosterd_core::classin_plan::SAME_PARAMETERS_MS;
use rosterd_core::exam_plan::OperationLine;
use rosterd_core::roster::RunId;

use super::exam::{in_one_line, roster_exit};
use account::{AccountKind, AccountOperation};
use apply::MayGoOn;
use ends::{End, end_without_call};
use gather::{Gathered, Registering, gather};
use guard::Approvals;
use record::Subject;
use register::Registered;
use rename::Renamed;
use school::School;
use send::Terms;
use verify::Oldest;

/// ClassIn: how to reach it and how to treat it.
pub struct ClassinSide {
    /// The client.
    pub client: ClassinClient,
    /// The transport it uses, for its counters.
    pub transport: crate::remote::http::Transport,
    /// `[classin]`
    pub settings: ClassinSettings,
    /// `[guard]`
    pub guard: GuardSettings,
    /// How long a leaver keeps their classes, in milliseconds.
    pub delete_grace_ms: i64,
    /// Where a day begins, for what is counted by the day.
    pub time_zone: jiff::tz::TimeZone,
    /// How long a run waits before it asks again.
    pub patience: Patience,
}

/// How long a run waits before it asks ClassIn the same again.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Before a call is repeated whose answer was lost, where ClassIn names no time.
    pub before_repeating: Duration,
    /// Before a registration or a joining of the school is repeated: longer than ClassIn takes two for one.
    pub before_registering_again: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            before_repeating: Duration::from_millis(300),
            before_registering_again: Duration::from_millis(SAME_PARAMETERS_MS + 500),
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

/// What a run would do now, without a call and without anything written.
///
/// # Errors
/// A sentence, when the roster or our own database cannot be read.
pub async fn preview_classin(context: &Context, side: &ClassinSide) -> Result<EnrolmentLines, String> {
    let looked = async {
        let mut gathered = gather(context, side, Registering::ToDo, Oldest::none()).await?;
        let observed = context.state.count_enrolments().await?;
        guard::divide(context, side, &mut gathered, observed).await?;
        Ok::<_, StageError>(lines::of(&gathered))
    };
    looked.await.map_err(|error| in_one_line(&error))
}

async fn pass(
    context: &Context,
    side: &ClassinSide,
    run: RunId,
    trigger: Trigger,
    report: &mut StageReport,
) -> Result<EnrolmentLines, StageError> {
    context.roster.require_students(context.min_roster).await?;
    let oldest =
        if trigger == Trigger::Plan { Oldest::none() } else { Oldest::within_budget(context, side).await? };
    let mut gathered = gather(context, side, Registering::ToDo, oldest).await?;
    report.observed = context.state.count_enrolments().await?;
    report.not_mirrored = gathered.not_mirrored;
    report.leavers_waiting = gathered.leavers_waiting;
    report.problems.extend(gathered.problems.iter().map(ToString::to_string));
    let approved = guard::divide(context, side, &mut gathered, report.observed).await?;
    let lines = lines::of(&gathered);
    report.digest.clone_from(&lines.digest);
    report.least_calls = lines::least_calls(&gathered, side.settings.batch_size);
    report.complete = true;
    guard::describe_holds(&gathered, report);
    if trigger == Trigger::Plan {
        count_unapplied(&gathered, report);
        return Ok(lines);
    }
    let key = context.state.memory_key().await?;
    let terms = Terms { context, side, run, token_key: &key };
    do_it(terms, gathered, approved, report).await?;
    Ok(lines)
}

/// Accounts, classes, names, and the nightly check, in this order.
async fn do_it(
    terms: Terms<'_>,
    mut gathered: Gathered,
    mut approved: Approvals,
    report: &mut StageReport,
) -> Result<(), StageError> {
    let Terms { context, run, .. } = terms;
    let school = School::new(terms);
    let registered = accounts_first(terms, &school, &mut gathered, &mut approved, report).await?;
    let now_ms = context.clock.now_ms();
    if let Err(error) = context.state.record_enrolments(&gathered.changes, run, now_ms).await {
        count_accounts(terms, &gathered, &registered, &Renamed::default(), report);
        count_enrolments_unapplied(&gathered, report);
        return Err(error.into());
    }
    let applied = apply::run(terms, &school, &gathered, &approved, registered.stopped.clone(), report).await;
    let renamed = match applied {
        Ok(MayGoOn::Yes) => rename::run(terms, &school, &gathered.accounts).await,
        Ok(MayGoOn::No) => Ok(Renamed::default()),
        Err(error) => Err(error),
    };
    let renamed = match renamed {
        Ok(renamed) => renamed,
        Err(error) => {
            count_accounts(terms, &gathered, &registered, &Renamed::default(), report);
            return Err(error);
        }
    };
    count_accounts(terms, &gathered, &registered, &renamed, report);
    use_up(terms, &gathered, &renamed).await?;
    let may_go_on =
        registered.stopped.is_none() && renamed.stopped.is_none() && report.exit != Exit::Temporary;
    describe(registered, renamed, report);
    let accounts = &gathered.accounts.operations;
    record::close_superseded(context, &gathered.operations, accounts, now_ms).await?;
    if may_go_on { verify::run(terms, gathered.oldest, report).await } else { Ok(()) }
}

/// Registers whoever has no account, and then plans the classes anew.
async fn accounts_first(
    terms: Terms<'_>,
    school: &School<'_>,
    gathered: &mut Gathered,
    approved: &mut Approvals,
    report: &mut StageReport,
) -> Result<Registered, StageError> {
    if let Err(error) = begin(terms, gathered).await {
        count_unapplied(gathered, report);
        return Err(error.into());
    }
    if gathered.accounts.applications.is_empty() {
        return Ok(Registered::default());
    }
    let registered = match register::run(terms, school, &gathered.accounts).await {
        Ok(registered) => registered,
        Err(error) => {
            count_unapplied(gathered, report);
            return Err(error.into());
        }
    };
    // Whoever has an account now is enrolled in this very run; siblings may turn out to share one.
    match again(terms, gathered, report).await {
        Ok(anew) => *approved = anew,
        Err(error) => {
            count_accounts(terms, gathered, &registered, &Renamed::default(), report);
            count_enrolments_unapplied(gathered, report);
            return Err(error);
        }
    }
    Ok(registered)
}

/// Bookkeeping about accounts that needs no call, and what is impossible until the roster changes.
async fn begin(terms: Terms<'_>, gathered: &Gathered) -> Result<(), StoreError> {
    let Terms { context, run, .. } = terms;
    let now_ms = context.clock.now_ms();
    let changes: &[AccountChange] = &gathered.accounts.changes;
    context.state.record_accounts(changes, run, now_ms).await?;
    record::impossible(terms, gathered).await
}

/// Plans the classes anew, now that accounts have been registered. What was planned about accounts stays.
async fn again(
    terms: Terms<'_>,
    gathered: &mut Gathered,
    report: &mut StageReport,
) -> Result<Approvals, StageError> {
    let Terms { context, side, .. } = terms;
    let oldest = std::mem::take(&mut gathered.oldest);
    let anew = gather(context, side, Registering::Done, oldest.anew()).await?;
    let accounts = std::mem::take(&mut gathered.accounts);
    *gathered = Gathered { accounts, ..anew };
    let approved = guard::divide(context, side, gathered, report.observed).await?;
    report.holds.clear();
    guard::describe_holds(gathered, report);
    Ok(approved)
}

fn count_unapplied(gathered: &Gathered, report: &mut StageReport) {
    for operation in &gathered.accounts.operations {
        report.count(operation.kind.as_str(), end_without_call(&operation.state, false, false).ended);
    }
    count_enrolments_unapplied(gathered, report);
}

fn count_enrolments_unapplied(gathered: &Gathered, report: &mut StageReport) {
    for operation in &gathered.operations {
        report.count(operation.kind.as_str(), end_without_call(&operation.state, false, false).ended);
    }
}

fn end_of_account(
    terms: Terms<'_>,
    operation: &AccountOperation,
    ignored: bool,
    registered: &Registered,
    renamed: &Renamed,
) -> End {
    let ends = match operation.kind {
        AccountKind::Register => &registered.ends,
        AccountKind::Rename => &renamed.ends,
    };
    let stopping = terms.context.stop.is_cancelled();
    ends.get(&operation.student)
        .copied()
        .unwrap_or_else(|| end_without_call(&operation.state, ignored, stopping))
}

fn count_accounts(
    terms: Terms<'_>,
    gathered: &Gathered,
    registered: &Registered,
    renamed: &Renamed,
    report: &mut StageReport,
) {
    for operation in &gathered.accounts.operations {
        let is_ignored = gathered.ignored.contains(&operation.want);
        let end = end_of_account(terms, operation, is_ignored, registered, renamed);
        report.count(operation.kind.as_str(), end.ended);
        report.exit = report.exit.worst(end.exit);
    }
}

/// An approval of names is good for one attempt at each.
async fn use_up(terms: Terms<'_>, gathered: &Gathered, renamed: &Renamed) -> Result<(), StoreError> {
    let tried = gathered.accounts.operations.iter().filter(|operation| {
        operation.kind == AccountKind::Rename && renamed.ends.contains_key(&operation.student)
    });
    let ended: Vec<_> = tried.map(|operation| Subject::from(operation).key()).collect();
    terms.context.state.use_up_approvals(&ended).await
}

/// What the report says of accounts beyond figures.
fn describe(registered: Registered, renamed: Renamed, report: &mut StageReport) {
    for (exit, message) in [registered.stopped, renamed.stopped].into_iter().flatten() {
        report.fail(exit, format!("classin: {message}"));
    }
    for message in [registered.trouble, renamed.trouble].into_iter().flatten() {
        report.fail(Exit::Incomplete, format!("classin: {message}"));
    }
}
