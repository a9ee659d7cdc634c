//! The admin's decisions about plans, as plain types.
//!
//! The settings know how they are written in a configuration file.

/// The changes that a run may make. Each mode allows what the one before it allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// Reads and plans; writes to neither service, and does not call ClassIn.
    Observe,
    /// Adds candidates and enrols.
    CreateOnly,
    /// Also modifies and moves.
    Upsert,
    /// Also handles leavers and removals.
    Sync,
}

impl Mode {
    /// All modes, each allowing more than the one before it.
    pub const ALL: [Self; 4] = [Self::Observe, Self::CreateOnly, Self::Upsert, Self::Sync];

    /// The word in the configuration and in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::CreateOnly => "create-only",
            Self::Upsert => "upsert",
            Self::Sync => "sync",
        }
    }
}

/// `[exam] leavers`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leavers {
    /// Delete the candidate.
    Delete,
    /// Leave the candidate as it is.
    Keep,
    /// Move the candidate to this group.
    MoveTo(i64),
}

/// `[exam] adopt`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adopt {
    /// Take over.
    Auto,
    /// Leave alone and report.
    Never,
}

/// `[classin] removals`: the evidence required before a removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Removals {
    /// No student is removed.
    None,
    /// Students that we added.
    Added,
    /// Also students that we presumably added (the answer was lost).
    Presumed,
}

/// A limit on how much one run may change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// Grows with the number of managed candidates: max(5, 20 % up to 100, 10 % up to 1,000, 5 % above).
    Auto,
    /// A number of operations.
    Count(u64),
    /// A percentage of the managed ones, 0 to 100.
    Percent(f64),
}
