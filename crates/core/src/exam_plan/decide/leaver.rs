//! The truth table's rows for students who left the roster.

use std::collections::BTreeSet;

use super::whose::Whose;
use super::{CandidateLocation, Decider};
use crate::exam_plan::diff::{Absence, Leaver};
use crate::exam_plan::fingerprint::Fingerprint;
use crate::exam_plan::group_change::{GroupChange, TargetGroup};
use crate::exam_plan::groups::{LeaverStanding, shrink};
use crate::exam_plan::identity::Identity;
use crate::exam_plan::kind::OperationKind;
use crate::exam_plan::link::{Link, LinkNote};
use crate::exam_plan::operation::{Change, Deletion, GroupMove, Operation, OperationState};
use crate::exam_plan::policy::Trust;
use crate::exam_plan::reason::{HoldReason, SkipReason};
use crate::exam_plan::temporary_login::is_temporary_login;
use crate::exam_plan::{DesiredDismissal, MissingLeaver};
use crate::roster::{Gid, Leavers, LoginValue, Mode, StudentId};

/// What may be done to the candidate of a leaver whose grace has run out, as far as look-ups of this run tell.
enum Dismissal {
    /// It is in these groups, and it is the leaver's.
    Seen(BTreeSet<Gid>),
    /// It exists and is not listed.
    Unlisted,
    /// A look-up says something against it.
    Withheld(SkipReason),
    /// No look-up of this run says anything.
    Unseen,
}

impl Decider<'_> {
    pub(super) fn leaver(&mut self, leaver: &Leaver, location: CandidateLocation) {
        let link = &leaver.link;
        let is_unlisted = location == CandidateLocation::Nowhere;
        let is_gone = location == CandidateLocation::Gone;
        let entered_anew = self.input.entered_anew(link, &self.doubts).filter(|_| is_gone);
        let is_there = matches!(location, CandidateLocation::Here | CandidateLocation::Elsewhere(_));
        if is_gone {
            shrink(&mut self.group_sizes, link.groups.as_ref());
        }
        let found_under = match location {
            CandidateLocation::Gone if entered_anew.is_none() => return self.give_up(link),
            CandidateLocation::Elsewhere(login) => match self.whose.get(&link.student) {
                Some(Whose::Own | Whose::Untold)
                    if is_temporary_login(&link.login, link.sid) || is_temporary_login(&login, link.sid) =>
                {
                    return self.leaver_who_gave_way(leaver, login);
                }
                Some(Whose::Own | Whose::Untold) => {
                    // While a newcomer wants the login value that is remembered, it is what ties the two together.
                    let mut asked = self
                        .doubts
                        .of_leaver(link, None, leaver.listed)
                        .into_iter()
                        .map(HoldReason::SamePerson);
                    let is_decided = asked.all(|reason| self.is_named(&link.student, &reason));
                    if is_decided || !self.doubts.is_wanted_by_a_newcomer(link) {
                        self.note_follow(link, &login);
                    }
                    self.notes.push(LinkNote::RenamedByHand(link.student.clone()));
                    Some(login)
                }
                Some(Whose::Anothers(_) | Whose::Strange) | None => None,
            },
            CandidateLocation::Gone
            | CandidateLocation::Here
            | CandidateLocation::Nowhere
            | CandidateLocation::Unknown => None,
        };
        // How long they have been gone is told by our clock, and not by one that is known to be wrong.
        if !self.input.trust.is_doubtful() && !self.input.clocks_differ {
            self.notes.push(LinkNote::Gone(link.student.clone()));
        }
        if self.input.policy.leavers == Leavers::Keep || self.is_moved(link) {
            return self.kept.count_as_set();
        }
        if self.input.open_failures.keeps(link) {
            return self.keep(link);
        }
        let is_due = self.input.policy.leaver_is_due(link, self.input.now_ms);
        let is_stalled = self.is_stalled(link);
        let doubts = self.doubts(leaver, found_under.as_ref());
        self.note_asked(&doubts);
        let is_another = is_there && found_under.is_none() && self.is_another(link);
        let shows_others = |reason: &HoldReason| matches!(reason, HoldReason::SamePerson(doubt) if doubt.is_about_somebody_elses_record());
        let dismissal = match (is_due, entered_anew) {
            (true, _) if doubts.iter().any(shows_others) => Dismissal::Withheld(SkipReason::AnotherLogin),
            (true, Some(found)) => {
                let student = link.student.clone();
                Dismissal::Withheld(SkipReason::EnteredAnew { student, gone: link.sid, found })
            }
            (true, None) => self.dismissal(leaver, is_unlisted),
            (false, _) if is_another => Dismissal::Withheld(SkipReason::AnotherLogin),
            (false, _) => Dismissal::Unseen,
        };
        let is_asked = doubts.iter().any(|doubt| !self.is_approved(link, doubt));
        let before = self.operations.len();
        match dismissal {
            // What is done is decided first; each doubt is asked about just that.
            Dismissal::Seen(held) => self.dismiss(link, &held, &doubts),
            Dismissal::Unlisted | Dismissal::Withheld(_) | Dismissal::Unseen if is_asked => {
                self.hold_leaver(link, &doubts);
            }
            Dismissal::Unlisted => self.leave_unlisted(link),
            Dismissal::Withheld(reason) => self.withhold(link, reason),
            Dismissal::Unseen if is_due => self.dismiss_unseen(link),
            Dismissal::Unseen if is_stalled => self.withhold(link, SkipReason::ClocksDiffer),
            Dismissal::Unseen => self.count_waiting(link),
        }
        self.miss(link, !is_due && !is_asked && !is_stalled && !is_another);
        self.count_ignored(link, before);
        let of_mode = |it: &Operation| matches!(it.state, OperationState::Skipped(SkipReason::Mode(_)));
        if self.operations.iter().skip(before).any(of_mode) {
            let since_ms = link.gone_since_ms.unwrap_or(self.input.now_ms);
            let known = self.leavers_of_mode_since_ms;
            self.leavers_of_mode_since_ms = known.into_iter().chain([since_ms]).min();
        }
    }

    /// Whether the leaver's sid shows another login value. A person hears of that while the grace runs: it has to be mended
    /// on the exam side before anything is done.
    fn is_another(&self, link: &Link) -> bool {
        let is_another = self.input.lookups.identity(link.sid, &link.login) == Identity::Another;
        is_another && self.input.policy.mode == Mode::Sync && !self.input.trust.is_doubtful()
    }

    /// A later run asks about these pairs again, whatever has changed by then.
    fn note_asked(&mut self, doubts: &[HoldReason]) {
        let pairs = doubts.iter().filter_map(|reason| {
            let HoldReason::SamePerson(doubt) = reason else { return None };
            doubt.pair()
        });
        for (leaver, newcomer) in pairs {
            let pair = (leaver.clone(), newcomer.clone());
            let asked = self.askable.get(&pair).cloned().unwrap_or_default();
            self.asked.insert(pair, asked);
        }
    }

    fn count_waiting(&mut self, link: &Link) {
        self.leavers_waiting += 1;
        let since_ms = link.gone_since_ms.unwrap_or(self.input.now_ms);
        self.leavers_waiting_since_ms = self.leavers_waiting_since_ms.into_iter().chain([since_ms]).min();
    }

    /// The leaver's candidate was in a circle of renames when a run was cut off: its other login value is our doing, and
    /// nobody's by hand.
    fn leaver_who_gave_way(&mut self, leaver: &Leaver, login: LoginValue) {
        let Leaver { link, listed: _, prior, absence } = leaver;
        self.notes.push(LinkNote::Follow(link.student.clone(), login.clone()));
        let link = Link { login, ..link.clone() };
        let followed = Leaver { link, listed: true, prior: *prior, absence: *absence };
        self.leaver(&followed, CandidateLocation::Here);
    }

    /// What the look-ups of this run let be done to a leaver's candidate.
    fn dismissal(&mut self, leaver: &Leaver, is_unlisted: bool) -> Dismissal {
        let Leaver { link, prior, listed, .. } = leaver;
        let lookups = self.input.lookups;
        let is_in_doubt = lookups.absence(link, *prior, *listed, self.input.now_ms).is_some();
        match self.looked_up(link, *prior) {
            _ if is_unlisted => Dismissal::Unlisted,
            _ if is_in_doubt => Dismissal::Withheld(self.location_unknown(link, *prior, *listed)),
            Some(_) if lookups.identity(link.sid, &link.login) != Identity::Proven => {
                Dismissal::Withheld(self.not_proven(link.sid, &link.login))
            }
            Some(held) => Dismissal::Seen(held),
            None => Dismissal::Unseen,
        }
    }

    /// A person said that the leaver stays: nothing that is found later is taken for their leave to go.
    fn keep(&mut self, link: &Link) {
        let DesiredDismissal { student, kind, desired_hash, groups: _ } = self.desired_dismissal(link);
        let state = OperationState::Skipped(SkipReason::Ignored);
        let before = self.operations.len();
        self.push_without_change(student, kind, desired_hash, state, true);
        self.count_ignored(link, before);
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
            Absence::StillNamed if self.input.open_failures.says_left(link) => None,
            Absence::StillNamed => Some(HoldReason::StillNamed),
            Absence::Missing => {
                let unreadable = self.input.diff.unreadable_since_ms;
                unreadable.filter(|since_ms| gone_since_ms >= *since_ms).map(|_| HoldReason::UnreadableIds)
            }
        }
    }

    /// A candidate that exists and is not listed is left alone until it is.
    fn leave_unlisted(&mut self, link: &Link) {
        if self.is_left_to_others(link) {
            let foreign = link.groups.clone().unwrap_or_default();
            return self.kept.count(link, &foreign);
        }
        let reason = self.unlisted_reason(link.sid);
        self.withhold(link, reason);
    }

    /// What is to be done to a leaver's candidate is left for another run.
    fn withhold(&mut self, link: &Link, reason: SkipReason) {
        let DesiredDismissal { student, kind, .. } = self.desired_dismissal(link);
        self.skip_leaver(student, kind, reason);
    }

    /// Whether clocks that differ keep the grace from beginning: nothing ends that but a clock that is put right.
    fn is_stalled(&self, link: &Link) -> bool {
        let is_noted = self.input.trust.is_doubtful() || !self.input.clocks_differ;
        self.input.policy.mode == Mode::Sync && link.gone_since_ms.is_none() && !is_noted
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
        if self.input.policy.mode == Mode::Sync && !self.is_left_to_others(link) && !is_ignored {
            let since_ms = link.gone_since_ms.map_or(self.input.now_ms, |since| since.min(self.input.now_ms));
            self.missing.push(MissingLeaver { dismissal, since_ms, waits });
        }
    }

    /// Whether the candidate was last seen in groups of others alone, in a shared account.
    fn is_left_to_others(&self, link: &Link) -> bool {
        let is_left =
            |held: &BTreeSet<Gid>| !held.is_empty() && self.input.groups.ours_among(held).is_empty();
        self.input.policy.shared && link.groups.as_ref().is_some_and(is_left)
    }

    /// Whether the candidate was last seen where leavers are moved to, and nowhere else.
    fn is_moved(&self, link: &Link) -> bool {
        let standing = link.groups.as_ref().map(|held| self.input.groups.standing_of_leaver(held));
        standing == Some(LeaverStanding::Moved)
    }

    /// The reasons to ask a person about the leaver. They are asked while the grace runs too: the sooner a person answers,
    /// the less is entered twice, and the longer there is to mend a roster that contradicts itself.
    fn doubts(&self, leaver: &Leaver, found_under: Option<&LoginValue>) -> Vec<HoldReason> {
        if self.input.policy.mode != Mode::Sync || self.input.trust.is_doubtful() {
            return Vec::new();
        }
        let mut doubts = self.same_person(leaver, found_under);
        doubts.extend(self.may_be_there(leaver));
        doubts
    }

    /// The reasons to ask whether the leaver is on the roster under another id.
    fn same_person(&self, leaver: &Leaver, found_under: Option<&LoginValue>) -> Vec<HoldReason> {
        let link = &leaver.link;
        if let Some(reason) = self.changed_hands(&link.student) {
            return vec![reason];
        }
        self.doubts
            .of_leaver(link, found_under, leaver.listed)
            .into_iter()
            .map(HoldReason::SamePerson)
            .collect()
    }

    /// Whether a person let what is known of a leaver's dismissal without a look-up go ahead although it is held for this
    /// reason.
    fn is_approved(&self, link: &Link, reason: &HoldReason) -> bool {
        let DesiredDismissal { student, kind, desired_hash, groups: _ } = self.desired_dismissal(link);
        reason.named().is_some_and(|hold| self.input.approved.names(&student, kind, desired_hash, hold))
    }

    /// Holds what is done to a leaver's candidate, as far as it is known without a look-up.
    fn hold_leaver(&mut self, link: &Link, doubts: &[HoldReason]) {
        let held = link.groups.clone().unwrap_or_default();
        if self.input.trust.is_doubtful() {
            return;
        }
        // What is held here is what `desired_dismissal` names: an approval of it must find the same again.
        let before = self.operations.len();
        match (self.input.groups.standing_of_leaver(&held), self.input.policy.leavers) {
            (_, Leavers::Keep) => return,
            (LeaverStanding::Foreign(gids), _) if self.input.policy.shared => {
                self.leave_to_others(link, &held, &gids);
            }
            (_, Leavers::Delete) => self.delete(link, &held),
            (_, Leavers::MoveTo(gid)) => {
                let target = || GroupChange::MoveTo(TargetGroup::Existing(Gid(gid)));
                let change = self.input.groups.change_of_leaver(Gid(gid), &held).unwrap_or_else(target);
                self.dismiss_by_move(link, change, &held, self.desired_move_of_leaver(link, true));
            }
        }
        doubts.iter().for_each(|doubt| self.hold_from(before, doubt));
    }

    /// A leaver of whom this run's look-ups say nothing: only what an earlier one showed can be told.
    fn dismiss_unseen(&mut self, link: &Link) {
        let held = link.groups.clone().unwrap_or_default();
        match self.input.groups.standing_of_leaver(&held) {
            LeaverStanding::Foreign(gids) if self.input.policy.shared => {
                if self.input.groups.ours_among(&held).is_empty() {
                    return self.kept.count(link, &gids);
                }
            }
            LeaverStanding::Foreign(gids) => {
                let reason = HoldReason::ForeignGroup(gids);
                let allowed = self.input.policy.mode == Mode::Sync && !self.input.trust.is_doubtful();
                if allowed && !self.is_approved(link, &reason) {
                    return self.hold_leaver(link, &[reason]);
                }
            }
            LeaverStanding::Ours | LeaverStanding::Moved => {}
        }
        let reason = self.groups_unknown(link);
        self.withhold(link, reason);
    }

    /// Plans the removal of a leaver whose grace has run out, from the groups that a look-up of this run shows.
    fn dismiss(&mut self, link: &Link, held: &BTreeSet<Gid>, doubts: &[HoldReason]) {
        let before = self.operations.len();
        let standing = self.input.groups.standing_of_leaver(held);
        match (&standing, self.input.policy.leavers) {
            (_, Leavers::Keep) => {}
            (LeaverStanding::Foreign(gids), _) if self.input.policy.shared => {
                self.leave_to_others(link, held, gids);
            }
            (_, Leavers::Delete) => self.delete(link, held),
            (_, Leavers::MoveTo(gid)) => match self.input.groups.change_of_leaver(Gid(gid), held) {
                Some(group_change) => {
                    self.dismiss_by_move(link, group_change, held, self.desired_move_of_leaver(link, true));
                }
                None => self.kept.count_as_set(),
            },
        }
        doubts.iter().for_each(|doubt| self.hold_from(before, doubt));
        if let (LeaverStanding::Foreign(gids), false) = (standing, self.input.policy.shared) {
            self.hold_from(before, &HoldReason::ForeignGroup(gids));
        }
    }

    /// Other schools have the candidate too: only our groups are ours to take it out of.
    fn leave_to_others(&mut self, link: &Link, held: &BTreeSet<Gid>, foreign: &BTreeSet<Gid>) {
        let surplus = self.input.groups.ours_among(held);
        if surplus.is_empty() {
            return self.kept.count(link, foreign);
        }
        let group_change = GroupChange::Adjust { missing: BTreeSet::new(), surplus };
        self.dismiss_by_move(link, group_change, held, self.desired_move_of_leaver(link, false));
    }

    /// A leaver of whom a person said that nothing is done stays, and is counted.
    fn count_ignored(&mut self, link: &Link, first: usize) {
        let is_ignored =
            |operation: &Operation| operation.state == OperationState::Skipped(SkipReason::Ignored);
        if !self.operations.iter().skip(first).any(is_ignored) {
            return;
        }
        let held = link.groups.clone().unwrap_or_default();
        let foreign = match self.input.groups.standing_of_leaver(&held) {
            LeaverStanding::Foreign(gids) => gids,
            LeaverStanding::Ours | LeaverStanding::Moved => BTreeSet::new(),
        };
        self.kept.count(link, &foreign);
    }

    /// What is to be done to a leaver's candidate, as far as it is known before the groups are looked up.
    fn desired_dismissal(&self, link: &Link) -> DesiredDismissal {
        let held = link.groups.clone().unwrap_or_default();
        let leaves_to_others = self.input.policy.shared
            && matches!(self.input.groups.standing_of_leaver(&held), LeaverStanding::Foreign(_));
        let (kind, desired_hash) = match self.input.policy.leavers {
            Leavers::Delete if !leaves_to_others => (OperationKind::Delete, self.desired_delete(link)),
            Leavers::Delete | Leavers::Keep | Leavers::MoveTo(_) => {
                (OperationKind::Move, self.desired_move_of_leaver(link, !leaves_to_others))
            }
        };
        let groups = held.into_iter().filter(|gid| self.input.groups.is_on_roster(*gid)).collect();
        DesiredDismissal { student: link.student.clone(), kind, desired_hash, groups }
    }

    fn desired_delete(&self, link: &Link) -> Fingerprint {
        self.desired_digest(&link.student, OperationKind::Delete).number(link.sid.0).finish()
    }

    fn desired_move_of_leaver(&self, link: &Link, to_the_group_of_leavers: bool) -> Fingerprint {
        let mut digest = self.desired_digest(&link.student, OperationKind::Move);
        digest.number(link.sid.0).text("leaver");
        if let (Leavers::MoveTo(gid), true) = (self.input.policy.leavers, to_the_group_of_leavers) {
            digest.number(gid);
        }
        digest.finish()
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

    fn dismiss_by_move(
        &mut self,
        link: &Link,
        group_change: GroupChange,
        held: &BTreeSet<Gid>,
        desired_hash: Fingerprint,
    ) {
        let id = link.student.clone();
        let Trust::Complete(proof) = self.input.trust else {
            return self.skip_leaver(id, OperationKind::Move, SkipReason::DoubtfulListing);
        };
        let groups_left = group_change.groups_left(held);
        let change = Change::Move(GroupMove::of_leaver(link.sid, group_change, proof));
        self.add_operation(id, change, desired_hash, groups_left, true);
    }
}
