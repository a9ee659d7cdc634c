//! ClassIn refuses every registration, or every joining of the school (100, 155): found out in few calls, and left alone
//! for the run.
//!
//! A refused batch is halved, depth first, until one account stands alone; what else was refused in it waits for a word
//! from the next batch. Two batches, 20 accounts together, of which nothing went through are ClassIn's doing. Fewer are
//! judged one by one in the end.

use std::sync::{MutexGuard, PoisonError};

use super::register::{Registrar, RegistrationCall, RegistrationCalls};
use super::server_errors::{ServerErrors, failed_with_others};
use super::storm::{is_refused, is_undivided, undivided};
use crate::remote::classin::ClassinError;
use crate::run::delivery::{Applier, Broken, Delivered, Items, Judged, ServiceStop, Trouble, deliver};
use crate::run::in_one_line;
use rosterd_core::classin_plan::{AccountVerdict, Application, JudgedAccount, Membership, Subject};
use rosterd_core::exam_plan::{Refusals, RefusedBatch};
use rosterd_core::outcome::Outcome;

/// What one item tells of the calls.
pub(super) fn take_in(refusals: &mut Refusals, item: &JudgedAccount<AccountVerdict>) {
    match item.verdict {
        AccountVerdict::Known { .. } => refusals.accept(),
        AccountVerdict::Not(verdict) => {
            if verdict.code().is_some_and(|code| !code.may_be_one_value()) {
                refusals.accept();
            } else if item.suspect.is_some() {
                refusals.refuse_alone();
            }
        }
    }
}

impl RegistrationCalls<'_> {
    /// Never held across a call.
    pub(super) fn refusals(&self) -> MutexGuard<'_, Refusals> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Never held across a call.
    pub(super) fn server_errors(&self) -> MutexGuard<'_, ServerErrors> {
        self.server_errors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it means that ClassIn failed (5xx) over a call once more, or over a part of one. It may have been done: a part
    /// that goes too soon would only be called a double.
    pub(super) async fn divided(
        &self,
        call: &mut RegistrationCall,
        error: &ClassinError,
    ) -> Judged<Membership> {
        let judged = self.server_errors().judge(error, call.call().1, call.len());
        call.is_divided = true;
        if call.len() > 1 {
            let _is_stopping =
                self.terms.context.stop.run_until_cancelled(tokio::time::sleep(self.pause())).await;
        }
        if self.server_errors().is_answered() {
            return judged;
        }
        // Nothing was answered: where no other part is, no further account is asked for in this run.
        let trouble = Trouble { message: in_one_line(error), stop: None };
        Judged { trouble: (call.len() == 1).then_some(trouble), ..judged }
    }

    /// Delivers a call, and finds out whether ClassIn refuses whatever it is sent.
    pub(super) async fn deliver_unless_refused(
        &self,
        call: RegistrationCall,
    ) -> Result<Delivered<Membership>, Broken> {
        self.refusals().begin();
        let whole: Vec<usize> = (0..call.len()).collect();
        let kept = call.part(&whole);
        self.server_errors().begin();
        let mut delivered = deliver(self, call).await?;
        self.divide_on(&kept, &mut delivered).await?;
        let refusals = self.refusals().clone();
        let rest = delivered.outcomes.iter().enumerate().filter(|(_, outcome)| is_undivided(outcome));
        let rest: Vec<usize> = rest.map(|(at, _)| at).collect();
        if refusals.is_accepted() && !rest.is_empty() && delivered.stop.is_none() {
            let again = deliver(self, kept.part(&rest)).await?;
            delivered.replace(&rest, again);
        } else if refusals.doubts_service() && delivered.outcomes.iter().all(is_refused) {
            let word = self.refusals().refuse_batch(kept.len());
            let stop = ServiceStop::RefusedItems { call: kept.call().1, items: self.refusals().items() };
            delivered.stop = delivered.stop.take().or((word == RefusedBatch::Stop).then_some(stop));
            delivered.outcomes.fill(undivided());
        }
        Ok(delivered)
    }
}

impl RegistrationCalls<'_> {
    /// Halves on what was left of a batch over which ClassIn failed, as long as any part of it is answered.
    async fn divide_on(
        &self,
        kept: &RegistrationCall,
        delivered: &mut Delivered<Membership>,
    ) -> Result<(), Broken> {
        let mut was_answered = false;
        loop {
            let is_answered = self.server_errors().is_answered();
            was_answered |= is_answered;
            if was_answered {
                // Whoever it failed over stands among the failures.
                delivered.trouble = None;
            }
            let rest = failed_with_others(&delivered.outcomes);
            let is_left_alone = delivered.stop.is_some() || self.terms.context.stop.is_cancelled();
            if rest.is_empty() || is_left_alone || !is_answered {
                return Ok(());
            }
            self.server_errors().begin();
            let mut again = kept.part(&rest);
            again.is_divided = true;
            delivered.replace(&rest, deliver(self, again).await?);
        }
    }
}

impl<'a> Registrar<'a> {
    /// Keeps who was refused with others, and was not judged alone.
    pub(super) fn leave_over(
        &self,
        batch: &[&'a Application],
        sent: &[usize],
        outcomes: &[Outcome<Membership>],
    ) {
        let left = sent.iter().zip(outcomes).filter(|(_, outcome)| is_undivided(outcome));
        let left: Vec<usize> = left.map(|(at, _)| *at).collect();
        let is_left = |application: &&&'a Application| {
            let mut students = application.account.students.iter();
            students.any(|student| self.positions.get(student).is_some_and(|at| left.contains(at)))
        };
        let batch: Vec<&Application> = batch.iter().filter(is_left).copied().collect();
        if !batch.is_empty() {
            self.left_over.lock().unwrap_or_else(PoisonError::into_inner).push(batch);
        }
    }

    /// Judges in the end who was refused with others: no second batch has shown that it is ClassIn's doing.
    pub(super) async fn judge_left_over(&self) {
        let left = std::mem::take(&mut *self.left_over.lock().unwrap_or_else(PoisonError::into_inner));
        for batch in left {
            if self.must_skip() {
                return;
            }
            self.calls.refusals().judge_items();
            {
                let mut state = self.state();
                let students = batch.iter().flat_map(|application| &application.account.students);
                students.filter_map(|student| self.positions.get(student)).for_each(|at| state.reopen(*at));
            }
            self.send_batch(&batch).await;
        }
    }

    /// Who was refused one by one before ClassIn was seen to refuse everybody is at no fault.
    pub(super) async fn blame_service(&self) -> Result<(), Broken> {
        let refused = {
            let state = self.state();
            if !matches!(state.stopped(), Some(ServiceStop::RefusedItems { .. })) {
                return Ok(());
            }
            let operations = self.accounts.operations.iter().enumerate();
            let refused = operations.filter(|(at, _)| state.outcome(*at).is_some_and(is_refused));
            refused.map(|(_, operation)| Subject::from(operation).key).collect::<Vec<_>>()
        };
        Ok(self.context().state.blame_service(&refused).await?)
    }
}
