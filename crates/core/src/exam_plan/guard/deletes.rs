//! What is taken from leavers.

use super::Guard;
use super::allowance::allowance_of_leavers;
use crate::exam_plan::Plan;
use crate::exam_plan::reason::HoldReason;
use crate::exam_plan::recent_writes::CountedWrite;
use crate::roster::Limit;

impl Guard {
    /// Leavers' deletes and moves. The leavers that are judged belong to the total, others who are kept do not.
    pub(super) fn hold_deletes(&self, plan: &mut Plan) {
        let tally = self.tally(plan, CountedWrite::Dismissal);
        let total = plan.totals.linked.saturating_add(tally.people());
        let allowed = allowance_of_leavers(self.max_delete, tally.people(), total);
        if let Some(excess) = tally.excess(Limit::Count(allowed), total) {
            self.hold(plan, &HoldReason::TooManyDeletes(excess), |it| it.counts_as(CountedWrite::Dismissal));
        }
    }
}
