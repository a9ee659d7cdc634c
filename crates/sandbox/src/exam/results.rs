//! `queryresults`: attempts, page by page. Contract: docs/contracts/onlineexammaker.md, 3.8.

use super::account::{Attempt, NAME};
use super::reads::{Page, paged};
use super::{ExamRequest, Kind};
use crate::digest::md5_hex;
use crate::json::Json;
use crate::reply::Reply;

/// Answers one page of attempts.
pub(super) fn query(request: ExamRequest<'_>) -> Reply {
    let page = match Page::of(&request) {
        Ok(page) => page,
        Err(refused) => return *refused,
    };
    let login_value = request.parameter("loginValues").filter(|value| !value.is_empty()).map(str::to_owned);
    let eid: Option<i64> = request.parameter("eid").and_then(|text| text.trim().parse().ok());
    if login_value.is_some() && eid.is_none() && request.is("results_filter", "strict") {
        return request.refuse("loginValues must be used together with eid");
    }
    let wanted = |attempt: &&Attempt| {
        eid.is_none_or(|eid| eid == attempt.eid)
            && login_value.as_deref().is_none_or(|asked| asked == shown_login(&request, attempt))
    };
    let everything = eid.is_none() && login_value.is_none();
    let attempts = &request.state.attempts;
    let total = if everything { attempts.len() } else { attempts.iter().filter(wanted).count() };
    let matching = attempts.iter().filter(wanted);
    let mut shown: Vec<Attempt> = if request.is("results_order", "newest_first") {
        matching.rev().skip(page.offset).take(page.limit).cloned().collect()
    } else {
        matching.skip(page.offset).take(page.limit).cloned().collect()
    };
    spoil(&request, &mut shown);
    let fixed = request.is("results_token", "fixed");
    let mut rows = Vec::with_capacity(shown.len());
    let unreadable = request.fired.number("unreadable_row", 0).and_then(|at| usize::try_from(at).ok());
    for (at, attempt) in shown.iter().enumerate() {
        let salt = if fixed { 0 } else { request.chance.u64(..) };
        rows.push(row(&request, attempt, salt, unreadable == Some(at)));
    }
    let drift = request.fired.number("total_drifts", 1).unwrap_or(0);
    paged(&request, &page, rows, total + usize::try_from(drift).unwrap_or(0))
}

/// Lets the faults act that make a page other than it should be.
fn spoil(request: &ExamRequest<'_>, shown: &mut Vec<Attempt>) {
    if let Some(missing) = request.fired.number("short_page", 1) {
        shown.truncate(shown.len().saturating_sub(usize::try_from(missing).unwrap_or(0)));
    }
    if request.fired.has("duplicate_row")
        && let (Some(first), Some(last)) = (shown.first().cloned(), shown.last_mut())
    {
        *last = first;
    }
}

fn shown_login<'d>(request: &'d ExamRequest<'_>, attempt: &'d Attempt) -> &'d str {
    match request.state.candidate(attempt.sid) {
        Some(_) => request.state.login_value(attempt.sid),
        None => &attempt.login_value,
    }
}

/// A row; one that cannot be read is without its exam.
fn row(request: &ExamRequest<'_>, attempt: &Attempt, salt: u64, is_unreadable: bool) -> Json {
    let number = |value: i64| match request.text("results_types") {
        "numbers" => Json::Int(value),
        _ => Json::Text(value.to_string()),
    };
    let tid = md5_hex(&[&format!("{} {} {}", attempt.eid, attempt.sid, attempt.start)]);
    let token = md5_hex(&[&tid, &salt.to_string()]);
    let link = format!("https://api.onlineexammaker.com/transgetresult?tid={tid}&token={token}");
    let name =
        request.state.candidate(attempt.sid).map_or(attempt.name.as_str(), |candidate| candidate.value(NAME));
    let sid = match request.text("results_types") {
        "numbers" => Json::Int(attempt.sid),
        _ => request.sid(attempt.sid, Kind::Text),
    };
    Json::Map(vec![
        ("viewResult", Json::Text(link)),
        ("score", number(attempt.score)),
        ("passed", number(attempt.passed)),
        ("status", number(attempt.status)),
        ("startTime", number(attempt.start)),
        ("endTime", number(attempt.end)),
        ("sid", sid),
        ("loginValue", Json::text(shown_login(request, attempt))),
        ("name", Json::text(name)),
        ("eid", if is_unreadable { Json::Null } else { number(attempt.eid) }),
    ])
}
