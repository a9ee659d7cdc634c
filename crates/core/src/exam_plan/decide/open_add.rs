//! Students whom an earlier run sent to the exam side without getting an answer.

use std::collections::BTreeSet;

use super::Decider;
use super::counted::Basis;
use crate::exam_plan::compare::FieldDifference;
use crate::exam_plan::desired_hash::desired_adoption;
use crate::exam_plan::diff::Wanted;
use crate::exam_plan::kind::OperationKind;
use crate::exam_plan::open_add::OpenAdd;
use crate::exam_plan::operation::{Change, LoginChange, OperationState};
use crate::exam_plan::reason::{CannotReason, SkipReason};
use crate::roster::{Adopt, Gid, LoginValue, Sid};

/// A candidate without a link that is to become a student's.
pub(super) struct Met<'a> {
    pub(super) sid: Sid,
    /// Under which login value it is listed.
    pub(super) login: LoginValue,
    /// Its groups, where they were told.
    pub(super) held: Option<&'a BTreeSet<Gid>>,
    /// Whether an add of ours entered it.
    pub(super) ours: bool,
}

impl Decider<'_> {
    /// Withholds the add that was pushed last while an earlier one of the student's may still turn out to have been done.
    /// Says its state.
    pub(super) fn await_open_add(&mut self) -> OperationState {
        let Some(last) = self.operations.last_mut() else { return OperationState::Planned };
        let (student, kind, desired_hash) = (&last.student, OperationKind::Add, last.desired_hash);
        let open = self.input.lookups.open_adds.get(student);
        let Change::Add(addition) = &last.change else { return OperationState::Planned };
        let withheld = open.and_then(|open| open.withholds(&addition.login, self.input.now_ms));
        let Some(reason) = withheld else {
            return OperationState::Planned;
        };
        let was_tried = self.input.open_failures.was_tried(student, kind, desired_hash);
        last.state = if let (SkipReason::AddNotShown { again_at_ms: due_at_ms }, true) = (&reason, was_tried)
        {
            // It stands among the failures already.
            OperationState::Skipped(SkipReason::NotDue { due_at_ms: *due_at_ms })
        } else {
            self.input.withheld(student, kind, desired_hash, reason)
        };
        last.state.clone()
    }

    /// Whether a candidate is there under the login value that was sent, and the roster has another one by now: then that is
    /// met like any other candidate, and nobody is added beside it. What a person silenced is somebody else's.
    pub(super) fn is_met_by_open_add(&mut self, wanted: &Wanted, replaces: Option<Sid>) -> bool {
        let input = self.input;
        let Some(OpenAdd::There { login, sid, groups }) = input.lookups.open_adds.get(&wanted.id) else {
            return false;
        };
        let Some(row) = input.comparison.observed.find(login).filter(|_| *login != wanted.login) else {
            return false;
        };
        let ours = input.lookups.our_lost_adds.contains(&wanted.id);
        let (kind, hash) = (OperationKind::Adopt, desired_adoption(input.comparison.key, &wanted.id, login));
        if !ours && input.open_failures.is_silenced_hold(&wanted.id, kind, hash) {
            return false;
        }
        if input.policy.adopt == Adopt::Never && !ours {
            self.mark_impossible(wanted.id.clone(), kind, CannotReason::AdoptionOff);
            return true;
        }
        let difference = input.comparison.fields(row, &wanted.values.0, None);
        let met = Met { sid: *sid, login: login.clone(), held: groups.as_ref(), ours };
        self.take_over(wanted, &difference, replaces, &met);
        true
    }

    /// The values of a candidate that is taken over, and its login value, where that is another than the roster's.
    pub(super) fn bring_login_in_line(
        &mut self,
        wanted: &Wanted,
        difference: &FieldDifference,
        met: &Met<'_>,
        basis: Basis<'_>,
    ) {
        if met.login == wanted.login {
            return self.modify(wanted, met.sid, difference, None, basis);
        }
        let mapping = self.input.comparison.mapping;
        let is_listed = self.input.comparison.observed.find(&wanted.login).is_some();
        let held_by = self.current.freed_by(&wanted.login, &wanted.id).cloned().filter(|_| is_listed);
        if is_listed && held_by.is_none() {
            return self.taken(wanted);
        }
        let login = LoginChange {
            column: mapping.login_column().to_owned(),
            id: mapping.login_field(),
            from: met.login.clone(),
            to: wanted.login.clone(),
            held_by,
        };
        self.modify(wanted, met.sid, difference, Some(login), basis);
    }
}
