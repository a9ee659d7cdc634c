//! The calls about accounts on the wire, and the uids in what they answer.
//!
//! Contract: docs/contracts/classin.md, 3.3, 4.3 to 4.5 and 4.9.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{ClassinCall, json};
use rosterd_core::classin_plan::{AnswerItem, CallAnswer, Contact, ContactKind, Registration, SchoolName};
use rosterd_core::roster::ClassinUid;

/// School student; 2 would be a teacher.
const AS_STUDENT: i64 = 1;
/// Asks for one account.
const REGISTER: &str = "register";
/// Asks for several.
const REGISTER_MULTIPLE: &str = "registerMultiple";

impl ClassinCall {
    /// Asks for one account, and that it be a student of the school.
    pub(in crate::remote::classin) fn registering(account: &Registration, digest: String) -> Self {
        let mut fields = vec![(contact_field(&account.contact), account.contact.expose().to_owned())];
        fields.push(("md5pass", digest));
        fields.extend(account.name.as_ref().map(|name| ("nickname", name.expose().to_owned())));
        fields.push(("addToSchoolMember", AS_STUDENT.to_string()));
        Self::new(REGISTER, fields)
    }

    /// The same for several accounts, each with the digest of its password.
    pub(in crate::remote::classin) fn registering_several(
        accounts: &[Registration],
        digests: &[String],
    ) -> Self {
        let accounts = accounts.iter().zip(digests);
        let objects: Vec<AccountObject<'_>> =
            accounts.map(|(account, digest)| AccountObject::of(account, digest)).collect();
        Self::new(REGISTER_MULTIPLE, vec![("userJson", json(&objects))])
    }

    /// Makes an account a student of the school.
    pub(in crate::remote::classin) fn joining(contact: &Contact, name: &SchoolName) -> Self {
        let fields =
            vec![("studentAccount", contact.expose().to_owned()), ("studentName", name.expose().to_owned())];
        Self::new("addSchoolStudent", fields)
    }

    /// Writes a student's name.
    pub(in crate::remote::classin) fn naming(uid: ClassinUid, name: &SchoolName) -> Self {
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

/// One account of several, its keys in the order of the samples. One of the two contacts is there.
#[derive(Serialize)]
struct AccountObject<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    telephone: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    md5pass: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    nickname: Option<&'a str>,
    #[serde(rename = "addToSchoolMember")]
    add_to_school_member: i64,
    #[serde(rename = "customColumn")]
    custom_column: &'a str,
}

impl<'a> AccountObject<'a> {
    fn of(account: &'a Registration, digest: &'a str) -> Self {
        let contact = account.contact.expose();
        let (telephone, email) = match account.contact.kind() {
            ContactKind::Phone => (Some(contact), None),
            ContactKind::Email => (None, Some(contact)),
        };
        Self {
            telephone,
            email,
            md5pass: digest,
            nickname: account.name.as_ref().map(SchoolName::expose),
            add_to_school_member: AS_STUDENT,
            custom_column: account.token.as_str(),
        }
    }
}

/// Adds the uids to an answer, where the call is one that hands them out. A joining's `data` looks like a uid and
/// is none.
pub(in crate::remote::classin) fn read_uids(
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
