//! rosterd keeps two online services in step with a school's own roster.

pub mod classin;
pub mod cli;
pub mod clock;
pub mod daemon;
pub mod exam;
pub mod exit;
pub mod http;
pub mod import;
pub mod mirror;
pub mod plan;
pub mod roster;
pub mod sandbox;
pub mod settings;
pub mod store;
pub mod telemetry;
pub mod web;
