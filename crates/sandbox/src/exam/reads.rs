//! The calls that only read candidates: getFields, getstudentsinfo, getstulist.
//!
//! Contract: docs/contracts/onlineexammaker.md, 3.1, 3.6 and 3.7. A page costs as much as it is long, however many
//! candidates there are, as long as the listing is in its default order.

use super::account::{Candidate, NAME, PASSWORD};
use super::writes::{Asked, asked_in_form};
use super::{Desk, Kind};
use crate::json::{Escaping, Json};
use crate::reply::Reply;

/// The longest page. Contract: docs/contracts/onlineexammaker.md, 1.2.
const LARGEST_PAGE: i64 = 100;

/// `getFields`.
pub(super) fn fields(desk: &Desk<'_>) -> Reply {
    let key = if desk.is("field_key", "sFid") { "sFid" } else { "sfid" };
    let rows: Vec<Json> = desk
        .state
        .fields
        .iter()
        .map(|(sfid, label)| Json::Map(vec![(key, Json::Int(*sfid)), ("label", Json::text(label))]))
        .collect();
    let count = rows.len();
    let pairs = [desk.list("data", rows), Some(("status", Json::text("ok")))];
    Reply::json(Json::Map(pairs.into_iter().flatten().collect()), Escaping::Go).counting(0, count)
}

/// `getstudentsinfo`.
pub(super) fn info(desk: Desk<'_>) -> Reply {
    let asked = match asked_in_form(&desk) {
        Ok(asked) => asked,
        Err(refused) => return *refused,
    };
    let mut found = Vec::new();
    let mut fail = Vec::new();
    let answered: &[Asked] = if desk.fired.has("nobody") { &[] } else { &asked };
    for (position, one) in answered.iter().enumerate() {
        match one.find(desk.state).filter(|_| desk.fired.refuses_item(position).is_none()) {
            Some(sid) if found.contains(&sid) => {}
            Some(sid) => found.push(sid),
            None => fail.push(match one {
                Asked::Sid(sid) if desk.is("info_fail_type", "as_sent") => Json::Int(*sid),
                Asked::Sid(sid) => Json::Text(sid.to_string()),
                Asked::Login(login_value) => Json::text(login_value),
            }),
        }
    }
    match desk.text("info_order") {
        "sid_asc" => found.sort_unstable(),
        "shuffled" => desk.chance.shuffle(&mut found),
        _ => {}
    }
    let rows: Vec<Json> = found.iter().filter_map(|sid| info_row(&desk, *sid)).collect();
    let count = rows.len();
    let pairs = [desk.list("data", rows), desk.list("fail", fail), Some(("status", Json::text("ok")))];
    Reply::json(Json::Map(pairs.into_iter().flatten().collect()), Escaping::Go).counting(asked.len(), count)
}

fn info_row(desk: &Desk<'_>, sid: i64) -> Option<Json> {
    let candidate = desk.state.candidate(sid)?;
    let login_field = desk.state.login_field;
    let shown = desk.text("info_fields");
    let fields = field_list(desk, candidate, |sfid| match shown {
        "name_only" => sfid == NAME,
        "login_only" => sfid == login_field,
        "without_login" => sfid != login_field,
        _ => true,
    });
    let groups = candidate.gids.iter().map(|gid| {
        let title = desk.state.groups.get(gid).map_or("", |group| group.title.as_str());
        Json::Map(vec![("gid", desk.gid(*gid)), ("title", Json::text(title))])
    });
    Some(Json::Map(vec![
        ("sid", desk.sid(sid, Kind::Number)),
        ("fields", Json::List(fields)),
        ("group", Json::List(groups.collect())),
    ]))
}

/// `getstulist`.
pub(super) fn list(mut desk: Desk<'_>) -> Reply {
    let page = match Page::of(&desk) {
        Ok(page) => page,
        Err(refused) => return *refused,
    };
    let nobody = desk.fired.has("nobody");
    let total = if nobody { 0 } else { desk.state.len() };
    let mut sids = if nobody { Vec::new() } else { page_of_sids(&mut desk, &page) };
    if let Some(missing) = desk.fired.number("short_page", 1) {
        sids.truncate(sids.len().saturating_sub(usize::try_from(missing).unwrap_or(0)));
    }
    if desk.fired.has("duplicate_row")
        && let (Some(first), Some(last)) = (sids.first().copied(), sids.last_mut())
    {
        *last = first;
    }
    let rows: Vec<Json> = sids.iter().filter_map(|sid| list_row(&desk, *sid)).collect();
    let drift = desk.fired.number("total_drifts", 1).unwrap_or(0);
    paged(&desk, &page, rows, total + usize::try_from(drift).unwrap_or(0))
}

fn list_row(desk: &Desk<'_>, sid: i64) -> Option<Json> {
    let candidate = desk.state.candidate(sid)?;
    let fields = field_list(desk, candidate, |_| true);
    let login_value = candidate.value(desk.state.login_field);
    Some(Json::Map(vec![("loginValue", Json::text(login_value)), ("fields", Json::List(fields))]))
}

fn page_of_sids(desk: &mut Desk<'_>, page: &Page) -> Vec<i64> {
    let order = desk.state.order();
    let (offset, limit) = (page.offset, page.limit);
    match desk.text("order") {
        "sid_desc" => order.iter().rev().skip(offset).take(limit).copied().collect(),
        "login_value" => {
            let mut sorted = order.to_vec();
            sorted.sort_by_key(|sid| desk.state.login_value(*sid));
            sorted.into_iter().skip(offset).take(limit).collect()
        }
        "unstable" => {
            let mut shuffled = order.to_vec();
            desk.chance.shuffle(&mut shuffled);
            shuffled.into_iter().skip(offset).take(limit).collect()
        }
        _ => {
            let end = offset.saturating_add(limit).min(order.len());
            order.get(offset.min(end)..end).unwrap_or_default().to_vec()
        }
    }
}

fn field_list(desk: &Desk<'_>, candidate: &Candidate, shown: impl Fn(i64) -> bool) -> Vec<Json> {
    let key = if desk.is("field_key", "sfid") { "sfid" } else { "sFid" };
    let password = desk.text("echo_password");
    let empty = desk.text("empty_field");
    let row = |sfid: i64, label: &str, value: Json| {
        Json::Map(vec![(key, Json::Int(sfid)), ("label", Json::text(label)), ("value", value)])
    };
    let hidden = |sfid: i64| !shown(sfid) || (sfid == PASSWORD && password == "off");
    let mut rows = Vec::new();
    for (sfid, label) in desk.state.fields.iter().filter(|(sfid, _)| !hidden(**sfid)) {
        let value = candidate.value(*sfid);
        match (value, empty) {
            ("", "omit") => {}
            ("", "null") => rows.push(row(*sfid, label, Json::Null)),
            (_, _) if *sfid == PASSWORD && password == "masked" && !value.is_empty() => {
                rows.push(row(*sfid, label, Json::text("******")));
            }
            (value, _) => rows.push(row(*sfid, label, Json::text(value))),
        }
    }
    rows
}

/// What a paged call asks for.
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
    pub(super) fn of(desk: &Desk<'_>) -> Result<Page, Box<Reply>> {
        let read = |name, default: i64| match desk.parameter(name).map(str::trim) {
            None | Some("") => Some(default),
            Some(text) => text.parse::<i64>().ok().filter(|number| *number >= 0),
        };
        let refuse = |reason| Box::new(desk.refuse(reason));
        let start = read("start", 0).ok_or_else(|| refuse("start is not a number"))?;
        let asked = read("limit", desk.number("limit_missing")).filter(|limit| *limit > 0);
        let asked = asked.ok_or_else(|| refuse("limit is not a number"))?;
        if asked > LARGEST_PAGE && desk.is("limit_over_100", "refuse") {
            return Err(refuse("limit is at most 100"));
        }
        let limit = asked.min(LARGEST_PAGE);
        let offset = match desk.text("start_semantics") {
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
pub(super) fn paged(desk: &Desk<'_>, page: &Page, rows: Vec<Json>, total: usize) -> Reply {
    let count = rows.len();
    let beyond = rows.is_empty() && page.offset > 0 && page.offset >= total;
    let data = match desk.text("start_beyond_total") {
        "error" if beyond => {
            return Reply { start: Some(page.start), ..desk.refuse("start is beyond the last row") };
        }
        "null" if beyond => Some(("data", Json::Null)),
        _ => desk.list("data", rows),
    };
    let total = Json::Int(i64::try_from(total).unwrap_or(i64::MAX));
    let pairs = [data, Some(("status", Json::text("ok"))), Some(("total", total))];
    let reply = Reply::json(Json::Map(pairs.into_iter().flatten().collect()), Escaping::Go);
    Reply { start: Some(page.start), ..reply }.counting(page.limit, count)
}
