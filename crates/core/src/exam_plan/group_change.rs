//! Which groups a candidate is put into and taken out of.

use std::collections::BTreeSet;
use std::fmt;

use crate::roster::{Gid, GroupCode};

/// A group that a candidate is put into.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TargetGroup {
    /// It is there.
    Existing(Gid),
    /// The same plan creates it, under this code of the roster: who is put into it waits for that.
    New(GroupCode),
}

impl TargetGroup {
    /// Its gid, where it has one already.
    #[must_use]
    pub fn gid(&self) -> Option<Gid> {
        match self {
            Self::Existing(gid) => Some(*gid),
            Self::New(_) => None,
        }
    }

    /// The code of a group that is to be created first.
    #[must_use]
    pub fn awaited(&self) -> Option<&GroupCode> {
        match self {
            Self::Existing(_) => None,
            Self::New(code) => Some(code),
        }
    }
}

impl fmt::Display for TargetGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Existing(gid) => write!(f, "{gid}"),
            Self::New(code) => write!(f, "{code} (new)"),
        }
    }
}

/// The kind of a group change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupChange {
    /// Exactly one wanted group and no foreign one held: in one call.
    MoveTo(TargetGroup),
    /// First into the missing ones, then out of the surplus ones.
    Adjust {
        /// Wanted and not held.
        missing: BTreeSet<TargetGroup>,
        /// Held, ours, and not wanted.
        surplus: BTreeSet<Gid>,
    },
}

impl GroupChange {
    /// The groups that a candidate in `held` stops being in.
    #[must_use]
    pub fn groups_left(&self, held: &BTreeSet<Gid>) -> BTreeSet<Gid> {
        match self {
            Self::MoveTo(target) => held.iter().copied().filter(|left| target.gid() != Some(*left)).collect(),
            Self::Adjust { surplus, .. } => surplus.clone(),
        }
    }

    /// The groups that a candidate is put into, and that are there already.
    #[must_use]
    pub fn groups_joined(&self) -> BTreeSet<Gid> {
        self.targets().filter_map(TargetGroup::gid).collect()
    }

    /// The groups that a candidate is put into.
    pub fn targets(&self) -> impl Iterator<Item = &TargetGroup> {
        let (only, missing) = match self {
            Self::MoveTo(target) => (Some(target), None),
            Self::Adjust { missing, .. } => (None, Some(missing)),
        };
        only.into_iter().chain(missing.into_iter().flatten())
    }
}
