//! The admin's settings for plans, and the trust in the listing.

use super::certificate::Certificate;
use super::kind::OperationKind;
use super::link::Link;
use super::observed::Flaw;
use crate::roster::{Adopt, Leavers, Mode};

/// The admin's settings for plans.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// The mode of the run.
    pub mode: Mode,
    /// What happens to leavers' candidates.
    pub leavers: Leavers,
    /// Whether candidates may be taken over.
    pub adopt: Adopt,
    /// The time that a student must be gone before a delete, in milliseconds.
    pub delete_grace_ms: i64,
    /// Whether other schools use the account too.
    pub shared: bool,
    /// Whether the account is known to keep the values that a change does not name.
    pub keeps_unnamed: bool,
}

impl Policy {
    /// Whether a leaver's time has come: gone long enough, and seen so by an earlier run too. It never
    /// comes where leavers' candidates are kept. A moment that lies ahead is read as now: a clock was wrong.
    #[must_use]
    pub fn leaver_is_due(&self, link: &Link, now_ms: i64) -> bool {
        if self.leavers == Leavers::Keep {
            return false;
        }
        let Some(since) = link.gone_since_ms else { return false };
        link.gone_runs >= 1 && now_ms.saturating_sub(since).max(0) >= self.delete_grace_ms
    }

    /// Whether the mode allows an operation; what concerns leavers is for [`Mode::Sync`] alone.
    pub(super) fn allows(&self, kind: OperationKind, of_leaver: bool) -> bool {
        let least = match kind {
            OperationKind::CreateGroup | OperationKind::Adopt | OperationKind::Add => Mode::CreateOnly,
            OperationKind::Modify | OperationKind::Move if !of_leaver => Mode::Upsert,
            OperationKind::Modify | OperationKind::Move | OperationKind::Delete => Mode::Sync,
        };
        self.mode >= least
    }
}

/// The trust in the listing's completeness.
#[derive(Clone, Copy, Debug)]
pub enum Trust<'a> {
    /// It can: here is the proof.
    Complete(&'a Certificate),
    /// It is not complete: nothing is added or deleted because of it.
    Doubtful(&'a Flaw),
}

impl Trust<'_> {
    /// Whether candidates may be missing from the listing.
    #[must_use]
    pub fn is_doubtful(self) -> bool {
        matches!(self, Self::Doubtful(_))
    }
}
