//! Whole runs against the sandbox: what becomes of students, leavers and candidates that are not ours.

mod asked_before;
mod changed_gids;
mod changed_hands;
mod decided;
mod first_syncs;
mod found;
mod gone;
mod groups;
mod guard;
mod held_masses;
mod holds;
mod ids_as_logins;
mod kept;
mod leavers;
mod logins;
mod lost_deletes;
mod named_holds;
mod ordinary_terms;
mod owned_gids;
mod renumbered;
mod rows;
mod same_person;
mod standing_answers;
mod steps;
mod theirs;
mod values;
