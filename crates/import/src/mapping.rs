//! Other people's column names for ours, as `--map ours=theirs` says them.

use rosterd_core::roster::normalise;

/// A mapping of a school's column names to ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnMap(Vec<(String, String)>);

impl ColumnMap {
    /// A mapping of pairs, ours first.
    #[must_use]
    pub fn new(pairs: Vec<(String, String)>) -> Self {
        let normal = |text: String| normalise(&text).into_owned();
        Self(pairs.into_iter().map(|(ours, theirs)| (normal(ours), normal(theirs))).collect())
    }

    /// True when nothing is mapped.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a column of ours is mapped.
    pub(super) fn names(&self, ours: &str) -> bool {
        self.0.iter().any(|(mapped, _)| mapped == ours)
    }

    /// The pairs, ours first.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(ours, theirs)| (ours.as_str(), theirs.as_str()))
    }
}
