//! Failed operations: their keys and codes, their owners, and the time of the next attempt.
//!
//! The planner, the delivery of calls and the store share these rules. Nothing is read or written here: the moment,
//! the jitter and what is stored come in as arguments.

mod code;
mod key;
mod open;
mod owner;
mod recorded;
mod retry;

pub use code::FailureCode;
pub use key::{ClassinKind, OperationKey, RecordedKind, Service};
pub use open::{FailureState, OpenFailure};
pub use owner::FailureOwner;
pub use recorded::{ContactPart, RecordedHash};
pub use retry::{Attempts, EarlierAttempts, Fault, HOUR_MS, NextAttempt, Retry, RetryPolicy};
