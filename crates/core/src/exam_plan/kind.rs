//! The kinds of operation, and the word for each.

use std::fmt;

/// The kinds of operation, in the order in which they are applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OperationKind {
    /// Create a group of the roster. Its subject is a group; that of all others is a student.
    CreateGroup,
    /// Take over a candidate that is already there. Needs no call of its own.
    Adopt,
    /// Change values of a candidate, the login value among them.
    Modify,
    /// Enter a new candidate.
    Add,
    /// Change a candidate's groups.
    Move,
    /// Remove a candidate for good.
    Delete,
}

impl OperationKind {
    /// All kinds, in the order in which they are applied.
    pub const ALL: [Self; 6] =
        [Self::CreateGroup, Self::Adopt, Self::Modify, Self::Add, Self::Move, Self::Delete];

    /// The word in reports and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CreateGroup => "create",
            Self::Adopt => "adopt",
            Self::Add => "add",
            Self::Modify => "modify",
            Self::Move => "move",
            Self::Delete => "delete",
        }
    }

    /// Reads [`OperationKind::as_str`] back.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

impl fmt::Display for OperationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
