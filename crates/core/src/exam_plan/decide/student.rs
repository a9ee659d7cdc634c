//! The truth table's rows for students on the roster.

use std::collections::BTreeMap;

use super::came_back::LoginForm;
use super::counted::Basis;
use super::open_add::Met;
use super::whose::Whose;
use super::{CandidateLocation, Decider};
use crate::exam_plan::compare::FieldDifference;
use crate::exam_plan::desired_hash::{desired_add, desired_adoption};
use crate::exam_plan::diff::{LinkedStudent, Newcomer, PriorKnowledge, Wanted};
use crate::exam_plan::fingerprint::Fingerprint;
use crate::exam_plan::groups::{grow, shrink};
use crate::exam_plan::identity::Identity;
use crate::exam_plan::kind::OperationKind;
use crate::exam_plan::link::{Link, LinkNote, Origin};
use crate::exam_plan::lookup::LoginFact;
use crate::exam_plan::operation::{
    Addition, Adoption, Change, FieldChange, LoginChange, Modification, OperationState,
};
use crate::exam_plan::person_doubt::PersonDoubt;
use crate::exam_plan::reason::{CannotReason, HoldReason, SkipReason};
use crate::roster::Adopt;
use crate::roster::{FieldId, LoginValue, Sid, StudentId};

impl Decider<'_> {
    pub(super) fn newcomer(&mut self, newcomer: Newcomer) {
        let Newcomer { wanted, listed, replaces } = newcomer;
        if wanted.is_ambiguous {
            return self.skip(wanted.id, OperationKind::Adopt, SkipReason::AmbiguousLogin);
        }
        let doubt = self.alike(&wanted, listed.is_some()).filter(|_| replaces.is_none());
        let (before, is_listed) = (self.operations.len(), listed.is_some());
        match (listed, replaces, &doubt) {
            (Some(_), None, Some(doubt)) if self.hold_adoption(&wanted, doubt) => return,
            (Some(difference), None, _) => self.meet(&wanted, &difference),
            (_, replaces, _) => self.enter(wanted, replaces),
        }
        if let Some(doubt) = doubt.filter(|_| !is_listed) {
            self.hold_first_from(before, &HoldReason::SamePerson(doubt));
        }
    }

    /// The doubt whether the student is somebody with nearly the same id, or with the same login value until a hand
    /// changed it, who has left. Entered now, one person would be
    /// there twice, and could no longer be carried over to the new id.
    fn alike(&self, wanted: &Wanted, is_listed: bool) -> Option<PersonDoubt> {
        let is_in_use = is_listed && self.current.other_with_login(&wanted.login, &wanted.id).is_some();
        let doubt = self.doubts.of_newcomer(&wanted.id, &wanted.login);
        // Alike ids are two people only once both are approved; a login value is free once its leaver is.
        let is_decided = |doubt: &PersonDoubt| match doubt {
            PersonDoubt::LoginWanted { leaver, .. }
            | PersonDoubt::LoginAlike { leaver, .. }
            | PersonDoubt::AskedBefore { leaver, .. }
            | PersonDoubt::WantedBefore { leaver, .. }
            | PersonDoubt::SameValues { leaver, .. } => {
                self.gone.contains(leaver) || self.is_named(leaver, &HoldReason::SamePerson(doubt.clone()))
            }
            PersonDoubt::AlikeIds { .. }
            | PersonDoubt::GivenTo { .. }
            | PersonDoubt::AlikeEntered { .. }
            | PersonDoubt::AskedAbout { .. }
            | PersonDoubt::CalledOne { .. }
            | PersonDoubt::RenamedByHand { .. }
            | PersonDoubt::Exchanged { .. }
            | PersonDoubt::UsedAgain { .. }
            | PersonDoubt::ChangedHands { .. } => false,
        };
        doubt.filter(|doubt| !is_in_use && !self.input.trust.is_doubtful() && !is_decided(doubt))
    }

    /// Whether a take-over waits for a person; then nothing is looked up for it.
    fn hold_adoption(&mut self, wanted: &Wanted, doubt: &PersonDoubt) -> bool {
        let (id, kind) = (&wanted.id, OperationKind::Adopt);
        let desired_hash = desired_adoption(self.input.comparison.key, id, &wanted.login);
        let reason = HoldReason::SamePerson(doubt.clone());
        let state = self.input.held_about_people(id, kind, desired_hash, reason);
        let waits = state != OperationState::Planned;
        if waits {
            self.push_without_change(id.clone(), kind, desired_hash, state, false);
        }
        waits
    }

    /// The wait for a login value that another student's candidate has.
    fn login_in_use(&self, owner: &StudentId, wanted_by: &StudentId, is_new: bool) -> SkipReason {
        if self.doubts.has_left(owner) {
            let is_new = is_new && !self.doubts.is_rather_anothers(wanted_by, owner);
            SkipReason::LoginOfLeaver { leaver: owner.clone(), wanted_by: wanted_by.clone(), is_new }
        } else {
            SkipReason::LoginInUse(owner.clone())
        }
    }

    /// A student without a candidate of their own: the listed one is taken over, else one is added.
    fn enter(&mut self, wanted: Wanted, replaces: Option<Sid>) {
        if self.is_met_by_open_add(&wanted, replaces) {
            return;
        }
        match self.input.comparison.observed.find(&wanted.login) {
            None => self.add(wanted, replaces),
            Some(row) => {
                let difference = self.input.comparison.fields(row, &wanted.values.0, None);
                self.adopt(&wanted, &difference, replaces);
            }
        }
    }

    fn add(&mut self, wanted: Wanted, replaces: Option<Sid>) {
        let id = wanted.id.clone();
        let is_asked_about = replaces.is_none() && self.alike(&wanted, false).is_some();
        let is_cut_off = !is_asked_about && self.is_listed_cut_off(&wanted);
        let Some(group) = wanted.groups.first.clone() else {
            return self.lack_group(id, OperationKind::Add, &wanted.groups);
        };
        let values = self.all_values(&wanted);
        let desired_hash = desired_add(self.input.comparison.key, &id, &group, &values);
        let previous_sid = self.former(&id, replaces);
        let (login, first) = (wanted.login, group.clone());
        let addition = Addition { login: login.clone(), group, values, replaces, previous_sid };
        let mut added = self.push(id.clone(), Change::Add(addition), desired_hash);
        if added == OperationState::Planned {
            added = self.await_open_add();
        }
        if added == OperationState::Planned && !is_asked_about {
            added = self.withhold_alike(&login, is_cut_off);
        }
        self.follow_add(&id, &first, &wanted.groups, &added);
    }

    /// A student with whose login value a candidate is listed that may be theirs.
    fn meet(&mut self, wanted: &Wanted, difference: &FieldDifference) {
        if !self.is_met_by_open_add(wanted, None) {
            self.adopt(wanted, difference, None);
        }
    }

    fn adopt(&mut self, wanted: &Wanted, difference: &FieldDifference, replaces: Option<Sid>) {
        let id = wanted.id.clone();
        if let Some(owner) = self.current.other_with_login(&wanted.login, &id) {
            let reason = self.login_in_use(owner, &id, replaces.is_none());
            return self.skip(id, OperationKind::Add, reason);
        }
        let lookups = self.input.lookups;
        let ours = lookups.our_lost_adds.contains(&id);
        if self.input.policy.adopt == Adopt::Never && !ours {
            if replaces.is_some() {
                self.notes.push(LinkNote::Lost(id.clone()));
            }
            return self.mark_impossible(id, OperationKind::Adopt, CannotReason::AdoptionOff);
        }
        let Some(LoginFact::Found { sid, groups: held }) = lookups.by_login.get(&wanted.login) else {
            // A login value that is remembered of a leaver is not asked about. Who has it is not the leaver by now.
            let is_a_leavers = self.doubts.is_of_leaver(&wanted.login);
            let reason = if is_a_leavers { SkipReason::AnotherLogin } else { SkipReason::NotFoundOut };
            return self.skip(id, OperationKind::Adopt, reason);
        };
        if let Some(owner) = self.current.other_with_sid(*sid, &id) {
            let reason = self.login_in_use(owner, &id, replaces.is_none());
            return self.skip(id, OperationKind::Add, reason);
        }
        let met = Met { sid: *sid, login: wanted.login.clone(), held: held.as_ref(), ours };
        self.take_over(wanted, difference, replaces, &met);
    }

    /// The candidate becomes the student's, and what differs follows.
    pub(super) fn take_over(
        &mut self,
        wanted: &Wanted,
        difference: &FieldDifference,
        replaces: Option<Sid>,
        met: &Met<'_>,
    ) {
        let id = wanted.id.clone();
        let Met { sid, login, held, ours } = met;
        let (sid, ours) = (*sid, *ours);
        let confirmed = self.agreed(wanted, difference);
        let desired_hash = desired_adoption(self.input.comparison.key, &id, login);
        let origin = if ours { Origin::Added } else { Origin::Adopted };
        let previous_sid = self.former(&id, replaces).filter(|previous_sid| *previous_sid != sid);
        self.known_as.insert(sid, login.clone());
        let (login, groups) = (login.clone(), held.cloned());
        let adoption = Adoption { sid, login, origin, confirmed, groups, replaces, previous_sid };
        let mut adopted = self.push(id.clone(), Change::Adopt(adoption), desired_hash);
        if !ours {
            adopted = self.doubt_adoption(met, wanted, difference);
        }
        let before = self.operations.len();
        let basis = if ours { Basis::OwnAdd } else { Basis::TakeOver };
        self.bring_login_in_line(wanted, difference, met, basis);
        match held {
            Some(held) => {
                grow(&mut self.group_sizes, held);
                self.regroup(&id, sid, &wanted.groups, held);
            }
            None if adopted == OperationState::Planned => {
                self.skip(id.clone(), OperationKind::Move, SkipReason::GroupsNotTold);
            }
            None => {}
        }
        for follower in self.operations.iter_mut().skip(before) {
            if let (Change::Move(group_move), false) = (&mut follower.change, ours) {
                group_move.take_over();
            } else {
                // Where a lost call of ours entered somebody is nobody's work that would be undone.
                follower.groups_left.clear();
                if let Change::Move(group_move) = &mut follower.change {
                    *group_move = group_move.clone().replacing(BTreeMap::new());
                }
            }
            if let (true, Some(reason)) = (follower.is_planned(), follows(&adopted)) {
                follower.state = OperationState::Skipped(reason);
            }
        }
    }

    /// The previous candidate of a student who left, was deleted and is back: older results stay with it.
    fn former(&self, student: &StudentId, replaces: Option<Sid>) -> Option<Sid> {
        self.input.lookups.previous_sids.get(student).copied().filter(|_| replaces.is_none())
    }

    /// Values that agree at adoption, or are left alone, are as good as confirmed.
    fn agreed(&self, wanted: &Wanted, difference: &FieldDifference) -> BTreeMap<FieldId, Fingerprint> {
        let mut confirmed = difference.confirm.clone();
        for (at, field) in self.input.comparison.mapping.compared() {
            let value = wanted.values.0.get(at).map_or("", String::as_str);
            if difference.send.contains(&at) || (field.is_password() && value.is_empty()) {
                continue;
            }
            confirmed.entry(field.id).or_insert_with(|| self.input.comparison.key.value(field.id, value));
        }
        confirmed
    }

    pub(super) fn linked(&mut self, linked: LinkedStudent, location: CandidateLocation) {
        let LinkedStudent { wanted, link, own, target, keeps_login: _, prior } = linked;
        if link.gone_since_ms.is_some() {
            self.notes.push(LinkNote::Returned(link.student.clone()));
        }
        if wanted.is_ambiguous {
            return self.skip(wanted.id, OperationKind::Modify, SkipReason::AmbiguousLogin);
        }
        match (location, own) {
            (CandidateLocation::Gone, _) => {
                shrink(&mut self.group_sizes, link.groups.as_ref());
                self.enter(wanted, Some(link.sid));
            }
            (CandidateLocation::Here, Some(_))
                if self.input.lookups.identity(link.sid, &link.login) == Identity::Another
                    || self.is_behind_a_stranger(&link) =>
            {
                match self.changed_hands(&wanted.id) {
                    Some(reason) => self.hold_without_change(&wanted.id, &reason),
                    None => self.skip(wanted.id, OperationKind::Modify, SkipReason::AnotherLogin),
                }
            }
            (CandidateLocation::Elsewhere(login), _) => self.found_elsewhere(&wanted, link, login, prior),
            (CandidateLocation::Here, Some(difference))
                if !self.current.is_anothers(&link.login, &link.student) =>
            {
                let difference = self.note_values(&link, difference);
                self.bring_in_line(&wanted, &link, &difference, target.is_some(), &link.login);
                self.regroup_linked(&wanted, &link, prior);
            }
            (CandidateLocation::Nowhere, _) => {
                self.skip(wanted.id, OperationKind::Modify, self.unlisted_reason(link.sid));
            }
            (CandidateLocation::Here | CandidateLocation::Unknown, own) => {
                let reason = self.location_unknown(&link, prior, own.is_some());
                self.skip(wanted.id, OperationKind::Modify, reason);
            }
        }
    }

    /// Whether the link's login value is shown by a candidate of somebody else that is not told to be theirs: then it stays
    /// so until a person has decided, and the student's own candidate shows another one.
    fn is_behind_a_stranger(&self, link: &Link) -> bool {
        let owner = self.current.owner_by_now(&link.login, &link.student);
        let whose = owner.and_then(|owner| self.whose.get(owner));
        whose.is_some_and(|whose| *whose != Whose::Own)
    }

    /// The candidate is listed under another login value than its link remembers.
    fn found_elsewhere(&mut self, wanted: &Wanted, link: Link, login: LoginValue, prior: PriorKnowledge) {
        let student = link.student.clone();
        match self.whose.get(&student).cloned() {
            Some(Whose::Own) => {
                self.note_follow(&link, &login);
                self.follow(wanted, link, login, prior);
            }
            // What is not known to be the student's is remembered by nobody: the next run has to judge it anew.
            Some(Whose::Untold) => self.follow(wanted, link, login, prior),
            Some(Whose::Anothers(_)) => self.hold_elsewhere(wanted, link, login, prior),
            Some(Whose::Strange) | None => {
                self.skip(student, OperationKind::Modify, SkipReason::AnotherLogin);
            }
        }
    }

    /// The candidate was renamed on the exam side: the roster's value is restored.
    pub(super) fn follow(&mut self, wanted: &Wanted, link: Link, login: LoginValue, prior: PriorKnowledge) {
        let observed = self.input.comparison.observed;
        let Some(row) = observed.find(&login) else { return };
        let difference = self.input.comparison.fields(row, &wanted.values.0, Some(&link));
        let confirmed_login = link.login.clone();
        let followed = Link { login, ..link };
        let difference = self.note_values(&followed, difference);
        let target_listed = observed.find(&wanted.login).is_some();
        self.bring_in_line(wanted, &followed, &difference, target_listed, &confirmed_login);
        self.regroup_linked(wanted, &followed, prior);
    }

    /// Values and login value, by sid.
    fn bring_in_line(
        &mut self,
        wanted: &Wanted,
        link: &Link,
        difference: &FieldDifference,
        target_listed: bool,
        confirmed_login: &LoginValue,
    ) {
        let basis = Basis::Linked(link, confirmed_login);
        self.note_wanted_login(link, &wanted.login);
        if wanted.login == link.login || self.input.comparison.keeps_login(link, &wanted.login) {
            return self.modify(wanted, link.sid, difference, None, basis);
        }
        if !self.input.lookups.by_sid.contains_key(&link.sid) {
            let reason = self.not_found_out();
            return self.skip(wanted.id.clone(), OperationKind::Modify, reason);
        }
        let LoginForm::Sent(second_write) = self.login_form(link, &wanted.login) else {
            return self.modify(wanted, link.sid, difference, None, basis);
        };
        let held_by = match target_listed {
            true => self.current.freed_by(&wanted.login, &wanted.id),
            // For a service that keeps it in a form of its own it is the one that the other student has.
            false => self.current.freed_alike_by(&wanted.login, &wanted.id),
        };
        let held_by = held_by.cloned();
        if target_listed && held_by.is_none() {
            return self.taken(wanted);
        }
        let mapping = self.input.comparison.mapping;
        let login = LoginChange {
            column: mapping.login_column().to_owned(),
            id: mapping.login_field(),
            from: link.login.clone(),
            to: wanted.login.clone(),
            held_by,
        };
        let mut difference = difference.clone();
        difference.second_writes.extend(second_write.map(|write| (login.id, write)));
        self.modify(wanted, link.sid, &difference, Some(login), basis);
    }

    /// The wanted login value belongs to another candidate.
    pub(super) fn taken(&mut self, wanted: &Wanted) {
        let id = wanted.id.clone();
        match self.current.other_with_login(&wanted.login, &id) {
            Some(owner) => {
                let reason = self.login_in_use(owner, &id, false);
                self.skip(id, OperationKind::Modify, reason);
            }
            None => self.mark_impossible(id, OperationKind::Modify, CannotReason::LoginTaken),
        }
    }

    pub(super) fn modify(
        &mut self,
        wanted: &Wanted,
        sid: Sid,
        difference: &FieldDifference,
        login: Option<LoginChange>,
        basis: Basis<'_>,
    ) {
        if difference.send.is_empty() && login.is_none() {
            return;
        }
        let mapping = self.input.comparison.mapping;
        let values: Vec<FieldChange> = difference
            .send
            .iter()
            .filter_map(|at| {
                let field = mapping.fields().get(*at)?;
                let value = wanted.values.0.get(*at).cloned().unwrap_or_default();
                Some(FieldChange { column: field.column.clone(), id: field.id, value })
            })
            .collect();
        let mut digest = self.desired_digest(&wanted.id, OperationKind::Modify);
        for value in &values {
            digest.number(value.id.0).text(&value.value);
        }
        if let Some(login) = &login {
            digest.number(login.id.0).text(login.to.as_str());
        }
        let desired_hash = digest.finish();
        let again = login.is_none() && difference.send.iter().all(|at| difference.sent_again.contains(at));
        let counts_as = self.counts_as(basis, difference, &values, login.as_ref());
        let second_writes = difference.second_writes.clone();
        let others = self.values_unnamed(wanted, &values);
        let modification = Modification { sid, values, login, others, again, second_writes, counts_as };
        let change = Change::Modify(modification);
        self.push(wanted.id.clone(), change, desired_hash);
    }

    /// The values that a change does not name, the login value left out, where the account may empty them.
    fn values_unnamed(&self, wanted: &Wanted, named: &[FieldChange]) -> Vec<(FieldId, String)> {
        if self.input.policy.keeps_unnamed && !self.empties_unnamed {
            return Vec::new();
        }
        let login_field = self.input.comparison.mapping.login_field();
        let mut values = self.all_values(wanted);
        values.retain(|(field, _)| *field != login_field && named.iter().all(|value| value.id != *field));
        values
    }

    /// The values that enter a student: the login field's value among the others, empty ones left out.
    fn all_values(&self, wanted: &Wanted) -> Vec<(FieldId, String)> {
        let mapping = self.input.comparison.mapping;
        let value = |at: usize| {
            if at == mapping.login_at() {
                wanted.login.as_str().to_owned()
            } else {
                wanted.values.0.get(at).cloned().unwrap_or_default()
            }
        };
        let mut values: Vec<(FieldId, String)> = mapping
            .fields()
            .iter()
            .enumerate()
            .map(|(at, field)| (field.id, value(at)))
            .filter(|(_, value)| !value.is_empty())
            .collect();
        values.sort_by_key(|(field, _)| *field);
        values
    }
}

/// Why what follows a take-over is left undone; `None` where the take-over goes ahead.
fn follows(adopted: &OperationState) -> Option<SkipReason> {
    match adopted {
        OperationState::Planned => None,
        // Who is withheld is named once, at the take-over itself.
        OperationState::Skipped(reason) if reason.code().is_none() => Some(reason.clone()),
        OperationState::Skipped(_) | OperationState::Held(_) | OperationState::Cannot(_) => {
            Some(SkipReason::Depends(OperationKind::Adopt))
        }
    }
}
