//! A person gives the state to the account that the configuration names: each link is proved there, or given up.

use tokio_util::sync::CancellationToken;

use super::service_account::{
    AccountError, AccountQuestion, MayTake, look_up, look_ups_show_somebody, unless_stopped,
};
use super::{ExamSide, ExamSyncError};
use crate::store::{OtherRecords, StateStore};
use rosterd_core::failure::Service;
use rosterd_core::roster::Sid;

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
    /// Links whose candidates show the remembered login value.
    pub kept: u64,
    pub given_up: u64,
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
    let (kept, given_up) = prove_all(question).await?;
    let is_new = before.as_ref().is_some_and(|before| before.fingerprint != account.fingerprint);
    let is_another = kept == 0 && (links > 0 || is_new);
    let others = if is_another { OtherRecords::Forget } else { OtherRecords::Keep };
    state.take_exam_account(&account, &given_up, others, now_ms).await?;
    let given_up = u64::try_from(given_up.len()).unwrap_or(u64::MAX);
    let host_before = before.map(|before| before.host);
    Ok(ConfirmedExamAccount { host: account.host, host_before, kept, given_up, is_another })
}

/// How many links are proved, and the sids of the others.
async fn prove_all(question: AccountQuestion<'_>) -> Result<(u64, Vec<Sid>), ExamSyncError> {
    let (mut kept, mut given_up) = (0, Vec::new());
    let mut after = None;
    loop {
        let links = question.state.links_after(after, PORTION).await?;
        let Some(last) = links.last() else { return Ok((kept, given_up)) };
        after = Some(last.sid);
        let looked_up = look_up(question, &links).await?;
        // Nobody is given up on the word of an endpoint that has no answers.
        if looked_up.is_silent && !look_ups_show_somebody(question).await? {
            return Err(AccountError::NotTold.into());
        }
        for link in links {
            if looked_up.proved.contains(&link.sid) { kept += 1 } else { given_up.push(link.sid) }
        }
    }
}
