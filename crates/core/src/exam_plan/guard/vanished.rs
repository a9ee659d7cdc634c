//! Candidates that no longer exist: with another account's code everybody looks gone.

use std::collections::{BTreeSet, HashSet};

use super::Guard;
use super::missing::held_dismissal;
use crate::exam_plan::reason::{Excess, HoldReason};
use crate::exam_plan::recent_writes::CountedWrite;
use crate::exam_plan::{DesiredDismissal, LinkNote, Plan};
use crate::roster::StudentId;

impl Guard {
    /// Students entered anew or taken over anew, links of students that are lost, and leavers' links to close.
    pub(super) fn hold_vanished(&self, plan: &mut Plan) {
        let closing: Vec<DesiredDismissal> =
            plan.given_up.iter().filter(|it| self.judges_closing(it)).cloned().collect();
        let Some(excess) = self.vanished(plan, &closing) else { return };
        let reason = HoldReason::TooManyVanished(excess);
        self.hold(plan, &reason, |it| it.counts_as(CountedWrite::Vanished));
        let kept: BTreeSet<&StudentId> = closing.iter().map(|it| &it.student).collect();
        plan.notes.retain(|note| {
            let is_kept = matches!(note, LinkNote::Close(student) if kept.contains(student));
            !is_kept && !matches!(note, LinkNote::Lost(_))
        });
        let held = closing.into_iter().map(|dismissal| held_dismissal(dismissal, reason.clone()));
        plan.operations.extend(held);
        plan.sort();
    }

    fn vanished(&self, plan: &Plan, closing: &[DesiredDismissal]) -> Option<Excess> {
        let judged = plan.operations.iter().filter(|operation| self.judges(operation));
        let judged = judged.filter(|operation| operation.counts_as(CountedWrite::Vanished));
        let lost = plan.notes.iter().filter(|note| matches!(note, LinkNote::Lost(_))).map(LinkNote::student);
        let mut people: HashSet<&StudentId> =
            judged.map(|operation| &operation.student).chain(lost).collect();
        people.extend(closing.iter().map(|it| &it.student));
        let total = plan.totals.linked.saturating_add(super::tally::whole(closing.len()));
        self.tally_of(people, CountedWrite::Vanished).excess(self.max_delete, total)
    }

    /// Whether nothing but the look-up says that this leaver's candidate is gone: no delete of ours, no approval.
    fn judges_closing(&self, closing: &DesiredDismissal) -> bool {
        let DesiredDismissal { student, kind, desired_hash, groups: _ } = closing;
        !self.recent.has_sent_dismissal(student) && !self.approved.contains_key(student, *kind, *desired_hash)
    }
}
