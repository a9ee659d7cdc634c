//! rosterd keeps two online services in step with a school's own roster.

pub mod cli;
pub mod clock;
pub mod exit;
pub mod mirror;
pub mod plan;
pub mod roster;
pub mod settings;
pub mod telemetry;
