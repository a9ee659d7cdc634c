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

mod builder;
pub mod chance;
mod checked_run;
mod exam_school;
mod figures;
pub mod fuzz_targets;
mod leftovers;
mod person;
mod program;
mod roster;
mod school;

pub use builder::SchoolBuilder;
pub use exam_school::ExamSchool;
pub use figures::{Figures, approval};
pub use person::{GENDER, LOGIN, NAME, PASSWORD, PHONE, Person, student};
pub use program::{Ended, Running, bare, ended, eventually, jsonl};
pub use school::{ClassIds, School};

pub const MINUTE: i64 = 60 * 1000;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;

/// Where nobody listens: the port of a listener that is gone again.
pub fn nobodys_address() -> String {
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    format!("http://{address}")
}

/// `n` students in `g1`, with ids and login values `s000`, `s001`, …
pub fn students(n: usize) -> Vec<Person> {
    (0..n).map(|number| student(&format!("s{number:03}"))).collect()
}
