//! The figures of a limit that is exceeded.

/// The figures of a limit that is exceeded, in people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Excess {
    /// Those in this plan.
    pub count: u64,
    /// Further ones in the last 24 hours whom nobody approved.
    pub recent: u64,
    /// Of how many.
    pub total: u64,
    /// The limit.
    pub limit: u64,
}

impl Excess {
    /// The part of a sentence that names what the last 24 hours add.
    pub(super) fn before(&self) -> String {
        match self.recent {
            0 => String::new(),
            recent => format!(", and {recent} in the last 24 hours"),
        }
    }
}
