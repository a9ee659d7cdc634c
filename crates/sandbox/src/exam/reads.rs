//! The calls that only read candidates: getFields, getstudentsinfo, getstulist.
//!
//! Contract: docs/contracts/onlineexammaker.md, 3.1, 3.6 and 3.7. A page costs as much as it is long, however many
//! candidates there are, as long as the listing is in its default order.

use super::account::{Candidate, NAME, PASSWORD};
use super::writes::{Subject, asked_in_form};
use super::{ExamRequest, Kind};
use crate::journal::ShownCandidate;
use crate::json::{Escaping, Json};
use crate::reply::Reply;

/// More candidates than any account has.
const ABSURD_TOTAL: usize = 1_000_000_000_000;
/// The longest page. Contract: docs/contracts/onlineexammaker.md, 1.2.
const LARGEST_PAGE: i64 = 100;

/// `getFields`.
pub(super) fn fields(request: &ExamRequest<'_>) -> Reply {
    let key = if request.is("field_key", "sFid") { "sFid" } else { "sfid" };
    let rows: Vec<Json> = request
        .state
        .fields
        .iter()
        .map(|(sfid, label)| Json::Map(vec![(key, Json::Int(*sfid)), ("label", Json::text(label))]))
        .collect();
    let count = rows.len();
    let pairs = [request.list("data", rows), Some(("status", Json::text("ok")))];
    Reply::json(Json::Map(pairs.into_iter().flatten().collect()), Escaping::Go).counting(0, count)
}

/// `getstudentsinfo`.
pub(super) fn info(request: ExamRequest<'_>) -> Reply {
    let asked = match asked_in_form(&request) {
        Ok(asked) => asked,
        Err(refused) => return *refused,
    };
    let mut found = Vec::new();
    let mut fail = Vec::new();
    let answered: &[Subject] = if request.fired.has("nobody") { &[] } else { &asked };
    for (position, one) in answered.iter().enumerate() {
        match one.find(request.state).filter(|_| request.fired.refuses_item(position).is_none()) {
            Some(sid) if found.contains(&sid) => {}
            Some(sid) => found.push(sid),
            None if request.is("info_unknown", "ignored") => {}
            None => fail.push(match one {
                Subject::Sid(sid) if request.is("info_fail_type", "as_sent") => Json::Int(*sid),
                Subject::Sid(sid) => Json::Text(sid.to_string()),
                Subject::Login(login_value) => Json::text(login_value),
            }),
        }
    }
    match request.text("info_order") {
        "sid_asc" => found.sort_unstable(),
        "shuffled" => request.chance.shuffle(&mut found),
        _ => {}
    }
    let rows: Vec<Json> = found.iter().filter_map(|sid| info_row(&request, *sid)).collect();
    let count = rows.len();
    let shown = found.iter().map(|sid| shown(&request, *sid)).collect();
    let pairs = [request.list("data", rows), request.list("fail", fail), Some(("status", Json::text("ok")))];
    let reply = Reply::json(Json::Map(pairs.into_iter().flatten().collect()), Escaping::Go);
    reply.counting(asked.len(), count).showing(shown)
}

/// What a row of `getstudentsinfo` tells of whose it is.
fn shown(request: &ExamRequest<'_>, sid: i64) -> ShownCandidate {
    let is_told = !masked(request, "look_ups")
        && !["name_only", "without_login"].contains(&request.text("info_fields"));
    ShownCandidate { sid, login_value: is_told.then(|| request.state.login_value(sid).to_owned()) }
}

fn info_row(request: &ExamRequest<'_>, sid: i64) -> Option<Json> {
    let candidate = request.state.candidate(sid)?;
    let login_field = request.state.login_field;
    let shown = request.text("info_fields");
    let view = View { masks_login: masked(request, "look_ups"), label_suffix: "" };
    let fields = field_list(request, candidate, &view, |sfid| match shown {
        "name_only" => sfid == NAME,
        "login_only" => sfid == login_field,
        "without_login" => sfid != login_field,
        _ => true,
    });
    let groups = candidate.gids.iter().map(|gid| {
        let title = request.state.groups.get(gid).map_or("", |group| group.title.as_str());
        Json::Map(vec![("gid", request.gid(*gid)), ("title", Json::text(title))])
    });
    let mut row = vec![("sid", request.sid(sid, Kind::Number)), ("fields", Json::List(fields))];
    match group_form(request, sid) {
        "absent" => {}
        "null" => row.push(("group", Json::Null)),
        "[]" | "empty" => row.push(("group", Json::List(Vec::new()))),
        _ => row.push(("group", Json::List(groups.collect()))),
    }
    Some(Json::Map(row))
}

/// The form of the group list of this row: a fault strikes a single row or the answer, the switch strikes all.
fn group_form<'r>(request: &'r ExamRequest<'_>, sid: i64) -> &'r str {
    let struck = request.fired.get("groups_missing").map(|argument| {
        let (form, only) = argument.split_once('/').unwrap_or((argument, ""));
        (if form.is_empty() { "absent" } else { form }, only)
    });
    match struck {
        Some((form, only)) if only.is_empty() || only.parse() == Ok(sid) => form,
        _ => request.text("info_groups"),
    }
}

/// `getstulist`.
pub(super) fn list(mut request: ExamRequest<'_>) -> Reply {
    let page = match Page::of(&request) {
        Ok(page) => page,
        Err(refused) => return *refused,
    };
    let nobody = request.fired.has("nobody");
    let archived = request.switches.ids(super::Exam, "archived");
    let hidden = request.state.order().iter().filter(|sid| archived.contains(sid)).count();
    let total = if nobody { 0 } else { request.state.len() - hidden };
    let mut sids = if nobody { Vec::new() } else { page_of_sids(&mut request, &page, &archived) };
    if let Some(missing) = request.fired.number("short_page", 1) {
        sids.truncate(sids.len().saturating_sub(usize::try_from(missing).unwrap_or(0)));
    }
    if request.fired.has("duplicate_row")
        && let (Some(first), Some(last)) = (sids.first().copied(), sids.last_mut())
    {
        *last = first;
    }
    let mut rows: Vec<Json> = sids.iter().filter_map(|sid| list_row(&request, *sid)).collect();
    let drift = request.fired.number("total_drifts", 1).unwrap_or(0);
    let counted = total + usize::try_from(drift).unwrap_or(0);
    let stated = match request.text("list_total") {
        "absurd" => ABSURD_TOTAL,
        "growing" => counted.max(page.offset.saturating_add(2 * page.limit)),
        "endless" => {
            let made_up =
                (rows.len()..page.limit).map(|at| made_up_row(&request, page.offset.saturating_add(at)));
            rows.extend(made_up);
            ABSURD_TOTAL
        }
        _ => counted,
    };
    paged(&request, &page, rows, stated)
}

fn list_row(request: &ExamRequest<'_>, sid: i64) -> Option<Json> {
    let candidate = request.state.candidate(sid)?;
    let label_suffix = if request.is("list_labels", "other") { " (listed)" } else { "" };
    let view = View { masks_login: masked(request, "listings"), label_suffix };
    let fields = field_list(request, candidate, &view, |_| true);
    let login_value = candidate.value(request.state.login_field);
    Some(Json::Map(vec![("loginValue", Json::text(login_value)), ("fields", Json::List(fields))]))
}

/// A row of nobody, for a listing that has no end.
fn made_up_row(request: &ExamRequest<'_>, position: usize) -> Json {
    let mut candidate = Candidate { fields: Vec::new(), gids: Vec::new() };
    let login_value = format!("endless-{position}");
    candidate.set(request.state.login_field, &login_value);
    let fields = field_list(request, &candidate, &View { masks_login: false, label_suffix: "" }, |_| true);
    Json::Map(vec![("loginValue", Json::text(login_value)), ("fields", Json::List(fields))])
}

fn page_of_sids(request: &mut ExamRequest<'_>, page: &Page, archived: &[i64]) -> Vec<i64> {
    let listed: Vec<i64>;
    let order = if archived.is_empty() {
        request.state.order()
    } else {
        listed = request.state.order().iter().copied().filter(|sid| !archived.contains(sid)).collect();
        &listed
    };
    let (offset, limit) = (page.offset, page.limit);
    match request.text("order") {
        "sid_desc" => order.iter().rev().skip(offset).take(limit).copied().collect(),
        "login_value" => {
            let mut sorted = order.to_vec();
            sorted.sort_by_key(|sid| request.state.login_value(*sid));
            sorted.into_iter().skip(offset).take(limit).collect()
        }
        "unstable" => {
            let mut shuffled = order.to_vec();
            request.chance.shuffle(&mut shuffled);
            shuffled.into_iter().skip(offset).take(limit).collect()
        }
        _ => {
            let end = offset.saturating_add(limit).min(order.len());
            order.get(offset.min(end)..end).unwrap_or_default().to_vec()
        }
    }
}

/// How an answer shows the fields of a row.
struct View {
    masks_login: bool,
    label_suffix: &'static str,
}

fn masked(request: &ExamRequest<'_>, place: &str) -> bool {
    request.is("mask_login", place) || request.is("mask_login", "both")
}

/// The first and the last letter of a value.
fn mask(value: &str) -> String {
    let mut letters = value.chars();
    match (letters.next(), letters.next_back()) {
        (Some(first), Some(last)) => format!("{first}****{last}"),
        _ => "****".to_owned(),
    }
}

fn field_list(
    request: &ExamRequest<'_>,
    candidate: &Candidate,
    view: &View,
    shown: impl Fn(i64) -> bool,
) -> Vec<Json> {
    let key = if request.is("field_key", "sfid") { "sfid" } else { "sFid" };
    let password = request.text("echo_password");
    let empty = request.text("empty_field");
    let row = |sfid: i64, label: &str, value: Json| {
        let label = Json::text(format!("{label}{}", view.label_suffix));
        Json::Map(vec![(key, Json::Int(sfid)), ("label", label), ("value", value)])
    };
    let hidden = |sfid: i64| !shown(sfid) || (sfid == PASSWORD && password == "off");
    let mut rows = Vec::new();
    for (sfid, label) in request.state.fields.iter().filter(|(sfid, _)| !hidden(**sfid)) {
        let value = candidate.value(*sfid);
        match (value, empty) {
            ("", "omit") => {}
            ("", "null") => rows.push(row(*sfid, label, Json::Null)),
            (_, _) if *sfid == PASSWORD && password == "masked" && !value.is_empty() => {
                rows.push(row(*sfid, label, Json::text("******")));
            }
            (value, _) if view.masks_login && *sfid == request.state.login_field && !value.is_empty() => {
                rows.push(row(*sfid, label, Json::text(mask(value))));
            }
            (value, _) => rows.push(row(*sfid, label, Json::text(value))),
        }
    }
    rows
}

/// The parameters of a paged call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page {
    /// As it was sent.
    pub(super) start: i64,
    /// Rows to skip.
    pub(super) offset: usize,
    /// Rows at most.
    pub(super) limit: usize,
}

impl Page {
    /// Reads `start` and `limit`.
    pub(super) fn of(request: &ExamRequest<'_>) -> Result<Page, Box<Reply>> {
        let read = |name, default: i64| match request.parameter(name).map(str::trim) {
            None | Some("") => Some(default),
            Some(text) => text.parse::<i64>().ok().filter(|number| *number >= 0),
        };
        let refuse = |reason| Box::new(request.refuse(reason));
        let start = read("start", 0).ok_or_else(|| refuse("start is not a number"))?;
        let asked = read("limit", request.number("limit_missing")).filter(|limit| *limit > 0);
        let asked = asked.ok_or_else(|| refuse("limit is not a number"))?;
        if asked > LARGEST_PAGE && request.is("limit_over_100", "refuse") {
            return Err(refuse("limit is at most 100"));
        }
        let limit = asked.min(LARGEST_PAGE);
        let offset = match request.text("start_semantics") {
            "page0" => start.saturating_mul(limit),
            "page1" => start.saturating_sub(1).max(0).saturating_mul(limit),
            _ => start,
        };
        Ok(Page {
            start,
            offset: usize::try_from(offset).unwrap_or(usize::MAX),
            limit: usize::try_from(limit).unwrap_or(0),
        })
    }
}

/// The answer of a paged call.
pub(super) fn paged(request: &ExamRequest<'_>, page: &Page, rows: Vec<Json>, total: usize) -> Reply {
    let count = rows.len();
    let beyond = rows.is_empty() && page.offset > 0 && page.offset >= total;
    let data = match request.text("start_beyond_total") {
        "error" if beyond => {
            return Reply { start: Some(page.start), ..request.refuse("start is beyond the last row") };
        }
        "null" if beyond => Some(("data", Json::Null)),
        _ => request.list("data", rows),
    };
    let total = Json::Int(i64::try_from(total).unwrap_or(i64::MAX));
    let pairs = [data, Some(("status", Json::text("ok"))), Some(("total", total))];
    let reply = Reply::json(Json::Map(pairs.into_iter().flatten().collect()), Escaping::Go);
    Reply { start: Some(page.start), ..reply }.counting(page.limit, count)
}
