//! The nightly check: adds the enrolments with the oldest evidence once more, so that it is fresh again.
//!
//! "Is there already" confirms; "done" says that somebody had taken the student out. Off by default, and never more
//! calls a day than the setting allows.

use std::collections::HashMap;

use super::context::ClassinApplyContext;
use super::enrolments::{EnrolmentItem, judge_answer, send};
use super::{ClassinSide, ClassinSyncError};
use crate::remote::classin::ClassinDisposition;
use crate::run::Context;
use crate::run::delivery::ServiceStop;
use crate::run::report::ServiceReport;
use crate::run::severity::Severity;
use crate::store::{ClosedClass, EnrolmentChange, StoreError};
use rosterd_core::classin_plan::{
    EnrolmentKind, EnrolmentOperation, EnrolmentRecord, EnrolmentState, Evidence, ItemVerdict, LARGEST_BATCH,
    Scope, Wanted, decide, desired_hash,
};
use rosterd_core::outcome::Outcome;
use rosterd_core::roster::{ClassTarget, ClassinUid, Enrolment};
/// The fact under which today's calls are counted: the day, then how many.
const USED: &str = "classin.verified";

/// What was confirmed less long ago is fresh.
const FRESH_MS: i64 = 24 * 60 * 60 * 1000;

/// The wanted enrolments whose evidence is oldest, put together into calls.
#[derive(Default)]
pub(super) struct StaleEnrolments {
    /// Most calls.
    most: usize,
    /// Most students a call.
    batch_size: usize,
    /// Each with when its oldest enrolment was confirmed, in ascending order of that.
    calls: Vec<(i64, Vec<EnrolmentOperation>)>,
}

/// The local day, and how many calls of it are used up.
struct Day {
    date: String,
    used: usize,
}

impl Day {
    async fn read(context: &Context, side: &ClassinSide) -> Result<Self, StoreError> {
        let date = context.clock.now().to_zoned(side.time_zone.clone()).date().to_string();
        let stored = context.state.fact(USED).await?.unwrap_or_default();
        let used = match stored.split_once(' ') {
            Some((day, used)) if day == date => used.parse().unwrap_or(usize::MAX),
            _ => 0,
        };
        Ok(Self { date, used })
    }
}

impl StaleEnrolments {
    /// None are looked for.
    pub(super) fn none() -> Self {
        Self::default()
    }

    /// The same, with nothing found yet.
    pub(super) fn anew(self) -> Self {
        Self { calls: Vec::new(), ..self }
    }

    /// As many as today's budget has left.
    pub(super) async fn within_budget(context: &Context, side: &ClassinSide) -> Result<Self, StoreError> {
        let budget = usize::try_from(side.settings.verify_calls).unwrap_or(0);
        if budget == 0 {
            return Ok(Self::none());
        }
        let day = Day::read(context, side).await?;
        let batch_size = side.settings.batch_size.clamp(1, LARGEST_BATCH);
        Ok(Self { most: budget.saturating_sub(day.used), batch_size, calls: Vec::new() })
    }

    /// Takes in the wanted enrolments of one class that are settled and not fresh.
    pub(super) async fn consider(
        &mut self,
        context: &Context,
        target: ClassTarget,
        wanted: &[Enrolment],
        records: &[EnrolmentRecord],
    ) -> Result<(), ClassinSyncError> {
        if self.most == 0 {
            return Ok(());
        }
        let confirmed = context.state.confirmations_of(target).await?;
        let stale = context.clock.now_ms().saturating_sub(FRESH_MS);
        let evidence: HashMap<ClassinUid, Evidence> =
            records.iter().map(|record| (record.uid, record.evidence)).collect();
        let mut rows: Vec<(i64, ClassinUid, EnrolmentOperation)> = Vec::new();
        for row in wanted {
            let Some(uid) = row.uid else { continue };
            let Some(at_ms) = confirmed.get(&uid).copied().filter(|at_ms| *at_ms <= stale) else { continue };
            if let Some(evidence) = evidence.get(&uid) {
                rows.push((at_ms, uid, once_more(row, uid, *evidence)));
            }
        }
        rows.sort_by_key(|(at_ms, uid, _)| (*at_ms, *uid));
        // Siblings share an account, and one class may have several codes.
        rows.dedup_by_key(|(_, uid, _)| *uid);
        for chunk in rows.chunks(self.batch_size.max(1)) {
            let stale = chunk.first().map_or(0, |(at_ms, ..)| *at_ms);
            self.calls.push((stale, chunk.iter().map(|(_, _, operation)| operation.clone()).collect()));
        }
        self.calls.sort_by_key(|(at_ms, _)| *at_ms);
        self.calls.truncate(self.most);
        Ok(())
    }
}

fn once_more(row: &Enrolment, uid: ClassinUid, evidence: Evidence) -> EnrolmentOperation {
    EnrolmentOperation {
        kind: EnrolmentKind::Enrol,
        student: row.student.clone(),
        class_code: Some(row.class_code.clone()),
        uid: Some(uid),
        target: row.target,
        state: EnrolmentState::Planned,
        recorded: Some(evidence),
        follows: false,
        desired_hash: desired_hash(&Wanted {
            kind: EnrolmentKind::Enrol,
            student: &row.student,
            class_code: Some(&row.class_code),
            uid: Some(uid),
            target: row.target,
        }),
    }
}

/// Makes the calls, each once: what is not confirmed today is older tomorrow.
pub(super) async fn run(
    terms: ClassinApplyContext<'_>,
    stale: StaleEnrolments,
    report: &mut ServiceReport,
) -> Result<(), ClassinSyncError> {
    if stale.calls.is_empty() {
        return Ok(());
    }
    let mut day = Day::read(terms.context, terms.side).await?;
    for (_, operations) in stale.calls {
        if terms.context.stop.is_cancelled() {
            break;
        }
        day.used += 1;
        terms.context.state.remember(USED, Some(&format!("{} {}", day.date, day.used))).await?;
        if !one_call(terms, &operations, report).await? {
            break;
        }
    }
    if report.restored > 0 {
        report.notes.push(format!(
            "classin: {} students had been taken out of classes by somebody else, and were put back",
            report.restored
        ));
    }
    Ok(())
}

/// One call; says whether there may be another.
async fn one_call(
    terms: ClassinApplyContext<'_>,
    operations: &[EnrolmentOperation],
    report: &mut ServiceReport,
) -> Result<bool, ClassinSyncError> {
    let items: Vec<EnrolmentItem> = operations.iter().filter_map(EnrolmentItem::of).collect();
    let judged = match send(terms, &items).await {
        Ok(answer) => judge_answer(terms, &items, &answer),
        // Whatever became of it, it can only have put somebody back: what we remember stays true.
        Err(error) => {
            if let ClassinDisposition::Stop(_) = error.disposition() {
                let stop = ServiceStop::classin(&error);
                report.fail(stop.severity(), format!("classin: {stop}"));
            }
            return Ok(false);
        }
    };
    let mut changes = Vec::new();
    for (item, judged) in items.iter().zip(&judged.items) {
        changes.extend(change(item, judged.verdict));
        match judged.verdict {
            ItemVerdict::Done { .. } => {
                report.restored += 1;
                report.count(EnrolmentKind::Enrol.as_str(), &Outcome::Applied(()));
            }
            ItemVerdict::Already { .. } => report.verified += 1,
            ItemVerdict::Repair { .. }
            | ItemVerdict::Repeat { .. }
            | ItemVerdict::Retry { .. }
            | ItemVerdict::Full { .. }
            | ItemVerdict::Student { .. }
            | ItemVerdict::Closed { .. }
            | ItemVerdict::StopRun { .. }
            | ItemVerdict::Unknown
            | ItemVerdict::SendSingly
            | ItemVerdict::Halve { .. } => {}
        }
    }
    if let (Some(closure), Some(first)) = (judged.closed.filter(|it| it.for_good), items.first()) {
        let target = match closure.scope {
            Scope::Class => first.operation.target,
            Scope::Course => ClassTarget { class: None, ..first.operation.target },
        };
        let call = super::record::call(&first.operation);
        let message = decide(call, closure.code).message.to_owned();
        if !closure.code.has_ended() {
            report
                .fail(Severity::Incomplete, format!("classin: {target}: {message} (code {})", closure.code));
        }
        changes.push(EnrolmentChange::Close(ClosedClass { target, code: closure.code, message }));
    }
    let now_ms = terms.context.clock.now_ms();
    terms.context.state.record_enrolments(&changes, terms.run, now_ms).await?;
    if let Some((stop, code)) = judged.stop {
        let stop = ServiceStop::ClassinCode { stop, code };
        report.fail(stop.severity(), format!("classin: {stop}"));
        return Ok(false);
    }
    Ok(true)
}

/// What the answer does to our evidence. Who cannot be in the class after all is asked for again by the next run,
/// which says why.
fn change(item: &EnrolmentItem, verdict: ItemVerdict) -> Option<EnrolmentChange> {
    let evidence = match verdict {
        ItemVerdict::Done { .. } => Evidence::Added,
        ItemVerdict::Already { .. } => item.was?,
        ItemVerdict::Repair { .. } | ItemVerdict::Student { .. } | ItemVerdict::Full { .. } => {
            Evidence::Unknown
        }
        ItemVerdict::Repeat { .. }
        | ItemVerdict::Retry { .. }
        | ItemVerdict::Closed { .. }
        | ItemVerdict::StopRun { .. }
        | ItemVerdict::Unknown
        | ItemVerdict::SendSingly
        | ItemVerdict::Halve { .. } => return None,
    };
    Some(EnrolmentChange::Know {
        record: EnrolmentRecord {
            uid: item.uid,
            target: item.operation.target,
            student: item.operation.student.clone(),
            evidence,
            gone_since_ms: None,
        },
        code: verdict.code(),
        is_confirmed: verdict.is_success(),
    })
}
