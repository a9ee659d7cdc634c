//! The people, groups and classes of a roster, as the school records them.

use std::fmt;

use super::{ClassCode, ClassId, ClassinUid, CourseId, Gid, GroupCode, StudentId};

/// One student of the roster with the values that are mapped to exam fields.
#[derive(Clone, PartialEq, Eq)]
pub struct Student {
    /// The school's own id.
    pub id: StudentId,
    /// False for a student who has left but is still recorded.
    pub active: bool,
    /// Values of the mapped fields, in the order of the field mapping, normalised; empty when absent.
    pub values: Vec<String>,
    /// Codes of the groups the student is a member of, in ascending order.
    pub groups: Vec<GroupCode>,
}

impl fmt::Debug for Student {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Student")
            .field("id", &self.id)
            .field("active", &self.active)
            .field("values", &format_args!("{} masked", self.values.len()))
            .field("groups", &self.groups)
            .finish()
    }
}

/// Where a student with a row on the roster stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// There and active.
    OnRoster,
    /// Marked as left.
    Left,
    /// There and active, with a member row that names no class: that one may be meant where they are no longer wanted.
    Dangling,
    /// With rows that cannot be used: the student keeps what they hold, and is no leaver.
    Unusable,
}

/// One row of the roster's groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The school's code.
    pub code: GroupCode,
    /// Its everyday name.
    pub title: String,
    /// The exam side's id; absent until it is entered.
    pub gid: Option<Gid>,
    /// What makes the row unusable, as a sentence: then it has no gid, and none is looked for elsewhere.
    pub flaw: Option<String>,
}

/// The place of an enrolment: a class of a course, or the whole course.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassTarget {
    /// The course.
    pub course: CourseId,
    /// The class within it; absent for the whole course.
    pub class: Option<ClassId>,
}

impl ClassTarget {
    /// What it is called in a sentence.
    #[must_use]
    pub fn noun(self) -> &'static str {
        if self.class.is_some() { "class" } else { "course" }
    }
}

impl fmt::Display for ClassTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.class {
            Some(class) => write!(f, "course {} class {class}", self.course),
            None => write!(f, "course {}", self.course),
        }
    }
}

/// One row of the roster's classes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    /// The school's code.
    pub code: ClassCode,
    /// Its everyday name.
    pub title: String,
    /// Its ids on ClassIn; absent when the roster names no course, and then it is not mirrored.
    pub target: Option<ClassTarget>,
    /// What makes the row unusable, as a sentence: then it has no ids, and its members keep what they hold.
    pub flaw: Option<String>,
}

/// One student's wanted membership of one class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolment {
    /// The student.
    pub student: StudentId,
    /// The class, by the school's code.
    pub class_code: ClassCode,
    /// The class, by ClassIn's ids.
    pub target: ClassTarget,
    /// The student's ClassIn account, when the roster knows it.
    pub uid: Option<ClassinUid>,
}
