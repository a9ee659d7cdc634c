//! Classes without room, and classes that turn out to be over: who is not sent any more waits like those who were.

use std::collections::HashSet;

use super::apply::ClassinApplier;
use super::cause;
use super::closed_classes::WaitingForClosed;
use super::record::{action, call};
use crate::run::delivery::{Applier, Place, failure};
use crate::store::{CallRecord, FullClass, StoreError};
use rosterd_core::classin_plan::{Code, EnrolmentKind, ItemVerdict, Subject};
use rosterd_core::outcome::Outcome;
use rosterd_core::roster::{ClassTarget, StudentId};

impl ClassinApplier<'_> {
    /// Whom nobody asked for room after others had found none: each waits like those, with a row of their own.
    pub(super) async fn end_without_room(&self) {
        if self.state().is_over() || self.terms.context.stop.is_cancelled() {
            return;
        }
        if let Err(error) = self.fail_without_room().await {
            self.state().break_off(error);
        }
    }

    async fn fail_without_room(&self) -> Result<(), StoreError> {
        let full = self.calls.classes().full.clone();
        let mut record = CallRecord::default();
        let mut ended: Vec<(usize, Outcome)> = Vec::new();
        for (at, operation) in self.plan.operations.iter().enumerate() {
            let is_open = operation.is_planned() && self.state().is_open(at);
            if operation.kind != EnrolmentKind::Enrol || !is_open || self.unmet(operation).is_some() {
                continue;
            }
            let Some(code) = full.get(&operation.target).copied() else { continue };
            let verdict = ItemVerdict::Full { code };
            let Some(cause) = cause::of_verdict(call(operation), verdict, None) else { continue };
            let subject = Subject::from(operation).into();
            record
                .failures
                .extend(failure(self.terms.context, &subject, &cause, Place::at(action(operation))).await?);
            ended.push((at, cause::outcome(cause)));
        }
        if ended.is_empty() {
            return Ok(());
        }
        let now_ms = self.terms.context.clock.now_ms();
        self.terms.context.state.record_call(&record, self.terms.run, now_ms).await?;
        ended.into_iter().for_each(|(at, outcome)| self.state().end(at, outcome));
        Ok(())
    }

    /// One row for each class that turned out to take no changes any more, for all who are not in it. Says whether there
    /// is one.
    pub(super) async fn remember_ended(&self) -> Result<bool, StoreError> {
        let ended = self.notes().ended.clone();
        if ended.is_empty() {
            return Ok(false);
        }
        let mut waiting = WaitingForClosed::default();
        for operation in self.plan.operations.iter().filter(|one| one.kind == EnrolmentKind::Enrol) {
            let course = ClassTarget { class: None, ..operation.target };
            let code = ended.get(&operation.target).or_else(|| ended.get(&course));
            if let Some(code) = code.filter(|_| !self.is_applied(operation)) {
                waiting.add(operation, *code);
            }
        }
        let leaving = self.leaving();
        for (target, code) in ended.into_iter().filter(|(_, code)| code.is_deleted()) {
            waiting.add_members(self.terms.context, (target, code), &self.plan.codes, &leaving).await?;
        }
        let is_waited_for = !waiting.is_empty();
        let now_ms = self.terms.context.clock.now_ms();
        let told = (waiting, &self.plan.names);
        self.plan.standing.record_closed(self.terms.context, told, self.terms.run, now_ms).await?;
        Ok(is_waited_for)
    }

    fn leaving(&self) -> HashSet<(ClassTarget, &StudentId)> {
        let removals = self.plan.operations.iter().filter(|one| one.kind == EnrolmentKind::Remove);
        removals.map(|one| (one.target, &one.student)).collect()
    }

    /// Remembers which classes have no room, so that they are not asked at every run.
    pub(super) async fn remember_room(&self) -> Result<(), StoreError> {
        let at_ms = self.terms.context.clock.now_ms();
        let (full, others) = {
            let classes = self.calls.classes();
            let full = |(target, code): (&ClassTarget, &Code)| {
                let wanted = *self.plan.rosters.get(target)?;
                let (class_code, waiting) = self.waiting_for(*target);
                Some(FullClass { target: *target, code: *code, wanted, at_ms, class_code, waiting })
            };
            let others = classes.asked.iter().filter(|target| !classes.full.contains_key(target));
            let others: Vec<ClassTarget> = others.copied().collect();
            (classes.full.iter().filter_map(full).collect::<Vec<FullClass>>(), others)
        };
        self.terms.context.state.remember_full(&full, &others, self.terms.run).await
    }

    /// By which code the roster names a class, and how many of its students are not in it.
    fn waiting_for(&self, target: ClassTarget) -> (String, u64) {
        let here = self
            .plan
            .operations
            .iter()
            .filter(|one| one.kind == EnrolmentKind::Enrol && one.target == target);
        let code = here.clone().find_map(|one| one.class_code.as_ref()).map(ToString::to_string);
        let waiting = here.filter(|operation| !self.is_applied(operation)).count();
        (code.unwrap_or_default(), u64::try_from(waiting).unwrap_or(u64::MAX))
    }
}
