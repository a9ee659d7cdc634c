//! Sends one call at a time and says what came back.
//!
//! Reads are tried again by the transport; a write is sent exactly once, whatever becomes of its answer.

use std::collections::BTreeMap;

use secrecy::SecretString;

use super::call::ExamCall;
use super::error::{ClockDifference, ExamError};
use super::redaction::{SentContent, SentRequest};
use super::seen_groups::SeenGroups;
use super::signature::{Parameters, signed};
use super::wire::{self, ReadError};
use super::{
    CandidateChange, ExamField, GroupAction, LookupAnswer, LookupKey, NewCandidate, Page, ResultsPage,
    WriteAnswer,
};
use crate::remote::http::{Reply, Request, Transport, TransportError, UnixSeconds};
use rosterd_core::roster::{Gid, Sid};

/// The way to the service and the account's code.
#[derive(Clone)]
pub struct ExamConnection {
    /// Pace, deadlines and counters.
    pub transport: Transport,
    /// The account's verification code.
    pub code: SecretString,
}

/// The candidate API. Clones share one transport, and with it pace and counters.
#[derive(Clone)]
pub struct ExamClient {
    connection: ExamConnection,
    seen_groups: SeenGroups,
}

impl ExamClient {
    /// A client over this connection; nothing is sent yet.
    #[must_use]
    pub fn new(connection: ExamConnection) -> Self {
        Self { connection, seen_groups: SeenGroups::default() }
    }

    /// The transport, for its counters and its pace.
    #[must_use]
    pub fn transport(&self) -> &Transport {
        &self.connection.transport
    }

    /// The account's fields. The cheapest call that proves address, code, plan and clock.
    ///
    /// # Errors
    /// [`ExamError`]; [`ExamError::FieldsRefused`] names what a refusal can mean.
    pub async fn fields(&self) -> Result<Vec<ExamField>, ExamError> {
        self.fields_and_clock().await.map(|(fields, _)| fields)
    }

    /// The same with how our clock stands to the service's, as far as the answer says what time it is there.
    ///
    /// # Errors
    /// As [`ExamClient::fields`].
    pub async fn fields_and_clock(&self) -> Result<(Vec<ExamField>, ClockDifference), ExamError> {
        let sending = SentRequest { call: ExamCall::GetFields, content: SentContent::Nothing };
        self.read(&sending, &vec![], |reply| {
            Ok((wire::read_fields(&reply.body)?, ClockDifference::of(reply)))
        })
        .await
    }

    /// One page of the listing: up to `limit` candidates (the service's most is 100) from offset `start` on.
    ///
    /// # Errors
    /// [`ExamError`]; never a shorter page for an answer that could not be read.
    pub async fn page(&self, start: u64, limit: u32) -> Result<Page, ExamError> {
        let sending = SentRequest { call: ExamCall::GetStudentList, content: SentContent::Nothing };
        let parameters = wire::page_parameters(start, limit);
        self.read(&sending, &parameters, |reply| wire::read_page(&reply.body, start)).await
    }

    /// Looks candidates up, at most 100 keys a call. No key, no call.
    ///
    /// # Errors
    /// [`ExamError`].
    pub async fn lookup(&self, key: LookupKey<'_>) -> Result<LookupAnswer, ExamError> {
        let sending = SentRequest { call: ExamCall::GetStudentsInfo, content: SentContent::Keys(key) };
        if sending.items() == 0 {
            return Ok(LookupAnswer::default());
        }
        let parameters = self.prepared(&sending, wire::lookup_parameters(key))?;
        let answer = self.read(&sending, &parameters, |reply| wire::read_lookup(&reply.body)).await?;
        self.seen_groups.note(&answer.group_titles);
        Ok(answer)
    }

    /// Titles of the groups that look-ups of this client have shown so far. Groups that nobody is in are never
    /// shown.
    #[must_use]
    pub fn seen_groups(&self) -> BTreeMap<Gid, String> {
        self.seen_groups.all()
    }

    /// One page of the results: up to `limit` attempts (the service's most is 100) from offset `start` on, the
    /// newest first as far as known.
    ///
    /// # Errors
    /// [`ExamError`]; never a shorter page for an answer that could not be read.
    pub async fn results(&self, start: u64, limit: u32) -> Result<ResultsPage, ExamError> {
        let sending = SentRequest { call: ExamCall::QueryResults, content: SentContent::Nothing };
        let parameters = wire::page_parameters(start, limit);
        self.read(&sending, &parameters, |reply| wire::read_results(&reply.body, start)).await
    }

    /// Creates a group below another, `Gid(0)` being the root, and says its gid. A second call may create a twin.
    ///
    /// # Errors
    /// [`ExamError`]; where [`ExamError::may_have_been_applied`], nothing can prove what happened.
    pub async fn create_group(&self, parent: Gid, title: &str) -> Result<Gid, ExamError> {
        let sending =
            SentRequest { call: ExamCall::AddCategory, content: SentContent::Category { parent, title } };
        let parameters = wire::category_parameters(parent, title);
        let make = |time| self.request(sending.call, &parameters, time);
        let sent = self.connection.transport.send(sending.call.name(), make).await;
        let reply = sent.map_err(|error| ExamError::from_transport(sending.call, error))?;
        self.judge(&sending, &reply, wire::read_category(&reply.body))
    }

    /// Adds candidates, at most 100 a call. Judge the answer with [`judge_add`](rosterd_core::exam_plan::judge_add).
    ///
    /// # Errors
    /// [`ExamError`]; read back first where [`ExamError::may_have_been_applied`].
    pub async fn add(&self, batch: &[NewCandidate]) -> Result<WriteAnswer, ExamError> {
        let sending = SentRequest { call: ExamCall::AddStudents, content: SentContent::Added(batch) };
        self.write(&sending, wire::add_parameters(batch)).await
    }

    /// Changes field values, at most 100 candidates a call. Judge the answer with
    /// [`judge_by_sid`](rosterd_core::exam_plan::judge_by_sid).
    ///
    /// # Errors
    /// [`ExamError`]; read back first where [`ExamError::may_have_been_applied`].
    pub async fn change(&self, batch: &[CandidateChange]) -> Result<WriteAnswer, ExamError> {
        let sending = SentRequest { call: ExamCall::ChangeStudents, content: SentContent::Changed(batch) };
        self.write(&sending, wire::change_parameters(batch)).await
    }

    /// Deletes candidates for good, at most 100 a call. Judge the answer with
    /// [`judge_by_sid`](rosterd_core::exam_plan::judge_by_sid).
    ///
    /// # Errors
    /// [`ExamError`]; read back first where [`ExamError::may_have_been_applied`].
    pub async fn delete(&self, sids: &[Sid]) -> Result<WriteAnswer, ExamError> {
        let sending =
            SentRequest { call: ExamCall::DeleteStudents, content: SentContent::People { gids: &[], sids } };
        self.write(&sending, wire::delete_parameters(sids)).await
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
        let sending = SentRequest { call: ExamCall::MoveGroups, content: SentContent::People { gids, sids } };
        self.write(&sending, wire::move_parameters(action, gids, sids)).await
    }

    /// An answer that is not the documented one, such as a login page, is asked for again as a failed one is.
    async fn read<T>(
        &self,
        sending: &SentRequest<'_>,
        parameters: &Parameters,
        parse: impl Fn(&Reply) -> Result<T, ReadError>,
    ) -> Result<T, ExamError> {
        let call = sending.call;
        let transport = &self.connection.transport;
        let mut attempt = 1;
        loop {
            let make = |time| self.request(call, parameters, time);
            let sent = transport.send_read(call.name(), make).await;
            let reply = sent.map_err(|error| ExamError::from_transport(call, error))?;
            let answer = self.judge(sending, &reply, parse(&reply));
            let nonsense = matches!(answer, Err(ExamError::Unreadable { .. } | ExamError::Redirected { .. }));
            let Some(delay) = transport.delay_after_malformed(attempt).filter(|_| nonsense) else {
                return answer;
            };
            tokio::time::sleep(delay).await;
            attempt += 1;
        }
    }

    async fn write(
        &self,
        sending: &SentRequest<'_>,
        parameters: serde_json::Result<Parameters>,
    ) -> Result<WriteAnswer, ExamError> {
        if sending.items() == 0 {
            return Ok(WriteAnswer { status_ok: true, lists_present: true, ..WriteAnswer::default() });
        }
        let call = sending.call;
        let parameters = self.prepared(sending, parameters)?;
        let make = |time| self.request(call, &parameters, time);
        let sent = self.connection.transport.send(call.name(), make).await;
        let reply = sent.map_err(|error| ExamError::from_transport(call, error))?;
        let mut answer = self.judge(sending, &reply, wire::read_write_answer(&reply.body))?;
        answer.message = self.masked(sending, &reply, answer.message);
        Ok(answer)
    }

    fn request(&self, call: ExamCall, parameters: &Parameters, time: UnixSeconds) -> Request {
        signed(call.method(), &call.path(), parameters, time, &self.connection.code)
    }

    fn prepared(
        &self,
        sending: &SentRequest<'_>,
        parameters: serde_json::Result<Parameters>,
    ) -> Result<Parameters, ExamError> {
        parameters.map_err(|_| {
            let host = self.connection.transport.host().to_owned();
            // Numbers and texts always are; the error is there because nothing may panic.
            let what = "its values cannot be written as JSON".to_owned();
            ExamError::Setup { call: sending.call, source: TransportError::Setup { host, what } }
        })
    }

    /// The contract's table of what arrives (docs/contracts/onlineexammaker.md, 5). The body counts with status 200
    /// only.
    fn judge<T>(
        &self,
        sending: &SentRequest<'_>,
        reply: &Reply,
        body: Result<T, ReadError>,
    ) -> Result<T, ExamError> {
        let (call, items) = (sending.call, sending.items());
        let status = reply.status;
        let retry_after = reply.retry_after;
        let clock = ClockDifference::of(reply);
        Err(match status {
            200 => match body {
                Ok(value) => return Ok(value),
                Err(ReadError::Refused(text)) => self.refused(sending, reply, text),
                Err(ReadError::Malformed(what)) => ExamError::Unreadable { call, what },
            },
            300..=399 => ExamError::Redirected { call, status },
            400 | 409 | 422 => self.refused(sending, reply, wire::service_text(&reply.body)),
            401 | 403 => ExamError::Unauthorized { call, status, clock },
            404 | 405 | 415 => ExamError::WrongAddress { call, status },
            408 => ExamError::TimedOut { call },
            413 => ExamError::TooLarge { call, items },
            429 => ExamError::RateLimited { call, retry_after },
            500..=599 => ExamError::ServiceFailed { call, status, retry_after },
            _ => ExamError::Unexpected { call, status },
        })
    }

    fn refused(&self, sending: &SentRequest<'_>, reply: &Reply, text: Option<String>) -> ExamError {
        let (call, items) = (sending.call, sending.items());
        let status = reply.status;
        let message = self.masked(sending, reply, text);
        if call == ExamCall::GetFields {
            let clock = ClockDifference::of(reply);
            return ExamError::FieldsRefused { status, clock, message };
        }
        ExamError::Refused { call, items, status, message }
    }

    fn masked(&self, sending: &SentRequest<'_>, reply: &Reply, text: Option<String>) -> Option<String> {
        text.map(|text| sending.masked(&text, reply.sent_at, &self.connection.code))
    }
}
