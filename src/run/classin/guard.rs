//! Reads what ClassIn's guard needs, and reports what it held.

use std::collections::{BTreeSet, HashSet};

use super::ClassinSide;
use super::living::Doubted;
use super::plan::ClassinPlan;
use crate::run::Context;
use crate::run::attention::Attention;
use crate::run::report::ServiceReport;
use crate::store::StoreError;
use rosterd_core::classin_plan::{
    AccountOperation, Approvals, ClassinGuard, EnrolmentKind, EnrolmentOperation, EnrolmentState,
    EnrolmentViolation, Evidence, LARGEST_BATCH, Reason, audit_enrolments, batches, classin_holds, let_wait,
    let_wait_what_is_held_in_vain,
};
use rosterd_core::counted::counted;
use rosterd_core::failure::FailureOwner;
use rosterd_core::roster::{ClassTarget, ClassinUid, StudentId};

pub(super) const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Holds leavers of whom too many went missing at once, also while they wait. Removals count against `guard.max_delete` of
/// what we hold in ClassIn and `guard.max_group` of each class, names against `guard.max_modify` of the accounts that we
/// know.
pub(super) async fn hold_excess(
    context: &Context,
    side: &ClassinSide,
    plan: &mut ClassinPlan,
) -> Result<Approvals, StoreError> {
    let (state, now_ms) = (&context.state, context.clock.now_ms());
    let since_ms = now_ms.saturating_sub(DAY_MS);
    let sizes = state.class_sizes(&plan.codes, since_ms).await?;
    let Doubted { unknown, unknown_all_day, silent } = Doubted::read(context, plan, &sizes).await?;
    let all: u64 = sizes.values().map(|size| size.living).sum();
    let silent: u64 = silent.iter().filter_map(|target| sizes.get(target)).map(|size| size.living).sum();
    let guard = ClassinGuard {
        max_delete: side.guard.max_delete,
        max_modify: side.guard.max_modify,
        max_group: side.guard.max_group,
        held_before: state.held_in_classin().await?,
        approved: approvals(context, now_ms).await?,
        recent_removals: state.recent_removals(since_ms).await?,
        recent_names: state.recent_names(since_ms).await?,
        enrolments: all.saturating_sub(silent),
        silent,
        sizes,
        newcomers: state.entered_classes_since(&leaving(plan), since_ms).await?,
        doubted: unknown,
        doubted_all_day: unknown_all_day,
        staying: plan.staying.clone(),
        accounts: state.count_accounts().await?,
    };
    let in_grace = std::mem::take(&mut plan.in_grace);
    plan.in_grace = guard.hold_missing(&mut plan.operations, in_grace, &plan.leavers);
    plan.living = guard.judge(&mut plan.operations, &mut plan.accounts.operations);
    if plan.living.next_question().is_none() {
        plan.living = guard.living_of_missing(&plan.operations, &plan.in_grace, &plan.leavers);
    }
    let_wait(&mut plan.operations, &plan.full_still);
    let refused = std::mem::take(&mut plan.refused);
    let_wait_what_is_held_in_vain(&mut plan.operations, |add| {
        add.recorded == Some(Evidence::Unknown) || refused.contains(&add.desired_hash)
    });
    debug_assert_eq!(violations(plan, side.settings.batch_size), []);
    Ok(guard.approved)
}

/// Who is to be taken out of which class.
fn leaving(plan: &ClassinPlan) -> Vec<(ClassTarget, ClassinUid)> {
    let removals = plan.operations.iter().filter(|one| one.kind == EnrolmentKind::Remove);
    let removals =
        removals.filter(|one| matches!(one.state, EnrolmentState::Planned | EnrolmentState::Held(_)));
    removals.filter_map(|one| Some((one.target, one.uid?))).collect()
}

/// What no plan may be. Every plan of a build with debug assertions passes, and so every one that a test makes.
fn violations(plan: &ClassinPlan, batch_size: usize) -> Vec<EnrolmentViolation> {
    let size = batch_size.clamp(1, LARGEST_BATCH);
    audit_enrolments(&plan.operations, &batches(&plan.operations, size, &plan.full), size)
}

pub(super) async fn approvals(context: &Context, now_ms: i64) -> Result<Approvals, StoreError> {
    let mut approvals = Approvals::default();
    for (key, desired_hash, named) in context.state.approved_in_classin(now_ms).await? {
        approvals.insert(key, desired_hash, named);
    }
    Ok(approvals)
}

/// Says why operations are held, and remembers them for an approval.
pub(super) fn describe_holds(plan: &ClassinPlan, report: &mut ServiceReport) {
    describe(&plan.operations, &plan.accounts.operations, report);
}

/// The same of these operations, in the place of what was said before.
pub(super) fn describe(
    operations: &[EnrolmentOperation],
    accounts: &[AccountOperation],
    report: &mut ServiceReport,
) {
    let holds = classin_holds(operations, accounts);
    report.holds = holds.iter().map(|hold| hold.naming_digest(&hold.message)).collect();
    report.held_for = holds;
}

/// The same for what turned out to be too much while the plan was carried out.
pub(super) fn describe_late_holds(held: &[EnrolmentOperation], report: &mut ServiceReport) {
    let holds = classin_holds(held, &[]);
    report.holds.extend(holds.iter().map(|hold| hold.naming_digest(&hold.message)));
    report.held_for.extend(holds);
}

/// Whether somebody stays in a class although the roster takes them out, because the mode removes nobody. A class that no row
/// names any more is told on its own.
pub(super) fn is_left_by_mode(operation: &EnrolmentOperation) -> bool {
    operation.kind == EnrolmentKind::Remove
        && operation.class_code.is_some()
        && matches!(operation.state, EnrolmentState::Skipped(Reason::Mode(_)))
}

/// Who they are, for whoever reads the report.
pub(super) fn left_by_mode(plan: &ClassinPlan) -> Option<Attention> {
    let students: BTreeSet<&StudentId> =
        plan.operations.iter().filter(|one| is_left_by_mode(one)).map(|one| &one.student).collect();
    let count = u64::try_from(students.len()).unwrap_or(u64::MAX);
    let verb = if count == 1 { "stays" } else { "stay" };
    let what = format!(
        "{} {verb} in classes that the roster takes them out of: sync.mode removes nobody",
        counted(count, "student")
    );
    (count > 0).then(|| Attention::new(count, plan.left_by_mode_since_ms, FailureOwner::It, what))
}

/// How many leavers wait for their grace, those left out who are held while they wait.
pub(super) fn waiting_unheld(plan: &ClassinPlan) -> u64 {
    let is_held = |one: &&EnrolmentOperation| matches!(one.state, EnrolmentState::Held(Reason::Missing(_)));
    let held: HashSet<&StudentId> = plan.operations.iter().filter(is_held).map(|one| &one.student).collect();
    let unheld = plan.waiting.iter().filter(|student| !held.contains(student));
    u64::try_from(unheld.count()).unwrap_or(u64::MAX)
}
