//! Whom the service need not be asked about in this run, and what it said of the others.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::ExamSide;
use super::lookup::DueGroups;
use crate::run::Context;
use crate::store::StoreError;
use rosterd_core::exam_plan::{
    Answers, Comparison, Diff, GuardedPlan, LookupResults, LookupTerms, StandingAnswers, StandingQuestions,
    at_rest,
};
use rosterd_core::roster::{Sid, StudentId};

/// Whether answers of earlier runs are believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recall {
    /// About people of whom nothing has changed.
    Standing,
    /// Not at all: something is to be written that rests on one.
    Nothing,
}

/// What earlier runs were told, beside what this one is asking.
pub(super) struct Memory {
    known: HashMap<StudentId, StandingAnswers>,
    questions: StandingQuestions,
    /// The answers that are believed.
    pub(super) recalled: HashMap<StudentId, Answers>,
}

/// What is to be remembered of this run.
#[derive(Default)]
pub(super) struct ToRemember {
    kept: HashSet<StudentId>,
    answered: BTreeMap<StudentId, StandingAnswers>,
}

impl Memory {
    /// With a doubtful listing everything is asked: who is missing from it need not be missing.
    pub(super) async fn of(
        (context, side): (&Context, &ExamSide),
        recall: Recall,
        (diff, comparison): (&Diff, &Comparison<'_>),
        terms: &LookupTerms<'_>,
        due: &DueGroups,
    ) -> Result<Self, StoreError> {
        let mut memory =
            Self { known: HashMap::new(), questions: StandingQuestions::default(), recalled: HashMap::new() };
        if terms.trust.is_doubtful() {
            return Ok(memory);
        }
        memory.questions = StandingQuestions::of(diff, terms, comparison);
        if memory.questions.is_empty() {
            return Ok(memory);
        }
        memory.known = context.state.standing_answers().await?;
        if recall == Recall::Standing {
            let max_age_ms = i64::try_from(side.settings.verify_groups.as_millis()).unwrap_or(i64::MAX);
            let span = (context.clock.now_ms(), max_age_ms);
            memory.recalled = memory.questions.recall(&memory.known, (diff, comparison), &due.results, span);
        }
        Ok(memory)
    }

    /// What the look-ups of this run leave to be remembered, whatever is planned.
    pub(super) fn answered(
        self,
        (diff, comparison): (&Diff, &Comparison<'_>),
        lookups: &LookupResults,
        now_ms: i64,
    ) -> ToRemember {
        let kept = lookups.recalled.students().clone();
        let answered = self.questions.answered(&self.known, (diff, comparison), lookups, now_ms);
        ToRemember { kept, answered }
    }
}

impl ToRemember {
    /// Leaves out of whom the plan does something, and who is found nowhere in the listing: it may have a gap.
    pub(super) fn of_whom_nothing_is_done(self, plan: &GuardedPlan, unlisted: &[(StudentId, Sid)]) -> Self {
        let Self { kept, mut answered } = self;
        let is_at_rest = at_rest(plan);
        answered
            .retain(|student, _| is_at_rest(student) && !unlisted.iter().any(|(other, _)| other == student));
        Self { kept, answered }
    }

    /// Writes it down. What a doubtful listing leaves open is not forgotten for that.
    pub(super) async fn remember(&self, context: &Context, plan: &GuardedPlan) -> Result<(), StoreError> {
        if plan.doubt.is_some() {
            return Ok(());
        }
        context.state.remember_answers(&self.kept, &self.answered).await
    }
}
