//! Who was taken out of a whole course for a class of it that then took nobody is put back into the course.
//!
//! Whoever is in the whole course is "already there" in its classes, so the class is asked after the course was left. It may be
//! over, full or deleted by then, and the student would be nowhere. Who leaves is noted before that call, so that a run that breaks
//! off loses nobody; whom nothing could put back is in the plan of the next runs (core `person/put_back.rs`).

use std::collections::{BTreeMap, HashSet};

use super::ClassinSyncError;
use super::apply::{ClassinApplier, key};
use super::context::ClassinApplyContext;
use super::enrolments::{EnrolmentCall, EnrolmentItem};
use super::plan::ClassinPlan;
use super::record::action;
use crate::run::Context;
use crate::run::delivery::{Applier as _, Place, deliver, failure};
use crate::run::report::ServiceReport;
use crate::run::severity::Severity;
use crate::store::{CallRecord, LeftForAClass, StoreError};
use rosterd_core::classin_plan::{
    Condition, EnrolmentKind, EnrolmentOperation, EnrolmentState, Evidence, Subject, batches,
};
use rosterd_core::counted::counted_len;
use rosterd_core::outcome::Outcome;
use rosterd_core::roster::{ClassTarget, ClassinUid, Mode, StudentId};

/// Whose add to a class rests on their removal from the whole course.
pub(super) struct LeavingForAClass(HashSet<(ClassTarget, ClassinUid)>);

impl LeavingForAClass {
    pub(super) fn of(operations: &[EnrolmentOperation]) -> Self {
        let adds = operations.iter().filter(|one| one.kind == EnrolmentKind::Enrol);
        let leaving = adds.flat_map(|add| &add.after).filter_map(|condition| match *condition {
            Condition::Removed { target, uid } if target.class.is_none() => Some((target, uid)),
            Condition::Removed { .. } | Condition::Settled { .. } | Condition::SomebodyEnters => None,
        });
        Self(leaving.collect())
    }

    /// Whom these operations take out of a whole course for a class of it.
    pub(super) fn among<'a>(
        &self,
        operations: impl Iterator<Item = &'a EnrolmentOperation>,
    ) -> Vec<(ClassTarget, ClassinUid)> {
        let removals = operations.filter(|one| one.kind == EnrolmentKind::Remove);
        let places = removals.filter_map(|one| Some((one.target, one.uid?)));
        places.filter(|place| self.0.contains(place)).collect()
    }
}

/// Once everything has ended that the plan named. Says who is in the course again, and who could not be put back: the next
/// runs have that in their plan. Returns the adds that were made here.
pub(super) async fn put_back(
    applier: &ClassinApplier<'_>,
    report: &mut ServiceReport,
) -> Result<Vec<EnrolmentOperation>, ClassinSyncError> {
    let (mut back, mut lost) = (Vec::new(), Vec::new());
    let ClassinApplyContext { context, run, .. } = applier.terms;
    if context.mode < Mode::CreateOnly {
        return Ok(Vec::new());
    }
    let nowhere = left_nowhere(applier).await?;
    let owed: Vec<(ClassTarget, ClassinUid)> =
        nowhere.iter().filter_map(|one| Some((one.target, one.uid?))).collect();
    context.state.owe_place_in_course(&owed).await?;
    for batch in batches(&nowhere, applier.batch_size(), &applier.plan.full) {
        if applier.state().is_over() {
            lost.extend(batch.operations.iter().map(|one| one.student.clone()));
            continue;
        }
        let items = batch.operations.iter().filter_map(EnrolmentItem::of).collect();
        let delivered = deliver(&applier.calls, EnrolmentCall(items)).await?;
        let number = applier.state().next_batch();
        let mut record = CallRecord::default();
        for (index, (one, outcome)) in batch.operations.iter().zip(&delivered.outcomes).enumerate() {
            let list = if outcome.is_applied() { &mut back } else { &mut lost };
            list.push(one.student.clone());
            let subject = Subject::from(one);
            match outcome {
                Outcome::Applied(()) => record.applied.push(subject.key),
                Outcome::Failed(cause) | Outcome::Unknown(cause) => {
                    let place = Place::in_batch(action(one), number, index);
                    record.failures.extend(failure(context, &subject.into(), cause, place).await?);
                }
                Outcome::Held | Outcome::Unsent(_) => {}
            }
        }
        context.state.record_call(&record, run, context.clock.now_ms()).await?;
    }
    if !back.is_empty() {
        report.notes.push(remark(&back));
    }
    if !lost.is_empty() {
        report.fail(Severity::Incomplete, format!("classin: {}", complaint(&lost)));
    }
    Ok(nowhere)
}

/// The adds to whole courses of those who have been taken out of there, in this run or in one that broke off, and who were
/// refused in every class that they were to be in instead.
async fn left_nowhere(applier: &ClassinApplier<'_>) -> Result<Vec<EnrolmentOperation>, StoreError> {
    let operations = &applier.plan.operations;
    let left = applier.terms.context.state.left_for_a_class().await?;
    if left.is_empty() || applier.terms.context.stop.is_cancelled() {
        return Ok(Vec::new());
    }
    let mut instead: BTreeMap<ClassinUid, Vec<&EnrolmentOperation>> = BTreeMap::new();
    for add in operations.iter().filter(|one| one.kind == EnrolmentKind::Enrol && one.target.class.is_some())
    {
        if let Some(uid) = add.uid {
            instead.entry(uid).or_default().push(add);
        }
    }
    let is_over = applier.state().is_over();
    let is_refused = |add: &EnrolmentOperation| match applier.outcome_of(key(add)) {
        // Whose answer was lost is asked for again by the next run.
        Some(Outcome::Applied(()) | Outcome::Unknown(_)) => false,
        Some(Outcome::Failed(_) | Outcome::Held | Outcome::Unsent(_)) => true,
        // Who was not asked about any more has not been refused.
        None => !(is_over && add.is_planned()),
    };
    let is_nowhere = |one: &&LeftForAClass| {
        let adds = instead.get(&one.uid).map_or(&[][..], Vec::as_slice);
        let mut adds = adds.iter().filter(|add| add.target.course == one.target.course).peekable();
        adds.peek().is_some() && adds.all(|add| is_refused(add))
    };
    Ok(left.iter().filter(is_nowhere).map(|one| add(applier.plan, one)).collect())
}

fn add(plan: &ClassinPlan, left: &LeftForAClass) -> EnrolmentOperation {
    let LeftForAClass { uid, target, student } = left;
    let removals = plan.operations.iter().filter(|one| one.kind == EnrolmentKind::Remove);
    let mut removals = removals.filter(|one| (one.target, one.uid) == (*target, Some(*uid)));
    let recorded = removals.next().and_then(|removal| removal.recorded).or(Some(Evidence::Added));
    EnrolmentOperation::taking_back(EnrolmentOperation {
        kind: EnrolmentKind::Remove,
        student: student.clone(),
        class_code: plan.codes.get(target).cloned(),
        uid: Some(*uid),
        target: *target,
        state: EnrolmentState::Planned,
        recorded,
        follows: false,
        after: Vec::new(),
        is_replaced: false,
        is_put_back: false,
        desired_hash: 0,
    })
}

/// Nobody is put back who is wanted in no class of the course any more, or is known to be in all of those. As long as rows of
/// the roster cannot be used, what they want is not known: nothing ends then.
pub(super) async fn end_where_unwanted(context: &Context, plan: &ClassinPlan) -> Result<(), StoreError> {
    if !plan.roster_rows.is_empty() {
        return Ok(());
    }
    let adds = || plan.operations.iter().filter(|one| one.kind == EnrolmentKind::Enrol);
    let is_ended = |left: &LeftForAClass| {
        !adds().any(|one| {
            one.target.course == left.target.course
                && (one.uid == Some(left.uid) || one.student == left.student)
        })
    };
    let mut left = context.state.left_for_a_class().await?;
    left.retain(is_ended);
    let ended: Vec<(ClassTarget, ClassinUid)> = left.iter().map(|one| (one.target, one.uid)).collect();
    context.state.end_putting_back(&ended).await
}

/// What the report says of those who are in the course again.
fn remark(back: &[StudentId]) -> String {
    format!(
        "{} put back into the whole course, as no class of it takes them in which the roster wants them: {}",
        were(back),
        names(back)
    )
}

/// What it says of those who could not be put back.
fn complaint(lost: &[StudentId]) -> String {
    format!(
        "{} taken out of the whole course for a class of it that does not take them, and could not be put back: {}. The next \
         runs try again. Where it is urgent, put them back in ClassIn",
        were(lost),
        names(lost)
    )
}

fn were(students: &[StudentId]) -> String {
    let verb = if students.len() == 1 { "was" } else { "were" };
    format!("{} {verb}", counted_len(students.len(), "student"))
}

/// So many are named.
const MOST_NAMED: usize = 10;

fn names(students: &[StudentId]) -> String {
    let named: Vec<&str> = students.iter().take(MOST_NAMED).map(StudentId::as_str).collect();
    let more = if students.len() > MOST_NAMED { ", …" } else { "" };
    format!("{}{more}", named.join(", "))
}
