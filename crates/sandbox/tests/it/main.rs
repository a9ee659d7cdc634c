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

mod client;

mod classin_accounts;
mod classin_console;
mod classin_members;
mod classin_owners;
mod exam_golden;
mod exam_reads;
mod exam_writes;
mod faults;
mod people;
mod troubles;
