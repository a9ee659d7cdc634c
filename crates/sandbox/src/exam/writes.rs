//! The five calls that change the account: add, change, delete, move, create a group.
//!
//! Contract: docs/contracts/onlineexammaker.md, 3.2 to 3.5 and 3.9.

use serde_json::Value;

use super::ExamRequest;
use super::account::{Candidate, PASSWORD};
use super::verdicts::{self, Shape, Verdict};
use crate::json::{Escaping, Json, loose_text, member, whole_number};
use crate::reply::Reply;

/// `addStudents`.
pub(super) fn add(request: ExamRequest<'_>) -> Reply {
    let items = match json_list(&request, "info") {
        Ok(items) => items,
        Err(refused) => return *refused,
    };
    if request.is("unknown_gid", "refuse_call") && items.iter().any(|item| gids(&request, item).is_err()) {
        return request.refuse("the group does not exist").counting(items.len(), 0);
    }
    let cap = usize::try_from(request.number("candidate_cap")).unwrap_or(0);
    if cap > 0 && request.is("cap_style", "refuse_call") && request.state.len() + items.len() > cap {
        return request.refuse("the candidate number limit is reached").counting(items.len(), 0);
    }
    let part = request.fired.items_applied(items.len());
    let mut verdicts = Vec::with_capacity(items.len());
    for (position, item) in items.iter().take(part).enumerate() {
        let login_value = own_login_value(&request, item);
        let outcome = if request.fired.refuses_item(position).is_some() {
            Err("refused")
        } else {
            add_one(request.state, request.switches, item, cap)
        };
        verdicts.push(match outcome {
            Ok(sid) => Verdict::Applied(sid),
            Err(reason) => Verdict::Failed { sid: None, login_value, reason },
        });
    }
    verdicts::answer(request, Shape::Indexed, items.len(), &verdicts)
}

fn add_one(
    state: &mut super::ExamWorld,
    switches: &super::Switches,
    item: &Value,
    cap: usize,
) -> Result<i64, &'static str> {
    let is = |switch, value| switches.is(super::Exam, switch, value);
    let mut values = field_values(state, item)?;
    rewrite_login(state, switches, &mut values);
    rewrite_values(state, switches, &mut values);
    let gids = gids_of(state, switches, item)?;
    let login_value =
        values.iter().find(|(sfid, _)| *sfid == state.login_field).map_or("", |(_, value)| value);
    if login_value.trim().is_empty() {
        if is("missing_login_value", "fail") {
            return Err("the login value is missing");
        }
    } else if let Some(existing) = state.with_login(login_value).first().copied() {
        if is("dup_on_add", "fail") {
            return Err("the login value exists");
        }
        if is("dup_on_add", "update") {
            state.edit(existing, |candidate| {
                for (sfid, value) in &values {
                    candidate.set(*sfid, value);
                }
            });
            return Ok(existing);
        }
    }
    if cap > 0 && state.len() >= cap {
        return Err("the candidate number limit is reached");
    }
    let mut candidate = Candidate { fields: Vec::new(), gids: Vec::new() };
    for (sfid, value) in &values {
        candidate.set(*sfid, value);
    }
    candidate.set_groups(gids);
    Ok(state.insert(candidate))
}

/// `changeStuinfo`.
pub(super) fn change(request: ExamRequest<'_>) -> Reply {
    let items = match json_list(&request, "info") {
        Ok(items) => items,
        Err(refused) => return *refused,
    };
    let both = |item: &Value| {
        let sid = member(item, "sid").and_then(whole_number).is_some_and(|sid| sid != 0);
        sid && member(item, "loginValue").and_then(Value::as_str).is_some_and(|login| !login.is_empty())
    };
    if request.is("both_ids", "refuse") && items.iter().any(both) {
        return request.refuse("either sid or loginValue").counting(items.len(), 0);
    }
    let part = request.fired.items_applied(items.len());
    let mut verdicts = Vec::with_capacity(items.len());
    for (position, item) in items.iter().take(part).enumerate() {
        let sid = member(item, "sid").and_then(whole_number).filter(|sid| *sid != 0);
        let login_value = member(item, "loginValue").and_then(loose_text).unwrap_or_default();
        let by_login =
            sid.is_none() || (!login_value.is_empty() && request.is("both_ids", "login_values_win"));
        let asked = if by_login { Subject::Login(login_value) } else { Subject::Sid(sid.unwrap_or(0)) };
        verdicts.push(settle(&request, position, &asked));
        let Some(Verdict::Applied(sid)) = verdicts.last().cloned() else { continue };
        if request.state.candidate(sid).is_none() {
            continue;
        }
        if let Err(reason) = change_one(request.state, request.switches, sid, item) {
            let login_value = request.state.login_value(sid).to_owned();
            verdicts.pop();
            verdicts.push(Verdict::Failed { sid: Some(sid), login_value, reason });
        }
    }
    verdicts::answer(request, Shape::Sid, items.len(), &verdicts)
}

fn change_one(
    state: &mut super::ExamWorld,
    switches: &super::Switches,
    sid: i64,
    item: &Value,
) -> Result<(), &'static str> {
    let is = |switch, value| switches.is(super::Exam, switch, value);
    let login_field = state.login_field;
    let mut values = field_values(state, item)?;
    rewrite_login(state, switches, &mut values);
    rewrite_values(state, switches, &mut values);
    if values.iter().any(|(_, value)| value.is_empty()) {
        if is("clear_value", "fail") {
            return Err("a value is empty");
        }
        if is("clear_value", "ignored") {
            values.retain(|(_, value)| !value.is_empty());
        }
    }
    if let Some((_, login_value)) = values.iter().find(|(sfid, _)| *sfid == login_field) {
        if login_value.is_empty() {
            return Err("the login value is missing");
        }
        if is("dup_on_rename", "fail") && state.with_login(login_value).iter().any(|other| *other != sid) {
            return Err("the login value exists");
        }
    }
    let overwrite = is("change_mode", "overwrite");
    state.edit(sid, |candidate| {
        if overwrite {
            // Without its login value a candidate could neither sign in nor be found again.
            candidate.fields.retain(|(sfid, _)| *sfid == login_field);
        }
        for (sfid, value) in &values {
            candidate.set(*sfid, value);
        }
    });
    Ok(())
}

/// `delStu`.
pub(super) fn delete(request: ExamRequest<'_>) -> Reply {
    let asked = match asked_in_form(&request) {
        Ok(asked) => asked,
        Err(refused) => return *refused,
    };
    let part = request.fired.items_applied(asked.len());
    let mut gone = Vec::new();
    let mut verdicts = Vec::with_capacity(asked.len());
    for (position, one) in asked.iter().take(part).enumerate() {
        let mut verdict = settle(&request, position, one);
        if let Verdict::Applied(sid) = verdict {
            if gone.contains(&sid) {
                verdict =
                    Verdict::Failed { sid: Some(sid), login_value: String::new(), reason: "named twice" };
            } else {
                gone.push(sid);
            }
        }
        verdicts.push(verdict);
    }
    request.state.remove(&gone);
    verdicts::answer(request, Shape::Sid, asked.len(), &verdicts)
}

/// `movestugroup`.
pub(super) fn regroup(request: ExamRequest<'_>) -> Reply {
    let Some(order) =
        request.parameter("mvStuInfo").and_then(|text| serde_json::from_str::<Value>(text).ok())
    else {
        return request.refuse("mvStuInfo is not a JSON object");
    };
    let list = |name| member(&order, name).and_then(Value::as_array).cloned().unwrap_or_default();
    let sids: Vec<i64> = list("sid").iter().filter_map(whole_number).collect();
    let logins: Vec<String> = list("loginValues").iter().filter_map(loose_text).collect();
    let gids: Vec<i64> = list("gids").iter().filter_map(whole_number).collect();
    let action = member(&order, "action").and_then(Value::as_str).unwrap_or_default().to_owned();
    let asked = match choose(&request, sids, logins) {
        Ok(asked) => asked,
        Err(refused) => return *refused,
    };
    if gids.is_empty() || !["addto", "moveto", "delfrom"].contains(&action.as_str()) {
        return request.refuse("gids or action is missing").counting(asked.len(), 0);
    }
    let unknown = !request.is("unknown_gid", "accept")
        && gids.iter().any(|gid| !request.state.groups.contains_key(gid));
    if unknown && request.is("unknown_gid", "refuse_call") {
        return request.refuse("the group does not exist").counting(asked.len(), 0);
    }
    let part = request.fired.items_applied(asked.len());
    let mut verdicts = Vec::with_capacity(asked.len());
    for (position, one) in asked.iter().take(part).enumerate() {
        let mut verdict = settle(&request, position, one);
        if let Verdict::Applied(sid) = verdict
            && let Err(reason) = if unknown {
                Err("the group does not exist")
            } else {
                regroup_one(request.state, sid, &gids, &action)
            }
        {
            let login_value = request.state.login_value(sid).to_owned();
            verdict = Verdict::Failed { sid: Some(sid), login_value, reason };
        }
        verdicts.push(verdict);
    }
    verdicts::answer(request, Shape::Sid, asked.len(), &verdicts)
}

fn regroup_one(
    state: &mut super::ExamWorld,
    sid: i64,
    gids: &[i64],
    action: &str,
) -> Result<(), &'static str> {
    let Some(candidate) = state.candidate(sid) else { return Ok(()) };
    let mut wanted = candidate.gids.clone();
    match action {
        "moveto" => wanted = gids.to_vec(),
        "addto" => wanted.extend(gids),
        _ => {
            wanted.retain(|gid| !gids.contains(gid));
            if wanted.is_empty() {
                return Err("a candidate must be in at least one group");
            }
        }
    }
    state.edit(sid, |candidate| candidate.set_groups(wanted));
    Ok(())
}

/// `addcategory`.
pub(super) fn create_group(request: ExamRequest<'_>) -> Reply {
    let title = request.parameter("title").unwrap_or_default().trim().to_owned();
    let parent = request.parameter("parentGid").unwrap_or("0").trim().parse().unwrap_or(-1);
    if title.is_empty() {
        return request.refuse("the title cannot be empty").counting(1, 0);
    }
    if parent != 0 && !request.state.groups.contains_key(&parent) {
        return request.refuse("the parent group does not exist").counting(1, 0);
    }
    let twin = request.state.groups.iter().find(|(_, group)| group.title == title && group.parent == parent);
    let twin = twin.map(|(gid, _)| *gid);
    if twin.is_some() && request.is("addcategory_twin", "error") {
        return request.refuse("the title exists").counting(1, 0);
    }
    let existing = twin.filter(|_| request.is("addcategory_twin", "return_existing"));
    let gid = existing.unwrap_or_else(|| request.state.create_group(&title, parent));
    let json = Json::Map(vec![("gid", request.gid(gid)), ("status", Json::text("ok"))]);
    Reply::json(json, Escaping::Go).counting(1, usize::from(existing.is_none()))
}

/// The candidate of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Subject {
    /// By sid.
    Sid(i64),
    /// By login value.
    Login(String),
}

impl Subject {
    /// The candidate, where it exists.
    pub(super) fn find(&self, state: &super::ExamWorld) -> Option<i64> {
        match self {
            Subject::Sid(sid) => state.candidate(*sid).map(|_| *sid),
            Subject::Login(login_value) => state.with_login(login_value).first().copied(),
        }
    }
}

/// The candidate of an item, or what the switches make of an unknown one.
fn settle(request: &ExamRequest<'_>, position: usize, asked: &Subject) -> Verdict {
    let (sid, login_value) = match asked {
        Subject::Sid(sid) => (Some(*sid), request.state.login_value(*sid).to_owned()),
        Subject::Login(login_value) => (None, login_value.clone()),
    };
    if request.fired.refuses_item(position).is_some() {
        return Verdict::Failed { sid: asked.find(request.state).or(sid), login_value, reason: "refused" };
    }
    match (asked.find(request.state), request.text("unknown_sid")) {
        (Some(found), _) => Verdict::Applied(found),
        (None, "success") => sid.map_or(Verdict::Silent, Verdict::Applied),
        (None, "ignored") => Verdict::Silent,
        (None, _) => Verdict::Failed { sid, login_value, reason: "the candidate does not exist" },
    }
}

/// The people of a call that names them in form values `sids` and `loginValues`.
pub(super) fn asked_in_form(request: &ExamRequest<'_>) -> Result<Vec<Subject>, Box<Reply>> {
    let read = |name| match request.parameter(name).map(str::trim) {
        None | Some("") => Ok(None),
        Some(text) => match serde_json::from_str::<Value>(text) {
            Ok(Value::Array(items)) => Ok(Some(items)),
            _ => Err(Box::new(request.refuse("sids and loginValues are JSON arrays"))),
        },
    };
    let (sids, logins) = (read("sids")?, read("loginValues")?);
    if sids.is_none() && logins.is_none() {
        return Err(Box::new(request.refuse("sids or loginValues is missing")));
    }
    let sids = sids.unwrap_or_default().iter().filter_map(whole_number).collect();
    let logins = logins.unwrap_or_default().iter().filter_map(loose_text).collect();
    choose(request, sids, logins)
}

fn choose(
    request: &ExamRequest<'_>,
    sids: Vec<i64>,
    logins: Vec<String>,
) -> Result<Vec<Subject>, Box<Reply>> {
    let both = !sids.is_empty() && !logins.is_empty();
    if both && request.is("both_ids", "refuse") {
        return Err(Box::new(request.refuse("either sids or login values")));
    }
    let by_login = sids.is_empty() || (both && request.is("both_ids", "login_values_win"));
    let asked: Vec<Subject> = if by_login {
        logins.into_iter().map(Subject::Login).collect()
    } else {
        sids.into_iter().map(Subject::Sid).collect()
    };
    within_batch(request, asked.len())?;
    Ok(asked)
}

fn within_batch(request: &ExamRequest<'_>, items: usize) -> Result<(), Box<Reply>> {
    let most = usize::try_from(request.number("max_batch")).unwrap_or(0);
    if most > 0 && items > most {
        return Err(Box::new(request.refuse("too many items").counting(items, 0)));
    }
    Ok(())
}

fn json_list(request: &ExamRequest<'_>, name: &str) -> Result<Vec<Value>, Box<Reply>> {
    let text = request.parameter(name).unwrap_or_default();
    let Ok(Value::Array(items)) = serde_json::from_str(text) else {
        return Err(Box::new(request.refuse("info is not a JSON array")));
    };
    within_batch(request, items.len())?;
    Ok(items)
}

fn field_values(state: &super::ExamWorld, item: &Value) -> Result<Vec<(i64, String)>, &'static str> {
    let mut values = Vec::new();
    for field in member(item, "fields").and_then(Value::as_array).into_iter().flatten() {
        let sfid = member(field, "sfid").and_then(whole_number).ok_or("a field has no sfid")?;
        if !state.fields.contains_key(&sfid) {
            return Err("the field does not exist");
        }
        values.push((sfid, member(field, "value").and_then(loose_text).unwrap_or_default()));
    }
    Ok(values)
}

/// So many letters of a login value are kept where `login_writes` is `truncated`.
const LONGEST_LOGIN: usize = 8;

/// What the account makes of the login value that it is sent.
fn rewrite_login(state: &super::ExamWorld, switches: &super::Switches, values: &mut [(i64, String)]) {
    let own = values.iter_mut().find(|(sfid, _)| *sfid == state.login_field);
    let Some((_, value)) = own else { return };
    let rewritten: String = match switches.text(super::Exam, "login_writes") {
        "lower_case" => value.to_lowercase(),
        "squeezed" => value.split_whitespace().collect(),
        "digits" => value.chars().filter(char::is_ascii_digit).collect(),
        "truncated" => value.chars().take(LONGEST_LOGIN).collect(),
        _ => return,
    };
    // A login value without any digit stays: nobody is entered without one.
    if !rewritten.is_empty() {
        *value = rewritten;
    }
}

/// What the account makes of the other values that it is sent; the password is taken as it is.
fn rewrite_values(state: &super::ExamWorld, switches: &super::Switches, values: &mut [(i64, String)]) {
    let form: fn(&str) -> String = match switches.text(super::Exam, "value_writes") {
        "truncated" => |value| value.chars().take(6).collect(),
        "upper_case" => str::to_uppercase,
        _ => return,
    };
    let others = values.iter_mut().filter(|(sfid, _)| *sfid != state.login_field && *sfid != PASSWORD);
    others.for_each(|(_, value)| *value = form(value));
}

fn own_login_value(request: &ExamRequest<'_>, item: &Value) -> String {
    let values = field_values(request.state, item).unwrap_or_default();
    values
        .into_iter()
        .find(|(sfid, _)| *sfid == request.state.login_field)
        .map(|(_, value)| value)
        .unwrap_or_default()
}

fn gids(request: &ExamRequest<'_>, item: &Value) -> Result<Vec<i64>, &'static str> {
    gids_of(request.state, request.switches, item)
}

fn gids_of(
    state: &super::ExamWorld,
    switches: &super::Switches,
    item: &Value,
) -> Result<Vec<i64>, &'static str> {
    let text = member(item, "gid").and_then(loose_text).ok_or("the group is missing")?;
    let mut gids = Vec::new();
    for part in text.split(',') {
        gids.push(part.trim().parse::<i64>().map_err(|_| "the group is not a number")?);
    }
    match switches.text(super::Exam, "multi_gid_on_add") {
        "first" => gids.truncate(1),
        "refuse" if gids.len() > 1 => return Err("one group only"),
        _ => {}
    }
    let unknown = gids.iter().any(|gid| !state.groups.contains_key(gid));
    if unknown && !switches.is(super::Exam, "unknown_gid", "accept") {
        return Err("the group does not exist");
    }
    Ok(gids)
}
