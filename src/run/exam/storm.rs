//! A service that refuses whatever it is sent: found out in few calls, and left alone.
//!
//! Until an item of a kind of call is accepted, its batches follow one another. A refused batch is halved until one item
//! stands alone; what else was refused in it waits for a word from the other batches, and is halved in the end.

use rosterd_core::exam_plan::RefusedBatch;
use rosterd_core::failure::FailureCode;
use rosterd_core::outcome::{Outcome, Unsent};

use super::apply::ExamApplier;
use super::turns::is_undivided;
use super::write_call::{NewSid, WriteCall};
use super::{field_mapping, partial_update, record};
use crate::run::delivery::{Applier, Broken, Delivered, Items, ServiceStop, deliver};

impl ExamApplier<'_> {
    /// Delivers a call; alone among its kind until anything of that kind was accepted.
    pub(super) async fn deliver_in_turn(&self, call: WriteCall) -> Result<Delivered<NewSid>, Broken> {
        let turn = self.turns.of(&call).lock().await;
        let turn = Some(turn).filter(|_| !self.calls.refusals(&call).is_accepted());
        if self.state().is_over() {
            return Ok(Delivered::unsent(call.len(), None));
        }
        self.calls.with_refusals(&call, |refusals| refusals.begin());
        let mut delivered = self.send(call.clone()).await?;
        if let Some(stop) = self.explained_by_fields(&call, &delivered.outcomes).await? {
            let refused = delivered.outcomes.iter_mut().filter(|outcome| is_refused(outcome));
            refused.for_each(|outcome| *outcome = Outcome::Unsent(Unsent::ServiceStopped));
            delivered.stop.get_or_insert(stop);
            return Ok(delivered);
        }
        let is_accepted = self.calls.refusals(&call).is_accepted();
        let undivided: Vec<usize> = positions(&delivered.outcomes, is_undivided);
        if is_accepted && !undivided.is_empty() && delivered.stop.is_none() {
            let again = self.send(call.part(&undivided)).await?;
            delivered.replace(&undivided, again);
        } else if !is_accepted && is_refused_to_the_last(&call, &delivered.outcomes) {
            let stop = self.refused(&call);
            delivered.stop = delivered.stop.take().or(stop);
        }
        drop(turn);
        Ok(delivered)
    }

    /// Whether a field that was changed on the exam side explains that values were refused: then it is no fault of the
    /// students. Asked once a run.
    async fn explained_by_fields(
        &self,
        call: &WriteCall,
        outcomes: &[Outcome<NewSid>],
    ) -> Result<Option<ServiceStop>, Broken> {
        let names_fields = matches!(call, WriteCall::Add { .. } | WriteCall::Change(_));
        if !names_fields || !outcomes.iter().any(is_refused) {
            return Ok(None);
        }
        let (side, state) = (self.context.side, &self.context.run_context.state);
        let ask = || field_mapping::after_refusal(side, state, self.context.mapping.fields());
        Ok(self.changed_fields.get_or_try_init(ask).await?.clone())
    }

    async fn send(&self, call: WriteCall) -> Result<Delivered<NewSid>, Broken> {
        match call {
            WriteCall::Change(items) => partial_update::change(self, items).await,
            call @ (WriteCall::Add { .. } | WriteCall::Group { .. } | WriteCall::Delete(_)) => {
                deliver(&self.calls, call).await
            }
        }
    }

    /// Takes in a batch that was refused to its last item.
    fn refused(&self, call: &WriteCall) -> Option<ServiceStop> {
        let word =
            self.calls.with_refusals(call, |refusals| (refusals.refuse_batch(call.len()), refusals.items()));
        match word {
            (RefusedBatch::Stop, items) => Some(ServiceStop::RefusedItems { call: call.endpoint(), items }),
            (RefusedBatch::Judge, _) => None,
        }
    }

    /// What was refused in a batch and not halved is halved now: the service has accepted something since, or there was
    /// no second batch.
    pub(super) async fn divide_left_over(&self) {
        let left_over = self.exam().take_left_over();
        for (batch, positions) in left_over {
            if self.unsent(&batch.call).is_some() {
                return;
            }
            self.calls.judge_items(record::endpoint(&batch.call));
            {
                let mut state = self.state();
                positions.iter().for_each(|at| state.reopen(*at));
            }
            self.send_portion(&batch, positions).await;
        }
    }
}

fn positions<G>(outcomes: &[Outcome<G>], wanted: impl Fn(&Outcome<G>) -> bool) -> Vec<usize> {
    outcomes.iter().enumerate().filter(|(_, outcome)| wanted(outcome)).map(|(at, _)| at).collect()
}

fn is_refused(outcome: &Outcome<NewSid>) -> bool {
    matches!(outcome, Outcome::Failed(cause) if cause.code == FailureCode::Refused)
}

/// Adds that are refused one by one may be an account without room, which is found out by itself.
fn is_refused_to_the_last(call: &WriteCall, outcomes: &[Outcome<NewSid>]) -> bool {
    outcomes.iter().all(is_refused) && (!call.is_add() || outcomes.iter().any(is_undivided))
}
