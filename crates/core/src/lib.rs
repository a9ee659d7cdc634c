//! What rosterd decides: pure functions over plain values.
//!
//! In reading order: [`roster`] has the words, [`exam_plan`] decides for the exam side, [`classin_plan`] for
//! ClassIn, [`failure`] says what becomes of what failed, [`situation`] what is the matter in all. Nothing here waits, reads, writes, logs or asks what time it is; time, keys, chance and policy are
//! arguments. The manifest keeps it so: no async runtime, no database, no network, no configuration, no log.

pub mod account;
pub mod classin_plan;
pub mod counted;
pub mod exam_plan;
pub mod failure;
pub mod least_calls;
pub mod outcome;
pub mod relink;
pub mod roster;
pub mod situation;
