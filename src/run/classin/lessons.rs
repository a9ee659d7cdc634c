//! Lessons that are over. No row names them any more, and ClassIn takes no changes to them: one add of a student who is
//! recorded there tells, and is the only call that a lesson costs when it ends. In the same way a class that nobody is known
//! to be in is asked before students leave the whole course for it.

use std::collections::{BTreeMap, BTreeSet};

use super::ClassinSyncError;
use super::context::ClassinApplyContext;
use super::plan::ClassinPlan;
use super::recheck::{Answered, ask_once};
use super::record::action;
use super::wrong_ids::ids_key;
use crate::run::Context;
use crate::run::delivery::{Place, Subject, failure};
use crate::run::report::ServiceReport;
use crate::run::severity::Severity;
use crate::store::{CallRecord, StoreError};
use rosterd_core::classin_plan::{EnrolmentKind, EnrolmentOperation, class_hash};
use rosterd_core::counted::counted_len;
use rosterd_core::exam_plan::{Fingerprint, IGNORE};
use rosterd_core::failure::{FailureCode, HOUR_MS, NextAttempt};
use rosterd_core::outcome::FailureCause;
use rosterd_core::roster::{ClassId, ClassTarget, CourseId, StudentId};

/// The fact that holds the classes which take changes still: `course/class@when`, a blank apart.
const ASKED: &str = "classin.asked";

/// A class that was found to take changes may be over by now, where its removals have not come to pass since.
const FRESH_MS: i64 = 24 * HOUR_MS;

/// The classes that were asked, and when, in milliseconds since 1970 UTC.
pub(super) async fn asked(context: &Context) -> Result<BTreeMap<ClassTarget, i64>, StoreError> {
    let stored = context.state.fact(ASKED).await?.unwrap_or_default();
    let target = |word: &str| {
        // An earlier version did not say when.
        let (ids, at_ms) = word.split_once('@').unwrap_or((word, "0"));
        let (course, class) = ids.split_once('/')?;
        let class = Some(ClassId(class.parse().ok()?));
        let target = ClassTarget { course: CourseId(course.parse().ok()?), class };
        Some((target, at_ms.parse().ok()?))
    };
    Ok(stored.split_whitespace().filter_map(target).collect())
}

/// Whether the answer of that moment still counts.
pub(super) fn is_fresh(asked_at_ms: i64, now_ms: i64) -> bool {
    (0..FRESH_MS).contains(&now_ms.saturating_sub(asked_at_ms))
}

/// Remembers them. A class that a row names again is asked anew when no row does.
pub(super) async fn remember(
    context: &Context,
    known: &BTreeMap<ClassTarget, i64>,
) -> Result<(), StoreError> {
    if asked(context).await? == *known {
        return Ok(());
    }
    let word =
        |(target, at_ms): (&ClassTarget, &i64)| Some(format!("{}/{}@{at_ms}", target.course, target.class?));
    let words: Vec<String> = known.iter().filter_map(word).collect();
    context.state.remember(ASKED, (!words.is_empty()).then(|| words.join(" ")).as_deref()).await
}

/// Asks what the plan needs to know. Says whether anything was learnt, so that it has to be made anew.
pub(super) async fn ask(
    terms: ClassinApplyContext<'_>,
    plan: &ClassinPlan,
    report: &mut ServiceReport,
) -> Result<bool, ClassinSyncError> {
    let mut known = plan.asked.clone();
    let mut is_learnt = false;
    let mut record = CallRecord::default();
    for question in &plan.questions {
        if terms.context.stop.is_cancelled() {
            break;
        }
        match ask_once(terms, question, plan, report).await? {
            Answered::TakesChanges => {
                known.insert(question.target, terms.context.clock.now_ms());
                record.applied.push(not_told(question).key);
                is_learnt = true;
            }
            Answered::Closed => {
                record.applied.push(not_told(question).key);
                is_learnt = true;
            }
            // Whoever is to be added there is told why not.
            Answered::Refused(_) if question.class_code.is_some() => {}
            Answered::Refused(cause) => {
                let cause = why_not_told(question, plan, cause);
                let place = Place::at(action(question));
                record.failures.extend(failure(terms.context, &not_told(question), &cause, place).await?);
                report.worsen(Severity::Incomplete);
            }
            Answered::Not => break,
        }
    }
    remember(terms.context, &known).await?;
    if !record.failures.is_empty() || !record.applied.is_empty() {
        let now_ms = terms.context.clock.now_ms();
        terms.context.state.record_call(&record, terms.run, now_ms).await?;
    }
    Ok(is_learnt)
}

/// Under which key it stands that a class without a row does not say whether it is over. While it does, nobody leaves it.
fn not_told(question: &EnrolmentOperation) -> Subject {
    let removal = EnrolmentOperation { kind: EnrolmentKind::Remove, ..question.clone() };
    let desired_hash = Fingerprint(class_hash(EnrolmentKind::Remove, question.target));
    Subject { key: ids_key(&removal), desired_hash }
}

/// Said once for all who are recorded there; it is asked again when that is due.
fn why_not_told(
    question: &EnrolmentOperation,
    plan: &ClassinPlan,
    cause: Option<FailureCause>,
) -> FailureCause {
    let here = plan.operations.iter().filter(|one| one.target == question.target);
    let students: BTreeSet<&StudentId> =
        here.filter(|one| one.kind == EnrolmentKind::Remove).map(|one| &one.student).collect();
    let cause = cause.unwrap_or_else(|| {
        FailureCause::new(FailureCode::ProbablyOver, "ClassIn did not say why".to_owned())
    });
    let message = format!(
        "no row of classes names {}, and ClassIn does not say whether it is over: {}. {} {} recorded in it: rosterd asks \
         again, and {IGNORE} leaves them there",
        plan.names.spoken(question.target),
        cause.message,
        counted_len(students.len(), "student"),
        if students.len() == 1 { "is" } else { "are" },
    );
    FailureCause { message, next: cause.next.or(Some(NextAttempt::AfterDelay)), ..cause }
}
