//! When a read is tried again. Writes never are: whoever sends one reads back first.

use std::time::Duration;

use super::error::TransportError;
use super::message::{Parsed, Reply};
use super::retry_limits::{FIRST_READ_DELAY, LONGEST_READ_DELAY, LONGEST_RETRY_AFTER, READ_ATTEMPTS};

/// How often and how soon a read is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPacing {
    /// Attempts in all, at least 1.
    pub attempts: u32,
    /// Least delay after the first failed attempt; it doubles from one attempt to the next.
    pub first_delay: Duration,
    /// No delay of our own is longer.
    pub longest_delay: Duration,
    /// `Retry-After` is obeyed up to this; a service that asks for more gets no further attempt.
    pub longest_retry_after: Duration,
    /// All that a run waits for because the service asks for it, reads and writes together.
    pub longest_altogether: Duration,
}

impl Default for RetryPacing {
    fn default() -> Self {
        Self {
            attempts: READ_ATTEMPTS,
            first_delay: FIRST_READ_DELAY,
            longest_delay: LONGEST_READ_DELAY,
            longest_retry_after: LONGEST_RETRY_AFTER,
            longest_altogether: LONGEST_RETRY_AFTER,
        }
    }
}

impl RetryPacing {
    /// How long to wait after this attempt (the first is 1), or `None` when its result stands. An answer that is not the
    /// documented one, such as a login page, is worth another attempt as a failed one is. `random` is within 0 and 1
    /// and lengthens our own delay by up to half.
    pub(super) fn delay_after<T>(
        &self,
        attempt: u32,
        result: &Result<(Reply, Parsed<T>), TransportError>,
        random: f64,
    ) -> Option<Duration> {
        if attempt >= self.attempts || !is_worth_another_attempt(result) {
            return None;
        }
        let own = self.own_delay(attempt, random);
        match result.as_ref().ok().and_then(|(reply, _)| reply.retry_after) {
            Some(asked) if asked > self.longest_retry_after => None,
            Some(asked) => Some(own.max(asked)),
            None => Some(own),
        }
    }

    fn own_delay(&self, attempt: u32, random: f64) -> Duration {
        let factor = 2_u32.saturating_pow(attempt.saturating_sub(1));
        let base = self.first_delay.saturating_mul(factor).min(self.longest_delay);
        base.mul_f64(1.0 + random.clamp(0.0, 1.0) / 2.0).min(self.longest_delay)
    }
}

fn is_worth_another_attempt<T>(result: &Result<(Reply, Parsed<T>), TransportError>) -> bool {
    match result {
        Ok((reply, parsed)) => !parsed.is_documented || matches!(reply.status, 408 | 429 | 500..=599),
        Err(TransportError::Unreachable { .. } | TransportError::Interrupted { .. }) => true,
        Err(TransportError::Setup { .. } | TransportError::Stopped { .. }) => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::error::{Cause, Interruption};
    use super::super::message::UnixSeconds;
    use super::*;

    type Answered = Result<(Reply, Parsed<()>), TransportError>;

    fn answered(status: u16, retry_after: Option<u64>) -> Answered {
        let retry_after = retry_after.map(Duration::from_secs);
        let reply = Reply { status, body: vec![], retry_after, date: None, sent_at: UnixSeconds(0) };
        Ok((reply, Parsed::documented(())))
    }

    fn malformed() -> Answered {
        answered(200, None).map(|(reply, _)| (reply, Parsed::malformed(())))
    }

    #[test]
    fn delays_double_between_their_bounds() {
        let pacing = RetryPacing { attempts: 99, ..RetryPacing::default() };
        let delays: Vec<_> =
            (1..=7).filter_map(|n| pacing.delay_after(n, &answered(503, None), 0.0)).collect();
        let expected = [200, 400, 800, 1600, 3200, 5000, 5000].map(Duration::from_millis);
        assert_eq!(delays, expected);
    }

    #[test]
    fn a_read_is_tried_four_times_and_no_more() {
        let pacing = RetryPacing::default();
        assert!(pacing.delay_after(3, &answered(503, None), 0.5).is_some());
        assert_eq!(pacing.delay_after(4, &answered(503, None), 0.5), None);
    }

    #[test]
    fn retry_after_is_obeyed_up_to_a_minute() {
        let pacing = RetryPacing::default();
        let asked = |seconds| pacing.delay_after(1, &answered(429, Some(seconds)), 0.0);
        assert_eq!(asked(0), Some(Duration::from_millis(200)));
        assert_eq!(asked(60), Some(Duration::from_secs(60)));
        assert_eq!(asked(61), None);
    }

    #[test]
    fn only_what_may_pass_by_itself_is_tried_again() {
        let pacing = RetryPacing::default();
        let again = |result: Answered| pacing.delay_after(1, &result, 0.0).is_some();
        for status in [408, 429, 500, 502, 503, 599] {
            assert!(again(answered(status, None)), "{status}");
        }
        for status in [200, 204, 301, 400, 401, 403, 404, 405, 409, 413, 415, 422, 600] {
            assert!(!again(answered(status, None)), "{status}");
        }
        let host = || "exam.test".to_owned();
        let cause = || Cause::new("x");
        assert!(again(Err(TransportError::Unreachable { host: host(), cause: cause() })));
        let why = Interruption::Timeout;
        assert!(again(Err(TransportError::Interrupted { host: host(), why, cause: cause() })));
        assert!(!again(Err(TransportError::Setup { host: host(), what: "x".to_owned() })));
    }

    #[test]
    fn an_answer_that_is_not_the_documented_one_is_asked_for_again_within_the_same_attempts() {
        let pacing = RetryPacing::default();
        assert_eq!(pacing.delay_after(3, &answered(200, None), 0.0), None);
        assert_eq!(pacing.delay_after(3, &malformed(), 0.0), Some(Duration::from_millis(800)));
        assert_eq!(pacing.delay_after(4, &malformed(), 0.0), None);
    }

    proptest! {
        #[test]
        fn a_delay_of_our_own_stays_within_its_bounds(attempt in 1_u32..200, random in 0.0_f64..=1.0) {
            let pacing = RetryPacing { attempts: u32::MAX, ..RetryPacing::default() };
            let delay = pacing.delay_after(attempt, &answered(500, None), random).unwrap();
            prop_assert!(delay >= pacing.first_delay && delay <= pacing.longest_delay);
        }
    }
}
