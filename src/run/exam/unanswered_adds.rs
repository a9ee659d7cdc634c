//! Adds of an earlier run whose answer was never written down: whoever was entered is ours.
//!
//! Between the lost call and this run the roster may have changed, the login value too. So these adds are
//! settled by the login value that was sent, before anything is compared: else the student would be
//! entered again under the new one.
//!
//! The listing may lag behind, so everybody is looked up by login value, listed or not; whoever is not found is looked for
//! under what services make of login values ([`super::service_forms`]).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::group_checks::next_group_check;
use super::lookup::{self, LookupOutcome};
use super::service_forms::{KeptAdd, KeptAdds};
use super::session::ExamSession;
use super::{ExamSyncError, Reading};
use crate::remote::exam::CandidateInfo;
use crate::remote::http::retry_limits::BEFORE_ADDING_AGAIN;
use crate::run::Context;
use crate::store::{CallRecord, LinkWrite, LostAdd, NewLink};
use rosterd_core::exam_plan::{Fingerprint, Link, OpenAdd, OperationKind, Origin};
use rosterd_core::failure::OperationKey;
use rosterd_core::roster::{FieldId, LoginValue, RunId, StudentId};

/// What became of adds that were never answered, where nobody was linked.
#[derive(Clone, Default)]
pub(super) struct OpenAdds {
    /// How the adds stand by which nobody was linked.
    pub(super) open: HashMap<StudentId, OpenAdd>,
    /// The candidate that is there shows other values than were sent: it is met like any other.
    pub(super) contradicted: HashSet<StudentId>,
}

/// What is done about those who were entered by such a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settling {
    /// They are linked.
    Linked,
    /// It is only shown that they would be.
    Shown,
}

/// Links everybody who was entered by a call that was never settled, where it is not only to be shown. Says who was not.
pub(super) async fn unanswered_adds(
    context: &Context,
    session: &ExamSession<'_>,
    (run, settling): (RunId, Settling),
    reading: &Reading,
) -> Result<OpenAdds, ExamSyncError> {
    let Reading { mapping, observed, key, .. } = reading;
    let lost = context.state.lost_adds_sent(run).await?;
    let lost: HashMap<LoginValue, LostAdd> =
        lost.into_iter().map(|lost| (lost.login.clone(), lost)).collect();
    if lost.is_empty() {
        return Ok(OpenAdds::default());
    }
    let sent: HashMap<LoginValue, StudentId> =
        lost.iter().map(|(login, lost)| (login.clone(), lost.student.clone())).collect();
    let rewritten = context.state.uncompared_fields().await?;
    let rewritten: BTreeSet<FieldId> = rewritten.into_iter().map(|field| field.field).collect();
    tracing::info!(students = sent.len(), "settling adds of an earlier run that was cut off");
    let mut owners = context.state.owners(&sent.keys().cloned().collect()).await?;
    // A student who was entered again still has the link to the candidate that is gone, under the same login value.
    owners.retain(|login, owner| sent.get(login) != Some(owner));
    let open: Vec<LoginValue> = sent.keys().filter(|login| !owners.contains_key(*login)).cloned().collect();
    let sightings = lookup::rows_by_login(session, open).await?;
    let linked = context.state.sid_owners(sightings.values().filter_map(LookupOutcome::sid)).await?;
    let not_found = lost.values().filter(|lost| {
        matches!(sightings.get(&lost.login), Some(LookupOutcome::Gone))
            && observed.find(&lost.login).is_none()
    });
    let login_field = mapping.login_field();
    let mut kept = KeptAdds::find(context, session, not_found.collect(), (key, &rewritten)).await?;
    let now_ms = context.clock.now_ms();
    // Whether the service kept what it was sent is not known, and the roster may have changed since: what cannot be
    // listed is sent again, also a password, which otherwise would pass for one that the student has chosen.
    let in_doubt: BTreeMap<FieldId, Fingerprint> =
        mapping.compared().map(|(_, field)| (field.id, Fingerprint::IN_DOUBT)).collect();
    let mut record = CallRecord::default();
    let mut open_adds = OpenAdds::default();
    for (login, student) in sent {
        let is_listed = observed.find(&login).is_some();
        let Some(lost) = lost.get(&login) else { continue };
        let open = match sightings.get(&login) {
            Some(LookupOutcome::Row(row)) if lost.sent.are_contradicted(key, &row.fields, &rewritten) => {
                if is_listed {
                    open_adds.contradicted.insert(student.clone());
                }
                let is_anothers = linked.contains_key(&row.sid);
                // What is not listed yet is met once it is.
                if is_listed { (!is_anothers).then(|| there(login, row)) } else { Some(OpenAdd::Untold) }
            }
            // Nobody ever takes over a candidate that is linked to somebody already.
            Some(LookupOutcome::Row(row)) if linked.contains_key(&row.sid) => None,
            Some(LookupOutcome::Row(row)) if settling == Settling::Shown => {
                Some(if is_listed { there(login, row) } else { OpenAdd::Untold })
            }
            Some(LookupOutcome::Row(row)) => {
                let link = link(&student, login, row, &in_doubt, now_ms);
                let groups_due_at_ms = next_group_check(session.side, now_ms);
                record.links.push(LinkWrite::Make(Box::new(NewLink { link, groups_due_at_ms })));
                record.settled.push(OperationKey::of(OperationKind::Add, student.clone()));
                None
            }
            // It is another student's candidate by now.
            None if owners.contains_key(&login) => None,
            // Nobody said whose candidate it is: until somebody does, the student is not entered again.
            None => Some(OpenAdd::Untold),
            Some(LookupOutcome::Gone) if is_listed => Some(OpenAdd::Untold),
            Some(LookupOutcome::Gone) => match kept.of(&student) {
                KeptAdd::Untold => Some(OpenAdd::Untold),
                KeptAdd::Unclear => Some(OpenAdd::Alike { login }),
                KeptAdd::As(..) if settling == Settling::Shown => Some(OpenAdd::Untold),
                KeptAdd::As(row) => {
                    let as_sent = key.value(login_field, login.as_str());
                    let link = link(&student, login, &row, &in_doubt, now_ms);
                    let link = written_as(link, login_field, as_sent);
                    let groups_due_at_ms = next_group_check(session.side, now_ms);
                    record.links.push(LinkWrite::Make(Box::new(NewLink { link, groups_due_at_ms })));
                    record.settled.push(OperationKey::of(OperationKind::Add, student.clone()));
                    None
                }
                KeptAdd::Nowhere => {
                    let again_at_ms = again_at_ms(lost, now_ms);
                    (now_ms < again_at_ms).then_some(OpenAdd::NotShown { again_at_ms })
                }
            },
        };
        open_adds.open.extend(open.map(|open| (student, open)));
    }
    if settling == Settling::Linked {
        context.state.record_call(&record, run, now_ms).await?;
    }
    Ok(open_adds)
}

/// From when on an add may be sent again of which nothing is to be seen.
fn again_at_ms(lost: &LostAdd, now_ms: i64) -> i64 {
    let rests_ms = i64::try_from(BEFORE_ADDING_AGAIN.as_millis()).unwrap_or(i64::MAX);
    // Of a clock that was ahead: it was sent before now, whatever that one said.
    lost.sent_at_ms.min(now_ms).saturating_add(rests_ms)
}

fn there(login: LoginValue, row: &CandidateInfo) -> OpenAdd {
    OpenAdd::There { login, sid: row.sid, groups: row.groups.clone() }
}

/// The same link where the service keeps the login value in a form of its own: the one that was sent is what we wrote.
fn written_as(mut link: Link, login_field: FieldId, as_sent: Fingerprint) -> Link {
    link.confirmed.insert(login_field, as_sent);
    link.unverified.insert(login_field);
    link
}

fn link(
    student: &StudentId,
    login: LoginValue,
    row: &CandidateInfo,
    in_doubt: &BTreeMap<FieldId, Fingerprint>,
    now_ms: i64,
) -> Link {
    Link {
        student: student.clone(),
        sid: row.sid,
        login,
        origin: Origin::Added,
        confirmed: in_doubt.clone(),
        unverified: BTreeSet::new(),
        suspected: BTreeMap::new(),
        sent_twice: BTreeMap::new(),
        rewritten: BTreeSet::new(),
        groups: row.groups.clone(),
        gone_since_ms: None,
        gone_runs: 0,
        linked_at_ms: now_ms,
        renamed_by_hand: false,
    }
}
