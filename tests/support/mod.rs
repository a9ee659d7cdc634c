//! Whole runs in a folder of their own: a roster database, our own database, and the sandbox as the exam side.
//!
//! [`World`] runs and looks; [`student`] and [`Person`] build. No rule is asserted here, but every run's figures
//! are checked to add up: whatever the rule of a test, a run that loses an operation is wrong.

#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "each test file uses its own part of these helpers; clippy.toml relaxes the rest in test functions only"
)]

mod person;
mod report;
mod roster;
mod world;

pub use person::{GENDER, LOGIN, NAME, PASSWORD, PHONE, Person, student};
pub use report::Figures;
pub use world::{DAY, HOUR, MINUTE, World};

/// `n` students in `g1`, with ids and login values `s000`, `s001`, …
pub fn students(n: usize) -> Vec<Person> {
    (0..n).map(|number| student(&format!("s{number:03}"))).collect()
}
