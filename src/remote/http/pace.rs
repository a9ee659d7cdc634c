//! When the next request may start: one queue of evenly spaced slots for all endpoints of a service.
//!
//! A caller reserves the next free slot and sleeps until it comes. Because the following slot is reckoned from
//! the slot and not from the moment the sleeper woke, late timers do not add up to a slower pace.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The pace of a service that had none, after it asked us to slow down for the first time.
const FIRST_SPACING_OF_AN_UNPACED_SERVICE: Duration = Duration::from_millis(200);
/// However often a service refuses, a request still starts this often.
const WIDEST_SPACING: Duration = Duration::from_secs(2);
/// Refusals of requests that were under way together count as one.
const ONE_LOWERING_PER: Duration = Duration::from_secs(1);

/// The limiter of one service.
pub(super) struct Pacer {
    /// `None`: unpaced.
    normal_spacing: Option<Duration>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The lowered pace; `None` as long as nobody complained.
    lowered_spacing: Option<Duration>,
    lowered_at: Option<Instant>,
    next_slot: Option<Instant>,
    held_until: Option<Instant>,
}

impl Pacer {
    /// Requests start at least `1 / requests_per_second` apart, so never more than R + 1 in any second. Zero, or
    /// anything that is no rate, means unpaced.
    pub(super) fn new(requests_per_second: f64) -> Self {
        let spacing = Duration::try_from_secs_f64(requests_per_second.recip()).ok();
        let normal_spacing = spacing.filter(|spacing| !spacing.is_zero());
        Self { normal_spacing, state: Mutex::default() }
    }

    /// Waits for this caller's turn.
    pub(super) async fn turn(&self) {
        loop {
            let now = Instant::now();
            let slot = self.reserve(now);
            if slot > now {
                tokio::time::sleep_until(slot).await;
            }
            // A hold that came while we slept sends us back to the queue.
            if !self.is_held(Instant::now()) {
                return;
            }
        }
    }

    /// Halves the pace until [`Pacer::reset`].
    pub(super) fn lower(&self, now: Instant) {
        let mut state = self.lock();
        if state.lowered_at.is_some_and(|at| now.saturating_duration_since(at) < ONE_LOWERING_PER) {
            return;
        }
        let widest = self.normal_spacing.unwrap_or_default().max(WIDEST_SPACING);
        let spacing = match (state.lowered_spacing, self.normal_spacing) {
            (Some(spacing), _) | (None, Some(spacing)) => spacing.saturating_mul(2).min(widest),
            (None, None) => FIRST_SPACING_OF_AN_UNPACED_SERVICE,
        };
        state.lowered_spacing = Some(spacing);
        state.lowered_at = Some(now);
        let earliest = now + spacing;
        state.next_slot = Some(state.next_slot.map_or(earliest, |slot| slot.max(earliest)));
    }

    /// Starts nothing before this span has passed.
    pub(super) fn hold(&self, now: Instant, span: Duration) {
        let mut state = self.lock();
        let until = now + span;
        state.held_until = Some(state.held_until.map_or(until, |held| held.max(until)));
    }

    /// Returns to the normal pace.
    pub(super) fn reset(&self) {
        let mut state = self.lock();
        state.lowered_spacing = None;
        state.lowered_at = None;
        state.held_until = None;
    }

    fn reserve(&self, now: Instant) -> Instant {
        let mut state = self.lock();
        let earliest = state.held_until.map_or(now, |held| held.max(now));
        let Some(spacing) = state.lowered_spacing.or(self.normal_spacing) else {
            return earliest;
        };
        let slot = state.next_slot.map_or(earliest, |next| next.max(earliest));
        state.next_slot = Some(slot + spacing);
        slot
    }

    fn is_held(&self, now: Instant) -> bool {
        self.lock().held_until.is_some_and(|held| held > now)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every step leaves the state usable, so a panic elsewhere does not spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starts(pacer: &Pacer, now: Instant, count: usize) -> Vec<Duration> {
        (0..count).map(|_| pacer.reserve(now) - now).collect()
    }

    fn millis(values: &[u64]) -> Vec<Duration> {
        values.iter().copied().map(Duration::from_millis).collect()
    }

    #[test]
    fn requests_start_evenly_spaced_and_without_a_burst() {
        let now = Instant::now();
        assert_eq!(starts(&Pacer::new(8.0), now, 4), millis(&[0, 125, 250, 375]));
    }

    #[test]
    fn an_idle_time_saves_up_no_burst() {
        let pacer = Pacer::new(10.0);
        let now = Instant::now();
        pacer.reserve(now);
        assert_eq!(starts(&pacer, now + Duration::from_secs(60), 3), millis(&[0, 100, 200]));
    }

    #[test]
    fn a_rate_of_zero_or_nonsense_means_unpaced() {
        let now = Instant::now();
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(starts(&Pacer::new(rate), now, 2), millis(&[0, 0]), "{rate}");
        }
    }

    #[test]
    fn a_complaint_halves_the_pace_until_the_next_run() {
        let pacer = Pacer::new(10.0);
        let now = Instant::now();
        pacer.lower(now);
        assert_eq!(starts(&pacer, now, 2), millis(&[200, 400]));
        pacer.reset();
        let later = now + Duration::from_secs(9);
        assert_eq!(starts(&pacer, later, 2), millis(&[0, 100]));
    }

    #[test]
    fn complaints_about_requests_that_were_under_way_together_count_once() {
        let pacer = Pacer::new(10.0);
        let now = Instant::now();
        for _ in 0..4 {
            pacer.lower(now);
        }
        assert_eq!(starts(&pacer, now, 2), millis(&[200, 400]));
    }

    #[test]
    fn however_many_complaints_a_request_still_starts_every_two_seconds() {
        let pacer = Pacer::new(0.0);
        let now = Instant::now();
        let mut at = now;
        for _ in 0..20 {
            at += ONE_LOWERING_PER;
            pacer.lower(at);
        }
        let far = at + Duration::from_secs(60);
        assert_eq!(starts(&pacer, far, 2), millis(&[0, 2000]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_hold_stops_those_already_waiting_for_their_turn() {
        let pacer = Pacer::new(10.0);
        let start = Instant::now();
        pacer.turn().await;
        let holding = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            pacer.hold(Instant::now(), Duration::from_secs(3));
        };
        tokio::join!(pacer.turn(), holding);
        assert!(start.elapsed() >= Duration::from_millis(3050));
    }

    #[tokio::test(start_paused = true)]
    async fn no_second_sees_more_than_one_request_above_the_rate() {
        let pacer = Pacer::new(8.0);
        let mut starts = Vec::new();
        for _ in 0..40 {
            pacer.turn().await;
            starts.push(Instant::now());
        }
        for (index, first) in starts.iter().enumerate() {
            let within = starts[index..].iter().filter(|at| **at - *first <= Duration::from_secs(1)).count();
            assert!(within <= 9, "{within} requests in a second");
        }
    }
}
