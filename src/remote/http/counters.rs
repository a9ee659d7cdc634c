//! How many calls were made, by endpoint and outcome.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Attempts by (endpoint, outcome); an outcome is the HTTP status as text, or a word of
/// [`TransportError::outcome`](super::TransportError::outcome).
pub type Calls = BTreeMap<(&'static str, String), u64>;

/// The counters of one transport.
#[derive(Default)]
pub(super) struct Counters(Mutex<Calls>);

impl Counters {
    /// Counts one attempt.
    pub(super) fn count(&self, endpoint: &'static str, outcome: String) {
        *self.lock().entry((endpoint, outcome)).or_default() += 1;
    }

    /// What was counted so far.
    pub(super) fn read(&self) -> Calls {
        self.lock().clone()
    }

    /// What was counted so far; counting starts again at zero.
    pub(super) fn take(&self) -> Calls {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Calls> {
        // A map of counters is whole after every step, so a panic elsewhere does not spoil it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taking_the_counters_starts_them_again_at_zero() {
        let counters = Counters::default();
        counters.count("getFields", "200".to_owned());
        counters.count("getFields", "200".to_owned());
        assert_eq!(counters.take(), Calls::from([(("getFields", "200".to_owned()), 2)]));
        assert!(counters.read().is_empty());
    }
}
