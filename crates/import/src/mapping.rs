//! Other people's column names for ours, as `--map ours=theirs` says them.

use rosterd_core::roster::normalise;

/// A mapping of a school's column names to ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnMap {
    pairs: Vec<(String, String)>,
    /// No other column is taken, whatever it is called.
    is_closed: bool,
}

impl ColumnMap {
    /// A mapping of pairs, ours first.
    #[must_use]
    pub fn new(pairs: Vec<(String, String)>) -> Self {
        let normal = |text: String| normalise(&text).into_owned();
        let pairs = pairs.into_iter().map(|(ours, theirs)| (normal(ours), normal(theirs))).collect();
        Self { pairs, is_closed: false }
    }

    /// The same, and no other column is taken: a known program may call something `Password` that is none of ours.
    pub(super) fn closed(pairs: Vec<(String, String)>) -> Self {
        Self { is_closed: true, ..Self::new(pairs) }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// True when nothing is mapped.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Whether a column of ours is mapped.
    pub(super) fn names(&self, ours: &str) -> bool {
        self.pairs.iter().any(|(mapped, _)| mapped == ours)
    }

    /// The pairs, ours first.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(ours, theirs)| (ours.as_str(), theirs.as_str()))
    }
}
