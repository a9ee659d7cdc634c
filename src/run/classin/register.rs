//! Obtains accounts: one call at a time, the uid stored at once, and then membership of the school.
//!
//! A lost answer is settled by asking again, after longer than the service takes two calls for one: the answer then
//! carries the uid.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::account::{AccountKind, Accounts, Application};
use super::outcome::EnrolmentOutcome;
use super::outcome::OutcomeKind;
use super::record::{ClassinFailureCause, Subject, failure};
use super::school::{Joined, Reaction, School, reaction};
use super::send::{ClassinApplyContext, REPEATS, refuses_the_calls, stopped, waited};
use crate::remote::classin::ClassinError;
use crate::run::severity::Severity;
use crate::store::{Account, AccountChange, AccountOrigin, CallRecord, Intent, StoreError};
use rosterd_core::classin_plan::{
    AccountVerdict, Call, Code, ItemVerdict, JudgedAccount, JudgedAccounts, LARGEST_REGISTRATION, Membership,
    Registration, Token, decide, judge_registrations,
};
use rosterd_core::exam_plan::Fingerprint;
use rosterd_core::failure::{ClassinKind, FailureCode, NextAttempt, OperationKey};
use rosterd_core::roster::{ClassinUid, StudentId};

/// What became of the registrations.
#[derive(Default)]
pub(super) struct Registered {
    /// By student; who is absent was not tried.
    pub(super) ends: HashMap<StudentId, EnrolmentOutcome>,
    /// Why ClassIn is left alone for the rest of this run.
    pub(super) stopped: Option<(Severity, String)>,
    /// How the service itself failed.
    pub(super) trouble: Option<String>,
}

struct Registrar<'a> {
    terms: ClassinApplyContext<'a>,
    school: &'a School<'a>,
    desired_hashes: HashMap<&'a StudentId, u64>,
    /// When each student's last call was made that nobody knows the answer to.
    lost: HashMap<StudentId, i64>,
    suspects: u32,
    batches: u64,
    done: Registered,
}

/// Obtains these accounts.
pub(super) async fn run<'a>(
    terms: ClassinApplyContext<'a>,
    school: &'a School<'a>,
    accounts: &'a Accounts,
) -> Result<Registered, StoreError> {
    let registrations = accounts.operations.iter().filter(|one| one.kind == AccountKind::Register);
    let mut registrar = Registrar {
        terms,
        school,
        desired_hashes: registrations.map(|operation| (&operation.student, operation.desired_hash)).collect(),
        lost: terms.context.state.lost_registrations().await?.into_iter().collect(),
        suspects: 0,
        batches: 0,
        done: Registered::default(),
    };
    let mut unknown = Vec::new();
    for Application { account, known } in &accounts.applications {
        match known {
            Some(known) => registrar.go_on_with(account, known).await?,
            None => unknown.push(account.clone()),
        }
    }
    for batch in unknown.chunks(LARGEST_REGISTRATION) {
        registrar.batch(batch.to_vec(), 0).await?;
    }
    Ok(registrar.done)
}

fn key(student: &StudentId) -> OperationKey {
    OperationKey::of(ClassinKind::Register, student.clone())
}

fn action(batch: &[Registration]) -> &'static str {
    if batch.len() == 1 { "register" } else { "registerMultiple" }
}

impl<'a> Registrar<'a> {
    fn must_skip(&self) -> bool {
        self.done.stopped.is_some() || self.done.trouble.is_some() || self.terms.context.stop.is_cancelled()
    }

    fn batch(&mut self, batch: Vec<Registration>, repeat: u32) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            if self.must_skip() || batch.is_empty() || !self.waited_for_earlier(&batch).await {
                return Ok(());
            }
            self.remember_intent(&batch).await?;
            let writer = self.terms.writer;
            let (call, answer) = match batch.as_slice() {
                [only] => (Call::Register, writer.register(only).await),
                several => (Call::RegisterMultiple, writer.register_multiple(several).await),
            };
            match answer {
                Ok(answer) => {
                    let tokens: Vec<Token> = batch.iter().map(|account| account.token.clone()).collect();
                    let judged = judge_registrations(call, &tokens, &answer);
                    self.apply_verdicts(batch, judged, repeat).await
                }
                Err(error) => self.after_error(batch, &error, repeat).await,
            }
        })
    }

    /// Whoever was asked for a moment ago, by a run that was cut off, would only be called a double.
    async fn waited_for_earlier(&mut self, batch: &[Registration]) -> bool {
        let pause = self.pause();
        let sent = batch.iter().flat_map(|account| &account.students);
        let latest = sent.filter_map(|student| self.lost.remove(student)).max();
        let Some(latest) = latest else { return true };
        let passed = self.terms.context.clock.now_ms().saturating_sub(latest);
        let passed = u64::try_from(passed).map_or(Duration::ZERO, Duration::from_millis);
        let left = pause.saturating_sub(passed);
        left.is_zero() || waited(self.terms, left).await
    }

    fn pause(&self) -> Duration {
        self.terms.side.retry_delays.before_registering_again
    }

    async fn remember_intent(&mut self, batch: &[Registration]) -> Result<(), StoreError> {
        self.batches += 1;
        let intent = |student: &StudentId| Intent {
            key: key(student),
            desired_hash: Fingerprint(self.desired_hashes.get(student).copied().unwrap_or_default()),
            login: None,
            in_doubt: BTreeSet::new(),
        };
        let intents: Vec<Intent> = batch.iter().flat_map(|account| &account.students).map(intent).collect();
        let context = self.terms.context;
        let now_ms = context.clock.now_ms();
        context.state.record_intents(self.terms.run, self.batches, now_ms, &intents).await
    }

    async fn apply_verdicts(
        &mut self,
        batch: Vec<Registration>,
        judged: JudgedAccounts,
        repeat: u32,
    ) -> Result<(), StoreError> {
        let call = action(&batch);
        let is_alone = batch.len() == 1;
        let (mut to_join, mut singly, mut again) = (Vec::new(), Vec::new(), Vec::new());
        for (account, item) in batch.into_iter().zip(judged.items) {
            let JudgedAccount { verdict, text, suspect } = item;
            self.suspects += u32::from(suspect.is_some());
            match verdict {
                AccountVerdict::Known { uid, code, membership } => {
                    self.obtained(&account, uid, code, membership).await?;
                    if membership == Membership::ToAskFor {
                        to_join.push(account);
                    }
                }
                AccountVerdict::Not(ItemVerdict::SendSingly) if !is_alone => singly.push(account),
                AccountVerdict::Not(ItemVerdict::StopRun { .. }) => {}
                AccountVerdict::Not(verdict) => {
                    let Some(code) = verdict.code() else {
                        again.push((account, ClassinFailureCause::lost(call)));
                        continue;
                    };
                    let cause = refusal(call, code, NextAttempt::after(verdict), text);
                    if matches!(verdict, ItemVerdict::Repeat { .. }) {
                        again.push((account, cause));
                    } else {
                        self.failed(&account, cause).await?;
                    }
                }
            }
        }
        self.done.stopped = self.done.stopped.take().or(judged.stop.map(|(stop, code)| stopped(stop, code)));
        self.mind_suspects();
        for account in to_join {
            self.join(&account).await?;
        }
        for account in singly {
            self.batch(vec![account], repeat).await?;
        }
        self.ask_again(again, repeat).await
    }

    async fn ask_again(
        &mut self,
        again: Vec<(Registration, ClassinFailureCause)>,
        repeat: u32,
    ) -> Result<(), StoreError> {
        if again.is_empty()
            || (self.must_skip() && again.iter().all(|(_, cause)| cause.next != NextAttempt::NextRun))
        {
            return Ok(());
        }
        if repeat < REPEATS && !self.must_skip() && waited(self.terms, self.pause()).await {
            return self.batch(again.into_iter().map(|(account, _)| account).collect(), repeat + 1).await;
        }
        for (account, cause) in again {
            self.failed(&account, cause).await?;
        }
        Ok(())
    }

    fn mind_suspects(&mut self) {
        if self.suspects > 1 {
            self.done.stopped.get_or_insert(refuses_the_calls("accounts"));
        }
    }

    /// The uid is stored before anything else is done about it.
    async fn obtained(
        &mut self,
        account: &Registration,
        uid: ClassinUid,
        code: Code,
        membership: Membership,
    ) -> Result<(), StoreError> {
        let key_of_memory = self.terms.token_key;
        let is_registered = code.was_registered();
        let is_member = membership == Membership::Sure;
        let mut record = CallRecord::default();
        for (at, student) in account.students.iter().enumerate() {
            let name = account.name.as_ref().filter(|_| at == 0);
            record.accounts.push(AccountChange::Obtained(Account {
                student: student.clone(),
                uid,
                origin: if is_registered { AccountOrigin::Registered } else { AccountOrigin::Found },
                is_school_student: is_member,
                contact: Some(Fingerprint(account.contact.fingerprint(key_of_memory))),
                school_name: name.map(|name| Fingerprint(name.fingerprint(key_of_memory))),
            }));
            record.settled.push(key(student));
            if is_member {
                record.applied.push(key(student));
                self.done.ends.insert(student.clone(), EnrolmentOutcome::of(OutcomeKind::Applied));
            }
        }
        self.record(&record).await
    }

    /// An earlier run got as far as the uid; a sibling may have come to it since.
    async fn go_on_with(&mut self, account: &Registration, known: &Account) -> Result<(), StoreError> {
        let of = |student: &StudentId| {
            AccountChange::Obtained(Account { student: student.clone(), ..known.clone() })
        };
        let others = account.students.iter().filter(|student| **student != known.student);
        self.record(&CallRecord { accounts: others.map(of).collect(), ..CallRecord::default() }).await?;
        self.join(account).await
    }

    /// Takes an account whose uid is stored into the school.
    async fn join(&mut self, account: &Registration) -> Result<(), StoreError> {
        if self.must_skip() {
            return Ok(());
        }
        // Nobody without a name is asked for: see the plan.
        let Some(name) = &account.name else { return Ok(()) };
        match self.school.join(&account.contact, name).await {
            Joined::Member => {
                let mut record = CallRecord::default();
                for student in &account.students {
                    record.accounts.push(AccountChange::Joined { student: student.clone() });
                    record.applied.push(key(student));
                    self.done.ends.insert(student.clone(), EnrolmentOutcome::of(OutcomeKind::Applied));
                }
                self.record(&record).await
            }
            Joined::Not(cause) => self.failed(account, *cause).await,
            Joined::Stopped(exit, message) => {
                self.done.stopped = Some((exit, message));
                Ok(())
            }
        }
    }

    async fn after_error(
        &mut self,
        batch: Vec<Registration>,
        error: &ClassinError,
        repeat: u32,
    ) -> Result<(), StoreError> {
        let call = action(&batch);
        let cause = if error.is_lost() {
            ClassinFailureCause::lost(call)
        } else {
            ClassinFailureCause::not_sent(call, error)
        };
        match reaction(error) {
            Reaction::Stop(exit, message, wait) => {
                self.done.stopped = Some((exit, message));
                if !error.is_lost() {
                    return self.forget_intent(&batch).await;
                }
                for account in batch {
                    self.failed(&account, ClassinFailureCause { wait, ..cause.clone() }).await?;
                }
                Ok(())
            }
            Reaction::Again => {
                let again: Vec<_> = batch.into_iter().map(|account| (account, cause.clone())).collect();
                let is_last = repeat >= REPEATS;
                self.ask_again(again, repeat).await?;
                if is_last {
                    self.done.trouble.get_or_insert(super::in_one_line(error));
                }
                Ok(())
            }
        }
    }

    async fn forget_intent(&self, batch: &[Registration]) -> Result<(), StoreError> {
        let settled = batch.iter().flat_map(|account| &account.students).map(key).collect();
        self.record(&CallRecord { settled, ..CallRecord::default() }).await
    }

    async fn failed(&mut self, account: &Registration, cause: ClassinFailureCause) -> Result<(), StoreError> {
        let is_lost = cause.next == NextAttempt::NextRun;
        let mut record = CallRecord::default();
        for student in &account.students {
            let subject = Subject {
                key: key(student),
                desired_hash: self.desired_hashes.get(student).copied().unwrap_or_default(),
            };
            record.failures.push(failure(self.terms.context, &subject, cause.clone()).await?);
            if !is_lost {
                record.settled.push(subject.key.clone());
            }
            let ended = if is_lost { OutcomeKind::Unknown } else { OutcomeKind::Failed };
            self.done.ends.insert(student.clone(), EnrolmentOutcome::recorded(ended));
        }
        self.record(&record).await
    }

    async fn record(&self, record: &CallRecord) -> Result<(), StoreError> {
        let now_ms = self.terms.context.clock.now_ms();
        self.terms.context.state.record_call(record, self.terms.run, now_ms).await
    }
}

fn refusal(call: &'static str, code: Code, next: NextAttempt, text: Option<String>) -> ClassinFailureCause {
    let what = if call == "register" { Call::Register } else { Call::RegisterMultiple };
    let sentence = decide(what, code).sentence();
    ClassinFailureCause::of_account(call, FailureCode::Classin(code), sentence, next, text)
}
