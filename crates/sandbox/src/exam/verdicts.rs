//! From what became of each item to the answer's `success` and `fail`, in every spelling the switches know.

use super::{ExamRequest, Kind};
use crate::journal::ShownCandidate;
use crate::json::{Escaping, Json};
use crate::reply::{Body, Reply};

/// The outcome of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is so now.
    Applied(i64),
    /// It was refused; with the candidate, as far as that is known.
    Failed { sid: Option<i64>, login_value: String, reason: &'static str },
    /// It is in neither list.
    Silent,
}

/// The form of an entry of `success`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// `{sid, index}`.
    Indexed,
    /// The sid alone.
    Sid,
}

/// The answer to `sent` items, of which `verdicts` were dealt with.
pub(super) fn answer(request: ExamRequest<'_>, shape: Shape, sent: usize, verdicts: &[Verdict]) -> Reply {
    let applied = verdicts.iter().filter(|verdict| matches!(verdict, Verdict::Applied(_))).count();
    if request.fired.has("apply_part") {
        return Reply::new(500, Body::Text("Server Error".to_owned()), "500").counting(sent, applied);
    }
    let mut success = Vec::new();
    let mut fail = Vec::new();
    let mut shown = Vec::new();
    for (position, verdict) in verdicts.iter().enumerate() {
        if struck(&request, "item_in_neither_list", 0, position) {
            continue;
        }
        match verdict {
            Verdict::Applied(sid) => {
                success.push(succeeded(&request, shape, position, *sid, sent));
                if shape == Shape::Indexed {
                    let login_value = Some(request.state.login_value(*sid).to_owned());
                    shown.push(ShownCandidate { sid: *sid, login_value });
                }
                if struck(&request, "item_in_both_lists", 0, position) {
                    let login_value = request.state.login_value(*sid).to_owned();
                    fail.push(failed(&request, position, Some(*sid), &login_value, "also failed"));
                }
            }
            Verdict::Failed { sid, login_value, reason } => {
                fail.push(failed(&request, position, *sid, login_value, reason));
            }
            Verdict::Silent => {}
        }
    }
    match request.text("success_order") {
        "reversed" => success.reverse(),
        "shuffled" => request.chance.shuffle(&mut success),
        _ => {}
    }
    let status = if fail.is_empty() { "ok" } else { request.text("status_on_partial") };
    let word = if fail.is_empty() { "ok" } else { "partial" };
    let pairs =
        [request.list("fail", fail), Some(("status", Json::text(status))), request.list("success", success)];
    let reply = Reply::json(Json::Map(pairs.into_iter().flatten().collect()), Escaping::Go);
    Reply { answered: word.to_owned(), ..reply }.counting(sent, applied).showing(shown)
}

fn struck(request: &ExamRequest<'_>, fault: &'static str, default: u64, position: usize) -> bool {
    request.fired.number(fault, default).is_some_and(|at| usize::try_from(at) == Ok(position))
}

fn succeeded(request: &ExamRequest<'_>, shape: Shape, position: usize, sid: i64, sent: usize) -> Json {
    if shape == Shape::Sid {
        return request.sid(sid, Kind::Text);
    }
    let shown = if struck(request, "index_twice", 1, position) {
        0
    } else if struck(request, "index_out_of_range", 0, position) {
        position + sent + 1000
    } else {
        position
    };
    let index = number(shown) + request.number("index_base");
    Json::Map(vec![("sid", request.sid(sid, Kind::Number)), ("index", Json::Int(index))])
}

fn failed(
    request: &ExamRequest<'_>,
    position: usize,
    sid: Option<i64>,
    login_value: &str,
    reason: &str,
) -> Json {
    let base = match request.text("fail_base") {
        "same" => request.number("index_base"),
        _ => request.number("fail_base"),
    };
    let as_number = |value: i64| match request.text("fail_type") {
        "string" => Json::Text(value.to_string()),
        _ => Json::Int(value),
    };
    let index = as_number(number(position) + base);
    match request.text("fail_style") {
        // A candidate that was not added has no sid: the position is all there is.
        "sid" => sid.map_or(index, as_number),
        "login_value" => Json::text(login_value),
        "object" => Json::Map(vec![("index", index), ("reason", Json::text(reason))]),
        _ => index,
    }
}

fn number(position: usize) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}
