//! The switch `poison`: a value that makes every call that names it fail as a whole.

use serde_json::Value;

use super::reply::{Body, Call, Reply};

/// The answer to a call that names `poison`; `None` where it does not.
pub(crate) fn answer(call: &Call, poison: &str) -> Option<Reply> {
    let values = call.form.pairs().iter().chain(call.query.pairs());
    let poisoned = values.into_iter().any(|(_, value)| {
        value == poison || serde_json::from_str(value).is_ok_and(|json: Value| names(&json, poison))
    });
    poisoned.then(|| Reply::new(500, Body::Text("Server Error".to_owned()), "500"))
}

fn names(json: &Value, poison: &str) -> bool {
    match json {
        Value::String(text) => text == poison,
        Value::Number(number) => number.to_string() == poison,
        Value::Array(items) => items.iter().any(|item| names(item, poison)),
        Value::Object(members) => members.values().any(|member| names(member, poison)),
        Value::Null | Value::Bool(_) => false,
    }
}
