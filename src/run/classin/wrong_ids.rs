//! Classes and courses whose ids ClassIn does not take: one failure for all of their students, for whoever mends the ids.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use super::apply::ClassinApplier;
use super::closed_classes::Waiters;
use super::record::{action, call};
use crate::run::delivery::{Place, Subject, failure};
use crate::store::{CallRecord, StoreError};
use rosterd_core::classin_plan::{Code, EnrolmentKind, EnrolmentOperation, class_hash, class_key, decide};
use rosterd_core::counted::counted;
use rosterd_core::exam_plan::Fingerprint;
use rosterd_core::failure::{FailureCode, NextAttempt, OperationKey};
use rosterd_core::outcome::{FailureCause, Outcome};
use rosterd_core::roster::{ClassTarget, StudentId};

/// Under which key the ids of a class fail.
pub(super) fn ids_key(operation: &EnrolmentOperation) -> OperationKey {
    OperationKey::in_class(operation.kind.into(), StudentId::new(""), class_key(operation))
}

/// What one class, or one course, refuses of one kind.
struct WrongIds<'a> {
    code: Code,
    /// The first that was refused.
    first: &'a EnrolmentOperation,
    students: HashSet<&'a StudentId>,
}

type Wrong<'a> = BTreeMap<(EnrolmentKind, ClassTarget), WrongIds<'a>>;

impl ClassinApplier<'_> {
    /// Writes down one failure for each class or course that refuses everybody, in place of one for each student, and ends
    /// those of classes that take them again.
    pub(super) async fn record_wrong_ids(&self) -> Result<(), StoreError> {
        if self.plan.operations.iter().all(|operation| !operation.is_planned()) {
            return Ok(());
        }
        let context = self.terms.context;
        let open = context.state.classin_open_failures().await?;
        let open: HashSet<OperationKey> = open.into_iter().map(|failure| failure.key).collect();
        let mut record = CallRecord::default();
        let (wrong, alone) = self.wrong_ids();
        for (operation, cause) in alone {
            let cause = FailureCause { next: Some(NextAttempt::AfterDelay), ..FailureCause::clone(&cause) };
            let subject = rosterd_core::classin_plan::Subject::from(operation).into();
            record.failures.extend(failure(context, &subject, &cause, Place::at(action(operation))).await?);
        }
        for ((kind, target), WrongIds { code, first, students }) in &wrong {
            let message = format!(
                "{} {}{} ({target}), {}: {}",
                first.target.noun(),
                class_key(first),
                self.plan.names.title_of(*target),
                counted(u64::try_from(students.len()).unwrap_or(u64::MAX), "student"),
                decide(call(first), *code).sentence()
            );
            let cause = FailureCause::new(FailureCode::Classin(*code), message);
            let desired_hash = Fingerprint(class_hash(*kind, *target));
            let subject = Subject { key: ids_key(first), desired_hash };
            record.failures.extend(failure(context, &subject, &cause, Place::at(action(first))).await?);
        }
        for operation in self.plan.operations.iter().filter(|operation| operation.is_planned()) {
            let of_class = ids_key(operation);
            if self.is_applied(operation) && open.contains(&of_class) {
                record.applied.push(of_class);
            }
            // An earlier version wrote a failure for each student.
            let of_student = rosterd_core::classin_plan::Subject::from(operation).key;
            let is_refused = self.scopes(operation).any(|scope| wrong.contains_key(&(operation.kind, scope)));
            if is_refused && open.contains(&of_student) {
                record.applied.push(of_student);
            }
        }
        self.remember_refused(&wrong).await?;
        if record.failures.is_empty() && record.applied.is_empty() {
            return Ok(());
        }
        context.state.record_call(&record, self.terms.run, context.clock.now_ms()).await
    }

    /// Who was there when a class was refused: whoever joins them is news, also where nobody tries it any more.
    async fn remember_refused(&self, wrong: &Wrong<'_>) -> Result<(), StoreError> {
        let asked =
            || wrong.keys().filter(|(kind, _)| *kind == EnrolmentKind::Enrol).map(|(_, target)| *target);
        if asked().next().is_none() {
            return Ok(());
        }
        let mut waiters = Waiters::of_refused(self.terms.context).await?;
        for target in asked() {
            let adds = self.plan.operations.iter().filter(|one| one.kind == EnrolmentKind::Enrol);
            let here = adds.filter(|one| self.scopes(one).any(|scope| scope == target));
            waiters.set(target, here.map(|one| &one.student));
        }
        waiters.remember_refused(self.terms.context).await
    }

    fn scopes(&self, operation: &EnrolmentOperation) -> impl Iterator<Item = ClassTarget> + use<> {
        let target = operation.target;
        [target, ClassTarget { class: None, ..target }].into_iter()
    }

    /// What is refused of whom, and who was refused alone: where others of the class were taken in this run, its ids are right.
    fn wrong_ids(&self) -> (Wrong<'_>, Vec<(&EnrolmentOperation, Arc<FailureCause>)>) {
        let closed = self.wrong();
        let (mut wrong, mut alone) = (Wrong::new(), Vec::new());
        let planned = || self.plan.operations.iter().filter(|operation| operation.is_planned());
        let scope = |operation: &EnrolmentOperation| {
            let mut scopes = self.scopes(operation);
            scopes.find_map(|scope| Some((scope, *closed.get(&scope)?)))
        };
        let took = planned().filter(|operation| self.is_applied(operation));
        let took: BTreeSet<(EnrolmentKind, ClassTarget)> =
            took.flat_map(|operation| self.scopes(operation).map(|scope| (operation.kind, scope))).collect();
        for operation in planned() {
            let Some((target, code)) = scope(operation) else { continue };
            let Some(Outcome::Failed(cause)) = self.outcome_of(super::apply::key(operation)) else {
                continue;
            };
            if cause.code != FailureCode::Classin(code) {
                continue;
            }
            if took.contains(&(operation.kind, target)) {
                alone.push((operation, Arc::clone(&cause)));
            } else {
                let begin = || WrongIds { code, first: operation, students: HashSet::new() };
                wrong.entry((operation.kind, target)).or_insert_with(begin);
            }
        }
        for operation in planned().filter(|operation| !self.is_applied(operation)) {
            let Some((target, _)) = scope(operation) else { continue };
            if let Some(ids) = wrong.get_mut(&(operation.kind, target)) {
                ids.students.insert(&operation.student);
            }
        }
        (wrong, alone)
    }
}
