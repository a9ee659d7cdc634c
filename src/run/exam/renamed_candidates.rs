//! Candidates that somebody gave another login value, on accounts whose look-ups do not show login values.
//!
//! The look-up by sid says that such a candidate exists, and nothing says under which login value. It is one
//! of those that are listed and nobody's: asking for these by login value brings its sid back.

use std::collections::{BTreeSet, HashSet};

use super::field_mapping::ResolvedFields;
use super::lookup;
use super::session::ExamSession;
use super::{ExamSyncError, diff, listing};
use crate::run::Context;
use rosterd_core::exam_plan::{Diff, Difference, LoginFact, LookupResults, Mapping, SidFact};
use rosterd_core::roster::{LoginValue, Sid};

/// Finds the login values of candidates that exist and are listed under none that is known. The listing is
/// read once more for it, because a run keeps no login values in memory.
pub(super) async fn find_renamed(
    context: &Context,
    session: &ExamSession<'_>,
    fields: &ResolvedFields,
    mapping: &Mapping,
    diff: &Diff,
    found: &mut LookupResults,
) -> Result<(), ExamSyncError> {
    let mut missing = nameless(diff, found);
    if missing.is_empty() {
        return Ok(());
    }
    tracing::debug!(candidates = missing.len(), "looking for the login values of renamed candidates");
    let mut names = Vec::new();
    let reading = (&context.state, &context.progress);
    let mut kept = listing::Names::Kept(&mut names);
    let _same_again = listing::read(reading, session.side, fields, &mut kept).await?;
    let strangers = diff::unmanaged(context, mapping, names).await?;
    let logins = strangers.into_iter().map(LoginValue::new).collect();
    for (sid, login) in lookup::logins_of(session, logins, &mut missing).await? {
        if let Some(SidFact::Found { login: shown, .. }) = found.by_sid.get_mut(&sid) {
            *shown = Some(login);
        }
    }
    Ok(())
}

/// Candidates that were found by sid without a login value, and are not listed where their links say or
/// where their students want to be.
fn nameless(diff: &Diff, found: &LookupResults) -> BTreeSet<Sid> {
    let here: HashSet<Sid> = found
        .by_login
        .values()
        .filter_map(|fact| match fact {
            LoginFact::Found { sid, .. } => Some(*sid),
            LoginFact::Absent => None,
        })
        .collect();
    let missing = |difference: &Difference| match difference {
        Difference::Linked(linked) if linked.own.is_none() => Some(linked.link.sid),
        Difference::Leaver(leaver) if !leaver.listed => Some(leaver.link.sid),
        Difference::Linked(_) | Difference::Leaver(_) | Difference::Newcomer(_) | Difference::Unusable(_) => {
            None
        }
    };
    let is_nameless = |sid: &Sid| matches!(found.by_sid.get(sid), Some(SidFact::Found { login: None, .. }));
    diff.differences
        .iter()
        .filter_map(missing)
        .filter(|sid| is_nameless(sid) && !here.contains(sid))
        .collect()
}
