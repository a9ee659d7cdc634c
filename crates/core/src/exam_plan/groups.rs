//! The roster's groups, and the changes that memberships ask for.

use std::collections::{BTreeMap, BTreeSet};

use crate::roster::{Gid, Group, GroupCode};

/// The roster's groups, by code.
#[derive(Clone, Debug, Default)]
pub struct GroupBook {
    gids: BTreeMap<GroupCode, Option<Gid>>,
    ours: BTreeSet<Gid>,
    leavers: Option<Gid>,
}

/// One student's memberships as groups of the exam side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WantedGroups {
    /// The gids, without repeats.
    pub gids: BTreeSet<Gid>,
    /// The gid of the first group by code that has one.
    pub first: Option<Gid>,
    /// The first group by code that has none.
    pub without_gid: Option<GroupCode>,
}

/// The kind of a group change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupChange {
    /// Exactly one wanted group and no foreign one held: in one call.
    MoveTo(Gid),
    /// First into the missing ones, then out of the surplus ones.
    Adjust {
        /// Wanted and not held.
        missing: BTreeSet<Gid>,
        /// Held, ours, and not wanted.
        surplus: BTreeSet<Gid>,
    },
}

impl GroupChange {
    /// The groups that a candidate in `held` stops being in.
    #[must_use]
    pub fn groups_left(&self, held: &BTreeSet<Gid>) -> BTreeSet<Gid> {
        match self {
            Self::MoveTo(gid) => held.iter().copied().filter(|left| left != gid).collect(),
            Self::Adjust { surplus, .. } => surplus.clone(),
        }
    }

    /// The groups that a candidate is put into.
    #[must_use]
    pub fn groups_joined(&self) -> BTreeSet<Gid> {
        match self {
            Self::MoveTo(gid) => BTreeSet::from([*gid]),
            Self::Adjust { missing, .. } => missing.clone(),
        }
    }
}

impl GroupBook {
    /// From the roster's groups; `extra` is the group that leavers are moved to, which counts as ours.
    #[must_use]
    pub fn new(groups: impl IntoIterator<Item = Group>, extra: Option<Gid>) -> Self {
        let gids: BTreeMap<_, _> = groups.into_iter().map(|group| (group.code, group.gid)).collect();
        let ours = gids.values().copied().flatten().chain(extra).collect();
        Self { gids, ours, leavers: extra }
    }

    /// The roster's code of a group; the first where several have one gid.
    #[must_use]
    pub fn code_of(&self, gid: Gid) -> Option<&GroupCode> {
        self.gids.iter().find(|(_, own)| **own == Some(gid)).map(|(code, _)| code)
    }

    /// Only groups that the roster names are ours to take a candidate out of.
    #[must_use]
    pub fn is_ours(&self, gid: Gid) -> bool {
        self.ours.contains(&gid)
    }

    /// Whether it is a group of the roster, and not only the one that leavers are moved to.
    #[must_use]
    pub fn is_on_roster(&self, gid: Gid) -> bool {
        self.is_ours(gid)
            && (self.leavers != Some(gid) || self.gids.values().any(|known| *known == Some(gid)))
    }

    /// The groups of these memberships (ascending by code); codes that the roster does not have are left out.
    #[must_use]
    pub fn wanted(&self, codes: &[GroupCode]) -> WantedGroups {
        let mut wanted = WantedGroups::default();
        for code in codes {
            match self.gids.get(code) {
                Some(Some(gid)) => {
                    wanted.gids.insert(*gid);
                    wanted.first.get_or_insert(*gid);
                }
                Some(None) => {
                    wanted.without_gid.get_or_insert_with(|| code.clone());
                }
                None => {}
            }
        }
        wanted
    }

    /// Whether a candidate known to be in `held` has to be moved to be in `wanted`.
    #[must_use]
    pub fn differ(&self, wanted: &BTreeSet<Gid>, held: &BTreeSet<Gid>) -> bool {
        !wanted.is_empty()
            && (wanted.iter().any(|gid| !held.contains(gid))
                || held.iter().any(|gid| !wanted.contains(gid) && self.is_ours(*gid)))
    }

    /// The change from `held`, as looked up in this run, to `wanted`; `None` where nothing is to be done.
    ///
    /// A student without memberships keeps the groups they hold: no candidate ever loses its last group.
    #[must_use]
    pub fn change(&self, wanted: &BTreeSet<Gid>, held: &BTreeSet<Gid>) -> Option<GroupChange> {
        if !self.differ(wanted, held) {
            return None;
        }
        let foreign = held.iter().any(|gid| !self.is_ours(*gid));
        if let (1, Some(only), false) = (wanted.len(), wanted.first(), foreign) {
            return Some(GroupChange::MoveTo(*only));
        }
        let missing = wanted.difference(held).copied().collect();
        let surplus =
            held.iter().copied().filter(|gid| self.is_ours(*gid) && !wanted.contains(gid)).collect();
        Some(GroupChange::Adjust { missing, surplus })
    }

    /// Whether a leaver known to be in `held` has already been dealt with: out of our groups because
    /// another school has the candidate too, or in the group that leavers are moved to.
    #[must_use]
    pub fn is_done_with(&self, held: &BTreeSet<Gid>) -> bool {
        let ours = self.ours_among(held);
        if ours.len() < held.len() {
            return ours.is_empty();
        }
        self.leavers.is_some_and(|gid| !self.differ(&BTreeSet::from([gid]), held))
    }

    /// The groups of ours that a candidate holds.
    #[must_use]
    pub fn ours_among(&self, held: &BTreeSet<Gid>) -> BTreeSet<Gid> {
        held.iter().copied().filter(|gid| self.is_ours(*gid)).collect()
    }
}

/// Takes one candidate in `groups` out of the count.
pub(super) fn shrink(sizes: &mut BTreeMap<Gid, u64>, groups: Option<&BTreeSet<Gid>>) {
    for gid in groups.into_iter().flatten() {
        if let Some(size) = sizes.get_mut(gid) {
            *size = size.saturating_sub(1);
        }
    }
}

/// Counts one candidate in `groups`.
pub(super) fn grow(sizes: &mut BTreeMap<Gid, u64>, groups: &BTreeSet<Gid>) {
    for gid in groups {
        *sizes.entry(*gid).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gids(numbers: &[i64]) -> BTreeSet<Gid> {
        numbers.iter().map(|number| Gid(*number)).collect()
    }

    fn book() -> GroupBook {
        let group = |code: &str, gid| Group {
            code: GroupCode::new(code),
            title: code.to_owned(),
            gid: Some(Gid(gid)),
        };
        GroupBook::new([group("a", 1), group("b", 2), group("c", 3)], None)
    }

    #[test]
    fn one_wanted_group_and_no_foreign_one_is_a_move_in_one_call() {
        assert_eq!(book().change(&gids(&[2]), &gids(&[1, 3])), Some(GroupChange::MoveTo(Gid(2))));
    }

    #[test]
    fn a_foreign_group_is_never_moved_out_of() {
        let group_change = book().change(&gids(&[2]), &gids(&[1, 99]));
        assert_eq!(group_change, Some(GroupChange::Adjust { missing: gids(&[2]), surplus: gids(&[1]) }));
    }

    #[test]
    fn several_wanted_groups_are_added_before_the_surplus_is_left() {
        let group_change = book().change(&gids(&[1, 2]), &gids(&[1, 3]));
        assert_eq!(group_change, Some(GroupChange::Adjust { missing: gids(&[2]), surplus: gids(&[3]) }));
    }

    #[test]
    fn a_foreign_group_alone_is_no_difference() {
        assert_eq!(book().change(&gids(&[1]), &gids(&[1, 99])), None);
    }

    #[test]
    fn who_is_in_no_group_on_the_roster_keeps_the_groups_they_hold() {
        assert_eq!(book().change(&gids(&[]), &gids(&[1, 2])), None);
    }

    #[test]
    fn the_first_group_is_the_first_by_code_that_has_a_gid() {
        let mut groups = vec![Group { code: GroupCode::new("a"), title: String::new(), gid: None }];
        groups.push(Group { code: GroupCode::new("b"), title: String::new(), gid: Some(Gid(7)) });
        let wanted = GroupBook::new(groups, None).wanted(&[GroupCode::new("a"), GroupCode::new("b")]);
        assert_eq!(wanted.first, Some(Gid(7)));
        assert_eq!(wanted.without_gid, Some(GroupCode::new("a")));
    }
}
