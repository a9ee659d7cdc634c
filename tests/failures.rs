//! The catalogue of what can go wrong on the exam side, and of everything its contract leaves open.

mod support;

#[path = "failures/answers.rs"]
mod answers;
#[path = "failures/crashes.rs"]
mod crashes;
#[path = "failures/ledger.rs"]
mod ledger;
#[path = "failures/listings.rs"]
mod listings;
#[path = "failures/stops.rs"]
mod stops;
#[path = "failures/unknowns.rs"]
mod unknowns;
