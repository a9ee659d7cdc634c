//! Exam results: what a pull mirrors whatever happens to it, whose they are, and how they are shown.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

mod cli_support;

#[path = "results/bench.rs"]
mod bench;
#[path = "results/commands.rs"]
mod commands;
#[path = "results/doubts.rs"]
mod doubts;
#[path = "results/kills.rs"]
mod kills;
#[path = "results/pulls.rs"]
mod pulls;
