//! The way to the service: one call, signed, sent and judged. Reading and writing are two types.

mod reader;
mod writer;

pub use reader::ExamReader;
pub use writer::ExamWriter;

use secrecy::SecretString;

use super::call::ExamCall;
use super::error::{ClockDifference, ExamError};
use super::redaction::SentRequest;
use super::signature::{Parameters, signed};
use super::wire::{self, ReadError};
use crate::remote::http::{Parsed, Reply, Request, Transport, TransportError, UnixSeconds};

/// The way to the service and the account's code. Clones share one transport, and with it pace and counters.
#[derive(Clone)]
pub struct ExamConnection {
    /// Pace, deadlines and counters.
    pub transport: Transport,
    /// The account's verification code.
    pub code: SecretString,
}

impl ExamConnection {
    fn request(&self, call: ExamCall, parameters: &Parameters, time: UnixSeconds) -> Request {
        signed(call.method(), &call.path(), parameters, time, &self.code)
    }

    fn prepared(
        &self,
        request: &SentRequest<'_>,
        parameters: serde_json::Result<Parameters>,
    ) -> Result<Parameters, ExamError> {
        parameters.map_err(|_| {
            let host = self.transport.host().to_owned();
            // Numbers and texts always are; the error is there because nothing may panic.
            let what = "its values cannot be written as JSON".to_owned();
            ExamError::Setup { call: request.call, source: TransportError::Setup { host, what } }
        })
    }

    /// The contract's table of what arrives (docs/contracts/onlineexammaker.md, 5). The body counts with status 200
    /// only.
    fn judge<T>(
        &self,
        request: &SentRequest<'_>,
        reply: &Reply,
        body: Result<T, ReadError>,
    ) -> Result<T, ExamError> {
        let (call, items) = (request.call, request.items());
        let status = reply.status;
        let retry_after = reply.retry_after;
        let clock = ClockDifference::of(reply);
        Err(match status {
            200 => match body {
                Ok(value) => {
                    self.transport.note_accepted();
                    return Ok(value);
                }
                Err(ReadError::Refused(text)) => self.refused(request, reply, text),
                Err(ReadError::Malformed(what)) => ExamError::Unreadable { call, what },
            },
            300..=399 => ExamError::Redirected { call, status },
            400 | 409 | 422 => self.refused(request, reply, wire::service_text(&reply.body)),
            401 | 403 => ExamError::Unauthorized { call, status, clock },
            404 | 405 | 415 => ExamError::WrongAddress { call, status },
            408 => ExamError::TimedOut { call },
            413 => ExamError::TooLarge { call, items },
            429 => ExamError::RateLimited { call, retry_after },
            500..=599 => ExamError::ServiceFailed { call, status, retry_after },
            _ => ExamError::Unexpected { call, status },
        })
    }

    fn refused(&self, request: &SentRequest<'_>, reply: &Reply, text: Option<String>) -> ExamError {
        let (call, items) = (request.call, request.items());
        let status = reply.status;
        let message = self.masked(request, reply, text);
        if call == ExamCall::GetFields {
            let clock = ClockDifference::of(reply);
            return ExamError::FieldsRefused { status, clock, message };
        }
        ExamError::Refused { call, items, status, message }
    }

    fn masked(&self, request: &SentRequest<'_>, reply: &Reply, text: Option<String>) -> Option<String> {
        text.map(|text| request.masked(&text, reply.sent_at, &self.code))
    }
}

/// Whether an answer is the documented one, as far as it tells of the service.
fn parsed<T>(answer: Result<T, ExamError>) -> Parsed<Result<T, ExamError>> {
    match answer {
        Err(ExamError::Unreadable { .. } | ExamError::Redirected { .. }) => Parsed::malformed(answer),
        Ok(_) | Err(_) => Parsed::documented(answer),
    }
}
