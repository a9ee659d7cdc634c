//! rosterd keeps two online services in step with a school's own roster.
//!
//! In reading order: the crate `rosterd-core` has the words and decides, [`run`] does what it decided with the
//! help of [`remote`] and [`store`]. `ARCHITECTURE.md` has the map.

#![expect(
    missing_docs,
    reason = "an application: what is public here serves its own program, tests and benches"
)]

pub mod remote;
pub mod store;

pub mod run;

pub mod app;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod daemon;
pub mod exit;
pub mod settings;
pub mod telemetry;
pub mod web;

pub mod demo;
