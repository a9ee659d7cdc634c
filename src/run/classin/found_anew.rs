//! Accounts that ClassIn does not know any more, found anew in the run that learnt it: the calls that the next run would
//! make, and no more.

use std::collections::{BTreeSet, HashSet};

use super::accounts_applied::AccountsApplied;
use super::apply::{self, Applied, MayGoOn};
use super::context::ClassinApplyContext;
use super::plan::{ClassinPlan, Registering, plan_classin};
use super::school::School;
use super::standing::StandingEnrolments;
use super::{ClassinSyncError, count_accounts, guard, register};
use crate::run::report::ServiceReport;
use rosterd_core::classin_plan::{
    AccountKind, Code, EnrolmentKind, EnrolmentOperation, StaleEnrolments, let_wait,
};
use rosterd_core::outcome::Outcome;
use rosterd_core::roster::{ClassTarget, StudentId};

/// Asks for the accounts of these students, and enrols them by what ClassIn names. Says what was planned for that, and
/// whether ClassIn may be called any more.
pub(super) async fn run(
    terms: ClassinApplyContext<'_>,
    school: &School<'_>,
    (first, refused): (&ClassinPlan, &BTreeSet<(StudentId, ClassTarget)>),
    report: &mut ServiceReport,
) -> Result<(Option<ClassinPlan>, MayGoOn), ClassinSyncError> {
    let ClassinApplyContext { context, side, .. } = terms;
    let students: BTreeSet<&StudentId> = refused.iter().map(|(student, _)| student).collect();
    if students.is_empty() || !side.settings.register || context.stop.is_cancelled() {
        return Ok((None, MayGoOn::Yes));
    }
    let mut asked = plan_classin(context, side, Registering::ToDo, StaleEnrolments::none()).await?;
    asked.accounts.applications.retain(|one| one.account.students.iter().all(|it| students.contains(it)));
    if asked.accounts.applications.is_empty() {
        return Ok((None, MayGoOn::Yes));
    }
    let registrations = asked.accounts.applications.iter().flat_map(|one| one.account.students.clone());
    let registered: BTreeSet<StudentId> = registrations.collect();
    let operations = &mut asked.accounts.operations;
    operations.retain(|one| one.kind == AccountKind::Register && registered.contains(&one.student));
    let accounts = register::run(terms, school, &asked.accounts).await?;
    let stopped = accounts.stopped().cloned();
    count_accounts(terms, &asked, &accounts, &AccountsApplied::default(), report);
    let was_accepted = terms.side.transport.was_accepted();
    AccountsApplied::describe([accounts, AccountsApplied::default()], was_accepted, report);
    let mut plan = plan_classin(context, side, Registering::Done, StaleEnrolments::none()).await?;
    let approved = guard::hold_excess(context, side, &mut plan).await?;
    let is_refused =
        |one: &EnrolmentOperation| refused.contains(&(one.student.clone(), one.target)) && is_enrol(one);
    let counted: HashSet<(EnrolmentKind, &StudentId, ClassTarget)> =
        first.operations.iter().map(|one| (one.kind, &one.student, one.target)).collect();
    plan.operations.retain(|one| {
        let is_new = || !counted.contains(&(one.kind, &one.student, one.target));
        registered.contains(&one.student) && (is_refused(one) || is_new())
    });
    let_wait(&mut plan.operations, &plan.full_still);
    plan.operations.retain(EnrolmentOperation::is_planned);
    plan.standing = StandingEnrolments::before(context).await?.of(&plan);
    // They were counted as failed, and are counted anew.
    for operation in plan.operations.iter().filter(|one| is_refused(one)) {
        report.take_back_failed(operation.kind.as_str());
    }
    let Applied { may_go_on, .. } = apply::run(terms, school, (&plan, &approved), stopped, report).await?;
    plan.accounts.operations = asked.accounts.operations;
    Ok((Some(plan), may_go_on))
}

/// Whether the account may be found anew in this very run: what is left of it in the end is seen by the figures.
pub(super) fn may_be_found_anew(operation: &EnrolmentOperation, outcome: &Outcome) -> bool {
    let code = outcome.cause().and_then(|cause| cause.code.classin());
    operation.kind == EnrolmentKind::Enrol && code.is_some_and(Code::says_no_account)
}

fn is_enrol(operation: &EnrolmentOperation) -> bool {
    operation.kind == EnrolmentKind::Enrol
}
