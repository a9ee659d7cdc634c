//! Accounts and membership of the school: register, registerMultiple, addSchoolStudent, editSchoolStudent.
//!
//! Contract: docs/contracts/classin.md, 4.3 to 4.5 and 4.9.

use serde_json::Value;

use super::answers::{Answer, Item, uid_json};
use super::{ClassInRequest, rules};
use crate::digest::md5_hex;
use crate::json::{Json, loose_text};

/// Most accounts in one registerMultiple; more answer 450.
const MOST_ACCOUNTS: usize = 10;
/// Names and nicknames are silently cut here.
const LONGEST_NAME: usize = 24;

/// The request for one account.
#[derive(Debug, Clone, Default)]
struct Wanted {
    telephone: Option<String>,
    email: Option<String>,
    password: Option<String>,
    md5pass: Option<String>,
    nickname: String,
    join: String,
}

impl Wanted {
    fn read(field: impl Fn(&str) -> Option<String>) -> Wanted {
        let filled = |name| field(name).filter(|value| !value.is_empty());
        Wanted {
            telephone: filled("telephone"),
            email: filled("email"),
            password: filled("password"),
            md5pass: filled("md5pass"),
            nickname: filled("nickname").unwrap_or_default().chars().take(LONGEST_NAME).collect(),
            join: filled("addToSchoolMember").unwrap_or_default(),
        }
    }

    /// Phone or e-mail and the password's digest, or the code that refuses them.
    fn check(&self) -> Result<(&str, String), i64> {
        let contact = match (&self.telephone, &self.email) {
            (Some(phone), _) if rules::phone_is_legal(phone) => phone,
            (Some(_), _) => return Err(134),
            (None, Some(email)) if email.contains('@') => email,
            (None, _) => return Err(100),
        };
        let digest = match (&self.password, &self.md5pass) {
            (Some(password), _) if (6..=20).contains(&password.chars().count()) => md5_hex(&[password]),
            (Some(_), _) => return Err(137),
            (None, Some(digest))
                if digest.len() == 32 && digest.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f')) =>
            {
                digest.clone()
            }
            (None, _) => return Err(100),
        };
        Ok((contact, digest))
    }

    fn hold(&self) -> String {
        let contact = self.telephone.as_deref().or(self.email.as_deref());
        format!("account {}", contact.unwrap_or_default())
    }
}

/// The outcome for one account.
struct Registered {
    code: i64,
    uid: Option<i64>,
    changed: bool,
}

/// The listed name of a member with an earlier account. Contract: docs/contracts/classin.md, 4.4: among
/// several, the nickname counts at the first registration only.
fn listed_name<'w>(
    request: &'w ClassInRequest<'_>,
    wanted: &'w Wanted,
    contact: &'w str,
    uid: Option<i64>,
) -> &'w str {
    let own = uid.and_then(|uid| request.state.accounts.get(&uid)).map(|account| account.nickname.as_str());
    match own.filter(|_| request.action == "registerMultiple") {
        Some("") => contact,
        Some(nickname) => nickname,
        None if wanted.nickname.is_empty() => contact,
        None => &wanted.nickname,
    }
}

fn register_one(request: &mut ClassInRequest<'_>, wanted: &Wanted, forced: Option<i64>) -> Registered {
    let refused = |code| Registered { code, uid: None, changed: false };
    let (contact, digest) = match wanted.check() {
        Ok(checked) => checked,
        Err(code) => return refused(code),
    };
    if request.is("concurrent_register", "131") && request.busy.contains(&wanted.hold()) {
        return refused(131);
    }
    if let Some(code) = forced.filter(|code| !rules::does_it_anyway(request.action, *code)) {
        return refused(code);
    }
    let before = request.state.uid_of(contact);
    let name = listed_name(request, wanted, contact, before).to_owned();
    let may_join = forced.is_none_or(|code| code == 340);
    let role = match wanted.join.as_str() {
        "1" => Some(true),
        "2" => Some(false),
        _ => None,
    };
    if let Some(uid) = before {
        if let Some(is_student) = role.filter(|_| may_join && request.is("joined_on_existing", "joins")) {
            request.state.join(uid, &name, is_student);
        }
        let code = match request.text("existing_code") {
            "1" => 1,
            "135_both" => 135,
            _ if wanted.telephone.is_some() => 135,
            _ => 461,
        };
        return Registered { code: forced.unwrap_or(code), uid: Some(uid), changed: false };
    }
    let uid = request.state.register(contact, &digest, &wanted.nickname);
    if let Some(is_student) = role.filter(|_| may_join) {
        request.state.join(uid, &name, is_student);
    }
    let code = forced.unwrap_or(1);
    let told = code == 1 || request.is("uid_in_820", "yes");
    Registered { code, uid: Some(uid).filter(|_| told), changed: true }
}

/// `register`.
pub(super) fn register(request: &mut ClassInRequest<'_>) -> Answer {
    let wanted = Wanted::read(|name| request.parameter(name).map(str::to_owned));
    let forced = request.fired.number("refuse_call", 104).and_then(|code| i64::try_from(code).ok());
    let Registered { code, uid, changed } = register_one(request, &wanted, forced);
    let data = uid.map(|uid| uid_json(request, uid));
    Answer { data, holds: vec![wanted.hold()], ..Answer::single(code, changed) }
}

/// `registerMultiple`.
pub(super) fn register_multiple(request: &mut ClassInRequest<'_>) -> Answer {
    let accounts = match serde_json::from_str(request.parameter("userJson").unwrap_or_default()) {
        Ok(Value::Array(accounts)) if !accounts.is_empty() => accounts,
        _ => return Answer::refused(155),
    };
    if accounts.len() > MOST_ACCOUNTS {
        return Answer { sent: accounts.len(), ..Answer::refused(450) };
    }
    let part = request.fired.items_applied(accounts.len());
    // Only codes of success come this far: they are at the top of the answer, without items.
    let for_all = request.fired.number("refuse_call", 104).and_then(|code| i64::try_from(code).ok());
    let mut items = Vec::with_capacity(accounts.len());
    let mut holds = Vec::new();
    for (position, account) in accounts.iter().take(part).enumerate() {
        let wanted = Wanted::read(|name| account.get(name).and_then(loose_text));
        let forced = request.fired.refuses_item(position).map(|code| code.unwrap_or(114)).or(for_all);
        let Registered { code, uid, changed } = register_one(request, &wanted, forced);
        let token = account.get("customColumn").cloned();
        holds.push(wanted.hold());
        items.push(Item { code, token, uid, telephone: wanted.telephone, changed });
    }
    let answer = Answer { sent: accounts.len(), holds, ..Answer::items(items) };
    for_all.map_or(answer.clone(), |code| answer.with_only(code))
}

/// `addSchoolStudent`.
pub(super) fn add_school_student(request: &mut ClassInRequest<'_>) -> Answer {
    let account = request.parameter("studentAccount").unwrap_or_default().to_owned();
    let name: String =
        request.parameter("studentName").unwrap_or_default().chars().take(LONGEST_NAME).collect();
    if account.is_empty() || name.is_empty() {
        return Answer::refused(100);
    }
    if !account.contains('@') && !rules::phone_is_legal(&account) {
        return Answer::single(134, false);
    }
    let Some(uid) = request.state.uid_of(&account) else {
        let code = if request.state.was_cancelled(&account) { 886 } else { 113 };
        return Answer::single(code, false);
    };
    if request.state.accounts.get(&uid).is_some_and(|account| account.of_the_school) {
        return Answer::single(128, false);
    }
    if request.state.is_student(uid) {
        return Answer::single(133, false);
    }
    let relation_id = request.state.join(uid, &name, true);
    let data = request.is("relation_id", "on").then_some(Json::Int(relation_id));
    Answer { data, ..Answer::single(1, true) }
}

/// `editSchoolStudent`.
pub(super) fn edit_school_student(request: &mut ClassInRequest<'_>) -> Answer {
    let name: String =
        request.parameter("studentName").unwrap_or_default().chars().take(LONGEST_NAME).collect();
    let Some(uid) = request.id("studentUid").filter(|_| !name.is_empty()) else {
        return Answer::refused(100);
    };
    match request.state.members.get_mut(&uid) {
        Some(member) if member.is_student => {
            member.name = name;
            Answer::single(1, true)
        }
        _ => Answer::single(228, false),
    }
}
