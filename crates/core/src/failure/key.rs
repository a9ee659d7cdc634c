//! The key of an intended change in the tables: service, kind, student, and for ClassIn the class.

use std::fmt;

use crate::classin_plan::EnrolmentKind;
use crate::exam_plan::OperationKind;
use crate::roster::{GroupCode, StudentId};

/// One of the two services, or the roster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// OnlineExamMaker.
    Exam,
    /// ClassIn.
    Classin,
    /// The school's roster: its rows fail before either service is asked.
    Roster,
}

impl Service {
    /// Both services; not the roster.
    pub const ALL: [Self; 2] = [Self::Exam, Self::Classin];

    /// The word in tables and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exam => "exam",
            Self::Classin => "classin",
            Self::Roster => "roster",
        }
    }

    /// Reads [`Service::as_str`] back.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.as_str() == word)
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for Service {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The kinds of operation on ClassIn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClassinKind {
    /// Obtain an account, and have it taken into the school.
    Register,
    /// Put into a class.
    Enrol,
    /// Take out of a class.
    Remove,
    /// Write the student's name at the school.
    Rename,
}

impl ClassinKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Register, Self::Enrol, Self::Remove, Self::Rename];

    /// The word in tables and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Enrol => "enrol",
            Self::Remove => "remove",
            Self::Rename => "rename",
        }
    }
}

impl From<EnrolmentKind> for ClassinKind {
    fn from(kind: EnrolmentKind) -> Self {
        match kind {
            EnrolmentKind::Register => Self::Register,
            EnrolmentKind::Enrol => Self::Enrol,
            EnrolmentKind::Remove => Self::Remove,
        }
    }
}

/// The kind of an operation of either service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordedKind {
    /// On the exam side.
    Exam(OperationKind),
    /// On ClassIn.
    Classin(ClassinKind),
    /// A row of the roster that cannot be used.
    RosterRow,
}

impl RecordedKind {
    /// The service it belongs to.
    #[must_use]
    pub fn service(self) -> Service {
        match self {
            Self::Exam(_) => Service::Exam,
            Self::Classin(_) => Service::Classin,
            Self::RosterRow => Service::Roster,
        }
    }

    /// The word in tables and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exam(kind) => kind.as_str(),
            Self::Classin(kind) => kind.as_str(),
            Self::RosterRow => "row",
        }
    }

    /// Reads [`RecordedKind::as_str`] back.
    #[must_use]
    pub fn parse(service: Service, word: &str) -> Option<Self> {
        match service {
            Service::Exam => OperationKind::parse(word).map(Self::Exam),
            Service::Classin => {
                ClassinKind::ALL.into_iter().find(|kind| kind.as_str() == word).map(Self::Classin)
            }
            Service::Roster => (word == Self::RosterRow.as_str()).then_some(Self::RosterRow),
        }
    }
}

impl From<OperationKind> for RecordedKind {
    fn from(kind: OperationKind) -> Self {
        Self::Exam(kind)
    }
}

impl From<ClassinKind> for RecordedKind {
    fn from(kind: ClassinKind) -> Self {
        Self::Classin(kind)
    }
}

impl fmt::Display for RecordedKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for RecordedKind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// One thing that is wanted of one student, or of one group, as failures, intents and approvals name it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationKey {
    /// Of which service, and what.
    pub kind: RecordedKind,
    /// The student; empty where it concerns a group.
    pub student: StudentId,
    /// For ClassIn the class, by the school's code or by ClassIn's ids; for a group its code; otherwise empty.
    pub class_key: String,
}

impl OperationKey {
    /// An operation that concerns no class.
    #[must_use]
    pub fn of(kind: impl Into<RecordedKind>, student: StudentId) -> Self {
        Self { kind: kind.into(), student, class_key: String::new() }
    }

    /// The creation of a group of the roster.
    #[must_use]
    pub fn of_group(code: &GroupCode) -> Self {
        let kind = OperationKind::CreateGroup.into();
        Self { kind, student: StudentId::new(""), class_key: code.as_str().to_owned() }
    }

    /// An operation on one class of ClassIn.
    #[must_use]
    pub fn in_class(kind: ClassinKind, student: StudentId, class_key: String) -> Self {
        Self { kind: kind.into(), student, class_key }
    }

    /// The service it belongs to.
    #[must_use]
    pub fn service(&self) -> Service {
        self.kind.service()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_reads_back_as_itself_for_its_own_service_alone() {
        let exam = OperationKind::ALL.map(RecordedKind::Exam);
        let classin = ClassinKind::ALL.map(RecordedKind::Classin);
        for kind in exam.into_iter().chain(classin) {
            assert_eq!(RecordedKind::parse(kind.service(), kind.as_str()), Some(kind));
            for other in Service::ALL.into_iter().filter(|service| *service != kind.service()) {
                assert_eq!(RecordedKind::parse(other, kind.as_str()), None, "{kind}");
            }
        }
    }

    #[test]
    fn every_service_reads_back_as_itself() {
        for service in Service::ALL {
            assert_eq!(Service::parse(service.as_str()), Some(service));
        }
        assert_eq!(Service::parse("Exam"), None);
    }
}
