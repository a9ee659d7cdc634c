//! From codes to the answer's `data` and `error_info`, in every spelling the switches know.
//!
//! Contract: docs/contracts/classin.md, 1.3, 4 and 12.2.

use serde_json::Value;

use super::{ClassIn, ClassInRequest, texts};
use crate::json::{Escaping, Json, loose_text};
use crate::reply::{Body, Reply};
use crate::switches::Switches;

/// `customColumn` is silently cut here. Contract: docs/contracts/classin.md, 1.2.
const LONGEST_TOKEN: usize = 50;
/// Calls that answer one item per student, account or class.
const CLASS_LEVEL: [&str; 3] =
    ["addClassStudentMultiple", "delClassStudentMultiple", "addCourseClassStudent"];

/// One entry of `data`.
#[derive(Debug, Clone, Default)]
pub(super) struct Item {
    /// The code of its outcome.
    pub(super) code: i64,
    /// `customColumn` as it was sent.
    pub(super) token: Option<Value>,
    /// registerMultiple: the uid.
    pub(super) uid: Option<i64>,
    /// registerMultiple: the phone.
    pub(super) telephone: Option<String>,
    /// Whether this call changed something for it.
    pub(super) changed: bool,
}

/// The answer of an action.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    /// A top code that holds for any items.
    pub(super) top: Option<i64>,
    /// `data` as a list, where the action answers items.
    pub(super) items: Option<Vec<Item>>,
    /// `data` as something else.
    pub(super) data: Option<Json>,
    /// The number of items sent.
    pub(super) sent: usize,
    /// The number of items that changed something.
    pub(super) changed: usize,
    /// Resources that stay busy until the answer is out.
    pub(super) holds: Vec<String>,
}

impl Answer {
    /// The whole call is refused.
    pub(super) fn refused(code: i64) -> Answer {
        Answer { top: Some(code), items: None, data: None, sent: 0, changed: 0, holds: Vec::new() }
    }

    /// One code and nothing else.
    pub(super) fn single(code: i64, changed: bool) -> Answer {
        Answer { sent: 1, changed: usize::from(changed), ..Answer::refused(code) }
    }

    /// One item each.
    pub(super) fn items(items: Vec<Item>) -> Answer {
        let changed = items.iter().filter(|item| item.changed).count();
        Answer { top: None, sent: items.len(), items: Some(items), data: None, changed, holds: Vec::new() }
    }

    /// The same with this code at the top and no items.
    pub(super) fn with_only(self, code: i64) -> Answer {
        Answer { top: Some(code), items: None, ..self }
    }

    /// A code that condemns the class or course, at the level the switch says.
    pub(super) fn closed(request: &ClassInRequest<'_>, code: i64, items: Vec<Item>) -> Answer {
        let sent = items.len();
        let items = items.into_iter().map(|item| Item { code, changed: false, ..item }).collect();
        match request.text("class_error_level") {
            "items" => Answer { top: Some(1), ..Answer::items(items) },
            "both" => Answer { top: Some(code), ..Answer::items(items) },
            _ => Answer { sent, ..Answer::refused(code) },
        }
    }
}

/// Puts an answer into words and lets the faults at it.
pub(super) fn reply(request: ClassInRequest<'_>, mut answer: Answer) -> Reply {
    let (sent, changed, holds) = (answer.sent, answer.changed, std::mem::take(&mut answer.holds));
    if request.fired.has("apply_part") {
        let short = request.fired.get("apply_part").is_some_and(|argument| argument.ends_with("/114"));
        let broken = if short {
            refusal(request.switches, request.action, 114)
        } else {
            Reply::new(500, Body::Text("Server Error".to_owned()), "500")
        };
        return Reply { holds, ..broken.counting(sent, changed) };
    }
    let top = top_code(&request, &answer);
    let refused = answer.items.is_none() && top != 1 && answer.data.is_none();
    let data = match answer.items {
        Some(items) => Some(item_list(&request, items)),
        None if refused => data_on_failure(request.switches),
        None => answer.data,
    };
    let switches = request.switches;
    let info = Json::Map(verdict(switches, request.action, top));
    let pairs = [data.map(|data| ("data", data)), Some(("error_info", info))];
    let json = Json::Map(pairs.into_iter().flatten().collect());
    let answered = if top == 1 { "ok".to_owned() } else { top.to_string() };
    let reply = Reply::json(json, marked(switches));
    Reply { answered, holds, ..reply }.counting(sent, changed)
}

/// The refusal of a whole call, before anything of it was looked at.
pub(super) fn refusal(switches: &Switches, action: &str, code: i64) -> Reply {
    let info = Json::Map(verdict(switches, action, code));
    let pairs = [data_on_failure(switches).map(|data| ("data", data)), Some(("error_info", info))];
    let reply = Reply::json(Json::Map(pairs.into_iter().flatten().collect()), marked(switches));
    Reply { answered: code.to_string(), ..reply }
}

fn top_code(request: &ClassInRequest<'_>, answer: &Answer) -> i64 {
    if let Some(top) = answer.top {
        return top;
    }
    let items = answer.items.as_deref().unwrap_or_default();
    let first_failure = items.iter().map(|item| item.code).find(|code| *code != 1);
    match (request.text("top_level"), items) {
        ("first_failure", _) => first_failure.unwrap_or(1),
        ("single_mirrors_item", [only]) => only.code,
        _ => 1,
    }
}

fn item_list(request: &ClassInRequest<'_>, mut items: Vec<Item>) -> Json {
    let at = |fault, default: usize| {
        let position = request.fired.number(fault, u64::try_from(default).unwrap_or(0))?;
        usize::try_from(position).ok()
    };
    if let Some(position) = at("token_repeated", 1) {
        let first = items.first().and_then(|item| item.token.clone());
        if let Some(item) = items.get_mut(position) {
            item.token = first;
        }
    }
    if let Some(item) = at("token_foreign", 0).and_then(|position| items.get_mut(position)) {
        item.token = Some(Value::from("never-sent"));
    }
    if let Some(position) = at("item_missing", items.len().saturating_sub(1)).filter(|at| *at < items.len()) {
        items.remove(position);
    }
    if request.fired.has("item_extra") {
        items.push(Item { code: 1, ..Item::default() });
    }
    match request.text("item_order") {
        "reversed" => items.reverse(),
        "shuffled" => request.chance.clone().shuffle(&mut items),
        _ => {}
    }
    Json::List(items.into_iter().map(|item| item_json(request, item)).collect())
}

fn item_json(request: &ClassInRequest<'_>, item: Item) -> Json {
    let Item { code, token, uid, telephone, changed: _ } = item;
    let mut pairs = Vec::new();
    if let Some(uid) = uid {
        pairs.push(("data", uid_json(request, uid)));
    }
    if let Some(telephone) = telephone {
        pairs.push(("telephone", Json::Text(telephone)));
    }
    if let Some(token) = token.and_then(|token| token_json(request, &token)) {
        pairs.push(("customColumn", token));
    }
    pairs.extend(verdict(request.switches, request.action, code));
    Json::Map(pairs)
}

fn token_json(request: &ClassInRequest<'_>, token: &Value) -> Option<Json> {
    let text: String = loose_text(token)?.chars().take(LONGEST_TOKEN).collect();
    if text.is_empty() {
        return None;
    }
    match request.text("custom_column_echo") {
        "missing" => None,
        "as_sent" => Some(token.as_i64().map_or(Json::Text(text), Json::Int)),
        _ => Some(Json::Text(text)),
    }
}

/// A uid as `register` and its like write it.
pub(super) fn uid_json(request: &ClassInRequest<'_>, uid: i64) -> Json {
    if request.is("uid_type", "string") { Json::Text(uid.to_string()) } else { Json::Int(uid) }
}

/// `errno` and `error`.
fn verdict(switches: &Switches, action: &str, code: i64) -> Vec<(&'static str, Json)> {
    let as_string = match switches.text(ClassIn, "errno_type") {
        "string" => true,
        "string_for_class" => CLASS_LEVEL.contains(&action),
        _ => false,
    };
    let as_string =
        as_string || (action == "register" && switches.is(ClassIn, "register_errno_type", "string"));
    let errno = if as_string { Json::Text(code.to_string()) } else { Json::Int(code) };
    let error = match switches.text(ClassIn, "error_text") {
        "empty" => String::new(),
        "misleading" if code == 1 => "166 228 145 102".to_owned(),
        "misleading" => format!("1 166 133 {}", texts::of(1)),
        _ => texts::of(code).to_owned(),
    };
    vec![("errno", errno), ("error", Json::Text(error))]
}

fn data_on_failure(switches: &Switches) -> Option<Json> {
    match switches.text(ClassIn, "data_on_failure") {
        "[]" => Some(Json::List(Vec::new())),
        "null" => Some(Json::Null),
        "\"\"" => Some(Json::text("")),
        _ => None,
    }
}

fn marked(switches: &Switches) -> Escaping {
    if switches.is(ClassIn, "bom", "on") { Escaping::PlainMarked } else { Escaping::Plain }
}
