//! The calls of the candidate API that rosterd makes.

use std::fmt;

use crate::remote::http::Method;

/// One endpoint of `https://…/api/v1/student/`.
///
/// Contract: docs/contracts/onlineexammaker.md, 1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExamCall {
    GetFields,
    /// One page of the listing.
    GetStudentList,
    /// Look-up by sid or login value.
    GetStudentsInfo,
    AddStudents,
    ChangeStudents,
    DeleteStudents,
    MoveGroups,
    /// One page of the results.
    QueryResults,
    AddCategory,
}

impl ExamCall {
    /// The endpoint's name as the service spells it; the name it is counted and logged under.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::GetFields => "getFields",
            Self::GetStudentList => "getstulist",
            Self::GetStudentsInfo => "getstudentsinfo",
            Self::AddStudents => "addStudents",
            Self::ChangeStudents => "changeStuinfo",
            Self::DeleteStudents => "delStu",
            Self::MoveGroups => "movestugroup",
            Self::QueryResults => "queryresults",
            Self::AddCategory => "addcategory",
        }
    }

    /// Whether the call changes something at the service.
    #[must_use]
    pub fn is_write(self) -> bool {
        match self {
            Self::GetFields | Self::GetStudentList | Self::GetStudentsInfo | Self::QueryResults => false,
            Self::AddStudents
            | Self::ChangeStudents
            | Self::DeleteStudents
            | Self::MoveGroups
            | Self::AddCategory => true,
        }
    }

    /// Everything but `getFields` and `queryresults` is a POST.
    pub(super) fn method(self) -> Method {
        match self {
            Self::GetFields | Self::QueryResults => Method::Get,
            Self::GetStudentList
            | Self::GetStudentsInfo
            | Self::AddStudents
            | Self::ChangeStudents
            | Self::DeleteStudents
            | Self::MoveGroups
            | Self::AddCategory => Method::Post,
        }
    }

    pub(super) fn path(self) -> String {
        format!("/api/v1/student/{}", self.name())
    }
}

impl fmt::Display for ExamCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
