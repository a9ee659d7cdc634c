//! How both services are called: pacing, deadlines, size limits, retries of reads, counters and redaction.
//!
//! It knows nothing of what is asked or answered; that is the business of `exam` and `classin`. Nothing outside
//! this folder touches `reqwest`, whose errors print the URL and with it the secret.

mod breaker;
mod counters;
mod error;
mod escapes;
mod mask;
mod message;
mod moment;
mod pace;
mod retry;
pub(crate) mod retry_limits;
mod transport;
mod wishes;

use std::sync::Once;

pub use counters::Calls;
pub use error::TransportError;
#[cfg(test)]
pub(crate) use error::{Cause, Interruption};
pub use mask::mask_service_text;
pub use message::{Method, Parsed, Reply, Request, UnixSeconds};
pub use retry::RetryPacing;
pub use transport::Transport;

/// Installs the process's TLS provider; harmless when called again, or when another one is there already.
///
/// Without a provider `reqwest` panics while building a client, so [`Transport::new`] calls this too.
pub fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error means that the process has a provider already, which is all that is wanted.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

#[cfg(test)]
mod tests;
