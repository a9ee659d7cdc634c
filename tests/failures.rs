//! The catalogue of what can go wrong on the exam side, and of everything its contract leaves open.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::wildcard_enum_match_arm,
    clippy::match_wildcard_for_single_variants,
    reason = "helpers outside test functions fail as tests do; the number of cases is printed with --nocapture"
)]

mod support;

#[path = "failures/answers.rs"]
mod answers;
#[path = "failures/crashes.rs"]
mod crashes;
#[path = "failures/indices.rs"]
mod indices;
#[path = "failures/ledger.rs"]
mod ledger;
#[path = "failures/listings.rs"]
mod listings;
#[path = "failures/lost.rs"]
mod lost;
#[path = "failures/pages.rs"]
mod pages;
#[path = "failures/rosters.rs"]
mod rosters;
#[path = "failures/services.rs"]
mod services;
#[path = "failures/stops.rs"]
mod stops;
#[path = "failures/unknowns.rs"]
mod unknowns;
