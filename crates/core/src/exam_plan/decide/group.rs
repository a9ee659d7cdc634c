//! Group changes that a student's memberships ask for.

use std::collections::BTreeSet;

use super::Decider;
use crate::exam_plan::desired_hash::desired_move;
use crate::exam_plan::diff::{PriorKnowledge, Wanted};
use crate::exam_plan::group_change::{GroupChange, TargetGroup};
use crate::exam_plan::groups::{WantedGroups, grow, shrink};
use crate::exam_plan::kind::OperationKind;
use crate::exam_plan::link::{Link, LinkNote};
use crate::exam_plan::lookup::SidFact;
use crate::exam_plan::operation::{Change, GroupMove, Operation, OperationState};
use crate::exam_plan::reason::{CannotReason, HoldReason, SkipReason};
use crate::roster::{Gid, Sid, StudentId};

impl Decider<'_> {
    /// A linked candidate's groups as looked up in this run, where they were.
    pub(super) fn looked_up(&mut self, link: &Link, prior: PriorKnowledge) -> Option<BTreeSet<Gid>> {
        match self.input.lookups.by_sid.get(&link.sid) {
            Some(SidFact::Found { groups: Some(groups), .. }) => {
                if link.groups.as_ref() != Some(groups) {
                    self.notes.push(LinkNote::Groups(link.student.clone(), groups.clone()));
                    shrink(&mut self.group_sizes, link.groups.as_ref());
                    grow(&mut self.group_sizes, groups);
                }
                Some(groups.clone())
            }
            Some(_) | None if prior == PriorKnowledge::Groups => link.groups.clone(),
            Some(_) | None => None,
        }
    }

    /// Why a linked candidate's groups are not known from this run.
    pub(super) fn groups_unknown(&self, link: &Link) -> SkipReason {
        match self.input.lookups.by_sid.get(&link.sid) {
            Some(SidFact::Found { groups: None, .. }) => SkipReason::GroupsNotTold,
            Some(_) | None => self.not_found_out(),
        }
    }

    pub(super) fn regroup_linked(&mut self, wanted: &Wanted, link: &Link, prior: PriorKnowledge) {
        let looked_up = self.looked_up(link, prior);
        let known = looked_up.as_ref().or(link.groups.as_ref());
        let differs = known.is_none_or(|held| self.input.groups.differ(&wanted.groups, held));
        match looked_up {
            _ if !differs => self.missing_gid(&wanted.id, &wanted.groups),
            Some(held) => self.regroup(&wanted.id, link.sid, &wanted.groups, &held),
            // What is held costs no look-up: it is as an earlier one showed it.
            None if self.stays_in_doubt(wanted, link) => {
                let held = link.groups.clone().unwrap_or_default();
                self.regroup(&wanted.id, link.sid, &wanted.groups, &held);
            }
            None => {
                let reason = self.groups_unknown(link);
                self.skip(wanted.id.clone(), OperationKind::Move, reason);
            }
        }
    }

    /// Whether all that is to be done to the groups of a linked student is held for rows that name nobody.
    fn stays_in_doubt(&self, wanted: &Wanted, link: &Link) -> bool {
        let groups = self.input.groups;
        link.groups.as_ref().is_some_and(|held| {
            groups.rows_in_doubt(&wanted.groups, held) > 0 && groups.joins(&wanted.groups, held).is_none()
        }) && !self.is_named(&wanted.id, &HoldReason::RowsOfNobody(0))
    }

    /// From the groups held, as looked up in this run, to the wanted ones. Who may be meant by a row that names nobody
    /// leaves no group before a person says so; they join others all the same.
    pub(super) fn regroup(&mut self, id: &StudentId, sid: Sid, wanted: &WantedGroups, held: &BTreeSet<Gid>) {
        let groups = self.input.groups;
        let desired_hash = desired_move(self.input.comparison.key, id, &wanted.targets());
        let named = HoldReason::RowsOfNobody(0).named();
        let is_approved =
            named.is_some_and(|hold| self.input.approved.names(id, OperationKind::Move, desired_hash, hold));
        let in_doubt = if is_approved { 0 } else { groups.rows_in_doubt(wanted, held) };
        let joins = groups.joins(wanted, held).filter(|_| in_doubt > 0);
        let is_held = in_doubt > 0 && joins.is_none();
        let Some(group_change) = joins.or_else(|| groups.change(wanted, held)) else {
            return self.missing_gid(id, wanted);
        };
        let groups_left = group_change.groups_left(held);
        let group_move = GroupMove::of_student(Some(sid), wanted, group_change);
        let change = Change::Move(group_move.replacing(groups.replaced(wanted, held)));
        let before = self.operations.len();
        self.add_operation(id.clone(), change, desired_hash, groups_left, false);
        if is_held {
            self.hold_from(before, &HoldReason::RowsOfNobody(in_doubt));
        }
    }

    /// Further groups of a student that this plan adds; they need the sid that the add will return.
    pub(super) fn follow_add(
        &mut self,
        id: &StudentId,
        first: &TargetGroup,
        wanted: &WantedGroups,
        added: &OperationState,
    ) {
        let targets = wanted.targets().into_iter();
        let further: BTreeSet<TargetGroup> = targets.filter(|target| target != first).collect();
        if further.is_empty() {
            return self.missing_gid(id, wanted);
        }
        let state = match added {
            OperationState::Planned => OperationState::Planned,
            OperationState::Skipped(reason) => OperationState::Skipped(reason.clone()),
            OperationState::Held(_) | OperationState::Cannot(_) => {
                OperationState::Skipped(SkipReason::Depends(OperationKind::Add))
            }
        };
        let desired_hash = desired_move(self.input.comparison.key, id, &wanted.targets());
        let group_change = GroupChange::Adjust { missing: further, surplus: BTreeSet::new() };
        let change = Change::Move(GroupMove::of_student(None, wanted, group_change));
        let groups_left = BTreeSet::new();
        self.operations.push(Operation {
            student: id.clone(),
            change,
            state,
            desired_hash,
            of_leaver: false,
            groups_left,
            groups: BTreeSet::new(),
        });
    }

    /// A group without gid is an error for the students in it alone.
    fn missing_gid(&mut self, id: &StudentId, wanted: &WantedGroups) {
        if !wanted.is_whole() {
            self.lack_group(id.clone(), OperationKind::Move, wanted);
        }
    }

    /// Records that a group stands in the way. The bad row of a group is a failure of its own, and the only one.
    pub(super) fn lack_group(&mut self, id: StudentId, kind: OperationKind, wanted: &WantedGroups) {
        match &wanted.unclear {
            Some(code) if self.input.groups.is_row_in_the_way(code) => {
                self.skip(id, kind, SkipReason::GroupRow(code.clone()));
            }
            Some(_) | None => self.mark_impossible(id, kind, lacking_group(wanted)),
        }
    }
}

/// Which group stands in the way: one that is not there, one without gid, or none at all.
fn lacking_group(wanted: &WantedGroups) -> CannotReason {
    match (&wanted.unclear, &wanted.without_gid) {
        (Some(code), _) => CannotReason::GroupNotThere(code.clone()),
        (None, Some(code)) => CannotReason::GroupWithoutGid(code.clone()),
        (None, None) => CannotReason::NoGroup,
    }
}
