//! ClassIn refuses whatever it is sent (100, 155): found out in few calls, and left alone for the run.
//!
//! Until a call of a kind was read by ClassIn, its batches follow one another. A refused batch is halved, depth first,
//! until one student stands alone; what else was refused in it waits for a word from the other batches. Two batches, 20
//! students together, of which nothing went through are ClassIn's doing. Fewer are judged one by one in the end.

use std::sync::PoisonError;

use rosterd_core::classin_plan::{Call, Code, EnrolmentBatch, Subject};
use rosterd_core::exam_plan::{Refusals, RefusedBatch};
use rosterd_core::outcome::{Outcome, Unsent};
use tokio::sync::Mutex;

use super::apply::ClassinApplier;
use super::enrolments::EnrolmentCall;
use super::record::{action, call};
use super::server_errors::ServerErrors;
use crate::run::delivery::{Applier, Broken, Delivered, Items, ServiceStop, deliver};
use crate::store::StoreError;

/// Whose turn it is while a batch is to show something to those that come after it.
#[derive(Default)]
pub(super) struct Turns {
    class_add: Mutex<()>,
    course_add: Mutex<()>,
    class_removal: Mutex<()>,
    course_removal: Mutex<()>,
    /// Students of refused batches that nobody has judged yet.
    left_over: std::sync::Mutex<Vec<(EnrolmentBatch, Vec<usize>)>>,
}

impl Turns {
    fn of(&self, what: Call) -> &Mutex<()> {
        match what {
            Call::CourseAdd => &self.course_add,
            Call::ClassRemove => &self.class_removal,
            Call::CourseRemove => &self.course_removal,
            Call::ClassAdd
            | Call::Register
            | Call::RegisterMultiple
            | Call::SchoolStudent
            | Call::SchoolName => &self.class_add,
        }
    }
}

/// What is left of a refused call that is not halved yet.
pub(super) fn undivided<G>() -> Outcome<G> {
    Outcome::Unsent(Unsent::LeftForLater)
}

pub(super) fn is_undivided<G>(outcome: &Outcome<G>) -> bool {
    matches!(outcome, Outcome::Unsent(Unsent::LeftForLater))
}

impl ClassinApplier<'_> {
    /// Delivers a call; alone among its kind until ClassIn has read one.
    pub(super) async fn deliver_in_turn(&self, call: EnrolmentCall) -> Result<Delivered<()>, Broken> {
        let Some(what) = call.what() else { return Ok(Delivered::unsent(call.len(), None)) };
        let turn = self.turns.of(what).lock().await;
        let turn = Some(turn).filter(|_| !self.refusals(what).is_accepted());
        if self.state().is_over() {
            return Ok(Delivered::unsent(call.len(), None));
        }
        self.with_refusals(what, Refusals::begin);
        let whole: Vec<usize> = (0..call.len()).collect();
        let kept = call.part(&whole);
        let course = kept.0.first().map(|item| item.operation.target.course);
        course.into_iter().for_each(|course| self.calls.with_server_errors(course, ServerErrors::begin));
        let mut delivered = deliver(&self.calls, call).await?;
        self.divide_on(&kept, &mut delivered).await?;
        let refusals = self.refusals(what);
        let rest: Vec<usize> = positions(&delivered.outcomes, is_undivided);
        if refusals.is_accepted() && !rest.is_empty() && delivered.stop.is_none() {
            let again = deliver(&self.calls, kept.part(&rest)).await?;
            delivered.replace(&rest, again);
        } else if refusals.doubts_service() && delivered.outcomes.iter().all(is_refused) {
            let stop = self.refused(what, &kept);
            delivered.stop = delivered.stop.take().or(stop);
            delivered.outcomes.fill(undivided());
        }
        drop(turn);
        Ok(delivered)
    }

    /// Takes in a batch that was refused to its last student.
    fn refused(&self, what: Call, refused: &EnrolmentCall) -> Option<ServiceStop> {
        let word =
            self.with_refusals(what, |refusals| (refusals.refuse_batch(refused.len()), refusals.items()));
        let call = refused.0.first().map_or("", |item| action(&item.operation));
        match word {
            (RefusedBatch::Stop, items) => Some(ServiceStop::RefusedItems { call, items }),
            (RefusedBatch::Judge, _) => None,
        }
    }

    /// Keeps who was refused with others, and was not judged alone.
    pub(super) fn leave_over(&self, batch: &EnrolmentBatch, sent: &[usize], outcomes: &[Outcome<()>]) {
        let left = sent.iter().zip(outcomes).filter(|(_, outcome)| is_undivided(outcome));
        let left: Vec<usize> = left.map(|(at, _)| *at).collect();
        if left.is_empty() {
            return;
        }
        let operations = left.iter().filter_map(|at| self.operation(*at)).cloned();
        let batch = EnrolmentBatch { operations: operations.collect(), ..*batch };
        self.turns.left_over.lock().unwrap_or_else(PoisonError::into_inner).push((batch, left));
    }

    /// Judges in the end who was refused with others: no second batch has shown that it is ClassIn's doing.
    pub(super) async fn judge_left_over(&self) {
        let left = std::mem::take(&mut *self.turns.left_over.lock().unwrap_or_else(PoisonError::into_inner));
        for (batch, positions) in left {
            let Some(what) = batch.operations.first().map(call) else { continue };
            if self.must_skip(&batch) {
                continue;
            }
            self.with_refusals(what, Refusals::judge_items);
            {
                let mut state = self.state();
                positions.iter().flat_map(|at| self.ending_together(*at)).for_each(|at| state.reopen(at));
            }
            self.send_now(&batch).await;
        }
    }

    /// Whose account could not be taken into the school before ClassIn was seen to take in nobody is at no fault.
    pub(super) async fn blame_service(&self) -> Result<(), StoreError> {
        let refused = {
            let state = self.state();
            if !matches!(state.stopped(), Some(ServiceStop::RefusedItems { .. })) {
                return Ok(());
            }
            let operations = self.plan.operations.iter().enumerate();
            let refused = operations.filter(|(at, _)| state.outcome(*at).is_some_and(is_refused));
            refused.map(|(_, operation)| Subject::from(operation).key).collect::<Vec<_>>()
        };
        self.terms.context.state.blame_service(&refused).await
    }

    fn refusals(&self, what: Call) -> Refusals {
        self.calls.classes().refusals.get(&what).cloned().unwrap_or_default()
    }

    fn with_refusals<T>(&self, what: Call, change: impl FnOnce(&mut Refusals) -> T) -> T {
        change(self.calls.classes().refusals.entry(what).or_default())
    }
}

fn positions(outcomes: &[Outcome<()>], wanted: impl Fn(&Outcome<()>) -> bool) -> Vec<usize> {
    outcomes.iter().enumerate().filter(|(_, outcome)| wanted(outcome)).map(|(at, _)| at).collect()
}

/// Refused for what may be a fault of the call, with others or alone.
pub(super) fn is_refused<G>(outcome: &Outcome<G>) -> bool {
    let is_one_value = |code: Option<Code>| code.is_some_and(Code::may_be_one_value);
    is_undivided(outcome) || outcome.cause().is_some_and(|cause| is_one_value(cause.code.classin()))
}

impl EnrolmentCall {
    /// The call that it makes.
    pub(super) fn what(&self) -> Option<Call> {
        self.0.first().map(|item| call(&item.operation))
    }
}
