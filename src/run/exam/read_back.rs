//! Looks up what became of a call that its answer does not prove.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use rosterd_core::exam_plan::{MemoryKey, SentValues};
use rosterd_core::failure::NextAttempt;
use rosterd_core::outcome::{FailureCause, Outcome};
use rosterd_core::roster::{LoginValue, Sid};

use super::lookup::{self, LookupOutcome};
use super::record;
use super::service_forms::{FormRows, rows_by_form};
use super::session::ExamSession;
use super::write_call::{NewSid, WriteCall, shows};
use crate::remote::exam::{CandidateInfo, ExamDisposition, ExamError, NewCandidate};
use crate::remote::http::retry_limits::{BEFORE_ADDING_AGAIN, LONGEST_EXAM_WAIT};
use crate::run::delivery::{Judgement, Part, ReadBack, ServiceStop};
use crate::run::in_one_line;

type ItemJudgement = Judgement<NewSid>;

/// What counts for items that a look-up does not show as done.
struct NotShown {
    failed: Arc<FailureCause>,
    unknown: Arc<FailureCause>,
    again: Option<Part>,
}

impl NotShown {
    /// The same for an add that may have been done although it had no answer: the look-up may lag behind, so it is not
    /// sent again for a while.
    fn of_add(items: &[ItemJudgement]) -> Option<Self> {
        let not_shown = Self::of(items)?;
        if !not_shown.failed.is_unanswered {
            return Some(not_shown);
        }
        let rests = |cause: &FailureCause| {
            let retry_after =
                cause.retry_after.map_or(BEFORE_ADDING_AGAIN, |asked| asked.max(BEFORE_ADDING_AGAIN));
            Arc::new(FailureCause { retry_after: Some(retry_after), ..cause.clone() })
        };
        let Self { failed, unknown, again } = not_shown;
        Some(Self { failed: rests(&failed), unknown: rests(&unknown), again })
    }

    /// Of the first open item: the others have the same cause, but that an add may have been done or not.
    fn of(items: &[ItemJudgement]) -> Option<Self> {
        items.iter().find_map(|item| match item {
            Judgement::ReadBack { cause, again } => Some(Self {
                failed: Arc::clone(cause),
                unknown: Arc::new(found_out_by_the_next_run(cause)),
                again: *again,
            }),
            Judgement::Settled(_) | Judgement::SendAgain { .. } | Judgement::Repair(_) => None,
        })
    }

    fn failed(&self) -> ItemJudgement {
        self.not_done(&self.failed)
    }

    fn not_done(&self, cause: &Arc<FailureCause>) -> ItemJudgement {
        let otherwise = Outcome::Failed(Arc::clone(cause));
        match self.again {
            Some(part) => Judgement::SendAgain { part, otherwise },
            None => Judgement::Settled(otherwise),
        }
    }

    fn unknown(&self) -> ItemJudgement {
        Judgement::Settled(Outcome::Unknown(Arc::clone(&self.unknown)))
    }

    /// Nothing was found out of any item, because the look-up failed too.
    fn blind(&self, error: &ExamError) -> (ItemJudgement, Option<ServiceStop>) {
        let message = format!("{}; looking it up failed too: {}", self.failed.message, in_one_line(error));
        let cause = FailureCause { message, ..(*self.unknown).clone() };
        let is_over = matches!(error.disposition(), ExamDisposition::StopService(_))
            || error.retry_after().is_some_and(|wish| wish > LONGEST_EXAM_WAIT);
        let stop = is_over.then(|| ServiceStop::exam(error));
        (Judgement::Settled(Outcome::Unknown(Arc::new(cause))), stop)
    }
}

/// The next run's own reading tells: nothing is gained by waiting.
fn found_out_by_the_next_run(cause: &FailureCause) -> FailureCause {
    FailureCause { next: Some(NextAttempt::NextRun), retry_after: None, ..cause.clone() }
}

/// An answer to an add that leaves anything open may be wrong in the rest too: its indexes are no more than a hint
/// then. Everybody is looked up, which costs no more than looking up some; the answer counts only for whom the
/// look-up does not show, which may lag behind, and with a sid that is nobody else's.
///
/// An add is settled by its login value: nobody had it before, so whoever has it now was entered by us. A service may keep it
/// in a form of its own.
pub(super) async fn added(
    session: &ExamSession<'_>,
    candidates: &[NewCandidate],
    logins: &[LoginValue],
    items: Vec<ItemJudgement>,
) -> ReadBack<NewSid> {
    let Some(not_shown) = NotShown::of_add(&items) else { return ReadBack { items, stop: None } };
    let mut outcomes = match lookup::rows_by_login(session, logins.to_vec()).await {
        Ok(outcomes) => outcomes,
        Err(error) => {
            let (item, stop) = not_shown.blind(&error);
            return ReadBack { items: vec![item; items.len()], stop };
        }
    };
    let mut kept = match in_forms(session, (candidates, logins), (&items, &outcomes)).await {
        Ok(kept) => kept,
        Err(error) => {
            let (item, stop) = not_shown.blind(&error);
            return ReadBack { items: vec![item; items.len()], stop };
        }
    };
    let found: Vec<ItemJudgement> = candidates
        .iter()
        .zip(logins)
        .zip(&items)
        .map(|((sent, login), item)| match (outcomes.remove(login), kept.remove(login)) {
            (Some(LookupOutcome::Row(row)), _) if is_ours(session, sent, &row) => applied(Some(row.sid)),
            (Some(LookupOutcome::Gone), Some(KeptItem::As(sid))) => applied(Some(sid)),
            (Some(LookupOutcome::Gone), None) => {
                let own = NotShown::of_add(std::slice::from_ref(item));
                own.as_ref().unwrap_or(&not_shown).failed()
            }
            (Some(LookupOutcome::Gone), Some(KeptItem::Unclear))
            | (Some(LookupOutcome::Row(_)) | None, _) => not_shown.unknown(),
        })
        .collect();
    let shown: HashSet<Sid> = found.iter().filter_map(new_sid).collect();
    let item = |(found, told): (ItemJudgement, ItemJudgement)| {
        let is_believed =
            new_sid(&found).is_none() && new_sid(&told).is_some_and(|sid| !shown.contains(&sid));
        if is_believed { told } else { found }
    };
    ReadBack { items: found.into_iter().zip(items).map(item).collect(), stop: None }
}

fn applied(sid: NewSid) -> ItemJudgement {
    Judgement::Settled(Outcome::Applied(sid))
}

fn new_sid(item: &ItemJudgement) -> NewSid {
    match item {
        Judgement::Settled(Outcome::Applied(sid)) => *sid,
        Judgement::Settled(_)
        | Judgement::ReadBack { .. }
        | Judgement::SendAgain { .. }
        | Judgement::Repair(_) => None,
    }
}

/// An item that is not shown under the login value that was sent, and of which something is under a form of it.
enum KeptItem {
    /// This is its candidate.
    As(Sid),
    /// It cannot be told whose that is.
    Unclear,
}

/// Looks for those who are not shown under the forms that services make of login values. Whoever was listed under one
/// before is somebody else.
async fn in_forms(
    session: &ExamSession<'_>,
    (candidates, logins): (&[NewCandidate], &[LoginValue]),
    (items, outcomes): (&[ItemJudgement], &HashMap<LoginValue, LookupOutcome>),
) -> Result<HashMap<LoginValue, KeptItem>, ExamError> {
    let is_open = |login: &LoginValue, item: &ItemJudgement| {
        matches!(item, Judgement::ReadBack { .. }) && matches!(outcomes.get(login), Some(LookupOutcome::Gone))
    };
    let open = logins.iter().zip(items).filter(|(login, item)| is_open(login, item)).map(|(login, _)| login);
    let is_new = |form: &LoginValue| session.observed.is_none_or(|observed| observed.find(form).is_none());
    let found = rows_by_form(session, open, is_new).await?;
    let own = |sent: &NewCandidate, found: &FormRows| -> Vec<Sid> {
        let rows = found.rows.values().map(|(_, row)| row);
        rows.filter(|row| is_ours(session, sent, row)).map(|row| row.sid).collect()
    };
    let by_login = candidates.iter().zip(logins).filter_map(|(sent, login)| {
        let found = found.get(login).filter(|found| found.is_untold || !found.rows.is_empty())?;
        Some((login, own(sent, found)))
    });
    let by_login: Vec<(&LoginValue, Vec<Sid>)> = by_login.collect();
    let mut claims: HashMap<Sid, usize> = HashMap::new();
    by_login.iter().flat_map(|(_, sids)| sids).for_each(|sid| *claims.entry(*sid).or_default() += 1);
    let kept = |sids: &[Sid]| match sids {
        [sid] if claims.get(sid) == Some(&1) => KeptItem::As(*sid),
        _ => KeptItem::Unclear,
    };
    Ok(by_login.iter().map(|(login, sids)| ((*login).clone(), kept(sids))).collect())
}

/// A row that shows another value than was sent is somebody else's, entered meanwhile. Where a row does not show its
/// login value, it may be that of somebody whose login value only looks alike
/// to the service: it is ours when everything else is as it was sent.
fn is_ours(session: &ExamSession<'_>, sent: &NewCandidate, row: &CandidateInfo) -> bool {
    let key = MemoryKey::new([0; 32]);
    let values = SentValues::of(&key, session.login_field, &sent.values);
    if values.are_contradicted(&key, &row.fields, &BTreeSet::new()) {
        return false;
    }
    if lookup::login_of(row, session.login_field).is_some() {
        return true;
    }
    // Groups that are not told say nothing against it.
    row.groups.as_ref().is_none_or(|groups| groups.contains(&sent.gid))
        && shows(&sent.values, row) != Some(false)
}

/// Looks up the candidates of other calls by their sids.
pub(super) async fn known(
    session: &ExamSession<'_>,
    call: &WriteCall,
    items: Vec<ItemJudgement>,
) -> ReadBack<NewSid> {
    let Some(not_shown) = NotShown::of(&items) else { return ReadBack { items, stop: None } };
    let sids = call.sids();
    let is_open = |(_, item): &(&Sid, &ItemJudgement)| matches!(item, Judgement::ReadBack { .. });
    let asked: Vec<Sid> = sids.iter().zip(&items).filter(is_open).map(|(sid, _)| *sid).collect();
    let (outcomes, blind, stop) = match lookup::rows_by_sid(session, asked).await {
        Ok(outcomes) => (outcomes, None, None),
        Err(error) => {
            let (item, stop) = not_shown.blind(&error);
            (HashMap::new(), Some(item), stop)
        }
    };
    let found = |at: usize, sid: &Sid, not_shown: &NotShown| match (outcomes.get(sid), &blind) {
        (_, Some(blind)) => blind.clone(),
        (Some(LookupOutcome::Row(row)), None) => match call.is_done(at, row) {
            Some(true) => applied(None),
            Some(false) => not_shown.failed(),
            None if not_shown.failed.is_unanswered => not_shown.unknown(),
            None => not_shown.failed(),
        },
        (Some(LookupOutcome::Gone), None) if matches!(call, WriteCall::Delete(_)) => applied(None),
        (Some(LookupOutcome::Gone), None) => not_shown.not_done(&Arc::new(candidate_gone(&not_shown.failed))),
        (None, None) => not_shown.unknown(),
    };
    let item = |(at, (sid, item)): (usize, (&Sid, ItemJudgement))| match item {
        // Each by its own cause: one was refused, and another may have been done.
        Judgement::ReadBack { .. } => {
            let own = NotShown::of(std::slice::from_ref(&item));
            found(at, sid, own.as_ref().unwrap_or(&not_shown))
        }
        settled @ (Judgement::Settled(_) | Judgement::SendAgain { .. } | Judgement::Repair(_)) => settled,
    };
    ReadBack { items: sids.iter().zip(items).enumerate().map(item).collect(), stop }
}

fn candidate_gone(cause: &FailureCause) -> FailureCause {
    let FailureCause { code, message, .. } = record::candidate_gone();
    FailureCause { code, message, ..cause.clone() }
}
