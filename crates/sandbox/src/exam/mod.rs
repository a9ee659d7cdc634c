//! OnlineExamMaker, simulated: authorization, choice of the endpoint, and the form of refusals.
//!
//! Contract: docs/contracts/onlineexammaker.md, 2 to 4 and 8. The endpoints are in the files beside this one.

pub(super) mod account;
mod console;
mod foreign_edits;
mod journal_keys;
mod new_results;
mod other_account;
mod reads;
mod recent_changes;
mod results;
pub(super) mod sample;
mod verdicts;
mod writes;

pub use console::CandidateView;

pub(super) use account::{Attempt, Candidate, ExamWorld, NAME};
pub(super) use foreign_edits::edit_by_hand;
pub(super) use journal_keys::journal_keys;
pub(super) use other_account::other_account;

use super::Service::Exam;
use super::digest::md5_hex;
use super::faults::Fired;
use super::json::{Escaping, Json};
use super::moment;
use super::reply::{self, Body, Call, Reply};
use super::switches::Switches;
use super::world::World;

/// Every endpoint, by the last part of its path.
pub(super) const ENDPOINTS: &[&str] = &[
    "getFields",
    "addStudents",
    "changeStuinfo",
    "delStu",
    "movestugroup",
    "getstudentsinfo",
    "getstulist",
    "queryresults",
    "addcategory",
];

const BASE: &str = "/api/v1/student/";
const WITH_GET: [&str; 2] = ["getFields", "queryresults"];
pub(super) const WRITES: [&str; 5] =
    ["addStudents", "changeStuinfo", "delStu", "movestugroup", "addcategory"];

/// The calls that may lag behind the account, with the switch that says by how much.
pub(super) const LAGGING: [(&str, &str); 2] =
    [("getstulist", "list_lag_s"), ("getstudentsinfo", "info_lag_s")];

/// One call at the account: what it may look at and change.
struct ExamRequest<'w> {
    state: &'w mut ExamWorld,
    switches: &'w Switches,
    chance: &'w mut fastrand::Rng,
    fired: &'w Fired,
    call: &'w Call,
}

impl ExamRequest<'_> {
    fn is(&self, switch: &'static str, value: &str) -> bool {
        self.switches.is(Exam, switch, value)
    }

    fn text(&self, switch: &'static str) -> &str {
        self.switches.text(Exam, switch)
    }

    fn number(&self, switch: &'static str) -> i64 {
        self.switches.number(Exam, switch)
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.call.form.get(name).or_else(|| self.call.query.get(name))
    }

    fn refuse(&self, reason: &str) -> Reply {
        refusal(self.switches, reason)
    }

    /// A sid as this answer writes it; the sample has it sometimes as a number, sometimes as a string.
    fn sid(&self, sid: i64, sample: Kind) -> Json {
        typed(self.text("sid_type"), sample, sid)
    }

    fn gid(&self, gid: i64) -> Json {
        typed(self.text("gid_type"), Kind::Number, gid)
    }

    /// `key` and its list, or the form of an empty list.
    fn list(&self, key: &'static str, items: Vec<Json>) -> Option<(&'static str, Json)> {
        if !items.is_empty() {
            return Some((key, Json::List(items)));
        }
        match self.text("empty_list") {
            "null" => Some((key, Json::Null)),
            "absent" => None,
            _ => Some((key, Json::List(items))),
        }
    }
}

/// How the vendor's sample writes a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Text,
}

fn typed(switch: &str, sample: Kind, number: i64) -> Json {
    match (switch, sample) {
        ("number", _) | ("sample", Kind::Number) => Json::Int(number),
        _ => Json::Text(number.to_string()),
    }
}

/// The endpoint's name; `?` for a path that is none.
pub(super) fn endpoint(call: &Call) -> &'static str {
    let name = call.path.strip_prefix(BASE).unwrap_or_default();
    ENDPOINTS.iter().find(|known| **known == name).copied().unwrap_or("?")
}

/// Answers one call.
pub(super) fn answer(world: &mut World, endpoint: &'static str, call: &Call, fired: &Fired) -> Reply {
    if endpoint == "?" {
        return Reply::new(404, Body::Text("404 page not found".to_owned()), "404");
    }
    let method = if WITH_GET.contains(&endpoint) { "GET" } else { "POST" };
    if call.method != method {
        return Reply::new(405, Body::Text("405 method not allowed".to_owned()), "405");
    }
    if let Err(reason) = authorize(world, call) {
        return unauthorized(&world.switches, reason);
    }
    if world.switches.is(Exam, "plan", "expired") {
        return refusal(&world.switches, "your plan does not include the API");
    }
    if fired.has("refuse_call") {
        return refusal(&world.switches, "refused");
    }
    if WRITES.contains(&endpoint) {
        let refused = world.switches.text(Exam, "refused_writes");
        if refused == "all" || refused == endpoint {
            return styled("200_json", "system maintenance");
        }
        world.before_exam_change();
    }
    let request = ExamRequest {
        state: &mut world.exam,
        switches: &world.switches,
        chance: &mut world.chance,
        fired,
        call,
    };
    match endpoint {
        "getFields" => reads::fields(&request),
        "addStudents" => writes::add(request),
        "changeStuinfo" => writes::change(request),
        "delStu" => writes::delete(request),
        "movestugroup" => writes::regroup(request),
        "getstudentsinfo" => reads::info(request),
        "getstulist" => reads::list(request),
        "queryresults" => results::query(request),
        _ => writes::create_group(request),
    }
}

/// Checks code, time and token. Contract: docs/contracts/onlineexammaker.md, 2.2.
fn authorize(world: &World, call: &Call) -> Result<(), &'static str> {
    let anywhere = world.switches.is(Exam, "code_time_place", "both");
    let parameter = |name| {
        if call.method == "GET" {
            call.query.get(name)
        } else {
            call.form.get(name).or_else(|| call.query.get(name).filter(|_| anywhere))
        }
    };
    let code = parameter("code").ok_or("code is missing")?;
    let time = parameter("time").ok_or("time is missing")?;
    if code != world.exam_code {
        return Err("code is wrong");
    }
    let seconds: i64 = time.parse().map_err(|_| "time is not a number")?;
    let window = world.switches.number(Exam, "clock_window_s");
    if window > 0 && moment::now_s().saturating_sub(seconds).saturating_abs() > window {
        return Err("time is too far from now");
    }
    if call.authorization != md5_hex(&[time, code]) {
        return Err("token is wrong");
    }
    Ok(())
}

fn unauthorized(switches: &Switches, reason: &str) -> Reply {
    let style = match switches.text(Exam, "auth_error_style") {
        "as_error_style" => switches.text(Exam, "error_style"),
        own => own,
    };
    Reply { answered: "unauthorized".to_owned(), ..styled(style, reason) }
}

/// The refusal of a whole call.
pub(super) fn refusal(switches: &Switches, reason: &str) -> Reply {
    styled(switches.text(Exam, "error_style"), reason)
}

fn styled(style: &str, reason: &str) -> Reply {
    let json = Json::Map(vec![("error", Json::text(reason)), ("status", Json::text("error"))]);
    let (status, body) = match style {
        "4xx_json" => (400, Body::Json(json, Escaping::Go)),
        "4xx_text" => (400, Body::Text(reason.to_owned())),
        "5xx_text" => (500, Body::Text(reason.to_owned())),
        "401_json" => (401, Body::Json(json, Escaping::Go)),
        "403_html" => (403, Body::Html(reply::page("Forbidden"))),
        _ => (200, Body::Json(json, Escaping::Go)),
    };
    Reply::new(status, body, "refused")
}
