//! What a batch of operations sends, and in which portions.

use std::collections::BTreeMap;

use rosterd_core::exam_plan::{Call, Change, Operation};
use rosterd_core::outcome::{Outcome, Unsent};
use rosterd_core::roster::{FieldId, LoginValue, Sid};

use super::apply::ExamApplier;
use super::write_call::WriteCall;
use crate::remote::exam::{CandidateChange, NewCandidate};
use crate::remote::http::retry_limits::SMALLER_PORTIONS;
use crate::run::delivery::Applier;

/// One item of a call.
enum WriteItem {
    Add(NewCandidate, LoginValue),
    Change(CandidateChange),
    Candidate(Sid),
}

impl ExamApplier<'_> {
    /// What the service failed over (5xx) before goes in smaller and smaller portions: it may be one item that it
    /// trips over, or more items than it takes. Sending a part again in the same run could enter somebody twice,
    /// as a look-up may lag behind; so each attempt is one of the ledger's.
    pub(super) fn portions(&self, positions: Vec<usize>) -> Vec<Vec<usize>> {
        let mut portions: Vec<Vec<usize>> = Vec::new();
        let mut whole = Vec::with_capacity(positions.len());
        let mut tried: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for at in positions {
            match self.times_failed_over(at) {
                Some(attempts) => tried.entry(attempts).or_default().push(at),
                None => whole.push(at),
            }
        }
        portions.push(whole);
        let largest = self.context.side.settings.batch_size.max(1);
        for (attempts, positions) in tried {
            let size = largest.checked_div(SMALLER_PORTIONS.saturating_pow(attempts)).unwrap_or(1).max(1);
            portions.extend(positions.chunks(size).map(<[usize]>::to_vec));
        }
        portions
    }

    /// What a batch sends; operations that cannot be part of it any more end here.
    pub(super) fn build_call(&self, call: &Call, positions: Vec<usize>) -> (Vec<usize>, WriteCall) {
        let mut kept = Vec::with_capacity(positions.len());
        let (mut candidates, mut logins) = (Vec::new(), Vec::new());
        let (mut changes, mut sids) = (Vec::new(), Vec::new());
        for at in positions {
            let Some(operation) = self.operation(at) else { continue };
            match self.item(call, operation) {
                Ok(WriteItem::Add(candidate, login)) => {
                    candidates.push(candidate);
                    logins.push(login);
                }
                Ok(WriteItem::Change(item)) => changes.push(item),
                Ok(WriteItem::Candidate(sid)) => sids.push(sid),
                Err(why) => {
                    self.state().end(at, Outcome::Unsent(why));
                    continue;
                }
            }
            kept.push(at);
        }
        let write_call = match call {
            Call::Add => WriteCall::Add { candidates, logins },
            Call::Change | Call::GiveWay => WriteCall::Change(changes),
            Call::Group(action, gids) => WriteCall::Group { action: *action, gids: gids.clone(), sids },
            Call::Delete => WriteCall::Delete(sids),
        };
        (kept, write_call)
    }

    /// The values of a candidate that the roster has beside those that its change names.
    pub(super) fn values_unnamed(&self, sid: Sid) -> Vec<(FieldId, String)> {
        let of_change = |at: usize, operation: &Operation| match &operation.change {
            Change::Modify(modification) => Some((modification.sid, at)),
            Change::Adopt(_)
            | Change::Add(_)
            | Change::Move(_)
            | Change::Delete(_)
            | Change::Impossible(_) => None,
        };
        let places = || {
            let operations = self.context.plan.operations.iter().enumerate();
            operations.filter_map(|(at, operation)| of_change(at, operation)).collect()
        };
        let at = self.modified.get_or_init(places).get(&sid).copied();
        let Some(Change::Modify(modification)) = at.and_then(|at| self.operation(at)).map(|it| &it.change)
        else {
            return Vec::new();
        };
        let changed = modification.values.iter().map(|change| (change.id, change.value.clone()));
        modification.others.iter().cloned().chain(changed).collect()
    }

    fn item(&self, call: &Call, operation: &Operation) -> Result<WriteItem, Unsent> {
        if self.depends_in_vain(call, operation) {
            return Err(Unsent::Dependent);
        }
        match &operation.change {
            Change::Add(addition) => {
                let gid = addition.group.gid();
                let gid = gid.ok_or(Unsent::Dependent)?;
                let item = NewCandidate { gid, values: addition.values.clone() };
                Ok(WriteItem::Add(item, addition.login.clone()))
            }
            Change::Modify(modification) if *call == Call::GiveWay => {
                let login = self.temporary_login(modification);
                Ok(WriteItem::Change(self.login_change(modification.sid, &login)))
            }
            Change::Modify(modification) => {
                let login = modification.login.iter().map(|login| (login.id, login.to.as_str().to_owned()));
                let values = modification.values.iter().map(|change| (change.id, change.value.clone()));
                let values = login.chain(values).collect();
                Ok(WriteItem::Change(CandidateChange { sid: modification.sid, values }))
            }
            Change::Move(group_move) => {
                let sid = group_move.sid().or_else(|| self.exam().sid(&operation.student));
                sid.map(WriteItem::Candidate).ok_or(Unsent::Dependent)
            }
            Change::Delete(deletion) => Ok(WriteItem::Candidate(deletion.sid())),
            // Neither is part of any call.
            Change::Adopt(_) | Change::Impossible(_) => Err(Unsent::LeftForLater),
        }
    }

    /// Whether an operation is not sent although its turn has come: what it builds on did not happen.
    fn depends_in_vain(&self, call: &Call, operation: &Operation) -> bool {
        if *call != Call::Change {
            return false;
        }
        let owner = operation.change.login().and_then(|login| login.held_by.as_ref());
        let other = owner.and_then(|owner| self.renames.get(owner).copied());
        let state = self.state();
        other.is_some_and(|other| state.outcome(other).is_some_and(|outcome| !outcome.is_applied()))
    }
}
