//! ClassIn's v1 interface, simulated: authorization, choice of the action, and the order of checks.
//!
//! Contract: docs/contracts/classin.md, 3 to 8 and 12. The actions are in the files beside this one. The v2
//! interface is not simulated.

mod accounts;
mod answers;
mod class_calls;
mod console;
mod course_calls;
mod foreign_edits;
mod owners;
mod rules;
pub(super) mod sample;
pub(super) mod school;
mod texts;

pub use console::{AccountView, CourseView};
pub(super) use school::ClassInWorld;
pub use school::{ClassKind, ClassOrigin, CourseStatus, Role};

use std::collections::HashSet;
use std::time::{Duration, Instant};

use super::Service::ClassIn;
use super::digest::md5_hex;
use super::faults::Fired;
use super::moment;
use super::reply::{self, Body, Call, Reply};
use super::switches::Switches;
use super::world::World;
use answers::Answer;

/// Every action.
pub(super) const ENDPOINTS: &[&str] = &[
    "register",
    "registerMultiple",
    "addSchoolStudent",
    "editSchoolStudent",
    "addClassStudentMultiple",
    "delClassStudentMultiple",
    "addCourseClassStudent",
    "addCourseStudentMultiple",
    "delCourseStudentMultiple",
    "addCourseStudent",
    "delCourseStudent",
];

const PATH: &str = "/partner/api/course.api.php";
/// These know the rule of the same parameters. Contract: docs/contracts/classin.md, 1.2.
const NOT_TWICE: [&str; 3] = ["register", "registerMultiple", "addSchoolStudent"];

/// One call at the school: what it may look at and change.
struct ClassInRequest<'w> {
    state: &'w mut ClassInWorld,
    switches: &'w Switches,
    chance: &'w mut fastrand::Rng,
    fired: &'w Fired,
    busy: &'w HashSet<String>,
    action: &'static str,
    call: &'w Call,
}

impl ClassInRequest<'_> {
    fn is(&self, switch: &'static str, value: &str) -> bool {
        self.switches.is(ClassIn, switch, value)
    }

    fn text(&self, switch: &'static str) -> &str {
        self.switches.text(ClassIn, switch)
    }

    fn number(&self, switch: &'static str) -> usize {
        usize::try_from(self.switches.number(ClassIn, switch)).unwrap_or(0)
    }

    /// A parameter of the body; only the action is in the URL.
    fn parameter(&self, name: &str) -> Option<&str> {
        self.call.form.get(name)
    }

    /// A parameter that is an id.
    fn id(&self, name: &str) -> Option<i64> {
        self.parameter(name)?.trim().parse().ok()
    }
}

/// The action's name; `?` for one that is none.
pub(super) fn endpoint(call: &Call) -> &'static str {
    let action = call.query.get("action").unwrap_or_default();
    ENDPOINTS.iter().find(|known| **known == action).copied().unwrap_or("?")
}

/// Answers one call.
pub(super) fn answer(world: &mut World, action: &'static str, call: &Call, fired: &Fired) -> Reply {
    if let Some(reply) = elsewhere(&world.switches, call) {
        return reply;
    }
    foreign_edits::edit(&mut world.classin, call, fired);
    let checked = authorize(world, action, call).and_then(|()| repeated(world, action, call));
    let refused = checked.err().or_else(|| refused_by_fault(action, fired));
    world.unsaved = true;
    let mut request = ClassInRequest {
        state: &mut world.classin,
        switches: &world.switches,
        chance: &mut world.chance,
        fired,
        busy: &world.busy,
        action,
        call,
    };
    let answer = match refused {
        Some(code) => Answer::refused(code),
        None => match action {
            "register" => accounts::register(&mut request),
            "registerMultiple" => accounts::register_multiple(&mut request),
            "addSchoolStudent" => accounts::add_school_student(&mut request),
            "editSchoolStudent" => accounts::edit_school_student(&mut request),
            "addClassStudentMultiple" => class_calls::add(&mut request),
            "delClassStudentMultiple" => class_calls::remove(&mut request),
            "addCourseClassStudent" => class_calls::add_to_many(&mut request),
            "addCourseStudentMultiple" => course_calls::add(&mut request),
            "delCourseStudentMultiple" => course_calls::remove(&mut request),
            "addCourseStudent" => course_calls::add_one(&mut request),
            _ => course_calls::remove_one(&mut request),
        },
    };
    answers::reply(request, answer)
}

/// The code that `refuse_call` asks for, but for codes that say that something was done: those the action handles.
fn refused_by_fault(action: &str, fired: &Fired) -> Option<i64> {
    let code = fired.number("refuse_call", 104).and_then(|code| i64::try_from(code).ok())?;
    (!rules::does_it_anyway(action, code)).then_some(code)
}

/// Answers that have nothing to do with the call itself.
fn elsewhere(switches: &Switches, call: &Call) -> Option<Reply> {
    if switches.is(ClassIn, "plain_http", "403") {
        return Some(Reply::new(403, Body::Text("Forbidden".to_owned()), "403"));
    }
    let foreign = switches.is(ClassIn, "foreign_host", "404") && call.host.starts_with("www.eeo.cn");
    if foreign || call.path != PATH {
        return Some(Reply::new(404, Body::Text("404 Not Found".to_owned()), "404"));
    }
    let page = || Body::Html(reply::page("Maintenance"));
    match switches.text(ClassIn, "maintenance") {
        "errno_901" => Some(refusal(switches, 901)),
        "http_901" => Some(Reply::new(901, page(), "901")),
        "html_200" => Some(Reply::new(200, page(), "maintenance")),
        "http_503" => Some(Reply::new(503, page(), "maintenance")),
        _ => None,
    }
}

/// Method, action, school, time and key. Contract: docs/contracts/classin.md, 3.2 and 12.1.
fn authorize(world: &World, action: &str, call: &Call) -> Result<(), i64> {
    if call.method != "POST" {
        return Err(100);
    }
    let parameter = |name| call.form.get(name).unwrap_or_default();
    if action == "?" || world.classin.retired.contains(action) || !world.classin.permitted {
        return Err(102);
    }
    let stamp = parameter("timeStamp");
    let seconds: i64 = stamp.parse().map_err(|_| 102)?;
    let window = world.switches.number(ClassIn, "clock_window_s");
    let ahead = seconds.saturating_sub(moment::now_s());
    let in_the_future = ahead > 0 && world.switches.is(ClassIn, "clock_sides", "past_only");
    if window > 0 && (ahead.saturating_abs() > window || in_the_future) {
        return Err(102);
    }
    let key_fits = parameter("safeKey") == md5_hex(&[&world.classin_secret, stamp]);
    if key_fits && parameter("SID") == world.classin_sid { Ok(()) } else { Err(102) }
}

/// The rule of the same parameters within some seconds.
fn repeated(world: &mut World, action: &str, call: &Call) -> Result<(), i64> {
    let window = Duration::from_secs(world.switches.number(ClassIn, "duplicate_window_s").unsigned_abs());
    if window.is_zero() || !NOT_TWICE.contains(&action) {
        return Ok(());
    }
    let all = world.switches.is(ClassIn, "duplicate_scope", "all_fields");
    let counts = |name: &str| all || !["SID", "safeKey", "timeStamp"].contains(&name);
    let mut pairs: Vec<String> = call
        .form
        .pairs()
        .iter()
        .filter(|(name, _)| counts(name))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.sort();
    pairs.insert(0, action.to_owned());
    let now = Instant::now();
    world.classin.recent.retain(|_, first| now.duration_since(*first) < window);
    let parameters = md5_hex(&[&pairs.join("\n")]);
    if world.classin.recent.contains_key(&parameters) {
        return Err(101_003_002);
    }
    world.classin.recent.insert(parameters, now);
    Ok(())
}

/// The refusal of a whole call.
pub(super) fn refusal(switches: &Switches, code: i64) -> Reply {
    answers::refusal(switches, "", code)
}
