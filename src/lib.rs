//! rosterd keeps two online services in step with a school's own roster.

pub mod clock;
pub mod roster;
