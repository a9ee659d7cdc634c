//! A person gives the state to the account that the configuration names: each link is proved there, or given up.

use tokio_util::sync::CancellationToken;

use super::field_mapping::ResolvedFields;
use super::service_account::{
    AccountError, AccountQuestion, LookedUp, MayTake, look_up, look_ups_show_somebody, sids_behind,
    unbound_session, unless_stopped,
};
use super::witnesses::{self, Witness};
use super::{ExamSide, ExamSyncError, listing};
use crate::run::Progress;
use crate::store::{AccountTaking, OtherRecords, ProvableLink, STRANGERS_FACT, StateStore};
use rosterd_core::exam_plan::{Listing, Observed};
use rosterd_core::failure::Service;
use rosterd_core::roster::{Sid, StudentId};

/// Links that are proved at a time.
const PORTION: u32 = 400;

/// Whether an account that lists nobody is meant to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmptyAccount {
    /// It may be a mistake: refused as long as candidates are linked.
    Refused,
    /// It was emptied on purpose.
    Accepted,
}

/// What a confirmation did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfirmedExamAccount {
    pub host: String,
    /// The host that the state belonged to before, where it belonged to one.
    pub host_before: Option<String>,
    /// Links whose candidates show the remembered login value. In the account that the state belongs to also those of
    /// candidates that were renamed there; in another one at most a few of those.
    pub kept: u64,
    pub given_up: u64,
    /// Students who have left, among those: nobody adopts their candidates anew.
    pub leavers_given_up: Vec<StudentId>,
    /// Whether what else was learnt in the account before was forgotten: not one link holds here.
    pub is_another: bool,
}

/// Looks every link up: those that are proved are to stay, the others are to be given up with the taking of the
/// account. Writes nothing.
///
/// # Errors
/// When the account cannot be read, look-ups say nothing of a link, or the account lists nobody and that was not said to
/// be meant.
pub async fn confirm_exam_account(
    side: &ExamSide,
    state: &StateStore,
    empty: EmptyAccount,
    stop: &CancellationToken,
    now_ms: i64,
) -> Result<(ConfirmedExamAccount, AccountTaking), ExamSyncError> {
    let question = AccountQuestion { state, side, stop, now_ms, may: MayTake::Nothing };
    let account = side.account(&state.planner_key().await?);
    let before = state.remembered_account(Service::Exam).await?;
    let links = state.count_links().await?;
    let is_remembered = before.as_ref().is_some_and(|before| before.fingerprint == account.fingerprint);
    let is_in_doubt = !is_remembered || state.fact(STRANGERS_FACT).await?.is_some();
    let Findings { kept, given_up, .. } = match links {
        0 => Findings::default(),
        _ => prove_all(question, links, empty).await?.settled(is_in_doubt),
    };
    let leavers_given_up =
        given_up.iter().filter(|link| link.has_left).map(|link| link.student.clone()).collect();
    let given_up: Vec<Sid> = given_up.iter().map(|link| link.sid).collect();
    let is_new = before.as_ref().is_some_and(|before| before.fingerprint != account.fingerprint);
    let is_another = kept == 0 && (links > 0 || is_new);
    let others = if is_another { OtherRecords::Forget } else { OtherRecords::Keep };
    let done = ConfirmedExamAccount {
        host: account.host.clone(),
        host_before: before.map(|before| before.host),
        kept,
        given_up: u64::try_from(given_up.len()).unwrap_or(u64::MAX),
        leavers_given_up,
        is_another,
    };
    Ok((done, AccountTaking { account, given_up, others }))
}

/// What became of the links.
#[derive(Default)]
struct Findings {
    kept: u64,
    given_up: Vec<ProvableLink>,
    /// Their candidates show another login value, and every other value that is told is the one last confirmed.
    alike: Vec<ProvableLink>,
    /// The same, and their login value is another candidate's now.
    exchanged: Vec<ProvableLink>,
    /// Their candidates exist and show another login value, and theirs is nobody's; or they show one that proves nothing.
    renamed: Vec<ProvableLink>,
    /// Gone by sid and by login value.
    gone: Vec<ProvableLink>,
    /// Neither look-up says that they exist, and not both that they do not.
    untold: u64,
}

/// One in so many may have been renamed by hand in an account that a server was moved to. Namesakes in the account of
/// somebody else would be as many as there are students.
const PROVED_TO_ONE_ALIKE: usize = 20;

/// Looks every link up.
async fn prove_all(
    question: AccountQuestion<'_>,
    links: u64,
    empty: EmptyAccount,
) -> Result<Findings, ExamSyncError> {
    let observed = listed(question).await?;
    let is_empty = observed.is_empty() && observed.nameless() == 0;
    if is_empty && empty == EmptyAccount::Refused {
        return Err(AccountError::Emptied { links }.into());
    }
    let witnesses = witnesses(question).await?;
    let mut findings = Findings::default();
    let mut after = None;
    loop {
        let links = question.state.links_after(after, PORTION).await?;
        let Some(last) = links.last() else { break };
        after = Some(last.sid);
        let looked_up = look_up(question, &links, &witnesses).await?;
        // Nobody is given up on the word of an endpoint that has no answers.
        if looked_up.is_silent && !look_ups_show_somebody(question).await? {
            return Err(AccountError::NotTold.into());
        }
        let is_kept = |link: &ProvableLink| looked_up.proved.contains(&link.sid);
        let (kept, open): (Vec<_>, Vec<_>) = links.into_iter().partition(is_kept);
        findings.kept += u64::try_from(kept.len()).unwrap_or(u64::MAX);
        let logins = open.iter().map(|link| link.login.clone()).collect();
        let behind = sids_behind(question, logins, &witnesses).await?;
        for link in open {
            let behind = behind.get(&link.login).copied();
            findings.judge(link, &looked_up, behind, is_empty)?;
        }
    }
    if findings.untold > 0 {
        return Err(AccountError::Untold { links: findings.untold }.into());
    }
    if findings.gone.iter().any(|link| observed.find(&link.login).is_some()) {
        return Err(AccountError::Contradicted.into());
    }
    findings.given_up.append(&mut findings.gone);
    Ok(findings)
}

impl Findings {
    /// Decides about those that exist and do not show their login value. In the account that the state belongs to they
    /// were renamed by hand, and given up, their students would be entered a second time. In another account a sid alone
    /// proves nothing: kept, a stranger would be taken for one of ours, and the next run would refuse the account again.
    fn settled(mut self, is_in_doubt: bool) -> Self {
        let count = |links: &Vec<ProvableLink>| u64::try_from(links.len()).unwrap_or(u64::MAX);
        let proved = usize::try_from(self.kept).unwrap_or(usize::MAX);
        let are_few = self.alike.len().saturating_mul(PROVED_TO_ONE_ALIKE) <= proved;
        if is_in_doubt {
            self.given_up.append(&mut self.exchanged);
            if !are_few {
                self.given_up.append(&mut self.alike);
            }
        }
        self.kept += count(&self.alike) + count(&self.exchanged);
        if is_in_doubt || self.kept == 0 {
            self.given_up.append(&mut self.renamed);
        }
        self.kept += count(&self.renamed);
        self
    }

    /// Judges a link whose sid did not show its login value. `behind`: whom its login value brought, where a look-up
    /// said so.
    fn judge(
        &mut self,
        link: ProvableLink,
        looked_up: &LookedUp,
        behind: Option<Option<Sid>>,
        is_empty: bool,
    ) -> Result<(), AccountError> {
        let (exists, is_gone) = (looked_up.others.contains(&link.sid), looked_up.gone.contains(&link.sid));
        match behind {
            _ if looked_up.followed.contains(&link.sid) => self.renamed.push(link),
            Some(None) | None if looked_up.alike.contains(&link.sid) => self.alike.push(link),
            Some(Some(sid)) if sid == link.sid && !exists => return Err(AccountError::Contradicted),
            Some(Some(sid)) if sid == link.sid => self.kept += 1,
            Some(Some(_)) if looked_up.alike.contains(&link.sid) => self.exchanged.push(link),
            Some(Some(_)) => self.given_up.push(link),
            Some(None) | None if exists => self.renamed.push(link),
            Some(None) if is_gone => self.gone.push(link),
            // Where nobody is listed, and that is meant, silence says it as well.
            Some(None) | None if is_empty => self.gone.push(link),
            Some(None) | None => self.untold += 1,
        }
        Ok(())
    }
}

/// The listing, as a run believes it.
async fn listed(question: AccountQuestion<'_>) -> Result<Observed, ExamSyncError> {
    let AccountQuestion { state, side, stop, .. } = question;
    let (progress, fields) = (Progress::silent(), ResolvedFields::none());
    let mut names = listing::Names::Dropped;
    let reading = listing::read((state, &progress), side, &fields, &mut names);
    match unless_stopped(stop, reading).await?.listing {
        Listing::Complete(observed, _) => Ok(observed),
        Listing::Doubtful(_, flaw) => Err(AccountError::DoubtfulListing { flaw: flaw.to_string() }.into()),
    }
}

/// Candidates of this account that exist for certain.
pub(super) async fn witnesses(question: AccountQuestion<'_>) -> Result<Vec<Witness>, ExamSyncError> {
    let AccountQuestion { side, stop, .. } = question;
    let page = unless_stopped(stop, side.reader.page(0, side.settings.page_size)).await?;
    unless_stopped(stop, witnesses::listed(&unbound_session(question), &page.rows)).await
}
