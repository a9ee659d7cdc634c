//! The pure vocabulary: students, groups, classes and results.
//!
//! Nothing here reads, writes, waits or looks at a clock; every other folder may depend on this one.

mod identifier;
mod likeness;
mod person;
mod phone;
mod policy;
mod problem;
mod result;
mod shell_word;
mod student;
mod text;

pub use identifier::{
    ClassCode, ClassId, ClassinUid, CourseId, ExamId, FieldId, Gid, GroupCode, LoginValue, RunId, Sid,
    StudentId,
};
pub use likeness::{IdLikeness, LoginLikeness};
pub use person::RosterPerson;
pub use phone::{HomeCountry, Phone, PhoneProblem};
pub use policy::{Adopt, Leavers, Limit, Mode, Removals};
pub use problem::RosterProblem;
pub use result::{Attempt, AttemptKey, AttemptStatus};
pub use shell_word::{shell_option, shell_word, shell_words};
pub use student::{Class, ClassTarget, Enrolment, Group, Standing, Student};
pub use text::{identifier, is_invisible, normalise, normalise_key, without_zero_fraction};
