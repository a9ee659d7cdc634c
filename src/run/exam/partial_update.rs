//! Changing some values of a candidate without losing the others.
//!
//! Contract: docs/contracts/onlineexammaker.md, 3.3: the samples fit a partial update, and nobody states it. So the
//! first change of an account goes alone and is read back. Where the service turns out to drop what a change does not
//! name, what was lost is sent again at once, and every later change names everything that a look-up shows.

use std::collections::HashMap;

use super::apply::ExamApplier;
use super::lookup::{self, LookupOutcome};
use super::send::{Outcome, SendResult, send};
use super::write_call::WriteCall;
use crate::remote::exam::{CandidateChange, CandidateInfo};
use rosterd_core::exam_plan::PASSWORD_FIELD;
use rosterd_core::roster::{FieldId, Sid};

const CHANGE_FACT: &str = "exam.change_mode";
const PARTIAL: &str = "partial";
const OVERWRITE: &str = "overwrite";

/// So many candidates are changed alone to find out, before the others go together all the same.
const PROBES: usize = 3;

impl ExamApplier<'_> {
    /// Sends a call that changes values.
    pub(super) async fn change(&self, mut items: Vec<CandidateChange>) -> SendResult {
        let known = self.context.context.state.fact(CHANGE_FACT).await.ok().flatten();
        if known.as_deref() == Some(PARTIAL) || items.is_empty() {
            return send(self.session, self.context.writer, WriteCall::Change(items)).await;
        }
        let sids = items.iter().map(|item| item.sid).collect();
        let before = match lookup::rows_by_sid(&self.session, sids).await {
            Ok(before) => before,
            Err(error) => return SendResult::stopped(items.len(), &error),
        };
        if known.as_deref() == Some(OVERWRITE) {
            complete(&mut items, &before);
            return send(self.session, self.context.writer, WriteCall::Change(items)).await;
        }
        self.find_out(items, &before).await
    }

    /// Changes one after the other until one of them has told, then all others.
    async fn find_out(
        &self,
        items: Vec<CandidateChange>,
        before: &HashMap<Sid, LookupOutcome>,
    ) -> SendResult {
        let mut whole = SendResult::answered(Vec::with_capacity(items.len()), None);
        let mut rest = items;
        let mut keeps_others = None;
        for _ in 0..PROBES {
            if rest.is_empty() || keeps_others.is_some() || whole.stop.is_some() {
                break;
            }
            let others = rest.split_off(1);
            let probe = std::mem::replace(&mut rest, others);
            let sent = send(self.session, self.context.writer, WriteCall::Change(probe.clone())).await;
            if let ([item], [Outcome::Applied(_)]) = (probe.as_slice(), sent.outcomes.as_slice()) {
                keeps_others = self.kept_others(item, before).await;
            }
            whole.append(sent);
            if keeps_others == Some(false) {
                self.restore(probe, before).await;
            }
        }
        if keeps_others == Some(false) {
            complete(&mut rest, before);
        }
        if whole.stop.is_some() {
            whole.outcomes.extend(vec![Outcome::Unsent; rest.len()]);
        } else if !rest.is_empty() {
            whole.append(send(self.session, self.context.writer, WriteCall::Change(rest)).await);
        }
        whole
    }

    /// Whether a changed candidate still has what the change did not name; `None` where nothing tells.
    async fn kept_others(
        &self,
        item: &CandidateChange,
        before: &HashMap<Sid, LookupOutcome>,
    ) -> Option<bool> {
        let others = unnamed(item, before);
        if others.iter().all(|(field, _)| *field == self.session.login_field) {
            return None;
        }
        let mut after = lookup::rows_by_sid(&self.session, vec![item.sid]).await.ok()?;
        let Some(LookupOutcome::Row(row)) = after.remove(&item.sid) else { return None };
        let kept = others.iter().all(|(field, _)| has_value(&row, *field));
        let word = if kept { PARTIAL } else { OVERWRITE };
        if let Err(error) = self.context.context.state.remember(CHANGE_FACT, Some(word)).await {
            self.state().break_off(error);
        }
        Some(kept)
    }

    /// Gives the candidate that told back what it lost.
    async fn restore(&self, mut probe: Vec<CandidateChange>, before: &HashMap<Sid, LookupOutcome>) {
        tracing::warn!(
            "the exam side drops fields that a change does not name: they are sent along from now on"
        );
        complete(&mut probe, before);
        // What this does not bring back, the next run finds missing in the listing.
        let _delivery = send(self.session, self.context.writer, WriteCall::Change(probe)).await;
    }
}

/// Names everything that the candidates have already beside what is to change.
fn complete(items: &mut [CandidateChange], before: &HashMap<Sid, LookupOutcome>) {
    for item in items {
        let others = unnamed(item, before);
        item.values.extend(others);
    }
}

/// What a candidate has and a change does not name. A masked password is not a value.
fn unnamed(item: &CandidateChange, before: &HashMap<Sid, LookupOutcome>) -> Vec<(FieldId, String)> {
    let Some(LookupOutcome::Row(row)) = before.get(&item.sid) else { return Vec::new() };
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
