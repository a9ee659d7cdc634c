//! Members of one class: addClassStudentMultiple, delClassStudentMultiple, addCourseClassStudent.
//!
//! Contract: docs/contracts/classin.md, 4.1, 4.2, 4.8 and 8.1.

use std::collections::HashSet;

use super::answers::Answer;
use super::rules::{self, Entry};
use super::{ClassInRequest, ClassInWorld};
use crate::json::whole_number;

/// Parameters, identity, course and class of a call about one class.
fn class_call(
    request: &ClassInRequest<'_>,
    entries: Result<Vec<Entry>, i64>,
) -> Result<(i64, i64, Vec<Entry>), Answer> {
    let (Some(course_id), Some(class_id)) = (request.id("courseId"), request.id("classId")) else {
        return Err(Answer::refused(100));
    };
    let entries = entries.map_err(Answer::refused)?;
    if rules::identity(request).map_err(Answer::refused)? != 1 {
        return Err(Answer::refused(159));
    }
    let fault = rules::course_fault_at_class(request, course_id)
        .or_else(|| rules::class_fault(request, course_id, class_id));
    match fault {
        Some(code) => {
            let items = entries.iter().map(|entry| entry.answered(code, false)).collect();
            Err(Answer::closed(request, code, items))
        }
        None => Ok((course_id, class_id, entries)),
    }
}

/// `addClassStudentMultiple`.
pub(super) fn add(request: &mut ClassInRequest<'_>) -> Answer {
    let (course_id, class_id, entries) = match class_call(request, rules::students(request)) {
        Ok(call) => call,
        Err(answer) => return answer,
    };
    let before = request.state.classes.get(&class_id).cloned();
    let part = request.fired.items_applied(entries.len());
    let mut seen = HashSet::new();
    let mut items = Vec::with_capacity(entries.len());
    for (position, entry) in entries.iter().take(part).enumerate() {
        let (code, changed) = match (request.fired.refuses_item(position), entry.uid) {
            (Some(code), _) => (code.unwrap_or(158), false),
            (None, None) => (uid_missing(request), false),
            (None, Some(uid)) if !seen.insert(uid) => (twice(request, 166), false),
            (None, Some(uid)) => add_to_class(request, course_id, class_id, uid),
        };
        items.push(entry.answered(code, changed));
    }
    if request.is("full_level", "top") && items.iter().any(|item| item.code == 157) {
        if let Some(before) = before {
            request.state.classes.insert(class_id, before);
        }
        return Answer { sent: entries.len(), ..Answer::refused(157) };
    }
    Answer { sent: entries.len(), ..Answer::items(items) }
}

/// The code of an item without uid.
pub(super) fn uid_missing(request: &ClassInRequest<'_>) -> i64 {
    if request.is("uid_missing_in_item", "400") { 400 } else { 100 }
}

/// The code of a uid that was in this array before.
pub(super) fn twice(request: &ClassInRequest<'_>, already: i64) -> i64 {
    match request.text("duplicate_in_array") {
        "second_already" => already,
        "second_133" => 133,
        "both_one" => 1,
        // Contract: docs/contracts/classin.md, 12.2: by default the class calls say 166, the course calls 133.
        _ if already == 166 => 166,
        _ => 133,
    }
}

fn add_to_class(request: &mut ClassInRequest<'_>, course_id: i64, class_id: i64, uid: i64) -> (i64, bool) {
    let Some(class) = request.state.classes.get(&class_id) else { return (143, false) };
    if let Some(code) = rules::person_fault(request.state, uid, course_id, Some(class)) {
        return (code, false);
    }
    let Some(course) = request.state.courses.get(&course_id) else { return (144, false) };
    if course.auditors.contains(&uid) {
        return (164, false);
    }
    if class.transfer.contains(&uid) {
        return (166, false);
    }
    if course.students.contains(&uid) {
        if !class.transferred_out.contains(&uid) {
            return (if request.is("course_student_at_class_add", "1") { 1 } else { 166 }, false);
        }
        return match request.text("transferred_out_at_class_add") {
            "166" => (166, false),
            "400" => (400, false),
            _ => (1, change(request.state, class_id, |class| class.transferred_out.remove(&uid))),
        };
    }
    let capacity = class.capacity.unwrap_or_else(|| request.number("class_capacity"));
    if capacity > 0 && request.state.attendees(class).len() >= capacity {
        return (157, false);
    }
    (1, change(request.state, class_id, |class| class.transfer.insert(uid)))
}

fn change(
    state: &mut ClassInWorld,
    class_id: i64,
    change: impl FnOnce(&mut super::school::Class) -> bool,
) -> bool {
    state.classes.get_mut(&class_id).is_some_and(change)
}

/// `delClassStudentMultiple`.
pub(super) fn remove(request: &mut ClassInRequest<'_>) -> Answer {
    let (course_id, class_id, entries) = match class_call(request, rules::uids(request)) {
        Ok(call) => call,
        Err(answer) => return answer,
    };
    let part = request.fired.items_applied(entries.len());
    let mut items = Vec::with_capacity(entries.len());
    for (position, entry) in entries.iter().take(part).enumerate() {
        let (code, changed) = match (request.fired.refuses_item(position), entry.uid) {
            (Some(code), _) => (code.unwrap_or(171), false),
            (None, None) => (uid_missing(request), false),
            (None, Some(uid)) => remove_from_class(request.state, course_id, class_id, uid),
        };
        items.push(entry.answered(code, changed));
    }
    Answer { sent: entries.len(), ..Answer::items(items) }
}

fn remove_from_class(state: &mut ClassInWorld, course_id: i64, class_id: i64, uid: i64) -> (i64, bool) {
    if !state.accounts.contains_key(&uid) {
        return (400, false);
    }
    let in_course = state.courses.get(&course_id).is_some_and(|course| course.students.contains(&uid));
    let Some(class) = state.classes.get_mut(&class_id) else { return (143, false) };
    // A student of the course is transferred out of this class, also one who had a place of their own in it.
    let had_a_place = class.transfer.remove(&uid);
    let is_transferred_out = in_course && class.transferred_out.insert(uid);
    if had_a_place || is_transferred_out { (1, true) } else { (167, false) }
}

/// `addCourseClassStudent`: one student, one item per class.
pub(super) fn add_to_many(request: &mut ClassInRequest<'_>) -> Answer {
    let (Some(course_id), Some(uid)) = (request.id("courseId"), request.id("studentUid")) else {
        return Answer::refused(100);
    };
    let classes = match rules::array(request, "classJson") {
        Ok(classes) => classes,
        Err(code) => return Answer::refused(code),
    };
    let entry = Entry { uid: Some(uid), token: None };
    if let Some(code) = rules::course_fault_at_class(request, course_id) {
        let items = classes.iter().map(|_| entry.answered(code, false)).collect();
        return Answer::closed(request, code, items);
    }
    let part = request.fired.items_applied(classes.len());
    let mut items = Vec::with_capacity(classes.len());
    for (position, class) in classes.iter().take(part).enumerate() {
        let class_id = whole_number(class).unwrap_or(0);
        let (code, changed) = match request.fired.refuses_item(position) {
            Some(code) => (code.unwrap_or(158), false),
            None => match rules::class_fault(request, course_id, class_id) {
                Some(code) => (code, false),
                None => add_to_class(request, course_id, class_id, uid),
            },
        };
        items.push(entry.answered(code, changed));
    }
    Answer { sent: classes.len(), ..Answer::items(items) }
}
