//! How long one run waits altogether because a service asks for it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The waits of one run that a service asked for. Calls that wait side by side wait once.
#[derive(Debug, Default)]
pub(super) struct Wishes(Mutex<Waited>);

#[derive(Clone, Copy, Debug, Default)]
struct Waited {
    /// Until when the latest of them lasts.
    until: Option<Instant>,
    total: Duration,
}

impl Wishes {
    /// A new run has waited for nothing yet.
    pub(super) fn reset(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Waited::default();
    }

    /// Whether this wait is within what a run waits for altogether; then it counts.
    pub(super) fn grant(&self, asked: Duration, longest: Duration) -> bool {
        let mut waited = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let Some(until) = now.checked_add(asked) else { return false };
        let from = waited.until.map_or(now, |before| before.max(now));
        let more = until.saturating_duration_since(from);
        let total = waited.total.saturating_add(more);
        if total > longest {
            return false;
        }
        *waited = Waited { until: Some(from.max(until)), total };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn a_run_waits_a_minute_for_a_service_and_no_more() {
        let wishes = Wishes::default();
        assert!(wishes.grant(SECOND * 40, SECOND * 60));
        tokio::time::advance(SECOND * 40).await;
        assert!(!wishes.grant(SECOND * 30, SECOND * 60), "that would be more than a minute");
        assert!(wishes.grant(SECOND * 20, SECOND * 60));
        tokio::time::advance(SECOND * 20).await;
        assert!(!wishes.grant(SECOND, SECOND * 60));
        wishes.reset();
        assert!(wishes.grant(SECOND * 60, SECOND * 60));
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_wait_side_by_side_wait_once() {
        let wishes = Wishes::default();
        for _ in 0..8 {
            assert!(wishes.grant(SECOND * 50, SECOND * 60));
        }
        assert!(wishes.grant(SECOND * 60, SECOND * 60), "ten seconds more than the others");
        assert!(!wishes.grant(SECOND * 61, SECOND * 60));
    }
}
