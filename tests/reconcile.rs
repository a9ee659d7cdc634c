//! Whole runs against the sandbox: what becomes of students, leavers and candidates that are not ours.

mod support;

#[path = "reconcile/found.rs"]
mod found;
#[path = "reconcile/groups.rs"]
mod groups;
#[path = "reconcile/guard.rs"]
mod guard;
#[path = "reconcile/leavers.rs"]
mod leavers;
#[path = "reconcile/logins.rs"]
mod logins;
#[path = "reconcile/rows.rs"]
mod rows;
#[path = "reconcile/steps.rs"]
mod steps;
#[path = "reconcile/theirs.rs"]
mod theirs;
#[path = "reconcile/values.rs"]
mod values;
