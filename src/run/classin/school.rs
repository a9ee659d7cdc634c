//! Taking accounts into the school: one call at a time, and once a run for each contact.

use std::collections::HashMap;
use std::sync::PoisonError;

use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::cause::{self, CallKind, FailedCall};
use super::context::ClassinApplyContext;
use crate::remote::classin::ClassinError;
use crate::run::delivery::{
    Attempt, Broken, CallService, Delivered, Items, Judged, Judgement, Part, ServiceStop, deliver,
};
use rosterd_core::classin_plan::{
    Call, CallAnswer, Code, Contact, ItemVerdict, SchoolName, judge_school_student,
};
use rosterd_core::exam_plan::{Refusals, RefusedBatch};
use rosterd_core::failure::Service;
use rosterd_core::outcome::{FailureCause, Outcome, Unsent};

/// ClassIn's name for the call, for records.
const CALL: &str = "addSchoolStudent";

/// What became of one account.
#[derive(Clone)]
pub(super) enum Joined {
    /// It is a student of the school.
    Member,
    /// It is not, and this is why.
    Not(FailureCause),
    /// ClassIn is left alone for the rest of this run.
    Stopped(ServiceStop),
}

/// Takes accounts into the school.
pub(super) struct School<'a> {
    terms: ClassinApplyContext<'a>,
    /// What became of them in this run. Held across a call, so that there is one at a time.
    known: Mutex<HashMap<Contact, Joined>>,
    /// Whether it is the accounts that ClassIn refuses, or the calls themselves: each is a batch of its own.
    refusals: std::sync::Mutex<Refusals>,
}

/// One account that is to be of the school.
pub(super) struct JoinCall {
    contact: Contact,
    name: SchoolName,
}

impl Items for JoinCall {
    fn len(&self) -> usize {
        1
    }

    fn part(&self, _positions: &[usize]) -> Self {
        Self { contact: self.contact.clone(), name: self.name.clone() }
    }
}

impl<'a> School<'a> {
    pub(super) fn new(terms: ClassinApplyContext<'a>) -> Self {
        Self { terms, known: Mutex::new(HashMap::new()), refusals: std::sync::Mutex::default() }
    }

    /// Makes sure that this account is a student of the school. A lost answer is settled by the same call again,
    /// after longer than the service takes two calls for one.
    pub(super) async fn join(&self, contact: &Contact, name: &SchoolName) -> Result<Joined, Broken> {
        let mut known = self.known.lock().await;
        if let Some(joined) = known.get(contact) {
            return Ok(joined.clone());
        }
        let call = JoinCall { contact: contact.clone(), name: name.clone() };
        let joined = self.unless_all_are_refused(joined(deliver(self, call).await?));
        known.insert(contact.clone(), joined.clone());
        Ok(joined)
    }

    /// Twenty accounts of which not one could be taken in are ClassIn's doing.
    fn unless_all_are_refused(&self, joined: Joined) -> Joined {
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        match &joined {
            Joined::Not(cause) if cause.code.classin().is_some_and(Code::may_be_one_value) => {
                let word = refusals.refuse_batch(1);
                let stop = ServiceStop::RefusedItems { call: CALL, items: refusals.items() };
                if word == RefusedBatch::Stop { Joined::Stopped(stop) } else { joined }
            }
            Joined::Not(cause) if cause.code.classin().is_none() => joined,
            Joined::Member | Joined::Not(_) => {
                refusals.accept();
                joined
            }
            Joined::Stopped(_) => joined,
        }
    }
}

fn joined(delivered: Delivered<()>) -> Joined {
    let Delivered { outcomes, stop, trouble: _ } = delivered;
    match (outcomes.into_iter().next(), stop) {
        (Some(Outcome::Applied(())), _) => Joined::Member,
        (Some(Outcome::Failed(cause) | Outcome::Unknown(cause)), _) => {
            Joined::Not(FailureCause { call: Some(CALL), ..(*cause).clone() })
        }
        (_, Some(stop)) => Joined::Stopped(stop),
        (Some(Outcome::Held | Outcome::Unsent(_)) | None, None) => {
            Joined::Not(FailureCause { call: Some(CALL), ..cause::lost() })
        }
    }
}

impl CallService for School<'_> {
    type Call = JoinCall;
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

    async fn send(&self, call: &JoinCall) -> Result<CallAnswer, ClassinError> {
        self.terms.writer.add_school_student(&call.contact, &call.name).await
    }

    async fn judge(&self, _call: &mut JoinCall, answer: CallAnswer) -> Result<Judged<()>, Broken> {
        let judged = judge_school_student(&answer);
        let pause = self.terms.side.retry_delays.before_registering_again;
        Ok(judge_one(Call::SchoolStudent, judged.verdict, judged.text).after(pause))
    }

    async fn after_error(
        &self,
        _call: &mut JoinCall,
        error: &ClassinError,
        _attempt: Attempt,
    ) -> Result<Judged<()>, Broken> {
        let pause = self.terms.side.retry_delays.before_registering_again;
        let failed = FailedCall { kind: CallKind::School, action: CALL, items: 1, error };
        Ok(cause::without_an_answer(failed, pause, self.terms.side))
    }
}

/// What the answer to a call for one student means, where nothing can be mended.
pub(super) fn judge_one(call: Call, verdict: ItemVerdict, text: Option<String>) -> Judged<()> {
    if verdict.is_success() {
        return Judged::of(vec![Judgement::Settled(Outcome::Applied(()))]);
    }
    if let ItemVerdict::StopRun { stop, code } = verdict {
        let unsent = Judgement::Settled(Outcome::Unsent(Unsent::ServiceStopped));
        return Judged::of(vec![unsent]).stopped(ServiceStop::ClassinCode { stop, code });
    }
    let is_repeated = matches!(verdict, ItemVerdict::Repeat { .. }) || verdict.code().is_none();
    let outcome = cause::outcome(cause::of_verdict(call, verdict, text).unwrap_or_else(cause::lost));
    Judged::of(vec![match is_repeated {
        true => Judgement::SendAgain { part: Part::Whole, otherwise: outcome },
        false => Judgement::Settled(outcome),
    }])
}
