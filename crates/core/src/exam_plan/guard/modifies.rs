//! Values that change: of linked candidates, of those that are taken over, and login values.

use std::collections::HashSet;

use super::{Guard, tally};
use crate::exam_plan::Plan;
use crate::exam_plan::reason::HoldReason;
use crate::exam_plan::recent_writes::CountedWrite;
use crate::roster::Limit;

/// Login values that change, of the linked students on the roster: a mapping mistake looks like that.
pub(super) const MOST_LOGIN_CHANGES: Limit = Limit::Percent(5.0);

impl Guard {
    pub(super) fn hold_login_changes(&self, plan: &mut Plan) {
        let tally = self.tally(plan, CountedWrite::LoginChange);
        if let Some(excess) = tally.excess(MOST_LOGIN_CHANGES, plan.totals.linked) {
            let reason = HoldReason::TooManyLoginChanges(excess);
            self.hold(plan, &reason, |it| it.counts_as(CountedWrite::LoginChange));
        }
    }

    pub(super) fn hold_modifies(&self, plan: &mut Plan) {
        let tally = self.tally(plan, CountedWrite::Modify);
        if let Some(excess) = tally.excess(self.max_modify, plan.totals.linked) {
            self.hold(plan, &HoldReason::TooManyModifies(excess), |it| it.counts_as(CountedWrite::Modify));
        }
    }

    /// What take-overs overwrite, measured against the number taken over: on a first sync that is everybody.
    pub(super) fn hold_overwrites(&self, plan: &mut Plan) {
        let tally = self.tally(plan, CountedWrite::Overwrite);
        let taken_over = self.people_taken_over(plan);
        if let Some(excess) = tally.excess(self.max_modify, taken_over.max(tally.people())) {
            let reason = HoldReason::TooManyOverwrites(excess);
            self.hold(plan, &reason, |it| it.counts_as(CountedWrite::Overwrite));
        }
    }

    /// Whoever is taken over by this plan or was in the last 24 hours, and whoever still waits for the rest of it.
    fn people_taken_over(&self, plan: &Plan) -> u64 {
        let of_take_over = [CountedWrite::TakeOver, CountedWrite::Overwrite];
        let concerned = plan.operations.iter().filter(|operation| operation.is_planned());
        let concerned =
            concerned.filter(|operation| of_take_over.iter().any(|write| operation.counts_as(*write)));
        let people: HashSet<_> = concerned.map(|operation| &operation.student).collect();
        let known = people.iter().filter(|student| self.recent.has(CountedWrite::TakeOver, student)).count();
        let recent = self.recent.count(CountedWrite::TakeOver).saturating_sub(tally::whole(known));
        tally::whole(people.len()).saturating_add(recent)
    }
}
