//! Members of a whole course: addCourseStudent, delCourseStudent and their bulk forms.
//!
//! Contract: docs/contracts/classin.md, 4.6, 4.7 and 8.2: possible in every phase of a class's life.

use std::collections::HashSet;

use super::ClassInRequest;
use super::answers::Answer;
use super::class_calls::{twice, uid_missing};
use super::rules::{self, Entry};

/// Student or auditor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Student,
    Auditor,
}

fn course_call(
    request: &ClassInRequest<'_>,
    entries: Result<Vec<Entry>, i64>,
) -> Result<(i64, Place, Vec<Entry>), Answer> {
    let Some(course_id) = request.id("courseId") else { return Err(Answer::refused(100)) };
    let entries = entries.map_err(Answer::refused)?;
    let place = match rules::identity(request).map_err(Answer::refused)? {
        1 => Place::Student,
        2 => Place::Auditor,
        _ => return Err(Answer::refused(100)),
    };
    match rules::course_fault(request, course_id) {
        Some(code) => {
            let items = entries.iter().map(|entry| entry.answered(code, false)).collect();
            Err(Answer::closed(request, code, items))
        }
        None => Ok((course_id, place, entries)),
    }
}

/// `addCourseStudentMultiple`.
pub(super) fn add(request: &mut ClassInRequest<'_>) -> Answer {
    let (course_id, place, entries) = match course_call(request, rules::students(request)) {
        Ok(call) => call,
        Err(answer) => return answer,
    };
    let hold = format!("course {course_id}");
    if request.is("concurrent_course_add", "464") && request.busy.contains(&hold) {
        return Answer { sent: entries.len(), ..Answer::refused(464) };
    }
    let before = request.state.courses.get(&course_id).cloned();
    let part = request.fired.items_applied(entries.len());
    let mut seen = HashSet::new();
    let mut items = Vec::with_capacity(entries.len());
    for (position, entry) in entries.iter().take(part).enumerate() {
        let (code, changed) = match (request.fired.refuses_item(position), entry.uid) {
            (Some(Some(841)), Some(uid)) => nickname_failed(add_to_course(request, course_id, place, uid)),
            (Some(code), _) => (code.unwrap_or(104), false),
            (None, None) => (uid_missing(request), false),
            (None, Some(uid)) if !seen.insert(uid) => (twice(request, 163), false),
            (None, Some(uid)) => add_to_course(request, course_id, place, uid),
        };
        items.push(entry.answered(code, changed));
    }
    if request.is("full_level", "top") && items.iter().any(|item| item.code == 130) {
        if let Some(before) = before {
            request.state.courses.insert(course_id, before);
        }
        return Answer { sent: entries.len(), ..Answer::refused(130) };
    }
    let answer = Answer { sent: entries.len(), holds: vec![hold], ..Answer::items(items) };
    match request.fired.number("refuse_call", 104) {
        Some(841) => answer.with_only(841),
        _ => answer,
    }
}

/// `addCourseStudent`.
pub(super) fn add_one(request: &mut ClassInRequest<'_>) -> Answer {
    let entry = Entry { uid: request.id("studentUid"), token: None };
    let Some(uid) = entry.uid else { return Answer::refused(100) };
    match course_call(request, Ok(vec![entry])) {
        Ok((course_id, place, _)) => {
            let mut done = add_to_course(request, course_id, place, uid);
            if request.fired.number("refuse_call", 104) == Some(841) {
                done = nickname_failed(done);
            }
            Answer::single(done.0, done.1)
        }
        Err(answer) => single_of(&answer),
    }
}

/// A single call has no items: a code that closes the class is at the top.
fn single_of(answer: &Answer) -> Answer {
    let item = answer.items.as_deref().and_then(|items| items.first()).map(|item| item.code);
    Answer::single(item.or(answer.top).unwrap_or(100), false)
}

fn nickname_failed((code, changed): (i64, bool)) -> (i64, bool) {
    (if code == 1 { 841 } else { code }, changed)
}

fn add_to_course(request: &mut ClassInRequest<'_>, course_id: i64, place: Place, uid: i64) -> (i64, bool) {
    let auditing = place == Place::Auditor;
    if let Some(code) = rules::person_fault(request.state, uid, course_id, None) {
        let code = match code {
            886 if auditing => 887,
            129 if auditing => 174,
            other => other,
        };
        return (code, false);
    }
    let (course_capacity, auditor_cap) = (request.number("course_capacity"), request.number("auditor_cap"));
    let Some(course) = request.state.courses.get_mut(&course_id) else { return (147, false) };
    if course.auditors.contains(&uid) {
        return (164, false);
    }
    if course.students.contains(&uid) {
        return (163, false);
    }
    let (places, taken) = match place {
        Place::Student => (course.capacity.unwrap_or(course_capacity), course.students.len()),
        Place::Auditor => (auditor_cap, course.auditors.len()),
    };
    if taken >= places && (places > 0 || auditing) {
        return (130, false);
    }
    let changed = match place {
        Place::Student => course.students.insert(uid),
        Place::Auditor => course.auditors.insert(uid),
    };
    (1, changed)
}

/// `delCourseStudentMultiple`.
pub(super) fn remove(request: &mut ClassInRequest<'_>) -> Answer {
    let (course_id, place, entries) = match course_call(request, rules::uids(request)) {
        Ok(call) => call,
        Err(answer) => return answer,
    };
    let part = request.fired.items_applied(entries.len());
    let mut items = Vec::with_capacity(entries.len());
    for (position, entry) in entries.iter().take(part).enumerate() {
        let (code, changed) = match (request.fired.refuses_item(position), entry.uid) {
            (Some(code), _) => (code.unwrap_or(104), false),
            (None, None) => (uid_missing(request), false),
            (None, Some(uid)) => remove_from_course(request, course_id, place, uid),
        };
        items.push(entry.answered(code, changed));
    }
    Answer { sent: entries.len(), ..Answer::items(items) }
}

/// `delCourseStudent`.
pub(super) fn remove_one(request: &mut ClassInRequest<'_>) -> Answer {
    let entry = Entry { uid: request.id("studentUid"), token: None };
    let Some(uid) = entry.uid else { return Answer::refused(100) };
    match course_call(request, Ok(vec![entry])) {
        Ok((course_id, place, _)) => {
            let (code, changed) = remove_from_course(request, course_id, place, uid);
            Answer::single(code, changed)
        }
        Err(answer) => single_of(&answer),
    }
}

fn remove_from_course(
    request: &mut ClassInRequest<'_>,
    course_id: i64,
    place: Place,
    uid: i64,
) -> (i64, bool) {
    if !request.state.accounts.contains_key(&uid) {
        return (400, false);
    }
    let Some(course) = request.state.courses.get_mut(&course_id) else { return (147, false) };
    let removed = match place {
        Place::Student => course.students.remove(&uid),
        Place::Auditor => course.auditors.remove(&uid),
    };
    if !removed {
        return (162, false);
    }
    if place == Place::Student {
        for class in request.state.classes.values_mut().filter(|class| class.course_id == course_id) {
            class.transferred_out.remove(&uid);
        }
    }
    (1, true)
}
