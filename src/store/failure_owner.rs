//! The owner of a failure: derived from the failure, never stored.

use rosterd_core::classin_plan::{Call, CodeClass, Stop, decide};

/// Who can resolve a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailureOwner {
    /// The school office: a value, a group or a class is wrong or missing on the roster.
    SchoolOffice,
    /// IT: a setting, a credential, the network, or a service that stays away.
    It,
    /// The service itself: retries go on without any action.
    Service,
    /// The account holder: an account or a class is full.
    Quota,
}

impl FailureOwner {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::SchoolOffice, Self::It, Self::Service, Self::Quota];

    /// The word in tables and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SchoolOffice => "school office",
            Self::It => "it",
            Self::Service => "service",
            Self::Quota => "quota",
        }
    }

    /// For a person to read: `the school office`.
    #[must_use]
    pub fn spoken(self) -> &'static str {
        match self {
            Self::SchoolOffice => "the school office",
            Self::It => "IT",
            Self::Service => "the service itself",
            Self::Quota => "more room at the service (quota)",
        }
    }

    /// The owner of a failure with this service, operation kind, code and state. An unknown code belongs to
    /// IT.
    #[must_use]
    pub fn of(service: &str, kind: &str, code: &str, state: &str) -> Self {
        let owner = if let (true, Ok(code)) = (service == "classin", code.parse()) {
            Self::of_classin(kind, code)
        } else {
            Self::of_word(code)
        };
        // A failure given up after days of retries does not pass by itself.
        if owner == Self::Service && state == "dead" { Self::It } else { owner }
    }

    fn of_word(code: &str) -> Self {
        match code {
            "no-login-value" | "shared-login-value" | "no-group" | "unusable-row" | "login-value-taken"
            | "refused" | "no-account" => Self::SchoolOffice,
            "account-full" => Self::Quota,
            "unreachable" | "lost-answer" | "unreadable" | "timed-out" | "rate-limited"
            | "service-failed" | "service-stopped" | "unexpected" | "candidate-gone" | "not-sent" => {
                Self::Service
            }
            _ => Self::It,
        }
    }

    fn of_classin(kind: &str, code: i64) -> Self {
        let call = match kind {
            "remove" => Call::ClassRemove,
            "register" => Call::Register,
            _ => Call::ClassAdd,
        };
        let decision = decide(call, code);
        match decision.class {
            _ if !decision.listed => Self::It,
            CodeClass::Full => Self::Quota,
            CodeClass::Student | CodeClass::Repair | CodeClass::Class { .. } | CodeClass::Course { .. } => {
                Self::SchoolOffice
            }
            CodeClass::Run(Stop::NoPermission | Stop::OurMistake) => Self::It,
            CodeClass::Retry | CodeClass::Done | CodeClass::Already | CodeClass::Run(Stop::Maintenance) => {
                Self::Service
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_failure_names_who_can_mend_it() {
        let table = [
            ("exam", "add", "no-login-value", "dead", FailureOwner::SchoolOffice),
            ("exam", "modify", "shared-login-value", "dead", FailureOwner::SchoolOffice),
            ("exam", "add", "no-group", "dead", FailureOwner::SchoolOffice),
            ("exam", "add", "refused", "waiting", FailureOwner::SchoolOffice),
            ("exam", "add", "refused", "dead", FailureOwner::SchoolOffice),
            ("exam", "add", "account-full", "waiting", FailureOwner::Quota),
            ("exam", "move", "group-without-gid", "dead", FailureOwner::It),
            ("exam", "adopt", "adoption-off", "dead", FailureOwner::It),
            ("exam", "add", "too-large", "waiting", FailureOwner::It),
            ("exam", "add", "service-failed", "waiting", FailureOwner::Service),
            ("exam", "add", "service-failed", "dead", FailureOwner::It),
            ("exam", "delete", "lost-answer", "waiting", FailureOwner::Service),
            ("exam", "delete", "never heard of", "waiting", FailureOwner::It),
            ("classin", "enrol", "130", "waiting", FailureOwner::Quota),
            ("classin", "enrol", "400", "dead", FailureOwner::SchoolOffice),
            ("classin", "enrol", "228", "waiting", FailureOwner::SchoolOffice),
            ("classin", "enrol", "145", "waiting", FailureOwner::SchoolOffice),
            ("classin", "enrol", "114", "waiting", FailureOwner::Service),
            ("classin", "enrol", "114", "dead", FailureOwner::It),
            ("classin", "enrol", "102", "waiting", FailureOwner::It),
            ("classin", "remove", "999999", "dead", FailureOwner::It),
            ("classin", "enrol", "no-account", "dead", FailureOwner::SchoolOffice),
            ("classin", "enrol", "lost-answer", "waiting", FailureOwner::Service),
        ];
        for (service, kind, code, state, owner) in table {
            assert_eq!(
                FailureOwner::of(service, kind, code, state),
                owner,
                "{service} {kind} {code} {state}"
            );
        }
    }
}
