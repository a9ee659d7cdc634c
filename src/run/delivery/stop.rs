//! Why a service is not called any more in a run.

use std::fmt;

use rosterd_core::classin_plan::{Code, Stop};
use rosterd_core::counted::counted;

use crate::remote::classin::{ClassinDisposition, ClassinError, StopCause};
use crate::remote::exam::ExamError;
use crate::run::in_one_line;
use crate::run::severity::Severity;
use rosterd_core::failure::Service;

/// Why a service is not called any more in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::run) enum ServiceStop {
    /// A call of the exam side failed in a way that no other call would do better.
    Exam(Box<ExamError>),
    /// The same for ClassIn.
    Classin(Box<ClassinError>),
    /// ClassIn answered with a code that concerns every call.
    ClassinCode { stop: Stop, code: Code },
    /// The service refused whatever it was sent in such calls.
    RefusedItems { call: &'static str, items: usize },
    /// So many candidates show another login value than the one they are known by.
    AnotherAccount { count: u64, limit: u64 },
    /// Writes were refused, and mapped fields turned out to be others than before.
    ChangedFields { what: String, fits: bool },
    /// The circuit breaker is open.
    FailedCalls { service: Service, failures: u32 },
}

impl ServiceStop {
    pub(in crate::run) fn exam(error: &ExamError) -> Self {
        Self::Exam(Box::new(error.clone()))
    }

    pub(in crate::run) fn classin(error: &ClassinError) -> Self {
        Self::Classin(Box::new(error.clone()))
    }

    /// What it means for how the run ends.
    pub(in crate::run) fn severity(&self) -> Severity {
        match self {
            Self::Exam(error) => Severity::of_exam_error(error),
            Self::Classin(error) => match error.disposition() {
                ClassinDisposition::Stop(StopCause::Credentials) => Severity::Credentials,
                ClassinDisposition::Stop(StopCause::Settings)
                    if matches!(**error, ClassinError::Setup(_)) =>
                {
                    Severity::Configuration
                }
                ClassinDisposition::Stop(StopCause::Settings) => Severity::Address,
                ClassinDisposition::Stop(StopCause::Temporary)
                | ClassinDisposition::Retry { .. }
                | ClassinDisposition::RetryThenStop
                | ClassinDisposition::SmallerBatch => Severity::Temporary,
            },
            Self::ClassinCode { stop: Stop::OurMistake, .. } => Severity::Failed,
            Self::ClassinCode { stop: Stop::NoPermission, .. } => Severity::Credentials,
            Self::ClassinCode { stop: Stop::Maintenance, .. }
            | Self::FailedCalls { .. }
            | Self::RefusedItems { .. }
            | Self::ChangedFields { fits: true, .. } => Severity::Temporary,
            Self::AnotherAccount { .. } | Self::ChangedFields { fits: false, .. } => Severity::Configuration,
        }
    }
}

impl fmt::Display for ServiceStop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exam(error) => f.write_str(&in_one_line(error)),
            Self::Classin(error) => f.write_str(&in_one_line(error)),
            Self::ClassinCode { stop: Stop::OurMistake, code } => {
                write!(f, "ClassIn refuses the call itself (code {code})")
            }
            Self::ClassinCode { stop: Stop::NoPermission, code } => {
                write!(f, "ClassIn refuses the credentials (code {code})")
            }
            Self::ClassinCode { stop: Stop::Maintenance, code } => {
                write!(f, "ClassIn is closed for maintenance (code {code})")
            }
            Self::RefusedItems { call, items } => write!(
                f,
                "the service refused all {items} items that it was sent by {call}, and accepted none: it is not called any \
                 more in this run"
            ),
            Self::AnotherAccount { count, limit } => write!(
                f,
                "{count} candidates show another login value than the one they are known by, more than {limit}: this is \
                 another account, or one that was restored; none of them was changed. Check exam.code and exam.base_url"
            ),
            Self::ChangedFields { what, fits: true } => {
                write!(
                    f,
                    "writes were refused because fields were changed on the exam side: {what}; the next run goes by that"
                )
            }
            Self::ChangedFields { what, fits: false } => {
                write!(f, "writes were refused because fields were changed on the exam side: {what}")
            }
            Self::FailedCalls { service, failures } => {
                let who = match service {
                    Service::Exam => "the service",
                    Service::Classin => "ClassIn",
                    Service::Roster => "the roster",
                };
                let failures = counted(u64::from(*failures), "call");
                write!(f, "{failures} in a row failed: {who} is not called any more in this run")
            }
        }
    }
}
