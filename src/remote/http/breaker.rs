//! Leaves a service alone that fails call after call.
//!
//! A run that goes on calling a dead service helps nobody: every call waits for its deadline, and a service that
//! comes back is met by a crowd. One answer of any kind shows that it is alive again.

use std::sync::atomic::{AtomicU32, Ordering};

use super::error::{Interruption, TransportError};
use super::message::Reply;

/// After so many calls in a row that the service itself failed, no further one is made until the next run. A
/// read counts once, after its own attempts; so a service that hesitates for a second is not given up.
const MOST_FAILURES_IN_A_ROW: u32 = 5;

/// The breaker of one transport.
#[derive(Default)]
pub(super) struct Breaker(AtomicU32);

impl Breaker {
    /// How many calls in a row have failed, where that is too many for another one.
    pub(super) fn open(&self) -> Option<u32> {
        let failures = self.0.load(Ordering::Relaxed);
        (failures >= MOST_FAILURES_IN_A_ROW).then_some(failures)
    }

    /// Takes in how a call ended.
    pub(super) fn record(&self, result: &Result<Reply, TransportError>) {
        match is_failure(result) {
            Some(true) => {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
            Some(false) => self.reset(),
            None => {}
        }
    }

    /// Starts anew.
    pub(super) fn reset(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

/// Whether the service itself failed; `None` for what says nothing about it.
fn is_failure(result: &Result<Reply, TransportError>) -> Option<bool> {
    match result {
        Ok(reply) => Some(matches!(reply.status, 408 | 500..=599)),
        Err(TransportError::Unreachable { .. }) => Some(true),
        Err(TransportError::Interrupted { why, .. }) => match why {
            Interruption::Timeout | Interruption::Cut => Some(true),
            Interruption::TooLarge => None,
        },
        Err(TransportError::Setup { .. } | TransportError::Stopped { .. }) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::error::Cause;
    use super::super::message::UnixSeconds;
    use super::*;

    fn answered(status: u16) -> Result<Reply, TransportError> {
        Ok(Reply { status, body: vec![], retry_after: None, date: None, sent_at: UnixSeconds(0) })
    }

    fn lost(why: Interruption) -> Result<Reply, TransportError> {
        Err(TransportError::Interrupted { host: "exam.test".to_owned(), why, cause: Cause::new("x") })
    }

    fn unreachable() -> Result<Reply, TransportError> {
        Err(TransportError::Unreachable { host: "exam.test".to_owned(), cause: Cause::new("x") })
    }

    #[test]
    fn five_failures_in_a_row_of_whatever_kind_open_it() {
        let breaker = Breaker::default();
        let failures = [
            answered(500),
            lost(Interruption::Timeout),
            unreachable(),
            lost(Interruption::Cut),
            answered(599),
        ];
        for failure in &failures {
            assert_eq!(breaker.open(), None);
            breaker.record(failure);
        }
        assert_eq!(breaker.open(), Some(5));
        breaker.reset();
        assert_eq!(breaker.open(), None);
    }

    #[test]
    fn any_answer_of_a_living_service_closes_it() {
        for status in [200, 302, 400, 401, 404, 429, 499, 600] {
            let breaker = Breaker::default();
            (0..5).for_each(|_| breaker.record(&unreachable()));
            breaker.record(&answered(status));
            assert_eq!(breaker.open(), None, "{status}");
        }
    }

    #[test]
    fn what_is_our_own_doing_says_nothing_about_the_service() {
        let breaker = Breaker::default();
        let host = || "exam.test".to_owned();
        (0..4).for_each(|_| breaker.record(&unreachable()));
        breaker.record(&Err(TransportError::Setup { host: host(), what: "x".to_owned() }));
        breaker.record(&Err(TransportError::Stopped { host: host(), failures: 5 }));
        breaker.record(&lost(Interruption::TooLarge));
        assert_eq!(breaker.open(), None);
        breaker.record(&unreachable());
        assert_eq!(breaker.open(), Some(5));
    }
}
