//! Checks that several actions share: arrays, identity, courses, classes, persons, phones.
//!
//! Contract: docs/contracts/classin.md, 8.1 and 12.1; the order of checks is the contract's own construction.

use serde_json::Value;

use super::answers::Item;
use super::school::{Class, ClassKind, ClassOrigin, CourseStatus};
use super::{ClassInRequest, ClassInWorld};
use crate::json::whole_number;
use crate::moment;

/// One student of an array.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// As it was sent; `None` where there is no number.
    pub(super) uid: Option<i64>,
    /// `customColumn`.
    pub(super) token: Option<Value>,
}

impl Entry {
    /// The answer to it.
    pub(super) fn answered(&self, code: i64, changed: bool) -> Item {
        Item { code, token: self.token.clone(), changed, ..Item::default() }
    }
}

/// Reads a JSON text that is an array; 155 where it is none or empty, 100 above the cap.
pub(super) fn array(request: &ClassInRequest<'_>, name: &str) -> Result<Vec<Value>, i64> {
    let text = request.parameter(name).unwrap_or_default();
    let Ok(Value::Array(items)) = serde_json::from_str(text) else { return Err(155) };
    if items.is_empty() {
        return Err(155);
    }
    let cap = request.number("batch_cap");
    if cap > 0 && items.len() > cap { Err(100) } else { Ok(items) }
}

/// The students of `studentJson`.
pub(super) fn students(request: &ClassInRequest<'_>) -> Result<Vec<Entry>, i64> {
    let entry = |item: &Value| Entry {
        uid: item.get("uid").and_then(whole_number),
        token: item.get("customColumn").cloned(),
    };
    Ok(array(request, "studentJson")?.iter().map(entry).collect())
}

/// The uids of `studentUidJson`.
pub(super) fn uids(request: &ClassInRequest<'_>) -> Result<Vec<Entry>, i64> {
    let entry = |item: &Value| Entry { uid: whole_number(item), token: None };
    Ok(array(request, "studentUidJson")?.iter().map(entry).collect())
}

/// The identity; 100 where it is missing and the switch says so.
pub(super) fn identity(request: &ClassInRequest<'_>) -> Result<i64, i64> {
    match request.parameter("identity").map(str::trim) {
        None | Some("") if request.is("identity_missing", "defaults_to_1") => Ok(1),
        None | Some("") => Err(100),
        Some(text) => text.parse().map_err(|_| 100),
    }
}

/// The fault of a course, as course-level actions report it.
pub(super) fn course_fault(request: &ClassInRequest<'_>, course_id: i64) -> Option<i64> {
    let Some(course) = request.state.courses.get(&course_id) else { return Some(147) };
    match (course.status, course.kind) {
        // delCourseStudentMultiple has no 149. Contract: docs/contracts/classin.md, 6.4.
        (CourseStatus::Deleted, _) if request.action == "delCourseStudentMultiple" => Some(147),
        (CourseStatus::Deleted, _) => Some(149),
        (CourseStatus::Expired, _) => Some(153),
        (CourseStatus::Running, ClassKind::Open) => Some(369),
        (CourseStatus::Running, ClassKind::Standard) => None,
    }
}

/// The fault of a course, as class-level actions report it.
pub(super) fn course_fault_at_class(request: &ClassInRequest<'_>, course_id: i64) -> Option<i64> {
    let Some(course) = request.state.courses.get(&course_id) else { return Some(144) };
    let many = request.action == "addCourseClassStudent";
    match course.status {
        // Only addCourseClassStudent knows 149 and 153; for the others the classes of such a course are over.
        CourseStatus::Deleted => Some(if many { 149 } else { 144 }),
        CourseStatus::Expired => Some(if many { 153 } else { 145 }),
        CourseStatus::Running => None,
    }
}

/// The fault of a class.
pub(super) fn class_fault(request: &ClassInRequest<'_>, course_id: i64, class_id: i64) -> Option<i64> {
    let Some(class) = request.state.classes.get(&class_id) else {
        return Some(if request.action == "addCourseClassStudent" { 142 } else { 143 });
    };
    if class.course_id != course_id {
        return Some(142);
    }
    if class.deleted {
        return Some(212);
    }
    let closed = match class.origin {
        ClassOrigin::V1 => false,
        ClassOrigin::V2 => request.is("v2_made", "466"),
        ClassOrigin::Client => request.is("client_made", "466"),
    };
    if closed {
        return Some(466);
    }
    if class.kind == ClassKind::Open {
        return Some(369);
    }
    let grace = if request.is("ended_from", "end_plus_20min") { 20 * 60 } else { 0 };
    (class.end.saturating_add(grace) <= moment::now_s()).then_some(145)
}

/// The objection to an account as a student: account, school, teaching. `None` without one.
pub(super) fn person_fault(
    state: &ClassInWorld,
    uid: i64,
    course_id: i64,
    class: Option<&Class>,
) -> Option<i64> {
    let Some(account) = state.accounts.get(&uid) else { return Some(400) };
    if account.cancelled {
        return Some(886);
    }
    if !state.is_student(uid) {
        return Some(228);
    }
    let teaches = match class {
        Some(class) => class.teacher == Some(uid),
        None => state.classes.values().any(|it| it.course_id == course_id && it.teacher == Some(uid)),
    };
    if teaches {
        return Some(129);
    }
    if class.is_some_and(|class| class.co_teachers.contains(&uid)) {
        return Some(329);
    }
    let course = state.courses.get(&course_id)?;
    if course.teachers.contains(&uid) {
        return Some(332);
    }
    (course.head_teacher == Some(uid)).then_some(333)
}

/// Whether a phone has the documented form. Contract: docs/contracts/classin.md, 1.2.
pub(super) fn phone_is_legal(phone: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match phone.split_once('-') {
        None => phone.len() == 11 && digits(phone) && !phone.starts_with('0'),
        Some((country, number)) => {
            let country = country.strip_prefix("00").unwrap_or_default();
            digits(country) && country != "86" && digits(number) && !number.starts_with('0')
        }
    }
}

/// Codes that say that it was done after all, in part.
pub(super) fn does_it_anyway(action: &str, code: i64) -> bool {
    match action {
        "register" | "registerMultiple" => [340, 820, 821].contains(&code),
        "addCourseStudentMultiple" | "addCourseStudent" => code == 841,
        _ => false,
    }
}
