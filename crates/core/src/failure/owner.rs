//! The owner of a failure: derived from the failure, never stored.

use super::{ClassinKind, FailureCode, FailureState, RecordedKind};
use crate::classin_plan::{Call, Code, CodeClass, Stop, decide};
use crate::exam_plan::OperationKind;

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

    /// One word for programs: `office`, `it`, `service`, `quota`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::SchoolOffice => "office",
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

    /// The owner of a failure with this kind, code and state. An unknown code belongs to IT.
    #[must_use]
    pub fn of(kind: RecordedKind, code: &FailureCode, state: FailureState) -> Self {
        let owner = Self::of_code(kind, code);
        // A failure given up after days of retries does not pass by itself.
        if owner == Self::Service && state == FailureState::Dead { Self::It } else { owner }
    }

    /// Whether a call failed by the service's own doing: a try that uses up no attempt and is never given up.
    #[must_use]
    pub fn is_service_fault(kind: RecordedKind, code: &FailureCode) -> bool {
        let is_of_a_call = !code.passes() && *code != FailureCode::CandidateGone;
        is_of_a_call && Self::of_code(kind, code) == Self::Service
    }

    fn of_code(kind: RecordedKind, code: &FailureCode) -> Self {
        match code {
            // A change of groups sends no value of the student: what can be wrong with it is the gid.
            FailureCode::Refused if kind == RecordedKind::Exam(OperationKind::Move) => Self::It,
            FailureCode::NoLoginValue
            | FailureCode::SharedLoginValue
            | FailureCode::NoGroup
            | FailureCode::UnusableRow
            | FailureCode::LoginValueTaken
            | FailureCode::Refused
            | FailureCode::LoginValueInUse
            | FailureCode::SamePerson
            | FailureCode::UnreadableIds
            | FailureCode::SharedContact
            | FailureCode::NoAccount
            | FailureCode::NoContact
            | FailureCode::AmbiguousLogin
            | FailureCode::EnteredAnew
            | FailureCode::UnlistedCandidate => Self::SchoolOffice,
            FailureCode::AccountFull => Self::Quota,
            FailureCode::Unreachable
            | FailureCode::LostAnswer
            | FailureCode::Unreadable
            | FailureCode::TimedOut
            | FailureCode::RateLimited
            | FailureCode::ServiceFailed
            | FailureCode::ServiceStopped
            | FailureCode::Unexpected
            | FailureCode::CandidateGone
            | FailureCode::NotSent
            | FailureCode::NotFoundOut
            | FailureCode::GroupsNotTold
            | FailureCode::NotShownYet
            | FailureCode::Contradicted => Self::Service,
            FailureCode::GroupWithoutGid
            | FailureCode::GroupRefused
            | FailureCode::ForeignCandidate
            | FailureCode::AdoptionOff
            | FailureCode::TooLarge
            | FailureCode::FieldsRefused
            | FailureCode::Unauthorized
            | FailureCode::WrongAddress
            | FailureCode::Redirected
            | FailureCode::Setup
            | FailureCode::NotOurs
            | FailureCode::ProbablyOver
            | FailureCode::ForeignGroup
            | FailureCode::DoubtfulAdoption
            | FailureCode::AnotherLoginValue
            | FailureCode::ClocksDiffer
            | FailureCode::Other(_) => Self::It,
            FailureCode::Classin(code) => match kind {
                RecordedKind::Exam(_) | RecordedKind::RosterRow => Self::It,
                RecordedKind::Classin(kind) => Self::of_classin(kind, *code),
            },
        }
    }

    fn of_classin(kind: ClassinKind, code: Code) -> Self {
        let call = match kind {
            ClassinKind::Remove => Call::ClassRemove,
            ClassinKind::Register => Call::Register,
            ClassinKind::Enrol | ClassinKind::Rename => Call::ClassAdd,
        };
        let decision = decide(call, code);
        match decision.class {
            _ if !decision.listed => Self::It,
            CodeClass::Full => Self::Quota,
            // The ids of a class are wrong for all of its students; a class that is over is followed by another one.
            CodeClass::Class { for_good: false } | CodeClass::Course { for_good: false } => Self::It,
            CodeClass::Student
            | CodeClass::Repair
            | CodeClass::Class { for_good: true }
            | CodeClass::Course { for_good: true } => Self::SchoolOffice,
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
    use crate::failure::Service;

    #[test]
    fn every_kind_of_failure_names_who_can_mend_it() {
        use FailureOwner::{It, Quota, SchoolOffice};
        let table = [
            ("exam", "add", "no-login-value", "dead", SchoolOffice),
            ("exam", "modify", "shared-login-value", "dead", SchoolOffice),
            ("exam", "add", "no-group", "dead", SchoolOffice),
            ("exam", "add", "refused", "waiting", SchoolOffice),
            ("exam", "add", "refused", "dead", SchoolOffice),
            ("exam", "modify", "refused", "waiting", SchoolOffice),
            ("exam", "move", "refused", "waiting", It),
            ("exam", "move", "refused", "dead", It),
            ("exam", "add", "account-full", "waiting", Quota),
            ("exam", "move", "group-without-gid", "dead", It),
            ("exam", "adopt", "adoption-off", "dead", It),
            ("exam", "add", "too-large", "waiting", It),
            ("exam", "add", "service-failed", "waiting", FailureOwner::Service),
            ("exam", "add", "service-failed", "dead", It),
            ("exam", "adopt", "login-value-in-use", "waiting", SchoolOffice),
            ("exam", "delete", "same-person", "held", SchoolOffice),
            ("exam", "delete", "unreadable-ids", "held", SchoolOffice),
            ("classin", "register", "shared-contact", "held", SchoolOffice),
            ("exam", "delete", "foreign-group", "held", It),
            ("exam", "adopt", "adoption", "held", It),
            ("exam", "delete", "lost-answer", "waiting", FailureOwner::Service),
            ("exam", "delete", "never heard of", "waiting", It),
            ("exam", "delete", "130", "waiting", It),
            ("classin", "enrol", "130", "waiting", Quota),
            ("classin", "enrol", "400", "dead", SchoolOffice),
            ("classin", "enrol", "228", "waiting", SchoolOffice),
            ("classin", "enrol", "145", "waiting", SchoolOffice),
            ("classin", "enrol", "114", "waiting", FailureOwner::Service),
            ("classin", "enrol", "114", "dead", It),
            ("classin", "enrol", "102", "waiting", It),
            ("classin", "remove", "999999", "dead", It),
            ("classin", "enrol", "no-account", "dead", SchoolOffice),
            ("classin", "register", "no-contact", "dead", SchoolOffice),
            ("classin", "enrol", "lost-answer", "waiting", FailureOwner::Service),
        ];
        for (service, kind, code, state, owner) in table {
            let kind = RecordedKind::parse(Service::parse(service).unwrap(), kind).unwrap();
            let state = FailureState::parse(state).unwrap();
            assert_eq!(
                FailureOwner::of(kind, &FailureCode::parse(code), state),
                owner,
                "{service} {kind} {code} {state:?}"
            );
        }
    }
}
