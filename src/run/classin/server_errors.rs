//! ClassIn fails over a call again and again (5xx): one student of it may be what it fails over.
//!
//! Such a call is halved, depth first, until one student stands alone. Where that one fails too and nothing of the batch
//! was answered yet, nothing else is halved: ClassIn may be down, and then each half would fail like the whole. As soon as
//! a part is answered, the rest is halved on. Any part may have been done: each student whose part failed stays unknown.

use super::apply::ClassinApplier;
use super::cause;
use super::enrolments::{EnrolmentCall, EnrolmentCalls, EnrolmentItem};
use super::record::action;
use crate::remote::classin::ClassinError;
use crate::run::delivery::{Attempt, Broken, Delivered, Items as _, Judged, Judgement, Part, deliver};
use rosterd_core::outcome::{Outcome, SentWith};
use rosterd_core::roster::CourseId;

/// What the calls of one course, which follow one another, tell of a service that fails over some.
#[derive(Clone, Copy, Default)]
pub(super) struct ServerErrors {
    /// A student stood alone and failed, and no call was answered since.
    stood_alone: bool,
    /// A call was answered since the last batch began.
    is_answered: bool,
}

impl ServerErrors {
    /// A batch is about to be sent.
    pub(super) fn begin(&mut self) {
        *self = Self::default();
    }

    /// ClassIn answered a call.
    pub(super) fn answer(&mut self) {
        *self = Self { stood_alone: false, is_answered: true };
    }

    /// Whether ClassIn answered a call since the last batch began.
    pub(super) fn is_answered(self) -> bool {
        self.is_answered
    }

    /// What it means that ClassIn failed over a call once more, or over a part of one.
    pub(super) fn judge<G: Clone>(
        &mut self,
        error: &ClassinError,
        action: &'static str,
        items: usize,
    ) -> Judged<G> {
        let sent_with = if items == 1 { SentWith::Nobody } else { SentWith::Others };
        let otherwise = cause::outcome(cause::server_error(error, action, sent_with));
        if items == 1 {
            self.stood_alone = true;
        }
        let judgement = if items == 1 || self.stood_alone {
            Judgement::Settled(otherwise)
        } else {
            Judgement::SendAgain { part: Part::Halves, otherwise }
        };
        Judged::all(items, judgement)
    }
}

/// Whether the call is not just repeated: ClassIn has failed over it before, or over a call that it is a part of.
pub(super) fn is_to_be_divided(error: &ClassinError, attempt: Attempt, is_part: bool) -> bool {
    error.is_server_error() && (attempt != Attempt::FIRST || is_part)
}

impl EnrolmentCalls<'_> {
    fn server_errors(&self, course: CourseId) -> ServerErrors {
        self.classes().server_errors.get(&course).copied().unwrap_or_default()
    }

    pub(super) fn with_server_errors(&self, course: CourseId, change: impl FnOnce(&mut ServerErrors)) {
        change(self.classes().server_errors.entry(course).or_default());
    }

    /// What a 5xx means for a call that has been repeated, or that is a part of one; `None` where it is to be repeated.
    pub(super) fn after_server_error(
        &self,
        call: &mut EnrolmentCall,
        error: &ClassinError,
        attempt: Attempt,
    ) -> Option<Judged<()>> {
        let EnrolmentItem { operation, is_divided, .. } = call.0.first()?;
        if !is_to_be_divided(error, attempt, *is_divided) {
            return None;
        }
        let judged = {
            let mut classes = self.classes();
            classes.server_error = Some(error.clone());
            let errors = classes.server_errors.entry(operation.target.course).or_default();
            errors.judge(error, action(operation), call.len())
        };
        call.0.iter_mut().for_each(|item| item.is_divided = true);
        Some(judged)
    }
}

impl ClassinApplier<'_> {
    /// Halves on what was left of a batch over which ClassIn failed, as long as any part of it is answered.
    pub(super) async fn divide_on(
        &self,
        kept: &EnrolmentCall,
        delivered: &mut Delivered<()>,
    ) -> Result<(), Broken> {
        let Some(course) = kept.0.first().map(|item| item.operation.target.course) else { return Ok(()) };
        loop {
            let rest = failed_with_others(&delivered.outcomes);
            let is_answered = self.calls.server_errors(course).is_answered();
            let is_left_alone = delivered.stop.is_some() || self.terms.context.stop.is_cancelled();
            if rest.is_empty() || !is_answered || is_left_alone {
                return Ok(());
            }
            self.calls.with_server_errors(course, ServerErrors::begin);
            let mut again = kept.part(&rest);
            for item in &mut again.0 {
                item.is_divided = true;
                item.lose_answer();
            }
            let again = deliver(&self.calls, again).await?;
            delivered.replace(&rest, again);
        }
    }
}

/// Who failed in a call with others, and was not sent alone.
pub(super) fn failed_with_others<G>(outcomes: &[Outcome<G>]) -> Vec<usize> {
    let is_left =
        |outcome: &Outcome<G>| outcome.cause().is_some_and(|cause| cause.sent_with == SentWith::Others);
    outcomes.iter().enumerate().filter(|(_, outcome)| is_left(outcome)).map(|(at, _)| at).collect()
}
