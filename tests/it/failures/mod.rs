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

mod answers;
mod attention;
mod clock_differences;
mod clocks;
mod crashes;
mod indices;
mod lagging;
mod ledger;
mod listings;
mod lost;
mod outages;
mod pages;
mod refusing;
mod rosters;
mod services;
mod standing;
mod stops;
mod strangers;
mod swapped;
mod unknowns;
mod untold;
mod wrong_gids;
