//! Whole runs against the sandbox: what becomes of students, leavers and candidates that are not ours.

mod found;
mod groups;
mod guard;
mod leavers;
mod logins;
mod rows;
mod steps;
mod theirs;
mod values;
