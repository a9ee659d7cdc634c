//! Which calls wait for one another, and what was refused and waits for a word from another batch.

use rosterd_core::outcome::{Outcome, Unsent};
use tokio::sync::Mutex;

use super::write_call::WriteCall;

/// Whose turn it is while a batch is to show something to those that come after it.
#[derive(Default)]
pub(super) struct ExamTurns {
    add: Mutex<()>,
    change: Mutex<()>,
    group: Mutex<()>,
    delete: Mutex<()>,
    /// Finding out whether a change keeps what it does not name.
    pub(super) first_change: Mutex<()>,
}

impl ExamTurns {
    pub(super) fn of(&self, call: &WriteCall) -> &Mutex<()> {
        match call {
            WriteCall::Add { .. } => &self.add,
            WriteCall::Change(_) => &self.change,
            WriteCall::Group { .. } => &self.group,
            WriteCall::Delete(_) => &self.delete,
        }
    }
}

/// Whether an item was part of a refused call that was not halved.
pub(super) fn is_undivided<G>(outcome: &Outcome<G>) -> bool {
    matches!(outcome, Outcome::Failed(cause) if cause.next.is_none())
}

/// The same for a later sending, where something is made of it yet.
pub(super) fn left_for_later<G>(outcome: Outcome<G>) -> Outcome<G> {
    if is_undivided(&outcome) { Outcome::Unsent(Unsent::LeftForLater) } else { outcome }
}
