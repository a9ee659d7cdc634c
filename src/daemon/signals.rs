//! Signals from the operating system, as values.
//!
//! It decides nothing; tests put the same values into the channel by hand.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

/// Something that the daemon is told from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DaemonSignal {
    /// Come to an end: no new batch, record what is in flight.
    Stop(StopSignal),
    /// SIGHUP: read the configuration again.
    Reload,
    RunNow,
}

/// The signal that asked for the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopSignal {
    /// SIGINT, a person at the keyboard.
    Interrupt,
    /// SIGTERM, a service manager.
    Terminate,
}

impl StopSignal {
    /// The exit code of a process ended by this signal: 128 and the signal's number.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }
}

/// Notices wait here while the daemon is busy with one; more than this many at once say nothing new.
const WAITING_NOTICES: usize = 16;

/// A channel for notices: the sender is for tests and for callers that stop the daemon by themselves.
#[must_use]
pub fn channel() -> (mpsc::Sender<DaemonSignal>, mpsc::Receiver<DaemonSignal>) {
    mpsc::channel(WAITING_NOTICES)
}

/// Installs the handlers and returns where their notices arrive.
///
/// Call it before anything slow: in the first process of a container the kernel drops a SIGTERM without a
/// handler. Must be called within a tokio runtime.
///
/// # Errors
/// When a handler cannot be installed.
pub fn listen() -> io::Result<mpsc::Receiver<DaemonSignal>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut user_defined = signal(SignalKind::user_defined1())?;
    let (sender, receiver) = channel();
    tokio::spawn(async move {
        loop {
            let signal = tokio::select! {
                Some(()) = terminate.recv() => DaemonSignal::Stop(StopSignal::Terminate),
                Some(()) = interrupt.recv() => DaemonSignal::Stop(StopSignal::Interrupt),
                Some(()) = hangup.recv() => DaemonSignal::Reload,
                Some(()) = user_defined.recv() => DaemonSignal::RunNow,
                else => return,
            };
            if sender.send(signal).await.is_err() {
                return;
            }
        }
    });
    Ok(receiver)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forced_end_answers_with_the_number_of_its_signal() {
        assert_eq!(StopSignal::Interrupt.exit_code(), 130);
        assert_eq!(StopSignal::Terminate.exit_code(), 143);
    }
}
