//! What one call carries: sent, judged by its answer, compared with what a look-up shows.

use std::collections::BTreeSet;

use super::send::Outcome;
use crate::remote::exam::{CandidateChange, CandidateInfo, ExamError, ExamWriter, NewCandidate};
use rosterd_core::exam_plan::{AddVerdict, GroupAction, Verdict, WriteAnswer, judge_add, judge_by_sid};
use rosterd_core::roster::{FieldId, Gid, LoginValue, Sid, normalise};

/// What one call carries.
#[derive(Clone)]
pub(super) enum WriteCall {
    /// Candidates to enter, with their login values.
    Add(Vec<(NewCandidate, LoginValue)>),
    /// Values to change.
    Change(Vec<CandidateChange>),
    /// Groups to change.
    Group(GroupAction, Vec<Gid>, Vec<Sid>),
    /// Candidates to delete.
    Delete(Vec<Sid>),
}

impl WriteCall {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Add(items) => items.len(),
            Self::Change(items) => items.len(),
            Self::Group(_, _, sids) | Self::Delete(sids) => sids.len(),
        }
    }

    pub(super) fn is_add(&self) -> bool {
        matches!(self, Self::Add(_))
    }

    /// The same call for some of its items.
    pub(super) fn subset(&self, positions: &[usize]) -> Self {
        fn pick<T: Clone>(items: &[T], positions: &[usize]) -> Vec<T> {
            positions.iter().filter_map(|at| items.get(*at).cloned()).collect()
        }
        match self {
            Self::Add(items) => Self::Add(pick(items, positions)),
            Self::Change(items) => Self::Change(pick(items, positions)),
            Self::Group(action, gids, sids) => Self::Group(*action, gids.clone(), pick(sids, positions)),
            Self::Delete(sids) => Self::Delete(pick(sids, positions)),
        }
    }

    pub(super) async fn send(&self, writer: &ExamWriter) -> Result<WriteAnswer, ExamError> {
        match self {
            Self::Add(items) => {
                let batch: Vec<NewCandidate> = items.iter().map(|(item, _)| item.clone()).collect();
                writer.add(&batch).await
            }
            Self::Change(items) => writer.change(items).await,
            Self::Group(action, gids, sids) => writer.move_groups(*action, gids, sids).await,
            Self::Delete(sids) => writer.delete(sids).await,
        }
    }

    /// What the answer proves; `None` for what has to be read back.
    pub(super) fn judge(&self, answer: &WriteAnswer) -> Vec<Option<Outcome>> {
        match self {
            Self::Add(items) => judge_add(items.len(), answer)
                .into_iter()
                .map(|verdict| match verdict {
                    AddVerdict::Applied(sid) => Some(Outcome::Applied(Some(sid))),
                    AddVerdict::Unsettled => None,
                })
                .collect(),
            Self::Change(_) | Self::Group(..) | Self::Delete(_) => judge_by_sid(&self.sids(), answer)
                .into_iter()
                .map(|verdict| match verdict {
                    Verdict::Applied => Some(Outcome::Applied(None)),
                    Verdict::Unsettled => None,
                })
                .collect(),
        }
    }

    pub(super) fn sids(&self) -> Vec<Sid> {
        match self {
            Self::Add(_) => Vec::new(),
            Self::Change(items) => items.iter().map(|item| item.sid).collect(),
            Self::Group(_, _, sids) | Self::Delete(sids) => sids.clone(),
        }
    }

    /// Whether a candidate, as it was read back, is as this call wants it. `None`: cannot be told.
    pub(super) fn is_done(&self, position: usize, row: &CandidateInfo) -> Option<bool> {
        match self {
            Self::Add(_) => Some(true),
            Self::Delete(_) => Some(false),
            Self::Group(action, gids, _) => {
                let gids: BTreeSet<Gid> = gids.iter().copied().collect();
                Some(match action {
                    GroupAction::MoveTo => row.groups == gids,
                    GroupAction::AddTo => gids.is_subset(&row.groups),
                    GroupAction::DeleteFrom => gids.is_disjoint(&row.groups),
                })
            }
            Self::Change(items) => Self::shows(&items.get(position)?.values, row),
        }
    }

    /// Whether a candidate, as it was read back, shows these values. `None`: cannot be told.
    pub(super) fn shows(values: &[(FieldId, String)], row: &CandidateInfo) -> Option<bool> {
        let mut certain = true;
        for (field, value) in values {
            match row.fields.iter().find(|(id, _)| id == field) {
                Some((_, seen)) if normalise(seen) == normalise(value) => {}
                Some(_) => return Some(false),
                // A field that is not returned may be hidden, or empty.
                None if value.is_empty() => {}
                None => certain = false,
            }
        }
        certain.then_some(true)
    }
}
