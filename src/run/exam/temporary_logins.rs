//! The login values that candidates have while they change places in a circle of renames.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use rosterd_core::exam_plan::{Batch, Call, Change, LoginChange, Modification, Operation, temporary_login};
use rosterd_core::outcome::{Outcome, Unsent};
use rosterd_core::roster::{LoginValue, Mode, Sid, StudentId};

use super::apply::ExamApplier;
use super::record;
use super::write_call::WriteCall;
use crate::remote::exam::CandidateChange;
use crate::run::delivery::{Applier, Broken, ServiceStop};
use crate::store::{CallRecord, LinkWrite, WayGiven};

impl ExamApplier<'_> {
    /// A login value that nobody else has, for a candidate that gives way to another.
    pub(super) fn temporary_login(&self, modification: &Modification) -> LoginValue {
        temporary_login(modification.sid, self.context.run)
    }

    pub(super) fn login_change(&self, sid: Sid, login: &LoginValue) -> CandidateChange {
        CandidateChange { sid, values: vec![(self.calls.session.login_field, login.as_str().to_owned())] }
    }

    /// Where the circle could not change places, candidates that gave way get their old login values back: nobody is
    /// left with one that they do not know.
    pub(super) async fn take_back_ways_given<'b>(&self, batches: impl Iterator<Item = &'b Batch>) {
        let given = batches.filter(|batch| batch.call == Call::GiveWay);
        for at in given.flat_map(|batch| &batch.operations) {
            if let Err(error) = self.take_back(*at).await {
                self.state().break_off(error);
            }
        }
    }

    async fn take_back(&self, at: usize) -> Result<(), Broken> {
        let Some((operation, modification, login)) = self.gave_way_in_vain(at) else { return Ok(()) };
        let call = WriteCall::Change(vec![self.login_change(modification.sid, &login.from)]);
        let delivered = self.deliver(call).await?;
        if !matches!(delivered.outcomes.as_slice(), [Outcome::Applied(_)]) {
            return Ok(());
        }
        let links = vec![record::gave_way(operation, login.from.clone())];
        let record = CallRecord { links, ..CallRecord::default() };
        let context = self.context.run_context;
        Ok(context.state.record_call(&record, self.context.run, context.clock.now_ms()).await?)
    }

    /// A candidate that gave way in an earlier run, and that this run's plan leaves as it is, gets a login value of its
    /// student back: a run was cut off, and by now the circle is none, is held or waits for a row.
    pub(super) async fn end_ways_given(&self) {
        let context = self.context.run_context;
        let may_change =
            matches!(context.mode, Mode::Upsert | Mode::Sync) && self.context.plan.doubt.is_none();
        if !may_change || self.unsent(&Call::Change).is_some() {
            return;
        }
        let given = match context.state.ways_given().await {
            Ok(given) => given,
            Err(error) => return self.state().break_off(error),
        };
        let mut taken = HashSet::new();
        let mut ended = Vec::new();
        for way in given {
            if let Some(login) = self.login_to_return_to(&way).filter(|login| taken.insert(login.clone())) {
                ended.push((way, login));
            }
        }
        if ended.is_empty() {
            return;
        }
        let shown: HashMap<Sid, LoginValue> =
            ended.iter().map(|(way, _)| (way.sid, way.login.clone())).collect();
        let proven = match self.proven_among(&shown).await {
            Ok(proven) => proven,
            Err(error) => return self.state().stop(ServiceStop::exam(&error)),
        };
        for (way, login) in ended.into_iter().filter(|(way, _)| proven.contains(&way.sid)) {
            if self.unsent(&Call::Change).is_some() {
                return;
            }
            if let Err(error) = self.end_way_given(way, login).await {
                return self.state().break_off(error);
            }
        }
    }

    async fn end_way_given(&self, way: WayGiven, login: LoginValue) -> Result<(), Broken> {
        let call = WriteCall::Change(vec![self.login_change(way.sid, &login)]);
        let delivered = self.deliver(call).await?;
        if !matches!(delivered.outcomes.as_slice(), [Outcome::Applied(_)]) {
            return Ok(());
        }
        tracing::info!(student.id = %way.student, "a candidate that gave way has a login value of its student again");
        let (login, student) = (Some(login), way.student);
        let links = vec![LinkWrite::Values {
            student,
            login,
            confirmed: BTreeMap::new(),
            sent_twice: BTreeSet::new(),
        }];
        let record = CallRecord { links, ..CallRecord::default() };
        let context = self.context.run_context;
        Ok(context.state.record_call(&record, self.context.run, context.clock.now_ms()).await?)
    }

    /// The one that the candidate had, else the one that the roster wants, where nobody has it.
    fn login_to_return_to(&self, way: &WayGiven) -> Option<LoginValue> {
        let own = self.renames.get(&way.student).copied();
        // Who gave way in this very run is looked after there, and of who may have been changed nothing is known.
        if way.login == temporary_login(way.sid, self.context.run)
            || own.is_some_and(|at| !self.is_undone(at))
        {
            return None;
        }
        let wanted = own.and_then(|at| self.operation(at)?.change.login()).map(|login| login.to.clone());
        let mut both = [way.from.clone(), wanted].into_iter().flatten();
        both.find(|login| self.is_free(login, &way.student))
    }

    /// Whether nothing of this operation was done.
    fn is_undone(&self, at: usize) -> bool {
        match self.state().outcome(at) {
            Some(Outcome::Held | Outcome::Unsent(_)) => true,
            Some(Outcome::Failed(cause)) => !cause.is_unanswered,
            Some(Outcome::Applied(_) | Outcome::Unknown(_)) | None => false,
        }
    }

    /// Whether no candidate is listed under this login value, and this run gave it to none of another student.
    fn is_free(&self, login: &LoginValue, student: &StudentId) -> bool {
        let gives = |operation: &Operation| match &operation.change {
            Change::Add(addition) => addition.login == *login,
            Change::Modify(modification) => modification.login.as_ref().is_some_and(|it| it.to == *login),
            Change::Adopt(_) | Change::Move(_) | Change::Delete(_) | Change::Impossible(_) => false,
        };
        let operations = self.context.plan.operations.iter().enumerate();
        let mut given = operations.filter(|(at, operation)| {
            operation.student != *student && gives(operation) && !self.is_undone(*at)
        });
        self.context.observed.find(login).is_none() && given.next().is_none()
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
        let is_over = self.unsent(&Call::Change).is_some();
        let state = self.state();
        // It did give way, and was then skipped because of the others; a failure of its own comes before or
        // leaves open which login value it has.
        let in_vain = state.outcome(at) == Some(&Outcome::Unsent(Unsent::Dependent));
        let is_free = successor.is_none_or(|other| {
            matches!(state.outcome(other), Some(Outcome::Failed(_) | Outcome::Unsent(_)))
        });
        (in_vain && is_free && !is_over).then_some((operation, modification, login))
    }
}
