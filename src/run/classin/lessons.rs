//! Lessons that are over. No row names them any more, and ClassIn takes no changes to them: one add of a student who is
//! recorded there tells, and is the only call that a lesson costs when it ends. In the same way a class that nobody is known
//! to be in is asked before students leave the whole course for it.

use std::collections::BTreeMap;

use super::ClassinSyncError;
use super::context::ClassinApplyContext;
use super::plan::ClassinPlan;
use super::recheck::{Answered, ask_once};
use crate::run::Context;
use crate::run::report::ServiceReport;
use crate::store::StoreError;
use rosterd_core::failure::HOUR_MS;
use rosterd_core::roster::{ClassId, ClassTarget, CourseId};

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
    for question in &plan.questions {
        if terms.context.stop.is_cancelled() {
            break;
        }
        match ask_once(terms, question, plan, report).await? {
            Answered::TakesChanges => {
                known.insert(question.target, terms.context.clock.now_ms());
                is_learnt = true;
            }
            Answered::Closed => is_learnt = true,
            // Whoever is to be added there is told why not.
            Answered::Refused => {}
            Answered::Not => break,
        }
    }
    remember(terms.context, &known).await?;
    Ok(is_learnt)
}
