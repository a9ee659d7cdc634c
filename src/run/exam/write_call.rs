//! What one call to the exam side carries: sent, judged by its answer, compared with what a look-up shows.

use std::collections::BTreeSet;

use super::record;
use crate::remote::exam::{CandidateChange, CandidateInfo, ExamError, ExamWriter, NewCandidate};
use crate::run::delivery::Items;
use rosterd_core::exam_plan::{
    AddVerdict, Call, GroupAction, Verdict, WriteAnswer, judge_add, judge_by_sid, told_refused,
    told_refused_by_sid,
};
use rosterd_core::roster::{FieldId, Gid, LoginValue, Sid, normalise};

/// What an add brings; nothing for other calls.
pub(super) type NewSid = Option<Sid>;

/// What one call carries.
#[derive(Clone)]
pub(super) enum WriteCall {
    /// Candidates to enter, each with its login value.
    Add {
        candidates: Vec<NewCandidate>,
        logins: Vec<LoginValue>,
    },
    Change(Vec<CandidateChange>),
    /// Groups to change.
    Group {
        action: GroupAction,
        gids: Vec<Gid>,
        sids: Vec<Sid>,
    },
    Delete(Vec<Sid>),
}

impl Items for WriteCall {
    fn len(&self) -> usize {
        match self {
            Self::Add { candidates, .. } => candidates.len(),
            Self::Change(items) => items.len(),
            Self::Group { sids, .. } | Self::Delete(sids) => sids.len(),
        }
    }

    fn part(&self, positions: &[usize]) -> Self {
        fn pick<T: Clone>(items: &[T], positions: &[usize]) -> Vec<T> {
            positions.iter().filter_map(|at| items.get(*at).cloned()).collect()
        }
        match self {
            Self::Add { candidates, logins } => {
                Self::Add { candidates: pick(candidates, positions), logins: pick(logins, positions) }
            }
            Self::Change(items) => Self::Change(pick(items, positions)),
            Self::Group { action, gids, sids } => {
                Self::Group { action: *action, gids: gids.clone(), sids: pick(sids, positions) }
            }
            Self::Delete(sids) => Self::Delete(pick(sids, positions)),
        }
    }
}

impl WriteCall {
    pub(super) fn is_add(&self) -> bool {
        matches!(self, Self::Add { .. })
    }

    /// The endpoint's name, for records.
    pub(super) fn endpoint(&self) -> &'static str {
        record::endpoint(&match self {
            Self::Add { .. } => Call::Add,
            Self::Change(_) => Call::Change,
            Self::Group { action, gids, .. } => Call::Group(*action, gids.clone()),
            Self::Delete(_) => Call::Delete,
        })
    }

    pub(super) async fn send(&self, writer: &ExamWriter) -> Result<WriteAnswer, ExamError> {
        match self {
            Self::Add { candidates, .. } => writer.add(candidates).await,
            Self::Change(items) => writer.change(items).await,
            Self::Group { action, gids, sids } => writer.move_groups(*action, gids, sids).await,
            Self::Delete(sids) => writer.delete(sids).await,
        }
    }

    /// What the answer proves of each item: that it was applied, an add with its sid. `None` has to be read back.
    pub(super) fn judge(&self, answer: &WriteAnswer) -> Vec<Option<NewSid>> {
        match self {
            Self::Add { candidates, .. } => judge_add(candidates.len(), answer)
                .into_iter()
                .map(|verdict| match verdict {
                    AddVerdict::Applied(sid) => Some(Some(sid)),
                    AddVerdict::Unsettled => None,
                })
                .collect(),
            Self::Change(_) | Self::Group { .. } | Self::Delete(_) => judge_by_sid(&self.sids(), answer)
                .into_iter()
                .map(|verdict| match verdict {
                    Verdict::Applied => Some(None),
                    Verdict::Unsettled => None,
                })
                .collect(),
        }
    }

    /// Of each item, whether it may have been done although the answer does not prove it: reads lag behind, so a look-up that
    /// does not show it proves nothing.
    pub(super) fn may_be_done(&self, answer: &WriteAnswer) -> Vec<bool> {
        match self {
            Self::Add { candidates, .. } => {
                told_refused(candidates.len(), answer).into_iter().map(|is_refused| !is_refused).collect()
            }
            Self::Change(_) | Self::Group { .. } | Self::Delete(_) => {
                told_refused_by_sid(&self.sids(), answer).into_iter().map(|is_refused| !is_refused).collect()
            }
        }
    }

    pub(super) fn sids(&self) -> Vec<Sid> {
        match self {
            Self::Add { .. } => Vec::new(),
            Self::Change(items) => items.iter().map(|item| item.sid).collect(),
            Self::Group { sids, .. } | Self::Delete(sids) => sids.clone(),
        }
    }

    /// Whether a candidate, as it was read back, is as this call wants it. `None`: cannot be told.
    pub(super) fn is_done(&self, position: usize, row: &CandidateInfo) -> Option<bool> {
        match self {
            Self::Add { .. } => Some(true),
            Self::Delete(_) => Some(false),
            Self::Group { action, gids, .. } => {
                let gids: BTreeSet<Gid> = gids.iter().copied().collect();
                row.groups.as_ref().map(|held| match action {
                    GroupAction::MoveTo => *held == gids,
                    GroupAction::AddTo => gids.is_subset(held),
                    GroupAction::DeleteFrom => gids.is_disjoint(held),
                })
            }
            Self::Change(items) => shows(&items.get(position)?.values, row),
        }
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
