//! The only place that reads the time.
//!
//! Pure code takes the time as an argument; the shell gets it here, so that tests can set it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;

/// The system's clock, or one that a test sets.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    shifted_by_ms: Arc<AtomicI64>,
}

impl Clock {
    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self::default()
    }

    /// Moves this clock (and every clone of it) forward, or back by a negative number of milliseconds.
    pub fn shift_ms(&self, by_ms: i64) {
        self.shifted_by_ms.fetch_add(by_ms, Ordering::Relaxed);
    }

    /// Now, in milliseconds since 1970 UTC.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        let shift = self.shifted_by_ms.load(Ordering::Relaxed);
        system_now().as_millisecond().saturating_add(shift)
    }

    /// Now, to the millisecond.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.now_ms()).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the place the rule sends everybody else to")]
fn system_now() -> Timestamp {
    Timestamp::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shifted_clock_moves_with_all_its_clones() {
        let clock = Clock::system();
        let clone = clock.clone();
        let before = clone.now_ms();
        clock.shift_ms(3_600_000);
        assert!(clone.now_ms() - before >= 3_600_000);
    }
}
