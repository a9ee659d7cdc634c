//! Why runs are not good: what kind of trouble it is, and so who must act and what helps.

use crate::failure::{FailureOwner, Service};

/// How errors begin about what is ours on this machine.
const OURS: [&str; 3] = ["state.database", "state database", "the lock file"];

/// The kind of trouble that makes a run not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RunTrouble {
    /// A service refused the credentials.
    Credentials,
    /// A service refused the credentials, and the clock of this machine is far from its own: signatures carry the time.
    Clock,
    /// A service is away for now.
    Outage,
    /// What is ours on this machine cannot be used for now: the state database, its lock, the disk.
    Machine,
    /// A setting is wrong, or an account is another one.
    Configuration,
    /// The roster is not there, damaged, or no roster.
    Roster,
    /// Another program is at work on the roster.
    RosterBusy,
    /// The roster has so few students that it is taken for a broken export.
    RosterShort,
    /// A reading is not believed, so nobody was added or deleted.
    Doubt,
    /// None of these.
    Other,
}

impl RunTrouble {
    /// What the exit code of the run and its first error say.
    #[must_use]
    pub fn of(exit_code: Option<u8>, why: Option<&str>) -> Self {
        // Every error about the roster begins with the key that names it.
        if let Some(why) = why.filter(|why| without_service(why).starts_with("roster.database")) {
            return match exit_code {
                Some(75) if why.contains("is locked by another program") => Self::RosterBusy,
                Some(1) if why.contains("fewer than guard.min_roster") => Self::RosterShort,
                Some(_) | None => Self::Roster,
            };
        }
        match exit_code {
            Some(77) if why.and_then(seconds_between_clocks).is_some_and(|by| by >= FAR) => Self::Clock,
            Some(75)
                if why.is_some_and(|why| OURS.iter().any(|ours| without_service(why).starts_with(ours))) =>
            {
                Self::Machine
            }
            Some(77) => Self::Credentials,
            Some(75) => Self::Outage,
            Some(78) => Self::Configuration,
            Some(3 | 4) => Self::Doubt,
            Some(_) | None => Self::Other,
        }
    }

    /// One stable word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Credentials => "credentials",
            Self::Clock => "clock",
            Self::Outage => "outage",
            Self::Machine => "machine",
            Self::Configuration => "configuration",
            Self::Roster | Self::RosterBusy | Self::RosterShort => "roster",
            Self::Doubt => "doubt",
            Self::Other => "other",
        }
    }

    /// Who must act.
    #[must_use]
    pub fn owner(self) -> FailureOwner {
        match self {
            Self::Outage | Self::Doubt => FailureOwner::Service,
            Self::RosterShort => FailureOwner::SchoolOffice,
            Self::Credentials
            | Self::Clock
            | Self::Configuration
            | Self::Roster
            | Self::RosterBusy
            | Self::Machine
            | Self::Other => FailureOwner::It,
        }
    }

    /// What to do.
    #[must_use]
    pub fn to_do(self) -> &'static str {
        match self {
            Self::Credentials => "enter the credentials that the service gives out now, and try them",
            Self::Clock => "set the clock of this machine; rosterd check says by how much it is off",
            Self::Outage | Self::RosterBusy => "nothing, as long as it passes: every run tries again",
            Self::Machine => "put right on this machine what the run says of the state database",
            Self::Configuration => "correct the configuration, and try it",
            Self::Roster | Self::RosterShort => "export or copy the roster again, and try it",
            Self::Doubt => "nothing yet: the next run reads again; if it stays, ask the service",
            Self::Other => "read what the run says",
        }
    }

    /// What to type.
    #[must_use]
    pub fn command(self) -> &'static str {
        match self {
            Self::Credentials | Self::Configuration => "rosterd check",
            Self::Clock => "timedatectl set-ntp true",
            Self::Roster | Self::RosterShort | Self::Machine => "rosterd check --offline",
            Self::RosterBusy | Self::Outage | Self::Doubt | Self::Other => "rosterd runs",
        }
    }
}

/// A difference of clocks, in seconds, over which a service may refuse what is signed.
const FAR: u64 = 120;

/// By how many seconds an error says that the clocks differ.
fn seconds_between_clocks(why: &str) -> Option<u64> {
    let (_, rest) = why.split_once("our clock is ")?;
    rest.split_whitespace().next()?.parse().ok()
}

/// The service that an error is about: it stands before the error.
pub(super) fn service_of(why: &str) -> Option<Service> {
    why.split_once(": ").and_then(|(word, _)| Service::parse(word))
}

fn without_service(why: &str) -> &str {
    service_of(why).and_then(|_| why.split_once(": ")).map_or(why, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_trouble_follows_from_exit_code_and_first_error() {
        let table = [
            (Some(77), Some("exam: the service refused the code"), RunTrouble::Credentials),
            (
                Some(77),
                Some("exam: the service refused the code; our clock is 7200 s ahead of the service's"),
                RunTrouble::Clock,
            ),
            (
                Some(77),
                Some("exam: the service refused the code; our clock is 2 s behind the service's"),
                RunTrouble::Credentials,
            ),
            (
                Some(75),
                Some("roster.database r.db: is locked by another program; it will be tried again"),
                RunTrouble::RosterBusy,
            ),
            (
                Some(1),
                Some("exam: roster.database r.db: has 0 active students, fewer than guard.min_roster = 1"),
                RunTrouble::RosterShort,
            ),
            (Some(75), Some("classin: cannot be reached"), RunTrouble::Outage),
            (Some(75), None, RunTrouble::Outage),
            (Some(75), Some("roster.database r.db: there is no such file"), RunTrouble::Roster),
            (Some(1), Some("exam: roster.database r.db: is damaged"), RunTrouble::Roster),
            (Some(75), Some("state.database s.db: another program holds a lock on it"), RunTrouble::Machine),
            (Some(75), Some("exam: state.database s.db: the disk is full"), RunTrouble::Machine),
            (
                Some(75),
                Some("the lock file s.lock was removed while a run was under way"),
                RunTrouble::Machine,
            ),
            (
                Some(75),
                Some("exam: the lock file s.lock was removed while a run was under way"),
                RunTrouble::Machine,
            ),
            (Some(78), Some("exam.code: it is missing"), RunTrouble::Configuration),
            (Some(3), Some("exam: the listing is doubtful"), RunTrouble::Doubt),
            (Some(4), Some("exam: the listing is doubtful"), RunTrouble::Doubt),
            (Some(1), Some("exam: the listing is empty"), RunTrouble::Other),
            (None, None, RunTrouble::Other),
        ];
        for (exit_code, why, expected) in table {
            assert_eq!(RunTrouble::of(exit_code, why), expected, "{exit_code:?} {why:?}");
        }
    }
}
