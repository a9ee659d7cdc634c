//! What an admin has set for plans and for the guard, with what the guard looks back on.

use super::leavers::Sharing;
use super::{Context, ExamSide, partial_update};
use crate::store::StoreError;
use rosterd_core::exam_plan::{Guard, LOOK_BACK_MS, Policy};
use rosterd_core::roster::{Gid, Leavers};

/// The admin's settings for plans.
///
/// # Errors
/// When our own database cannot be read.
pub(super) async fn policy(
    context: &Context,
    side: &ExamSide,
    sharing: Sharing,
) -> Result<Policy, StoreError> {
    let keeps_unnamed = partial_update::keeps_unnamed(&context.state).await?;
    Ok(Policy {
        mode: context.mode,
        leavers: side.settings.leavers,
        adopt: side.settings.adopt,
        delete_grace_ms: i64::try_from(side.settings.delete_grace.as_millis()).unwrap_or(i64::MAX),
        shared: sharing.is_shared(),
        keeps_unnamed,
    })
}

/// The group that leavers are moved to counts as ours.
pub(in crate::run) fn leavers_group(side: &ExamSide) -> Option<Gid> {
    match side.settings.leavers {
        Leavers::MoveTo(gid) => Some(Gid(gid)),
        Leavers::Delete | Leavers::Keep => None,
    }
}

/// The guard with its limits, what it looks back on, and the approvals.
pub(super) async fn guard(context: &Context, side: &ExamSide, now_ms: i64) -> Result<Guard, StoreError> {
    Ok(Guard {
        max_delete: side.guard.max_delete,
        max_modify: side.guard.max_modify,
        max_move: side.guard.max_move,
        max_group: side.guard.max_group,
        recent: context.state.recent_exam_writes(now_ms.saturating_sub(LOOK_BACK_MS)).await?,
        held_before: context.state.held_masses().await?,
        approved: context.state.approved(now_ms).await?,
    })
}
