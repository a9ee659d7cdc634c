//! Whether the school on ClassIn is the one that the state belongs to. ClassIn cannot be read, so nothing proves it.

use super::{ClassinSide, ClassinSyncError, in_one_line};
use crate::run::report::moment;
use crate::run::severity::Severity;
use crate::store::{AccountTaking, OtherRecords, RememberedAccount, StateStore, StoreError};
use rosterd_core::account::{AccountStep, ServiceAccount};
use rosterd_core::exam_plan::MemoryKey;
use rosterd_core::failure::Service;

impl ClassinSide {
    /// The school that these settings lead to, as a state database remembers it. No call.
    #[must_use]
    pub fn account(&self, key: &MemoryKey) -> ServiceAccount {
        let sid = self.settings.sid.as_deref().unwrap_or_default();
        let host = self.account_host.unwrap_or_else(|| self.transport.host());
        ServiceAccount::new(Service::Classin, host, sid, key)
    }
}

/// What was found out about the school.
enum ClassinStanding {
    Remembered(RememberedAccount),
    /// Nothing is on record, so nothing binds the state.
    Free(Option<RememberedAccount>),
    /// Records of an earlier version, which remembered no school.
    Unproved,
}

/// Lets nobody go on with another school. Answers a sentence for the report, where something was taken on trust.
///
/// `may_take` says whether the run may write: a plan takes nothing.
pub(super) async fn require_own_account(
    state: &StateStore,
    side: &ClassinSide,
    may_take: bool,
    now_ms: i64,
) -> Result<Option<String>, ClassinSyncError> {
    let (account, standing) = judge(state, side).await?;
    let (others, said) = match standing {
        ClassinStanding::Remembered(_) => return Ok(None),
        ClassinStanding::Free(Some(_)) => (OtherRecords::Forget, None),
        ClassinStanding::Free(None) => (OtherRecords::Keep, None),
        ClassinStanding::Unproved => (OtherRecords::Keep, Some(taken_on_trust(&account))),
    };
    if may_take {
        let taking = AccountTaking { account, given_up: Vec::new(), others };
        state.take_accounts(&[taking], now_ms).await?;
    }
    Ok(said)
}

/// Which school the state belongs to and whether this is it, in a sentence. Writes nothing, calls nobody.
///
/// # Errors
/// A sentence, when it is another one or our own database cannot be read.
pub async fn check_classin_account(
    side: &ClassinSide,
    state: &StateStore,
) -> Result<String, (Severity, String)> {
    let judged = judge(state, side).await;
    let (account, standing) = judged.map_err(|error| (error.severity(), in_one_line(&error)))?;
    Ok(match standing {
        ClassinStanding::Remembered(RememberedAccount { host, since_ms, .. }) => {
            format!("the state belongs to the school at {host} since {}", moment(since_ms))
        }
        ClassinStanding::Free(_) => {
            format!(
                "the state belongs to no school yet: the first run that may write takes the one at {}",
                account.host
            )
        }
        ClassinStanding::Unproved => taken_on_trust(&account),
    })
}

async fn judge(
    state: &StateStore,
    side: &ClassinSide,
) -> Result<(ServiceAccount, ClassinStanding), ClassinSyncError> {
    let account = side.account(&state.planner_key().await?);
    let remembered = state.remembered_account(Service::Classin).await?;
    let records = state.count_classin_records().await?;
    let fingerprint = remembered.as_ref().map(|it| it.fingerprint);
    let step = AccountStep::on_classin(fingerprint, account.fingerprint, records > 0);
    let standing = match (step, remembered) {
        (AccountStep::GoOn, Some(remembered)) => ClassinStanding::Remembered(remembered),
        (AccountStep::Refuse | AccountStep::Prove, Some(remembered)) => {
            let (remembered, host) = (remembered.host, account.host);
            return Err(ClassinSyncError::AnotherAccount { remembered, host, records });
        }
        (AccountStep::TakeUnproved, _) => ClassinStanding::Unproved,
        (_, remembered) => ClassinStanding::Free(remembered),
    };
    Ok((account, standing))
}

fn taken_on_trust(account: &ServiceAccount) -> String {
    format!(
        "the state of an earlier version is taken to belong to the school at {}: ClassIn cannot be read, so nothing \
         proves it",
        account.host
    )
}

/// What a person says of a changed address or SID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchoolChange {
    /// The school itself is another one.
    AnotherSchool,
    /// Only its address or its name changed: the records hold.
    SameSchool,
}

/// What a confirmation did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfirmedClassinAccount {
    pub host: String,
    /// The host that the state belonged to before, where it belonged to one.
    pub host_before: Option<String>,
    /// Enrolments and accounts that stay on record.
    pub kept: u64,
    pub given_up: u64,
    /// Whether what was on record of the school before was forgotten.
    pub is_another: bool,
}

/// How many records stand of a school that the settings do not lead to any more: a person must say what they are worth.
///
/// # Errors
/// When our own database cannot be read.
pub async fn classin_records_in_doubt(side: &ClassinSide, state: &StateStore) -> Result<u64, StoreError> {
    let account = side.account(&state.planner_key().await?);
    match state.remembered_account(Service::Classin).await? {
        Some(before) if before.fingerprint != account.fingerprint => state.count_classin_records().await,
        _ => Ok(0),
    }
}

/// The taking of the school that the settings lead to. The records of another one are given up with it: nothing proves
/// them, and each add finds anew what is there. Calls nobody and writes nothing.
///
/// # Errors
/// When our own database cannot be read.
pub async fn confirm_classin_account(
    side: &ClassinSide,
    state: &StateStore,
    change: SchoolChange,
) -> Result<(ConfirmedClassinAccount, AccountTaking), StoreError> {
    let account = side.account(&state.planner_key().await?);
    let before = state.remembered_account(Service::Classin).await?;
    let records = state.count_classin_records().await?;
    let is_new = before.as_ref().is_some_and(|before| before.fingerprint != account.fingerprint);
    let is_another = is_new && change == SchoolChange::AnotherSchool;
    let others = if is_another { OtherRecords::Forget } else { OtherRecords::Keep };
    let (kept, given_up) = if is_another { (0, records) } else { (records, 0) };
    let host_before = before.map(|before| before.host);
    let done =
        ConfirmedClassinAccount { host: account.host.clone(), host_before, kept, given_up, is_another };
    Ok((done, AccountTaking { account, given_up: Vec::new(), others }))
}
