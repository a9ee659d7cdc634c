//! What became of each item of a call, written down before anything else is sent for it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::apply::ExamApplier;
use super::apply_state::OperationOutcome;
use super::record::{self, Place, key};
use super::send::{FailureCause, Outcome};
use crate::store::{CallRecord, FailureRecord, LinkWrite, StoreError};
use rosterd_core::exam_plan::{Call, Change, GroupAction, Operation, SkipReason};
use rosterd_core::failure::FailureCode;
use rosterd_core::roster::{Sid, StudentId};

impl ExamApplier<'_> {
    /// Records the outcome of every item, in one transaction, and ends the operations that have ended.
    pub(super) async fn outcome(
        &self,
        call: &Call,
        positions: &[usize],
        ends: &[Outcome],
        number: u64,
    ) -> Result<(), StoreError> {
        let owners = self.owners_of(ends).await?;
        let mut record = CallRecord::default();
        let mut ended = Vec::new();
        for (index, (at, end)) in positions.iter().zip(ends).enumerate() {
            let Some(operation) = self.operation(*at) else { continue };
            let place = Place { batch: Some(number), index: u64::try_from(index).ok() };
            let end = match end {
                Outcome::Applied(Some(sid))
                    if owners.get(sid).is_some_and(|own| *own != operation.student) =>
                {
                    self.failed(call, operation, &somebody_elses(), place, &mut record).await?
                }
                Outcome::Applied(sid) => match self.item_applied(call, *at, operation, *sid, &mut record) {
                    Some(end) => end,
                    None => continue,
                },
                Outcome::Failed(cause) => self.failed(call, operation, cause, place, &mut record).await?,
                Outcome::Unknown(cause) => {
                    // The intent stays: the next run knows that this may have been done by us.
                    record
                        .failures
                        .push(self.failure(call, operation, cause, place, OperationOutcome::Unknown).await?);
                    OperationOutcome::Unknown
                }
                Outcome::Unsent => {
                    record.settled.push(key(operation));
                    OperationOutcome::Skipped(SkipReason::ServiceStopped)
                }
            };
            ended.push((*at, end));
        }
        self.record(record).await?;
        let mut work = self.state();
        ended.into_iter().for_each(|(at, end)| work.end(at, end));
        Ok(())
    }

    /// Whose the candidates are that adds have brought: a service may hand out one that is linked already.
    async fn owners_of(&self, ends: &[Outcome]) -> Result<HashMap<Sid, StudentId>, StoreError> {
        let brought = ends.iter().filter_map(|end| match end {
            Outcome::Applied(sid) => *sid,
            Outcome::Failed(_) | Outcome::Unknown(_) | Outcome::Unsent => None,
        });
        self.context.context.state.sid_owners(brought).await
    }

    async fn failed(
        &self,
        call: &Call,
        operation: &Operation,
        cause: &FailureCause,
        place: Place,
        record: &mut CallRecord,
    ) -> Result<OperationOutcome, StoreError> {
        if cause.code == FailureCode::CandidateGone {
            record.links.push(LinkWrite::CheckSoon(operation.student.clone()));
        }
        if !cause.unanswered {
            // Otherwise the intent stays until a complete listing has shown that nothing was done.
            record.settled.push(key(operation));
        }
        record.failures.push(self.failure(call, operation, cause, place, OperationOutcome::Failed).await?);
        Ok(OperationOutcome::Failed)
    }

    async fn failure(
        &self,
        call: &Call,
        operation: &Operation,
        cause: &FailureCause,
        place: Place,
        end: OperationOutcome,
    ) -> Result<FailureRecord, StoreError> {
        record::failure(
            &self.context,
            operation,
            endpoint(call),
            cause,
            place,
            end == OperationOutcome::Unknown,
        )
        .await
    }

    /// An applied item ends its operation when it was the last call that the operation needed.
    fn item_applied(
        &self,
        call: &Call,
        at: usize,
        operation: &Operation,
        sid: Option<Sid>,
        record: &mut CallRecord,
    ) -> Option<OperationOutcome> {
        if *call == Call::GiveWay {
            let Change::Modify(modification) = &operation.change else { return None };
            let login = Some(self.temporary_login(modification));
            let student = operation.student.clone();
            record.links.push(LinkWrite::Values { student, login, confirmed: BTreeMap::new() });
            return None;
        }
        if self.state().call_applied(at, &operation.student, sid) > 0 {
            record.links.extend(step_done(call, operation));
            return None;
        }
        self.note_applied(record, operation, sid);
        Some(OperationOutcome::Applied)
    }
}

/// Nobody ever takes over another person's record, whatever the service answers.
fn somebody_elses() -> FailureCause {
    FailureCause {
        code: FailureCode::LoginValueTaken,
        message: "the service answered with a candidate that is already another student's: make the login values differ"
            .to_owned(),
        service_text: None,
        asked: None,
        unanswered: false,
    }
}

/// What one of several calls for an operation changes already.
fn step_done(call: &Call, operation: &Operation) -> Option<LinkWrite> {
    let Call::Group(action, gids) = call else { return None };
    let gids: BTreeSet<_> = gids.iter().copied().collect();
    let student = operation.student.clone();
    match action {
        GroupAction::AddTo => Some(LinkWrite::Regroup { student, join: gids, leave: BTreeSet::new() }),
        GroupAction::DeleteFrom => Some(LinkWrite::Regroup { student, join: BTreeSet::new(), leave: gids }),
        GroupAction::MoveTo => None,
    }
}

/// The endpoint's name, for records.
fn endpoint(call: &Call) -> &'static str {
    match call {
        Call::Change | Call::GiveWay => "changeStuinfo",
        Call::Add => "addStudents",
        Call::Group(..) => "movestugroup",
        Call::Delete => "delStu",
    }
}
