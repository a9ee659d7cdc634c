//! The simulators over real HTTP: what the two contracts document, every switch's and fault's effect, kept state.
//!
//! The little client here is written for these tests alone; the crate's own clients are tested elsewhere.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "clippy.toml relaxes these in test functions only, not in the helpers beside them"
)]
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "these tests are a client of their own: they sign with the real time and print no real secret"
)]

#[path = "sandbox/client.rs"]
mod client;

#[path = "sandbox/classin_accounts.rs"]
mod classin_accounts;
#[path = "sandbox/classin_console.rs"]
mod classin_console;
#[path = "sandbox/classin_members.rs"]
mod classin_members;
#[path = "sandbox/exam_golden.rs"]
mod exam_golden;
#[path = "sandbox/exam_reads.rs"]
mod exam_reads;
#[path = "sandbox/exam_writes.rs"]
mod exam_writes;
#[path = "sandbox/faults.rs"]
mod faults;
#[path = "sandbox/people.rs"]
mod people;
