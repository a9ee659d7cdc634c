//! The truth table's rows for students who left the roster.

use std::collections::BTreeSet;

use super::{CandidateLocation, Decider};
use crate::exam_plan::diff::{Absence, Leaver};
use crate::exam_plan::fingerprint::Fingerprint;
use crate::exam_plan::group_change::GroupChange;
use crate::exam_plan::groups::{WantedGroups, shrink};
use crate::exam_plan::identity::Identity;
use crate::exam_plan::kind::OperationKind;
use crate::exam_plan::link::{Link, LinkNote};
use crate::exam_plan::operation::{Change, Deletion, GroupMove};
use crate::exam_plan::policy::Trust;
use crate::exam_plan::reason::{HoldReason, SkipReason};
use crate::exam_plan::{DesiredDismissal, MissingLeaver};
use crate::roster::{Gid, StudentId};
use crate::roster::{Leavers, Mode};

impl Decider<'_> {
    pub(super) fn leaver(&mut self, leaver: &Leaver, location: CandidateLocation) {
        let link = &leaver.link;
        let is_unlisted = location == CandidateLocation::Nowhere;
        match location {
            CandidateLocation::Gone => {
                shrink(&mut self.group_sizes, link.groups.as_ref());
                self.give_up(link);
                return;
            }
            // The link does not follow: who shows another login value may be another person by now.
            CandidateLocation::Elsewhere(_)
            | CandidateLocation::Here
            | CandidateLocation::Nowhere
            | CandidateLocation::Unknown => {}
        }
        let is_in_doubt =
            self.input.lookups.absence(link, leaver.prior, leaver.listed, self.input.now_ms).is_some();
        if !self.input.trust.is_doubtful() {
            self.notes.push(LinkNote::Gone(link.student.clone()));
        }
        if self.input.policy.leavers == Leavers::Keep {
            return;
        }
        if !self.input.policy.leaver_is_due(link, self.input.now_ms) {
            self.leavers_waiting += 1;
            return self.miss(link, true);
        }
        self.miss(link, false);
        if is_unlisted && self.is_done_with(link) {
            return;
        }
        if is_unlisted {
            let reason = self.unlisted_reason(link.sid);
            return self.skip_leaver(link.student.clone(), self.dismissal(link), reason);
        }
        if is_in_doubt {
            let reason = self.location_unknown(link, leaver.prior, leaver.listed);
            return self.skip_leaver(link.student.clone(), self.dismissal(link), reason);
        }
        let before = self.operations.len();
        match self.looked_up(link, leaver.prior) {
            Some(_) if self.input.lookups.identity(link.sid, &link.login) != Identity::Proven => {
                let reason = self.not_proven(link.sid, &link.login);
                self.skip_leaver(link.student.clone(), self.dismissal(link), reason);
            }
            Some(held) => self.dismiss(link, &held),
            None if self.is_done_with(link) => {}
            None => {
                let reason = self.groups_unknown(link);
                self.skip_leaver(link.student.clone(), self.dismissal(link), reason);
            }
        }
        if let Some(reason) = self.may_be_there(leaver) {
            for operation in
                self.operations.iter_mut().skip(before).filter(|operation| operation.is_planned())
            {
                let (student, kind) = (&operation.student, operation.kind());
                let hash = operation.desired_hash;
                operation.state = self.input.held_about_people(student, kind, hash, reason.clone());
            }
        }
    }

    /// Why the roster contradicts itself about whether the student has left.
    fn may_be_there(&self, leaver: &Leaver) -> Option<HoldReason> {
        let gone_since_ms = leaver.link.gone_since_ms.unwrap_or(self.input.now_ms);
        let link = &leaver.link;
        if StudentId::entered(link.student.as_str()) != link.student {
            return Some(HoldReason::TwinOf(link.sid));
        }
        match leaver.absence {
            Absence::Marked => None,
            Absence::StillNamed => Some(HoldReason::StillNamed),
            Absence::Missing => {
                let unreadable = self.input.diff.unreadable_since_ms;
                unreadable.filter(|since_ms| gone_since_ms >= *since_ms).map(|_| HoldReason::UnreadableIds)
            }
        }
    }

    /// The candidate is gone, and its student too.
    fn give_up(&mut self, link: &Link) {
        self.notes.push(LinkNote::Close(link.student.clone()));
        let dismissal = self.desired_dismissal(link);
        self.given_up.push(dismissal);
    }

    /// Remembers a leaver for the guard, unless an earlier run has dealt with them or a person said to leave them.
    fn miss(&mut self, link: &Link, waits: bool) {
        let dismissal = self.desired_dismissal(link);
        let DesiredDismissal { student, kind, desired_hash, groups: _ } = &dismissal;
        let is_ignored = self.input.open_failures.is_ignored(student, *kind, *desired_hash);
        if self.input.policy.mode == Mode::Sync && !self.is_done_with(link) && !is_ignored {
            let since_ms = link.gone_since_ms.unwrap_or(self.input.now_ms);
            self.missing.push(MissingLeaver { dismissal, since_ms, waits });
        }
    }

    /// What is to be done to a leaver's candidate, as far as it is known before the groups are looked up.
    fn desired_dismissal(&self, link: &Link) -> DesiredDismissal {
        let kind = self.dismissal(link);
        let target = match self.input.policy.leavers {
            Leavers::MoveTo(gid) => Some(Gid(gid)),
            Leavers::Delete | Leavers::Keep => None,
        };
        let desired_hash = match kind {
            OperationKind::Delete => self.desired_delete(link),
            OperationKind::Move
            | OperationKind::CreateGroup
            | OperationKind::Adopt
            | OperationKind::Add
            | OperationKind::Modify => self.desired_move_of_leaver(link, target),
        };
        let held = link.groups.iter().flatten().copied();
        let groups = held.filter(|gid| self.input.groups.is_on_roster(*gid)).collect();
        DesiredDismissal { student: link.student.clone(), kind, desired_hash, groups }
    }

    fn desired_delete(&self, link: &Link) -> Fingerprint {
        self.desired_digest(&link.student, OperationKind::Delete).number(link.sid.0).finish()
    }

    fn desired_move_of_leaver(&self, link: &Link, target: Option<Gid>) -> Fingerprint {
        let mut digest = self.desired_digest(&link.student, OperationKind::Move);
        digest.number(link.sid.0).text("leaver");
        if let Some(gid) = target {
            digest.number(gid.0);
        }
        digest.finish()
    }

    /// Whether an earlier run has already done to the candidate what is done to leavers.
    fn is_done_with(&self, link: &Link) -> bool {
        link.groups.as_ref().is_some_and(|held| self.input.groups.is_done_with(held))
    }

    /// The kind of operation that removes this leaver, as far as it is known before the groups are looked up.
    fn dismissal(&self, link: &Link) -> OperationKind {
        let foreign = |held: &BTreeSet<Gid>| held.iter().any(|gid| !self.input.groups.is_ours(*gid));
        match self.input.policy.leavers {
            Leavers::Delete if !link.groups.as_ref().is_some_and(foreign) => OperationKind::Delete,
            Leavers::Delete | Leavers::Keep | Leavers::MoveTo(_) => OperationKind::Move,
        }
    }

    /// Plans the removal of a leaver whose grace has run out.
    fn dismiss(&mut self, link: &Link, held: &BTreeSet<Gid>) {
        let ours = self.input.groups.ours_among(held);
        if ours.len() < held.len() {
            // Another school has the candidate too: only our groups are ours to take it out of.
            if !ours.is_empty() {
                let group_change = GroupChange::Adjust { missing: BTreeSet::new(), surplus: ours };
                self.dismiss_by_move(link, group_change, held);
            }
            return;
        }
        match self.input.policy.leavers {
            Leavers::Keep => {}
            Leavers::MoveTo(gid) => {
                if let Some(group_change) =
                    self.input.groups.change(&WantedGroups::of_gids(BTreeSet::from([Gid(gid)])), held)
                {
                    self.dismiss_by_move(link, group_change, held);
                }
            }
            Leavers::Delete => self.delete(link, held),
        }
    }

    fn delete(&mut self, link: &Link, held: &BTreeSet<Gid>) {
        let id = link.student.clone();
        match self.input.trust {
            Trust::Complete(proof) => {
                let desired_hash = self.desired_delete(link);
                let change = Change::Delete(Deletion::certified(link.sid, proof));
                self.add_operation(id, change, desired_hash, held.clone(), true);
            }
            Trust::Doubtful(_) => {
                self.skip_leaver(id, OperationKind::Delete, SkipReason::DoubtfulListing);
            }
        }
    }

    fn dismiss_by_move(&mut self, link: &Link, group_change: GroupChange, held: &BTreeSet<Gid>) {
        let id = link.student.clone();
        let Trust::Complete(proof) = self.input.trust else {
            return self.skip_leaver(id, OperationKind::Move, SkipReason::DoubtfulListing);
        };
        let target = match &group_change {
            GroupChange::MoveTo(target) => target.gid(),
            GroupChange::Adjust { .. } => None,
        };
        let desired_hash = self.desired_move_of_leaver(link, target);
        let groups_left = group_change.groups_left(held);
        let change = Change::Move(GroupMove::of_leaver(link.sid, group_change, proof));
        self.add_operation(id, change, desired_hash, groups_left, true);
    }
}
