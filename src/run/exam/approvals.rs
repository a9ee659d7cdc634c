//! What becomes of approvals with a new plan: they follow what is wanted, and end with it.

use std::collections::HashSet;

use super::{ExamSyncError, group_creation};
use crate::run::Context;
use crate::store::StoreError;
use rosterd_core::exam_plan::{Approved, Fingerprint, GuardedPlan, LinkNote};
use rosterd_core::failure::{OperationKey, Service};

/// Ends what is remembered of leavers who are on the roster: since when they were gone, what was approved of them and what
/// was held of them together. Who leaves again is judged anew, also where what follows in this run fails.
pub(super) async fn end_of_returned(context: &Context) -> Result<(), ExamSyncError> {
    let gone = context.state.gone_students().await?;
    let mut leavers = context.state.approved_leavers().await?;
    leavers.extend(gone.iter().cloned());
    leavers.extend(context.state.leavers_held_together().await?);
    if leavers.is_empty() {
        return Ok(());
    }
    let mut snapshot = context.roster.snapshot().await?;
    let returned = snapshot.active_among(&leavers).await?;
    snapshot.close().await?;
    context.state.forget_leave_of(&returned).await?;
    let back = returned.intersection(&gone).cloned().map(LinkNote::Returned);
    Ok(context.state.apply_notes(&back.collect::<Vec<_>>(), context.clock.now_ms()).await?)
}

/// What a plan wants, as it was before its groups were created: the same positions, perhaps other hashes.
pub(super) struct WantedBefore(Vec<(OperationKey, Fingerprint)>);

impl WantedBefore {
    pub(super) fn of(plan: &GuardedPlan) -> Self {
        Self(plan.operations.iter().map(|operation| (operation.key(), operation.desired_hash)).collect())
    }

    /// An approval of what waited for a group to be created is one of the same with the group's gid.
    pub(super) async fn carry(
        &self,
        context: &Context,
        plan: &GuardedPlan,
        approved: &mut Approved,
    ) -> Result<(), StoreError> {
        let mut renamed = Vec::new();
        for ((key, before), operation) in self.0.iter().zip(&plan.operations) {
            let now = operation.desired_hash;
            if now != *before && approved.carry(&key.student, operation.kind(), *before, now) {
                renamed.push((key.clone(), *before, now));
            }
        }
        context.state.carry_approvals(&renamed).await
    }

    /// Ends the approvals of what a complete plan no longer wants: a student who comes back and leaves again needs a
    /// new one.
    pub(super) async fn end_unwanted(self, context: &Context, plan: &GuardedPlan) -> Result<(), StoreError> {
        if plan.doubt.is_some() {
            return Ok(());
        }
        let mut wanted: HashSet<(OperationKey, Fingerprint)> = self.0.into_iter().collect();
        wanted.extend(plan.operations.iter().map(|operation| (operation.key(), operation.desired_hash)));
        wanted.extend(plan.creations.iter().map(|it| (group_creation::key(it), it.desired_hash)));
        context.state.end_unwanted_approvals(Service::Exam, &wanted, &plan.left_open()).await
    }
}
