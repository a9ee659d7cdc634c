//! What the core decides, tested as a whole: rows, limits and properties of the planners.

mod audit;
mod batching;
mod classin;
mod guard;
mod outcomes;
mod planner_properties;
mod support;
mod truth_table;
