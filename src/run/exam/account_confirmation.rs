//! A person gives the state to the account that the configuration names: each link is proved there, or given up.

use std::collections::HashSet;

use tokio_util::sync::CancellationToken;

use super::service_account::{
    AccountError, AccountQuestion, MayTake, look_up, look_ups_show_somebody, sids_behind, unless_stopped,
};
use super::{ExamSide, ExamSyncError};
use crate::store::{OtherRecords, ProvableLink, StateStore};
use rosterd_core::failure::Service;
use rosterd_core::roster::{LoginValue, Sid, StudentId};

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
    /// Links whose candidates show the remembered login value, or are the same people under another one.
    pub kept: u64,
    pub given_up: u64,
    /// Students who have left, among those: nobody adopts their candidates anew.
    pub leavers_given_up: Vec<StudentId>,
    /// Whether what else was learnt in the account before was forgotten: not one link holds here.
    pub is_another: bool,
}

/// Looks every link up, keeps those that are proved, gives the others up, and takes the account.
///
/// # Errors
/// When a look-up fails, or the account lists nobody and that was not said to be meant. Then nothing was changed.
pub async fn confirm_exam_account(
    side: &ExamSide,
    state: &StateStore,
    empty: EmptyAccount,
    stop: &CancellationToken,
    now_ms: i64,
) -> Result<ConfirmedExamAccount, ExamSyncError> {
    let question = AccountQuestion { state, side, stop, now_ms, may: MayTake::First };
    let account = side.account(&state.planner_key().await?);
    let before = state.remembered_account(Service::Exam).await?;
    let listed = unless_stopped(stop, side.reader.page(0, side.settings.page_size)).await?.total;
    let links = state.count_links().await?;
    if listed == 0 && links > 0 && empty == EmptyAccount::Refused {
        return Err(AccountError::Emptied { links }.into());
    }
    let Findings { kept, given_up, .. } = prove_all(question).await?;
    let leavers_given_up =
        given_up.iter().filter(|link| link.has_left).map(|link| link.student.clone()).collect();
    let given_up: Vec<Sid> = given_up.iter().map(|link| link.sid).collect();
    let is_new = before.as_ref().is_some_and(|before| before.fingerprint != account.fingerprint);
    let is_another = kept == 0 && (links > 0 || is_new);
    let others = if is_another { OtherRecords::Forget } else { OtherRecords::Keep };
    state.take_exam_account(&account, &given_up, others, now_ms).await?;
    let given_up = u64::try_from(given_up.len()).unwrap_or(u64::MAX);
    let host_before = before.map(|before| before.host);
    Ok(ConfirmedExamAccount { host: account.host, host_before, kept, given_up, leavers_given_up, is_another })
}

/// What became of the links.
#[derive(Default)]
struct Findings {
    kept: u64,
    given_up: Vec<ProvableLink>,
    /// Their candidates exist and show another login value, and theirs is nobody's.
    renamed: Vec<ProvableLink>,
    /// Gone by sid and by login value.
    gone: Vec<ProvableLink>,
}

/// Looks every link up. One whose candidate exists under another login value is kept, where others are proved: given
/// up, its student would be entered a second time.
async fn prove_all(question: AccountQuestion<'_>) -> Result<Findings, ExamSyncError> {
    let mut findings = Findings::default();
    let mut after = None;
    loop {
        let links = question.state.links_after(after, PORTION).await?;
        let Some(last) = links.last() else { break };
        after = Some(last.sid);
        let looked_up = look_up(question, &links).await?;
        // Nobody is given up on the word of an endpoint that has no answers.
        if looked_up.is_silent && !look_ups_show_somebody(question).await? {
            return Err(AccountError::NotTold.into());
        }
        let is_kept =
            |link: &ProvableLink| looked_up.proved.contains(&link.sid) || looked_up.alike.contains(&link.sid);
        let (kept, open): (Vec<_>, Vec<_>) = links.into_iter().partition(is_kept);
        findings.kept += u64::try_from(kept.len()).unwrap_or(u64::MAX);
        let behind = sids_behind(question, open.iter().map(|link| link.login.clone()).collect()).await?;
        for link in open {
            let exists = looked_up.others.contains(&link.sid);
            match behind.get(&link.login) {
                Some(Some(sid)) if *sid == link.sid && !exists => {
                    return Err(AccountError::Contradicted.into());
                }
                Some(Some(sid)) if *sid == link.sid => findings.kept += 1,
                Some(Some(_)) => findings.given_up.push(link),
                Some(None) | None if exists => findings.renamed.push(link),
                Some(None) | None => findings.gone.push(link),
            }
        }
    }
    if is_any_listed(question, &findings.gone).await? {
        return Err(AccountError::Contradicted.into());
    }
    findings.given_up.append(&mut findings.gone);
    if findings.kept == 0 {
        findings.given_up.append(&mut findings.renamed);
    }
    findings.kept += u64::try_from(findings.renamed.len()).unwrap_or(u64::MAX);
    Ok(findings)
}

/// Whether a candidate is listed under the login value of one of these links.
async fn is_any_listed(question: AccountQuestion<'_>, links: &[ProvableLink]) -> Result<bool, ExamSyncError> {
    let AccountQuestion { side, stop, .. } = question;
    let logins: HashSet<&LoginValue> = links.iter().map(|link| &link.login).collect();
    let mut start = 0;
    while !logins.is_empty() {
        let page = unless_stopped(stop, side.reader.page(start, side.settings.page_size)).await?;
        let mut listed = page.rows.iter().filter_map(|row| LoginValue::parse(&row.login_value));
        if listed.any(|login| logins.contains(&login)) {
            return Ok(true);
        }
        start += u64::try_from(page.rows.len()).unwrap_or(u64::MAX);
        if page.rows.is_empty() || start >= page.total {
            break;
        }
    }
    Ok(false)
}
