//! Proof that both sides were read completely. Nothing is removed without it.
//!
//! Only the checks in this file and [`ObservedBuilder::close`](super::ObservedBuilder::close) can make these
//! values: a short list must never look like people who left.

use std::fmt;

use super::diff::Diff;
use super::observed::ListingCertificate;

/// The counts of one reading of the roster: what the snapshot says and what was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RosterTally {
    /// Rows of students with their groups, as the snapshot counts them.
    pub counted: u64,
    /// Such rows as they were read.
    pub read: u64,
    /// Students that these made and that were handed on.
    pub students: u64,
    /// The smallest number of active students that a roster must have; fewer are a broken export.
    pub least: u64,
}

/// The reason why a reading of the roster is incomplete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RosterFlaw {
    /// More or fewer rows came than the same snapshot counts, or some never arrived where they are compared.
    Rows {
        /// As counted.
        counted: u64,
        /// As read.
        read: u64,
    },
    /// Fewer active students than a roster must have.
    TooFew {
        /// As read.
        active: u64,
        /// The smallest allowed number.
        least: u64,
    },
}

impl fmt::Display for RosterFlaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rows { counted, read } => {
                write!(
                    f,
                    "students: {counted} of its rows were counted and {read} were read in the same snapshot"
                )
            }
            Self::TooFew { active, least } => {
                let verb = if *active == 1 { "was" } else { "were" };
                let active = crate::counted::counted(*active, "active student");
                write!(f, "{active} {verb} read, fewer than guard.min_roster = {least}")
            }
        }
    }
}

/// Proof that the roster was read completely in one snapshot, and is a roster at all.
#[derive(Debug)]
pub struct RosterCertificate(());

impl RosterCertificate {
    /// Checks a survey, which has seen every student that was handed on, against what the snapshot counts.
    ///
    /// # Errors
    /// When they differ, or the roster has fewer students than it must have.
    pub fn of(diff: &Diff, tally: RosterTally) -> Result<Self, RosterFlaw> {
        let RosterTally { counted, read, students, least } = tally;
        if counted != read {
            return Err(RosterFlaw::Rows { counted, read });
        }
        if students != diff.rows {
            return Err(RosterFlaw::Rows { counted: students, read: diff.rows });
        }
        if diff.students < least {
            return Err(RosterFlaw::TooFew { active: diff.students, least });
        }
        Ok(Self(()))
    }
}

/// Proof that both reads were complete: the only thing from which a delete, or a leaver's removal from a
/// group, can be made.
#[derive(Debug)]
pub struct Certificate(());

impl Certificate {
    /// Combines the two proofs.
    #[must_use]
    pub fn of(_listing: &ListingCertificate, _roster: &RosterCertificate) -> Self {
        Self(())
    }
}
