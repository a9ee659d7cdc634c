//! ClassIn's own spelling: field names, forms, and answers read leniently. The only place that knows them.
//!
//! Contract: docs/contracts/classin.md, 1.3, 3.3 and 4.

mod accounts;

pub(super) use accounts::read_uids;

use secrecy::SecretString;
use serde::Serialize;
use serde_json::{Map, Value};

use super::AddItem;
use super::signature::safe_key;
use crate::remote::http::{Request, UnixSeconds};
use rosterd_core::classin_plan::{AnswerItem, CallAnswer};
use rosterd_core::roster::{ClassTarget, ClassinUid};

const PATH: &str = "/partner/api/course.api.php";

/// Students; 2 would be auditors, whom rosterd never makes. The documentation says both "required" and "1
/// when absent", so it is always sent.
const IDENTITY_STUDENT: &str = "1";

/// One call before it is signed.
pub(super) struct ClassinCall {
    /// ClassIn's name for it.
    pub(super) action: &'static str,
    fields: Vec<(&'static str, String)>,
}

impl ClassinCall {
    /// Adds students to a class, or to a whole course.
    pub(super) fn adding(target: ClassTarget, items: &[AddItem]) -> Self {
        let action = match target.class {
            Some(_) => "addClassStudentMultiple",
            None => "addCourseStudentMultiple",
        };
        let students: Vec<StudentObject<'_>> = items.iter().map(StudentObject::of).collect();
        Self::to(target, action, ("studentJson", json(&students)))
    }

    /// Removes students from a class, or from a whole course.
    pub(super) fn removing(target: ClassTarget, uids: &[ClassinUid]) -> Self {
        let action = match target.class {
            Some(_) => "delClassStudentMultiple",
            None => "delCourseStudentMultiple",
        };
        let uids: Vec<String> = uids.iter().map(ToString::to_string).collect();
        Self::to(target, action, ("studentUidJson", json(&uids)))
    }

    /// Any other call.
    pub(super) fn new(action: &'static str, fields: Vec<(&'static str, String)>) -> Self {
        Self { action, fields }
    }

    fn to(target: ClassTarget, action: &'static str, students: (&'static str, String)) -> Self {
        let mut fields = vec![("courseId", target.course.to_string())];
        fields.extend(target.class.map(|class| ("classId", class.to_string())));
        fields.push(("identity", IDENTITY_STUDENT.to_owned()));
        fields.push(students);
        Self { action, fields }
    }

    /// The request, with one time stamp both in its field and in the signature.
    pub(super) fn signed(&self, sid: &str, secret: &SecretString, now: UnixSeconds) -> Request {
        let mut request = Request::post(PATH);
        request.query.push(("action", self.action.to_owned()));
        request.form.push(("SID", sid.to_owned()));
        request.form.push(("safeKey", safe_key(secret, now)));
        request.form.push(("timeStamp", now.to_string()));
        request.form.extend(self.fields.iter().cloned());
        request
    }
}

/// Both values as strings: the samples send uids so, and `customColumn` comes back as one.
#[derive(Serialize)]
struct StudentObject<'a> {
    uid: String,
    #[serde(rename = "customColumn")]
    custom_column: &'a str,
}

impl<'a> StudentObject<'a> {
    fn of(item: &'a AddItem) -> Self {
        let AddItem { uid, token } = item;
        Self { uid: uid.to_string(), custom_column: token.as_str() }
    }
}

/// The text of a form field that holds JSON. Lists of texts and whole numbers, as all of them are, always have one.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Why a body is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// A page for people.
    Html,
    /// Anything else that is not JSON.
    NotJson,
    /// JSON, but not an object.
    NotAnObject,
}

/// Reads the body of an HTTP 200 as far as every call's answer goes, and hands the object on. Texts are the
/// service's own, not yet masked.
pub(super) fn read_answer(body: &[u8]) -> Result<(CallAnswer, Map<String, Value>), Unreadable> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii();
    if body.starts_with(b"<") {
        return Err(Unreadable::Html);
    }
    let value: Value = serde_json::from_slice(body).map_err(|_| Unreadable::NotJson)?;
    let Value::Object(answer) = value else {
        return Err(Unreadable::NotAnObject);
    };
    let top = answer.get("error_info").and_then(Value::as_object);
    let items = answer.get("data").and_then(Value::as_array);
    let read = CallAnswer {
        top: top.and_then(code),
        top_text: top.and_then(text),
        items: items.map(|items| items.iter().map(read_item).collect()),
        uid: None,
    };
    Ok((read, answer))
}

fn read_item(item: &Value) -> AnswerItem {
    let Some(item) = item.as_object() else {
        return AnswerItem::default();
    };
    AnswerItem { code: code(item), token: token(item), text: text(item), uid: None }
}

/// `errno`: a number, or in the samples of one call a numeric string.
fn code(object: &Map<String, Value>) -> Option<i64> {
    match object.get("errno")? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// `error`: prose for people. An empty one says nothing.
fn text(object: &Map<String, Value>) -> Option<String> {
    object.get("error")?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// `customColumn`: as it was sent, or as a number; absent when empty.
fn token(object: &Map<String, Value>) -> Option<String> {
    match object.get("customColumn")? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> CallAnswer {
        read_answer(body.as_bytes()).unwrap().0
    }

    fn codes(answer: &CallAnswer) -> Option<Vec<Option<i64>>> {
        answer.items.as_ref().map(|items| items.iter().map(|item| item.code).collect())
    }

    #[test]
    fn a_code_is_read_as_number_and_as_text() {
        for (errno, expected) in [
            ("102", Some(102)),
            ("\"1\"", Some(1)),
            ("\" 166 \"", Some(166)),
            ("null", None),
            ("\"\"", None),
            ("1.5", None),
            ("true", None),
            ("[1]", None),
            ("99999999999999999999", None),
        ] {
            let body = format!(r#"{{"error_info":{{"errno":{errno}}}}}"#);
            assert_eq!(read(&body).top, expected, "{errno}");
        }
    }

    #[test]
    fn data_is_read_in_every_shape_it_comes_in() {
        for (data, expected) in [
            (r#"[{"errno":1},{"errno":"166"}]"#, Some(vec![Some(1), Some(166)])),
            ("[]", Some(vec![])),
            ("[1,null]", Some(vec![None, None])),
            ("[{}]", Some(vec![None])),
            ("1001930", None),
            (r#"{"errno":1}"#, None),
            ("null", None),
            (r#""""#, None),
        ] {
            let body = format!(r#"{{"data":{data},"error_info":{{"errno":1}}}}"#);
            assert_eq!(codes(&read(&body)), expected, "{data}");
        }
        assert_eq!(codes(&read(r#"{"error_info":{"errno":1}}"#)), None);
    }

    #[test]
    fn a_token_comes_back_as_text_as_number_or_not_at_all() {
        for (column, expected) in
            [(r#""s1""#, Some("s1")), ("123", Some("123")), (r#""""#, None), ("null", None), ("[]", None)]
        {
            let body =
                format!(r#"{{"data":[{{"customColumn":{column},"errno":1}}],"error_info":{{"errno":1}}}}"#);
            assert_eq!(read(&body).items.unwrap()[0].token.as_deref(), expected, "{column}");
        }
    }

    #[test]
    fn an_object_without_the_envelope_is_an_answer_without_a_code() {
        for body in ["{}", r#"{"error_info":[]}"#, r#"{"error_info":null,"code":1}"#] {
            assert_eq!(read(body).top, None, "{body}");
        }
    }

    #[test]
    fn a_byte_order_mark_and_blanks_before_the_answer_are_tolerated() {
        assert_eq!(read("\u{feff} \n{\"error_info\":{\"errno\":1}}").top, Some(1));
    }

    #[test]
    fn what_is_no_answer_is_told_apart() {
        for (body, expected) in [
            ("<!DOCTYPE html><html>", Unreadable::Html),
            ("\u{feff}\n <html>", Unreadable::Html),
            ("", Unreadable::NotJson),
            (r#"{"error_info":{"err"#, Unreadable::NotJson),
            ("901", Unreadable::NotAnObject),
            ("[]", Unreadable::NotAnObject),
        ] {
            assert_eq!(read_answer(body.as_bytes()).map(|_| ()), Err(expected), "{body}");
        }
        assert_eq!(read_answer(b"{\"error_info\":\xff}").map(|_| ()), Err(Unreadable::NotJson));
        assert_eq!(read_answer("[".repeat(100_000).as_bytes()).map(|_| ()), Err(Unreadable::NotJson));
    }
}
