//! The pure vocabulary: who is on the roster, which groups and classes there are.
//!
//! Nothing here reads, writes, waits or looks at a clock; every other folder may depend on this one.

mod identifier;
mod phone;
mod problem;
mod student;
mod text;

pub use identifier::{
    ClassCode, ClassId, ClassinUid, CourseId, FieldId, Gid, GroupCode, LoginValue, RunId, Sid, StudentId,
};
pub use phone::{HomeCountry, Phone, PhoneProblem};
pub use problem::RosterProblem;
pub use student::{Class, ClassTarget, Enrolment, Group, Student};
pub use text::normalise;
