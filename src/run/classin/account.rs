//! Reads what accounts are planned from: people without one, what is remembered, and names side by side.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashSet};
use std::pin::pin;

use futures_util::stream::StreamExt;

use super::guard::{DAY_MS, approvals};
use super::history::{PriorState, contact_reading};
use super::{ClassinSide, ClassinSyncError};
use crate::run::Context;
use crate::store::{RosterSnapshot, StoreError};
use rosterd_core::classin_plan::{
    AccountPlan, AccountPlanner, ContactChanges, ContactReading, Doubt, Doubts, NameDecision, Renaming,
    SharedHolds,
};
use rosterd_core::exam_plan::Fingerprint;
use rosterd_core::roster::{Enrolment, RosterProblem, StudentId};

/// The planner for this run.
pub(super) fn planner<'a>(
    (context, side): (&Context, &ClassinSide),
    key: &'a [u8; 32],
    prior: &'a PriorState,
    (doubts, shared): (&'a Doubts, &'a SharedHolds),
    contacts: &'a ContactChanges,
) -> AccountPlanner<'a> {
    AccountPlanner {
        mode: context.mode,
        home: side.settings.home_country,
        registers: side.settings.register,
        key,
        holds: &prior.holds,
        ignored: &prior.ignored,
        doubts,
        shared,
        contacts,
    }
}

/// What contacts that change for many at once are counted against; read only where any has changed.
pub(super) async fn contact_changes(
    context: &Context,
    doubts: &Doubts,
) -> Result<ContactChanges, StoreError> {
    if !doubts.values().any(|doubt| matches!(doubt, Doubt::AnotherContact { .. })) {
        return Ok(ContactChanges::default());
    }
    let (state, now_ms) = (&context.state, context.clock.now_ms());
    Ok(ContactChanges {
        accounts: state.count_accounts().await?,
        recent: state.recent_contacts(now_ms.saturating_sub(DAY_MS)).await?,
        approved: approvals(context, now_ms).await?,
    })
}

/// The accounts of our own finding that are no longer believed, and the rows of students who keep theirs although
/// nobody could ask for it: roster and accounts side by side, both in ascending order of student. None where nobody is
/// registered, as then nobody can be asked.
pub(super) async fn doubts(
    context: &Context,
    side: &ClassinSide,
    key: &[u8; 32],
    snapshot: &mut RosterSnapshot<'_>,
) -> Result<(Doubts, Vec<RosterProblem>), ClassinSyncError> {
    let (mut doubts, mut problems) = (Doubts::new(), Vec::new());
    if !side.settings.register {
        return Ok((doubts, problems));
    }
    let mut people = pin!(snapshot.everybody());
    let mut remembered = pin!(context.state.accounts());
    let mut listed = people.next().await.transpose()?;
    let mut account = remembered.next().await.transpose()?;
    while let (Some(one), Some(other)) = (&listed, &account) {
        match one.person.student.cmp(&other.student) {
            Ordering::Less => {
                listed = people.next().await.transpose()?;
                continue;
            }
            Ordering::Greater => {}
            // Where the roster names an account, that counts, and nobody is asked.
            Ordering::Equal if one.uid.is_none() => {
                let ContactReading { contact, problem } = contact_reading(&one.person, side);
                if let (None, Some(problem)) = (&contact, problem)
                    && problem.phone.is_some()
                {
                    let (table, key) = ("students", other.student.as_str().to_owned());
                    problems.push(RosterProblem {
                        table,
                        key,
                        what: format!("{problem}; the ClassIn account stays"),
                    });
                }
                let contact = contact.map(|contact| Fingerprint(contact.fingerprint(key)));
                doubts.extend(Doubt::of(other, contact).map(|doubt| (other.student.clone(), doubt)));
            }
            Ordering::Equal => {}
        }
        account = remembered.next().await.transpose()?;
    }
    Ok((doubts, problems))
}

/// Plans registrations for these students, whose accounts nobody knows or believes any more, and names for all.
pub(super) async fn plan(
    context: &Context,
    planner: AccountPlanner<'_>,
    snapshot: &mut RosterSnapshot<'_>,
    unknown: &BTreeSet<StudentId>,
) -> Result<AccountPlan, ClassinSyncError> {
    let mut accounts = AccountPlan::default();
    if !unknown.is_empty() {
        let people = snapshot.people(unknown).await?;
        let known = context.state.accounts_among(unknown).await?;
        planner.plan_registrations(people, &known, &mut accounts);
    }
    for renaming in changed_names(context, planner, snapshot, &mut accounts).await? {
        if is_theirs_to_name(context, snapshot, &renaming).await? {
            planner.plan_name(renaming, &mut accounts);
        }
    }
    Ok(accounts)
}

/// Roster and accounts side by side, both in ascending order of student: memory holds differences only.
async fn changed_names(
    context: &Context,
    planner: AccountPlanner<'_>,
    snapshot: &mut RosterSnapshot<'_>,
    accounts: &mut AccountPlan,
) -> Result<Vec<Renaming>, ClassinSyncError> {
    let mut changed = Vec::new();
    let mut names = pin!(snapshot.names());
    let mut remembered = pin!(context.state.accounts());
    let mut person = names.next().await.transpose()?;
    let mut account = remembered.next().await.transpose()?;
    while let (Some(one), Some(other)) = (&person, &account) {
        if one.student < other.student {
            person = names.next().await.transpose()?;
            continue;
        }
        if one.student == other.student {
            match planner.name_decision(&one.name, one.uid, other) {
                NameDecision::Keep => {}
                NameDecision::Remember(change) => accounts.changes.push(change),
                NameDecision::Write(renaming) => changed.push(renaming),
            }
        }
        account = remembered.next().await.transpose()?;
    }
    Ok(changed)
}

async fn is_theirs_to_name(
    context: &Context,
    snapshot: &mut RosterSnapshot<'_>,
    renaming: &Renaming,
) -> Result<bool, ClassinSyncError> {
    let owners = context.state.owners_of_account(renaming.uid).await?;
    let before: HashSet<StudentId> =
        AccountPlanner::owners_before(&owners, &renaming.student).into_iter().collect();
    Ok(before.is_empty() || snapshot.active_among(&before).await?.is_empty())
}

/// Fills in the accounts that we remember where the roster names none.
pub(super) async fn fill_in(
    context: &Context,
    planner: AccountPlanner<'_>,
    members: &mut [Enrolment],
) -> Result<(), StoreError> {
    let without = members.iter().filter(|member| member.uid.is_none()).map(|member| &member.student);
    let known = context.state.accounts_among(without).await?;
    planner.fill_in(members, &known);
    Ok(())
}
