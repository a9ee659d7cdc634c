//! How many people a limit counts: those of this plan, and those of the last 24 hours.

use std::collections::HashSet;

use super::{Guard, allowance};
use crate::exam_plan::Plan;
use crate::exam_plan::reason::Excess;
use crate::exam_plan::recent_writes::CountedWrite;
use crate::roster::{Limit, StudentId};

/// People, each once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tally {
    /// Those of this plan.
    pub(super) count: u64,
    /// Further ones of the last 24 hours.
    pub(super) recent: u64,
}

impl Tally {
    /// Both together.
    pub(super) fn people(self) -> u64 {
        self.count.saturating_add(self.recent)
    }

    /// The figures of the hold, where this plan takes more than the limit allows out of `total`.
    pub(super) fn excess(self, limit: Limit, total: u64) -> Option<Excess> {
        let limit = allowance(limit, total);
        let Self { count, recent } = self;
        (count > 0 && self.people() > limit).then_some(Excess { count, recent, total, limit })
    }
}

impl Guard {
    /// The people of this plan, whom nobody approved, and of the last 24 hours who count as such a write.
    pub(super) fn tally(&self, plan: &Plan, write: CountedWrite) -> Tally {
        let judged = plan.operations.iter().filter(|operation| self.judges(operation));
        let people =
            judged.filter(|operation| operation.counts_as(write)).map(|operation| &operation.student);
        self.tally_of(people.collect(), write)
    }

    /// These people of this plan and those of the last 24 hours.
    pub(super) fn tally_of(&self, people: HashSet<&StudentId>, write: CountedWrite) -> Tally {
        let known = people.iter().filter(|student| self.recent.has(write, student)).count();
        let recent = self.recent.count(write).saturating_sub(whole(known));
        Tally { count: whole(people.len()), recent }
    }
}

pub(super) fn whole(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
