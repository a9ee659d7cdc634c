//! Reading back what an answer did not prove.

use std::collections::HashSet;

use super::lookup::{self, LookupOutcome};
use super::send::{FailureCause, Outcome, SendResult};
use super::session::ExamSession;
use super::write_call::WriteCall;
use super::{exam_exit, in_one_line};
use crate::exit::Exit;
use crate::remote::exam::{ExamDisposition, ExamError, NewCandidate};
use rosterd_core::failure::FailureCode;
use rosterd_core::roster::{LoginValue, Sid};

/// Whether the service answered the call at all.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Answered {
    /// It did: what stands in no `success` list and is not as wanted has failed.
    Yes,
    /// It did not: what cannot be read back is unknown.
    No,
}

/// Settles what is open by looking.
pub(super) async fn read_back(
    session: ExamSession<'_>,
    write_call: &WriteCall,
    verdicts: Vec<Option<Outcome>>,
    cause: &FailureCause,
    answered: Answered,
) -> SendResult {
    let open: Vec<usize> =
        verdicts.iter().enumerate().filter(|(_, end)| end.is_none()).map(|(at, _)| at).collect();
    if open.is_empty() {
        return SendResult::answered(verdicts.into_iter().flatten().collect(), None);
    }
    tracing::debug!(items = open.len(), "looking up what became of a call");
    let looked_up = match write_call {
        WriteCall::Add(items) => return entered(session, items, &verdicts, cause).await,
        WriteCall::Change(_) | WriteCall::Group(..) | WriteCall::Delete(_) => {
            others(session, write_call, &open, cause, answered).await
        }
    };
    let (found, stop) = match looked_up {
        Ok(found) => (found, None),
        Err(error) => blind(open.len(), cause, &error),
    };
    let mut found = found.into_iter();
    let ends = verdicts
        .into_iter()
        .map(|end| end.or_else(|| found.next()).unwrap_or_else(|| Outcome::Unknown(cause.clone())))
        .collect();
    SendResult::answered(ends, stop)
}

/// Nothing was found out of so many items, because the look-up failed too.
fn blind(items: usize, cause: &FailureCause, error: &ExamError) -> (Vec<Outcome>, Option<(Exit, String)>) {
    let message = format!("{}; looking it up failed too: {}", cause.message, in_one_line(error));
    let cause = FailureCause { message, ..cause.clone() };
    let stop = matches!(error.disposition(), ExamDisposition::StopService(_))
        .then(|| (exam_exit(error), in_one_line(error)));
    (vec![Outcome::Unknown(cause); items], stop)
}

/// An answer to an add that leaves anything open may be wrong in the rest too: its indexes are no more than a hint
/// then. Everybody is looked up, which costs no more than looking up some; the answer counts only for whom the
/// look-up does not show, which may lag behind, and with a sid that is nobody else's.
async fn entered(
    session: ExamSession<'_>,
    items: &[(NewCandidate, LoginValue)],
    verdicts: &[Option<Outcome>],
    cause: &FailureCause,
) -> SendResult {
    let everybody: Vec<usize> = (0..items.len()).collect();
    let found = match adds(session, items, &everybody, cause).await {
        Ok(found) => found,
        Err(error) => {
            let (ends, stop) = blind(items.len(), cause, &error);
            return SendResult::answered(ends, stop);
        }
    };
    let sid = |end: &Outcome| match end {
        Outcome::Applied(sid) => *sid,
        Outcome::Failed(_) | Outcome::Unknown(_) | Outcome::Unsent => None,
    };
    let shown: HashSet<Sid> = found.iter().filter_map(sid).collect();
    let end = |(found, verdict): (Outcome, &Option<Outcome>)| match verdict {
        Some(told) if sid(&found).is_none() && sid(told).is_some_and(|sid| !shown.contains(&sid)) => {
            told.clone()
        }
        Some(_) | None => found,
    };
    SendResult::answered(found.into_iter().zip(verdicts).map(end).collect(), None)
}

/// An add is settled by its login value: nobody had it before, so whoever has it now was entered by us.
async fn adds(
    session: ExamSession<'_>,
    items: &[(NewCandidate, LoginValue)],
    open: &[usize],
    cause: &FailureCause,
) -> Result<Vec<Outcome>, ExamError> {
    let asked: Vec<&(NewCandidate, LoginValue)> = open.iter().filter_map(|at| items.get(*at)).collect();
    let logins = asked.iter().map(|(_, login)| login.clone()).collect();
    let mut outcome = lookup::rows_by_login(&session, logins).await?;
    Ok(asked
        .into_iter()
        .map(|(sent, login)| match outcome.remove(login) {
            Some(LookupOutcome::Row(row)) if is_ours(&session, sent, &row) => Outcome::Applied(Some(row.sid)),
            Some(LookupOutcome::Gone) => Outcome::Failed(cause.clone()),
            Some(LookupOutcome::Row(_)) | None => Outcome::Unknown(cause.clone()),
        })
        .collect())
}

/// Where a row does not show its login value, it may be that of somebody whose login value only looks alike
/// to the service: it is ours when everything else is as it was sent.
fn is_ours(session: &ExamSession<'_>, sent: &NewCandidate, row: &crate::remote::exam::CandidateInfo) -> bool {
    if lookup::login_of(row, session.login_field).is_some() {
        return true;
    }
    row.groups.contains(&sent.gid) && WriteCall::shows(&sent.values, row) != Some(false)
}

async fn others(
    session: ExamSession<'_>,
    write_call: &WriteCall,
    open: &[usize],
    cause: &FailureCause,
    answered: Answered,
) -> Result<Vec<Outcome>, ExamError> {
    let sids = write_call.sids();
    let asked: Vec<Sid> = open.iter().filter_map(|at| sids.get(*at).copied()).collect();
    let outcome = lookup::rows_by_sid(&session, asked.clone()).await?;
    let end = |(at, sid): (&usize, &Sid)| match outcome.get(sid) {
        Some(LookupOutcome::Row(row)) => match write_call.is_done(*at, row) {
            Some(true) => Outcome::Applied(None),
            Some(false) => Outcome::Failed(cause.clone()),
            None if answered == Answered::Yes => Outcome::Failed(cause.clone()),
            None => Outcome::Unknown(cause.clone()),
        },
        Some(LookupOutcome::Gone) if matches!(write_call, WriteCall::Delete(_)) => Outcome::Applied(None),
        Some(LookupOutcome::Gone) => Outcome::Failed(FailureCause {
            code: FailureCode::CandidateGone,
            message: "the candidate no longer exists on the exam side; the next run finds out what to do"
                .to_owned(),
            ..cause.clone()
        }),
        None => Outcome::Unknown(cause.clone()),
    };
    Ok(open.iter().zip(&asked).map(end).collect())
}
