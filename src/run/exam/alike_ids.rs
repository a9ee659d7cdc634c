//! Students who may be on the roster under two spellings of one id.
//!
//! A new spelling that comes before the old row goes is entered as somebody new. The old row's student is not dismissed
//! before a person has said that they are two.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::pin::pin;

use futures_util::stream::StreamExt;

use super::{ExamSide, ExamSyncError};
use crate::run::Context;
use rosterd_core::exam_plan::Diff;
use rosterd_core::roster::{IdLikeness, StudentId};

/// Who was linked no longer than this before a student was gone may have been entered in that one's place. A longer
/// `exam.delete_grace` counts instead.
const ENTERED_BEFORE_MS: i64 = 7 * 24 * 60 * 60 * 1000;

/// Pairs that a sentence names.
const NAMED: usize = 10;

/// Students whose ids differ only in their spelling.
#[derive(Default)]
pub(super) struct AlikeIds {
    /// Who was entered under nearly the id of a leaver shortly before they left.
    pub(super) entered: HashMap<IdLikeness, StudentId>,
    /// A sentence about students on the roster, where one of the two has no candidate yet.
    pub(super) said: Option<String>,
}

/// Finds them among the differences and the links.
pub(super) async fn find(context: &Context, side: &ExamSide, diff: &Diff) -> Result<AlikeIds, ExamSyncError> {
    let leavers: HashMap<&StudentId, i64> = diff.leavers_since(context.clock.now_ms());
    let newcomers = diff.newcomers();
    if leavers.is_empty() && newcomers.is_empty() {
        return Ok(AlikeIds::default());
    }
    let grace_ms = i64::try_from(side.settings.delete_grace.as_millis()).unwrap_or(i64::MAX);
    let before_ms = grace_ms.max(ENTERED_BEFORE_MS);
    let mut entered: HashMap<IdLikeness, StudentId> = HashMap::new();
    let left: HashMap<IdLikeness, i64> = leavers
        .iter()
        .map(|(id, since_ms)| (IdLikeness::of(id), since_ms.saturating_sub(before_ms)))
        .collect();
    let mut pairs: BTreeMap<&StudentId, StudentId> = BTreeMap::new();
    let mut new: HashMap<IdLikeness, &StudentId> = HashMap::new();
    let mut in_order: Vec<&StudentId> = newcomers.iter().copied().collect();
    in_order.sort_unstable();
    for id in in_order {
        if let Some(first) = new.get(&IdLikeness::of(id)) {
            pairs.insert(id, (*first).clone());
        } else {
            new.insert(IdLikeness::of(id), id);
        }
    }
    let gone: HashSet<&StudentId> = leavers.keys().copied().collect();
    let mut links = pin!(context.state.linked_ids());
    while let Some(link) = links.next().await {
        let (id, linked_at_ms) = link?;
        if gone.contains(&id) {
            continue;
        }
        let likeness = IdLikeness::of(&id);
        if let Some(newcomer) = new.get(&likeness) {
            pairs.insert(newcomer, id.clone());
        }
        if left.get(&likeness).is_some_and(|from_ms| linked_at_ms >= *from_ms) {
            entered.insert(likeness, id);
        }
    }
    Ok(AlikeIds { said: sentence(&pairs), entered })
}

fn sentence(pairs: &BTreeMap<&StudentId, StudentId>) -> Option<String> {
    let named: Vec<String> =
        pairs.iter().take(NAMED).map(|(new, other)| format!("{new} and {other}")).collect();
    let more = if pairs.len() > NAMED { ", …" } else { "" };
    (!pairs.is_empty()).then(|| {
        format!(
            "ids on the roster that differ only in blanks, punctuation, case, leading zeros or Unicode form: {}{more}. Where the two are \
             one person, take one of the rows off the roster before both are entered",
            named.join(", ")
        )
    })
}
