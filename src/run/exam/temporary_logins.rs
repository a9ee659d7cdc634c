//! The login values that candidates have while they change places in a circle of renames.

use rosterd_core::exam_plan::{Batch, Call, Change, LoginChange, Modification, Operation};
use rosterd_core::outcome::{Outcome, Unsent};
use rosterd_core::roster::{LoginValue, Sid};

use super::apply::ExamApplier;
use super::record;
use super::write_call::WriteCall;
use crate::remote::exam::CandidateChange;
use crate::run::delivery::{Applier, Broken};
use crate::store::CallRecord;

impl ExamApplier<'_> {
    /// A login value that nobody else has, for a candidate that gives way to another.
    pub(super) fn temporary_login(&self, modification: &Modification) -> LoginValue {
        LoginValue::new(format!("moving-{}-{}", modification.sid, self.context.run))
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
