//! The calls that write. Each is sent exactly once, whatever becomes of its answer.

use super::{ExamConnection, parsed};
use crate::remote::exam::call::ExamCall;
use crate::remote::exam::error::ExamError;
use crate::remote::exam::redaction::{SentContent, SentRequest};
use crate::remote::exam::signature::Parameters;
use crate::remote::exam::wire::{self, ReadError};
use crate::remote::exam::{CandidateChange, GroupAction, NewCandidate, WriteAnswer};
use crate::remote::http::Reply;
use rosterd_core::roster::{Gid, Sid};

/// Changes the account. Only what applies a plan holds one; what shows a plan has an [`ExamReader`] alone.
///
/// [`ExamReader`]: super::ExamReader
#[derive(Clone)]
pub struct ExamWriter {
    connection: ExamConnection,
}

impl ExamWriter {
    /// A writer over this connection; nothing is sent yet.
    #[must_use]
    pub fn new(connection: ExamConnection) -> Self {
        Self { connection }
    }

    /// Adds candidates, at most 100 a call. Judge the answer with [`judge_add`](rosterd_core::exam_plan::judge_add).
    ///
    /// # Errors
    /// [`ExamError`]; read back first where [`ExamError::may_have_been_applied`].
    pub async fn add(&self, batch: &[NewCandidate]) -> Result<WriteAnswer, ExamError> {
        let request = SentRequest { call: ExamCall::AddStudents, content: SentContent::Added(batch) };
        self.write(&request, wire::add_parameters(batch)).await
    }

    /// Changes field values, at most 100 candidates a call. Judge the answer with
    /// [`judge_by_sid`](rosterd_core::exam_plan::judge_by_sid).
    ///
    /// # Errors
    /// [`ExamError`]; read back first where [`ExamError::may_have_been_applied`].
    pub async fn change(&self, batch: &[CandidateChange]) -> Result<WriteAnswer, ExamError> {
        let request = SentRequest { call: ExamCall::ChangeStudents, content: SentContent::Changed(batch) };
        self.write(&request, wire::change_parameters(batch)).await
    }

    /// Deletes candidates for good, at most 100 a call. Judge the answer with
    /// [`judge_by_sid`](rosterd_core::exam_plan::judge_by_sid).
    ///
    /// # Errors
    /// [`ExamError`]; read back first where [`ExamError::may_have_been_applied`].
    pub async fn delete(&self, sids: &[Sid]) -> Result<WriteAnswer, ExamError> {
        let request =
            SentRequest { call: ExamCall::DeleteStudents, content: SentContent::People { gids: &[], sids } };
        self.write(&request, wire::delete_parameters(sids)).await
    }

    /// Does one thing to the groups of several candidates, at most 100 a call. Judge the answer with
    /// [`judge_by_sid`](rosterd_core::exam_plan::judge_by_sid).
    ///
    /// # Errors
    /// [`ExamError`]; read back first where [`ExamError::may_have_been_applied`].
    pub async fn move_groups(
        &self,
        action: GroupAction,
        gids: &[Gid],
        sids: &[Sid],
    ) -> Result<WriteAnswer, ExamError> {
        let request = SentRequest { call: ExamCall::MoveGroups, content: SentContent::People { gids, sids } };
        self.write(&request, wire::move_parameters(action, gids, sids)).await
    }

    /// Creates a group below another, `Gid(0)` being the root, and says its gid. A second call may create a twin.
    ///
    /// # Errors
    /// [`ExamError`]; where [`ExamError::may_have_been_applied`], nothing can prove what happened.
    pub async fn create_group(&self, parent: Gid, title: &str) -> Result<Gid, ExamError> {
        let request =
            SentRequest { call: ExamCall::AddCategory, content: SentContent::Category { parent, title } };
        let parameters = wire::category_parameters(parent, title);
        self.send(&request, &parameters, |reply| wire::read_category(&reply.body)).await
    }

    async fn write(
        &self,
        request: &SentRequest<'_>,
        parameters: serde_json::Result<Parameters>,
    ) -> Result<WriteAnswer, ExamError> {
        if request.items() == 0 {
            return Ok(WriteAnswer { status_ok: true, lists_present: true, ..WriteAnswer::default() });
        }
        let parameters = self.connection.prepared(request, parameters)?;
        self.send(request, &parameters, |reply| {
            let mut answer = wire::read_write_answer(&reply.body)?;
            answer.message = self.connection.masked(request, reply, answer.message);
            Ok(answer)
        })
        .await
    }

    async fn send<T>(
        &self,
        request: &SentRequest<'_>,
        parameters: &Parameters,
        parse: impl Fn(&Reply) -> Result<T, ReadError>,
    ) -> Result<T, ExamError> {
        let call = request.call;
        let make = |time| self.connection.request(call, parameters, time);
        let judge = |reply: &Reply| parsed(self.connection.judge(request, reply, parse(reply)));
        let answer = self.connection.transport.write(call.name(), make, judge).await;
        answer.map_err(|error| ExamError::from_transport(call, error))?
    }
}
