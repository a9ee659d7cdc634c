//! Sends the creations that the guard let through: intent before the call, outcome after it, each sent once.

use super::{note_group, report_problem};
use crate::remote::exam::{ExamDisposition, ExamError, ExamWriter};
use crate::remote::http::retry_limits::REFUSED_GROUPS_IN_A_ROW;
use crate::run::Context;
use crate::run::exam::ExamSyncError;
use crate::run::report::ServiceReport;
use crate::run::severity::Severity;
use crate::store::StoreError;
use rosterd_core::exam_plan::{
    Approved, CreatedGroups, CreationOutcome, GroupCreation, GroupOrigin, KnownGroup, OperationKind,
};
use rosterd_core::failure::{FailureCode, OperationKey, Retry};
use rosterd_core::outcome::{FailureCause, Outcome, Unsent};
use rosterd_core::roster::RunId;

/// The key of a creation in our records: the group, as there is no student.
pub(in crate::run::exam) fn key(creation: &GroupCreation) -> OperationKey {
    OperationKey::of_group(&creation.code)
}

/// Creates the groups, and counts each of them once. Returns those that there are now.
///
/// # Errors
/// When our own database fails, or the service is not to be called any more: then nothing more was sent.
pub(in crate::run::exam) async fn create_groups(
    context: &Context,
    writer: &ExamWriter,
    run: RunId,
    creations: &[GroupCreation],
    approved: &Approved,
    report: &mut ServiceReport,
) -> Result<CreatedGroups, ExamSyncError> {
    let (created, refusals, at_rest) = (CreatedGroups::new(), 0, false);
    let mut creator = GroupCreator { context, writer, run, created, refusals, at_rest };
    let mut stopped = None;
    for creation in creations {
        let (outcome, stop) = match Outcome::of_planned(&creation.state) {
            Some(outcome) => (outcome, None),
            None if stopped.is_some() => (Outcome::Unsent(Unsent::ServiceStopped), None),
            None => creator.create(creation, report).await,
        };
        stopped = stopped.or(stop);
        report.count(OperationKind::CreateGroup.as_str(), &outcome);
        report.worsen(Severity::of_outcome(&outcome));
        if outcome.is_tried() && approved.contains_group(creation) && stopped.is_none() {
            context.state.use_up_approvals(&[key(creation)]).await?;
        }
    }
    stopped.map_or(Ok(creator.created), Err)
}

/// Goes through the creations one by one.
struct GroupCreator<'a> {
    context: &'a Context,
    writer: &'a ExamWriter,
    run: RunId,
    created: CreatedGroups,
    refusals: u32,
    /// Whether no further group is asked for in this run.
    at_rest: bool,
}

impl GroupCreator<'_> {
    /// One group, with the error after which nothing more is sent.
    async fn create(
        &mut self,
        creation: &GroupCreation,
        report: &mut ServiceReport,
    ) -> (Outcome, Option<ExamSyncError>) {
        if self.context.stop.is_cancelled() {
            return (Outcome::Unsent(Unsent::Terminated), Some(ExamSyncError::Stopped));
        }
        if self.at_rest {
            let what = "has no gid; it is created in another run";
            report_problem(report, &creation.code, what.to_owned());
            return (Outcome::Unsent(Unsent::LeftForLater), None);
        }
        let GroupCreation { parent, title, .. } = creation;
        let now_ms = self.context.clock.now_ms();
        if let Err(error) = self.context.state.intend_group(*parent, title, self.run, now_ms).await {
            return (Outcome::Unsent(Unsent::ServiceStopped), Some(error.into()));
        }
        let answer = self.writer.create_group(*parent, title).await;
        let ended = match &answer {
            Ok(gid) => CreationOutcome::Done(KnownGroup { gid: *gid, origin: GroupOrigin::Created }),
            Err(error) => self.judge(error, creation.refusals),
        };
        if let Err(error) = self.end(creation, ended).await {
            // It was sent and cannot be written down: the intent is there, and it is not sent again.
            let cause = FailureCause::new(FailureCode::LostAnswer, "its outcome could not be written down");
            return (Outcome::Unknown(cause.into()), Some(error.into()));
        }
        let outcome = self.tell(creation, ended, answer.as_ref().err(), report);
        let is_stop = |error: &ExamError| matches!(error.disposition(), ExamDisposition::StopService(_));
        (outcome, answer.err().filter(is_stop).map(ExamSyncError::from))
    }

    fn judge(&mut self, error: &ExamError, before: u32) -> CreationOutcome {
        let now_ms = self.context.clock.now_ms();
        if error.may_have_been_applied() {
            // Every further one would leave a person one more thing to look for.
            self.at_rest = true;
            return CreationOutcome::Unknown;
        }
        if !matches!(error, ExamError::Refused { .. } | ExamError::TooLarge { .. }) {
            self.at_rest = true;
            return CreationOutcome::Refused { attempts: before, due_at_ms: Some(now_ms) };
        }
        self.refusals += 1;
        self.at_rest = self.refusals >= REFUSED_GROUPS_IN_A_ROW;
        let attempts = before.saturating_add(1);
        let due_at_ms = match self.context.retry.after(attempts, now_ms, fastrand::f64(), None) {
            Retry::At(due) => Some(due),
            Retry::Dead => None,
        };
        CreationOutcome::Refused { attempts, due_at_ms }
    }

    async fn end(&self, creation: &GroupCreation, ended: CreationOutcome) -> Result<(), StoreError> {
        let now_ms = self.context.clock.now_ms();
        let GroupCreation { code, parent, title, .. } = creation;
        self.context.state.end_group(*parent, title, ended, code, self.run, now_ms).await
    }

    fn tell(
        &mut self,
        creation: &GroupCreation,
        ended: CreationOutcome,
        error: Option<&ExamError>,
        report: &mut ServiceReport,
    ) -> Outcome {
        let what = ended.left_undone();
        if let Some(what) = &what {
            report_problem(report, &creation.code, what.clone());
        }
        let code = error.map_or(FailureCode::Refused, ExamError::code);
        let cause = FailureCause::new(code, what.unwrap_or_default());
        match ended {
            CreationOutcome::Done(known) => {
                self.refusals = 0;
                self.created.insert(creation.code.clone(), known.gid);
                note_group(report, &creation.code, known);
                Outcome::Applied(())
            }
            CreationOutcome::Refused { .. } => Outcome::Failed(cause.into()),
            CreationOutcome::Unknown => Outcome::Unknown(cause.into()),
        }
    }
}
