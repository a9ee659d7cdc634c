//! Obtains accounts: one call at a time, the uid stored at once, and then membership of the school.
//!
//! A lost answer is settled by asking again, after longer than the service takes two calls for one: the answer then
//! carries the uid.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::accounts_applied::AccountsApplied;
use super::cause::{self, CallKind, FailedCall};
use super::context::ClassinApplyContext;
use super::registration_storm::take_in;
use super::school::{Joined, School};
use super::server_errors::{ServerErrors, is_to_be_divided};
use super::storm::{is_undivided, undivided};
use crate::remote::classin::ClassinError;
use crate::run::Context;
use crate::run::delivery::{
    self, Applier, ApplyState, Attempt, Broken, CallService, Delivered, Items, Judged, Judgement, Part,
    Place, Repaired, ServiceStop, carry_out, send_call,
};
use crate::run::progress::Progress;
use crate::store::{CONTACT, CallRecord, Intent, NotedWrite};
use rosterd_core::classin_plan::{
    Account, AccountChange, AccountKind, AccountPlan, AccountVerdict, Application, Call, CallAnswer, Code,
    ItemVerdict, LARGEST_REGISTRATION, Membership, Obtained, Registration, Subject, Token,
    judge_registrations,
};
use rosterd_core::exam_plan::{Fingerprint, Refusals, SentValues};
use rosterd_core::failure::{ClassinKind, OperationKey, Service};
use rosterd_core::outcome::{FailureCause, Outcome, Unsent};
use rosterd_core::roster::{ClassinUid, RunId, StudentId};

/// Obtains these accounts.
pub(super) async fn run<'a>(
    terms: ClassinApplyContext<'a>,
    school: &'a School<'a>,
    accounts: &'a AccountPlan,
) -> Result<AccountsApplied, Broken> {
    let registrations = accounts.operations.iter().enumerate();
    let registrations = registrations.filter(|(_, one)| one.kind == AccountKind::Register);
    let positions: HashMap<&StudentId, usize> =
        registrations.map(|(at, operation)| (&operation.student, at)).collect();
    let registrar = Registrar {
        accounts,
        sharing: sharing(accounts, &positions),
        calls: RegistrationCalls::new(terms, school, accounts),
        positions,
        lost: Mutex::new(terms.context.state.lost_registrations().await?.into_iter().collect()),
        left_over: Mutex::default(),
        state: Mutex::new(ApplyState::new(vec![None; accounts.operations.len()], None)),
        trouble: Mutex::default(),
    };
    let (known, unknown): (Vec<&Application>, Vec<&Application>) =
        accounts.applications.iter().partition(|application| application.known.is_some());
    let alone = known.into_iter().map(|application| vec![application]);
    let batches = unknown.chunks(LARGEST_REGISTRATION).map(<[_]>::to_vec);
    let lane: Vec<Vec<&Application>> = alone.chain(batches).collect();
    carry_out(&registrar, &[vec![lane]], 1, &Progress::silent().bar("", 0)).await;
    registrar.judge_left_over().await;
    registrar.blame_service().await?;
    AccountsApplied::unless_broken(registrar.state, registrar.trouble)
}

fn key(student: &StudentId) -> OperationKey {
    OperationKey::of(ClassinKind::Register, student.clone())
}

/// Accounts that are asked for together; or one whose uid is stored, and that only joins the school.
pub(super) struct RegistrationCall {
    accounts: Vec<Registration>,
    known: Option<Account>,
    /// Whether ClassIn failed again and again over a call that named them with others.
    pub(super) is_divided: bool,
}

impl Items for RegistrationCall {
    fn len(&self) -> usize {
        self.accounts.len()
    }

    fn part(&self, positions: &[usize]) -> Self {
        let accounts = positions.iter().filter_map(|at| self.accounts.get(*at).cloned()).collect();
        Self { accounts, known: self.known.clone(), is_divided: self.is_divided }
    }
}

impl RegistrationCall {
    pub(super) fn call(&self) -> (Call, &'static str) {
        if self.accounts.len() == 1 {
            (Call::Register, "register")
        } else {
            (Call::RegisterMultiple, "registerMultiple")
        }
    }

    fn students(&self) -> impl Iterator<Item = &StudentId> {
        self.accounts.iter().flat_map(|account| &account.students)
    }
}

/// The calls that ask for accounts.
pub(super) struct RegistrationCalls<'a> {
    pub(super) terms: ClassinApplyContext<'a>,
    school: &'a School<'a>,
    accounts: &'a AccountPlan,
    desired_hashes: HashMap<&'a StudentId, u64>,
    /// Whether it is the accounts that ClassIn refuses, or the calls themselves.
    pub(super) refusals: Mutex<Refusals>,
    /// The same of calls over which ClassIn failed (5xx).
    pub(super) server_errors: Mutex<ServerErrors>,
    sendings: AtomicU64,
}

impl<'a> RegistrationCalls<'a> {
    fn new(terms: ClassinApplyContext<'a>, school: &'a School<'a>, accounts: &'a AccountPlan) -> Self {
        let registrations = accounts.operations.iter().filter(|one| one.kind == AccountKind::Register);
        let desired_hashes =
            registrations.map(|operation| (&operation.student, operation.desired_hash)).collect();
        Self {
            terms,
            school,
            accounts,
            desired_hashes,
            refusals: Mutex::default(),
            server_errors: Mutex::default(),
            sendings: AtomicU64::new(0),
        }
    }

    /// What asking for this student counts as: something where the contact is another one than before, unless a person has
    /// approved it.
    fn counted(&self, student: &StudentId) -> Option<NotedWrite> {
        let counts = self.accounts.changed_contacts.contains(student);
        counts.then(|| NotedWrite {
            key: key(student),
            kind: CONTACT,
            place: String::new(),
            is_approved: false,
        })
    }

    pub(super) fn pause(&self) -> Duration {
        self.terms.side.retry_delays.before_registering_again
    }

    async fn record(&self, record: &CallRecord) -> Result<(), Broken> {
        let ClassinApplyContext { context, run, .. } = self.terms;
        Ok(context.state.record_call(record, run, context.clock.now_ms()).await?)
    }

    /// The uid is stored before anything else is done about it.
    async fn obtained(
        &self,
        (account, call): (&Registration, &'static str),
        uid: ClassinUid,
        code: Code,
        membership: Membership,
    ) -> Result<(), Broken> {
        let ClassinApplyContext { context, token_key, .. } = self.terms;
        let contact = Fingerprint(account.contact.fingerprint(token_key));
        let obtained = Obtained { call: call.to_owned(), code, at_ms: context.clock.now_ms() };
        let is_school_student = membership == Membership::Sure;
        let mut record = CallRecord::default();
        for (at, student) in account.students.iter().enumerate() {
            let name = account.name.as_ref().filter(|_| at == 0);
            let doubt = self.accounts.doubts.get(student);
            let told = Account::obtained_by((student.clone(), uid), contact, obtained.clone(), doubt);
            record.accounts.push(AccountChange::Obtained(Account {
                is_school_student,
                school_name: name.map(|name| Fingerprint(name.fingerprint(token_key))),
                ..told
            }));
            record.settled.push(key(student));
            if is_school_student {
                record.applied.push(key(student));
            }
        }
        self.record(&record).await
    }

    /// What an answer says of an account without its uid.
    fn unknown(&self, call: &RegistrationCall, verdict: ItemVerdict, text: Option<String>) -> Item {
        let (what, action) = call.call();
        let cause = cause::of_verdict(what, verdict, text).unwrap_or_else(cause::lost);
        let outcome = cause::outcome(FailureCause { call: Some(action), ..cause });
        match verdict {
            ItemVerdict::SendSingly if call.len() > 1 => {
                let otherwise = Outcome::Unsent(Unsent::ServiceStopped);
                Judgement::SendAgain { part: Part::Single, otherwise }
            }
            ItemVerdict::StopRun { .. } => Judgement::Settled(Outcome::Unsent(Unsent::ServiceStopped)),
            ItemVerdict::Halve { .. } => Judgement::SendAgain { part: Part::Halves, otherwise: outcome },
            ItemVerdict::Repeat { .. } | ItemVerdict::Unknown | ItemVerdict::SendSingly => {
                Judgement::SendAgain { part: Part::Whole, otherwise: outcome }
            }
            ItemVerdict::Done { .. }
            | ItemVerdict::Already { .. }
            | ItemVerdict::Repair { .. }
            | ItemVerdict::Retry { .. }
            | ItemVerdict::Full { .. }
            | ItemVerdict::Student { .. }
            | ItemVerdict::Closed { .. } => Judgement::Settled(outcome),
        }
    }

    /// An earlier run got as far as the uid.
    async fn join_known(&self, mut call: RegistrationCall) -> Result<Delivered<Membership>, Broken> {
        let Repaired { settled, stop, .. } = self.repair(&mut call, &[0]).await?;
        let mut delivered = Delivered::unsent(call.len(), stop);
        if let Some((_, outcome)) = settled.into_iter().next() {
            delivered.outcomes = vec![outcome];
        }
        Ok(delivered)
    }
}

type Item = Judgement<Membership>;

impl CallService for RegistrationCalls<'_> {
    type Call = RegistrationCall;
    type Answer = CallAnswer;
    type Error = ClassinError;
    /// Whether the account was a student of the school at once.
    type Gain = Membership;

    const SERVICE: Service = Service::Classin;

    fn failures_in_a_row(&self) -> Option<u32> {
        self.terms.side.transport.failures_in_a_row()
    }

    fn stop_signal(&self) -> &CancellationToken {
        &self.terms.context.stop
    }

    async fn before_sending(&self, call: &RegistrationCall) -> Result<(), Broken> {
        let number = self.sendings.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        let intent = |student: &StudentId| Intent {
            key: key(student),
            desired_hash: Fingerprint(self.desired_hashes.get(student).copied().unwrap_or_default()),
            login: None,
            counted: self.counted(student).into_iter().collect(),
            in_doubt: BTreeSet::new(),
            sent: SentValues::default(),
        };
        let intents: Vec<Intent> = call.students().map(intent).collect();
        let ClassinApplyContext { context, run, .. } = self.terms;
        Ok(context.state.record_intents(run, number, context.clock.now_ms(), &intents).await?)
    }

    async fn send(&self, call: &RegistrationCall) -> Result<CallAnswer, ClassinError> {
        let writer = if call.is_divided { self.terms.writer.for_parts() } else { self.terms.writer.clone() };
        match call.accounts.as_slice() {
            [only] => writer.register(only).await,
            several => writer.register_multiple(several).await,
        }
    }

    async fn judge(
        &self,
        call: &mut RegistrationCall,
        answer: CallAnswer,
    ) -> Result<Judged<Membership>, Broken> {
        let tokens: Vec<Token> = call.accounts.iter().map(|account| account.token.clone()).collect();
        self.server_errors().answer();
        let (what, action) = call.call();
        let judged = judge_registrations(what, &tokens, &answer);
        let divides = {
            let mut refusals = self.refusals();
            judged.items.iter().for_each(|item| take_in(&mut refusals, item));
            refusals.divides()
        };
        let mut items = Vec::with_capacity(call.len());
        for (account, item) in call.accounts.iter().zip(judged.items) {
            items.push(match item.verdict {
                AccountVerdict::Known { uid, code, membership } => {
                    self.obtained((account, action), uid, code, membership).await?;
                    match membership {
                        Membership::Sure => Judgement::Settled(Outcome::Applied(membership)),
                        Membership::ToAskFor => Judgement::Repair(Outcome::Unsent(Unsent::ServiceStopped)),
                    }
                }
                AccountVerdict::Not(ItemVerdict::Halve { .. }) if !divides => Judgement::Settled(undivided()),
                AccountVerdict::Not(verdict) => self.unknown(call, verdict, item.text),
            });
        }
        let stop = judged.stop.map(|(stop, code)| ServiceStop::ClassinCode { stop, code });
        Ok(Judged { stop, ..Judged::of(items).after(self.pause()) })
    }

    async fn after_error(
        &self,
        call: &mut RegistrationCall,
        error: &ClassinError,
        attempt: Attempt,
    ) -> Result<Judged<Membership>, Broken> {
        if is_to_be_divided(error, attempt, call.is_divided) {
            return Ok(self.divided(call, error).await);
        }
        let (action, items) = (call.call().1, call.len());
        let failed = FailedCall { kind: CallKind::Registration, action, items, error };
        let judged = cause::without_an_answer(failed, self.pause(), self.terms.side);
        if judged.stop.is_some() && !error.is_lost() {
            let settled = call.students().map(key).collect();
            self.record(&CallRecord { settled, ..CallRecord::default() }).await?;
        }
        Ok(judged)
    }

    /// Takes accounts whose uid is stored into the school.
    async fn repair(
        &self,
        call: &mut RegistrationCall,
        positions: &[usize],
    ) -> Result<Repaired<Membership>, Broken> {
        let mut repaired = Repaired::default();
        for at in positions {
            if repaired.stop.is_some() || self.terms.context.stop.is_cancelled() {
                break;
            }
            // Nobody without a name is asked for: see the plan.
            let Some(account) = call.accounts.get(*at) else { continue };
            let Some(name) = &account.name else { continue };
            match self.school.join(&account.contact, name).await? {
                Joined::Member => {
                    repaired.settled.push((*at, Outcome::Applied(Membership::ToAskFor)));
                }
                Joined::Not(cause) => repaired.settled.push((*at, cause::outcome(cause))),
                Joined::Stopped(stop) => repaired.stop = Some(stop),
            }
        }
        Ok(repaired)
    }
}

fn sharing(accounts: &AccountPlan, positions: &HashMap<&StudentId, usize>) -> HashMap<usize, Arc<[usize]>> {
    let mut sharing = HashMap::new();
    for application in &accounts.applications {
        let students = application.account.students.iter();
        let shared: Arc<[usize]> = students.filter_map(|one| positions.get(one).copied()).collect();
        sharing.extend(shared.iter().map(|at| (*at, Arc::clone(&shared))));
    }
    sharing
}

pub(super) struct Registrar<'a> {
    pub(super) accounts: &'a AccountPlan,
    pub(super) calls: RegistrationCalls<'a>,
    /// Where the registration of each student stands.
    pub(super) positions: HashMap<&'a StudentId, usize>,
    /// The registrations that share one account, by each of them.
    sharing: HashMap<usize, Arc<[usize]>>,
    /// When each student's last call was made that nobody knows the answer to.
    lost: Mutex<HashMap<StudentId, i64>>,
    /// Accounts of refused batches that nobody has judged yet.
    pub(super) left_over: Mutex<Vec<Vec<&'a Application>>>,
    state: Mutex<ApplyState>,
    trouble: Mutex<Option<String>>,
}

impl Registrar<'_> {
    fn trouble(&self) -> MutexGuard<'_, Option<String>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn must_skip(&self) -> bool {
        self.state().is_over() || self.trouble().is_some() || self.calls.terms.context.stop.is_cancelled()
    }

    /// Whoever was asked for a moment ago, by a run that was cut off, would only be called a double.
    async fn waited_for_earlier(&self, call: &RegistrationCall) -> bool {
        let context = self.calls.terms.context;
        let latest = {
            let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
            call.students().filter_map(|student| lost.remove(student)).max()
        };
        let Some(latest) = latest else { return true };
        let passed = context.clock.now_ms().saturating_sub(latest);
        let passed = u64::try_from(passed).map_or(Duration::ZERO, Duration::from_millis);
        let left = self.calls.pause().saturating_sub(passed);
        left.is_zero() || context.stop.run_until_cancelled(tokio::time::sleep(left)).await.is_some()
    }
}

impl<'a> Applier for Registrar<'a> {
    const SERVICE: Service = Service::Classin;

    type Batch = Vec<&'a Application>;
    type Call = RegistrationCall;
    type Gain = Membership;

    fn context(&self) -> &Context {
        self.calls.terms.context
    }

    fn run(&self) -> RunId {
        self.calls.terms.run
    }

    fn state(&self) -> MutexGuard<'_, ApplyState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn send_batch(&self, batch: &Vec<&'a Application>) {
        let accounts: Vec<Registration> =
            batch.iter().map(|application| application.account.clone()).collect();
        let known = batch.iter().find_map(|application| application.known.clone());
        let call = RegistrationCall { accounts, known, is_divided: false };
        if self.must_skip() || (call.known.is_none() && !self.waited_for_earlier(&call).await) {
            return;
        }
        let first = |account: &Registration| self.positions.get(account.students.first()?).copied();
        let positions: Vec<usize> = call.accounts.iter().filter_map(first).collect();
        send_call(self, batch, &positions, call).await;
    }

    /// Written down before each sending, as a repeat counts from the last.
    async fn intend(&self, _positions: &[usize], _number: u64) -> Result<(), Broken> {
        Ok(())
    }

    async fn deliver(&self, call: RegistrationCall) -> Result<Delivered<Membership>, Broken> {
        match call.known {
            Some(_) => self.calls.join_known(call).await,
            None => Box::pin(self.calls.deliver_unless_refused(call)).await,
        }
    }

    fn note_call(&self, batch: &Self::Batch, positions: &[usize], delivered: &Delivered<Membership>) {
        if let Some(trouble) = &delivered.trouble {
            self.trouble().get_or_insert_with(|| trouble.clone());
        }
        self.leave_over(batch, positions, &delivered.outcomes);
    }

    fn place(&self, _batch: &Self::Batch, _number: u64, _index: usize) -> Place {
        Place::at("register")
    }

    fn subject(&self, position: usize) -> Option<delivery::Subject> {
        self.accounts.operations.get(position).map(|operation| Subject::from(operation).into())
    }

    fn ending_together(&self, position: usize) -> Vec<usize> {
        self.sharing.get(&position).map(|shared| shared.to_vec()).unwrap_or_default()
    }

    fn note_applied(
        &self,
        _batch: &Self::Batch,
        position: usize,
        membership: &Membership,
        record: &mut CallRecord,
    ) -> bool {
        let Some(operation) = self.accounts.operations.get(position) else { return false };
        record.applied.push(key(&operation.student));
        if *membership == Membership::ToAskFor {
            record.accounts.push(AccountChange::Joined { student: operation.student.clone() });
        }
        true
    }

    fn note_not_applied(&self, position: usize, outcome: &Outcome<Membership>, record: &mut CallRecord) {
        let Some(operation) = self.accounts.operations.get(position) else { return };
        let student = &operation.student;
        if is_undivided(outcome) {
            record.settled.push(key(student));
        }
        let Outcome::Failed(cause) = outcome else { return };
        record.settled.push(key(student));
        // The contact has no account any more, so the one that was obtained by it is gone.
        let mut applications = self.accounts.applications.iter();
        let known = applications
            .find(|one| one.account.students.contains(student))
            .and_then(|one| one.known.as_ref());
        if let (Some(known), Some(code)) = (known, cause.code.classin().filter(|code| code.says_no_account()))
        {
            record.accounts.push(AccountChange::Refused { student: student.clone(), uid: known.uid, code });
        }
    }
}
