//! The effect of a call and its answer on our evidence.
//!
//! | kind | known before | verdict | known after |
//! |---|---|---|---|
//! | enrol | anything | done | added |
//! | enrol | nothing | already (166, 163) | present |
//! | enrol | unknown | already | presumed |
//! | enrol | removing | already | added: it was ours to remove |
//! | enrol | removing presumed | already | presumed: it is again what it was |
//! | enrol | nothing, unknown | lost | unknown |
//! | enrol | removing, removing presumed | lost | as before |
//! | enrol | unknown, removing, removing presumed | there is no such account (400) | gone |
//! | remove | anything | done or already (167, 162) | gone |
//! | remove | anything | the class is deleted (212) | gone |
//! | remove | presumed, unknown, removing presumed | lost | removing presumed |
//! | remove | anything else | lost | removing |
//! | both | anything | anything else | as before |
//!
//! *Nothing* is also what is gone; what is condemned counts as nothing of ours.
//!
//! Contract: docs/contracts/classin.md, 5 (step 7), 6.1 (below the table) and 8.1.

use super::super::judge::ItemVerdict;
use super::{EnrolmentKind, Evidence};

/// The change to the record of one account in one target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum EvidenceChange {
    /// The record holds this evidence from now on.
    Record(Evidence),
    /// The record is deleted.
    Forget,
}

impl EvidenceChange {
    fn back_to(was: Option<Evidence>) -> Self {
        match was {
            None | Some(Evidence::Gone) => Self::Forget,
            Some(evidence) => Self::Record(evidence),
        }
    }
}

/// The evidence to store before the call, so that a crash in the middle is remembered as a lost answer.
pub fn evidence_before(kind: EnrolmentKind, was: Option<Evidence>) -> EvidenceChange {
    match kind {
        EnrolmentKind::Register => EvidenceChange::back_to(was),
        EnrolmentKind::Enrol => EvidenceChange::Record(lost_add(was)),
        EnrolmentKind::Remove => EvidenceChange::Record(lost_removal(was)),
    }
}

/// The change to store after the answer. `was` is the evidence before the call, before [`evidence_before`];
/// for a call whose answer was lost the verdict is [`ItemVerdict::Unknown`].
pub fn evidence_after(kind: EnrolmentKind, was: Option<Evidence>, verdict: ItemVerdict) -> EvidenceChange {
    match kind {
        EnrolmentKind::Register => EvidenceChange::back_to(was),
        EnrolmentKind::Enrol => after_enrol(was, verdict),
        EnrolmentKind::Remove => after_remove(was, verdict),
    }
}

fn after_enrol(was: Option<Evidence>, verdict: ItemVerdict) -> EvidenceChange {
    match verdict {
        ItemVerdict::Done { .. } => EvidenceChange::Record(Evidence::Added),
        ItemVerdict::Already { .. } => EvidenceChange::Record(match was {
            None | Some(Evidence::Present | Evidence::Gone | Evidence::Closed) => Evidence::Present,
            Some(Evidence::Unknown | Evidence::Presumed | Evidence::RemovingPresumed) => Evidence::Presumed,
            Some(Evidence::Added | Evidence::Removing) => Evidence::Added,
        }),
        ItemVerdict::Unknown | ItemVerdict::SendSingly => EvidenceChange::Record(lost_add(was)),
        ItemVerdict::Student { code }
            if code.has_no_account()
                && was.is_some_and(|was| was == Evidence::Unknown || was.is_being_removed()) =>
        {
            EvidenceChange::Forget
        }
        ItemVerdict::Repair { .. }
        | ItemVerdict::Repeat { .. }
        | ItemVerdict::Retry { .. }
        | ItemVerdict::Full { .. }
        | ItemVerdict::Student { .. }
        | ItemVerdict::Closed { .. }
        | ItemVerdict::StopRun { .. }
        | ItemVerdict::Halve { .. } => EvidenceChange::back_to(was),
    }
}

fn after_remove(was: Option<Evidence>, verdict: ItemVerdict) -> EvidenceChange {
    match verdict {
        ItemVerdict::Done { .. } | ItemVerdict::Already { .. } => EvidenceChange::Forget,
        ItemVerdict::Closed { code, .. } if code.is_deleted() => EvidenceChange::Forget,
        ItemVerdict::Unknown | ItemVerdict::SendSingly => EvidenceChange::Record(lost_removal(was)),
        ItemVerdict::Repair { .. }
        | ItemVerdict::Repeat { .. }
        | ItemVerdict::Retry { .. }
        | ItemVerdict::Full { .. }
        | ItemVerdict::Student { .. }
        | ItemVerdict::Closed { .. }
        | ItemVerdict::StopRun { .. }
        | ItemVerdict::Halve { .. } => EvidenceChange::back_to(was),
    }
}

/// A lost add cannot make sure evidence less sure: it only takes members in. What was ours to remove stays ours.
fn lost_add(was: Option<Evidence>) -> Evidence {
    match was {
        None | Some(Evidence::Unknown | Evidence::Gone | Evidence::Closed) => Evidence::Unknown,
        Some(
            sure @ (Evidence::Added
            | Evidence::Present
            | Evidence::Presumed
            | Evidence::Removing
            | Evidence::RemovingPresumed),
        ) => sure,
    }
}

/// A lost removal makes nothing ours that was not.
fn lost_removal(was: Option<Evidence>) -> Evidence {
    match was {
        Some(Evidence::Presumed | Evidence::Unknown | Evidence::RemovingPresumed) => {
            Evidence::RemovingPresumed
        }
        None
        | Some(
            Evidence::Added | Evidence::Present | Evidence::Removing | Evidence::Gone | Evidence::Closed,
        ) => Evidence::Removing,
    }
}
