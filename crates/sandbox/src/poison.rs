//! The switch `poison`: values that make every call fail as a whole that names one of them.

use serde_json::Value;

use super::reply::{Body, Call, Reply};

/// The answer to a call that names one of the values of `poison`, between commas; `None` where it names none.
pub(crate) fn answer(call: &Call, poison: &str) -> Option<Reply> {
    let poisoned = poison.split(',').map(str::trim).any(|poison| {
        let mut values = call.form.pairs().iter().chain(call.query.pairs());
        values.any(|(_, value)| {
            value == poison || serde_json::from_str(value).is_ok_and(|json: Value| names(&json, poison))
        })
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
