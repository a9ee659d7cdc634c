//! The journal of calls to the simulators and their outcomes. Served and saved parts hold no names, phones or
//! passwords.

use serde::{Deserialize, Serialize};

/// One call that reached one of the services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalEntry {
    /// Counts from 1 over both services and is never reused.
    pub number: u64,
    /// When the call was handled: milliseconds since 1970, UTC.
    pub at_ms: i64,
    /// `exam` or `classin`.
    pub service: String,
    /// The endpoint or action, such as `addStudents`; `?` where the call named none that exists.
    pub endpoint: String,
    /// Items in the batch, or rows asked for.
    pub items: usize,
    /// The start of a page; `None` for calls without pages.
    pub start: Option<i64>,
    /// `ok`, `refused`, `unauthorized`, a code of ClassIn, an HTTP status, or the name of what was done to the
    /// answer (`lost`, `dropped`, `reset`, `cut`, ...).
    pub answered: String,
    /// Items that changed the state, or rows answered.
    pub applied: usize,
    /// On the exam side, the candidates that the call names: `sid 17`, or `login` and the login value. Only
    /// for the owner of the sandbox in the same process: it is neither served nor saved.
    #[serde(skip)]
    pub named: Vec<String>,
    /// On the exam side, the candidates whose sids the answer tells, as far as it reached the caller. As secret as
    /// `named`.
    #[serde(skip)]
    pub shown: Vec<ShownCandidate>,
}

/// A candidate in an answer that tells its sid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownCandidate {
    /// The sid.
    pub sid: i64,
    /// The login value, where the answer tells it in clear.
    pub login_value: Option<String>,
}
