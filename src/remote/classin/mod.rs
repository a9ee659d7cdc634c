//! ClassIn as it is known: its calls for accounts and memberships, and how its answers are read.
//!
//! This folder does not know why somebody is added or removed, and it does not judge an answer: that is
//! [`mirror`](rosterd_core::classin_plan). Contract: docs/contracts/classin.md, 3 to 5, which
//! follow the vendor's documentation of 2026-01-06 (revision 6.0.5).
//!
//! What it offers: adding to and removing from one class or one whole course, asking for accounts, joining them to
//! the school, writing their names, and proving the secret. There is no call that reads anything. At most 30
//! students a call are advised; nobody says what more would do. More than 10 accounts a call are refused.
//!
//! The caller's duties: one call at a time for one course and for one account (two at once are refused),
//! no uid or account twice in a call, never an empty call.

mod client;
mod error;
#[doc(hidden)]
pub mod fuzzing;
mod password;
mod signature;
mod wire;

pub use client::{ClassinConnection, ClassinProbe, ClassinWriter};
pub use error::{ClassinDisposition, ClassinError, ClockReading, StopCause};
pub use password::PasswordSource;

use std::fmt;

use rosterd_core::classin_plan::Token;
use rosterd_core::roster::ClassinUid;

/// One student of an add.
#[derive(Clone, PartialEq, Eq)]
pub struct AddItem {
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
