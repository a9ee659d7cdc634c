//! The calls themselves.

use std::fmt;
use std::sync::Arc;

use secrecy::SecretString;
use serde_json::{Map, Value};

use super::accounts::read_uids;
use super::error::{ClassinError, ClockReading};
use super::password::PasswordSource;
use super::wire::{self, Unreadable};
use crate::remote::http::{Reply, Transport, UnixSeconds, mask_service_text};
use rosterd_core::classin_plan::{CallAnswer, Contact, Registration, SchoolName, Token};
use rosterd_core::roster::{ClassId, ClassTarget, ClassinUid, CourseId};

/// The code for refused credentials.
const NO_PERMISSION: i64 = 102;
/// The code, or HTTP status, for maintenance.
const MAINTENANCE: i64 = 901;

/// One student of an add.
#[derive(Clone, PartialEq, Eq)]
pub struct AddItem {
    /// The account.
    pub uid: ClassinUid,
    /// Our name for the row, echoed in the answer.
    pub token: Token,
}

impl fmt::Debug for AddItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { uid: _, token } = self;
        f.debug_struct("AddItem").field("token", token).finish_non_exhaustive()
    }
}

/// The way to one school on ClassIn. Clones share everything.
///
/// It makes one attempt at each call and never repeats one. Calls for one course must follow one another;
/// two adds at once answer 464. Calls for different courses may overlap.
#[derive(Clone)]
pub struct ClassinClient {
    transport: Transport,
    school: Arc<School>,
    passwords: PasswordSource,
}

struct School {
    sid: String,
    secret: SecretString,
}

impl fmt::Debug for ClassinClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClassinClient").field("host", &self.transport.host()).finish_non_exhaustive()
    }
}

impl ClassinClient {
    /// A client for this school; nothing is sent yet.
    #[must_use]
    pub fn new(transport: Transport, sid: impl Into<String>, secret: SecretString) -> Self {
        let school = Arc::new(School { sid: sid.into(), secret });
        Self { transport, school, passwords: PasswordSource::system() }
    }

    /// The same client with first passwords from elsewhere.
    #[must_use]
    pub fn with_passwords(self, passwords: PasswordSource) -> Self {
        Self { passwords, ..self }
    }

    /// Adds students to a class, or to a whole course. Repeating the same call is safe: it answers 166 or
    /// 163.
    ///
    /// `items` must not be empty nor name an account twice; at most
    /// [`LARGEST_BATCH`](rosterd_core::classin_plan::LARGEST_BATCH) are advised. Judge the answer by
    /// [`Call::adding_to`](rosterd_core::classin_plan::Call::adding_to).
    ///
    /// # Errors
    /// [`ClassinError`] when there is no answer to judge; [`ClassinError::is_lost`] says whether the call
    /// may have taken effect.
    pub async fn add_to_class(
        &self,
        target: ClassTarget,
        items: &[AddItem],
    ) -> Result<CallAnswer, ClassinError> {
        let call = wire::ClassinCall::adding(target, items);
        let names = items.iter().flat_map(|item| [item.uid.to_string(), item.token.to_string()]);
        let (answer, _) = self.call(&call, &[], names.collect()).await?;
        Ok(answer)
    }

    /// Removes students from a class, or from a whole course. Repeating the same call is safe: it answers
    /// 167 or 162. Remove only whom we added: a course student would be taken out of this one class.
    ///
    /// `uids` must be neither empty nor repeated. Judge the answer by
    /// [`Call::removing_from`](rosterd_core::classin_plan::Call::removing_from).
    ///
    /// # Errors
    /// As [`ClassinClient::add_to_class`].
    pub async fn remove_from_class(
        &self,
        target: ClassTarget,
        uids: &[ClassinUid],
    ) -> Result<CallAnswer, ClassinError> {
        let call = wire::ClassinCall::removing(target, uids);
        let (answer, _) = self.call(&call, &[], uids.iter().map(ToString::to_string).collect()).await?;
        Ok(answer)
    }

    /// Asks for one account and that it be a student of the school; registers it, with a random password that
    /// nobody is told, where there is none yet. Repeating is safe: it answers 135 or 461, with the uid.
    ///
    /// Within [`SAME_PARAMETERS_MS`](rosterd_core::classin_plan::SAME_PARAMETERS_MS) of the last such call for this account it
    /// may answer 101003002, and beside another one 131. Judge the answer by
    /// [`judge_registrations`](rosterd_core::classin_plan::judge_registrations).
    ///
    /// # Errors
    /// As [`ClassinClient::add_to_class`]; [`ClassinError::NoRandomness`] when there is no password to be had, and
    /// nothing was sent.
    pub async fn register(&self, account: &Registration) -> Result<CallAnswer, ClassinError> {
        let call = wire::ClassinCall::registering(account, self.password_digest()?);
        self.ask_for_accounts(&call, std::slice::from_ref(account)).await
    }

    /// The same for 1 to [`LARGEST_REGISTRATION`](rosterd_core::classin_plan::LARGEST_REGISTRATION) accounts, each once.
    ///
    /// # Errors
    /// As [`ClassinClient::register`].
    pub async fn register_multiple(&self, accounts: &[Registration]) -> Result<CallAnswer, ClassinError> {
        let digests: Vec<String> =
            accounts.iter().map(|_| self.password_digest()).collect::<Result<_, _>>()?;
        let call = wire::ClassinCall::registering_several(accounts, &digests);
        self.ask_for_accounts(&call, accounts).await
    }

    /// Makes an account a student of the school under this name. Repeating is safe: it answers 133, and the name
    /// stays as it was.
    ///
    /// The rules of [`ClassinClient::register`] on time hold here too. Judge the answer by
    /// [`judge_school_student`](rosterd_core::classin_plan::judge_school_student).
    ///
    /// # Errors
    /// As [`ClassinClient::add_to_class`].
    pub async fn add_school_student(
        &self,
        contact: &Contact,
        name: &SchoolName,
    ) -> Result<CallAnswer, ClassinError> {
        let call = wire::ClassinCall::joining(contact, name);
        let sent = vec![contact.expose().to_owned(), name.expose().to_owned()];
        Ok(self.call(&call, &[], sent).await?.0)
    }

    /// Writes the name of a student of the school, as the school sees it. Repeating is safe. Judge the answer by
    /// [`judge_name`](rosterd_core::classin_plan::judge_name).
    ///
    /// # Errors
    /// As [`ClassinClient::add_to_class`].
    pub async fn edit_school_student(
        &self,
        uid: ClassinUid,
        name: &SchoolName,
    ) -> Result<CallAnswer, ClassinError> {
        let call = wire::ClassinCall::naming(uid, name);
        let sent = vec![uid.to_string(), name.expose().to_owned()];
        Ok(self.call(&call, &[], sent).await?.0)
    }

    fn password_digest(&self) -> Result<String, ClassinError> {
        self.passwords.next_digest().ok_or(ClassinError::NoRandomness)
    }

    async fn ask_for_accounts(
        &self,
        call: &wire::ClassinCall,
        accounts: &[Registration],
    ) -> Result<CallAnswer, ClassinError> {
        let values = |account: &Registration| {
            let name = account.name.as_ref().map(|name| name.expose().to_owned());
            [Some(account.contact.expose().to_owned()), name, Some(account.token.to_string())]
        };
        let sent: Vec<String> = accounts.iter().flat_map(values).flatten().collect();
        Ok(self.call(call, accounts, sent).await?.0)
    }

    /// Proves SID, secret, permission and clock with a removal that cannot hit anyone: uid 1 from class 1 of
    /// course 1. Any code but 102 and 901 is proof, as nothing else is looked at before the signature.
    ///
    /// # Errors
    /// [`ClassinError::NoPermission`] and [`ClassinError::Maintenance`] for those two;
    /// [`ClassinError::Malformed`] for an answer without a code; otherwise as
    /// [`ClassinClient::add_to_class`].
    pub async fn probe_secret(&self) -> Result<ClockReading, ClassinError> {
        let nowhere = ClassTarget { course: CourseId(1), class: Some(ClassId(1)) };
        let call = wire::ClassinCall::removing(nowhere, &[ClassinUid(1)]);
        let (answer, clock) = self.call(&call, &[], vec![]).await?;
        let items = answer.items.iter().flatten().filter_map(|item| item.code);
        for code in answer.top.into_iter().chain(items) {
            refused_by(code, clock)?;
        }
        match answer.top {
            Some(_) => Ok(clock),
            None => Err(ClassinError::Malformed { what: "it holds no code" }),
        }
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
        let reply = self.transport.send(call.action, make).await?;
        let clock = ClockReading { here: reply.sent_at, there: reply.date };
        let (mut answer, body) = read_reply(&reply)?;
        read_uids(call, accounts, &body, &mut answer);
        mask(&mut answer, sid, &sent_values);
        let says_nothing_else = answer.items.as_ref().is_none_or(Vec::is_empty);
        if let Some(code) = answer.top.filter(|_| says_nothing_else) {
            refused_by(code, clock)?;
        }
        Ok((answer, clock))
    }
}

/// The two codes that concern no student and every call.
fn refused_by(code: i64, clock: ClockReading) -> Result<(), ClassinError> {
    match code {
        NO_PERMISSION => Err(ClassinError::NoPermission { clock }),
        MAINTENANCE => Err(ClassinError::Maintenance { page: false }),
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
        901 => Err(ClassinError::Maintenance { page: false }),
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
