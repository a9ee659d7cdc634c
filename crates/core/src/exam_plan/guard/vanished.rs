//! Candidates that no longer exist: with another account's code everybody looks gone.

use std::collections::HashSet;

use super::Guard;
use super::missing::held_dismissal;
use crate::exam_plan::held_mass::MassLimit;
use crate::exam_plan::reason::{Excess, HoldReason};
use crate::exam_plan::recent_writes::CountedWrite;
use crate::exam_plan::{DesiredDismissal, LinkNote, Plan};
use crate::roster::StudentId;

impl Guard {
    /// Students entered anew or taken over anew, links of students that are lost, and leavers' links to close.
    pub(super) fn hold_vanished(&self, plan: &mut Plan) {
        let closing: Vec<DesiredDismissal> =
            plan.given_up.iter().filter(|it| self.judges_closing(it)).cloned().collect();
        let Some(excess) = self.vanished(plan, &closing) else {
            return keep_links(plan, self.closings_held_before(plan, closing));
        };
        let reason = HoldReason::TooManyVanished(excess);
        self.hold(plan, &reason, |it| it.counts_as(CountedWrite::Vanished));
        plan.notes.retain(|note| !matches!(note, LinkNote::Lost(_)));
        keep_links(plan, closing.into_iter().map(|dismissal| (dismissal, reason.clone())).collect());
    }

    /// Links of leavers that belong to a mass which was held, and about whom nobody has decided.
    fn closings_held_before(
        &self,
        plan: &Plan,
        closing: Vec<DesiredDismissal>,
    ) -> Vec<(DesiredDismissal, HoldReason)> {
        let sizes = self.held_before.people(plan);
        let held = |dismissal: DesiredDismissal| {
            let mass = self.held_before.of_leaver(&dismissal.student);
            let mass = mass.filter(|mass| mass.limit == MassLimit::Vanished)?;
            let reason = self.still_too_much(mass, &sizes)?;
            Some((dismissal, reason))
        };
        closing.into_iter().filter_map(held).collect()
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

/// Keeps these links, and shows why.
fn keep_links(plan: &mut Plan, held: Vec<(DesiredDismissal, HoldReason)>) {
    if held.is_empty() {
        return;
    }
    let kept: HashSet<&StudentId> = held.iter().map(|(dismissal, _)| &dismissal.student).collect();
    plan.notes.retain(|note| !matches!(note, LinkNote::Close(student) if kept.contains(student)));
    let shown = held.into_iter().map(|(dismissal, reason)| held_dismissal(dismissal, reason));
    plan.operations.extend(shown);
    plan.sort();
}
