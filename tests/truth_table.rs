//! The truth table of the planner, one test a row, and the rules of the specification around it.

#[path = "support/plan.rs"]
mod support;

#[path = "plan/groups.rs"]
mod groups;
#[path = "plan/leavers.rs"]
mod leavers;
#[path = "plan/listing.rs"]
mod listing;
#[path = "plan/needs.rs"]
mod needs;
#[path = "plan/renames.rs"]
mod renames;
#[path = "plan/rows.rs"]
mod rows;
#[path = "plan/stale.rs"]
mod stale;
#[path = "plan/values.rs"]
mod values;
#[path = "plan/words.rs"]
mod words;
