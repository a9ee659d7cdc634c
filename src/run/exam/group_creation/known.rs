//! Gids that are known from elsewhere than the roster.

use super::GroupPlan;
use crate::run::Context;
use crate::store::StoreError;
use rosterd_core::exam_plan::OwnMemory;
use rosterd_core::roster::{Group, RosterProblem};

/// The roster's groups, with the gids that are known of those without one, and what is wrong between them: a gid that
/// serves for several is used for none.
pub(in crate::run::exam) async fn with_known_gids(
    context: &Context,
    groups: Vec<Group>,
    plan: &GroupPlan,
) -> Result<(Vec<Group>, Vec<RosterProblem>), StoreError> {
    if groups.iter().all(|group| group.gid.is_some()) {
        return Ok((groups, Vec::new()));
    }
    let OwnMemory { own, mut contested } = OwnMemory::of(&groups, &context.state.known_groups().await?);
    let found = plan.decisions.found_gids();
    let gid = |group: &Group| {
        let remembered = own.get(&group.code).and_then(|known| known.own_gid());
        group.gid.or(remembered).or_else(|| found.get(&group.code).copied())
    };
    let mut problems = Vec::new();
    let mut usable = |group: Group| match (contested.remove(&group.code), group.flaw.is_some()) {
        (Some((gid, what)), _) => {
            let key = group.code.as_str().to_owned();
            problems.push(RosterProblem { table: "groups", key, what: what.clone() });
            Group { gid: Some(gid), flaw: Some(what), ..group }
        }
        (None, false) => Group { gid: gid(&group), ..group },
        // A slip of the pen is mended on the roster, not replaced by what is known from elsewhere.
        (None, true) => group,
    };
    let groups = groups.into_iter().map(&mut usable).collect();
    Ok((groups, problems))
}
