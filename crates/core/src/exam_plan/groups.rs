//! The roster's groups, and the changes that memberships ask for.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::group_change::{GroupChange, TargetGroup};
use super::rows_of_nobody::RowsOfNobody;
use crate::roster::{Gid, Group, GroupCode};

/// The roster's groups, by code.
#[derive(Clone, Debug, Default)]
pub struct GroupBook {
    gids: BTreeMap<GroupCode, Option<Gid>>,
    /// What makes the rows of groups unusable.
    flaws: BTreeMap<GroupCode, String>,
    new: BTreeSet<GroupCode>,
    ours: BTreeSet<Gid>,
    leavers: Option<Gid>,
    /// Groups that stood on the roster once and do no more.
    former: BTreeMap<Gid, StoodGroup>,
    /// The same, in a shared account, of those that stood there for a short time: a mistake, perhaps, and another school's.
    brief: BTreeMap<Gid, StoodGroup>,
    /// Rows of `group_members` that name nobody.
    of_nobody: RowsOfNobody,
}

/// A gid that stood on the roster at some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoodGroup {
    /// The group.
    pub gid: Gid,
    /// The roster's code of it then; empty where that is not known.
    pub code: GroupCode,
    /// Its title then; empty where that is not known.
    pub title: String,
    /// When it was last seen there, in milliseconds since 1970 UTC.
    pub until_ms: i64,
    /// Whether it stood there for as long as a mistake is not left standing.
    pub is_settled: bool,
}

/// Where a leaver's candidate is, by its groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeaverStanding {
    /// In groups of ours alone.
    Ours,
    /// In the group that leavers are moved to, and in no other.
    Moved,
    /// Also, or only, in these groups, which never stood on the roster.
    Foreign(BTreeSet<Gid>),
}

/// One student's memberships as groups of the exam side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WantedGroups {
    /// The gids, without repeats.
    pub gids: BTreeSet<Gid>,
    /// Groups that the same plan creates.
    pub new: BTreeSet<GroupCode>,
    /// The first group by code that has a gid; where none has, the first that the plan creates.
    pub first: Option<TargetGroup>,
    /// The first group by code that has none.
    pub without_gid: Option<GroupCode>,
    /// The first group by code that the roster does not have, or whose row cannot be used: while there is one, the
    /// student leaves no group.
    pub unclear: Option<GroupCode>,
}

impl WantedGroups {
    /// These gids and nothing else.
    #[must_use]
    pub fn of_gids(gids: BTreeSet<Gid>) -> Self {
        let first = gids.first().copied().map(TargetGroup::Existing);
        Self { gids, first, ..Self::default() }
    }

    /// Whether there is a group, and every one is clear and has a gid or gets one.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.first.is_some() && self.without_gid.is_none() && self.unclear.is_none()
    }

    /// All of them.
    #[must_use]
    pub fn targets(&self) -> BTreeSet<TargetGroup> {
        let existing = self.gids.iter().copied().map(TargetGroup::Existing);
        existing.chain(self.new.iter().cloned().map(TargetGroup::New)).collect()
    }
}

impl GroupBook {
    /// From the roster's groups; `extra` is the group that leavers are moved to, which counts as ours.
    #[must_use]
    pub fn new(groups: impl IntoIterator<Item = Group>, extra: Option<Gid>) -> Self {
        let mut flaws = BTreeMap::new();
        let mut gids = BTreeMap::new();
        let mut ours: BTreeSet<Gid> = extra.into_iter().collect();
        for Group { code, title: _, gid, flaw } in groups {
            ours.extend(gid);
            // Nobody is put into a group by a row that cannot be used.
            gids.insert(code.clone(), gid.filter(|_| flaw.is_none()));
            flaws.extend(flaw.map(|flaw| (code, flaw)));
        }
        let (new, former, brief) = (BTreeSet::new(), BTreeMap::new(), BTreeMap::new());
        Self { gids, flaws, new, ours, leavers: extra, former, brief, of_nobody: RowsOfNobody::default() }
    }

    /// The same, where rows of `group_members` name nobody: how many, by the code of their group; `None` stands for
    /// rows that name no group of the roster either.
    #[must_use]
    pub fn with_rows_of_nobody(self, rows: &HashMap<Option<GroupCode>, u64>) -> Self {
        let mut of_nobody = RowsOfNobody::default();
        for (code, rows) in rows {
            let is_clear = code.as_ref().filter(|code| !self.flaws.contains_key(code));
            match is_clear.and_then(|code| self.gids.get(code)) {
                Some(Some(gid)) => of_nobody.add(*gid, *rows),
                // Nobody is in a group that is not there yet.
                Some(None) => {}
                None => of_nobody.add_of_any(*rows),
            }
        }
        Self { of_nobody, ..self }
    }

    /// How many rows that name nobody may be this student's, in groups that they hold and that no readable row of
    /// theirs names.
    #[must_use]
    pub fn rows_in_doubt(&self, wanted: &WantedGroups, held: &BTreeSet<Gid>) -> u64 {
        if wanted.unclear.is_some() || !self.differ(wanted, held) {
            return 0;
        }
        let left = held.iter().copied().filter(|gid| self.is_ours(*gid) && !wanted.gids.contains(gid));
        self.of_nobody.among(&left.collect())
    }

    /// The part of [`GroupBook::change`] that takes the student out of no group; `None` where there is none.
    #[must_use]
    pub fn joins(&self, wanted: &WantedGroups, held: &BTreeSet<Gid>) -> Option<GroupChange> {
        let is_held = |target: &TargetGroup| target.gid().is_some_and(|gid| held.contains(&gid));
        let missing: BTreeSet<TargetGroup> =
            wanted.targets().into_iter().filter(|target| !is_held(target)).collect();
        (!missing.is_empty()).then(|| GroupChange::Adjust { missing, surplus: BTreeSet::new() })
    }

    /// Whether a row of `groups` that cannot be used stands in the way of this group: its own, or, where the group is not
    /// there, one without a code. That row is the one cause for all students of the group.
    #[must_use]
    pub fn is_row_in_the_way(&self, code: &GroupCode) -> bool {
        let is_told = !code.as_str().is_empty();
        is_told
            && (self.flaws.contains_key(code)
                || (self.has_row_without_code() && !self.gids.contains_key(code)))
    }

    fn has_row_without_code(&self) -> bool {
        self.flaws.contains_key(&GroupCode::new(""))
    }

    /// The same, which remembers every gid that ever stood on the roster: it counts as ours for taking leavers out of
    /// it. In a shared account a gid that stood there for a short time may have been a mistake, and does not.
    #[must_use]
    pub fn remembering(self, stood: impl IntoIterator<Item = StoodGroup>, shared: bool) -> Self {
        let gone = stood.into_iter().filter(|group| !self.ours.contains(&group.gid));
        let (former, brief) =
            gone.map(|group| (group.gid, group)).partition(|(_, group)| !shared || group.is_settled);
        Self { former, brief, ..self }
    }

    /// Groups that stood on the roster once and do no more. A row that cannot be used stands there all the same, and one
    /// without a code may be that of any group.
    pub fn former(&self) -> impl Iterator<Item = &StoodGroup> {
        let hides_any = self.has_row_without_code();
        self.former.values().filter(move |group| !hides_any && !self.flaws.contains_key(&group.code))
    }

    /// The same, with those that stood there for a short time in a shared account: who was put into one is still in it.
    pub fn left_behind(&self) -> impl Iterator<Item = &StoodGroup> {
        let hides_any = self.has_row_without_code();
        let brief =
            self.brief.values().filter(move |group| !hides_any && !self.flaws.contains_key(&group.code));
        self.former().chain(brief)
    }

    /// The groups held that wanted ones were until the roster gave them another gid, each with that gid. Whoever is put
    /// there is moved as the roster means it, though the old group is not ours to take anybody out of.
    #[must_use]
    pub fn replaced(&self, wanted: &WantedGroups, held: &BTreeSet<Gid>) -> BTreeMap<Gid, Gid> {
        let replaced = |stood: &StoodGroup| {
            let gid = self.gids.get(&stood.code).copied().flatten()?;
            let is_new = wanted.gids.contains(&gid) && !held.contains(&gid);
            (is_new && held.contains(&stood.gid)).then_some((stood.gid, gid))
        };
        self.former.values().chain(self.brief.values()).filter_map(replaced).collect()
    }

    /// Whether it stood on the roster once and does no more.
    #[must_use]
    pub fn is_former(&self, gid: Gid) -> bool {
        self.former.contains_key(&gid)
    }

    /// The same, where the plan creates these groups, which have no gid.
    #[must_use]
    pub fn creating(self, new: BTreeSet<GroupCode>) -> Self {
        Self { new, ..self }
    }

    /// Whether a candidate in just these groups is in none of ours.
    #[must_use]
    pub fn are_foreign(&self, held: &BTreeSet<Gid>) -> bool {
        !held.is_empty() && !held.iter().any(|gid| self.is_ours(*gid))
    }

    /// Whether the roster has this group, without a gid.
    #[must_use]
    pub fn lacks_gid(&self, code: &GroupCode) -> bool {
        self.gids.get(code).is_some_and(Option::is_none)
    }

    /// The number of groups on the roster.
    #[must_use]
    pub fn count(&self) -> u64 {
        u64::try_from(self.gids.len()).unwrap_or(u64::MAX)
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
        let mut first_new = None;
        for code in codes {
            if self.flaws.contains_key(code) || !self.gids.contains_key(code) {
                wanted.unclear.get_or_insert_with(|| code.clone());
            }
            match (self.gids.get(code), self.new.contains(code)) {
                (Some(Some(gid)), _) => {
                    wanted.gids.insert(*gid);
                    wanted.first.get_or_insert(TargetGroup::Existing(*gid));
                }
                (Some(None), true) => {
                    wanted.new.insert(code.clone());
                    first_new.get_or_insert(TargetGroup::New(code.clone()));
                }
                (Some(None), false) => {
                    wanted.without_gid.get_or_insert_with(|| code.clone());
                }
                (None, _) => {}
            }
        }
        // A group that may not come about after all keeps no student waiting who has another one.
        wanted.first = wanted.first.or(first_new);
        wanted
    }

    /// Whether a candidate known to be in `held` has to be moved to be in `wanted`.
    #[must_use]
    pub fn differ(&self, wanted: &WantedGroups, held: &BTreeSet<Gid>) -> bool {
        if wanted.unclear.is_some() {
            return !wanted.new.is_empty() || wanted.gids.iter().any(|gid| !held.contains(gid));
        }
        !wanted.new.is_empty() || self.gids_differ(&wanted.gids, held)
    }

    fn gids_differ(&self, wanted: &BTreeSet<Gid>, held: &BTreeSet<Gid>) -> bool {
        !wanted.is_empty()
            && (wanted.iter().any(|gid| !held.contains(gid))
                || held.iter().any(|gid| !wanted.contains(gid) && self.is_ours(*gid)))
    }

    /// The change from `held`, as looked up in this run, to `wanted`; `None` where nothing is to be done.
    ///
    /// A student without memberships keeps the groups they hold: no candidate ever loses its last group.
    #[must_use]
    pub fn change(&self, wanted: &WantedGroups, held: &BTreeSet<Gid>) -> Option<GroupChange> {
        if !self.differ(wanted, held) {
            return None;
        }
        let targets = wanted.targets();
        let foreign = held.iter().any(|gid| !self.is_ours(*gid));
        let keeps = foreign || wanted.unclear.is_some();
        if let (1, Some(only), false) = (targets.len(), targets.first(), keeps) {
            return Some(GroupChange::MoveTo(only.clone()));
        }
        let is_held = |target: &TargetGroup| target.gid().is_some_and(|gid| held.contains(&gid));
        let missing = targets.into_iter().filter(|target| !is_held(target)).collect();
        let is_surplus =
            |gid: &Gid| wanted.unclear.is_none() && self.is_ours(*gid) && !wanted.gids.contains(gid);
        let surplus = held.iter().copied().filter(is_surplus).collect();
        Some(GroupChange::Adjust { missing, surplus })
    }

    /// Where a leaver known to be in `held` is.
    #[must_use]
    pub fn standing_of_leaver(&self, held: &BTreeSet<Gid>) -> LeaverStanding {
        let ours = self.ours_among(held);
        if ours.len() < held.len() {
            return LeaverStanding::Foreign(held.difference(&ours).copied().collect());
        }
        match self.leavers {
            Some(gid) if *held == BTreeSet::from([gid]) => LeaverStanding::Moved,
            Some(_) | None => LeaverStanding::Ours,
        }
    }

    /// The groups that a leaver's candidate holds and is taken out of.
    #[must_use]
    pub fn ours_among(&self, held: &BTreeSet<Gid>) -> BTreeSet<Gid> {
        let is_ours = |gid: &Gid| self.is_ours(*gid) || self.former.contains_key(gid);
        held.iter().copied().filter(is_ours).collect()
    }

    /// The change that takes a leaver out of all groups of ours and into `target`.
    #[must_use]
    pub fn change_of_leaver(&self, target: Gid, held: &BTreeSet<Gid>) -> Option<GroupChange> {
        let mut surplus = self.ours_among(held);
        let is_foreign_too = surplus.len() < held.len();
        surplus.remove(&target);
        let is_there = held.contains(&target);
        if is_there && surplus.is_empty() {
            return None;
        }
        let target = TargetGroup::Existing(target);
        if !is_foreign_too {
            return Some(GroupChange::MoveTo(target));
        }
        let missing = (!is_there).then_some(target).into_iter().collect();
        Some(GroupChange::Adjust { missing, surplus })
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

    fn wanted(numbers: &[i64]) -> WantedGroups {
        WantedGroups::of_gids(gids(numbers))
    }

    fn existing(numbers: &[i64]) -> BTreeSet<TargetGroup> {
        numbers.iter().map(|number| TargetGroup::Existing(Gid(*number))).collect()
    }

    fn book() -> GroupBook {
        let group = |code: &str, gid| Group {
            code: GroupCode::new(code),
            title: code.to_owned(),
            gid: Some(Gid(gid)),
            flaw: None,
        };
        GroupBook::new([group("a", 1), group("b", 2), group("c", 3)], None)
    }

    #[test]
    fn one_wanted_group_and_no_foreign_one_is_a_move_in_one_call() {
        assert_eq!(
            book().change(&wanted(&[2]), &gids(&[1, 3])),
            Some(GroupChange::MoveTo(TargetGroup::Existing(Gid(2))))
        );
    }

    #[test]
    fn a_foreign_group_is_never_moved_out_of() {
        let group_change = book().change(&wanted(&[2]), &gids(&[1, 99]));
        assert_eq!(group_change, Some(GroupChange::Adjust { missing: existing(&[2]), surplus: gids(&[1]) }));
    }

    #[test]
    fn several_wanted_groups_are_added_before_the_surplus_is_left() {
        let group_change = book().change(&wanted(&[1, 2]), &gids(&[1, 3]));
        assert_eq!(group_change, Some(GroupChange::Adjust { missing: existing(&[2]), surplus: gids(&[3]) }));
    }

    #[test]
    fn a_foreign_group_alone_is_no_difference() {
        assert_eq!(book().change(&wanted(&[1]), &gids(&[1, 99])), None);
    }

    #[test]
    fn who_is_in_no_group_on_the_roster_keeps_the_groups_they_hold() {
        assert_eq!(book().change(&wanted(&[]), &gids(&[1, 2])), None);
    }

    #[test]
    fn who_is_in_a_group_that_is_not_there_joins_others_and_leaves_none() {
        let codes = ["a", "elsewhere"].map(GroupCode::new);
        let wanted = book().wanted(&codes);
        assert_eq!(wanted.unclear, Some(GroupCode::new("elsewhere")));
        assert_eq!(book().change(&wanted, &gids(&[1, 2, 3])), None);
        let joins = GroupChange::Adjust { missing: existing(&[1]), surplus: gids(&[]) };
        assert_eq!(book().change(&wanted, &gids(&[2])), Some(joins));
    }

    #[test]
    fn the_first_group_is_the_first_by_code_that_has_a_gid() {
        let mut groups =
            vec![Group { code: GroupCode::new("a"), title: String::new(), gid: None, flaw: None }];
        groups.push(Group { code: GroupCode::new("b"), title: String::new(), gid: Some(Gid(7)), flaw: None });
        let wanted = GroupBook::new(groups, None).wanted(&[GroupCode::new("a"), GroupCode::new("b")]);
        assert_eq!(wanted.first, Some(TargetGroup::Existing(Gid(7))));
        assert_eq!(wanted.without_gid, Some(GroupCode::new("a")));
    }
}
