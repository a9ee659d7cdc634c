//! The calls that read. The transport tries each again, also where its answer is not the documented one.

use std::collections::BTreeMap;

use super::{ExamConnection, parsed};
use crate::remote::exam::call::ExamCall;
use crate::remote::exam::error::{ClockDifference, ExamError};
use crate::remote::exam::redaction::{SentContent, SentRequest};
use crate::remote::exam::seen_groups::SeenGroups;
use crate::remote::exam::signature::{self, Parameters};
use crate::remote::exam::wire::{self, ReadError};
use crate::remote::exam::{ExamField, HashedPage, LookupAnswer, LookupKey, Page, ResultsPage};
use crate::remote::http::{Reply, Transport};
use rosterd_core::account::ServiceAccount;
use rosterd_core::exam_plan::{MemoryKey, PageHasher};
use rosterd_core::roster::Gid;

/// Reads the account, and cannot change it. Clones share one transport, and with it pace and counters.
#[derive(Clone)]
pub struct ExamReader {
    connection: ExamConnection,
    seen_groups: SeenGroups,
}

impl ExamReader {
    /// A reader over this connection; nothing is sent yet.
    #[must_use]
    pub fn new(connection: ExamConnection) -> Self {
        Self { connection, seen_groups: SeenGroups::default() }
    }

    /// The transport, for its counters and its pace.
    #[must_use]
    pub fn transport(&self) -> &Transport {
        &self.connection.transport
    }

    /// The account that is read, as a state database remembers it: under its host, unless another name is given for
    /// that. No call.
    #[must_use]
    pub fn account(&self, host: Option<&str>, key: &MemoryKey) -> ServiceAccount {
        let ExamConnection { transport, code } = &self.connection;
        signature::account(host.unwrap_or_else(|| transport.host()), code, key)
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
    /// As [`ExamReader::fields`].
    pub async fn fields_and_clock(&self) -> Result<(Vec<ExamField>, ClockDifference), ExamError> {
        let request = SentRequest { call: ExamCall::GetFields, content: SentContent::Nothing };
        self.read(&request, &vec![], |reply| {
            Ok((wire::read_fields(&reply.body)?, ClockDifference::of(reply)))
        })
        .await
    }

    /// One page of the listing: up to `limit` candidates (the service's most is 100) from offset `start` on.
    ///
    /// # Errors
    /// [`ExamError`]; never a shorter page for an answer that could not be read.
    pub async fn page(&self, start: u64, limit: u32) -> Result<Page, ExamError> {
        let request = SentRequest { call: ExamCall::GetStudentList, content: SentContent::Nothing };
        let parameters = wire::page_parameters(start, limit);
        self.read(&request, &parameters, |reply| wire::read_page(&reply.body, start)).await
    }

    /// The same, hashed while it is read: no value of it is kept as text.
    ///
    /// # Errors
    /// As [`ExamReader::page`].
    pub async fn hashed_page(
        &self,
        start: u64,
        limit: u32,
        hasher: &PageHasher,
    ) -> Result<HashedPage, ExamError> {
        let request = SentRequest { call: ExamCall::GetStudentList, content: SentContent::Nothing };
        let parameters = wire::page_parameters(start, limit);
        self.read(&request, &parameters, |reply| wire::read_hashed_page(&reply.body, start, hasher)).await
    }

    /// Looks candidates up, at most 100 keys a call. No key, no call.
    ///
    /// # Errors
    /// [`ExamError`].
    pub async fn lookup(&self, key: LookupKey<'_>) -> Result<LookupAnswer, ExamError> {
        let request = SentRequest { call: ExamCall::GetStudentsInfo, content: SentContent::Keys(key) };
        if request.items() == 0 {
            return Ok(LookupAnswer::default());
        }
        let parameters = self.connection.prepared(&request, wire::lookup_parameters(key))?;
        let answer = self.read(&request, &parameters, |reply| wire::read_lookup(&reply.body)).await?;
        self.seen_groups.note(&answer.group_titles);
        Ok(answer)
    }

    /// Titles of the groups that look-ups of this reader have shown so far. Groups that nobody is in are never
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
        let request = SentRequest { call: ExamCall::QueryResults, content: SentContent::Nothing };
        let parameters = wire::page_parameters(start, limit);
        self.read(&request, &parameters, |reply| wire::read_results(&reply.body, start)).await
    }

    /// An answer that is not the documented one, such as a login page, is asked for again as a failed one is.
    async fn read<T>(
        &self,
        request: &SentRequest<'_>,
        parameters: &Parameters,
        parse: impl Fn(&Reply) -> Result<T, ReadError>,
    ) -> Result<T, ExamError> {
        let call = request.call;
        let make = |time| self.connection.request(call, parameters, time);
        let judge = |reply: &Reply| parsed(self.connection.judge(request, reply, parse(reply)));
        let answer = self.connection.transport.read(call.name(), make, judge).await;
        answer.map_err(|error| ExamError::from_transport(call, error))?
    }
}
