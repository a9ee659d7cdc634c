//! Writes the new names of students at the school, one call at a time. Repeating one is safe.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use super::accounts_applied::AccountsApplied;
use super::cause::{self, CallKind, FailedCall};
use super::context::ClassinApplyContext;
use super::history::contact_of;
use super::repair::with;
use super::school::{Joined, School, judge_one};
use crate::remote::classin::ClassinError;
use crate::run::Context;
use crate::run::delivery::{
    self, Applier, ApplyState, Attempt, Broken, CallService, Delivered, Items, Judged, Judgement, Place,
    Repaired, carry_out, deliver, send_call,
};
use crate::run::progress::Progress;
use crate::store::{CallRecord, NAME, NotedWrite};
use rosterd_core::classin_plan::{
    AccountChange, AccountKind, AccountPlan, Approvals, Call, CallAnswer, EnrolmentState, ItemVerdict,
    Renaming, Subject, judge_name,
};
use rosterd_core::exam_plan::Fingerprint;
use rosterd_core::failure::Service;
use rosterd_core::outcome::Outcome;
use rosterd_core::roster::{RunId, StudentId};

/// ClassIn's name for the call, for records.
const CALL: &str = "editSchoolStudent";

const NOT_OF_THE_SCHOOL: &str = "the account is not a student of the school; add the student in ClassIn's console, or \
                                 enter phone or e-mail on the roster";

/// Writes the names that are planned.
pub(super) async fn run<'a>(
    terms: ClassinApplyContext<'a>,
    school: &'a School<'a>,
    (accounts, approved): (&'a AccountPlan, &'a Approvals),
) -> Result<AccountsApplied, Broken> {
    let renamings: HashMap<&StudentId, &Renaming> =
        accounts.renamings.iter().map(|renaming| (&renaming.student, renaming)).collect();
    let planned = accounts.operations.iter().enumerate().filter(|(_, operation)| {
        operation.kind == AccountKind::Rename && operation.state == EnrolmentState::Planned
    });
    let lane: Vec<(usize, &Renaming)> =
        planned.filter_map(|(at, operation)| Some((at, *renamings.get(&operation.student)?))).collect();
    let renamer = Renamer {
        accounts,
        approved,
        calls: NameCalls { terms, school },
        state: Mutex::new(ApplyState::new(vec![None; accounts.operations.len()], None)),
        trouble: Mutex::default(),
    };
    carry_out(&renamer, &[vec![lane]], 1, &Progress::silent().bar("", 0)).await;
    AccountsApplied::unless_broken(renamer.state, renamer.trouble)
}

/// One name to write.
pub(super) struct NameCall(Renaming);

impl Items for NameCall {
    fn len(&self) -> usize {
        1
    }

    fn part(&self, _positions: &[usize]) -> Self {
        Self(self.0.clone())
    }
}

struct NameCalls<'a> {
    terms: ClassinApplyContext<'a>,
    school: &'a School<'a>,
}

impl CallService for NameCalls<'_> {
    type Call = NameCall;
    type Answer = CallAnswer;
    type Error = ClassinError;
    type Gain = ();

    const SERVICE: Service = Service::Classin;

    fn failures_in_a_row(&self) -> Option<u32> {
        self.terms.side.transport.failures_in_a_row()
    }

    fn stop_signal(&self) -> &CancellationToken {
        &self.terms.context.stop
    }

    async fn send(&self, NameCall(renaming): &NameCall) -> Result<CallAnswer, ClassinError> {
        self.terms.writer.edit_school_student(renaming.uid, &renaming.name).await
    }

    async fn judge(&self, _call: &mut NameCall, answer: CallAnswer) -> Result<Judged<()>, Broken> {
        let judged = judge_name(&answer);
        if matches!(judged.verdict, ItemVerdict::Repair { .. }) {
            let otherwise = cause::outcome(cause::not_of_the_school(NOT_OF_THE_SCHOOL));
            return Ok(Judged::of(vec![Judgement::Repair(otherwise)]));
        }
        let pause = self.terms.side.retry_delays.before_repeating;
        Ok(judge_one(Call::SchoolName, judged.verdict, judged.text).after(pause))
    }

    async fn after_error(
        &self,
        _call: &mut NameCall,
        error: &ClassinError,
        _attempt: Attempt,
    ) -> Result<Judged<()>, Broken> {
        let pause = self.terms.side.retry_delays.before_repeating;
        let failed = FailedCall { kind: CallKind::School, action: CALL, items: 1, error };
        Ok(cause::without_an_answer(failed, pause, self.terms.side))
    }

    /// Takes the account into the school under the new name.
    async fn repair(
        &self,
        NameCall(renaming): &mut NameCall,
        positions: &[usize],
    ) -> Result<Repaired<()>, Broken> {
        let mut snapshot = self.terms.context.roster.snapshot().await?;
        let people = snapshot.people(&BTreeSet::from([renaming.student.clone()])).await?;
        snapshot.close().await?;
        let contact = people.first().and_then(|person| contact_of(person, self.terms.side));
        let Some(contact) = contact else { return Ok(Repaired::default()) };
        Ok(match self.school.join(&contact, &renaming.name).await? {
            Joined::Member => Repaired { again: positions.to_vec(), ..Repaired::default() },
            Joined::Not(cause) => {
                let cause = with(cause, Fingerprint(contact.fingerprint(self.terms.token_key)));
                Repaired { settled: vec![(0, cause::outcome(cause))], ..Repaired::default() }
            }
            Joined::Stopped(stop) => Repaired {
                settled: vec![(0, Outcome::Unsent(rosterd_core::outcome::Unsent::ServiceStopped))],
                stop: Some(stop),
                ..Repaired::default()
            },
        })
    }
}

struct Renamer<'a> {
    accounts: &'a AccountPlan,
    approved: &'a Approvals,
    calls: NameCalls<'a>,
    state: Mutex<ApplyState>,
    trouble: Mutex<Option<String>>,
}

impl Renamer<'_> {
    fn trouble(&self) -> MutexGuard<'_, Option<String>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> Applier for Renamer<'a> {
    const SERVICE: Service = Service::Classin;

    /// Where the operation stands, and the name.
    type Batch = (usize, &'a Renaming);
    type Call = NameCall;
    type Gain = ();

    fn context(&self) -> &Context {
        self.calls.terms.context
    }

    fn run(&self) -> RunId {
        self.calls.terms.run
    }

    fn state(&self) -> MutexGuard<'_, ApplyState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn send_batch(&self, batch: &Self::Batch) {
        let is_over =
            self.state().is_over() || self.trouble().is_some() || self.context().stop.is_cancelled();
        if !is_over {
            send_call(self, batch, &[batch.0], NameCall(batch.1.clone())).await;
        }
    }

    /// A repeat is safe: nothing need be known of a call that was cut off, but that it counts.
    async fn intend(&self, positions: &[usize], _number: u64) -> Result<(), Broken> {
        let operations = positions.iter().filter_map(|at| self.accounts.operations.get(*at));
        let counted = |operation| {
            let key = Subject::from(operation).key;
            let is_approved = self.approved.contains(operation);
            NotedWrite { key, kind: NAME, place: String::new(), is_approved }
        };
        let counted: Vec<NotedWrite> = operations.map(counted).collect();
        let ClassinApplyContext { context, run, .. } = self.calls.terms;
        Ok(context.state.count_writes(&counted, run, context.clock.now_ms()).await?)
    }

    async fn deliver(&self, call: NameCall) -> Result<Delivered<()>, Broken> {
        deliver(&self.calls, call).await
    }

    fn note_call(&self, _batch: &Self::Batch, _positions: &[usize], delivered: &Delivered<()>) {
        if let Some(trouble) = &delivered.trouble {
            self.trouble().get_or_insert_with(|| trouble.clone());
        }
    }

    fn place(&self, _batch: &Self::Batch, _number: u64, _index: usize) -> Place {
        Place::at(CALL)
    }

    fn subject(&self, position: usize) -> Option<delivery::Subject> {
        self.accounts.operations.get(position).map(|operation| Subject::from(operation).into())
    }

    fn note_applied(&self, batch: &Self::Batch, _position: usize, (): &(), record: &mut CallRecord) -> bool {
        let Renaming { student, fingerprint, .. } = batch.1;
        record.accounts.push(AccountChange::Named { student: student.clone(), name: *fingerprint });
        record.applied.extend(self.subject(batch.0).map(|subject| subject.key));
        true
    }

    fn note_not_applied(&self, _position: usize, _outcome: &Outcome, _record: &mut CallRecord) {}
}
