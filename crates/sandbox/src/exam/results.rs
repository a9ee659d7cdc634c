//! `queryresults`: attempts, page by page. Contract: docs/contracts/onlineexammaker.md, 3.8.

use super::account::{Attempt, NAME};
use super::reads::{Page, paged};
use super::{Desk, Kind};
use crate::digest::md5_hex;
use crate::json::Json;
use crate::reply::Reply;

/// Answers one page of attempts.
pub(super) fn query(desk: Desk<'_>) -> Reply {
    let page = match Page::of(&desk) {
        Ok(page) => page,
        Err(refused) => return *refused,
    };
    let login_value = desk.parameter("loginValues").filter(|value| !value.is_empty()).map(str::to_owned);
    let eid: Option<i64> = desk.parameter("eid").and_then(|text| text.trim().parse().ok());
    if login_value.is_some() && eid.is_none() && desk.is("results_filter", "strict") {
        return desk.refuse("loginValues must be used together with eid");
    }
    let wanted = |attempt: &&Attempt| {
        eid.is_none_or(|eid| eid == attempt.eid)
            && login_value.as_deref().is_none_or(|asked| asked == shown_login(&desk, attempt))
    };
    let everything = eid.is_none() && login_value.is_none();
    let attempts = &desk.state.attempts;
    let total = if everything { attempts.len() } else { attempts.iter().filter(wanted).count() };
    let matching = attempts.iter().filter(wanted);
    let mut shown: Vec<Attempt> = if desk.is("results_order", "newest_first") {
        matching.rev().skip(page.offset).take(page.limit).cloned().collect()
    } else {
        matching.skip(page.offset).take(page.limit).cloned().collect()
    };
    spoil(&desk, &mut shown);
    let fixed = desk.is("results_token", "fixed");
    let mut rows = Vec::with_capacity(shown.len());
    for attempt in &shown {
        let salt = if fixed { 0 } else { desk.chance.u64(..) };
        rows.push(row(&desk, attempt, salt));
    }
    let drift = desk.fired.number("total_drifts", 1).unwrap_or(0);
    paged(&desk, &page, rows, total + usize::try_from(drift).unwrap_or(0))
}

/// Lets the faults act that make a page other than it should be.
fn spoil(desk: &Desk<'_>, shown: &mut Vec<Attempt>) {
    if let Some(missing) = desk.fired.number("short_page", 1) {
        shown.truncate(shown.len().saturating_sub(usize::try_from(missing).unwrap_or(0)));
    }
    if desk.fired.has("duplicate_row")
        && let (Some(first), Some(last)) = (shown.first().cloned(), shown.last_mut())
    {
        *last = first;
    }
}

fn shown_login<'d>(desk: &'d Desk<'_>, attempt: &'d Attempt) -> &'d str {
    match desk.state.candidate(attempt.sid) {
        Some(_) => desk.state.login_value(attempt.sid),
        None => &attempt.login_value,
    }
}

fn row(desk: &Desk<'_>, attempt: &Attempt, salt: u64) -> Json {
    let number = |value: i64| match desk.text("results_types") {
        "numbers" => Json::Int(value),
        _ => Json::Text(value.to_string()),
    };
    let tid = md5_hex(&[&format!("{} {} {}", attempt.eid, attempt.sid, attempt.start)]);
    let token = md5_hex(&[&tid, &salt.to_string()]);
    let link = format!("https://api.onlineexammaker.com/transgetresult?tid={tid}&token={token}");
    let name =
        desk.state.candidate(attempt.sid).map_or(attempt.name.as_str(), |candidate| candidate.value(NAME));
    let sid = match desk.text("results_types") {
        "numbers" => Json::Int(attempt.sid),
        _ => desk.sid(attempt.sid, Kind::Text),
    };
    Json::Map(vec![
        ("viewResult", Json::Text(link)),
        ("score", number(attempt.score)),
        ("passed", number(attempt.passed)),
        ("status", number(attempt.status)),
        ("startTime", number(attempt.start)),
        ("endTime", number(attempt.end)),
        ("sid", sid),
        ("loginValue", Json::text(shown_login(desk, attempt))),
        ("name", Json::text(name)),
        ("eid", number(attempt.eid)),
    ])
}
