//! When a failed operation is tried again, and when it becomes a dead letter.

use std::time::Duration;

use super::{FailureState, RecordedHash};
use crate::classin_plan::ItemVerdict;

/// Room in a class is asked for again after an hour at the latest.
pub const HOUR_MS: i64 = 60 * 60 * 1000;

/// The pacing of retries.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// Attempts before a failure becomes a dead letter.
    pub max_attempts: u32,
    /// Delay after the first failed attempt.
    pub first_delay: Duration,
    /// The delays double up to this.
    pub max_delay: Duration,
}

/// The next step for a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Tried again from this moment on, in milliseconds since 1970 UTC.
    At(i64),
    /// Not tried again until its row changes or a person says so.
    Dead,
}

/// The condition of a failed operation's next attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextAttempt {
    /// A delay that grows with the attempts.
    AfterDelay,
    /// The next run, whose reading or repeat settles the outcome; a delay only where the service asked for
    /// one.
    NextRun,
    /// A delay that grows to an hour: there was no room. However often, it never becomes a dead letter.
    Room,
    /// A person has to act, or the row has to change.
    ByHand,
}

impl NextAttempt {
    /// What a failure of ClassIn with this verdict waits for; without meaning for a success.
    #[must_use]
    pub fn after(verdict: ItemVerdict) -> Self {
        match verdict {
            ItemVerdict::Student { .. } => Self::ByHand,
            ItemVerdict::Full { .. } => Self::Room,
            ItemVerdict::Unknown | ItemVerdict::SendSingly => Self::NextRun,
            ItemVerdict::Done { .. }
            | ItemVerdict::Already { .. }
            | ItemVerdict::Repair { .. }
            | ItemVerdict::Repeat { .. }
            | ItemVerdict::Retry { .. }
            | ItemVerdict::Closed { .. }
            | ItemVerdict::StopRun { .. }
            | ItemVerdict::Halve { .. } => Self::AfterDelay,
        }
    }
}

/// Whose doing it is that a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The operation's, as far as anybody can tell.
    Item,
    /// The service's: it uses up no attempt, and is never given up.
    Service,
}

/// Failed tries at one thing that is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attempts {
    /// Those that lead to a dead letter in the end.
    pub own: u32,
    /// Those that were the service's doing.
    pub of_service: u32,
}

/// Earlier attempts at one thing that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EarlierAttempts {
    /// The failed ones.
    pub attempts: Attempts,
    /// The desired change then.
    pub recorded: RecordedHash,
}

impl EarlierAttempts {
    /// Counts one more failed attempt. Attempts at another desired change do not count.
    #[must_use]
    pub fn with_another(earlier: Option<Self>, recorded: RecordedHash, fault: Fault) -> Attempts {
        let counted = earlier.filter(|earlier| earlier.recorded.is_same_as(recorded));
        let Attempts { own, of_service } = counted.map(|earlier| earlier.attempts).unwrap_or_default();
        match fault {
            Fault::Item => Attempts { own: own.saturating_add(1), of_service },
            Fault::Service => Attempts { own, of_service: of_service.saturating_add(1) },
        }
    }
}

impl RetryPolicy {
    /// The state of a failure after this number of attempts, and its next due time in milliseconds since 1970
    /// UTC. `jitter` and `asked` as in [`RetryPolicy::after`].
    #[must_use]
    pub fn schedule(
        &self,
        next: NextAttempt,
        attempts: Attempts,
        fault: Fault,
        now_ms: i64,
        jitter: f64,
        asked: Option<Duration>,
    ) -> (FailureState, i64) {
        let Attempts { own, of_service } = attempts;
        let after = match fault {
            Fault::Item => self.after(own, now_ms, jitter, asked),
            Fault::Service => Retry::At(self.due(own.saturating_add(of_service), now_ms, jitter, asked)),
        };
        match (next, after) {
            (NextAttempt::Room, _) => {
                (FailureState::Waiting, self.room_again(own.saturating_add(of_service), now_ms))
            }
            (NextAttempt::ByHand, _) | (_, Retry::Dead) => (FailureState::Dead, now_ms),
            (NextAttempt::NextRun, Retry::At(_)) if asked.is_none() => (FailureState::Waiting, now_ms),
            (NextAttempt::AfterDelay | NextAttempt::NextRun, Retry::At(due)) => (FailureState::Waiting, due),
        }
    }

    /// The delay after the given number of failed attempts, before jitter. Never shrinks with attempts.
    #[must_use]
    pub fn delay(&self, attempts: u32) -> Duration {
        let doublings = attempts.saturating_sub(1).min(31);
        self.first_delay.saturating_mul(1_u32 << doublings).min(self.max_delay.max(self.first_delay))
    }

    /// When room is asked for again: all who wait for one class wait alike, so there is no jitter.
    fn room_again(&self, attempts: u32, now_ms: i64) -> i64 {
        let delay = i64::try_from(self.delay(attempts).as_millis()).unwrap_or(HOUR_MS);
        now_ms.saturating_add(delay.min(HOUR_MS))
    }

    /// After `attempts` failed attempts, the last one now.
    ///
    /// `jitter` in 0.0 to 1.0 shortens the delay by up to a fifth, so that failures of one moment do not
    /// all come due in one moment. `asked` is what the service itself asked for: it is obeyed up to the longest
    /// delay.
    #[must_use]
    pub fn after(&self, attempts: u32, now_ms: i64, jitter: f64, asked: Option<Duration>) -> Retry {
        if attempts >= self.max_attempts {
            return Retry::Dead;
        }
        Retry::At(self.due(attempts, now_ms, jitter, asked))
    }

    /// The same, however many attempts there were.
    fn due(&self, attempts: u32, now_ms: i64, jitter: f64, asked: Option<Duration>) -> i64 {
        let delay = self.delay(attempts).mul_f64(1.0 - 0.2 * jitter.clamp(0.0, 1.0));
        let longest = self.max_delay.max(self.first_delay);
        let delay = asked.map_or(delay, |asked| delay.max(asked.min(longest)));
        now_ms.saturating_add(i64::try_from(delay.as_millis()).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::exam_plan::Fingerprint;

    const POLICY: RetryPolicy = RetryPolicy {
        max_attempts: 8,
        first_delay: Duration::from_secs(60),
        max_delay: Duration::from_secs(6 * 3600),
    };

    #[test]
    fn delays_double_from_the_first_to_the_longest() {
        let minutes: Vec<u64> = (1..=10).map(|attempt| POLICY.delay(attempt).as_secs() / 60).collect();
        assert_eq!(minutes, [1, 2, 4, 8, 16, 32, 64, 128, 256, 360]);
    }

    #[test]
    fn the_last_attempt_makes_a_dead_letter() {
        assert!(matches!(POLICY.after(7, 0, 0.0, None), Retry::At(_)));
        assert_eq!(POLICY.after(8, 0, 0.0, None), Retry::Dead);
    }

    #[test]
    fn a_delay_that_the_service_asks_for_is_obeyed() {
        assert_eq!(POLICY.after(1, 0, 1.0, Some(Duration::from_secs(600))), Retry::At(600_000));
    }

    #[test]
    fn a_wish_beyond_the_longest_delay_is_cut_to_it() {
        for asked in [Duration::from_secs(7 * 3600), Duration::from_secs(99_999_999_999), Duration::MAX] {
            assert_eq!(POLICY.after(1, 0, 1.0, Some(asked)), Retry::At(6 * 3_600_000), "{asked:?}");
        }
    }

    #[test]
    fn where_a_failure_stands_follows_from_what_has_to_happen_first() {
        use FailureState::{Dead, Waiting};
        let asked = Some(Duration::from_secs(600));
        let table = [
            ("a first delay", NextAttempt::AfterDelay, 1, None, (Waiting, 60_000)),
            ("a wish of the service", NextAttempt::AfterDelay, 1, asked, (Waiting, 600_000)),
            ("the last attempt", NextAttempt::AfterDelay, 8, None, (Dead, 0)),
            ("the next run", NextAttempt::NextRun, 1, None, (Waiting, 0)),
            ("the next run after a wish", NextAttempt::NextRun, 1, asked, (Waiting, 600_000)),
            ("the next run, for the last time", NextAttempt::NextRun, 8, None, (Dead, 0)),
            ("no room", NextAttempt::Room, 1, None, (Waiting, 60_000)),
            ("no room for long", NextAttempt::Room, 800, None, (Waiting, HOUR_MS)),
            ("a person", NextAttempt::ByHand, 1, asked, (Dead, 0)),
        ];
        for (name, next, own, asked, stands) in table {
            let attempts = Attempts { own, of_service: 0 };
            assert_eq!(POLICY.schedule(next, attempts, Fault::Item, 0, 0.0, asked), stands, "{name}");
        }
    }

    #[test]
    fn what_is_the_services_fault_waits_longer_and_longer_up_to_the_longest_delay_and_never_dies() {
        for (own, of_service, minutes) in [(0, 1, 1), (0, 3, 4), (7, 1, 128), (0, 900, 360), (7, 900, 360)] {
            let attempts = Attempts { own, of_service };
            let (state, due_ms) =
                POLICY.schedule(NextAttempt::AfterDelay, attempts, Fault::Service, 0, 0.0, None);
            assert_eq!((state, due_ms), (FailureState::Waiting, minutes * 60_000), "{own} {of_service}");
        }
        let attempts = Attempts { own: 0, of_service: 900 };
        let lost = POLICY.schedule(NextAttempt::NextRun, attempts, Fault::Service, 5, 0.0, None);
        assert_eq!(lost, (FailureState::Waiting, 5));
    }

    #[test]
    fn attempts_at_something_else_do_not_count() {
        let recorded = RecordedHash::alone(Fingerprint(1));
        let earlier = Some(EarlierAttempts { attempts: Attempts { own: 3, of_service: 2 }, recorded });
        let another = RecordedHash::alone(Fingerprint(2));
        let table = [
            (None, recorded, Fault::Item, (1, 0)),
            (earlier, recorded, Fault::Item, (4, 2)),
            (earlier, recorded, Fault::Service, (3, 3)),
            (earlier, another, Fault::Item, (1, 0)),
            (earlier, another, Fault::Service, (0, 1)),
        ];
        for (earlier, recorded, fault, (own, of_service)) in table {
            let attempts = EarlierAttempts::with_another(earlier, recorded, fault);
            assert_eq!(attempts, Attempts { own, of_service }, "{earlier:?} {fault:?}");
        }
    }

    proptest! {
        #[test]
        fn delays_never_shrink_and_stay_within_bounds(attempt in 1_u32..100) {
            prop_assert!(POLICY.delay(attempt + 1) >= POLICY.delay(attempt));
            prop_assert!(POLICY.delay(attempt) >= POLICY.first_delay && POLICY.delay(attempt) <= POLICY.max_delay);
        }

        #[test]
        fn jitter_shortens_by_a_fifth_at_most(attempt in 1_u32..7, jitter in -1.0_f64..2.0) {
            let Retry::At(due) = POLICY.after(attempt, 0, jitter, None) else { panic!("not dead yet") };
            let full = i64::try_from(POLICY.delay(attempt).as_millis()).unwrap();
            prop_assert!(due <= full && due >= full * 8 / 10 - 1);
        }
    }
}
