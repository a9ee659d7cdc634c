//! The way to one school on ClassIn: one call, signed, sent once and read. Writing and proving the secret are two
//! types.

mod probe;
mod writer;

pub use probe::ClassinProbe;
pub use writer::ClassinWriter;

use std::fmt;
use std::sync::Arc;

use secrecy::SecretString;
use serde_json::{Map, Value};

use super::error::{ClassinError, ClockReading};
use super::wire::{self, Unreadable, read_uids};
use crate::remote::http::{Parsed, Reply, Transport, UnixSeconds, mask_service_text};
use rosterd_core::classin_plan::{CallAnswer, Code, Registration};

/// The way to one school on ClassIn. Clones share everything.
#[derive(Clone)]
pub struct ClassinConnection {
    transport: Transport,
    school: Arc<School>,
}

struct School {
    sid: String,
    secret: SecretString,
}

impl fmt::Debug for ClassinConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClassinConnection").field("host", &self.transport.host()).finish_non_exhaustive()
    }
}

impl ClassinConnection {
    /// The way to this school.
    #[must_use]
    pub fn new(transport: Transport, sid: impl Into<String>, secret: SecretString) -> Self {
        Self { transport, school: Arc::new(School { sid: sid.into(), secret }) }
    }

    /// The transport, for its counters and its pace.
    #[must_use]
    pub fn transport(&self) -> &Transport {
        &self.transport
    }

    /// `accounts` is what is asked for, where accounts are; `sent_values` is masked in what comes back.
    async fn call(
        &self,
        call: &wire::ClassinCall,
        accounts: &[Registration],
        sent_values: Vec<String>,
    ) -> Result<(CallAnswer, ClockReading), ClassinError> {
        let School { sid, secret } = &*self.school;
        let make = |now: UnixSeconds| call.signed(sid, secret, now);
        let parse = |reply: &Reply| {
            let clock = ClockReading { here: reply.sent_at, there: reply.date };
            match read_reply(reply) {
                answer @ Err(ClassinError::Malformed { .. }) => Parsed::malformed((answer, clock)),
                answer @ (Ok(_) | Err(_)) => Parsed::documented((answer, clock)),
            }
        };
        let (answer, clock) = self.transport.write(call.action, make, parse).await?;
        let (mut answer, body) = answer?;
        read_uids(call, accounts, &body, &mut answer);
        mask(&mut answer, sid, &sent_values);
        let says_nothing_else = answer.items.as_ref().is_none_or(Vec::is_empty);
        if let Some(code) = answer.top.filter(|_| says_nothing_else) {
            refused_by(Code(code), clock)?;
        }
        self.transport.note_accepted();
        Ok((answer, clock))
    }
}

/// The two codes that concern no student and every call.
fn refused_by(code: Code, clock: ClockReading) -> Result<(), ClassinError> {
    match code {
        Code::NO_PERMISSION => Err(ClassinError::NoPermission { clock }),
        Code::MAINTENANCE => Err(ClassinError::Maintenance { page: false }),
        _ => Ok(()),
    }
}

/// Contract: docs/contracts/classin.md, 6.3.
fn read_reply(reply: &Reply) -> Result<(CallAnswer, Map<String, Value>), ClassinError> {
    match reply.status {
        200 => wire::read_answer(&reply.body).map_err(|unreadable| match unreadable {
            Unreadable::Html => ClassinError::Maintenance { page: true },
            Unreadable::NotJson => ClassinError::Malformed { what: "it is not JSON" },
            Unreadable::NotAnObject => ClassinError::Malformed { what: "it is not a JSON object" },
        }),
        status if Code(status.into()) == Code::MAINTENANCE => Err(ClassinError::Maintenance { page: false }),
        403 => Err(ClassinError::Forbidden),
        404 => Err(ClassinError::NotFound),
        413 => Err(ClassinError::TooLarge),
        status @ (408 | 429 | 500..=599) => {
            Err(ClassinError::Busy { status, retry_after: reply.retry_after })
        }
        status => Err(ClassinError::UnexpectedStatus { status }),
    }
}

/// Takes out of the service's own texts what they may tell about people.
fn mask(answer: &mut CallAnswer, sid: &str, sent_values: &[String]) {
    let CallAnswer { top: _, top_text, items, uid: _ } = answer;
    let texts = items.iter_mut().flatten().map(|item| &mut item.text);
    for text in texts.chain([top_text]).flatten() {
        let sent = sent_values.iter().map(String::as_str).chain([sid]);
        *text = mask_service_text(text, sent);
    }
}
