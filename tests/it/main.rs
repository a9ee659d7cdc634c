//! What the program promises, one module a promise: all that needs no process of its own, in one binary.
//!
//! Beside it stand what kills the program (`kills`), what is driven for as long as somebody likes (`engine_model`,
//! `fuzzing`), and the tests of the core, the imports and the sandbox, each with its crate.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "clippy.toml relaxes these in test functions only; a helper that cannot go on fails, and says where"
)]

mod architecture;
mod backup;
mod bundle;
mod call_floor;
mod check;
mod classin;
mod classin_contract;
mod cli;
mod created_groups;
mod daemon_signals;
mod damaged_states;
mod decision_table;
mod deploy;
mod exam_contract;
mod explain;
mod export;
mod failures;
mod fields;
mod files_of_our_own;
mod first_steps;
mod health;
mod hostile_folders;
mod http_access;
mod import;
mod kit;
mod messages;
mod migrations;
mod monitoring;
mod mounted_states;
mod notify;
mod plans;
mod privacy;
mod program;
mod relink;
mod results;
mod retention;
mod rights_to_the_state;
mod roster_reading;
mod rosters_of_others;
mod runs;
mod schemas;
mod service_accounts;
mod settings;
mod situations;
mod stale_logs;
mod state_file;
mod term;
