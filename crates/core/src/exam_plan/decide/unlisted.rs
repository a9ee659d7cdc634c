//! Candidates that exist and are not listed: a gap in the listing, or a few that the account keeps out of it.

use super::{CandidateLocation, PlanInput};
use crate::exam_plan::diff::Difference;
use crate::exam_plan::observed::Flaw;
use crate::roster::{Sid, StudentId};

/// After so many runs that found a candidate by sid and not in the listing, it is no news.
pub const UNLISTED_RUNS: u32 = 2;
/// So many standing cases are a few in an account of any size.
const ALWAYS_FEW: u64 = 5;
/// In a large account, one of so many links.
const ONE_OF: u64 = 100;

impl PlanInput<'_> {
    /// The candidates that exist and are listed nowhere, in ascending order of student id.
    #[must_use]
    pub fn unlisted(&self) -> Vec<(StudentId, Sid)> {
        self.unlisted_among(&self.diff.differences)
    }

    pub(super) fn unlisted_among(&self, differences: &[Difference]) -> Vec<(StudentId, Sid)> {
        let nowhere = differences.iter().filter(|it| self.location(it) == CandidateLocation::Nowhere);
        let mut unlisted: Vec<(StudentId, Sid)> = nowhere
            .filter_map(|difference| match difference {
                Difference::Linked(linked) => Some((linked.link.student.clone(), linked.link.sid)),
                Difference::Leaver(leaver) => Some((leaver.link.student.clone(), leaver.link.sid)),
                Difference::Newcomer(_) | Difference::Unusable(_) => None,
            })
            .collect();
        unlisted.sort_unstable();
        unlisted
    }

    /// Whether these candidates say that the listing has a gap: they are many, or one of them is new.
    pub(super) fn disproves_listing(&self, flaw: &Flaw) -> bool {
        let Flaw::Incomplete { unlisted } = flaw else { return true };
        let few = ALWAYS_FEW.max(self.diff.managed / ONE_OF);
        let is_new = |(_, sid): &(StudentId, Sid)| !self.lookups.unlisted.contains(sid);
        u64::try_from(unlisted.len()).unwrap_or(u64::MAX) > few || unlisted.iter().any(is_new)
    }
}
