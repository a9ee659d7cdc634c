//! The delivery engine, one for both services: batches into calls, intent before a call, the call, a judgement of every
//! item, a look at what the answer does not prove, parts of what was refused as a whole, one record, one outcome.
//!
//! It does not know what is sent. A service supplies its calls, its judge and its way of reading back or mending
//! ([`CallService`]), and its batches and bookkeeping ([`Applier`]).

mod applier;
mod apply;
mod broken;
mod deliver;
mod record;
mod service;
mod state;
mod stop;
#[cfg(test)]
mod tests;

pub(super) use applier::{Applier, Lanes, Place, Subject};
pub(super) use apply::{carry_out, send_call};
pub(super) use broken::Broken;
pub(super) use deliver::{Delivered, deliver};
pub(super) use record::failure;
pub(super) use service::{Attempt, CallService, Items, Judged, Judgement, Part, ReadBack, Repaired, Trouble};
pub(super) use state::ApplyState;
pub(super) use stop::ServiceStop;
