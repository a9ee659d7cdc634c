//! Who was taken out of a whole course for a class of it that then took nobody is put back into the course.
//!
//! Whoever is in the whole course is "already there" in its classes, so the class is asked after the course was left. It may be
//! over, full or deleted by then, and the student would be nowhere.

use std::collections::BTreeMap;

use super::ClassinSyncError;
use super::apply::{ClassinApplier, key};
use super::enrolments::{EnrolmentCall, EnrolmentItem};
use crate::run::delivery::{Applier as _, deliver};
use crate::run::report::ServiceReport;
use crate::run::severity::Severity;
use rosterd_core::classin_plan::{Condition, EnrolmentKind, EnrolmentOperation, EnrolmentState, batches};
use rosterd_core::counted::counted_len;
use rosterd_core::outcome::Outcome;
use rosterd_core::roster::{ClassTarget, ClassinUid, StudentId};

/// Once everything has ended that the plan named. Says who is in the course again, and who could not be put back.
pub(super) async fn put_back(
    applier: &ClassinApplier<'_>,
    report: &mut ServiceReport,
) -> Result<(), ClassinSyncError> {
    let (mut back, mut lost) = (Vec::new(), Vec::new());
    for batch in batches(&left_nowhere(applier), applier.batch_size(), &applier.plan.full) {
        let students = || batch.operations.iter().map(|one| one.student.clone());
        if applier.state().is_over() {
            lost.extend(students());
            continue;
        }
        let items = batch.operations.iter().filter_map(EnrolmentItem::of).collect();
        let delivered = deliver(&applier.calls, EnrolmentCall(items)).await?;
        for (student, outcome) in students().zip(&delivered.outcomes) {
            let list = if outcome.is_applied() { &mut back } else { &mut lost };
            list.push(student);
        }
    }
    if !back.is_empty() {
        report.notes.push(remark(&back));
    }
    if !lost.is_empty() {
        report.fail(Severity::Incomplete, format!("classin: {}", complaint(&lost)));
    }
    Ok(())
}

/// The adds to whole courses of those whose removal from there has been made, and who were refused in every class that they
/// were to be in instead.
fn left_nowhere(applier: &ClassinApplier<'_>) -> Vec<EnrolmentOperation> {
    let operations = &applier.plan.operations;
    let mut instead: BTreeMap<(ClassTarget, ClassinUid), Vec<&EnrolmentOperation>> = BTreeMap::new();
    for add in operations.iter().filter(|one| one.kind == EnrolmentKind::Enrol) {
        for condition in &add.after {
            if let Condition::Removed { target, uid } = *condition {
                instead.entry((target, uid)).or_default().push(add);
            }
        }
    }
    let is_refused = |add: &&EnrolmentOperation| match applier.outcome_of(key(add)) {
        // Whose answer was lost is asked for again by the next run.
        Some(Outcome::Applied(()) | Outcome::Unknown(_)) => false,
        Some(Outcome::Failed(_) | Outcome::Held | Outcome::Unsent(_)) | None => true,
    };
    let removals = operations.iter().filter(|one| one.kind == EnrolmentKind::Remove && !one.follows);
    let removals = removals.filter(|one| one.target.class.is_none() && applier.is_applied(one));
    let nowhere = removals.filter(|removal| {
        let adds = removal.uid.and_then(|uid| instead.get(&(removal.target, uid)));
        adds.is_some_and(|adds| adds.iter().all(is_refused))
    });
    let add = |removal: &EnrolmentOperation| EnrolmentOperation {
        kind: EnrolmentKind::Enrol,
        state: EnrolmentState::Planned,
        recorded: None,
        after: Vec::new(),
        is_replaced: false,
        ..removal.clone()
    };
    nowhere.map(add).collect()
}

/// What the report says of those who are in the course again.
fn remark(back: &[StudentId]) -> String {
    format!(
        "{} put back into the whole course, as no class of it takes them in which the roster wants them: {}",
        were(back),
        names(back)
    )
}

/// What it says of those who could not be put back.
fn complaint(lost: &[StudentId]) -> String {
    format!(
        "{} taken out of the whole course for a class of it that does not take them, and could not be put back: {}. Look in \
         ClassIn, and put them back there",
        were(lost),
        names(lost)
    )
}

fn were(students: &[StudentId]) -> String {
    let verb = if students.len() == 1 { "was" } else { "were" };
    format!("{} {verb}", counted_len(students.len(), "student"))
}

/// So many are named.
const MOST_NAMED: usize = 10;

fn names(students: &[StudentId]) -> String {
    let named: Vec<&str> = students.iter().take(MOST_NAMED).map(StudentId::as_str).collect();
    let more = if students.len() > MOST_NAMED { ", …" } else { "" };
    format!("{}{more}", named.join(", "))
}
