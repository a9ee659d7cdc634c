//! Rows of `group_members` that name nobody: whoever goes missing from their group may be meant by one of them.

use std::collections::{BTreeMap, BTreeSet};

use crate::roster::Gid;

/// How many there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RowsOfNobody {
    /// Of single groups.
    of_group: BTreeMap<Gid, u64>,
    /// Of rows that name no group either, or one whose own row cannot be used: they may be of any.
    of_any: u64,
}

impl RowsOfNobody {
    /// Adds rows of this group.
    pub(super) fn add(&mut self, gid: Gid, rows: u64) {
        let counted = self.of_group.entry(gid).or_default();
        *counted = counted.saturating_add(rows);
    }

    /// Adds rows that may be of any group.
    pub(super) fn add_of_any(&mut self, rows: u64) {
        self.of_any = self.of_any.saturating_add(rows);
    }

    /// How many may concern somebody who would leave these groups.
    pub(super) fn among(&self, left: &BTreeSet<Gid>) -> u64 {
        if left.is_empty() {
            return 0;
        }
        let of_groups = left.iter().filter_map(|gid| self.of_group.get(gid)).copied();
        of_groups.fold(self.of_any, u64::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_one_group_concern_no_other_and_rows_of_any_concern_all() {
        let left = |gids: &[i64]| gids.iter().map(|gid| Gid(*gid)).collect::<BTreeSet<Gid>>();
        let mut rows = RowsOfNobody::default();
        rows.add(Gid(1), 2);
        rows.add(Gid(1), 1);
        assert_eq!([rows.among(&left(&[])), rows.among(&left(&[1, 2])), rows.among(&left(&[2]))], [0, 3, 0]);
        rows.add_of_any(4);
        assert_eq!([rows.among(&left(&[])), rows.among(&left(&[1])), rows.among(&left(&[2]))], [0, 7, 4]);
    }
}
