//! A school that does not exist, to try rosterd with. Nothing here is used by a run.

pub mod generator;

#[cfg(feature = "sandbox")]
mod rehearsal;
#[cfg(feature = "sandbox")]
pub use rehearsal::{Demo, provision};

#[cfg(not(feature = "sandbox"))]
mod absent;
#[cfg(not(feature = "sandbox"))]
pub use absent::Demo;
