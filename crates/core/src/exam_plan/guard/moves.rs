//! Students who stay and are taken out of groups.

use super::Guard;
use crate::exam_plan::Plan;
use crate::exam_plan::reason::HoldReason;
use crate::exam_plan::recent_writes::CountedWrite;

impl Guard {
    pub(super) fn hold_moves(&self, plan: &mut Plan) {
        let tally = self.tally(plan, CountedWrite::Move);
        if let Some(excess) = tally.excess(self.max_move, plan.totals.linked) {
            self.hold(plan, &HoldReason::TooManyMoves(excess), |it| it.counts_as(CountedWrite::Move));
        }
    }
}
