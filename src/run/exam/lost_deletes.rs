//! Deletes of an earlier run whose answer never came: what the newest reading says of them.

use std::collections::HashSet;

use super::proof::target;
use crate::remote::http::retry_limits::BEFORE_ADDING_AGAIN;
use crate::run::Context;
use crate::run::report::ServiceReport;
use crate::store::{CallRecord, NotedWrite, StoreError};
use rosterd_core::exam_plan::{
    Approved, CountedWrite, GuardedPlan, LOOK_BACK_MS, LinkNote, LookupResults, OperationKind, SidFact,
};
use rosterd_core::failure::OperationKey;
use rosterd_core::outcome::Outcome;
use rosterd_core::roster::{RunId, Sid, StudentId};

/// A link that is given up while a delete of ours is open is one that we deleted: it counts as applied. One whose
/// candidate a look-up of this run has found was not, and counts nowhere, once the delete is older than reads lag behind; where
/// nobody said, it counts on. A link that is given up otherwise counts as vanished.
pub(super) async fn settle_deletes(
    context: &Context,
    run: RunId,
    approved: &Approved,
    (notes, lookups, plan): (&[LinkNote], &LookupResults, &GuardedPlan),
    report: &mut ServiceReport,
) -> Result<(), StoreError> {
    let now_ms = context.clock.now_ms();
    let mut lost: HashSet<StudentId> = context.state.lost_deletes().await?.into_iter().collect();
    lost.extend(context.state.unsettled_deletes(now_ms.saturating_sub(LOOK_BACK_MS)).await?);
    let given_up = notes.iter().filter(|note| note.counts_as() == Some(CountedWrite::Vanished));
    let given_up: HashSet<&StudentId> = given_up.map(LinkNote::student).collect();
    let (deleted, vanished): (Vec<&StudentId>, Vec<&StudentId>) =
        given_up.into_iter().partition(|student| lost.contains(*student));
    let keys: Vec<OperationKey> = deleted.iter().map(|student| delete(student)).collect();
    let is_approved = |student: &StudentId| {
        let mut closings = plan.given_up.iter().filter(|closing| closing.student == *student);
        closings.any(|closing| approved.contains_key(student, closing.kind, closing.desired_hash))
    };
    let approved: HashSet<&StudentId> = vanished.iter().copied().filter(|it| is_approved(it)).collect();
    let counted = vanished.into_iter();
    let counted = counted.map(|student| counted_as_vanished(student, approved.contains(student))).collect();
    let record = CallRecord { applied: keys.clone(), settled: keys, counted, ..CallRecord::default() };
    context.state.record_call(&record, run, now_ms).await?;
    for _ in deleted {
        report.count(OperationKind::Delete.as_str(), &Outcome::Applied(()));
    }
    if plan.doubt.is_some() {
        return Ok(());
    }
    let is_there = |sid: Sid| matches!(lookups.by_sid.get(&sid), Some(SidFact::Found { .. }));
    let leavers = plan.operations.iter().filter(|operation| operation.of_leaver);
    let leavers = leavers.filter(|operation| target(&operation.change).is_some_and(is_there));
    let undone: Vec<OperationKey> = leavers
        .filter(|operation| lost.contains(&operation.student))
        .map(|operation| delete(&operation.student))
        .collect();
    let rests_ms = i64::try_from(BEFORE_ADDING_AGAIN.as_millis()).unwrap_or(i64::MAX);
    context.state.take_back_writes(&undone, now_ms.saturating_sub(rests_ms)).await
}

fn delete(student: &StudentId) -> OperationKey {
    OperationKey::of(OperationKind::Delete, student.clone())
}

fn counted_as_vanished(student: &StudentId, is_approved: bool) -> NotedWrite {
    NotedWrite {
        key: delete(student),
        kind: CountedWrite::Vanished.as_str(),
        place: String::new(),
        is_approved,
    }
}
