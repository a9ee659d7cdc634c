//! What a call needs on its way: the service, which field holds the login value, and when to hurry.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::ExamSide;
use super::witnesses::Witness;
use crate::remote::http::retry_limits::{BEFORE_SENDING_AGAIN, BETWEEN_READINGS, LONGEST_RETRY_AFTER};
use rosterd_core::exam_plan::Observed;
use rosterd_core::roster::{FieldId, LoginValue};

/// Carries calls to the service.
#[derive(Clone, Copy)]
pub(super) struct ExamSession<'a> {
    pub(super) side: &'a ExamSide,
    pub(super) login_field: FieldId,
    /// The listing, where there is one: it knows login values as the service writes them.
    pub(super) observed: Option<&'a Observed>,
    /// Candidates that exist, to be asked for along with those of whom no answer says anything.
    pub(super) witnesses: &'a [Witness],
    /// Cancelled when the run is to end.
    pub(super) stop: &'a CancellationToken,
}

impl ExamSession<'_> {
    /// What the service is asked by: the text that it lists, which need not be in normal form.
    pub(super) fn raw_logins(&self, logins: &[LoginValue]) -> Vec<LoginValue> {
        let raw = |login: &LoginValue| self.observed.map_or_else(|| login.clone(), |it| it.raw_login(login));
        logins.iter().map(raw).collect()
    }
}

/// How long a run waits before it tries something again that it may try again at once.
#[derive(Clone, Copy, Debug)]
pub struct ExamRetryDelays {
    /// Before a listing that does not add up is read again.
    pub between_readings: Duration,
    /// Before a write that certainly was not done is sent again, where the service names no time; it grows
    /// with each sending.
    pub before_sending_again: Duration,
    /// All that a run waits for because the exam side asks for it.
    pub longest_altogether: Duration,
}

impl Default for ExamRetryDelays {
    fn default() -> Self {
        Self {
            between_readings: BETWEEN_READINGS,
            before_sending_again: BEFORE_SENDING_AGAIN,
            longest_altogether: LONGEST_RETRY_AFTER,
        }
    }
}
