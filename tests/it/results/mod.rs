//! Exam results: what a pull mirrors whatever happens to it, whose they are, and how they are shown.

mod bench;
mod commands;
mod doubts;
mod kills;
mod pulls;
mod twins;
