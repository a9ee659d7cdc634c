//! Tells people when something is the matter: web hooks, mail, and a ping that stops when we do.
//!
//! What there is to tell is the core's [`Situation`](rosterd_core::situation::Situation); when it was told, and what is
//! still to be delivered, stands in the state database. Nothing here holds up a run or ends it otherwise.

mod deliver;
mod hook;
mod mail;
mod watch;

pub use deliver::{Delivery, Target, deliver};
pub use watch::{Notifying, Watching, tell_ping, undelivered_attention};
