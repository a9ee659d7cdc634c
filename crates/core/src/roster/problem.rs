//! Rows of a roster that cannot be used, each named by table and key.

use std::fmt;

/// One unusable row. It concerns only the row it names and never becomes a delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterProblem {
    /// The roster table, or the name of the query in its place.
    pub table: &'static str,
    /// The row's key.
    pub key: String,
    /// The problem and its remedy, as one sentence without a full stop and without personal data.
    pub what: String,
}

impl fmt::Display for RosterProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.table, self.key, self.what)
    }
}
