//! A school that does not exist, to try rosterd with. Nothing here is used by a run.

pub mod generator;
mod rehearsal;

pub use rehearsal::{Demo, Provisioned, provision};
