//! Which groups of the roster have no gid from anywhere.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::known::{GroupOrigin, KnownGroup};
use super::own_memory::OwnMemory;
use crate::roster::{Gid, Group, GroupCode, RosterProblem, normalise};

/// The roster's groups, told apart by whether a gid is known.
#[derive(Debug, Default)]
pub struct MissingGroups {
    /// Without any gid, with their normalised titles: to be found or created.
    pub titles: BTreeMap<GroupCode, String>,
    /// Gids that the roster names or that are remembered, with the roster's titles for them.
    pub named: HashMap<Gid, String>,
    /// Gids that the roster names and that are not remembered yet: a roster that loses its gids must not have all its
    /// groups made again.
    pub to_remember: Vec<(GroupCode, KnownGroup)>,
    /// Groups that are neither found nor created, and why.
    pub problems: Vec<RosterProblem>,
}

impl MissingGroups {
    /// `unusable` are groups whose gid is no number: a slip of the pen, not a missing one.
    #[must_use]
    pub fn of(groups: &[Group], unusable: &[RosterProblem], known: &HashMap<GroupCode, KnownGroup>) -> Self {
        let slips: HashSet<&str> = unusable.iter().map(|problem| problem.key.as_str()).collect();
        let OwnMemory { own, contested } = OwnMemory::of(groups, known);
        let mut missing = Self::default();
        for group in groups {
            let remembered = own.get(&group.code).copied();
            let title = normalise(&group.title).into_owned();
            let contested = contested.get(&group.code).map(|(gid, _)| *gid);
            if let Some(gid) = group.gid.or(remembered.map(|known| known.gid)).or(contested) {
                missing.named.insert(gid, title.clone());
            }
            match group.gid {
                _ if group.flaw.is_some() || contested.is_some() => {}
                Some(gid) if remembered.is_none_or(|known| known.gid != gid) => {
                    let known = KnownGroup { gid, origin: GroupOrigin::Roster };
                    missing.to_remember.push((group.code.clone(), known));
                }
                None if !slips.contains(group.code.as_str()) => missing.without_gid(group, title, remembered),
                Some(_) | None => {}
            }
        }
        missing
    }

    fn without_gid(&mut self, group: &Group, title: String, remembered: Option<KnownGroup>) {
        match remembered {
            Some(KnownGroup { origin: GroupOrigin::Created | GroupOrigin::Adopted, .. }) => {}
            Some(KnownGroup { gid, origin: GroupOrigin::Roster }) => {
                let what = format!("had gid {gid} and has none now: it is not created again; enter its gid");
                self.problems.push(problem(&group.code, what));
            }
            None if title.is_empty() => {
                let what = "has neither gid nor title: enter one of them".to_owned();
                self.problems.push(problem(&group.code, what));
            }
            None => {
                self.titles.insert(group.code.clone(), title);
            }
        }
    }
}

/// A sentence about one group of the roster.
pub(super) fn problem(code: &GroupCode, what: String) -> RosterProblem {
    RosterProblem { table: "groups", key: code.as_str().to_owned(), what }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(code: &str, title: &str, gid: Option<i64>) -> Group {
        Group { code: GroupCode::new(code), title: title.to_owned(), gid: gid.map(Gid), flaw: None }
    }

    #[test]
    fn a_group_is_missing_where_neither_roster_nor_memory_has_its_gid() {
        let known = |gid, origin| KnownGroup { gid: Gid(gid), origin };
        let memory = HashMap::from([
            (GroupCode::new("made"), known(7, GroupOrigin::Created)),
            (GroupCode::new("lost"), known(8, GroupOrigin::Roster)),
        ]);
        let unreadable = problem(&GroupCode::new("slip"), "gid is no number".to_owned());
        let groups = [
            group("named", "A", Some(5)),
            group("made", "B", None),
            group("lost", "C", None),
            group("slip", "D", None),
            group("blank", " ", None),
            group("new", " E ", None),
        ];
        let missing = MissingGroups::of(&groups, &[unreadable], &memory);
        assert_eq!(missing.titles, BTreeMap::from([(GroupCode::new("new"), "E".to_owned())]));
        assert_eq!(missing.to_remember, [(GroupCode::new("named"), known(5, GroupOrigin::Roster))]);
        let problems: Vec<&str> = missing.problems.iter().map(|problem| problem.key.as_str()).collect();
        assert_eq!(problems, ["lost", "blank"]);
        assert_eq!(missing.named.len(), 3);
    }
}
