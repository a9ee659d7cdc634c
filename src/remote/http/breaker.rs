//! Leaves a service alone that fails call after call. The only circuit breaker: there is one for each service.
//!
//! A run that goes on calling a dead service helps nobody: every call waits for its deadline, and a service that
//! comes back is met by a crowd.

use std::sync::atomic::{AtomicU32, Ordering};

use super::error::{Interruption, TransportError};
use super::retry_limits::FAILED_CALLS_IN_A_ROW;

/// What a call does at the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    /// It may change something.
    Write,
    /// The same, for a part of a call over which the service failed.
    Part,
}

/// How a call ended, as far as it tells something about the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Health {
    Alive,
    /// It failed, or what came back is not from it.
    Failed,
    Untold,
}

impl Health {
    /// Of an answer with this status.
    pub(super) fn of_answer(status: u16, is_documented: bool) -> Self {
        match status {
            408 | 500..=599 => Self::Failed,
            // It lives, and wants fewer calls, which the pace sees to.
            429 => Self::Untold,
            _ if is_documented => Self::Alive,
            _ => Self::Failed,
        }
    }

    pub(super) fn of_error(error: &TransportError) -> Self {
        match error {
            TransportError::Unreachable { .. }
            | TransportError::Interrupted { why: Interruption::Timeout | Interruption::Cut, .. } => {
                Self::Failed
            }
            TransportError::Interrupted { why: Interruption::TooLarge, .. }
            | TransportError::Setup { .. }
            | TransportError::Stopped { .. } => Self::Untold,
        }
    }
}

/// The breaker of one transport. Calls that read and calls that write are counted apart.
#[derive(Default)]
pub(super) struct Breaker {
    reads: AtomicU32,
    writes: AtomicU32,
}

impl Breaker {
    /// How many calls in a row have failed, where that is too many for another one. Where only writes fail, it still
    /// can be looked up what became of them.
    pub(super) fn open(&self, access: Access) -> Option<u32> {
        let reads = self.reads.load(Ordering::Relaxed);
        let failures = match access {
            Access::Read => reads,
            Access::Write | Access::Part => reads.max(self.writes.load(Ordering::Relaxed)),
        };
        (failures >= FAILED_CALLS_IN_A_ROW).then_some(failures)
    }

    /// Takes in how a call ended. A write that is answered clears both counts, a read its own.
    pub(super) fn record(&self, access: Access, health: Health) {
        match (health, access) {
            (Health::Failed, Access::Read) => {
                self.reads.fetch_add(1, Ordering::Relaxed);
            }
            (Health::Failed, Access::Write | Access::Part) => {
                self.writes.fetch_add(1, Ordering::Relaxed);
            }
            (Health::Alive, Access::Read) => self.reads.store(0, Ordering::Relaxed),
            (Health::Alive, Access::Write | Access::Part) => self.reset(),
            (Health::Untold, _) => {}
        }
    }

    /// Starts anew.
    pub(super) fn reset(&self) {
        self.reads.store(0, Ordering::Relaxed);
        self.writes.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::super::error::Cause;
    use super::*;

    fn lost(why: Interruption) -> Health {
        Health::of_error(&TransportError::Interrupted {
            host: "exam.test".to_owned(),
            why,
            cause: Cause::new("x"),
        })
    }

    fn unreachable() -> Health {
        Health::of_error(&TransportError::Unreachable {
            host: "exam.test".to_owned(),
            cause: Cause::new("x"),
        })
    }

    fn answered(status: u16) -> Health {
        Health::of_answer(status, true)
    }

    const BOTH: [Access; 2] = [Access::Read, Access::Write];

    #[test]
    fn five_failures_in_a_row_of_whatever_kind_open_it() {
        for access in BOTH {
            let breaker = Breaker::default();
            let failures = [
                answered(500),
                lost(Interruption::Timeout),
                unreachable(),
                lost(Interruption::Cut),
                Health::of_answer(200, false),
            ];
            for failure in failures {
                assert_eq!(breaker.open(access), None);
                breaker.record(access, failure);
            }
            assert_eq!(breaker.open(access), Some(5));
            breaker.reset();
            assert_eq!(breaker.open(access), None);
        }
    }

    #[test]
    fn any_answer_of_a_living_service_closes_it() {
        for status in [200, 302, 400, 401, 404, 499, 600] {
            for access in BOTH {
                let breaker = Breaker::default();
                (0..5).for_each(|_| breaker.record(access, unreachable()));
                breaker.record(access, answered(status));
                assert_eq!(breaker.open(access), None, "{status}");
            }
        }
    }

    #[test]
    fn looking_up_does_not_show_that_writes_work() {
        let breaker = Breaker::default();
        for _ in 0..5 {
            breaker.record(Access::Write, answered(500));
            breaker.record(Access::Read, answered(200));
        }
        assert_eq!((breaker.open(Access::Write), breaker.open(Access::Read)), (Some(5), None));
    }

    #[test]
    fn a_service_that_cannot_be_read_is_not_written_to_either() {
        let breaker = Breaker::default();
        (0..5).for_each(|_| breaker.record(Access::Read, unreachable()));
        assert_eq!(BOTH.map(|access| breaker.open(access)), [Some(5); 2]);
        breaker.record(Access::Write, answered(200));
        assert_eq!(BOTH.map(|access| breaker.open(access)), [None; 2]);
    }

    #[test]
    fn what_is_our_own_doing_says_nothing_about_the_service() {
        let breaker = Breaker::default();
        let host = || "exam.test".to_owned();
        let record = |health| breaker.record(Access::Write, health);
        (0..4).for_each(|_| record(unreachable()));
        record(Health::of_error(&TransportError::Setup { host: host(), what: "x".to_owned() }));
        record(Health::of_error(&TransportError::Stopped { host: host(), failures: 5 }));
        record(lost(Interruption::TooLarge));
        record(answered(429));
        assert_eq!(breaker.open(Access::Write), None);
        record(unreachable());
        assert_eq!(breaker.open(Access::Write), Some(5));
    }
}
