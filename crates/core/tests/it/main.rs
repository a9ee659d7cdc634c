//! What the core decides, tested as a whole: rows, limits and properties of the planners.

mod audit;
mod batching;
mod circles_of_waits;
mod classin;
mod first_contact;
mod group_creation;
mod guard;
mod held_before;
mod missing;
mod other_courses;
mod outcomes;
mod planner_properties;
mod renumbered;
mod situation;
mod standing;
mod support;
mod truth_table;
