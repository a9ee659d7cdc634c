//! The candidates that a call names, for a journal that can show that none was sent twice without a look-up
//! in between.

use serde_json::Value;

use crate::json::{loose_text, member, whole_number};
use crate::reply::Call;

/// `sid 17` or `login` and the login value, for every candidate that the call names.
pub(crate) fn journal_keys(login_field: i64, call: &Call) -> Vec<String> {
    let parameter = |name: &str| -> Option<Value> {
        let text = call.form.get(name).or_else(|| call.query.get(name))?;
        serde_json::from_str(text).ok()
    };
    let list = |name: &str| items(parameter(name).as_ref());
    let regrouped = parameter("mvStuInfo").unwrap_or_default();
    let of_regrouped = |name: &str| items(member(&regrouped, name));
    let mut named = Vec::new();
    for item in list("info") {
        match member(&item, "sid").and_then(whole_number).filter(|sid| *sid != 0) {
            Some(sid) => named.push(format!("sid {sid}")),
            None => named.extend(own_login(login_field, &item).map(|login| format!("login {login}"))),
        }
    }
    let sids = list("sids").into_iter().chain(of_regrouped("sid"));
    named.extend(sids.filter_map(|sid| whole_number(&sid)).map(|sid| format!("sid {sid}")));
    let logins = list("loginValues").into_iter().chain(of_regrouped("loginValues"));
    named.extend(logins.filter_map(|login| loose_text(&login)).map(|login| format!("login {login}")));
    named
}

fn items(value: Option<&Value>) -> Vec<Value> {
    value.and_then(Value::as_array).cloned().unwrap_or_default()
}

fn own_login(login_field: i64, item: &Value) -> Option<String> {
    let fields = member(item, "fields")?.as_array()?;
    let own =
        fields.iter().find(|field| member(field, "sfid").and_then(whole_number) == Some(login_field))?;
    member(own, "value").and_then(loose_text)
}
