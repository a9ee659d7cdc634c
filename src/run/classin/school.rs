//! Taking accounts into the school: one call at a time, and once a run for each contact.

use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::Mutex;

use super::record::ClassinFailureCause;
use super::send::{ClassinApplyContext, LONGEST_WAIT, REPEATS, stop_exit, stopped, waited};
use crate::remote::classin::{ClassinDisposition, ClassinError};
use crate::run::severity::Severity;
use rosterd_core::classin_plan::{Call, Contact, ItemVerdict, SchoolName, decide, judge_school_student};
use rosterd_core::failure::{FailureCode, NextAttempt};

/// ClassIn's name for the call, for records.
const CALL: &str = "addSchoolStudent";

/// What became of one account.
#[derive(Clone)]
pub(super) enum Joined {
    /// It is a student of the school.
    Member,
    /// It is not, and this is why.
    Not(Box<ClassinFailureCause>),
    /// ClassIn is left alone for the rest of this run.
    Stopped(Severity, String),
}

/// Takes accounts into the school.
pub(super) struct School<'a> {
    terms: ClassinApplyContext<'a>,
    /// What became of them in this run. Held across a call, so that there is one at a time.
    known: Mutex<HashMap<Contact, Joined>>,
}

impl<'a> School<'a> {
    pub(super) fn new(terms: ClassinApplyContext<'a>) -> Self {
        Self { terms, known: Mutex::new(HashMap::new()) }
    }

    /// Makes sure that this account is a student of the school. A lost answer is settled by the same call again,
    /// after longer than the service takes two calls for one.
    pub(super) async fn join(&self, contact: &Contact, name: &SchoolName) -> Joined {
        let mut known = self.known.lock().await;
        if let Some(joined) = known.get(contact) {
            return joined.clone();
        }
        let joined = self.ask(contact, name).await;
        known.insert(contact.clone(), joined.clone());
        joined
    }

    async fn ask(&self, contact: &Contact, name: &SchoolName) -> Joined {
        let mut repeat = 0;
        loop {
            let answer = self.terms.writer.add_school_student(contact, name).await;
            let (joined, is_final) = match answer {
                Ok(answer) => {
                    let judged = judge_school_student(&answer);
                    joined(judged.verdict, judged.text)
                }
                Err(error) => after_error(&error),
            };
            let pause = self.terms.side.retry_delays.before_registering_again;
            if is_final || repeat >= REPEATS || !waited(self.terms, pause).await {
                return joined;
            }
            repeat += 1;
        }
    }
}

/// What an answer means, and whether that is the last word.
fn joined(verdict: ItemVerdict, text: Option<String>) -> (Joined, bool) {
    if verdict.is_success() {
        return (Joined::Member, true);
    }
    if let ItemVerdict::StopRun { stop, code } = verdict {
        let (exit, message) = stopped(stop, code);
        return (Joined::Stopped(exit, message), true);
    }
    let Some(code) = verdict.code() else {
        return (Joined::Not(Box::new(ClassinFailureCause::lost(CALL))), false);
    };
    let message = decide(Call::SchoolStudent, code).sentence();
    let (code, next) = (FailureCode::Classin(code), NextAttempt::after(verdict));
    let cause = ClassinFailureCause::of_account(CALL, code, message, next, text);
    (Joined::Not(Box::new(cause)), !matches!(verdict, ItemVerdict::Repeat { .. }))
}

fn after_error(error: &ClassinError) -> (Joined, bool) {
    match reaction(error) {
        Reaction::Stop(exit, message, _) => (Joined::Stopped(exit, message), true),
        Reaction::Again if error.is_lost() => (Joined::Not(Box::new(ClassinFailureCause::lost(CALL))), false),
        Reaction::Again => (Joined::Not(Box::new(ClassinFailureCause::not_sent(CALL, error))), false),
    }
}

/// What to do about a call for one account without an answer.
pub(super) enum Reaction {
    /// Leave ClassIn alone for this run; for so long, where it says.
    Stop(Severity, String, Option<Duration>),
    /// The same again.
    Again,
}

pub(super) fn reaction(error: &ClassinError) -> Reaction {
    let message = super::in_one_line(error);
    match error.disposition() {
        ClassinDisposition::Stop(cause) => Reaction::Stop(stop_exit(cause), message, None),
        ClassinDisposition::Retry { after: Some(after) } if after > LONGEST_WAIT => {
            Reaction::Stop(Severity::Temporary, message, Some(after))
        }
        ClassinDisposition::Retry { .. }
        | ClassinDisposition::RetryThenStop
        | ClassinDisposition::SmallerBatch => Reaction::Again,
    }
}
