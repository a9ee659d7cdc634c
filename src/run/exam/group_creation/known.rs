//! Gids that are known from elsewhere than the roster.

use super::GroupPlan;
use crate::run::Context;
use crate::store::StoreError;
use rosterd_core::roster::Group;

/// The roster's groups, with the gids that are known of those without one.
pub(in crate::run::exam) async fn with_known_gids(
    context: &Context,
    groups: Vec<Group>,
    plan: &GroupPlan,
) -> Result<Vec<Group>, StoreError> {
    if groups.iter().all(|group| group.gid.is_some()) {
        return Ok(groups);
    }
    let known = context.state.known_groups().await?;
    let found = plan.decisions.found_gids();
    let gid = |group: &Group| {
        let remembered = known.get(&group.code).and_then(|known| known.own_gid());
        group.gid.or(remembered).or_else(|| found.get(&group.code).copied())
    };
    let usable = |group: Group| match group.flaw {
        None => Group { gid: gid(&group), ..group },
        // A slip of the pen is mended on the roster, not replaced by what is known from elsewhere.
        Some(_) => group,
    };
    Ok(groups.into_iter().map(usable).collect())
}
