//! The calls that change something. Each is one attempt, and none is repeated here.

use std::fmt;
use std::sync::Arc;

use super::ClassinConnection;
use crate::remote::classin::password::PasswordSource;
use crate::remote::classin::{AddItem, ClassinError, wire};
use rosterd_core::classin_plan::{CallAnswer, Contact, Registration, SchoolName};
use rosterd_core::roster::{ClassTarget, ClassinUid};

/// Changes one school on ClassIn; only what applies a plan holds one. Clones share everything.
///
/// Calls for one course must follow one another; two adds at once are refused. Calls for different courses may
/// overlap.
#[derive(Clone)]
pub struct ClassinWriter {
    connection: ClassinConnection,
    passwords: PasswordSource,
}

impl fmt::Debug for ClassinWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClassinWriter").field("connection", &self.connection).finish_non_exhaustive()
    }
}

impl ClassinWriter {
    /// A writer over this connection; nothing is sent yet.
    #[must_use]
    pub fn new(connection: ClassinConnection) -> Self {
        Self { connection, passwords: PasswordSource::system() }
    }

    /// The same writer with first passwords from elsewhere.
    #[must_use]
    pub fn with_passwords(self, passwords: PasswordSource) -> Self {
        Self { passwords, ..self }
    }

    /// The same writer for parts of a call that met a 5xx: see [`Transport::for_parts`](crate::remote::http::Transport::for_parts).
    #[must_use]
    pub fn for_parts(&self) -> Self {
        let ClassinConnection { transport, school } = &self.connection;
        let connection = ClassinConnection { transport: transport.for_parts(), school: Arc::clone(school) };
        Self { connection, passwords: self.passwords.clone() }
    }

    /// Adds students to a class, or to a whole course. Repeating the same call is safe: it answers that
    /// they are there already.
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
        let (answer, _) = self.connection.call(&call, &[], names.collect()).await?;
        Ok(answer)
    }

    /// Removes students from a class, or from a whole course. Repeating the same call is safe: it answers
    /// that they are out already. Remove only whom we added: a course student would be taken out of this one class.
    ///
    /// `uids` must be neither empty nor repeated. Judge the answer by
    /// [`Call::removing_from`](rosterd_core::classin_plan::Call::removing_from).
    ///
    /// # Errors
    /// As [`ClassinWriter::add_to_class`].
    pub async fn remove_from_class(
        &self,
        target: ClassTarget,
        uids: &[ClassinUid],
    ) -> Result<CallAnswer, ClassinError> {
        let call = wire::ClassinCall::removing(target, uids);
        let (answer, _) =
            self.connection.call(&call, &[], uids.iter().map(ToString::to_string).collect()).await?;
        Ok(answer)
    }

    /// Asks for one account and that it be a student of the school; registers it, with a random password that
    /// nobody is told, where there is none yet. Repeating is safe: it answers the uid of the account that is there.
    ///
    /// Within [`SAME_PARAMETERS_MS`](rosterd_core::classin_plan::SAME_PARAMETERS_MS) of the last such call for this account it
    /// may be refused as a double, and beside another one as well. Judge the answer by
    /// [`judge_registrations`](rosterd_core::classin_plan::judge_registrations).
    ///
    /// # Errors
    /// As [`ClassinWriter::add_to_class`]; [`ClassinError::NoRandomness`] when there is no password to be had, and
    /// nothing was sent.
    pub async fn register(&self, account: &Registration) -> Result<CallAnswer, ClassinError> {
        let call = wire::ClassinCall::registering(account, self.password_digest()?);
        self.ask_for_accounts(&call, std::slice::from_ref(account)).await
    }

    /// The same for 1 to [`LARGEST_REGISTRATION`](rosterd_core::classin_plan::LARGEST_REGISTRATION) accounts, each once.
    ///
    /// # Errors
    /// As [`ClassinWriter::register`].
    pub async fn register_multiple(&self, accounts: &[Registration]) -> Result<CallAnswer, ClassinError> {
        let digests: Vec<String> =
            accounts.iter().map(|_| self.password_digest()).collect::<Result<_, _>>()?;
        let call = wire::ClassinCall::registering_several(accounts, &digests);
        self.ask_for_accounts(&call, accounts).await
    }

    /// Makes an account a student of the school under this name. Repeating is safe, and the name
    /// stays as it was.
    ///
    /// The rules of [`ClassinWriter::register`] on time hold here too. Judge the answer by
    /// [`judge_school_student`](rosterd_core::classin_plan::judge_school_student).
    ///
    /// # Errors
    /// As [`ClassinWriter::add_to_class`].
    pub async fn add_school_student(
        &self,
        contact: &Contact,
        name: &SchoolName,
    ) -> Result<CallAnswer, ClassinError> {
        let call = wire::ClassinCall::joining(contact, name);
        let sent = vec![contact.expose().to_owned(), name.expose().to_owned()];
        Ok(self.connection.call(&call, &[], sent).await?.0)
    }

    /// Writes the name of a student of the school, as the school sees it. Repeating is safe. Judge the answer by
    /// [`judge_name`](rosterd_core::classin_plan::judge_name).
    ///
    /// # Errors
    /// As [`ClassinWriter::add_to_class`].
    pub async fn edit_school_student(
        &self,
        uid: ClassinUid,
        name: &SchoolName,
    ) -> Result<CallAnswer, ClassinError> {
        let call = wire::ClassinCall::naming(uid, name);
        let sent = vec![uid.to_string(), name.expose().to_owned()];
        Ok(self.connection.call(&call, &[], sent).await?.0)
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
        Ok(self.connection.call(call, accounts, sent).await?.0)
    }
}
