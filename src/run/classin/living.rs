//! Asks classes whether they take changes still, where so many removals are few only if they do. One add of somebody who is
//! recorded there tells, largest class first, and no more classes than are needed.

use std::collections::{BTreeMap, BTreeSet};

use super::ClassinSyncError;
use super::context::ClassinApplyContext;
use super::guard::DAY_MS;
use super::plan::ClassinPlan;
use super::recheck::{Answered, ask_once};
use crate::run::Context;
use crate::run::report::ServiceReport;
use crate::store::StoreError;
use rosterd_core::classin_plan::{
    ClassSize, EnrolmentKind, EnrolmentOperation, EnrolmentRecord, EnrolmentState, Evidence, WantedEnrolment,
    desired_hash,
};
use rosterd_core::failure::HOUR_MS;
use rosterd_core::roster::{ClassId, ClassTarget, ClassinUid, CourseId};

/// The fact that holds what classes said: for each a line of course, class, word and time.
const ANSWERS: &str = "classin.living";

/// What a class said that was asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    TakesChanges,
    /// Nothing that tells: its ids are not taken, or nothing is taken now.
    Nothing,
}

/// What classes said, and when.
#[derive(Default, PartialEq, Eq)]
struct Answers(BTreeMap<ClassTarget, (Word, i64)>);

impl Answers {
    async fn read(context: &Context) -> Result<Self, StoreError> {
        let stored = context.state.fact(ANSWERS).await?.unwrap_or_default();
        Ok(Self(stored.lines().filter_map(line).collect()))
    }

    /// Whether a class said this so lately that it counts still.
    fn said(&self, target: ClassTarget, word: Word, now_ms: i64) -> bool {
        // It may end at any time; what is not told today is not asked all day.
        let counts_ms = match word {
            Word::TakesChanges => HOUR_MS,
            Word::Nothing => DAY_MS,
        };
        self.said_within(target, word, now_ms, counts_ms)
    }

    fn said_within(&self, target: ClassTarget, word: Word, now_ms: i64, counts_ms: i64) -> bool {
        self.0.get(&target).is_some_and(|(said, at_ms)| {
            *said == word && (0..counts_ms).contains(&now_ms.saturating_sub(*at_ms))
        })
    }

    async fn remember(mut self, context: &Context) -> Result<(), StoreError> {
        let now_ms = context.clock.now_ms();
        self.0.retain(|_, (_, at_ms)| (0..DAY_MS).contains(&now_ms.saturating_sub(*at_ms)));
        let lines: Vec<String> = self.0.iter().map(written).collect();
        let text = (!lines.is_empty()).then(|| lines.join("\n"));
        context.state.remember(ANSWERS, text.as_deref()).await
    }
}

fn written((target, (word, at_ms)): (&ClassTarget, &(Word, i64))) -> String {
    let word = match word {
        Word::TakesChanges => "lives",
        Word::Nothing => "nothing",
    };
    format!("{} {} {word} {at_ms}", target.course, target.class.map_or(0, |class| class.0))
}

fn line(line: &str) -> Option<(ClassTarget, (Word, i64))> {
    let mut words = line.split_whitespace();
    let course = CourseId(words.next()?.parse().ok()?);
    let class: i64 = words.next()?.parse().ok()?;
    let word = match words.next()? {
        "lives" => Word::TakesChanges,
        "nothing" => Word::Nothing,
        _ => return None,
    };
    let target = ClassTarget { course, class: (class != 0).then_some(ClassId(class)) };
    Some((target, (word, words.next()?.parse().ok()?)))
}

/// Classes of which nobody knows whether they take changes still, and those that were asked in vain.
#[derive(Default)]
pub(super) struct Doubted {
    pub(super) unknown: BTreeSet<ClassTarget>,
    /// Those of them of which nobody has known it for a day.
    pub(super) unknown_all_day: BTreeSet<ClassTarget>,
    pub(super) silent: BTreeSet<ClassTarget>,
}

impl Doubted {
    /// Of the classes that somebody is in. None where nobody is to be removed, as then it does not matter.
    pub(super) async fn read(
        context: &Context,
        plan: &ClassinPlan,
        sizes: &BTreeMap<ClassTarget, ClassSize>,
    ) -> Result<Self, StoreError> {
        let mut removals = plan.operations.iter().filter(|one| one.kind == EnrolmentKind::Remove);
        if !removals.any(EnrolmentOperation::is_planned) && plan.in_grace.is_empty() {
            return Ok(Self::default());
        }
        let now_ms = context.clock.now_ms();
        let confirmed = context.state.confirmed_classes(now_ms.saturating_sub(HOUR_MS)).await?;
        let of_today = context.state.confirmed_classes(now_ms.saturating_sub(DAY_MS)).await?;
        let answers = Answers::read(context).await?;
        let mut doubted = Self::default();
        for (target, size) in sizes {
            if size.living == 0
                || confirmed.contains(target)
                || answers.said(*target, Word::TakesChanges, now_ms)
            {
                continue;
            }
            if answers.said(*target, Word::Nothing, now_ms) {
                doubted.silent.insert(*target);
            } else {
                doubted.unknown.insert(*target);
                if !of_today.contains(target)
                    && !answers.said_within(*target, Word::TakesChanges, now_ms, DAY_MS)
                {
                    doubted.unknown_all_day.insert(*target);
                }
            }
        }
        Ok(doubted)
    }
}

/// Asks what the guard needs to know. Says whether anything was learnt, so that the plan has to be made anew.
pub(super) async fn ask(
    terms: ClassinApplyContext<'_>,
    plan: &ClassinPlan,
    report: &mut ServiceReport,
) -> Result<bool, ClassinSyncError> {
    let context = terms.context;
    let mut base = plan.living.clone();
    let mut answers = Answers::read(context).await?;
    let mut is_learnt = false;
    while let Some(target) = base.next_question() {
        if context.stop.is_cancelled() {
            break;
        }
        let answered = match witness(context, plan, target).await? {
            Some(question) => ask_once(terms, &question, plan, report).await?,
            None => Answered::Refused(None),
        };
        let word = match answered {
            Answered::TakesChanges => Some(Word::TakesChanges),
            Answered::Closed => None,
            Answered::Refused(_) => Some(Word::Nothing),
            Answered::Not => break,
        };
        is_learnt = true;
        match word {
            Some(Word::TakesChanges) => base.lives(target),
            Some(Word::Nothing) | None => base.is_over(target),
        }
        if let Some(word) = word {
            answers.0.insert(target, (word, context.clock.now_ms()));
        }
    }
    if is_learnt {
        answers.remember(context).await?;
    }
    Ok(is_learnt)
}

/// The add of somebody who is recorded in a class, and stays there where anybody does.
async fn witness(
    context: &Context,
    plan: &ClassinPlan,
    target: ClassTarget,
) -> Result<Option<EnrolmentOperation>, StoreError> {
    let recorded = context.state.enrolments_of_course(target.course).await?.into_iter();
    let is_witness = |record: &EnrolmentRecord| {
        record.target == target && record.evidence.is_settled() && record.evidence != Evidence::Closed
    };
    let here: Vec<EnrolmentRecord> = recorded.map(|(record, _)| record).filter(is_witness).collect();
    let removals = plan.operations.iter().filter(|one| one.kind == EnrolmentKind::Remove);
    let leaving: BTreeSet<ClassinUid> =
        removals.filter(|one| one.target == target).filter_map(|one| one.uid).collect();
    let stays = here.iter().find(|record| !leaving.contains(&record.uid));
    let class_code = plan.codes.get(&target);
    Ok(stays.or(here.first()).map(|record| EnrolmentOperation {
        kind: EnrolmentKind::Enrol,
        student: record.student.clone(),
        class_code: class_code.cloned(),
        uid: Some(record.uid),
        target,
        state: EnrolmentState::Planned,
        recorded: Some(record.evidence),
        follows: false,
        after: Vec::new(),
        is_replaced: false,
        is_put_back: false,
        desired_hash: desired_hash(&WantedEnrolment {
            kind: EnrolmentKind::Enrol,
            student: &record.student,
            class_code,
            uid: Some(record.uid),
            target,
        }),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_class_said_is_written_and_read_alike_and_counts_for_its_time() {
        let class = |id| ClassTarget { course: CourseId(7), class: id };
        let mut answers = Answers::default();
        answers.0.insert(class(Some(ClassId(8))), (Word::TakesChanges, 100));
        answers.0.insert(class(None), (Word::Nothing, 100));
        let lines: Vec<String> = answers.0.iter().map(written).collect();
        let read = Answers(lines.iter().filter_map(|one| line(one)).collect());
        assert!(read == answers, "{lines:?}");
        for (target, word, counts_ms) in
            [(class(Some(ClassId(8))), Word::TakesChanges, HOUR_MS), (class(None), Word::Nothing, DAY_MS)]
        {
            assert!(read.said(target, word, 100) && read.said(target, word, 99 + counts_ms));
            assert!(!read.said(target, word, 100 + counts_ms) && !read.said(target, word, 99));
        }
        assert!(!read.said(class(None), Word::TakesChanges, 100));
        assert!(line("7 8 perhaps 100").is_none() && line("").is_none());
    }
}
