//! When the groups of candidates are looked up again.

use std::collections::{HashMap, HashSet};

use super::ExamSide;
use crate::run::Context;
use crate::store::{LookedUpGroups, StoreError};
use rosterd_core::exam_plan::{
    CannotReason, GuardedPlan, LinkNote, LookupResults, OperationState, SidFact, SkipReason,
};
use rosterd_core::roster::{Sid, StudentId};

/// Remembers the groups of everybody who was looked up, and spreads the next look-ups.
pub(super) async fn remember_groups(
    context: &Context,
    side: &ExamSide,
    (plan, notes): (&GuardedPlan, &[LinkNote]),
    lookups: &LookupResults,
) -> Result<(), StoreError> {
    let now_ms = context.clock.now_ms();
    let mut stay_gone = stay_gone(plan);
    let gone = lookups.by_sid.iter().filter(|(_, fact)| matches!(fact, SidFact::Gone));
    let owners = context.state.sid_owners(gone.map(|(sid, _)| *sid)).await?;
    stay_gone.extend(of_leavers(owners, notes));
    let found: Vec<LookedUpGroups> = lookups
        .by_sid
        .iter()
        .filter_map(|(sid, fact)| match fact {
            SidFact::Found { groups, .. } => Some((*sid, groups.clone(), next_group_check(side, now_ms))),
            // Its link stays, and what was found out about it may stand as long as for anybody else.
            SidFact::Gone if stay_gone.contains(sid) => Some((*sid, None, next_group_check(side, now_ms))),
            SidFact::Gone => None,
        })
        .collect();
    if found.is_empty() {
        return Ok(());
    }
    context.state.remember_groups(&found).await
}

/// Candidates that are gone, of leavers whose links stay all the same: within the grace, by the mode or a setting, or because
/// somebody said so.
fn of_leavers(owners: HashMap<Sid, StudentId>, notes: &[LinkNote]) -> impl Iterator<Item = Sid> {
    let of = |wanted: fn(&LinkNote) -> bool| -> HashSet<&StudentId> {
        notes.iter().filter(|note| wanted(note)).map(LinkNote::student).collect()
    };
    let leavers = of(|note| matches!(note, LinkNote::Gone(_)));
    let closed = of(|note| matches!(note, LinkNote::Close(_)));
    let is_kept = move |student: &StudentId| leavers.contains(student) && !closed.contains(student);
    owners.into_iter().filter(move |(_, student)| is_kept(student)).map(|(sid, _)| sid)
}

/// Candidates that are gone and whose links stay until a person has mended something.
fn stay_gone(plan: &GuardedPlan) -> HashSet<Sid> {
    let gone = plan.operations.iter().filter_map(|operation| match &operation.state {
        OperationState::Skipped(SkipReason::EnteredAnew { gone, .. }) => Some(*gone),
        OperationState::Cannot(CannotReason::AndGone { sid, .. }) => Some(*sid),
        OperationState::Planned
        | OperationState::Held(_)
        | OperationState::Skipped(_)
        | OperationState::Cannot(_) => None,
    });
    gone.collect()
}

/// Between half of `exam.verify_groups` and the whole, at random: so that candidates entered in one run
/// do not all come due in one run.
pub(super) fn next_group_check(side: &ExamSide, now_ms: i64) -> i64 {
    let share = 0.5 + 0.5 * fastrand::f64();
    let delay = side.settings.verify_groups.mul_f64(share);
    now_ms.saturating_add(i64::try_from(delay.as_millis()).unwrap_or(i64::MAX))
}
