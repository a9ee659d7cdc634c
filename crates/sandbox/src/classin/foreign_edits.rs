//! The fault `foreign_edit`: edits made in the console or the client, applied before a call.

use serde_json::Value;

use super::school::ClassInWorld;
use crate::faults::Fired;
use crate::json::whole_number;
use crate::moment;
use crate::reply::Call;

/// Lets the faults of this kind that strike the call happen before it.
pub(super) fn edit(state: &mut ClassInWorld, call: &Call, fired: &Fired) {
    let id = |name| call.form.get(name).and_then(|text| text.trim().parse::<i64>().ok());
    let (course_id, class_id) = (id("courseId"), id("classId"));
    if let Some(class) = class_id.and_then(|class_id| state.classes.get_mut(&class_id)) {
        if fired.has("class_ends_between_calls") {
            // Over long enough for both readings of 145.
            class.end = moment::now_s() - 21 * 60;
        }
        class.deleted |= fired.has("class_deleted_between_calls");
    }
    if let Some(argument) = fired.get("account_cancelled")
        && let Some(uid) = argument.parse().ok().or_else(|| first_uid(state, call))
    {
        state.cancel(uid);
    }
    if let Some(change) = fired.get("foreign_edit") {
        let (action, uid) = change.split_once('/').unwrap_or((change, ""));
        change_members(state, course_id, class_id, action, uid.parse().ok());
    }
}

fn first_uid(state: &ClassInWorld, call: &Call) -> Option<i64> {
    let single = call.form.get("studentUid").and_then(|text| text.trim().parse().ok());
    let listed = || {
        let text = call.form.get("studentJson").or_else(|| call.form.get("studentUidJson"))?;
        let items: Value = serde_json::from_str(text).ok()?;
        let first = items.as_array()?.first()?;
        whole_number(first).or_else(|| first.get("uid").and_then(whole_number))
    };
    let by_contact = || {
        ["studentAccount", "telephone", "email"]
            .into_iter()
            .find_map(|name| call.form.get(name).and_then(|contact| state.uid_of(contact)))
    };
    single.or_else(listed).or_else(by_contact)
}

fn change_members(
    state: &mut ClassInWorld,
    course_id: Option<i64>,
    class_id: Option<i64>,
    action: &str,
    uid: Option<i64>,
) {
    let students: Vec<i64> =
        state.members.iter().filter(|(_, member)| member.is_student).map(|(uid, _)| *uid).collect();
    let members = match class_id {
        Some(class_id) => state.classes.get_mut(&class_id).map(|class| &mut class.transfer),
        None => course_id.and_then(|id| state.courses.get_mut(&id)).map(|course| &mut course.students),
    };
    let Some(members) = members else { return };
    if action == "add" {
        let newcomer = uid.or_else(|| students.into_iter().find(|uid| !members.contains(uid)));
        members.extend(newcomer);
    } else if let Some(leaver) = uid.or_else(|| members.first().copied()) {
        members.remove(&leaver);
    }
}
