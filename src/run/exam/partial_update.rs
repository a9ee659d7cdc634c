//! Changing some values of a candidate without losing the others.
//!
//! Contract: docs/contracts/onlineexammaker.md, 3.3: the samples fit a partial update, and nobody states it. So the
//! first change of an account goes alone and is read back: by a look-up, or in the listing where look-ups show the login
//! value alone. Where the service turns out to drop what a change does not name, what was lost is sent again at once, and
//! every later change names everything that a look-up shows, and what the roster has of the rest. A later listing that shows
//! a changed candidate emptied says the same.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::apply::ExamApplier;
use super::lookup::{self, LookupOutcome};
use super::write_call::{NewSid, WriteCall};
use super::{emptied_fields, field_mapping};
use crate::remote::exam::{CandidateChange, CandidateInfo, ExamError};
use crate::remote::http::retry_limits::LONE_CHANGES;
use crate::run::delivery::{Applier, Broken, Delivered, ServiceStop, deliver};
use crate::store::{StateStore, StoreError};
use rosterd_core::exam_plan::{PASSWORD_FIELD, is_masked};
use rosterd_core::outcome::Outcome;
use rosterd_core::roster::{FieldId, Sid, normalise_key};
use tokio::sync::MutexGuard;

const CHANGE_FACT: &str = "exam.change_mode";
const PARTIAL: &str = "partial";
const OVERWRITE: &str = "overwrite";

type Changed = Delivered<NewSid>;

/// Whether the account is known to keep what a change does not name.
///
/// # Errors
/// When our own database cannot be read.
pub(super) async fn keeps_unnamed(state: &StateStore) -> Result<bool, StoreError> {
    Ok(state.fact(CHANGE_FACT).await?.as_deref() == Some(PARTIAL))
}

/// A listing has shown that the account empties what a change does not name.
///
/// # Errors
/// When our own database cannot be written.
pub(super) async fn remember_emptying(state: &StateStore) -> Result<(), StoreError> {
    if state.fact(CHANGE_FACT).await?.as_deref() != Some(OVERWRITE) {
        warn_of_emptying();
        state.remember(CHANGE_FACT, Some(OVERWRITE)).await?;
    }
    Ok(())
}

/// Sends a call that changes values.
pub(super) async fn change(
    applier: &ExamApplier<'_>,
    items: Vec<CandidateChange>,
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
        return change_whole(applier, items, &before).await;
    }
    find_out(applier, items, before, turn).await
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
    mut before: HashMap<Sid, CandidateInfo>,
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
        let shown_by = match probe.first() {
            Some(item) => shown_before(applier, item, &mut before).await,
            None => None,
        };
        let delivered = deliver(&applier.calls, WriteCall::Change(probe.clone())).await?;
        if let ([item], [Outcome::Applied(_)], Some(shown_by)) =
            (probe.as_slice(), delivered.outcomes.as_slice(), shown_by)
        {
            keeps_others = kept_others(applier, item, &before, shown_by).await;
        }
        whole.append(delivered);
        if keeps_others == Some(false) {
            warn_of_emptying();
            // What this does not bring back, the next run finds missing in the listing.
            change_whole(applier, probe, &before).await?;
        }
    }
    drop(turn);
    let others = if whole.stop.is_some() || rest.is_empty() {
        Changed::unsent(rest.len(), None)
    } else if keeps_others == Some(false) {
        change_whole(applier, rest, &before).await?
    } else {
        deliver(&applier.calls, WriteCall::Change(rest)).await?
    };
    whole.append(others);
    Ok(whole)
}

fn warn_of_emptying() {
    tracing::warn!("the exam side drops fields that a change does not name: they are sent along from now on");
}

/// What shows of a candidate whether a change keeps what it does not name.
#[derive(Clone, Copy)]
enum ShownBy {
    LookUp,
    /// Look-ups of this account show the login value alone.
    Listing,
}

/// Where a candidate shows anything that a change does not name. What the listing alone shows is put beside what the look-up
/// has shown.
async fn shown_before(
    applier: &ExamApplier<'_>,
    item: &CandidateChange,
    before: &mut HashMap<Sid, CandidateInfo>,
) -> Option<ShownBy> {
    let login_field = applier.calls.session.login_field;
    let tells = |row: &CandidateInfo| unnamed(item, row).any(|(field, _)| *field != login_field);
    if before.get(&item.sid).is_some_and(tells) {
        return Some(ShownBy::LookUp);
    }
    let listed = listed(applier, item).await.filter(tells)?;
    match before.entry(item.sid) {
        Entry::Occupied(row) => {
            let row = row.into_mut();
            let is_new = |field: FieldId| row.fields.iter().all(|(known, _)| *known != field);
            let more: Vec<_> = listed.fields.into_iter().filter(|(field, _)| is_new(*field)).collect();
            row.fields.extend(more);
        }
        Entry::Vacant(place) => {
            place.insert(listed);
        }
    }
    Some(ShownBy::Listing)
}

/// The candidate as the listing shows it now, read from the page on which it stood.
async fn listed(applier: &ExamApplier<'_>, item: &CandidateChange) -> Option<CandidateInfo> {
    let (context, session) = (&applier.context, &applier.calls.session);
    let known_as = context.plan.known_as.get(&item.sid)?;
    let new = item.values.iter().find(|(field, _)| *field == session.login_field);
    let page_size = context.side.settings.page_size;
    let place = context.observed.place(known_as)?;
    let start = place.checked_rem(u64::from(page_size)).map_or(0, |rest| place.saturating_sub(rest));
    let page = context.side.reader.page(start, page_size).await.ok()?;
    let is_theirs = |shown: &str| {
        let shown = normalise_key(shown);
        *shown == *known_as.as_str() || new.is_some_and(|(_, value)| shown == normalise_key(value))
    };
    let row = page.rows.into_iter().find(|row| is_theirs(&row.login_value))?;
    Some(CandidateInfo { sid: item.sid, fields: row.fields, groups: None })
}

/// Whether a changed candidate still has what the change did not name; `None` where nothing tells.
async fn kept_others(
    applier: &ExamApplier<'_>,
    item: &CandidateChange,
    before: &HashMap<Sid, CandidateInfo>,
    shown_by: ShownBy,
) -> Option<bool> {
    let others: Vec<FieldId> = unnamed(item, before.get(&item.sid)?).map(|(field, _)| *field).collect();
    let row = match shown_by {
        ShownBy::LookUp => {
            let mut after = lookup::rows_by_sid(&applier.calls.session, vec![item.sid]).await.ok()?;
            let Some(LookupOutcome::Row(row)) = after.remove(&item.sid) else { return None };
            row
        }
        ShownBy::Listing => listed(applier, item).await?,
    };
    let kept = others.iter().all(|field| has_value(&row, *field));
    let word = if kept { PARTIAL } else { OVERWRITE };
    if let Err(error) = applier.context.run_context.state.remember(CHANGE_FACT, Some(word)).await {
        applier.state().break_off(error);
    }
    Some(kept)
}

/// Changes candidates by naming everything that they have already beside what is to change. Notes what nothing could name.
async fn change_whole(
    applier: &ExamApplier<'_>,
    mut items: Vec<CandidateChange>,
    before: &HashMap<Sid, CandidateInfo>,
) -> Result<Changed, Broken> {
    let account = account_fields(applier).await?;
    let mut lost = Vec::with_capacity(items.len());
    for item in &mut items {
        let row = before.get(&item.sid);
        let others: Vec<_> = row.into_iter().flat_map(|row| unnamed(item, row)).cloned().collect();
        item.values.extend(others);
        let of_roster = applier.values_unnamed(item.sid);
        let is_named = |item: &CandidateChange, field| item.values.iter().any(|(named, _)| *named == field);
        let (password, told): (Vec<_>, Vec<_>) = of_roster
            .into_iter()
            .filter(|(field, _)| !is_named(item, *field))
            .partition(|(field, _)| *field == PASSWORD_FIELD);
        let shows_all = told.is_empty();
        item.values.extend(told.into_iter().chain(password));
        let login_field = applier.calls.session.login_field;
        if !is_named(item, login_field)
            && let Some(login) = applier.context.plan.known_as.get(&item.sid)
        {
            item.values.push((login_field, login.as_str().to_owned()));
        }
        lost.push(not_named(applier, &account, item, (row, shows_all)));
    }
    let sids: Vec<Sid> = items.iter().map(|item| item.sid).collect();
    let delivered = deliver(&applier.calls, WriteCall::Change(items)).await?;
    let changed = sids.into_iter().zip(lost).zip(&delivered.outcomes);
    let changed = changed.filter(|(_, outcome)| matches!(outcome, Outcome::Applied(_)));
    let context = applier.context.run_context;
    emptied_fields::note(&context.state, changed.map(|(lost, _)| lost), context.clock.now_ms()).await?;
    Ok(delivered)
}

/// The account's fields that a change does not name although the candidate may have values there: what its look-ups hide.
fn not_named(
    applier: &ExamApplier<'_>,
    account: &[FieldId],
    item: &CandidateChange,
    (row, shows_all): (Option<&CandidateInfo>, bool),
) -> Vec<FieldId> {
    let context = &applier.context;
    let mapped = |field: FieldId| context.mapping.fields().iter().position(|it| it.id == field);
    let is_hidden = |field: FieldId| match mapped(field) {
        _ if field != PASSWORD_FIELD => !shows_all && mapped(field).is_none(),
        Some(at) => context.observed.hides(at),
        // A candidate has a password; only whether it is shown differs from account to account.
        None => row.is_none_or(|row| !has_value(row, PASSWORD_FIELD)),
    };
    let is_masked = |field: FieldId| {
        let shown = row.into_iter().flat_map(|row| &row.fields).find(|(known, _)| *known == field);
        shown.is_some_and(|(_, value)| is_mask(field, value))
    };
    let is_named = |field: FieldId| item.values.iter().any(|(named, _)| *named == field);
    let fields = account.iter().copied().filter(|field| !is_named(*field));
    fields.filter(|field| is_hidden(*field) || is_masked(*field)).collect()
}

/// The account's fields, as far as they were asked for.
async fn account_fields(applier: &ExamApplier<'_>) -> Result<Vec<FieldId>, StoreError> {
    let known = field_mapping::remembered_fields(&applier.context.run_context.state).await?;
    let fields = known.unwrap_or_default();
    let password = fields.label(PASSWORD_FIELD).is_none().then_some(PASSWORD_FIELD);
    Ok(fields.iter().map(|(field, _)| field).chain(password).collect())
}

/// What a candidate has and a change does not name. A mask is not a value.
fn unnamed<'r>(
    item: &CandidateChange,
    row: &'r CandidateInfo,
) -> impl Iterator<Item = &'r (FieldId, String)> {
    row.fields.iter().filter(|(field, value)| {
        let is_value = !value.is_empty() && !is_mask(*field, value);
        is_value && item.values.iter().all(|(named, _)| named != field)
    })
}

fn is_mask(field: FieldId, value: &str) -> bool {
    is_masked(value) || (field == PASSWORD_FIELD && value.chars().all(|sign| !sign.is_alphanumeric()))
}

fn has_value(row: &CandidateInfo, field: FieldId) -> bool {
    row.fields.iter().any(|(id, value)| *id == field && !value.is_empty())
}
