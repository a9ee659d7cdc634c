//! ClassIn as it is known: its calls for class and course membership, and how its answers are read.
//!
//! This folder does not know why somebody is added or removed, and it does not judge an answer: that is
//! [`mirror`](crate::mirror). Contract: `contract/classin.md`, sections 3 to 5, which
//! follow the vendor's documentation of 2026-01-06 (revision 6.0.5).
//!
//! What it offers: adding to and removing from one class or one whole course, and proving the secret. There
//! is no call that reads anything. At most 30 students a call are advised; nobody says what more would do.
//!
//! The caller's duties: one call at a time for one course (two adds at once answer 464), no uid twice in a
//! call, never an empty call.

mod client;
mod error;
mod signature;
mod wire;

pub use client::{AddItem, ClassinClient};
pub use error::{ClassinError, ClockReading, Disposition, StopCause};
