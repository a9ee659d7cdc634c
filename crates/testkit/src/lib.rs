//! One school for every test that needs one: a roster database, our own database, and the sandbox in the place of
//! both services; besides, the program itself, chance, and what is fuzzed.
//!
//! No rule is asserted here, but the figures of every run are checked to add up: whatever the rule of a test, a run
//! that loses an operation is wrong.

#![expect(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "only tests use this: what cannot go on fails and says where, and names say what a builder does"
)]

pub mod chance;
mod figures;
pub mod fuzz_targets;
mod person;
mod program;
mod roster;
mod school;
mod world;

pub use figures::Figures;
pub use person::{GENDER, LOGIN, NAME, PASSWORD, PHONE, Person, student};
pub use program::{Ended, Running, bare, ended, eventually, jsonl};
pub use school::{ClassIds, School};
pub use world::World;

pub const MINUTE: i64 = 60 * 1000;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;

/// `n` students in `g1`, with ids and login values `s000`, `s001`, …
pub fn students(n: usize) -> Vec<Person> {
    (0..n).map(|number| student(&format!("s{number:03}"))).collect()
}
