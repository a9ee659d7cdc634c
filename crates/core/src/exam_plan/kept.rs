//! Who stays although they left, and in which groups: no one does without a word.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::link::Link;
use crate::counted::counted;
use crate::roster::Gid;

/// Leavers whose candidates stay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptLeavers {
    /// `exam.leavers` says so: they are kept, or stand in the group that leavers are moved to.
    pub as_set: u64,
    /// They are in groups of others in a shared account, or a person silenced their hold.
    pub stay: u64,
    /// Since when the first of those who stay is off the roster, in milliseconds since 1970 UTC.
    pub since_ms: Option<i64>,
    /// The groups that never stood on the roster, with how many of those who stay are in each.
    pub groups: BTreeMap<Gid, u64>,
}

impl KeptLeavers {
    pub(super) fn count_as_set(&mut self) {
        self.as_set += 1;
    }

    pub(super) fn count(&mut self, link: &Link, foreign: &BTreeSet<Gid>) {
        self.stay += 1;
        self.since_ms = self.since_ms.into_iter().chain(link.gone_since_ms).min();
        for gid in foreign {
            *self.groups.entry(*gid).or_default() += 1;
        }
    }
}

impl fmt::Display for KeptLeavers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.stay == 1 { "stays" } else { "stay" };
        write!(f, "{} {verb}", counted(self.stay, "leaver"))?;
        if self.groups.is_empty() {
            return f.write_str(": a person said so");
        }
        let groups: Vec<String> =
            self.groups.iter().map(|(gid, count)| format!("gid {gid} ({count})")).collect();
        write!(f, ": they are in groups that never stood on the roster: {}", groups.join(", "))
    }
}

/// Students on the roster who are still in a group that stood there once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormerGroup {
    /// The group.
    pub gid: Gid,
    /// Its title when it stood on the roster; empty where that is not known.
    pub title: String,
    /// When it was last seen on the roster, in milliseconds since 1970 UTC.
    pub until_ms: Option<i64>,
    /// How many of them are in it.
    pub students: u64,
}

impl fmt::Display for FormerGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { gid, title, until_ms: _, students } = self;
        let verb = if *students == 1 { "is" } else { "are" };
        write!(f, "{students} {verb} still in gid {gid}")?;
        if title.is_empty() { f.write_str(", once on the roster") } else { write!(f, ", once {title}") }
    }
}
