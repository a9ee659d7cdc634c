//! The truth table of the planner, one test a row, and the rules of the specification around it.

mod changed_hands;
mod decided;
mod groups;
mod leavers;
mod listing;
mod needs;
mod open_adds;
mod renames;
mod rows;
mod same_person;
mod stale;
mod standing;
mod values;
mod words;
