//! Lessons that are over. No row names them any more, and ClassIn takes no changes to them: one add of a student who is
//! recorded there tells, and is the only call that a lesson costs when it ends.

use std::collections::BTreeSet;

use super::ClassinSyncError;
use super::context::ClassinApplyContext;
use super::plan::ClassinPlan;
use super::recheck::{Answered, ask_once};
use crate::run::Context;
use crate::run::report::ServiceReport;
use crate::store::StoreError;
use rosterd_core::roster::{ClassId, ClassTarget, CourseId};

/// The fact that holds the classes which no row names and which take changes still: `course/class`, a blank apart.
const ASKED: &str = "classin.asked";

/// The classes that need not be asked again.
pub(super) async fn asked(context: &Context) -> Result<BTreeSet<ClassTarget>, StoreError> {
    let stored = context.state.fact(ASKED).await?.unwrap_or_default();
    let target = |word: &str| {
        let (course, class) = word.split_once('/')?;
        let class = Some(ClassId(class.parse().ok()?));
        Some(ClassTarget { course: CourseId(course.parse().ok()?), class })
    };
    Ok(stored.split_whitespace().filter_map(target).collect())
}

/// Remembers them. A class that a row names again is asked anew when no row does.
pub(super) async fn remember(context: &Context, known: &BTreeSet<ClassTarget>) -> Result<(), StoreError> {
    if asked(context).await? == *known {
        return Ok(());
    }
    let word = |target: &ClassTarget| Some(format!("{}/{}", target.course, target.class?));
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
        match ask_once(terms, question, report).await? {
            Answered::TakesChanges => {
                known.insert(question.target);
                is_learnt = true;
            }
            Answered::Closed => is_learnt = true,
            Answered::Not => break,
        }
    }
    remember(terms.context, &known).await?;
    Ok(is_learnt)
}
