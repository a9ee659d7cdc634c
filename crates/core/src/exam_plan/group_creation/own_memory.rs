//! Which of the gids that are remembered belong to the groups of today's roster.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::known::KnownGroup;
use crate::roster::{Gid, Group, GroupCode};

/// What is remembered of the roster's groups, told apart by whether it is theirs alone: one gid is one group.
#[derive(Debug, Default)]
pub struct OwnMemory {
    /// Without the gids that the roster gives to another group.
    pub own: HashMap<GroupCode, KnownGroup>,
    /// Groups without a gid on the roster for which one gid is remembered, each with what is wrong with its row.
    pub contested: BTreeMap<GroupCode, (Gid, String)>,
}

impl OwnMemory {
    /// What the roster says comes first. Between groups for which only our memory has one gid, a person decides.
    #[must_use]
    pub fn of(groups: &[Group], known: &HashMap<GroupCode, KnownGroup>) -> Self {
        let given: HashSet<Gid> = groups.iter().filter_map(|group| group.gid).collect();
        let mut memory = Self::default();
        let mut claims: BTreeMap<Gid, Vec<&GroupCode>> = BTreeMap::new();
        for group in groups {
            let Some(known) = known.get(&group.code) else { continue };
            if group.gid.is_none() && given.contains(&known.gid) {
                continue;
            }
            memory.own.insert(group.code.clone(), *known);
            if let (None, None, Some(gid)) = (group.gid, &group.flaw, known.own_gid()) {
                claims.entry(gid).or_default().push(&group.code);
            }
        }
        for (gid, codes) in claims.into_iter().filter(|(_, codes)| codes.len() > 1) {
            for code in &codes {
                let others: Vec<&str> =
                    codes.iter().filter(|other| *other != code).map(|other| other.as_str()).collect();
                let what = format!(
                    "has no gid, and gid {gid} has served for it and for {} alike: enter gid {gid} at the one whose group \
                     it is",
                    others.join(", ")
                );
                memory.own.remove(*code);
                memory.contested.insert((*code).clone(), (gid, what));
            }
        }
        memory
    }
}
