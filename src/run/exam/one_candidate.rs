//! Whether one linked candidate is still there: a person says that it was removed by hand. No run, and no write.

use tokio_util::sync::CancellationToken;

use super::account_confirmation::witnesses;
use super::lookup::LookupOutcome;
use super::service_account::{AccountQuestion, MayTake, sids_behind, unbound_session, unless_stopped};
use super::{ExamSide, ExamSyncError, lookup};
use crate::store::{STRANGERS_FACT, StateStore};
use rosterd_core::exam_plan::Link;
use rosterd_core::failure::Service;
use rosterd_core::roster::Sid;

/// What the exam side says of a linked candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CandidatePresence {
    /// It exists, or this candidate has its login value now.
    There(Sid),
    /// Gone by sid and by login value.
    Gone,
    /// Not both look-ups say so, or the account is not the one that the link belongs to.
    Untold,
}

/// Looks one linked candidate up by its sid and by its login value.
///
/// # Errors
/// When a look-up cannot be had.
pub async fn candidate_presence(
    side: &ExamSide,
    state: &StateStore,
    link: &Link,
    stop: &CancellationToken,
) -> Result<CandidatePresence, ExamSyncError> {
    let account = side.account(&state.planner_key().await?);
    let remembered = state.remembered_account(Service::Exam).await?;
    let is_ours = remembered.is_some_and(|remembered| remembered.fingerprint == account.fingerprint);
    if !is_ours || state.fact(STRANGERS_FACT).await?.is_some() {
        return Ok(CandidatePresence::Untold);
    }
    let question = AccountQuestion { state, side, stop, now_ms: 0, may: MayTake::Nothing };
    let witnesses = witnesses(question).await?;
    let session = super::ExamSession { witnesses: &witnesses, ..unbound_session(question) };
    let rows = unless_stopped(stop, lookup::rows_by_sid(&session, vec![link.sid])).await?;
    match rows.get(&link.sid) {
        Some(LookupOutcome::Row(_)) => return Ok(CandidatePresence::There(link.sid)),
        Some(LookupOutcome::Gone) => {}
        None => return Ok(CandidatePresence::Untold),
    }
    let behind = sids_behind(question, vec![link.login.clone()], &witnesses).await?;
    Ok(match behind.get(&link.login) {
        Some(Some(sid)) => CandidatePresence::There(*sid),
        Some(None) => CandidatePresence::Gone,
        None => CandidatePresence::Untold,
    })
}
