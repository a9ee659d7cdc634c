//! The calls about accounts on the wire, and the uids in what they answer.
//!
//! Contract: docs/contracts/classin.md, 3.3, 4.3 to 4.5 and 4.9.

use serde_json::{Map, Value};

use super::wire::{ClassinCall, json_text};
use rosterd_core::classin_plan::{AnswerItem, CallAnswer, Contact, ContactKind, Registration, SchoolName};
use rosterd_core::roster::ClassinUid;

/// School student; 2 would be a teacher.
const AS_STUDENT: &str = "1";
/// Asks for one account.
const REGISTER: &str = "register";
/// Asks for several.
const REGISTER_MULTIPLE: &str = "registerMultiple";

impl ClassinCall {
    /// Asks for one account, and that it be a student of the school.
    pub(super) fn registering(account: &Registration, digest: String) -> Self {
        let mut fields = vec![(contact_field(&account.contact), account.contact.expose().to_owned())];
        fields.push(("md5pass", digest));
        fields.extend(account.name.as_ref().map(|name| ("nickname", name.expose().to_owned())));
        fields.push(("addToSchoolMember", AS_STUDENT.to_owned()));
        Self::new(REGISTER, fields)
    }

    /// The same for several accounts, each with the digest of its password.
    pub(super) fn registering_several(accounts: &[Registration], digests: &[String]) -> Self {
        let objects: Vec<String> =
            accounts.iter().zip(digests).map(|(account, digest)| account_object(account, digest)).collect();
        Self::new(REGISTER_MULTIPLE, vec![("userJson", format!("[{}]", objects.join(",")))])
    }

    /// Makes an account a student of the school.
    pub(super) fn joining(contact: &Contact, name: &SchoolName) -> Self {
        let fields =
            vec![("studentAccount", contact.expose().to_owned()), ("studentName", name.expose().to_owned())];
        Self::new("addSchoolStudent", fields)
    }

    /// Writes a student's name.
    pub(super) fn naming(uid: ClassinUid, name: &SchoolName) -> Self {
        let fields = vec![("studentUid", uid.to_string()), ("studentName", name.expose().to_owned())];
        Self::new("editSchoolStudent", fields)
    }
}

fn contact_field(contact: &Contact) -> &'static str {
    match contact.kind() {
        ContactKind::Phone => "telephone",
        ContactKind::Email => "email",
    }
}

fn account_object(account: &Registration, digest: &str) -> String {
    let nickname = account.name.as_ref().map(|name| format!(r#""nickname":{},"#, json_text(name.expose())));
    format!(
        r#"{{"{}":{},"md5pass":{},{}"addToSchoolMember":{AS_STUDENT},"customColumn":{}}}"#,
        contact_field(&account.contact),
        json_text(account.contact.expose()),
        json_text(digest),
        nickname.unwrap_or_default(),
        json_text(account.token.as_str()),
    )
}

/// Adds the uids to an answer, where the call is one that hands them out. A joining's `data` looks like a uid and
/// is none.
pub(super) fn read_uids(
    call: &ClassinCall,
    sent: &[Registration],
    body: &Map<String, Value>,
    answer: &mut CallAnswer,
) {
    match call.action {
        REGISTER => answer.uid = body.get("data").and_then(uid),
        REGISTER_MULTIPLE => {
            let items = body.get("data").and_then(Value::as_array);
            for (item, object) in answer.items.iter_mut().flatten().zip(items.into_iter().flatten()) {
                item.uid = object.get("data").and_then(uid);
                if speaks_of_another(item, object, sent) {
                    *item = AnswerItem::default();
                }
            }
        }
        _ => {}
    }
}

/// A positive whole number, as such or as text.
fn uid(data: &Value) -> Option<ClassinUid> {
    let number = match data {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    number.filter(|number| *number > 0).map(ClassinUid)
}

/// Whether the phone number beside an item is not the one that went with its token. The vendor's own sample
/// answers another account than was asked for: such an item proves nothing of anybody.
fn speaks_of_another(item: &AnswerItem, object: &Value, sent: &[Registration]) -> bool {
    let Some(token) = item.token.as_deref() else { return false };
    let Some(account) = sent.iter().find(|account| account.token.as_str() == token) else { return false };
    let told = object.get("telephone").map(digits).filter(|digits| !digits.is_empty());
    match (told, account.contact.kind()) {
        (Some(told), ContactKind::Phone) => {
            // How a number of another country comes back is not documented: with or without its country.
            let asked = digits_of(account.contact.expose());
            !told.ends_with(&asked) && !asked.ends_with(&told)
        }
        (Some(_), ContactKind::Email) | (None, _) => false,
    }
}

fn digits(value: &Value) -> String {
    match value {
        Value::String(text) => digits_of(text),
        Value::Number(number) => digits_of(&number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => String::new(),
    }
}

fn digits_of(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}
