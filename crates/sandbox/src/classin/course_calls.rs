//! Members of a whole course: addCourseStudent, delCourseStudent and their bulk forms.
//!
//! Contract: docs/contracts/classin.md, 4.6, 4.7 and 8.2: possible in every phase of a class's life.

use std::collections::HashSet;

use super::Desk;
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
    desk: &Desk<'_>,
    entries: Result<Vec<Entry>, i64>,
) -> Result<(i64, Place, Vec<Entry>), Answer> {
    let Some(course_id) = desk.id("courseId") else { return Err(Answer::refused(100)) };
    let entries = entries.map_err(Answer::refused)?;
    let place = match rules::identity(desk).map_err(Answer::refused)? {
        1 => Place::Student,
        2 => Place::Auditor,
        _ => return Err(Answer::refused(100)),
    };
    match rules::course_fault(desk, course_id) {
        Some(code) => {
            let items = entries.iter().map(|entry| entry.answered(code, false)).collect();
            Err(Answer::condemned(desk, code, items))
        }
        None => Ok((course_id, place, entries)),
    }
}

/// `addCourseStudentMultiple`.
pub(super) fn add(desk: &mut Desk<'_>) -> Answer {
    let (course_id, place, entries) = match course_call(desk, rules::students(desk)) {
        Ok(call) => call,
        Err(answer) => return answer,
    };
    let hold = format!("course {course_id}");
    if desk.is("concurrent_course_add", "464") && desk.busy.contains(&hold) {
        return Answer { sent: entries.len(), ..Answer::refused(464) };
    }
    let before = desk.state.courses.get(&course_id).cloned();
    let part = desk.fired.items_applied(entries.len());
    let mut seen = HashSet::new();
    let mut items = Vec::with_capacity(entries.len());
    for (position, entry) in entries.iter().take(part).enumerate() {
        let (code, changed) = match (desk.fired.refuses_item(position), entry.uid) {
            (Some(Some(841)), Some(uid)) => nickname_failed(add_to_course(desk, course_id, place, uid)),
            (Some(code), _) => (code.unwrap_or(104), false),
            (None, None) => (uid_missing(desk), false),
            (None, Some(uid)) if !seen.insert(uid) => (twice(desk, 163), false),
            (None, Some(uid)) => add_to_course(desk, course_id, place, uid),
        };
        items.push(entry.answered(code, changed));
    }
    if desk.is("full_level", "top") && items.iter().any(|item| item.code == 130) {
        if let Some(before) = before {
            desk.state.courses.insert(course_id, before);
        }
        return Answer { sent: entries.len(), ..Answer::refused(130) };
    }
    let answer = Answer { sent: entries.len(), holds: vec![hold], ..Answer::items(items) };
    match desk.fired.number("refuse_call", 104) {
        Some(841) => answer.with_only(841),
        _ => answer,
    }
}

/// `addCourseStudent`.
pub(super) fn add_one(desk: &mut Desk<'_>) -> Answer {
    let entry = Entry { uid: desk.id("studentUid"), token: None };
    let Some(uid) = entry.uid else { return Answer::refused(100) };
    match course_call(desk, Ok(vec![entry])) {
        Ok((course_id, place, _)) => {
            let mut done = add_to_course(desk, course_id, place, uid);
            if desk.fired.number("refuse_call", 104) == Some(841) {
                done = nickname_failed(done);
            }
            Answer::single(done.0, done.1)
        }
        Err(answer) => single_of(&answer),
    }
}

/// A single call has no items: what condemns it stands at the top.
fn single_of(answer: &Answer) -> Answer {
    let item = answer.items.as_deref().and_then(|items| items.first()).map(|item| item.code);
    Answer::single(item.or(answer.top).unwrap_or(100), false)
}

fn nickname_failed((code, changed): (i64, bool)) -> (i64, bool) {
    (if code == 1 { 841 } else { code }, changed)
}

fn add_to_course(desk: &mut Desk<'_>, course_id: i64, place: Place, uid: i64) -> (i64, bool) {
    let auditing = place == Place::Auditor;
    if let Some(code) = rules::person_fault(desk.state, uid, course_id, None) {
        let code = match code {
            886 if auditing => 887,
            129 if auditing => 174,
            other => other,
        };
        return (code, false);
    }
    let (course_capacity, auditor_cap) = (desk.number("course_capacity"), desk.number("auditor_cap"));
    let Some(course) = desk.state.courses.get_mut(&course_id) else { return (147, false) };
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
pub(super) fn remove(desk: &mut Desk<'_>) -> Answer {
    let (course_id, place, entries) = match course_call(desk, rules::uids(desk)) {
        Ok(call) => call,
        Err(answer) => return answer,
    };
    let part = desk.fired.items_applied(entries.len());
    let mut items = Vec::with_capacity(entries.len());
    for (position, entry) in entries.iter().take(part).enumerate() {
        let (code, changed) = match (desk.fired.refuses_item(position), entry.uid) {
            (Some(code), _) => (code.unwrap_or(104), false),
            (None, None) => (uid_missing(desk), false),
            (None, Some(uid)) => remove_from_course(desk, course_id, place, uid),
        };
        items.push(entry.answered(code, changed));
    }
    Answer { sent: entries.len(), ..Answer::items(items) }
}

/// `delCourseStudent`.
pub(super) fn remove_one(desk: &mut Desk<'_>) -> Answer {
    let entry = Entry { uid: desk.id("studentUid"), token: None };
    let Some(uid) = entry.uid else { return Answer::refused(100) };
    match course_call(desk, Ok(vec![entry])) {
        Ok((course_id, place, _)) => {
            let (code, changed) = remove_from_course(desk, course_id, place, uid);
            Answer::single(code, changed)
        }
        Err(answer) => single_of(&answer),
    }
}

fn remove_from_course(desk: &mut Desk<'_>, course_id: i64, place: Place, uid: i64) -> (i64, bool) {
    if !desk.state.accounts.contains_key(&uid) {
        return (400, false);
    }
    let Some(course) = desk.state.courses.get_mut(&course_id) else { return (147, false) };
    let removed = match place {
        Place::Student => course.students.remove(&uid),
        Place::Auditor => course.auditors.remove(&uid),
    };
    if !removed {
        return (162, false);
    }
    if place == Place::Student {
        for class in desk.state.classes.values_mut().filter(|class| class.course_id == course_id) {
            class.transferred_out.remove(&uid);
        }
    }
    (1, true)
}
