//! The group that leavers are moved to is no group of students who stay.

use rosterd_core::counted::counted;
use rosterd_core::roster::{Gid, Mode, RosterProblem};

use super::{Context, ExamSide, leavers_group};
use crate::store::{PopulatedGroup, RosterDatabase, RosterError};

/// `exam.leavers` names a group in which students of the roster are.
#[derive(Clone, Debug, thiserror::Error)]
#[error(
    "exam.leavers is gid {gid}, which is group {} of the roster, with {}: leavers would be put among them. Enter the gid of a \
     group that has no students, or \"delete\" or \"keep\"", .group.code, counted(.group.students, "student")
)]
pub struct LivingGroupOfLeavers {
    gid: Gid,
    group: PopulatedGroup,
}

impl LivingGroupOfLeavers {
    /// The same as a row of the roster that cannot be used as it is.
    pub(super) fn problem(&self) -> RosterProblem {
        let what = format!("{self}; until then no leaver is moved");
        RosterProblem { table: "groups", key: self.group.code.as_str().to_owned(), what }
    }
}

/// Looks whether the group that leavers are moved to has students.
///
/// # Errors
/// When the roster cannot be read.
pub async fn living_group_of_leavers(
    roster: &RosterDatabase,
    side: &ExamSide,
) -> Result<Option<LivingGroupOfLeavers>, RosterError> {
    let Some(gid) = leavers_group(side) else { return Ok(None) };
    let mut snapshot = roster.snapshot().await?;
    let group = snapshot.populated_group(gid).await?;
    snapshot.close().await?;
    Ok(group.map(|group| LivingGroupOfLeavers { gid, group }))
}

/// The same where the mode moves leavers, or shows what that one would do.
pub(super) async fn group_of_leavers_with_students(
    context: &Context,
    side: &ExamSide,
) -> Result<Option<LivingGroupOfLeavers>, RosterError> {
    match context.mode {
        Mode::CreateOnly | Mode::Upsert => Ok(None),
        Mode::Observe | Mode::Sync => living_group_of_leavers(&context.roster, side).await,
    }
}
