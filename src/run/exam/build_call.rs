//! What a batch of operations sends, and the login values that candidates have while they change places.

use std::collections::BTreeMap;

use super::apply::ExamApplier;
use super::apply_state::OperationOutcome;
use super::send::Outcome;
use super::write_call::WriteCall;
use crate::remote::exam::{CandidateChange, NewCandidate};
use crate::store::{CallRecord, LinkWrite};
use rosterd_core::exam_plan::{
    Call, Change, LoginChange, Modification, Operation, OperationKind, SkipReason, Wave,
};
use rosterd_core::roster::{LoginValue, Sid};

/// One item of a call.
enum WriteItem {
    Add(NewCandidate, LoginValue),
    Change(CandidateChange),
    Person(Sid),
}

impl ExamApplier<'_> {
    /// What a batch sends; operations that cannot be part of it any more end here.
    pub(super) fn build_call(&self, call: &Call, positions: Vec<usize>) -> (Vec<usize>, WriteCall) {
        let mut kept = Vec::with_capacity(positions.len());
        let (mut adds, mut changes, mut sids) = (Vec::new(), Vec::new(), Vec::new());
        for at in positions {
            let Some(operation) = self.operation(at) else { continue };
            let item = match self.depends_in_vain(call, operation) {
                Some(reason) => Err(reason),
                None => self.item(call, operation),
            };
            match item {
                Ok(WriteItem::Add(item, login)) => adds.push((item, login)),
                Ok(WriteItem::Change(item)) => changes.push(item),
                Ok(WriteItem::Person(sid)) => sids.push(sid),
                Err(reason) => {
                    self.state().end(at, OperationOutcome::Skipped(reason));
                    continue;
                }
            }
            kept.push(at);
        }
        let write_call = match call {
            Call::Add => WriteCall::Add(adds),
            Call::Change | Call::GiveWay => WriteCall::Change(changes),
            Call::Group(action, gids) => WriteCall::Group(*action, gids.clone(), sids),
            Call::Delete => WriteCall::Delete(sids),
        };
        (kept, write_call)
    }

    fn item(&self, call: &Call, operation: &Operation) -> Result<WriteItem, SkipReason> {
        match &operation.change {
            Change::Add(addition) => {
                let item = NewCandidate { gid: addition.gid, values: addition.values.clone() };
                Ok(WriteItem::Add(item, addition.login.clone()))
            }
            Change::Modify(modification) if *call == Call::GiveWay => {
                Ok(WriteItem::Change(self.renaming(modification.sid, &self.temporary_login(modification))))
            }
            Change::Modify(modification) => {
                let login = modification.login.iter().map(|login| (login.id, login.to.as_str().to_owned()));
                let values = modification.values.iter().map(|change| (change.id, change.value.clone()));
                let values = login.chain(values).collect();
                Ok(WriteItem::Change(CandidateChange { sid: modification.sid, values }))
            }
            Change::Move(group_move) => {
                let sid = group_move.sid().or_else(|| self.state().sid(&operation.student));
                sid.map(WriteItem::Person).ok_or(SkipReason::Depends(OperationKind::Add))
            }
            Change::Delete(deletion) => Ok(WriteItem::Person(deletion.sid())),
            // Neither is part of any call.
            Change::Adopt(_) | Change::Impossible(_) => Err(SkipReason::NotFoundOut),
        }
    }

    fn renaming(&self, sid: Sid, login: &LoginValue) -> CandidateChange {
        CandidateChange { sid, values: vec![(self.session.login_field, login.as_str().to_owned())] }
    }

    /// A login value that nobody else has, for a candidate that gives way to another.
    pub(super) fn temporary_login(&self, modification: &Modification) -> LoginValue {
        LoginValue::new(format!("moving-{}-{}", modification.sid, self.context.run))
    }

    /// Whoever gave way in vain, because the others of the circle could not change places, gets the old login
    /// value back: nobody is left with one that they do not know.
    pub(super) async fn take_back_ways_given(&self, waves: &[Wave]) {
        let given = waves.iter().flatten().filter(|batch| batch.call == Call::GiveWay);
        for at in given.flat_map(|batch| &batch.operations) {
            let Some((operation, modification, login)) = self.gave_way_in_vain(*at) else { continue };
            let write_call = WriteCall::Change(vec![self.renaming(modification.sid, &login.from)]);
            let sent = self.send_call(write_call).await;
            if matches!(sent.outcomes.as_slice(), [Outcome::Applied(_)]) {
                let student = operation.student.clone();
                let login = Some(login.from.clone());
                let write = LinkWrite::Values { student, login, confirmed: BTreeMap::new() };
                let record = CallRecord { links: vec![write], ..CallRecord::default() };
                if let Err(error) = self.record(record).await {
                    self.state().break_off(error);
                }
            }
        }
    }

    /// An operation that has its temporary login value still, while nobody has taken the old one.
    fn gave_way_in_vain(&self, at: usize) -> Option<(&Operation, &Modification, &LoginChange)> {
        let operation = self.operation(at)?;
        let Change::Modify(modification) = &operation.change else { return None };
        let login = modification.login.as_ref()?;
        let successor = self.renames.values().copied().find(|other| {
            let taken = self.operation(*other).and_then(|operation| operation.change.login());
            taken.is_some_and(|taken| taken.to == login.from)
        });
        let work = self.state();
        // It did give way, and was then skipped because of the others; a failure of its own comes before or
        // leaves open which login value it has.
        let in_vain =
            work.outcome(at) == Some(&OperationOutcome::Skipped(SkipReason::Depends(OperationKind::Modify)));
        let is_free = successor.is_none_or(|other| {
            matches!(work.outcome(other), Some(OperationOutcome::Failed | OperationOutcome::Skipped(_)))
        });
        let gone_on = work.skip_reason(&Call::Change, self.context.context.stop.is_cancelled()).is_none();
        (in_vain && is_free && gone_on).then_some((operation, modification, login))
    }
}
