//! A short, stable hash of an operation's desired change.

use super::EnrolmentKind;
use crate::roster::{ClassCode, ClassTarget, ClassinUid, StudentId};

/// Everything that makes one wanted change differ from another.
#[derive(Clone, Copy, Debug)]
pub struct WantedEnrolment<'a> {
    /// What.
    pub kind: EnrolmentKind,
    /// The student.
    pub student: &'a StudentId,
    /// The school's code of the class; `None` for removals, whose class the roster may have dropped.
    pub class_code: Option<&'a ClassCode>,
    /// The account.
    pub uid: Option<ClassinUid>,
    /// ClassIn's ids of the class.
    pub target: ClassTarget,
}

/// What is wanted of a class or course by such calls as a whole: that its ids are right. Other ids are another want.
#[must_use]
pub fn class_hash(kind: EnrolmentKind, target: ClassTarget) -> u64 {
    desired_hash(&WantedEnrolment { kind, student: &StudentId::new(""), class_code: None, uid: None, target })
}

/// The fingerprint: the same on every machine and in every version, so that it can be stored.
#[must_use]
pub fn desired_hash(wanted: &WantedEnrolment<'_>) -> u64 {
    let WantedEnrolment { kind, student, class_code, uid, target } = wanted;
    let mut hasher = blake3::Hasher::new();
    let mut text = |part: &str| {
        hasher.update(part.as_bytes());
        // A byte that no UTF-8 text contains keeps the parts apart.
        hasher.update(&[0xff]);
    };
    text(kind.as_str());
    text(student.as_str());
    text(class_code.map_or("", ClassCode::as_str));
    for number in [uid.map(|uid| uid.0), Some(target.course.0), target.class.map(|class| class.0)] {
        text(&number.map(|number| number.to_string()).unwrap_or_default());
    }
    let digest = hasher.finalize();
    let first = digest.as_bytes().first_chunk().copied().unwrap_or_default();
    u64::from_le_bytes(first)
}
