//! What ends a run in the midst of a call: one of our own databases cannot be used.

use crate::store::{RosterError, StoreError};

/// One of our own databases cannot be used. What cannot be written down is not sent.
#[derive(Debug, thiserror::Error)]
pub(in crate::run) enum Broken {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Roster(#[from] RosterError),
}
