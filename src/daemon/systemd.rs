//! Messages to the service manager: ready, reloading, status line, watchdog, stopping.
//!
//! Without a service manager (no `NOTIFY_SOCKET`) nothing is sent. When something is due is not decided here.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// One message to the service manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceStatus {
    /// Started, or done with reloading.
    Ready,
    /// Reading the configuration again; [`ServiceStatus::Ready`] must follow.
    Reloading,
    /// One line for `systemctl status`.
    Status(String),
    /// The scheduler is alive.
    Watchdog,
    /// On the way to the end.
    Stopping,
}

/// Takes notes to the service manager.
#[derive(Clone)]
pub struct Notifier {
    send: Arc<dyn Fn(&ServiceStatus) + Send + Sync>,
    watchdog: Option<Duration>,
}

impl fmt::Debug for Notifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { send: _, watchdog } = self;
        f.debug_struct("Notifier").field("watchdog", watchdog).finish_non_exhaustive()
    }
}

impl Notifier {
    /// Talks to systemd if systemd started us; silent elsewhere.
    #[cfg(target_os = "linux")]
    #[must_use]
    pub fn systemd() -> Self {
        Self::new(linux::send, sd_notify::watchdog_enabled())
    }

    /// There is no systemd here.
    #[cfg(not(target_os = "linux"))]
    #[must_use]
    pub fn systemd() -> Self {
        Self::new(|_| {}, None)
    }

    /// Gives each note to `send`; `watchdog` is how long the service manager waits between two signs of life.
    #[must_use]
    pub fn new(send: impl Fn(&ServiceStatus) + Send + Sync + 'static, watchdog: Option<Duration>) -> Self {
        Self { send: Arc::new(send), watchdog }
    }

    /// Sends one status; without a listener it is lost silently.
    pub fn tell(&self, status: &ServiceStatus) {
        (self.send)(status);
    }

    /// The interval between signs of life: half of the interval that systemd expects.
    #[must_use]
    pub fn watchdog_pause(&self) -> Option<Duration> {
        self.watchdog.map(|interval| interval / 2)
    }
}

#[cfg(target_os = "linux")]
mod linux {
    //! The same notes in systemd's own words.

    use sd_notify::NotifyState;

    use super::ServiceStatus;

    pub(super) fn send(status: &ServiceStatus) {
        let sent = match status {
            ServiceStatus::Ready => sd_notify::notify(&[NotifyState::Ready]),
            ServiceStatus::Status(line) => sd_notify::notify(&[NotifyState::Status(line)]),
            ServiceStatus::Watchdog => sd_notify::notify(&[NotifyState::Watchdog]),
            ServiceStatus::Stopping => sd_notify::notify(&[NotifyState::Stopping]),
            // From 253 on systemd requires the monotonic time in the same message, and ends a service without
            // it.
            ServiceStatus::Reloading => NotifyState::monotonic_usec_now()
                .and_then(|now| sd_notify::notify(&[NotifyState::Reloading, now])),
        };
        if let Err(error) = sent {
            tracing::debug!(%error, "the service manager could not be told");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_of_life_comes_twice_as_often_as_it_is_waited_for() {
        let notifier = Notifier::new(|_| {}, Some(Duration::from_secs(60)));
        assert_eq!(notifier.watchdog_pause(), Some(Duration::from_secs(30)));
        assert_eq!(Notifier::new(|_| {}, None).watchdog_pause(), None);
    }
}
