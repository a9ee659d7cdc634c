//! The exit codes, and the order among them when several apply.
//!
//! The only list of them; what leads to which is decided where it is known.

use crate::run::Severity;

/// The meaning of an exit code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[must_use]
pub enum Exit {
    /// Finished: everything applied, or nothing to do.
    #[default]
    Done,
    /// The run failed, or something was found unhealthy.
    Failed,
    /// Only `plan --detailed-exitcode`: there are changes.
    Changes,
    /// Finished, but some operations failed or are unknown; they are recorded for retry.
    Incomplete,
    /// Finished, but some operations are held for approval.
    Held,
    Usage,
    /// Temporary: a service is down, or another instance holds the lock; nothing was lost.
    Temporary,
    /// A service refused our credentials.
    Credentials,
    Configuration,
    /// A signal ended a run in its midst; the state is consistent.
    Terminated,
}

impl Exit {
    /// The code that the shell sees.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Changes => 2,
            Self::Incomplete => 3,
            Self::Held => 4,
            Self::Usage => 64,
            Self::Temporary => 75,
            Self::Credentials => 77,
            Self::Configuration => 78,
            Self::Terminated => 143,
        }
    }

    /// The one that counts where both apply.
    pub fn worst(self, other: Self) -> Self {
        if other.weight() > self.weight() { other } else { self }
    }

    /// 143, 78, 77, 75, 1, 4, 3, 2, 0. Wrong usage is found before anything else could go wrong; it ranks
    /// beside wrong configuration.
    fn weight(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Changes => 1,
            Self::Incomplete => 2,
            Self::Held => 3,
            Self::Failed => 4,
            Self::Temporary => 5,
            Self::Credentials => 6,
            Self::Usage => 7,
            Self::Configuration => 8,
            Self::Terminated => 9,
        }
    }
}

impl From<Severity> for Exit {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Done => Self::Done,
            Severity::Incomplete => Self::Incomplete,
            Severity::Held => Self::Held,
            Severity::Failed => Self::Failed,
            Severity::Temporary => Self::Temporary,
            Severity::Credentials => Self::Credentials,
            Severity::Address | Severity::Configuration => Self::Configuration,
            Severity::Terminated => Self::Terminated,
        }
    }
}

/// The exit code of a run that ended so.
#[must_use]
pub fn exit_code(severity: Severity) -> u8 {
    Exit::from(severity).code()
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::{Exit, Severity};

    const BY_WEIGHT: [Exit; 10] = [
        Exit::Terminated,
        Exit::Configuration,
        Exit::Usage,
        Exit::Credentials,
        Exit::Temporary,
        Exit::Failed,
        Exit::Held,
        Exit::Incomplete,
        Exit::Changes,
        Exit::Done,
    ];

    #[test]
    fn the_codes_are_the_documented_ones() {
        assert_eq!(BY_WEIGHT.map(Exit::code), [143, 78, 64, 77, 75, 1, 4, 3, 2, 0]);
    }

    #[test]
    fn where_several_apply_the_documented_order_decides() {
        for (position, first) in BY_WEIGHT.iter().enumerate() {
            for later in &BY_WEIGHT[position..] {
                assert_eq!(first.worst(*later), *first);
                assert_eq!(later.worst(*first), *first);
            }
        }
    }

    #[test]
    fn a_held_run_that_is_also_incomplete_is_held() {
        assert_eq!(Exit::Done.worst(Exit::Incomplete).worst(Exit::Held), Exit::Held);
    }

    #[test]
    fn severities_are_ordered_as_their_exit_codes_are() {
        let severities = [
            Severity::Done,
            Severity::Incomplete,
            Severity::Held,
            Severity::Failed,
            Severity::Temporary,
            Severity::Credentials,
            Severity::Address,
            Severity::Configuration,
            Severity::Terminated,
        ];
        for one in severities {
            for other in severities {
                assert_eq!(Exit::from(one.max(other)), Exit::from(one).worst(other.into()));
            }
        }
    }
}
