//! Changing some values of a candidate without losing the others.
//!
//! Contract: docs/contracts/onlineexammaker.md, 3.3: the samples fit a partial update, and nobody states it. So the
//! first change of an account goes alone and is read back. Where the service turns out to drop what a change does not
//! name, what was lost is sent again at once, and every later change names everything that a look-up shows.

use std::collections::HashMap;

use super::apply::ExamApplier;
use super::lookup::{self, LookupOutcome};
use super::write_call::{NewSid, WriteCall};
use crate::remote::exam::{CandidateChange, CandidateInfo, ExamError};
use crate::remote::http::retry_limits::LONE_CHANGES;
use crate::run::delivery::{Applier, Broken, Delivered, ServiceStop, deliver};
use rosterd_core::exam_plan::PASSWORD_FIELD;
use rosterd_core::outcome::Outcome;
use rosterd_core::roster::{FieldId, Sid};
use tokio::sync::MutexGuard;

const CHANGE_FACT: &str = "exam.change_mode";
const PARTIAL: &str = "partial";
const OVERWRITE: &str = "overwrite";

type Changed = Delivered<NewSid>;

/// Sends a call that changes values.
pub(super) async fn change(
    applier: &ExamApplier<'_>,
    mut items: Vec<CandidateChange>,
) -> Result<Changed, Broken> {
    let sids: Vec<Sid> = items.iter().map(|item| item.sid).collect();
    let rows = applier.exam().take_rows(&sids);
    if known(applier).await.as_deref() == Some(PARTIAL) || items.is_empty() {
        return deliver(&applier.calls, WriteCall::Change(items)).await;
    }
    // One batch finds out for all of them.
    let turn = applier.turns.first_change.lock().await;
    let known = known(applier).await;
    if known.as_deref() == Some(PARTIAL) {
        drop(turn);
        return deliver(&applier.calls, WriteCall::Change(items)).await;
    }
    let before = match with_others(applier, &sids, rows).await {
        Ok(before) => before,
        Err(error) => return Ok(Changed::unsent(items.len(), Some(ServiceStop::exam(&error)))),
    };
    if known.as_deref() == Some(OVERWRITE) {
        drop(turn);
        complete(&mut items, &before);
        return deliver(&applier.calls, WriteCall::Change(items)).await;
    }
    find_out(applier, items, &before, turn).await
}

/// How the account was found to treat what a change does not name.
async fn known(applier: &ExamApplier<'_>) -> Option<String> {
    applier.context.run_context.state.fact(CHANGE_FACT).await.ok().flatten()
}

/// Candidates as they were looked up just before the call; the others of them are looked up now.
async fn with_others(
    applier: &ExamApplier<'_>,
    sids: &[Sid],
    mut rows: HashMap<Sid, CandidateInfo>,
) -> Result<HashMap<Sid, CandidateInfo>, ExamError> {
    let open: Vec<Sid> = sids.iter().copied().filter(|sid| !rows.contains_key(sid)).collect();
    for (sid, outcome) in lookup::rows_by_sid(&applier.calls.session, open).await? {
        if let LookupOutcome::Row(row) = outcome {
            rows.insert(sid, row);
        }
    }
    Ok(rows)
}

/// Changes one after the other until one of them has told, then all others. Only a few are changed alone in a run.
async fn find_out(
    applier: &ExamApplier<'_>,
    items: Vec<CandidateChange>,
    before: &HashMap<Sid, CandidateInfo>,
    turn: MutexGuard<'_, ()>,
) -> Result<Changed, Broken> {
    let mut whole = Changed::unsent(0, None);
    let mut rest = items;
    let mut keeps_others = None;
    while !rest.is_empty() && keeps_others.is_none() && whole.stop.is_none() {
        if !applier.exam().may_change_alone(LONE_CHANGES) {
            break;
        }
        let others = rest.split_off(1);
        let probe = std::mem::replace(&mut rest, others);
        let delivered = deliver(&applier.calls, WriteCall::Change(probe.clone())).await?;
        if let ([item], [Outcome::Applied(_)]) = (probe.as_slice(), delivered.outcomes.as_slice()) {
            keeps_others = kept_others(applier, item, before).await;
        }
        whole.append(delivered);
        if keeps_others == Some(false) {
            restore(applier, probe, before).await?;
        }
    }
    if keeps_others == Some(false) {
        complete(&mut rest, before);
    }
    drop(turn);
    let others = if whole.stop.is_some() || rest.is_empty() {
        Changed::unsent(rest.len(), None)
    } else {
        deliver(&applier.calls, WriteCall::Change(rest)).await?
    };
    whole.append(others);
    Ok(whole)
}

/// Whether a changed candidate still has what the change did not name; `None` where nothing tells.
async fn kept_others(
    applier: &ExamApplier<'_>,
    item: &CandidateChange,
    before: &HashMap<Sid, CandidateInfo>,
) -> Option<bool> {
    let others = unnamed(item, before);
    if others.iter().all(|(field, _)| *field == applier.calls.session.login_field) {
        return None;
    }
    let mut after = lookup::rows_by_sid(&applier.calls.session, vec![item.sid]).await.ok()?;
    let Some(LookupOutcome::Row(row)) = after.remove(&item.sid) else { return None };
    let kept = others.iter().all(|(field, _)| has_value(&row, *field));
    let word = if kept { PARTIAL } else { OVERWRITE };
    if let Err(error) = applier.context.run_context.state.remember(CHANGE_FACT, Some(word)).await {
        applier.state().break_off(error);
    }
    Some(kept)
}

/// Gives the candidate that told back what it lost.
async fn restore(
    applier: &ExamApplier<'_>,
    mut probe: Vec<CandidateChange>,
    before: &HashMap<Sid, CandidateInfo>,
) -> Result<(), Broken> {
    tracing::warn!("the exam side drops fields that a change does not name: they are sent along from now on");
    complete(&mut probe, before);
    // What this does not bring back, the next run finds missing in the listing.
    deliver(&applier.calls, WriteCall::Change(probe)).await.map(drop)
}

/// Names everything that the candidates have already beside what is to change.
fn complete(items: &mut [CandidateChange], before: &HashMap<Sid, CandidateInfo>) {
    for item in items {
        let others = unnamed(item, before);
        item.values.extend(others);
    }
}

/// What a candidate has and a change does not name. A masked password is not a value.
fn unnamed(item: &CandidateChange, before: &HashMap<Sid, CandidateInfo>) -> Vec<(FieldId, String)> {
    let Some(row) = before.get(&item.sid) else { return Vec::new() };
    row.fields
        .iter()
        .filter(|(field, value)| {
            let masked = *field == PASSWORD_FIELD && value.chars().all(|sign| !sign.is_alphanumeric());
            !value.is_empty() && !masked && item.values.iter().all(|(named, _)| named != field)
        })
        .cloned()
        .collect()
}

fn has_value(row: &CandidateInfo, field: FieldId) -> bool {
    row.fields.iter().any(|(id, value)| *id == field && !value.is_empty())
}
