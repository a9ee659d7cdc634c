//! Whether the exam account is the one that the state belongs to, before anything else is done with it.
//!
//! The listing has no sids, so a link would agree with any candidate who has its login value. What proves the account are
//! pairs of sid and login value, as look-ups show them.

use std::collections::{HashMap, HashSet};

use tokio_util::sync::CancellationToken;

use super::field_mapping;
use super::lookup::{self, LookupOutcome};
use super::session::ExamSession;
use super::witnesses::Witness;
use super::{ExamSide, ExamSyncError};
use crate::remote::exam::CandidateInfo;
use crate::run::report::moment;
use crate::store::{
    AccountTaking, OtherRecords, ProvableLink, RememberedAccount, STRANGERS_FACT, StateStore, StoreError,
};
use rosterd_core::account::{AccountProof, AccountStep, ServiceAccount, proving_places};
use rosterd_core::exam_plan::{MemoryKey, PASSWORD_FIELD, is_masked, is_service_form};
use rosterd_core::failure::Service;
use rosterd_core::roster::{FieldId, LoginValue, Sid, normalise};

/// Why the exam side's turn ends before anything is sent.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// Its candidates are not those that the links mean.
    #[error(
        "this is another account than the one that the state belongs to ({remembered}): {shown} of {asked} linked \
         candidates that were looked up at {host} show the login value that is remembered of them. Nothing was sent. \
         {WAYS_OUT}"
    )]
    Another { remembered: String, host: String, asked: u64, shown: u64 },
    /// Too many sids show another candidate than the links mean.
    #[error(
        "{strangers} linked candidates show another login value than the one that is remembered of them, more than \
         guard.max_delete allows ({limit}): this is another account than the one that the state belongs to, or it was \
         set up anew. Nothing more was sent. {WAYS_OUT}"
    )]
    Strangers { strangers: u64, limit: u64 },
    /// Most sids show another candidate than the links mean.
    #[error(
        "{strangers} of {asked} linked candidates that were looked up show another login value than the one that is \
         remembered of them: this is another account than the one that the state belongs to, or it was set up anew. \
         Nothing was sent. {WAYS_OUT}"
    )]
    MostlyStrangers { strangers: u64, asked: u64 },
    /// Look-ups show nobody at all, not even candidates that are listed.
    #[error(
        "address or code are new, and whether this is still the account that the state belongs to cannot be told: \
         look-ups show nobody, not even a candidate that is listed. Nothing was sent"
    )]
    NotTold,
    /// Look-ups call somebody gone who is listed, or by one key and not by the other.
    #[error(
        "look-ups call candidates gone that are there all the same: nothing was changed; run it again later"
    )]
    Contradicted,
    /// Neither look-up says anything of some links.
    #[error(
        "look-ups say nothing of {links} linked candidates, neither by sid nor by login value, so that nothing tells \
         whether they exist: no link was given up and nothing was changed; run it again later"
    )]
    Untold { links: u64 },
    /// The listing does not add up, so that it does not tell who is there.
    #[error("the listing does not add up ({flaw}): nothing was changed; run it again later")]
    DoubtfulListing { flaw: String },
    /// Nobody is listed, and nobody has said that this is meant.
    #[error(
        "the account lists nobody although {links} candidates are linked: if it was emptied on purpose, run \
         `rosterd account confirm exam --empty`; nothing was changed"
    )]
    Emptied { links: u64 },
}

/// What a person can do about another account.
const WAYS_OUT: &str = "Check exam.base_url and exam.code. For another account use another state database \
                        (state.database), or give this one to it with `rosterd account confirm exam`, which keeps only \
                        the links that are proved; where the account was emptied on purpose, with `rosterd account \
                        confirm exam --empty`";

impl ExamSide {
    /// The account that these settings lead to, as a state database remembers it. No call.
    #[must_use]
    pub fn account(&self, key: &MemoryKey) -> ServiceAccount {
        self.reader.account(self.account_host, key)
    }
}

/// Who asks, and with what.
#[derive(Clone, Copy)]
pub(in crate::run) struct AccountQuestion<'a> {
    pub(in crate::run) state: &'a StateStore,
    pub(in crate::run) side: &'a ExamSide,
    pub(in crate::run) stop: &'a CancellationToken,
    pub(in crate::run) now_ms: i64,
    pub(in crate::run) may: MayTake,
}

/// What may be written down about the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::run) enum MayTake {
    /// Nothing: a plan, or a check.
    Nothing,
    /// That a new address or code was proved to be the same account.
    Proved,
    /// Also an account that nothing binds the state to yet: a run that may write there.
    First,
}

/// What was found out about the account.
enum ExamStanding {
    /// It is the remembered one.
    Remembered(RememberedAccount),
    /// Nothing is linked, so nothing binds the state; it may have belonged to another one.
    Free(Option<RememberedAccount>),
    /// Candidates show that it is the remembered one, or the one that an earlier version worked with; in words.
    Proved(String),
}

/// What is known of the account before its first call.
#[must_use]
pub(in crate::run) struct OwnAccount {
    /// A sentence for the report, where something was found out.
    pub(in crate::run) said: Option<String>,
    /// Nothing binds the state: the account is taken as soon as it has accepted a call. A mistyped code is none.
    to_take: Option<AccountTaking>,
    /// What is remembered about fields was learnt in another account, and may not be forgotten now.
    pub(in crate::run) fields_are_anothers: bool,
}

impl OwnAccount {
    /// The account has accepted a call.
    pub(in crate::run) async fn accepted(self, state: &StateStore, now_ms: i64) -> Result<(), StoreError> {
        match self.to_take {
            Some(taking) => state.take_accounts(&[taking], now_ms).await,
            None => Ok(()),
        }
    }
}

/// Lets nobody go on with another account.
pub(in crate::run) async fn require_own_account(
    question: AccountQuestion<'_>,
) -> Result<OwnAccount, ExamSyncError> {
    let AccountQuestion { state, now_ms, may, .. } = question;
    let (account, links, standing) = judge(question).await?;
    let mut fields_are_anothers = false;
    if links == 0 && may == MayTake::Nothing {
        fields_are_anothers = field_mapping::are_another_accounts(state, account.fingerprint).await?;
    } else if links == 0 {
        field_mapping::forget_another_accounts(state, account.fingerprint).await?;
    }
    match standing {
        ExamStanding::Remembered(_) => Ok(OwnAccount { said: None, to_take: None, fields_are_anothers }),
        ExamStanding::Free(before) => {
            let others = if before.is_some() { OtherRecords::Forget } else { OtherRecords::Keep };
            let taking = AccountTaking { account, given_up: Vec::new(), others };
            let to_take = (may == MayTake::First).then_some(taking);
            Ok(OwnAccount { said: None, to_take, fields_are_anothers })
        }
        ExamStanding::Proved(said) => {
            if may >= MayTake::Proved {
                state.take_account(&account, now_ms).await?;
            }
            Ok(OwnAccount { said: Some(said), to_take: None, fields_are_anothers })
        }
    }
}

/// Which account the state belongs to and whether this is it, in a sentence. Writes nothing.
///
/// # Errors
/// When it is another one, or cannot be told.
pub async fn check_exam_account(side: &ExamSide, state: &StateStore) -> Result<String, ExamSyncError> {
    let stop = CancellationToken::new();
    let question = AccountQuestion { state, side, stop: &stop, now_ms: 0, may: MayTake::Nothing };
    let (account, links, standing) = judge(question).await?;
    Ok(match standing {
        ExamStanding::Remembered(remembered) => {
            let RememberedAccount { host, since_ms, .. } = remembered;
            format!(
                "the state belongs to the account at {host} since {}; {links} candidates are linked",
                moment(since_ms)
            )
        }
        ExamStanding::Free(_) => {
            format!(
                "the state belongs to no account yet: the first run that may write takes the one at {}",
                account.host
            )
        }
        ExamStanding::Proved(said) => said,
    })
}

async fn judge(question: AccountQuestion<'_>) -> Result<(ServiceAccount, u64, ExamStanding), ExamSyncError> {
    let AccountQuestion { state, side, .. } = question;
    let account = side.account(&state.planner_key().await?);
    let remembered = state.remembered_account(Service::Exam).await?;
    let links = state.count_links().await?;
    // A run that met too many strangers has shown that the address and the code alone prove nothing.
    let is_in_doubt = state.fact(STRANGERS_FACT).await?.is_some();
    let fingerprint = remembered.as_ref().map(|it| it.fingerprint).filter(|_| !is_in_doubt);
    let standing = match (AccountStep::on_exam_side(fingerprint, account.fingerprint, links), remembered) {
        (AccountStep::GoOn, Some(remembered)) => ExamStanding::Remembered(remembered),
        (AccountStep::Prove, remembered) => {
            let proof = prove(question, links).await?;
            if !proof.holds() {
                return Err(another(&account, remembered.as_ref(), proof).into());
            }
            ExamStanding::Proved(said(&account, remembered.as_ref(), proof))
        }
        (_, remembered) => ExamStanding::Free(remembered),
    };
    Ok((account, links, standing))
}

fn another(
    account: &ServiceAccount,
    remembered: Option<&RememberedAccount>,
    proof: AccountProof,
) -> AccountError {
    let remembered = remembered.map_or_else(|| "of an earlier version".to_owned(), |it| it.host.clone());
    let AccountProof { asked, shown } = proof;
    AccountError::Another { remembered, host: account.host.clone(), asked, shown }
}

fn said(account: &ServiceAccount, remembered: Option<&RememberedAccount>, proof: AccountProof) -> String {
    let AccountProof { asked, shown } = proof;
    let host = &account.host;
    let what = match remembered {
        None => format!("the state of an earlier version belongs to the account at {host}"),
        Some(before) if before.fingerprint == account.fingerprint => {
            format!("the account at {host} is the one that the state belongs to")
        }
        Some(before) if before.host == *host => format!("the new code belongs to the same account at {host}"),
        Some(before) => format!("the account at {host} is the one that was at {}", before.host),
    };
    format!(
        "exam: {what}: {shown} of {asked} linked candidates show the login value that is remembered of them"
    )
}

/// Remembers that this account may be another one: the next run goes on only where it is proved, or a person confirmed it.
pub(super) async fn remember_strangers(state: &StateStore) -> Result<(), StoreError> {
    state.remember(STRANGERS_FACT, Some("met")).await
}

/// More sids that show another login value than `guard.max_delete` allows are another account, whatever its address.
pub(super) fn require_few_strangers(strangers: u64, limit: u64) -> Result<(), ExamSyncError> {
    if strangers > limit { Err(AccountError::Strangers { strangers, limit }.into()) } else { Ok(()) }
}

/// So few strangers may always have been renamed by hand.
const FEW_STRANGERS: u64 = 1;

/// Where at least two candidates that the plan looked up show another login value, and no fewer than a quarter of all that
/// were looked up, some over the whole range are looked up too: where most of them show another one, this is another
/// account, however small it is. Two that changed places are not.
pub(super) async fn require_no_majority_of_strangers(
    question: AccountQuestion<'_>,
    strangers: u64,
    looked_up: u64,
) -> Result<(), ExamSyncError> {
    if strangers <= FEW_STRANGERS || strangers.saturating_mul(4) < looked_up {
        return Ok(());
    }
    let links = question.state.count_links().await?;
    let chosen = question.state.links_at(&proving_places(links)).await?;
    let found = look_up(question, &chosen, &[]).await?;
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    // Who was only renamed, and is the same person by every other value, is no stranger.
    let (strangers, asked) = (count(found.others.difference(&found.alike).count()), count(chosen.len()));
    if strangers > FEW_STRANGERS && strangers.saturating_mul(2) > asked {
        return Err(AccountError::MostlyStrangers { strangers, asked }.into());
    }
    Ok(())
}

/// Looks some links up, spread over the whole range.
async fn prove(question: AccountQuestion<'_>, links: u64) -> Result<AccountProof, ExamSyncError> {
    let chosen = question.state.links_at(&proving_places(links)).await?;
    let looked_up = look_up(question, &chosen, &[]).await?;
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let proof = AccountProof { asked: count(chosen.len()), shown: count(looked_up.proved.len()) };
    if looked_up.is_silent && !look_ups_show_somebody(question).await? {
        return Err(AccountError::NotTold.into());
    }
    Ok(proof)
}

/// What look-ups said of links.
#[derive(Default)]
pub(super) struct LookedUp {
    /// Candidates who show the login value that is remembered of them: one that we confirmed ourselves, or beside values
    /// that we confirmed.
    pub(super) proved: HashSet<Sid>,
    /// Candidates who show the login value that is remembered of them, which only followed what was listed, and not the
    /// values that we confirmed.
    pub(super) followed: HashSet<Sid>,
    /// Candidates who show another login value, or none, and are not found by the one that is remembered.
    pub(super) others: HashSet<Sid>,
    /// Those among them of whom every other value that is told is the one last confirmed.
    pub(super) alike: HashSet<Sid>,
    /// Candidates of whom it is said that they do not exist.
    pub(super) gone: HashSet<Sid>,
    /// Whether nobody was shown.
    pub(super) is_silent: bool,
}

/// Looks links up by sid; where the answer does not show login values, each is asked for by its own.
pub(super) async fn look_up(
    question: AccountQuestion<'_>,
    links: &[ProvableLink],
    witnesses: &[Witness],
) -> Result<LookedUp, ExamSyncError> {
    let AccountQuestion { state, side, stop, .. } = question;
    let login_field = field_mapping::remembered_login_field(side, state).await?;
    let field = login_field.unwrap_or(NO_FIELD);
    let session = ExamSession { side, login_field: field, observed: None, witnesses, stop };
    let sids: Vec<Sid> = links.iter().map(|link| link.sid).collect();
    let rows = unless_stopped(stop, lookup::rows_by_sid(&session, sids)).await?;
    let key = state.planner_key().await?;
    let (mut proved, mut others, mut alike) = (HashSet::new(), HashSet::new(), HashSet::new());
    let (mut unshown, mut gone, mut followed) = (Vec::new(), HashSet::new(), HashSet::new());
    let is_ours = |link: &ProvableLink| login_field.is_none_or(|field| link.has_login_of_ours(field, &key));
    let shows_values_of_ours =
        |row: &CandidateInfo, link: &ProvableLink| is_alike(&row.fields, link, (login_field, &key));
    for link in links {
        let row = match rows.get(&link.sid) {
            Some(LookupOutcome::Row(row)) => row,
            Some(LookupOutcome::Gone) => {
                gone.insert(link.sid);
                continue;
            }
            None => continue,
        };
        match shows(row.fields.as_slice(), login_field, &link.login) {
            Shows::Remembered if is_ours(link) || shows_values_of_ours(row, link) => {
                proved.insert(link.sid);
            }
            Shows::Remembered => {
                followed.insert(link.sid);
            }
            Shows::Nothing => unshown.push(link.clone()),
            Shows::Another => {
                others.insert(link.sid);
                alike.extend(shows_values_of_ours(row, link).then_some(link.sid));
            }
        }
    }
    let logins: Vec<LoginValue> = unshown.iter().map(|link| link.login.clone()).collect();
    for (login, sids) in unless_stopped(stop, lookup::sids_by_login(&session, &logins)).await? {
        for link in unshown.iter().filter(|link| link.login == login && sids.contains(&link.sid)) {
            let row = rows.get(&link.sid).and_then(LookupOutcome::row);
            let is_proved = is_ours(link) || row.is_some_and(|row| shows_values_of_ours(row, link));
            let shown = if is_proved { &mut proved } else { &mut followed };
            shown.insert(link.sid);
        }
    }
    let is_told = |sid: &Sid| proved.contains(sid) || followed.contains(sid);
    others.extend(unshown.iter().map(|link| link.sid).filter(|sid| !is_told(sid)));
    let shows_somebody = rows.values().any(|outcome| matches!(outcome, LookupOutcome::Row(_)));
    let is_silent = !shows_somebody && !links.is_empty();
    Ok(LookedUp { proved, followed, others, alike, gone, is_silent })
}

/// Whether every value that is told, password and login value aside, is the one last confirmed, and one is told.
fn is_alike(
    fields: &[(FieldId, String)],
    link: &ProvableLink,
    (login_field, key): (Option<FieldId>, &MemoryKey),
) -> bool {
    let is_another = |field: FieldId| field != PASSWORD_FIELD && Some(field) != login_field;
    let mut told = fields
        .iter()
        .filter(|(field, value)| is_another(*field) && !value.trim().is_empty() && !is_masked(value))
        .filter_map(|(field, value)| Some((link.confirmed.get(field)?, key.value(*field, &normalise(value)))))
        .peekable();
    told.peek().is_some() && told.all(|(confirmed, shown)| *confirmed == shown)
}

/// Which candidates these login values bring: nobody where a look-up says so, and no entry where none says anything.
pub(super) async fn sids_behind(
    question: AccountQuestion<'_>,
    logins: Vec<LoginValue>,
    witnesses: &[Witness],
) -> Result<HashMap<LoginValue, Option<Sid>>, ExamSyncError> {
    let AccountQuestion { state, side, stop, .. } = question;
    let login_field = field_mapping::remembered_login_field(side, state).await?.unwrap_or(NO_FIELD);
    let session = ExamSession { side, login_field, observed: None, witnesses, stop };
    let found = unless_stopped(stop, lookup::rows_by_login(&session, logins)).await?;
    Ok(found.into_iter().map(|(login, outcome)| (login, outcome.sid())).collect())
}

/// No account numbers a field so: no row shows it.
const NO_FIELD: FieldId = FieldId(0);

/// What a row shows of the login value that is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shows {
    Remembered,
    Another,
    /// The login field is not shown, or is not known.
    Nothing,
}

/// As long as the login field is not known, any field may show the value.
fn shows(fields: &[(FieldId, String)], login_field: Option<FieldId>, remembered: &LoginValue) -> Shows {
    let is_remembered =
        |value: &str| is_service_form(&LoginValue::new(normalise(value).into_owned()), remembered);
    match login_field {
        None if fields.iter().any(|(_, value)| is_remembered(value)) => Shows::Remembered,
        None => Shows::Nothing,
        Some(login_field) => match fields.iter().find(|(field, _)| *field == login_field) {
            Some((_, value)) if is_remembered(value) => Shows::Remembered,
            Some((_, value)) if !value.trim().is_empty() => Shows::Another,
            Some(_) | None => Shows::Nothing,
        },
    }
}

/// Whether look-ups know a candidate that the listing shows. Nobody who is listed can be missing there, so where even
/// this one is not shown, it is the endpoint that does not answer. An empty listing has nobody to ask for.
pub(super) async fn look_ups_show_somebody(question: AccountQuestion<'_>) -> Result<bool, ExamSyncError> {
    let AccountQuestion { side, stop, .. } = question;
    let page = unless_stopped(stop, side.reader.page(0, side.settings.page_size)).await?;
    let Some(login) = page.rows.iter().find_map(|row| LoginValue::parse(&row.login_value)) else {
        return Ok(true);
    };
    let session = unbound_session(question);
    let found = unless_stopped(stop, lookup::sids_by_login(&session, &[login])).await?;
    Ok(found.iter().any(|(_, sids)| !sids.is_empty()))
}

/// What a call needs of which no login field is known yet.
pub(super) fn unbound_session<'a>(question: AccountQuestion<'a>) -> ExamSession<'a> {
    let AccountQuestion { side, stop, .. } = question;
    ExamSession { side, login_field: NO_FIELD, observed: None, witnesses: &[], stop }
}

pub(super) async fn unless_stopped<T, E: Into<ExamSyncError>>(
    stop: &CancellationToken,
    reading: impl Future<Output = Result<T, E>>,
) -> Result<T, ExamSyncError> {
    stop.run_until_cancelled(reading).await.ok_or(ExamSyncError::Stopped)?.map_err(Into::into)
}

impl From<AccountError> for ExamSyncError {
    fn from(error: AccountError) -> Self {
        Self::Account(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_value_is_looked_for_in_its_field_or_in_any_while_that_is_unknown() {
        let fields =
            [(FieldId(1), "Ada".to_owned()), (FieldId(11), " a1 ".to_owned()), (FieldId(12), String::new())];
        let shown =
            |field: Option<i64>, login: &str| shows(&fields, field.map(FieldId), &LoginValue::new(login));
        assert_eq!(shown(Some(11), "a1"), Shows::Remembered);
        assert_eq!(shown(Some(1), "a1"), Shows::Another);
        assert_eq!(shown(Some(12), "a1"), Shows::Nothing);
        assert_eq!(shown(Some(13), "a1"), Shows::Nothing);
        assert_eq!(shown(None, "a1"), Shows::Remembered);
        assert_eq!(shown(None, "b2"), Shows::Nothing);
    }
}
